//! Exceptions that nobody catches, as Python itself prints them: `sys.excepthook`, `sys.unraisablehook`, and
//! `threading.excepthook`. What does that by default is C (up to 3.12, and later for some), and looks for the lines of the
//! source in a file: init code is none, and another file may have its name. Ours say the same, with the right lines.

use std::ffi::CStr;

use pyo3::ffi;

use super::last_error;
use keelback_ffi::py::{
    END_OF_METHODS, Live, Methods, Obj, Raised, Ref, Res, any_text, guard, none, positional,
    simple, str_from,
};

/// Puts hooks of ours in the place of the default ones. The GIL is held, the interpreter is ours. A failure leaves all as
/// it is.
pub fn install() {
    // SAFETY: the GIL is held; the tables are static.
    let done = unsafe {
        let places = [
            ("sys", c"excepthook", c"__excepthook__", EXCEPTION.ptr()),
            (
                "sys",
                c"unraisablehook",
                c"__unraisablehook__",
                UNRAISABLE.ptr(),
            ),
            // threading takes its hook from _thread; `site` may have imported threading before.
            ("_thread", c"_excepthook", c"", THREAD.ptr()),
            ("threading", c"excepthook", c"__excepthook__", THREAD.ptr()),
        ];
        places
            .into_iter()
            .try_for_each(|(module, name, second, method)| replace(module, name, second, method))
    };
    if let Err(raised) = done {
        raised.clear();
    }
}

static EXCEPTION: Methods<2> = Methods::new([
    positional(
        c"excepthook",
        excepthook,
        c"Handle an exception by displaying it with a traceback on sys.stderr.",
    ),
    END_OF_METHODS,
]);
static UNRAISABLE: Methods<2> = Methods::new([
    simple(
        c"unraisablehook",
        unraisablehook,
        ffi::METH_O,
        c"Handle an unraisable exception.",
    ),
    END_OF_METHODS,
]);
static THREAD: Methods<2> = Methods::new([
    simple(
        c"_excepthook",
        thread_hook,
        ffi::METH_O,
        c"Handle uncaught Thread.run() exception.",
    ),
    END_OF_METHODS,
]);

/// Replaces a default hook, in both of its names, if the module is imported. The new one's self is the default one, for
/// what it cannot do.
///
/// # Safety
/// The GIL is held; `method` points to a static definition of a METH_FASTCALL or METH_O function.
unsafe fn replace(
    module: &str,
    name: &CStr,
    second: &CStr,
    method: *mut ffi::PyMethodDef,
) -> Res<()> {
    // SAFETY: the GIL is held (the caller's contract). The module is borrowed from the dict of modules, and held by a
    // reference before Python code can run. `default` was checked to be a built-in function before its `m_ml` is read.
    // `method` is static (the caller's contract), as a built-in function needs it.
    unsafe {
        let module = ffi::PyDict_GetItem(ffi::PyImport_GetModuleDict(), str_from(module)?.obj());
        if module.is_null() {
            return Ok(());
        }
        let module: Ref = Ref::borrow(module);
        let default: Ref = Ref::steal(ffi::PyObject_GetAttrString(module.obj(), name.as_ptr()))?;
        // `site` or a .pth file may have put a hook of its own there, which stays. And `threading` copies its hook from
        // `_thread`: if it was imported after that one was replaced, it has ours already.
        let is_default = ffi::PyCFunction_Check(default.obj()) != 0
            && (*default.obj().cast::<ffi::PyCFunctionObject>()).m_ml != method;
        if !is_default {
            return Ok(());
        }
        let hook: Ref = Ref::steal(ffi::PyCFunction_NewEx(
            method,
            default.obj(),
            std::ptr::null_mut(),
        ))?;
        for name in [name, second] {
            if !name.is_empty()
                && ffi::PyObject_SetAttrString(module.obj(), name.as_ptr(), hook.obj()) < 0
            {
                return Err(Raised::already());
            }
        }
        Ok(())
    }
}

/// Has a hook do its work; where it cannot, the default one does.
///
/// # Safety
/// `default` and `args` are live objects; the GIL is held.
unsafe fn or_default(
    default: Obj,
    args: &[Obj],
    print: impl FnOnce(&Ref) -> Res<bool>,
) -> Res<Ref> {
    // SAFETY: the GIL is held, `default` and `args` are live (the caller's contract). sys.stderr is borrowed, and held by a
    // reference before Python code can run.
    unsafe {
        let stderr = ffi::PySys_GetObject(c"stderr".as_ptr());
        if !stderr.is_null() && stderr != ffi::Py_None() {
            match print(&Ref::borrow(stderr)) {
                Ok(true) => return Ok(none()),
                Ok(false) => {}
                Err(raised) => raised.clear(),
            }
        }
        Ref::steal(ffi::PyObject_Vectorcall(
            default,
            args.as_ptr(),
            args.len(),
            std::ptr::null_mut(),
        ))
    }
}

/// Writes a text, and flushes.
fn write(stderr: &Ref, text: &str) -> Res<bool> {
    let text = str_from(text)?;
    // SAFETY: the GIL is held; live objects.
    unsafe {
        if ffi::PyFile_WriteObject(text.obj(), stderr.obj(), ffi::Py_PRINT_RAW) < 0 {
            return Err(Raised::already());
        }
        let flushed = ffi::PyObject_CallMethod(stderr.obj(), c"flush".as_ptr(), std::ptr::null());
        if flushed.is_null() {
            ffi::PyErr_Clear();
        }
        ffi::Py_XDECREF(flushed);
    }
    Ok(true)
}

/// The traceback of an exception, with its last line.
///
/// # Safety
/// The three are live objects; the GIL is held and no exception is set.
unsafe fn traceback(class: Obj, value: Obj, traceback: Obj) -> String {
    // SAFETY: the three are live, the traceback is live or NULL here, the GIL is held and no exception is set (the caller's
    // contract).
    unsafe {
        let traceback = if traceback == ffi::Py_None() {
            std::ptr::null_mut()
        } else {
            traceback
        };
        last_error::describe(class, value, traceback).traceback
    }
}

/// `sys.excepthook` of a plugin's Python.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn excepthook(default: Obj, args: *mut Obj, count: isize) -> Obj {
    guard(|| {
        // SAFETY: Python passes a FASTCALL function `count` live arguments.
        let args = unsafe { std::slice::from_raw_parts(args, count as usize) };
        // SAFETY: Python calls the hook with the GIL; `default`, the function's self, and the arguments live during the
        // call. CPython's functions leave no exception set where they are asked for a text.
        unsafe {
            or_default(default, args, |stderr| match args {
                &[class, value, trace] if ffi::PyExceptionInstance_Check(value) != 0 => {
                    write(stderr, &traceback(class, value, trace))
                }
                _ => Ok(false),
            })
        }
    })
}

/// `sys.unraisablehook` of a plugin's Python.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn unraisablehook(default: Obj, arguments: Obj) -> Obj {
    guard(|| {
        // SAFETY: Python calls the hook with the GIL; its self and its argument live during the call.
        unsafe {
            or_default(default, &[arguments], |stderr| {
                print_unraisable(Live::new(arguments), stderr)
            })
        }
    })
}

/// Prints what `sys.unraisablehook` was called with; false where only the default hook can.
fn print_unraisable(arguments: Live, stderr: &Ref) -> Res<bool> {
    let (class, value, trace, message, object) = (
        arguments.attribute(c"exc_type")?,
        arguments.attribute(c"exc_value")?,
        arguments.attribute(c"exc_traceback")?,
        arguments.attribute(c"err_msg")?,
        arguments.attribute(c"object")?,
    );
    // SAFETY: the reference keeps the object alive.
    if unsafe { ffi::PyExceptionInstance_Check(value.obj()) } == 0 {
        return Ok(false);
    }
    let mut text = String::new();
    if !message.live().is_none() {
        text += &text_of(&message.live().str()?)?;
        text += ":";
    } else if !object.live().is_none() {
        text += "Exception ignored in:";
    }
    if !object.live().is_none() {
        let object = object
            .live()
            .repr()
            .and_then(|repr| text_of(&repr))
            .unwrap_or_else(|raised| {
                raised.clear();
                "<object repr() failed>".into()
            });
        text += " ";
        text += &object;
    }
    if !text.is_empty() {
        text += "\n";
    }
    // SAFETY: the references keep all three alive; the GIL is held, and no exception is set.
    text += &unsafe { traceback(class.obj(), value.obj(), trace.obj()) };
    write(stderr, &text)
}

/// The text of a str.
fn text_of(text: &Ref) -> Res<String> {
    // SAFETY: the reference keeps the object alive; the GIL is held.
    unsafe { any_text(text.obj()) }
}

/// `threading.excepthook` of a plugin's Python.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn thread_hook(default: Obj, arguments: Obj) -> Obj {
    guard(|| {
        // SAFETY: Python calls the hook with the GIL; its self and its argument live during the call.
        unsafe {
            or_default(default, &[arguments], |stderr| {
                print_of_thread(Live::new(arguments), stderr)
            })
        }
    })
}

/// Prints what `threading.excepthook` was called with; false where the default hook is to do it.
fn print_of_thread(arguments: Live, stderr: &Ref) -> Res<bool> {
    let (class, value, trace, thread) = (
        arguments.attribute(c"exc_type")?,
        arguments.attribute(c"exc_value")?,
        arguments.attribute(c"exc_traceback")?,
        arguments.attribute(c"thread")?,
    );
    // SAFETY: a static of libpython, only compared.
    if class.obj() == unsafe { ffi::PyExc_SystemExit } || thread.live().is_none() {
        return Ok(false);
    }
    let name = text_of(&thread.live().attribute(c"name")?.live().str()?)?;
    // SAFETY: the references keep all three alive; the GIL is held, and no exception is set.
    let traceback = unsafe { traceback(class.obj(), value.obj(), trace.obj()) };
    write(stderr, &format!("Exception in thread {name}:\n{traceback}"))
}
