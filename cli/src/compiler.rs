//! The C compiler: which one, and how it is run.
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use keelback_codegen::Product;

use crate::diagnostic::{Diagnostic, Error, Failure, Reporter, Result};
use crate::input::reason;
use crate::interrupt;

/// A C compiler and the flags that the user's environment gives it.
pub struct Compiler {
    tool: cc::Tool,
    /// What stands behind the program in `--cc`.
    arguments: Vec<OsString>,
}

/// The loader, compiled when keelback was built for this platform; empty if it could not be.
const LOADER_OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keelback_loader.o"));

/// What is compiled.
pub struct Compilation<'a> {
    /// The plugin's C file.
    pub source: &'a str,
    /// The same without the loader. It is compiled in half the time, and linked with the loader's ready object.
    pub without_loader: Option<&'a str>,
    /// The base of the files' names.
    pub name: &'a str,
    /// A directory for the files; the library goes there too.
    pub directory: &'a Path,
    /// `-I`
    pub include_dirs: &'a [PathBuf],
    /// `-D`
    pub defines: &'a [String],
    /// `-L`
    pub library_dirs: &'a [PathBuf],
    /// `-l`
    pub libraries: &'a [String],
    /// The prelude, for the advice after an error.
    pub prelude: Option<&'a str>,
}

impl Compiler {
    /// The compiler of `--cc`, CC, or `cc`. Runs it to see that it is one.
    ///
    /// `has_prelude`: there is C of the user's, which deserves the optimiser. The generated code alone gains nothing
    /// from -O2 (a stub is a few moves and a jump), and a quarter of the compiler's time goes into it.
    pub fn find(given: Option<&str>, has_prelude: bool) -> Result<Self> {
        let mut build = cc::Build::new();
        build
            .cargo_metadata(false)
            .cargo_warnings(false)
            .cargo_debug(false)
            .target(env!("KEELBACK_TARGET"))
            .host(env!("KEELBACK_TARGET"))
            .opt_level(2)
            .no_default_flags(true)
            .extra_warnings(false);
        // cc puts the user's CFLAGS behind them.
        for flag in keelback_codegen::compile_flags(Product::SharedLibrary) {
            build.flag(flag);
        }
        if !has_prelude {
            build.flag("-O1");
        }
        let mut words = Vec::new();
        if let Some(given) = given {
            // A path may have spaces; a command with arguments (`ccache gcc`) is no file.
            if Path::new(given).exists() {
                words.push(given);
            } else {
                words.extend(given.split_whitespace());
            }
            let Some(program) = words.first() else {
                return Err(missing("--cc is empty"));
            };
            build.compiler(program);
        }
        let tool = build
            .try_get_compiler()
            .map_err(|error| missing(&error.to_string()))?;
        if !is_there(tool.path()) {
            return Err(missing(&format!("{} is not there", tool.path().display())));
        }
        Ok(Self {
            tool,
            arguments: words.iter().skip(1).map(OsString::from).collect(),
        })
    }

    /// The program, CC's wrapper (`ccache gcc`) and the flags for every file.
    fn command(&self) -> Command {
        let tool = self.tool.to_command();
        let mut command = Command::new(tool.get_program());
        command.args(&self.arguments);
        // cc adds -Wall where there are no CFLAGS; the prelude's style is its author's business.
        let given = std::env::var_os("CFLAGS").is_some();
        command.args(
            tool.get_args()
                .filter(|&argument| given || argument != "-Wall"),
        );
        for (key, value) in tool.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command
    }

    /// Compiles and links; returns the library.
    pub fn run(&self, what: &Compilation<'_>, reporter: &Reporter) -> Result<Vec<u8>> {
        // Flags of the user's are meant for all of the plugin (sanitizers, another architecture).
        let is_plain = ["CFLAGS", "LDFLAGS"]
            .iter()
            .all(|variable| std::env::var_os(variable).is_none_or(|value| value.is_empty()));
        if let Some(source) = what.without_loader
            && is_plain
            && !LOADER_OBJECT.is_empty()
        {
            let object = what.directory.join("keelback_loader.o");
            std::fs::write(&object, LOADER_OBJECT).map_err(cannot_use_directory)?;
            let output = self.compile(source, Some(&object), what, reporter)?;
            if output.status.success() {
                return finished(&output, what, reporter);
            }
            if interrupt::happened() {
                return Err(self.failed(what, &output.status.to_string(), said(&output)));
            }
            // A compiler for another machine cannot link the object. And if it is the user's C that is wrong, the
            // messages are the same with all of it in one file.
            reporter.detail("compiler: once more, with the loader in the same file");
        }
        let output = self.compile(what.source, None, what, reporter)?;
        if output.status.success() {
            return finished(&output, what, reporter);
        }
        Err(self.failed(what, &output.status.to_string(), said(&output)))
    }

    /// One run of the compiler.
    fn compile(
        &self,
        source: &str,
        object: Option<&Path>,
        what: &Compilation<'_>,
        reporter: &Reporter,
    ) -> Result<Output> {
        let c_file = what.directory.join(format!("{}.c", what.name));
        std::fs::write(&c_file, source).map_err(cannot_use_directory)?;
        let mut command = self.command();
        for dir in what.include_dirs {
            command.arg("-I").arg(dir);
        }
        command.args(what.defines.iter().map(|define| format!("-D{define}")));
        command.arg("-o").arg(what.library()).arg(&c_file);
        command.args(object);
        for dir in what.library_dirs {
            command.arg("-L").arg(dir);
        }
        command.args(what.libraries.iter().map(|library| format!("-l{library}")));
        if let Some(flags) = std::env::var_os("LDFLAGS") {
            command.args(flags.to_string_lossy().split_whitespace());
        }
        command.stdin(Stdio::null());
        command.args(keelback_codegen::link_flags(Product::SharedLibrary));
        reporter.detail(format!("compiler: {}", command_line(&command)));
        let started = Instant::now();
        let output = command.output().map_err(|error| {
            missing(&format!(
                "{} cannot be run: {}",
                self.tool.path().display(),
                reason(&error)
            ))
        })?;
        reporter.detail(format!(
            "compiler: {} after {:.0} ms",
            output.status,
            started.elapsed().as_secs_f64() * 1e3
        ));
        Ok(output)
    }

    fn failed(&self, what: &Compilation<'_>, status: &str, said: String) -> Box<Error> {
        let hint = if said.contains("cannot find -l") {
            "the linker misses a library: install it, or say where it is with -L".to_owned()
        } else if said.contains("No such file or directory") && said.contains("fatal error:") {
            "the compiler misses a header: install it, or say where it is with -I".to_owned()
        } else if let Some(prelude) = what.prelude {
            format!(
                "see whether the declarations and {prelude} go together; -v shows the compiler's command line, `keelback emit` the C source"
            )
        } else {
            "-v shows the compiler's command line, `keelback emit` the C source; types that the declarations only name come from --source"
                .to_owned()
        };
        Failure::Compiler.because(
            Diagnostic::error(
                "compiler-failed",
                format!(
                    "the C compiler failed: {} ({status})",
                    self.tool.path().display()
                ),
            )
            .output(said)
            .hint(hint),
        )
    }
}

impl Compilation<'_> {
    fn library(&self) -> PathBuf {
        self.directory.join(format!("lib{}.so", self.name))
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

/// Shows what a compiler that did its work had to say, and reads what it made.
fn finished(output: &Output, what: &Compilation<'_>, reporter: &Reporter) -> Result<Vec<u8>> {
    let said = said(output);
    if !said.trim().is_empty() {
        reporter.report(
            &Diagnostic::warning("compiler-output", "the C compiler has remarks").output(said),
        );
    }
    std::fs::read(what.library()).map_err(cannot_use_directory)
}

/// The directory for temporary files fails.
pub fn cannot_use_directory(error: std::io::Error) -> Box<Error> {
    Failure::Files.because(Diagnostic::error(
        "cannot-write",
        format!(
            "cannot use the directory for temporary files, {}: {}",
            std::env::temp_dir().display(),
            reason(&error)
        ),
    ))
}

fn is_there(program: &Path) -> bool {
    if program.components().count() > 1 {
        return program.exists();
    }
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

fn missing(why: &str) -> Box<Error> {
    Failure::Compiler.because(
        Diagnostic::error("no-compiler", format!("there is no C compiler: {why}")).hint(
            "install one (`gcc` or `build-essential` on Debian and Ubuntu, `gcc` on Fedora), or name it with --cc or CC",
        ),
    )
}

/// The command as it can be pasted into a shell.
fn command_line(command: &Command) -> String {
    let mut line = quoted(command.get_program());
    for argument in command.get_args() {
        let _ = write!(line, " {}", quoted(argument));
    }
    line
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=+,:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_pasted() {
        let mut command = Command::new("cc");
        command.args(["-DX='a b'", "", "-Iα", "-lm"]);
        assert_eq!(command_line(&command), r"cc '-DX='\''a b'\''' '' '-Iα' -lm");
    }
}
