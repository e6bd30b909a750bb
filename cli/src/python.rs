//! Finds the Python that a plugin is built for. One process of that Python (`probe.py`) answers all questions.
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Instant;

use keelback_codegen::{OwnFile, PythonShape};

use crate::diagnostic::{Diagnostic, Error, Failure, Reporter, Result};
use crate::input::{Input, reason};

/// The oldest Python that keelback supports.
const OLDEST: (u32, u32) = (3, 10);

const PROBE: &str = concat!(
    include_str!("../../python/keelback/_init_errors.py"),
    include_str!("../../python/keelback/_own_imports.py"),
    include_str!("probe.py")
);

/// A Python that can be embedded.
#[derive(Clone, Debug)]
pub struct Python {
    /// 3 and 11.
    pub version: (u32, u32),
    /// `3.11.7`; `3.11` when no executable could be asked.
    pub full_version: String,
    /// Its shared library.
    pub libpython: PathBuf,
    /// Where its standard library is (`sys.base_prefix`).
    pub base_prefix: Option<PathBuf>,
    /// The executable: a virtual environment's one makes its packages importable.
    pub executable: Option<PathBuf>,
    /// The virtual environment's directory.
    pub venv: Option<PathBuf>,
    /// Built without a GIL.
    pub free_threaded: bool,
    /// `importlib.util.MAGIC_NUMBER`, as a little-endian number; 0 when no executable could be asked.
    pub code_magic: u32,
    /// Directories of installed `keelback` packages.
    pub packages: Vec<PathBuf>,
}

/// Python's report on the init code.
#[derive(Clone, Debug, Default)]
pub struct InitReport {
    /// Why it cannot run.
    pub error: Option<InitError>,
    /// Line and text of Python's own warnings (an invalid escape...).
    pub warnings: Vec<(usize, String)>,
    /// Line and name of each function that it attaches with `def_extern`.
    pub attached: Vec<(usize, String)>,
    /// Line, name and value (as C text; empty: it cannot be read) of each `error=` of a function.
    pub errors: Vec<(usize, String, String)>,
    /// It may attach further functions: names are computed, or other modules may attach some.
    pub is_unsure: bool,
    /// The module name is one of the standard library's.
    pub shadows: Option<String>,
    /// Imports of the init code and of the plugin's own modules for files that lie beside the init code and are not in
    /// the plugin.
    pub beside: Vec<Beside>,
    /// The init code, compiled, if there are own modules.
    pub init_code: Option<Vec<u8>>,
    /// The own modules, compiled: path and code.
    pub modules: Vec<(String, Vec<u8>)>,
    /// Own modules that cannot be compiled.
    pub module_errors: Vec<ModuleError>,
    /// Functions under `@ffi.def_extern()`.
    pub defined: Vec<Defined>,
    /// Lines of `@ffi.def_extern` without a call.
    pub uncalled: Vec<usize>,
    /// Decorators of another module's ffi.
    pub foreign: Vec<Foreign>,
    /// `lib.NAME`.
    pub uses_of_lib: Vec<UseOfLib>,
}

/// A function under `@ffi.def_extern()`, as its source shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defined {
    /// The name in C.
    pub name: String,
    /// The line of its `def`.
    pub line: usize,
    /// Its signature.
    pub shape: PythonShape,
    /// Its definition always runs: it is not inside of an `if`, a `try` or a function.
    pub is_always: bool,
}

/// `@other.def_extern()`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The line.
    pub line: usize,
    /// The name of the ffi object.
    pub name: String,
    /// The module that it was imported from.
    pub module: String,
}

/// A use of `lib.NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseOfLib {
    /// The line, from 1.
    pub line: usize,
    /// Bytes of the line in front of the name.
    pub column: usize,
    /// The name.
    pub name: String,
}

/// An import of a file that lies beside the init code, and will not be found at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The line of the import.
    pub line: usize,
    /// The file that it is in.
    pub file: String,
    /// The name of the imported module.
    pub name: String,
    /// Its file.
    pub path: String,
}

/// A module with a SyntaxError.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleError {
    /// Line, from 1; 0: unknown.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The path of the file among the modules.
    pub path: String,
    /// `SyntaxError: invalid syntax`
    pub message: String,
}

/// The init code to be checked.
#[derive(Clone, Debug)]
pub struct InitCode<'a> {
    /// The plugin's module.
    pub module: &'a str,
    /// The init code.
    pub code: &'a Input,
    /// Its directory; `None` for standard input.
    pub directory: Option<PathBuf>,
    /// The plugin's own modules.
    pub files: &'a [OwnFile],
}

impl InitCode<'_> {
    /// The bytes for probe.py's standard input.
    fn message(&self) -> Vec<u8> {
        let mut message = self.code.text.clone().into_bytes();
        for file in self.files.iter().filter(|file| file.path.ends_with(".py")) {
            message.extend(format!("{}\n{}\n", file.path, file.data.len()).bytes());
            message.extend(&file.data);
        }
        message
    }

    /// The names of the modules and packages; top-level ones with a `+` in front.
    fn own_names(&self) -> BTreeSet<String> {
        let name = |file: &OwnFile| {
            let end = file.path.find(['/', '.']).unwrap_or(file.path.len());
            let mark = if file.is_top_level { "+" } else { "" };
            format!("{mark}{}", &file.path[..end])
        };
        self.files.iter().map(name).collect()
    }
}

/// A SyntaxError.
#[derive(Clone, Debug)]
pub struct InitError {
    /// `SyntaxError`, `IndentationError`...
    pub kind: String,
    /// Python's message.
    pub message: String,
    /// Line, from 1; 0: unknown.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The column behind the error, from 1.
    pub end_column: usize,
}

/// The Python process that answers.
pub struct Probe {
    program: PathBuf,
    /// The libpython that `--python` named, if it did.
    libpython: Option<PathBuf>,
    child: Child,
    stdout: BufReader<ChildStdout>,
    stdin: JoinHandle<()>,
    stderr: JoinHandle<String>,
    started: Instant,
}

/// What `--python`, or its absence, means.
enum Choice {
    Executable(PathBuf),
    /// A libpython, and the executable that belongs to it.
    Library(PathBuf, Option<PathBuf>),
}

/// A Python that is being asked, or one that cannot be asked.
pub enum Search {
    /// The process is running.
    Probe(Box<Probe>),
    /// A libpython without an executable: nothing can check the init code.
    Library(Python),
}

impl Search {
    /// Starts to ask the Python that `--python`, or its absence, means. `init` is the init code to check.
    pub fn start(choice: Option<&Path>, init: Option<InitCode<'_>>) -> Result<Self> {
        match choose(choice)? {
            Choice::Executable(program) => {
                Probe::start(program, None, init).map(|probe| Self::Probe(Box::new(probe)))
            }
            Choice::Library(libpython, Some(program)) => {
                Probe::start(program, Some(libpython), init)
                    .map(|probe| Self::Probe(Box::new(probe)))
            }
            Choice::Library(libpython, None) => library_alone(libpython).map(Self::Library),
        }
    }

    /// The Python; blocks until it has answered.
    pub fn python(&mut self, reporter: &Reporter) -> Result<Python> {
        let python = match self {
            Self::Probe(probe) => probe.python(reporter)?,
            Self::Library(python) => python.clone(),
        };
        reporter.detail(format!(
            "python: {} {}, library {}, prefix {}{}",
            python.full_version,
            python
                .executable
                .as_deref()
                .map_or("(no executable)".into(), |path| path.display().to_string()),
            python.libpython.display(),
            python
                .base_prefix
                .as_deref()
                .map_or("(derived)".into(), |path| path.display().to_string()),
            python
                .venv
                .as_deref()
                .map_or(String::new(), |venv| format!(", venv {}", venv.display())),
        ));
        Ok(python)
    }

    /// Python's report on the init code; `None` if there is no executable to ask.
    pub fn init_report(&mut self) -> Result<Option<InitReport>> {
        match self {
            Self::Probe(probe) => probe.init_report().map(Some),
            Self::Library(_) => Ok(None),
        }
    }
}

/// The python executable that `--python`, or its absence, means.
pub fn executable(choice: Option<&Path>) -> Result<PathBuf> {
    match choose(choice)? {
        Choice::Executable(program) | Choice::Library(_, Some(program)) => Ok(program),
        Choice::Library(library, None) => Err(Failure::Python.because(
            Diagnostic::error(
                "no-python",
                format!("no python executable is near {}", library.display()),
            )
            .hint("give --python the executable: it has to run a script"),
        )),
    }
}

fn choose(choice: Option<&Path>) -> Result<Choice> {
    let Some(path) = choice else {
        // Set by `python -m keelback` and by the pip package's script: the Python that runs them.
        if let Some(program) = std::env::var_os("KEELBACK_BUILD_PYTHON").map(PathBuf::from)
            && program.is_file()
        {
            return Ok(Choice::Executable(program));
        }
        if let Some(venv) = std::env::var_os("VIRTUAL_ENV").filter(|venv| !venv.is_empty()) {
            let program = Path::new(&venv).join("bin/python");
            if program.is_file() {
                return Ok(Choice::Executable(program));
            }
        }
        return ["python3", "python"]
            .iter()
            .find_map(|name| on_path(OsStr::new(name)))
            .map(Choice::Executable)
            .ok_or_else(|| {
                Failure::Python.because(
                    Diagnostic::error(
                        "no-python",
                        "there is no Python: neither python3 nor python is on the PATH",
                    )
                    .hint("install Python 3.10 or later with its shared library (`python3` and `libpython3-dev` on Debian, `python3` on Fedora), or say where it is with --python"),
                )
            });
    };
    let not_found = |what: String| {
        Failure::Python.because(Diagnostic::error("no-python", what).hint(
            "--python takes a python executable, a virtual environment's directory or a libpython",
        ))
    };
    if path.is_dir() {
        return ["bin/python", "bin/python3"]
            .iter()
            .map(|program| path.join(program))
            .find(|program| program.is_file())
            .map(Choice::Executable)
            .ok_or_else(|| {
                not_found(format!(
                    "{} is no virtual environment: it has no bin/python",
                    path.display()
                ))
            });
    }
    if is_libpython(path) {
        if !path.is_file() {
            return Err(not_found(format!("there is no {}", path.display())));
        }
        let libpython = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let program = version_in_name(&libpython).and_then(|(major, minor, free_threaded)| {
            let suffix = if free_threaded { "t" } else { "" };
            prefixes_of(&libpython)
                .map(|prefix| prefix.join(format!("bin/python{major}.{minor}{suffix}")))
                .find(|program| program.is_file())
        });
        return Ok(Choice::Library(libpython, program));
    }
    if path.components().count() == 1 && !path.is_file() {
        return on_path(path.as_os_str())
            .map(Choice::Executable)
            .ok_or_else(|| not_found(format!("there is no {} on the PATH", path.display())));
    }
    if !path.is_file() {
        return Err(not_found(format!("there is no {}", path.display())));
    }
    Ok(Choice::Executable(
        std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    ))
}

/// `/usr` of `/usr/lib/libpython3.11.so.1.0` and of `/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0`.
fn prefixes_of(libpython: &Path) -> impl Iterator<Item = &Path> {
    libpython
        .ancestors()
        .skip(1)
        .take(2)
        .filter(|directory| {
            directory
                .file_name()
                .is_some_and(|name| name.as_bytes().starts_with(b"lib"))
        })
        .filter_map(Path::parent)
}

/// The program that a shell would run.
pub fn on_path(name: &OsStr) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|path| {
            std::fs::metadata(path)
                .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        })
}

fn is_libpython(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        name.as_bytes().starts_with(b"libpython")
            && (name.to_string_lossy().contains(".so")
                || name.to_string_lossy().ends_with(".dylib"))
    })
}

/// The version in the name `libpython3.13t.so.1.0`, and whether it is free-threaded.
fn version_in_name(path: &Path) -> Option<(u32, u32, bool)> {
    let name = path.file_name()?.to_str()?.strip_prefix("libpython")?;
    let (major, rest) = name.split_once('.')?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    Some((
        major.parse().ok()?,
        rest[..end].parse().ok()?,
        rest[end..].starts_with('t'),
    ))
}

fn library_alone(libpython: PathBuf) -> Result<Python> {
    let real = std::fs::canonicalize(&libpython).unwrap_or_else(|_| libpython.clone());
    let Some((major, minor, free_threaded)) =
        version_in_name(&libpython).or_else(|| version_in_name(&real))
    else {
        return Err(Failure::Python.because(
            Diagnostic::error(
                "no-python",
                format!(
                    "{} does not tell its version, and no python executable is near it",
                    libpython.display()
                ),
            )
            .hint("give --python the libpython3.X.so.1.0, or a python executable"),
        ));
    };
    if (major, minor) < OLDEST {
        return Err(too_old(&format!("{major}.{minor}"), &libpython));
    }
    Ok(Python {
        version: (major, minor),
        full_version: format!("{major}.{minor}"),
        libpython,
        base_prefix: None,
        executable: None,
        venv: None,
        free_threaded,
        packages: Vec::new(),
        code_magic: 0,
    })
}

fn too_old(version: &str, program: &Path) -> Box<Error> {
    Failure::Python.because(
        Diagnostic::error(
            "old-python",
            format!("Python {version} ({}) is too old", program.display()),
        )
        .hint("keelback needs Python 3.10 or later; choose one with --python"),
    )
}

impl Probe {
    fn start(
        program: PathBuf,
        libpython: Option<PathBuf>,
        init: Option<InitCode<'_>>,
    ) -> Result<Self> {
        let started = Instant::now();
        // -I -S: the user's environment and site-packages have no effect, and Python starts in half the time.
        let mut command = Command::new(&program);
        command.args(["-I", "-S", "-B", "-c", PROBE]);
        if let Some(init) = &init {
            command
                .args([init.module, &init.code.name])
                .arg(init.code.text.len().to_string())
                .arg(init.directory.as_deref().unwrap_or(Path::new("")))
                .args(init.own_names());
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| no_answer(&program, &reason(&error)))?;
        let mut stdin = child.stdin.take().expect("stdin was piped");
        let mut stderr = child.stderr.take().expect("stderr was piped");
        let stdout = BufReader::new(child.stdout.take().expect("stdout was piped"));
        let code = init.map_or(Vec::new(), |init| init.message());
        Ok(Self {
            program,
            libpython,
            child,
            stdout,
            // If Python ends early, writing fails; the cause shows when its answer is read.
            stdin: std::thread::spawn(move || drop(stdin.write_all(&code))),
            stderr: std::thread::spawn(move || {
                let mut text = Vec::new();
                let _ = stderr.read_to_end(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            }),
            started,
        })
    }

    /// The next record, or `None` at the end.
    fn record(&mut self) -> Option<Record> {
        let mut record = Record::default();
        loop {
            let mut field = Vec::new();
            let read = self.stdout.read_until(0, &mut field).ok()?;
            if read == 0 || field.pop() != Some(0) {
                return None;
            }
            if field.is_empty() {
                return Some(record);
            }
            let equals = field.iter().position(|&byte| byte == b'=')?;
            let value = OsString::from_vec(field.split_off(equals + 1));
            field.pop();
            let key = String::from_utf8(field).ok()?;
            record.0.entry(key).or_default().push(value);
        }
    }

    fn python(&mut self, reporter: &Reporter) -> Result<Python> {
        let Some(record) = self.record() else {
            return Err(self.failed());
        };
        reporter.detail(format!(
            "python: {} answered after {:.0} ms",
            self.program.display(),
            self.started.elapsed().as_secs_f64() * 1e3
        ));
        let full_version = record.text("full_version");
        let version = record
            .text("version")
            .split_once('.')
            .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))
            .unwrap_or((0, 0));
        if version < OLDEST {
            return Err(too_old(&full_version, &self.program));
        }
        if record.text("implementation") != "cpython" {
            return Err(Failure::Python.because(
                Diagnostic::error(
                    "not-cpython",
                    format!(
                        "{} is {}, not CPython",
                        self.program.display(),
                        record.text("implementation")
                    ),
                )
                .hint("keelback embeds CPython; choose one with --python"),
            ));
        }
        let Some(libpython) = self.libpython.take().or_else(|| record.path("libpython")) else {
            return Err(no_shared_library(
                &full_version,
                &self.program,
                version,
                &record.text("libpython_name"),
            ));
        };
        Ok(Python {
            version,
            full_version,
            libpython,
            base_prefix: record.path("base_prefix"),
            executable: record.path("executable"),
            venv: record.path("venv"),
            free_threaded: record.text("free_threaded") == "1",
            code_magic: record.text("magic").parse().unwrap_or(0),
            packages: record.paths("package"),
        })
    }

    fn init_report(&mut self) -> Result<InitReport> {
        let Some(record) = self.record() else {
            return Err(self.failed());
        };
        let numbered = |key| -> Vec<(usize, String)> {
            record
                .texts(key)
                .iter()
                .filter_map(|text| text.split_once(':'))
                .filter_map(|(line, text)| Some((line.parse().ok()?, text.trim().to_owned())))
                .collect()
        };
        let number = |key| record.text(key).parse().unwrap_or(0);
        let compiled = record.texts("code");
        Ok(InitReport {
            beside: record
                .texts("beside")
                .iter()
                .filter_map(|text| beside(text))
                .collect(),
            defined: {
                let mut all: Vec<Defined> = record
                    .texts("defined")
                    .iter()
                    .filter_map(|text| defined(text))
                    .collect();
                all.sort_by_key(|one| one.line);
                all
            },
            uncalled: record
                .texts("uncalled")
                .iter()
                .filter_map(|line| line.parse().ok())
                .collect(),
            foreign: record
                .texts("foreign")
                .iter()
                .filter_map(|text| foreign(text))
                .collect(),
            uses_of_lib: record
                .texts("uses_lib")
                .iter()
                .filter_map(|text| use_of_lib(text))
                .collect(),
            init_code: record.texts("init_code").first().map(|code| bytes(code)),
            modules: record
                .texts("code_of")
                .into_iter()
                .zip(compiled.iter().map(|code| bytes(code)))
                .collect(),
            module_errors: record
                .texts("module_error")
                .iter()
                .filter_map(|text| module_error(text))
                .collect(),
            error: record.0.contains_key("error").then(|| InitError {
                kind: record.text("error_type"),
                message: record.text("error"),
                line: number("error_line"),
                column: number("error_column"),
                end_column: number("error_end_column"),
            }),
            warnings: numbered("warning"),
            attached: numbered("attached"),
            errors: numbered("error_value")
                .into_iter()
                .filter_map(|(line, text)| {
                    let (name, value) = text.split_once('=')?;
                    Some((line, name.to_owned(), value.to_owned()))
                })
                .collect(),
            is_unsure: record.text("unsure") != "0",
            shadows: record
                .0
                .contains_key("shadows")
                .then(|| record.text("shadows")),
        })
    }

    /// The error for a process that ended without an answer.
    fn failed(&mut self) -> Box<Error> {
        let _ = self.child.kill();
        let status = self.child.wait();
        let stderr = std::mem::replace(&mut self.stderr, std::thread::spawn(String::new))
            .join()
            .unwrap_or_default();
        // Show the last line of a traceback, or the first line of anything else.
        let mut lines = stderr.lines().filter(|line| !line.trim().is_empty());
        let said = if stderr.contains("Traceback (") {
            lines.next_back()
        } else {
            lines.next()
        };
        let why = match (said, status) {
            (Some(said), _) => said.trim().to_owned(),
            (None, Ok(status)) => format!("it gave no answer ({status})"),
            (None, Err(error)) => reason(&error),
        };
        no_answer(&self.program, &why)
    }
}

/// Parses the lines of a field: the line number, the file, the name, the path.
fn beside(text: &str) -> Option<Beside> {
    let [line, file, name, path] = text.split('\n').collect::<Vec<_>>().try_into().ok()?;
    Some(Beside {
        line: line.parse().ok()?,
        file: file.to_owned(),
        name: name.to_owned(),
        path: path.to_owned(),
    })
}

/// Parses the lines of a field: the line number, the column, the path, the message.
fn module_error(text: &str) -> Option<ModuleError> {
    let [line, column, path, message] = text.splitn(4, '\n').collect::<Vec<_>>().try_into().ok()?;
    Some(ModuleError {
        line: line.parse().ok()?,
        column: column.parse().ok()?,
        path: path.to_owned(),
        message: message.to_owned(),
    })
}

/// Parses the lines of a field: see `shape` in probe.py.
fn defined(text: &str) -> Option<Defined> {
    let [name, line, least, most, keywords, gives, is_always] =
        text.split('\n').collect::<Vec<_>>().try_into().ok()?;
    Some(Defined {
        name: name.to_owned(),
        line: line.parse().ok()?,
        shape: PythonShape {
            least: least.parse().ok()?,
            most: most.parse().ok(),
            keywords: keywords.to_owned(),
            gives: gives.to_owned(),
        },
        is_always: is_always == "1",
    })
}

/// Parses the lines of a field: the line number, the name, the module.
fn foreign(text: &str) -> Option<Foreign> {
    let [line, name, module] = text.split('\n').collect::<Vec<_>>().try_into().ok()?;
    Some(Foreign {
        line: line.parse().ok()?,
        name: name.to_owned(),
        module: module.to_owned(),
    })
}

/// Parses the lines of a field: the line number, the column, the name.
fn use_of_lib(text: &str) -> Option<UseOfLib> {
    let [line, column, name] = text.split('\n').collect::<Vec<_>>().try_into().ok()?;
    Some(UseOfLib {
        line: line.parse().ok()?,
        column: column.parse().ok()?,
        name: name.to_owned(),
    })
}

/// The bytes that pairs of hexadecimal digits stand for.
fn bytes(digits: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or(0) as u8;
    digits
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

impl Drop for Probe {
    fn drop(&mut self) {
        // After an error elsewhere the process may still be running: its answer is not needed any more.
        if !self.stdin.is_finished() || matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn no_answer(program: &Path, why: &str) -> Box<Error> {
    Failure::Python.because(
        Diagnostic::error(
            "no-python",
            format!("{} does not run as Python: {why}", program.display()),
        )
        .hint("give --python an executable of Python 3.10 or later, a virtual environment's directory or a libpython"),
    )
}

fn no_shared_library(
    full_version: &str,
    program: &Path,
    (major, minor): (u32, u32),
    name: &str,
) -> Box<Error> {
    let name = if name.is_empty() {
        format!("libpython{major}.{minor}.so.1.0")
    } else {
        name.to_owned()
    };
    Failure::Python.because(
        Diagnostic::error(
            "no-libpython",
            format!("Python {full_version} ({}) has no shared library: there is no {name}", program.display()),
        )
        .hint(format!(
            "install it: `libpython{major}.{minor}` on Debian and Ubuntu, `python3-libs` on Fedora; a Python built from source has it after `./configure --enable-shared` (pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared)"
        )),
    )
}

#[derive(Default)]
struct Record(HashMap<String, Vec<OsString>>);

impl Record {
    fn first(&self, key: &str) -> Option<&OsStr> {
        Some(self.0.get(key)?.first()?.as_os_str())
    }
    fn text(&self, key: &str) -> String {
        self.first(key)
            .map_or(String::new(), |value| value.to_string_lossy().into_owned())
    }
    fn texts(&self, key: &str) -> Vec<String> {
        self.0.get(key).map_or(Vec::new(), |values| {
            values
                .iter()
                .map(|value| value.to_string_lossy().into_owned())
                .collect()
        })
    }
    fn path(&self, key: &str) -> Option<PathBuf> {
        self.first(key)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }
    fn paths(&self, key: &str) -> Vec<PathBuf> {
        self.0.get(key).map_or(Vec::new(), |values| {
            values.iter().map(PathBuf::from).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_libpython_tells_its_version() {
        let version = |name: &str| version_in_name(Path::new(name));
        assert_eq!(
            version("/usr/lib/libpython3.11.so.1.0"),
            Some((3, 11, false))
        );
        assert_eq!(version("libpython3.13t.so.1.0"), Some((3, 13, true)));
        assert_eq!(version("libpython3.so"), None);
        assert!(is_libpython(Path::new("lib/libpython3.12.so")));
        assert!(!is_libpython(Path::new("bin/python3.12")));
        assert!(!is_libpython(Path::new("libpython3.12.a")));
    }
}
