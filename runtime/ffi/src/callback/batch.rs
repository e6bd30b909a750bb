//! Calls for the elements of arrays: `score_n(n, x, result)`. One by one, with one report of what failed, or by one call
//! of a function that takes the arrays.

use std::ffi::c_void;

use pyo3::ffi;

use super::PythonFunction;
use super::failure::{ErrorSink, Failures, Stage, handle};
use super::invoke::{Arguments, Slots, drop_kept, invoke_with};
use crate::call::is_scalar;
use crate::convert::argument::Parameter;
use crate::ctype::{CType, Code, array_of};
use crate::object::new_plain;
use crate::py::{Obj, Ref, Res, vectorcall};
use crate::raise;

/// Whether an argument of this type is an array of records in a batch, and each call gets a pointer to its element; others
/// are arrays of values. The generator decides likewise (codegen/src/batch.rs).
fn is_array_of_records(ctype: &CType) -> bool {
    ctype.code == Code::Pointer && ctype.item().code == Code::Record && ctype.item().size() >= 0
}

/// The type of an array's elements.
fn element(parameter: &Parameter) -> &CType {
    let ctype = parameter.ctype();
    if is_array_of_records(ctype) {
        ctype.item()
    } else {
        ctype
    }
}

/// Where an argument of the current element is.
#[derive(Clone, Copy)]
struct Element {
    /// Its address; for an array of records, what the argument is.
    at: *mut u8,
    /// How far the next element is.
    step: usize,
    is_pointer: bool,
}

/// The arguments of one element: a place for each.
#[derive(Clone, Copy)]
struct Elements(*const Element);

impl Arguments for Elements {
    const KEEP: bool = true;
    #[inline(always)]
    unsafe fn address(self, index: usize, _scalar: bool) -> *const u8 {
        // SAFETY: there is a place for each argument, and `index` is that of one (the contract of `Arguments::address`).
        unsafe {
            let element = self.0.add(index);
            if (*element).is_pointer {
                (&raw const (*element).at).cast()
            } else {
                (*element).at
            }
        }
    }
}

/// Memory for a result that is no array's element yet: it may need more room than that, and more alignment.
struct ResultMemory(Vec<u128>);

impl ResultMemory {
    fn of(function: &PythonFunction) -> Self {
        Self(vec![0; function.plan().result_size.div_ceil(16).max(1)])
    }
    fn start(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

/// Calls the Python function for each element of the arrays, and writes the results to `result`. An element that fails
/// gets the error value; a failure is reported to `sink` once, at the end.
///
/// # Safety
/// The GIL is held. `arrays` are slots with the address of an array of `count` elements for each parameter, and `result` is
/// such an array for results, unless the function has none.
pub unsafe fn invoke_each(
    function: &PythonFunction,
    arrays: Slots,
    count: usize,
    result: *mut u8,
    sink: Option<(ErrorSink, *mut c_void)>,
) {
    let plan = function.plan();
    // SAFETY: there is a slot for each parameter (the caller's contract).
    let place = |(index, parameter): (usize, &Parameter)| unsafe {
        Element {
            at: array_at(arrays, index),
            step: usize::try_from(element(parameter).size()).unwrap_or(0),
            is_pointer: is_array_of_records(parameter.ctype()),
        }
    };
    let mut places: Vec<Element> = plan.params.iter().enumerate().map(place).collect();
    let mut memory = ResultMemory::of(function);
    let (one, size) = (memory.start(), plan.result_size);
    // The first item is room for the callee's own use: PY_VECTORCALL_ARGUMENTS_OFFSET.
    let mut objects: Vec<Obj> = vec![std::ptr::null_mut(); places.len() + 1];
    let mut failures = Failures::default();
    for index in 0..count {
        failures.element(index);
        // SAFETY: a place for each parameter, in the current element; `one` has room for the result; the arrays have
        // `count` elements (the caller's contract). An argument may be in the memory of this element's result: it has been
        // read by then.
        unsafe {
            let args = Elements(places.as_ptr());
            invoke_with(
                function,
                args,
                objects.as_mut_ptr(),
                one,
                Some(&mut failures),
            );
            let to = result.wrapping_add(index * size);
            if size == 8 {
                to.cast::<u64>().write_unaligned(one.cast::<u64>().read());
            } else {
                one.copy_to_nonoverlapping(to, size);
            }
            if failures.is_over() {
                let rest = count - index - 1;
                fill(function.error.as_ptr(), to.wrapping_add(size), size, rest);
                break;
            }
        }
        for place in &mut places {
            place.at = place.at.wrapping_add(place.step);
        }
    }
    // SAFETY: what the calls left in the places after the first one.
    unsafe { drop_kept(objects.as_mut_ptr().add(1), places.len()) };
    failures.report(count, sink);
}

/// Writes a result to each element of an array.
///
/// # Safety
/// `value` has `size` bytes, `array` `count` times as many.
unsafe fn fill(value: *const u8, array: *mut u8, size: usize, count: usize) {
    for index in 0..if size == 0 { 0 } else { count } {
        // SAFETY: the caller's contract. They do not overlap: `value` is the runtime's own.
        unsafe { value.copy_to_nonoverlapping(array.wrapping_add(index * size), size) };
    }
}

/// Calls the function that takes arrays: `arrays` as [`invoke_each`] has them, each a cdata with its length, and then that
/// of the results. When it fails, all results are the error value.
///
/// # Safety
/// As [`invoke_each`].
pub unsafe fn invoke_arrays(
    function: &PythonFunction,
    arrays: Slots,
    count: usize,
    result: *mut u8,
) {
    // SAFETY: the caller's contract; `handle` wants room for one result, at least 8 bytes.
    unsafe {
        if let Err(raised) = call_with_arrays(function, arrays, count, result) {
            let mut memory = ResultMemory::of(function);
            let value = memory.start();
            handle(function, Stage::Call, raised, value, None);
            fill(value, result, function.plan().result_size, count);
        }
    }
}

/// # Safety
/// As [`invoke_each`].
unsafe fn call_with_arrays(
    function: &PythonFunction,
    arrays: Slots,
    count: usize,
    result: *mut u8,
) -> Res<()> {
    let plan = function.plan();
    let array = |element: &CType, address: *mut u8| -> Res<Ref> {
        Ok(new_plain(&*array_of(element, -1)?, address, count as isize)?.into_obj())
    };
    // The first item is room for the callee's own use: PY_VECTORCALL_ARGUMENTS_OFFSET.
    let mut objects: Vec<Ref> = Vec::with_capacity(plan.params.len() + 1);
    for (index, parameter) in plan.params.iter().enumerate() {
        // SAFETY: there is a slot for each parameter (the caller's contract).
        let address = unsafe { array_at(arrays, index) };
        if address.is_null() {
            return Err(raise!(
                ValueError,
                "argument {} is NULL: there is no element for the function under def_extern(batch=True)",
                index + 1
            ));
        }
        objects.push(array(element(parameter), address)?);
    }
    if plan.result.code != Code::Void {
        objects.push(array(plan.result.ctype(), result)?);
    }
    let mut arguments: Vec<Obj> = vec![std::ptr::null_mut()];
    arguments.extend(objects.iter().map(Ref::obj));
    let callable = function.callable.clone();
    // SAFETY: live objects, with one place before them; the GIL is held (the caller's contract).
    let returned: Ref = unsafe {
        Ref::steal(vectorcall(
            callable.obj(),
            arguments.as_ptr().add(1),
            objects.len() | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET,
        ))?
    };
    if !returned.live().is_none() {
        return Err(raise!(
            TypeError,
            "a function under def_extern(batch=True) writes its results into the last array, and returns None"
        ));
    }
    Ok(())
}

/// A call of the single function where only one that takes arrays is attached: with arrays of one element. `slots` are the
/// call's, and get the result.
///
/// # Safety
/// The GIL is held; `slots` are those of a call of the function.
pub unsafe fn invoke_array_of_one(function: &PythonFunction, slots: *mut u8) {
    let plan = function.plan();
    // SAFETY: there is a slot for each parameter, and room for the result (the caller's contract).
    unsafe {
        let mut arrays: Vec<*const u8> = Vec::with_capacity(plan.params.len());
        for (index, parameter) in plan.params.iter().enumerate() {
            let value = Slots(slots).address(index, is_scalar(parameter.code));
            arrays.push(if is_array_of_records(parameter.ctype()) {
                value.cast::<*const u8>().read_unaligned()
            } else {
                value
            });
        }
        let mut memory = ResultMemory::of(function);
        let result = memory.start();
        invoke_arrays(function, Slots(arrays.as_ptr().cast()), 1, result);
        result.copy_to_nonoverlapping(slots, plan.result_size);
    }
}

/// What is wrong with the arrays that C has passed; `None` if they can be used. `result` is NULL for a function that has
/// none.
///
/// # Safety
/// `arrays` are slots with an address for each parameter.
pub unsafe fn what_is_wrong(
    function: &PythonFunction,
    arrays: Slots,
    count: usize,
    result: *mut u8,
) -> Option<String> {
    let plan = function.plan();
    let mut largest = plan.result_size.max(1);
    for (index, parameter) in plan.params.iter().enumerate() {
        // SAFETY: there is a slot for each parameter (the caller's contract).
        if unsafe { array_at(arrays, index) }.is_null() {
            return Some(is_null(index, count));
        }
        largest = largest.max(usize::try_from(element(parameter).size()).unwrap_or(0));
    }
    if function.has_result() && result.is_null() {
        return Some(is_null(plan.params.len(), count));
    }
    let is_possible = count
        .checked_mul(largest)
        .is_some_and(|bytes| isize::try_from(bytes).is_ok());
    (!is_possible).then(|| format!("no array has {count} elements"))
}

/// The number of elements is the first argument of a batch.
fn is_null(parameter: usize, count: usize) -> String {
    format!(
        "its argument {} is NULL and no array of {count} elements",
        parameter + 2
    )
}

/// The address of an array.
///
/// # Safety
/// `arrays` are slots with an address for each parameter, and `index` is that of one.
unsafe fn array_at(arrays: Slots, index: usize) -> *mut u8 {
    // SAFETY: the caller's contract.
    unsafe {
        arrays
            .address(index, true)
            .cast::<*mut u8>()
            .read_unaligned()
    }
}
