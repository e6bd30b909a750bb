//! Calls of the most common signatures: up to four arguments in general registers, or one or two `double`, and a scalar
//! result.
//!
//! What such a call does is chosen when its plan is made: an [`Entry`] for so many arguments of that kind, which passes
//! these and no more registers, and a [`Make`] for the result. An argument that is not of the usual Python types makes the
//! entry give up before anything has been done, and the call goes the way of all others.

use std::sync::atomic::Ordering;

use pyo3::ffi;

use super::invoke::{Called, vectorcall};
use super::outside::run_c;
use super::registers::Only;
use super::{CallPlan, result_object};
use crate::convert::argument::{Parameter, Way, double_slot, integer_slot};
use crate::ctype::{CType, Code};
use crate::object::PlainCData;
use crate::py::{Live, Obj, guard, none};

/// The body of [`CallPlan::call`]. Nothing leaves it by unwinding; but an entry that were `extern "C"` would say so to the
/// compiler, which then leaves out what `outside_python` does when C does not return.
pub(super) type Entry =
    unsafe extern "C-unwind" fn(&CallPlan, &CType, *const u8, *const Obj, usize) -> Obj;

/// The Python value of a result in the low bytes of a register. NULL: it has raised.
///
/// # Safety
/// It is a value of the type that the function was chosen for.
pub(super) type Make = unsafe extern "C" fn(&Parameter, u64) -> Obj;

/// What calls functions of one signature: [`CallPlan::call`]'s body, and that of a function pointer's vectorcall, which has no
/// other function to go through.
pub(super) struct Entries {
    pub(super) entry: Entry,
    pub(super) called: Called,
}

/// The entries for a signature that is one of the most common. Its arguments are all in registers of one kind, in order.
pub(super) fn entries<const KEEP_GIL: bool>(
    result: &Parameter,
    params: &[Parameter],
    only: Only,
) -> Option<Entries> {
    let is_double = |param: &Parameter| param.way == Way::DOUBLE;
    match (only, params.len()) {
        (Only::Integers, 0) => Some(integers_0::entries::<KEEP_GIL>()),
        (Only::Integers, 1) => Some(integers_1::entries::<KEEP_GIL>()),
        (Only::Integers, 2) => Some(integers_2::entries::<KEEP_GIL>()),
        (Only::Integers, 3) => Some(integers_3::entries::<KEEP_GIL>()),
        (Only::Integers, 4) => Some(integers_4::entries::<KEEP_GIL>()),
        _ if !is_double(result) || !params.iter().all(is_double) => None,
        (Only::Floats, 1) => Some(doubles_1::entries::<KEEP_GIL>()),
        (Only::Floats, 2) => Some(doubles_2::entries::<KEEP_GIL>()),
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

/// [`Entries`] for arguments in the registers of one kind: how many, what they are passed as, how one is read from a Python
/// object, and how it and the result are had from a slot and put into one.
macro_rules! entry {
    ($name:ident, $count:literal, $kind:ty, $read:path, $from:expr, $back:expr, [$($index:literal $slot:ident),*]) => {
        mod $name {
            use super::*;

            /// The call itself. `None`: nothing has been done.
            ///
            /// # Safety
            /// That of [`CallPlan::call`], of a function that is not NULL, with as many arguments as it has parameters.
            #[inline(always)]
            unsafe fn run<const KEEP_GIL: bool>(
                plan: &CallPlan,
                function: *const u8,
                args: *const Obj,
            ) -> Option<Obj> {
                // SAFETY: the caller's contract: the arguments and the plan's parameters are so many as this was chosen for.
                // The function takes these registers, and its result is in one of their kind, or there is none. None of this
                // can panic.
                unsafe {
                    $(
                        let $slot = $read(plan.parameter($index), Live::new(*args.add($index)))?;
                    )*
                    let _ = args;
                    let function: unsafe extern "C-unwind" fn($(entry!(@kind $slot $kind)),*) -> $kind =
                        std::mem::transmute(function);
                    let raw = run_c::<KEEP_GIL, _>(|| function($($from($slot)),*));
                    Some(plan.make($back(raw)))
                }
            }

            /// See [`Entry`].
            ///
            /// # Safety
            /// That of [`CallPlan::call`].
            unsafe extern "C-unwind" fn entry<const KEEP_GIL: bool>(
                plan: &CallPlan,
                ctype: &CType,
                function: *const u8,
                args: *const Obj,
                count: usize,
            ) -> Obj {
                // SAFETY: the caller's contract.
                unsafe {
                    if count == $count
                        && !function.is_null()
                        && let Some(made) = run::<KEEP_GIL>(plan, function, args)
                    {
                        return made;
                    }
                    plan.call_any::<KEEP_GIL>(ctype, function, args, count)
                }
            }

            /// [`vectorcall`] of a function pointer that is prepared, and not NULL.
            ///
            /// # Safety
            /// That of [`vectorcall`].
            unsafe extern "C-unwind" fn called<const KEEP_GIL: bool>(
                object: Obj,
                args: *const Obj,
                flags: usize,
                names: Obj,
            ) -> Obj {
                // SAFETY: the caller's contract; the plan is that of the cdata's type, which keeps it.
                unsafe {
                    let function = &*object.cast::<PlainCData>();
                    let plan = function.prepared().load(Ordering::Acquire);
                    // Without its highest bit, which does not count arguments.
                    if flags << 1 == $count << 1
                        && names.is_null()
                        && let Some(made) =
                            run::<KEEP_GIL>(&*plan.cast::<CallPlan>(), function.base.data(), args)
                    {
                        return made;
                    }
                    vectorcall::<KEEP_GIL>(object, args, flags, names)
                }
            }

            pub(super) fn entries<const KEEP_GIL: bool>() -> Entries {
                Entries {
                    entry: entry::<KEEP_GIL>,
                    called: called::<KEEP_GIL>,
                }
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
