//! What every stub jumps to: from C into the Python function, and back.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use keelback_codegen::abi::keelback_function_t;

use super::binding::{Binding, write_failure};
use super::{last_error, waiting};
use keelback_ffi::attach::Thread;
use keelback_ffi::attach::threads::{self, Plainly};
use keelback_ffi::call::errno::Errno;
use keelback_ffi::callback::{self, Slots};

/// keelback_runtime_t.dispatch
///
/// # Safety
/// Called by a stub, with the record of its function and its slots.
pub unsafe extern "C" fn dispatch(function: *mut keelback_function_t, slots: *mut c_void) {
    let slots = slots.cast::<u8>();
    // SAFETY: `function` is the stub's record and `slots` are its slots (the caller's contract).
    let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { call(function, slots) }));
    if outcome.is_err() {
        // SAFETY: as above; C gets a result although the call has failed.
        unsafe { write_failure(function, slots) }
    }
}

/// The call of a function of a plugin, by its stub.
///
/// # Safety
/// `function` is the stub's record, `slots` its arguments as the ABI has them.
#[inline(always)]
unsafe fn call(function: *mut keelback_function_t, slots: *mut u8) {
    // SAFETY: `function` is a live record (the caller's contract), whose binding is NULL or was set before its stub leads
    // here, and is never freed. `slots` are the arguments of a call of this function (the caller's contract). `current`
    // is not freed before `leave`: whoever replaces it waits for the calls that `begin` counted.
    unsafe {
        let Some(binding) = (*function).binding.cast::<Binding>().as_ref() else {
            return write_failure(function, slots);
        };
        let thread = Thread::here();
        let errno = Errno::of(thread);
        errno.save();
        match threads::attach_plainly(thread) {
            Plainly::Came(attached) => {
                call_attached(binding, thread, slots);
                drop(attached);
            }
            Plainly::WasThere(attached) => {
                call_attached(binding, thread, slots);
                drop(attached);
            }
            Plainly::No => call_in_any_case(binding, thread, slots),
        }
        errno.restore();
    }
}

/// [`call`] on a thread that is new, in Python already, or otherwise not as most are.
///
/// # Safety
/// `slots` are the arguments of a call of the function, as the ABI has them.
#[inline(never)]
unsafe fn call_in_any_case(binding: &Binding, thread: &'static Thread, slots: *mut u8) {
    // SAFETY: as in `call`.
    unsafe {
        match threads::attach_on(thread) {
            Ok(attached) => {
                call_attached(binding, thread, slots);
                drop(attached);
            }
            Err(refused) => report_refusal(binding, slots, refused),
        }
    }
}

/// [`call`] with the thread in Python.
///
/// # Safety
/// `slots` are the arguments of a call of the function, as the ABI has them.
#[inline(always)]
unsafe fn call_attached(binding: &Binding, thread: &'static Thread, slots: *mut u8) {
    binding.calls.begin(thread);
    // SeqCst, as the count: whoever replaces the function either sees this call, or is seen by it.
    // SAFETY: what is attached stays as long as there are calls in it; the caller's contract.
    unsafe {
        if let Some(current) = binding.current.load(Ordering::SeqCst).as_ref() {
            callback::invoke(current, Slots(slots), slots);
        } else {
            call_without_function(binding, slots);
        }
    }
    binding.leave(thread);
}

/// A call of a batch, or of a function that no Python function is attached to: waits for an init code that runs on
/// another thread, and else reports that there is none.
///
/// # Safety
/// `slots` are the arguments of a call of the function, as the ABI has them.
#[cold]
#[inline(never)]
unsafe fn call_without_function(binding: &Binding, slots: *mut u8) {
    if threads::has_ended() {
        // SAFETY: as in `call`.
        return unsafe { report_refusal(binding, slots, threads::Refused::Ended) };
    }
    // SAFETY: as in `call`.
    if unsafe { call_by_batch(binding, slots) } {
        return;
    }
    let waits_for_me = binding.plugin().is_running() && waiting::wait_for_function(binding);
    // SAFETY: as in `call`.
    unsafe {
        if call_by_batch(binding, slots) {
            return;
        }
        if let Some(current) = binding.current.load(Ordering::SeqCst).as_ref() {
            return callback::invoke(current, Slots(slots), slots);
        }
        binding.write_failure(slots);
    }
    let text = format!(
        "extern \"Python\": function {}.{}() called, but no code was attached to it yet with @ffi.def_extern(){}.  {}.\n",
        binding.plugin().name(),
        binding.name().to_string_lossy(),
        if waits_for_me {
            ": the init code, on another thread, waits for a lock that this thread holds"
        } else {
            ""
        },
        // SAFETY: the plugin's table is never freed.
        if unsafe { (*binding.function).start_error.is_null() } {
            "Returning 0"
        } else {
            "Returning its error value"
        }
    );
    last_error::report(binding.plugin().record(), binding.name(), &text);
}

/// A call of a batch, or of a function that only takes arrays; false if it is neither, or nothing is attached.
///
/// # Safety
/// The thread is in Python; `slots` are those of a call of the function.
unsafe fn call_by_batch(binding: &Binding, slots: *mut u8) -> bool {
    let thread = Thread::here();
    // SAFETY: the caller's contract.
    unsafe {
        match (&binding.batch, binding.own_batch()) {
            (Some(batch), _) => batch.call(binding, thread, slots),
            (None, Some(batch)) => batch.call_one(thread, slots),
            (None, None) => false,
        }
    }
}

/// A call on a thread that cannot enter Python: C gets the error value, and the reason is reported.
///
/// # Safety
/// `slots` are the arguments of a call of the function, as the ABI has them.
#[cold]
#[inline(never)]
unsafe fn report_refusal(binding: &Binding, slots: *mut u8, refused: threads::Refused) {
    // SAFETY: as in `call`.
    unsafe { binding.write_failure(slots) };
    if let threads::Refused::EndOfStack { left } = refused
        && let Ok(_attached) = threads::attach_on_any_stack()
    {
        let thread = Thread::here();
        binding.calls.begin(thread);
        // SAFETY: as in `call`; what is attached stays as long as there are calls in it.
        let failed = unsafe { binding.current.load(Ordering::SeqCst).as_ref() }
            // SAFETY: as in `call`.
            .map(|current| unsafe { callback::fail_at_end_of_stack(current, left, slots) });
        binding.leave(thread);
        if failed.is_some() {
            return;
        }
    }
    let (plugin, function) = (binding.plugin().name(), binding.name().to_string_lossy());
    let text = match refused {
        threads::Refused::Ended => {
            format!("{plugin}.{function}() was called after Python was finalised in this process\n")
        }
        refused => format!("{plugin}.{function}(): {refused}\n"),
    };
    last_error::report(binding.plugin().record(), binding.name(), &text);
}
