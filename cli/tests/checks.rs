//! Mistakes in the init code that the build finds, instead of the first call from C.
mod common;
use common::{Outcome, Project, outcome};

const API: &str =
    "enum color { RED, GREEN };\nint add(int a, int b);\nvoid start(void);\n#define LIMIT 10\n";

fn check(init: &str, arguments: &[&str]) -> Outcome {
    let project = Project::with(API, init);
    let mut command = project.keelback();
    command.args([
        "check",
        "api.h",
        "--init",
        "plugin.py",
        "--name",
        "adder",
        "--no-runtime-check",
        "--python",
    ]);
    let ended = outcome(command.arg(common::python()).args(arguments));
    assert_eq!(project.names(), ["api.h", "plugin.py"]);
    ended
}

const GOOD: &str = "from adder import ffi, lib\n\n@ffi.def_extern()\ndef start():\n    pass\n\n";

/// Expects these messages about init code that consists of `GOOD` and these lines, the first of which is line 7.
fn told(lines: &str, expected: &str) {
    check(&format!("{GOOD}{lines}"), &[]).expect(0, expected);
}

#[test]
fn functions_that_can_be_called() {
    for good in [
        "def add(a, b):\n    return a",
        "def add(a, b, /):\n    return a",
        "def add(a, b, c=1, *, d=2, **e):\n    return a",
        "def add(*arguments):\n    return 1",
        "def add(a, *rest):\n    return (lambda: (yield))() and [x for x in rest]",
        "def add(a, b):\n    def inner():\n        yield a\n    return next(inner())",
    ] {
        told(&format!("@ffi.def_extern()\n{good}\n"), "");
    }
    told(
        "@ffi.def_extern(name='add')\ndef other(a, b):\n    return lib.RED + lib.LIMIT + lib.add(1, 2)\n",
        "",
    );
    told(
        "import functools\n@ffi.def_extern()\n@functools.cache\ndef add(a):\n    return 1\n",
        "",
    );
}

#[test]
fn functions_that_cannot_be_called() {
    for (function, what, underlined) in [
        (
            "def add(a):\n    return a",
            "takes 1 argument, and C calls it with 2",
            "def add(a):",
        ),
        (
            "def add(a, b, c, d=1):\n    return a",
            "takes 3 to 4 arguments, and C calls it with 2",
            "def add(a, b, c, d=1):",
        ),
        (
            "def add():\n    return 1",
            "takes no arguments, and C calls it with 2",
            "def add():",
        ),
        (
            "def add(a, b, c, *d):\n    return 1",
            "takes at least 3 arguments, and C calls it with 2",
            "def add(a, b, c, *d):",
        ),
        (
            "def add(a, b, *, c, d):\n    return 1",
            "must be given 'c' and 'd' by keyword, which C cannot do",
            "def add(a, b, *, c, d):",
        ),
        (
            "async def add(a, b):\n    return 1",
            "gives a coroutine when it is called, and no result",
            "async def add(a, b):",
        ),
        (
            "def add(a, b):\n    yield a",
            "gives a generator when it is called, and no result",
            "def add(a, b):",
        ),
        (
            "async def add(a, b):\n    yield a",
            "gives an asynchronous generator when it is called, and no result",
            "async def add(a, b):",
        ),
    ] {
        told(
            &format!("@ffi.def_extern()\n{function}\n"),
            &format!(
                "warning: 'add' {what}
 --> plugin.py:8:1
  |
8 | {underlined}
  | {}
  |
note: it is declared in api.h:2
",
                "^".repeat(underlined.len())
            ),
        );
    }
}

/// A function under batch=True gets an array for each parameter, and one for the results.
#[test]
fn functions_of_batches() {
    told(
        "@ffi.def_extern(batch=True)\ndef add(a, b, result): pass\n",
        "warning: 'add' has no batch: this will raise an error
 --> plugin.py:8:1
  |
8 | def add(a, b, result): pass
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: build it with --batch add, or with the comment /* keelback: batch */ at its declaration
",
    );
    let batch = |function: &str| check(&format!("{GOOD}{function}"), &["--batch", "add"]);
    let good = "@ffi.def_extern(batch=True)\ndef add(a, b, result): pass\n";
    batch(good).expect(0, "");
    // One for single calls, too.
    batch(&format!(
        "{good}@ffi.def_extern()\ndef add(a, b): return a\n"
    ))
    .expect(0, "");
    let wrong = batch("@ffi.def_extern(batch=True)\ndef add(a, b): pass\n");
    let expected = "warning: 'add' takes 2 arguments, and C calls it with 3\n --> plugin.py:8:1\n";
    assert!(
        wrong.code == 0 && wrong.stderr.starts_with(expected),
        "{}",
        wrong.stderr
    );
    let nothing = check(GOOD, &["--batch", "ad"]);
    let expected = "error: a batch of 'ad' is asked for, but no exported function has that name\n";
    assert!(
        nothing.code != 0 && nothing.stderr.starts_with(expected),
        "{}",
        nothing.stderr
    );
    assert!(
        nothing
            .stderr
            .trim_end()
            .ends_with("help: the functions are: add, start"),
        "{}",
        nothing.stderr
    );
}

#[test]
fn what_attaches_nothing() {
    told(
        "@ffi.def_extern\ndef add(a, b):\n    return a\n",
        "warning: @ffi.def_extern without () takes the function for a name
 --> plugin.py:7:1
  |
7 | @ffi.def_extern
  | ^^^^^^^^^^^^^^^
  |
help: write @ffi.def_extern()
",
    );
    told(
        "if ffi:\n    @ffi.def_extern()\n    def add(a, b): pass\nelse:\n    @ffi.def_extern()\n    def add(a, b): pass\n",
        "",
    );
    let foreign = check(
        "from other.plugin import ffi\n@ffi.def_extern()\ndef add(a, b): pass\n",
        &[],
    );
    let line = "warning: this is 'ffi' of the module 'other.plugin', not the plugin's: it attaches nothing here\n --> plugin.py:2:1\n";
    assert!(
        foreign.code == 0 && foreign.stderr.contains(line),
        "{}",
        foreign.stderr
    );
    told(
        "@ffi.def_extern()\ndef add(a, b):\n    return a\n@ffi.def_extern(name='add')\ndef again(a, b):\n    return b\n",
        "warning: 'add' is defined a second time, and only this one counts
  --> plugin.py:11:1
   |
11 | def again(a, b):
   | ^^^^^^^^^^^^^^^^
   |
note: the first one is in line 8
",
    );
}

#[test]
fn names_that_lib_lacks() {
    told(
        "@ffi.def_extern()\ndef add(a, b):\n    return 'ä' and lib.GREE + a\n",
        "warning: lib has no 'GREE': no cdef declares it
 --> plugin.py:9:24
  |
9 |     return 'ä' and lib.GREE + a
  |                        ^^^^
  |
help: did you mean 'GREEN'?
",
    );
    // If `lib` is bound elsewhere too, nothing is known about it.
    told(
        "@ffi.def_extern()\ndef add(a, b):\n    lib = a\n    return lib.real\n",
        "",
    );
    told(
        "@ffi.def_extern()\ndef add(a, b):\n    return lib.__dict__\n",
        "",
    );
}

#[test]
fn strict() {
    let wrong = format!("{GOOD}@ffi.def_extern()\ndef add(a):\n    return lib.nosuch\n");
    let ended = check(&wrong, &["--strict"]);
    assert_eq!(ended.code, 1);
    let last = "error: there were 2 warnings, and with --strict nothing is written then\n";
    assert!(ended.stderr.ends_with(last), "{}", ended.stderr);
    let quiet = check(
        &format!("{GOOD}@ffi.def_extern()\ndef add(a):\n    return 1\n"),
        &["--strict", "-q"],
    );
    quiet.expect(
        1,
        "error: there was a warning, and with --strict nothing is written then\n",
    );
    let right = format!("{GOOD}@ffi.def_extern()\ndef add(a, b):\n    return 1\n");
    check(&right, &["--strict"]).expect_success();
    // With --strict, a warning leaves existing outputs unchanged.
    let project = Project::with(API, &wrong);
    for command in [&["build"][..], &["emit", "-o", "adder.c"]] {
        project.file("libadder.so", "as it was");
        let mut strict = project.keelback();
        strict.args(command).args([
            "api.h",
            "--init",
            "plugin.py",
            "--name",
            "adder",
            "--no-runtime-check",
            "--strict",
            "--python",
        ]);
        assert_eq!(outcome(strict.arg(common::python())).code, 1);
        assert_eq!(project.read("libadder.so"), "as it was");
        assert_eq!(project.names(), ["api.h", "libadder.so", "plugin.py"]);
    }
}

#[test]
fn errors_are_those_of_a_build() {
    let ended = check("def add(:\n", &[]);
    assert!(
        ended.code == 1
            && ended
                .stderr
                .starts_with("error: the init code cannot run: SyntaxError: "),
        "{}",
        ended.stderr
    );
    let project = Project::with("int f(nosuch x);\n", "");
    let ended = project.run(&["check", "api.h", "--init", "plugin.py", "--name", "adder"]);
    assert!(
        ended.code == 1 && ended.stderr.starts_with("error: "),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_export_of_nothing() {
    let good = format!("{GOOD}@ffi.def_extern()\ndef add(a, b):\n    return 1\n");
    check(&good, &["--export", "add"]).expect_success();
    check(&good, &["--export", "ad"]).expect(
        0,
        "warning: --export ad has no effect: no exported function has that name\n",
    );
}
