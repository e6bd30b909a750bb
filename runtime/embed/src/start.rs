//! From the first call, or NAME_start, to a plugin that is ready.

use super::plugin::{Plugin, PluginState};
use super::waiting::{StartFailure, Turn};
use super::{interpreter, last_error, sites, waiting};
use keelback_ffi::attach::Thread;
use keelback_ffi::attach::floats::{self, Aside};
use keelback_ffi::attach::threads::{self, Refused};
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use keelback_codegen::abi::{KEELBACK_PLUGIN_IGNORE_SIGPIPE, keelback_plugin_t, keelback_python_t};

/// Python could not be started.
const NO_PYTHON: c_int = -1;
/// The plugin could not be attached to it.
const NOT_ATTACHED: c_int = -2;
/// Its init code raised an exception.
const INIT_CODE_FAILED: c_int = -3;

/// keelback_runtime_t.start
///
/// # Safety
/// By the ABI: `plugin` is a record that lives as long as the process; `python` is NULL or valid during the call.
pub unsafe extern "C" fn start(
    plugin: *mut keelback_plugin_t,
    python: *const keelback_python_t,
) -> c_int {
    let thread = Thread::here();
    let errno = thread.errno();
    keelback_ffi::reserve::fill();
    // Python starts in the default floating-point environment: it rounds constants as everywhere, nothing traps, and the
    // host finds none of its flags changed.
    let aside = (!floats::is_default()).then(|| Aside::begin(thread));
    let whole = floats::Whole::put_aside();
    // SAFETY: `plugin` lives as long as the process, and `python` is NULL or valid until this returns (the caller's
    // contract).
    let outcome = catch_unwind(AssertUnwindSafe(|| unsafe {
        try_start(plugin, python.as_ref())
    }));
    let code = match outcome {
        Ok(Ok(())) => {
            last_error::forget_start(plugin);
            0
        }
        Ok(Err(failure)) => {
            last_error::record_start(plugin, &failure.text);
            failure.code
        }
        Err(_panic) => {
            last_error::record_start(
                plugin,
                "internal error in keelback while the plugin was started (please report it)\n",
            );
            NOT_ATTACHED
        }
    };
    drop(whole);
    drop(aside);
    thread.set_errno(errno);
    code
}

/// [`start`] without telling anybody what went wrong.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process.
unsafe fn try_start(
    record: *mut keelback_plugin_t,
    python: Option<&keelback_python_t>,
) -> Result<(), StartFailure> {
    // SAFETY: `record` is a record by the ABI, which lives as long as the process.
    let (known, flags, name) = unsafe {
        (
            Plugin::known(record),
            (*record).flags,
            Plugin::name_of(record),
        )
    };
    if let Some(plugin) = known {
        // Threads that the init code started may call what it has attached so far, because it may be waiting for them.
        if (plugin.state() == PluginState::Ready && !threads::has_ended())
            || (plugin.is_thread_of_init_code() && waiting::is_under_way(record))
        {
            return Ok(());
        }
    }
    interpreter::ensure(python, flags).map_err(|text| StartFailure {
        code: NO_PYTHON,
        text: format!("{name}: {text}"),
    })?;
    let claim = match waiting::claim(record) {
        Turn::Mine(claim) => claim,
        Turn::Ring => return Ok(()),
        Turn::Failed(failure) => return Err(failure),
    };
    // SAFETY: `record` is a record by the ABI, which lives as long as the process.
    let known = unsafe { Plugin::known(record) };
    if !claim.taken_over && known.is_some_and(|plugin| plugin.state() != PluginState::Known) {
        // Another thread was quicker; or it is the init code itself, on this thread, that calls its own plugin.
        return Ok(());
    }
    // SAFETY: `record` is a record by the ABI (the caller's contract), whose start was claimed above.
    unsafe { attach_and_run(record, python, &name, claim.taken_over) }
        .inspect_err(|failure| claim.failed(failure))
}

/// Attaches the plugin to Python, and runs its init code.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process; this thread has claimed its start.
unsafe fn attach_and_run(
    record: *mut keelback_plugin_t,
    python: Option<&keelback_python_t>,
    name: &str,
    taken_over: bool,
) -> Result<(), StartFailure> {
    let attached = match Refused::to_start() {
        None => threads::attach(),
        Some(refused) => Err(refused),
    };
    let _attached = attached.map_err(|refused| StartFailure {
        code: NO_PYTHON,
        text: format!("{name}: {refused}\n"),
    })?;
    // SAFETY: `record` is a record by the ABI, whose start this thread has claimed (the caller's contract).
    if let (true, Some(plugin)) = (taken_over, unsafe { Plugin::known(record) }) {
        plugin.start_over();
    }
    // SAFETY: `record` is a record by the ABI, whose start this thread has claimed (the caller's contract).
    let plugin = unsafe { Plugin::attach(record) }.map_err(|raised| {
        let described = last_error::take_exception(raised);
        StartFailure {
            code: NOT_ATTACHED,
            text: format!(
                "{name}: could not be attached to Python: {}\n{}",
                described.line, described.traceback
            ),
        }
    })?;
    // SAFETY: `record` is a record by the ABI, whose start this thread has claimed (the caller's contract).
    let flags = unsafe { (*record).flags };
    if flags & KEELBACK_PLUGIN_IGNORE_SIGPIPE != 0 {
        ignore_sigpipe();
    }
    sites::add(python, flags);
    plugin.run_init_code().map_err(|raised| {
        let described = last_error::take_exception(raised);
        StartFailure {
            code: INIT_CODE_FAILED,
            text: format!(
                "{name}: the init code failed: {}\n{}{}",
                described.line,
                described.traceback,
                unused_path(&described.line)
            ),
        }
    })
}

/// Ignores SIGPIPE, for a plugin that asks for it (`--ignore-sigpipe`). A handler of the host's stays. Blocking the signal
/// in each call would leave the disposition alone, but takes two system calls, which is more than the call itself, and
/// processes that Python starts would inherit the mask. A signal that is ignored, `subprocess` restores for them.
fn ignore_sigpipe() {
    // SAFETY: all zeros is a valid sigaction; out parameter and plain values.
    unsafe {
        let mut action = std::mem::zeroed::<libc::sigaction>();
        if libc::sigaction(libc::SIGPIPE, std::ptr::null(), &mut action) == 0
            && action.sa_sigaction == libc::SIG_DFL
        {
            libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        }
    }
}

/// What there is to say of a failed import when PYTHONPATH is set, and Python does not look at it.
fn unused_path(exception: &str) -> &'static str {
    let is_import = ["ModuleNotFoundError", "ImportError"]
        .iter()
        .any(|class| exception.starts_with(class));
    let is_set = std::env::var_os("PYTHONPATH").is_some_and(|path| !path.is_empty());
    if is_import && is_set && interpreter::ignores_environment() {
        "PYTHONPATH is set, but has no effect here: it counts in a plugin that is built with --use-environment \
         (in Python: embedding_init_code(..., use_environment=True))\n"
    } else {
        ""
    }
}
