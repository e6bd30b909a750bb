//! Each kind of bad input has its own message and exit status, and changes no file.
#[path = "../common/mod.rs"]
mod common;
mod compiler;
mod declarations;
mod init_code;
mod outputs;
mod python;
use common::Project;

const INPUT: i32 = 1;
const USAGE: i32 = 2;
const COMPILER: i32 = 3;
const PYTHON: i32 = 4;
const FILES: i32 = 5;

/// The files in the directory before and after a failed build.
const UNTOUCHED: [&str; 2] = ["api.h", "plugin.py"];

#[test]
fn a_name_that_is_no_identifier() {
    let project = Project::good();
    let build =
        |name: &str| project.run(&["build", "api.h", "--init", "plugin.py", "--name", name]);
    for (name, hint) in [
        (
            "9lives",
            "a letter or underscore, then letters, digits and underscores",
        ),
        ("my-plugin", "for example my_plugin"),
        ("lib/x", "for example lib_x"),
        ("na\u{ef}ve", "for example na_ve"),
        (
            "a..b",
            "a letter or underscore, then letters, digits and underscores",
        ),
    ] {
        build(name).expect(
            USAGE,
            &format!(
                "error: the module name '{name}' is no identifier of C and Python\nhelp: {hint}"
            ),
        );
    }
    build("").expect(
        USAGE,
        "\
error: the module name is empty
help: give the name that the init code imports: from NAME import ffi, lib",
    );
    project.run(&["new", "pkg.plugin"]).expect(
        USAGE,
        "\
error: the name 'pkg.plugin' has a dot, which the name of a new project cannot have
help: for example pkg_plugin",
    );
    build("class").expect(
        USAGE,
        "\
error: the module name 'class' is a keyword of Python, so nothing can import it
help: for example class_",
    );
    assert_eq!(project.names(), UNTOUCHED);
}

#[test]
fn files_that_are_not_there() {
    let project = Project::good();
    let build =
        |cdef: &str, init: &str| project.run(&["build", cdef, "--init", init, "--name", "adder"]);
    build("nosuch.h", "plugin.py").expect(
        FILES,
        "error: cannot read the declarations nosuch.h: No such file or directory",
    );
    build("api.h", "nosuch.py").expect(
        FILES,
        "error: cannot read the init code nosuch.py: No such file or directory",
    );
    build("api.h", ".").expect(FILES, "error: cannot read the init code .: Is a directory");
    project.build(&["--source", "nosuch.c"]).expect(
        FILES,
        "error: cannot read the prelude nosuch.c: No such file or directory",
    );
    project.build(&["--config", "nosuch.toml"]).expect(
        FILES,
        "error: cannot read the configuration nosuch.toml: No such file or directory",
    );
    assert_eq!(project.names(), UNTOUCHED);
}

#[test]
fn standard_input_twice() {
    let project = Project::good();
    project
        .run(&["build", "-", "--init", "-", "--name", "adder"])
        .expect(
            USAGE,
            "\
error: standard input is given for the init code and the declarations
help: `-` can stand for one file only; write the other one to a file",
        );
    project
        .run(&["build", "-", "-", "--init", "plugin.py", "--name", "adder"])
        .expect(
            USAGE,
            "\
error: standard input is given for the declarations twice
help: `-` can stand for one file only; write the other one to a file",
        );
}

#[test]
fn text_that_is_not_utf8() {
    let project = Project::good();
    project.file("plugin.py", b"# ok\nname = '\xe9t\xe9'\n");
    project.build(&[]).expect(
        INPUT,
        "\
error: plugin.py is not UTF-8: byte 0xe9
 --> plugin.py:2:9
  |
2 | name = '\u{fffd}t\u{fffd}'
  |         ^
  |
help: save the file as UTF-8",
    );
}

#[test]
fn a_configuration_that_is_wrong() {
    let project = Project::good();
    project.file("keelback.toml", "[functions.add]\neror = -1\n");
    project.build(&[]).expect(
        INPUT,
        "\
error: there is no setting 'eror' here
 --> keelback.toml:2:1
  |
2 | eror = -1
  | ^^^^
  |
help: it may have `[functions.NAME]` with `error = VALUE`, `[errors]` with `TYPE = VALUE`, and before those `modules` and `top-level-modules` with `= [\"PATH\"]`, `batch` with `= [\"NAME\"]`, `soversion` with `= \"1.2.3\"`, `ignore-sigpipe`, `no-site` and `use-environment` with `= true`",
    );
    project.file("keelback.toml", "[functions.add]\nerror = [1]\n");
    project.build(&[]).expect(
        INPUT,
        "\
error: expected an integer, a float, a boolean or a string with a C constant
 --> keelback.toml:2:9
  |
2 | error = [1]
  |         ^^^
  |
help: it may have `[functions.NAME]` with `error = VALUE`, `[errors]` with `TYPE = VALUE`, and before those `modules` and `top-level-modules` with `= [\"PATH\"]`, `batch` with `= [\"NAME\"]`, `soversion` with `= \"1.2.3\"`, `ignore-sigpipe`, `no-site` and `use-environment` with `= true`",
    );
    project.file("keelback.toml", "[errors]\nint = -inf\n");
    project.build(&[]).expect(
        INPUT,
        "\
error: C has no constant for nan and inf
 --> keelback.toml:2:7
  |
2 | int = -inf
  |       ^^^^
  |
help: write an expression of C: \"1.0/0.0\", \"-1.0/0.0\" or \"-(0.0/0.0)\"",
    );
    project.file("keelback.toml", "[functions.nosuch]\nerror = 1\n");
    project.build(&[]).expect(
        INPUT,
        "\
error: an error value is given for 'nosuch', but no exported function has that name
 --> keelback.toml:2:9
  |
2 | error = 1
  |         ^
  |
help: the functions are: add",
    );
    project.file("keelback.toml", "[functions.add\n");
    project.build(&[]).expect(
        INPUT,
        "\
error: unclosed table, expected `]`
 --> keelback.toml:1:15
  |
1 | [functions.add
  |               ^
  |
help: it may have `[functions.NAME]` with `error = VALUE`, `[errors]` with `TYPE = VALUE`, and before those `modules` and `top-level-modules` with `= [\"PATH\"]`, `batch` with `= [\"NAME\"]`, `soversion` with `= \"1.2.3\"`, `ignore-sigpipe`, `no-site` and `use-environment` with `= true`",
    );
    project.file("keelback.toml", "[functions.add]\nerror = -1\n");
    project.build(&[]).expect_success();
    let place = project.path().join("keelback.toml");
    std::fs::remove_file(&place).unwrap();
    std::os::unix::fs::symlink("nosuch.toml", &place).unwrap();
    project.build(&[]).expect(
        FILES,
        "error: cannot read the configuration keelback.toml: No such file or directory",
    );
    std::fs::remove_file(&place).unwrap();
    std::fs::create_dir(&place).unwrap();
    project.build(&[]).expect(
        FILES,
        "error: cannot read the configuration keelback.toml: Is a directory",
    );
}
