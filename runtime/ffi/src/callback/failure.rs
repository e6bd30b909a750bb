//! What happens when the Python function of a callback fails: CFFI's contract. `onerror` is asked first; what it does
//! not handle is reported as an "unraisable" exception, and C gets the `error=` value.

use std::ffi::c_void;
use std::sync::Arc;

use pyo3::ffi;

use super::PythonFunction;
use super::headroom::Headroom;
use crate::errors;
use crate::py::code_texts::CodeTexts;
use crate::py::{Exception, Live, Obj, Raised, Ref, Res, write_unraisable};

/// What is known of a failure that Python code did not handle.
pub struct Failure<'a> {
    /// "Exception ignored from cffi callback ...": the headline that goes above the traceback.
    pub headline: &'a str,
    /// The exception's class.
    pub class: Obj,
    /// The exception.
    pub value: Obj,
    /// Its traceback, or NULL.
    pub traceback: Obj,
}

/// Gets the failures of a function instead of `sys.unraisablehook`. Called with the GIL held and no exception set, once
/// for the function's own failure and once more if `onerror` failed too; must leave no exception set. Returns false to
/// have the failure printed as CFFI does.
pub type ErrorSink = fn(data: *mut c_void, failure: &Failure<'_>) -> bool;

/// Where it failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// While arguments were made, or in the Python function.
    Call,
    /// While its result, which this is, was converted.
    Result(Obj),
}

/// Deals with a failure: afterwards no exception is set, and `result` holds the result for C. `batch` keeps it where the
/// call is for an element of a batch, which reports it at its end.
///
/// # Safety
/// The GIL is held; `result` has room for the result, at least 8 bytes.
#[cold]
#[inline(never)]
pub(super) unsafe fn handle(
    function: &PythonFunction,
    stage: Stage,
    raised: Raised,
    result: *mut u8,
    batch: Option<&mut Failures>,
) {
    // SAFETY: as long as the result, and at least 8 bytes: what `result` has room for. A void function has no result.
    unsafe {
        if function.plan().result_size > 0 {
            function
                .error
                .as_ptr()
                .copy_to_nonoverlapping(result, function.error.len());
        }
    }
    let Some(exception) = Exception::fetch(raised) else {
        return;
    };
    // SAFETY: live objects.
    let is_recursion = unsafe {
        ffi::PyType_IsSubtype(
            exception.class.as_ptr().cast(),
            ffi::PyExc_RecursionError.cast(),
        ) != 0
    };
    let _headroom = is_recursion.then(Headroom::make).flatten();
    let Some(onerror) = &function.onerror else {
        match batch {
            Some(batch) => batch.take(exception, || headline(function, stage)),
            None => report(function.sink, &headline(function, stage), exception),
        }
        return;
    };
    // SAFETY: live objects; `result` as the caller promised.
    if let Err(raised) = unsafe { ask(onerror, &exception, function, result) } {
        let second = Exception::fetch(raised);
        if let Some(batch) = batch {
            return batch.take(exception, || headline(function, stage));
        }
        report(function.sink, &headline(function, stage), exception);
        if let Some(second) = second {
            report(
                function.sink,
                "Exception ignored during handling of the above exception by 'onerror'",
                second,
            );
        }
    }
}

/// Calls onerror; what it returns, unless None, is the result.
///
/// # Safety
/// `result` has room for the function's result, at least 8 bytes.
unsafe fn ask(
    onerror: &Ref,
    exception: &Exception,
    function: &PythonFunction,
    result: *mut u8,
) -> Res<()> {
    // SAFETY: live objects.
    unsafe {
        let traceback = exception.traceback.as_ref().map_or(Live::none(), Ref::live);
        let args = [exception.class.live(), exception.value.live(), traceback];
        let answer = onerror.live().call_with_all(args)?;
        if answer.live().is_none() {
            Ok(())
        } else {
            function.plan().write_result(answer.live(), result)
        }
    }
}

/// CFFI's headline; in a plugin, whose host knows nothing of CFFI, one of our own.
fn headline(function: &PythonFunction, stage: Stage) -> String {
    let is_plugin_s = function.sink.is_some() && !errors::is_as_cffi();
    let is_ours = is_plugin_s || errors::are_words_ours();
    let mut text = String::with_capacity(256);
    text.push_str(match (is_plugin_s, is_ours) {
        (true, _) => "Exception ignored from the plugin's function ",
        (_, true) => "Exception ignored from the callback ",
        _ => "Exception ignored from cffi callback ",
    });
    match function.callable.live().repr() {
        Ok(repr) => text.push_str(text_or_mark(&repr)),
        Err(raised) => {
            raised.clear();
            text.push_str("<object repr() failed>");
        }
    }
    match stage {
        Stage::Call => {}
        Stage::Result(value) if is_ours => add_wrong_result(&mut text, function, value),
        Stage::Result(_) => text.push_str(", trying to convert the result back to C"),
    }
    text
}

/// The text of what a `repr()` returned; a question mark where UTF-8 cannot say it.
fn text_or_mark(repr: &Ref) -> &str {
    match repr.live().text() {
        Ok(text) => text.unwrap_or("?"),
        Err(raised) => {
            raised.clear();
            "?"
        }
    }
}

/// Adds what a function returned, and what it should have; and where it is defined.
fn add_wrong_result(text: &mut String, function: &PythonFunction, value: Obj) {
    let wanted = function
        .ctype
        .signature()
        .map_or("?", |signature| &*signature.result.name);
    // SAFETY: the caller keeps the result alive.
    let value = unsafe { Live::new(value) };
    let class = value.type_name();
    // Of our own classes the module's name says nothing to the reader: it is left out.
    let class = ["keelback.", "_cffi_backend."]
        .iter()
        .find_map(|module| class.strip_prefix(module))
        .unwrap_or(&class);
    match definition(function.callable.obj()) {
        Ok(place) => text.push_str(&place),
        Err(raised) => raised.clear(),
    }
    text.push_str(", whose result is '");
    text.push_str(wanted);
    text.push_str("' in C: it returned ");
    add_shown(text, value);
    text.push_str(" (");
    text.push_str(class);
    text.push(')');
}

/// Adds the repr of an object, as much of it as a reader may want to see.
fn add_shown(text: &mut String, object: Live) {
    const MOST: usize = 80;
    match object.repr() {
        Ok(repr) => {
            let shown = text_or_mark(&repr);
            match shown.char_indices().nth(MOST) {
                None => text.push_str(shown),
                Some((end, _)) => {
                    text.push_str(&shown[..end]);
                    text.push_str("...");
                }
            }
        }
        Err(raised) => {
            raised.clear();
            text.push_str("an object without repr()");
        }
    }
}

/// ` (FILE, line N)` of a function's `def`; nothing for another callable. Looked up once for each code.
fn definition(callable: Obj) -> Res<Arc<str>> {
    static DEFINITIONS: CodeTexts = CodeTexts::new();
    // SAFETY: a live object, the GIL is held.
    let code: Ref =
        unsafe { Ref::steal(ffi::PyObject_GetAttrString(callable, c"__code__".as_ptr()))? };
    if let Some(known) = DEFINITIONS.get(&code, 0) {
        return Ok(known);
    }
    let found: Arc<str> = look_up_definition(&code)?.into();
    DEFINITIONS.keep(code, 0, &found);
    Ok(found)
}

fn look_up_definition(code: &Ref) -> Res<String> {
    // SAFETY: live objects; the GIL is held.
    unsafe {
        let get = |object: Obj, name: &std::ffi::CStr| {
            Ref::<ffi::PyObject>::steal(ffi::PyObject_GetAttrString(object, name.as_ptr()))
        };
        let file = get(code.obj(), c"co_filename")?;
        let first = get(code.obj(), c"co_firstlineno")?;
        let first = ffi::PyLong_AsLong(first.obj());
        if first < 0 {
            return Err(Raised::already());
        }
        let lines = crate::py::import(c"linecache")?;
        // co_firstlineno is the line of the first decorator; the line with `def` comes after it.
        let mut line = first;
        for number in first..first + 50 {
            let text = Ref::<ffi::PyObject>::steal(ffi::PyObject_CallMethod(
                lines.obj(),
                c"getline".as_ptr(),
                c"Ol".as_ptr(),
                file.obj(),
                number,
            ))?;
            let text = text.live().text()?.unwrap_or("").trim_start();
            if text.starts_with("def ") || text.starts_with("async def ") {
                line = number;
                break;
            }
            if text.is_empty() || text.contains("lambda") {
                break;
            }
        }
        let file = file.live().text()?.unwrap_or("?");
        Ok(format!(" ({file}, line {line})"))
    }
}

/// What failed in a batch: the first exception, and how many elements.
#[derive(Default)]
pub(super) struct Failures {
    /// The element that is called for.
    index: usize,
    count: usize,
    /// Its headline, the exception and its index.
    first: Option<(String, Exception, usize)>,
    /// An exception that is no error of one element (KeyboardInterrupt, SystemExit) ends the batch.
    is_over: bool,
}

impl Failures {
    /// What comes is called for this element.
    pub(super) fn element(&mut self, index: usize) {
        self.index = index;
    }

    /// Whether the last failure ended the batch.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// One element has failed.
    fn take(&mut self, exception: Exception, headline: impl FnOnce() -> String) {
        self.count += 1;
        // SAFETY: an exception's class is a live type.
        let is_error = unsafe {
            ffi::PyType_IsSubtype(exception.class.as_ptr().cast(), ffi::PyExc_Exception.cast()) != 0
        };
        self.is_over = !is_error;
        // What ends the batch is what the caller has to know.
        if self.first.is_none() || self.is_over {
            self.first = Some((headline(), exception, self.index));
        }
    }

    /// Reports what failed of so many elements, if anything did.
    pub(super) fn report(self, elements: usize, sink: Option<(ErrorSink, *mut c_void)>) {
        let Some((headline, exception, index)) = self.first else {
            return;
        };
        let rest = match self.count {
            _ if self.is_over => "; the batch ended there".to_owned(),
            1 => String::new(),
            count => format!("; {count} of them failed"),
        };
        let headline = headline.trim_end_matches([':', '\n']);
        let headline = format!("{headline}, for element {index} of {elements}{rest}");
        report(sink, &headline, exception);
    }
}

/// Tells the sink, or `sys.unraisablehook`, of a failure.
pub(super) fn report(sink: Option<(ErrorSink, *mut c_void)>, headline: &str, exception: Exception) {
    if let Some((sink, data)) = sink {
        let failure = Failure {
            headline,
            class: exception.class.obj(),
            value: exception.value.obj(),
            traceback: exception
                .traceback
                .as_ref()
                .map_or(std::ptr::null_mut(), Ref::obj),
        };
        if sink(data, &failure) {
            return;
        }
    }
    let _set = exception.restore();
    let context = headline
        .strip_prefix("Exception ignored ")
        .unwrap_or(headline);
    // SAFETY: an exception is set.
    unsafe { write_unraisable(context, std::ptr::null_mut()) }
}
