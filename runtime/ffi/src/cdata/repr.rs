//! `repr(cdata)`.

use pyo3::ffi;

use crate::convert::{read, read_enum_text, real};
use crate::ctype::{Code, Kind};
use crate::object::{CData, Resource, TYPES, is_buffer};
use crate::py::{Live, Ref, Res, type_name};

/// `repr(object)` as Rust text; lone surrogates are escaped by repr itself.
fn repr_of(object: Live) -> Res<String> {
    match object.repr()?.live().text() {
        Ok(text) => return Ok(text.unwrap_or("?").to_string()),
        // The repr has a lone surrogate, which UTF-8 cannot say.
        Err(raised) => raised.clear(),
    }
    // SAFETY: a live object.
    let text: Ref = unsafe { Ref::steal(ffi::PyObject_ASCII(object.ptr())) }?;
    Ok(text.live().text()?.unwrap_or("?").to_string())
}

/// The body of tp_repr.
pub(super) fn repr(cdata: &CData) -> Res<String> {
    let ctype = cdata.ctype();
    let name = &ctype.name;
    match ctype.kind {
        Kind::Enum => {
            // SAFETY: a cdata's data is readable as its type.
            let (number, enumerator) = unsafe { read_enum_text(ctype, cdata.data())? };
            // SAFETY: a live int.
            let number = repr_of(number.live())?;
            return Ok(match enumerator {
                Some(enumerator) => format!("<cdata '{name}' {number}: {enumerator}>"),
                None => format!("<cdata '{name}' {number}>"),
            });
        }
        Kind::Primitive => return repr_primitive(cdata),
        _ => {}
    }
    if cdata.python_type() == TYPES.owning.ptr()
        || cdata.viewed().is_some_and(|owner| !is_buffer(owner))
        || is_allocated_record(cdata)
    {
        return Ok(format!(
            "<cdata '{name}' owning {} bytes>",
            owned_bytes(cdata)?
        ));
    }
    // SAFETY: the resource's objects are alive with the cdata.
    unsafe {
        match cdata.resource() {
            Some(Resource::Released { buffer: true, .. }) => {
                return Ok(format!("<cdata '{name}' buffer RELEASED>"));
            }
            Some(Resource::Buffer(_)) => {
                let from = super::lifetime::steady(|| match cdata.resource() {
                    Some(Resource::Buffer(view)) if !view.obj.is_null() => type_name(view.obj),
                    _ => "?".to_string(),
                });
                return Ok(if ctype.kind == Kind::Array {
                    format!(
                        "<cdata '{name}' buffer len {} from '{from}' object>",
                        cdata.array_length()
                    )
                } else {
                    format!("<cdata '{name}' buffer from '{from}' object>")
                });
            }
            Some(Resource::Handle(object)) => {
                return Ok(format!(
                    "<cdata '{name}' handle to {}>",
                    repr_of(object.live())?
                ));
            }
            Some(Resource::Callback(closure)) => {
                return Ok(format!(
                    "<cdata '{name}' calling {}>",
                    repr_of(Live::new(closure.callable()))?
                ));
            }
            _ => {}
        }
    }
    if ctype.kind == Kind::Array && ctype.length < 0 {
        return Ok(format!(
            "<cdata '{name}' sliced length {}>",
            cdata.array_length()
        ));
    }
    let reference = if ctype.is_record() { " &" } else { "" };
    Ok(if cdata.data().is_null() {
        format!("<cdata '{name}{reference}' NULL>")
    } else {
        format!("<cdata '{name}{reference}' {:#x}>", cdata.data() as usize)
    })
}

/// A pointer to a struct that an allocator made: it owns the struct, as that of `ffi.new()` does.
fn is_allocated_record(cdata: &CData) -> bool {
    matches!(cdata.resource(), Some(Resource::Allocated { .. }))
        && cdata.ctype().kind == Kind::Pointer
        && cdata.ctype().item().is_record()
}

fn owned_bytes(cdata: &CData) -> Res<usize> {
    if cdata.ctype().kind == Kind::Pointer {
        return if cdata.length.get() >= 0 {
            Ok(cdata.length.get() as usize)
        } else {
            cdata.ctype().item().known_size()
        };
    }
    cdata.value_size()
}

fn repr_primitive(cdata: &CData) -> Res<String> {
    let ctype = cdata.ctype();
    // SAFETY: a cdata's data is readable as its type.
    let value = unsafe {
        match ctype.code {
            Code::LongDouble => real::long_double_text(cdata.data()),
            Code::Char32 => match read(ctype, cdata.data()) {
                Ok(value) => repr_of(value.live())?,
                // A value that is no character is shown as a number, because repr() must work.
                Err(raised) => {
                    raised.clear();
                    format!("{:#x}", cdata.data().cast::<u32>().read_unaligned())
                }
            },
            Code::Bool => match read(ctype, cdata.data()) {
                Ok(value) => repr_of(value.live())?,
                Err(raised) => {
                    raised.clear();
                    cdata.data().read().to_string()
                }
            },
            _ => repr_of(read(ctype, cdata.data())?.live())?,
        }
    };
    Ok(format!("<cdata '{}' {value}>", ctype.name))
}
