//! `NAME_enter` and `NAME_leave`: the thread stays in Python between its calls.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use keelback_codegen::abi::{KEELBACK_PLUGIN_DEV, keelback_plugin_t};

use super::plugin::Plugin;
use super::{held, last_error};
use keelback_ffi::attach::threads::Refused;
use keelback_ffi::attach::{Thread, scope};

/// keelback_runtime_t.enter
///
/// # Safety
/// By the ABI: `plugin` is a record that lives as long as the process.
pub unsafe extern "C" fn enter(plugin: *mut keelback_plugin_t) -> c_int {
    let thread = Thread::here();
    let errno = thread.errno();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        scope::enter(thread)?;
        // SAFETY: a record by the ABI.
        if unsafe { is_dev(plugin) } {
            held::entered(thread, plugin);
        }
        Ok(())
    }));
    // SAFETY: a record by the ABI.
    let name = || unsafe { Plugin::name_of(plugin) }.replace('.', "_");
    let why = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(Refused::Ended)) => Some(format!(
            "{}_enter() was called after Python was finalised in this process\n",
            name()
        )),
        Ok(Err(refused)) => Some(format!("{}_enter(): {refused}\n", name())),
        Err(_panic) => Some(format!(
            "{}_enter(): internal error in keelback (please report it)\n",
            name()
        )),
    };
    if let Some(why) = &why {
        last_error::record(plugin, why);
    }
    thread.set_errno(errno);
    if why.is_some() { -1 } else { 0 }
}

/// keelback_runtime_t.leave
///
/// # Safety
/// By the ABI: `plugin` is a record that lives as long as the process.
pub unsafe extern "C" fn leave(plugin: *mut keelback_plugin_t) {
    let thread = Thread::here();
    let errno = thread.errno();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        if !scope::leave(thread) {
            // SAFETY: a record by the ABI.
            report_no_scope(
                plugin,
                &unsafe { Plugin::name_of(plugin) }.replace('.', "_"),
            );
        }
        // SAFETY: a record by the ABI.
        if unsafe { is_dev(plugin) } {
            held::left(thread);
        }
    }));
    drop(outcome);
    thread.set_errno(errno);
}

/// # Safety
/// `plugin` is a record by the ABI.
unsafe fn is_dev(plugin: *const keelback_plugin_t) -> bool {
    // SAFETY: the caller's contract.
    unsafe { (*plugin).flags & KEELBACK_PLUGIN_DEV != 0 }
}

#[cold]
fn report_no_scope(plugin: *const keelback_plugin_t, name: &str) {
    if keelback_ffi::attach::threads::has_ended() {
        // The scope has ended with Python.
        return;
    }
    let function = std::ffi::CString::new(format!("{name}_leave")).unwrap_or_default();
    let text = format!(
        "{name}_leave(): this thread is in no scope here: each {name}_leave() takes back a {name}_enter() of the same \
         thread, which returned 0, at the same depth of calls\n"
    );
    last_error::report(plugin, &function, &text);
}
