//! `keelback doctor`: it looks for what a build needs as a build does, and names the packages to install.
mod common;

use common::{Outcome, Project, outcome, python};

fn doctor(project: &Project, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    common::keelback_with_runtime();
    let mut command = project.keelback();
    command.arg("doctor").args(arguments);
    // Without the shims of version managers, which take longer than all the rest.
    command.env("PATH", "/usr/bin:/bin");
    command.envs(environment.iter().copied());
    outcome(&mut command)
}

/// The lines of the output with this state.
fn lines<'a>(told: &'a Outcome, state: &str) -> Vec<&'a str> {
    let lines = told.stdout.lines();
    lines
        .filter_map(|line| line.strip_prefix(state))
        .map(str::trim_start)
        .collect()
}

#[test]
fn a_machine_with_everything() {
    let project = Project::new();
    let python = python().to_str().unwrap();
    let told = doctor(&project, &["--python", python], &[]);
    told.expect(0, "");
    let found = lines(&told, "ok ");
    for what in ["C compiler: /", "C headers: ", "Python: 3.", "runtime: /"] {
        assert!(
            found.iter().any(|line| line.starts_with(what)),
            "{what}: {}",
            told.stdout
        );
    }
    assert!(
        told.stdout.ends_with("All is here that a build needs.\n"),
        "{}",
        told.stdout
    );
    let told = doctor(&project, &["--python", python, "--json"], &[]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["ok"], true);
    assert_eq!(told["findings"][0]["what"], "C compiler");
    assert_eq!(told["findings"][0]["state"], "ok");
}

#[test]
fn what_is_missing() {
    let project = Project::new();
    let python = python().to_str().unwrap();
    let last = "What is missing keeps keelback from building.";
    // A compiler without headers, and one that makes no file.
    let headless = project.script(
        "headless",
        "#!/bin/sh\nfor word; do case $word in *.c) grep -q 'include <stdio.h>' \"$word\" && { echo no stdio.h >&2; exit 1; };; esac; done\nexec cc \"$@\"\n",
    );
    let broken = project.script(
        "broken",
        "#!/bin/sh\nfor word; do case $word in -o) echo no linker >&2; exit 1;; esac; done\nexec cc \"$@\"\n",
    );
    let none = project.path().join("none").display().to_string();
    for (arguments, environment, missing) in [
        (vec!["--cc", &none], vec![], "C compiler: "),
        (
            vec!["--cc", broken.to_str().unwrap()],
            vec![],
            "C compiler: the C compiler failed: ",
        ),
        (
            vec!["--cc", headless.to_str().unwrap()],
            vec![],
            "C headers: the compiler does not find stdio.h",
        ),
        (vec!["--python", &none], vec![], "Python: "),
        (
            vec![],
            vec![("KEELBACK_RUNTIME", &*none)],
            "runtime: KEELBACK_RUNTIME is ",
        ),
    ] {
        let mut arguments = arguments;
        if !arguments.contains(&"--python") {
            arguments.extend(["--python", python]);
        }
        let told = doctor(&project, &arguments, &environment);
        told.expect(1, "");
        let found = lines(&told, "missing ");
        assert_eq!(found.len(), 1, "{}", told.stdout);
        assert!(found[0].starts_with(missing), "{}", told.stdout);
        assert_eq!(told.stdout.lines().last(), Some(last));
        assert!(told.stdout.contains("\n          -> "), "{}", told.stdout);
    }
}

/// With an empty PATH, programs that only some commands need are missing too, and are reported separately.
#[test]
fn an_empty_path() {
    let project = Project::new();
    let empty = project.path().join("bin");
    std::fs::create_dir(&empty).unwrap();
    let told = doctor(&project, &[], &[("PATH", empty.to_str().unwrap())]);
    told.expect(1, "");
    let missing = lines(&told, "missing ");
    assert!(missing[0].starts_with("C compiler: "), "{missing:?}");
    assert_eq!(
        missing[1],
        "Python: there is no Python: neither python3 nor python is on the PATH"
    );
    assert_eq!(
        lines(&told, "optional "),
        [
            "ldd: not there; `keelback bundle` needs it",
            "c++: not there; headers for C++ need a compiler",
            "pkg-config: not there; set_source_pkgconfig() needs it",
        ]
    );
}

/// `keelback help COMMAND` is `keelback COMMAND --help`.
#[test]
fn help_of_commands() {
    let project = Project::new();
    for words in [
        &[][..],
        &["build"],
        &["doctor"],
        &["gen-src", "exec-python"],
        &["help"],
    ] {
        let told = project.run(&[&["help"], words].concat());
        told.expect(0, "");
        assert_eq!(
            told.stdout,
            project.run(&[words, &["--help"]].concat()).stdout
        );
    }
    let told = project.run(&["help", "biuld"]);
    assert_eq!(told.code, 2);
    assert!(
        told.stderr.starts_with(
            "error: there is no command 'keelback biuld'\nhelp: the commands are: build, "
        ),
        "{}",
        told.stderr
    );
    for empty in ["", " "] {
        let told = project.run(&["help", empty]);
        assert_eq!(told.code, 2);
        assert!(
            told.stderr.starts_with(
                "error: the name of a command is empty\nhelp: the commands are: build, "
            ),
            "{}",
            told.stderr
        );
    }
    project.run(&["help", "new", "x"]).expect(
        2,
        "error: there is no command 'keelback new x'\nhelp: keelback new has no commands of its own",
    );
}

#[test]
fn a_compiler_that_is_a_directory() {
    let project = Project::good();
    let told = project.run(&["doctor", "--cc", "/tmp"]);
    assert_eq!(told.code, 1);
    let line =
        "missing   C compiler: there is no C compiler: /tmp cannot be run: Permission denied\n";
    assert!(told.stdout.starts_with(line), "{}", told.stdout);
}
