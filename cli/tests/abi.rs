//! `keelback abi`: libraries, headers and declarations are compared; the exit status says what the version number has to.
mod common;

use common::Project;

const OLD: &str = "#define KV_VERSION \"1.0\"\n\
    typedef struct kv_entry { int key; long value; } kv_entry;\n\
    enum kv_status { KV_OK, KV_FULL };\n\
    enum kv_status add(const kv_entry *entry, int count);\n";
const INIT: &str =
    "from adder import ffi\n\n@ffi.def_extern()\ndef add(entry, count):\n    return 0\n";

#[test]
fn a_library_is_its_header_and_its_declarations() {
    let project = Project::with(OLD, INIT);
    project.build(&["-o", "libadder.so.1.4.2"]).expect_success();
    for (old, new) in [
        ("libadder.so.1.4.2", "api.h"),
        ("api.h", "adder.h"),
        ("adder.h", "libadder.so.1.4.2"),
        ("libadder.so.1.4.2", "libadder.so.1.4.2"),
    ] {
        let told = project.run(&["abi", old, new]);
        told.expect(0, "");
        let next = if old.starts_with("lib") {
            "the same: after 1.4.2 comes 1.4.3\n"
        } else {
            "the same: the last number of the version goes up\n"
        };
        assert_eq!(told.stdout, next, "{old} {new}");
    }
}

#[test]
fn the_status_says_which_number_changes() {
    let project = Project::with(OLD, INIT);
    project.build(&["-o", "libadder.so.1.4.2"]).expect_success();
    let compatible = OLD.replace("1.0", "1.1") + "int kv_count(void);\n";
    project.file("more.h", compatible);
    let told = project.run(&["abi", "libadder.so.1.4.2", "more.h"]);
    told.expect(1, "");
    assert_eq!(
        told.stdout,
        "added function: int kv_count(void)\n\
         changed constant: KV_VERSION = \"1.0\" -> \"1.1\"\n\
         compatible: after 1.4.2 comes 1.5.0\n"
    );
    let incompatible = OLD.replace("int key; long value;", "long value; int key;");
    project.file("other.h", incompatible);
    let told = project.run(&["abi", "libadder.so.1.4.2", "other.h", "--soversion", "2.0"]);
    told.expect(2, "");
    assert_eq!(
        told.stdout,
        "changed type: struct kv_entry (incompatible)\n  \
           member 'key' was at byte 0 and is at byte 8\n  \
           member 'value' was at byte 8 and is at byte 0\n\
         incompatible: after 2.0.0 comes 3.0.0\n"
    );
    let told = project.run(&["abi", "more.h", "api.h", "--json"]);
    told.expect(2, "");
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["result"], "incompatible");
    assert_eq!(told["changes"][0]["change"], "removed");
    assert_eq!(told["changes"][0]["name"], "kv_count");
    assert_eq!(told["changes"][0]["compatible"], false);
    assert_eq!(told["soversion"], serde_json::Value::Null);
}

/// Macros of the command line apply to both versions; a library of another name has other NAME_start functions.
#[test]
fn what_differs_by_name_or_macro() {
    let project = Project::with(OLD, INIT);
    project.file(
        "wide.h",
        "#ifdef WIDE\nlong f(void);\n#else\nint f(void);\n#endif\n",
    );
    project.file("long.h", "long f(void);\n");
    assert_eq!(project.run(&["abi", "wide.h", "long.h"]).code, 2);
    assert_eq!(project.run(&["abi", "wide.h", "long.h", "-DWIDE"]).code, 0);
    project.build(&[]).expect_success();
    project.file("plugin.py", INIT.replace("adder", "other"));
    let mut command = project.keelback();
    command.args(["build", "api.h", "--init", "plugin.py", "--name", "other"]);
    command
        .args(["--no-runtime-check", "--python"])
        .arg(common::python());
    common::outcome(&mut command).expect_success();
    let told = project.run(&["abi", "libadder.so", "libother.so"]);
    told.expect(2, "");
    let expected = "removed function: int adder_enter(void) (incompatible)\n\
                    removed function: const char *adder_last_error(void) (incompatible)\n";
    assert!(told.stdout.starts_with(expected), "{}", told.stdout);
}

/// A batch is a function of the interface, wherever its declaration comes from.
#[test]
fn a_batch_is_a_function() {
    let project = Project::with(OLD, INIT);
    project.build(&["-o", "libold.so"]).expect_success();
    let with = OLD.replace("int count);", "int count); /* keelback: batch */");
    project.file("with.h", &with);
    let batch = "void add_n(size_t, const struct kv_entry *, const int *, enum kv_status *)";
    project
        .build(&["--batch", "add", "-o", "libadder.so.1.4.2"])
        .expect_success();
    for new in ["libadder.so.1.4.2", "with.h"] {
        let told = project.run(&["abi", "libold.so", new]);
        told.expect(1, "");
        let expected = format!("added function: {batch}\n");
        assert!(told.stdout.starts_with(&expected), "{}", told.stdout);
    }
    for new in ["with.h", "adder.h"] {
        project
            .run(&["abi", "libadder.so.1.4.2", new])
            .expect(0, "");
    }
    let told = project.run(&["abi", "libadder.so.1.4.2", "api.h"]);
    told.expect(2, "");
    assert_eq!(
        told.stdout,
        format!(
            "removed function: {batch} (incompatible)\nincompatible: after 1.4.2 comes 2.0.0\n"
        )
    );
}

/// Every failure has an exit status that no result of the comparison has.
#[test]
fn failures_have_one_status() {
    let project = Project::with(OLD, INIT);
    project.file("bad.h", "int f(;\n");
    project.file("libnone.so", b"\x7fELF");
    for (arguments, message) in [
        (
            &["abi", "api.h"][..],
            "required arguments were not provided",
        ),
        (&["abi", "api.h", "none.h"], "cannot read none.h"),
        (&["abi", "api.h", "bad.h"], "bad.h:1:7"),
        (
            &["abi", "api.h", "libnone.so"],
            "libnone.so is no plugin: it is no library",
        ),
        (
            &["abi", "api.h", env!("CARGO_BIN_EXE_keelback")],
            "is no plugin: it has no description",
        ),
        (
            &["abi", "api.h", "api.h", "--soversion", "x"],
            "a version is one to three numbers",
        ),
        (
            &["-q", "abi", "api.h"],
            "required arguments were not provided",
        ),
    ] {
        let told = project.run(arguments);
        assert_eq!(told.code, 3, "{arguments:?}: {}", told.stderr);
        assert!(
            told.stderr.contains(message),
            "{arguments:?}: {}",
            told.stderr
        );
        assert_eq!(told.stdout, "");
    }
}

/// The message names the library: the text inside it has no place that one could look at.
#[test]
fn declarations_in_a_library_that_are_damaged() {
    let project = Project::with(OLD, INIT);
    project.build(&[]).expect_success();
    let library = project.path().join("libadder.so");
    let mut bytes = std::fs::read(&library).unwrap();
    let text = b"int count);";
    let starts: Vec<usize> = (0..bytes.len() - text.len())
        .filter(|&at| bytes[at..].starts_with(text))
        .collect();
    assert!(!starts.is_empty());
    for start in starts {
        bytes[start] = b'?';
    }
    std::fs::write(&library, bytes).unwrap();
    for arguments in [
        &["abi", "libadder.so", "api.h"][..],
        &["inspect", "libadder.so"],
    ] {
        let told = project.run(arguments);
        assert_eq!(told.code, if arguments[0] == "abi" { 3 } else { 1 });
        assert!(
            told.stderr
                .starts_with("error: the declarations inside of libadder.so are damaged: api.h:4:")
                && told
                    .stderr
                    .ends_with("\nhelp: build the library again, or copy it again\n"),
            "{}",
            told.stderr
        );
    }
}

/// An empty declaration file is an interface without functions; a library of no bytes is a damaged one.
#[test]
fn a_file_with_the_name_of_a_library_is_no_declaration() {
    let project = Project::with(OLD, INIT);
    for name in ["libadder.so", "libadder.so.1.2.3"] {
        project.file(name, "");
        project.run(&["abi", name, "api.h"]).expect(
            3,
            &format!(
                "error: {name} is no plugin: it is no library\nhelp: name a library that `keelback build` made"
            ),
        );
    }
}
