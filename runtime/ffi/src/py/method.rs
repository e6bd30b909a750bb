//! Tables of methods, properties and module functions in static memory.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_int};

use pyo3::ffi;

use super::{Live, Obj, Ref, Res};

/// A METH_FASTCALL | METH_KEYWORDS function.
pub type Keywords = unsafe extern "C" fn(Obj, *const Obj, isize, Obj) -> Obj;
/// A METH_O or METH_NOARGS function.
pub type Simple = unsafe extern "C" fn(Obj, Obj) -> Obj;

/// A NULL-terminated table of methods, as `tp_methods` wants it.
pub struct Methods<const N: usize>(UnsafeCell<[ffi::PyMethodDef; N]>);

// SAFETY: never changed after compile time; CPython only reads method tables.
unsafe impl<const N: usize> Sync for Methods<N> {}

impl<const N: usize> Methods<N> {
    /// A table; its last entry is [`END_OF_METHODS`].
    pub const fn new(entries: [ffi::PyMethodDef; N]) -> Self {
        Self(UnsafeCell::new(entries))
    }
    /// A function object of an entry, with this self, or none. The GIL is held.
    pub fn function(&'static self, index: usize, of: Option<Live>) -> Res<Ref> {
        assert!(index + 1 < N, "the last entry is no function");
        let of = of.map_or(std::ptr::null_mut(), Live::ptr);
        // SAFETY: the entry is static, and only read; self is NULL, or alive, and the function takes a reference to it.
        unsafe {
            Ref::steal(ffi::PyCFunction_NewEx(
                self.ptr().add(index),
                of,
                std::ptr::null_mut(),
            ))
        }
    }
    /// For `tp_methods` and `m_methods`.
    pub const fn ptr(&self) -> *mut ffi::PyMethodDef {
        self.0.get().cast()
    }
}

/// Ends a table.
pub const END_OF_METHODS: ffi::PyMethodDef = ffi::PyMethodDef::zeroed();

/// A method with keyword parameters.
pub const fn keywords(
    name: &'static CStr,
    function: Keywords,
    doc: &'static CStr,
) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionFastWithKeywords: function,
        },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.as_ptr(),
    }
}

/// A METH_FASTCALL function.
pub type Positional = unsafe extern "C" fn(Obj, *mut Obj, isize) -> Obj;

/// A method of positional parameters.
pub const fn positional(
    name: &'static CStr,
    function: Positional,
    doc: &'static CStr,
) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionFast: function,
        },
        ml_flags: ffi::METH_FASTCALL,
        ml_doc: doc.as_ptr(),
    }
}

/// An object (a `types.SimpleNamespace`) with the functions of a table, whose self is NULL. The GIL is held.
pub fn namespace<const N: usize>(methods: &'static Methods<N>) -> Res<Ref> {
    let object = super::sys::simple_namespace()?;
    for index in 0..N - 1 {
        let function = methods.function(index, None)?;
        // SAFETY: the table is never changed, and its names are C strings.
        let name = unsafe { CStr::from_ptr((*methods.ptr().add(index)).ml_name) };
        object.live().set_attribute(name, function.live())?;
    }
    Ok(object)
}

/// A method of one positional parameter (METH_O), or of none (METH_NOARGS): `flags` says which.
pub const fn simple(
    name: &'static CStr,
    function: Simple,
    flags: c_int,
    doc: &'static CStr,
) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunction: function,
        },
        ml_flags: flags,
        ml_doc: doc.as_ptr(),
    }
}

/// A METH_VARARGS | METH_KEYWORDS function.
pub type Tuples = unsafe extern "C" fn(Obj, Obj, Obj) -> Obj;

/// A method that gets a tuple and a dict: for what is passed on to Python code.
pub const fn tuples(name: &'static CStr, function: Tuples, doc: &'static CStr) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionWithKeywords: function,
        },
        ml_flags: ffi::METH_VARARGS | ffi::METH_KEYWORDS,
        ml_doc: doc.as_ptr(),
    }
}

/// A NULL-terminated table of properties, as `tp_getset` wants it.
pub struct Properties<const N: usize>(UnsafeCell<[ffi::PyGetSetDef; N]>);

// SAFETY: never changed after compile time; CPython only reads tables of properties.
unsafe impl<const N: usize> Sync for Properties<N> {}

impl<const N: usize> Properties<N> {
    /// A table; its last entry is [`END_OF_PROPERTIES`].
    pub const fn new(entries: [ffi::PyGetSetDef; N]) -> Self {
        Self(UnsafeCell::new(entries))
    }
    /// For `tp_getset`.
    pub fn ptr(&self) -> *mut ffi::PyGetSetDef {
        self.0.get().cast()
    }
}

/// Ends a table.
pub const END_OF_PROPERTIES: ffi::PyGetSetDef = ffi::PyGetSetDef {
    name: std::ptr::null(),
    get: None,
    set: None,
    doc: std::ptr::null(),
    closure: std::ptr::null_mut(),
};

/// A property.
pub const fn property(
    name: &'static CStr,
    get: ffi::getter,
    set: Option<ffi::setter>,
    doc: &'static CStr,
) -> ffi::PyGetSetDef {
    ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(get),
        set,
        doc: doc.as_ptr(),
        closure: std::ptr::null_mut(),
    }
}
