//! The end of the process, and the end of Python.
//!
//! A Python that we started is never finalised: that would pull it away from under threads that still run in it, and
//! from the host's own exit handlers and destructors, which may call the plugin. What a program expects of Python's end is
//! done when the host exits: atexit functions run, once, and files that are still open are written. Twice: when the host's
//! exit handlers run, so that those that it has registered earlier still find a Python that has all its parts, and at the
//! very end, for what they have left.
//!
//! A Python that belongs to the process is finalised by its owner. From then on calls are answered with the error value,
//! but for those on the thread that finalises it: destructors run there, which use C, which calls back, for as long as
//! Python can run code.

use std::ffi::CStr;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyo3::ffi;

use super::whose;
use super::whose::Interpreter;
use keelback_ffi::attach::{output, scope, threads, write_to_stderr};
use keelback_ffi::py::{
    END_OF_METHODS, Exception, Live, Methods, Obj, Raised, Ref, Res, none, simple, sys,
};

/// Whether the exit functions run because we call them, and not because Python is finalised.
static OUR_EXIT: AtomicBool = AtomicBool::new(false);

/// At exit() of the host: Python's atexit functions, and its open files.
pub fn run_exit_functions_at_exit() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a function without arguments, of a library that is never unmapped (-z nodelete).
        unsafe { libc::atexit(at_exit) };
    });
}

/// Runs after the exit handlers and the program's destructors.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".fini_array")]
static AT_THE_END: extern "C" fn() = at_the_end;

extern "C" fn at_the_end() {
    if whose::is_ours() {
        at_exit();
    }
}

extern "C" fn at_exit() {
    let _ = std::panic::catch_unwind(|| {
        if !sys::is_initialized() || threads::has_ended() {
            return;
        }
        if !can_come_in() {
            return;
        }
        // exit() may have been called from inside of Python: then the thread is in it already.
        let Ok(_attached) = threads::attach() else {
            return;
        };
        // exit() may be called by C code that Python code called while an exception was set: that one is put back.
        let saved = Exception::fetch_if_set();
        OUR_EXIT.store(true, Ordering::Relaxed);
        // In this order, because each step writes into the files of the next: text files into compressed ones, and those
        // into the plain files below them.
        for step in [
            run_exit_functions as fn() -> Res<()>,
            write_open_files,
            close_unfinished_files,
            write_open_files,
        ] {
            if step().is_err() {
                // SAFETY: an exception is set.
                unsafe { ffi::PyErr_WriteUnraisable(std::ptr::null_mut()) };
            }
        }
        OUR_EXIT.store(false, Ordering::Relaxed);
        if let Some(saved) = saved {
            let _still_set = saved.restore();
        }
    });
}

/// How long the end of the process waits for a thread that is in a scope and makes no calls.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether this thread can come into Python. A thread that blocks in a scope keeps it out for as long as it likes, and the
/// process is to end all the same.
fn can_come_in() -> bool {
    static KEPT_OUT: AtomicBool = AtomicBool::new(false);
    // With the GIL this thread has it, then nobody else has.
    if cfg!(not(Py_GIL_DISABLED)) && threads::is_attached() {
        return true;
    }
    if KEPT_OUT.load(Ordering::Relaxed) {
        return scope::wait_for_others(Duration::ZERO);
    }
    if scope::wait_for_others(PATIENCE) {
        return true;
    }
    KEPT_OUT.store(true, Ordering::Relaxed);
    write_to_stderr(
        "keelback: the process ends while another thread is in a scope (NAME_enter) and makes no calls: Python's exit \
         functions are not run, and files that Python left open are not written\n",
    );
    false
}

fn run_exit_functions() -> Res<()> {
    // SAFETY: the GIL is held. Runs and forgets all functions, so a second exit (a host that calls Py_Finalize) finds none.
    unsafe {
        let atexit = keelback_ffi::py::import(c"atexit")?;
        Ref::steal(ffi::PyObject_CallMethod(
            atexit.obj(),
            c"_run_exitfuncs".as_ptr(),
            std::ptr::null(),
        ))?;
    }
    Ok(())
}

/// Classes of the standard library, written in Python, whose files are not whole before they are closed, or are to be
/// deleted: Python at its end has their destructors do that. Their modules, and their names.
const UNFINISHED: [(&CStr, &CStr); 6] = [
    (c"gzip", c"GzipFile"),
    (c"bz2", c"BZ2File"),
    (c"lzma", c"LZMAFile"),
    (c"zipfile", c"_ZipWriteFile"),
    (c"zipfile", c"ZipFile"),
    (c"tempfile", c"_TemporaryFileCloser"),
];

/// Closes what [`write_open_files`] could not make whole.
fn close_unfinished_files() -> Res<()> {
    let mut objects: Option<Ref> = None;
    for (module, name) in UNFINISHED {
        let Some(module) = sys::loaded(module) else {
            continue;
        };
        let class = match module.live().attribute(name) {
            Ok(class) => class,
            Err(raised) => {
                raised.clear();
                continue;
            }
        };
        if !class.live().is_type() {
            continue;
        }
        let objects = match &mut objects {
            Some(objects) => objects,
            none => none.insert(all_objects()?),
        };
        for object in items(objects).filter(|object| object.is_of(class.live())) {
            call_and_forget(object, c"close");
        }
    }
    Ok(())
}

/// The objects that the garbage collector knows, in a list.
fn all_objects() -> Res<Ref> {
    keelback_ffi::py::import(c"gc")?
        .live()
        .call_method(c"get_objects")
}

/// The items of such a list, which is nobody else's and keeps them alive.
fn items(list: &Ref) -> impl Iterator<Item = Live<'_>> {
    // SAFETY: the reference keeps the list alive; of anything else the size is -1.
    let count = unsafe { ffi::PyList_Size(list.obj()) };
    // SAFETY: an item of the list, which keeps it alive as long as itself, because nobody else changes the list.
    (0..count).filter_map(|index| unsafe { Live::or_null(ffi::PyList_GetItem(list.obj(), index)) })
}

/// Calls a method. A failure is no matter: the file may be closed, detached or not writable.
fn call_and_forget(object: Live, method: &CStr) {
    object.call_method(method).map_or_else(Raised::clear, drop);
}

/// Flushes the file objects that nobody closed, text layers first.
fn write_open_files() -> Res<()> {
    let io = keelback_ffi::py::import(c"io")?;
    let objects = all_objects()?;
    for name in [c"TextIOWrapper", c"BufferedWriter", c"BufferedRandom"] {
        let class = io.live().attribute(name)?;
        // Most objects are no files: that is asked first.
        for file in items(&objects).filter(|object| object.is_of(class.live())) {
            if !output::is_out_of_reach(file.ptr()) {
                call_and_forget(file, c"flush");
            }
        }
    }
    Ok(())
}

/// Makes Python tell us when it is finalised. The GIL is held.
pub(crate) fn watch_finalisation() {
    // The end of a sub-interpreter is not the end of Python, so nothing is watched there.
    if !whose::is_main() {
        return;
    }
    if let Err(raised) = try_watch() {
        raised.clear();
    }
}

fn try_watch() -> Res<()> {
    static FINALISING: Methods<2> = Methods::new([
        simple(
            c"keelback_finalising",
            finalising,
            ffi::METH_NOARGS,
            c"Python begins to end.",
        ),
        END_OF_METHODS,
    ]);
    let function = FINALISING.function(0, None)?;
    keelback_ffi::py::import(c"atexit")?
        .live()
        .attribute(c"register")?
        .live()
        .call_with(function.live())
        .map(drop)
}

/// Told by `threading` that Python begins to end.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn finalising(_self: Obj, _none: Obj) -> Obj {
    keelback_ffi::py::guard(|| {
        if !OUR_EXIT.load(Ordering::Relaxed) {
            threads::set_ending(whose::whose() != Interpreter::None);
        }
        Ok(none())
    })
}
