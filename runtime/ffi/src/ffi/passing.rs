//! Temporary files of builders in Python. Python takes them away when a build fails, or its own handlers end it; here
//! is what a signal does that would end the process at once: they go, the compiler ends, and then the process does.

use std::ffi::{CString, c_char, c_int};
use std::process::{Command, Output, Stdio};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::ffi;

use crate::py::{Live, Ref, Res, method, none};
use crate::raise;

/// How many files of this process may be under way at once; any more are not taken away when a signal ends it.
const MOST: usize = 16;
const SIGNALS: [c_int; 3] = [libc::SIGHUP, libc::SIGINT, libc::SIGTERM];

/// Paths, which the handler reads.
static FILES: [AtomicPtr<c_char>; MOST] = [const { AtomicPtr::new(null_mut()) }; MOST];
/// Compilers that are running, 0 for none.
static COMPILERS: [AtomicI32; MOST] = [const { AtomicI32::new(0) }; MOST];
/// The process that the files belong to. A forked child has the handler too, and must leave them alone.
static OWNER: AtomicI32 = AtomicI32::new(0);
/// Whether the handler has begun: it may then look at any path that was there at that moment.
static ENDING: AtomicBool = AtomicBool::new(false);
/// How many files there are. Whoever changes dispositions holds it.
static COUNT: Mutex<usize> = Mutex::new(0);

/// Ends the process by the signal, as it would have ended without us.
extern "C" fn end(signal: c_int) {
    ENDING.store(true, Ordering::SeqCst);
    // SAFETY: all that is called is allowed in a signal handler: getpid, kill, nanosleep, unlink, sigaction, raise. A
    // path that is found here stays (`settle`).
    unsafe {
        if libc::getpid() == OWNER.load(Ordering::SeqCst) {
            let mut is_running = false;
            for compiler in &COMPILERS {
                let id = compiler.load(Ordering::SeqCst);
                if id > 0 {
                    is_running = true;
                    libc::kill(id, signal);
                }
            }
            // A linker that runs still may write the file once more: it is deleted again until the linker has ended.
            for _ in 0..if is_running { 10 } else { 1 } {
                for file in &FILES {
                    let path = file.load(Ordering::SeqCst);
                    if !path.is_null() {
                        libc::unlink(path);
                    }
                }
                if is_running {
                    let pause = libc::timespec {
                        tv_sec: 0,
                        tv_nsec: 10_000_000,
                    };
                    libc::nanosleep(&pause, null_mut());
                }
            }
        }
        // The signal is blocked until the handler returns, and ends the process then.
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// Gives the signals that end the process the handler, or takes it from those that still have it.
fn set_handlers(is_wanted: bool) {
    let ours = end as extern "C" fn(c_int) as libc::sighandler_t;
    let (from, to) = if is_wanted {
        (libc::SIG_DFL, ours)
    } else {
        (ours, libc::SIG_DFL)
    };
    for signal in SIGNALS {
        // SAFETY: all zeros is a valid sigaction; `end` does what a handler may.
        unsafe {
            let mut action = std::mem::zeroed::<libc::sigaction>();
            if libc::sigaction(signal, std::ptr::null(), &mut action) == 0
                && action.sa_sigaction == from
            {
                action = std::mem::zeroed();
                action.sa_sigaction = to;
                libc::sigaction(signal, &action, null_mut());
            }
        }
    }
}

method!(pub passing = "_passing", watch, (_module: Option<Live>, path: Live));

/// `_runtime._passing(path)`: the file at `path` is there for a while.
fn watch(_module: Option<Live>, path: Live) -> Res<Ref> {
    let path = c_path(path)?;
    let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: a plain call.
    OWNER.store(unsafe { libc::getpid() }, Ordering::SeqCst);
    let raw = path.into_raw();
    let is_kept = FILES.iter().any(|file| {
        file.compare_exchange(null_mut(), raw, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    });
    if !is_kept {
        // SAFETY: it came from into_raw(), and nobody else has it.
        drop(unsafe { CString::from_raw(raw) });
        return Ok(none());
    }
    *count += 1;
    if *count == 1 {
        set_handlers(true);
    }
    Ok(none())
}

method!(pub settled = "_settled", forget, (_module: Option<Live>, path: Live));

/// `_runtime._settled(path)`: the file is gone, or has its name.
fn forget(_module: Option<Live>, path: Live) -> Res<Ref> {
    let path = c_path(path)?;
    let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
    if settle(&path) {
        *count -= 1;
        if *count == 0 {
            set_handlers(false);
        }
    }
    Ok(none())
}

/// Takes a path out. The caller holds `COUNT`.
fn settle(path: &CString) -> bool {
    for file in &FILES {
        let raw = file.load(Ordering::SeqCst);
        // SAFETY: paths are put in and taken out under `COUNT`; each is a C string of ours.
        if raw.is_null() || unsafe { std::ffi::CStr::from_ptr(raw) } != path.as_c_str() {
            continue;
        }
        file.store(null_mut(), Ordering::SeqCst);
        // A handler that begins after this finds no path; one that has begun may have found it, and ends the process.
        if !ENDING.load(Ordering::SeqCst) {
            // SAFETY: the path came from into_raw(), it was taken out of its place above, and no handler has begun.
            drop(unsafe { CString::from_raw(raw) });
        }
        return true;
    }
    false
}

/// The path of a file as the system wants it.
fn c_path(path: Live) -> Res<CString> {
    if !path.is_str() {
        return Err(raise!(TypeError, "a path is a str"));
    }
    // SAFETY: a str.
    let bytes: Ref = unsafe { Ref::steal(ffi::PyUnicode_EncodeFSDefault(path.ptr())) }?;
    CString::new(bytes.live().bytes().unwrap_or_default())
        .map_err(|_| raise!(ValueError, "embedded null byte in a path"))
}

/// Runs a compiler, which ends with this process.
///
/// # Errors
/// It cannot be started.
pub fn output(command: &mut Command) -> std::io::Result<Output> {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let id = i32::try_from(child.id()).unwrap_or(0);
    let place = COMPILERS.iter().find(|place| {
        place
            .compare_exchange(0, id, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    });
    let output = child.wait_with_output();
    if let Some(place) = place {
        place.store(0, Ordering::SeqCst);
    }
    output
}
