//! Failures as C sees them: `NAME_last_error`, the error handler, or standard error.

use std::cell::{Cell, OnceCell, RefCell};
use std::ffi::{CStr, CString, c_char, c_void};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keelback_codegen::abi::{keelback_error_handler_t, keelback_plugin_t};
use pyo3::ffi;

use super::binding::Binding;
use super::traceback;
use keelback_ffi::attach::{Thread, output, threads, write_to_stderr};
use keelback_ffi::callback::Failure;
use keelback_ffi::py::{Exception, Live, Raised, Ref, Res, sys};

thread_local! {
    /// The last failure of each plugin on this thread.
    static LAST: RefCell<Vec<Last>> = const { RefCell::new(Vec::new()) };
    /// Whether an error handler runs on this thread.
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

struct Last {
    /// Its address.
    plugin: usize,
    text: Text,
    /// The text for C, made when it is asked for.
    for_c: OnceCell<CString>,
    kind: Kind,
}

enum Text {
    Whole(String),
    Call(&'static Binding, Rc<FailedCall>),
}

/// A call whose Python function failed.
struct FailedCall {
    /// [`Described::line`]
    line: String,
    /// The headline and the traceback.
    printed: String,
}

impl Last {
    fn for_c(&self) -> &CStr {
        self.for_c.get_or_init(|| match &self.text {
            Text::Whole(text) => c_text(text),
            // A handler gets the function's name as an argument; here it is in the text.
            Text::Call(binding, call) => c_text(&format!(
                "{}.{}: {}\n{}",
                binding.plugin().name(),
                binding.name().to_string_lossy(),
                call.line,
                call.printed
            )),
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Call,
    Start,
    /// The failure of a start that was tried again and has succeeded. The host may still hold the text.
    Over,
}

/// Guards the handler fields of all plugins: a handler and its data are read and written together.
static HANDLERS: Mutex<()> = Mutex::new(());

/// The lock of the error handlers, for a fork, which holds it.
pub fn lock_handlers() -> MutexGuard<'static, ()> {
    HANDLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers a failure as this thread's last one.
pub fn record(plugin: *const keelback_plugin_t, text: &str) {
    remember(plugin, Text::Whole(text.to_owned()), Kind::Call);
}

/// As [`record`], but the failure is forgotten when the plugin is started.
pub fn record_start(plugin: *const keelback_plugin_t, text: &str) {
    remember(plugin, Text::Whole(text.to_owned()), Kind::Start);
}

/// keelback_runtime_t.record
///
/// # Safety
/// Called by a plugin's loader: its record, and a C string.
pub unsafe extern "C" fn record_of_loader(plugin: *mut keelback_plugin_t, text: *const c_char) {
    // SAFETY: a C string, by the ABI.
    let text = unsafe { CStr::from_ptr(text) };
    record_start(plugin, &text.to_string_lossy());
}

/// Forgets the failures of a plugin's start, which has succeeded now.
pub fn forget_start(plugin: *const keelback_plugin_t) {
    let _ = LAST.try_with(|last| {
        for last in last.borrow_mut().iter_mut() {
            if last.plugin == plugin as usize && last.kind == Kind::Start {
                last.kind = Kind::Over;
            }
        }
    });
}

fn remember(plugin: *const keelback_plugin_t, text: Text, kind: Kind) {
    let entry = Last {
        plugin: plugin as usize,
        text,
        for_c: OnceCell::new(),
        kind,
    };
    // A thread that is ending has no last error any more.
    let _ = LAST.try_with(|last| {
        let mut last = last.borrow_mut();
        match last.iter_mut().find(|last| last.plugin == entry.plugin) {
            Some(old) => *old = entry,
            None => last.push(entry),
        }
    });
}

fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\\0")).unwrap_or_default()
}

/// keelback_runtime_t.last_error
///
/// # Safety
/// Called by a plugin's loader: its record.
pub unsafe extern "C" fn last_error(plugin: *mut keelback_plugin_t) -> *const c_char {
    LAST.try_with(|last| {
        let last = last.borrow();
        last.iter()
            .find(|last| last.plugin == plugin as usize && last.kind != Kind::Over)
            .map_or(std::ptr::null(), |last| last.for_c().as_ptr())
    })
    .unwrap_or(std::ptr::null())
}

/// keelback_runtime_t.set_error_handler
///
/// # Safety
/// Called by a plugin's loader: its record; the host promises that `data` is good for the handler on any thread.
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

/// Gives a failure to the plugin's handler; false if there is none, or if one runs on this thread already: what it calls
/// may fail again and again. The handler runs outside of Python: it may wait for other threads.
fn handle(
    plugin: *const keelback_plugin_t,
    function: &CStr,
    text: impl FnOnce() -> CString,
) -> bool {
    if IN_HANDLER.get() {
        return false;
    }
    let (handler, data) = {
        let _guard = lock_handlers();
        // SAFETY: a plugin lives as long as the process; its handler fields are guarded.
        unsafe { ((*plugin).error_handler, (*plugin).error_handler_data) }
    };
    let Some(handler) = handler else { return false };
    let text = text();
    IN_HANDLER.set(true);
    // SAFETY: the host's function, with what its type says.
    threads::detached(|| unsafe { handler(function.as_ptr(), text.as_ptr(), data) });
    IN_HANDLER.set(false);
    true
}

/// A failure that has no Python exception: remembered, and given to the handler or written to standard error.
pub fn report(plugin: *const keelback_plugin_t, function: &CStr, text: &str) {
    record(plugin, text);
    if handle(plugin, function, || c_text(text)) {
        return;
    }
    if threads::is_attached() && !threads::has_ended() {
        output::flush_if_written(Thread::here());
    }
    write_to_stderr(text);
}

/// Gets the failures of a plugin's functions from `callback::invoke`. `data` is the function's [`Binding`].
///
/// One that no handler takes is printed here, so that its traceback shows the source of the init code: CPython's own
/// hook looks for a file. A `sys.unraisablehook` that somebody else set is left to do its work.
pub fn sink(data: *mut c_void, failure: &Failure<'_>) -> bool {
    // SAFETY: set together with the function; bindings live as long as the process.
    let binding: &'static Binding = unsafe { &*data.cast::<Binding>() };
    // SAFETY: each is alive during the call, or NULL, by the sink's contract.
    let [class, value, traceback] = [failure.class, failure.value, failure.traceback]
        .map(|object| unsafe { Live::or_null(object) });
    let described = describe(class, value, traceback);
    let headline = failure.headline.trim_end_matches([':', '\n']);
    let call = Rc::new(FailedCall {
        line: described.line,
        printed: [headline, ":\n", &described.traceback].concat(),
    });
    let plugin = binding.plugin().record();
    remember(plugin, Text::Call(binding, call.clone()), Kind::Call);
    if handle(plugin, binding.name(), || {
        c_text(&format!("{}\n{}", call.line, call.printed))
    }) {
        return true;
    }
    print_as_unraisable(&call.printed).unwrap_or_else(|raised| {
        // At the recursion limit no Python code can run that would print.
        raised.clear();
        write_to_stderr(&call.printed);
        true
    })
}

/// Writes to `sys.stderr` if unraisable exceptions are still printed there; else returns false.
fn print_as_unraisable(text: &str) -> Res<bool> {
    let (hook, original) = (
        sys::object(c"unraisablehook"),
        sys::object(c"__unraisablehook__"),
    );
    let is_original = hook.is_some_and(|hook| original.is_some_and(|is| is.obj() == hook.obj()));
    let stderr = sys::object(c"stderr").filter(|stderr| !stderr.live().is_none());
    let Some(stderr) = stderr.filter(|_| is_original) else {
        return Ok(false);
    };
    let text = keelback_ffi::py::str_from(text)?;
    stderr.live().write(text.live())?;
    Ok(true)
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
        Some(taken) => describe(
            Some(taken.class.live()),
            Some(taken.value.live()),
            taken.traceback.as_ref().map(Ref::live),
        ),
        None => Described {
            line: "unknown error".into(),
            traceback: "unknown error\n".into(),
        },
    }
}

/// The texts of an exception. No exception is set.
pub(super) fn describe(
    class: Option<Live>,
    value: Option<Live>,
    traceback: Option<Live>,
) -> Described {
    match traceback::format(class, value, traceback) {
        Ok((traceback, None)) => Described {
            line: one_line(class, value),
            traceback,
        },
        Ok((traceback, Some(line))) => Described { line, traceback },
        Err(raised) => {
            raised.clear();
            let line = one_line(class, value);
            let traceback = format!("{}{line}\n", places(traceback));
            Described { line, traceback }
        }
    }
}

/// Where the exception passed, as Python prints it but without the lines of source: for when Python cannot. No exception
/// is set.
fn places(traceback: Option<Live>) -> String {
    let mut next = traceback.map(Live::to_ref);
    let mut text = String::new();
    while let Some(here) = next.filter(|here| !here.live().is_none()) {
        match line_of_place(here.live()) {
            Ok(place) => text += &place,
            Err(raised) => raised.clear(),
        }
        next = here
            .live()
            .attribute(c"tb_next")
            .map_err(Raised::clear)
            .ok();
    }
    if !text.is_empty() {
        text.insert_str(0, "Traceback (most recent call last):\n");
    }
    text
}

/// `File "FILE", line N, in FUNCTION`, as the traceback of one place begins.
fn line_of_place(traceback: Live) -> Res<String> {
    let frame = traceback.attribute(c"tb_frame")?;
    let code = frame.live().attribute(c"f_code")?;
    let line = traceback.attribute(c"tb_lineno")?;
    let (file, function) = (
        code.live().attribute(c"co_filename")?,
        code.live().attribute(c"co_name")?,
    );
    let line = line.live().small_int().unwrap_or(-1);
    let (file, function) = (file.live().any_text()?, function.live().any_text()?);
    Ok(format!("  File \"{file}\", line {line}, in {function}\n"))
}

/// As in a traceback: `ValueError`, `decimal.InvalidOperation`. No exception is set.
fn class_name(class: Option<Live>) -> String {
    let Some(class) = class.filter(|class| class.is_type()) else {
        return "Exception".to_string();
    };
    // SAFETY: a live class, whose struct this is; its name is a C string, which is copied.
    let (name, is_of_python) = unsafe {
        let class = class.ptr().cast::<ffi::PyTypeObject>();
        (
            CStr::from_ptr((*class).tp_name)
                .to_string_lossy()
                .into_owned(),
            ffi::PyType_HasFeature(class, ffi::Py_TPFLAGS_HEAPTYPE) != 0,
        )
    };
    // A class of Python code has its module in an attribute.
    if !is_of_python || name.contains('.') {
        return name;
    }
    let module = class
        .attribute(c"__module__")
        .and_then(|module| Ok(module.live().text()?.map(str::to_owned)))
        .unwrap_or_else(|raised| {
            raised.clear();
            None
        });
    match module.as_deref() {
        None | Some("builtins" | "__main__") => name,
        Some(module) => format!("{module}.{name}"),
    }
}

/// The last line of a traceback. No exception is set.
fn one_line(class: Option<Live>, value: Option<Live>) -> String {
    let class = class_name(class);
    let Some(value) = value else {
        return class;
    };
    let text = match value.str().and_then(|text| text.live().any_text()) {
        Ok(text) => text,
        Err(raised) => {
            raised.clear();
            format!("<the exception's __str__ failed: {}>", value.type_name())
        }
    };
    match text.lines().next() {
        None | Some("") => class,
        Some(first) => format!("{class}: {first}"),
    }
}
