//! Which outputs are written, where, and that they are written completely or not at all.
mod common;
use common::{Outcome, Project, outcome, python, root};

#[test]
fn names_of_the_outputs() {
    let project = Project::good();
    project.build(&[]).expect_success();
    assert_eq!(
        project.names(),
        ["adder.h", "api.h", "libadder.so", "plugin.py"]
    );

    let project = Project::good();
    project.build(&["-o", "out/plugin-1.5.so"]).expect_success();
    assert_eq!(project.names(), ["api.h", "out", "plugin.py"]);
    assert!(project.path().join("out/plugin-1.5.so").is_file());
    assert!(project.path().join("out/adder.h").is_file());

    let project = Project::good();
    project.build(&["--no-header"]).expect_success();
    assert_eq!(project.names(), ["api.h", "libadder.so", "plugin.py"]);

    let project = Project::good();
    project
        .build(&["--header", "include/adder/api.h"])
        .expect_success();
    assert_eq!(
        project.names(),
        ["api.h", "include", "libadder.so", "plugin.py"]
    );

    let project = Project::good();
    project.build(&["--emit", "c"]).expect_success();
    assert_eq!(
        project.names(),
        ["adder.c", "adder.h", "api.h", "plugin.py"]
    );
}

#[test]
fn the_header_for_cplusplus() {
    let project = Project::good();
    project
        .build(&["--cpp-header", "--header", "include/api2.h"])
        .expect_success();
    let text = project.read("include/adder.hpp");
    assert!(text.contains("\n#include \"api2.h\"\n"), "{text}");

    let project = Project::good();
    project
        .build(&["--cpp-header=x/y.hpp", "--no-header"])
        .expect_success();
    let written = project.read("x/y.hpp");
    let printed = project.run(&["header", "api.h", "--name", "adder", "--cpp"]);
    assert_eq!(printed.stdout, written);
    assert_eq!(project.names(), ["api.h", "libadder.so", "plugin.py", "x"]);
}

#[test]
fn the_library_is_executable_and_the_header_is_not() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::good();
    project.build(&[]).expect_success();
    let mode = |name: &str| {
        std::fs::metadata(project.path().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    let api = mode("api.h");
    assert_eq!(mode("adder.h"), api);
    // Everybody who may read the library may map it: the execute bits follow the read bits.
    assert_eq!(mode("libadder.so"), api | (api & 0o444) >> 2);
}

#[test]
fn a_failed_build_leaves_the_old_outputs() {
    let project = Project::good();
    project.file("libadder.so", "old library");
    project.file("adder.h", "old header");
    let before = project.names();
    project.file("plugin.py", "def f(:\n");
    assert_eq!(project.build(&[]).code, 1);
    project.file("plugin.py", "");
    assert_eq!(project.build(&["--cc", "false"]).code, 3);
    project.file("api.h", "int add(nosuch);\n");
    assert_eq!(project.build(&[]).code, 1);
    assert_eq!(project.names(), before);
    assert_eq!(project.read("libadder.so"), "old library");
    assert_eq!(project.read("adder.h"), "old header");
}

#[test]
fn directories_that_were_made_go_with_a_failure() {
    let project = Project::good();
    assert_eq!(
        project
            .build(&["--cc", "false", "-o", "a/b/libadder.so"])
            .code,
        3
    );
    assert_eq!(project.names(), ["api.h", "plugin.py"]);
}

#[test]
fn nothing_stays_in_the_directory_for_temporary_files() {
    let project = Project::good();
    std::fs::create_dir(project.path().join("tmp")).unwrap();
    for arguments in [&["--cc", "cc"], &["--cc", "false"], &["--python", "nosuch"]] {
        outcome(
            project
                .build_command(arguments)
                .env("TMPDIR", project.path().join("tmp"))
                // cargo sets OUT_DIR for tests, and the cc crate would put its temporary file there.
                .env_remove("OUT_DIR"),
        );
        assert_eq!(
            std::fs::read_dir(project.path().join("tmp"))
                .unwrap()
                .count(),
            0
        );
    }
}

#[test]
fn standard_input_and_output() {
    let project = Project::good();
    let from_stdin = |arguments: &[&str], file: &str| -> Outcome {
        let file = std::fs::File::open(project.path().join(file)).unwrap();
        outcome(project.keelback().args(arguments).stdin(file))
    };
    let header = project.run(&["header", "api.h", "--name", "adder"]);
    assert_eq!((header.code, header.stderr.as_str()), (0, ""));
    assert!(
        header.stdout.contains("int add(int a, int b);"),
        "{}",
        header.stdout
    );
    let same = from_stdin(&["header", "-", "--name", "adder"], "api.h");
    assert_eq!(same.stdout, header.stdout);
    project
        .run(&["header", "api.h", "--name", "adder", "-o", "out.h"])
        .expect_success();
    assert_eq!(project.read("out.h"), header.stdout);

    let python = python().to_str().unwrap();
    let emit = |cdef: &'static str, init: &'static str| -> Vec<&str> {
        vec![
            "emit",
            cdef,
            "--init",
            init,
            "--name",
            "adder",
            "--no-runtime-check",
            "--python",
            python,
        ]
    };
    let source = project.run(&emit("api.h", "plugin.py"));
    assert_eq!((source.code, source.stderr.as_str()), (0, ""));
    assert!(
        source.stdout.contains("NAME") || source.stdout.contains("adder"),
        "{}",
        source.stdout
    );
    let from_pipe = from_stdin(&emit("api.h", "-"), "plugin.py");
    assert_eq!((from_pipe.code, from_pipe.stderr.as_str()), (0, ""));
    assert!(from_pipe.stdout.contains("<stdin>"));
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    let project = Project::good();
    project
        .build(&["-o", "/dev/null", "--no-header"])
        .expect_success();
    let outcome = project.build(&["--emit", "c", "-o", "/dev/stdout", "--no-header"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    assert!(outcome.stdout.contains("add"));
}

#[test]
fn the_environment_of_the_compiler_counts() {
    let project = Project::good();
    project.file("include/answer.h", "#define ANSWER 42\n");
    project.file(
        "prelude.c",
        "#include <answer.h>\n#if ANSWER != 42 || FLAG != 7\n#error no\n#endif\n",
    );
    let mut command = project.build_command(&["--source", "prelude.c", "-v"]);
    command
        .env("CPATH", project.path().join("include"))
        .env("CFLAGS", "-DFLAG=7")
        .env("LDFLAGS", "-Wl,-z,now");
    let built = outcome(&mut command);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let line = built
        .stderr
        .lines()
        .find(|line| line.starts_with("compiler: ") && line.contains("-DFLAG=7"))
        .unwrap();
    assert!(line.contains("-Wl,-z,now"), "{line}");
    // A relative include is relative to the prelude, wherever the generated file is.
    project.file(
        "src/prelude.c",
        "#include \"beside.h\"\n#ifndef BESIDE\n#error no\n#endif\n",
    );
    project.file("src/beside.h", "#define BESIDE 1\n");
    project
        .build(&["--source", "src/prelude.c"])
        .expect_success();
}

#[test]
fn new_makes_a_project_and_overwrites_nothing() {
    let project = Project::new();
    let made = project.run(&["new", "hello"]);
    assert_eq!(
        (made.code, made.stderr.as_str()),
        (0, "made hello: `make -C hello run` builds and runs it\n")
    );
    assert_eq!(project.names(), ["hello"]);
    assert!(!project.read("hello/Makefile").contains("@NAME@"));
    project.run(&["new", "hello"]).expect(
        5,
        "\
error: hello exists already
help: choose another name, or remove it; nothing was changed",
    );
    assert_eq!(project.run(&["new", "9"]).code, 2);
    assert_eq!(project.names(), ["hello"]);
}

/// The crate's version is the one version.
#[test]
fn one_version_everywhere() {
    let project = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(project.contains(&format!("version = \"{}\"", env!("CARGO_PKG_VERSION"))));
}

/// Starts a build with a slow compiler, and sends a signal to the build, or to its process group (`whom` is `-`).
fn interrupted(signal: &str, whom: &str) -> (Project, Option<i32>) {
    use std::os::unix::process::CommandExt;
    let project = Project::good();
    std::fs::create_dir(project.path().join("tmp")).unwrap();
    project.script(
        "slow-cc",
        "#!/bin/sh\ncase \"$*\" in *-shared*) touch started; exec sleep 20;; *) exec cc \"$@\";; esac\n",
    );
    let mut command = project.build_command(&["--cc", "./slow-cc", "--header", "new/dir/adder.h"]);
    // The tests themselves may run under nohup, or in a shell's background: there signals are ignored, also by children.
    let listen = || {
        use nix::sys::signal::{SigHandler, Signal, signal};
        for one in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
            // SAFETY: no handler of ours is installed.
            unsafe { signal(one, SigHandler::SigDfl) }?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec it makes system calls only.
    unsafe { command.pre_exec(listen) };
    let child = command
        .env("TMPDIR", project.path().join("tmp"))
        .env_remove("OUT_DIR")
        .process_group(0)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let started = project.path().join("started");
    for _ in 0..1000 {
        if started.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let killed = std::process::Command::new("sh")
        .args(["-c", &format!("kill -{signal} {whom}{}", child.id())])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (project, output.status.code())
}

#[test]
fn a_signal_leaves_nothing_behind() {
    // A terminal sends signals to the process group, `kill` to one process.
    for (signal, whom, status) in [
        ("INT", "-", 130),
        ("INT", "", 130),
        ("TERM", "", 143),
        ("HUP", "", 129),
        ("HUP", "-", 129),
    ] {
        let (project, code) = interrupted(signal, whom);
        assert_eq!(code, Some(status), "{signal}");
        let tmp = std::fs::read_dir(project.path().join("tmp")).unwrap();
        assert_eq!(tmp.count(), 0, "{signal}");
        assert_eq!(
            project.names(),
            ["api.h", "plugin.py", "slow-cc", "started", "tmp"]
        );
    }
}

#[test]
fn a_link_that_leads_nowhere_is_written_through() {
    let project = Project::good();
    std::os::unix::fs::symlink("sub/real.h", project.path().join("link.h")).unwrap();
    project.build(&["--header", "link.h"]).expect_success();
    assert!(project.path().join("link.h").is_symlink());
    assert!(
        project
            .read("sub/real.h")
            .contains("int add(int a, int b);")
    );
}

/// If the compiler cannot link the precompiled loader, everything is compiled.
#[test]
fn a_compiler_that_cannot_link_the_loader_object_compiles_the_loader() {
    let project = Project::good();
    project.script(
        "picky-cc",
        "#!/bin/sh\ncase \"$*\" in *keelback_loader.o*) echo 'wrong architecture' >&2; exit 1;; esac\nexec cc \"$@\"\n",
    );
    project.build(&["--cc", "./picky-cc"]).expect_success();
    let exports = |library: &str| {
        let listed = outcome(
            std::process::Command::new("nm")
                .args(["-D", "--defined-only", "--format=posix", library])
                .current_dir(project.path()),
        );
        let mut names: Vec<String> = listed
            .stdout
            .lines()
            .filter_map(|line| line.split(' ').next().map(str::to_owned))
            .collect();
        names.sort();
        names
    };
    let whole = exports("libadder.so");
    assert_eq!(
        whole,
        [
            "PyInit_adder",
            "add",
            "adder_enter",
            "adder_last_error",
            "adder_leave",
            "adder_set_error_handler",
            "adder_start"
        ]
    );
    project.build(&["-o", "libfast.so"]).expect_success();
    assert_eq!(exports("libfast.so"), whole);
}

/// The flags for the start on every way: the command lines of `build` and `emit`, and keelback.toml.
#[test]
fn flags_of_the_start() {
    let flags = [
        ("no-site", "    KEELBACK_PLUGIN_NO_SITE,"),
        ("use-environment", "    KEELBACK_PLUGIN_USE_ENVIRONMENT,"),
        ("ignore-sigpipe", "    KEELBACK_PLUGIN_IGNORE_SIGPIPE,"),
    ];
    let project = Project::good();
    for (key, flag) in flags {
        let is_set = |text: &str| text.lines().any(|line| line == flag);
        let emitted = |option: Option<&str>| {
            let mut command = project.keelback();
            command.args(["emit", "api.h", "--init", "plugin.py", "--name", "adder"]);
            command.arg("--no-runtime-check").args(option);
            let done = outcome(command.arg("--python").arg(python()));
            done.expect(0, "");
            is_set(&done.stdout)
        };
        let built = |options: &[&str]| {
            project
                .build(&[&["--emit", "c"], options].concat())
                .expect_success();
            is_set(&project.read("adder.c"))
        };
        let option = format!("--{key}");
        assert!(!emitted(None) && !built(&[]), "{key}");
        assert!(emitted(Some(&option)) && built(&[&option]), "{key}");
        project.file("keelback.toml", format!("{key} = true\n"));
        assert!(emitted(None) && built(&[]), "{key}");
        project.file("keelback.toml", format!("{key} = false\n"));
        assert!(!emitted(None) && !built(&[]), "{key}");
        assert!(emitted(Some(&option)), "{key}");
    }
}
