//! Failures as C sees them: `NAME_last_error`, the error handler, or standard error.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use keelback_codegen::abi::{keelback_error_handler_t, keelback_plugin_t};
use pyo3::ffi;

use super::dispatch::Binding;
use super::{init_code, output, threads};
use crate::callback::Failure;
use crate::py::{Exception, Obj, Raised, Ref, Res, str_text, type_name};

thread_local! {
    /// The last failure of each plugin (by address) on this thread, and whether it was one of the start.
    static LAST: RefCell<Vec<(usize, CString, bool)>> = const { RefCell::new(Vec::new()) };
}

/// Guards the handler fields of all plugins: a handler and its data are read and written together.
static HANDLERS: Mutex<()> = Mutex::new(());

/// Taken over a fork.
pub fn lock_handlers() -> MutexGuard<'static, ()> {
    HANDLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers a failure as this thread's last one.
pub fn record(plugin: *const keelback_plugin_t, text: &str) {
    remember(plugin, text, false);
}

/// Likewise, until the plugin is started.
pub fn record_start(plugin: *const keelback_plugin_t, text: &str) {
    remember(plugin, text, true);
}

/// The plugin is started: what stood in the way does so no longer.
pub fn forget_start(plugin: *const keelback_plugin_t) {
    let _ = LAST.try_with(|last| {
        last.borrow_mut()
            .retain(|(of, _, start)| *of != plugin as usize || !start);
    });
}

fn remember(plugin: *const keelback_plugin_t, text: &str, start: bool) {
    let entry = (plugin as usize, c_text(text), start);
    // A thread that is ending has no last error any more.
    let _ = LAST.try_with(|last| {
        let mut last = last.borrow_mut();
        match last.iter_mut().find(|(of, _, _)| *of == entry.0) {
            Some(old) => *old = entry,
            None => last.push(entry),
        }
    });
}

fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\\0")).unwrap_or_default()
}

/// keelback_runtime_t.last_error
pub unsafe extern "C" fn last_error(plugin: *mut keelback_plugin_t) -> *const c_char {
    LAST.try_with(|last| {
        let last = last.borrow();
        last.iter()
            .find(|(of, _, _)| *of == plugin as usize)
            .map_or(std::ptr::null(), |(_, text, _)| text.as_ptr())
    })
    .unwrap_or(std::ptr::null())
}

/// keelback_runtime_t.set_error_handler
pub unsafe extern "C" fn set_error_handler(
    plugin: *mut keelback_plugin_t,
    handler: keelback_error_handler_t,
    data: *mut c_void,
) {
    let _guard = lock_handlers();
    // SAFETY: a plugin by the ABI; its handler fields are the runtime's.
    unsafe {
        (*plugin).error_handler = handler;
        (*plugin).error_handler_data = data;
    }
}

/// Gives a failure to the plugin's handler; false if there is none. The handler runs outside of Python: it may wait for
/// other threads.
fn handle(plugin: *const keelback_plugin_t, function: &CStr, text: &str) -> bool {
    let (handler, data) = {
        let _guard = lock_handlers();
        // SAFETY: a plugin lives as long as the process; its handler fields are guarded.
        unsafe { ((*plugin).error_handler, (*plugin).error_handler_data) }
    };
    let Some(handler) = handler else { return false };
    let text = c_text(text);
    // SAFETY: the host's function, with what its type says.
    threads::detached(|| unsafe { handler(function.as_ptr(), text.as_ptr(), data) });
    true
}

/// A failure that has no Python exception: remembered, and given to the handler or written to standard error.
pub fn report(plugin: *const keelback_plugin_t, function: &CStr, text: &str) {
    record(plugin, text);
    if handle(plugin, function, text) {
        return;
    }
    if threads::is_attached() && !threads::has_ended() {
        output::flush_if_written();
    }
    write_to_stderr(text);
}

pub(super) fn write_to_stderr(text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        // SAFETY: valid memory; a closed standard error is no failure of ours.
        let written = unsafe { libc::write(2, rest.as_ptr().cast(), rest.len()) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => rest = &rest[written..],
            _ => break,
        }
    }
}

/// Gets the failures of a plugin's functions from `callback::invoke`. `data` is the function's [`Binding`].
///
/// One that no handler takes is printed here, so that its traceback shows the source of the init code: CPython's own
/// hook looks for a file. A `sys.unraisablehook` that somebody else set is left to do its work.
pub fn sink(data: *mut c_void, failure: &Failure<'_>) -> bool {
    // SAFETY: set together with the function; bindings live as long as the process.
    let binding = unsafe { &*data.cast::<Binding>() };
    // SAFETY: live objects, by the sink's contract.
    let described = unsafe { describe(failure.class, failure.value, failure.traceback) };
    let headline = failure.headline.trim_end_matches([':', '\n']);
    let text = format!("{}\n{headline}:\n{}", described.line, described.traceback);
    // A handler is given the function's name, `last_error` has no other place for it.
    record(
        binding.plugin().record(),
        &format!(
            "{}.{}: {text}",
            binding.plugin().name(),
            binding.name().to_string_lossy()
        ),
    );
    if handle(binding.plugin().record(), binding.name(), &text) {
        return true;
    }
    let text = format!("{headline}:\n{}", described.traceback);
    print_as_unraisable(&text).unwrap_or_else(|raised| {
        // At the recursion limit nothing of Python works that could print.
        raised.clear();
        write_to_stderr(&text);
        true
    })
}

/// Writes to `sys.stderr` if unraisable exceptions are still printed there; else returns false.
fn print_as_unraisable(text: &str) -> Res<bool> {
    // SAFETY: the GIL is held; names are C strings; sys's objects are borrowed and live.
    unsafe {
        let (hook, original) = (
            ffi::PySys_GetObject(c"unraisablehook".as_ptr()),
            ffi::PySys_GetObject(c"__unraisablehook__".as_ptr()),
        );
        let stderr = ffi::PySys_GetObject(c"stderr".as_ptr());
        if hook.is_null() || hook != original || stderr.is_null() || stderr == ffi::Py_None() {
            return Ok(false);
        }
        let stderr = Ref::borrow(stderr);
        let text = crate::py::str_from(text)?;
        if ffi::PyFile_WriteObject(text.obj(), stderr.obj(), ffi::Py_PRINT_RAW) < 0 {
            return Err(Raised::already());
        }
        Ok(true)
    }
}

/// An exception as text.
pub struct Described {
    /// "ImportError: No module named 'numpy'", without a line end.
    pub line: String,
    /// What Python prints, to the last line end; just `line` when there is no traceback.
    pub traceback: String,
}

/// Takes the exception that is set.
pub fn take_exception(raised: Raised) -> Described {
    match Exception::fetch(raised) {
        // SAFETY: live objects; no exception is set now.
        Some(taken) => unsafe {
            describe(
                taken.class.obj(),
                taken.value.obj(),
                taken.traceback_or_null(),
            )
        },
        None => Described {
            line: "unknown error".into(),
            traceback: "unknown error\n".into(),
        },
    }
}

/// # Safety
/// Live objects or NULL; the GIL is held and no exception is set.
unsafe fn describe(class: Obj, value: Obj, traceback: Obj) -> Described {
    // SAFETY: the caller's contract.
    unsafe {
        let line = one_line(class, value);
        let traceback = format_exception(class, value, traceback).unwrap_or_else(|raised| {
            raised.clear();
            format!("{line}\n")
        });
        Described { line, traceback }
    }
}

/// As in a traceback: `ValueError`, `decimal.InvalidOperation`.
unsafe fn class_name(class: Obj) -> String {
    // SAFETY: the caller's contract.
    unsafe {
        if class.is_null() || ffi::PyType_Check(class) == 0 {
            return "Exception".to_string();
        }
        let name = std::ffi::CStr::from_ptr((*class.cast::<ffi::PyTypeObject>()).tp_name)
            .to_string_lossy()
            .into_owned();
        // A class of Python code has its module in an attribute.
        if ffi::PyType_HasFeature(class.cast(), ffi::Py_TPFLAGS_HEAPTYPE) == 0 || name.contains('.')
        {
            return name;
        }
        let module = Ref::steal(ffi::PyObject_GetAttrString(class, c"__module__".as_ptr()))
            .and_then(|module| Ok(str_text(module.obj())?.map(str::to_owned)))
            .unwrap_or_else(|raised| {
                raised.clear();
                None
            });
        match module.as_deref() {
            None | Some("builtins" | "__main__") => name,
            Some(module) => format!("{module}.{name}"),
        }
    }
}

unsafe fn one_line(class: Obj, value: Obj) -> String {
    // SAFETY: the caller's contract.
    unsafe {
        let class = class_name(class);
        if value.is_null() {
            return class;
        }
        let text = match Ref::steal(ffi::PyObject_Str(value)) {
            Ok(text) => match str_text(text.obj()) {
                Ok(text) => text.unwrap_or_default().to_string(),
                Err(raised) => {
                    raised.clear();
                    String::new()
                }
            },
            Err(raised) => {
                raised.clear();
                format!("<the exception's __str__ failed: {}>", type_name(value))
            }
        };
        if text.is_empty() {
            class
        } else {
            format!("{class}: {}", text.lines().next().unwrap_or_default())
        }
    }
}

unsafe fn format_exception(class: Obj, value: Obj, traceback: Obj) -> Res<String> {
    // SAFETY: the caller's contract.
    unsafe {
        init_code::tell_linecache()?;
        let module = Ref::steal(ffi::PyImport_ImportModule(c"traceback".as_ptr()))?;
        let none = ffi::Py_None();
        let or_none = |object: Obj| if object.is_null() { none } else { object };
        let lines = Ref::steal(ffi::PyObject_CallMethod(
            module.obj(),
            c"format_exception".as_ptr(),
            c"OOO".as_ptr(),
            or_none(class),
            or_none(value),
            or_none(traceback),
        ))?;
        let empty = crate::py::str_from("")?;
        let text = Ref::steal(ffi::PyUnicode_Join(empty.obj(), lines.obj()))?;
        // Lone surrogates (file names) cannot be said in UTF-8.
        let bytes = Ref::steal(ffi::PyUnicode_AsEncodedString(
            text.obj(),
            c"utf-8".as_ptr(),
            c"backslashreplace".as_ptr(),
        ))?;
        let data = ffi::PyBytes_AsString(bytes.obj()).cast::<u8>();
        let length = ffi::PyBytes_Size(bytes.obj()) as usize;
        Ok(String::from_utf8_lossy(std::slice::from_raw_parts(data, length)).into_owned())
    }
}
