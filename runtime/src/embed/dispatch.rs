//! What every stub jumps to: from C into the Python function, and back.

use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

use keelback_cdef::TypeId;
use keelback_codegen::abi::keelback_function_t;

use super::plugin::Plugin;
use super::{errors, starts};
use crate::attach::{Thread, threads};
use crate::call::errno::Errno;
use crate::callback::{self, PythonFunction, Slots, Uses};

/// The runtime's record of one C function of a plugin. Lives as long as the process.
pub struct Binding {
    plugin: *const Plugin,
    function: *mut keelback_function_t,
    /// Its type in the plugin's scope.
    pub ty: TypeId,
    /// What `def_extern` attached; NULL before.
    current: AtomicPtr<PythonFunction>,
    /// Those in a Python function of this binding.
    calls: Uses,
    /// What was replaced while calls were in it, where they still find it.
    #[expect(clippy::vec_box, reason = "the calls have its address")]
    retired: Mutex<Vec<Box<PythonFunction>>>,
    has_retired: AtomicBool,
}

// SAFETY: the pointers are to things that live as long as the process; what changes is atomic or locked.
unsafe impl Sync for Binding {}
// SAFETY: as above.
unsafe impl Send for Binding {}

impl Binding {
    /// A binding without a Python function.
    pub fn new(plugin: *const Plugin, function: *mut keelback_function_t, ty: TypeId) -> Self {
        Self {
            plugin,
            function,
            ty,
            current: AtomicPtr::new(std::ptr::null_mut()),
            calls: Uses::new(0),
            retired: Mutex::default(),
            has_retired: AtomicBool::new(false),
        }
    }
    /// Whose it is.
    pub fn plugin(&self) -> &'static Plugin {
        // SAFETY: plugins are never freed.
        unsafe { &*self.plugin }
    }
    /// The C name.
    pub fn name(&self) -> &'static CStr {
        // SAFETY: the plugin's table is never freed.
        unsafe { CStr::from_ptr((*self.function).name) }
    }
    /// Whether a Python function is attached.
    pub fn is_attached(&self) -> bool {
        !self.current.load(Ordering::Acquire).is_null()
    }
    /// Attaches a Python function for all later calls, or takes the old one away. Calls that are in the old one finish
    /// with it. The GIL is held.
    pub fn replace(&self, new: Option<Box<PythonFunction>>) {
        let new = new.map_or(std::ptr::null_mut(), Box::into_raw);
        let old = self.current.swap(new, Ordering::SeqCst);
        if old.is_null() {
            return;
        }
        // SAFETY: it came from a Box, and is nobody else's any more.
        let old = unsafe { Box::from_raw(old) };
        if !self.calls.are_there() {
            drop(old);
        } else {
            self.retired
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(old);
            self.has_retired.store(true, Ordering::SeqCst);
        }
    }

    #[inline(always)]
    fn leave(&self) {
        self.calls.end();
        if self.has_retired.load(Ordering::Relaxed) {
            self.free_retired();
        }
    }
    #[cold]
    #[inline(never)]
    fn free_retired(&self) {
        if !self.calls.are_there() {
            let retired = {
                let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
                self.has_retired.store(false, Ordering::SeqCst);
                std::mem::take(&mut *retired)
            };
            // Frees Python objects: outside of the lock.
            drop(retired);
        }
    }

    /// Writes what the function returns when Python has nothing to say.
    ///
    /// # Safety
    /// `slots` are the function's.
    unsafe fn write_failure(&self, slots: *mut u8) {
        // SAFETY: the caller's contract, and the ABI's.
        unsafe { write_failure(self.function, slots) }
    }
}

/// Writes the function's `start_error`, or zeros.
///
/// # Safety
/// The record of a function, and its slots.
unsafe fn write_failure(function: *const keelback_function_t, slots: *mut u8) {
    // SAFETY: the caller's contract: there is room for the result.
    unsafe {
        let size = (*function).result_size;
        if (*function).start_error.is_null() {
            slots.write_bytes(0, size);
        } else {
            slots.copy_from_nonoverlapping((*function).start_error.cast(), size);
        }
    }
}

/// keelback_runtime_t.dispatch
///
/// # Safety
/// Called by a stub, with the record of its function and its slots.
pub unsafe extern "C" fn dispatch(function: *mut keelback_function_t, slots: *mut c_void) {
    let slots = slots.cast::<u8>();
    // SAFETY: the caller's contract.
    let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { call(function, slots) }));
    if outcome.is_err() {
        // SAFETY: the caller's contract.
        unsafe { write_failure(function, slots) }
    }
}

#[inline(always)]
unsafe fn call(function: *mut keelback_function_t, slots: *mut u8) {
    // SAFETY: the caller's contract; bindings are set before the stubs lead here, and never freed.
    unsafe {
        let Some(binding) = (*function).binding.cast::<Binding>().as_ref() else {
            return write_failure(function, slots);
        };
        let thread = Thread::here();
        let errno = Errno::of(thread);
        errno.save();
        match threads::attach_on(thread) {
            Ok(attached) => {
                binding.calls.begin();
                let current = binding.current.load(Ordering::Acquire);
                if let Some(current) = current.as_ref() {
                    callback::invoke(current, Slots(slots), slots);
                } else {
                    call_without_function(binding, slots);
                }
                binding.leave();
                drop(attached);
            }
            Err(refused) => report_refusal(binding, slots, refused),
        }
        errno.restore();
    }
}

/// No Python function is attached: waits for an init code that runs on another thread, else says so.
#[cold]
#[inline(never)]
unsafe fn call_without_function(binding: &Binding, slots: *mut u8) {
    if threads::has_ended() {
        // SAFETY: as in `call`.
        return unsafe { report_refusal(binding, slots, threads::Refused::Ended) };
    }
    let waits_for_me = binding.plugin().is_running() && starts::wait_for_function(binding);
    // SAFETY: as in `call`.
    unsafe {
        if let Some(current) = binding.current.load(Ordering::Acquire).as_ref() {
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
    errors::report(binding.plugin().record(), binding.name(), &text);
}

#[cold]
#[inline(never)]
unsafe fn report_refusal(binding: &Binding, slots: *mut u8, refused: threads::Refused) {
    // SAFETY: as in `call`.
    unsafe { binding.write_failure(slots) };
    if let threads::Refused::EndOfStack { left } = refused
        && let Ok(_attached) = threads::attach_on_any_stack()
    {
        binding.calls.begin();
        // SAFETY: as in `call`; what is attached stays as long as there are calls in it.
        let failed = unsafe { binding.current.load(Ordering::Acquire).as_ref() }
            // SAFETY: as in `call`.
            .map(|current| unsafe { callback::fail_at_end_of_stack(current, left, slots) });
        binding.leave();
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
    errors::report(binding.plugin().record(), binding.name(), &text);
}
