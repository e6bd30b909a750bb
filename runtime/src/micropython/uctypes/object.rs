//! The objects of `uctypes`.

use std::ffi::CStr;
use std::sync::OnceLock;

use pyo3::ffi;

use super::{Layout, Scalar, descriptor, layout, structure};
use crate::ffi::View;
use crate::micropython::arguments::positional;
use crate::micropython::module::module_of;
use crate::micropython::{bytearray, value};
use crate::py::module::add;
use crate::py::{END_OF_METHODS, Methods, Obj, Raised, Ref, Res, guard, keywords};
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

/// Classes that are made at run time.
struct Classes {
    /// The int that `addressof` gives: it keeps the object alive whose address it is, and so do structs and bytearrays
    /// that are made from it. MicroPython's garbage collector sees addresses; this is what CPython has instead.
    address: Ref,
    /// What a missing field raises: MicroPython's KeyError, which is also the AttributeError that hasattr() and
    /// getattr() with a default want.
    no_field: Ref,
}

static CLASSES: OnceLock<Classes> = OnceLock::new();

/// `class name(*bases)`, which shows itself as the built-in of that name.
fn class(name: &CStr, bases: &[Obj]) -> Res<Ref> {
    // SAFETY: C strings and live classes; Py_BuildValue's formats fit its arguments.
    unsafe {
        let tuple: Ref = Ref::steal(ffi::PyTuple_New(bases.len() as ffi::Py_ssize_t))?;
        for (index, base) in bases.iter().enumerate() {
            let base: Ref = Ref::borrow(*base);
            ffi::PyTuple_SET_ITEM(tuple.obj(), index as ffi::Py_ssize_t, base.into_ptr());
        }
        Ref::steal(ffi::PyObject_CallFunction(
            (&raw mut ffi::PyType_Type).cast(),
            c"sO{ss}".as_ptr(),
            name.as_ptr(),
            tuple.obj(),
            c"__module__".as_ptr(),
            c"builtins".as_ptr(),
        ))
    }
}

/// Makes the types ready.
pub(crate) fn ready() -> Res<()> {
    structure::ready()?;
    if CLASSES.get().is_none() {
        // SAFETY: classes of libpython.
        let classes = unsafe {
            Classes {
                address: class(c"int", &[(&raw mut ffi::PyLong_Type).cast()])?,
                no_field: class(
                    c"KeyError",
                    &[ffi::PyExc_KeyError, ffi::PyExc_AttributeError],
                )?,
            }
        };
        let _ = CLASSES.set(classes);
    }
    Ok(())
}

fn classes() -> Res<&'static Classes> {
    CLASSES
        .get()
        .ok_or_else(|| raise!(SystemError, "uctypes is not ready"))
}

/// The module.
pub(crate) fn create() -> Res<Ref> {
    let module = module_of(
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

/// KeyError for a field that is not there.
///
/// # Safety
/// `name` is live.
#[cold]
pub(super) unsafe fn raise_no_field<T>(name: Obj) -> Res<T> {
    // SAFETY: live objects.
    unsafe { ffi::PyErr_SetObject(classes()?.no_field.obj(), name) };
    Err(Raised::already())
}

/// The address in a struct object that is a pointer; `None` for any other object.
///
/// # Safety
/// `object` is live.
pub(crate) unsafe fn pointer_value(object: Obj) -> Option<usize> {
    // SAFETY: the caller's contract.
    unsafe { structure::pointer_value(object) }
}

const OWNER: &CStr = c"_owner";

/// The object whose address it is, for an address that [`addressof`] gave.
///
/// # Safety
/// `address` is live.
pub(crate) unsafe fn owner_of(address: Obj) -> Res<Option<Ref>> {
    // SAFETY: the caller's contract.
    unsafe {
        if ffi::Py_TYPE(address).cast() != classes()?.address.obj() {
            return Ok(None);
        }
        let owner = ffi::PyObject_GetAttrString(address, OWNER.as_ptr());
        if owner.is_null() {
            Raised::already().clear_if(ffi::PyExc_AttributeError)?;
            return Ok(None);
        }
        Ref::steal(owner).map(Some)
    }
}

unsafe extern "C" fn sizeof(_: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let [object, layout] = positional(args, count, names, 1, 0)?;
            let size = if ffi::PyByteArray_Check(object) != 0 {
                ffi::PyByteArray_Size(object) as usize
            } else if let Some(structure) = structure::as_structure(object) {
                if !layout.is_null() {
                    return Err(raise!(
                        TypeError,
                        "sizeof() of a struct takes no layout: it has its own"
                    ));
                }
                layout::size(structure.descriptor, structure.layout)?.total
            } else {
                let layout = if layout.is_null() {
                    Layout::Native
                } else {
                    Layout::of(layout)?
                };
                layout::size(object, layout)?.total
            };
            Ref::<ffi::PyObject>::steal(ffi::PyLong_FromSize_t(size))
        }
    })
}

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
                View::of(object, false)?.data() as usize
            } else {
                return Err(raise!(TypeError, "object with buffer protocol required"));
            };
            let number: Ref = Ref::steal(ffi::PyLong_FromSize_t(data))?;
            let address: Ref = Ref::steal(ffi::PyObject_CallOneArg(
                classes()?.address.obj(),
                number.obj(),
            ))?;
            if ffi::PyObject_SetAttrString(address.obj(), OWNER.as_ptr(), object) < 0 {
                return Err(Raised::already());
            }
            Ok(address)
        }
    })
}

unsafe extern "C" fn bytes_at(_: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments; that the memory is there is the word of the program.
        unsafe {
            let [address, size] = positional(args, count, names, 2, 0)?;
            let data = value::address(address)?;
            let size = bytearray::size_argument(size)?;
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

unsafe extern "C" fn bytearray_at(_: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let [address, size] = positional(args, count, names, 2, 0)?;
            bytearray::at(address, size)
        }
    })
}
