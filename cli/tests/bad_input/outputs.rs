//! Outputs that cannot or must not be written.
use super::common::{Outcome, Project, outcome, python};
use super::{FILES, USAGE};

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
    // If the header cannot be written, the library is not written either.
    project.build(&["--header", "dir"]).expect(
        FILES,
        "\
error: cannot write dir: it is a directory
help: choose another place with -o and --header; nothing was changed",
    );
    assert_eq!(project.names(), ["api.h", "dir", "file", "plugin.py"]);
}

const ELSEWHERE: &str = "help: write to another place: -o for the library, --header (include/NAME.h) or --no-header for the header";

/// Expects that `output` is refused because it is an input too.
#[track_caller]
fn expect_read(outcome: &Outcome, output: &str) {
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
    // Standard input may be a file, which must not be overwritten either.
    let mut from_stdin = project.keelback();
    from_stdin
        .args(["header", "-", "--name", "adder", "-o", "api.h"])
        .stdin(std::fs::File::open(at("api.h")).unwrap());
    expect_read(&outcome(&mut from_stdin), "api.h");
    assert_eq!(project.names(), before);
    assert_eq!(project.read("api.h"), "int add(int a, int b);\n");
    assert_eq!(project.read("keelback.toml"), config);
    // A header that the build makes may be included by the prelude.
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
    // /dev/null is not replaced, so it may be two outputs.
    project
        .build(&["-o", "/dev/null", "--header", "/dev/null"])
        .expect_success();
}
