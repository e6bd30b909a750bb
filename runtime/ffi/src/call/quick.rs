//! Calls of the most common signatures: up to four arguments in general registers, or one or two `double`, and a scalar
//! result.
//!
//! What such a call does is chosen when its plan is made: an [`Entry`] for so many arguments of that kind, which passes
//! these and no more registers, and a [`Make`] for the result. An argument that is not of the usual Python types makes the
//! entry give up before anything has been done, and the call goes the way of all others.

use pyo3::ffi;

use super::outside::run_c;
use super::registers::Only;
use super::{CallPlan, result_object};
use crate::convert::argument::{Parameter, Way, double_slot, integer_slot};
use crate::ctype::{CType, Code};
use crate::py::{Obj, guard, none};

/// The body of [`CallPlan::call`]. Nothing leaves it by unwinding; but an entry that were `extern "C"` would say so to the
/// compiler, which then leaves out what `outside_python` does when C does not return.
pub(super) type Entry =
    unsafe extern "C-unwind" fn(&CallPlan, &CType, *const u8, *const Obj, usize) -> Obj;

/// The Python value of a result in the low bytes of a register. NULL: it has raised.
///
/// # Safety
/// It is a value of the type that the function was chosen for.
pub(super) type Make = unsafe extern "C" fn(&Parameter, u64) -> Obj;

/// The entry for a signature that is one of the most common. Its arguments are all in registers of one kind, in order.
pub(super) fn entry<const KEEP_GIL: bool>(
    result: &Parameter,
    params: &[Parameter],
    only: Only,
) -> Option<Entry> {
    let is_double = |param: &Parameter| param.way == Way::DOUBLE;
    match (only, params.len()) {
        (Only::Integers, 0) => Some(integers_0::<KEEP_GIL>),
        (Only::Integers, 1) => Some(integers_1::<KEEP_GIL>),
        (Only::Integers, 2) => Some(integers_2::<KEEP_GIL>),
        (Only::Integers, 3) => Some(integers_3::<KEEP_GIL>),
        (Only::Integers, 4) => Some(integers_4::<KEEP_GIL>),
        _ if !is_double(result) || !params.iter().all(is_double) => None,
        (Only::Floats, 1) => Some(doubles_1::<KEEP_GIL>),
        (Only::Floats, 2) => Some(doubles_2::<KEEP_GIL>),
        _ => None,
    }
}

/// What makes a result of such a code.
pub(super) fn make(code: Code) -> Make {
    match code {
        Code::Void => make_none,
        Code::I32 => make_int,
        Code::U64 => make_unsigned,
        Code::F64 => make_double,
        _ => make_other,
    }
}

/// An [`Entry`] for arguments in the registers of one kind: how many, what they are passed as, how one is read from a Python
/// object, and how it and the result are had from a slot and put into one.
macro_rules! entry {
    ($name:ident, $count:literal, $kind:ty, $read:path, $from:expr, $back:expr, [$($index:literal $slot:ident),*]) => {
        /// See [`Entry`].
        ///
        /// # Safety
        /// That of [`CallPlan::call`].
        unsafe extern "C-unwind" fn $name<const KEEP_GIL: bool>(
            plan: &CallPlan,
            ctype: &CType,
            function: *const u8,
            args: *const Obj,
            count: usize,
        ) -> Obj {
            // SAFETY: the caller's contract: there are `count` arguments, and the plan's parameters are so many as the entry
            // was chosen for. The function takes these registers, and its result is in one of their kind, or there is none.
            // None of this can panic.
            unsafe {
                if count != $count || function.is_null() {
                    return plan.call_any::<KEEP_GIL>(ctype, function, args, count);
                }
                $(
                    let Some($slot) = $read(plan.parameter($index), *args.add($index)) else {
                        return plan.call_any::<KEEP_GIL>(ctype, function, args, count);
                    };
                )*
                let function: unsafe extern "C-unwind" fn($(entry!(@kind $slot $kind)),*) -> $kind =
                    std::mem::transmute(function);
                let raw = run_c::<KEEP_GIL, _>(|| function($($from($slot)),*));
                plan.make($back(raw))
            }
        }
    };
    (@kind $slot:ident $kind:ty) => {
        $kind
    };
}

entry!(integers_0, 0, u64, integer_slot, u64::from, u64::from, []);
entry!(integers_1, 1, u64, integer_slot, u64::from, u64::from, [0 a]);
entry!(integers_2, 2, u64, integer_slot, u64::from, u64::from, [0 a, 1 b]);
entry!(integers_3, 3, u64, integer_slot, u64::from, u64::from, [0 a, 1 b, 2 c]);
entry!(integers_4, 4, u64, integer_slot, u64::from, u64::from, [0 a, 1 b, 2 c, 3 d]);
entry!(doubles_1, 1, f64, double_slot, f64::from_bits, f64::to_bits, [0 a]);
entry!(doubles_2, 2, f64, double_slot, f64::from_bits, f64::to_bits, [0 a, 1 b]);

/// # Safety
/// That of [`Make`], for [`Code::Void`].
unsafe extern "C" fn make_none(_: &Parameter, _: u64) -> Obj {
    none().into_ptr()
}

/// # Safety
/// That of [`Make`], for [`Code::I32`].
unsafe extern "C" fn make_int(_: &Parameter, raw: u64) -> Obj {
    // SAFETY: a plain constructor.
    unsafe { ffi::PyLong_FromLong((raw as i32).into()) }
}

/// # Safety
/// That of [`Make`], for [`Code::U64`].
unsafe extern "C" fn make_unsigned(_: &Parameter, raw: u64) -> Obj {
    // SAFETY: a plain constructor.
    unsafe { ffi::PyLong_FromUnsignedLongLong(raw) }
}

/// # Safety
/// That of [`Make`], for [`Code::F64`].
unsafe extern "C" fn make_double(_: &Parameter, raw: u64) -> Obj {
    // SAFETY: a plain constructor.
    unsafe { ffi::PyFloat_FromDouble(f64::from_bits(raw)) }
}

/// # Safety
/// That of [`Make`].
unsafe extern "C" fn make_other(result: &Parameter, raw: u64) -> Obj {
    // SAFETY: the caller's contract.
    guard(|| unsafe { result_object(result, raw) })
}
