//! The own modules of an embedding builder's plugin: finding their files, and handing them to codegen.

use std::path::PathBuf;

use keelback_codegen::OwnFile;
use keelback_compiler::modules::{self, ModuleError, OwnModule};
use pyo3::ffi;

use super::object::given;
use super::options::{bytes, text, texts, truth};
use crate::py::{Obj, Raised, Ref, Res, Signature, guard, str_from};
use crate::raise;

static OWN_FILES: Signature<2> = Signature::new("_own_files", ["modules", "top_level_modules"], 2);

/// `_runtime._own_files(modules, top_level_modules)`: of each file its path among the modules, whether it is importable
/// by its own name too, its bytes, and where it was read.
pub unsafe extern "C" fn own_files(
    _module: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments; live objects.
        unsafe {
            let [inside, top_level] = OWN_FILES.parse(args, count, names)?;
            let mut wanted = Vec::new();
            for (paths, is_top_level) in [(inside, false), (top_level, true)] {
                wanted.extend(texts(paths)?.into_iter().map(|path| OwnModule {
                    path: PathBuf::from(path),
                    is_top_level,
                }));
            }
            let found = modules::collect(&wanted, false).map_err(refused)?;
            let list: Ref = Ref::steal(ffi::PyList_New(0))?;
            for (file, read) in found.files.iter().zip(&found.read) {
                let data: Ref = Ref::steal(ffi::PyBytes_FromStringAndSize(
                    file.data.as_ptr().cast(),
                    file.data.len() as isize,
                ))?;
                let row: Ref = Ref::steal(ffi::PyTuple_Pack(
                    4,
                    str_from(&file.path)?.obj(),
                    crate::py::bool_object(file.is_top_level).obj(),
                    data.obj(),
                    str_from(&read.display().to_string())?.obj(),
                ))?;
                if ffi::PyList_Append(list.obj(), row.obj()) < 0 {
                    return Err(Raised::already());
                }
            }
            Ok(list)
        }
    })
}

fn refused(error: ModuleError) -> Raised {
    let hint = error
        .hint()
        .map_or(String::new(), |hint| format!(" ({hint})"));
    match error {
        ModuleError::CannotRead(..) => raise!(OSError, "{error}"),
        _ => raise!(ValueError, "{error}{hint}"),
    }
}

/// Tuples of a path, whether it is importable by its own name, bytes, and code (bytes) or None.
///
/// # Safety
/// NULL, or a live object.
pub(super) unsafe fn read_own_files(object: Obj) -> Res<Vec<OwnFile>> {
    let Some(object) = given(object) else {
        return Ok(Vec::new());
    };
    // SAFETY: the caller's contract; items are borrowed from tuples that are alive.
    unsafe {
        let rows = Ref::<ffi::PyObject>::steal(ffi::PySequence_Tuple(object))?;
        (0..ffi::PyTuple_GET_SIZE(rows.obj()))
            .map(|index| {
                let row = ffi::PyTuple_GET_ITEM(rows.obj(), index);
                if ffi::PyTuple_Check(row) == 0 || ffi::PyTuple_GET_SIZE(row) != 4 {
                    return Err(raise!(TypeError, "files are tuples of four"));
                }
                let item = |index| ffi::PyTuple_GET_ITEM(row, index);
                Ok(OwnFile {
                    path: text(item(0))?.unwrap_or_default(),
                    is_top_level: truth(item(1))?,
                    place: None,
                    data: bytes(item(2))?.unwrap_or_default(),
                    code: bytes(item(3))?,
                })
            })
            .collect()
    }
}
