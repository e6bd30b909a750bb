//! Which Python is found, and which of its paths are recorded.
mod common;
use std::path::{Path, PathBuf};

use common::{Outcome, Project, outcome, python};

/// The line `python: 3.11.7 EXECUTABLE, library LIBRARY, prefix PREFIX[, venv VENV]` of `--verbose`.
fn found(outcome: &Outcome) -> (String, PathBuf, PathBuf, Option<PathBuf>) {
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let line = outcome
        .stderr
        .lines()
        .find(|line| line.starts_with("python: ") && line.contains(", library "))
        .unwrap_or_else(|| panic!("{}", outcome.stderr));
    let mut parts = line["python: ".len()..].split(", ");
    let executable = parts.next().unwrap().split_once(' ').unwrap().1.to_owned();
    let path = |part: Option<&str>, word: &str| {
        part.map(|part| PathBuf::from(part.strip_prefix(word).unwrap()))
    };
    (
        executable,
        path(parts.next(), "library ").unwrap(),
        path(parts.next(), "prefix ").unwrap(),
        path(parts.next(), "venv "),
    )
}

fn build(project: &Project, given: &Path) -> Outcome {
    outcome(
        project
            .build_command(&["-v", "--python", given.to_str().unwrap()])
            .arg("--emit=c"),
    )
}

fn venv(project: &Project) -> PathBuf {
    let made = outcome(
        std::process::Command::new(python())
            .args(["-m", "venv", "--without-pip", "venv"])
            .current_dir(project.path()),
    );
    assert_eq!(made.code, 0, "{}", made.stderr);
    project.path().join("venv")
}

#[test]
fn an_executable() {
    let (executable, library, prefix, venv) = found(&build(&Project::good(), python()));
    assert_eq!(Path::new(&executable), python());
    assert!(library.is_file() && prefix.is_dir());
    if venv.is_none() {
        assert!(executable.starts_with(prefix.to_str().unwrap()));
    }
}

#[test]
fn a_virtual_environment() {
    let project = Project::good();
    let venv = venv(&project);
    let base = found(&build(&project, python()));
    for given in [venv.clone(), venv.join("bin/python")] {
        let (executable, library, prefix, of) = found(&build(&project, &given));
        assert_eq!(Path::new(&executable), venv.join("bin/python"));
        assert_eq!((&library, &prefix), (&base.1, &base.2));
        assert_eq!(of.as_ref(), Some(&venv));
    }
    // As after `source venv/bin/activate`.
    let mut command = project.keelback();
    command
        .args(["build", "api.h", "--init", "plugin.py", "--name", "adder"])
        .args(["--no-runtime-check", "-v", "--emit=c"])
        .env("VIRTUAL_ENV", &venv);
    assert_eq!(found(&outcome(&mut command)).3, Some(venv));
}

#[test]
fn a_libpython() {
    let project = Project::good();
    let (executable, library, prefix, _) = found(&build(&project, python()));
    let by_library = found(&build(&project, &library));
    assert_eq!((&by_library.1, &by_library.2), (&library, &prefix));
    let real = |path: &str| std::fs::canonicalize(path).unwrap();
    if found(&build(&project, python())).3.is_none() {
        assert_eq!(real(&by_library.0), real(&executable));
    }

    // A libpython without an executable near it: its name gives the version, and the init code cannot be checked.
    let alone = project.path().join(library.file_name().unwrap());
    std::fs::copy(&library, &alone).unwrap();
    let outcome = build(&project, &alone);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("warning: the init code plugin.py is not checked: no python executable is near the libpython\nhelp: give --python the executable to have it checked\n"),
        "{}",
        outcome.stderr
    );
}

/// If the recorded file is gone, the plugin asks the dynamic linker for a libpython of the same kind (with `t` if
/// free-threaded).
#[test]
fn a_free_threaded_libpython() {
    let project = Project::good();
    for name in ["3.14", "3.14t"] {
        let library = project.path().join(format!("libpython{name}.so.1.0"));
        std::fs::write(&library, "").unwrap();
        let mut command = project.keelback();
        command
            .args(["build", "api.h", "--init", "plugin.py", "--name", "adder"])
            .args(["--no-runtime-check", "--emit=c", "--python"])
            .arg(&library);
        let outcome = outcome(&mut command);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let source = std::fs::read_to_string(project.path().join("adder.c")).unwrap();
        assert!(
            source.contains(&format!("\"libpython\" \"{name}\" \".so.1.0\"")),
            "{name}"
        );
    }
}

/// Debian's python3 has libpython linked in; the shared one is in a package of its own.
#[test]
fn a_static_executable_beside_a_shared_library() {
    let debian = Path::new("/usr/bin/python3");
    let maps = "import sys; sys.exit(sys.version_info < (3, 10) or 'libpython' in open('/proc/self/maps').read())";
    let is_static = std::process::Command::new(debian)
        .args(["-c", maps])
        .status()
        .is_ok_and(|status| status.success());
    let project = Project::good();
    if !is_static {
        return;
    }
    let outcome = build(&project, debian);
    if outcome.code == 4 {
        assert!(
            outcome.stderr.contains("has no shared library"),
            "{}",
            outcome.stderr
        );
        return;
    }
    let (_, library, _, _) = found(&outcome);
    assert!(
        library
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("libpython3.")
    );
    assert!(library.is_file());
}

/// A compiler for another machine (here one that writes another number into what it made).
#[test]
fn a_plugin_for_another_machine() {
    common::keelback_with_runtime();
    let project = Project::good();
    project.script(
        "cross-cc",
        "#!/bin/sh\ncc \"$@\" || exit\nfor word; do case $last in -o) out=$word;; esac; last=$word; done\n\
         case \"$*\" in *-shared*) printf '\\267\\000' | dd of=\"$out\" bs=1 seek=18 conv=notrunc status=none;; esac\n",
    );
    let build = |arguments: &[&str]| {
        let arguments = [&["--cc", "./cross-cc"], arguments].concat();
        outcome(&mut project.checked_build_command(&arguments))
    };
    for arguments in [&[][..], &["--standalone"]] {
        let refused = build(arguments);
        assert_eq!(refused.code, 4);
        let first = refused.stderr.lines().next().unwrap();
        assert!(
            first.starts_with("error: libadder.so is for AArch64, and the runtime /")
                && first.ends_with(" for x86-64"),
            "{first}"
        );
    }
    assert_eq!(project.names(), ["api.h", "cross-cc", "plugin.py"]);
    build(&["--no-runtime-check"]).expect_success();
    let refused = outcome(
        project
            .keelback()
            .args(["bundle", "libadder.so", "--python"])
            .arg(python()),
    );
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(
        refused
            .stderr
            .starts_with("error: libadder.so is for AArch64, and the runtime /")
    );
    assert!(!project.path().join("adder.keelback").exists());
}

#[test]
fn a_bundle_without_modules_that_are_not_there() {
    let project = Project::good();
    outcome(&mut project.checked_build_command(&[])).expect_success();
    let bundle = |arguments: &[&str]| {
        let mut command = project.keelback();
        command.args(["bundle", "libadder.so", "--python"]);
        outcome(command.arg(python()).args(arguments))
    };
    let needless = |name: &str| {
        format!(
            "warning: --exclude '{name}' leaves nothing out: the bundle has no such module\n\
             help: name a module of the standard library as it is imported (xml), or one of a bundled package (package.module)"
        )
    };
    let told = bundle(&[
        "--strict",
        "--trim",
        "--no-source",
        "--exclude",
        "",
        "--exclude",
        "jsn",
        "--exclude",
        "json",
        "--exclude",
        "nis",
    ]);
    assert_eq!(told.code, 1, "{}", told.stderr);
    let expected = format!("{}\n{}\n", needless(""), needless("jsn"));
    assert!(told.stderr.starts_with(&expected), "{}", told.stderr);
    assert!(!told.stderr.contains("'json'") && !told.stderr.contains("'nis'"));
    let told = bundle(&["./libadder.so"]);
    told.expect(
        2,
        "error: a plugin libadder.so is given twice\nhelp: name each plugin once",
    );
    let told = bundle(&["--trim", "--include", "jsn"]);
    assert_eq!(told.code, 4, "{}", told.stderr);
    assert!(
        told.stderr.starts_with(
            "error: --include 'jsn' cannot be imported here: ModuleNotFoundError: No module named 'jsn'\n"
        ),
        "{}",
        told.stderr
    );
    assert!(!project.path().join("adder.keelback").exists());
}
