//! Exceptions that nobody catches, as Python itself prints them: `sys.excepthook`, `sys.unraisablehook`, and
//! `threading.excepthook`. What does that by default is C (up to 3.12, and later for some), and looks for the lines of the
//! source in a file: init code is none, and another file may have its name. Ours say the same, with the right lines.

use std::ffi::CStr;

use pyo3::ffi;

use super::last_error;
use keelback_ffi::py::{
    END_OF_METHODS, Live, Methods, Obj, Ref, Res, guard, none, positional, simple, str_from, sys,
};

/// Puts hooks of ours in the place of the default ones. The GIL is held, the interpreter is ours. A failure leaves all as
/// it is.
pub fn install() {
    let places = [
        (c"sys", c"excepthook", c"__excepthook__", &EXCEPTION),
        (
            c"sys",
            c"unraisablehook",
            c"__unraisablehook__",
            &UNRAISABLE,
        ),
        // threading takes its hook from _thread; `site` may have imported threading before.
        (c"_thread", c"_excepthook", c"", &THREAD),
        (c"threading", c"excepthook", c"__excepthook__", &THREAD),
    ];
    let done = places
        .into_iter()
        .try_for_each(|(module, name, second, hook)| replace(module, name, second, hook));
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
fn replace(module: &CStr, name: &CStr, second: &CStr, ours: &'static Methods<2>) -> Res<()> {
    let Some(module) = sys::loaded(module) else {
        return Ok(());
    };
    let default = module.live().attribute(name)?;
    // `site` or a .pth file may have put a hook of its own there, which stays. And `threading` copies its hook from
    // `_thread`: if it was imported after that one was replaced, it has ours already.
    // SAFETY: the reference keeps the object alive; it is checked to be a built-in function before its `m_ml` is read.
    let is_default = unsafe {
        ffi::PyCFunction_Check(default.obj()) != 0
            && (*default.obj().cast::<ffi::PyCFunctionObject>()).m_ml != ours.ptr()
    };
    if !is_default {
        return Ok(());
    }
    let hook = ours.function(0, Some(default.live()))?;
    for name in [name, second] {
        if !name.is_empty() {
            module.live().set_attribute(name, hook.live())?;
        }
    }
    Ok(())
}

/// Has a hook do its work; where it cannot, the default one does.
fn or_default(default: Live, args: &[Live], print: impl FnOnce(&Ref) -> Res<bool>) -> Res<Ref> {
    if let Some(stderr) = sys::object(c"stderr").filter(|stderr| !stderr.live().is_none()) {
        match print(&stderr) {
            Ok(true) => return Ok(none()),
            Ok(false) => {}
            Err(raised) => raised.clear(),
        }
    }
    // SAFETY: all are alive, and a `Live` is in memory what an object's address is.
    unsafe {
        Ref::steal(ffi::PyObject_Vectorcall(
            default.ptr(),
            args.as_ptr().cast(),
            args.len(),
            std::ptr::null_mut(),
        ))
    }
}

/// Writes a text, and flushes.
fn write(stderr: &Ref, text: &str) -> Res<bool> {
    let text = str_from(text)?;
    stderr.live().write(text.live())?;
    if let Err(raised) = stderr.live().call_method(c"flush") {
        raised.clear();
    }
    Ok(true)
}

/// The traceback of an exception, with its last line. No exception is set.
fn traceback(class: Live, value: Live, traceback: Live) -> String {
    let traceback = Some(traceback).filter(|traceback| !traceback.is_none());
    last_error::describe(Some(class), Some(value), traceback).traceback
}

/// `sys.excepthook` of a plugin's Python.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn excepthook(default: Obj, args: *mut Obj, count: isize) -> Obj {
    guard(|| {
        // SAFETY: Python keeps the function's self and its `count` arguments alive during the call, and a `Live` is in
        // memory what an object's address is.
        let (default, args) = unsafe {
            (
                Live::new(default),
                std::slice::from_raw_parts(args.cast::<Live>(), count as usize),
            )
        };
        // CPython's functions leave no exception set where they are asked for a text.
        or_default(default, args, |stderr| match args {
            &[class, value, trace] if value.is_exception() => {
                write(stderr, &traceback(class, value, trace))
            }
            _ => Ok(false),
        })
    })
}

/// `sys.unraisablehook` of a plugin's Python.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn unraisablehook(default: Obj, arguments: Obj) -> Obj {
    guard(|| {
        // SAFETY: Python keeps the function's self and its argument alive during the call.
        let (default, arguments) = unsafe { (Live::new(default), Live::new(arguments)) };
        or_default(default, &[arguments], |stderr| {
            print_unraisable(arguments, stderr)
        })
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
    if !value.live().is_exception() {
        return Ok(false);
    }
    let mut text = String::new();
    if !message.live().is_none() {
        text += &message.live().str()?.live().any_text()?;
        text += ":";
    } else if !object.live().is_none() {
        text += "Exception ignored in:";
    }
    if !object.live().is_none() {
        let object = object
            .live()
            .repr()
            .and_then(|repr| repr.live().any_text())
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
    text += &traceback(class.live(), value.live(), trace.live());
    write(stderr, &text)
}

/// `threading.excepthook` of a plugin's Python.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn thread_hook(default: Obj, arguments: Obj) -> Obj {
    guard(|| {
        // SAFETY: Python keeps the function's self and its argument alive during the call.
        let (default, arguments) = unsafe { (Live::new(default), Live::new(arguments)) };
        or_default(default, &[arguments], |stderr| {
            print_of_thread(arguments, stderr)
        })
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
    let name = thread
        .live()
        .attribute(c"name")?
        .live()
        .str()?
        .live()
        .any_text()?;
    let traceback = traceback(class.live(), value.live(), trace.live());
    write(stderr, &format!("Exception in thread {name}:\n{traceback}"))
}
