//! For any input: no panic, no endless loop, no stack overflow, and a failure changes nothing.

use std::time::{Duration, SystemTime};

use keelback_cdef::{Declarations, Layouts, ParseOptions, RecordId};

fn inputs() -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut texts = Vec::new();
    for folder in ["valid", "invalid"] {
        let mut files: Vec<_> = std::fs::read_dir(root.join(folder))
            .expect("the folder of inputs")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "h"))
            .collect();
        files.sort();
        texts.extend(
            files
                .iter()
                .map(|path| std::fs::read_to_string(path).expect("a text")),
        );
    }
    texts
}

/// Calls the functions that read declarations.
fn exercise(declarations: &mut Declarations, text: &str) {
    match declarations.parse(text, &ParseOptions::default()) {
        Ok(warnings) => {
            for warning in warnings {
                let _ = (warning.headline(), warning.render(false));
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors.iter().take(20) {
                let _ = (error.headline(), error.caret(), error.render(true));
            }
        }
    }
    let mut layouts = Layouts::new();
    for index in 0..declarations.types.records.len() {
        let _ = layouts.layout(declarations, keelback_cdef::RecordId::from_index(index));
    }
    for question in declarations.questions() {
        let _ = declarations.c_expression(question);
    }
    for index in 0..declarations.types.len() {
        let ty = keelback_cdef::QualType::plain(keelback_cdef::TypeId::from_index(index));
        let _ = (
            declarations.c_declaration(ty, "x"),
            declarations.cffi_name(ty),
        );
    }
}

/// Found by fuzzing. Each input once made something panic.
#[test]
fn what_fuzzing_found() {
    for text in [
        // The message points to the last character of the name, whose last byte is inside of that character.
        "int \u{656}",
        "typedef int \u{e9}",
        // A macro for an enumerator, in the body of its enum.
        "enum e { A, B,\n#define B 5\n C };",
        "enum e { A, B,\n#define B B\n C };",
    ] {
        exercise(&mut Declarations::default(), text);
    }
}

/// <netinet/in.h> has such macros.
#[test]
fn enumerators_with_macros_of_their_name_beside_them() {
    let text = |value| format!("enum e {{ A, B = 3,\n#define B {value}\n C }};");
    for good in ["B", "3"] {
        let mut declarations = Declarations::default();
        let read = declarations.parse(&text(good), &ParseOptions::default());
        assert!(read.is_ok(), "{good}");
    }
    let mut declarations = Declarations::default();
    let errors = declarations
        .parse(&text("4"), &ParseOptions::default())
        .expect_err("two values");
    assert_eq!(errors[0].headline(), "multiple declarations of constant: B");
}

#[test]
fn mutated_texts_never_panic() {
    let texts = inputs();
    let words: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.split_inclusive(|c: char| !c.is_alphanumeric()))
        .collect();
    let mut state = 0x1234_5678_9abc_def1u64;
    let mut random = move |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % limit.max(1)
    };
    let rounds = std::env::var("KEELBACK_MUTATIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(3000);
    let mut declarations = Declarations::default();
    for round in 0..rounds {
        if round % 16 == 0 {
            declarations = Declarations::default();
        }
        let mut text = texts[random(texts.len())].clone();
        for _ in 0..1 + random(6) {
            let boundary = |text: &str, mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let from = boundary(&text, random(text.len() + 1));
            let to = boundary(&text, (from + random(30)).min(text.len()));
            match random(5) {
                0 => text.replace_range(from..to.max(from), ""),
                1 => text.insert_str(from, words[random(words.len())]),
                2 => {
                    let piece = text[from..to.max(from)].to_owned();
                    let at = boundary(&text, random(text.len() + 1));
                    text.insert_str(at, &piece);
                }
                3 => text.truncate(from),
                _ => {
                    let odd = [
                        "{", "}", "(", ")", "[", "]", "\"", "'", "\\", "/*", "#", "...", ";", "é",
                        "\0", "*", "\n",
                    ];
                    text.insert_str(from, odd[random(odd.len())]);
                }
            }
        }
        exercise(&mut declarations, &text);
        let from = random(text.len() + 1);
        if let Some(tail) = text.get(from..) {
            let tail: String = tail.chars().take(random(40)).collect();
            if let Err(error) = declarations.parse_type(&tail) {
                let _ = (error.headline(), error.caret(), error.render(false));
            }
            let _ = declarations.parse_declared_type(&tail);
        }
    }
}

/// How long this thread has run, without the time that others had the processor; where that is not told, the time of day.
fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|first| first.parse().ok());
    nanoseconds.map_or_else(
        || SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(),
        Duration::from_nanos,
    )
}

#[test]
fn deep_nesting_is_an_error_and_quick() {
    let many = 100_000;
    let repeated = |piece: &str| piece.repeat(many);
    let texts = [
        format!("int {}x;", repeated("(")),
        format!("int {}x{};", repeated("("), repeated(")")),
        format!("int {}x;", repeated("*")),
        format!("extern int x{};", repeated("[2]")),
        format!("int f{};", repeated("(int (*)")),
        format!("enum {{ A = {}1{} }};", repeated("("), repeated(")")),
        format!("enum {{ A = {}1 }};", repeated("-")),
        format!("enum {{ A = {}1 }};", repeated("~!")),
        format!("enum {{ A = {}1 }};", repeated("1?")),
        format!("enum {{ A = {}1 }};", repeated("1+")),
        format!("enum {{ A = {}1 }};", repeated("(int)")),
        format!("enum {{ A = {}1 }};", repeated("sizeof(int[")),
        repeated("struct { "),
        repeated("struct S { struct "),
        repeated("enum { A = sizeof(enum {"),
        repeated("extern \"C\" {"),
        repeated("__attribute__(("),
        repeated("#define A A\n"),
        format!(
            "enum {{ X = A0 }};\n{}",
            (0..many)
                .map(|i| format!("#define A{i} A{}\n", i + 1))
                .collect::<String>()
        ),
        repeated("_Alignas("),
        repeated("_Atomic("),
        repeated("typeof("),
        repeated("{"),
        repeated("}"),
        repeated("\""),
        repeated("/*"),
        repeated("x "),
        repeated("x; "),
        repeated("int x\n"),
        repeated("struct s { int x\n"),
    ];
    for text in texts {
        let start = processor_time();
        exercise(&mut Declarations::default(), &text);
        assert!(
            processor_time() - start < Duration::from_secs(20),
            "slow: {}",
            &text[..40]
        );
    }
}

#[test]
fn chains_of_typedefs_are_limited() {
    let mut text = String::from("typedef int t0;\n");
    for index in 0..5000 {
        text.push_str(&format!("typedef t{index} *t{};\n", index + 1));
    }
    let mut declarations = Declarations::default();
    let errors = declarations
        .parse(&text, &ParseOptions::default())
        .expect_err("too deep");
    assert!(
        errors[0].message.contains("nested too deeply"),
        "{}",
        errors[0]
    );
}

/// A hundred thousand records, each with the one before it by value, in `last`.
fn nested_records(first: &str, member: &str) -> (Declarations, RecordId) {
    let mut text = format!("{first}\n");
    for index in 0..100_000 {
        let member = member.replace('$', &index.to_string());
        text.push_str(&format!("struct s{} {{ {member} }};\n", index + 1));
    }
    let mut declarations = Declarations::default();
    declarations
        .parse(&text, &ParseOptions::default())
        .expect("valid C");
    let last = declarations.lookup_record_tag("s100000").expect("a struct");
    (declarations, last)
}

#[test]
fn records_nested_by_value_take_no_stack() {
    let (declarations, last) = nested_records("struct s0 { int x; };", "struct s$ x;");
    let layout = Layouts::new().layout(&declarations, last).expect("a size");
    assert_eq!((layout.size, layout.align), (4, 4));
    // Arrays, and two fields with the same record.
    let member = "struct s$ x[1]; struct s$ y[0]; char z;";
    let (declarations, last) = nested_records("struct s0 { char x; };", member);
    let layout = Layouts::new().layout(&declarations, last).expect("a size");
    assert_eq!((layout.size, layout.align), (100_001, 1));
}

#[test]
fn an_error_in_nested_records_is_the_first_fields() {
    let (declarations, last) = nested_records("struct s0;", "struct s$ x;");
    let mut layouts = Layouts::new();
    let error = layouts.layout(&declarations, last).expect_err("opaque");
    assert_eq!(
        error.message,
        "field 'struct s1.x' has ctype 'struct s0' of unknown size"
    );
    // A ring of records is an error too, and an error in an earlier field comes first.
    let text = "struct a { struct b x; }; struct b { struct c x; }; struct c { struct a x; };\n\
                struct first { int x : 99; struct a y; };";
    let mut declarations = Declarations::default();
    declarations
        .parse(text, &ParseOptions::default())
        .expect("valid C");
    for (tag, message) in [
        ("a", "recursive structure declaration for 'a'"),
        ("b", "recursive structure declaration for 'b'"),
        (
            "first",
            "bit field 'struct first.x' is declared 'int:99', which exceeds the width of the type",
        ),
    ] {
        let id = declarations.lookup_record_tag(tag).expect("a struct");
        let error = layouts.layout(&declarations, id).expect_err(tag);
        assert_eq!(error.message, message);
    }
}

#[test]
fn a_failed_text_changes_nothing() {
    let first = "struct s; typedef int t; enum e { A, B = 4 }; int f(struct s *); #define K 3\n"
        .replace(" #", "\n#");
    let bad = "struct s { int x; }; struct new { t y; }; enum g { C }; int f2(void); typedef char *u;\n\
               #define L 4\nextern int a[...]; typedef int... v; int broken(nosuch x);";
    let mut declarations = Declarations::default();
    declarations
        .parse(&first, &ParseOptions::default())
        .expect("valid");
    let before = format!("{declarations:?}");
    declarations
        .parse(bad, &ParseOptions::default())
        .expect_err("invalid");
    let after = format!("{declarations:?}");
    // Hash tables may have grown; what is in them is compared through the look-ups.
    let counts = |text: &str| text.matches("Symbol(").count();
    assert_eq!(counts(&before), counts(&after));
    assert_eq!(declarations.items.len(), 5);
    assert!(declarations.lookup_record_tag("new").is_none());
    assert!(declarations.lookup_enumerator("C").is_none());
    assert!(declarations.lookup_typedef("u").is_none());
    let s = declarations.lookup_record_tag("s").expect("s");
    assert!(declarations.types.record(s).fields.is_none());
    declarations
        .parse_type("struct nosuch *[3](")
        .expect_err("invalid");
    assert!(declarations.lookup_record_tag("nosuch").is_none());
    declarations
        .parse(
            "struct s { int x; }; int f2(struct s);",
            &ParseOptions::default(),
        )
        .expect("valid");
}

#[test]
fn overriding_is_undone_by_a_failure() {
    let mut declarations = Declarations::default();
    declarations
        .parse(
            "int f(int); typedef int t; extern int v;\n#define K 1\n",
            &ParseOptions::default(),
        )
        .expect("valid");
    let options = ParseOptions {
        override_: true,
        ..ParseOptions::default()
    };
    let text = "long f(void); typedef char t; extern char v;\n#define K 2\nint broken(";
    declarations.parse(text, &options).expect_err("invalid");
    let ty = declarations.lookup_function("f").expect("f").ty;
    assert_eq!(
        declarations.c_declaration(keelback_cdef::QualType::plain(ty), "f"),
        "int f(int)"
    );
    assert_eq!(declarations.lookup_constant("K").expect("K").value, Some(1));
    declarations
        .parse(
            "long f(void); typedef char t; extern char v;\n#define K 2\n",
            &options,
        )
        .expect("valid");
    let ty = declarations.lookup_function("f").expect("f").ty;
    assert_eq!(
        declarations.c_declaration(keelback_cdef::QualType::plain(ty), "f"),
        "long f(void)"
    );
    assert_eq!(declarations.lookup_constant("K").expect("K").value, Some(2));
    assert_eq!(declarations.functions.len(), 1);
}

#[test]
fn types_mean_the_same_when_printed_and_read_again() {
    let mut declarations = Declarations::default();
    declarations.knows_int128 = true;
    for text in inputs() {
        // Invalid texts do not matter here.
        let _ = declarations.parse(
            &text,
            &ParseOptions {
                override_: true,
                ..ParseOptions::default()
            },
        );
    }
    for index in 0..declarations.types.len() {
        let ty = keelback_cdef::QualType::plain(keelback_cdef::TypeId::from_index(index));
        let c = declarations.c_declaration(ty, "");
        if declarations.has_c_name(ty) && !c.contains("...]") {
            assert_eq!(declarations.parse_type(&c).ok(), Some(ty), "{c}");
        }
    }
}
