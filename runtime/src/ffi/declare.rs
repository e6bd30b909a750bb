//! cdef, embedding_api, include, set_unicode: what an in-line FFI knows. And def_extern.

use std::sync::atomic::Ordering;

use keelback_cdef::ParseOptions;
use keelback_codegen::CdefText;
use pyo3::ffi;

use super::{as_ffi, given, this};
use crate::errors::is_as_cffi;
use crate::py::{
    Obj, Raised, Ref, Res, Signature, bool_object, guard, none, str_from, str_text, type_name, warn,
};
use crate::raise;
use crate::scope::Scope;

/// Takes a cdef into an FFI.
unsafe fn take(object: Obj, source: Obj, options: &ParseOptions<'_>) -> Res<Ref> {
    // SAFETY: a method of an in-line FFI; a live argument.
    unsafe {
        let ffi = this(object);
        let Some(text) = str_text(source)? else {
            return Err(raise!(TypeError, "cdef() argument must be a string"));
        };
        let result = ffi.scope.write().parse(text, options);
        match result {
            Ok(warnings) => {
                let cdef = CdefText {
                    file: String::new(),
                    text: text.to_owned(),
                    embedding_api: options.embedding_api,
                    packed: options.packed,
                    pack: options.pack,
                    override_: options.override_,
                    as_cffi: options.as_cffi,
                    ..CdefText::default()
                };
                let caller = caller()?;
                ffi.recorded.with(|recorded| {
                    recorded.cdefs.push(cdef);
                    recorded.callers.push(caller);
                });
                ffi.clear_cache();
                crate::ctype::complete_records(&ffi.scope)?;
                for warning in &warnings {
                    warn(&warning.headline())?;
                }
                Ok(none())
            }
            Err(diagnostics) => Err(crate::errors::raise_diagnostics(&diagnostics)),
        }
    }
}

/// The Python file and line that a method is called from: where the compiler's messages about a cdef point, if its text
/// stands there.
unsafe fn caller() -> Res<(Ref, i32)> {
    // SAFETY: attached; the frame is borrowed, and alive while its function runs.
    unsafe {
        let frame = ffi::PyEval_GetFrame();
        if frame.is_null() {
            return Ok((none(), 0));
        }
        let code = Ref::<ffi::PyObject>::steal(ffi::PyFrame_GetCode(frame).cast())?;
        let file = Ref::steal(ffi::PyObject_GetAttrString(
            code.obj(),
            c"co_filename".as_ptr(),
        ))?;
        Ok((file, ffi::PyFrame_GetLineNumber(frame)))
    }
}

/// The `packed` and `pack` arguments.
unsafe fn packing(packed: Obj, pack: Obj) -> Res<(bool, Option<u32>)> {
    // SAFETY: live arguments or NULL.
    unsafe {
        let packed = match given(packed) {
            None => false,
            Some(packed) => match ffi::PyObject_IsTrue(packed) {
                0 => false,
                1 => {
                    if ffi::PyObject_RichCompareBool(packed, ffi::Py_True(), ffi::Py_EQ) == 0 {
                        return Err(raise!(
                            ValueError,
                            "'packed' should be False or True; use 'pack' to give another value"
                        ));
                    }
                    true
                }
                _ => return Err(Raised::already()),
            },
        };
        let pack = match given(pack) {
            None => None,
            Some(pack) => {
                let value = crate::ffi::text::ssize(pack)?;
                match u32::try_from(value) {
                    Ok(value) => Some(value),
                    Err(_) => {
                        return Err(raise!(
                            ValueError,
                            "'pack' must be a power of two, not {value}"
                        ));
                    }
                }
            }
        };
        Ok((packed, pack))
    }
}

static CDEF: Signature<4> =
    Signature::new("FFI.cdef", ["csource", "override", "packed", "pack"], 1);

pub unsafe extern "C" fn cdef(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object; the arguments are live.
        unsafe {
            let [source, override_, packed, pack] = CDEF.parse(args, count, names)?;
            let (packed, pack) = packing(packed, pack)?;
            let override_ = if override_.is_null() {
                0
            } else {
                ffi::PyObject_IsTrue(override_)
            };
            if override_ < 0 {
                return Err(Raised::already());
            }
            take(
                object,
                source,
                &ParseOptions {
                    override_: override_ != 0,
                    as_cffi: true,
                    of_headers: !is_as_cffi(),
                    packed,
                    pack,
                    ..ParseOptions::default()
                },
            )
        }
    })
}

static EMBEDDING_API: Signature<3> =
    Signature::new("FFI.embedding_api", ["csource", "packed", "pack"], 1);

pub unsafe extern "C" fn embedding_api(
    object: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object; the arguments are live.
        unsafe {
            let [source, packed, pack] = EMBEDDING_API.parse(args, count, names)?;
            let (packed, pack) = packing(packed, pack)?;
            let taken = take(
                object,
                source,
                &ParseOptions {
                    packed,
                    pack,
                    embedding_api: true,
                    as_cffi: true,
                    ..ParseOptions::default()
                },
            )?;
            // What compile() makes is a library then. embedding_init_code() puts its text there.
            let name = c"_embedding".as_ptr();
            if ffi::PyObject_HasAttrString(object, name) == 0
                && ffi::PyObject_SetAttrString(object, name, str_from("")?.obj()) < 0
            {
                return Err(Raised::already());
            }
            Ok(taken)
        }
    })
}

pub unsafe extern "C" fn include(object: Obj, other: Obj) -> Obj {
    guard(|| {
        // SAFETY: a method of an FFI object; a live argument.
        unsafe {
            let Some(theirs) = as_ffi(other) else {
                return Err(raise!(
                    TypeError,
                    "ffi.include() expects an argument that is also of type cffi.FFI, not '{}'",
                    type_name(other)
                ));
            };
            if other == object {
                return Err(raise!(ValueError, "self.include(self)"));
            }
            let ffi = this(object);
            Scope::include(&ffi.scope, &theirs.scope)?;
            ffi.clear_cache();
            let keep = Ref::borrow(other);
            ffi.recorded
                .with(|recorded| recorded.included_at.push(recorded.cdefs.len()));
            ffi.included.with(|list| list.push(keep));
            Ok(none())
        }
    })
}

pub unsafe extern "C" fn set_unicode(object: Obj, flag: Obj) -> Obj {
    guard(|| {
        // SAFETY: a method of an FFI object; a live argument.
        unsafe {
            let enabled = ffi::PyObject_IsTrue(flag);
            if enabled < 0 {
                return Err(Raised::already());
            }
            let ffi = this(object);
            if ffi.unicode.swap(true, Ordering::Relaxed) {
                return Err(raise!(ValueError, "set_unicode() can only be called once"));
            }
            // Declarations like others: what is built from this FFI has them too.
            let character = if enabled != 0 { "wchar_t" } else { "char" };
            let source = str_from(&UNICODE_TYPES.replace("CHARACTER", character))?;
            let options = ParseOptions {
                as_cffi: true,
                ..ParseOptions::default()
            };
            take(object, source.obj(), &options)?;
            // The builder tells the C compiler.
            let flag = bool_object(enabled != 0);
            if ffi::PyObject_SetAttrString(object, c"_windows_unicode".as_ptr(), flag.obj()) < 0 {
                return Err(Raised::already());
            }
            Ok(none())
        }
    })
}

/// What set_unicode() declares: the names of `tchar.h`.
const UNICODE_TYPES: &str = "\
typedef CHARACTER TBYTE, TCHAR, *LPTSTR, *PTSTR, *PTBYTE, *PTCHAR;
typedef const CHARACTER *LPCTSTR, *PCTSTR;
";

pub unsafe extern "C" fn def_extern_inline(
    _object: Obj,
    _args: *const Obj,
    _count: isize,
    _names: Obj,
) -> Obj {
    guard(|| {
        Err::<Ref, _>(raise!(
            ValueError,
            "ffi.def_extern() is only available on API-mode FFI objects"
        ))
    })
}

static DEF_EXTERN: Signature<3> = Signature::new("FFI.def_extern", ["name", "error", "onerror"], 0);

pub unsafe extern "C" fn def_extern_compiled(
    object: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object; the arguments are live.
        unsafe {
            let [name, error, onerror] = DEF_EXTERN.parse(args, count, names)?;
            let given = |object: Obj| {
                if object.is_null() || object == ffi::Py_None() {
                    None
                } else {
                    Some(object)
                }
            };
            let Some(plugin) = this(object).attachment() else {
                return Err(raise!(
                    ValueError,
                    "ffi.def_extern() is only available on API-mode FFI objects"
                ));
            };
            plugin.def_extern(given(name), given(error), given(onerror))
        }
    })
}
