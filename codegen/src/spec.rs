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
    /// `override=True`: may declare again, differently, what an earlier one declared.
    pub override_: bool,
    /// Read by CFFI's rules where they differ from C's: what an `FFI()` object was given.
    pub as_cffi: bool,
    /// It comes from a header that was preprocessed: what there is to warn of has been said.
    pub preprocessed: bool,
    /// Generated C includes the file that has it, and does not repeat it.
    pub included: bool,
}

impl CdefText {
    /// How it is read.
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

/// The Python that a plugin is made for. The plugin looks for it there first (unless the process has a Python
/// already), but needs none of the paths: another Python will do.
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
    /// It has no GIL: its libpython is called `libpython3.14t`.
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

/// `@ffi.def_extern(error=...)` of the init code, as it was read without running it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitError {
    /// The function's name.
    pub function: String,
    /// The value as C text; none where it could not be read.
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
    /// PYTHON* environment variables count.
    pub use_environment: bool,
    /// SIGPIPE is ignored where it is at its default.
    pub ignore_sigpipe: bool,
    /// Development library: the init code is read from its file at run time.
    pub dev: bool,
    /// An API-mode extension module: it has no init code.
    pub extension_module: bool,
    /// What `def_extern` would warn of is an error.
    pub strict: bool,
}

/// Which names the exported functions may have. A process has one table of names: a `strlen` of the plugin's would be called
/// by others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ExportRule {
    /// Any, as in CFFI.
    #[default]
    Any,
    /// None of the C library's and of libpython's, but for these, which `--export` gave.
    OfCommandLine(Vec<String>),
    /// The same, of `embedding_api(export=)`.
    OfBuilder(Vec<String>),
}

/// A module whose declarations are visible in the plugin's.
#[derive(Clone, Debug)]
pub struct IncludedModule {
    /// Its name: the plugin imports it.
    pub module_name: String,
    /// How many of the plugin's cdefs come before it.
    pub position: usize,
    /// What it declares.
    pub declarations: keelback_cdef::Declarations,
}

/// A file of the plugin's own modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnFile {
    /// Where it is among the modules: `rules/tax.py`; in a development library, a whole module or package: `rules`.
    pub path: String,
    /// Importable by its own name too.
    pub is_top_level: bool,
    /// Where it is on disk, for a development library, which reads it there.
    pub place: Option<String>,
    /// The contents.
    pub data: Vec<u8>,
    /// A module's code as `marshal` writes it, if somebody has compiled it.
    pub code: Option<Vec<u8>>,
}

/// All that a plugin is made of.
#[derive(Clone, Debug, Default)]
pub struct PluginSpec {
    /// `from NAME import ffi, lib`. A dotted name is for extension modules in packages.
    pub module_name: String,
    /// The declarations, in order.
    pub cdefs: Vec<CdefText>,
    /// What the header and the C file include for the cdefs' types, as it stands behind `#include`: `<stdio.h>`.
    pub includes: Vec<String>,
    /// For debuggers: each function of the C file is said to be where its Python function is; one that is not listed, where
    /// it is declared. None: they are where they stand.
    pub debug_lines: Option<Vec<DebugLine>>,
    /// The modules that `ffi.include()` makes visible.
    pub included: Vec<IncludedModule>,
    /// The C source of `set_source()` or `--source`: provides the types, and C functions and variables.
    /// Without it the declarations themselves provide the types.
    pub prelude: Option<SourceText>,
    /// The prelude is C as any other: no header stands in front of it, and no macro that says what headers declare. Else it
    /// is written for CFFI, which has some there.
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
    /// Values of functions whose Python cannot be started.
    pub start_errors: Vec<StartError>,
    /// The same for all functions that return a type, which stands in the place of the function's name; counts for those
    /// that neither `start_errors` nor `init_errors` has anything for.
    pub type_errors: Vec<StartError>,
    /// What the init code says of them; counts for functions that `start_errors` has nothing for.
    pub init_errors: Vec<InitError>,
    /// How Python is started.
    pub flags: PluginFlags,
    /// The platform that it is for.
    pub target: Target,
    /// Which names its functions may have.
    pub exports: ExportRule,
    /// Path of a runtime that the plugin carries inside (`--standalone`); read by the C compiler.
    pub standalone_runtime: Option<String>,
}
