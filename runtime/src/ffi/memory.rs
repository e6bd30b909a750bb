//! string, unpack, from_buffer, memmove: between C memory and Python's own kinds of it.

use pyo3::ffi;

use super::buffer::View;
use super::text::wide_units;
use super::this;
use crate::ctype::{Code, Kind, char_array};
use crate::object::{CData, Resource, TYPES, as_cdata, new_managed, released};
use crate::py::{Obj, Raised, Ref, Res, Signature, guard, none, type_name};
use crate::{convert, raise};

/// An index-like argument.
///
/// # Safety
/// `object` is live.
pub unsafe fn ssize(object: Obj) -> Res<isize> {
    // SAFETY: the caller's contract.
    unsafe {
        if let Some(small) = crate::py::small_long_value(object) {
            return Ok(small as isize);
        }
        let value = ffi::PyNumber_AsSsize_t(object, ffi::PyExc_OverflowError);
        if value == -1 && !ffi::PyErr_Occurred().is_null() {
            return Err(Raised::already());
        }
        Ok(value)
    }
}

/// The repr of a cdata, for messages.
fn shown(cdata: &CData) -> String {
    // SAFETY: a live object; the exception of a failing repr is dropped.
    unsafe {
        let text = Ref::<ffi::PyObject>::steal(ffi::PyObject_Repr(cdata.obj()));
        match text.and_then(|text| Ok(crate::py::str_text(text.obj())?.map(str::to_owned))) {
            Ok(Some(text)) => text,
            Ok(None) => String::new(),
            Err(raised) => {
                raised.clear();
                format!("<cdata '{}'>", cdata.ctype().name)
            }
        }
    }
}

/// A type of one byte whose arrays are strings: char, and the plain integers of that size; not bool.
fn is_byte(code: Code) -> bool {
    matches!(code, Code::Char | Code::I8 | Code::U8)
}

fn is_wide(code: Code) -> bool {
    matches!(code, Code::Char16 | Code::Char32)
}

static STRING: Signature<2> = Signature::new("FFI.string", ["cdata", "maxlen"], 1);

pub unsafe extern "C" fn string(_object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method; the arguments are live. The memory is what the cdata says, which is the
        // user's responsibility for pointers, as in C.
        unsafe {
            let [cdata, maxlen] = STRING.parse(args, count, names)?;
            let maxlen = if maxlen.is_null() { -1 } else { ssize(maxlen)? };
            let Some(cdata) = as_cdata(cdata) else {
                return Err(raise!(
                    TypeError,
                    "string() argument 1 must be a cdata, not {}",
                    type_name(cdata)
                ));
            };
            if cdata.shows_released() {
                return Err(released(cdata));
            }
            let ctype = cdata.ctype();
            if ctype.is_pointer_or_array() {
                let item = ctype.item();
                let is_text = is_byte(item.code) || is_wide(item.code);
                if (is_text || item.code.is_integer()) && cdata.data().is_null() {
                    return Err(raise!(
                        RuntimeError,
                        "cannot use string() on {}",
                        shown(cdata)
                    ));
                }
                if is_text && item.kind != Kind::Enum {
                    let limit = match (maxlen, ctype.kind) {
                        (0.., _) => Some(maxlen as usize),
                        (_, Kind::Array) => usize::try_from(cdata.array_length()).ok(),
                        _ => None,
                    };
                    return if is_byte(item.code) {
                        let length = byte_length(cdata.data(), limit);
                        Ref::steal(ffi::PyBytes_FromStringAndSize(
                            cdata.data().cast(),
                            length as isize,
                        ))
                    } else {
                        let size = item.size() as usize;
                        convert::character::read_wide_text(
                            item.code,
                            cdata.data(),
                            wide_units(cdata.data(), size, limit),
                        )
                    };
                }
            } else if ctype.kind == Kind::Enum {
                let (number, name) = convert::read_enum_text(ctype, cdata.data())?;
                return match name {
                    Some(name) => crate::py::str_from(&name),
                    None => Ref::steal(ffi::PyObject_Str(number.obj())),
                };
            } else if is_byte(ctype.code) {
                return Ref::steal(ffi::PyBytes_FromStringAndSize(cdata.data().cast(), 1));
            } else if is_wide(ctype.code) {
                return convert::read(ctype, cdata.data());
            }
            Err(raise!(
                TypeError,
                "string(): unexpected cdata '{}' argument",
                ctype.name
            ))
        }
    })
}

/// Bytes before the first NUL, at most `limit`.
///
/// # Safety
/// Readable up to there.
unsafe fn byte_length(data: *const u8, limit: Option<usize>) -> usize {
    // SAFETY: the caller's contract.
    unsafe {
        match limit {
            None => libc::strlen(data.cast()),
            Some(limit) => libc::strnlen(data.cast(), limit),
        }
    }
}

static UNPACK: Signature<2> = Signature::new("FFI.unpack", ["cdata", "length"], 2);

pub unsafe extern "C" fn unpack(_object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: as in `string`.
        unsafe {
            let [cdata, length] = UNPACK.parse(args, count, names)?;
            let Some(cdata) = as_cdata(cdata) else {
                return Err(raise!(
                    TypeError,
                    "unpack() argument 1 must be a cdata, not {}",
                    type_name(cdata)
                ));
            };
            let length = ssize(length)?;
            if cdata.shows_released() {
                return Err(released(cdata));
            }
            let ctype = cdata.ctype();
            if !ctype.is_pointer_or_array() || ctype.is_function_pointer() {
                return Err(raise!(
                    TypeError,
                    "expected a pointer or array, got '{}'",
                    ctype.name
                ));
            }
            if length < 0 {
                return Err(raise!(ValueError, "'length' cannot be negative"));
            }
            if cdata.data().is_null() {
                return Err(raise!(
                    RuntimeError,
                    "cannot use unpack() on {}",
                    shown(cdata)
                ));
            }
            let item = ctype.item();
            if item.size() < 0 {
                return Err(raise!(
                    ValueError,
                    "'{}' points to items of unknown size",
                    ctype.name
                ));
            }
            if item.code == Code::Char {
                return Ref::steal(ffi::PyBytes_FromStringAndSize(cdata.data().cast(), length));
            }
            if is_wide(item.code) {
                return convert::character::read_wide_text(
                    item.code,
                    cdata.data(),
                    length as usize,
                );
            }
            convert::read_list(item, cdata.data(), length as usize)
        }
    })
}

static FROM_BUFFER: Signature<3> = Signature::new(
    "FFI.from_buffer",
    ["cdecl", "python_buffer", "require_writable"],
    1,
);

pub unsafe extern "C" fn from_buffer(
    object: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object; the arguments are live.
        unsafe {
            let [cdecl, python_buffer, writable] = FROM_BUFFER.parse(args, count, names)?;
            let (ctype, source) = if python_buffer.is_null() {
                (char_array()?.to_ref(), cdecl)
            } else {
                (this(object).ctype_argument(cdecl)?, python_buffer)
            };
            let writable = if writable.is_null() {
                0
            } else {
                ffi::PyObject_IsTrue(writable)
            };
            if writable < 0 {
                return Err(Raised::already());
            }
            if !ctype.is_pointer_or_array() || ctype.is_function_pointer() {
                return Err(raise!(
                    TypeError,
                    "expected a pointer or array ctype, got '{}'",
                    ctype.name
                ));
            }
            if ffi::PyUnicode_Check(source) != 0 {
                return Err(raise!(
                    TypeError,
                    "from_buffer() cannot return the address of a unicode object"
                ));
            }
            let view = View::of(source, writable != 0)?;
            let bytes = view.bytes().len() as isize;
            let length = if ctype.kind == Kind::Pointer {
                // CFFI takes it, and p[0] then reads what is behind the buffer.
                let size = ctype.item().size();
                if bytes < size {
                    return Err(raise!(
                        ValueError,
                        "buffer is too small ({bytes} bytes) for '{}' ({size} bytes)",
                        ctype.item().name
                    ));
                }
                -1
            } else if ctype.length >= 0 {
                if bytes < ctype.size() {
                    return Err(raise!(
                        ValueError,
                        "buffer is too small ({bytes} bytes) for '{}' ({} bytes)",
                        ctype.name,
                        ctype.size()
                    ));
                }
                ctype.length
            } else {
                match ctype.item().size() {
                    0 => {
                        ffi::PyErr_SetString(
                            ffi::PyExc_ZeroDivisionError,
                            c"from_buffer(): an array of items of size 0 has no length of its own"
                                .as_ptr(),
                        );
                        return Err(Raised::already());
                    }
                    size => bytes / size,
                }
            };
            let data = view.data();
            new_managed(&ctype, data, length, Resource::Buffer(view.into_raw()))
        }
    })
}

/// The bytes behind an owning pointer, or behind from_buffer's; `None` when nobody knows.
pub fn pointed_to_size(cdata: &CData) -> Option<usize> {
    let ctype = cdata.ctype();
    // SAFETY: a live cdata is a live object.
    if ctype.kind == Kind::Pointer && unsafe { TYPES.owning.is_exactly(cdata.obj()) } {
        let size = if cdata.length.get() >= 0 {
            cdata.length.get()
        } else {
            ctype.item().size()
        };
        return usize::try_from(size).ok();
    }
    None
}

/// How many bytes may be touched from a cdata's address on; `None` when nobody knows: a pointer. Of a part of something
/// larger, all that comes after it: C programs go on behind an array in a struct where they know what is there.
fn known_extent(cdata: &CData) -> Option<usize> {
    if let Some(owner) = cdata.part_of() {
        let whole = known_extent(owner)?;
        let before = (cdata.data() as usize).checked_sub(owner.data() as usize)?;
        return whole.checked_sub(before);
    }
    if let Some(size) = pointed_to_size(cdata) {
        return Some(size);
    }
    if cdata.resource().is_some() {
        return managed_extent(cdata);
    }
    // SAFETY: a live cdata is a live object.
    if cdata.ctype().kind == Kind::Array && unsafe { TYPES.owning.is_exactly(cdata.obj()) } {
        return cdata.value_size().ok();
    }
    None
}

/// [`known_extent`] of what from_buffer(), gc() and allocators gave.
fn managed_extent(cdata: &CData) -> Option<usize> {
    enum Known {
        Bytes(usize),
        /// As much as what it was made of.
        As(Ref),
        /// What its type says, if it is an array or a pointer to one value.
        ByType,
        Nothing,
    }
    // What is behind the lock is only looked at: asking on runs after it.
    let known = crate::cdata::lifetime::steady(|| match cdata.resource() {
        Some(Resource::Buffer(view)) => Known::Bytes(view.len as usize),
        Some(Resource::Gc { origin, .. } | Resource::KeepAlive(origin)) => {
            Known::As(origin.clone())
        }
        Some(Resource::Allocated { .. }) => Known::ByType,
        _ => Known::Nothing,
    });
    let is_array = cdata.ctype().kind == Kind::Array;
    match known {
        Known::Bytes(bytes) => Some(bytes),
        // SAFETY: a live object.
        Known::As(origin) => match unsafe { as_cdata(origin.obj()) } {
            Some(of) if of.data() == cdata.data() && known_extent(of).is_some() => known_extent(of),
            _ if is_array => cdata.value_size().ok(),
            _ => None,
        },
        Known::ByType if is_array => cdata.value_size().ok(),
        Known::ByType => usize::try_from(cdata.ctype().item().size()).ok(),
        Known::Nothing => None,
    }
}

/// The memory behind a pointer or array, and how many bytes of it may be touched, `usize::MAX` when nobody knows. `None`
/// for NULL and for other types.
#[inline]
fn room(cdata: &CData) -> Option<(*mut u8, usize)> {
    if !cdata.ctype().is_pointer_or_array() || cdata.data().is_null() || cdata.shows_released() {
        return None;
    }
    Some((cdata.data(), known_extent(cdata).unwrap_or(usize::MAX)))
}

/// One side of a memmove.
struct Side {
    data: *mut u8,
    extent: Option<usize>,
    /// Keeps a Python buffer exported while it is copied.
    _view: Option<View>,
}

impl Side {
    unsafe fn of(object: Obj, writable: bool) -> Res<Self> {
        // SAFETY: the caller's argument is live.
        unsafe {
            if let Some(cdata) = as_cdata(object) {
                cdata.check_live()?;
                let ctype = cdata.ctype();
                if !ctype.is_pointer_or_array() {
                    return Err(raise!(
                        TypeError,
                        "expected a pointer or array ctype, got '{}'",
                        ctype.name
                    ));
                }
                return Ok(Self {
                    data: cdata.data(),
                    extent: known_extent(cdata),
                    _view: None,
                });
            }
            let view = View::of(object, writable)?;
            Ok(Self {
                data: view.data(),
                extent: Some(view.bytes().len()),
                _view: Some(view),
            })
        }
    }
}

static MEMMOVE: Signature<3> = Signature::new("FFI.memmove", ["dest", "src", "n"], 3);

pub unsafe extern "C" fn memmove(_object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method; the arguments are live. Sizes are checked where they are known.
        unsafe {
            let [dest, src, n] = MEMMOVE.parse(args, count, names)?;
            let n = ssize(n)?;
            let Ok(n) = usize::try_from(n) else {
                return Err(raise!(ValueError, "negative size"));
            };
            if let (Some(target), Some(source)) = (as_cdata(dest), as_cdata(src))
                && let (Some(target), Some(source)) = (room(target), room(source))
                && n <= target.1
                && n <= source.1
            {
                std::ptr::copy(source.0, target.0, n);
                return Ok(none());
            }
            let source = Side::of(src, false)?;
            let target = Side::of(dest, true)?;
            for (side, what) in [(&source, "source"), (&target, "destination")] {
                if let Some(extent) = side.extent
                    && n > extent
                {
                    return Err(raise!(
                        ValueError,
                        "memmove of {n} bytes: the {what} has only {extent}"
                    ));
                }
                if side.data.is_null() && n > 0 {
                    return Err(raise!(
                        RuntimeError,
                        "memmove: the {what} is a NULL pointer"
                    ));
                }
            }
            if n > 0 {
                std::ptr::copy(source.data, target.data, n);
            }
            Ok(none())
        }
    })
}
