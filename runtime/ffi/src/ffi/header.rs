//! `ffi.header()`, and cdefs that are preprocessed: real headers become declarations as the command line makes them of them.

use std::path::PathBuf;

use keelback_cdef::header::{HeaderFile, PartKind};
use keelback_codegen::CdefText;
use keelback_compiler::headers::{self, Wanted};
use pyo3::ffi;

use super::FfiObject;
use super::options::{text, tuple};
use super::record::{caller, make_embedding, record, record_exports};
use crate::attach::threads::detached;
use crate::errors::{raise_diagnostics, raise_error};
use crate::py::{Exception, Live, Raised, Ref, Res, flag, given, method, none, warn};
use crate::{exception, raise};

method!(
    pub header = "FFI.header",
    take_header,
    (
        ffi: &FfiObject,
        name: Live,
        only: Option<Live>,
        include_dirs: Option<Live>,
        define: Option<Live>,
        undef: Option<Live>,
        all: Option<Live>,
        embedding_api: Option<Live>,
        export: Option<Live>,
    )
);

#[allow(clippy::too_many_arguments, reason = "those of the method")]
fn take_header(
    ffi: &FfiObject,
    name: Live,
    only: Option<Live>,
    include_dirs: Option<Live>,
    define: Option<Live>,
    undef: Option<Live>,
    all: Option<Live>,
    embedding_api: Option<Live>,
    export: Option<Live>,
) -> Res<Ref> {
    let names = header_names(name)?;
    let only = words(only, "only")?;
    let include_dirs = paths(include_dirs)?;
    let (define, undef) = (defines(define)?, words(undef, "undef")?);
    let is_exported = flag(embedding_api, false)?;
    let exports = words(export, "export")?;
    let texts = find_all(ffi, &names, &include_dirs)?;
    let files: Vec<HeaderFile<'_>> = (texts.iter())
        .map(|(name, text)| HeaderFile {
            name,
            text,
            is_exported,
        })
        .collect();
    let all = match given(all) {
        Some(all) => all.is_true()?,
        // Declarations that are chosen by name may stand in any of the files that the header includes.
        None => !only.is_empty(),
    };
    let wanted = Wanted {
        files: &files,
        include_dirs: &include_dirs,
        defines: &define,
        undefines: &undef,
        only: &only,
        all,
        with_own_folders: true,
        // They may ask for batches, and are documentation in the public header.
        comments: is_exported,
        ..Wanted::default()
    };
    let arguments = format!("{only:?} {include_dirs:?} {define:?} {undef:?} {all} {is_exported}");
    let before = taken(ffi, &texts);
    let is_same = |known: &Option<(String, String)>| {
        known.as_ref().is_some_and(|(_, known)| *known == arguments)
    };
    if !before.is_empty() && before.iter().all(is_same) {
        // A header that was taken before is skipped, as an `#include` of a file with a guard is.
        return Ok(none());
    }
    let done =
        take_preprocessed(ffi, &wanted).map_err(|raised| match before.iter().flatten().next() {
            Some((path, _)) => taken_before(path, raised),
            None => raised,
        })?;
    note_taken(ffi, &texts, &arguments);
    if is_exported {
        make_embedding(ffi)?;
    }
    record_exports(ffi, exports);
    Ok(done)
}

/// The headers that a call names.
fn header_names(name: Live) -> Res<Vec<String>> {
    if is_path(name) {
        Ok(vec![path(name)?])
    } else if name.is_none() {
        Err(raise!(
            TypeError,
            "'name' takes a str or several, not NoneType"
        ))
    } else {
        words(Some(name), "name")
    }
}

/// The path and the text of each header.
fn find_all(
    ffi: &FfiObject,
    names: &[String],
    include_dirs: &[PathBuf],
) -> Res<Vec<(String, String)>> {
    let known = ffi.scope.read().clone();
    let find = || {
        let found = names.iter().map(|name| {
            headers::find(name, include_dirs, None, &known).map_err(|looked_in| (name, looked_in))
        });
        found.collect::<Result<Vec<_>, _>>()
    };
    detached(find).map_err(|(name, looked_in)| {
        let looked_in: Vec<_> = looked_in.iter().map(|dir| dir.display().to_string()).collect();
        raise!(
            FileNotFoundError,
            "there is no header '{name}' in {}: install the library's development package, or name its folder with \
             include_dirs",
            looked_in.join(", ")
        )
    })
}

/// For each file: it and the arguments with which it was taken last, if it was.
fn taken(ffi: &FfiObject, files: &[(String, String)]) -> Vec<Option<(String, String)>> {
    let last = |headers: &[(String, String)], path: &str| {
        headers.iter().rfind(|(known, _)| known == path).cloned()
    };
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    unsafe {
        ffi.recorded.with(|recorded| {
            let paths = files.iter().map(|(path, _)| path);
            paths.map(|path| last(&recorded.headers, path)).collect()
        })
    }
}

/// Notes that files were taken.
fn note_taken(ffi: &FfiObject, files: &[(String, String)], arguments: &str) {
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    unsafe {
        ffi.recorded.with(|recorded| {
            let paths = files.iter().map(|(path, _)| path.clone());
            recorded
                .headers
                .extend(paths.map(|path| (path, arguments.to_owned())));
        });
    }
}

/// A header that was taken before, with other arguments, cannot be taken.
fn taken_before(path: &str, raised: Raised) -> Raised {
    let said = Exception::fetch(raised).and_then(|cause| {
        let text = cause.value.live().str().ok()?;
        let text = text.live().text().ok()??;
        Some(text.lines().next()?.to_owned())
    });
    raise_error(
        |errors| &errors.ffi_error,
        format_args!(
            "header(): '{path}' was taken before, with other arguments: take all that is wanted in one call, as in \
             only=[...] ({})",
            said.unwrap_or_default()
        ),
    )
}

/// Takes what headers declare into an FFI.
pub(super) fn take_preprocessed(ffi: &FfiObject, wanted: &Wanted<'_>) -> Res<Ref> {
    let known = ffi.scope.read().clone();
    let found = detached(|| headers::read(wanted, &known));
    let header = found.header.map_err(|errors| raise_diagnostics(&errors))?;
    let caller = caller()?;
    for part in header.parts.into_iter().chain(header.other_macros) {
        let is_included = part.kind == PartKind::Included;
        let cdef = CdefText {
            text: part.text,
            embedding_api: part.kind == PartKind::Exported,
            packed: wanted.packed && !is_included,
            pack: wanted.pack.filter(|_| !is_included),
            // A file that two headers include is taken twice, with the same declarations.
            override_: true,
            preprocessed: true,
            ..CdefText::default()
        };
        let parsed = ffi.scope.write().parse(&cdef.text, &cdef.options());
        parsed.map_err(|errors| raise_diagnostics(&errors))?;
        record(ffi, cdef, caller.clone());
    }
    ffi.clear_cache();
    crate::ctype::complete_records(&ffi.scope)?;
    for pattern in &header.unmatched {
        warn(&format!(
            "header(): no name that is declared matches '{pattern}'"
        ))?;
    }
    for warning in &header.warnings {
        warn(&warning.headline())?;
    }
    Ok(none())
}

/// A str, or several.
pub(super) fn words(object: Option<Live>, what: &str) -> Res<Vec<String>> {
    let Some(object) = given(object) else {
        return Ok(Vec::new());
    };
    if let Some(one) = object.text()? {
        return Ok(vec![one.to_owned()]);
    }
    let wrong = |item: Live| {
        raise!(
            TypeError,
            "'{what}' takes a str or several, not {}",
            item.type_name()
        )
    };
    let items = tuple(Some(object)).map_err(|raised| {
        // What an iterator raises is the program's own.
        match raised.clear_if(exception!(TypeError)) {
            Ok(()) => wrong(object),
            Err(other) => other,
        }
    })?;
    let texts = items.iter().map(|item| match item.live().text()? {
        Some(text) => Ok(text.to_owned()),
        None if what == "name" && is_path(item.live()) => path(item.live()),
        None => Err(wrong(item.live())),
    });
    texts.collect()
}

/// Whether it is an `os.PathLike`.
fn is_path(object: Live) -> bool {
    // SAFETY: a live object.
    unsafe { ffi::PyObject_HasAttrString(object.ptr(), c"__fspath__".as_ptr()) == 1 }
}

/// The path that a str or an `os.PathLike` stands for.
fn path(object: Live) -> Res<String> {
    // SAFETY: a live object.
    let path: Ref = unsafe { Ref::steal(ffi::PyOS_FSPath(object.ptr())) }?;
    Ok(text(Some(path.live()))?.unwrap_or_default())
}

/// Folders, as str or as `os.PathLike`.
fn paths(object: Option<Live>) -> Res<Vec<PathBuf>> {
    let Some(object) = given(object) else {
        return Ok(Vec::new());
    };
    if object.is_str() || is_path(object) {
        return Ok(vec![path(object)?.into()]);
    }
    tuple(Some(object))?
        .iter()
        .map(|item| path(item.live()).map(PathBuf::from))
        .collect()
}

fn is_float(value: Live) -> bool {
    // SAFETY: a live object.
    unsafe { ffi::PyFloat_Check(value.ptr()) != 0 }
}

/// `NAME`, `NAME=VALUE`, or a dict of names and values (None: 1).
fn defines(object: Option<Live>) -> Res<Vec<String>> {
    let Some(dict) = given(object).filter(|object| object.is_dict()) else {
        return words(object, "define");
    };
    let names = tuple(Some(dict))?;
    let defines = names.iter().map(|name| {
        let value = dict.dict_item(name.live())?;
        let Some(name) = name.live().text()? else {
            return Err(raise!(TypeError, "the names of macros are str"));
        };
        match value
            .as_ref()
            .map(Ref::live)
            .filter(|value| !value.is_none())
        {
            Some(value) if value.is_str() || value.is_int() || is_float(value) => Ok(format!(
                "{name}={}",
                value.str()?.live().text()?.unwrap_or("1")
            )),
            Some(value) => Err(raise!(
                TypeError,
                "the value of the macro '{name}' is a str, an int or a float, not {}",
                value.type_name()
            )),
            None => Ok(name.to_owned()),
        }
    });
    defines.collect()
}
