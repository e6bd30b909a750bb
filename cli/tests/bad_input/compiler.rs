//! Missing compilers, and C that compilers refuse.
use super::common::{Outcome, Project, outcome};
use super::{COMPILER, UNTOUCHED};

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
fn a_prelude_that_lacks_types() {
    let project = Project::good();
    project.file(
        "shapes.h",
        "typedef struct { int x; } point_t;\nstruct shape { point_t a; };\nint add(int a, int b);\nint area(const struct shape *s);\n",
    );
    project.file("prelude.c", "int helper(void) { return 1; }\n");
    for compiler in ["gcc", "clang"] {
        let outcome = project.run(&[
            "build",
            "shapes.h",
            "--init",
            "plugin.py",
            "--name",
            "area",
            "--cc",
            compiler,
            "--source",
            "prelude.c",
        ]);
        assert_eq!(outcome.code, COMPILER, "{}", outcome.stderr);
        let errors: Vec<_> = outcome
            .stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        assert!(
            errors[0].starts_with("error: prelude.c lacks the type")
                && errors[0].contains("struct shape")
                && errors[0].ends_with(
                    ", which the declarations name: with a prelude, the types come from it"
                ),
            "{compiler}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains(
                "help: `#include \"shapes.h\"` in it, or the header of the library that has them\n"
            ),
            "{compiler}: {}",
            outcome.stderr
        );
    }
    // The advice of the message is right.
    project.file(
        "prelude.c",
        "#include \"shapes.h\"\nint helper(void) { return 1; }\n",
    );
    let outcome = project.run(&[
        "build",
        "shapes.h",
        "--init",
        "plugin.py",
        "--name",
        "area",
        "--source",
        "prelude.c",
    ]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
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
    let last = |outcome: &Outcome| outcome.stderr.lines().last().unwrap_or("").to_owned();
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
