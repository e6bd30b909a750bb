//! Turns Python's report on the init code and the plugin's own modules into errors, and into warnings about mistakes
//! that would otherwise only show when C calls.

use std::collections::{HashMap, HashSet};

use keelback_codegen::OwnFile;

use crate::diagnostic::{Diagnostic, Failure, Place, Result};
use crate::input::Input;
use crate::plugin::{Plugin, PythonFunction};
use crate::python::{self, InitReport};

/// The texts that messages show.
#[derive(Clone, Copy)]
pub struct InitCodeTexts<'a> {
    /// The init code.
    pub init: &'a Input,
    /// The plugin's own modules.
    pub files: &'a [OwnFile],
}

/// The warnings about the code.
///
/// # Errors
/// The code cannot run.
pub fn check(
    report: &InitReport,
    code: InitCodeTexts<'_>,
    plugin: &Plugin,
) -> Result<Vec<Diagnostic>> {
    let InitCodeTexts { init, files } = code;
    if let Some(error) = syntax_error(report, init) {
        return Err(Failure::Input.because(error));
    }
    let wrong = module_errors(report, files);
    if !wrong.is_empty() {
        return Err(Failure::Input.because_of(wrong));
    }
    let lines: Vec<&str> = init.text.lines().collect();
    let init = Code {
        name: &init.name,
        lines: &lines,
    };
    let line = |line| init.whole_line(line);
    let mut warnings: Vec<Diagnostic> = report
        .warnings
        .iter()
        .map(|(number, text)| Diagnostic::warning("init-warning", text.as_str()).at(line(*number)))
        .collect();
    warnings.extend(imports_beside(report, init, files));
    let functions = plugin.python_functions();
    warnings.extend(attachment_warnings(report, init, &functions));
    warnings.extend(shape_warnings(report, init, &functions));
    warnings.extend(lib_warnings(report, init, plugin));
    Ok(warnings)
}

/// Warnings about decorators that attach nothing.
fn decorator_warnings(report: &InitReport, init: Code<'_>) -> Vec<Diagnostic> {
    let line = |line| init.whole_line(line);
    let mut warnings = Vec::new();
    for number in &report.uncalled {
        warnings.push(
            Diagnostic::warning(
                "def-extern-uncalled",
                "@ffi.def_extern without () takes the function for a name",
            )
            .at(line(*number))
            .hint("write @ffi.def_extern()"),
        );
    }
    for foreign in &report.foreign {
        warnings.push(
            Diagnostic::warning(
                "foreign-ffi",
                format!(
                    "this is '{}' of the module '{}', not the plugin's: it attaches nothing here",
                    foreign.name, foreign.module
                ),
            )
            .at(line(foreign.line))
            .hint("the plugin's own is there as `ffi`, and in `from NAME import ffi`"),
        );
    }
    warnings
}

/// Warnings about Python functions whose signatures do not fit the calls from C.
fn shape_warnings(
    report: &InitReport,
    init: Code<'_>,
    functions: &[PythonFunction],
) -> Vec<Diagnostic> {
    let line = |line| init.whole_line(line);
    let mut warnings = decorator_warnings(report, init);
    let mut seen: HashMap<(&str, bool), usize> = HashMap::new();
    let declared: HashMap<&str, &PythonFunction> = functions
        .iter()
        .map(|function| (function.name.as_str(), function))
        .collect();
    for defined in &report.defined {
        if defined.is_always
            && let Some(first) = seen.insert((&defined.name, defined.is_batch), defined.line)
        {
            warnings.push(
                Diagnostic::warning(
                    "defined-twice",
                    format!(
                        "'{}' is defined a second time, and only this one counts",
                        defined.name
                    ),
                )
                .at(line(defined.line))
                .note(format!("the first one is in line {first}")),
            );
        }
        let Some(function) = declared.get(defined.name.as_str()) else {
            continue;
        };
        let given = if defined.is_batch {
            function.arrays
        } else {
            Some(function.parameters)
        };
        let Some(given) = given else {
            let message = format!("'{}' has no batch: this will raise an error", defined.name);
            warnings.push(
                Diagnostic::warning("no-batch", message)
                    .at(line(defined.line))
                    .hint(format!(
                        "build it with --batch {}, or with the comment /* keelback: batch */ at its declaration",
                        defined.name
                    )),
            );
            continue;
        };
        if let Some(what) = defined.shape.what_is_wrong(given) {
            warnings.push(
                Diagnostic::warning("cannot-be-called", format!("'{}' {what}", defined.name))
                    .at(line(defined.line))
                    .note(format!(
                        "it is declared in {}:{}",
                        function.place.file, function.place.line
                    )),
            );
        }
    }
    warnings
}

/// Warnings about uses of names that lib does not have.
fn lib_warnings(report: &InitReport, init: Code<'_>, plugin: &Plugin) -> Vec<Diagnostic> {
    let unknown = report
        .uses_of_lib
        .iter()
        .filter(|used| !plugin.has_name(&used.name));
    unknown
        .map(|used| {
            let warning = Diagnostic::warning(
                "unknown-name",
                format!("lib has no '{}': no cdef declares it", used.name),
            );
            let text = init.line(used.line);
            let before = text.char_indices();
            let column = before.take_while(|&(at, _)| at < used.column).count();
            let width = used.name.chars().count();
            let place = Place::at_line(init.name, text, used.line, column + 1, width);
            let warning = warning.at(place);
            match plugin.similar_name(&used.name) {
                Some(similar) => warning.hint(format!("did you mean '{similar}'?")),
                None => warning,
            }
        })
        .collect()
}

/// The error if the init code cannot run.
pub fn syntax_error(report: &InitReport, init: &Input) -> Option<Diagnostic> {
    let error = report.error.as_ref()?;
    let diagnostic = Diagnostic::error(
        "init-syntax",
        format!(
            "the init code cannot run: {}: {}",
            error.kind, error.message
        ),
    );
    Some(if error.line > 0 {
        diagnostic.at(Place::at_line(
            &init.name,
            nth_line(&init.text, error.line),
            error.line,
            error.column,
            error.end_column.saturating_sub(error.column),
        ))
    } else {
        diagnostic.note(format!("it is {}", init.name))
    })
}

fn module_errors(report: &InitReport, files: &[OwnFile]) -> Vec<Diagnostic> {
    let diagnostic = |error: &python::ModuleError| {
        let text = text_of(files, &error.path);
        let message = format!("the module {} cannot run: {}", error.path, error.message);
        let diagnostic = Diagnostic::error("module-syntax", message);
        if error.line == 0 {
            return diagnostic;
        }
        diagnostic.at(Place::at_line(
            &error.path,
            nth_line(&text, error.line),
            error.line,
            error.column.max(1),
            1,
        ))
    };
    report.module_errors.iter().map(diagnostic).collect()
}

fn text_of(files: &[OwnFile], path: &str) -> String {
    let file = files.iter().find(|file| file.path == path);
    file.map_or(String::new(), |file| {
        String::from_utf8_lossy(&file.data).into_owned()
    })
}

fn imports_beside(report: &InitReport, init: Code<'_>, files: &[OwnFile]) -> Vec<Diagnostic> {
    let diagnostic = |import: &python::Beside| {
        let place = if import.file == init.name {
            init.whole_line(import.line)
        } else {
            let text = text_of(files, &import.file);
            whole_line(&import.file, nth_line(&text, import.line), import.line)
        };
        Diagnostic::warning(
            "import-beside",
            format!(
                "'{}' is imported from {}, which the library will not have",
                import.name, import.path
            ),
        )
        .at(place)
        .hint(format!(
            "`--module {}` puts it into the library; without it the plugin's Python has to have it",
            import.path
        ))
    };
    report.beside.iter().map(diagnostic).collect()
}

/// The init code, with its lines: there may be as many messages as functions.
#[derive(Clone, Copy)]
struct Code<'a> {
    name: &'a str,
    lines: &'a [&'a str],
}

impl<'a> Code<'a> {
    /// The text of a line, from 1.
    fn line(self, line: usize) -> &'a str {
        let index = line.saturating_sub(1);
        self.lines.get(index).copied().unwrap_or_default()
    }

    fn whole_line(self, line: usize) -> Place {
        whole_line(self.name, self.line(line), line)
    }
}

fn nth_line(text: &str, line: usize) -> &str {
    text.lines().nth(line.saturating_sub(1)).unwrap_or_default()
}

fn whole_line(file: &str, text: &str, line: usize) -> Place {
    let indent = text.chars().take_while(|c| c.is_whitespace()).count();
    Place::at_line(file, text, line, indent + 1, text.trim().chars().count())
}

/// How many functions that the init code does not define get a warning of their own.
const MOST_WARNINGS: usize = 10;

fn attachment_warnings(
    report: &InitReport,
    init: Code<'_>,
    functions: &[PythonFunction],
) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    if let Some(module) = &report.shadows {
        warnings.push(
            Diagnostic::warning(
                "shadows-module",
                format!("the name '{module}' is that of a module of Python's standard library"),
            )
            .hint("whoever imports that module gets the plugin instead; choose another --name"),
        );
    }
    let declared: HashSet<&str> = functions
        .iter()
        .map(|function| function.name.as_str())
        .collect();
    for (line, name) in &report.attached {
        if !declared.contains(name.as_str()) {
            warnings.push(
                Diagnostic::warning(
                    "unknown-function",
                    format!("the init code defines '{name}', which no cdef declares"),
                )
                .at(init.whole_line(*line))
                .hint("ffi.def_extern() will raise an error here; declare the function, or mend the name"),
            );
        }
    }
    if report.is_unsure {
        return warnings;
    }
    let attached: HashSet<&str> = report
        .attached
        .iter()
        .map(|(_, name)| name.as_str())
        .collect();
    let missing: Vec<_> = functions
        .iter()
        .filter(|function| !attached.contains(function.name.as_str()))
        .collect();
    // The first few warnings are enough to see the mistake.
    let shown = if missing.len() > MOST_WARNINGS + 1 {
        MOST_WARNINGS
    } else {
        missing.len()
    };
    for function in &missing[..shown] {
        warnings.push(
                Diagnostic::warning(
                    "never-attached",
                    format!("the init code never defines '{}'", function.name),
                )
                .at(function.place.clone())
                .hint(format!(
                    "define it in {} under @ffi.def_extern(); until then a call prints an error and returns its error value",
                    init.name
                )),
        );
    }
    if shown < missing.len() {
        warnings.push(Diagnostic::warning(
            "never-attached",
            format!(
                "the init code never defines {} more of the {} functions",
                missing.len() - shown,
                functions.len()
            ),
        ));
    }
    warnings
}
