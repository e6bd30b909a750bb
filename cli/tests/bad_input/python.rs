//! Pythons and runtimes that are invalid or do not fit.
use super::PYTHON;
use super::common::{Project, outcome, python};

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
    // A Python that answers like a static build: as this one, but without a libpython file.
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
    let mut command = project.checked_build_command(&[]);
    command.env("KEELBACK_RUNTIME", "runtime.so");
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

/// Compiles a library with the symbol `keelback_runtime` and these versions.
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
    let mut command = project.checked_build_command(&[]);
    command.env("KEELBACK_RUNTIME", "fake.so");
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
    let mut command = project.checked_build_command(&[]);
    command.env("KEELBACK_RUNTIME", "fake.so");
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

/// A wheel's command line takes the wheel's runtime for another Python of the same version; for one of another version the
/// message says what to install, and where.
#[test]
fn the_runtime_of_the_wheel() {
    let project = Project::good();
    let version = outcome(std::process::Command::new(python()).args([
        "-c",
        "import sys; print('0x%02x%02x' % sys.version_info[:2], '%d.%d' % sys.version_info[:2], end='')",
    ]))
    .stdout;
    let (number, version) = version.split_once(' ').unwrap();
    let keelback = project.file("site/keelback/bin/keelback", "");
    std::fs::copy(env!("CARGO_BIN_EXE_keelback"), &keelback).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&keelback, mode).unwrap();
    project.file("site/keelback/__init__.py", "");
    let runtime = project.path().join("site/keelback/_runtime.so");
    let build = || {
        let mut command = std::process::Command::new(&keelback);
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
            .env_remove("KEELBACK_RUNTIME")
            .env_remove("PYTHONPATH")
            .current_dir(project.path());
        outcome(&mut command)
    };
    let made = |number| {
        fake_runtime(&project, env!("CARGO_PKG_VERSION"), number);
        std::fs::rename(project.path().join("fake.so"), &runtime).unwrap();
    };
    made(number);
    build().expect_success();
    made("0x0363");
    let (python, ours) = (python().display(), env!("CARGO_PKG_VERSION"));
    build().expect(
        PYTHON,
        &format!(
            "\
error: there is no keelback runtime for Python {version}
note: {} is for Python 3.99
help: install keelback into that Python with `{python} -m pip install keelback=={ours}` (in a checkout: `{python} -m pip \
install .`), set KEELBACK_RUNTIME to the runtime, choose another Python with --python, or build with --no-runtime-check: then \
the plugin looks for the runtime when it starts",
            runtime.display()
        ),
    );
}
