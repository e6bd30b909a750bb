//! The head of a plugin's `lib.function` objects: all that is known of one without calling it.

use pyo3::ffi;

use crate::ctype::CType;
use crate::py::{Head, Instance, Live, Ref, StaticType};

/// The type of the object that a built-in function of a plugin is bound to.
pub static FUNCTION_TYPE: StaticType = StaticType::new();

/// What every object of that type starts with.
#[repr(C)]
pub struct FunctionHead {
    pub(crate) ob_base: Head,
    /// Of the pointer to the function.
    pub(crate) ctype: Ref<CType>,
    pub(crate) address: *mut u8,
}

/// The function-pointer ctype of a plugin's `lib.function` object (`ffi.typeof(lib.f)`), and its address; `None` for any
/// other object.
pub fn function_object(object: Live) -> Option<(Ref<CType>, *mut u8)> {
    // SAFETY: a built-in function has a self that it keeps alive, or NULL; those of this type have this struct.
    let function = unsafe {
        if ffi::PyCFunction_Check(object.ptr()) == 0 {
            return None;
        }
        let bound = Live::or_null(ffi::PyCFunction_GetSelf(object.ptr()))?;
        bound.exactly::<FunctionHead>(&FUNCTION_TYPE)?
    };
    Some((function.ctype.clone(), function.address))
}

// SAFETY: starts with an object's head.
unsafe impl Instance for FunctionHead {}
