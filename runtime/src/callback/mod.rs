//! C calls Python: one way in for `ffi.callback()` closures and for the exported and `extern "Python"` functions of
//! plugins.

use pyo3::ffi;

use crate::ctype::CType;
use crate::py::{Obj, Raised, Ref, Res};
use crate::raise;

/// How C values become Python arguments and the result a C value: prepared once per signature.
pub struct CallbackPlan {}

/// Where the C arguments of a call are.
#[derive(Clone, Copy)]
pub enum SlotArgs {
    /// As a plugin's stub stores them: 8 bytes each; an aggregate, a long double or a complex is a pointer to the
    /// caller's copy (codegen's `keelback_dispatch_t`).
    Slots(*const u8),
    /// As libffi gives them: a pointer to each value.
    Pointers(*const *const u8),
}

/// What is known of a failure that Python code did not handle.
pub struct Failure<'a> {
    /// The function that failed.
    pub function: &'a PythonFunction,
    /// "Exception ignored from cffi callback ...": the headline that goes above the traceback.
    pub headline: &'a str,
    /// The exception's class.
    pub class: Obj,
    /// The exception.
    pub value: Obj,
    /// Its traceback, or NULL.
    pub traceback: Obj,
}

/// Gets the failures of a function instead of `sys.unraisablehook`. Called with the GIL held and no exception set, once
/// for the function's own failure and once more if `onerror` failed too. Returns false to have the failure printed as
/// CFFI does.
pub type ErrorSink = fn(data: *mut std::ffi::c_void, failure: &Failure<'_>) -> bool;

/// A Python function that C calls.
pub struct PythonFunction {
    /// Its C name: for an extern "Python" function that of the declaration, else empty.
    pub name: Box<str>,
    /// Its function type (not the pointer to it).
    pub ctype: Ref<CType>,
    /// What is called.
    pub callable: Ref,
    /// The C bytes of the `error=` value; zero bytes when none was given. As long as the result.
    pub error: Box<[u8]>,
    /// `onerror(exception, value, traceback)`
    pub onerror: Option<Ref>,
    /// Who gets failures that `onerror` did not handle, and its data. `None`: `sys.unraisablehook`.
    pub sink: Option<(ErrorSink, *mut std::ffi::c_void)>,
}

impl PythonFunction {
    /// A function of type `ctype` (a function type or a pointer to one) that calls `callable`. `error` is converted at
    /// once; a bad value raises, as do a `callable` or `onerror` that cannot be called and a variadic type.
    ///
    /// # Safety
    /// The objects are live.
    pub unsafe fn new(
        ctype: &CType,
        name: &str,
        callable: Obj,
        error: Option<Obj>,
        onerror: Option<Obj>,
    ) -> Res<Self> {
        let _ = (ctype, name, callable, error, onerror);
        Err(raise!(NotImplementedError, "callbacks land next"))
    }
    /// Visits the Python objects that it owns, for the garbage collector.
    ///
    /// # Safety
    /// Called from tp_traverse with its arguments.
    pub unsafe fn traverse(
        &self,
        visit: ffi::visitproc,
        arg: *mut std::ffi::c_void,
    ) -> std::ffi::c_int {
        let _ = (visit, arg);
        0
    }
}

/// Calls the Python function with C arguments and writes its result by value to `result`. Never leaves an exception
/// set: failures go to `onerror`, then to the sink or `sys.unraisablehook`, and the result is the `error=` value.
///
/// # Safety
/// The GIL is held. The arguments are those of the function's type. `result` has room for the result, at least 8 bytes
/// (integers that are smaller are widened to them); it may be the slots themselves.
pub unsafe fn invoke(function: &PythonFunction, args: SlotArgs, result: *mut u8) {
    let _ = (function, args, result);
}

/// A libffi closure and what it calls: what `ffi.callback()` makes.
pub struct Closure {}

impl Closure {
    /// A closure of type `ctype` (a function type or a pointer to one). Arguments as [`PythonFunction::new`].
    ///
    /// # Safety
    /// The objects are live.
    pub unsafe fn new(
        ctype: &CType,
        callable: Obj,
        error: Option<Obj>,
        onerror: Option<Obj>,
    ) -> Res<Box<Self>> {
        let _ = (ctype, callable, error, onerror);
        let raised: Raised = raise!(NotImplementedError, "callbacks land next");
        Err(raised)
    }
    /// The C function's address.
    pub fn code(&self) -> *mut u8 {
        std::ptr::null_mut()
    }
    /// The Python function behind it.
    pub fn function(&self) -> Option<&PythonFunction> {
        None
    }
    /// Visits the Python objects that it owns, for the garbage collector.
    ///
    /// # Safety
    /// Called from tp_traverse with its arguments.
    pub unsafe fn traverse(
        &self,
        visit: ffi::visitproc,
        arg: *mut std::ffi::c_void,
    ) -> std::ffi::c_int {
        let _ = (visit, arg);
        0
    }
}
