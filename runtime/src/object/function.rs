//! The head of a plugin's `lib.function` objects: all that is known of one without calling it.

use pyo3::ffi;

use crate::ctype::CType;
use crate::py::{Head, Obj, Ref, StaticType};

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
///
/// # Safety
/// `object` is live.
pub unsafe fn function_object(object: Obj) -> Option<(Ref<CType>, *mut u8)> {
    // SAFETY: the caller's contract; a built-in function has a self or NULL.
    unsafe {
        if ffi::PyCFunction_Check(object) == 0 {
            return None;
        }
        let bound = ffi::PyCFunction_GetSelf(object);
        if bound.is_null() || !FUNCTION_TYPE.is_exactly(bound) {
            return None;
        }
        let function = &*bound.cast::<FunctionHead>();
        Some((function.ctype.clone(), function.address))
    }
}
