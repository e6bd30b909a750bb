//! The call of a function pointer: the body of `cdata(...)`.

use std::sync::atomic::Ordering;

use pyo3::ffi;

use super::CallPlan;
use crate::object::{CData, PlainCData, not_callable};
use crate::py::{Live, Obj, Raised, Ref, Res, guard};
use crate::raise;

/// `vectorcallfunc`, for what unwinds where C that it calls does.
pub type Called = unsafe extern "C-unwind" fn(Obj, *const Obj, usize, Obj) -> Obj;

/// The call of a function pointer of any signature, and the first one of each: with the GIL kept or not. NULL: it has raised.
/// No panic leaves it.
///
/// # Safety
/// Called by Python as vectorcall is: with a [`PlainCData`] that is a function pointer, and as many live arguments as `flags`
/// says.
pub unsafe extern "C-unwind" fn vectorcall<const KEEP_GIL: bool>(
    object: Obj,
    args: *const Obj,
    flags: usize,
    names: Obj,
) -> Obj {
    // SAFETY: vectorcall's contract; `names` is NULL, or a tuple of names. A plan that is there is that of the cdata's type,
    // which keeps it.
    unsafe {
        let function = &*object.cast::<PlainCData>();
        if Live::or_null(names).is_some_and(|names| names.tuple_len() > 0) {
            return guard(|| Err::<Ref, _>(no_keywords()));
        }
        let count = ffi::PyVectorcall_NARGS(flags as _) as usize;
        let plan = function.prepared().load(Ordering::Acquire);
        match plan.cast::<CallPlan>().as_ref() {
            Some(plan) => {
                plan.call::<KEEP_GIL>(function.base.ctype(), function.base.data(), args, count)
            }
            None => first_call::<KEEP_GIL>(function, args, count),
        }
    }
}

/// # Safety
/// That of [`vectorcall`].
#[cold]
#[inline(never)]
unsafe fn first_call<const KEEP_GIL: bool>(
    function: &PlainCData,
    args: *const Obj,
    count: usize,
) -> Obj {
    guard(|| {
        let cdata = &function.base;
        let plan = plan_of(cdata)?;
        let prepared = std::ptr::from_ref(plan).cast_mut();
        function
            .prepared()
            .store(prepared.cast(), Ordering::Release);
        // SAFETY: the caller's contract. `vectorcallfunc` has the same convention; what finds the new function finds the plan.
        unsafe {
            if let Some(called) = plan.called::<KEEP_GIL>()
                && !cdata.data().is_null()
            {
                function.set_call(std::mem::transmute::<Called, ffi::vectorcallfunc>(called));
            }
            Ref::steal(plan.call::<KEEP_GIL>(cdata.ctype(), cdata.data(), args, count))
        }
    })
}

/// TypeError: C's parameters have no names.
#[cold]
pub fn no_keywords() -> Raised {
    raise!(
        TypeError,
        "a cdata function cannot be called with keyword arguments"
    )
}

/// The plan of a cdata that can be called.
fn plan_of(function: &CData) -> Res<&CallPlan> {
    let ctype = function.ctype();
    match ctype.signature() {
        Some(signature) if ctype.is_function_pointer() => CallPlan::of(signature),
        _ => Err(not_callable(function)),
    }
}

/// Calls the C function that a cdata of function-pointer type points to: the body of `cdata(...)`.
///
/// The GIL is released while C runs, unless it is kept by `ffi.keep_gil()`; errno is kept for `ffi.errno` (see [`errno`](super::errno)).
///
/// # Safety
/// `args` are `count` live objects.
pub unsafe fn call(function: &CData, args: *const Obj, count: usize) -> Res<Ref> {
    let plan = plan_of(function)?;
    // SAFETY: the caller's contract; the plan is that of the function's type.
    unsafe {
        let called = if function.keeps_gil() {
            plan.call::<true>(function.ctype(), function.data(), args, count)
        } else {
            plan.call::<false>(function.ctype(), function.data(), args, count)
        };
        Ref::steal(called)
    }
}
