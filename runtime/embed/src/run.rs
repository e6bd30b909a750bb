//! A plugin's init code: before it, while it runs, after it; and where the plugin's stubs lead then.

use std::sync::atomic::{AtomicPtr, Ordering};

use keelback_codegen::abi::keelback_dispatch_t;

use super::plugin::{Plugin, PluginState};
use super::sys_modules::forget_missing_directories;
use super::{development, dispatch, init_code};
use keelback_ffi::attach::{output, threads};
use keelback_ffi::py::{Exception, Res};
use keelback_ffi::raise;

impl Plugin {
    /// Runs the init code, and leads the stubs to the dispatcher. By the thread that has claimed the start, in Python;
    /// `attach` came before. After a failure it may be called again.
    pub fn run_init_code(&self) -> Res<()> {
        if self.state() != PluginState::Known {
            return Ok(());
        }
        if self.has_failed.swap(false, Ordering::Relaxed) {
            // A directory that was missing at the last import may exist now.
            forget_missing_directories();
        }
        self.newest_state
            .store(threads::newest_state(), Ordering::Relaxed);
        self.set_state(PluginState::Running);
        let outcome = init_code::run(self);
        output::look_at_streams();
        if let Err(raised) = outcome {
            // The next try starts from the beginning. The exception is put aside while that is prepared.
            let exception = Exception::fetch(raised);
            self.has_failed.store(true, Ordering::Relaxed);
            self.start_over();
            return Err(match exception {
                Some(exception) => exception.restore(),
                None => raise!(SystemError, "the init code failed without an exception"),
            });
        }
        self.make_ready();
        Ok(())
    }

    /// The init code is over: leads the stubs to the dispatcher.
    pub fn make_ready(&self) {
        self.set_state(PluginState::Ready);
        self.lead_stubs_to(Some(if self.is_dev() {
            development::dispatch_of_dev
        } else {
            dispatch::dispatch
        }));
    }

    /// Goes back to the state in which nothing of the init code has run: it has failed, or this is a forked child and the
    /// thread that ran it is not in it. The GIL is held.
    pub fn start_over(&self) {
        self.leave_sys_modules();
        let module = self
            .objects
            .get()
            .and_then(|objects| objects.module().take());
        drop(module);
        for binding in &self.bindings {
            binding.replace(None);
        }
        self.set_state(PluginState::Known);
    }

    fn lead_stubs_to(&self, dispatch: keelback_dispatch_t) {
        // SAFETY: stubs read the pointer atomically; a function pointer option has the layout of a pointer.
        unsafe {
            let place = (&raw mut (*self.record).dispatch).cast::<*mut std::ffi::c_void>();
            let value = std::mem::transmute::<keelback_dispatch_t, *mut std::ffi::c_void>(dispatch);
            AtomicPtr::from_ptr(place).store(value, Ordering::Release);
        }
    }
}
