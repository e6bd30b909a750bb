//! Declarations with mistakes.
use super::common::Project;
use super::{INPUT, UNTOUCHED};

#[test]
fn a_typo_in_the_declarations() {
    let project = Project::with(
        "int area(int width, int heigth;\nunsinged count(void);\nint fine(void);\n",
        "",
    );
    project.build(&[]).expect(
        INPUT,
        "\
error: expected ',' or ')'
 --> api.h:1:31
  |
1 | int area(int width, int heigth;
  |                               ^
error: unknown type name 'unsinged'
 --> api.h:2:1
  |
2 | unsinged count(void);
  | ^^^^^^^^
  |
help: did you mean 'unsigned'?",
    );
    assert_eq!(project.names(), UNTOUCHED);
}

#[test]
fn declarations_that_contradict() {
    let project = Project::with("int f(int);\n", "");
    project.file("more.h", "int g(void);\nlong f(int);\n");
    project.build(&["more.h"]).expect(INPUT, "\
error: multiple declarations of exported function f (for interactive usage, try cdef(xx, override=True))
 --> more.h:2:6
  |
2 | long f(int);
  |      ^
  |
help: it was first declared at api.h:1");
    let project = Project::with(
        "struct s { int a; };\nstruct s { long a; };\nint f(struct s *);\n",
        "",
    );
    project.build(&[]).expect(
        INPUT,
        "\
error: duplicate declaration of struct s
 --> api.h:2:8
  |
2 | struct s { long a; };
  |        ^
  |
help: it was first declared at api.h:1",
    );
}

#[test]
fn an_exported_function_that_is_variadic() {
    let project = Project::with("int log_it(const char *format, ...);\n", "");
    project.build(&[]).expect(
        INPUT,
        "\
error: the exported function 'log_it' is variadic: Python cannot find out what arguments it got
 --> api.h:1:5
  |
1 | int log_it(const char *format, ...);
  |     ^^^^^^
  |
help: take a pointer and a length, or one function for each kind of call",
    );
}

#[test]
fn an_exported_function_with_an_unsupported_type() {
    let project = Project::with(
        "struct opaque;\nint f(struct opaque value);\nstruct opaque g(void);\n_Decimal64 wide(void);\n",
        "",
    );
    project.build(&[]).expect(
        INPUT,
        "\
error: parameter 'value' of the exported function 'f' has the incomplete type 'struct opaque'
 --> api.h:2:5
  |
2 | int f(struct opaque value);
  |     ^
  |
help: pass a pointer instead
error: the result of the exported function 'g' has the incomplete type 'struct opaque'
 --> api.h:3:15
  |
3 | struct opaque g(void);
  |               ^
  |
help: pass a pointer instead
error: the result of the exported function 'wide' has the type '_Decimal64': it is a decimal floating-point number
 --> api.h:4:12
  |
4 | _Decimal64 wide(void);
  |            ^^^^
  |
help: pass a pointer instead",
    );
}

#[test]
fn names_that_are_keywords() {
    let project = Project::with("int while(int);\n", "");
    project.build(&[]).expect(
        INPUT,
        "\
error: a function cannot be called 'while': that is a keyword of C
 --> api.h:1:5
  |
1 | int while(int);
  |     ^^^^^
  |
help: rename the function",
    );
    let project = Project::with("int delete(int);\n", "");
    project.build(&[]).expect(INPUT, "\
error: a function cannot be called 'delete': that is a keyword of C++, and the header would not compile there
 --> api.h:1:5
  |
1 | int delete(int);
  |     ^^^^^^
  |
help: rename the function");
    let project = Project::with(
        "struct s { int class; };\nint f(struct s *);\n",
        "from adder import ffi\n@ffi.def_extern()\ndef f(s): return 0\n",
    );
    project.build(&[]).expect(
        0,
        "\
warning: the member 'class' has the name of a C++ keyword: the header compiles as C only
 --> api.h:1:16
  |
1 | struct s { int class; };
  |                ^^^^^
  |
help: rename it, if C++ programs are to use the library",
    );
}

#[test]
fn declarations_that_export_nothing() {
    let project = Project::with("typedef int t;\n", "");
    project.build(&[]).expect(
        INPUT,
        "\
error: the declarations have no function that the library could export
help: declare at least one function, such as: int add1(int, int);",
    );
}

#[test]
fn errors_in_declarations_and_init_code_together() {
    let project = Project::with("int f(nosuch);\n", "def f(:\n");
    project.build(&[]).expect(INPUT, "\
error: f arg 1: unknown type 'nosuch' (if you meant to use the old C syntax of giving untyped arguments, it is not supported)
 --> api.h:1:7
  |
1 | int f(nosuch);
  |       ^^^^^^
error: the init code cannot run: SyntaxError: invalid syntax
 --> plugin.py:1:7
  |
1 | def f(:
  |       ^");
}
