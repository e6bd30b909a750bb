//! The compiler's driver and the check of outputs, for `keelback._builder`: both are the command line's.

use std::path::{Path, PathBuf};

use keelback_compiler::files::Files;
use keelback_compiler::soname::LibraryName;
use keelback_compiler::{Compilation, Compiler, Missing, Wishes, messages};

use super::builder::rows;
use super::options::{text, texts};
use crate::errors::raise_error;
use crate::py::{
    Live, Obj, Ref, Res, Signature, bool_object, flag, guard, make, method, none, str_from,
};
use crate::raise;

method!(pub check_files = "_check_files", check, (_module: Option<Live>, written: Live, read: Live));

/// `_runtime._check_files(written, read)`: ValueError if a file would be written that is read as well, or twice.
fn check(_module: Option<Live>, written: Live, read: Live) -> Res<Ref> {
    let (written, read) = (texts(Some(written))?, texts(Some(read))?);
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
}

/// The SONAME of a library at that path.
fn soname_of(path: &str) -> Option<String> {
    let name = Path::new(path).file_name()?.to_str()?;
    LibraryName::parse(name).map(|name| name.soname())
}

static COMPILE: Signature<16> = Signature::new(
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
        "library",
    ],
    2,
);

/// `_runtime._compile(sources, output, ...)`: runs the C compiler. Returns (whether it succeeded, its command line, how it
/// ended, what it said: with carets where it speaks of one of `cdefs`, pairs of a name and a text). `library`: the name
/// that the output will have, if programs may be linked to it. Raises VerificationError when there is no compiler.
///
/// # Safety
/// Called by Python, as a function of the module.
pub unsafe extern "C" fn compile(_module: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    // SAFETY: what Python passes to a function of these flags.
    guard(|| run_compiler(unsafe { COMPILE.parse_live(args, count, names) }?))
}

fn run_compiler(given: [Option<Live>; 16]) -> Res<Ref> {
    let paths = |object: Option<Live>| -> Res<Vec<PathBuf>> {
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
        is_cpp: flag(given[9], false)?,
        has_prelude: flag(given[10], false)?,
        debug: flag(given[11], false)?,
        is_object: flag(given[13], false)?,
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
    let library = text(given[15])?;
    let soname = library.as_deref().and_then(soname_of);
    let mut compilation = Compilation {
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
        soname: soname.as_deref(),
        is_plain: false,
    };
    let run = |what: &Compilation<'_>| {
        let invocation = compiler.invocation(what);
        let line = invocation.line();
        // SAFETY: attached to the interpreter, and nothing of Python's is used inside.
        let outcome =
            unsafe { crate::call::outside_python(|| invocation.run(super::passing::output)) };
        outcome
            .map(|outcome| (line, outcome))
            .map_err(|error| no_compiler(&format!("it cannot be run: {error}")))
    };
    let (mut line, mut outcome) = run(&compilation)?;
    if outcome.dislikes_hardening() {
        compilation.is_plain = true;
        (line, outcome) = run(&compilation)?;
    }
    let result = [
        bool_object(outcome.is_success),
        str_from(&line)?,
        str_from(&outcome.status)?,
        str_from(&messages::for_users(&outcome.said, None, &cdefs))?,
    ];
    make::tuple(result.into_iter().map(Ok))
}
