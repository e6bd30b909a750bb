//! Statically allocated type objects.

use std::cell::UnsafeCell;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use pyo3::ffi;

use super::{Instance, Live, Raised, Res};

/// A `PyTypeObject` in static memory: instances need not count references to it, and its address is a constant.
pub struct StaticType(UnsafeCell<MaybeUninit<ffi::PyTypeObject>>);

// SAFETY: written once, by `ready`, before any other use (the module's initialisation, under the import lock);
// afterwards CPython owns its consistency.
unsafe impl Sync for StaticType {}

/// All types that are ready, for [`name_after`].
static READY: Mutex<Vec<&'static StaticType>> = Mutex::new(Vec::new());

/// Gives all types that are ready the names that they would have in that Python module: CPython's own messages
/// (`unsupported operand type(s) for +: 'MODULE.NAME' and ...`) show them, and so do their `repr()` and `__module__`.
/// The names live as long as the process does: CPython does not copy them. The GIL is held.
pub fn name_after(module: &str) {
    let ready = READY.lock().unwrap_or_else(PoisonError::into_inner);
    for of in ready.iter() {
        // SAFETY: a ready type's name is a C string that nobody frees, here or in CPython. It is replaced while no other
        // thread runs Python: in the module's initialisation, and before a program imports anything of CFFI's.
        unsafe {
            let object = &mut *of.ptr();
            let name = CStr::from_ptr(object.tp_name).to_string_lossy();
            // The names of MicroPython's types have no module in front, and stay as they are.
            let Some((_, name)) = name.rsplit_once('.') else {
                continue;
            };
            if let Ok(name) = CString::new(format!("{module}.{name}")) {
                object.tp_name = name.into_raw();
                ffi::PyType_Modified(object);
            }
        }
    }
}

impl StaticType {
    /// A type that [`ready`](Self::ready) will fill in.
    pub const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::zeroed()))
    }
    /// The type object. Valid for identity comparison at any time, for use after [`ready`](Self::ready).
    #[inline(always)]
    pub fn ptr(&self) -> *mut ffi::PyTypeObject {
        self.0.get().cast()
    }
    /// Whether `object` is an instance of exactly this type.
    ///
    /// # Safety
    /// `object` is a live object.
    #[inline(always)]
    pub unsafe fn is_exactly(&self, object: *mut ffi::PyObject) -> bool {
        // SAFETY: `object` is live (the caller's contract), so its type can be read; `self.ptr()` is only compared.
        unsafe { ffi::Py_TYPE(object) == self.ptr() }
    }
    /// Whether `object` is an instance of this type or of a subtype.
    ///
    /// # Safety
    /// `object` is a live object, and the type is ready.
    #[inline(always)]
    pub unsafe fn is_instance(&self, object: *mut ffi::PyObject) -> bool {
        // SAFETY: `object` is live, so its type can be read, and this type is ready, so that its MRO can be compared with
        // (both are the caller's contract).
        unsafe { ffi::PyObject_TypeCheck(object, self.ptr()) != 0 }
    }
    /// Fills the type in and makes it ready. `flags` are Py_TPFLAGS_ besides DEFAULT.
    /// Does nothing when called again (the module can be initialised more than once in a process).
    ///
    /// # Safety
    /// Called during module initialisation with the GIL held; `fill` sets valid slots.
    pub unsafe fn ready(
        &'static self,
        flags: std::ffi::c_ulong,
        fill: impl FnOnce(&mut ffi::PyTypeObject),
    ) -> Res<()> {
        // SAFETY: the caller guarantees exclusive access; all-zero is a valid PyTypeObject.
        unsafe {
            let object = &mut *self.ptr();
            if !object.tp_name.is_null() {
                return Ok(());
            }
            object.ob_base.ob_base = ffi::PyObject_HEAD_INIT;
            fill(object);
            #[cfg(not(Py_GIL_DISABLED))]
            {
                object.tp_flags = ffi::Py_TPFLAGS_DEFAULT | flags;
            }
            #[cfg(Py_GIL_DISABLED)]
            object.tp_flags.store(
                ffi::Py_TPFLAGS_DEFAULT | flags,
                std::sync::atomic::Ordering::Relaxed,
            );
            if ffi::PyType_Ready(object) < 0 {
                return Err(Raised::already());
            }
            READY
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(self);
            Ok(())
        }
    }
    /// Makes memory an object of this type with one reference.
    ///
    /// # Safety
    /// `memory` has room for an object of the type, which is ready, and nobody else uses it. Attached to the interpreter.
    #[inline(always)]
    pub unsafe fn init(&self, memory: *mut ffi::PyObject) {
        // SAFETY: the caller's contract.
        unsafe { super::fresh::init(memory, self.ptr()) }
    }
    /// Gives all instances an attribute, where CFFI's have it in the dict of their type.
    ///
    /// # Safety
    /// During module initialisation with the GIL held, after [`ready`](Self::ready).
    pub unsafe fn set_attribute(&self, name: &std::ffi::CStr, value: &str) -> Res<()> {
        let value = super::str_from(value)?;
        // SAFETY: the type is ready and so has a dict; the module's initialisation is the only one that uses it so far
        // (the caller's contract), so nobody else holds a reference into the type.
        unsafe {
            let object = &mut *self.ptr();
            if ffi::PyDict_SetItemString(object.tp_dict, name.as_ptr(), value.obj()) < 0 {
                return Err(Raised::already());
            }
            ffi::PyType_Modified(object);
        }
        Ok(())
    }
}

impl<'a> Live<'a> {
    /// Whether it is an instance of exactly this type, as the struct behind the type's objects.
    ///
    /// # Safety
    /// `T` is the struct of the type's objects.
    #[inline(always)]
    pub unsafe fn exactly<T: Instance>(self, of: &StaticType) -> Option<&'a T> {
        // SAFETY: alive for 'a, and a `T` by the contract.
        (self.class() == of.ptr()).then(|| unsafe { self.cast() })
    }
}
