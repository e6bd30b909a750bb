//! Runs the C compiler for the command line, and reports its errors. The driver is the crate keelback-compiler.
use std::path::{Path, PathBuf};

use keelback_compiler::{Missing, Outcome, Wishes, messages};

use crate::diagnostic::{Diagnostic, Error, Failure, Reporter, Result};
use crate::input::reason;
use crate::interrupt;

/// A C compiler and the flags that the user's environment gives it.
pub struct Compiler(keelback_compiler::Compiler);

/// The loader, compiled when keelback was built for this platform; empty if it could not be.
const LOADER_OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keelback_loader.o"));

/// What is compiled.
#[derive(Clone, Copy)]
pub struct Compilation<'a> {
    /// The plugin's C file.
    pub source: &'a str,
    /// The C file without the loader. It compiles in half the time, and is linked with the precompiled loader.
    pub without_loader: Option<&'a str>,
    /// The base of the files' names.
    pub name: &'a str,
    /// A directory for the files; the library goes there too.
    pub directory: &'a Path,
    /// `-I`
    pub include_dirs: &'a [PathBuf],
    /// `-D`
    pub defines: &'a [String],
    /// `-U`
    pub undefines: &'a [String],
    /// `-L`
    pub library_dirs: &'a [PathBuf],
    /// `-l`
    pub libraries: &'a [String],
    /// The library's SONAME.
    pub soname: Option<&'a str>,
    /// The prelude, for the advice after an error.
    pub prelude: Option<&'a str>,
    /// Names and texts of the files with declarations.
    pub cdefs: &'a [(String, String)],
}

impl Compiler {
    /// The compiler of `--cc`, CC, or `cc`. `has_prelude`: the user's C is compiled. `debug`: with debug information.
    pub fn find(given: Option<&str>, has_prelude: bool, debug: bool) -> Result<Self> {
        let wishes = Wishes {
            command: given,
            has_prelude,
            debug,
            ..Wishes::default()
        };
        // The `cc` crate writes a temporary file while it asks the compiler what it is; a signal must not leave that
        // file behind.
        match interrupt::whole(|| keelback_compiler::Compiler::find(&wishes)) {
            Ok(compiler) => Ok(Self(compiler)),
            Err(Missing(why)) => Err(missing(&why)),
        }
    }

    /// The compiler's program.
    pub fn program(&self) -> &Path {
        self.0.program()
    }

    /// Compiles and links; returns the library.
    pub fn run(&self, what: &Compilation<'_>, reporter: &Reporter) -> Result<Vec<u8>> {
        // The user's flags must apply to the loader too (sanitizers, another architecture), so it cannot be the
        // precompiled one.
        let is_plain = ["CFLAGS", "LDFLAGS"]
            .iter()
            .all(|variable| std::env::var_os(variable).is_none_or(|value| value.is_empty()));
        if let Some(source) = what.without_loader
            && is_plain
            && !LOADER_OBJECT.is_empty()
        {
            let object = what.directory.join("keelback_loader.o");
            std::fs::write(&object, LOADER_OBJECT).map_err(cannot_use_directory)?;
            let output = self.compile(source, Some(&object), &[], what, reporter)?;
            if output.is_success {
                return finished(&output, what, reporter);
            }
            if interrupt::happened() {
                interrupt::wait();
            }
            // A compiler for another machine cannot link the object. And if it is the user's C that is wrong, the
            // messages are the same with all of it in one file.
            reporter.detail("compiler: once more, with the loader in the same file");
        }
        let output = self.compile(what.source, None, &[], what, reporter)?;
        if output.is_success {
            return finished(&output, what, reporter);
        }
        Err(self.failed(what, &output.status, output.said))
    }

    /// Lets the compiler check a text, without an output.
    pub fn look_at(
        &self,
        source: &str,
        what: &Compilation<'_>,
        reporter: &Reporter,
    ) -> Result<Outcome> {
        self.compile(source, None, &["-fsyntax-only"], what, reporter)
    }

    /// One run of the compiler.
    fn compile(
        &self,
        source: &str,
        object: Option<&Path>,
        options: &[&str],
        what: &Compilation<'_>,
        reporter: &Reporter,
    ) -> Result<Outcome> {
        let c_file = what.directory.join(format!("{}.c", what.name));
        std::fs::write(&c_file, source).map_err(cannot_use_directory)?;
        let library = what.library();
        let mut sources = vec![c_file];
        sources.extend(object.map(Path::to_owned));
        let mut compile_arguments: Vec<String> = options.iter().map(|&one| one.into()).collect();
        if what.prelude.is_some()
            && let Some(place) = what.dependencies().to_str()
        {
            compile_arguments.extend(["-MD", "-MF", place].map(str::to_owned));
        }
        let mut compilation = keelback_compiler::Compilation {
            directory: None,
            sources: &sources,
            output: &library,
            include_dirs: what.include_dirs,
            defines: what.defines,
            undefines: what.undefines,
            library_dirs: what.library_dirs,
            libraries: what.libraries,
            compile_arguments: &compile_arguments,
            link_arguments: &[],
            soname: what.soname,
            is_plain: false,
        };
        let mut output = self.run_once(&compilation, reporter)?;
        if output.dislikes_hardening() {
            reporter.detail("compiler: once more, without what hardens");
            compilation.is_plain = true;
            output = self.run_once(&compilation, reporter)?;
        }
        output.said = messages::for_users(&output.said, Some(what.directory), what.cdefs);
        Ok(output)
    }

    fn run_once(
        &self,
        what: &keelback_compiler::Compilation<'_>,
        reporter: &Reporter,
    ) -> Result<Outcome> {
        let invocation = self.0.invocation(what);
        reporter.detail(format!("compiler: {}", invocation.line()));
        let output = invocation.run(interrupt::output).map_err(|error| {
            missing(&format!(
                "{} cannot be run: {}",
                self.0.program().display(),
                reason(&error)
            ))
        })?;
        reporter.detail(format!(
            "compiler: {} after {:.0} ms",
            output.status,
            output.elapsed.as_secs_f64() * 1e3
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
        let lacking = what
            .prelude
            .and_then(|prelude| crate::lacking::error(&said, prelude, what.cdefs));
        let failed = Diagnostic::error(
            "compiler-failed",
            format!(
                "the C compiler failed: {} ({status})",
                self.0.program().display()
            ),
        )
        .output(said)
        .hint(hint);
        Failure::Compiler.because_of(lacking.into_iter().chain([failed]).collect())
    }
}

impl Compilation<'_> {
    /// The file in which the compiler lists the files that the prelude includes.
    fn dependencies(&self) -> PathBuf {
        self.directory.join(format!("{}.d", self.name))
    }

    /// The files that the prelude includes; known after it is compiled.
    pub fn included(&self) -> Vec<PathBuf> {
        let rule = std::fs::read_to_string(self.dependencies());
        let mut found = rule.map_or(Vec::new(), |rule| prerequisites(&rule));
        found.retain(|path| !path.starts_with(self.directory));
        found
    }

    fn library(&self) -> PathBuf {
        self.directory.join(format!("lib{}.so", self.name))
    }
}

/// Reports the warnings of a successful compiler run, and reads the library.
fn finished(output: &Outcome, what: &Compilation<'_>, reporter: &Reporter) -> Result<Vec<u8>> {
    if !output.said.trim().is_empty() {
        reporter.report(
            &Diagnostic::warning("compiler-output", "the C compiler has remarks")
                .output(output.said.clone()),
        );
    }
    std::fs::read(what.library()).map_err(cannot_use_directory)
}

/// The prerequisites of a make rule: the names behind the colon.
fn prerequisites(rule: &str) -> Vec<PathBuf> {
    let Some((_, rest)) = rule.split_once(": ") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut name = String::new();
    let mut characters = rest.chars().chain([' ']).peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek().copied()) {
            ('\\', Some('\n')) => {}
            ('\\', Some(next @ (' ' | '#'))) | ('$', Some(next @ '$')) => {
                name.push(next);
                characters.next();
            }
            (blank, _) if blank.is_whitespace() => {
                if !name.is_empty() {
                    found.push(PathBuf::from(std::mem::take(&mut name)));
                }
            }
            _ => name.push(character),
        }
    }
    found
}

/// The error for a directory for temporary files that cannot be used.
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

fn missing(why: &str) -> Box<Error> {
    Failure::Compiler.because(
        Diagnostic::error("no-compiler", format!("there is no C compiler: {why}")).hint(
            "install one (`gcc` or `build-essential` on Debian and Ubuntu, `gcc` on Fedora), or name it with --cc or CC",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prerequisites_are_read_as_make_does() {
        assert_eq!(
            prerequisites("a.so: /tmp/a.c \\\n ./my\\ types.h a$$b.h \\\n /usr/x.h\n"),
            ["/tmp/a.c", "./my types.h", "a$b.h", "/usr/x.h"].map(PathBuf::from)
        );
    }
}
