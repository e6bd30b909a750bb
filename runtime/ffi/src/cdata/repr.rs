//! `repr(cdata)`.

use crate::convert::{Lvalue, read, read_enum_text, real};
use crate::ctype::{Code, Kind};
use crate::object::{CData, Resource, TYPES, is_buffer};
use crate::py::{Live, Res};

/// `repr(object)` as Rust text; lone surrogates are escaped by repr itself.
fn repr_of(object: Live) -> Res<String> {
    match object.repr()?.live().text() {
        Ok(text) => return Ok(text.unwrap_or("?").to_string()),
        // The repr has a lone surrogate, which UTF-8 cannot say.
        Err(raised) => raised.clear(),
    }
    Ok(object.ascii()?.live().text()?.unwrap_or("?").to_string())
}

/// The body of tp_repr.
pub(super) fn repr(cdata: &CData) -> Res<String> {
    let ctype = cdata.ctype();
    let name = &ctype.name;
    match ctype.kind {
        Kind::Enum => {
            let (number, enumerator) = read_enum_text(Lvalue::in_cdata(cdata))?;
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
    if let Some(resource) = cdata.resource()
        && let Some(text) = repr_of_resource(cdata, resource)?
    {
        return Ok(text);
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

/// The repr of a cdata by what it owns, where that has a text of its own.
fn repr_of_resource(cdata: &CData, resource: &Resource) -> Res<Option<String>> {
    let (ctype, name) = (cdata.ctype(), &cdata.ctype().name);
    Ok(Some(match resource {
        Resource::Released { buffer: true, .. } => format!("<cdata '{name}' buffer RELEASED>"),
        Resource::Buffer(_) => {
            let from = super::lifetime::steady(|| match cdata.resource() {
                // SAFETY: NULL, or the object whose buffer it is, which the buffer keeps alive.
                Some(Resource::Buffer(view)) => unsafe { Live::or_null(view.obj) }
                    .map_or_else(|| "?".to_string(), Live::type_name),
                _ => "?".to_string(),
            });
            if ctype.kind == Kind::Array {
                format!(
                    "<cdata '{name}' buffer len {} from '{from}' object>",
                    cdata.array_length()
                )
            } else {
                format!("<cdata '{name}' buffer from '{from}' object>")
            }
        }
        Resource::Handle(object) => {
            format!("<cdata '{name}' handle to {}>", repr_of(object.live())?)
        }
        Resource::Callback(closure) => {
            // SAFETY: the closure keeps what it calls alive.
            let callable = unsafe { Live::new(closure.callable()) };
            format!("<cdata '{name}' calling {}>", repr_of(callable)?)
        }
        _ => return Ok(None),
    }))
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
    let place = Lvalue::in_cdata(cdata);
    let value = match place.code() {
        Code::LongDouble => real::long_double_text(place),
        // A value that is no character, or neither true nor false, is shown as a number, because repr() must work.
        code @ (Code::Char32 | Code::Bool) => match read(place) {
            Ok(value) => repr_of(value.live())?,
            Err(raised) => {
                raised.clear();
                match code {
                    Code::Char32 => format!("{:#x}", place.get::<u32>()),
                    _ => place.get::<u8>().to_string(),
                }
            }
        },
        _ => repr_of(read(place)?.live())?,
    };
    Ok(format!("<cdata '{}' {value}>", cdata.ctype().name))
}
