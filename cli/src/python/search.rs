//! Asks a Python: which one it is, and what it says of the init code.

use std::path::Path;

use crate::diagnostic::{Reporter, Result};

use super::choose::{Choice, choose, library_alone};
use super::found::Python;
use super::init_code::InitCode;
use super::probe::Probe;
use super::report::InitReport;

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
