//! `keelback doctor`: reports what this machine lacks. It searches in the same way as a build.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::arguments::DoctorArguments;
use crate::compiler::{Compilation, Compiler, cannot_use_directory};
use crate::diagnostic::{Diagnostic, Error, Reporter, Result};
use crate::interrupt;
use crate::output;
use crate::packages::{Family, Need};
use crate::python::{Python, Search, on_path};
use crate::runtime;

/// The state of one thing that was looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It was found.
    Ok,
    /// It is missing, and nothing can be built without it.
    Missing,
    /// It is missing, but only some commands need it.
    Optional,
    /// Another Python of this machine.
    Other,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Optional => "optional",
            Self::Other => "other",
        }
    }
}

/// One thing that was looked for.
struct Finding {
    state: State,
    /// `C compiler`
    what: &'static str,
    /// Where it is, or what is wrong.
    text: String,
    /// What to do.
    advice: Vec<String>,
}

impl Finding {
    fn ok(what: &'static str, text: impl Into<String>) -> Self {
        Self {
            state: State::Ok,
            what,
            text: text.into(),
            advice: Vec::new(),
        }
    }

    /// The finding for something that is missing, with the message of the build's failure.
    fn missing(what: &'static str, error: &Error, need: Option<Need>) -> Self {
        let mut advice = Vec::new();
        advice.extend(need.and_then(|need| Some(Family::here()?.install(need))));
        let first = error.diagnostics.first();
        advice.extend(first.and_then(|first| first.hint.clone()));
        Self {
            state: State::Missing,
            what,
            text: first.map_or_else(String::new, told),
            advice,
        }
    }
}

fn told(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.message.clone();
    for note in &diagnostic.notes {
        let _ = write!(text, "; {note}");
    }
    text
}

/// `keelback doctor`: returns the exit status: 1 if something is missing that builds need.
pub fn run(arguments: &DoctorArguments, reporter: &Reporter) -> Result<u8> {
    let mut findings = compiler(arguments, reporter)?;
    let chosen = chosen_python(arguments, reporter, &mut findings);
    findings.extend(programs());
    findings.extend(other_pythons(chosen.as_ref(), reporter));
    let is_good = findings.iter().all(|one| one.state != State::Missing);
    let text = if arguments.json {
        format!("{}\n", json_of(&findings, is_good))
    } else {
        text_of(&findings, is_good)
    };
    output::print(&text)?;
    Ok(u8::from(!is_good))
}

/// Checks the compiler, its linker and the C library's headers, by building a small library that uses them.
fn compiler(arguments: &DoctorArguments, reporter: &Reporter) -> Result<Vec<Finding>> {
    let compiler = match Compiler::find(arguments.cc.as_deref(), false, false) {
        Ok(compiler) => compiler,
        Err(error) => {
            return Ok(vec![Finding::missing(
                "C compiler",
                &error,
                Some(Need::Compiler),
            )]);
        }
    };
    let make = || tempfile::Builder::new().prefix("keelback-").tempdir();
    let scratch = interrupt::temporary(make, TempDir::path).map_err(cannot_use_directory)?;
    let compile = |source: &str| {
        let compilation = Compilation {
            source,
            without_loader: None,
            name: "doctor",
            directory: scratch.path(),
            include_dirs: &[],
            defines: &[],
            undefines: &[],
            library_dirs: &[],
            libraries: &[],
            soname: None,
            prelude: None,
            cdefs: &[],
        };
        compiler.run(&compilation, reporter)
    };
    let program = compiler.program();
    let place = on_path(program.as_os_str());
    let program = place.as_deref().unwrap_or(program).display().to_string();
    if let Err(error) =
        compile("int keelback_doctor(void);\nint keelback_doctor(void) { return 0; }\n")
    {
        let mut finding = Finding::missing("C compiler", &error, Some(Need::Compiler));
        let said = error.diagnostics.iter().find_map(|one| one.output.clone());
        if let Some(said) = said {
            let _ = write!(finding.text, ": {}", said.trim());
        }
        return Ok(vec![finding]);
    }
    let mut findings = vec![Finding::ok("C compiler", program)];
    let with_headers = "#include <stdint.h>\n#include <stdio.h>\nint keelback_doctor(void);\n\
        int keelback_doctor(void) { return EOF; }\n";
    findings.push(match compile(with_headers) {
        Ok(_) => Finding::ok("C headers", "the compiler finds stdio.h"),
        Err(error) => Finding {
            text: "the compiler does not find stdio.h".to_owned(),
            ..Finding::missing("C headers", &error, Some(Need::Headers))
        },
    });
    Ok(findings)
}

/// The Python that a build would take, and the runtime for it.
fn chosen_python(
    arguments: &DoctorArguments,
    reporter: &Reporter,
    findings: &mut Vec<Finding>,
) -> Option<Python> {
    let found = Search::start(arguments.python.as_deref(), None)
        .and_then(|mut search| search.python(reporter));
    let python = match found {
        Ok(python) => python,
        Err(error) => {
            let need = error.diagnostics.first().and_then(|first| first.need);
            findings.push(Finding::missing("Python", &error, need));
            return None;
        }
    };
    findings.push(Finding::ok("Python", spelled(&python)));
    findings.push(match runtime::find(&python, reporter) {
        Ok(path) => Finding::ok("runtime", path.display().to_string()),
        Err(error) => Finding::missing("runtime", &error, None),
    });
    Some(python)
}

fn spelled(python: &Python) -> String {
    let threads = if python.free_threaded {
        " (free-threaded)"
    } else {
        ""
    };
    let executable = python
        .executable
        .as_deref()
        .map_or_else(String::new, |path| format!(" {}", path.display()));
    format!(
        "{}{threads}{executable}, {}",
        python.full_version,
        python.libpython.display()
    )
}

/// Checks the programs that only some commands need.
fn programs() -> Vec<Finding> {
    let optional = [
        ("ldd", "`keelback bundle` needs it", Need::Ldd),
        ("c++", "headers for C++ need a compiler", Need::CppCompiler),
        (
            "pkg-config",
            "set_source_pkgconfig() needs it",
            Need::PkgConfig,
        ),
    ];
    optional
        .into_iter()
        .map(|(program, why, need)| match on_path(program.as_ref()) {
            Some(path) => Finding::ok(program, path.display().to_string()),
            None => Finding {
                state: State::Optional,
                what: program,
                text: format!("not there; {why}"),
                advice: Family::here()
                    .map(|family| family.install(need))
                    .into_iter()
                    .collect(),
            },
        })
        .collect()
}

/// The other Pythons on the PATH, which a build can use with --python.
fn other_pythons(chosen: Option<&Python>, reporter: &Reporter) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    seen.extend(chosen.map(|python| python.libpython.clone()));
    for minor in 10..=20 {
        for name in [format!("python3.{minor}"), format!("python3.{minor}t")] {
            let Some(program) = on_path(name.as_ref()).filter(|path| answers(path)) else {
                continue;
            };
            let found =
                Search::start(Some(&program), None).and_then(|mut search| search.python(reporter));
            let text = match found {
                Ok(python) if seen.contains(&python.libpython) => continue,
                Ok(python) => {
                    seen.push(python.libpython.clone());
                    let runtime = match runtime::find(&python, reporter) {
                        Ok(path) => format!("runtime {}", path.display()),
                        Err(_) => "no runtime".to_owned(),
                    };
                    format!("{}; {runtime}", spelled(&python))
                }
                Err(error) => error.diagnostics.first().map_or_else(String::new, told),
            };
            findings.push(Finding {
                state: State::Other,
                ..Finding::ok("Python", text)
            });
        }
    }
    findings
}

/// Whether the program runs: a version manager has shims for Pythons that are not installed, too.
fn answers(program: &Path) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn text_of(findings: &[Finding], is_good: bool) -> String {
    let mut text = String::new();
    for finding in findings {
        let _ = writeln!(
            text,
            "{:<8}  {}: {}",
            finding.state.word(),
            finding.what,
            finding.text
        );
        for advice in &finding.advice {
            let _ = writeln!(text, "{:8}  -> {advice}", "");
        }
    }
    text.push_str(if is_good {
        "All is here that a build needs.\n"
    } else {
        "What is missing keeps keelback from building.\n"
    });
    text
}

fn json_of(findings: &[Finding], is_good: bool) -> Value {
    let findings = findings.iter().map(|finding| {
        json!({
            "state": finding.state.word(),
            "what": finding.what,
            "text": finding.text,
            "advice": finding.advice,
        })
    });
    json!({ "ok": is_good, "findings": findings.collect::<Vec<_>>() })
}
