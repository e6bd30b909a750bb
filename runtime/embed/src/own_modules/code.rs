//! The code of own modules, and of the init code that imports them.

use pyo3::ffi;

use super::super::plugin::Plugin;
use super::changes;
use super::find::{Content, Found, names};
use keelback_ffi::ffi::payload::bytes;
use keelback_ffi::py::module::call_function;
use keelback_ffi::py::{Ref, Res, make, str_from};
use keelback_ffi::raise;

/// A module's text; empty where there is no file. Noted, if it may change.
pub(super) fn text(found: &Found) -> Res<Vec<u8>> {
    match &found.content {
        Content::Inside { text, .. } => Ok(text.to_vec()),
        Content::Nothing => Ok(Vec::new()),
        Content::OnDisk(path) => {
            changes::note(found.plugin, path);
            std::fs::read(path)
                .map_err(|error| raise!(ImportError, "cannot read {}: {error}", path.display()))
        }
    }
}

/// A module's code object.
pub(super) fn code(found: &Found) -> Res<Ref> {
    if let Content::Inside {
        code: Some(code), ..
    } = found.content
        && let Some(code) = compiled(found.plugin, code)?
    {
        fix_file_name(&code, &found.place)?;
        return Ok(code);
    }
    // A module says its encoding itself.
    compile(found.plugin, &make::bytes(&text(found)?)?, &found.place)
}

/// The code of the init code of a plugin with own modules.
pub fn init_code(plugin: &Plugin, source: &[u8], file: &str) -> Res<Ref> {
    let record = plugin.record();
    // SAFETY: the record is as abi.rs says.
    let given = unsafe { bytes((*record).init_compiled, (*record).init_compiled_length) };
    if !given.is_empty()
        && !plugin.is_dev()
        && let Some(code) = compiled(plugin, given)?
    {
        return Ok(code);
    }
    // UTF-8 whatever a coding comment says, as without own modules.
    // SAFETY: the GIL is held; the bytes live during the call.
    let source: Ref = unsafe {
        Ref::steal(ffi::PyUnicode_DecodeUTF8(
            source.as_ptr().cast(),
            source.len() as isize,
            std::ptr::null(),
        ))?
    };
    compile(plugin, &source, file)
}

/// What the build's Python compiled, if this is one of its kind.
fn compiled(plugin: &Plugin, code: &[u8]) -> Res<Option<Ref>> {
    // SAFETY: the record is as abi.rs says; the GIL is held; the bytes live during the call.
    unsafe {
        let magic = (*plugin.record()).code_magic;
        if ffi::PyImport_GetMagicNumber() as u32 != magic {
            return Ok(None);
        }
        let object = ffi::PyMarshal_ReadObjectFromString(code.as_ptr().cast(), code.len() as isize);
        Ref::steal(object).map(Some)
    }
}

/// The build did not know where the library would be.
fn fix_file_name(code: &Ref, place: &str) -> Res<()> {
    call_function(
        c"_imp",
        c"_fix_co_filename",
        &[code.obj(), str_from(place)?.obj()],
    )
    .map(drop)
}

/// The code of a text, str or bytes.
fn compile(plugin: &Plugin, source: &Ref, file: &str) -> Res<Ref> {
    let own = names(plugin, false)
        .into_iter()
        .collect::<Vec<_>>()
        .join(" ");
    call_function(
        c"keelback._own_modules",
        c"compile_own",
        &[
            source.obj(),
            str_from(file)?.obj(),
            str_from(plugin.name())?.obj(),
            str_from(&own)?.obj(),
        ],
    )
}
