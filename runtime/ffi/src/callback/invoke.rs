//! The way from C values to a Python call and back.

use std::mem::MaybeUninit;

use pyo3::ffi;

use super::failure::{Failures, Stage, handle};
use super::{CallbackPlan, PythonFunction};
use crate::call::is_scalar;
use crate::convert::argument::{Parameter, Way};
use crate::convert::{Lvalue, read};
use crate::ctype::Code;
use crate::object::{block, new_owning_unset, new_plain};
use crate::py::{Live, Obj, Ref, Res, vectorcall};

/// Where the C arguments of a call are.
pub trait Arguments: Copy {
    /// Whether the places of a call's objects are those of the call before, which [`call`] left some objects in: the calls
    /// for a batch's elements.
    const KEEP: bool = false;
    /// The address of an argument. The caller knows how many there are, and whether this one is a scalar
    /// ([`is_scalar`]).
    ///
    /// # Safety
    /// There is an argument of this index, and it is what `scalar` says.
    unsafe fn address(self, index: usize, scalar: bool) -> *const u8;
}

/// As a plugin's stub stores them: 8 bytes each; an aggregate, a long double or a complex is a pointer to the caller's
/// copy (codegen's `keelback_dispatch_t`).
#[derive(Clone, Copy)]
pub struct Slots(pub *const u8);

impl Arguments for Slots {
    #[inline(always)]
    unsafe fn address(self, index: usize, scalar: bool) -> *const u8 {
        // SAFETY: the slots have 8 bytes for each argument and `index` is that of one; a slot whose argument is no scalar
        // has the address of the value (the contract of `Arguments::address`).
        unsafe {
            let slot = self.0.add(index * 8);
            if scalar {
                slot
            } else {
                slot.cast::<*const u8>().read_unaligned()
            }
        }
    }
}

/// As libffi gives them: a pointer to each value.
#[derive(Clone, Copy)]
pub struct Pointers(pub *const *const u8);

impl Arguments for Pointers {
    #[inline(always)]
    unsafe fn address(self, index: usize, _scalar: bool) -> *const u8 {
        // SAFETY: libffi gives a pointer for each argument, and `index` is that of one (the contract of
        // `Arguments::address`).
        unsafe { *self.0.add(index) }
    }
}

/// The Python value of an argument.
///
/// # Safety
/// The arguments are those of a function with this parameter.
#[inline(always)]
unsafe fn object(args: impl Arguments, parameter: &Parameter, index: usize) -> Res<Ref> {
    // SAFETY: the arguments are those of a function with this parameter.
    unsafe {
        match parameter.way {
            Way::INT32 => Ref::steal(ffi::PyLong_FromLong(
                args.address(index, true)
                    .cast::<i32>()
                    .read_unaligned()
                    .into(),
            )),
            Way::DOUBLE => Ref::steal(ffi::PyFloat_FromDouble(
                args.address(index, true).cast::<f64>().read_unaligned(),
            )),
            Way::POINTER => {
                let address = args.address(index, true).cast::<*mut u8>();
                Ok(new_plain(parameter.ctype(), address.read_unaligned(), -1)?.into_obj())
            }
            _ => object_of_rest(parameter, args.address(index, is_scalar(parameter.code))),
        }
    }
}

/// [`object`] of what is no usual number or pointer. Not in line: with more than three cases the compiler makes a table of
/// jumps, which every argument pays for.
///
/// # Safety
/// `value` is the address of a value of the parameter's type.
#[inline(never)]
unsafe fn object_of_rest(parameter: &Parameter, value: *const u8) -> Res<Ref> {
    // SAFETY: the caller's contract.
    unsafe {
        match parameter.code {
            Code::Record => {
                // C's copy is gone when the function returns, Python's may live on.
                let ctype = parameter.ctype();
                let size = ctype.known_size()?;
                let object = new_owning_unset(ctype, size, -1)?;
                if size == 16 {
                    // Two registers: what most structs that are passed by value are. Without a call.
                    let value = value.cast::<[u64; 2]>().read_unaligned();
                    object.data().cast::<[u64; 2]>().write_unaligned(value);
                } else {
                    value.copy_to_nonoverlapping(object.data(), size);
                }
                Ok(object.into_obj())
            }
            _ => read(Lvalue::new(parameter.ctype(), value.cast_mut())),
        }
    }
}

/// Arguments that are kept on the stack.
const ON_STACK: usize = 8;

/// Calls the Python function with C arguments and writes its result by value to `result`. Never leaves an exception
/// set: failures go to `onerror`, then to the sink or `sys.unraisablehook`, and the result is the `error=` value.
///
/// # Safety
/// The GIL is held. `function` lives until this returns, also where the Python code that it calls replaces or frees it. The
/// arguments are those of the function's type. `result` has room for the result, at least 8 bytes (integers that are
/// smaller are widened to them); it may be the slots themselves.
#[inline(always)]
pub unsafe fn invoke(function: &PythonFunction, args: impl Arguments, result: *mut u8) {
    // The first item is room for the callee's own use: PY_VECTORCALL_ARGUMENTS_OFFSET.
    // SAFETY: `args` and `result` are those of a call of the function, and the GIL is held (the caller's contract);
    // `objects` has room for ON_STACK + 1, which is at least one more than `count`.
    unsafe {
        let count = function.plan().params.len();
        if count <= ON_STACK {
            let mut objects = [MaybeUninit::<Obj>::uninit(); ON_STACK + 1];
            invoke_with(function, args, objects.as_mut_ptr().cast(), result, None);
        } else {
            invoke_many(function, args, result);
        }
    }
}

/// In place of [`invoke`] where the thread has too little stack left to run the function: a RecursionError, which goes
/// where the function's own exceptions go.
///
/// # Safety
/// As [`invoke`].
#[cold]
#[inline(never)]
pub unsafe fn fail_at_end_of_stack(function: &PythonFunction, left: usize, result: *mut u8) {
    let raised = crate::raise!(
        RecursionError,
        "maximum recursion depth exceeded: the stack of this thread has only {} KiB left",
        left / 1024
    );
    // SAFETY: as `invoke`.
    unsafe { handle(function, Stage::Call, raised, result, None) }
}

/// # Safety
/// As [`invoke`].
#[cold]
#[inline(never)]
unsafe fn invoke_many(function: &PythonFunction, args: impl Arguments, result: *mut u8) {
    let mut objects = vec![std::ptr::null_mut(); function.plan().params.len() + 1];
    // SAFETY: as in `invoke`.
    unsafe { invoke_with(function, args, objects.as_mut_ptr(), result, None) }
}

/// [`invoke`], for an element of a batch if there is one.
///
/// # Safety
/// As [`invoke`]; `objects` has room for one object more than there are parameters. Where `A::KEEP`, its places are NULL or
/// have what this function left in them; what it leaves is the caller's to drop, by [`drop_kept`].
#[inline(always)]
pub(super) unsafe fn invoke_with<A: Arguments>(
    function: &PythonFunction,
    args: A,
    objects: *mut Obj,
    result: *mut u8,
    batch: Option<&mut Failures>,
) {
    let plan = function.plan();
    // SAFETY: `args` are the function's, `objects` has room for one more than there are parameters, and `result` has room
    // for the result (the caller's contract); `plan` is the function's own. `handle` wants an exception to be set, which a
    // `Raised` says.
    unsafe {
        match call(function, plan, args, objects) {
            Ok(value) => {
                if let Err(raised) = write_result(plan, value.live(), result) {
                    handle(function, Stage::Result(value.obj()), raised, result, batch);
                }
            }
            Err(raised) => handle(function, Stage::Call, raised, result, batch),
        }
    }
}

/// Makes Python objects of the arguments, and calls the function with them.
///
/// # Safety
/// `args` are the arguments of C's call, of the plan's types; `objects` has room for one object each, and one before them,
/// as [`invoke_with`] wants it.
#[inline(always)]
unsafe fn call<A: Arguments>(
    function: &PythonFunction,
    plan: &CallbackPlan,
    args: A,
    objects: *mut Obj,
) -> Res<Ref> {
    // SAFETY: `objects` has a place before the first object and one for each parameter, of whose types `args` are (the
    // caller's contract). Each place that is filled owns a reference, which is given up once: by `drop_objects`, here or
    // after the call. The callable lives as long as the function, which lives until `invoke` returns (the caller's contract):
    // it is not counted here, because on a free-threaded Python all threads that call it would wait for its count.
    unsafe {
        objects.write(std::ptr::null_mut());
        let first = objects.add(1);
        let count = plan.params.len();
        for (index, parameter) in plan.params.iter().enumerate() {
            if A::KEEP && take_again(first.add(index), args, parameter, index) {
                continue;
            }
            match object(args, parameter, index) {
                Ok(object) => first.add(index).write(object.into_ptr()),
                Err(raised) => {
                    if A::KEEP {
                        drop_kept(first, count);
                    } else {
                        drop_objects(first, index);
                    }
                    return Err(raised);
                }
            }
        }
        let outcome = vectorcall(
            function.callable.obj(),
            first,
            count | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET,
        );
        if A::KEEP {
            drop_others(first, plan);
        } else {
            drop_objects(first, count);
        }
        Ref::steal(outcome)
    }
}

/// Takes the float of the call before for the next value of the same parameter, if nobody else refers to it: it is as new.
/// Else the place is free for another object.
///
/// # Safety
/// `place` is NULL or owns a reference that [`drop_others`] left; `args` have an argument of this index.
#[inline(always)]
unsafe fn take_again(
    place: *mut Obj,
    args: impl Arguments,
    parameter: &Parameter,
    index: usize,
) -> bool {
    // SAFETY: the caller's contract. An object with one reference is the place's alone, and only exact floats are left in
    // places: nothing has been derived from the value of one (a float keeps no hash). On a free-threaded Python the count
    // is not all there is to know, and nothing is left.
    unsafe {
        let object = place.read();
        if object.is_null() {
            return false;
        }
        if ffi::Py_REFCNT(object) == 1 {
            let value = args.address(index, is_scalar(parameter.code));
            (*object.cast::<ffi::PyFloatObject>()).ob_fval = value.cast::<f64>().read_unaligned();
            return true;
        }
        ffi::Py_DECREF(object);
        place.write(std::ptr::null_mut());
        false
    }
}

/// Drops the objects of a call, but for those that [`take_again`] may take.
///
/// # Safety
/// There is an owned reference for each parameter, which nobody uses any more.
#[inline(always)]
unsafe fn drop_others(first: *mut Obj, plan: &CallbackPlan) {
    for (index, parameter) in plan.params.iter().enumerate() {
        if parameter.way == Way::DOUBLE && !cfg!(Py_GIL_DISABLED) {
            continue;
        }
        // SAFETY: the caller's contract.
        unsafe {
            block::drop_often_plain(*first.add(index));
            first.add(index).write(std::ptr::null_mut());
        }
    }
}

/// Drops what is left in the places of a batch's calls.
///
/// # Safety
/// There are so many places, each NULL or with an owned reference.
pub(super) unsafe fn drop_kept(first: *mut Obj, count: usize) {
    for index in 0..count {
        // SAFETY: the caller's contract.
        unsafe {
            ffi::Py_XDECREF(*first.add(index));
            first.add(index).write(std::ptr::null_mut());
        }
    }
}

/// # Safety
/// There are so many owned references, which nobody uses any more.
#[inline(always)]
unsafe fn drop_objects(first: *const Obj, count: usize) {
    for index in 0..count {
        // SAFETY: there are so many owned references, which nobody uses any more.
        unsafe { block::drop_often_plain(*first.add(index)) };
    }
}

/// [`CallbackPlan::write_result`] with the common cases in line.
///
/// # Safety
/// That of [`CallbackPlan::write_result`].
#[inline(always)]
unsafe fn write_result(plan: &CallbackPlan, value: Live, result: *mut u8) -> Res<()> {
    let bits = match plan.result.code {
        Code::I32 | Code::I64 => value.small_int().map(|value| value as u64),
        Code::F64 => value.exact_float().map(f64::to_bits),
        Code::Void if value.is_none() => return Ok(()),
        _ => None,
    };
    // SAFETY: room for 8 bytes (the caller's contract).
    unsafe {
        match bits {
            Some(bits) => {
                result.cast::<u64>().write_unaligned(bits);
                Ok(())
            }
            None => plan.write_result(value, result),
        }
    }
}
