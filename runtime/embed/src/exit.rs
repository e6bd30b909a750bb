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
use keelback_ffi::py::{Exception, Live, Obj, Raised, Ref, Res, none};

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
        // SAFETY: valid at any time.
        if unsafe { ffi::Py_IsInitialized() } == 0 || threads::has_ended() {
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
        // SAFETY: the GIL is held; the module is borrowed from the dict of modules, and held from here on.
        let module = unsafe {
            let modules = ffi::PyImport_GetModuleDict();
            Live::or_null(ffi::PyDict_GetItemString(modules, module.as_ptr())).map(Live::to_ref)
        };
        let Some(module) = module else {
            continue;
        };
        let class = match module.live().attribute(name) {
            Ok(class) => class,
            Err(raised) => {
                raised.clear();
                continue;
            }
        };
        // SAFETY: the reference keeps the object alive.
        if unsafe { ffi::PyType_Check(class.obj()) } == 0 {
            continue;
        }
        let objects = match &mut objects {
            Some(objects) => objects,
            none => none.insert(all_objects()?),
        };
        // SAFETY: the GIL is held; `class` is a type. The list is nobody else's, and keeps its items alive.
        unsafe {
            for index in 0..ffi::PyList_Size(objects.obj()) {
                let object = ffi::PyList_GetItem(objects.obj(), index);
                if !object.is_null()
                    && ffi::PyType_IsSubtype(ffi::Py_TYPE(object), class.as_ptr().cast()) != 0
                {
                    call_and_forget(Live::new(object), c"close");
                }
            }
        }
    }
    Ok(())
}

/// The objects that the garbage collector knows.
fn all_objects() -> Res<Ref> {
    // SAFETY: the GIL is held; names are C strings.
    unsafe {
        let gc: Ref = keelback_ffi::py::import(c"gc")?;
        Ref::steal(ffi::PyObject_CallMethod(
            gc.obj(),
            c"get_objects".as_ptr(),
            std::ptr::null(),
        ))
    }
}

/// Calls a method. A failure is no matter: the file may be closed, detached or not writable.
fn call_and_forget(object: Live, method: &CStr) {
    // SAFETY: a live object, a C string.
    unsafe {
        let result = ffi::PyObject_CallMethod(object.ptr(), method.as_ptr(), std::ptr::null());
        if result.is_null() {
            ffi::PyErr_Clear();
        } else {
            ffi::Py_DECREF(result);
        }
    }
}

/// Flushes the file objects that nobody closed, text layers first.
fn write_open_files() -> Res<()> {
    // SAFETY: the GIL is held; names are C strings; `objects` keeps what it lists alive.
    unsafe {
        let io = keelback_ffi::py::import(c"io")?;
        let objects = all_objects()?;
        for name in [c"TextIOWrapper", c"BufferedWriter", c"BufferedRandom"] {
            let class = Ref::steal(ffi::PyObject_GetAttrString(io.obj(), name.as_ptr()))?;
            for index in 0..ffi::PyList_Size(objects.obj()) {
                let object = ffi::PyList_GetItem(objects.obj(), index);
                // Most objects are no files: that is asked first.
                if object.is_null()
                    || ffi::PyType_IsSubtype(ffi::Py_TYPE(object), class.as_ptr().cast()) == 0
                    || output::is_out_of_reach(object)
                {
                    continue;
                }
                call_and_forget(Live::new(object), c"flush");
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
    /// A method table entry that lives for ever.
    struct Method(ffi::PyMethodDef);
    // SAFETY: never changed.
    unsafe impl Sync for Method {}
    static METHOD: Method = Method(ffi::PyMethodDef {
        ml_name: c"keelback_finalising".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunction: finalising,
        },
        ml_flags: ffi::METH_NOARGS,
        ml_doc: std::ptr::null(),
    });
    // SAFETY: the GIL is held; the definition is static, and only read.
    unsafe {
        let function = Ref::steal(ffi::PyCFunction_NewEx(
            (&raw const METHOD.0).cast_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        ))?;
        let atexit = keelback_ffi::py::import(c"atexit")?;
        let register = atexit.live().attribute(c"register")?;
        let done = ffi::PyObject_CallOneArg(register.obj(), function.obj());
        if done.is_null() {
            return Err(Raised::already());
        }
        ffi::Py_DECREF(done);
    }
    Ok(())
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
