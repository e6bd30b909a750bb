//! `keelback build`.
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use keelback_codegen::{DebugLine, InitError, OwnFile};
use keelback_compiler::modules::{self, OwnModule};
use tempfile::TempDir;

use crate::arguments::{BuildArguments, DeclarationArguments, EmitForm, InitArguments};
use crate::compiler::{Compilation, Compiler, cannot_use_directory};
use crate::depfile;
use crate::diagnostic::{Diagnostic, Failure, Reporter, Result};
use crate::header_check::HeaderCheck;
use crate::init_checks::{self, InitCodeTexts};
use crate::input::{Input, Inputs};
use crate::interrupt;
use crate::machine::{self, Machine};
use crate::output::Outputs;
use crate::places::Places;
use crate::plugin::{self, Declared, Embedding, Plugin};
use crate::progress::Progress;
use crate::python::{InitCode, InitReport, Search};
use crate::runtime;

/// `keelback build ...`
pub fn run(arguments: &BuildArguments, reporter: &Reporter) -> Result<()> {
    let started = Instant::now();
    plugin::check_module_name(&arguments.declarations.name)?;
    let mut places = Places::of(arguments);
    let mut early = places.others();
    early.insert(0, &places.output);
    let mut inputs = Inputs::beside(&early)?;
    let mut outputs = Outputs::for_paths(&early)?;
    for linked in linked_files(arguments) {
        inputs.others_read(&linked)?;
    }

    let mut sources = Sources::read(&arguments.declarations, &arguments.init, inputs, reporter)?;
    sources.debug = arguments.debug;
    let wants_compiler = arguments.emit != Some(EmitForm::C);
    if wants_compiler {
        let soversion = sources.declared.soversion();
        places.name_library(arguments.soversion.as_ref().or(soversion))?;
    }
    places.claim_library(&mut sources.inputs)?;
    // Python and the compiler are slow to answer: both are asked at once. The scope waits for the compiler also when
    // something else fails, for it removes its temporary file then.
    let has_prelude = arguments.declarations.source.is_some();
    let (prepared, compiler) = std::thread::scope(|scope| {
        let compiler = wants_compiler.then(|| {
            scope.spawn(|| {
                Compiler::find(
                    arguments.declarations.preprocessing.cc.as_deref(),
                    has_prelude,
                    arguments.debug,
                )
            })
        });
        let prepared = sources.prepare(&arguments.declarations, &arguments.init, reporter);
        let compiler =
            compiler.map(|thread| thread.join().expect("finding the compiler does not panic"));
        (prepared, compiler)
    });
    let mut prepared = prepared?;
    let source = prepared.plugin.c_source();
    reporter.detail(format!(
        "generated {} bytes of C after {:.0} ms",
        source.len(),
        started.elapsed().as_secs_f64() * 1e3
    ));

    let compiled = match compiler {
        Some(compiler) => {
            let compiler = compiler?;
            compile(
                arguments,
                &places,
                &mut prepared,
                &source,
                &compiler,
                reporter,
            )
        }
        None => Ok(source.into_bytes()),
    };
    // Python has answered while the compiler ran. Report an error in the init code before the compiler's errors.
    prepared.check_init(reporter)?;
    let compiled = compiled?;
    if arguments.emit.is_none()
        && let Some(runtime) = &prepared.runtime
    {
        let parts = [
            ("the runtime", &**runtime),
            ("the libpython", &*prepared.libpython),
        ];
        machine::check(Machine::of(&compiled), &places.output, &parts)?;
    }
    let mode = if arguments.emit.is_some() {
        0o666
    } else {
        0o777
    };
    if places.is_versions_link {
        outputs.replace(&places.library, &compiled, mode)?;
    } else {
        outputs.add(&places.library, &compiled, mode)?;
    }
    for (place, leads_to) in &places.links {
        outputs.link(place, leads_to)?;
    }
    prepared.add_texts(&places, &mut outputs)?;
    reporter.settle()?;
    outputs.commit()?;
    let written: Vec<String> = std::iter::once(&*places.output)
        .chain(places.others())
        .map(|path| path.display().to_string())
        .collect();
    reporter.detail(format!(
        "wrote {} after {:.0} ms",
        written.join(" and "),
        started.elapsed().as_secs_f64() * 1e3
    ));
    Ok(())
}

/// The user's libraries that the linker finds in the directories of the command line.
fn linked_files(arguments: &BuildArguments) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in &arguments.library_dirs {
        for library in &arguments.libraries {
            match library.strip_prefix(':') {
                Some(name) => found.push(directory.join(name)),
                None => found.extend(
                    ["so", "a", "dylib"].map(|end| directory.join(format!("lib{library}.{end}"))),
                ),
            }
        }
    }
    found.retain(|path| path.exists());
    found
}

fn compile(
    arguments: &BuildArguments,
    places: &Places,
    prepared: &mut Prepared,
    source: &str,
    compiler: &Compiler,
    reporter: &Reporter,
) -> Result<Vec<u8>> {
    let make = || tempfile::Builder::new().prefix("keelback-").tempdir();
    let scratch = interrupt::temporary(make, TempDir::path).map_err(cannot_use_directory)?;
    let name = arguments.declarations.name.as_str();
    let prelude = arguments.declarations.source.as_deref();
    let prelude_name = prelude.map(|path| path.display().to_string());
    // `#include "x.h"` of the prelude means the file beside the prelude.
    let preprocessing = &arguments.declarations.preprocessing;
    let mut include_dirs = preprocessing.include_dirs.clone();
    include_dirs.extend(prelude.and_then(plugin::folder_of));
    include_dirs.extend(prepared.plugin.header_dirs().iter().cloned());
    let without_loader =
        (!arguments.init.standalone).then(|| prepared.plugin.c_source_without_loader());
    let _progress = Progress::start(reporter, "compiling");
    let compilation = Compilation {
        source,
        without_loader: without_loader.as_deref(),
        name,
        directory: scratch.path(),
        include_dirs: &include_dirs,
        defines: &preprocessing.defines,
        undefines: &preprocessing.undefines,
        library_dirs: &arguments.library_dirs,
        libraries: &arguments.libraries,
        soname: places.soname.as_deref(),
        prelude: prelude_name.as_deref(),
        cdefs: &prepared.plugin.cdefs(),
    };
    let library = compiler.run(&compilation, reporter)?;
    let header = places.header.as_deref();
    if let Some(path) = header.filter(|_| !arguments.declarations.header_includes.is_empty()) {
        let text = prepared.plugin.header();
        let includes = prepared.plugin.header_includes();
        HeaderCheck {
            text: &text,
            path,
            includes,
        }
        .run(compiler, &compilation, reporter)?;
    }
    for included in compilation.included() {
        // This build may overwrite a header that an earlier build made, although it reads it.
        if is_made_by_us(&included) {
            prepared.inputs.reads_made(&included);
        } else {
            prepared.inputs.others_read(&included)?;
        }
    }
    Ok(library)
}

pub fn is_made_by_us(path: &Path) -> bool {
    let mut start = [0; MADE.len()];
    std::fs::File::open(path)
        .and_then(|mut file| file.read_exact(&mut start))
        .is_ok_and(|()| start == *MADE)
}

/// The beginning of every file that codegen generates.
const MADE: &[u8; 20] = b"/* Made by keelback ";

/// A plugin that can be written as C, and the Python process that still checks its init code.
pub struct Prepared {
    /// The plugin.
    pub plugin: Plugin,
    inputs: Inputs,
    /// The runtime, if it is to be checked.
    runtime: Option<PathBuf>,
    libpython: PathBuf,
    search: Option<Search>,
    /// The answer of `search` about the init code, if it was needed already.
    report: Option<Option<InitReport>>,
    init: Input,
    files: Vec<OwnFile>,
}

/// The texts of the user's files.
pub struct Sources {
    inputs: Inputs,
    init: Input,
    declared: Declared,
    files: Vec<OwnFile>,
    /// For debuggers.
    debug: bool,
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
        let mut search = Search::start(
            init_arguments.python.as_deref(),
            Some(InitCode {
                module: &declarations.name,
                code: &init,
                directory: Some(init_arguments.init.as_path())
                    .filter(|path| !crate::is_dash(path.as_os_str()))
                    .and_then(Path::parent)
                    .map(|parent| parent.join(".")),
                files: &files,
            }),
        )?;
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
        let mut report = None;
        if init.text.contains("error") || !files.is_empty() || debug {
            report = Some(search.init_report()?);
        }
        let compiled = report.iter().flatten().flat_map(|report| &report.modules);
        for (path, code) in compiled {
            if let Some(file) = files.iter_mut().find(|file| file.path == *path) {
                file.code = Some(code.clone());
            }
        }
        let checked = files.clone();
        let init_compiled = report.iter().flatten().find_map(|report| {
            let code = report.init_code.clone();
            code.filter(|_| !init_arguments.dev)
        });
        let init_errors = report
            .iter()
            .flatten()
            .flat_map(|report| &report.errors)
            .map(|(line, function, value)| InitError {
                function: function.clone(),
                value: (!value.is_empty()).then(|| value.clone()),
                line: u32::try_from(*line).unwrap_or(0),
            })
            .collect();
        let defined = report.iter().flatten().flat_map(|report| &report.defined);
        let debug_lines = debug.then(|| {
            let lines = defined.map(|defined| DebugLine {
                function: defined.name.clone(),
                file: init.name.clone(),
                line: u32::try_from(defined.line).unwrap_or(1),
            });
            lines.collect()
        });
        let embedding = Embedding {
            debug_lines,
            init_errors,
            init: &init,
            init_compiled,
            files,
            python: &python,
            runtime: runtime.as_deref(),
            no_site: init_arguments.no_site,
            use_environment: init_arguments.use_environment,
            ignore_sigpipe: init_arguments.ignore_sigpipe,
            dev: init_arguments.dev,
            standalone: init_arguments.standalone,
            relocatable: init_arguments.relocatable,
        };
        let plugin = match declared.plugin(&embedding, reporter) {
            Ok(plugin) => plugin,
            Err(mut error) => {
                // The init code may have errors as well: report everything at once.
                let report = match report {
                    Some(report) => Ok(report),
                    None => search.init_report(),
                };
                if let Ok(Some(report)) = report {
                    let wrong = init_checks::syntax_error(&report, &init);
                    error.diagnostics.extend(wrong);
                }
                return Err(error);
            }
        };
        Ok(Prepared {
            plugin,
            inputs,
            runtime,
            libpython: python.libpython,
            search: Some(search),
            report,
            init,
            files: checked,
        })
    }
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

impl Prepared {
    /// The files that are text: headers and the depfile.
    fn add_texts(&self, places: &Places, outputs: &mut Outputs) -> Result<()> {
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
