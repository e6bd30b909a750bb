//! Each kind of bad input has its own message and exit status, and changes no file.
mod common;
use common::{Project, outcome, python};

const INPUT: i32 = 1;
const USAGE: i32 = 2;
const COMPILER: i32 = 3;
const PYTHON: i32 = 4;
const FILES: i32 = 5;

/// What stands in the directory before and after a failed build.
const UNTOUCHED: [&str; 2] = ["api.h", "plugin.py"];

// ---- names, arguments, files ----

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
fn an_output_that_cannot_be_written() {
    let project = Project::good();
    project.file("file", "");
    std::fs::create_dir(project.path().join("dir")).unwrap();
    project.build(&["-o", "dir"]).expect(
        FILES,
        "\
error: cannot write dir: it is a directory
help: choose another place with -o and --header; nothing was changed",
    );
    project.build(&["-o", "file/libadder.so"]).expect(
        FILES,
        "\
error: cannot write file/libadder.so: Not a directory
help: choose another place with -o and --header; nothing was changed",
    );
    project.build(&["-o", "/proc/libadder.so"]).expect(
        FILES,
        "\
error: cannot write /proc/libadder.so: No such file or directory
help: choose another place with -o and --header; nothing was changed",
    );
    // The library could be written, the header cannot: neither is.
    project.build(&["--header", "dir"]).expect(
        FILES,
        "\
error: cannot write dir: it is a directory
help: choose another place with -o and --header; nothing was changed",
    );
    assert_eq!(project.names(), ["api.h", "dir", "file", "plugin.py"]);
}

const ELSEWHERE: &str = "help: write to another place: -o for the library, --header (include/NAME.h) or --no-header for the header";

/// `output` is refused: it is read.
#[track_caller]
fn expect_read(outcome: &common::Outcome, output: &str) {
    outcome.expect(
        USAGE,
        &format!("error: {output} would be overwritten: it is read as well\n{ELSEWHERE}"),
    );
}

#[test]
fn an_output_that_is_an_input() {
    use std::os::unix::fs::symlink;
    let project = Project::good();
    let at = |name: &str| project.path().join(name);
    let config = "[functions.add]\nerror = -1\n";
    project.file("keelback.toml", config);
    project.file("prelude.c", "#include \"own types.h\"\n");
    project.file("own types.h", "typedef int own;\n");
    project.file("libown.so", "");
    std::fs::create_dir(at("sub")).unwrap();
    symlink("api.h", at("soft")).unwrap();
    symlink("sub", at("through")).unwrap();
    std::fs::hard_link(at("plugin.py"), at("hard")).unwrap();
    let before = project.names();
    for output in [
        "./api.h",
        "soft",
        "sub/../api.h",
        "through/../api.h",
        "plugin.py",
        "hard",
        "keelback.toml",
    ] {
        expect_read(&project.build(&["--header", output]), output);
        expect_read(&project.build(&["--no-header", "-o", output]), output);
        expect_read(&project.build(&["--emit", "c", "-o", output]), output);
    }
    let prelude =
        |header: &'static str| project.build(&["--source", "prelude.c", "--header", header]);
    expect_read(&prelude("prelude.c"), "prelude.c");
    expect_read(&prelude("own types.h"), "own types.h");
    let linked = project.build(&["-L", ".", "-lown", "-o", "libown.so"]);
    expect_read(&linked, "libown.so");
    let python = python().to_str().unwrap();
    let emit = [
        "emit",
        "api.h",
        "--init",
        "plugin.py",
        "--name",
        "adder",
        "--python",
        python,
        "-o",
    ];
    for output in ["api.h", "hard", "keelback.toml"] {
        expect_read(&project.run(&[&emit[..], &[output]].concat()), output);
    }
    expect_read(
        &project.run(&["header", "api.h", "--name", "adder", "-o", "soft"]),
        "soft",
    );
    expect_read(
        &project.run(&["stubs", "api.h", "--name", "adder", "-o", "soft"]),
        "soft",
    );
    let gen_src =
        |output| project.run(&["gen-src", "read-sources", "m", "api.h", "prelude.c", output]);
    expect_read(&gen_src("soft"), "soft");
    expect_read(&gen_src("./prelude.c"), "./prelude.c");
    expect_read(
        &project.run(&["gen-src", "exec-python", "plugin.py", "hard"]),
        "hard",
    );
    // Standard input is a file, too.
    let mut from_stdin = project.keelback();
    from_stdin
        .args(["header", "-", "--name", "adder", "-o", "api.h"])
        .stdin(std::fs::File::open(at("api.h")).unwrap());
    expect_read(&outcome(&mut from_stdin), "api.h");
    assert_eq!(project.names(), before);
    assert_eq!(project.read("api.h"), "int add(int a, int b);\n");
    assert_eq!(project.read("keelback.toml"), config);
    // What is made again may be included.
    project.file("prelude.c", "#include \"adder.h\"\n");
    project
        .run(&["header", "api.h", "--name", "adder", "-o", "adder.h"])
        .expect_success();
    project.build(&["--source", "prelude.c"]).expect_success();
}

#[test]
fn two_outputs_in_one_file() {
    let project = Project::good();
    std::os::unix::fs::symlink("sub/new", project.path().join("dangling")).unwrap();
    let before = project.names();
    for (library, header) in [
        ("out", "./out"),
        ("dangling", "sub/new"),
        ("x/out", "x/y/../out"),
    ] {
        project.build(&["-o", library, "--header", header]).expect(
            USAGE,
            &format!("error: {library} and {header} are the same file, and both would be written\n{ELSEWHERE}"),
        );
    }
    project.build(&["-o", "out", "--header", "out"]).expect(
        USAGE,
        &format!("error: out is given for two outputs\n{ELSEWHERE}"),
    );
    project.build(&["-o", "adder.h"]).expect(
        USAGE,
        &format!("error: adder.h is given for two outputs\n{ELSEWHERE}"),
    );
    assert_eq!(project.names(), before);
    // Nothing is replaced here.
    project
        .build(&["-o", "/dev/null", "--header", "/dev/null"])
        .expect_success();
}

// ---- Python ----

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
fn a_python_that_is_too_old() {
    let project = Project::good();
    let old = project.script(
        "python3.9",
        "#!/bin/sh\ncat > /dev/null\nprintf 'version=3.9\\0full_version=3.9.18\\0\\0'\n",
    );
    project.build(&["--python", "./python3.9"]).expect(
        PYTHON,
        &format!(
            "\
error: Python 3.9.18 ({}) is too old
help: keelback needs Python 3.10 or later; choose one with --python",
            old.parent().unwrap().join("./python3.9").display()
        )
        .replace("/./", "/"),
    );
}

#[test]
fn a_python_without_shared_library() {
    let project = Project::good();
    // What a Python of a static build answers: everything as this one, but no file.
    let script = format!(
        "#!/bin/sh\nexec '{}' \"$@\" | sed -z -e 's/^libpython=.*/libpython=/' -e 's/^full_version=.*/full_version=3.11.9/' -e 's/^version=.*/version=3.11/' -e 's/^libpython_name=.*/libpython_name=libpython3.11.so.1.0/'\n",
        python().display()
    );
    let program = project.script("static-python", &script);
    project.build(&["--python", "./static-python"]).expect(
        PYTHON,
        &format!("\
error: Python 3.11.9 ({}) has no shared library: there is no libpython3.11.so.1.0
help: install it: `libpython3.11` on Debian and Ubuntu, `python3-libs` on Fedora; a Python built from source has it after `./configure --enable-shared` (pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared)", program.display()),
    );
    assert_eq!(project.names(), ["api.h", "plugin.py", "static-python"]);
}

#[test]
fn a_python_that_is_none() {
    let project = Project::good();
    let help = "\nhelp: --python takes a python executable, a virtual environment's directory or a libpython";
    project
        .build(&["--python", "nosuch/python"])
        .expect(PYTHON, &format!("error: there is no nosuch/python{help}"));
    project.build(&["--python", "python-nosuch"]).expect(
        PYTHON,
        &format!("error: there is no python-nosuch on the PATH{help}"),
    );
    project.build(&["--python", "."]).expect(
        PYTHON,
        &format!("error: . is no virtual environment: it has no bin/python{help}"),
    );
    project.build(&["--python", "libpython3.11.so.1.0"]).expect(
        PYTHON,
        &format!("error: there is no libpython3.11.so.1.0{help}"),
    );
    let broken = project.script(
        "broken",
        "#!/bin/sh\necho 'Unknown option: -I' >&2\nexit 2\n",
    );
    project.build(&["--python", "./broken"]).expect(
        PYTHON,
        &format!("\
error: {} does not run as Python: Unknown option: -I
help: give --python an executable of Python 3.10 or later, a virtual environment's directory or a libpython", broken.display()),
    );
}

#[test]
fn no_python_at_all() {
    let project = Project::good();
    outcome(
        project
            .keelback()
            .args(["build", "api.h", "--init", "plugin.py", "--name", "adder"])
            .env("PATH", project.path()),
    )
    .expect(PYTHON, "\
error: there is no Python: neither python3 nor python is on the PATH
help: install Python 3.10 or later with its shared library (`python3` and `libpython3-dev` on Debian, `python3` on Fedora), or say where it is with --python");
}

#[test]
fn a_runtime_that_is_none() {
    let project = Project::good();
    project.file("runtime.so", "no library");
    let mut command = project.keelback();
    command
        .args([
            "build",
            "api.h",
            "--init",
            "plugin.py",
            "--name",
            "adder",
            "--python",
        ])
        .arg(python())
        .env("KEELBACK_RUNTIME", "runtime.so");
    let path = project.path().join("runtime.so");
    outcome(&mut command).expect(
        PYTHON,
        &format!(
            "\
error: KEELBACK_RUNTIME is {}, which is no keelback runtime: it is no library
help: set KEELBACK_RUNTIME to the runtime, or unset it",
            path.display()
        ),
    );
    assert_eq!(project.names(), ["api.h", "plugin.py", "runtime.so"]);
}

/// A library that says of itself what a runtime says, compiled from C.
fn fake_runtime(project: &Project, keelback_version: &str, python_version: &str) {
    project.file("fake.c", format!("\
struct {{ unsigned abi_version, python_version, free_threaded; const char *version; void *rest[16]; }}
keelback_runtime = {{ {}, {python_version}, 0, \"{keelback_version}\", {{0}} }};
", keelback_codegen::abi::KEELBACK_ABI_VERSION));
    let compiled = outcome(
        std::process::Command::new("cc")
            .args(["-shared", "-fPIC", "-o", "fake.so", "fake.c"])
            .current_dir(project.path()),
    );
    assert_eq!(compiled.code, 0, "{}", compiled.stderr);
}

#[test]
fn a_runtime_of_another_version() {
    let project = Project::good();
    let version = outcome(std::process::Command::new(python()).args([
        "-c",
        "import sys; print('0x%02x%02x' % sys.version_info[:2], end='')",
    ]))
    .stdout;
    fake_runtime(&project, "9.8.7", &version);
    let mut command = project.keelback();
    command
        .args([
            "build",
            "api.h",
            "--init",
            "plugin.py",
            "--name",
            "adder",
            "--python",
        ])
        .arg(python())
        .env("KEELBACK_RUNTIME", "fake.so");
    let abi = keelback_codegen::abi::KEELBACK_ABI_VERSION;
    let ours = env!("CARGO_PKG_VERSION");
    let path = project.path().join("fake.so");
    outcome(&mut command).expect(PYTHON, &format!("\
error: the runtime {} is keelback 9.8.7 (plugin ABI {abi}), and this is keelback {ours} (plugin ABI {abi})
help: install the two in the same version", path.display()));
}

#[test]
fn a_runtime_for_another_python() {
    let project = Project::good();
    fake_runtime(&project, env!("CARGO_PKG_VERSION"), "0x0363");
    let mut command = project.keelback();
    command
        .args([
            "build",
            "api.h",
            "--init",
            "plugin.py",
            "--name",
            "adder",
            "--python",
        ])
        .arg(python())
        .env("KEELBACK_RUNTIME", "fake.so");
    let version = outcome(std::process::Command::new(python()).args([
        "-c",
        "import sys; print('%d.%d' % sys.version_info[:2], end='')",
    ]))
    .stdout;
    let path = project.path().join("fake.so");
    outcome(&mut command).expect(
        PYTHON,
        &format!(
            "\
error: KEELBACK_RUNTIME is {}, which is for Python 3.99, and the plugin is for Python {version}
help: choose the Python with --python, or the runtime with KEELBACK_RUNTIME",
            path.display()
        ),
    );
}

// ---- the compiler ----

#[test]
fn no_compiler() {
    let project = Project::good();
    project.build(&["--cc", "nosuch-cc"]).expect(COMPILER, "\
error: there is no C compiler: nosuch-cc is not there
help: install one (`gcc` or `build-essential` on Debian and Ubuntu, `gcc` on Fedora), or name it with --cc or CC");
    outcome(project.build_command(&[]).env("CC", "nosuch-cc -O1")).expect(COMPILER, "\
error: there is no C compiler: nosuch-cc is not there
help: install one (`gcc` or `build-essential` on Debian and Ubuntu, `gcc` on Fedora), or name it with --cc or CC");
    outcome(project.build_command(&[]).env("CC", "/nonexistent/cc")).expect(COMPILER, "\
error: there is no C compiler: /nonexistent/cc is not there
help: install one (`gcc` or `build-essential` on Debian and Ubuntu, `gcc` on Fedora), or name it with --cc or CC");
    outcome(project.build_command(&[]).env("PATH", project.path())).expect(COMPILER, "\
error: there is no C compiler: cc is not there
help: install one (`gcc` or `build-essential` on Debian and Ubuntu, `gcc` on Fedora), or name it with --cc or CC");
    assert_eq!(project.names(), UNTOUCHED);
}

#[test]
fn a_compiler_that_fails() {
    let project = Project::good();
    let failing = project.script(
        "failing-cc",
        "#!/bin/sh\necho 'internal compiler error: out of tea' >&2\nexit 7\n",
    );
    project.build(&["--cc", "./failing-cc"]).expect(COMPILER, &format!("\
internal compiler error: out of tea
error: the C compiler failed: {} (exit status: 7)
help: -v shows the compiler's command line, `keelback emit` the C source; types that the declarations only name come from --source", "./failing-cc"));
    let _ = failing;
    assert_eq!(project.names(), ["api.h", "failing-cc", "plugin.py"]);
}

#[test]
fn a_prelude_that_does_not_compile() {
    let project = Project::good();
    project.file(
        "prelude.c",
        "static int one(void) { return 1; }\nint two(void { return 2; }\n",
    );
    let outcome = project.build(&["--source", "prelude.c"]);
    assert_eq!(outcome.code, COMPILER, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("prelude.c:2:"),
        "the compiler's own words name the prelude: {}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.ends_with("help: see whether the declarations and prelude.c go together; -v shows the compiler's command line, `keelback emit` the C source\n"),
        "{}",
        outcome.stderr
    );
    assert_eq!(project.names(), ["api.h", "plugin.py", "prelude.c"]);
}

#[test]
fn headers_and_libraries_that_are_missing() {
    let project = Project::good();
    let last = |outcome: &common::Outcome| outcome.stderr.lines().last().unwrap_or("").to_owned();
    project.file("prelude.c", "#include <nosuch/header.h>\n");
    let missing = project.build(&["--source", "prelude.c"]);
    assert_eq!(
        (missing.code, last(&missing).as_str()),
        (
            COMPILER,
            "help: the compiler misses a header: install it, or say where it is with -I"
        )
    );
    let missing = project.build(&["-l", "nosuch"]);
    assert_eq!(
        (missing.code, last(&missing).as_str()),
        (
            COMPILER,
            "help: the linker misses a library: install it, or say where it is with -L"
        )
    );
}

// ---- declarations ----

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
        "struct opaque;\nint f(struct opaque value);\nstruct opaque g(void);\n",
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

// ---- what the init code attaches ----

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

// ---- values for a Python that cannot start ----

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
error: --error add is not NAME=VALUE
help: for instance --error parse=-1",
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

#[test]
fn a_configuration_that_is_wrong() {
    let project = Project::good();
    project.file("keelback.toml", "[functions.add]\neror = -1\n");
    project.build(&[]).expect(
        INPUT,
        "\
error: unknown field `eror`, expected `error`
 --> keelback.toml:2:1
  |
2 | eror = -1
  | ^^^^
  |
help: it may have `[functions.NAME]` with `error = VALUE`, and before that `ignore-sigpipe`, `no-site` and `use-environment` with `= true`",
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
help: it may have `[functions.NAME]` with `error = VALUE`, and before that `ignore-sigpipe`, `no-site` and `use-environment` with `= true`",
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
help: it may have `[functions.NAME]` with `error = VALUE`, and before that `ignore-sigpipe`, `no-site` and `use-environment` with `= true`",
    );
    project.file("keelback.toml", "[functions.add]\nerror = -1\n");
    project.build(&[]).expect_success();
}
