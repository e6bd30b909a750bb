//! The command line, as clap reads it. Its texts are the help, the man pages and the completions.
use std::path::PathBuf;

use clap::{ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use keelback_codegen::abi::KEELBACK_ABI_VERSION;
use keelback_compiler::soname::SoVersion;

const EXIT_CODES: &str = "\
Exit status:
  0  done (perhaps with warnings)
  1  the declarations, the init code or keelback.toml are wrong
  2  the command line is wrong
  3  there is no C compiler, or it failed
  4  Python, its shared library or keelback's runtime for it are missing or do not fit
  5  a file cannot be read or written
  129, 130, 143  ended by SIGHUP, SIGINT (Ctrl-C), SIGTERM

Whatever is not 0 leaves every output file as it was.";

const BUILD_HELP: &str = "\
Environment:
  CC, CFLAGS, CPATH, LDFLAGS  the compiler and its flags, as with make
  VIRTUAL_ENV                 the environment whose Python is taken without --python
  KEELBACK_RUNTIME            path of keelback's runtime
  NO_COLOR                    no colours, whatever the terminal can do";

const BUNDLE_HELP: &str = "\
The bundle is the directory MODULE.keelback beside the plugin (keelback-bundle for several plugins). It holds libpython,
the standard library (without its tests, tkinter, idlelib, turtledemo and ensurepip), keelback's runtime, the packages,
and the C libraries that these need. The plugin finds it there, wherever the two are moved, on a machine of the same kind
with a C library that is as new.

Environment:
  VIRTUAL_ENV                 the environment whose Python is taken without --python
  KEELBACK_RUNTIME            path of keelback's runtime";
const CDEF_HELP: &str = "\
What the headers declare themselves is there, and of what they include the types that this needs. Macros whose value is a
constant are there with their value.";
const INSPECT_HELP: &str = "\
What is inside is read out of the file, and where the library would look for Python and the runtime is what its own loader
says, in this environment. Neither Python nor the init code is started.

Exit status 4: one of them finds no Python or no runtime here. KEELBACK_PYTHON and KEELBACK_RUNTIME count as they do when
it starts.";
const ABI_HELP: &str = "\
OLD and NEW are each a library that `keelback build` made, a header, or a file with declarations.

Exit status:
  0  the same
  1  compatible: programs that use OLD go on working with NEW
  2  incompatible
  3  there was nothing to compare: something is wrong with the command line or with a file";
const GEN_SRC_HELP: &str = "\
The arguments are those of CFFI's cffi-gen-src. The C source includes no Python header and is the same for
every version of Python: compile it into a module that Python imports under the name it was given.";

/// Builds an ordinary C shared library, and its header, out of C declarations and Python code.
#[derive(Parser, Debug)]
#[command(
    name = "keelback",
    version = VERSION.as_str(),
    propagate_version = false,
    disable_help_subcommand = true,
    after_help = EXIT_CODES,
    max_term_width = 100
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to tell about it.
    #[command(flatten)]
    pub output: OutputArguments,
}

impl Arguments {
    /// The arguments of a command line that clap has accepted.
    pub fn from_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut arguments = Self::from_arg_matches(matches)?;
        if let Some((_, of_command)) = matches.subcommand() {
            match &mut arguments.command {
                Command::Build(build) => build.declarations.see_order(of_command),
                Command::Header(header) => header.declarations.see_order(of_command),
                Command::Emit(emit) => emit.declarations.see_order(of_command),
                Command::Check(check) => check.declarations.see_order(of_command),
                Command::Stubs(stubs) => stubs.declarations.see_order(of_command),
                Command::Cdef(_)
                | Command::Bundle(_)
                | Command::GenSrc(_)
                | Command::Install(_)
                | Command::Cmake(_)
                | Command::New(_)
                | Command::Doctor(_)
                | Command::Inspect(_)
                | Command::Abi(_)
                | Command::Help { .. }
                | Command::Completions { .. }
                | Command::Man { .. } => {}
            }
        }
        Ok(arguments)
    }
}

/// `0.1.0 (plugin ABI 1)`: a plugin and a runtime with different ABI numbers refuse each other.
static VERSION: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    format!(
        "{} (plugin ABI {KEELBACK_ABI_VERSION})",
        env!("CARGO_PKG_VERSION")
    )
});

/// How messages look.
#[derive(Args, Debug, Clone)]
pub struct OutputArguments {
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show what is found and run: Python, the runtime, the compiler's command line, times
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Write nothing if there is a warning: exit status 1. A library's start then fails where it would warn
    #[arg(long, global = true)]
    pub strict: bool,
    /// Form of the messages on standard error; json: one object per line
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human")]
    pub message_format: MessageFormat,
    /// Colours in messages; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
}

/// `--message-format`
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageFormat {
    /// Text with the line and a caret.
    Human,
    /// JSON: level, message, file, line, column, hint, code, rendered.
    Json,
}

/// `--color`
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColorChoice {
    /// On a terminal.
    Auto,
    /// Also into pipes and files.
    Always,
    /// Nowhere.
    Never,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Build the shared library of a plugin, and its header
    #[command(after_help = BUILD_HELP)]
    Build(Box<BuildArguments>),
    /// Print the plain cdef of headers: without directives, as `ffi.cdef()` reads it
    #[command(after_help = CDEF_HELP)]
    Cdef(CdefArguments),
    /// Write only the header
    Header(Box<HeaderArguments>),
    /// Write only the C source of a plugin
    Emit(Box<EmitArguments>),
    /// Say what a build would say of the declarations and the Python code, without a C compiler and without an output
    Check(Box<CheckArguments>),
    /// Put a Python beside a plugin, so that both can be moved to a machine without one
    #[command(after_help = BUNDLE_HELP)]
    Bundle(BundleArguments),
    /// Print the CMake package Keelback, which has the function keelback_add_plugin, or write it into a directory
    Cmake(CmakeArguments),
    /// Put a library that was built where compilers and programs find it, with its header, NAME.pc for pkg-config and
    /// NAMEConfig.cmake for CMake
    Install(InstallArguments),
    /// Write the C source of an extension module (API mode), for build systems: meson, CMake, make
    #[command(name = "gen-src", after_help = GEN_SRC_HELP)]
    GenSrc(GenSrcArguments),
    /// Write type stubs: what mypy and other type checkers see of the module's ffi and lib
    Stubs(Box<StubsArguments>),
    /// Start a project that builds and runs at once: declarations, init code, a C host, a Makefile
    New(NewArguments),
    /// Say what this machine lacks, and which package brings it; exit status 1 if a build would fail
    Doctor(DoctorArguments),
    /// Say what is inside a library, and which Python and runtime it would take here, step by step
    #[command(after_help = INSPECT_HELP)]
    Inspect(InspectArguments),
    /// Compare two versions of an interface: what is new, changed and gone, and which version number that asks for
    #[command(after_help = ABI_HELP)]
    Abi(AbiArguments),
    /// Print what a command does and its options: `keelback help build` is `keelback build --help`
    Help {
        /// The command, and one of its own (`gen-src exec-python`) [default: an overview]
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write one page per command into a directory
    Man {
        /// The directory; it must exist
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

/// What the plugin is made of.
#[derive(Args, Debug)]
pub struct DeclarationArguments {
    /// Files with the declarations to export (`-`: standard input)
    #[arg(value_name = "CDEF", required = true, value_hint = ValueHint::FilePath)]
    pub cdefs: Vec<PathBuf>,
    /// Module name of the plugin: the init code says `from NAME import ffi, lib`
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// C source in front of the generated code: it provides the types, and what Python reaches through `lib`
    #[arg(long, value_name = "PRELUDE.c", value_hint = ValueHint::FilePath)]
    pub source: Option<PathBuf>,
    /// Declarations that are not exported: C that the init code uses (may be repeated)
    #[arg(long = "cdef", value_name = "EXTRA.cdef", value_hint = ValueHint::FilePath)]
    pub extra_cdefs: Vec<PathBuf>,
    /// How headers are found and read.
    #[command(flatten)]
    pub preprocessing: PreprocessArguments,
    /// The generated header includes the CDEF files as they are, and does not repeat what they declare
    #[arg(long)]
    pub keep_header: bool,
    /// Export NAME although the C library or libpython has it: everything in the process may then call it (may be
    /// repeated)
    #[arg(long = "export", value_name = "NAME")]
    pub exports: Vec<String>,
    /// Header that the generated header includes first, for types that only the prelude has (may be repeated)
    #[arg(long = "header-include", value_name = "HEADER")]
    pub header_includes: Vec<String>,
    /// All structs and unions are packed: no padding between members
    #[arg(long, conflicts_with = "pack")]
    pub packed: bool,
    /// No member of a struct or union is aligned to more than N bytes (a power of two)
    #[arg(long, value_name = "N")]
    pub pack: Option<u32>,
    /// What exported function NAME returns when Python cannot start or the init code fails (may be repeated)
    #[arg(long = "error", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub errors: Vec<String>,
    /// The same for all exported functions that return TYPE, as their declarations spell it: kv_status=-1, 'char *=NULL' (may
    /// be repeated)
    #[arg(
        long = "error-type",
        value_name = "TYPE=VALUE",
        allow_hyphen_values = true
    )]
    pub type_errors: Vec<String>,
    /// Export NAME_n beside NAME: a call of it for each element of arrays, in one call of Python (may be repeated)
    #[arg(long = "batch", value_name = "NAME")]
    pub batches: Vec<String>,
    /// Configuration file [default: keelback.toml beside the first CDEF, if there is one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Both kinds of cdefs as they stand on the command line: a type is declared before its use.
    #[arg(skip)]
    pub in_order: Vec<CdefFile>,
}

/// How headers are found and read.
#[derive(Args, Debug, Default)]
pub struct PreprocessArguments {
    /// The C compiler, which also says what it defines and where it looks for headers [default: $CC, or cc]
    #[arg(long, value_name = "CC", value_hint = ValueHint::CommandName)]
    pub cc: Option<String>,
    /// Where headers are looked for, by keelback and by the compiler
    #[arg(short = 'I', value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub include_dirs: Vec<PathBuf>,
    /// Macros for headers and for the compiler
    #[arg(short = 'D', value_name = "X[=VALUE]")]
    pub defines: Vec<String>,
    /// Macros that headers and the compiler are not to have
    #[arg(short = 'U', value_name = "X")]
    pub undefines: Vec<String>,
    /// Take only the names that match a shell pattern, and what they need: 'sqlite3_*' (may be repeated)
    #[arg(long, value_name = "PATTERN")]
    pub only: Vec<String>,
}

/// A cdef on the command line.
#[derive(Debug, Clone)]
pub struct CdefFile {
    /// Where.
    pub path: PathBuf,
    /// Its functions are exported; else it came with `--cdef`.
    pub is_api: bool,
}

impl DeclarationArguments {
    /// Fills `in_order` from the positions that clap saw.
    fn see_order(&mut self, matches: &ArgMatches) {
        let mut indexed: Vec<(usize, CdefFile)> = Vec::new();
        for (id, paths, is_api) in [
            ("cdefs", &self.cdefs, true),
            ("extra_cdefs", &self.extra_cdefs, false),
        ] {
            let indices = matches.indices_of(id).into_iter().flatten();
            indexed
                .extend(indices.zip(paths.iter().cloned().map(|path| CdefFile { path, is_api })));
        }
        indexed.sort_by_key(|&(index, _)| index);
        self.in_order = indexed.into_iter().map(|(_, file)| file).collect();
    }
}

/// The Python side of the plugin.
#[derive(Args, Debug)]
pub struct InitArguments {
    /// The init code: run once, at the first call of an exported function
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub init: PathBuf,
    /// A Python module or package of the plugin's own, with the data files in it, that goes into the library: the plugin's
    /// code imports it by its name, as if it lay beside the init code (may be repeated)
    #[arg(long = "module", value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub modules: Vec<PathBuf>,
    /// The same for a module that all Python code of the process is to find under its name (may be repeated)
    #[arg(long = "top-level-module", value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub top_level_modules: Vec<PathBuf>,
    /// A python executable, a virtual environment's directory or a libpython
    /// [default: the one of $VIRTUAL_ENV, or python3 on the PATH]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub python: Option<PathBuf>,
    /// Start Python without its `site` module: faster, and without site-packages
    #[arg(long)]
    pub no_site: bool,
    /// Let PYTHONPATH and the other PYTHON* variables of the host's environment count
    #[arg(long)]
    pub use_environment: bool,
    /// Ignore SIGPIPE from the start on, where the host left it at its default: writing to a closed pipe or socket is
    /// then a BrokenPipeError, and does not end the host
    #[arg(long)]
    pub ignore_sigpipe: bool,
    /// A library for development: it runs FILE from where it is, again whenever it has changed
    #[arg(long)]
    pub dev: bool,
    /// Neither look for keelback's runtime nor check it: the plugin finds one when it starts
    #[arg(long, conflicts_with = "standalone")]
    pub no_runtime_check: bool,
    /// Carry the runtime inside the library
    #[arg(long)]
    pub standalone: bool,
    /// Record no path of this machine: Python is the one of KEELBACK_PYTHON, of a bundle, or the system's
    #[arg(long, conflicts_with = "dev")]
    pub relocatable: bool,
}

/// `keelback build`
#[derive(Args, Debug)]
pub struct BuildArguments {
    #[command(flatten)]
    /// What is declared.
    pub declarations: DeclarationArguments,
    #[command(flatten)]
    /// What runs.
    pub init: InitArguments,
    /// Where the linker looks for libraries
    #[arg(short = 'L', value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub library_dirs: Vec<PathBuf>,
    /// Libraries that the prelude uses
    #[arg(short = 'l', value_name = "LIB")]
    pub libraries: Vec<String>,
    /// The library [default: libNAME.so]; with --emit c the C source [default: NAME.c]
    #[arg(short, long = "output", value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// The header [default: NAME.h beside OUT]
    #[arg(long, value_name = "H", value_hint = ValueHint::FilePath, conflicts_with = "no_header")]
    pub header: Option<PathBuf>,
    /// Write no header
    #[arg(long)]
    pub no_header: bool,
    /// The version X.Y.Z of the library's interface: libNAME.so.X.Y.Z is written, with links to it called libNAME.so.X (what
    /// programs look for when they start) and libNAME.so (what the linker looks for)
    #[arg(long, value_name = "X.Y.Z", conflicts_with = "emit")]
    pub soversion: Option<SoVersion>,
    /// A header for C++17 and later too, with exceptions, std::string_view and std::span [default: NAME.hpp beside the header]
    #[arg(long, value_name = "HPP", value_hint = ValueHint::FilePath, num_args = 0..=1, require_equals = true)]
    pub cpp_header: Option<Option<PathBuf>>,
    /// Write what the library was made of, for make and ninja
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub depfile: Option<PathBuf>,
    /// With what debuggers want to know, and not optimised: they show the line of the Python function
    #[arg(short = 'g', conflicts_with = "emit")]
    pub debug: bool,
    /// Stop before the compiler, and write what it would get
    #[arg(long, value_name = "FORM")]
    pub emit: Option<EmitForm>,
}

/// `--emit`
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum EmitForm {
    /// The C source.
    C,
}

/// `keelback cdef`
#[derive(Args, Debug)]
pub struct CdefArguments {
    /// The headers (`-`: standard input)
    #[arg(value_name = "HEADER", required = true, value_hint = ValueHint::FilePath)]
    pub headers: Vec<PathBuf>,
    /// How headers are found and read.
    #[command(flatten)]
    pub preprocessing: PreprocessArguments,
    /// Also all that the headers include
    #[arg(long)]
    pub all: bool,
    /// With line markers, so that messages about the text name the headers
    #[arg(long)]
    pub markers: bool,
    /// The cdef [default: standard output]
    #[arg(short, long = "output", value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// `keelback header`
#[derive(Args, Debug)]
pub struct HeaderArguments {
    #[command(flatten)]
    /// What is declared.
    pub declarations: DeclarationArguments,
    /// The header for C++17 and later, which includes NAME.h
    #[arg(long)]
    pub cpp: bool,
    /// A header for parsers without a preprocessor, such as PHP's FFI: no directives, macros or attributes
    #[arg(long, conflicts_with_all = ["cpp", "keep_header"])]
    pub plain: bool,
    /// The header [default: standard output]
    #[arg(short, long = "output", value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// `keelback emit`
#[derive(Args, Debug)]
pub struct EmitArguments {
    #[command(flatten)]
    /// What is declared.
    pub declarations: DeclarationArguments,
    #[command(flatten)]
    /// What runs.
    pub init: InitArguments,
    /// The C source [default: standard output]
    #[arg(short, long = "output", value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Write what the C source was made of, for make and ninja
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "output")]
    pub depfile: Option<PathBuf>,
}

/// `keelback check`
#[derive(Args, Debug)]
pub struct CheckArguments {
    #[command(flatten)]
    /// What is declared.
    pub declarations: DeclarationArguments,
    #[command(flatten)]
    /// What runs.
    pub init: InitArguments,
}

/// `keelback bundle`
#[derive(Args, Debug)]
pub struct BundleArguments {
    /// The plugin; several in one directory share their bundle
    #[arg(value_name = "PLUGIN", required = true, value_hint = ValueHint::FilePath)]
    pub plugins: Vec<PathBuf>,
    /// A python executable, a virtual environment's directory or a libpython
    /// [default: the one of $VIRTUAL_ENV, or python3 on the PATH]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub python: Option<PathBuf>,
    /// An installed package that the init code imports, as pip calls it (NAME or NAME[EXTRA]); what it requires comes
    /// along (may be repeated)
    #[arg(long = "package", value_name = "NAME")]
    pub packages: Vec<String>,
    /// All installed packages
    #[arg(long)]
    pub all_packages: bool,
    /// A module that the bundle can do without: the standard library's or, with dots, a package's (may be repeated)
    #[arg(long = "exclude", value_name = "MODULE")]
    pub excluded: Vec<String>,
    /// Leave out what the init code is not seen to import: runs it here, once
    #[arg(long)]
    pub trim: bool,
    /// A module that comes along although --trim does not see it, or although it needs a C library under the GPL
    /// (readline, _gdbm, _dbm) (may be repeated)
    #[arg(long = "include", value_name = "MODULE")]
    pub included: Vec<String>,
    /// Bytecode alone, without the Python files: tracebacks have no source lines
    #[arg(long)]
    pub no_source: bool,
    /// Leave symbols and debug information in the libraries
    #[arg(long)]
    pub keep_symbols: bool,
    /// Write the plugins and their bundle to an archive instead, the same bytes each time: .tar.zst, .tar.gz or .tar
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub archive: Option<PathBuf>,
}

/// `keelback stubs`
#[derive(Args, Debug)]
pub struct StubsArguments {
    #[command(flatten)]
    /// What is declared.
    pub declarations: DeclarationArguments,
    /// Of a module without C (ABI mode): it has ffi alone, and ffi.dlopen() gives the lib
    #[arg(long)]
    pub abi: bool,
    /// The stubs [default: standard output]
    #[arg(short, long = "output", value_name = "OUT.pyi", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// `keelback cmake`
#[derive(Args, Debug)]
pub struct CmakeArguments {
    /// The directory: Keelback_DIR, or a part of CMAKE_PREFIX_PATH
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
}

/// `keelback install`
#[derive(Args, Debug)]
pub struct InstallArguments {
    /// The library: libNAME.so, as `keelback build` has made it
    #[arg(value_name = "LIB", value_hint = ValueHint::FilePath)]
    pub library: PathBuf,
    /// Where it will be: an absolute path
    #[arg(long, value_name = "DIR", default_value = "/usr/local", value_hint = ValueHint::DirPath)]
    pub prefix: PathBuf,
    /// Put everything below DIR for now, to make a package of it; nothing in the files tells of DIR
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub destdir: Option<PathBuf>,
    /// The directory of libraries, from the prefix on or absolute (Debian: lib/x86_64-linux-gnu; Fedora: lib64)
    #[arg(long, value_name = "DIR", default_value = "lib")]
    pub libdir: PathBuf,
    /// The directory of headers, from the prefix on or absolute
    #[arg(long, value_name = "DIR", default_value = "include")]
    pub includedir: PathBuf,
    /// A header (may be repeated) [default: NAME.h beside LIB, and NAME.hpp if it is there]
    #[arg(long = "header", value_name = "H", value_hint = ValueHint::FilePath)]
    pub headers: Vec<PathBuf>,
    /// The version that pkg-config and CMake are told [default: the library's soversion, or 0]
    #[arg(long, value_name = "V")]
    pub package_version: Option<String>,
    /// What pkg-config says of the library, in one line
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
}

/// `keelback gen-src`
#[derive(Args, Debug)]
pub struct GenSrcArguments {
    /// Where the module comes from.
    #[command(subcommand)]
    pub source: GenSrc,
}

/// The forms of `keelback gen-src`.
#[derive(Subcommand, Debug)]
pub enum GenSrc {
    /// Run a Python script that defines an FFI object, and write the C source of its module
    ExecPython {
        /// Name of the FFI object, or of a function that returns one, in the script
        #[arg(long, value_name = "NAME", default_value = "ffibuilder")]
        ffi_var: String,
        /// The script may say `import cffi`: it gets keelback's objects
        #[arg(long)]
        as_cffi: bool,
        /// A python executable or a virtual environment's directory; keelback is installed there
        /// [default: the one of $VIRTUAL_ENV, or python3 on the PATH]
        #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
        python: Option<PathBuf>,
        /// The script (`-`: standard input); it runs with `__name__ == "cffi.gen_src"`
        #[arg(value_name = "SCRIPT", value_hint = ValueHint::FilePath)]
        pyfile: PathBuf,
        /// The C source (`-`: standard output)
        #[arg(value_name = "OUT.c", value_hint = ValueHint::FilePath)]
        output: PathBuf,
    },
    /// Write the C source of the module that a cdef and a prelude make; no Python is run
    ReadSources {
        /// Full name of the module, packages included
        #[arg(value_name = "MODULE")]
        module_name: String,
        /// File with the declarations (`-`: standard input)
        #[arg(value_name = "CDEF", value_hint = ValueHint::FilePath)]
        cdef: PathBuf,
        /// File with the C source in front of the generated code
        #[arg(value_name = "PRELUDE", value_hint = ValueHint::FilePath)]
        csrc: PathBuf,
        /// The C source (`-`: standard output)
        #[arg(value_name = "OUT.c", value_hint = ValueHint::FilePath)]
        output: PathBuf,
    },
}

/// `keelback doctor`
#[derive(Args, Debug)]
pub struct DoctorArguments {
    /// A python executable, a virtual environment's directory or a libpython
    /// [default: the one of $VIRTUAL_ENV, or python3 on the PATH]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub python: Option<PathBuf>,
    /// The C compiler [default: $CC, or cc]
    #[arg(long, value_name = "CC", value_hint = ValueHint::CommandName)]
    pub cc: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `keelback inspect`
#[derive(Args, Debug)]
pub struct InspectArguments {
    /// Libraries that `keelback build` made, or directories of `keelback bundle`; several: what they hide from each other
    /// in one process, in this order
    #[arg(value_name = "LIB", required = true, value_hint = ValueHint::AnyPath)]
    pub libraries: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// What the command asks of itself
    #[arg(long, hide = true)]
    pub search_here: bool,
}

/// `keelback abi`
#[derive(Args, Debug)]
pub struct AbiArguments {
    /// The older version
    #[arg(value_name = "OLD", value_hint = ValueHint::FilePath)]
    pub old: PathBuf,
    /// The newer version
    #[arg(value_name = "NEW", value_hint = ValueHint::FilePath)]
    pub new: PathBuf,
    /// How headers are found and read.
    #[command(flatten)]
    pub preprocessing: PreprocessArguments,
    /// The version of OLD [default: that in its file's name, libNAME.so.X.Y.Z]
    #[arg(long, value_name = "X.Y.Z")]
    pub soversion: Option<SoVersion>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `keelback new`
#[derive(Args, Debug)]
pub struct NewArguments {
    /// Name of the plugin, and of the directory that is made for it
    pub name: String,
}
