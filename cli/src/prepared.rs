//! A plugin that can be written, while Python may still be reading its init code.

use std::path::{Path, PathBuf};

use keelback_codegen::OwnFile;

use crate::depfile;
use crate::diagnostic::{Diagnostic, Reporter, Result};
use crate::init_checks::{self, InitCodeTexts};
use crate::input::{Input, Inputs};
use crate::output::Outputs;
use crate::places::Places;
use crate::plugin::Plugin;
use crate::python::{InitReport, Search};

/// A plugin that can be written as C, and the Python process that still checks its init code.
pub struct Prepared {
    /// The plugin.
    pub plugin: Plugin,
    /// Every file that was read.
    pub inputs: Inputs,
    /// The runtime, if it is to be checked.
    pub runtime: Option<PathBuf>,
    /// The library of the Python that the plugin is built for.
    pub libpython: PathBuf,
    /// The Python process; `None` once it was asked everything.
    pub search: Option<Search>,
    /// The answer of `search` about the init code, if it was needed already.
    pub report: Option<Option<InitReport>>,
    /// The init code.
    pub init: Input,
    /// The files of the own modules.
    pub files: Vec<OwnFile>,
}

impl Prepared {
    /// The files that are text: headers and the depfile.
    pub fn add_texts(&self, places: &Places, outputs: &mut Outputs) -> Result<()> {
        if let Some(header) = &places.header {
            outputs.add(header, self.plugin.header().as_bytes(), 0o666)?;
        }
        if let Some(cpp_header) = &places.cpp_header {
            let text = self.plugin.cpp_header(&places.header_name());
            outputs.add(cpp_header, text.as_bytes(), 0o666)?;
        }
        if let Some(depfile) = &places.depfile {
            let text = self.depfile(&places.output)?;
            outputs.add(depfile, text.as_bytes(), 0o666)?;
        }
        Ok(())
    }

    /// The depfile: a rule that lists what `output` was made of.
    pub fn depfile(&self, output: &Path) -> Result<String> {
        depfile::text(output, self.inputs.paths())
    }

    /// Reports Python's findings about the init code; an error if the code cannot run.
    pub fn check_init(&mut self, reporter: &Reporter) -> Result<()> {
        let Some(mut search) = self.search.take() else {
            return Ok(());
        };
        let report = match self.report.take() {
            Some(report) => report,
            None => search.init_report()?,
        };
        let Some(report) = report else {
            reporter.report(
                &Diagnostic::warning(
                    "init-unchecked",
                    format!("the init code {} is not checked: no python executable is near the libpython", self.init.name),
                )
                .hint("give --python the executable to have it checked"),
            );
            return Ok(());
        };
        let code = InitCodeTexts {
            init: &self.init,
            files: &self.files,
        };
        let found = init_checks::check(&report, code, &self.plugin)?;
        found.iter().for_each(|warning| reporter.report(warning));
        Ok(())
    }
}
