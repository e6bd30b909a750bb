//! Tracebacks as Python's module `traceback` formats them, at the price of a call.
//!
//! The text of one place in code (file, line, source, carets) is the module's, and is kept: the next failure there only
//! puts pieces together, also those of the exceptions that it was raised from or while. What is more than frames and one
//! line (groups, notes, syntax errors, suggestions for misspelt names) is the module's own work each time.

use std::ffi::CStr;
use std::sync::Arc;

use pyo3::ffi;

use super::{sources, whose};
use keelback_ffi::py::code_texts::CodeTexts;
use keelback_ffi::py::{Live, Obj, Ref, Res, any_text};

static PLACES: CodeTexts = CodeTexts::new();

/// `traceback.format_exception()` of an exception; and the line of it that says which one it is, where that is known without
/// making it.
///
/// No exception is set.
pub fn format(
    class: Option<Live>,
    value: Option<Live>,
    traceback: Option<Live>,
) -> Res<(String, Option<String>)> {
    let [class, value, traceback] =
        [class, value, traceback].map(|object| object.map_or(std::ptr::null_mut(), Live::ptr));
    // SAFETY: all three are alive or NULL, the GIL is held and no exception is set, as the three functions ask for, and
    // `put_all_together` is called where `is_plain` said so.
    unsafe {
        if is_plain(class, value)
            && let Some((text, start)) = put_all_together(class, value, traceback)?
        {
            let line = text[start..].lines().next().unwrap_or_default();
            // An empty line of text is none; a class has no colon in its name.
            let line = match line.strip_suffix(": ") {
                Some(class) if !class.contains(": ") => class,
                _ => line,
            }
            .to_owned();
            return Ok((text, Some(line)));
        }
        Ok((format_by_python(class, value, traceback)?, None))
    }
}

/// Whether the exception is nothing but a class, a text and a traceback, and what it was raised from or while.
///
/// # Safety
/// Each is a live object or NULL; the GIL is held and no exception is set.
unsafe fn is_plain(class: Obj, value: Obj) -> bool {
    // SAFETY: `class` and `value` were checked not to be NULL, so they are live, and the GIL is held (the caller's
    // contract). `class` was checked to be a type, and to be the type of `value`. The classes that it is compared with are
    // statics of libpython.
    unsafe {
        if class.is_null()
            || value.is_null()
            || !whose::is_main()
            || ffi::PyType_Check(class) == 0
            || ffi::Py_TYPE(value) != class.cast()
            || !ffi::PySys_GetObject(c"tracebacklimit".as_ptr()).is_null()
        {
            return false;
        }
        let told_more_about = [
            ffi::PyExc_SyntaxError,
            ffi::PyExc_NameError,
            ffi::PyExc_AttributeError,
            ffi::PyExc_ImportError,
            #[cfg(Py_3_11)]
            ffi::PyExc_BaseExceptionGroup,
        ];
        if told_more_about
            .iter()
            .any(|&base| ffi::PyType_IsSubtype(class.cast(), base.cast()) != 0)
        {
            return false;
        }
        !has_notes(value)
    }
}

/// Whether an exception has an attribute `__notes__`.
///
/// # Safety
/// `value` is a live exception, and the GIL is held.
unsafe fn has_notes(value: Obj) -> bool {
    // SAFETY: a live exception (the caller's contract), whose struct this is.
    unsafe {
        // An instance of a class that is not written in Python can have it in its dict only. (The question itself would
        // make an AttributeError, with its text.)
        let is_static = ffi::PyType_HasFeature(ffi::Py_TYPE(value), ffi::Py_TPFLAGS_HEAPTYPE) == 0;
        if is_static && (*value.cast::<ffi::PyBaseExceptionObject>()).dict.is_null() {
            return false;
        }
        ffi::PyObject_HasAttrString(value, c"__notes__".as_ptr()) != 0
    }
}

/// How an exception follows from the one that is told before it.
#[derive(Clone, Copy)]
enum Link {
    Cause,
    Context,
}

impl Link {
    /// `traceback._cause_message` and `traceback._context_message`.
    fn text(self) -> &'static str {
        match self {
            Self::Cause => {
                "\nThe above exception was the direct cause of the following exception:\n\n"
            }
            Self::Context => {
                "\nDuring handling of the above exception, another exception occurred:\n\n"
            }
        }
    }
}

/// Of longer chains the module `traceback` tells.
const LONGEST_CHAIN: usize = 100;

/// The text of an exception, with those that it was raised from or while, and where in it the exception's own line starts;
/// `None` where only the module `traceback` can tell it.
///
/// # Safety
/// As [`is_plain`], which said so; `traceback` likewise.
unsafe fn put_all_together(class: Obj, value: Obj, traceback: Obj) -> Res<Option<(String, usize)>> {
    // SAFETY: the three are live or NULL; those of the chain are held by `chain`; the GIL is held (the caller's contract).
    unsafe {
        let Some(chain) = chain_of(value)? else {
            return Ok(None);
        };
        let mut text = String::with_capacity(512);
        for (link, linked) in chain.iter().rev() {
            let traceback: Ref = match ffi::PyException_GetTraceback(linked.obj()) {
                traceback if traceback.is_null() => return Ok(None),
                traceback => Ref::steal(traceback)?,
            };
            let class = ffi::Py_TYPE(linked.obj()).cast();
            if put_together(&mut text, class, linked.obj(), traceback.obj())?.is_none() {
                return Ok(None);
            }
            text.push_str(link.text());
        }
        let start = put_together(&mut text, class, value, traceback)?;
        Ok(start.map(|start| (text, start)))
    }
}

/// What an exception was raised from or while, and what that was, as `traceback.TracebackException` finds them; `None` if one
/// of them is not plain, or if they are too many.
///
/// # Safety
/// `value` is a live exception; the GIL is held.
unsafe fn chain_of(value: Obj) -> Res<Option<Vec<(Link, Ref)>>> {
    let mut chain: Vec<(Link, Ref)> = Vec::new();
    // SAFETY: `value` is live (the caller's contract), and what follows it is held by `chain`. Both functions give a new
    // reference, or NULL without an exception.
    unsafe {
        loop {
            let last = chain.last().map_or(value, |(_, linked)| linked.obj());
            let is_new = |linked: &Ref| {
                linked.obj() != value && chain.iter().all(|(_, known)| known.obj() != linked.obj())
            };
            let owned = |linked: Obj| (!linked.is_null()).then(|| Ref::steal(linked)).transpose();
            let mut next = owned(ffi::PyException_GetCause(last))?
                .filter(is_new)
                .map(|cause| (Link::Cause, cause));
            if next.is_none()
                && let Some(context) = owned(ffi::PyException_GetContext(last))?.filter(is_new)
                && !suppresses_context(last)?
            {
                next = Some((Link::Context, context));
            }
            let Some((link, linked)) = next else {
                return Ok(Some(chain));
            };
            let class = ffi::Py_TYPE(linked.obj()).cast();
            if chain.len() == LONGEST_CHAIN || !is_plain(class, linked.obj()) {
                return Ok(None);
            }
            chain.push((link, linked));
        }
    }
}

/// `exception.__suppress_context__`
///
/// # Safety
/// `value` is a live exception; the GIL is held.
unsafe fn suppresses_context(value: Obj) -> Res<bool> {
    // SAFETY: `value` is live (the caller's contract).
    let suppresses = unsafe { Live::new(value) }.attribute(c"__suppress_context__")?;
    // SAFETY: a live object; no error is set by the truth of a bool, and of another object's it is told.
    match unsafe { ffi::PyObject_IsTrue(suppresses.obj()) } {
        -1 => Err(keelback_ffi::py::Raised::already()),
        is_true => Ok(is_true != 0),
    }
}

/// Adds the text, put together from kept pieces; returns where its last line, or lines, start, and `None` where only the
/// module `traceback` can tell it.
///
/// # Safety
/// As [`is_plain`], which said so; `traceback` likewise.
unsafe fn put_together(
    text: &mut String,
    class: Obj,
    value: Obj,
    traceback: Obj,
) -> Res<Option<usize>> {
    // SAFETY: `traceback` is live where it is not NULL; `class` and `value` are live, since `is_plain` said so; the GIL is
    // held (all are the caller's contract).
    unsafe {
        if !traceback.is_null() && traceback != ffi::Py_None() {
            text.push_str("Traceback (most recent call last):\n");
            add_places(text, traceback)?;
        }
        let start = text.len();
        Ok(add_last_line(text, class, value)?.then_some(start))
    }
}

/// `traceback._RECURSIVE_CUTOFF`: how often a place is shown that comes several times in a row.
const SHOWN: usize = 3;

/// Adds the lines of all places of a traceback.
///
/// # Safety
/// `traceback` is a live traceback; the GIL is held.
unsafe fn add_places(text: &mut String, traceback: Obj) -> Res<()> {
    let mut last: Option<(Ref, i32)> = None;
    let mut count = 0;
    let again = |text: &mut String, count: usize| {
        if count > SHOWN {
            let more = count - SHOWN;
            let s = if more > 1 { "s" } else { "" };
            text.push_str(&format!("  [Previous line repeated {more} more time{s}]\n"));
        }
    };
    // SAFETY: `traceback` is live where it is not NULL (the caller's contract); None excepted, it and all that come after it
    // in the chain are tracebacks. Each is held by a reference while it is looked at, because Python code that runs in
    // `place` (a loader's get_source(), for one) may cut the chain. A traceback keeps its frame.
    unsafe {
        let or_none = |traceback: *mut ffi::PyTracebackObject| {
            (!traceback.is_null()).then(|| Ref::borrow(traceback))
        };
        let mut next = or_none(traceback.cast());
        while let Some(here) = next.filter(|here| here.obj() != ffi::Py_None()) {
            let code: Ref = Ref::steal(ffi::PyFrame_GetCode(here.tb_frame).cast())?;
            let line = match here.tb_lineno {
                // CPython works the line number out only when somebody asks for it.
                -1 => ffi::PyCode_Addr2Line(code.as_ptr().cast(), here.tb_lasti),
                line => line,
            };
            let is_same = last
                .as_ref()
                .is_some_and(|(of, at)| of.obj() == code.obj() && *at == line);
            if !is_same {
                again(text, count);
                count = 0;
            }
            count += 1;
            if count <= SHOWN {
                text.push_str(&place(&code, here.as_ptr())?);
            }
            last = Some((code, line));
            next = or_none(here.tb_next);
        }
    }
    again(text, count);
    Ok(())
}

/// The lines of one place.
///
/// # Safety
/// `traceback` is a live traceback, and `code` the code of its frame; the GIL is held.
unsafe fn place(code: &Ref, traceback: *mut ffi::PyTracebackObject) -> Res<Arc<str>> {
    // SAFETY: `traceback` is live (the caller's contract).
    let at = unsafe { (*traceback).tb_lasti };
    if let Some(text) = PLACES.get(code, at) {
        return Ok(text);
    }
    sources::tell_linecache();
    // SAFETY: `traceback` is live and the GIL is held (the caller's contract); `joined` gets what `call` returned.
    let text: Arc<str> = unsafe {
        let lines = call(c"format_tb", &[traceback.cast()], Some(1))?;
        joined(&lines)?.into()
    };
    PLACES.keep(code.clone(), at, &text);
    Ok(text)
}

/// Adds `CLASS: TEXT`, as `traceback.format_exception_only()` has it; false where the text cannot be had.
///
/// # Safety
/// `class` and `value` are live objects, `class` a type; the GIL is held.
unsafe fn add_last_line(text: &mut String, class: Obj, value: Obj) -> Res<bool> {
    // SAFETY: both are live (the caller's contract).
    let (class, value) = unsafe { (Live::new(class), Live::new(value)) };
    // SAFETY: `class` is a type (the caller's contract).
    let name = unsafe { name_of_static(class) };
    if let Some(name) = name {
        text.push_str(name);
    } else if !add_class(text, class)? {
        return Ok(false);
    }
    let told = match value.str() {
        Ok(told) => told,
        Err(raised) => {
            raised.clear();
            return Ok(false);
        }
    };
    let start = text.len();
    text.push_str(": ");
    match told.live().text() {
        Ok(told) => text.push_str(told.unwrap_or_default()),
        Err(raised) => {
            // What UTF-8 cannot say.
            raised.clear();
            // SAFETY: the reference keeps the str alive; the GIL is held (the caller's contract).
            text.push_str(&unsafe { any_text(told.obj())? });
        }
    }
    if text.len() == start + 2 {
        text.truncate(start);
    }
    text.push('\n');
    Ok(true)
}

/// The name of one of Python's own classes, which are not written in Python and have no module in their name.
///
/// # Safety
/// `class` is a type.
unsafe fn name_of_static(class: Live<'_>) -> Option<&str> {
    // SAFETY: a live type (the caller's contract), whose name is a C string that lives as long.
    unsafe {
        let class = class.ptr().cast::<ffi::PyTypeObject>();
        if ffi::PyType_HasFeature(class, ffi::Py_TPFLAGS_HEAPTYPE) != 0 {
            return None;
        }
        let name = CStr::from_ptr((*class).tp_name).to_str().ok()?;
        (!name.contains('.')).then_some(name)
    }
}

/// Adds the name of a class with its module; false if they are no strings.
fn add_class(text: &mut String, class: Live) -> Res<bool> {
    let (module, name) = (
        class.attribute(c"__module__")?,
        class.attribute(c"__qualname__")?,
    );
    let (Some(name), Some(module)) = (name.live().text()?, module.live().text()?) else {
        return Ok(false);
    };
    if !matches!(module, "builtins" | "__main__") {
        text.push_str(module);
        text.push('.');
    }
    text.push_str(name);
    Ok(true)
}

/// [`format()`], all of it by the module `traceback`.
///
/// # Safety
/// Each is a live object or NULL; the GIL is held and no exception is set.
unsafe fn format_by_python(class: Obj, value: Obj, traceback: Obj) -> Res<String> {
    sources::tell_linecache();
    // SAFETY: the three are live or NULL (the caller's contract), and None, which is always alive, stands in for NULL; the
    // GIL is held.
    unsafe {
        let none = ffi::Py_None();
        let or_none = |object: Obj| if object.is_null() { none } else { object };
        let lines = call(
            c"format_exception",
            &[or_none(class), or_none(value), or_none(traceback)],
            None,
        )?;
        joined(&lines)
    }
}

/// Calls a function of the module `traceback`, with `limit` as its last argument if there is one.
///
/// # Safety
/// `arguments` are live objects; the GIL is held.
unsafe fn call(function: &CStr, arguments: &[Obj], limit: Option<i32>) -> Res<Ref> {
    // SAFETY: the GIL is held (the caller's contract); `limit` owns the int until the call is over.
    unsafe {
        let limit: Option<Ref> = match limit {
            Some(limit) => Some(Ref::steal(ffi::PyLong_FromLong(limit.into()))?),
            None => None,
        };
        let mut all = arguments.to_vec();
        all.extend(limit.iter().map(Ref::obj));
        keelback_ffi::py::module::call_function(c"traceback", function, &all)
    }
}

/// The text of lines that are Python strings.
///
/// # Safety
/// The GIL is held.
unsafe fn joined(lines: &Ref) -> Res<String> {
    let empty = keelback_ffi::py::str_from("")?;
    // SAFETY: the GIL is held (the caller's contract); both references keep their objects alive, and CPython checks that
    // `lines` are strings.
    unsafe {
        let text: Ref = Ref::steal(ffi::PyUnicode_Join(empty.obj(), lines.obj()))?;
        any_text(text.obj())
    }
}
