//! What the runtime knows of one C function of a plugin, and the Python function that is attached to it.

use super::plugin::Plugin;
use keelback_cdef::TypeId;
use keelback_codegen::abi::keelback_function_t;
use keelback_ffi::attach::Thread;
use keelback_ffi::callback::{Calls, PythonFunction};
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

/// The runtime's record of one C function of a plugin. Lives as long as the process.
pub struct Binding {
    pub(super) plugin: *const Plugin,
    pub(super) function: *mut keelback_function_t,
    /// Its type in the plugin's scope.
    pub ty: TypeId,
    /// What `def_extern` attached; NULL before.
    pub(super) current: AtomicPtr<PythonFunction>,
    /// The calls that are in a Python function of this binding.
    pub(super) calls: Calls,
    /// Functions that were replaced while calls were in them: they stay where those calls find them.
    #[expect(clippy::vec_box, reason = "the calls have its address")]
    pub(super) retired: Mutex<Vec<Box<PythonFunction>>>,
    pub(super) has_retired: AtomicBool,
    /// What it calls if it is a batch.
    pub(super) batch: Option<Box<Batch>>,
    /// The number of its own batch among the plugin's bindings.
    pub(super) batch_at: Option<usize>,
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
            calls: Calls::new(),
            retired: Mutex::default(),
            has_retired: AtomicBool::new(false),
            batch: None,
            batch_at: None,
        }
    }
    /// The plugin that it is of.
    pub fn plugin(&self) -> &'static Plugin {
        // SAFETY: plugins are never freed.
        unsafe { &*self.plugin }
    }
    /// The C name.
    pub fn name(&self) -> &'static CStr {
        // SAFETY: the plugin's table is never freed.
        unsafe { CStr::from_ptr((*self.function).name) }
    }
    /// Its batch, which a function that takes arrays may be attached to.
    pub(super) fn own_batch(&self) -> Option<&'static Batch> {
        let batch = &self.plugin().bindings[self.batch_at?];
        batch.batch.as_deref()
    }
    /// Whether a Python function is attached that its calls can reach.
    pub fn is_attached(&self) -> bool {
        let is_there = |binding: &Binding| !binding.current.load(Ordering::Acquire).is_null();
        is_there(self)
            || self
                .own_batch()
                .is_some_and(|batch| is_there(&batch.arrays))
            || self.batch.as_ref().is_some_and(|batch| {
                is_there(&batch.arrays) || is_there(batch.single(self.plugin()))
            })
    }
    /// Does something with the Python function that is attached, which stays meanwhile.
    pub(super) fn with_current<R>(
        &self,
        thread: &Thread,
        call: impl FnOnce(&PythonFunction) -> R,
    ) -> Option<R> {
        self.calls.begin(thread);
        // SeqCst, as the count: whoever replaces the function either sees this call, or is seen by it.
        // SAFETY: what is attached stays as long as there are calls in it.
        let done = unsafe { self.current.load(Ordering::SeqCst).as_ref() }.map(call);
        self.leave(thread);
        done
    }
    /// Attaches a Python function for all later calls, or takes the old one away. Calls that are in the old one finish
    /// with it. The GIL is held.
    pub fn replace(&self, new: Option<Box<PythonFunction>>) {
        let new = new.map_or(std::ptr::null_mut(), Box::into_raw);
        let old = self.current.swap(new, Ordering::SeqCst);
        if old.is_null() {
            return;
        }
        // SAFETY: `current` holds only what came from a Box; the swap made this thread the only one that has the old one,
        // but for calls that are in it, which are waited for below.
        let old = unsafe { Box::from_raw(old) };
        if !self.calls.are_there() {
            drop(old);
        } else {
            self.retired
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(old);
            self.has_retired.store(true, Ordering::SeqCst);
            // On a free-threaded Python the last call may have left between the look at `calls` and this line, and would
            // then have found nothing to free.
            if cfg!(Py_GIL_DISABLED) {
                self.free_retired();
            }
        }
    }

    #[inline(always)]
    pub(super) fn leave(&self, thread: &Thread) {
        self.calls.end(thread);
        if self.has_retired.load(Ordering::SeqCst) {
            self.free_retired();
        }
    }
    #[cold]
    #[inline(never)]
    fn free_retired(&self) {
        let retired = {
            let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
            // This has to be asked under the lock: every function that is in `retired` now was taken out of `current`
            // before, so each call that can still be in one of them is counted.
            if self.calls.are_there() {
                return;
            }
            self.has_retired.store(false, Ordering::SeqCst);
            std::mem::take(&mut *retired)
        };
        // Dropping frees Python objects, which may run Python code: it is done outside of the lock.
        drop(retired);
    }

    /// Writes the result of a call that Python code cannot give a result for.
    ///
    /// # Safety
    /// `slots` are those of a call of this function.
    pub(super) unsafe fn write_failure(&self, slots: *mut u8) {
        // SAFETY: `slots` are the function's (the caller's contract); its record lives as long as the process, by the ABI.
        unsafe { write_failure(self.function, slots) }
    }
}

/// What a batch calls.
pub(super) struct Batch {
    /// The number of the single function among the plugin's bindings.
    single: usize,
    /// What `def_extern(batch=True)` attached, in a binding that only batches use.
    pub(super) arrays: Binding,
    /// The slot with the address of the results.
    pub(super) result_slot: usize,
}

impl Batch {
    /// The batch that a record of the plugin's table describes, if it does, and the number of its single function.
    ///
    /// # Safety
    /// `function` is a record by the ABI, of the plugin at `plugin`.
    pub(super) unsafe fn of(
        plugin: *const Plugin,
        function: *mut keelback_function_t,
        single: impl FnOnce(usize) -> Option<TypeId>,
    ) -> Option<(usize, Box<Self>)> {
        // SAFETY: a record by the ABI (the caller's contract).
        let (of, result_slot) = unsafe { ((*function).batch_of, (*function).batch_result) };
        let index = of.checked_sub(1)?;
        let arrays = Binding::new(plugin, function, single(index)?);
        let batch = Self {
            single: index,
            arrays,
            result_slot,
        };
        Some((index, Box::new(batch)))
    }

    /// The binding of the single function.
    pub(super) fn single(&self, plugin: &'static Plugin) -> &'static Binding {
        &plugin.bindings[self.single]
    }
}

/// Writes the function's `start_error`, or zeros.
///
/// # Safety
/// `function` is a record by the ABI, and `slots` those of a call of it: they have room for `result_size` bytes.
pub(super) unsafe fn write_failure(function: *const keelback_function_t, slots: *mut u8) {
    // SAFETY: the record is live, and `slots` have room for `result_size` bytes (the caller's contract); those of a batch
    // have the number of elements and the address of their results. `start_error`, where the record has one, points to a
    // value of the result's type, which has as many bytes.
    unsafe {
        let size = (*function).result_size;
        let (mut result, mut count) = (slots, 1);
        if size != 0 && (*function).batch_of != 0 {
            count = slots.cast::<usize>().read_unaligned();
            let place = slots.add(8 * (*function).batch_result);
            result = place.cast::<*mut u8>().read_unaligned();
            if count > isize::MAX as usize / size {
                // No array is that long.
                return;
            }
        }
        for index in 0..count {
            let result = result.wrapping_add(index * size);
            if (*function).start_error.is_null() {
                result.write_bytes(0, size);
            } else {
                result.copy_from_nonoverlapping((*function).start_error.cast(), size);
            }
        }
    }
}
