//! Exceptions of our own, and how the cdef crate's errors become Python's.

use std::ffi::CStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use keelback_cdef::{Diagnostic, DiagnosticKind, LayoutError, Severity};
use pyo3::ffi;

use crate::py::{Exception, Live, Obj, Raised, Ref, Res, guard, make, name_after, none, str_from};
use crate::{exception, raise};

/// The exception classes of the package, made once per process.
///
/// `error` is the base of all of them: what `ffi.error` is. CFFI has no common base; having one refuses no
/// program.
pub struct Errors {
    /// `ffi.error`: raised itself by the FFI of plugins and out-of-line modules.
    pub error: Ref,
    /// A declaration that makes no sense together with others.
    pub ffi_error: Ref,
    /// A declaration that is wrong in itself.
    pub cdef_error: Ref,
    /// The C compiler disagrees with the declarations.
    pub verification_error: Ref,
    /// Only a C compiler can tell, and none was asked.
    pub verification_missing: Ref,
    /// pkg-config failed.
    pub pkg_config_error: Ref,
    /// A variable that an in-line ffi's library does not have: an AttributeError, and CFFI's KeyError too.
    pub missing_variable: Ref,
}

static ERRORS: OnceLock<Errors> = OnceLock::new();

fn class(name: &'static CStr, doc: &'static CStr, base: Option<&Ref>) -> Res<Ref> {
    let base = base.map_or(std::ptr::null_mut(), Ref::obj);
    // SAFETY: C strings; `base` is NULL or a live class.
    unsafe {
        Ref::steal(ffi::PyErr_NewExceptionWithDoc(
            name.as_ptr(),
            doc.as_ptr(),
            base,
            std::ptr::null_mut(),
        ))
    }
}

fn missing_variable() -> Res<Ref> {
    // The class gets a `__str__` of its own, because KeyError's shows the repr of the message.
    let bases = [exception!(AttributeError), exception!(KeyError)];
    let bases = make::tuple(bases.into_iter().map(|base| Ok(base.to_ref())))?;
    let text = exception!(Exception).attribute(c"__str__")?;
    let body = make::dict([Ok((str_from("__str__")?, text))])?;
    // SAFETY: C strings, a tuple of classes and a dict.
    unsafe {
        Ref::steal(ffi::PyErr_NewExceptionWithDoc(
            c"keelback.MissingVariable".as_ptr(),
            c"A library has no global variable of this name.".as_ptr(),
            bases.obj(),
            body.obj(),
        ))
    }
}

/// The classes. The first call makes them: module initialisation.
pub fn errors() -> Res<&'static Errors> {
    if let Some(errors) = ERRORS.get() {
        return Ok(errors);
    }
    let error = class(
        c"keelback.error",
        c"Base class of the exceptions of ffi objects.",
        None,
    )?;
    let base = Some(&error);
    let made = Errors {
        ffi_error: class(
            c"keelback.FFIError",
            c"Declarations that do not fit together.",
            base,
        )?,
        cdef_error: class(
            c"keelback.CDefError",
            c"A C declaration that cannot be understood.",
            base,
        )?,
        verification_error: class(
            c"keelback.VerificationError",
            c"The C compiler does not agree with the declarations.",
            base,
        )?,
        verification_missing: class(
            c"keelback.VerificationMissing",
            c"Only a C compiler knows this, and none was asked: it needs a module with C code.",
            base,
        )?,
        pkg_config_error: class(c"keelback.PkgConfigError", c"pkg-config failed.", base)?,
        missing_variable: missing_variable()?,
        error,
    };
    Ok(ERRORS.get_or_init(|| made))
}

/// Raises an exception of one of our classes.
pub fn raise_error(
    pick: impl FnOnce(&'static Errors) -> &'static Ref,
    message: std::fmt::Arguments<'_>,
) -> Raised {
    match errors() {
        Ok(errors) => crate::py::raise_text(pick(errors).live(), message),
        Err(raised) => raised,
    }
}

/// Sets the exception of a kind of diagnostic.
fn raise_kind(kind: DiagnosticKind, message: std::fmt::Arguments<'_>) -> Raised {
    match kind {
        DiagnosticKind::CDef => raise_error(|errors| &errors.cdef_error, message),
        DiagnosticKind::FFI => raise_error(|errors| &errors.ffi_error, message),
        DiagnosticKind::VerificationMissing => {
            raise_error(|errors| &errors.verification_missing, message)
        }
        DiagnosticKind::Verification => raise_error(|errors| &errors.verification_error, message),
        DiagnosticKind::Type => raise!(TypeError, "{message}"),
        DiagnosticKind::Value => raise!(ValueError, "{message}"),
        DiagnosticKind::Overflow => raise!(OverflowError, "{message}"),
        DiagnosticKind::Key => raise!(KeyError, "{message}"),
        DiagnosticKind::NotImplemented => raise!(NotImplementedError, "{message}"),
    }
}

/// How many errors after the first the text of an exception has.
const MOST_OTHERS: usize = 20;

/// Raises what the errors of a cdef mean in Python. Class and text are CFFI's for the first error; the others follow, a
/// line for each, but under `install_as_cffi()`. Every error with its line and a caret is in the exception's notes, which a
/// traceback shows.
pub fn raise_diagnostics(diagnostics: &[Diagnostic]) -> Raised {
    let errors: Vec<&Diagnostic> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .collect();
    let Some(first) = errors.first() else {
        return raise!(SystemError, "a cdef was refused without saying why");
    };
    let shown: Vec<String> = errors
        .iter()
        .filter(|error| error.source().is_some())
        .map(|error| error.render(false).trim_end().to_owned())
        .collect();
    let shown = shown.join("\n");
    let headline = first.headline();
    if shown.is_empty() {
        return raise_kind(first.kind, format_args!("{headline}"));
    }
    let raised = if is_as_cffi() {
        raise_kind(first.kind, format_args!("{headline}"))
    } else {
        let others = errors[1..].iter().take(MOST_OTHERS);
        let mut others: String = others.map(|error| format!("\n{error}")).collect();
        if let Some(more @ 1..) = errors.len().checked_sub(1 + MOST_OTHERS) {
            others += &format!("\nand {more} more errors");
        }
        raise_kind(first.kind, format_args!("{headline}{others}"))
    };
    if cfg!(Py_3_11) {
        add_note(raised, &shown)
    } else {
        raised
    }
}

/// Adds a note to the exception that is set.
fn add_note(raised: Raised, note: &str) -> Raised {
    let Some(exception) = Exception::fetch(raised) else {
        return raise!(SystemError, "an exception of keelback vanished: {note}");
    };
    let added = str_from(note).and_then(|note| {
        let method = exception.value.live().attribute(c"add_note")?;
        method.live().call_with(note.live())
    });
    if let Err(without) = added {
        without.clear();
    }
    exception.restore()
}

/// Raises what is wrong with a type string. `inline`: as an `FFI()` object says it; otherwise as the ffi of a plugin
/// does, an `ffi.error` with the string and a caret.
pub fn raise_type_string(diagnostic: &Diagnostic, inline: bool) -> Raised {
    if inline {
        raise_kind(diagnostic.kind, format_args!("{}", diagnostic.headline()))
    } else if diagnostic.kind == DiagnosticKind::Type {
        raise!(TypeError, "{}", diagnostic.message)
    } else {
        raise_error(
            |errors| &errors.error,
            format_args!("{}", diagnostic.caret()),
        )
    }
}

/// Raises what a layout error means in Python.
pub fn raise_layout(error: &LayoutError) -> Raised {
    raise_kind(error.kind, format_args!("{}", error.message))
}

/// Adds the classes to a module.
pub fn add_to(module: Live) -> Res<()> {
    let errors = errors()?;
    let list = [
        (c"error", &errors.error),
        (c"FFIError", &errors.ffi_error),
        (c"CDefError", &errors.cdef_error),
        (c"VerificationError", &errors.verification_error),
        (c"VerificationMissing", &errors.verification_missing),
        (c"PkgConfigError", &errors.pkg_config_error),
    ];
    for (name, class) in list {
        // SAFETY: a live module and class.
        if unsafe { ffi::PyModule_AddObjectRef(module.ptr(), name.as_ptr(), class.obj()) } < 0 {
            return Err(Raised::already());
        }
    }
    Ok(())
}

/// The error for a name that is declared, but whose value only a `lib` has.
pub(crate) fn raise_of_another_lib(name: &str) -> Raised {
    raise_error(
        |errors| &errors.error,
        format_args!(
            "function, global variable or non-integer constant '{name}' must be fetched from its original 'lib' object"
        ),
    )
}

/// Whether a plugin started this process's Python.
static IS_PLUGIN_S: AtomicBool = AtomicBool::new(false);

/// To be called when a plugin starts Python: the messages are then read by users of C programs.
pub fn python_is_a_plugin_s() {
    IS_PLUGIN_S.store(true, Ordering::Relaxed);
}

/// In a plugin's Python: CPython's own messages show Keelback's names of the types too, until [`name_types_as_cffi`].
pub fn name_types() {
    if IS_PLUGIN_S.load(Ordering::Relaxed) {
        name_after("keelback");
    }
}

/// `_runtime._name_types_as_cffi()`: `install_as_cffi()` was called, and the types have the names that CFFI's have.
///
/// # Safety
/// Called by Python, as a function.
pub unsafe extern "C" fn name_types_as_cffi(_module: Obj, _: Obj) -> Obj {
    guard(|| {
        name_after("_cffi_backend");
        Ok(none())
    })
}

/// Whether messages are in Keelback's own words: in a plugin's Python, unless `install_as_cffi()` was called. Elsewhere
/// they are CFFI's. The GIL is held.
pub fn are_words_ours() -> bool {
    IS_PLUGIN_S.load(Ordering::Relaxed) && !is_as_cffi()
}

/// Whether `install_as_cffi()` was called: messages have CFFI's texts then. The GIL is held.
pub fn is_as_cffi() -> bool {
    // SAFETY: the GIL is held; borrowed objects, a C string. An exception that is set stays: a str is hashed and compared.
    unsafe {
        let modules = ffi::PyImport_GetModuleDict();
        !modules.is_null()
            && !ffi::PyDict_GetItemString(modules, c"keelback._cffi".as_ptr()).is_null()
    }
}

/// Which functions pass everything by value, for messages.
pub fn known_to_the_c_compiler() -> &'static str {
    if are_words_ours() {
        "is one of the prelude's that a cdef declares, and does not take a final '...' argument"
    } else {
        "is 'API mode' and non-variadic (i.e. declared inside ffibuilder.cdef()+ffibuilder.set_source() and not taking a \
         final '...' argument)"
    }
}
