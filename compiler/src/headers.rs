//! Reads real headers on this machine: their files, the folders to search, and the C compiler's predefined macros. The
//! command line and Python's `ffi.header()` read headers through [`read`].

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use keelback_cdef::header::{Header, HeaderFile, HeaderOptions};
use keelback_cdef::preprocessor::{Loader, PreprocessOptions, predefined, usual_dirs};
use keelback_cdef::{Declarations, Diagnostic, Target};

/// Which headers to read, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The named files, with their texts.
    pub files: &'a [HeaderFile<'a>],
    /// `-I`
    pub include_dirs: &'a [PathBuf],
    /// `-D`: `NAME` or `NAME=VALUE`.
    pub defines: &'a [String],
    /// `-U`
    pub undefines: &'a [String],
    /// Shell patterns: only these names, and what they need.
    pub only: &'a [String],
    /// Keep everything that included files declare: see [`HeaderOptions::all`].
    pub all: bool,
    /// Keep the comments that may be documentation.
    pub comments: bool,
    /// Files that the named files include from their own folders count as named: see [`HeaderOptions::own_dirs`].
    pub with_own_folders: bool,
    /// All structs and unions are packed.
    pub packed: bool,
    /// No member is aligned to more.
    pub pack: Option<u32>,
    /// The C compiler that is asked for macros and folders; if `None`, that of CC, or `cc`.
    pub compiler: Option<&'a str>,
}

/// The result, and the files that it came from.
pub struct Found {
    /// The declarations, or all errors.
    pub header: Result<Header, Vec<Diagnostic>>,
    /// The paths of the included files.
    pub files: Vec<PathBuf>,
}

/// The platform that the C compiler compiles for: it follows from the predefined macros. It is this machine's platform
/// if nothing names another compiler or gives it flags, or if the compiler's platform is unknown.
pub fn target(compiler: Option<&str>) -> Target {
    let is_given = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if compiler.is_none() && !is_given("CC") && !is_given("CFLAGS") {
        return Target::host();
    }
    let facts = Facts::of(compiler, &Declarations::default());
    Target::of_macros(&facts.predefined).unwrap_or_else(Target::host)
}

/// Reads headers with the files of this machine. Their declarations may use those of `known`.
pub fn read(wanted: &Wanted<'_>, known: &Declarations) -> Found {
    let facts = Facts::of(wanted.compiler, known);
    let text_of = |dir: &PathBuf| dir.to_string_lossy().into_owned();
    let options = HeaderOptions {
        preprocess: PreprocessOptions {
            include_dirs: wanted.include_dirs.iter().map(text_of).collect(),
            system_dirs: facts.system_dirs.clone(),
            predefined: facts.predefined.clone(),
            commands: commands(wanted.defines, wanted.undefines),
        },
        only: wanted.only.to_vec(),
        all: wanted.all,
        comments: wanted.comments,
        own_dirs: if wanted.with_own_folders {
            own_dirs(wanted, &facts)
        } else {
            Vec::new()
        },
        packed: wanted.packed,
        pack: wanted.pack,
    };
    let mut disk = Disk::default();
    let header = keelback_cdef::header::read(wanted.files, &options, known, &mut disk);
    Found {
        header,
        files: disk.files,
    }
}

/// The folders that belong to the named files: `SDL2` of `/usr/include/SDL2/SDL.h`, `git2` of `/usr/include/git2.h`.
/// Folders that the compiler searches for all headers are excluded.
fn own_dirs(wanted: &Wanted<'_>, facts: &Facts) -> Vec<String> {
    let mut dirs = Vec::new();
    for file in wanted.files {
        let path = Path::new(file.name);
        let Some(folder) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) else {
            continue;
        };
        let is_everybodys = |dir: &String| Path::new(dir) == folder;
        if !facts.system_dirs.iter().any(is_everybodys) {
            dirs.push(folder.to_string_lossy().into_owned());
        }
        dirs.push(path.with_extension("").to_string_lossy().into_owned());
    }
    dirs
}

/// Finds a header by its name in an `#include` line: its path and its text.
///
/// # Errors
/// There is no such header; the folders that were searched.
pub fn find(
    name: &str,
    include_dirs: &[PathBuf],
    compiler: Option<&str>,
    known: &Declarations,
) -> Result<(String, String), Vec<PathBuf>> {
    let facts = Facts::of(compiler, known);
    let system = facts.system_dirs.iter().map(PathBuf::from);
    let mut looked_in = Vec::new();
    for dir in include_dirs.iter().cloned().chain(system) {
        let path = dir.join(name).to_string_lossy().into_owned();
        // An absolute name is found in the first folder, as `join` returns the name itself.
        if let Some(text) = Disk::default().load(&path) {
            return Ok((path, text.to_string()));
        }
        looked_in.push(dir);
    }
    match Disk::default().load(name) {
        Some(text) => Ok((name.to_owned(), text.to_string())),
        None => Err(looked_in),
    }
}

/// `-D` and `-U` as directives. As with the C compiler's options, `-U` wins over `-D`.
fn commands(defines: &[String], undefines: &[String]) -> String {
    let mut text = String::new();
    for define in defines {
        let (name, value) = define.split_once('=').unwrap_or((define, "1"));
        // A value is one line.
        let value = value.split('\n').next().unwrap_or_default();
        let _ = writeln!(text, "#define {name} {value}");
    }
    for name in undefines {
        let _ = writeln!(text, "#undef {name}");
    }
    text
}

/// The files of this machine.
#[derive(Default)]
struct Disk {
    files: Vec<PathBuf>,
}

impl Loader for Disk {
    fn load(&mut self, path: &str) -> Option<Arc<str>> {
        let bytes = std::fs::read(path).ok()?;
        self.files.push(path.into());
        // Comments in old headers may be in other encodings than UTF-8.
        let text = String::from_utf8_lossy(&bytes);
        Some(text.strip_prefix('\u{feff}').unwrap_or(&text).into())
    }

    fn identity(&mut self, path: &str) -> String {
        match std::fs::canonicalize(path) {
            Ok(path) => path.to_string_lossy().into_owned(),
            Err(_) => path.to_owned(),
        }
    }
}

/// What a C compiler predefines, and where it searches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its macros, as `#define` lines.
    pub predefined: String,
    /// The folders that it searches for headers.
    pub system_dirs: Vec<String>,
}

/// The answers of compilers that this process has asked, by key.
static ASKED: Mutex<Option<HashMap<String, Arc<Facts>>>> = Mutex::new(None);

impl Facts {
    /// The facts of a compiler: from this process's memory, otherwise from the user's cache folder, otherwise the
    /// compiler is asked. Without a compiler, those of GNU C on this platform.
    pub fn of(compiler: Option<&str>, known: &Declarations) -> Arc<Self> {
        let command = command(compiler);
        let Some(key) = key(&command) else {
            return Arc::new(Self::built_in(known));
        };
        let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = asked.get_or_insert_default();
        if let Some(facts) = asked.get(&key) {
            return Arc::clone(facts);
        }
        let place = cache_place(&key);
        let kept = place.as_deref().and_then(|place| Self::kept(place, &key));
        let facts = match kept {
            Some(facts) => facts,
            None => match Self::asked(&command) {
                Some(facts) => {
                    if let Some(place) = &place {
                        facts.keep(place, &key);
                    }
                    facts
                }
                None => Self::built_in(known),
            },
        };
        let facts = Arc::new(facts);
        asked.insert(key, Arc::clone(&facts));
        facts
    }

    fn built_in(known: &Declarations) -> Self {
        Self {
            predefined: predefined(&known.target),
            system_dirs: usual_dirs(&known.target),
        }
    }

    /// Runs the compiler.
    fn asked(command: &[OsString]) -> Option<Self> {
        let output = Command::new(&command[0])
            .args(&command[1..])
            .args([
                "-O0",
                "-U_FORTIFY_SOURCE",
                "-E",
                "-dM",
                "-v",
                "-x",
                "c",
                "/dev/null",
            ])
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let (_, list) = said.split_once("#include <...> search starts here:\n")?;
        let system_dirs: Vec<String> = list
            .lines()
            .take_while(|line| line.starts_with(' '))
            .map(|line| line.trim().to_owned())
            .collect();
        let predefined = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_whole = output.status.success() && predefined.contains("#define __STDC__ ");
        is_whole.then_some(Self {
            predefined,
            system_dirs,
        })
    }

    /// The answers that an earlier process has stored.
    fn kept(place: &Path, key: &str) -> Option<Self> {
        let text = std::fs::read_to_string(place).ok()?;
        let rest = text.strip_prefix(key)?.strip_prefix('\n')?;
        let (dirs, predefined) = rest.split_once("\n\n")?;
        // The end mark says that the file is complete.
        let predefined = predefined.strip_suffix("// end\n")?;
        Some(Self {
            predefined: predefined.to_owned(),
            system_dirs: dirs.lines().map(str::to_owned).collect(),
        })
    }

    /// Stores the answers for later processes. If the folder cannot be written, these ask the compiler again.
    fn keep(&self, place: &Path, key: &str) {
        let dirs = self.system_dirs.join("\n");
        let text = format!("{key}\n{dirs}\n\n{}// end\n", self.predefined);
        let draft = place.with_extension(format!("{}.new", std::process::id()));
        let Some(folder) = place.parent() else {
            return;
        };
        let written = std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&draft, text))
            .and_then(|()| std::fs::rename(&draft, place));
        if written.is_err() {
            let _ = std::fs::remove_file(&draft);
        }
    }
}

/// The compiler and the flags that the user's environment gives it.
fn command(compiler: Option<&str>) -> Vec<OsString> {
    let from_environment = |name| std::env::var(name).unwrap_or_default();
    let given = match compiler {
        Some(command) => command.to_owned(),
        None => from_environment("CC"),
    };
    let mut words: Vec<OsString> = if Path::new(&given).exists() {
        vec![given.into()]
    } else {
        given.split_whitespace().map(OsString::from).collect()
    };
    if words.is_empty() {
        words.push("cc".into());
    }
    let flags = from_environment("CFLAGS");
    words.extend(flags.split_whitespace().map(OsString::from));
    words
}

/// Everything that the compiler's answers depend on, as text. `None`: there is no such program.
fn key(command: &[OsString]) -> Option<String> {
    let mut key = format!("keelback {}", env!("CARGO_PKG_VERSION"));
    for (index, word) in command.iter().enumerate() {
        let _ = write!(key, " {}", word.to_string_lossy().replace('\n', " "));
        // In `ccache gcc`, both programs count.
        let Some(program) = program(word) else {
            if index == 0 {
                return None;
            }
            continue;
        };
        let about = std::fs::metadata(&program).ok();
        let changed = about.as_ref().and_then(|about| about.modified().ok());
        let age = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let _ = write!(
            key,
            " ({} {} {})",
            program.display(),
            about.map_or(0, |about| about.len()),
            age.map_or(0, |age| age.as_nanos()),
        );
    }
    for name in ["CPATH", "C_INCLUDE_PATH", "SDKROOT", "SYSROOT"] {
        if let Ok(value) = std::env::var(name) {
            let _ = write!(key, " {name}={}", value.replace('\n', " "));
        }
    }
    Some(key)
}

/// The file of the program that a word of the command names.
fn program(word: &OsString) -> Option<PathBuf> {
    let path = Path::new(word);
    let found = if path.components().count() > 1 {
        path.to_owned()
    } else {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders)
            .map(|folder| folder.join(path))
            .find(|path| path.is_file())?
    };
    std::fs::canonicalize(found)
        .ok()
        .filter(|path| path.is_file())
}

fn cache_place(key: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".cache"),
    };
    if !folder.is_absolute() {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let name = format!("compiler-{:016x}", hasher.finish());
    Some(folder.join("keelback").join(name))
}
