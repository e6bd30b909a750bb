//! The call of a function pointer: the body of `cdata(...)`.

use super::CallPlan;
use crate::object::{CData, not_callable};
use crate::py::{Obj, Ref, Res};

/// Calls the C function that a cdata of function-pointer type points to: the body of `cdata(...)`.
///
/// The GIL is released while C runs; errno is kept for `ffi.errno` (see [`errno`](super::errno)).
///
/// # Safety
/// `args` are `count` live objects; `kwnames` is NULL or a tuple, as vectorcall passes it.
#[inline]
pub unsafe fn call(function: &CData, args: *const Obj, count: usize, kwnames: Obj) -> Res<Ref> {
    let ctype = function.ctype();
    if !ctype.is_function_pointer() {
        return Err(not_callable(function));
    }
    let Some(signature) = ctype.signature() else {
        return Err(not_callable(function));
    };
    let plan = CallPlan::of(signature)?;
    // SAFETY: `args` are `count` live objects, `kwnames` is NULL or a tuple (the caller's contract); `plan` is that of
    // `ctype`, the type of the function at `function.data()`.
    unsafe { plan.call(ctype, function.data(), args, count, kwnames) }
}
