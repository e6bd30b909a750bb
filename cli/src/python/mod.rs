//! Finds the Python that a plugin is built for. One process of that Python (`probe.py`) answers all questions.
//!
//! | file | subject |
//! |---|---|
//! | `choose` | what `--python`, or its absence, means |
//! | `probe` | the process that answers |
//! | `init_code` | what it is given to check |
//! | `report` | its report on that |

mod choose;
mod init_code;
mod probe;
mod report;

use std::path::{Path, PathBuf};

use crate::diagnostic::{Reporter, Result};

use choose::{Choice, choose, library_alone};
use probe::Probe;

pub use choose::{executable, on_path};
pub use init_code::InitCode;
pub use report::{Beside, InitReport, ModuleError};

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
