//! Python calls C.
//!
//! A signature is prepared once, as a [`CallPlan`]: how each argument becomes a C value, where it goes, how the result
//! comes back. Non-variadic signatures that fit into registers are called through one prototype that fills them all;
//! everything else goes through libffi.

pub mod errno;

use crate::cdata::CData;
use crate::py::{Obj, Ref, Res};
use crate::raise;

/// How to call a signature: conversions prepared once, then run without looking at types again.
pub struct CallPlan {}

/// Calls the C function that a cdata of function-pointer type points to: the body of `cdata(...)`.
///
/// The GIL is released while C runs; errno is kept for `ffi.errno` (see [`errno`]).
///
/// # Safety
/// `args` are `count` live objects; `kwnames` is NULL or a tuple, as vectorcall passes it.
pub unsafe fn call(function: &CData, args: *const Obj, count: usize, kwnames: Obj) -> Res<Ref> {
    let _ = (function, args, count, kwnames);
    Err(raise!(NotImplementedError, "calls land next"))
}
