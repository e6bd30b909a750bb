//! Init code with mistakes.
use super::common::{Project, outcome, python};
use super::{INPUT, UNTOUCHED, USAGE};

#[test]
fn init_code_with_a_syntax_error() {
    let project = Project::with(
        "int f(void);\n",
        "from adder import ffi\n\ndef f(:\n    pass\n",
    );
    project.build(&[]).expect(
        INPUT,
        "\
error: the init code cannot run: SyntaxError: invalid syntax
 --> plugin.py:3:7
  |
3 | def f(:
  |       ^",
    );
    assert_eq!(project.names(), UNTOUCHED);
}

#[test]
fn init_code_with_an_error_that_only_the_compiler_sees() {
    let project = Project::with("int f(void);\n", "x = 1\nreturn x\n");
    project.build(&[]).expect(
        INPUT,
        "\
error: the init code cannot run: SyntaxError: 'return' outside function
 --> plugin.py:2:1
  |
2 | return x
  | ^^^^^^^^",
    );
}

#[test]
fn init_code_that_never_attaches_a_function() {
    let project = Project::with(
        "int f(void);\n\n/* twice */\nint g(int x);\n",
        "from adder import ffi\n\n@ffi.def_extern()\ndef f():\n    return 1\n",
    );
    project.build(&[]).expect(0, "\
warning: the init code never defines 'g'
 --> api.h:4:5
  |
4 | int g(int x);
  |     ^
  |
help: define it in plugin.py under @ffi.def_extern(); until then a call prints an error and returns its error value");
    assert_eq!(
        project.names(),
        ["adder.h", "api.h", "libadder.so", "plugin.py"]
    );
}

#[test]
fn init_code_that_may_attach_is_believed() {
    for init in [
        "from adder import ffi\nfor name in ['f']:\n    ffi.def_extern(name=name)(lambda: 1)\n",
        "from adder import ffi\nattach = ffi.def_extern\n@attach()\ndef f(): return 1\n",
        "import adder_implementation\n",
        "exec('...')\n",
        "from adder import ffi\n@ffi.def_extern(name='f')\ndef anything(): return 1\n",
        "from adder import ffi\nffi.def_extern('f')(lambda: 1)\n",
        "from adder import ffi\nclass F:\n    @ffi.def_extern()\n    def f(): return 1\n",
    ] {
        Project::with("int f(void);\n", init)
            .build(&[])
            .expect(0, "");
    }
}

#[test]
fn init_code_that_attaches_what_nobody_declares() {
    let project = Project::with(
        "int greet(void);\n",
        "from adder import ffi\n\n@ffi.def_extern()\ndef greet(): return 1\n\n@ffi.def_extern(name=\"grete\")\ndef g(): return 1\n",
    );
    project.build(&[]).expect(
        0,
        "\
warning: the init code defines 'grete', which no cdef declares
 --> plugin.py:6:1
  |
6 | @ffi.def_extern(name=\"grete\")
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: ffi.def_extern() will raise an error here; declare the function, or mend the name",
    );
}

#[test]
fn a_name_of_the_standard_library() {
    let project = Project::with(
        "int f(void);\n",
        "from json import ffi\n@ffi.def_extern()\ndef f(): return 1\n",
    );
    let mut command = project.keelback();
    command
        .args([
            "build",
            "api.h",
            "--init",
            "plugin.py",
            "--name",
            "json",
            "--no-runtime-check",
            "--python",
        ])
        .arg(python());
    outcome(&mut command).expect(
        0,
        "\
warning: the name 'json' is that of a module of Python's standard library
help: whoever imports that module gets the plugin instead; choose another --name",
    );
}

#[test]
fn init_code_with_a_warning_of_python() {
    let project = Project::with(
        "int f(void);\n",
        "from adder import ffi\n@ffi.def_extern()\ndef f():\n    assert (1, '')\n",
    );
    project.build(&[]).expect(
        0,
        "\
warning: SyntaxWarning: assertion is always true, perhaps remove parentheses?
 --> plugin.py:4:5
  |
4 |     assert (1, '')
  |     ^^^^^^^^^^^^^^",
    );
}

#[test]
fn error_values_that_are_wrong() {
    let project = Project::good();
    project.build(&["--error", "nosuch=-1"]).expect(
        INPUT,
        "\
error: an error value is given for 'nosuch', but no exported function has that name
help: the functions are: add",
    );
    project.build(&["--error", "add"]).expect(
        USAGE,
        "\
error: --error 'add' is not NAME=VALUE
help: for instance --error parse=-1",
    );
    project.build(&["--error-type", ""]).expect(
        USAGE,
        "\
error: --error-type '' is not TYPE=VALUE
help: for instance --error-type status_t=-1",
    );
    project.build(&["--error", "add=99999999999"]).expect(
        INPUT,
        "\
error: the error value '99999999999' of 'add' does not fit into int
help: give a constant expression of C, such as -1",
    );
    project.build(&["--error", "add=(1"]).expect(
        INPUT,
        "\
error: expected ')'
 --> the error value of 'add':1:3
  |
1 | (1
  |   ^
  |
help: give a constant expression of C, such as -1",
    );
    project.build(&["--error", "add=-1"]).expect_success();
}
