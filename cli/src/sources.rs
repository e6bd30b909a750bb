//! The texts that a plugin is made of, and what Python adds to them: it finds itself, and reads the init code.

use std::path::{Path, PathBuf};

use keelback_codegen::{DebugLine, InitError, OwnFile};
use keelback_compiler::modules::{self, OwnModule};

use crate::arguments::{DeclarationArguments, InitArguments};
use crate::diagnostic::{Diagnostic, Error, Failure, Reporter, Result};
use crate::init_checks;
use crate::input::{Input, Inputs};
use crate::plugin::{self, Declared, Embedding};
use crate::prepared::Prepared;
use crate::python::{InitCode, InitReport, Python, Search};
use crate::runtime;

/// The texts of the user's files.
pub struct Sources {
    pub inputs: Inputs,
    init: Input,
    pub declared: Declared,
    files: Vec<OwnFile>,
    /// The library is for debuggers.
    pub debug: bool,
}

impl Sources {
    /// Reads what the plugin is made of.
    pub fn read(
        declarations: &DeclarationArguments,
        init_arguments: &InitArguments,
        mut inputs: Inputs,
        reporter: &Reporter,
    ) -> Result<Self> {
        let init = inputs.read(&init_arguments.init, "init code")?;
        let declared = Declared::read(declarations, &mut inputs, reporter)?;
        Ok(Self {
            files: own_files(
                &declarations.name,
                declared.modules(),
                init_arguments,
                &mut inputs,
            )?,
            init,
            declared,
            inputs,
            debug: false,
        })
    }

    /// Finds Python and the runtime, and makes the plugin.
    pub fn prepare(
        self,
        declarations: &DeclarationArguments,
        init_arguments: &InitArguments,
        reporter: &Reporter,
    ) -> Result<Prepared> {
        let Self {
            mut inputs,
            mut init,
            declared,
            mut files,
            debug,
        } = self;
        if init_arguments.dev {
            init.name = whole_path(&init_arguments.init)?;
        }
        if init_arguments.relocatable {
            init.name = plugin::without_place(&init.name).to_owned();
        }
        let mut search = ask_python(&declarations.name, init_arguments, &init, &files)?;
        let python = search.python(reporter)?;
        let runtime = if init_arguments.no_runtime_check {
            None
        } else {
            Some(runtime::find(&python, reporter)?)
        };
        let found = [
            python.executable.as_ref(),
            Some(&python.libpython),
            runtime.as_ref(),
        ];
        for path in found.into_iter().flatten() {
            inputs.others_read(path)?;
        }
        // The compiler need not wait for Python's report on the init code, unless parts of it (error values, bytecode)
        // go into the C file.
        let is_needed = init.text.contains("error") || !files.is_empty() || debug;
        let report = is_needed.then(|| search.init_report()).transpose()?;
        let said = report.as_ref().and_then(Option::as_ref);
        if let Some(said) = said {
            add_bytecode(&mut files, said);
        }
        let embedding = Embedding {
            runtime: runtime.as_deref(),
            debug_lines: debug.then(|| debug_lines(said, &init)),
            ..embedding(said, (&init, &files), &python, init_arguments)
        };
        let plugin = match declared.plugin(&embedding, reporter) {
            Ok(plugin) => plugin,
            Err(error) => return Err(with_syntax_error(error, report, search, &init)),
        };
        Ok(Prepared {
            plugin,
            inputs,
            runtime,
            libpython: python.libpython,
            search: Some(search),
            report,
            init,
            files,
        })
    }
}

/// Starts the Python that reads the init code of `module`.
fn ask_python(
    module: &str,
    arguments: &InitArguments,
    init: &Input,
    files: &[OwnFile],
) -> Result<Search> {
    let directory = Some(arguments.init.as_path())
        .filter(|path| !crate::is_dash(path.as_os_str()))
        .and_then(Path::parent)
        .map(|parent| parent.join("."));
    Search::start(
        arguments.python.as_deref(),
        Some(InitCode {
            module,
            code: init,
            directory,
            files,
        }),
    )
}

/// What goes into the plugin besides declarations. `said` is Python's report on the init code, if it was needed.
fn embedding<'a>(
    said: Option<&InitReport>,
    (init, files): (&'a Input, &[OwnFile]),
    python: &'a Python,
    arguments: &InitArguments,
) -> Embedding<'a> {
    Embedding {
        debug_lines: None,
        init_errors: said.map(init_errors).unwrap_or_default(),
        init,
        init_compiled: said
            .filter(|_| !arguments.dev)
            .and_then(|said| said.init_code.clone()),
        files: files.to_vec(),
        python,
        runtime: None,
        no_site: arguments.no_site,
        use_environment: arguments.use_environment,
        ignore_sigpipe: arguments.ignore_sigpipe,
        dev: arguments.dev,
        standalone: arguments.standalone,
        relocatable: arguments.relocatable,
    }
}

/// Gives the own modules the bytecode that Python made of them.
fn add_bytecode(files: &mut [OwnFile], said: &InitReport) {
    for (path, code) in &said.modules {
        if let Some(file) = files.iter_mut().find(|file| file.path == *path) {
            file.code = Some(code.clone());
        }
    }
}

/// The values of `error=` that the init code gives.
fn init_errors(said: &InitReport) -> Vec<InitError> {
    said.errors
        .iter()
        .map(|(line, function, value)| InitError {
            function: function.clone(),
            value: (!value.is_empty()).then(|| value.clone()),
            line: u32::try_from(*line).unwrap_or(0),
        })
        .collect()
}

/// Where the init code defines the functions.
fn debug_lines(said: Option<&InitReport>, init: &Input) -> Vec<DebugLine> {
    said.into_iter()
        .flat_map(|said| &said.defined)
        .map(|defined| DebugLine {
            function: defined.name.clone(),
            file: init.name.clone(),
            line: u32::try_from(defined.line).unwrap_or(1),
        })
        .collect()
}

/// The errors of the declarations, and the init code's, which may have one as well: everything is reported at once.
fn with_syntax_error(
    mut error: Box<Error>,
    report: Option<Option<InitReport>>,
    mut search: Search,
    init: &Input,
) -> Box<Error> {
    let report = match report {
        Some(report) => Ok(report),
        None => search.init_report(),
    };
    if let Ok(Some(report)) = report {
        error
            .diagnostics
            .extend(init_checks::syntax_error(&report, init));
    }
    error
}

/// The files of the plugin's own modules: those of keelback.toml first.
fn own_files(
    plugin: &str,
    configured: &[OwnModule],
    arguments: &InitArguments,
    inputs: &mut Inputs,
) -> Result<Vec<OwnFile>> {
    let given = |paths: &[PathBuf], is_top_level| -> Vec<OwnModule> {
        let of = |path: &PathBuf| OwnModule {
            path: path.clone(),
            is_top_level,
        };
        paths.iter().map(of).collect()
    };
    let mut all = configured.to_vec();
    all.extend(given(&arguments.modules, false));
    all.extend(given(&arguments.top_level_modules, true));
    let refuse = |error: modules::ModuleError| {
        let failure = match error {
            modules::ModuleError::CannotRead(..) => Failure::Files,
            _ => Failure::Usage,
        };
        let diagnostic = Diagnostic::error("module", error.to_string());
        failure.because(match error.hint() {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        })
    };
    let found = modules::collect(plugin, &all, arguments.dev).map_err(refuse)?;
    for path in found.read {
        inputs.others_read(&path)?;
    }
    for directory in &found.listed {
        inputs.lists(directory);
    }
    Ok(found.files)
}

/// The path that a development library records for its init code.
fn whole_path(init: &Path) -> Result<String> {
    if crate::is_dash(init.as_os_str()) {
        return Err(Failure::Usage.because(
            Diagnostic::error(
                "usage",
                "--dev needs the init code in a file, not on standard input",
            )
            .hint("write it to a file: the library runs it from there"),
        ));
    }
    let path = std::path::absolute(init)
        .ok()
        .and_then(|path| path.to_str().map(str::to_owned));
    path.ok_or_else(|| {
        Failure::Files.because(Diagnostic::error(
            "cannot-record",
            format!(
                "the path of the init code {} is not UTF-8, or has no absolute form",
                init.display()
            ),
        ))
    })
}
