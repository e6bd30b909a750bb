//! The preprocessor: C11 6.10's own examples, C23's and GNU's additions, messages, bounds, and comparison with a real
//! compiler.

mod loaders;

use std::fmt::Write as _;

use keelback_cdef::preprocessor::{
    PreprocessOptions, Preprocessed, TokenKind, predefined, preprocess, usual_dirs,
};
use keelback_cdef::{Severity, Target};
use loaders::{Disk, Memory};

fn with_files(text: &str, files: &[(&str, &str)], options: &PreprocessOptions) -> Preprocessed {
    let files = files
        .iter()
        .map(|&(path, text)| (path.to_owned(), text.to_owned()));
    preprocess(text, "main.h", options, &mut Memory(files.collect()))
}

fn run(text: &str) -> Preprocessed {
    with_files(text, &[], &PreprocessOptions::default())
}

fn words(result: &Preprocessed) -> String {
    let tokens = result.tokens.iter().map(|&token| result.spelling(token));
    tokens.collect::<Vec<_>>().join(" ")
}

/// The tokens of a text without mistakes.
fn tokens(text: &str) -> String {
    let result = run(text);
    let faults: Vec<_> = result.diagnostics.iter().map(|d| d.render(false)).collect();
    assert!(faults.is_empty(), "{text}\n{}", faults.join("\n"));
    words(&result)
}

/// The messages of a text that is wrong.
fn faults(text: &str) -> Vec<String> {
    let result = run(text);
    result.diagnostics.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn same(text: &str, expected: &str) {
    assert_eq!(tokens(text), tokens(expected), "{text}");
}

#[test]
fn the_standards_example_of_hashes() {
    // C11 6.10.3.3, example.
    same(
        "#define hash_hash # ## #\n#define mkstr(a) # a\n#define in_between(a) mkstr(a)\n\
         #define join(c, d) in_between(c hash_hash d)\nchar p[] = join(x, y);",
        "char p[] = \"x ## y\";",
    );
}

#[test]
fn the_standards_examples_3_to_7() {
    // C11 6.10.3.5.
    same(
        "#define x 3\n#define f(a) f(x * (a))\n#undef x\n#define x 2\n#define g f\n#define z z[0]\n#define h g(~\n\
         #define m(a) a(w)\n#define w 0,1\n#define t(a) a\n#define p() int\n#define q(x) x\n#define r(x,y) x ## y\n\
         #define str(x) # x\n\
         f(y+1) + f(f(z)) % t(t(g)(0) + t)(1);\ng(x+(3,4)-w) | h 5) & m\n(f)^m(m);\n\
         p() i[q()] = { q(1), r(2,3), r(4,), r(,5), r(,) };\nchar c[2][6] = { str(hello), str() };",
        "f(2 * (y+1)) + f(2 * (f(2 * (z[0])))) % f(2 * (0)) + t(1);\n\
         f(2 * (2+(3,4)-0,1)) | f(2 * (~ 5)) & f(2 * (0,1))^m(0,1);\n\
         int i[] = { 1, 23, 4, 5, };\nchar c[2][6] = { \"hello\", \"\" };",
    );
    same(
        "#define str(s) # s\n#define xstr(s) str(s)\n#define debug(s, t) printf(\"x\" # s \"= %d, x\" # t \"= %s\", x ## s, x ## t)\n\
         #define INCFILE(n) vers ## n\n#define glue(a, b) a ## b\n#define xglue(a, b) glue(a, b)\n#define HIGHLOW \"hello\"\n\
         #define LOW LOW \", world\"\ndebug(1, 2);\n\
         fputs(str(strncmp(\"abc\\0d\", \"abc\", '\\4') == 0) str(: @\\n), s);\nxstr(INCFILE(2).h)\nglue(HIGH, LOW);\nxglue(HIGH, LOW)",
        "printf(\"x\" \"1\" \"= %d, x\" \"2\" \"= %s\", x1, x2);\n\
         fputs(\"strncmp(\\\"abc\\\\0d\\\", \\\"abc\\\", '\\\\4') == 0\" \": @\\n\", s);\n\"vers2.h\"\n\"hello\";\n\"hello\" \", world\"",
    );
    same(
        "#define t(x,y,z) x ## y ## z\nint j[] = { t(1,2,3), t(,4,5), t(6,,7), t(8,9,), t(10,,), t(,11,), t(,,12), t(,,) };",
        "int j[] = { 123, 45, 67, 89, 10, 11, 12, };",
    );
    same(
        "#define debug(...) fprintf(stderr, __VA_ARGS__)\n#define showlist(...) puts(#__VA_ARGS__)\n\
         #define report(test, ...) ((test)?puts(#test): printf(__VA_ARGS__))\n\
         debug(\"Flag\");\ndebug(\"X = %d\\n\", x);\nshowlist(The first, second, and third items.);\nreport(x>y, \"x is %d but y is %d\", x, y);",
        "fprintf(stderr, \"Flag\" );\nfprintf(stderr, \"X = %d\\n\", x );\nputs( \"The first, second, and third items.\" );\n\
         ((x>y)?puts(\"x>y\"): printf(\"x is %d but y is %d\", x, y));",
    );
}

#[test]
fn redefinitions() {
    let same = "#define OBJ_LIKE (1-1)\n#define OBJ_LIKE /* white space */ (1-1) /* other */\n\
                #define FUNC_LIKE(a) ( a )\n#define FUNC_LIKE( a )( /* note */ a )\n";
    // Whether there is white space matters, but not how much (C11 6.10.3p1).
    assert_eq!(faults(&same[..same.find("#define FUNC").unwrap()]), [""; 0]);
    for other in ["(0)", "(1 - 1)"] {
        let text = format!("#define OBJ_LIKE (1-1)\n#define OBJ_LIKE {other}\n");
        let message = "main.h:2:9: warning: macro 'OBJ_LIKE' is defined differently than before";
        assert_eq!(faults(&text), [message]);
    }
}

#[test]
fn rescanning_paints_names() {
    same("#define foo foo bar\nfoo", "foo bar");
    same("#define a b\n#define b a\na b", "a b");
    same("#define f(x) x f\nf(1)(2)(3)", "1 f(2)(3)");
    same("#define f(x) [x]\n#define g f\ng(1) g (2) g", "[1] [2] f");
    same(
        "#define NIL(x) x\n#define G_0(x) NIL(G_1)(x)\n#define G_1(x) NIL(G_0)(x)\nG_0(42)",
        "G_0(42)",
    );
    same("#define f(a) a*g\n#define g(a) f(a)\nf(2)(9)", "2*9*g");
}

#[test]
fn variable_arguments() {
    same(
        "#define e(f, ...) p(f, ##__VA_ARGS__)\ne(1) e(1,) e(1, 2, 3)",
        "p(1) p(1,) p(1, 2, 3)",
    );
    same("#define e(f, r...) p(f, ##r)\ne(1) e(1, 2)", "p(1) p(1, 2)");
    same(
        "#define F(...) f(0 __VA_OPT__(,) __VA_ARGS__)\n#define G(X, ...) f(0, X __VA_OPT__(,) __VA_ARGS__)\n\
         #define SDEF(sname, ...) S sname __VA_OPT__(= { __VA_ARGS__ })\n#define EMP\n\
         F(a, b, c) F() F(EMP) G(a, b, c) G(a,) G(a) SDEF(foo); SDEF(bar, 1, 2);",
        "f(0, a, b, c) f(0) f(0) f(0, a, b, c) f(0, a) f(0, a) S foo; S bar = { 1, 2 };",
    );
    same(
        "#define H3(X, ...) #__VA_OPT__(X##X X##X)\n\
         #define H4(X, ...) __VA_OPT__(a X ## X) ## b\n#define H5A(...) __VA_OPT__()/**/__VA_OPT__()\n\
         #define H5B(X) a ## X ## b\n#define H5C(X) H5B(X)\nH3(, 0) H4(, 1) H5C(H5A())",
        "\"\" a b ab",
    );
}

#[test]
fn conditions() {
    let cases = [
        ("1 + 2 * 3 == 7", true),
        ("-1 > 0u", true),
        ("(2 || 1 / 0)", true),
        ("0 && 1 / 0", false),
        ("1 ? 2 : (1 / 0)", true),
        ("'a' == 97 && '\\n' == 10 && '\\377' < 0", true),
        (
            "0x7fffffffffffffff + 0 > 0 && 18446744073709551615u == -1",
            true,
        ),
        ("unknown || unknown(", false),
        ("defined X && !defined(Y) && defined(X)", true),
        ("(1 ? -1 : 0u) > 0", true),
        ("0b101 == 5 && 1'000 == 1000", true),
        ("1 << 62 >> 62", true),
        ("~0 == -1 && !1 == 0", true),
        (
            "10 % 4 == 2 && (6 & 3) == 2 && (6 ^ 3) == 5 && (6 | 3) == 7",
            true,
        ),
    ];
    for (condition, expected) in cases {
        let text = format!("#define X\n#if {condition}\nyes\n#else\nno\n#endif");
        if condition.ends_with('(') {
            assert_eq!(
                faults(&text),
                ["main.h:2:5: error: '(' has no place in this condition"]
            );
            continue;
        }
        assert_eq!(
            tokens(&text),
            if expected { "yes" } else { "no" },
            "{condition}"
        );
    }
    same(
        "#define B\n#ifdef A\n1\n#elifdef B\n2\n#elifndef C\n3\n#else\n4\n#endif\n#ifdef A\n#elifndef C\n5\n#endif",
        "2 5",
    );
    same(
        "#if 0\n#if 1\n#else\n#error no\n#endif\n'\n#elif 1\nyes\n#elif 1/0\n#else\nno\n#endif",
        "yes",
    );
    for (text, message) in [
        (
            "#if 1/0\n#endif",
            "main.h:1:5: error: division by zero in a condition",
        ),
        (
            "#if\n#endif",
            "main.h:1:1: error: a condition ends where a value is expected",
        ),
        (
            "#if 1.0\n#endif",
            "main.h:1:5: error: '1.0' is no integer constant",
        ),
        (
            "#if (1\n#endif",
            "main.h:1:5: error: a ')' is missing in this condition",
        ),
        (
            "#if 1\nx",
            "main.h:1:1: error: this conditional has no #endif",
        ),
        ("#endif", "main.h:1:2: error: #endif without #if"),
        ("#else", "main.h:1:2: error: #else without #if"),
        (
            "#if 0\n#else\n#else\n#endif",
            "main.h:3:2: error: #else after #else",
        ),
    ] {
        assert_eq!(faults(text), [message], "{text}");
    }
}

#[test]
fn directives_that_are_wrong() {
    for (text, message) in [
        ("#define", "main.h:1:8: error: a macro name is missing"),
        (
            "#define 1",
            "main.h:1:9: error: macro names must be identifiers",
        ),
        (
            "#define defined",
            "main.h:1:9: error: 'defined' can't be used as a macro name",
        ),
        (
            "#define f(a, a) a",
            "main.h:1:14: error: duplicate macro parameter 'a'",
        ),
        (
            "#define f(a #) a",
            "main.h:1:13: error: expected ',' or ')' in the macro's parameter list",
        ),
        (
            "#define f(a) #b",
            "main.h:1:14: error: '#' is not followed by a macro parameter",
        ),
        (
            "#define f ## a",
            "main.h:1:11: error: '##' can't be at either end of a macro",
        ),
        (
            "#define f(a) a ##",
            "main.h:1:16: error: '##' can't be at either end of a macro",
        ),
        (
            "#define f(a, b) a\nf(1)",
            "main.h:2:1: error: macro 'f' takes 2 arguments, but 1 are given",
        ),
        (
            "#define f(a) a\nf(1",
            "main.h:2:1: error: the arguments of macro 'f' have no ')'",
        ),
        (
            "#unknown",
            "main.h:1:2: error: unknown directive '#unknown'",
        ),
        ("#error  no   way", "main.h:1:2: error: #error no way"),
        (
            "#error \"a \\\"b\\\"\" 'c'",
            "main.h:1:2: error: #error \"a \\\"b\\\"\" 'c'",
        ),
        ("#warning hm", "main.h:1:2: warning: #warning hm"),
        (
            "#include",
            "main.h:1:2: error: #include expects \"FILENAME\" or <FILENAME>",
        ),
        (
            "#include <none.h>",
            "main.h:1:10: error: 'none.h' is in none of the folders for includes",
        ),
        (
            "#embed \"x\"",
            "main.h:1:2: error: #embed is not supported: a declaration has no data",
        ),
        ("/* open", "main.h:1:1: error: this comment does not end"),
        (
            "#line x",
            "main.h:1:2: error: #line expects a number from 0 to 2147483647",
        ),
        (
            "#define c(a, b) a ## b\nc(+, x)",
            "main.h:2:3: error: pasting '+' and 'x' does not give a token",
        ),
    ] {
        assert_eq!(faults(text), [message], "{text}");
    }
}

#[test]
fn what_has_no_text_of_its_own() {
    same("__COUNTER__ __COUNTER__ __COUNTER__", "0 1 2");
    same(
        "\n__LINE__ __FILE__\n#line 40 \"other.h\"\n__LINE__ __FILE__",
        "2 \"main.h\" 40 \"other.h\"",
    );
    same("#define L __LINE__\n#define f(x) x\n\nf(\nL)", "5");
    same(
        "__INCLUDE_LEVEL__ \"a\" u8\"b\" L'c' .5e+3.x 0x1p-3 a$b",
        "0 \"a\" u8\"b\" L'c' .5e+3.x 0x1p-3 a$b",
    );
    same(
        "#if __has_attribute(noreturn) && __has_attribute(__format__) && !__has_attribute(swift_name)\n1\n#endif",
        "1",
    );
    same(
        "#if __has_builtin(__builtin_offsetof) && !__has_builtin(__builtin_foo)\n1\n#endif",
        "1",
    );
    same(
        "#if __has_c_attribute(nodiscard) == 202003 && !__has_feature(x)\n1\n#endif",
        "1",
    );
    same(
        "#ifdef __has_include\n#if __has_include(<none.h>) || __has_include(\"none.h\")\n1\n#else\n0\n#endif\n#endif",
        "0",
    );
    same("%:define x <: :> <% %>\nx", "<: :> <% %>");
    same("#def\\\nine x\\  \ny\nx a\\\nb", "x ab");
}

#[test]
fn pragmas_are_part_of_the_tokens() {
    let result = run(
        "#pragma once\n#pragma\n#pragma pack(push, 1)\nint a;\n_Pragma(\"pack(pop)\") int b;\n#define P _Pragma(\"weak \\\"x\\\"\")\nP\n\
         #define v 1\n#pragma push_macro(\"v\")\n#undef v\n#define v 2\nv\n#pragma pop_macro(\"v\")\nv",
    );
    assert_eq!(
        words(&result),
        "pack ( push , 1 ) int a ; pack ( pop ) int b ; weak \"x\" 2 1"
    );
    let pragmas = result
        .tokens
        .iter()
        .filter(|token| token.kind == TokenKind::Pragma);
    assert_eq!(pragmas.count(), 3);
    assert_eq!(
        faults("_Pragma(1)"),
        ["main.h:1:1: error: _Pragma expects a string in parentheses"]
    );
}

fn folders(user: &[&str], system: &[&str]) -> PreprocessOptions {
    let owned = |dirs: &[&str]| dirs.iter().map(|&dir| dir.to_owned()).collect();
    PreprocessOptions {
        include_dirs: owned(user),
        system_dirs: owned(system),
        ..PreprocessOptions::default()
    }
}

#[test]
fn files_are_found_in_their_order() {
    let files = [
        (
            "/a/x.h",
            "a #include_next <x.h>\n#include_next <x.h>\n#include \"y.h\"\n",
        ),
        ("/b/x.h", "b\n"),
        ("/a/y.h", "ay __INCLUDE_LEVEL__\n"),
        ("y.h", "here\n"),
        ("/b/once.h", "#pragma once\nonce\n"),
        ("/b/guard.h", "#ifndef G\n#define G\nguarded\n#endif\n"),
    ];
    let result = with_files(
        "#define NAME <x.h>\n#include NAME\n#include \"y.h\"\n#include <once.h>\n#include <once.h>\n\
         #include <guard.h>\n#include <guard.h>\n#if __has_include(<once.h>) && __has_include(\"y.h\")\nboth\n#endif",
        &files,
        &folders(&["/a/"], &["/b"]),
    );
    assert!(result.diagnostics.is_empty(), "{:?}", result.diagnostics);
    assert_eq!(
        words(&result),
        "a # include_next < x . h > b ay 2 here once guarded both"
    );
}

#[test]
fn a_message_says_where_it_comes_from() {
    let files = [
        ("inc/a.h", "\n#include \"b.h\"\n"),
        (
            "inc/b.h",
            "#define ONE(x) TWO(x)\n#define TWO(x) x ## +\nONE(y)\n",
        ),
    ];
    let result = with_files("#include <a.h>\n", &files, &folders(&["inc"], &[]));
    assert_eq!(
        result.diagnostics[0].render(false),
        "error: pasting 'y' and '+' does not give a token\n --> inc/b.h:3:5\n  |\n3 | ONE(y)\n  |     ^\n  |\n\
         note: in expansion of macro 'TWO' at inc/b.h:1\nnote: in expansion of macro 'ONE' at inc/b.h:3\n\
         note: included from inc/a.h:2\nnote: included from main.h:1"
    );
    let result = with_files(
        "#define M(x) x;\n#include <a.h>\nM(int a)\n",
        &[("inc/a.h", "int b;\n")],
        &folders(&["inc"], &[]),
    );
    let origin = result.origin(result.tokens[0]);
    assert_eq!(
        (origin.place.file, origin.place.line, origin.included_from),
        ("inc/a.h", 1, vec![("main.h", 2)])
    );
    let origin = result.origin(result.tokens[3]);
    assert_eq!(
        (origin.place.file, origin.place.line, origin.place.column),
        ("main.h", 3, 3)
    );
    assert_eq!(origin.expansion_of, [("M", "main.h", 3)]);
    // Warnings in system headers are dropped, errors are not.
    let system = folders(&[], &["inc"]);
    let result = with_files(
        "#include <a.h>",
        &[("inc/a.h", "#warning x\n#error y\n")],
        &system,
    );
    let texts: Vec<_> = result.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["inc/a.h:2:2: error: #error y"]);
}

/// Asserts that a text of four times `n` parts takes about four times as long as one of `n`, with room for noise.
fn linear(what: &str, n: usize, make: impl Fn(usize) -> String) {
    // CPU time of this thread, because other tests run in parallel.
    let now = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let first = text
            .split(' ')
            .next()
            .and_then(|text| text.parse::<u64>().ok());
        first.unwrap_or(0) as f64 * 1e-9
    };
    let time = |n: usize| {
        let text = make(n);
        let mut best = f64::MAX;
        for _ in 0..2 {
            let start = now();
            drop(run(&text));
            best = best.min(now() - start);
        }
        best
    };
    let (small, large) = (time(n), time(4 * n));
    assert!(large < 9.0 * small + 0.02, "{what}: {small} {large}");
}

#[test]
fn time_grows_with_the_text() {
    linear("macros that are off", 2000, |n| {
        let chain = (0..n).map(|i| format!("#define a{i} a{} a{i}\n", i + 1));
        chain.collect::<String>() + "a0"
    });
    linear("a deep chain", 2000, |n| {
        let mut text: String = (0..n)
            .map(|i| format!("#define a{i} a{}\n", i + 1))
            .collect();
        text.push_str(&"a0 ".repeat(20));
        text
    });
    linear("lines", 2000, |n| {
        "__LINE__ __FILE__\n".repeat(n) + "#line 7\n__FILE__\n"
    });
    linear("renumbered lines", 1000, |n| {
        "#line 7\n__FILE__ __LINE__\n".repeat(n)
    });
    linear("parameters", 1000, |n| {
        let names: Vec<_> = (0..n).map(|i| format!("p{i}")).collect();
        format!(
            "#define f({}) {}\nf({})",
            names.join(","),
            names.join(" "),
            ",".repeat(n - 1)
        )
    });
    linear("pasting", 1000, |n| {
        let names: Vec<_> = (0..n).map(|i| format!("p{i}")).collect();
        format!("#define f() {}\nf()", names.join("##"))
    });
    linear("errors in deep macros", 500, |n| {
        let mut text: String = (0..n)
            .map(|i| format!("#define a{i}(x) a{}(x)\n", i + 1))
            .collect();
        writeln!(text, "#define a{n}(x) x ## +").unwrap();
        text + &"a0(y)\n".repeat(4)
    });
    linear("names of headers", 5000, |n| {
        format!("#include <{}\n", "a ".repeat(n))
    });
}

#[test]
fn growth_is_bounded() {
    let mut bomb = String::from("#define a0 x x x x x x x x x x\n");
    for i in 1..12 {
        let body = format!("a{} ", i - 1).repeat(10);
        writeln!(bomb, "#define a{i} {body}").unwrap();
    }
    bomb.push_str("#define f(x) x\nf(a11)");
    assert_eq!(faults(&bomb).len(), 1);
    let mut calls = String::from("#define f(x) x\n");
    calls.push_str(&"f(".repeat(5000));
    calls.push_str(&")".repeat(5000));
    let said = faults(&calls);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].ends_with("error: macros are nested too deeply"),
        "{said:?}"
    );
    let result = with_files(
        "#include \"main.h\"\n",
        &[("main.h", "#include \"main.h\"\n")],
        &folders(&[], &[]),
    );
    let said: Vec<_> = result.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["main.h:1:10: error: files include each other more than 200 deep"]
    );
    let deep = format!("#if {}1{}\n#endif", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(
        faults(&deep),
        ["main.h:1:5: error: this condition is nested too deeply"]
    );
    tokens(&("#if 1\n".repeat(5000) + &"#endif\n".repeat(5000)));
}

#[test]
fn without_a_compiler_there_are_built_in_headers() {
    let text = "#include <stddef.h>\n#include <stdint.h>\n#include <stdarg.h>\n#include <stdbool.h>\n#include <limits.h>\n\
                #include <float.h>\n#include <iso646.h>\n#include <stdalign.h>\n#include <stdnoreturn.h>\n\
                last: LONG_MAX CHAR_MIN LDBL_MANT_DIG and true";
    for (target, expected) in [
        (
            Target::X86_64_SYSV,
            "0x7fffffffffffffffL ( - 0x7f - 1 ) 64 && 1",
        ),
        (Target::I386, "0x7fffffffL ( - 0x7f - 1 ) 64 && 1"),
        (Target::AARCH64, "0x7fffffffffffffffL 0 113 && 1"),
    ] {
        let options = PreprocessOptions {
            predefined: predefined(&target),
            ..PreprocessOptions::default()
        };
        let result = with_files(text, &[], &options);
        assert!(result.diagnostics.is_empty(), "{:?}", result.diagnostics);
        let words = words(&result);
        assert_eq!(
            words.split("last : ").nth(1),
            Some(expected),
            "{}",
            target.name
        );
    }
}

#[test]
fn embedded_data_is_refused() {
    assert_eq!(
        faults("int a[] = {\n#embed \"data\"\n};"),
        ["main.h:2:2: error: #embed is not supported: a declaration has no data"]
    );
}

/// The tokens of system headers equal the output of `cc -E -P`, cut into tokens by our own lexer.
#[test]
fn headers_have_the_compilers_tokens() {
    let ask = |arguments: &[&str]| {
        let output = std::process::Command::new("gcc")
            .args(arguments)
            .output()
            .ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Some(macros) = ask(&["-dM", "-E", "-x", "c", "/dev/null"]) else {
        assert!(std::env::var_os("CI").is_none(), "gcc is missing");
        return;
    };
    let own = ask(&["-print-file-name=include"]).unwrap_or_default();
    let mut dirs = vec![own.trim().to_owned()];
    dirs.extend(usual_dirs(&Target::host()));
    let options = PreprocessOptions {
        system_dirs: dirs,
        predefined: macros,
        ..PreprocessOptions::default()
    };
    for name in [
        "stdio.h",
        "stdlib.h",
        "math.h",
        "tgmath.h",
        "limits.h",
        "signal.h",
        "pthread.h",
        "sys/socket.h",
        "unistd.h",
    ] {
        let text = format!("#include <{name}>\n");
        let ours = preprocess(&text, "main.h", &options, &mut Disk);
        let errors = ours
            .diagnostics
            .iter()
            .filter(|d| d.severity == Severity::Error);
        assert_eq!(errors.count(), 0, "{name}: {:?}", ours.diagnostics);
        let path = std::env::temp_dir().join(format!("keelback-{}.c", std::process::id()));
        std::fs::write(&path, &text).unwrap();
        let theirs = ask(&["-E", "-P", path.to_str().unwrap()]).unwrap();
        drop(std::fs::remove_file(&path));
        let theirs = run(&theirs);
        assert_eq!(words(&ours), words(&theirs), "{name}");
    }
}
