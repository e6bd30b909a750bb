//! The objects of `uctypes`.

use std::ffi::CStr;

use pyo3::ffi;

use super::classes::{OWNER, classes};
use super::{Layout, Scalar, classes, descriptor, layout, structure};
use crate::ffi::View;
use crate::micropython::arguments::positional;
use crate::micropython::{bytearray, value};
use crate::py::module::{add, new as new_module};
use crate::py::{END_OF_METHODS, Live, Methods, Obj, Raised, Ref, Res, guard, keywords};
use crate::raise;

static FUNCTIONS: Methods<5> = Methods::new([
    keywords(
        c"sizeof",
        sizeof,
        c"sizeof(struct_or_descriptor, layout=NATIVE)\n--\n\nBytes of a struct, a descriptor or a bytearray.",
    ),
    keywords(
        c"addressof",
        addressof,
        c"addressof(object)\n--\n\nThe address of the memory of an object with the buffer interface.",
    ),
    keywords(
        c"bytes_at",
        bytes_at,
        c"bytes_at(address, size)\n--\n\nA copy of memory.",
    ),
    keywords(
        c"bytearray_at",
        bytearray_at,
        c"bytearray_at(address, size)\n--\n\nMemory as a bytearray, by reference.",
    ),
    END_OF_METHODS,
]);

/// The constants.
fn constants() -> [(&'static CStr, i32); 32] {
    use Scalar as S;
    let by_size = |four: Scalar, eight: Scalar| {
        if size_of::<std::ffi::c_long>() == 4 {
            four.constant()
        } else {
            eight.constant()
        }
    };
    [
        (c"LITTLE_ENDIAN", 0),
        (c"BIG_ENDIAN", 1),
        (c"NATIVE", 2),
        (c"VOID", S::Uint8.constant()),
        (c"UINT8", S::Uint8.constant()),
        (c"INT8", S::Int8.constant()),
        (c"UINT16", S::Uint16.constant()),
        (c"INT16", S::Int16.constant()),
        (c"UINT32", S::Uint32.constant()),
        (c"INT32", S::Int32.constant()),
        (c"UINT64", S::Uint64.constant()),
        (c"INT64", S::Int64.constant()),
        (c"BFUINT8", S::BitsUint8.constant()),
        (c"BFINT8", S::BitsInt8.constant()),
        (c"BFUINT16", S::BitsUint16.constant()),
        (c"BFINT16", S::BitsInt16.constant()),
        (c"BFUINT32", S::BitsUint32.constant()),
        (c"BFINT32", S::BitsInt32.constant()),
        (c"BF_POS", descriptor::BF_POS as i32),
        (c"BF_LEN", descriptor::BF_LEN as i32),
        (c"FLOAT32", S::Float32.constant()),
        (c"FLOAT64", S::Float64.constant()),
        (c"SHORT", S::Int16.constant()),
        (c"USHORT", S::Uint16.constant()),
        (c"INT", S::Int32.constant()),
        (c"UINT", S::Uint32.constant()),
        (c"LONG", by_size(S::Int32, S::Int64)),
        (c"ULONG", by_size(S::Uint32, S::Uint64)),
        (c"LONGLONG", S::Int64.constant()),
        (c"ULONGLONG", S::Uint64.constant()),
        (c"PTR", descriptor::PTR),
        (c"ARRAY", descriptor::ARRAY),
    ]
}

/// Makes the types ready.
pub(crate) fn ready() -> Res<()> {
    structure::ready()?;
    value::set_pointer_value(structure::pointer_value);
    classes::make()
}

/// The module.
pub(crate) fn create() -> Res<Ref> {
    let module = new_module(
        c"uctypes",
        c"MicroPython's uctypes module: C data by descriptors.",
        FUNCTIONS.ptr(),
    )?;
    add(&module, c"struct", &structure::class())?;
    for (name, value) in constants() {
        // SAFETY: a live module and a C string.
        if unsafe { ffi::PyModule_AddIntConstant(module.obj(), name.as_ptr(), value.into()) } < 0 {
            return Err(Raised::already());
        }
    }
    Ok(module)
}

/// `sizeof()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn sizeof(_: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let [object, layout] = positional(args, count, names, 1, 0)?;
            let size = if ffi::PyByteArray_Check(object) != 0 {
                ffi::PyByteArray_Size(object) as usize
            } else if let Some(structure) = structure::as_structure(Live::new(object)) {
                if !layout.is_null() {
                    return Err(raise!(
                        TypeError,
                        "sizeof() of a struct takes no layout: it has its own"
                    ));
                }
                layout::size(Live::new(structure.descriptor), structure.layout)?.total
            } else {
                let layout = if layout.is_null() {
                    Layout::Native
                } else {
                    Layout::of(Live::new(layout))?
                };
                layout::size(Live::new(object), layout)?.total
            };
            crate::py::make::unsigned_int(size)
        }
    })
}

/// `addressof()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn addressof(_: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let [object] = positional(args, count, names, 1, 0)?;
            let data = if ffi::PyUnicode_Check(object) != 0 {
                let data = ffi::PyUnicode_AsUTF8AndSize(object, std::ptr::null_mut());
                if data.is_null() {
                    return Err(Raised::already());
                }
                data as usize
            } else if ffi::PyObject_CheckBuffer(object) != 0 {
                View::of(Live::new(object), false)?.data() as usize
            } else {
                return Err(raise!(TypeError, "object with buffer protocol required"));
            };
            let number: Ref = crate::py::make::unsigned_int(data)?;
            let address: Ref = classes()?.address.live().call_with(number.live())?;
            if ffi::PyObject_SetAttrString(address.obj(), OWNER.as_ptr(), object) < 0 {
                return Err(Raised::already());
            }
            Ok(address)
        }
    })
}

/// `bytes_at()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn bytes_at(_: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments; that the memory is there is the word of the program.
        unsafe {
            let [address, size] = positional(args, count, names, 2, 0)?;
            let data = value::address(Live::new(address))?;
            let size = bytearray::size_argument(Live::new(size))?;
            if data.is_null() && size > 0 {
                return Err(raise!(ValueError, "NULL pointer"));
            }
            Ref::<ffi::PyObject>::steal(ffi::PyBytes_FromStringAndSize(
                data.cast(),
                size as ffi::Py_ssize_t,
            ))
        }
    })
}

/// `bytearray_at()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn bytearray_at(_: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let [address, size] = positional(args, count, names, 2, 0)?;
            bytearray::at(Live::new(address), Live::new(size))
        }
    })
}
