//! References to Python objects, and what may have raised.

use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

use pyo3::ffi;

use super::{Live, capi};

/// A borrowed reference, as the C API passes it.
pub type Obj = *mut ffi::PyObject;

/// The head of our own objects. Reference counts change behind a `&T`, so it must be an `UnsafeCell`: the compiler would
/// otherwise take the memory behind the reference for constant, and drop the increment.
pub type Head = std::cell::UnsafeCell<ffi::PyObject>;

/// A Python exception is set on this thread.
#[derive(Debug)]
#[must_use = "the exception is set: return it to Python, or clear it"]
pub struct Raised(PhantomData<*mut ()>);

impl Raised {
    /// An exception was set by the C API.
    pub fn already() -> Self {
        debug_assert!(capi::PyErr_Occurred().is_some());
        Self(PhantomData)
    }
    /// The exception that the C API set, if it set one: for functions whose -1 may also be a result.
    #[inline]
    pub fn if_set() -> Res<()> {
        if capi::PyErr_Occurred().is_none() {
            Ok(())
        } else {
            Err(Self::already())
        }
    }
    /// What a function of the C API says by a negative result.
    #[inline]
    pub fn if_negative(status: std::ffi::c_int) -> Res<()> {
        if status < 0 {
            Err(Self::already())
        } else {
            Ok(())
        }
    }
    /// Drops the exception.
    pub fn clear(self) {
        capi::PyErr_Clear();
    }
    /// Drops the exception if it is an instance of `class`, gives it back otherwise.
    pub fn clear_if(self, class: Live) -> Res<()> {
        if capi::PyErr_ExceptionMatches(class) != 0 {
            self.clear();
            Ok(())
        } else {
            Err(self)
        }
    }
}

/// The result of what can raise a Python exception.
pub type Res<T> = Result<T, Raised>;

/// `raise!(TypeError, "expected {}", what)`: sets a built-in exception and gives the `Raised`.
#[macro_export]
macro_rules! raise {
    ($class:ident, $($message:tt)+) => {
        $crate::py::raise_text($crate::exception!($class), format_args!($($message)+))
    };
}

/// The built-in exception class of a name: `exception!(TypeError)`.
#[macro_export]
macro_rules! exception {
    ($class:ident) => {{
        #[allow(unused_unsafe, reason = "used inside and outside of unsafe blocks")]
        // SAFETY: a static of libpython, whose object is alive while Python runs.
        let class = unsafe { $crate::py::Live::new($crate::py::class!($class)) };
        class
    }};
}

/// The built-in exception class of a name: `class!(TypeError)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __keelback_class {
    (TypeError) => {
        pyo3::ffi::PyExc_TypeError
    };
    (ValueError) => {
        pyo3::ffi::PyExc_ValueError
    };
    (IndexError) => {
        pyo3::ffi::PyExc_IndexError
    };
    (KeyError) => {
        pyo3::ffi::PyExc_KeyError
    };
    (AttributeError) => {
        pyo3::ffi::PyExc_AttributeError
    };
    (OverflowError) => {
        pyo3::ffi::PyExc_OverflowError
    };
    (RuntimeError) => {
        pyo3::ffi::PyExc_RuntimeError
    };
    (NotImplementedError) => {
        pyo3::ffi::PyExc_NotImplementedError
    };
    (SystemError) => {
        pyo3::ffi::PyExc_SystemError
    };
    (MemoryError) => {
        pyo3::ffi::PyExc_MemoryError
    };
    (BufferError) => {
        pyo3::ffi::PyExc_BufferError
    };
    (ImportError) => {
        pyo3::ffi::PyExc_ImportError
    };
    (ZeroDivisionError) => {
        pyo3::ffi::PyExc_ZeroDivisionError
    };
    (OSError) => {
        pyo3::ffi::PyExc_OSError
    };
    (FileNotFoundError) => {
        pyo3::ffi::PyExc_FileNotFoundError
    };
    (RecursionError) => {
        pyo3::ffi::PyExc_RecursionError
    };
    (UnicodeEncodeError) => {
        pyo3::ffi::PyExc_UnicodeEncodeError
    };
    (Exception) => {
        pyo3::ffi::PyExc_Exception
    };
    (UserWarning) => {
        pyo3::ffi::PyExc_UserWarning
    };
}

/// An owned reference to a Python object whose memory starts with a `PyObject` (`T` = `PyObject` or one of
/// our own types). Cloning and dropping need the GIL.
#[repr(transparent)]
pub struct Ref<T = ffi::PyObject>(NonNull<T>);

// SAFETY: a reference may move between threads: it is only used (cloned, dropped, dereferenced) while
// attached to the interpreter, which is the contract of this whole layer.
unsafe impl<T> Send for Ref<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Ref<T> {}

impl<T> Ref<T> {
    /// Takes over an owned reference; NULL means that an exception is set.
    ///
    /// # Safety
    /// `object` is NULL with an exception set, or an owned reference to a live `T`.
    pub unsafe fn steal(object: *mut T) -> Res<Self> {
        match NonNull::new(object) {
            Some(object) => Ok(Self(object)),
            None => Err(Raised::already()),
        }
    }
    /// A new reference to a borrowed object.
    ///
    /// # Safety
    /// `object` points to a live `T`.
    pub unsafe fn borrow(object: *mut T) -> Self {
        // SAFETY: `object` is live (the caller's contract), and so not NULL; every T starts with a PyObject, whose count
        // Py_INCREF raises.
        unsafe {
            ffi::Py_INCREF(object.cast());
            Self(NonNull::new_unchecked(object))
        }
    }
    /// Takes over an owned reference.
    ///
    /// # Safety
    /// `object` is an owned reference to a live `T`.
    pub unsafe fn owned(object: *mut T) -> Self {
        // SAFETY: `object` is a reference to a live T (the caller's contract), and so not NULL.
        Self(unsafe { NonNull::new_unchecked(object) })
    }
    /// The pointer, still owned by self.
    pub fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }
    /// The pointer as an object, still owned by self.
    pub fn obj(&self) -> Obj {
        self.0.as_ptr().cast()
    }
    /// Gives the reference away.
    pub fn into_ptr(self) -> *mut T {
        let pointer = self.0.as_ptr();
        std::mem::forget(self);
        pointer
    }
    /// The same reference, seen as a plain object.
    pub fn into_obj(self) -> Ref {
        let object = self.0.cast();
        std::mem::forget(self);
        Ref(object)
    }
}

impl<T> Deref for Ref<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the reference keeps the object alive.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        // SAFETY: alive, because self holds a reference.
        unsafe { Self::borrow(self.as_ptr()) }
    }
}

impl<T> Drop for Ref<T> {
    fn drop(&mut self) {
        // SAFETY: gives back the reference that self owns.
        unsafe { ffi::Py_DECREF(self.obj()) }
    }
}

/// A new reference to None.
pub fn none() -> Ref {
    Live::none().to_ref()
}

/// A new reference to NotImplemented: what an operator returns that leaves the work to the other operand.
pub fn not_implemented() -> Ref {
    // SAFETY: alive as long as Python.
    unsafe { Ref::borrow(ffi::Py_NotImplemented()) }
}

/// A new reference to True or False.
pub fn bool_object(value: bool) -> Ref {
    Live::bool(value).to_ref()
}

/// The name of an object's type, for messages.
///
/// # Safety
/// `object` is a live object.
pub unsafe fn type_name(object: Obj) -> String {
    // SAFETY: the same contract.
    unsafe { Live::new(object) }.type_name()
}
