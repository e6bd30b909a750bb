//! The behaviour of CFFI 2.1, from its documentation and its own tests.

use keelback_cdef::{
    Declarations, Diagnostic, DiagnosticKind, FunctionOrigin, Layouts, ParseOptions, QualType,
};

fn parse(text: &str) -> Declarations {
    let mut declarations = Declarations::default();
    match declarations.parse(text, &ParseOptions::default()) {
        Ok(_) => declarations,
        Err(errors) => panic!("{text}\n{}", errors[0].render(false)),
    }
}

fn errors(text: &str) -> Vec<Diagnostic> {
    let mut declarations = Declarations::default();
    let result = declarations.parse(text, &ParseOptions::default());
    assert!(result.is_err(), "accepted: {text}");
    result.unwrap_err()
}

/// The exception for a cdef that CFFI refuses.
fn error(text: &str) -> (DiagnosticKind, String) {
    let first = errors(text).remove(0);
    (first.kind, first.headline())
}

fn warnings(text: &str) -> usize {
    Declarations::default()
        .parse(text, &ParseOptions::default())
        .expect("valid")
        .len()
}

fn name(declarations: &mut Declarations, text: &str) -> String {
    match declarations.parse_type(text) {
        Ok(ty) => declarations.cffi_name(ty),
        Err(error) => panic!("{text}: {error}"),
    }
}

fn constant(declarations: &Declarations, name: &str) -> i128 {
    let constant = declarations
        .lookup_constant(name)
        .and_then(|constant| constant.value);
    let enumerator = || {
        declarations
            .lookup_enumerator(name)
            .and_then(|(_, value)| value)
    };
    constant
        .or_else(enumerator)
        .unwrap_or_else(|| panic!("{name} has no value"))
}

#[test]
fn texts_of_exceptions() {
    use DiagnosticKind::{CDef, FFI, NotImplemented};
    let whole: &[(&str, DiagnosticKind, &str)] = &[
        (
            "int foo(...);",
            CDef,
            "<cdef source string>:1: foo: a function with only '(...)' as argument is not correct C",
        ),
        (
            "void foo(void) {}",
            CDef,
            "<cdef source string>:1: unexpected <FuncDef>: this construct is valid C but not valid in cdef()",
        ),
        (
            "void f(foobarbazzz);",
            CDef,
            "<cdef source string>:1: f arg 1: unknown type 'foobarbazzz' (if you meant to use the old C syntax of giving untyped arguments, it is not supported)",
        ),
        (
            "typedef enum foo_e foo_t; enum foo_e { AA, BB };",
            NotImplemented,
            "enum foo_e: the '{}' declaration should appear on the first time the enum is mentioned, not later",
        ),
        (
            "#define FOO \"blah\"",
            CDef,
            "only supports one of the following syntax:\n  #define FOO ...     (literally dot-dot-dot)\n  #define FOO NUMBER  (with NUMBER an integer constant, decimal/hex/octal)\ngot:\n  #define FOO \"blah\"",
        ),
        (
            "struct s{int a;}; struct s {int a;};",
            CDef,
            "<cdef source string>:1: duplicate declaration of struct s",
        ),
        (
            "extern \"Python\" int x;",
            CDef,
            "<cdef source string>:1: cannot declare constants or variables with 'extern \"Python\"'",
        ),
        (
            "int f(int); long f(int);",
            FFI,
            "multiple declarations of function f (for interactive usage, try cdef(xx, override=True))",
        ),
        (
            "typedef int p; typedef long p;",
            FFI,
            "multiple declarations of typedef p (for interactive usage, try cdef(xx, override=True))",
        ),
        (
            "extern int a; extern long a;",
            FFI,
            "multiple declarations of variable a (for interactive usage, try cdef(xx, override=True))",
        ),
        (
            "enum {A=5}; enum{A=6};",
            FFI,
            "multiple declarations of constant: A",
        ),
        (
            "static const int A=5; static const int A=6;",
            FFI,
            "multiple declarations of constant: A",
        ),
        (
            "struct s {int a:3; ...;};",
            NotImplemented,
            "<struct s>: using both bitfields and '...;'",
        ),
        (
            "typedef struct { int a; ...; } *p;",
            NotImplemented,
            "<struct $1> is partial but has no C name",
        ),
        (
            "enum e {A=-1, B=0xffffffffffffffff};",
            CDef,
            "<cdef source string>:1: enum e values don't all fit into either 'long' or 'unsigned long'",
        ),
    ];
    for (text, kind, message) in whole {
        assert_eq!(error(text), (*kind, (*message).to_owned()), "{text}");
    }
    let start: &[(&str, &str)] = &[
        (" x y z ", "cannot parse \"x y z\"\n<cdef source string>:1:"),
        (
            "\n\n\n x y z ",
            "cannot parse \"x y z\"\n<cdef source string>:4:",
        ),
        (
            "\n# 42 \"foobar\"\n\n    a b c d\n",
            "parse error\nfoobar:43:",
        ),
        (
            "\n  \t # \t line \t 8 \t \"baz.c\" \t\n\n some syntax error here\n",
            "parse error\nbaz.c:9:",
        ),
        (
            "\n #line 7 \"foo//bar.c\"\n\n some syntax error here\n",
            "parse error\nfoo//bar.c:8:",
        ),
        (
            "\n \t # \t 8 \t \"baz.c\" \t\n\n some syntax error here\n",
            "parse error\nbaz.c:9:",
        ),
        (
            " # 5 \"foo.c\"\n extern int xx;\n # 6 \"bar.c\"\n extern int yy;\n # 7 \"baz.c\"\n some syntax error here\n # 8 \"yadda.c\"\n extern int zz;\n",
            "parse error\nbaz.c:7:",
        ),
        (
            "\n/*\n#line 5 \"foo.c\"\n*/\nvoid xx(void);\n\n#line 6 \"bar.c\"\n/*\n#line 35 \"foo.c\"\n*/\nsome syntax error\n",
            "parse error\nbar.c:9:",
        ),
        (
            "#include <stdio.h>\n",
            "cannot parse \"#include <stdio.h>\"\n<cdef source string>:1:1: Directives not supported yet",
        ),
        (
            "typedef struct {int x;} *b_p; int;",
            "<cdef source string>:1: ",
        ),
    ];
    for (text, message) in start {
        let (kind, headline) = error(text);
        assert_eq!(kind, CDef, "{text}");
        assert!(headline.starts_with(message), "{text}: {headline}");
    }
}

#[test]
fn texts_of_type_string_exceptions() {
    use DiagnosticKind::{CDef, FFI, Value};
    let mut declarations = Declarations::default();
    let cases: &[(&str, DiagnosticKind, &str)] = &[
        (
            "foobarbazunknown",
            CDef,
            "unknown identifier 'foobarbazunknown'",
        ),
        (
            "foobarbazunknown*",
            CDef,
            "cannot parse \"foobarbazunknown*\"",
        ),
        (
            "int(*)(foobarbazunknown)",
            CDef,
            "in expression arg 1: unknown type 'foobarbazunknown'",
        ),
        (
            "int(*)(...)",
            CDef,
            "in expression: a function with only '(...)' as argument is not correct C",
        ),
        ("int[-1]", Value, "negative array length"),
        ("int[...]", FFI, "unsupported '[...]' here"),
        ("int(*)[...]", FFI, "unsupported '[...]' here"),
        ("void[3]", Value, "array item of unknown size: 'void'"),
        ("__int128", FFI, "Unsupported type: '__int128'"),
        ("int([5])(int)", CDef, ""),
        ("", CDef, ""),
        ("int;", CDef, "cannot parse \"int;\""),
        ("int 5", CDef, "cannot parse \"int 5\""),
        ("int[5", CDef, "cannot parse \"int[5\""),
    ];
    for (text, kind, start) in cases {
        let error = declarations.parse_type(text).expect_err(text);
        assert_eq!(error.kind, *kind, "{text}");
        assert!(
            error.headline().starts_with(start),
            "{text}: {}",
            error.headline()
        );
    }
    let carets = [
        ("int*x foo", "unexpected symbol\nint*x foo\n      ^"),
        ("nosuch *", "undefined type name\nnosuch *\n^"),
        (
            "struct nosuch *",
            "undefined struct/union name\nstruct nosuch *\n       ^",
        ),
        ("enum nosuch", "undefined enum name\nenum nosuch\n     ^"),
        // The type strings of a compiled module cannot define types.
        (
            "struct known { int x; }",
            "unexpected symbol\nstruct known { int x; }\n             ^",
        ),
        (
            "struct nosuch { int x; } *",
            "undefined struct/union name\nstruct nosuch { int x; } *\n       ^",
        ),
        (
            "enum nosuch { A }",
            "undefined enum name\nenum nosuch { A }\n     ^",
        ),
        (
            "struct { int x; } *",
            "struct or union name expected\nstruct { int x; } *\n       ^",
        ),
        ("enum { A }", "enum name expected\nenum { A }\n     ^"),
    ];
    declarations
        .parse("struct known { int x; };", &ParseOptions::default())
        .expect("valid");
    for (text, caret) in carets {
        let error = declarations.parse_declared_type(text).expect_err(text);
        assert_eq!(error.caret(), caret);
    }
}

#[test]
fn spelling_of_types() {
    let mut declarations = parse(
        "typedef ... n_t; typedef ... *n_p; typedef struct {int x;} *b_p; typedef struct {int a;} f_t, *f_p;
         typedef union {int a;} u_t; typedef enum {A,B} e_t; typedef enum {C1,C2} *e_p;",
    );
    let cases = [
        ("FILE", "FILE"),
        ("FILE*", "FILE *"),
        ("struct _IO_FILE*", "struct _IO_FILE *"),
        ("bool", "_Bool"),
        ("int x", "int"),
        ("int[]", "int[]"),
        ("const int", "int"),
        ("unsigned", "unsigned int"),
        ("long int unsigned", "unsigned long"),
        ("short signed int", "short"),
        ("long long unsigned", "unsigned long long"),
        ("char signed", "signed char"),
        ("int **", "int * *"),
        ("int(int)", "int(int)"),
        ("int(*(*)(int))[5]", "int(*(*)(int))[5]"),
        ("char[3][4]", "char[3][4]"),
        ("n_t", "n_t"),
        ("n_p", "struct $$n_p *"),
        ("b_p", "struct $1 *"),
        ("f_t", "f_t"),
        ("f_p", "f_t *"),
        ("u_t", "u_t"),
        ("e_t", "e_t"),
        ("e_p", "enum $2 *"),
        (
            "int(*)(int __stdcall x(int), long (__cdecl*y)(void), short(WINAPI *z)(short))",
            "int(*)(int(*)(int), long(*)(), short(*)(short))",
        ),
        ("const char *const[2]", "char *[2]"),
        ("struct nosuch", "struct nosuch"),
        ("enum nosuch", "enum nosuch"),
        ("struct {int a;}", "struct $3"),
    ];
    for (text, spelling) in cases {
        assert_eq!(name(&mut declarations, text), spelling, "{text}");
    }
}

#[test]
fn qualifiers_below_the_top_are_kept() {
    let mut declarations = Declarations::default();
    let cases = [
        ("char * * (* const)", "char ***const"),
        ("char * (* const (*))", "char **const *"),
        ("char (* const (* (*)))", "char *const **"),
        ("char const * * *", "const char ***"),
        (
            "char * volatile restrict * *",
            "char *volatile __restrict **",
        ),
        (
            "int(char*const*, short****const*)",
            "int (char *const *, short ****const *)",
        ),
        (
            "char*const*(short*const****)",
            "char *const *(short *const ****)",
        ),
    ];
    for (text, c) in cases {
        let ty = declarations.parse_type(text).expect(text);
        assert_eq!(declarations.c_declaration(ty, ""), c, "{text}");
    }
    let same = |declarations: &mut Declarations, a: &str, b: &str| {
        declarations.parse_type(a).expect(a) == declarations.parse_type(b).expect(b)
    };
    assert!(!same(
        &mut declarations,
        "int(*)(int *a)",
        "int(*)(int const *a)"
    ));
    assert!(same(
        &mut declarations,
        "int(*)(int *a)",
        "int(*)(int * const a)"
    ));
    assert!(same(
        &mut declarations,
        "int(*)(int const *a)",
        "int(*)(int const a[])"
    ));
}

#[test]
fn which_globals_are_constants() {
    let cases = [
        ("int a;", false),
        ("const int a;", true),
        ("int *a;", false),
        ("const int *a;", false),
        ("int const *a;", false),
        ("int *const a;", true),
        ("int a[5];", false),
        ("const int a[5];", false),
        ("int *const a[5];", false),
        ("const int a[5][6];", false),
    ];
    for (text, is_constant) in cases {
        let declarations = parse(text);
        assert_eq!(declarations.variables[0].is_constant, is_constant, "{text}");
        assert_eq!(warnings(text), usize::from(!is_constant), "{text}");
    }
    assert_eq!(warnings("extern int a; static int b;"), 0);
}

#[test]
fn constants() {
    let declarations = parse(
        "enum Enum { POS = +1, TWO = 2, NIL = 0, NEG = -1, ADDSUB = (POS+TWO)-1, DIVMULINT = (3 * 3) / 2,
             SHIFT = (1 << 3) >> 1, BINOPS = (0x7 & 0x1) | 0x8, XOR = 0xf ^ 0xa,
             BIN = 0b10uLL, OCT = 010lu, LAST = LATER };
         #define ABC\\\n 42
         #define BCD   \\\n 43
         #define NEGATIVE -7 // a comment
         #define LATER /* a comment */ 0x10
         static const int K = 9; static const unsigned char U8 = -1;
         #define TWICE 1\n#define TWICE 2\n
         enum { TWICE_AGAIN = 2, ABC2 = 42 };\n#define ABC2 42\n"
            .replace("\n         #", "\n#")
            .as_str(),
    );
    let expected = [
        ("POS", 1),
        ("NEG", -1),
        ("ADDSUB", 2),
        ("DIVMULINT", 4),
        ("SHIFT", 4),
        ("BINOPS", 9),
        ("XOR", 5),
        ("BIN", 2),
        ("OCT", 8),
        ("ABC", 42),
        ("BCD", 43),
        ("NEGATIVE", -7),
        ("LATER", 16),
        ("LAST", 16),
        ("K", 9),
        ("U8", 255),
        ("TWICE", 2),
        ("ABC2", 42),
    ];
    for (name, value) in expected {
        assert_eq!(constant(&declarations, name), value, "{name}");
    }
}

#[test]
fn predefined_names_can_be_redefined() {
    let mut declarations = parse("typedef char FILE; typedef char int32_t;");
    assert_eq!(name(&mut declarations, "FILE"), "char");
    assert_eq!(name(&mut declarations, "int32_t"), "char");
    let mut declarations = parse("typedef int bool, *FILE;");
    assert_eq!(name(&mut declarations, "bool"), "int");
    assert_eq!(name(&mut declarations, "FILE"), "int *");
    parse("typedef bool (*fn_t)(bool, bool);");
    parse("typedef _Bool bool; void f(bool);");
    let mut declarations =
        parse("typedef void void_t1; typedef void_t1 void_t; typedef int (*func_t)(void_t);");
    assert_eq!(name(&mut declarations, "func_t"), "int(*)()");
}

#[test]
fn comments_and_line_ends() {
    parse(
        "double /*comment here*/ sin   // blah blah\n/* multi-\nline-\n//comment */  (\n// foo\ndouble // bar      /* <- ignored\nx, double/*several*//*comment*/y) /*on the same line*/\n;",
    );
    let declarations = parse(
        "double // blah \\\n   more comments\nx(void);\ndouble // blah // blah\\\\\ny(void);\ndouble // blah\\  etc\nz(void);",
    );
    assert_eq!(declarations.functions.len(), 3);
    parse("#pragma foobar");
}

#[test]
fn extern_python() {
    let declarations = parse(
        "int bok(int, int); extern \"Python\" int foobar(int, int); int baz(int, int);
         extern \"Python+C\" { int one(int); void two(void); } extern \"C\" int plain(void);",
    );
    let origins: Vec<FunctionOrigin> = declarations.functions.iter().map(|f| f.origin).collect();
    use FunctionOrigin::{C, ExternPython, ExternPythonC};
    assert_eq!(
        origins,
        [C, ExternPython, C, ExternPythonC, ExternPythonC, C]
    );
    let mut declarations = Declarations::default();
    let options = ParseOptions {
        embedding_api: true,
        ..ParseOptions::default()
    };
    declarations
        .parse("int f(void); static int g(void);", &options)
        .expect("valid");
    assert!(
        declarations
            .functions
            .iter()
            .all(|f| f.origin == FunctionOrigin::Exported)
    );
}

#[test]
fn accepted_where_cffi_accepts() {
    for text in [
        ";",
        "int f(int a, int a2); ;",
        "typedef struct { int a, b; } foo_t, *foo_p; int foo(foo_p[]);",
        "int pipe(int pipefd[2]);",
        "short foo(int, ...);",
        "static foo(int);",
        "struct s {};",
        "struct s {int :0;};",
        "enum {A, B,};",
        "int f(struct s {int a;} x);",
        "restrict int a;",
        "typedef int a[...]; extern int b[...][...]; extern int c[][...]; extern int d[5][...];",
        "extern int a; extern int a;",
        "typedef int *p; typedef int *p;",
        "int f(int); int f(int x);",
        "void f(int n, int a[n]); void g(int a[static 5]); void h(int a[const *]);",
        "inline int f(void); _Alignas(16) extern int x;",
        "struct foo; struct foo { int x; };",
        "struct s { int x; void (*f)(struct s); };",
        "extern int x[2 + 3 * 4];",
        "#define A 5u\n#define B 0XfULL\n",
        "int (*(*get(int which))(double))[3];",
        "typedef unsigned long... size; typedef double... real; typedef char... c;",
        "int f(foo_t), x; typedef int foo_t;"
            .split_once("; ")
            .map_or("", |(_, rest)| rest),
        "int a(int asm, int alignas); struct noreturn { int typeof; };",
        "static const char *const S = \"abc\"; static const double D = 1.5; extern int t[] ;",
        "struct a { struct b *x; } ; struct b { struct a *y; };",
        "int x __asm__(\"y\"); int f(void) __attribute__((noreturn, format(printf, 1, 2)));",
        "[[nodiscard]] int f(void); struct [[gnu::packed]] s { char c; int i; };",
        "extern \"C\" { int f(void); extern int y; }",
        "_Noreturn void die(void);",
        "extern _Thread_local int t; extern __thread int u;",
        "typedef int T; T T2(T T);",
    ] {
        parse(text);
    }
}

#[test]
fn refused_where_cffi_refuses() {
    for text in [
        "int;",
        "extern int;",
        "typedef int;",
        "typedef;",
        "const x;",
        "extern x;",
        "foo(int);",
        "struct s {int a;} int x;",
        "int f(",
        "int f(int",
        "struct s {",
        "enum e {};x",
        "int x[;",
        "#define A 08\n",
        "#define F(x) x\n",
        "#define E\n",
        "typedef long double... a;",
        "int f(int,);",
        "struct s { int x; } ... ;",
        "int ... x;",
        "class foo { };",
        "int &r;",
        "int f(int &x);",
        "enum { A = 1/0 };",
        "enum { A = B };",
        "int a[B];",
        "int f(int)[5];",
        "int a[5](int);",
    ] {
        errors(text);
    }
}

#[test]
fn packed_structs() {
    let size = |text: &str, options: &ParseOptions| {
        let mut declarations = Declarations::default();
        declarations.parse(text, options).expect("valid");
        let id = declarations.lookup_record_tag("s").expect("s");
        let layout = Layouts::new().layout(&declarations, id).expect("a layout");
        (layout.size, layout.align)
    };
    let text = "struct s { char a; int b; short c; };";
    let plain = ParseOptions::default();
    let packed = ParseOptions {
        packed: true,
        ..ParseOptions::default()
    };
    let pack2 = ParseOptions {
        pack: Some(2),
        ..ParseOptions::default()
    };
    assert_eq!(size(text, &plain), (12, 4));
    assert_eq!(size(text, &packed), (7, 1));
    assert_eq!(size(text, &pack2), (8, 2));
    assert_eq!(
        size(
            "#pragma pack(push, 1)\nstruct s { char a; int b; };\n#pragma pack(pop)\n",
            &plain
        ),
        (5, 1)
    );
    let mut declarations = Declarations::default();
    let both = ParseOptions {
        packed: true,
        pack: Some(2),
        ..ParseOptions::default()
    };
    let odd = ParseOptions {
        pack: Some(3),
        ..ParseOptions::default()
    };
    for options in [both, odd] {
        let errors = declarations.parse(text, &options).expect_err("refused");
        assert_eq!(errors[0].kind, DiagnosticKind::Value);
    }
}

#[test]
fn windows_names() {
    let mut linux = Declarations::default();
    assert!(linux.parse_type("DWORD").is_err());
    let error = linux.parse_type("TCHAR").expect_err("before set_unicode");
    assert_eq!(error.kind, DiagnosticKind::FFI);
    assert!(error.message.contains("set_unicode"));
    assert!(linux.set_unicode(true));
    assert!(!linux.set_unicode(false));
    assert_eq!(name(&mut linux, "LPCTSTR"), "wchar_t *");
    let mut windows = Declarations::new(keelback_cdef::Target::WINDOWS_X86);
    for (text, spelling) in [
        ("DWORD", "unsigned long"),
        ("HMODULE", "void *"),
        ("LPARAM", "long"),
        ("PCWSTR", "wchar_t *"),
        ("PUNICODE_STRING", "struct _UNICODE_STRING *"),
        (
            "int(*)(int __stdcall x(int), short(WINAPI *z)(short))",
            "int(*)(int(__stdcall *)(int), short(__stdcall *)(short))",
        ),
    ] {
        assert_eq!(name(&mut windows, text), spelling, "{text}");
    }
    let ty = QualType::plain(windows.parse_type("UNICODE_STRING").expect("a struct").ty);
    assert_eq!(
        Layouts::new().size_and_align(&windows, ty).expect("a size"),
        (8, 4)
    );
}
