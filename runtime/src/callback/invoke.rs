//! The way from C values to a Python call and back.

use pyo3::ffi;

use super::failure::{Stage, handle};
use super::{CallbackPlan, PythonFunction};
use crate::call::is_scalar;
use crate::cdata::{new_owning_unset, new_plain};
use crate::convert::argument::Parameter;
use crate::convert::read;
use crate::ctype::Code;
use crate::py::{Obj, Ref, Res, small_long_value, vectorcall};

/// Where the C arguments of a call are.
#[derive(Clone, Copy)]
pub enum SlotArgs {
    /// As a plugin's stub stores them: 8 bytes each; an aggregate, a long double or a complex is a pointer to the
    /// caller's copy (codegen's `keelback_dispatch_t`).
    Slots(*const u8),
    /// As libffi gives them: a pointer to each value.
    Pointers(*const *const u8),
}

impl SlotArgs {
    /// The Python value of an argument.
    #[inline(always)]
    unsafe fn object(self, parameter: &Parameter, index: usize) -> Res<Ref> {
        // SAFETY: the caller of `invoke` promises the arguments of the function's type.
        unsafe {
            let value = match self {
                Self::Slots(slots) => {
                    let slot = slots.add(index * 8);
                    if is_scalar(parameter.code) {
                        slot
                    } else {
                        slot.cast::<*const u8>().read_unaligned()
                    }
                }
                Self::Pointers(values) => *values.add(index),
            };
            match parameter.code {
                Code::I32 => Ref::steal(ffi::PyLong_FromLong(
                    value.cast::<i32>().read_unaligned().into(),
                )),
                Code::F64 => Ref::steal(ffi::PyFloat_FromDouble(
                    value.cast::<f64>().read_unaligned(),
                )),
                Code::Pointer => {
                    let address = value.cast::<*mut u8>().read_unaligned();
                    Ok(new_plain(parameter.ctype(), address, -1)?.into_obj())
                }
                Code::Record => {
                    // C's copy is gone when the function returns, Python's may live on.
                    let ctype = parameter.ctype();
                    let size = ctype.known_size()?;
                    let object = new_owning_unset(ctype, size, -1)?;
                    value.copy_to_nonoverlapping(object.data(), size);
                    Ok(object.into_obj())
                }
                _ => read(parameter.ctype(), value),
            }
        }
    }
}

/// Arguments that are kept on the stack.
const ON_STACK: usize = 8;

/// Calls the Python function with C arguments and writes its result by value to `result`. Never leaves an exception
/// set: failures go to `onerror`, then to the sink or `sys.unraisablehook`, and the result is the `error=` value.
///
/// # Safety
/// The GIL is held. The arguments are those of the function's type. `result` has room for the result, at least 8 bytes
/// (integers that are smaller are widened to them); it may be the slots themselves.
#[inline]
pub unsafe fn invoke(function: &PythonFunction, args: SlotArgs, result: *mut u8) {
    let plan = function.plan();
    let count = plan.params.len();
    // The first item is room for the callee's own use: PY_VECTORCALL_ARGUMENTS_OFFSET.
    // SAFETY: the caller's contract; the arrays have room for one object more than there are parameters.
    let outcome = unsafe {
        if count <= ON_STACK {
            let mut objects = [std::ptr::null_mut(); ON_STACK + 1];
            call(function, plan, args, &mut objects[..=count])
        } else {
            call(
                function,
                plan,
                args,
                &mut vec![std::ptr::null_mut(); count + 1],
            )
        }
    };
    let value = match outcome {
        Ok(value) => value,
        // SAFETY: an exception is set; `result` is as the caller promised.
        Err(raised) => return unsafe { handle(function, Stage::Call, raised, result) },
    };
    // SAFETY: as above.
    unsafe {
        if let Err(raised) = write_result(plan, value.obj(), result) {
            handle(function, Stage::Result, raised, result);
        }
    }
}

#[inline(always)]
unsafe fn call(
    function: &PythonFunction,
    plan: &CallbackPlan,
    args: SlotArgs,
    objects: &mut [Obj],
) -> Res<Ref> {
    let mut made = 1;
    let mut outcome = Ok(());
    for (index, parameter) in plan.params.iter().enumerate() {
        // SAFETY: the caller's contract.
        match unsafe { args.object(parameter, index) } {
            Ok(object) => {
                objects[made] = object.into_ptr();
                made += 1;
            }
            Err(raised) => {
                outcome = Err(raised);
                break;
            }
        }
    }
    // SAFETY: the objects are live, and given up here once each. The callable is held over the call: it may replace
    // or free its own function.
    unsafe {
        let outcome = match outcome {
            Ok(()) => {
                let callable = function.callable.clone();
                Ref::steal(vectorcall(
                    callable.obj(),
                    objects.as_ptr().add(1),
                    plan.params.len() | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET,
                ))
            }
            Err(raised) => Err(raised),
        };
        for object in &objects[1..made] {
            ffi::Py_DECREF(*object);
        }
        outcome
    }
}

/// [`CallbackPlan::write_result`] with the common cases in line.
#[inline(always)]
unsafe fn write_result(plan: &CallbackPlan, value: Obj, result: *mut u8) -> Res<()> {
    // SAFETY: the caller's contract.
    unsafe {
        match plan.result.code {
            Code::I32 | Code::I64 => {
                if let Some(value) = small_long_value(value) {
                    result.cast::<i64>().write_unaligned(value);
                    return Ok(());
                }
            }
            Code::F64 if ffi::PyFloat_CheckExact(value) != 0 => {
                result
                    .cast::<f64>()
                    .write_unaligned((*value.cast::<ffi::PyFloatObject>()).ob_fval);
                return Ok(());
            }
            Code::Void if value == ffi::Py_None() => return Ok(()),
            _ => {}
        }
        plan.write_result(value, result)
    }
}
