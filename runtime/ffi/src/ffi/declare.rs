//! cdef, embedding_api, include, set_unicode: what an in-line FFI knows. And def_extern.

use std::sync::atomic::Ordering;

use keelback_cdef::header::HeaderFile;
use keelback_cdef::{DEFAULT_FILE, ParseOptions};
use keelback_codegen::CdefText;
use keelback_compiler::headers::Wanted;
use pyo3::ffi;

use super::FfiObject;
use super::header::{take_preprocessed, words};
use super::record::{caller, make_embedding, record, record_batches, record_exports};
use super::text::ssize;
use crate::errors::is_as_cffi;
use crate::py::{
    Live, Obj, Ref, Res, bool_object, flag, given, guard, method, none, str_from, warn,
};
use crate::raise;
use crate::scope::Scope;

/// Takes a cdef into an FFI.
fn take(ffi: &FfiObject, source: Live, options: &ParseOptions<'_>) -> Res<Ref> {
    let Some(text) = source.text()? else {
        return Err(raise!(TypeError, "cdef() argument must be a string"));
    };
    let result = ffi.scope.write().parse(text, options);
    let warnings = result.map_err(|diagnostics| crate::errors::raise_diagnostics(&diagnostics))?;
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
    record(ffi, cdef, caller()?);
    ffi.clear_cache();
    crate::ctype::complete_records(&ffi.scope)?;
    for warning in &warnings {
        warn(&warning.headline())?;
    }
    Ok(none())
}

/// The `packed` and `pack` arguments.
fn packing(packed: Option<Live>, pack: Option<Live>) -> Res<(bool, Option<u32>)> {
    let packed = match given(packed) {
        Some(packed) if packed.is_true()? => {
            // SAFETY: live objects.
            let is_one =
                unsafe { ffi::PyObject_RichCompareBool(packed.ptr(), ffi::Py_True(), ffi::Py_EQ) };
            if is_one == 0 {
                return Err(raise!(
                    ValueError,
                    "'packed' should be False or True; use 'pack' to give another value"
                ));
            }
            true
        }
        _ => false,
    };
    let Some(pack) = given(pack) else {
        return Ok((packed, None));
    };
    let pack = ssize(pack)?;
    let bytes = u32::try_from(pack)
        .map_err(|_| raise!(ValueError, "'pack' must be a power of two, not {pack}"))?;
    Ok((packed, Some(bytes)))
}

method!(pub cdef = "FFI.cdef", take_cdef, (ffi: &FfiObject, csource: Live, override_: Option<Live> as "override", packed: Option<Live>, pack: Option<Live>, preprocess: Option<Live>));

fn take_cdef(
    ffi: &FfiObject,
    csource: Live,
    override_: Option<Live>,
    packed: Option<Live>,
    pack: Option<Live>,
    preprocess: Option<Live>,
) -> Res<Ref> {
    let (packed, pack) = packing(packed, pack)?;
    if flag(preprocess, false)? {
        return take_as_header(ffi, csource, packed, pack, false);
    }
    let override_ = flag(override_, false)?;
    take(
        ffi,
        csource,
        &ParseOptions {
            override_,
            as_cffi: true,
            of_headers: !is_as_cffi(),
            packed,
            pack,
            ..ParseOptions::default()
        },
    )
}

/// Takes a text that is preprocessed.
fn take_as_header(
    ffi: &FfiObject,
    source: Live,
    packed: bool,
    pack: Option<u32>,
    is_exported: bool,
) -> Res<Ref> {
    let Some(text) = source.text()? else {
        return Err(raise!(TypeError, "cdef() argument must be a string"));
    };
    let file = HeaderFile {
        name: DEFAULT_FILE,
        text,
        is_exported,
    };
    let wanted = Wanted {
        files: &[file],
        packed,
        pack,
        comments: is_exported,
        ..Wanted::default()
    };
    take_preprocessed(ffi, &wanted)
}

method!(pub embedding_api = "FFI.embedding_api", take_embedding_api, (ffi: &FfiObject, csource: Live, packed: Option<Live>, pack: Option<Live>, preprocess: Option<Live>, export: Option<Live>, batch: Option<Live>));

fn take_embedding_api(
    ffi: &FfiObject,
    csource: Live,
    packed: Option<Live>,
    pack: Option<Live>,
    preprocess: Option<Live>,
    export: Option<Live>,
    batch: Option<Live>,
) -> Res<Ref> {
    let (packed, pack) = packing(packed, pack)?;
    let exports = words(export, "export")?;
    let batches = words(batch, "batch")?;
    let taken = if flag(preprocess, false)? {
        take_as_header(ffi, csource, packed, pack, true)?
    } else {
        let options = ParseOptions {
            packed,
            pack,
            embedding_api: true,
            as_cffi: true,
            ..ParseOptions::default()
        };
        take(ffi, csource, &options)?
    };
    make_embedding(ffi)?;
    record_exports(ffi, exports);
    record_batches(ffi, batches);
    Ok(taken)
}

method!(pub include = "FFI.include", include_ffi, (ffi: &FfiObject, ffi_to_include: Live));

fn include_ffi(ffi: &FfiObject, other: Live) -> Res<Ref> {
    let Some(theirs) = FfiObject::of(other) else {
        return Err(raise!(
            TypeError,
            "ffi.include() expects an argument that is also of type cffi.FFI, not '{}'",
            other.type_name()
        ));
    };
    if other.is(ffi.obj()) {
        return Err(raise!(ValueError, "self.include(self)"));
    }
    Scope::include(&ffi.scope, &theirs.scope)?;
    ffi.clear_cache();
    let keep = other.to_ref();
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    unsafe {
        ffi.recorded
            .with(|recorded| recorded.included_at.push(recorded.cdefs.len()));
        ffi.included.with(|list| list.push(keep));
    }
    Ok(none())
}

method!(pub set_unicode = "FFI.set_unicode", declare_unicode, (ffi: &FfiObject, enabled_flag: Live));

fn declare_unicode(ffi: &FfiObject, enabled_flag: Live) -> Res<Ref> {
    let enabled = enabled_flag.is_true()?;
    if ffi.unicode.swap(true, Ordering::Relaxed) {
        return Err(raise!(ValueError, "set_unicode() can only be called once"));
    }
    // They are declarations like others, so that what is built from this FFI has them too.
    let character = if enabled { "wchar_t" } else { "char" };
    let source = str_from(&UNICODE_TYPES.replace("CHARACTER", character))?;
    let options = ParseOptions {
        as_cffi: true,
        ..ParseOptions::default()
    };
    take(ffi, source.live(), &options)?;
    // The builder reads this attribute, and defines UNICODE for the C compiler.
    let flag = bool_object(enabled);
    ffi.live().set_attribute(c"_windows_unicode", flag.live())?;
    Ok(none())
}

/// What set_unicode() declares: the names of `tchar.h`.
const UNICODE_TYPES: &str = "\
typedef CHARACTER TBYTE, TCHAR, *LPTSTR, *PTSTR, *PTBYTE, *PTCHAR;
typedef const CHARACTER *LPCTSTR, *PCTSTR;
";

/// `ffi.def_extern()` of an in-line FFI: refused.
///
/// # Safety
/// Called by Python, as a method.
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

/// `ffi.def_extern()` of a compiled module or a plugin. CFFI's parameters are three; `batch` has to be named.
///
/// # Safety
/// Called by Python, as a method.
pub unsafe extern "C" fn def_extern_compiled(
    object: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    if count > 3 {
        return guard(|| {
            Err::<Ref, _>(raise!(
                TypeError,
                "FFI.def_extern() takes at most 3 positional arguments ({count} given)"
            ))
        });
    }
    // SAFETY: the same contract.
    unsafe { def_extern_method(object, args, count, names) }
}

method!(pub def_extern_method = "FFI.def_extern", def_extern, (ffi: &FfiObject, name: Option<Live>, error: Option<Live>, onerror: Option<Live>, batch: Option<Live>));

fn def_extern(
    ffi: &FfiObject,
    name: Option<Live>,
    error: Option<Live>,
    onerror: Option<Live>,
    batch: Option<Live>,
) -> Res<Ref> {
    let Some(plugin) = ffi.attachment() else {
        return Err(raise!(
            ValueError,
            "ffi.def_extern() is only available on API-mode FFI objects"
        ));
    };
    plugin.def_extern(
        given(name),
        given(error),
        given(onerror),
        flag(batch, false)?,
    )
}
