//! What a plugin is made of: the input of [`Plugin::new`](crate::Plugin::new).

use keelback_cdef::{ParseOptions, Target};

/// A text and the name of the file that it came from, for messages and `#line`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceText {
    /// Name of the file, as the user gave it.
    pub file: String,
    /// The text.
    pub text: String,
    /// The line of the file that it begins in; 0 for a whole file.
    pub line: u32,
}

/// One text of declarations: what one `cdef()` or `embedding_api()` call takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CdefText {
    /// Name of the file, as the user gave it.
    pub file: String,
    /// The declarations.
    pub text: String,
    /// Every function in it is exported by the plugin and runs Python.
    pub embedding_api: bool,
    /// `packed=True`
    pub packed: bool,
    /// `pack=N`
    pub pack: Option<u32>,
    /// `override=True`: may redeclare names of earlier texts differently.
    pub override_: bool,
    /// The text was given to an `FFI()` object: it is parsed by CFFI's rules where they differ from C's.
    pub as_cffi: bool,
    /// The text is a preprocessed header, about which warnings have been given already.
    pub preprocessed: bool,
    /// Generated C includes the file that the text is from, instead of repeating it.
    pub included: bool,
}

impl CdefText {
    /// The options for the parser.
    pub fn options(&self) -> ParseOptions<'_> {
        ParseOptions {
            file: Some(&self.file),
            override_: self.override_,
            packed: self.packed,
            pack: self.pack,
            embedding_api: self.embedding_api,
            as_cffi: self.as_cffi,
            of_headers: true,
            other_macros: self.preprocessed,
        }
    }
}

/// The Python that a plugin is made for. Unless the process has a Python already, the plugin first looks for it at
/// these paths; otherwise it searches for another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedPython {
    /// Path of its libpython.
    pub libpython: Option<String>,
    /// sys.base_prefix.
    pub home: Option<String>,
    /// Its executable; a venv's makes the venv's packages importable.
    pub executable: Option<String>,
    /// (3, 11): which libpython to look for when the recorded one is gone.
    pub version: (u8, u8),
    /// It is a free-threaded Python: its libpython is called `libpython3.14t`.
    pub free_threaded: bool,
}

/// What a function returns when Python cannot be started or the init code failed (`--error NAME=VALUE`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartError {
    /// The function's name.
    pub function: String,
    /// The value, as C text: `-1`, `SQLITE_ERROR`, `{1, 2}`.
    pub value: String,
}

/// A `@ffi.def_extern(error=...)` that was found in the init code without running it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitError {
    /// The function's name.
    pub function: String,
    /// The value as C text; `None` if it is not a literal that can be read.
    pub value: Option<String>,
    /// The line of the init code.
    pub line: u32,
}

/// What the debug information says of a function: where the Python function is that it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DebugLine {
    /// The function's name in C.
    pub function: String,
    /// The file of the Python function.
    pub file: String,
    /// The line of its `def`.
    pub line: u32,
}

/// The `KEELBACK_PLUGIN_` flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PluginFlags {
    /// Python starts without `import site`.
    pub no_site: bool,
    /// Python reads the PYTHON* environment variables.
    pub use_environment: bool,
    /// SIGPIPE is set to be ignored if it has its default action.
    pub ignore_sigpipe: bool,
    /// Development library: the init code is read from its file at run time.
    pub dev: bool,
    /// An API-mode extension module: it has no init code.
    pub extension_module: bool,
    /// Where `def_extern` would warn, it raises an error.
    pub strict: bool,
}

/// Which names the exported functions may have. A process has one table of symbols: a plugin's `strlen` would be called
/// by other libraries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ExportRule {
    /// Any, as in CFFI.
    #[default]
    Any,
    /// No name of the C library or of libpython, except these, which `--export` gave.
    OfCommandLine(Vec<String>),
    /// As [`Self::OfCommandLine`]; `embedding_api(export=)` gave the exceptions.
    OfBuilder(Vec<String>),
}

/// A module whose declarations are visible in the plugin's.
#[derive(Clone, Debug)]
pub struct IncludedModule {
    /// Its name: the plugin imports it.
    pub module_name: String,
    /// The number of the plugin's cdefs that precede the `include()`.
    pub position: usize,
    /// What it declares.
    pub declarations: keelback_cdef::Declarations,
}

/// A file of the plugin's own modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnFile {
    /// Its path among the modules: `rules/tax.py`; in a development library, that of a whole module or package:
    /// `rules`.
    pub path: String,
    /// Importable by its own name too.
    pub is_top_level: bool,
    /// Where it is on disk, for a development library, which reads it there.
    pub place: Option<String>,
    /// The contents.
    pub data: Vec<u8>,
    /// A module's code as `marshal` writes it, if it has been compiled.
    pub code: Option<Vec<u8>>,
}

/// All that a plugin is made of.
#[derive(Clone, Debug, Default)]
pub struct PluginSpec {
    /// `from NAME import ffi, lib`. A dotted name is for extension modules in packages.
    pub module_name: String,
    /// The declarations, in order.
    pub cdefs: Vec<CdefText>,
    /// The headers that the public header and the C file include for the types of the cdefs, spelled as behind
    /// `#include`: `<stdio.h>`.
    pub includes: Vec<String>,
    /// For debuggers: each function of the C file is said to be where its Python function is; one that is not listed, where
    /// it is declared. None: they are where they stand.
    pub debug_lines: Option<Vec<DebugLine>>,
    /// The modules that `ffi.include()` makes visible.
    pub included: Vec<IncludedModule>,
    /// The C source of `set_source()` or `--source`: provides the types, and C functions and variables.
    /// Without it the declarations themselves provide the types.
    pub prelude: Option<SourceText>,
    /// The prelude is ordinary C: nothing comes in front of it. Otherwise it is written for CFFI, which includes
    /// headers and defines macros in front.
    pub is_prelude_first: bool,
    /// The init code.
    pub init: Option<SourceText>,
    /// The init code as `marshal` writes it.
    pub init_compiled: Option<Vec<u8>>,
    /// The plugin's own modules.
    pub files: Vec<OwnFile>,
    /// `importlib.util.MAGIC_NUMBER` of the Python that compiled them, as a little-endian number.
    pub code_magic: u32,
    /// The Python to look for.
    pub python: RecordedPython,
    /// Path of the runtime to look for.
    pub runtime_path: Option<String>,
    /// The values that functions return when Python cannot be started.
    pub start_errors: Vec<StartError>,
    /// The same for all functions that return a type; the type is in the place of the function's name. They apply to
    /// functions that are in neither `start_errors` nor `init_errors`.
    pub type_errors: Vec<StartError>,
    /// The same from the init code. They apply to functions that are not in `start_errors`.
    pub init_errors: Vec<InitError>,
    /// The exported functions that have batches, beside those whose declarations ask for one.
    pub batches: Vec<String>,
    /// How Python is started.
    pub flags: PluginFlags,
    /// The platform that it is for.
    pub target: Target,
    /// Which names its exported functions may have.
    pub exports: ExportRule,
    /// Path of a runtime that the plugin carries inside (`--standalone`); read by the C compiler.
    pub standalone_runtime: Option<String>,
}
