//! What matters to linkers, loaders, make and ninja: the SONAME and links, hardening, the depfile.
mod common;
use common::{Outcome, Project, outcome, python};

/// The output of `readelf` about a library.
fn readelf(project: &Project, library: &str) -> String {
    let mut command = std::process::Command::new("readelf");
    let said = outcome(
        command
            .args(["--dynamic", "--segments", "--dyn-syms", "--wide", library])
            .current_dir(project.path()),
    );
    assert_eq!(said.code, 0, "{}", said.stderr);
    said.stdout
}

fn soname(project: &Project, library: &str) -> Option<String> {
    let said = readelf(project, library);
    let (_, rest) = said.split_once("Library soname: [")?;
    rest.split_once(']').map(|(name, _)| name.to_owned())
}

fn usage(outcome: &Outcome, first: &str) {
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().next(), Some(first));
}

#[test]
fn sonames_of_names() {
    let project = Project::good();
    for (output, wanted) in [
        ("libadder.so", Some("libadder.so")),
        ("out/libother.so", Some("libother.so")),
        ("libadder.so.2.1", Some("libadder.so.2")),
        // Libraries that are opened by their paths have no SONAME.
        ("adder.so", None),
        ("adder.abi3.so", None),
        ("libadder.node", None),
    ] {
        project.build(&["-o", output]).expect_success();
        assert_eq!(soname(&project, output).as_deref(), wanted, "{output}");
    }
}

#[test]
fn a_soversion_makes_a_file_and_links() {
    let project = Project::good();
    let names = |project: &Project| {
        let mut names = project.names();
        names.retain(|name| name.contains(".so"));
        names
    };
    let link = |name: &str| std::fs::read_link(project.path().join(name)).unwrap();
    // A library without a version exists already.
    project.build(&[]).expect_success();
    project.build(&["--soversion", "1.2.3"]).expect_success();
    // Again: the link that is the output leads to the library.
    project.build(&["--soversion", "1.2.3"]).expect_success();
    assert_eq!(
        names(&project),
        ["libadder.so", "libadder.so.1", "libadder.so.1.2.3"]
    );
    assert_eq!(link("libadder.so").to_str(), Some("libadder.so.1"));
    assert_eq!(link("libadder.so.1").to_str(), Some("libadder.so.1.2.3"));
    assert_eq!(
        soname(&project, "libadder.so").as_deref(),
        Some("libadder.so.1")
    );
    // A build of the next version keeps the old file. The command line overrides keelback.toml.
    let before = std::fs::read(project.path().join("libadder.so.1.2.3")).unwrap();
    project.file("keelback.toml", "soversion = \"1.3\"\n");
    project.build(&["-o", "libadder.so.1.3"]).expect_success();
    assert_eq!(link("libadder.so.1").to_str(), Some("libadder.so.1.3"));
    project.build(&["--soversion", "2"]).expect_success();
    assert_eq!(link("libadder.so").to_str(), Some("libadder.so.2"));
    assert!(!project.path().join("libadder.so.2").is_symlink());
    assert_eq!(
        std::fs::read(project.path().join("libadder.so.1.2.3")).unwrap(),
        before
    );
    // One without a version replaces the link, not the file that it leads to.
    let before = std::fs::read(project.path().join("libadder.so.2")).unwrap();
    project.file("keelback.toml", "");
    project.build(&[]).expect_success();
    assert!(!project.path().join("libadder.so").is_symlink());
    assert_eq!(
        std::fs::read(project.path().join("libadder.so.2")).unwrap(),
        before
    );
    project.build(&["--soversion", "2"]).expect_success();
    // A build that fails changes no link.
    project.file("plugin.py", "def f(:\n");
    assert_eq!(project.build(&["--soversion", "3.0.0"]).code, 1);
    assert_eq!(link("libadder.so").to_str(), Some("libadder.so.2"));
    assert!(!names(&project).iter().any(|name| name.contains("so.3")));
}

#[test]
fn soversions_that_cannot_be() {
    let project = Project::good();
    usage(
        &project.build(&["--soversion", "1.2.3", "-o", "adder.so"]),
        "error: --soversion is for a library that is called libNAME.so, and adder.so is not",
    );
    usage(
        &project.build(&["--soversion", "1.2.3", "-o", "libadder.so.1.2.4"]),
        "error: libadder.so.1.2.4 has the version 1.2.4 in its name, and --soversion is 1.2.3",
    );
    usage(
        &project.build(&["--soversion", "1.x"]),
        "error: invalid value '1.x' for '--soversion <X.Y.Z>': a version is one to three numbers with dots between them: \
         1.2.3",
    );
    usage(
        &project.build(&["--soversion", "01.2.3"]),
        "error: invalid value '01.2.3' for '--soversion <X.Y.Z>': the numbers of a version do not begin with 0: 1.2.3, not 01.2.3",
    );
    usage(
        &project.build(&["--soversion", "1.20260131123456"]),
        "error: invalid value '1.20260131123456' for '--soversion <X.Y.Z>': the numbers of a version have nine digits at most",
    );
    assert_eq!(project.names(), ["api.h", "plugin.py"]);
}

#[test]
fn libraries_are_hardened() {
    let project = Project::good();
    // The prelude has an array on the stack, which the stack protector guards.
    project.file(
        "prelude.c",
        "#include <string.h>\nint add(int, int);\nint twice(const char *s)\n{\n    char copy[64];\n    strcpy(copy, s);\n    return add(copy[0], copy[1]);\n}\n",
    );
    for compiler in ["gcc", "clang"] {
        for prelude in [&[][..], &["--source", "prelude.c"]] {
            let arguments = [&["--cc", compiler], prelude].concat();
            project.build(&arguments).expect_success();
            let said = readelf(&project, "libadder.so");
            for wanted in ["GNU_RELRO", "BIND_NOW", "__stack_chk_fail"] {
                assert!(said.contains(wanted), "{compiler} {wanted}: {said}");
            }
            let stack = said.lines().find(|line| line.contains("GNU_STACK"));
            assert!(stack.is_some_and(|line| line.contains(" RW ")), "{stack:?}");
        }
    }
}

#[test]
fn hardening_can_be_turned_off() {
    let project = Project::good();
    let mut build = project.build_command(&[]);
    build
        .env("CFLAGS", "-fno-stack-protector")
        .env("LDFLAGS", "-Wl,-z,lazy -Wl,-z,norelro");
    outcome(&mut build).expect_success();
    let said = readelf(&project, "libadder.so");
    for unwanted in ["GNU_RELRO", "BIND_NOW", "__stack_chk_fail"] {
        assert!(!said.contains(unwanted), "{unwanted}: {said}");
    }
}

/// A compiler that has no stack protector.
#[test]
fn a_compiler_without_hardening_builds_without() {
    let project = Project::good();
    project.script(
        "old-cc",
        "#!/bin/sh\ncase \"$*\" in *stack-protector*) echo \"error: unrecognized option '-fstack-protector-strong'\" >&2; exit 1;; esac\nexec cc \"$@\"\n",
    );
    let built = project.build(&["--cc", "./old-cc", "--verbose"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    assert_eq!(
        built
            .stderr
            .matches("once more, without what hardens")
            .count(),
        1
    );
    assert!(
        !built.stderr.contains("unrecognized option"),
        "{}",
        built.stderr
    );
    assert!(!readelf(&project, "libadder.so").contains("BIND_NOW"));
}

/// A build that reads files of every kind, and writes the depfile `out/adder.d`.
fn with_depfile() -> Project {
    let project = Project::good();
    project.file(
        "api.h",
        "#include \"types.h\"\nnumber_t add(number_t a, number_t b);\n",
    );
    project.file("types.h", "typedef int number_t;\n");
    project.file("more.cdef", "int helper(void);\n");
    project.file("prelude.c", "#include \"types.h\"\n#include \"in c/own.h\"\n#include \"adder.h\"\nint helper(void) { return OWN; }\n");
    project.file("in c/own.h", "#define OWN 1\n");
    project.file("rules/__init__.py", "");
    project.file("rules/data$.txt", "");
    project.file("rules/deep/er.py", "");
    project.file("keelback.toml", "modules = [\"rules\"]\n");
    // The prelude includes the header that the build makes; a header of another build is an input.
    std::fs::write(
        project.path().join("adder.h"),
        "/* Made by keelback 0: */\n",
    )
    .unwrap();
    project
        .build(&[
            "--cdef",
            "more.cdef",
            "--source",
            "prelude.c",
            "--depfile",
            "out/adder.d",
        ])
        .expect_success();
    project
}

#[test]
fn a_depfile_names_all_that_was_read() {
    let project = with_depfile();
    let text = project.read("out/adder.d");
    let (rule, rest) = text.split_once("\n\n").unwrap();
    let mut words = rule.split(" \\\n  ");
    assert_eq!(words.next(), Some("libadder.so:"));
    let inputs: Vec<&str> = words.collect();
    for wanted in [
        "api.h",
        "more.cdef",
        "prelude.c",
        "plugin.py",
        "keelback.toml",
        "rules/__init__.py",
        "rules/data$$.txt",
        "rules",
        "rules/deep",
        "./types.h",
        "./in\\ c/own.h",
    ] {
        let wanted: &[&str] = &[wanted, wanted.trim_start_matches("./")];
        assert!(
            inputs.iter().any(|input| wanted.contains(input)),
            "{wanted:?}: {text}"
        );
    }
    assert!(
        !inputs.iter().any(|input| input.ends_with("adder.h")),
        "{text}"
    );
    // Each has an empty rule.
    assert_eq!(
        rest.lines().filter(|line| line.ends_with(':')).count(),
        inputs.len()
    );
}

#[test]
fn make_follows_a_depfile() {
    let project = with_depfile();
    // There is nothing to do until an input is newer.
    project.file(
        "Makefile",
        "libadder.so:\n\ttouch libadder.so; echo made\n-include out/adder.d\n",
    );
    let make = |project: &Project| {
        let mut command = std::process::Command::new("make");
        outcome(
            command
                .args(["-s", "libadder.so"])
                .current_dir(project.path()),
        )
        .stdout
    };
    assert_eq!(make(&project), "");
    // A new file would go into the library.
    project.file("rules/deep/new.py", "");
    assert_eq!(make(&project), "made\n");
    assert_eq!(make(&project), "");
    let newer = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    let touch = |name: &str| {
        let file = std::fs::File::options()
            .append(true)
            .open(project.path().join(name));
        file.unwrap().set_modified(newer).unwrap();
    };
    touch("in c/own.h");
    assert_eq!(make(&project), "made\n");
    std::fs::remove_file(project.path().join("rules/data$.txt")).unwrap();
    assert_eq!(make(&project), "made\n");
}

#[test]
fn a_depfile_of_emitted_c() {
    let project = Project::good();
    let emit = |more: &[&str]| {
        let mut command = project.keelback();
        command.args([
            "emit",
            "api.h",
            "--init",
            "plugin.py",
            "--name",
            "adder",
            "--no-runtime-check",
        ]);
        outcome(command.arg("--python").arg(python()).args(more))
    };
    emit(&["-o", "adder.c", "--depfile", "adder.d"]).expect_success();
    assert!(
        project
            .read("adder.d")
            .starts_with("adder.c: \\\n  plugin.py \\\n  api.h \\\n")
    );
    assert_eq!(emit(&["--depfile", "adder.d"]).code, 2);
    usage(
        &emit(&["-o", "adder.c", "--depfile", "api.h"]),
        "error: api.h would be overwritten: it is read as well",
    );
}

#[test]
fn what_cannot_be_installed() {
    let project = Project::good();
    project.build(&[]).expect_success();
    project.file("file", "");
    let install = |arguments: &[&str]| {
        let common = ["install", "libadder.so", "--destdir", "root"];
        project.run(&[&common, arguments].concat())
    };
    let place = "help: choose another place with --prefix, --libdir, --includedir or --destdir, and give each header once; nothing was changed";
    project
        .run(&["install", "libadder.so", "--destdir", "file"])
        .expect(
            5,
            &format!(
                "error: cannot write file/usr/local/lib/libadder.so: Not a directory\n{place}"
            ),
        );
    install(&["--header", "adder.h", "--header", "adder.h"]).expect(
        2,
        &format!("error: root/usr/local/include/adder.h is given for two outputs\n{place}"),
    );
    for version in ["1\"2", "1 2", "$x", "1\\"] {
        install(&["--package-version", version]).expect(
            2,
            &format!(
                "error: --package-version {version} is no version\nhelp: it has letters, digits and . + - _ ~, such as 1.2.3"
            ),
        );
    }
    install(&["--description", "adds\\"]).expect(
        2,
        "error: --description ends in a backslash, which pkg-config does not keep",
    );
    assert!(!project.path().join("root").exists());
    project.run(&["cmake", "file"]).expect(
        5,
        "error: cannot write file/KeelbackConfig.cmake: Not a directory\nhelp: choose another directory; nothing was changed",
    );
}
