//! The head of a plugin's `lib.function` objects: all that is known of one without calling it.

use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;

use crate::ctype::CType;
use crate::py::{Head, Instance, Live, Ref, Res, StaticType};

/// The type of the object that a built-in function of a plugin is bound to.
pub static FUNCTION_TYPE: StaticType = StaticType::new();

/// What every object of that type starts with.
#[repr(C)]
pub struct FunctionHead {
    pub(crate) ob_base: Head,
    /// Of the pointer to the function: owned. NULL until it is asked for, where `find_type` finds it.
    pub(crate) ctype: AtomicPtr<CType>,
    pub(crate) address: *mut u8,
    /// The type of a function that was made without one.
    pub(crate) find_type: fn(&FunctionHead) -> Res<Ref<CType>>,
}

impl FunctionHead {
    /// The type of a pointer to it, as long as it lives.
    pub(crate) fn ctype(&self) -> Res<&CType> {
        let known = self.ctype.load(Ordering::Acquire);
        if !known.is_null() {
            // SAFETY: owned, and never replaced.
            return Ok(unsafe { &*known });
        }
        let found = (self.find_type)(self)?.into_ptr();
        // SAFETY: an owned reference goes in once, and else it is dropped.
        unsafe {
            let old = self.ctype.compare_exchange(
                std::ptr::null_mut(),
                found,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            match old {
                Ok(_) => Ok(&*found),
                Err(first) => {
                    ffi::Py_DECREF(found.cast());
                    Ok(&*first)
                }
            }
        }
    }
    /// The type, of a function where it was asked for before.
    ///
    /// # Safety
    /// The type was asked for before, so that it is there.
    #[inline(always)]
    pub(crate) unsafe fn known_ctype(&self) -> &CType {
        // SAFETY: the type is there (the caller's contract); self owns it, and never replaces it.
        unsafe { &*self.ctype.load(Ordering::Acquire) }
    }
}

// SAFETY: starts with an object's head.
unsafe impl Instance for FunctionHead {}

/// The function behind a plugin's `lib.function` object; `None` for any other object.
fn head_of<'a>(object: Live<'a>) -> Option<&'a FunctionHead> {
    // SAFETY: a built-in function has a self that it keeps alive, or NULL; those of this type have this struct.
    unsafe {
        if ffi::PyCFunction_Check(object.ptr()) == 0 {
            return None;
        }
        let bound = Live::or_null(ffi::PyCFunction_GetSelf(object.ptr()))?;
        bound.exactly::<FunctionHead>(&FUNCTION_TYPE)
    }
}

/// The function-pointer ctype of a plugin's `lib.function` object (`ffi.typeof(lib.f)`), and its address; `None` for any
/// other object.
pub fn function_object(object: Live) -> Res<Option<(Ref<CType>, *mut u8)>> {
    match head_of(object) {
        Some(function) => Ok(Some((function.ctype()?.to_ref(), function.address))),
        None => Ok(None),
    }
}

/// The address of a plugin's `lib.function` object; `None` for any other object.
pub fn function_address(object: Live) -> Option<*mut u8> {
    head_of(object).map(|function| function.address)
}
