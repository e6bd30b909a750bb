//! Exceptions that end a thread of Python. Up to 3.12 what prints them is C, and looks for the source as a file only: init
//! code is none.

use pyo3::ffi;

use super::errors;
use crate::py::{
    END_OF_METHODS, Methods, Obj, Raised, Ref, Res, guard, none, simple, str_from, str_text,
};

/// Puts a hook of ours in the place of the default `threading.excepthook`, which says the same, and shows the lines. The
/// GIL is held, the interpreter is ours. A failure leaves all as it is.
pub fn install() {
    if cfg!(Py_3_13) {
        return;
    }
    if let Err(raised) = try_install() {
        raised.clear();
    }
}

static HOOK: Methods<2> = Methods::new([
    simple(
        c"excepthook",
        excepthook,
        ffi::METH_O,
        c"Handle uncaught Thread.run() exception.",
    ),
    END_OF_METHODS,
]);

fn try_install() -> Res<()> {
    // SAFETY: the GIL is held; names are C strings; the table is static.
    unsafe {
        let thread: Ref = Ref::steal(ffi::PyImport_ImportModule(c"_thread".as_ptr()))?;
        let default: Ref = Ref::steal(ffi::PyObject_GetAttrString(
            thread.obj(),
            c"_excepthook".as_ptr(),
        ))?;
        // Self is the default one, for what this one cannot do.
        let hook: Ref = Ref::steal(ffi::PyCFunction_NewEx(
            HOOK.ptr(),
            default.obj(),
            std::ptr::null_mut(),
        ))?;
        set(&thread, c"_excepthook", &hook)?;
        // It takes the default from there, unless `site` has imported it already.
        let threading =
            ffi::PyDict_GetItemString(ffi::PyImport_GetModuleDict(), c"threading".as_ptr());
        if !threading.is_null() {
            let threading: Ref = Ref::borrow(threading);
            for name in [c"excepthook", c"__excepthook__"] {
                let current: Ref =
                    Ref::steal(ffi::PyObject_GetAttrString(threading.obj(), name.as_ptr()))?;
                if current.obj() == default.obj() {
                    set(&threading, name, &hook)?;
                }
            }
        }
        Ok(())
    }
}

unsafe fn set(module: &Ref, name: &std::ffi::CStr, value: &Ref) -> Res<()> {
    // SAFETY: live objects and a C string.
    if unsafe { ffi::PyObject_SetAttrString(module.obj(), name.as_ptr(), value.obj()) } < 0 {
        return Err(Raised::already());
    }
    Ok(())
}

unsafe extern "C" fn excepthook(default: Obj, arguments: Obj) -> Obj {
    guard(|| {
        // SAFETY: live objects.
        unsafe {
            match print(arguments) {
                Ok(true) => return Ok(none()),
                Ok(false) => {}
                Err(raised) => raised.clear(),
            }
            Ref::steal(ffi::PyObject_CallOneArg(default, arguments))
        }
    })
}

/// Prints what the default hook prints; false where that has to do it.
///
/// # Safety
/// A live object; the GIL is held.
unsafe fn print(arguments: Obj) -> Res<bool> {
    // SAFETY: the caller's contract; sys.stderr is borrowed, and held meanwhile.
    unsafe {
        let attribute = |name: &std::ffi::CStr| -> Res<Ref> {
            Ref::steal(ffi::PyObject_GetAttrString(arguments, name.as_ptr()))
        };
        let (class, value, traceback, thread) = (
            attribute(c"exc_type")?,
            attribute(c"exc_value")?,
            attribute(c"exc_traceback")?,
            attribute(c"thread")?,
        );
        let stderr = ffi::PySys_GetObject(c"stderr".as_ptr());
        let none = ffi::Py_None();
        if class.obj() == ffi::PyExc_SystemExit
            || thread.obj() == none
            || stderr.is_null()
            || stderr == none
        {
            return Ok(false);
        }
        let stderr: Ref = Ref::borrow(stderr);
        let name: Ref = Ref::steal(ffi::PyObject_GetAttrString(thread.obj(), c"name".as_ptr()))?;
        let name: Ref = Ref::steal(ffi::PyObject_Str(name.obj()))?;
        let described = errors::describe(class.obj(), value.obj(), traceback.obj());
        let text = str_from(&format!(
            "Exception in thread {}:\n{}",
            str_text(name.obj())?.unwrap_or("?"),
            described.traceback
        ))?;
        if ffi::PyFile_WriteObject(text.obj(), stderr.obj(), ffi::Py_PRINT_RAW) < 0 {
            return Err(Raised::already());
        }
        let flushed: Ref = Ref::steal(ffi::PyObject_CallMethod(
            stderr.obj(),
            c"flush".as_ptr(),
            std::ptr::null(),
        ))?;
        drop(flushed);
        Ok(true)
    }
}
