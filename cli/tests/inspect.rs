//! `keelback inspect`: what is inside a library, and where its own loader looks for Python and the runtime, without running
//! any of its code.
mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Outcome, Project, outcome, python};
use serde_json::Value;

/// Init code that leaves a file if it runs.
const INIT: &str = "open('started', 'w')\nfrom adder import ffi\n\n@ffi.def_extern()\ndef add(a, b):\n    return a + b\n";

fn inspect(project: &Project, arguments: &[&str]) -> Outcome {
    let mut command = project.keelback();
    command.arg("inspect").args(arguments);
    command.env_remove("KEELBACK_PYTHON");
    outcome(&mut command)
}

fn json(told: &Outcome) -> Value {
    serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {told:?}"))
}

fn steps(here: &Value, key: &str) -> Vec<String> {
    let lines = here[key].as_array().unwrap().iter();
    lines
        .map(|line| line.as_str().unwrap().to_owned())
        .collect()
}

fn recorded(command: &Outcome) -> String {
    let told = json(command);
    let libpython = &told["libraries"][0]["built_for"]["libpython"];
    libpython.as_str().unwrap().to_owned()
}

fn runtime() -> PathBuf {
    let keelback = common::keelback_with_runtime();
    keelback.with_file_name("libkeelback_runtime.so")
}

#[test]
fn what_is_inside() {
    let project = Project::with(
        "typedef struct { int x; } point;\n/** Adds. */\nint add(int a, int b);\npoint *middle(const point *a, unsigned n);\n",
        "from adder import ffi\n",
    );
    project.file("helper/__init__.py", "A = 1\n");
    let options = ["--module", "helper", "--no-site", "--ignore-sigpipe"];
    let mut command = project.keelback();
    command.args([
        "build",
        "api.h",
        "--init",
        "plugin.py",
        "--name",
        "pack.adder",
    ]);
    command
        .args(options)
        .args(["--no-runtime-check", "-q", "--python"]);
    outcome(command.arg(python())).expect_success();
    let told = inspect(&project, &["libpack.adder.so"]);
    assert_eq!(told.stderr, "");
    let version = env!("CARGO_PKG_VERSION");
    let start = format!(
        "libpack.adder.so: the plugin pack.adder, made by keelback {version}\n\
         Functions:\n  int add(int, int)\n  point *middle(const point *, unsigned int)\n\
         Init code:\n  plugin.py (22 bytes, and compiled)\n\
         Modules of its own:\n  helper/__init__.py (6 bytes)\n\
         Built for:\n  Python 3."
    );
    assert!(told.stdout.starts_with(&start), "{}", told.stdout);
    assert!(
        told.stdout
            .contains("Built with:\n  --no-site --ignore-sigpipe\n"),
        "{}",
        told.stdout
    );
}

/// The steps are reported by the loader: the last one names the place that is used.
#[test]
fn where_it_looks() {
    let runtime = runtime();
    let project = Project::with("int add(int a, int b);\n", INIT);
    outcome(&mut project.checked_build_command(&[])).expect_success();
    let told = inspect(&project, &["libadder.so", "--json"]);
    told.expect(0, "");
    let libpython = recorded(&told);
    let here = json(&told)["libraries"][0]["here"].clone();
    let place = std::fs::canonicalize(project.path()).unwrap();
    assert_eq!(
        steps(&here, "python_steps"),
        [
            "this process: has no Python (a host that has one keeps it)".to_owned(),
            "KEELBACK_PYTHON: not set".to_owned(),
            format!(
                "the bundle: none beside the library, in {}",
                place.display()
            ),
            format!("recorded at build time: {libpython}"),
        ]
    );
    assert_eq!(
        steps(&here, "runtime_steps"),
        [
            "this process: has no runtime".to_owned(),
            "KEELBACK_RUNTIME: not set".to_owned(),
            format!("{}: no libkeelback_runtime fits there", place.display()),
            format!("{}: fits", runtime.display()),
        ]
    );
    assert_eq!(here["runtime"], runtime.to_str().unwrap());
    assert_eq!(here["libpython"], libpython);
    assert!(!project.path().join("started").exists());
}

/// A library that would not find its Python or runtime is described all the same.
#[test]
fn one_that_finds_nothing() {
    let project = Project::with("int add(int a, int b);\n", INIT);
    project.build(&[]).expect_success();
    let run = |variable: &str, value: &str| {
        let mut command = project.keelback();
        command
            .args(["inspect", "libadder.so"])
            .env(variable, value);
        outcome(&mut command)
    };
    let told = run("KEELBACK_PYTHON", "/none/python3");
    told.expect(4, "");
    let end = "Looking for Python here:\n  KEELBACK_PYTHON: there is no file '/none/python3'\n  \
        this process: has no Python (a host that has one keeps it)\n\
        So it starts:\n  not at all: there is no Python for it\n";
    assert!(told.stdout.ends_with(end), "{}", told.stdout);
    let told = run("KEELBACK_RUNTIME", "/none.so");
    told.expect(4, "");
    assert!(
        told.stdout.contains("  KEELBACK_RUNTIME is set:\n  /none.so: no such file\nSo it starts:\n  not at all: there is no runtime for Python 3."),
        "{}",
        told.stdout
    );
    // Mapped, a file that is cut off would end the process.
    let cut = project.path().join("cut.so");
    let whole = std::fs::read(runtime()).unwrap();
    std::fs::write(&cut, &whole[..8192]).unwrap();
    let told = run("KEELBACK_RUNTIME", cut.to_str().unwrap());
    told.expect(4, "");
    let start = format!(
        "  KEELBACK_RUNTIME is set:\n  {}: the file is cut off: it has 8192 bytes, and its headers promise ",
        cut.display()
    );
    let (_, rest) = told.stdout.split_once(&start).expect(&told.stdout);
    assert!(
        rest.contains(". Copy or install it anew.\nSo it starts:\n  not at all: there is no runtime for Python 3."),
        "{}",
        told.stdout
    );
    // The dynamic linker is ended by what is no longer what it was. The plugin is not to blame.
    let mut damaged = whole[..8192].to_vec();
    damaged.resize(whole.len(), 0xff);
    std::fs::write(&cut, &damaged).unwrap();
    let told = run("KEELBACK_RUNTIME", cut.to_str().unwrap());
    told.expect(4, "");
    assert!(
        told.stdout.contains("Here:\n  it can be opened, but looking for Python and the runtime ended the process (signal: 11 (SIGSEGV)"),
        "{}",
        told.stdout
    );
    // A library that the dynamic linker cannot load.
    project.file("need.c", "int need(void) { return 1; }\n");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "need.c", "-o", "libneed.so"])
        .current_dir(project.path())
        .status();
    assert!(status.unwrap().success());
    let mut command = project.build_command(&[]);
    command.env("LDFLAGS", "-L. -Wl,--no-as-needed -l:libneed.so");
    outcome(&mut command).expect_success();
    std::fs::remove_file(project.path().join("libneed.so")).unwrap();
    let told = inspect(&project, &["libadder.so"]);
    told.expect(4, "");
    let end = "Here:\n  it cannot be opened: libneed.so: cannot open shared object file: No such file or directory\n";
    assert!(told.stdout.ends_with(end), "{}", told.stdout);
    assert!(told.stdout.contains("  int add(int, int)\n"));
    for (file, message) in [
        ("plugin.py", "plugin.py is no plugin: it is no library"),
        ("none.so", "none.so is no plugin: No such file or directory"),
        (
            ".",
            ". is no bundle: bundle.json: No such file or directory",
        ),
    ] {
        let told = inspect(&project, &[file]);
        assert_eq!(told.code, 2);
        assert!(told.stderr.contains(message), "{}", told.stderr);
    }
}

/// Inspecting works however the library was linked or stripped.
#[test]
fn other_linkers_and_strip() {
    let project = Project::with("int add(int a, int b);\n", INIT);
    for (cflags, ldflags) in [
        ("", "-s"),
        (
            "-ffunction-sections -fdata-sections",
            "-Wl,--gc-sections -s",
        ),
        ("", "-Wl,-z,pack-relative-relocs"),
        ("-flto", ""),
        ("-O2 -g", "-Wl,-z,now,-z,relro"),
    ] {
        let mut command = project.build_command(&[]);
        command.env("CFLAGS", cflags).env("LDFLAGS", ldflags);
        outcome(&mut command).expect_success();
        let told = inspect(&project, &["libadder.so", "--json"]);
        let functions = &json(&told)["libraries"][0]["functions"];
        assert_eq!(functions[0], "int add(int, int)", "{cflags} {ldflags}");
        assert!(json(&told)["libraries"][0]["here"]["libpython"].is_string());
    }
}

/// A directory with what `keelback bundle` puts there.
#[test]
fn a_bundle() {
    let project = Project::with("int add(int a, int b);\n", INIT);
    outcome(&mut project.checked_build_command(&[])).expect_success();
    let libpython = recorded(&inspect(&project, &["libadder.so", "--json"]));
    let lib = project.path().join("adder.keelback/lib");
    std::fs::create_dir_all(&lib).unwrap();
    let link = |to: &Path| {
        std::os::unix::fs::symlink(to, lib.join(to.file_name().unwrap())).unwrap();
    };
    link(Path::new(&libpython));
    link(&runtime());
    project.file(
        "adder.keelback/bundle.json",
        r#"{"keelback": "9.9", "python": "3.11.7", "packages": ["numpy 2.0"], "libraries": ["libssl.so.3"]}"#,
    );
    let told = inspect(&project, &["adder.keelback"]);
    told.expect(0, "");
    let start = "adder.keelback: a bundle\n\
        Made with:\n  keelback 9.9\nPython:\n  3.11.7\nPackages:\n  numpy 2.0\nC libraries:\n  libssl.so.3\n\
        \nlibadder.so: the plugin adder";
    assert!(told.stdout.starts_with(start), "{}", told.stdout);
    let lib = std::fs::canonicalize(&lib).unwrap();
    let taken = format!("  the bundle: {}/libpython3.", lib.display());
    assert!(told.stdout.contains(&taken), "{}", told.stdout);
}

/// Two environments with two versions of a package.
#[test]
fn packages_that_hide_others() {
    let project = Project::with("int add(int a, int b);\n", INIT);
    for (name, version) in [("one", "1.0"), ("two", "2.5")] {
        let made = Command::new(python())
            .args(["-m", "venv", "--without-pip", name])
            .current_dir(project.path())
            .status();
        assert!(made.unwrap().success());
        let packages = std::fs::read_dir(project.path().join(name).join("lib")).unwrap();
        let packages = packages
            .flatten()
            .next()
            .unwrap()
            .path()
            .join("site-packages");
        for (package, version) in [("Some_Package", version), ("other", "7")] {
            let folder = packages.join(format!("{package}-{version}.dist-info"));
            std::fs::create_dir(&folder).unwrap();
            let metadata = format!("Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n");
            std::fs::write(folder.join("METADATA"), metadata).unwrap();
        }
        let python = format!("{name}/bin/python");
        let library = format!("lib{name}.so");
        project
            .build(&["--python", &python, "-o", &library])
            .expect_success();
    }
    let told = inspect(&project, &["libone.so", "libtwo.so"]);
    let (_, end) = told
        .stdout
        .split_once("In one process, started in this order:\n")
        .unwrap();
    assert!(end.starts_with("  some-package 2.5 ("), "{end}");
    assert!(
        end.contains("/two/lib/") && end.contains(") is hidden by 1.0 ("),
        "{end}"
    );
    assert_eq!(end.lines().count(), 1, "{end}");
    let told = inspect(&project, &["libtwo.so", "libone.so", "--json"]);
    let hidden = &json(&told)["shadowed"];
    assert_eq!(hidden.as_array().unwrap().len(), 1);
    assert_eq!(hidden[0]["package"], "some-package");
    assert_eq!(
        (&hidden[0]["version"], &hidden[0]["by"]),
        (&"1.0".into(), &"2.5".into())
    );
    assert!(!project.path().join("started").exists());
}
