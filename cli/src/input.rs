//! Reading the user's files.
use std::io::Read;
use std::path::{Path, PathBuf};

use keelback_compiler::files::{Conflict, Files};

use crate::diagnostic::{Diagnostic, Error, Failure, Place, Result};

/// The name of standard input in messages.
const STDIN_NAME: &str = "<stdin>";

/// A text and the name it has in messages.
#[derive(Clone, Debug)]
pub struct Input {
    /// As the user wrote the path, or `<stdin>`.
    pub name: String,
    /// The text. A byte order mark is gone.
    pub text: String,
}

/// Reads files, and standard input at most once.
#[derive(Default)]
pub struct Inputs {
    stdin_for: Option<&'static str>,
    files: Files,
    /// The files that the outputs depend on, in order, each once.
    paths: Vec<PathBuf>,
}

impl Inputs {
    /// Inputs for a run that writes to `places`: an error if two of these are the same file, and later if one is read.
    pub fn beside(places: &[&Path]) -> Result<Self> {
        let mut inputs = Self::default();
        for place in places {
            inputs.writes(place)?;
        }
        Ok(inputs)
    }

    /// Notes a file that the run writes; an error if the run reads it.
    pub fn writes(&mut self, place: &Path) -> Result<()> {
        self.files.writes(place).map_err(|found| conflict(&found))
    }

    /// Notes that the run writes `place`, and not the file at `noted`.
    pub fn writes_instead(&mut self, noted: &Path, place: &Path) -> Result<()> {
        self.files.forget_written(noted);
        self.writes(place)
    }

    /// Notes a link that the run makes.
    pub fn links(&self, place: &Path) -> Result<()> {
        self.files.links(place).map_err(|found| conflict(&found))
    }

    /// Notes a file that an earlier run made: this one reads it, and may write it again.
    pub fn reads_made(&mut self, path: &Path) {
        if !self.files.is_written(path) {
            self.note(path);
        }
    }

    /// The files that were read, by this program and by others for it.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    fn note(&mut self, path: &Path) {
        if !crate::is_dash(path.as_os_str()) && !self.paths.iter().any(|known| known == path) {
            self.paths.push(path.to_owned());
        }
    }

    /// Notes a directory whose entries the outputs depend on. One that the run writes to is never older than the outputs.
    pub fn lists(&mut self, directory: &Path) {
        if !self.files.writes_into(directory) {
            self.note(directory);
        }
    }

    /// Notes a file that others read for this run: the compiler, the linker, Python.
    pub fn others_read(&mut self, path: &Path) -> Result<()> {
        self.files.reads(path).map_err(|found| conflict(&found))?;
        self.note(path);
        Ok(())
    }

    /// Reads the text file at `path`; `-` is standard input. `role` is what the file is for: "declarations".
    pub fn read(&mut self, path: &Path, role: &'static str) -> Result<Input> {
        self.others_read(path)?;
        let from_stdin = path == Path::new("-");
        let (name, read) = if from_stdin {
            if let Some(first) = self.stdin_for.replace(role) {
                let what = if first == role {
                    format!("the {role} twice")
                } else {
                    format!("the {first} and the {role}")
                };
                return Err(Failure::Usage.because(
                    Diagnostic::error("stdin-twice", format!("standard input is given for {what}"))
                        .hint("`-` can stand for one file only; write the other one to a file"),
                ));
            }
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            (STDIN_NAME.to_owned(), read.map(|_| bytes))
        } else {
            (path.display().to_string(), std::fs::read(path))
        };
        let bytes = read.map_err(|error| {
            Failure::Files.because(Diagnostic::error(
                "cannot-read",
                format!("cannot read the {role} {name}: {}", reason(&error)),
            ))
        })?;
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(&name, error))?;
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        Ok(Input { name, text })
    }
}

fn conflict(found: &Conflict) -> Box<Error> {
    let code = match found {
        Conflict::IsRead(_) => "output-is-input",
        Conflict::Twice(..) => "output-twice",
    };
    Failure::Usage.because(Diagnostic::error(code, found.to_string()).hint(
        "write to another place: -o for the library, --header (include/NAME.h) or --no-header for the header",
    ))
}

fn not_utf8(name: &str, error: std::string::FromUtf8Error) -> Box<Error> {
    let at = error.utf8_error().valid_up_to();
    let byte = error.as_bytes()[at];
    let text = String::from_utf8_lossy(error.as_bytes());
    // Up to the bad byte, the lossy text equals the file.
    let place = Place::in_source(name, &text, at..at + '\u{fffd}'.len_utf8());
    Failure::Input.because(
        Diagnostic::error(
            "not-utf8",
            format!("{name} is not UTF-8: byte 0x{byte:02x}"),
        )
        .at(place)
        .hint("save the file as UTF-8"),
    )
}

/// The operating system's reason, without the number that Rust appends.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
