//! The examples, and what `keelback new` makes, built and run as their READMEs say.
mod common;
use std::path::Path;
use std::process::Command;

use common::{Outcome, Project, keelback_with_runtime, outcome, python, root};

/// A copy of an example, with `keelback` and `python3` first on the PATH.
struct Example {
    project: Project,
    readme: String,
}

impl Example {
    fn copy(name: &str) -> Self {
        let project = Project::new();
        let from = root().join("examples").join(name);
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), project.path().join(entry.file_name())).unwrap();
            }
        }
        let readme = project.read("README.md");
        Self { project, readme }
    }

    /// The indented block of the README behind the line that ends with `behind`; the first one for "".
    fn block(&self, behind: &str) -> String {
        let mut lines = self.readme.lines();
        if !behind.is_empty() {
            lines
                .by_ref()
                .find(|line| line.ends_with(behind))
                .expect("the README has the line");
        }
        lines
            .skip_while(|line| !line.starts_with("    "))
            .take_while(|line| line.starts_with("    "))
            .map(|line| format!("{}\n", &line[4..]))
            .collect()
    }

    fn shell(&self, script: &str) -> Outcome {
        shell(self.project.path(), script)
    }

    /// Runs the README's commands and compares their output with the README.
    #[track_caller]
    fn check(&self) {
        let outcome = self.shell(&self.block(""));
        assert_eq!(
            (
                outcome.code,
                outcome.stderr.as_str(),
                outcome.stdout.as_str()
            ),
            (0, "", self.block("It prints").as_str())
        );
    }
}

fn shell(directory: &Path, script: &str) -> Outcome {
    let bin = tempfile::tempdir().unwrap();
    let shim = bin.path().join("python3");
    std::fs::write(
        &shim,
        format!("#!/bin/sh\nexec '{}' \"$@\"\n", python().display()),
    )
    .unwrap();
    std::fs::set_permissions(&shim, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut path = vec![
        bin.path().to_owned(),
        keelback_with_runtime().parent().unwrap().to_owned(),
    ];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let mut command = Command::new("sh");
    command
        .args(["-e", "-c", script])
        .current_dir(directory)
        .env("PATH", std::env::join_paths(path).unwrap());
    for variable in [
        "CC",
        "CFLAGS",
        "LDFLAGS",
        "VIRTUAL_ENV",
        "KEELBACK_RUNTIME",
        "KEELBACK",
    ] {
        command.env_remove(variable);
    }
    outcome(&mut command)
}

#[test]
fn greeter() {
    Example::copy("greeter").check();
}

#[test]
fn point() {
    Example::copy("point").check();
}

/// Without its error handler the traceback goes to standard error.
#[test]
fn point_tells_where_python_failed() {
    let example = Example::copy("point");
    let host = example.project.read("host.c");
    let quiet = host.replace(
        "    point_set_error_handler(complain, \"host\");\n",
        "    (void)complain;\n",
    );
    assert_ne!(host, quiet);
    example.project.file("host.c", quiet);
    let outcome = example.shell(&example.block(""));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains("x, y = ffi.string(text).decode().split(\",\")")
            && outcome
                .stderr
                .contains("ValueError: not enough values to unpack"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn sqlite_extension() {
    Example::copy("sqlite-extension").check();
}

/// SQLite gives back every handle that it got: those of groups, of interrupted queries, and of the functions.
#[test]
fn sqlite_extension_keeps_nothing() {
    let example = Example::copy("sqlite-extension");
    let mut init = example.project.read("plugin.py");
    init += "\nimport atexit, sys\natexit.register(lambda: print('kept', len(kept), file=sys.stderr))\n";
    example.project.file("plugin.py", init);
    example.project.file(
        "many.sql",
        ".load ./libpyfuncs\n\
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)\n\
         SELECT count(m), sum(m) FROM (SELECT median(i) AS m FROM n GROUP BY i % 5000);\n\
         SELECT median(x) FROM (SELECT 'no number' AS x UNION ALL SELECT 1);\n\
         SELECT slugify(NULL) IS NULL, slugify(42), slugify(1.5), slugify('');\n",
    );
    let outcome = example.shell(&format!(
        "{}\nsqlite3 < many.sql || true",
        example.block("").lines().next().unwrap()
    ));
    assert_eq!(
        outcome.stdout, "5000|50002500.0\n1|42|1-5|\n",
        "{}",
        outcome.stderr
    );
    assert!(
        outcome
            .stderr
            .contains("ValueError: could not convert string to float: 'no number'"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.ends_with("kept 0\n"), "{}", outcome.stderr);
}

/// The error value in keelback.toml makes SQLite report an error when there is no Python.
#[test]
fn sqlite_extension_without_python() {
    let example = Example::copy("sqlite-extension");
    let built = example.shell(example.block("").lines().next().unwrap());
    assert_eq!(built.code, 0, "{}", built.stderr);
    let outcome = example.shell(
        "KEELBACK_PYTHON=/nosuch/libpython3.so sqlite3 :memory: '.load ./libpyfuncs' || echo status $?",
    );
    assert_eq!(outcome.stdout, "status 1\n", "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("/nosuch/libpython3.so"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_new_project_builds_and_runs_at_once() {
    let project = Project::new();
    let outcome = shell(
        project.path(),
        "keelback -q new hello && make -s -C hello run",
    );
    assert_eq!(
        (
            outcome.code,
            outcome.stderr.as_str(),
            outcome.stdout.as_str()
        ),
        (0, "", "2 + 3 = 5\nHello, world!\n")
    );
}
