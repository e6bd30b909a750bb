//! The call of a function pointer: the body of `cdata(...)`.

use std::sync::atomic::Ordering;

use super::CallPlan;
use crate::object::{CData, PlainCData, not_callable};
use crate::py::{Obj, Ref, Res, guard};

/// [`call`] of a cdata that is no closure: those are called most often, and know how. NULL: it has raised. No panic
/// leaves it.
///
/// # Safety
/// `args` are `count` live objects; `function` is a function pointer.
#[inline(always)]
pub unsafe fn call_function<const KEEP_GIL: bool>(
    function: &PlainCData,
    args: *const Obj,
    count: usize,
) -> Obj {
    let cdata = &function.base;
    let plan = function.prepared().load(Ordering::Acquire);
    // SAFETY: the caller's contract; a plan that is there is that of the cdata's type, which keeps it.
    unsafe {
        match plan.cast::<CallPlan>().as_ref() {
            Some(plan) => plan.call::<KEEP_GIL>(cdata.ctype(), cdata.data(), args, count),
            None => first_call::<KEEP_GIL>(function, args, count),
        }
    }
}

/// # Safety
/// That of [`call_function`].
#[cold]
#[inline(never)]
unsafe fn first_call<const KEEP_GIL: bool>(
    function: &PlainCData,
    args: *const Obj,
    count: usize,
) -> Obj {
    guard(|| {
        let plan = plan_of(&function.base)?;
        let prepared = std::ptr::from_ref(plan).cast_mut();
        function
            .prepared()
            .store(prepared.cast(), Ordering::Release);
        // SAFETY: the caller's contract.
        let cdata = &function.base;
        unsafe { Ref::steal(plan.call::<KEEP_GIL>(cdata.ctype(), cdata.data(), args, count)) }
    })
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
