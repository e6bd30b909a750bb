//! The own modules of an embedding builder's plugin: finding their files, and handing them to codegen.

use std::path::PathBuf;

use keelback_codegen::OwnFile;
use keelback_compiler::modules::{self, ModuleError, OwnModule};

use super::options::{bytes, text, texts, tuple};
use crate::py::{Live, Raised, Ref, Res, bool_object, make, method, str_from};
use crate::raise;

method!(
    pub own_files = "_own_files",
    files_of,
    (_module: Option<Live>, name: Live, modules: Live, top_level_modules: Live)
);

/// `_runtime._own_files(name, modules, top_level_modules)`: of each file its path among the modules, whether it is importable
/// by its own name too, its bytes, and where it was read.
fn files_of(_module: Option<Live>, name: Live, inside: Live, top_level: Live) -> Res<Ref> {
    let name = text(Some(name))?.unwrap_or_default();
    let mut wanted = Vec::new();
    for (paths, is_top_level) in [(inside, false), (top_level, true)] {
        wanted.extend(texts(Some(paths))?.into_iter().map(|path| OwnModule {
            path: PathBuf::from(path),
            is_top_level,
        }));
    }
    let found = modules::collect(&name, &wanted, false).map_err(refused)?;
    make::list(found.files.iter().zip(&found.read).map(|(file, read)| {
        let row = [
            str_from(&file.path)?,
            bool_object(file.is_top_level),
            make::bytes(&file.data)?,
            str_from(&read.display().to_string())?,
        ];
        make::tuple(row.into_iter().map(Ok))
    }))
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
pub(super) fn read_own_files(object: Option<Live>) -> Res<Vec<OwnFile>> {
    let file = |row: &Ref| {
        let row: Vec<Live> = row.live().tuple_items().collect();
        let [path, is_top_level, data, code] = row[..] else {
            return Err(raise!(TypeError, "files are tuples of four"));
        };
        Ok(OwnFile {
            path: text(Some(path))?.unwrap_or_default(),
            is_top_level: is_top_level.is_true()?,
            place: None,
            data: bytes(Some(data))?.unwrap_or_default(),
            code: bytes(Some(code))?,
        })
    };
    tuple(object)?.iter().map(file).collect()
}
