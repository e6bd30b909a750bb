//! Two versions of an interface: every kind of change, with what it does.

use std::fmt::Write as _;

use keelback_cdef::compare::{Effect, Interface, compare};
use keelback_cdef::{Declarations, ParseOptions, SourceId};

fn parse(texts: &[&str]) -> Declarations {
    let mut declarations = Declarations::default();
    let options = ParseOptions {
        of_headers: true,
        other_macros: true,
        ..ParseOptions::default()
    };
    for text in texts {
        declarations
            .parse(text, &options)
            .unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    }
    declarations
}

/// One line for each change: `+ ` added, `- ` removed, `~ ` changed; with `!` if it is incompatible.
fn changes_of(old: &[&str], new: &[&str]) -> String {
    let (old, new) = (parse(old), parse(new));
    let own = [SourceId(0)];
    let side = |declarations| Interface {
        declarations,
        own: &own,
    };
    let mut told = String::new();
    for change in compare(side(&old), side(&new)) {
        let sign = match (&change.old, &change.new) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        let mark = match change.effect {
            Effect::Compatible => ' ',
            Effect::Incompatible => '!',
        };
        let word = change.subject.word();
        let _ = write!(told, "{sign}{mark}{word} {}", change.name);
        if change.details.is_empty() {
            let texts = [change.old, change.new];
            let texts: Vec<String> = texts.into_iter().flatten().collect();
            let _ = write!(told, ": {}", texts.join(" -> "));
        }
        for detail in change.details {
            let _ = write!(told, "; {detail}");
        }
        told.push('\n');
    }
    told
}

#[track_caller]
fn check(old: &str, new: &str, expected: &str) {
    assert_eq!(changes_of(&[old], &[new]), expected, "{old}\n{new}");
}

#[test]
fn functions() {
    check("int f(int);", "int f(int x);", "");
    check(
        "int f(int);",
        "int f(int); int g(void);",
        "+ function g: int g(void)\n",
    );
    check(
        "int f(int); int g(void);",
        "int f(int);",
        "-!function g: int g(void)\n",
    );
    for (old, new) in [
        ("int f(int)", "int f(int, int)"),
        ("int f(int)", "int f(int, ...)"),
        ("int f(int)", "int f(long)"),
        ("int f(int)", "int f(unsigned int)"),
        ("int f(int)", "void f(int)"),
        ("void f(char *)", "void f(void *)"),
        ("void f(const char *)", "void f(char *)"),
        ("char *f(void)", "const char *f(void)"),
        ("void f(float)", "void f(int)"),
        ("void f(char **)", "void f(char *)"),
        ("void f(void (*)(char *))", "void f(void (*)(const char *))"),
        (
            "struct a; void f(struct a *)",
            "struct b; void f(struct b *)",
        ),
    ] {
        let told = changes_of(&[&format!("{old};")], &[&format!("{new};")]);
        assert!(told.contains("~!function f"), "{old} / {new}: {told}");
    }
    for (old, new) in [
        ("int f(int)", "int32_t f(int32_t)"),
        ("void f(char *)", "void f(const char *)"),
        ("const char *f(void)", "char *f(void)"),
        ("void f(long)", "void f(long long)"),
        ("void f(enum e { A, B })", "void f(unsigned int)"),
    ] {
        let told = changes_of(&[&format!("{old};")], &[&format!("{new};")]);
        assert!(told.contains("~ function f"), "{old} / {new}: {told}");
    }
    check(
        "void f(int);",
        "typedef int count; void f(count);",
        "+ type count: typedef int count\n",
    );
    check(
        "typedef int status; status f(void);",
        "typedef long status; status f(void);",
        "~!function f: int f(void) -> long f(void)\n~!type status: typedef int status -> typedef long status\n",
    );
}

#[test]
fn alignment() {
    check(
        "typedef double d __attribute__((aligned(2)));",
        "typedef double d;",
        "~!type d; its alignment was 2 and is the type's own\n",
    );
}

#[test]
fn opaque_pointers() {
    check(
        "typedef ... *handle; void f(handle);",
        "typedef struct h *handle; void f(handle);",
        "+ type struct h: struct h\n",
    );
    let told = changes_of(
        &["typedef ... *handle; void f(handle);"],
        &["typedef struct { int a; } *handle; void f(handle);"],
    );
    assert!(told.contains("~!function f"), "{told}");
}

#[test]
fn variables_and_constants() {
    check(
        "extern int v;",
        "extern long v;",
        "~!variable v: int v -> long v\n",
    );
    check(
        "extern int v[3];",
        "extern int v[4];",
        "~!variable v: int v[3] -> int v[4]\n",
    );
    check("#define K 1\n", "#define K 2\n", "~!constant K: 1 -> 2\n");
    check("#define K 1\n", "#define K (2 - 1)\n", "");
    check("#define K 1\n", "static const int K = 1;", "");
    check("", "#define K 1\n", "+ constant K: 1\n");
    check("#define K 1\n", "", "-!constant K: 1\n");
    check(
        "#define P 1.5\n",
        "#define P 2.5\n",
        "~!constant P: 1.5 -> 2.5\n",
    );
    check(
        "#define T \"a\\n\"\n",
        "#define T \"b\"\n",
        "~ constant T: \"a\\n\" -> \"b\"\n",
    );
    check(
        "#define LIB_VERSION_MINOR 1\n",
        "#define LIB_VERSION_MINOR 2\n",
        "~ constant LIB_VERSION_MINOR: 1 -> 2\n",
    );
    check(
        "enum e { A, B };",
        "enum e { A, B, C };",
        "+ constant C: 2\n",
    );
    check("enum e { A, B };", "enum e { A };", "-!constant B: 1\n");
    check(
        "enum e { A, B };",
        "enum e { B, A };",
        "~!constant A: 0 -> 1\n~!constant B: 1 -> 0\n",
    );
    check(
        "enum e { A, B };",
        "enum e { A, B, C = 0x100000000 };",
        "~!type enum e; its size was 4 and is 8\n+ constant C: 4294967296\n",
    );
    check(
        "enum { A };",
        "enum named { A };",
        "+ type enum named: enum named\n",
    );
}

#[test]
fn records() {
    let old = "struct s { char c; int i; };";
    check(old, old, "");
    check(
        old,
        "typedef struct s { char c; int i; } s_t;",
        "+ type s_t: typedef struct s s_t\n",
    );
    check(
        old,
        "struct s { char c; int i; int more; };",
        "~!type struct s; its size was 8 and is 12; member 'more' is new at byte 8\n",
    );
    check(
        old,
        "struct s { char c; char d; int i; };",
        "~ type struct s; member 'd' is new at byte 1\n",
    );
    check(
        old,
        "struct s { int i; char c; };",
        "~!type struct s; member 'c' was at byte 0 and is at byte 4; member 'i' was at byte 4 and is at byte 0\n",
    );
    check(
        old,
        "struct s { char c; unsigned i; };",
        "~!type struct s; member 'i' was 'int' and is 'unsigned int'\n",
    );
    check(
        old,
        "struct s { char c; int32_t j; };",
        "~!type struct s; member 'i' is gone; member 'j' is new at byte 4\n",
    );
    check(
        old,
        "struct s;",
        "~!type struct s; it had members and is opaque now\n",
    );
    check(
        "struct s;",
        old,
        "~ type struct s; it was opaque and has members now\n",
    );
    check(old, "", "-!type struct s: struct s\n");
    check(
        old,
        "union s { char c; int i; };",
        "-!type struct s: struct s\n+ type union s: union s\n",
    );
    check(
        "union u { int i; };",
        "union u { int i; float f; };",
        "~ type union u; member 'f' is new\n",
    );
    check(
        "struct s { int a : 3, b : 4; };",
        "struct s { int a : 4, b : 4; };",
        "~!type struct s; member 'a' was at byte 0, bits 0 to 2 and is at byte 0, bits 0 to 3; member 'b' was at byte 0, \
         bits 3 to 6 and is at byte 0, bits 4 to 7\n",
    );
    check(
        "typedef struct { int x; } p;",
        "typedef struct p { int x; } p;",
        "",
    );
    check(
        "struct s { union { int i; float f; }; };",
        "struct s { int i; };",
        "~!type struct s; member 'f' is gone\n",
    );
    check(
        "struct s { struct { int x; } in; };",
        "struct s { struct { unsigned x; } in; };",
        "~!type struct s; member 'in' was 'struct $1' and is 'struct $1'\n",
    );
}

/// Declarations of another text are no part of the interface, but the types that it uses are compared.
#[test]
fn what_others_declare() {
    let told = changes_of(
        &[
            "struct other; void f(struct other *);",
            "struct other { int a; }; int g(void);",
        ],
        &[
            "struct other; void f(struct other *);",
            "struct other { long a; }; int h(void);",
        ],
    );
    assert_eq!(
        told,
        "~!type struct other; its size was 4 and is 8; its alignment was 4 and is 8; member 'a' was 'int' and is 'long'\n"
    );
}
