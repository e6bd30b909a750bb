//! `keelback abi`: compares two versions of an interface, and says which version number the changes need.
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use keelback_cdef::compare::{Change, Effect, Subject, compare};
use keelback_cdef::{Declarations, FunctionOrigin};
use keelback_codegen::{Batches, CdefText};
use keelback_compiler::soname::{LibraryName, SoVersion};
use serde_json::{Value, json};

use crate::arguments::{AbiArguments, CdefFile, PreprocessArguments};
use crate::diagnostic::{Diagnostic, Failure, Reporter, Result};
use crate::elf::Elf;
use crate::headers::{self, Named};
use crate::input::{Inputs, reason};
use crate::output;
use crate::payload::{self, Interface};

/// The exit status if the two cannot be compared.
pub const FAILED: u8 = 3;

/// `keelback abi OLD NEW`: the exit status.
pub fn run(arguments: &AbiArguments, reporter: &Reporter) -> Result<u8> {
    let version = match &arguments.soversion {
        Some(given) => Some(Version::of(given)),
        None => Version::of_file(&arguments.old),
    };
    let mut inputs = Inputs::beside(&[])?;
    let preprocessing = &arguments.preprocessing;
    let old = Side::read(&arguments.old, preprocessing, &mut inputs, reporter)?;
    let new = Side::read(&arguments.new, preprocessing, &mut inputs, reporter)?;
    let mut changes = compare(old.interface.compared(), new.interface.compared());
    // The functions that every library has (NAME_start and others) are not declared in every kind of file: ignore them
    // unless both sides have them.
    if old.own_functions.is_none() || new.own_functions.is_none() {
        let own = [old.own_functions, new.own_functions];
        let own: BTreeSet<String> = own.into_iter().flatten().flatten().collect();
        changes.retain(|change| change.subject != Subject::Function || !own.contains(&change.name));
    }
    reporter.settle()?;
    let worst = changes.iter().map(|change| change.effect).max();
    let report = Report {
        changes: &changes,
        worst,
        version,
    };
    let text = if arguments.json {
        format!("{}\n", report.json())
    } else {
        report.text()
    };
    output::print(&text)?;
    Ok(match worst {
        None => 0,
        Some(Effect::Compatible) => 1,
        Some(Effect::Incompatible) => 2,
    })
}

/// One of the two versions.
struct Side {
    interface: Interface,
    /// The names of NAME_start and the other functions that every library has; `None` if they are not declared.
    own_functions: Option<Vec<String>>,
}

impl Side {
    fn read(
        path: &Path,
        preprocessing: &PreprocessArguments,
        inputs: &mut Inputs,
        reporter: &Reporter,
    ) -> Result<Self> {
        let interface = if is_library(path)? {
            Interface::of_library(path, &of_library(path)?)?
        } else {
            let files = [CdefFile {
                path: path.to_owned(),
                is_api: true,
            }];
            let named = Named {
                files: &files,
                preprocessing,
                packed: false,
                pack: None,
            };
            let mut cdefs = headers::read_named(named, inputs, reporter)?.cdefs;
            declare_batches(&mut cdefs);
            Interface::parse(&cdefs).map_err(|errors| {
                Failure::Input.because_of(errors.iter().map(Diagnostic::of_cdef).collect())
            })?
        };
        let own_functions = own_functions(&interface);
        Ok(Self {
            interface,
            own_functions,
        })
    }
}

/// Adds the declarations of batches that comments ask for, as a build does. Where a public header declares them already, or
/// something is wrong, the texts stay: errors are told where they are compared.
fn declare_batches(cdefs: &mut Vec<CdefText>) {
    let mut declarations = Declarations::default();
    let parsed = cdefs
        .iter()
        .try_for_each(|cdef| declarations.parse(&cdef.text, &cdef.options()).map(drop));
    if parsed.is_ok() {
        drop(Batches::declare(&mut declarations, cdefs, &[]));
    }
}

/// Whether the file is an ELF one, or should be one by its name. Standard input is text.
fn is_library(path: &Path) -> Result<bool> {
    if crate::is_dash(path.as_os_str()) {
        return Ok(false);
    }
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(4).read_to_end(&mut start));
    read.map_err(|error| {
        Failure::Files.because(Diagnostic::error(
            "cannot-read",
            format!("cannot read {}: {}", path.display(), reason(&error)),
        ))
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Elf::is_elf(&start) || name.ends_with(".so") || name.contains(".so."))
}

/// The declarations of a plugin, with the functions that every plugin has.
fn of_library(path: &Path) -> Result<Vec<CdefText>> {
    let payload = payload::read(path).map_err(|why| why.failure(path))?;
    let mut cdefs = payload.cdefs;
    let prefix = payload.module_name.replace('.', "_");
    cdefs.push(CdefText {
        file: "<every library>".to_owned(),
        text: format!(
            "int {prefix}_start(void);\n\
             const char *{prefix}_last_error(void);\n\
             void {prefix}_set_error_handler(void (*handler)(const char *, const char *, void *), void *data);\n\
             int {prefix}_enter(void);\n\
             void {prefix}_leave(void);\n"
        ),
        embedding_api: true,
        ..CdefText::default()
    });
    Ok(cdefs)
}

/// The functions of one prefix that every library has, if they are declared. Older headers have but the first three.
fn own_functions(interface: &Interface) -> Option<Vec<String>> {
    let declarations = &interface.declarations;
    let exported = declarations.functions.iter();
    let names: BTreeSet<&str> = exported
        .filter(|function| function.origin == FunctionOrigin::Exported)
        .map(|function| declarations.text(function.name))
        .collect();
    names.iter().find_map(|name| {
        let prefix = name.strip_suffix("_set_error_handler")?;
        let own = ["start", "last_error", "set_error_handler", "enter", "leave"]
            .map(|end| format!("{prefix}_{end}"));
        own[..3]
            .iter()
            .all(|name| names.contains(name.as_str()))
            .then(|| own.to_vec())
    })
}

/// `X.Y.Z`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Version([u32; 3]);

impl Version {
    /// Missing parts are 0.
    fn of(version: &SoVersion) -> Self {
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(version.to_string().split('.')) {
            // A version has numbers of nine digits at most.
            *number = part.parse().unwrap_or_default();
        }
        Self(numbers)
    }

    /// The version in the name of `libkv.so.1.4.0`, to which links are followed.
    fn of_file(path: &Path) -> Option<Self> {
        let real = std::fs::canonicalize(path).ok()?;
        let version = LibraryName::parse(real.file_name()?.to_str()?)?.version?;
        Some(Self::of(&version.parse().ok()?))
    }

    /// The next version by semantic versioning, if `worst` is the worst change.
    fn next(self, worst: Option<Effect>) -> Self {
        let [major, minor, patch] = self.0;
        Self(match worst {
            None => [major, minor, patch + 1],
            Some(Effect::Compatible) => [major, minor + 1, 0],
            Some(Effect::Incompatible) => [major + 1, 0, 0],
        })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

struct Report<'a> {
    changes: &'a [Change],
    worst: Option<Effect>,
    version: Option<Version>,
}

fn verb(change: &Change) -> &'static str {
    match (&change.old, &change.new) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    }
}

impl Report<'_> {
    fn word(&self) -> &'static str {
        match self.worst {
            None => "the same",
            Some(Effect::Compatible) => "compatible",
            Some(Effect::Incompatible) => "incompatible",
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for change in self.changes {
            let _ = write!(text, "{} {}: ", verb(change), change.subject.word());
            let named = match change.subject {
                Subject::Constant => format!("{} = ", change.name),
                _ => String::new(),
            };
            let _ = match (&change.old, &change.new) {
                (Some(old), Some(new)) if old != new => write!(text, "{named}{old} -> {new}"),
                (Some(one), _) | (None, Some(one)) => write!(text, "{named}{one}"),
                (None, None) => Ok(()),
            };
            if change.effect == Effect::Incompatible {
                text.push_str(" (incompatible)");
            }
            text.push('\n');
            for detail in &change.details {
                let _ = writeln!(text, "  {detail}");
            }
        }
        let _ = write!(text, "{}: ", self.word());
        let _ = match (self.version, self.worst) {
            (Some(version), worst) => {
                writeln!(text, "after {version} comes {}", version.next(worst))
            }
            (None, None) => writeln!(text, "the last number of the version goes up"),
            (None, Some(Effect::Compatible)) => {
                writeln!(text, "the second number of the version goes up")
            }
            (None, Some(Effect::Incompatible)) => {
                writeln!(text, "the first number of the version goes up")
            }
        };
        text
    }

    fn json(&self) -> Value {
        let changes = self.changes.iter().map(|change| {
            json!({
                "change": verb(change),
                "subject": change.subject.word(),
                "name": change.name,
                "old": change.old,
                "new": change.new,
                "compatible": change.effect == Effect::Compatible,
                "details": change.details,
            })
        });
        let version = |version: Version| version.to_string();
        json!({
            "result": match self.worst {
                None => "same",
                Some(Effect::Compatible) => "compatible",
                Some(Effect::Incompatible) => "incompatible",
            },
            "changes": changes.collect::<Vec<_>>(),
            "soversion": self.version.map(version),
            "proposed": self.version.map(|old| version(old.next(self.worst))),
        })
    }
}
