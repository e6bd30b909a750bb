//! The compiler's driver and the check of outputs, for `keelback._builder`: both are the command line's.

use std::path::{Path, PathBuf};

use keelback_compiler::files::Files;
use keelback_compiler::{Compilation, Compiler, Missing, Wishes, messages};
use pyo3::ffi;

use super::builder::rows;
use super::options::{text, texts, truth};
use crate::errors::raise_error;
use crate::py::{Obj, Ref, Res, Signature, bool_object, guard, none, str_from};
use crate::raise;

static CHECK_FILES: Signature<2> = Signature::new("_check_files", ["written", "read"], 2);

/// `_runtime._check_files(written, read)`: ValueError if a file would be written that is read as well, or twice.
pub unsafe extern "C" fn check_files(
    _module: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        let (written, read) = unsafe {
            let [written, read] = CHECK_FILES.parse(args, count, names)?;
            (texts(written)?, texts(read)?)
        };
        let mut files = Files::default();
        let written = written
            .iter()
            .try_for_each(|path| files.writes(Path::new(path)));
        written
            .and_then(|()| {
                read.iter()
                    .try_for_each(|path| files.reads(Path::new(path)))
            })
            .map_err(|conflict| raise!(ValueError, "{conflict}"))?;
        Ok(none())
    })
}

static COMPILE: Signature<15> = Signature::new(
    "_compile",
    [
        "sources",
        "output",
        "include_dirs",
        "defines",
        "undefines",
        "library_dirs",
        "libraries",
        "compile_arguments",
        "link_arguments",
        "is_cpp",
        "has_prelude",
        "debug",
        "directory",
        "is_object",
        "cdefs",
    ],
    2,
);

/// `_runtime._compile(sources, output, ...)`: runs the C compiler. Returns (whether it succeeded, its command line,
/// how it ended, what it said: with carets where it speaks of one of `cdefs`, pairs of a name and a text). Raises VerificationError when there is none.
pub unsafe extern "C" fn compile(_module: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let given = COMPILE.parse(args, count, names)?;
            let paths = |object| -> Res<Vec<PathBuf>> {
                Ok(texts(object)?.into_iter().map(PathBuf::from).collect())
            };
            let sources = paths(given[0])?;
            let output = PathBuf::from(text(given[1])?.unwrap_or_default());
            let include_dirs = paths(given[2])?;
            let defines = texts(given[3])?;
            let undefines = texts(given[4])?;
            let library_dirs = paths(given[5])?;
            let libraries = texts(given[6])?;
            let compile_arguments = texts(given[7])?;
            let link_arguments = texts(given[8])?;
            let directory = text(given[12])?
                .filter(|path| !path.is_empty())
                .map(PathBuf::from);
            let wishes = Wishes {
                command: None,
                is_cpp: truth(given[9])?,
                has_prelude: truth(given[10])?,
                debug: truth(given[11])?,
                is_object: truth(given[13])?,
            };
            let cdefs: Vec<(String, String)> =
                rows::<2>(given[14], "cdefs are pairs of a name and a text")?
                    .into_iter()
                    .map(Into::into)
                    .collect();
            let no_compiler = |why: &str| {
                raise_error(
                    |errors| &errors.verification_error,
                    format_args!(
                        "there is no C compiler: {why}; install one (`gcc` or `build-essential` on Debian and Ubuntu, \
                         `gcc` on Fedora), or name it with CC"
                    ),
                )
            };
            let compiler = Compiler::find(&wishes).map_err(|Missing(why)| no_compiler(&why))?;
            let invocation = compiler.invocation(&Compilation {
                directory: directory.as_deref(),
                sources: &sources,
                output: &output,
                include_dirs: &include_dirs,
                defines: &defines,
                undefines: &undefines,
                library_dirs: &library_dirs,
                libraries: &libraries,
                compile_arguments: &compile_arguments,
                link_arguments: &link_arguments,
            });
            let line = invocation.line();
            let outcome = crate::call::outside_python(|| invocation.run(super::passing::output))
                .map_err(|error| no_compiler(&format!("it cannot be run: {error}")))?;
            let success = bool_object(outcome.is_success);
            let (line, status, said) = (
                str_from(&line)?,
                str_from(&outcome.status)?,
                str_from(&messages::for_users(&outcome.said, None, &cdefs))?,
            );
            Ref::steal(ffi::PyTuple_Pack(
                4,
                success.obj(),
                line.obj(),
                status.obj(),
                said.obj(),
            ))
        }
    })
}
