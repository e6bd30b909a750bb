//! Makes codegen's plugin from files and options.
use std::path::{Path, PathBuf};

use keelback_cdef::{Declarations, FunctionOrigin, MacroValue, Severity, Target, Type};
use keelback_codegen::{
    Batches, CdefText, DebugLine, ExportRule, HeaderOptions, InitError, OwnFile, PluginFlags,
    PluginSpec, Problem, RecordedPython, SourceText, StartError, StubsOf,
};
use keelback_compiler::headers::target;
use keelback_compiler::modules::OwnModule;
use keelback_compiler::soname::SoVersion;

use crate::arguments::DeclarationArguments;
use crate::config::{self, Config, ErrorValue};
use crate::diagnostic::{Diagnostic, Failure, Place, Reporter, Result};
use crate::headers;
use crate::input::{Input, Inputs};
use crate::python::Python;

/// The declarations as text, not yet parsed.
pub struct Declared {
    name: String,
    cdefs: Vec<CdefText>,
    prelude: Option<SourceText>,
    config: Config,
    header: HeaderOptions,
    /// The headers to include (spelled as behind `#include`) for types that the cdefs take from them.
    includes: Vec<String>,
    /// The folders of those headers.
    header_dirs: Vec<PathBuf>,
    /// Names of `--export`: exported although the C library or libpython has them.
    exports: Vec<String>,
    /// Functions that `--batch` names.
    batches: Vec<String>,
    /// The platform of the C compiler.
    target: Target,
}

/// The Python half of a plugin.
pub struct Embedding<'a> {
    /// The init code.
    pub init: &'a Input,
    /// The Python that the plugin is built for.
    pub python: &'a Python,
    /// The runtime to record.
    pub runtime: Option<&'a Path>,
    /// Start without `site`.
    pub no_site: bool,
    /// Python reads the PYTHON* environment variables.
    pub use_environment: bool,
    /// SIGPIPE is set to be ignored.
    pub ignore_sigpipe: bool,
    /// Development library: the init code stays in its file.
    pub dev: bool,
    /// The plugin carries the runtime.
    pub standalone: bool,
    /// No path of this machine goes inside.
    pub relocatable: bool,
    /// The error values of functions that were found in the init code.
    pub init_errors: Vec<InitError>,
    /// Where the Python functions are, for debuggers.
    pub debug_lines: Option<Vec<DebugLine>>,
    /// The init code as `marshal` writes it, if there are own modules.
    pub init_compiled: Option<Vec<u8>>,
    /// The plugin's own modules.
    pub files: Vec<OwnFile>,
}

/// A function that the init code must define.
pub struct PythonFunction {
    /// Its name.
    pub name: String,
    /// Its declaration.
    pub place: Place,
    /// How many parameters it has.
    pub parameters: usize,
    /// How many arrays its batch has; `None` without a batch.
    pub arrays: Option<usize>,
}

/// A checked plugin, which can be written as C.
pub struct Plugin {
    inner: keelback_codegen::Plugin,
    header: HeaderOptions,
    header_dirs: Vec<PathBuf>,
}

/// Checks the name of a new project: it must be a module name without dots.
pub fn check_name(name: &str) -> Result<()> {
    match keelback_codegen::check_module_name(name, false) {
        Some(problem) => Err(Failure::Usage.because(diagnostic(&problem))),
        None => Ok(()),
    }
}

/// Checks a module name: it must be importable, and C names must be able to begin with it. It may have dots (for a
/// package).
pub fn check_module_name(name: &str) -> Result<()> {
    match keelback_codegen::check_module_name(name, true) {
        Some(problem) => Err(Failure::Usage.because(diagnostic(&problem))),
        None => Ok(()),
    }
}

impl Declared {
    /// Reads the files that the command line names.
    pub fn read(
        arguments: &DeclarationArguments,
        inputs: &mut Inputs,
        reporter: &Reporter,
    ) -> Result<Self> {
        for include in &arguments.header_includes {
            check_header_include(include)?;
        }
        let headers::Read {
            cdefs,
            includes,
            prelude: own_prelude,
        } = headers::read(arguments, inputs, reporter)?;
        let mut header_dirs: Vec<PathBuf> = Vec::new();
        if !includes.is_empty() || own_prelude.is_some() {
            let files = arguments.in_order.iter();
            header_dirs.extend(files.filter_map(|file| folder_of(&file.path)));
        }
        let prelude = match &arguments.source {
            Some(path) => Some(text(inputs.read(path, "prelude")?)),
            None => own_prelude.map(text),
        };
        let mut config = config::read(arguments.config.as_deref(), &arguments.cdefs[0], inputs)?;
        for (option, arguments, values) in [
            ("--error", &arguments.errors, &mut config.errors),
            (
                "--error-type",
                &arguments.type_errors,
                &mut config.type_errors,
            ),
        ] {
            for argument in arguments {
                let given = config::parse_argument(option, argument)?;
                // The command line overrides keelback.toml.
                values.retain(|error| error.function != given.function);
                values.push(given);
            }
        }
        Ok(Self {
            name: arguments.name.clone(),
            cdefs,
            prelude,
            config,
            header: header_options(arguments),
            includes,
            header_dirs,
            exports: arguments.exports.clone(),
            batches: arguments.batches.clone(),
            target: target(arguments.preprocessing.cc.as_deref()),
        })
    }

    /// The version of the library's interface that keelback.toml names.
    pub fn soversion(&self) -> Option<&SoVersion> {
        self.config.soversion.as_ref()
    }

    /// The own modules that keelback.toml names.
    pub fn modules(&self) -> &[OwnModule] {
        &self.config.modules
    }

    /// Parses and checks the plugin.
    pub fn plugin(mut self, embedding: &Embedding<'_>, reporter: &Reporter) -> Result<Plugin> {
        let python = embedding.python;
        if embedding.relocatable {
            self.forget_places();
        }
        // A path that is not UTF-8 is not recorded: the plugin then finds Python by the name of its library.
        let text_of = |path: &Path| path.to_str().map(str::to_owned);
        let (major, minor) = python.version;
        let recorded_text = |path: &Path| text_of(path).filter(|_| !embedding.relocatable);
        let runtime = embedding.runtime.and_then(text_of);
        let recorded = RecordedPython {
            libpython: recorded_text(&python.libpython),
            home: python.base_prefix.as_deref().and_then(recorded_text),
            executable: python.executable.as_deref().and_then(recorded_text),
            version: (
                u8::try_from(major).unwrap_or(u8::MAX),
                u8::try_from(minor).unwrap_or(u8::MAX),
            ),
            free_threaded: python.free_threaded,
        };
        let flags = PluginFlags {
            no_site: embedding.no_site || self.config.no_site,
            use_environment: embedding.use_environment || self.config.use_environment,
            ignore_sigpipe: embedding.ignore_sigpipe || self.config.ignore_sigpipe,
            dev: embedding.dev,
            strict: reporter.is_strict(),
            ..PluginFlags::default()
        };
        self.finish(
            PluginSpec {
                init: Some(text(embedding.init.clone())),
                python: recorded,
                standalone_runtime: runtime.clone().filter(|_| embedding.standalone),
                runtime_path: runtime.filter(|_| !embedding.relocatable),
                flags,
                init_errors: embedding.init_errors.clone(),
                debug_lines: embedding.debug_lines.clone(),
                init_compiled: embedding.init_compiled.clone(),
                files: embedding.files.clone(),
                code_magic: python.code_magic,
                ..PluginSpec::default()
            },
            reporter,
        )
    }

    /// Files that were named by whole paths are named as they are called.
    fn forget_places(&mut self) {
        let names = self
            .cdefs
            .iter_mut()
            .map(|cdef| &mut cdef.file)
            .chain(self.prelude.iter_mut().map(|prelude| &mut prelude.file));
        for name in names {
            *name = without_place(name).to_owned();
        }
    }

    /// An extension module of API mode: `set_source()` with the prelude.
    pub fn module(
        module_name: &str,
        cdefs: Vec<CdefText>,
        prelude: Input,
        reporter: &Reporter,
    ) -> Result<Plugin> {
        let declared = Self {
            name: module_name.to_owned(),
            cdefs,
            prelude: Some(text(prelude)),
            config: Config::default(),
            header: HeaderOptions::default(),
            includes: Vec::new(),
            header_dirs: Vec::new(),
            exports: Vec::new(),
            batches: Vec::new(),
            target: Target::host(),
        };
        let flags = PluginFlags {
            extension_module: true,
            ..PluginFlags::default()
        };
        declared.finish(
            PluginSpec {
                flags,
                ..PluginSpec::default()
            },
            reporter,
        )
    }

    /// The type stubs, which need neither Python nor a C compiler.
    pub fn stubs(mut self, of: StubsOf, reporter: &Reporter) -> Result<String> {
        let names = self.batch_names();
        let mut declarations = Declarations::new(self.target);
        let mut errors = Vec::new();
        for cdef in &self.cdefs {
            match declarations.parse(&cdef.text, &cdef.options()) {
                Ok(_) if cdef.preprocessed => {}
                Ok(warnings) => warnings
                    .iter()
                    .for_each(|warning| reporter.report(&Diagnostic::of_cdef(warning))),
                Err(found) => errors.extend(found.iter().map(Diagnostic::of_cdef)),
            }
        }
        if !errors.is_empty() {
            return Err(Failure::Input.because_of(errors));
        }
        let batches = Batches::declare(&mut declarations, &mut self.cdefs, &names)
            .map_err(|problems| failed(&problems, &self.config))?;
        let stubs = keelback_codegen::stubs(&self.name, &declarations, &batches, of);
        Ok(stubs)
    }

    /// The functions for which the command line and keelback.toml ask for batches.
    fn batch_names(&self) -> Vec<String> {
        let configured = self.config.batches.iter().map(|(name, _)| name.clone());
        self.batches.iter().cloned().chain(configured).collect()
    }

    /// The public header, which needs no Python.
    pub fn header(self, reporter: &Reporter) -> Result<String> {
        Ok(self.interface(reporter)?.header())
    }

    /// The header for parsers without a preprocessor.
    pub fn plain_header(self, reporter: &Reporter) -> Result<String> {
        let plugin = self.interface(reporter)?;
        plugin.inner.plain_header().map_err(|problems| {
            Failure::Input.because_of(problems.iter().map(diagnostic).collect())
        })
    }

    /// The header for C++, which includes `header`.
    pub fn cpp_header(self, header: &str, reporter: &Reporter) -> Result<String> {
        Ok(self.interface(reporter)?.cpp_header(header))
    }

    /// A plugin without init code, for its C interface.
    fn interface(self, reporter: &Reporter) -> Result<Plugin> {
        let spec = PluginSpec {
            init: Some(SourceText::default()),
            ..PluginSpec::default()
        };
        self.finish(spec, reporter)
    }

    fn finish(self, rest: PluginSpec, reporter: &Reporter) -> Result<Plugin> {
        let spec = PluginSpec {
            batches: self.batch_names(),
            module_name: self.name,
            cdefs: self.cdefs,
            includes: self.includes,
            prelude: self.prelude,
            // The prelude of an extension module comes from set_source(): as in CFFI, headers are included in front of
            // it.
            is_prelude_first: !rest.flags.extension_module,
            target: self.target,
            exports: ExportRule::OfCommandLine(self.exports),
            start_errors: start_errors(&self.config.errors),
            type_errors: start_errors(&self.config.type_errors),
            ..rest
        };
        match keelback_codegen::Plugin::new(spec) {
            Ok((inner, warnings)) => {
                for warning in &warnings {
                    reporter.report(&diagnostic(warning));
                }
                let plugin = Plugin {
                    inner,
                    header: self.header,
                    header_dirs: self.header_dirs,
                };
                Ok(plugin)
            }
            Err(problems) => Err(failed(&problems, &self.config)),
        }
    }
}

impl Plugin {
    /// The C file.
    pub fn c_source(&self) -> String {
        self.inner.c_source()
    }

    /// The C file without the loader.
    pub fn c_source_without_loader(&self) -> String {
        self.inner.c_source_without_loader()
    }

    /// The public header.
    pub fn header(&self) -> String {
        self.inner.header(&self.header)
    }

    /// The headers that the public header includes because of `--header-include`, spelled as behind `#include`.
    pub fn header_includes(&self) -> &[String] {
        &self.header.includes
    }

    /// The header for C++, which includes the public one.
    pub fn cpp_header(&self, header: &str) -> String {
        self.inner.cpp_header(header)
    }

    /// The folders of the headers that the C file includes.
    pub fn header_dirs(&self) -> &[PathBuf] {
        &self.header_dirs
    }

    /// Names and texts of the files with declarations.
    pub fn cdefs(&self) -> Vec<(String, String)> {
        let cdefs = self.inner.spec().cdefs.iter();
        cdefs
            .map(|cdef| (cdef.file.clone(), cdef.text.clone()))
            .collect()
    }

    /// Whether `lib` has that name.
    pub fn has_name(&self, name: &str) -> bool {
        let declarations = self.inner.declarations();
        declarations.lookup_ordinary(name).is_some()
            || declarations.lookup_enumerator(name).is_some()
            || declarations
                .lookup_macro(name)
                .is_some_and(|value| *value != MacroValue::Nothing)
    }

    /// The most similar name of `lib`.
    pub fn similar_name(&self, name: &str) -> Option<&str> {
        self.inner.declarations().similar_ordinary(name)
    }

    /// The functions that the init code must define, in order of declaration.
    pub fn python_functions(&self) -> Vec<PythonFunction> {
        let declarations = self.inner.declarations();
        let cdefs = &self.inner.spec().cdefs;
        let batches = self.inner.batches();
        declarations
            .functions
            .iter()
            .filter(|function| function.origin != FunctionOrigin::C)
            // What a batch calls is attached to its function.
            .filter(|function| batches.of(declarations.text(function.name)).is_none())
            .filter_map(|function| {
                let cdef = cdefs.get(function.span.source.0 as usize)?;
                let span = function.span.start as usize..function.span.end as usize;
                let numbered = declarations.source(function.span.source)?;
                // The place is the one that line markers give.
                let numbered = numbered.location(function.span.start);
                let line = numbered.line as usize;
                let place = Place::in_line(numbered.file, &cdef.text, span, line);
                let (parameters, result) = match declarations.types.get(function.ty) {
                    Type::Function(ty) => (ty.params.len(), ty.result.ty),
                    _ => return None,
                };
                let has_result = *declarations.types.get(result) != Type::Void;
                let has_batch = batches.has(declarations.text(function.name));
                Some(PythonFunction {
                    name: declarations.types.text(function.name).to_owned(),
                    place,
                    parameters,
                    arrays: has_batch.then(|| parameters + usize::from(has_result)),
                })
            })
            .collect()
    }
}

/// The options for the generated header.
fn header_options(arguments: &DeclarationArguments) -> HeaderOptions {
    let given = arguments.header_includes.iter().map(|name| quote(name));
    let kept = arguments.cdefs.iter().filter(|_| arguments.keep_header);
    let names = kept.filter_map(|path| path.file_name());
    let own = names.map(|name| quote(&name.to_string_lossy()));
    HeaderOptions {
        guard: None,
        includes: given.chain(own).collect(),
        is_kept: arguments.keep_header,
    }
}

/// The folder in which `#include "..."` of a file looks first; `None` for standard input.
pub fn folder_of(file: &Path) -> Option<PathBuf> {
    if crate::is_dash(file.as_os_str()) {
        return None;
    }
    let folder = file.parent()?;
    Some(if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder.to_owned()
    })
}

/// Checks that `#include` can have the name.
fn check_header_include(include: &str) -> Result<()> {
    let ends = [('<', '>'), ('"', '"')];
    let inner = ends
        .iter()
        .find_map(|&(start, end)| include.strip_prefix(start)?.strip_suffix(end))
        .unwrap_or(include);
    if !inner.is_empty() && !inner.contains(['<', '>', '"', '\n', '\r']) {
        return Ok(());
    }
    Err(Failure::Usage.because(
        Diagnostic::error(
            "usage",
            format!("--header-include '{include}' is no name of a header"),
        )
        .hint("it is what stands behind #include: config.h, <sys/types.h>"),
    ))
}

/// A header name as behind `#include`. The form with quotes also finds system headers.
fn quote(include: &str) -> String {
    if include.starts_with(['<', '"']) {
        include.to_owned()
    } else {
        format!("\"{include}\"")
    }
}

fn diagnostic(problem: &Problem) -> Diagnostic {
    match problem {
        Problem::Cdef(of_cdef) => Diagnostic::of_cdef(of_cdef),
        Problem::Plugin {
            severity,
            message,
            hint,
            ..
        } => {
            let diagnostic = match severity {
                Severity::Error => Diagnostic::error("plugin", message.as_str()),
                Severity::Warning => Diagnostic::warning("plugin", message.as_str()),
            };
            match hint {
                Some(hint) => diagnostic.hint(hint.as_str()),
                None => diagnostic,
            }
        }
    }
}

/// The failure of a plugin that cannot be made, with the places in keelback.toml that it is about.
fn failed(problems: &[Problem], config: &Config) -> Box<crate::diagnostic::Error> {
    let with_place = |problem| {
        let diagnostic = diagnostic(problem);
        match place_of(problem, config) {
            Some(place) => diagnostic.at(place),
            None => diagnostic,
        }
    };
    Failure::Input.because_of(problems.iter().map(with_place).collect())
}

/// The place in keelback.toml of the error value, or of the batch, that a message is about; `None` if it is not there.
fn place_of(problem: &Problem, config: &Config) -> Option<Place> {
    if let Problem::Plugin { message, .. } = problem {
        let is_about =
            |(name, _): &&(String, Place)| message.starts_with(&format!("a batch of '{name}' "));
        if let Some((_, place)) = config.batches.iter().find(is_about) {
            return Some(place.clone());
        }
    }
    let Problem::Plugin {
        error_value_of: Some(of),
        ..
    } = problem
    else {
        return None;
    };
    let mut errors = config.errors.iter().chain(&config.type_errors);
    // The last of several is the one that is said to be too much.
    errors.rfind(|error| error.function == *of)?.place.clone()
}

fn start_errors(values: &[ErrorValue]) -> Vec<StartError> {
    values
        .iter()
        .map(|error| StartError {
            function: error.function.clone(),
            value: error.value.clone(),
        })
        .collect()
}

/// The last part of a whole path.
pub fn without_place(name: &str) -> &str {
    match name.rsplit_once('/') {
        Some((_, last)) if name.starts_with('/') => last,
        _ => name,
    }
}

fn text(input: Input) -> SourceText {
    SourceText {
        file: input.name,
        text: input.text,
        line: 1,
    }
}
