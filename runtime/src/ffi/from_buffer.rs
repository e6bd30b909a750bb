//! `ffi.from_buffer`.

use super::buffer::View;
use super::this;
use crate::ctype::{Kind, char_array};
use crate::object::{Resource, new_managed};
use crate::py::{Obj, Raised, Signature, guard};
use crate::raise;
use pyo3::ffi;

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
