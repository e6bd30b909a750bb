//! CPython's C API in types that say what its functions ask for.
//!
//! pyo3's declarations take bare pointers, so that every call has to argue that they are good. A function is declared here
//! where the types of its parameters say all that it asks for: [`Live`] is an object that is alive, [`Text`] a C string,
//! `Option<Ref>` a new reference or NULL, and the thread is attached, as everywhere in `py`. Then calling it is safe. What
//! asks for more (an object of one kind, room behind a pointer, a reference that is stolen) is pyo3's, and is called in the
//! one function of `py` that argues for it.

use std::ffi::{CStr, c_char, c_double, c_int, c_long, c_longlong, c_ulonglong};
use std::marker::PhantomData;
use std::ptr::NonNull;

use pyo3::ffi;

use super::{Live, Raised, Ref, Res};

/// A C string, borrowed.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Text<'a>(*const c_char, PhantomData<&'a CStr>);

impl<'a> From<&'a CStr> for Text<'a> {
    fn from(text: &'a CStr) -> Self {
        Self(text.as_ptr(), PhantomData)
    }
}

/// A new reference, or the exception that is set where there is none.
#[inline(always)]
pub fn made(object: Option<Ref>) -> Res<Ref> {
    object.ok_or_else(Raised::already)
}

// SAFETY: CPython's own functions, with its own signatures. Each of them takes any live object: where it is none of the kind
// that the function is for, the function raises.
unsafe extern "C" {
    pub safe fn PyErr_Clear();
    pub safe fn PyErr_ExceptionMatches(class: Live<'_>) -> c_int;
    pub safe fn PyErr_Occurred() -> Option<NonNull<ffi::PyObject>>;
    pub safe fn PyErr_SetObject(class: Live<'_>, argument: Live<'_>);
    pub safe fn PyErr_WarnEx(category: Live<'_>, text: Text<'_>, level: isize) -> c_int;
    pub safe fn PyErr_SetFromErrno(class: Live<'_>) -> Option<Ref>;

    pub safe fn PyObject_ASCII(object: Live<'_>) -> Option<Ref>;
    pub safe fn PyObject_AsFileDescriptor(object: Live<'_>) -> c_int;
    pub safe fn PyObject_CallNoArgs(callable: Live<'_>) -> Option<Ref>;
    pub safe fn PyObject_Dir(object: Live<'_>) -> Option<Ref>;
    pub safe fn PyObject_GetAttr(object: Live<'_>, name: Live<'_>) -> Option<Ref>;
    pub safe fn PyObject_GetAttrString(object: Live<'_>, name: Text<'_>) -> Option<Ref>;
    pub safe fn PyObject_GetItem(object: Live<'_>, key: Live<'_>) -> Option<Ref>;
    pub safe fn PyObject_GetIter(object: Live<'_>) -> Option<Ref>;
    pub safe fn PyObject_IsInstance(object: Live<'_>, class: Live<'_>) -> c_int;
    pub safe fn PyObject_IsTrue(object: Live<'_>) -> c_int;
    pub safe fn PyObject_Repr(object: Live<'_>) -> Option<Ref>;
    pub safe fn PyObject_SetAttr(object: Live<'_>, name: Live<'_>, value: Live<'_>) -> c_int;
    pub safe fn PyObject_SetAttrString(object: Live<'_>, name: Text<'_>, value: Live<'_>) -> c_int;
    pub safe fn PyObject_Str(object: Live<'_>) -> Option<Ref>;
    pub safe fn PyOS_FSPath(object: Live<'_>) -> Option<Ref>;
    pub safe fn PyCallable_Check(object: Live<'_>) -> c_int;
    pub safe fn PyIndex_Check(object: Live<'_>) -> c_int;
    pub safe fn PyIter_Next(iterator: Live<'_>) -> Option<Ref>;
    pub safe fn PyInterpreterState_Get() -> *mut ffi::PyInterpreterState;
    pub safe fn PyInterpreterState_Main() -> *mut ffi::PyInterpreterState;
    pub safe fn PySys_SetObject(name: Text<'_>, value: Live<'_>) -> c_int;
    pub safe fn PyImport_ImportModule(name: Text<'_>) -> Option<Ref>;
    pub safe fn PyModule_AddObjectRef(module: Live<'_>, name: Text<'_>, value: Live<'_>) -> c_int;

    pub safe fn PyNumber_AsSsize_t(object: Live<'_>, overflow: Live<'_>) -> isize;
    pub safe fn PyNumber_Float(object: Live<'_>) -> Option<Ref>;
    pub safe fn PyNumber_Index(object: Live<'_>) -> Option<Ref>;
    pub safe fn PyNumber_Lshift(left: Live<'_>, right: Live<'_>) -> Option<Ref>;
    pub safe fn PyNumber_Or(left: Live<'_>, right: Live<'_>) -> Option<Ref>;
    pub safe fn PyLong_FromDouble(value: c_double) -> Option<Ref>;
    pub safe fn PyLong_FromLong(value: c_long) -> Option<Ref>;
    pub safe fn PyLong_FromLongLong(value: c_longlong) -> Option<Ref>;
    pub safe fn PyLong_FromSize_t(value: usize) -> Option<Ref>;
    pub safe fn PyLong_FromSsize_t(value: isize) -> Option<Ref>;
    pub safe fn PyLong_FromUnsignedLongLong(value: c_ulonglong) -> Option<Ref>;
    pub safe fn PyLong_AsLongLong(int: Live<'_>) -> c_longlong;
    pub safe fn PyLong_AsLongLongAndOverflow(int: Live<'_>, overflow: &mut c_int) -> c_longlong;
    pub safe fn PyLong_AsUnsignedLongLong(int: Live<'_>) -> c_ulonglong;
    pub safe fn PyLong_AsUnsignedLongLongMask(int: Live<'_>) -> c_ulonglong;
    pub safe fn PyFloat_FromDouble(value: c_double) -> Option<Ref>;
    pub safe fn PyFloat_AsDouble(object: Live<'_>) -> c_double;
    pub safe fn PyComplex_FromDoubles(real: c_double, imaginary: c_double) -> Option<Ref>;

    pub safe fn PyUnicode_AsEncodedString(
        text: Live<'_>,
        encoding: Text<'_>,
        errors: Text<'_>,
    ) -> Option<Ref>;
    pub safe fn PyUnicode_EncodeFSDefault(text: Live<'_>) -> Option<Ref>;
    pub safe fn PyUnicode_FromOrdinal(character: c_int) -> Option<Ref>;
    pub safe fn PyUnicode_GetLength(text: Live<'_>) -> isize;
    pub safe fn PyUnicode_ReadChar(text: Live<'_>, index: isize) -> u32;

    pub safe fn PyDict_Copy(dict: Live<'_>) -> Option<Ref>;
    pub safe fn PyDict_Keys(dict: Live<'_>) -> Option<Ref>;
    pub safe fn PyDict_New() -> Option<Ref>;
    pub safe fn PyDict_SetItem(dict: Live<'_>, key: Live<'_>, value: Live<'_>) -> c_int;
    pub safe fn PyDict_Size(dict: Live<'_>) -> isize;
    pub safe fn PyList_Append(list: Live<'_>, item: Live<'_>) -> c_int;
    pub safe fn PyList_AsTuple(list: Live<'_>) -> Option<Ref>;
    pub safe fn PyList_Insert(list: Live<'_>, index: isize, item: Live<'_>) -> c_int;
    pub safe fn PyList_New(count: isize) -> Option<Ref>;
    pub safe fn PyList_Size(list: Live<'_>) -> isize;
    pub safe fn PyTuple_New(count: isize) -> Option<Ref>;
}
