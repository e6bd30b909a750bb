//! Real headers as cdefs: guards, includes, macros, `extern "C"`; what is exported, and the text of the generated
//! header.
mod common;
use std::process::Command;

use common::{Project, outcome, python};

const TYPES: &str = "#pragma once\n#include <stddef.h>\n#include <string.h>\n\
    typedef struct shape { double width, height; } shape_t;\n\
    size_t types_own_function(const shape_t *);\n";

const API: &str = "#ifndef API_H\n#define API_H\n#include <shapes/types.h>\n\
    #ifdef __cplusplus\nextern \"C\" {\n#endif\n\
    #define SHAPE_NAME(x) #x\n#define SHAPE_LIMIT (sizeof(shape_t) * 2)\n#define API_CALL __attribute__((nonnull))\n\
    #define SHAPE_RATIO (1.5 / 2)\n#define SHAPE_TITLE \"shape\" \"s\"\n\
    static inline double shape_half(double x) { return x / 2; }\n\
    /** How large it is. */\ndouble shape_area(const shape_t *shape) API_CALL;\n\
    size_t shape_name(const shape_t *shape, char *name, size_t length);\n\
    #ifdef WITH_MORE\nint shape_more(void);\n#endif\n\
    #ifdef __cplusplus\n}\n#endif\n#endif\n";

const INIT: &str = "from adder import ffi, lib\n\n@ffi.def_extern()\ndef shape_area(shape):\n    \
    return shape.width * shape.height\n\n@ffi.def_extern()\ndef shape_name(shape, name, length):\n    return lib.SHAPE_LIMIT\n";

fn shapes() -> Project {
    let project = Project::with(API, INIT);
    project.file("include/shapes/types.h", TYPES);
    project
}

/// The exported names of the library, without those that every library has.
fn exported(project: &Project) -> Vec<String> {
    let mut command = Command::new("nm");
    command.args(["-D", "--defined-only", "--format=posix", "libadder.so"]);
    let outcome = outcome(command.current_dir(project.path()));
    let names = outcome
        .stdout
        .lines()
        .filter_map(|line| line.split(' ').next());
    let own = |name: &&str| !name.starts_with("adder_") && !name.starts_with("PyInit_");
    names.filter(own).map(str::to_owned).collect()
}

#[test]
fn a_header_as_it_is() {
    let project = shapes();
    project.build(&["-I", "include"]).expect_success();
    assert_eq!(exported(&project), ["shape_area", "shape_name"]);
    // The library does not contain the documentation comments.
    let library = std::fs::read(project.path().join("libadder.so")).unwrap();
    let has = |text: &[u8]| library.windows(text.len()).any(|window| window == text);
    assert!(has(b"double shape_area(") && !has(b"How large it is"));
    let header = project.read("adder.h");
    assert!(header.contains("#include <shapes/types.h>\n"), "{header}");
    assert!(
        header.contains("/** How large it is. */\nADDER_API double shape_area(const shape_t *shape) __attribute__((nonnull));\n"),
        "{header}"
    );
    assert!(
        header.contains("#define SHAPE_LIMIT (sizeof(shape_t) * 2)\n"),
        "{header}"
    );
    assert!(
        !header.contains("types_own_function") && !header.contains("# "),
        "{header}"
    );
    assert!(
        header.contains("#define SHAPE_RATIO (1.5 / 2)\n#define SHAPE_TITLE \"shape\" \"s\"\n"),
        "{header}"
    );
    project.file(
        "host.c",
        "#include \"adder.h\"\n#include \"api.h\"\nint main(void) { return sizeof(shape_t) == 16 ? (int)strlen(\"\") : 1; }\n",
    );
    for compiler in ["cc", "c++"] {
        let mut host = Command::new(compiler);
        host.args([
            "-Wall",
            "-Werror",
            "-I",
            "include",
            "-I",
            ".",
            "-fsyntax-only",
            "host.c",
        ]);
        let host = outcome(host.current_dir(project.path()));
        assert_eq!((host.code, host.stderr.as_str()), (0, ""));
    }
}

/// Text, floating and wide macros of the interface are in the generated header, for C and for C++.
#[test]
fn constants_that_are_no_integers() {
    let api = r#"#define KV_F(x) x
#define KV_VERSION "1.0"
#define KV_TEXT "a\"b\\c\x01\001" "\t?\n" KV_VERSION
#define KV_PAREN ("x")
#define KV_WIDE L"wide" L" two"
#define KV_FLOAT 1.5f
#define KV_LIST {1, 2}
int f(void);
"#;
    let project = Project::with(api, "");
    let made = project.run(&["header", "api.h", "--name", "kv", "-o", "kv.h"]);
    made.expect(0, "");
    assert!(!project.read("kv.h").contains("KV_LIST"));
    project.file(
        "host.c",
        r#"#include "kv.h"
#include <string.h>
#include <wchar.h>
int main(void) {
    return strcmp(KV_VERSION, "1.0") != 0 || memcmp(KV_TEXT, "a\"b\\c\1\1\t?\n1.0", sizeof KV_TEXT) != 0
        || strcmp(KV_PAREN, "x") != 0 || wcscmp(KV_WIDE, L"wide two") != 0 || KV_FLOAT != 1.5f;
}
"#,
    );
    for compiler in [
        &["cc", "-std=c99"][..],
        &["cc", "-std=c11"],
        &["c++", "-xc++", "-std=c++17"],
    ] {
        let mut command = Command::new(compiler[0]);
        command.args(&compiler[1..]).args([
            "-Wall",
            "-Wextra",
            "-pedantic",
            "-Werror",
            "host.c",
            "-o",
            "host",
        ]);
        outcome(command.current_dir(project.path())).expect_success();
        let mut host = Command::new(project.path().join("host"));
        assert_eq!(outcome(&mut host).code, 0, "{compiler:?}");
    }
}

#[test]
fn macros_of_the_command_line() {
    let project = shapes();
    project.build(&["-I", "include", "-DWITH_MORE"]);
    assert_eq!(
        exported(&project),
        ["shape_area", "shape_more", "shape_name"]
    );
    project
        .build(&["-Iinclude", "-DWITH_MORE", "-UWITH_MORE"])
        .expect_success();
    assert_eq!(exported(&project), ["shape_area", "shape_name"]);
    let project = Project::with("API int add(int a, int b);\n", "");
    let outcome = project.run(&["header", "api.h", "--name", "adder", "-D", "API="]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(
        outcome
            .stdout
            .contains("\nADDER_API int add(int a, int b);\n")
    );
}

#[test]
fn the_header_that_is_given_can_be_the_public_one() {
    let project = shapes();
    project
        .build(&["-I", "include", "--keep-header"])
        .expect_success();
    let header = project.read("adder.h");
    assert!(header.contains("#include \"api.h\"\n"), "{header}");
    assert!(header.contains("int adder_start(void);"), "{header}");
    assert!(!header.contains("shape_"), "{header}");
}

#[test]
fn the_header_asserts_nothing_of_others_types() {
    let project = Project::with(
        "#include <time.h>\nstruct span { long from, to; };\nlong length(struct span *, struct tm *);\n",
        "",
    );
    let header = project.run(&["header", "api.h", "--name", "adder", "-o", "adder.h"]);
    header.expect(0, "");
    let text = project.read("adder.h");
    assert!(
        text.contains("offsetof(struct span, to)") && !text.contains("(struct tm, "),
        "{text}"
    );
    for standard in ["-std=c11", "-std=gnu11"] {
        let mut host = Command::new("cc");
        host.args([
            standard,
            "-pedantic",
            "-Wall",
            "-Werror",
            "-fsyntax-only",
            "adder.h",
        ]);
        outcome(host.current_dir(project.path())).expect(0, "");
    }
}

/// Feature macros that the library's own code needs do not affect the given headers: types are those that the host
/// sees.
#[test]
fn features_are_those_of_the_host() {
    let project = Project::with(
        "#include <features.h>\n#include \"types.h\"\nint take(struct feature *);\n",
        "from adder import ffi\n\n@ffi.def_extern()\ndef take(it):\n    return 0\n",
    );
    project.file(
        "types.h",
        "struct feature {\n#ifdef __USE_GNU\n  int gnu;\n#endif\n  char always;\n};\n",
    );
    project.build(&[]).expect_success();
    project.build(&["-D_GNU_SOURCE"]).expect_success();
}

#[test]
fn nothing_to_export() {
    let project = shapes();
    project.file("all.h", "#include \"api.h\"\n");
    let header = ["header", "all.h", "--name", "adder", "-Iinclude"];
    let error = "error: the declarations have no function that the library could export\n\
        help: what a header includes is not exported: name the files that declare the functions themselves\n";
    project.run(&header).expect(1, error);
    let warning = "warning: no name matches --only 'shapes_*'\n\
        help: the pattern is for names that the named files declare: of functions, variables, types, enumerators, macros\n";
    let only = [
        "header",
        "api.h",
        "--name",
        "adder",
        "-Iinclude",
        "--only",
        "shapes_*",
    ];
    project.run(&only).expect(1, &(warning.to_owned() + error));
}

#[test]
fn a_check_knows_the_macros() {
    let project = shapes();
    let init = INIT.replace("lib.SHAPE_LIMIT", "lib.SHAPE_LIMIT + lib.SHAPE_RATIO");
    project.file("plugin.py", init + "\nlib.API_CALL\n");
    let mut check = project.keelback();
    check.args([
        "check",
        "api.h",
        "-Iinclude",
        "--init",
        "plugin.py",
        "--name",
        "adder",
    ]);
    check.arg("--python").arg(python());
    outcome(&mut check).expect(
        0,
        "warning: lib has no 'API_CALL': no cdef declares it\n  --> plugin.py:11:5\n   |\n11 | lib.API_CALL\n   |     ^^^^^^^^\n",
    );
}

#[test]
fn a_prelude_without_the_types() {
    let project = shapes();
    project.file("prelude.c", "#include <math.h>\n");
    let refused = project.build(&["-I", "include", "--source", "prelude.c"]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(
        refused
            .stderr
            .contains("error: prelude.c lacks the type shape_t, ")
            && refused.stderr.contains("help: `#include \"api.h\"` in it"),
        "{}",
        refused.stderr
    );
    project.file("prelude.c", "#include <math.h>\n#include \"api.h\"\n");
    project
        .build(&["-I", "include", "--source", "prelude.c"])
        .expect_success();
    assert_eq!(exported(&project), ["shape_area", "shape_name"]);
}

#[test]
fn names_that_others_have() {
    let api = "#include <stddef.h>\nsize_t strlen(const char *text);\nint add(int, int);\ndouble cos(double);\nint Py_IsFun(void);\n";
    let project = Project::with(api, "");
    let refused = |name: &str, library: &str, place: &str, line: &str, mark: &str| {
        format!(
            "error: the library would export '{name}', which {library} has\n --> api.h:{place}\n  |\n{line}\n  |{mark}\n  |\n\
             help: what others in the process call '{name}' might then be this: rename it, choose the functions with --only, or \
             insist with --export {name}\n"
        )
    };
    let header = ["header", "api.h", "--name", "adder"];
    project.run(&header).expect(
        1,
        &(refused(
            "strlen",
            "libc",
            "2:8",
            "2 | size_t strlen(const char *text);",
            "        ^^^^^^",
        ) + &refused(
            "cos",
            "libm",
            "4:8",
            "4 | double cos(double);",
            "        ^^^",
        ) + &refused(
            "Py_IsFun",
            "libpython",
            "5:5",
            "5 | int Py_IsFun(void);",
            "     ^^^^^^^^",
        )),
    );
    let insisting = [
        "--export", "strlen", "--export", "cos", "--export", "Py_IsFun",
    ];
    project
        .run(&[&header[..], &insisting[..]].concat())
        .expect(0, "");
    let only = project.run(&[&header[..], &["--only", "a*"]].concat());
    assert_eq!(only.code, 0, "{}", only.stderr);
    assert!(only.stdout.contains("ADDER_API int add(int, int);\n"));
    assert!(!only.stdout.contains("strlen"));
}

#[test]
fn the_plain_cdef_of_a_header() {
    let project = shapes();
    let shown = project.run(&["cdef", "api.h", "-I", "include"]);
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    assert_eq!(
        shown.stdout,
        "typedef struct shape { double width, height; } shape_t;\n\n\
         static inline double shape_half(double x);\n/** How large it is. */\n\
         double shape_area(const shape_t *shape) __attribute__((nonnull));\n\
         size_t shape_name(const shape_t *shape, char *name, size_t length);\n\n\
         #define SHAPE_LIMIT (sizeof(shape_t) * 2)\n"
    );
    let marked = project.run(&[
        "cdef",
        "api.h",
        "-I",
        "include",
        "--markers",
        "--only",
        "shape_area",
    ]);
    assert_eq!(
        marked.stdout,
        "# 4 \"include/shapes/types.h\"\ntypedef struct shape { double width, height; } shape_t;\n\
         # 13 \"api.h\"\n/** How large it is. */\ndouble shape_area(const shape_t *shape) __attribute__((nonnull));\n"
    );
    // The printed cdef, read again, is printed unchanged.
    project.file("plain.h", &shown.stdout);
    assert_eq!(project.run(&["cdef", "plain.h"]).stdout, shown.stdout);
    let all = project.run(&["cdef", "api.h", "-I", "include", "--all", "--only", "*own*"]);
    assert!(
        all.stdout
            .ends_with("size_t types_own_function(const shape_t *);\n"),
        "{}",
        all.stdout
    );
}

#[test]
fn faults_in_headers() {
    let project = Project::with(
        "#include \"broken.h\"\n#include <nowhere.h>\nint f(wrong_t);\n",
        "",
    );
    project.file("broken.h", "typedef nosuch wrong_t;\n");
    project.build(&[]).expect(
        1,
        "error: 'nowhere.h' is in none of the folders for includes\n --> api.h:2:10\n  |\n2 | #include <nowhere.h>\n  |          ^\n",
    );
    project.file("api.h", "#include \"broken.h\"\nint f(wrong_t);\n");
    project.build(&[]).expect(
        1,
        "error: unknown type name 'nosuch'\n --> broken.h:1:9\n  |\n1 | typedef nosuch wrong_t;\n  |         ^^^^^^\n  |\n\
         note: included from api.h:1\nhelp: declare it first: 'typedef ... nosuch;' if its contents don't matter, \
         'typedef int... nosuch;' if it is some integer type\n\
         error: f arg 1: unknown type 'wrong_t' (if you meant to use the old C syntax of giving untyped arguments, it is \
         not supported)\n --> api.h:2:7\n  |\n2 | int f(wrong_t);\n  |       ^^^^^^^\n",
    );
}

#[test]
fn a_header_that_is_read_is_not_overwritten() {
    let project = Project::with("#include \"adder.h\"\nint add(int, int);\n", "");
    project.file("adder.h", "typedef int number_t;\n");
    let refused = project.build(&[]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert_eq!(project.read("adder.h"), "typedef int number_t;\n");
}

#[test]
fn the_compiler_is_asked_once() {
    let project = Project::with(
        "#ifdef __GNUC__\n#include <stddef.h>\nint f(wchar_t);\n#endif\n",
        "",
    );
    let script = "#!/bin/sh\necho asked >> asked\nexec cc \"$@\"\n";
    project.script("counting-cc", script);
    let run = |cache: &str| {
        let mut command = project.keelback();
        command.args(["cdef", "api.h", "--cc", "./counting-cc"]);
        let shown = outcome(command.env("XDG_CACHE_HOME", project.path().join(cache)));
        assert_eq!(shown.stdout, "int f(wchar_t);\n", "{}", shown.stderr);
        shown.expect(0, "");
    };
    run("cache");
    assert_eq!(project.read("asked"), "asked\n");
    let kept = || std::fs::read_dir(project.path().join("cache/keelback")).unwrap();
    let name = kept().next().unwrap().unwrap().path();
    run("cache");
    assert_eq!(project.read("asked"), "asked\n");
    assert_eq!(kept().count(), 1);
    // A damaged cache file is ignored: the compiler is asked again.
    std::fs::write(&name, "nonsense").unwrap();
    run("cache");
    assert_eq!(project.read("asked"), "asked\nasked\n");
    // After a change of the compiler it is asked again.
    project.script("counting-cc", &script.replace("echo", "echo  "));
    run("cache");
    assert_eq!(project.read("asked"), "asked\nasked\nasked\n");
    // Without a cache folder that can be written, the compiler is asked each time.
    run("/proc/nowhere");
}

#[test]
fn without_a_compiler() {
    let project = Project::with(
        "#include <stdint.h>\n#ifdef __LP64__\nint f(uint8_t);\n#endif\n",
        "",
    );
    let mut command = project.keelback();
    command.args(["cdef", "api.h", "--cc", "./nowhere/cc"]);
    let shown = outcome(&mut command);
    assert_eq!(
        (shown.stdout.as_str(), shown.stderr.as_str()),
        ("int f(uint8_t);\n", "")
    );
}

/// A header of `--header-include` that defines the same types is refused by the build; the declarations may include it
/// instead.
#[test]
fn a_header_that_has_the_same_types() {
    let function = "double shape_area(const shape_t *shape);\nint shape_name(void);\n";
    let types = "#pragma once\ntypedef struct shape { double width, height; } shape_t;\n";
    let named = "from adder import ffi\n\n@ffi.def_extern()\ndef shape_area(shape):\n    return 1\n\n\
        @ffi.def_extern()\ndef shape_name():\n    return 1\n";
    let project = Project::with(&format!("{types}{function}"), named);
    project.file("include/types.h", types);
    project.file("prelude.c", "#include \"types.h\"\n");
    let arguments = ["-I", "include", "--source", "prelude.c"];
    let with = |more: &[&'static str]| project.build(&[&arguments, more].concat());
    let refused = with(&["--header-include", "types.h"]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    let said = &refused.stderr;
    assert!(said.contains("adder.h:"), "{said}");
    assert!(
        said.ends_with(
            "error: adder.h would not compile together with \"types.h\"\nhelp: if it declares again what \"types.h\" has: \
             write that `#include` into the declarations, in place of these and of --header-include\n"
        ),
        "{said}"
    );
    assert!(!project.names().contains(&"adder.h".to_owned()));
    // A header that only the host has is not checked.
    with(&["--header-include", "hosts.h"]).expect_success();
    // With types that are only named the option works, and the advice of the error message does too.
    project.file(
        "api.h",
        format!("typedef struct shape shape_t;\n{function}"),
    );
    with(&["--header-include", "types.h"]).expect_success();
    project.file("api.h", format!("#include \"types.h\"\n{function}"));
    with(&[]).expect_success();
    project.file("host.c", "#include \"types.h\"\n#include \"adder.h\"\n");
    let mut compiler = Command::new("cc");
    compiler.args(["-Iinclude", "-fsyntax-only", "host.c"]);
    outcome(compiler.current_dir(project.path())).expect_success();
}

/// With another compiler, and with flags that ask for another machine, sizes and constants are those of its machine.
#[test]
fn the_compilers_machine_decides() {
    let is_x86 = usize::from(cfg!(target_arch = "x86_64"));
    for (macros, pointer, long_double, negative) in [
        ("#define __STDC__ 1\\n#define __i386__ 1\\n", 4, 12, 1),
        (
            "#define __STDC__ 1\\n#define __aarch64__ 1\\n#define __CHAR_UNSIGNED__ 1\\n",
            8,
            16,
            0,
        ),
        // For an unknown machine, the layout is this machine's.
        ("#define __STDC__ 1\\n#define __sparc__ 1\\n", 8, 16, is_x86),
    ] {
        let project = Project::with(
            "struct s { void *p; long double d; char negative[1 + ('\\xff' < 0)]; };\nint f(struct s *s);\n",
            "from adder import ffi\n@ffi.def_extern()\ndef f(s):\n    return 0\n",
        );
        let compiler = project.script(
            "other-cc",
            &format!(
                "#!/bin/sh\necho '#include <...> search starts here:' >&2\nprintf '{macros}'\n"
            ),
        );
        let prelude = "struct s { void *p; long double d; char negative[2]; };\n";
        project.file("prelude.h", prelude);
        let mut command = project.keelback();
        command.args([
            "emit",
            "api.h",
            "--init",
            "plugin.py",
            "--name",
            "adder",
            "--source",
            "prelude.h",
            "-o",
            "out.c",
        ]);
        outcome(command.env("CC", &compiler).env_remove("CFLAGS")).expect_success();
        let text = project.read("out.c");
        for (field, size) in [
            ("p", pointer),
            ("d", long_double),
            ("negative", 1 + negative),
        ] {
            let condition = format!("KEELBACK_ASSERT(sizeof(((struct s *)0)->{field}) == {size},");
            assert!(text.contains(&condition), "{macros}: no {condition}");
        }
    }
}

#[test]
fn what_include_cannot_name() {
    let project = Project::good();
    for name in ["", "<>", "a\"b.h", "<a.h"] {
        project
            .run(&["header", "--name", "adder", "api.h", "--header-include", name])
            .expect(
                2,
                &format!(
                    "error: --header-include '{name}' is no name of a header\nhelp: it is what stands behind #include: config.h, <sys/types.h>"
                ),
            );
    }
    for name in ["config.h", "<config.h>", "\"config.h\""] {
        let told = project.run(&[
            "header",
            "--name",
            "adder",
            "api.h",
            "--header-include",
            name,
        ]);
        told.expect(0, "");
    }
}

#[test]
fn a_plain_header_of_packed_declarations() {
    let project = Project::good();
    let plain = |text: &str| {
        project.file("packed.cdef", text);
        project.run(&[
            "header",
            "--name",
            "adder",
            "packed.cdef",
            "--packed",
            "--plain",
        ])
    };
    let told = plain("struct pair { char a, b; };\nint add(struct pair *);\n");
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(!told.stdout.contains('#'), "{}", told.stdout);
    let told = plain("struct odd { char a; int b; };\nint add(struct odd *);\n");
    assert_eq!(told.code, 1, "{}", told.stdout);
    let start =
        "error: in a plain header 'struct odd' would be something else: its size was 5 and is 8";
    assert!(told.stderr.starts_with(start), "{}", told.stderr);
}
