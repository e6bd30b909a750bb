//! Python's report on the init code, as `probe.py` writes it.
use keelback_codegen::PythonShape;

use super::probe::Record;

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
    /// It takes arrays: `batch=True`.
    pub is_batch: bool,
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

impl InitReport {
    /// What a record of probe.py says.
    pub(super) fn read(record: &Record) -> Self {
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
        Self {
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
            error: record.has("error").then(|| InitError {
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
            shadows: record.has("shadows").then(|| record.text("shadows")),
        }
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
    let [
        name,
        line,
        least,
        most,
        keywords,
        gives,
        is_always,
        is_batch,
    ] = text.split('\n').collect::<Vec<_>>().try_into().ok()?;
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
        is_batch: is_batch == "1",
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
