//! The end of the process, and the end of Python.
//!
//! A Python that we started is never finalised: that would pull it away from under threads that still run in it, and
//! from the host's own exit handlers and destructors, which may call the plugin. What a program expects of Python's end is
//! done when the host exits: atexit functions run, once, and files that are still open are written.
//!
//! A Python that belongs to the process is finalised by its owner; from then on calls are answered with the error value.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;

use super::threads;
use crate::py::{Exception, Obj, Raised, Ref, Res, none};

/// The exit functions run because of us, not because Python is finalised.
static OUR_EXIT: AtomicBool = AtomicBool::new(false);

/// At exit() of the host: Python's atexit functions, and its open files.
pub fn run_exit_functions_at_exit() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a function without arguments, of a library that is never unmapped (-z nodelete).
        unsafe { libc::atexit(at_exit) };
    });
}

extern "C" fn at_exit() {
    let _ = std::panic::catch_unwind(|| {
        // SAFETY: valid at any time.
        if unsafe { ffi::Py_IsInitialized() } == 0 || threads::has_ended() {
            return;
        }
        // exit() may have been called from inside of Python: then the thread is in it already.
        let Ok(_attached) = threads::attach() else {
            return;
        };
        // exit() called by C code that a failing Python function called: its exception is none of ours.
        let saved = Exception::fetch_if_set();
        OUR_EXIT.store(true, Ordering::Relaxed);
        for step in [run_exit_functions as fn() -> Res<()>, write_open_files] {
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

fn run_exit_functions() -> Res<()> {
    // SAFETY: the GIL is held. Runs and forgets all functions, so a second exit (a host that calls Py_Finalize) finds none.
    unsafe {
        let atexit = Ref::steal(ffi::PyImport_ImportModule(c"atexit".as_ptr()))?;
        Ref::steal(ffi::PyObject_CallMethod(
            atexit.obj(),
            c"_run_exitfuncs".as_ptr(),
            std::ptr::null(),
        ))?;
    }
    Ok(())
}

/// Flushes the file objects that nobody closed, text layers first.
fn write_open_files() -> Res<()> {
    // SAFETY: the GIL is held; names are C strings; `objects` keeps what it lists alive.
    unsafe {
        let io = Ref::steal(ffi::PyImport_ImportModule(c"io".as_ptr()))?;
        let gc = Ref::steal(ffi::PyImport_ImportModule(c"gc".as_ptr()))?;
        let objects = Ref::steal(ffi::PyObject_CallMethod(
            gc.obj(),
            c"get_objects".as_ptr(),
            std::ptr::null(),
        ))?;
        for name in [c"TextIOWrapper", c"BufferedWriter", c"BufferedRandom"] {
            let class = Ref::steal(ffi::PyObject_GetAttrString(io.obj(), name.as_ptr()))?;
            for index in 0..ffi::PyList_Size(objects.obj()) {
                let object = ffi::PyList_GetItem(objects.obj(), index);
                if object.is_null()
                    || ffi::PyType_IsSubtype(ffi::Py_TYPE(object), class.as_ptr().cast()) == 0
                {
                    continue;
                }
                let result = ffi::PyObject_CallMethod(object, c"flush".as_ptr(), std::ptr::null());
                if result.is_null() {
                    // Closed, detached, not writable.
                    ffi::PyErr_Clear();
                } else {
                    ffi::Py_DECREF(result);
                }
            }
        }
    }
    Ok(())
}

/// Makes Python tell us when it is finalised. The GIL is held.
pub fn watch_finalisation() {
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
        let atexit = Ref::steal(ffi::PyImport_ImportModule(c"atexit".as_ptr()))?;
        let register = Ref::steal(ffi::PyObject_GetAttrString(
            atexit.obj(),
            c"register".as_ptr(),
        ))?;
        let done = ffi::PyObject_CallOneArg(register.obj(), function.obj());
        if done.is_null() {
            return Err(Raised::already());
        }
        ffi::Py_DECREF(done);
    }
    Ok(())
}

unsafe extern "C" fn finalising(_self: Obj, _none: Obj) -> Obj {
    crate::py::guard(|| {
        if !OUR_EXIT.load(Ordering::Relaxed) {
            threads::set_ended();
        }
        Ok(none())
    })
}
