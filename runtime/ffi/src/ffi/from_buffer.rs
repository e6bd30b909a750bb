//! `ffi.from_buffer`.

use super::FfiObject;
use super::buffer::View;
use crate::ctype::{CType, Kind, char_array};
use crate::object::{CData, Resource, new_managed};
use crate::py::{Live, Ref, Res, flag, method};
use crate::raise;

method!(pub from_buffer = "FFI.from_buffer", cdata_over, (ffi: &FfiObject, cdecl: Live, python_buffer: Option<Live>, require_writable: Option<Live>));

fn cdata_over(
    ffi: &FfiObject,
    cdecl: Live,
    python_buffer: Option<Live>,
    require_writable: Option<Live>,
) -> Res<Ref<CData>> {
    let (ctype, source) = match python_buffer {
        None => (char_array()?.to_ref(), cdecl),
        Some(source) => (ffi.ctype_argument(cdecl)?, source),
    };
    let writable = flag(require_writable, false)?;
    if !ctype.is_pointer_or_array() || ctype.is_function_pointer() {
        return Err(raise!(
            TypeError,
            "expected a pointer or array ctype, got '{}'",
            ctype.name
        ));
    }
    if source.is_str() {
        return Err(raise!(
            TypeError,
            "from_buffer() cannot return the address of a unicode object"
        ));
    }
    let view = View::of(source, writable)?;
    let length = length_of(&ctype, view.bytes().len() as isize)?;
    let data = view.data();
    new_managed(&ctype, data, length, Resource::Buffer(view.into_raw()))
}

/// How many items of an array a buffer of so many bytes shows; -1 for a pointer.
fn length_of(ctype: &CType, bytes: isize) -> Res<isize> {
    if ctype.kind == Kind::Pointer {
        // CFFI accepts a buffer that is smaller than the item; p[0] then reads the memory behind it.
        let size = ctype.item().size();
        if bytes < size {
            return Err(raise!(
                ValueError,
                "buffer is too small ({bytes} bytes) for '{}' ({size} bytes)",
                ctype.item().name
            ));
        }
        Ok(-1)
    } else if ctype.length >= 0 {
        if bytes < ctype.size() {
            return Err(raise!(
                ValueError,
                "buffer is too small ({bytes} bytes) for '{}' ({} bytes)",
                ctype.name,
                ctype.size()
            ));
        }
        Ok(ctype.length)
    } else {
        match ctype.item().size() {
            0 => Err(raise!(
                ZeroDivisionError,
                "from_buffer(): an array of items of size 0 has no length of its own"
            )),
            size => Ok(bytes / size),
        }
    }
}
