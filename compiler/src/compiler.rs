//! The C compiler: how it is found, and what it is told.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keelback_codegen::Product;

use crate::invocation::Invocation;

/// A C or C++ compiler and the flags that the user's environment gives it.
pub struct Compiler {
    tool: cc::Tool,
    /// The words behind the program in the given command.
    arguments: Vec<OsString>,
    flags_given: bool,
    is_cpp: bool,
    product: Product,
    /// It accepts the hardening flags.
    hardens: bool,
}

/// How the compiler is looked for, and the flags for every file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// The command; without it CC (CXX for C++), or `cc` (`c++`).
    pub command: Option<&'a str>,
    /// C++
    pub is_cpp: bool,
    /// The user's C is compiled, so optimise. The generated code alone gains nothing from -O2 (a stub is a few moves
    /// and a jump), and a quarter of the compiler's time goes into it.
    pub has_prelude: bool,
    /// With debug information, and not optimised.
    pub debug: bool,
    /// Only compile, into an object file.
    pub is_object: bool,
}

/// What is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Compilation<'a> {
    /// The working directory of the compiler, where relative paths begin.
    pub directory: Option<&'a Path>,
    /// The C files; also objects and archives to link.
    pub sources: &'a [PathBuf],
    /// The library to write.
    pub output: &'a Path,
    /// `-I`
    pub include_dirs: &'a [PathBuf],
    /// `-D`
    pub defines: &'a [String],
    /// `-U`
    pub undefines: &'a [String],
    /// `-L`
    pub library_dirs: &'a [PathBuf],
    /// `-l`
    pub libraries: &'a [String],
    /// Options behind the other options of the compiler.
    pub compile_arguments: &'a [String],
    /// Options behind the libraries.
    pub link_arguments: &'a [String],
    /// The SONAME: the name that programs linked to the library look for when they start.
    pub soname: Option<&'a str>,
    /// Without hardening flags: for a compiler that refused them (see [`Outcome::dislikes_hardening`]).
    pub is_plain: bool,
}

/// Why there is no compiler.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing(pub String);

impl Compiler {
    /// Finds the compiler.
    ///
    /// # Errors
    /// There is no such compiler.
    pub fn find(wishes: &Wishes<'_>) -> Result<Self, Missing> {
        let mut build = cc::Build::new();
        build
            .cargo_metadata(false)
            .cargo_warnings(false)
            .cargo_debug(false)
            .target(env!("KEELBACK_TARGET"))
            .host(env!("KEELBACK_TARGET"))
            .opt_level(2)
            .cpp(wishes.is_cpp)
            .no_default_flags(true)
            .extra_warnings(false);
        // The cc crate puts the user's CFLAGS behind these flags.
        let product = if wishes.is_object {
            Product::Object
        } else {
            Product::SharedLibrary
        };
        for flag in keelback_codegen::compile_flags(product) {
            build.flag(flag);
        }
        if wishes.debug {
            build.flag("-g").flag("-O0");
        } else if !wishes.has_prelude {
            build.flag("-O1");
        }
        let mut words = Vec::new();
        if let Some(given) = wishes.command {
            // A path may have spaces; a command with arguments (`ccache gcc`) is no file.
            if Path::new(given).exists() {
                words.push(given);
            } else {
                words.extend(given.split_whitespace());
            }
            let Some(program) = words.first() else {
                return Err(Missing("--cc is empty".into()));
            };
            build.compiler(program);
        }
        let tool = build
            .try_get_compiler()
            .map_err(|error| Missing(error.to_string()))?;
        if !is_there(tool.path()) {
            return Err(Missing(format!("{} is not there", tool.path().display())));
        }
        let variable = if wishes.is_cpp { "CXXFLAGS" } else { "CFLAGS" };
        Ok(Self {
            arguments: words.iter().skip(1).map(OsString::from).collect(),
            // The cc crate has already determined the compiler's family, so no further run is needed.
            hardens: tool.is_like_gnu() || tool.is_like_clang(),
            tool,
            is_cpp: wishes.is_cpp,
            product,
            flags_given: std::env::var_os(variable).is_some(),
        })
    }

    /// The program, CC's wrapper (`ccache gcc`) and the flags for every file; `hardening` flags come in front of the
    /// user's.
    fn command(&self, hardening: &[&str]) -> Command {
        let tool = self.tool.to_command();
        let mut command = Command::new(tool.get_program());
        command.args(&self.arguments);
        command.args(hardening);
        // cc adds -Wall where there are no CFLAGS; but warnings about the prelude are for its author to ask for.
        command.args(
            tool.get_args()
                .filter(|&argument| self.flags_given || argument != "-Wall"),
        );
        for (key, value) in tool.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command
    }

    /// The program.
    pub fn program(&self) -> &Path {
        self.tool.path()
    }

    /// The command that compiles and links in one run.
    pub fn invocation(&self, what: &Compilation<'_>) -> Invocation {
        let (compile_hardening, link_hardening) = match self.hardens && !what.is_plain {
            true => keelback_codegen::hardening_flags(self.product),
            false => Default::default(),
        };
        let mut command = self.command(compile_hardening);
        for dir in what.include_dirs {
            command.arg("-I").arg(dir);
        }
        command.args(what.defines.iter().map(|define| format!("-D{define}")));
        command.args(what.undefines.iter().map(|name| format!("-U{name}")));
        command.args(what.compile_arguments);
        command.arg("-o").arg(what.output);
        for source in what.sources {
            // A C++ compiler compiles every file as C++.
            let is_c = self.is_cpp && source.extension().is_some_and(|end| end == "c");
            if is_c {
                command.args(["-x", "c"]).arg(source).args(["-x", "none"]);
            } else {
                command.arg(source);
            }
        }
        if self.product == Product::Object {
            return self.ready(command, what);
        }
        for dir in what.library_dirs {
            command.arg("-L").arg(dir);
        }
        command.args(what.libraries.iter().map(|library| format!("-l{library}")));
        command.args(link_hardening);
        if let Some(soname) = what.soname
            && !cfg!(target_os = "macos")
        {
            command.arg(format!("-Wl,-soname,{soname}"));
        }
        command.args(what.link_arguments);
        if let Some(flags) = std::env::var_os("LDFLAGS") {
            command.args(flags.to_string_lossy().split_whitespace());
        }
        command.args(keelback_codegen::link_flags(self.product));
        self.ready(command, what)
    }

    fn ready(&self, mut command: Command, what: &Compilation<'_>) -> Invocation {
        if let Some(directory) = what.directory {
            command.current_dir(directory);
        }
        command.stdin(Stdio::null());
        Invocation::of(command)
    }
}

fn is_there(program: &Path) -> bool {
    if program.components().count() > 1 {
        return program.exists();
    }
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}
