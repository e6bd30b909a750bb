//! The wall between Rust and every slot that C calls.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::ffi;

use super::{Obj, Ref, Res};
use crate::raise;

/// What a slot returns on failure, and how a Rust value becomes the slot's.
pub trait Failure {
    /// The slot's C type.
    type Output;
    /// The value that says "an exception is set".
    const FAILED: Self::Output;
    /// The value of success.
    fn output(self) -> Self::Output;
}

impl<T> Failure for Ref<T> {
    type Output = Obj;
    const FAILED: Obj = std::ptr::null_mut();
    fn output(self) -> Obj {
        self.into_ptr().cast()
    }
}

impl Failure for () {
    type Output = std::ffi::c_int;
    const FAILED: std::ffi::c_int = -1;
    fn output(self) -> std::ffi::c_int {
        0
    }
}

impl Failure for bool {
    type Output = std::ffi::c_int;
    const FAILED: std::ffi::c_int = -1;
    fn output(self) -> std::ffi::c_int {
        self.into()
    }
}

impl Failure for isize {
    type Output = isize;
    const FAILED: isize = -1;
    fn output(self) -> isize {
        self
    }
}

/// Runs the body of a slot: `Err` becomes the failure value, a panic becomes `SystemError`.
#[inline(always)]
pub fn guard<T: Failure>(body: impl FnOnce() -> Res<T>) -> T::Output {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value.output(),
        Ok(Err(_raised)) => T::FAILED,
        Err(panic) => {
            report_panic(panic);
            T::FAILED
        }
    }
}

/// Runs the body of a slot that cannot fail (tp_dealloc and the like): a panic is written as unraisable.
pub fn guard_unit(body: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
        report_panic(panic);
        // SAFETY: report_panic has set an exception.
        unsafe { ffi::PyErr_WriteUnraisable(std::ptr::null_mut()) }
    }
}

#[cold]
#[inline(never)]
fn report_panic(panic: Box<dyn std::any::Any + Send>) {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| text.to_string())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown panic".to_string());
    let _raised = raise!(
        SystemError,
        "internal error in keelback (please report it): {text}"
    );
}
