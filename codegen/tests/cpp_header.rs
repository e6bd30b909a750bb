//! The header for C++: it compiles without warnings, and has views where a signature is clear.
mod common;

use std::process::Command;

use common::{case_names, plugin, spec, work_dir};
use keelback_codegen::{CdefText, HeaderOptions, PluginSpec, SourceText};

/// The generated C++ header, from the first function on.
fn functions(name: &str, cdef: &str) -> String {
    let header = plugin(PluginSpec {
        module_name: name.into(),
        cdefs: vec![CdefText {
            file: "api.h".into(),
            text: cdef.into(),
            embedding_api: true,
            ..CdefText::default()
        }],
        init: Some(SourceText::default()),
        ..PluginSpec::default()
    })
    .cpp_header("api.h");
    let (_, rest) = header.split_once("handling_;\n};\n").expect("a scope");
    let (rest, _) = rest.split_once("\n#if defined(__GNUC__)").expect("an end");
    rest.to_owned()
}

/// The declarations in the generated header; those for C++20 only with `20` in front.
fn declared(cdef: &str) -> Vec<String> {
    let text = functions("vec", cdef);
    let mut is_20 = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(declaration) = line.strip_prefix("inline ") {
            let start = if is_20 { "20 " } else { "" };
            found.push(format!("{start}{declaration}"));
        }
        is_20 = line.starts_with("#if");
    }
    found
}

#[test]
fn a_function_in_full() {
    assert_eq!(
        functions("vec", "int find(const char *name, double *a, const double *b, int n);"),
        "\
\ninline int find(const char *name, double *a, const double *b, int n)
{
    return detail::run(\"find\", [&] { return ::find(name, a, b, n); });
}

inline int find(std::string_view name, double *a, const double *b, int n)
{
    const std::string keelback_name = detail::c_string(name, \"name\");
    return detail::run(\"find\", [&] { return ::find(keelback_name.c_str(), a, b, n); });
}

#if __cplusplus >= 202002L
inline int find(std::string_view name, std::span<double> a, std::span<const double> b)
{
    const std::string keelback_name = detail::c_string(name, \"name\");
    detail::same_length(a.size(), b.size(), \"a and b\");
    return detail::run(\"find\", [&] { return ::find(keelback_name.c_str(), a.data(), b.data(), detail::length<int>(a.size(), \"a\")); });
}
#endif

} // namespace vec
"
    );
}

#[test]
fn what_has_views() {
    assert_eq!(
        declared(
            "typedef struct { int x; } p_t; enum e { E };
             _Bool a(const void *data, size_t size);
             void b(p_t *points, int n_points, enum e *kinds, unsigned kinds_count);
             long c(const char *text, size_t text_length, const uint8_t *bytes, unsigned len);"
        ),
        [
            "bool a(const void *data, size_t size)",
            "20 bool a(std::span<const std::byte> data)",
            "void b(p_t *points, int n_points, enum e *kinds, unsigned int kinds_count)",
            "20 void b(std::span<p_t> points, std::span<enum e> kinds)",
            "long c(const char *text, size_t text_length, const uint8_t *bytes, unsigned int len)",
            "20 long c(std::string_view text, std::span<const uint8_t> bytes)",
        ]
    );
}

/// Where the meaning of a parameter is not certain, there is only the C form.
#[test]
fn what_has_none() {
    let plain = [
        // The result may lead into the string.
        "const char *after(const char *text)",
        "char *copy(char *text)",
        // Bytes or elements?
        "void scale(double *v, size_t size)",
        // One object and a number.
        "int add(struct ctx *c, int n)",
        "int at(struct point *p, int count)",
        "void grid(int *cells, int width)",
        "void rows(double **rows, size_t n)",
        "void half(const float *a, signed char n)",
        "void each(int (*f)(void *), void *data)",
    ];
    let text: String = plain.iter().map(|one| format!("{one};\n")).collect();
    let text = format!("struct ctx; struct point {{ int x; }};\n{text}");
    assert_eq!(declared(&text), plain);
}

#[test]
fn names_that_cplusplus_has() {
    assert!(
        functions("vec", "typedef int vec; void f(vec x);").contains("} // namespace vec_cpp\n")
    );
    assert!(
        functions("vec", "struct vec { int x; }; void f(void);").contains("namespace vec_cpp\n")
    );
    assert!(functions("namespace", "void f(void);").contains("} // namespace namespace_cpp\n"));
    assert!(functions("pkg.vec", "void f(void);").contains("} // namespace pkg_vec\n"));
    assert_eq!(
        declared("int f(int class, const int *new, int n);"),
        [
            "int f(int arg0, const int *arg1, int n)",
            "20 int f(int arg0, std::span<const int> arg1)"
        ]
    );
    let text = functions(
        "vec",
        "int scope(int x); float _Complex z(void); void f(void);",
    );
    assert!(
        text.contains("names that this header has: scope, z. */"),
        "{text}"
    );
}

#[test]
fn it_compiles_in_every_standard() {
    let dir = work_dir("cpp-header");
    for (number, name) in case_names().into_iter().enumerate() {
        // An extension module has no interface; the types of the next are the prelude's; C++'s own headers include those
        // of libc, which has other functions of the names of the last.
        if ["module", "prelude", "libc_names"].contains(&&*name) {
            continue;
        }
        let plugin = plugin(spec(&name));
        let write = |end: &str, text: &str| {
            std::fs::write(dir.join(format!("{name}{end}")), text).expect("writable");
        };
        write(".h", &plugin.header(&HeaderOptions::default()));
        write(".hpp", &plugin.cpp_header(&format!("{name}.h")));
        let include = format!("#include \"{name}.hpp\"\n");
        write(".cpp", &format!("{include}{include}int unused_{name};\n"));
        // One compiler and standard is enough for each case: the host in c-tests/cpp_header is compiled with all four.
        let (compiler, standard) = [("g++", "-std=c++20"), ("clang++", "-std=c++17")][number % 2];
        let output = Command::new(compiler)
            .args([
                standard,
                "-Wall",
                "-Wextra",
                "-Wpedantic",
                "-Werror",
                "-fsyntax-only",
            ])
            .arg(dir.join(format!("{name}.cpp")))
            .output();
        let Ok(output) = output else {
            assert_ne!(compiler, "g++", "it is needed");
            continue;
        };
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.is_empty(),
            "{compiler} {standard}\n{said}"
        );
    }
}
