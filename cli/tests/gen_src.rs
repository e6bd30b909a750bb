//! `keelback gen-src`: C source of extension modules for build systems.
mod common;
use common::{Outcome, Project, keelback_with_runtime, outcome, python, root};

const CDEF: &str = "int twice(int);\n#define SIZE ...\n";
const PRELUDE: &str = "#define SIZE 5\nstatic int twice(int x) { return 2 * x; }\n";

fn sources() -> Project {
    let project = Project::new();
    project.file("cdef.txt", CDEF);
    project.file("prelude.c", PRELUDE);
    project
}

fn read(project: &Project, arguments: &[&str]) -> Outcome {
    let mut all = vec!["gen-src", "read-sources"];
    all.extend(arguments);
    project.run(&all)
}

#[test]
fn read_sources_writes_the_c_source() {
    let project = sources();
    read(&project, &["pkg.mod", "cdef.txt", "prelude.c", "out/mod.c"]).expect_success();
    let text = project.read("out/mod.c");
    assert!(text.contains("*PyInit_mod(void)"));
    assert!(text.contains("\n#line 1 \"prelude.c\"\n#define SIZE 5\n"));
    assert!(text.contains("\n#line 1 \"cdef.txt\"\n"));
    let printed = read(&project, &["pkg.mod", "cdef.txt", "prelude.c", "-"]);
    printed.expect(0, "");
    assert_eq!(printed.stdout, text);
}

#[test]
fn a_header_may_be_the_declarations() {
    let project = Project::new();
    project.file(
        "api.h",
        "#ifndef API_H\n#define API_H\n#include \"types.h\"\n#define LIMIT (1 << 4)\nint twice(number_t);\n#endif\n",
    );
    project.file("types.h", "typedef int number_t;\nint other(void);\n");
    project.file(
        "prelude.c",
        "#include \"api.h\"\nint twice(number_t x) { return 2 * x; }\n",
    );
    read(&project, &["mod", "api.h", "prelude.c", "mod.c"]).expect_success();
    let text = project.read("mod.c");
    assert!(text.contains("\"# 1 \\\"types.h\\\"\\n\"\n"), "{text}");
    assert!(text.contains("typedef int number_t;") && !text.contains("other(void)"));
    let mut compiler = std::process::Command::new("cc");
    compiler.args(["-fsyntax-only", "-Wall", "-Werror", "mod.c"]);
    outcome(compiler.current_dir(project.path())).expect(0, "");
    project.file("api.h", "#include \"nowhere.h\"\n");
    read(&project, &["mod", "api.h", "prelude.c", "mod.c"]).expect(
        1,
        "error: 'nowhere.h' is in none of the folders for includes\n --> api.h:1:10\n  |\n1 | #include \"nowhere.h\"\n  |          ^^^^^^^^^^^\n",
    );
}

#[test]
fn what_is_read_is_checked() {
    let project = sources();
    read(&project, &["mod", "cdef.txt", "./cdef.txt", "mod.c"]).expect(
        2,
        "error: cdef and csrc are the same file and should not be
help: the first has the declarations, the second the C source in front of them",
    );
    read(&project, &["mod", "cdef.txt", "nosuch.c", "mod.c"]).expect(
        5,
        "error: cannot read the prelude nosuch.c: No such file or directory",
    );
    project.file("bad.txt", "int f(int);\nint g(nosuch_t);\n");
    let bad = read(&project, &["mod", "bad.txt", "prelude.c", "mod.c"]);
    assert_eq!(bad.code, 1);
    assert!(bad.stderr.contains("bad.txt:2"), "{}", bad.stderr);
    let bad = read(&project, &["a-b", "cdef.txt", "prelude.c", "mod.c"]);
    assert_eq!(bad.code, 1);
    assert!(
        bad.stderr
            .starts_with("error: the module name 'a-b' is no identifier of C and Python"),
        "{}",
        bad.stderr
    );
    let missing = read(&project, &["mod", "cdef.txt", "prelude.c"]);
    assert_eq!(missing.code, 2);
    let none = project.run(&["gen-src"]);
    assert_eq!(none.code, 2);
    // Nothing was written.
    assert_eq!(project.names(), ["bad.txt", "cdef.txt", "prelude.c"]);
    let over = read(&project, &["mod", "cdef.txt", "prelude.c", "cdef.txt"]);
    assert_ne!(over.code, 0);
    assert_eq!(project.read("cdef.txt"), CDEF);
}

/// Runs `gen-src exec-python` with a package like an installed one: the Python files, and the runtime beside them.
fn exec(project: &Project, arguments: &[&str]) -> Outcome {
    outcome(&mut exec_command(project, arguments))
}

fn exec_command(project: &Project, arguments: &[&str]) -> std::process::Command {
    let keelback = keelback_with_runtime();
    let library = format!("libkeelback_runtime{}", std::env::consts::DLL_SUFFIX);
    let runtime = keelback.with_file_name(library);
    let package = project.path().join("site/keelback");
    if !package.exists() {
        std::fs::create_dir_all(&package).unwrap();
        for entry in std::fs::read_dir(root().join("python/keelback")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "py") {
                std::fs::copy(&path, package.join(path.file_name().unwrap())).unwrap();
            }
        }
        std::os::unix::fs::symlink(runtime, package.join("_runtime.so")).unwrap();
    }
    let mut command = project.keelback();
    command.args(["gen-src", "exec-python", "--python"]);
    command.arg(python()).args(arguments);
    command.env("PYTHONPATH", project.path().join("site"));
    command
}

const SCRIPT: &str = r#"
import beside, keelback, sys
assert __name__ == "cffi.gen_src", __name__
assert sys.path[0] == beside.PLACE and sys.argv == ["sub/build.py"], sys.argv
ffibuilder = keelback.FFI()
ffibuilder.cdef("int twice(int);\n#define SIZE ...\n")
ffibuilder.set_source("mod", open("prelude.c").read())
def make():
    return ffibuilder
number = 5
abi = keelback.FFI()
abi.set_source("abi", None)
unfinished = keelback.FFI()
if __name__ == "__main__":
    ffibuilder.compile()
"#;

#[test]
fn exec_python_runs_a_script() {
    let project = sources();
    project.file("sub/build.py", SCRIPT);
    project.file(
        "sub/beside.py",
        "import os\nPLACE = os.path.dirname(os.path.abspath(__file__))\n",
    );
    exec(&project, &["sub/build.py", "mod.c"]).expect_success();
    let text = project.read("mod.c");
    assert!(text.contains("*PyInit_mod(void)") && text.contains("#define SIZE 5"));
    exec(&project, &["--ffi-var", "make", "sub/build.py", "again.c"]).expect_success();
    assert_eq!(project.read("again.c"), text);
    let printed = exec(&project, &["sub/build.py", "-"]);
    printed.expect(0, "");
    assert_eq!(printed.stdout, text);
    // read-sources generates the same C, apart from the places of the texts.
    read(&project, &["mod", "cdef.txt", "prelude.c", "mod2.c"]).expect_success();
    let without_places = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("#line "));
        lines
            .map(|line| line.replace("<cdef 1 of mod>", "cdef.txt"))
            .collect()
    };
    assert_eq!(
        without_places(&project.read("mod2.c")),
        without_places(&text)
    );
}

#[test]
fn a_script_that_makes_nothing() {
    let project = sources();
    project.file("sub/build.py", SCRIPT);
    project.file(
        "sub/beside.py",
        "import os\nPLACE = os.path.dirname(os.path.abspath(__file__))\n",
    );
    let made_nothing = |name: &str| format!("error: {name} made no C source (exit status: 1)");
    for (variable, message) in [
        (
            "nosuch",
            "NameError: Expected to find the FFI object with the name 'nosuch', but it was not found.",
        ),
        (
            "number",
            "TypeError: Found an object with the name 'number' but it was not an instance of keelback.FFI",
        ),
        (
            "abi",
            "TypeError: emit_c_code() is only for C extension modules, not for dlopen()-style pure Python modules",
        ),
        (
            "unfinished",
            "ValueError: set_source() must be called before emit_c_code()",
        ),
    ] {
        exec(&project, &["--ffi-var", variable, "sub/build.py", "x.c"])
            .expect(1, &format!("{message}\n{}", made_nothing("sub/build.py")));
    }
    project.file("wrong.py", "x = 1\nraise RuntimeError('no')\n");
    let wrong = project.path().join("wrong.py");
    exec(&project, &["wrong.py", "x.c"]).expect(
        1,
        &format!(
            "Traceback (most recent call last):\n  File \"{}\", line 2, in <module>\n    \
             raise RuntimeError('no')\nRuntimeError: no\n{}",
            wrong.display(),
            made_nothing("wrong.py")
        ),
    );
    exec(&project, &["nosuch.py", "x.c"]).expect(
        5,
        "error: cannot read the script nosuch.py: No such file or directory",
    );
    assert!(!project.path().join("x.c").exists());
    project.file(
        "cffi_build.py",
        "import cffi\nffibuilder = cffi.FFI()\nffibuilder.set_source('mod', '')\n",
    );
    exec(&project, &["--as-cffi", "cffi_build.py", "x.c"]).expect_success();
    assert!(project.read("x.c").contains("PyInit_mod"));
}

/// The builder's flags for the start are in the C that gen-src writes.
#[test]
fn flags_of_a_plugin() {
    let project = Project::new();
    for (arguments, flags) in [
        ("", "0"),
        ("ignore_sigpipe=True", "KEELBACK_PLUGIN_IGNORE_SIGPIPE"),
        ("use_environment=True", "KEELBACK_PLUGIN_USE_ENVIRONMENT"),
    ] {
        project.file(
            "build.py",
            format!(
                "import keelback\nffibuilder = keelback.FFI()\nffibuilder.embedding_api('int add(int, int);')\n\
                 ffibuilder.set_source('adder', '')\n\
                 ffibuilder.embedding_init_code('from adder import ffi', {arguments})\n"
            ),
        );
        exec(&project, &["build.py", "adder.c"]).expect_success();
        let line = format!("    {flags},");
        let text = project.read("adder.c");
        assert!(text.lines().any(|found| found == line), "{arguments}");
    }
}

/// The script's own clean-up runs when a signal ends it, whether the signal comes to it or to the command line.
#[test]
fn a_signal_ends_the_script() {
    let project = Project::new();
    project.file(
        "build.py",
        "import signal, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n\
         try:\n    open('started', 'w').close()\n    time.sleep(30)\nfinally:\n    open('ended', 'w').close()\n",
    );
    for (signal, status) in [("TERM", 143), ("HUP", 129)] {
        let mut command = exec_command(&project, &["build.py", "mod.c"]);
        // The tests may run in an environment in which signals are ignored.
        let listen = || {
            use nix::sys::signal::{SigHandler, Signal, signal};
            for one in [Signal::SIGHUP, Signal::SIGTERM] {
                // SAFETY: no handler of ours is installed.
                unsafe { signal(one, SigHandler::SigDfl) }?;
            }
            Ok(())
        };
        // SAFETY: between fork and exec it makes system calls only.
        unsafe { std::os::unix::process::CommandExt::pre_exec(&mut command, listen) };
        let child = command
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let started = project.path().join("started");
        while !started.exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let killed = std::process::Command::new("sh")
            .args(["-c", &format!("kill -{signal} {}", child.id())])
            .status()
            .unwrap();
        assert!(killed.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{signal}");
        assert_eq!(output.status.code(), Some(status), "{signal}");
        for name in ["started", "ended"] {
            std::fs::remove_file(project.path().join(name)).unwrap();
        }
        let left: Vec<String> = project.names();
        assert_eq!(left, ["build.py", "site"], "{signal}");
    }
}

#[test]
fn the_output_is_no_file_that_is_read() {
    let project = sources();
    let script = "import helper, keelback\nffibuilder = keelback.FFI()\n\
         ffibuilder.set_source('mod', '#include \"prelude.c\"', sources=['more.c'])\n";
    project.file("build.py", script);
    project.file("helper.py", "");
    project.file("more.c", "");
    for name in ["build.py", "helper.py", "more.c", "prelude.c"] {
        let before = project.read(name);
        let ran = exec(&project, &["build.py", name]);
        assert_eq!(ran.code, 2, "{name}");
        let message = format!("error: {name} would be overwritten: it is read as well\n");
        assert!(ran.stderr.starts_with(&message), "{}", ran.stderr);
        assert_eq!(project.read(name), before);
    }
}
