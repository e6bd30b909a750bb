//! Batches: `score_n(n, x, result)` calls the Python function of `score` for each element, or a function that takes the
//! arrays.

use std::ffi::c_void;

use keelback_ffi::attach::Thread;
use keelback_ffi::callback::{
    PythonFunction, Slots, invoke_array_of_one, invoke_arrays, invoke_each, what_is_wrong,
};

use super::binding::{Batch, Binding};
use super::last_error;

impl Batch {
    /// A call of the batch `binding`; false if there is nothing attached to call.
    ///
    /// # Safety
    /// The thread is in Python; `slots` are those of a call of this batch.
    pub(super) unsafe fn call(
        &self,
        binding: &Binding,
        thread: &'static Thread,
        slots: *mut u8,
    ) -> bool {
        // SAFETY: the slots of a batch: the number of elements, then the arrays (the caller's contract).
        unsafe {
            let count = slots.cast::<usize>().read_unaligned();
            if count == 0 {
                return true;
            }
            let arrays = Slots(slots.add(8));
            let result = || {
                let slot = slots.add(8 * self.result_slot);
                slot.cast::<*mut u8>().read_unaligned()
            };
            let result_of = |function: &PythonFunction| {
                if function.has_result() {
                    result()
                } else {
                    std::ptr::null_mut()
                }
            };
            let may_use = |function: &PythonFunction| {
                let wrong = what_is_wrong(function, arrays, count, result_of(function));
                wrong.map(|wrong| refuse(binding, &wrong)).is_none()
            };
            let by_arrays = |function: &PythonFunction| {
                if may_use(function) {
                    invoke_arrays(function, arrays, count, result_of(function));
                }
            };
            let one_by_one = |function: &PythonFunction| {
                if may_use(function) {
                    let data = std::ptr::from_ref(binding).cast_mut().cast::<c_void>();
                    let sink = Some((last_error::sink as _, data));
                    invoke_each(function, arrays, count, result_of(function), sink);
                }
            };
            let single = self.single(binding.plugin());
            self.arrays.with_current(thread, by_arrays).is_some()
                || single.with_current(thread, one_by_one).is_some()
        }
    }

    /// A call of the single function, to which nothing is attached: by the function that takes arrays, if there is one.
    ///
    /// # Safety
    /// The thread is in Python; `slots` are those of a call of the single function.
    pub(super) unsafe fn call_one(&self, thread: &'static Thread, slots: *mut u8) -> bool {
        // SAFETY: the caller's contract.
        let call = |function: &PythonFunction| unsafe { invoke_array_of_one(function, slots) };
        self.arrays.with_current(thread, call).is_some()
    }
}

/// Arrays that cannot be used.
#[cold]
fn refuse(binding: &Binding, what_is_wrong: &str) {
    let text = format!(
        "{}.{}(): {what_is_wrong}: nothing is called, and no result written\n",
        binding.plugin().name(),
        binding.name().to_string_lossy()
    );
    last_error::report(binding.plugin().record(), binding.name(), &text);
}
