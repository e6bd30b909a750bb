//! The Python process that answers: `probe.py`.
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::diagnostic::{Diagnostic, Error, Failure, Reporter, Result};
use crate::input::reason;
use crate::packages::Need;

use super::choose::{OLDEST, too_old};
use super::{InitCode, InitReport, Python};

const PROBE: &str = concat!(
    include_str!("../../../python/keelback/_init_errors.py"),
    include_str!("../../../python/keelback/_own_imports.py"),
    include_str!("../probe.py")
);

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

impl Probe {
    /// Starts it; `init` is the init code to check.
    pub(super) fn start(
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

    /// Which Python it is; blocks until it has answered.
    pub(super) fn python(&mut self, reporter: &Reporter) -> Result<Python> {
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

    /// Python's report on the init code. To be called once, after [`Self::python`].
    pub(super) fn init_report(&mut self) -> Result<InitReport> {
        match self.record() {
            Some(record) => Ok(InitReport::read(&record)),
            None => Err(self.failed()),
        }
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
    let diagnostic = Diagnostic::error(
        "no-libpython",
        format!("Python {full_version} ({}) has no shared library: there is no {name}", program.display()),
    )
    .hint(format!(
        "install it: `libpython{major}.{minor}` on Debian and Ubuntu, `python3-libs` on Fedora; a Python built from source has it after `./configure --enable-shared` (pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared)"
    ));
    // The distribution's package is for its own Python.
    Failure::Python.because(if program.starts_with("/usr/bin") {
        diagnostic.need(Need::Libpython { minor })
    } else {
        diagnostic
    })
}

/// One answer of the process: for each key the values, in order.
#[derive(Default)]
pub(super) struct Record(HashMap<String, Vec<OsString>>);

impl Record {
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
    fn first(&self, key: &str) -> Option<&OsStr> {
        Some(self.0.get(key)?.first()?.as_os_str())
    }
    pub(super) fn text(&self, key: &str) -> String {
        self.first(key)
            .map_or(String::new(), |value| value.to_string_lossy().into_owned())
    }
    pub(super) fn texts(&self, key: &str) -> Vec<String> {
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
