//! Invalid specs: each mistake has its own message, which is compared exactly.

use keelback_codegen::{
    CdefText, HeaderOptions, InitError, Plugin, PluginFlags, PluginSpec, RecordedPython,
    SourceText, StartError,
};

fn spec(text: &str) -> PluginSpec {
    PluginSpec {
        module_name: "demo".into(),
        cdefs: vec![CdefText {
            file: "api.h".into(),
            text: text.into(),
            embedding_api: true,
            ..CdefText::default()
        }],
        python: RecordedPython {
            version: (3, 11),
            ..RecordedPython::default()
        },
        ..PluginSpec::default()
    }
}

fn lines(spec: PluginSpec) -> Vec<String> {
    match Plugin::new(spec) {
        Ok((_, warnings)) => warnings.iter().map(ToString::to_string).collect(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

fn named(name: &str) -> PluginSpec {
    PluginSpec {
        module_name: name.into(),
        ..spec("int f(void);")
    }
}

fn with_error(function: &str, value: &str) -> PluginSpec {
    PluginSpec {
        start_errors: vec![StartError {
            function: function.into(),
            value: value.into(),
        }],
        ..spec(
            "int f(void); void g(void); unsigned char h(void); struct s { int a; }; struct s k(void); \
             const char *p(void); double d(void); struct t;",
        )
    }
}

#[test]
fn module_names() {
    assert_eq!(
        lines(named("my-plugin")),
        [
            "error: the module name 'my-plugin' is no identifier of C and Python (for example my_plugin)"
        ]
    );
    assert_eq!(
        lines(named("3d")),
        [
            "error: the module name '3d' is no identifier of C and Python (a letter or underscore, then letters, digits \
          and underscores)"
        ]
    );
    assert_eq!(
        lines(named("")),
        [
            "error: the module name is empty (give the name that the init code imports: from NAME import ffi, lib)"
        ]
    );
    assert_eq!(
        lines(named("class")),
        [
            "error: the module name 'class' is a keyword of Python, so nothing can import it (for example class_)"
        ]
    );
    // A plugin and a module may be in a package.
    assert!(lines(named("package.demo")).is_empty());
    let mut module = named("package.demo");
    module.flags = PluginFlags {
        extension_module: true,
        ..PluginFlags::default()
    };
    assert!(lines(module).is_empty());
}

#[test]
fn function_names() {
    assert_eq!(
        lines(spec("int class(int a);")),
        [
            "api.h:1:5: error: a function cannot be called 'class': that is a keyword of C++, and the header would not \
          compile there (rename the function)"
        ]
    );
    assert_eq!(
        lines(spec("int keelback_x(int a);")),
        [
            "api.h:1:5: error: the name 'keelback_x' is one of keelback's own (names that begin with keelback_ are taken; \
          rename the function)"
        ]
    );
    assert_eq!(
        lines(spec("int f(void);\nint demo_start(void);")),
        [
            "api.h:2:5: error: the name 'demo_start' is one that the library has already: every library of keelback has \
          NAME_start, NAME_last_error, NAME_set_error_handler, NAME_enter and NAME_leave (rename the function, or give the \
          library another name)"
        ]
    );
    for name in ["demo_enter", "demo_leave"] {
        let found = lines(spec(&format!("void {name}(void);")));
        assert!(found[0].starts_with(&format!("api.h:1:6: error: the name '{name}' is one that")));
    }
    for text in [
        "enum { DEMO_SCOPE };",
        "#define DEMO_SCOPE 1",
        "typedef int DEMO_SCOPE;",
    ] {
        let found = lines(spec(&format!("int f(void);\n{text}")));
        let [one] = &found[..] else {
            panic!("{found:?}")
        };
        assert!(
            one.ends_with(
                ": error: the name 'DEMO_SCOPE' is one that the library's header has already: a macro (rename it, or give the \
                 library another name)"
            ),
            "{one}"
        );
    }
    assert_eq!(
        lines(spec("void *PyInit_demo(void);")),
        [
            "api.h:1:7: error: the name 'PyInit_demo' is one that the library has already: Python imports it by that \
          (rename the function)"
        ]
    );
}

#[test]
fn signatures() {
    assert_eq!(
        lines(spec("int f(const char *format, ...);")),
        [
            "api.h:1:5: error: the exported function 'f' is variadic: Python cannot find out what arguments it got (take \
          a pointer and a length, or one function for each kind of call)"
        ]
    );
    assert_eq!(
        lines(spec("struct gone;\nint f(int a, struct gone b);")),
        [
            "api.h:2:5: error: parameter 'b' of the exported function 'f' has the incomplete type 'struct gone' (pass a \
          pointer instead)"
        ]
    );
    assert_eq!(
        lines(spec("struct gone;\nstruct gone f(void);")),
        [
            "api.h:2:13: error: the result of the exported function 'f' has the incomplete type 'struct gone' (pass a \
          pointer instead)"
        ]
    );
}

#[test]
fn nothing_to_export() {
    assert_eq!(
        lines(spec("typedef int number;")),
        [
            "error: the declarations have no function that the library could export (declare at least one function, such \
          as: int add1(int, int);)"
        ]
    );
}

#[test]
fn no_prelude_to_ask() {
    let hint = "(give the C source that has it: --source FILE, or the text that the builder gets)";
    assert_eq!(
        lines(spec(
            "int f(void);\n#define K ...\nstruct s { int a; ...; };\ntypedef int... t;\nextern int v;"
        )),
        [
            format!(
                "api.h:2:9: error: the value of 'K' is left to the C compiler, but there is no C source to ask {hint}"
            ),
            format!(
                "api.h:3:8: error: 'struct s' is left to the C compiler, but there is no C source to ask {hint}"
            ),
            format!(
                "api.h:4:16: error: 't' is left to the C compiler, but there is no C source to ask {hint}"
            ),
            format!(
                "api.h:5:12: error: nothing defines the variable 'v': there is no C source {hint}"
            ),
        ]
    );
}

#[test]
fn names_that_cpp_keeps_for_itself_are_warned_of() {
    assert_eq!(
        lines(spec("struct s { int new; };\nint f(struct s *this);")),
        [
            "api.h:1:16: warning: the member 'new' has the name of a C++ keyword: the header compiles as C only (rename \
          it, if C++ programs are to use the library)"
        ]
    );
}

#[test]
fn error_values() {
    let expression = "(give a constant expression of C, such as -1)";
    assert_eq!(
        lines(with_error("nope", "-1")),
        [
            "error: an error value is given for 'nope', but no exported function has that name (the functions are: f, g, \
          h, k, p, d)"
        ]
    );
    assert_eq!(
        lines(with_error("g", "-1")),
        [
            "error: an error value is given for 'g', but that function returns nothing (leave it out)"
        ]
    );
    for (function, value, why) in [
        ("f", "", "is empty"),
        ("f", "1 // one", "is no single expression"),
        (
            "f",
            "{1}",
            "is a list, and the function's result is a single value",
        ),
        ("h", "256", "does not fit into unsigned char"),
        ("f", "4294967296", "does not fit into int"),
        ("f", "1LL << 40", "does not fit into int"),
        ("f", "2147483647u + 1u", "does not fit into int"),
    ] {
        assert_eq!(
            lines(with_error(function, value)),
            [format!(
                "error: the error value '{value}' of '{function}' {why} {expression}"
            )]
        );
    }
    let mut wrong = Vec::new();
    for (function, value, column, why) in [
        (
            "f",
            "1; system(\"x\")",
            2,
            "expected the end of the expression",
        ),
        ("f", "1 2", 3, "expected the end of the expression"),
        ("f", "(1", 3, "expected ')'"),
        ("f", "1)", 2, "expected the end of the expression"),
        ("f", "1 +", 4, "expected a constant expression here"),
        ("f", "-", 2, "expected a constant expression here"),
        ("f", "FAILED(1", 9, "expected ')'"),
        ("f", "1 ? 2", 6, "expected ':'"),
        ("f", "'a", 1, "this comment or quoted text does not end"),
        (
            "f",
            "\u{1f40d} @ 1",
            3,
            "this character has no meaning in C",
        ),
        ("f", "1 / 0", 1, "division by zero in a constant expression"),
        (
            "f",
            "sizeof(struct t)",
            1,
            "ctype 'struct t' is of unknown size",
        ),
        ("f", "0x1g", 1, "invalid constant '0x1g'"),
        ("k", "{1", 3, "expected '}'"),
        ("k", "{.a 1}", 5, "expected '='"),
    ] {
        let expected =
            format!("the error value of '{function}':1:{column}: error: {why} {expression}");
        let lines = lines(with_error(function, value));
        if lines != [expected] {
            wrong.push((value, lines));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (function, value) in [
        ("f", "-1"),
        ("f", "SOME_ERROR + 1"),
        ("f", "-SOME_ERROR"),
        ("f", "MAKE_ERROR(1, sizeof(int), \"x\")"),
        ("f", "(status_t)3"),
        ("f", "(status_t)-SOME_ERROR"),
        ("f", "(int)1.5"),
        ("f", "10 / SOME_ERROR"),
        ("f", "!defaults.of[2].code"),
        ("f", "sizeof(\"text\") - 1"),
        ("f", "sizeof table / sizeof *table"),
        ("f", "SOME_ERROR ? 1 : OTHER"),
        ("h", "-1"),
        ("h", "255"),
        ("k", "{1}"),
        ("k", "{ .a = 1, }"),
        ("k", "{ .a = SOME_ERROR }"),
        ("k", "{}"),
        ("k", "DEFAULTS"),
        ("k", "(struct s){ 1 }"),
        ("f", "sizeof(int[2])"),
        ("p", "\"no\" \"thing\""),
        ("p", "NULL"),
        ("p", "(const char *)0"),
        ("p", "&table[1]"),
        ("d", "-1.5e3"),
        ("d", "1.0 / 0.0"),
    ] {
        assert!(
            lines(with_error(function, value)).is_empty(),
            "{value}: {:?}",
            lines(with_error(function, value))
        );
    }
}

#[test]
fn errors_in_several_texts_are_all_told() {
    let mut spec = spec("int f(;");
    spec.module_name = "a b".into();
    spec.cdefs.push(CdefText {
        file: "more.h".into(),
        text: "int g(undeclared x);".into(),
        ..CdefText::default()
    });
    let lines = lines(spec);
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[0].starts_with("error: the module name 'a b'"));
    assert!(lines[1].starts_with("api.h:1:7: error: "));
    assert!(lines[2].starts_with("more.h:1:7: error: "));
}

#[test]
fn a_problem_shows_its_place() {
    let problems = Plugin::new(spec("int first(void);\nint class(int a);")).err();
    let texts: Vec<String> = problems
        .iter()
        .flatten()
        .map(|problem| problem.render(false))
        .collect();
    assert_eq!(
        texts,
        ["error: a function cannot be called 'class': that is a keyword of C++, and the header would not compile there
 --> api.h:2:5
  |
2 | int class(int a);
  |     ^^^^^
  |
help: rename the function"]
    );
}

#[test]
fn whatever_the_init_code_is_it_arrives() {
    let mut spec = spec("int f(void);");
    spec.init = Some(SourceText {
        file: "dir \"x\"\\y.py".into(),
        text: "#line KEELBACK_THIS_LINE\n\0\u{7f}é??/\r\n\"\\".into(),
        line: 1,
    });
    let (plugin, _) = Plugin::new(spec).expect("it is a good spec");
    let source = plugin.c_source();
    assert!(source.contains(r#""dir \"x\"\\y.py""#));
    assert!(source.contains(
        "    \"#line KEELBACK_THIS_LINE\\n\"\n    \"\\000\\177\\303\\251?\\?/\\015\\n\"\n    \"\\\"\\\\\";"
    ));
    assert!(
        plugin
            .header(&HeaderOptions::default())
            .contains("#ifndef DEMO_H\n")
    );
}

fn with_type_error(api: &str, ty: &str, value: &str) -> PluginSpec {
    PluginSpec {
        type_errors: vec![StartError {
            function: ty.into(),
            value: value.into(),
        }],
        ..spec(api)
    }
}

const TYPED: &str = "typedef int status; typedef int count; typedef struct node node; typedef enum { OK, BAD } result;\n\
    status a(void); extern const status b(int x), c(void); count d(void); int e(void); const char *f(void);\n\
    char const *g(void), *const h(void); node *i(void); struct node *j(void); unsigned k(void); unsigned int l(void);\n\
    __attribute__((cold)) status m(void); result n(void); void o(void); int (*p(void))(int); status *q(void);";

/// The functions that get a start error from `--error-type`.
fn functions_of(ty: &str, value: &str) -> String {
    let (plugin, warnings) = Plugin::new(with_type_error(TYPED, ty, value)).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let errors = &plugin.spec().start_errors;
    assert!(errors.iter().all(|error| error.value == value));
    let names: Vec<&str> = errors.iter().map(|error| &*error.function).collect();
    names.join(" ")
}

#[test]
fn error_values_of_types() {
    for (ty, value, functions) in [
        ("status", "-1", "a b c m"),
        ("const status", "-1", "a b c m"),
        ("count", "-1", "d"),
        ("int", "-1", "e"),
        ("signed", "-1", "e"),
        ("char *", "NULL", "f g h"),
        ("const char*", "NULL", "f g h"),
        ("node *", "NULL", "i"),
        ("struct node *", "NULL", "j"),
        ("unsigned int", "7", "k l"),
        ("result", "BAD", "n"),
        ("status *", "NULL", "q"),
        ("int(*)(int)", "NULL", "p"),
    ] {
        assert_eq!(functions_of(ty, value), functions, "{ty}");
    }
    assert_eq!(
        lines(with_type_error(TYPED, "long", "-1")),
        [
            "error: an error value is given for the type 'long', but no exported function returns it (they return: status, \
          count, int, char *, node *, struct node *, unsigned, unsigned int, result, int (*)(int), status *)"
        ]
    );
    assert_eq!(
        lines(with_type_error("void f(void);", "void", "-1")),
        [
            "error: an error value is given for the type 'void', but no exported function returns it (no exported function \
          returns anything)"
        ]
    );
    assert_eq!(
        lines(with_type_error(
            "typedef unsigned char b; b f(void);",
            "b",
            "300"
        )),
        [
            "error: the error value '300' of 'b' does not fit into unsigned char (give a constant expression of C, such as -1)"
        ]
    );
}

/// Which of two values counts would depend on their order.
#[test]
fn two_error_values_for_one_type() {
    let lines_of = |cdef: &str, values: &[(&str, &str)]| {
        let mut spec = with_type_error(cdef, values[0].0, values[0].1);
        for (ty, value) in &values[1..] {
            spec.type_errors.push(StartError {
                function: (*ty).into(),
                value: (*value).into(),
            });
        }
        lines(spec)
    };
    let told = |one: &str, other: &str| {
        format!(
            "error: '{one}' and '{other}' are the same type, and an error value is given for each (leave one out)"
        )
    };
    for (cdef, one, other) in [
        ("int f(void), g(void);", "int", "signed int"),
        ("char *f(void);", "char *", "const char*"),
        (
            "unsigned f(void); unsigned int g(void);",
            "unsigned",
            "unsigned int",
        ),
    ] {
        assert_eq!(
            lines_of(cdef, &[(one, "0"), (other, "1")]),
            [told(one, other)],
            "{cdef}"
        );
    }
    assert_eq!(
        lines_of("int f(void);", &[("int", "1"), ("int", "2")]),
        ["error: two error values are given for the type 'int' (leave one out)"]
    );
    let mut apart = with_type_error("typedef int s; s f(void); int g(void);", "s", "-1");
    apart.type_errors.push(StartError {
        function: "int".into(),
        value: "-2".into(),
    });
    assert!(Plugin::new(apart).is_ok());
}

/// What is said of the function itself comes first, and of its init code.
#[test]
fn error_values_of_types_give_way() {
    let mut spec = with_type_error("typedef int s; s f(void), g(void), h(void);", "s", "-1");
    spec.start_errors.push(StartError {
        function: "f".into(),
        value: "-2".into(),
    });
    for (function, value) in [("g", Some("-3".to_owned())), ("h", None)] {
        spec.init_errors.push(InitError {
            function: function.into(),
            value,
            line: 1,
        });
    }
    let (plugin, warnings) = Plugin::new(spec).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let values = plugin.spec().start_errors.iter();
    let values: Vec<String> = values
        .map(|error| format!("{}={}", error.function, error.value))
        .collect();
    assert_eq!(values, ["f=-2", "g=-3", "h=-1"]);
}

fn with_batch(text: &str, names: &[&str]) -> Vec<String> {
    let lines = lines(PluginSpec {
        batches: names.iter().map(|&name| name.to_owned()).collect(),
        ..spec(text)
    });
    let first = |line: &String| line.lines().next().unwrap_or_default().to_owned();
    lines.iter().map(first).collect()
}

#[test]
fn functions_without_batches() {
    let refused = |text: &str, names: &[&str], message: &str| {
        let found = with_batch(text, names);
        assert!(
            found.len() == 1 && found[0].contains(message),
            "{text}: {found:?}"
        );
    };
    refused(
        "double rate(double);",
        &["rat"],
        "a batch of 'rat' is asked for, but no exported function has that name (did you mean 'rate'?)",
    );
    refused(
        "void t(void);",
        &["t"],
        "'t' can have no batch: it has neither parameters nor a result",
    );
    refused(
        "int b(int); int b_n(void);",
        &["b"],
        "the batch of 'b' is called 'b_n', and something else has that name",
    );
    refused(
        "int v(int, ...);",
        &["v"],
        "'v' can have no batch: it is variadic",
    );
    refused(
        "/* keelback: batch */\nstruct s { int a; };\nint f(int);",
        &[],
        "this comment asks for a batch, and belongs to no function",
    );
}

#[test]
fn comments_that_ask_for_batches() {
    let text = "int a(int); /* keelback: batch */\nint b(int);\n/* keelback: batch */\nint c(int);\n\
                int d(int x /* keelback: batch */);\nint e(int);";
    let (plugin, _) = Plugin::new(spec(text)).unwrap();
    let with = |name: &&str| plugin.batches().has(name);
    let found: Vec<&str> = ["a", "b", "c", "d", "e"].into_iter().filter(with).collect();
    assert_eq!(found, ["a", "c", "d"]);
    assert_eq!(plugin.batches().of("a_n"), Some("a"));
    assert_eq!(plugin.batches().of("b_n"), None);
}
