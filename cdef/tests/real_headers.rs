//! C that occurs in headers, but that CFFI's cdefs do not allow.

use keelback_cdef::{Declarations, Layouts, ParseOptions, Target, Type};

fn parse(text: &str, target: Target) -> Declarations {
    let mut declarations = Declarations::new(target);
    let options = ParseOptions {
        of_headers: true,
        ..ParseOptions::default()
    };
    if let Err(errors) = declarations.parse(text, &options) {
        panic!("{text}: {}", errors[0].render(false));
    }
    declarations
}

/// The C type that `a_t` is, and its size.
fn a_t(text: &str) -> (String, u64) {
    let mut declarations = parse(text, Target::X86_64_SYSV);
    let ty = declarations.parse_type("a_t").expect("a type");
    let size = Layouts::new().size_and_align(&declarations, ty);
    (declarations.cffi_name(ty), size.expect("a size").0)
}

#[test]
fn typeof_takes_expressions() {
    for (expression, name, size) in [
        ("1 + 2L", "long", 8),
        ("1 + 2u", "unsigned int", 4),
        ("sizeof(int)", "unsigned long", 8),
        ("'a'", "int", 4),
        ("1.5f + 1", "float", 4),
        ("1.5f * 2.0", "double", 8),
        ("1.0L - 1", "long double", 16),
        ("(short)1", "short", 2),
        ("(short)1 + (char)2", "int", 4),
        ("-(unsigned char)1", "int", 4),
        ("!p", "int", 4),
        ("p == q", "int", 4),
        ("1L << 2u", "long", 8),
        ("1u << 2L", "unsigned int", 4),
        ("p - q", "long", 8),
        ("p + 1", "struct p *", 8),
        ("p->name", "char[12]", 12),
        ("p->name + 1", "char *", 8),
        ("p->name[3]", "char", 1),
        ("&p->x", "int *", 8),
        ("*p", "struct p", 16),
        ("(*p).x", "int", 4),
        ("((struct p *)0)->name", "char[12]", 12),
        ("(struct p){1, \"a\"}.x", "int", 4),
        ("f(1)", "double", 8),
        ("&f", "double(*)(int)", 8),
        ("*f", "double(int)", 1),
        ("1 ? p : 0", "struct p *", 8),
        ("1 ? 2 : 3.0", "double", 8),
        ("GREEN", "int", 4),
        ("e + 0", "unsigned int", 4),
        ("list[0][1]", "short", 2),
        ("sizeof p->name", "unsigned long", 8),
        ("offsetof(struct p, name)", "unsigned long", 8),
        ("__extension__ 1LL", "long long", 8),
    ] {
        let text = format!(
            "struct p {{ int x; char name[12]; }}; extern struct p *p, *q; double f(int); \
             enum e {{ RED, GREEN }}; extern enum e e; extern short list[2][3]; typedef typeof({expression}) *a_t;"
        );
        let mut declarations = parse(&text, Target::X86_64_SYSV);
        let pointer = declarations.parse_type("a_t").expect("a type");
        let Type::Pointer(ty) = *declarations.types.get(pointer.ty) else {
            panic!("{expression}: no pointer");
        };
        assert_eq!(declarations.cffi_name(ty), name, "{expression}");
        if name != "double(int)" {
            let measured = Layouts::new().size_and_align(&declarations, ty);
            assert_eq!(measured.expect("a size").0, size, "{expression}");
        }
    }
    assert_eq!(
        a_t("typedef __typeof_unqual__(const short) a_t;"),
        ("short".into(), 2)
    );
    assert_eq!(
        a_t("extern const int c; typedef typeof_unqual(c) a_t;"),
        ("int".into(), 4)
    );
}

#[test]
fn sizeof_takes_expressions() {
    for (expression, size) in [
        ("sizeof p->name", 12),
        ("sizeof(p->name)", 12),
        ("sizeof *p", 16),
        ("sizeof (*p)", 16),
        ("sizeof 1L + 1", 9),
        ("sizeof(p->name) / sizeof(p->name[0])", 12),
        ("sizeof(((struct p *)0)->x)", 4),
        ("_Alignof(p->x)", 4),
    ] {
        let text = format!(
            "struct p {{ int x; char name[12]; }}; extern struct p *p; typedef char a_t[{expression}];"
        );
        assert_eq!(a_t(&text), (format!("char[{size}]"), size), "{expression}");
    }
}

#[test]
fn bodies_are_skipped() {
    let text = "static inline int twice(int x) { if (x) { return \"}\"[0]; } return x; }\nint after(void);";
    let declarations = parse(text, Target::X86_64_SYSV);
    let names: Vec<_> = declarations
        .functions
        .iter()
        .map(|f| declarations.text(f.name))
        .collect();
    assert_eq!(names, ["twice", "after"]);
    // Functions of an embedding API have no body; and without `of_headers` a body is an error, as in CFFI.
    for options in [
        ParseOptions {
            of_headers: true,
            embedding_api: true,
            ..ParseOptions::default()
        },
        ParseOptions::default(),
    ] {
        let errors = Declarations::default().parse(text, &options).unwrap_err();
        assert!(errors[0].headline().contains("unexpected <FuncDef>"));
    }
}

#[test]
fn variable_arguments_are_a_type_of_the_target() {
    for (target, size) in [
        (Target::X86_64_SYSV, 24),
        (Target::AARCH64, 32),
        (Target::I386, 4),
        (Target::WINDOWS_X86_64, 8),
    ] {
        let name = target.name;
        let text = "typedef __builtin_va_list va_list; int vprintf(const char *format, va_list arguments);";
        let mut declarations = parse(text, target);
        let ty = declarations.parse_type("va_list").expect("a type");
        let measured = Layouts::new().size_and_align(&declarations, ty);
        assert_eq!(measured.expect("a size").0, size, "{name}");
    }
}

#[test]
fn other_floating_types() {
    let sizes = [
        ("_Float32", 4),
        ("_Float64", 8),
        ("_Float32x", 8),
        ("_Float64x", 16),
    ];
    for (name, size) in sizes {
        assert_eq!(a_t(&format!("typedef {name} a_t;")).1, size, "{name}");
    }
    // These have no equivalent in Python: they are sealed types with a name and a size.
    for (name, size) in [
        ("_Float16", 2),
        ("_Float128", 16),
        ("__float128", 16),
        ("__bf16", 2),
        ("_Decimal32", 4),
        ("_Decimal64", 8),
        ("_Decimal128", 16),
    ] {
        let text = format!("{name} f({name} x); extern {name} *p; typedef {name} a_t;");
        let mut declarations = parse(&text, Target::X86_64_SYSV);
        let ty = declarations.parse_type("a_t").expect("a type");
        assert_eq!(declarations.cffi_name(ty), name);
        let measured = Layouts::new().size_and_align(&declarations, ty);
        assert_eq!(measured, Ok((size, size as u32)));
        let as_cffi = ParseOptions {
            as_cffi: true,
            ..ParseOptions::default()
        };
        let said = first_error(&text, &as_cffi);
        assert_eq!(said, format!("Unsupported type: '{name}'"));
    }
    let (name, size, _) = measured("typedef _Float128 a_t;", Target::AARCH64);
    assert_eq!((name.as_str(), size), ("long double", 16));
}

/// The type of the function `f` of a text, as Python shows it.
fn type_of_f(text: &str) -> String {
    let declarations = parse(text, Target::X86_64_SYSV);
    let f = declarations
        .functions
        .iter()
        .find(|f| declarations.text(f.name) == "f");
    let f = f.unwrap_or_else(|| panic!("{text}: no f"));
    declarations.cffi_name(keelback_cdef::QualType::plain(f.ty))
}

fn first_error(text: &str, options: &ParseOptions) -> String {
    let errors = Declarations::new(Target::X86_64_SYSV)
        .parse(text, options)
        .expect_err(text);
    errors[0].headline()
}

#[test]
fn old_definitions_are_functions() {
    for (text, ty) in [
        (
            "int f(a, b) int a; char *b; { return a; }",
            "int(int, char *)",
        ),
        ("int f(a, b) { return a + b; }", "int(int, int)"),
        (
            "f_t *f(a, b, c) register long a, *c; { }",
            "int *(long, int, long *)",
        ),
        // Arguments are promoted, as there is no prototype.
        (
            "int f(a, b, c, d) float a; char b; unsigned short c; unsigned d; {}",
            "int(double, int, int, unsigned int)",
        ),
        (
            "int f(a, b) int a[4]; int b(void); {}",
            "int(int *, int(*)())",
        ),
        ("int f(n, a) int n; int a[][n]; {}", "int(int, int(*)[])"),
        (
            "int (*f(a))(long)\n# 7 \"x.c\"\n char *a;\n# 9 \"x.c\"\n{}",
            "int(*(char *))(long)",
        ),
        (
            "static int f(a) struct s *a; { if (a) { } }",
            "int(struct s *)",
        ),
    ] {
        let text = format!("typedef int f_t; {text} int after(void);");
        assert_eq!(type_of_f(&text), ty, "{text}");
        let declarations = parse(&text, Target::X86_64_SYSV);
        let last = declarations.functions.last().expect("a function");
        assert_eq!(declarations.text(last.name), "after", "{text}");
    }
    let options = ParseOptions {
        of_headers: true,
        ..ParseOptions::default()
    };
    let unknown = "<cdef source string>:1: f arg 1: unknown type 'a' (if you meant to use the old C syntax of giving untyped arguments, it is not supported)";
    assert_eq!(first_error("int f(a, b);", &options), unknown);
    assert_eq!(first_error("int f(a, b), g; int x;", &options), unknown);
    assert_eq!(
        first_error("int f(a) int a; {}", &ParseOptions::default()),
        unknown
    );
    assert_eq!(
        first_error("int f(a) int b; {}", &options),
        "<cdef source string>:1: 'b' is declared in front of the body, but is no parameter"
    );
    // The lines behind an old-style definition keep their numbers.
    let text = "int f(a)\n int a;\n{\n}\nint g(nonsense x);";
    assert!(
        first_error(text, &options).contains(":5:"),
        "{}",
        first_error(text, &options)
    );
}

#[test]
fn variable_lengths_of_parameters_are_pointers() {
    for (parameters, ty) in [
        ("int n, int a[n]", "int, int *"),
        (
            "int n, int a[static n], int b[const static 3]",
            "int, int *, int *",
        ),
        ("int a[*], int b[restrict]", "int *, int *"),
        ("int n, int a[n][n]", "int, int(*)[]"),
        ("int n, int a[][2 * (n + 1)]", "int, int(*)[]"),
        ("int a[*][*]", "int(*)[]"),
        ("int n, int (*a)[n]", "int, int(*)[]"),
        ("int n, int *(*a[4])[n]", "int, int *(* *)[]"),
        ("int n, double a[n][n][3]", "int, double(*)[][3]"),
        ("int n, double a[n][3][n]", "int, void *"),
        ("int n, double a[n][n][n]", "int, void *"),
        ("int n, double (*a)[n][n]", "int, void *"),
        (
            "int n, int (*g)(int m, int a[m][n])",
            "int, int(*)(int, int(*)[])",
        ),
    ] {
        assert_eq!(
            type_of_f(&format!("void f({parameters});")),
            format!("void({ty})"),
            "{parameters}"
        );
    }
    let options = ParseOptions::default();
    for (text, name) in [
        ("void f(int n, int a[n][m]);", "m"),
        ("extern int a[n];", "n"),
        ("struct s { int n; int a[n]; };", "n"),
    ] {
        let said = format!(
            "unsupported expression: expected a simple numeric constant, and '{name}' isn't known as one"
        );
        assert_eq!(first_error(text, &options), said);
    }
}

#[test]
fn assertions_that_have_no_value_here_are_no_errors() {
    for (condition, why) in [
        ("sizeof(struct unknown) == 4", "is of unknown size"),
        (
            "__builtin_types_compatible_p(int, long), \"no\"",
            "isn't known as one",
        ),
        ("1.5 > 1, \"a \" \"text\"", "invalid constant"),
        ("sizeof(int[MISSING]) == (4, 5)", "isn't known as one"),
    ] {
        for text in [
            format!("_Static_assert({condition}); extern int after;"),
            format!("__extension__ _Static_assert({condition}); extern int after;"),
            format!(
                "extern int before; struct s {{ int x; _Static_assert({condition}); int y; }};"
            ),
        ] {
            let mut declarations = Declarations::new(Target::X86_64_SYSV);
            let options = ParseOptions::default();
            let warnings = declarations
                .parse(&text, &options)
                .unwrap_or_else(|errors| panic!("{text}: {}", errors[0]));
            assert_eq!(warnings.len(), 1, "{text}");
            let said = warnings[0].headline();
            assert!(
                said.starts_with("this _Static_assert is not checked: ") && said.contains(why),
                "{said}"
            );
            assert_eq!(declarations.variables.len(), 1, "{text}");
            let options = ParseOptions {
                as_cffi: true,
                ..options
            };
            assert!(
                Declarations::new(Target::X86_64_SYSV)
                    .parse(&text, &options)
                    .is_err(),
                "{text}"
            );
        }
    }
    // A condition that has a value must hold, and an assertion that does not end is an error.
    for text in [
        "_Static_assert(1 == 2);",
        "_Static_assert(sizeof(struct unknown) == 4; int x;",
        "_Static_assert(x",
    ] {
        first_error(text, &ParseOptions::default());
    }
}

#[test]
fn words_of_c23_and_of_clang() {
    let text = "constexpr int N = 5; static constexpr unsigned char M = N + 300; constexpr auto K = 1ull << 40;
        auto L = N * 2L, J = 'a'; constexpr double PI = 3.0;
        [[deprecated]]; [[nodiscard, gnu::pure]] [[deprecated(\"because\")]] int *[[x::y]] f([[maybe_unused]] int a [[z]], char *_Nonnull, char *const _Nullable * _Null_unspecified n) [[gnu::const]];
        typedef char *text_t; extern text_t _Nonnull t; __extension__ extern \"C\" { extern int in; }
        struct [[x]] s { [[x]] int a [[x]] : 3; __extension__ union { int u; }; } [[x]]; enum [[x]] { A [[x]] = 7, B [[x]] };
        typedef char a_t[(__extension__ 3) + __extension__ 4];";
    let mut declarations = parse(text, Target::X86_64_SYSV);
    let value = |name| {
        declarations
            .lookup_constant(name)
            .and_then(|constant| constant.value)
    };
    let values = ["N", "M", "K", "L", "J", "PI"].map(value);
    assert_eq!(
        values,
        [Some(5), Some(49), Some(1 << 40), Some(10), Some(97), None]
    );
    let constant = declarations.lookup_constant("L").expect("a constant");
    assert_eq!(constant.ty, Some(keelback_cdef::Primitive::Long));
    let pi = declarations
        .variables
        .iter()
        .find(|one| declarations.text(one.name) == "PI")
        .expect("PI");
    assert!(pi.is_constant);
    let f = keelback_cdef::QualType::plain(declarations.functions[0].ty);
    assert_eq!(declarations.cffi_name(f), "int *(int, char *, char * *)");
    let ty = declarations.parse_type("a_t").expect("a type");
    assert_eq!(declarations.cffi_name(ty), "char[7]");
    assert_eq!(
        first_error("int x;\nauto y = unknown(1);", &ParseOptions::default()),
        "<cdef source string>:2: the type of 'y' can't be told from its value here"
    );
    // In CFFI these are errors or ordinary names.
    let options = ParseOptions {
        as_cffi: true,
        ..ParseOptions::default()
    };
    for text in [
        "constexpr int N = 5;",
        "auto x = 5;",
        "int f(char *_Nonnull);",
        "[[x]];",
        "int *[[x]] f(void);",
    ] {
        first_error(text, &options);
    }
}

/// The name, the size, and the alignment in a record of the type `a_t`.
fn measured(text: &str, target: Target) -> (String, u64, u32) {
    let mut declarations = parse(text, target);
    let ty = declarations.parse_type("a_t").expect("a type");
    let (size, align) = Layouts::new()
        .size_and_align(&declarations, ty)
        .expect("a size");
    (declarations.cffi_name(ty), size, align)
}

#[test]
fn integers_of_any_width_have_their_size() {
    let all = [Target::X86_64_SYSV, Target::I386, Target::AARCH64];
    for (width, expected) in [
        (2, [(1, 1); 3]),
        (8, [(1, 1); 3]),
        (9, [(2, 2); 3]),
        (17, [(4, 4); 3]),
        (33, [(8, 8), (8, 4), (8, 8)]),
        (64, [(8, 8), (8, 4), (8, 8)]),
        (65, [(16, 8), (12, 4), (16, 16)]),
        (129, [(24, 8), (20, 4), (32, 16)]),
    ] {
        for (target, (size, align)) in all.iter().zip(expected) {
            for (spelt, name) in [("", ""), ("signed ", ""), ("unsigned ", "unsigned ")] {
                let text = format!("typedef {spelt}_BitInt({width}) a_t;");
                let name = format!("{name}_BitInt({width})");
                assert_eq!(
                    measured(&text, target.clone()),
                    (name, size, align),
                    "{} {text}",
                    target.name
                );
            }
        }
    }
    // The words may stand in any order, and the type's name, read again, is the same type.
    let mut declarations = parse(
        "typedef const _BitInt(4 + 3) unsigned a_t; a_t *f(unsigned _BitInt(7) *a);",
        Target::X86_64_SYSV,
    );
    let again = declarations
        .parse_type("unsigned _BitInt(7)")
        .expect("a type");
    assert_eq!(declarations.parse_type("a_t").expect("a type").ty, again.ty);
    for text in [
        "_BitInt(1) x;",
        "_BitInt(0) x;",
        "unsigned _BitInt(-1) x;",
        "_BitInt(99999999) x;",
    ] {
        let said = first_error(text, &ParseOptions::default());
        assert!(
            said.ends_with("a _BitInt has 1 to 8388608 bits, a signed one at least 2"),
            "{text}: {said}"
        );
    }
    for text in [
        "_BitInt(7) int x;",
        "long _BitInt(7) x;",
        "_BitInt(7) struct s { int x; } y;",
        "struct s { int x; } _BitInt(7) y;",
        "_BitInt(7) size_t;x",
    ] {
        first_error(text, &ParseOptions::default());
    }
}

#[test]
fn vectors_have_their_size() {
    let vector = |item: &str, size: u64| format!("{item} __attribute__((vector_size({size})))");
    for (text, item, size) in [
        (
            "typedef float a_t __attribute__((vector_size(16)));",
            "float",
            16,
        ),
        (
            "typedef int a_t __attribute__((__vector_size__(2 * sizeof(double))));",
            "int",
            16,
        ),
        (
            "typedef unsigned char __attribute__((vector_size(64), aligned(64))) a_t;",
            "unsigned char",
            64,
        ),
        (
            "__attribute__((vector_size(32))) typedef double a_t;",
            "double",
            32,
        ),
        ("typedef int16_t a_t [[gnu::vector_size(8)]];", "int16_t", 8),
    ] {
        assert_eq!(
            measured(text, Target::X86_64_SYSV),
            (vector(item, size), size, size as u32),
            "{text}"
        );
    }
    let text = "typedef float a_t __attribute__((vector_size(32)));";
    assert_eq!(
        measured(text, Target::AARCH64),
        (vector("float", 32), 32, 16)
    );
    // The attribute makes the base type a vector, not the derived type.
    let v = vector("float", 16);
    for (declarator, name) in [
        ("*f(void)", format!("{v} *()")),
        ("(*f(int))[2]", format!("{v}(*(int))[2]")),
    ] {
        assert_eq!(
            type_of_f(&format!(
                "float {declarator} __attribute__((vector_size(16)));"
            )),
            name
        );
    }
    let text = "typedef float v4 __attribute__((vector_size(16))); typedef struct { char c; v4 v; char d; v4 w[2]; } a_t;";
    assert_eq!(measured(text, Target::X86_64_SYSV), ("a_t".into(), 80, 16));
    let text = "typedef float v4 __attribute__((vector_size(16))); typedef struct { char c; v4 v; } __attribute__((packed)) a_t;";
    assert_eq!(measured(text, Target::X86_64_SYSV), ("a_t".into(), 17, 1));
    let mut declarations = parse(
        "extern float x __attribute__((vector_size(16)));",
        Target::X86_64_SYSV,
    );
    let again = declarations.parse_type(&v).expect("a type");
    assert_eq!(declarations.variables[0].ty, again);
    assert_eq!(
        declarations.c_declaration(again, "x").as_str(),
        format!("{v} x")
    );
    for (text, said) in [
        (
            "typedef float v __attribute__((vector_size(12)));",
            "a power of two",
        ),
        (
            "typedef double v __attribute__((vector_size(4)));",
            "a power of two",
        ),
        (
            "typedef int *v; typedef v w __attribute__((vector_size(16)));",
            "the items of a vector",
        ),
        (
            "typedef _Bool v __attribute__((vector_size(16)));",
            "the items of a vector",
        ),
    ] {
        let found = first_error(text, &ParseOptions::default());
        assert!(found.contains(said), "{text}: {found}");
    }
    let options = ParseOptions {
        as_cffi: true,
        ..ParseOptions::default()
    };
    assert_eq!(
        first_error(
            "typedef float v __attribute__((vector_size(16)));",
            &options
        ),
        "Unsupported type: 'vector_size'"
    );
    assert_eq!(
        first_error("_BitInt(7) x;", &options),
        "Unsupported type: '_BitInt'"
    );
}

#[test]
fn strings_literals_and_addresses_in_constants() {
    let value = |expression: &str| {
        let text = format!(
            "struct s {{ int x; struct {{ char c; short y[4]; }} in; }}; constexpr long long K = {expression};"
        );
        let declarations = parse(&text, Target::X86_64_SYSV);
        let constant = declarations.lookup_constant("K");
        constant
            .and_then(|constant| constant.value)
            .unwrap_or_else(|| panic!("{expression}"))
    };
    for (expression, expected) in [
        ("sizeof(\"abc\")", 4),
        ("sizeof \"a\\x41\\101\\n\\0\"", 6),
        ("sizeof(\"ab\" \"c\" \"\")", 4),
        ("sizeof \"\u{e9}\\u00e9\"", 5),
        ("sizeof L\"ab\"", 12),
        ("sizeof(u\"a\" \"\u{1f600}\")", 8),
        ("sizeof U\"\u{1f600}\"", 8),
        ("sizeof(u8\"\u{e9}\")", 3),
        ("sizeof(\"abc\"[0])", 1),
        ("sizeof(\"abc\" + 1)", 8),
        ("sizeof(typeof(\"abc\")[2])", 8),
        ("(int){5} + (unsigned char){255 + 2,}", 6),
        ("(int){}", 0),
        ("(long)(void *)8", 8),
        ("(unsigned char)(char *)(void *)257", 1),
        ("(unsigned long)&((struct s *)0)->x", 0),
        ("(unsigned long)&((struct s *)0)->in.y[2] + 1", 11),
        ("((int)&(((struct s *)16)->in))", 20),
        ("(long)(char *)&((struct s *)0)->in", 4),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
    assert_eq!(a_t("typedef typeof(\"abc\") a_t;"), ("char[4]".into(), 4));
    // A pointer is no integer constant.
    for text in [
        "#define NULL ((void *)0)\n",
        "#define P (&((struct { int x; } *)0)->x)\n",
        "extern int a[(int)&x];",
    ] {
        first_error(text, &ParseOptions::default());
    }
}

#[test]
fn integers_of_128_bits_have_their_size() {
    for (spelt, name) in [
        ("__int128", "__int128"),
        ("signed __int128", "__int128"),
        ("__int128 unsigned", "unsigned __int128"),
        ("__int128_t", "__int128"),
        ("__uint128_t", "unsigned __int128"),
    ] {
        let text = format!("typedef {spelt} a_t; struct s {{ char c; a_t x[2]; }};");
        assert_eq!(
            measured(&text, Target::X86_64_SYSV),
            (name.into(), 16, 16),
            "{spelt}"
        );
        let mut declarations = parse(&text, Target::X86_64_SYSV);
        let again = declarations.parse_type(name).expect("known by now");
        assert_eq!(declarations.parse_type("a_t").expect("a type"), again);
    }
    let embedding = ParseOptions {
        embedding_api: true,
        of_headers: true,
        ..ParseOptions::default()
    };
    let read = Declarations::new(Target::X86_64_SYSV).parse("void f(__int128 *x);", &embedding);
    assert!(read.is_ok());
    // `__int128` is unknown on 32-bit targets and in texts of CFFI.
    let options = |as_cffi, of_headers| ParseOptions {
        as_cffi,
        of_headers,
        ..ParseOptions::default()
    };
    let refused = |target: Target, options| {
        let errors = Declarations::new(target)
            .parse("__int128 x;", &options)
            .expect_err("refused");
        assert_eq!(errors[0].headline(), "Unsupported type: '__int128'");
    };
    refused(Target::I386, options(false, true));
    refused(Target::X86_64_SYSV, options(true, false));
    for text in [
        "__uint128_t unsigned x;",
        "long __int128 x;",
        "__int128 __int128 x;",
    ] {
        first_error(text, &options(false, true));
    }
}

#[test]
fn constants_of_128_bits() {
    let value = |expression: &str| {
        let read = parse(
            &format!("constexpr __int128 K = {expression};"),
            Target::X86_64_SYSV,
        );
        read.constants[0].value.expect("a value")
    };
    for (expression, expected) in [
        ("((__int128)1 << 100) >> 98", 4),
        ("-((__int128)1 << 126)", -(1 << 126)),
        ("((__int128)1 << 126) - 1 + ((__int128)1 << 126)", i128::MAX),
        ("(__int128)-1 >> 127", -1),
        ("(unsigned __int128)-1 >> 1", i128::MAX),
        ("(unsigned __int128)-1 / 3 > 5", 1),
        ("(unsigned __int128)-1 % 10", 5),
        ("(__int128)-1 < 0u", 1),
        ("(unsigned __int128)1 > -1", 0),
        ("(long)((unsigned __int128)-1)", -1),
        ("!(unsigned __int128)-1", 0),
        (
            "(__int128)0xffffffffffffffff * 0xffffffffffffffff >> 64",
            -2,
        ),
        ("sizeof((__int128)1 + 1u)", 16),
        ("sizeof(typeof(1 ? (unsigned __int128)1 : 1l))", 16),
        ("~(__int128)0", -1),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
    assert_eq!(
        a_t("typedef unsigned a_t __attribute__((mode(TI)));"),
        ("unsigned __int128".into(), 16)
    );
    let as_cffi = ParseOptions {
        as_cffi: true,
        ..ParseOptions::default()
    };
    assert_eq!(
        first_error("typedef int a_t __attribute__((mode(TI)));", &as_cffi),
        "Unsupported type: 'mode'"
    );
    // The value exceeds `i128`: it is an error instead of a wrong number.
    let options = ParseOptions {
        of_headers: true,
        ..ParseOptions::default()
    };
    first_error("#define ALL ((unsigned __int128)-1)\n", &options);
    let read = parse(
        "static const unsigned __int128 all = -1, few = 5;",
        Target::X86_64_SYSV,
    );
    let values: Vec<_> = read
        .constants
        .iter()
        .map(|constant| constant.value)
        .collect();
    assert_eq!((values, read.variables.len()), (vec![Some(5)], 1));
}

#[test]
fn an_included_vector_is_the_same_type() {
    let theirs = parse(
        "typedef float v4 __attribute__((vector_size(16)));",
        Target::X86_64_SYSV,
    );
    let mut ours = Declarations::new(Target::X86_64_SYSV);
    ours.include(&theirs).expect("included");
    let text = "typedef float w4 __attribute__((vector_size(16)));";
    ours.parse(text, &ParseOptions::default()).expect("taken");
    let [v, w] = ["v4", "w4"].map(|name| ours.parse_type(name).expect("a type"));
    assert_eq!(v, w);
    assert_eq!(Layouts::new().size_and_align(&ours, w), Ok((16, 16)));
}

/// Every condition is true to gcc, except that it takes no type for what chooses.
#[test]
fn generic_selections_choose() {
    let text = "typedef struct point { int x; } point_t; enum colour { RED }; typedef int (*callback)(int);\n\
        extern const int ci; extern char name[4]; extern enum colour tint; int f(int); typedef unsigned long mine;\n";
    for condition in [
        "_Generic(1, int: 1, default: 0)",
        "_Generic(1, long: 0, default: 1)",
        "_Generic(1, default: 0, int: 1)",
        "_Generic(1L, long: sizeof(long) == 8, default: 0)",
        "_Generic('a', char: 0, int: 1)",
        "_Generic((char)1, int: 0, char: 1)",
        "_Generic((char)1 + (char)1, int: 1, char: 0)",
        "_Generic(1.5f, float: 1, double: 0)",
        "_Generic(1.5f + 1.5, float: 0, double: 1)",
        "_Generic(\"s\", const char *: 0, char *: 1)",
        "_Generic(ci, const int: 0, int: 1)",
        "_Generic(&ci, int *: 0, const int *: 1)",
        "_Generic(name, char *: 1, default: 0)",
        "_Generic(&name, char (*)[4]: 1, default: 0)",
        "_Generic(&name, char (*)[]: 1, default: 0)",
        "_Generic(f, callback: 1, default: 0)",
        "_Generic(f, int (*)(long): 0, int (*)(int): 1)",
        "_Generic(RED, int: 1, default: 0)",
        "_Generic(tint, unsigned: 1, int: 0)",
        "_Generic(tint, enum colour: 1, default: 0)",
        "_Generic((point_t *)0, struct point *: 1, default: 0)",
        "_Generic(sizeof 1, unsigned long: 1, default: 0)",
        "_Generic((size_t)1, unsigned long: 1, default: 0)",
        "_Generic((mine)1, size_t: 1, default: 0)",
        "_Generic((int64_t)1, long long: 0, long: 1)",
        "_Generic((uint8_t *)0, unsigned char *: 1, default: 0)",
        "_Generic((wchar_t)1, int: 1, default: 0)",
        "_Generic((__float80)1, long double: 1, default: 0)",
        "_Generic(1, int: _Generic(2u, unsigned: 1, default: 0), default: 1 / 0)",
        "_Generic(1, int: (1, 1), long: f(2, 3)[4])",
        "_Generic(1 ? 2 : 3.0, double: 1, int: 0)",
        "sizeof(_Generic(1, int: \"abc\", default: 0)) == 4",
        "_Generic(int, long: 0, int: 1)",
        "-_Generic(1, int: 1) + 2",
    ] {
        // A list of values in parentheses is no constant.
        let condition = condition.replace("(1, 1)", "1");
        let declarations = parse(
            &format!("{text}#define A ({condition})\n"),
            Target::X86_64_SYSV,
        );
        let constant = declarations.lookup_constant("A").expect(&condition);
        assert_eq!(constant.value, Some(1), "{condition}");
    }
    let sizes = |target: Target| {
        let text =
            "#define A _Generic((size_t)1, unsigned: 1, unsigned long: 2, unsigned long long: 3)\n";
        let declarations = parse(text, target);
        declarations
            .lookup_constant("A")
            .and_then(|found| found.value)
    };
    assert_eq!(sizes(Target::I386), Some(1));
    assert_eq!(sizes(Target::AARCH64), Some(2));
    assert_eq!(sizes(Target::WINDOWS_X86_64), Some(3));
}

#[test]
fn generic_selections_that_are_wrong() {
    let options = ParseOptions {
        of_headers: true,
        ..ParseOptions::default()
    };
    for (condition, message) in [
        (
            "_Generic(1, long: 1)",
            "no association of this _Generic is for the type 'int', and there is no default",
        ),
        (
            "_Generic(1)",
            "no association of this _Generic is for the type 'int', and there is no default",
        ),
        ("_Generic(1, int 1)", "expected ':'"),
        ("_Generic(1, nosuch: 1)", "unknown type name 'nosuch'"),
        ("_Generic(1, int: 1 2)", "expected ',' or ')'"),
        ("_Generic(1, int: 1]", "expected ',' or ')'"),
        ("_Generic(1, int: )", "expected a constant expression here"),
    ] {
        let text = format!("enum {{ A = {condition} }};\n");
        let said = first_error(&text, &options);
        assert!(said.ends_with(message), "{condition}: {said}");
    }
    // CFFI takes none.
    let as_cffi = ParseOptions {
        as_cffi: true,
        ..ParseOptions::default()
    };
    let said = first_error("enum { A = _Generic(1, int: 1) };", &as_cffi);
    assert!(
        said.ends_with("expected a constant expression here"),
        "{said}"
    );
    let deep = format!(
        "enum {{ A = {}1{} }};",
        "_Generic(1, int: ".repeat(5000),
        ")".repeat(5000)
    );
    first_error(&deep, &options);
    let deep = format!(
        "#define A {}1.5{}\n",
        "_Generic(1, int: ".repeat(5000),
        ")".repeat(5000)
    );
    let mut declarations = Declarations::default();
    let options = ParseOptions {
        other_macros: true,
        ..options
    };
    declarations.parse(&deep, &options).expect("taken");
}

#[test]
fn the_x87s_number_is_long_double() {
    let text = "typedef __float80 a_t;";
    let mut declarations = parse(text, Target::X86_64_SYSV);
    let ty = declarations.parse_type("a_t").expect("a type");
    assert_eq!(declarations.cffi_name(ty), "long double");
    let options = ParseOptions {
        of_headers: true,
        ..ParseOptions::default()
    };
    let mut elsewhere = Declarations::new(Target::AARCH64);
    let errors = elsewhere.parse(text, &options).expect_err("no such type");
    assert_eq!(errors[0].message, "Unsupported type: '__float80'");
}
