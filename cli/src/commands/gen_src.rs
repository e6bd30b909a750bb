//! `keelback gen-src`: what CFFI's `cffi-gen-src` does, with its arguments.
use std::path::Path;
use std::process::Command;

use crate::arguments::{GenSrc, GenSrcArguments};
use crate::diagnostic::{Diagnostic, Failure, Reporter, Result};
use crate::headers;
use crate::input::{Inputs, reason};
use crate::interrupt::Running;
use crate::output::TextOutput;
use crate::plugin::Declared;
use crate::python;

/// The code that Python runs. It takes the working directory off `sys.path`, so that `keelback` is the installed
/// package.
const RUN_SCRIPT: &str = "import sys; sys.path[:] = [path for path in sys.path if path]; \
    from keelback._gen_src import main; main()";

/// `keelback gen-src ...`
pub fn run(arguments: &GenSrcArguments, reporter: &Reporter) -> Result<()> {
    match &arguments.source {
        GenSrc::ReadSources {
            module_name,
            cdef,
            csrc,
            output,
        } => read_sources(module_name, cdef, csrc, output, reporter),
        GenSrc::ExecPython {
            ffi_var,
            as_cffi,
            python,
            pyfile,
            output,
        } => exec_python(
            pyfile,
            ffi_var,
            *as_cffi,
            python.as_deref(),
            output,
            reporter,
        ),
    }
}

fn read_sources(
    module_name: &str,
    cdef: &Path,
    csrc: &Path,
    output: &Path,
    reporter: &Reporter,
) -> Result<()> {
    if is_same_file(cdef, csrc) {
        return Err(Failure::Usage.because(
            Diagnostic::error("usage", "cdef and csrc are the same file and should not be")
                .hint("the first has the declarations, the second the C source in front of them"),
        ));
    }
    let (output, mut inputs) = TextOutput::at(Some(output))?;
    let text = inputs.read(cdef, "declarations")?;
    let cdefs = headers::of_module(cdef, text, &mut inputs, reporter)?;
    let prelude = inputs.read(csrc, "prelude")?;
    let source = Declared::module(module_name, cdefs, prelude, reporter)?.c_source();
    output.write(&source, reporter)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    if one == other {
        return true;
    }
    match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Runs the script in a Python process of its own, whose standard streams are those of the command.
fn exec_python(
    script: &Path,
    variable: &str,
    as_cffi: bool,
    python: Option<&Path>,
    output: &Path,
    reporter: &Reporter,
) -> Result<()> {
    let mut inputs = Inputs::default();
    if !crate::is_dash(output.as_os_str()) {
        inputs = Inputs::beside(&[output])?;
    }
    inputs.others_read(script)?;
    let program = python::executable(python)?;
    inputs.others_read(&program)?;
    reporter.detail(format!("python: {}", program.display()));
    let mut command = Command::new(&program);
    command.args(["-c", RUN_SCRIPT]).arg(script).arg(variable);
    command
        .arg(output)
        .arg(if as_cffi { "as-cffi" } else { "" });
    let status = Running::start(&mut command)
        .and_then(Running::wait)
        .map_err(|error| {
            Failure::Python.because(Diagnostic::error(
                "no-python",
                format!("cannot run {}: {}", program.display(), reason(&error)),
            ))
        })?;
    match status.code() {
        Some(0) => Ok(()),
        // Python has printed the message.
        Some(code) if code == Failure::Files as i32 => Err(Failure::Files.because_of(Vec::new())),
        Some(code) if code == Failure::Usage as i32 => Err(Failure::Usage.because_of(Vec::new())),
        _ => Err(Failure::Input.because(Diagnostic::error(
            "build-script",
            format!("{} made no C source ({status})", script.display()),
        ))),
    }
}
