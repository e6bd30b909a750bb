//! `--module`: which files are taken or refused, and the warnings about imports.
mod common;
use common::{Outcome, Project, outcome};

const INIT: &str = "import helper\nfrom adder import ffi\n\n@ffi.def_extern()\ndef add(a, b):\n    return helper.add(a, b)\n";

fn project() -> Project {
    common::keelback_with_runtime();
    let project = Project::with("int add(int a, int b);\n", INIT);
    project.file("helper.py", "def add(a, b):\n    return a + b\n");
    project
}

fn build(project: &Project, arguments: &[&str]) -> Outcome {
    outcome(&mut project.checked_build_command(arguments))
}

#[test]
fn an_import_that_only_lies_beside() {
    let project = project();
    project.file("data/none.txt", "no module");
    project.file("tools/deep.py", "");
    project.file(
        "plugin.py",
        format!("import data, json\n{INIT}import tools.deep\n"),
    );
    build(&project, &[]).expect(
        0,
        "warning: 'helper' is imported from helper.py, which the library will not have
 --> plugin.py:2:1
  |
2 | import helper
  | ^^^^^^^^^^^^^
  |
help: `--module helper.py` puts it into the library; without it the plugin's Python has to have it
warning: 'tools' is imported from tools, which the library will not have
 --> plugin.py:8:1
  |
8 | import tools.deep
  | ^^^^^^^^^^^^^^^^^
  |
help: `--module tools` puts it into the library; without it the plugin's Python has to have it
",
    );
    project.file("plugin.py", INIT);
    build(&project, &["--module", "helper.py"]).expect_success();
    build(&project, &["--top-level-module", "helper.py"]).expect_success();
    project.file("helper.py", "import other\nfrom . import other\n");
    project.file("other.py", "");
    let told = build(&project, &["--module", "helper.py"]);
    let line = "warning: 'other' is imported from other.py, which the library will not have\n --> helper.py:1:1\n";
    assert!(
        told.code == 0 && told.stderr.starts_with(line),
        "{}",
        told.stderr
    );
}

#[test]
fn a_module_that_cannot_run() {
    let project = project();
    project.file("rules/wrong.py", "def f():\n    retrun 1\n");
    project.file("rules/fine.py", "");
    build(&project, &["--module", "helper.py", "--module", "rules"]).expect(
        1,
        "error: the module rules/wrong.py cannot run: SyntaxError: invalid syntax
 --> rules/wrong.py:2:12
  |
2 |     retrun 1
  |            ^
",
    );
    assert!(!project.path().join("libadder.so").exists());
}

#[test]
fn what_is_no_module() {
    let project = project();
    for file in [
        "data.txt",
        "2nd.py",
        "ffi.py",
        "adder.py",
        "packed/fast.abi3.so",
        "packed/x.py",
        "threaded/fast.abi3t.so",
        "named/fast.abi3-x86_64-linux-gnu.so",
        "empty/.hidden",
        "fast.so",
        "with-dash/x.py",
    ] {
        project.file(file, "");
    }
    for (path, message, help) in [
        (
            "none.py",
            "cannot read the module none.py: No such file or directory",
            "",
        ),
        (
            "data.txt",
            "data.txt is no module: neither a directory nor a file NAME.py",
            "data files go along with the package whose directory they are in",
        ),
        (
            "2nd.py",
            "2nd.py cannot be imported: its name is no identifier of Python",
            "the name of the file or directory is what Python code imports: rename it",
        ),
        (
            "with-dash",
            "with-dash cannot be imported: its name is no identifier of Python",
            "the name of the file or directory is what Python code imports: rename it",
        ),
        (
            "ffi.py",
            "the module ffi.py has the name 'ffi', which means something else in a plugin",
            "`ffi`, `lib` and the plugin's own name are taken: rename it",
        ),
        (
            "adder.py",
            "the module adder.py has the name 'adder', which means something else in a plugin",
            "`ffi`, `lib` and the plugin's own name are taken: rename it",
        ),
        (
            "packed",
            "packed/fast.abi3.so is compiled code, which cannot be loaded from inside a library",
            "install its package into the Python that the plugin uses, or bundle it (keelback bundle --include)",
        ),
        (
            "threaded",
            "threaded/fast.abi3t.so is compiled code, which cannot be loaded from inside a library",
            "install its package into the Python that the plugin uses, or bundle it (keelback bundle --include)",
        ),
        (
            "named",
            "named/fast.abi3-x86_64-linux-gnu.so is compiled code, which cannot be loaded from inside a library",
            "install its package into the Python that the plugin uses, or bundle it (keelback bundle --include)",
        ),
        (
            "fast.so",
            "fast.so is compiled code, which cannot be loaded from inside a library",
            "install its package into the Python that the plugin uses, or bundle it (keelback bundle --include)",
        ),
        ("empty", "there is no file in the package empty", ""),
        ("helper.py", "two modules have the name 'helper'", ""),
    ] {
        let help = if help.is_empty() {
            String::new()
        } else {
            format!("help: {help}\n")
        };
        let code = if path == "none.py" { 5 } else { 2 };
        build(&project, &["--module", "helper.py", "--module", path])
            .expect(code, &format!("error: {message}\n{help}"));
    }
    assert!(!project.path().join("libadder.so").exists());
}

#[test]
fn an_output_is_no_module() {
    let project = project();
    let text = project.read("helper.py");
    build(&project, &["--module", "helper.py", "-o", "helper.py"]).expect(
        2,
        "error: helper.py would be overwritten: it is read as well
help: write to another place: -o for the library, --header (include/NAME.h) or --no-header for the header
",
    );
    assert_eq!(project.read("helper.py"), text);
}

#[test]
fn from_the_configuration() {
    let project = project();
    project.file("sub/api.h", "int add(int a, int b);\n");
    project.file("sub/keelback.toml", "modules = [\"../helper.py\"]\n");
    let mut command = project.keelback();
    command.args([
        "build",
        "sub/api.h",
        "--init",
        "plugin.py",
        "--name",
        "adder",
        "--python",
    ]);
    outcome(command.arg(common::python())).expect_success();
    project.file("sub/keelback.toml", "top-level-modules = [\"none.py\"]\n");
    let ended = outcome(&mut command);
    assert_eq!(
        (ended.code, &*ended.stderr),
        (
            5,
            "error: cannot read the module sub/none.py: No such file or directory\n"
        )
    );
}

#[test]
fn special_files_and_links_in_circles() {
    let project = project();
    let refused = |message: &str| {
        let ended = build(&project, &["--module", "helper.py", "--module", "odd"]);
        ended.expect(2, &format!("error: {message}\n"));
    };
    project.file("odd/__init__.py", "");
    let pipe = project.path().join("odd/pipe");
    let mut make = std::process::Command::new("mkfifo");
    assert!(make.arg(&pipe).status().unwrap().success());
    refused("odd/pipe is no file that a library can hold");
    std::fs::remove_file(&pipe).unwrap();
    project.file("odd/deep/x.py", "");
    let link = |name: &str, to: &str| {
        std::os::unix::fs::symlink(to, project.path().join(name)).unwrap();
    };
    link("odd/deep/one", "..");
    link("odd/deep/two", "..");
    refused("odd/deep/one leads back to a directory that it is in");
    std::fs::remove_file(project.path().join("odd/deep/one")).unwrap();
    std::fs::remove_file(project.path().join("odd/deep/two")).unwrap();
    // Linking to the same directory twice is no cycle.
    link("odd/again", "deep");
    build(&project, &["--module", "helper.py", "--module", "odd"]).expect_success();
}
