//! Real headers become plain cdefs: which declarations stay, their text, and the places of messages.

mod loaders;

use keelback_cdef::header::{Header, HeaderFile, HeaderOptions, PartKind, read};
use keelback_cdef::preprocessor::{Loader, PreprocessOptions, predefined, usual_dirs};
use keelback_cdef::{Declarations, Layouts, MacroValue, ParseOptions, QualType, RecordId, Target};
use loaders::{Disk, Memory};

fn try_read(text: &str, files: &[(&str, &str)], only: &[&str]) -> Result<Header, Vec<String>> {
    let named = HeaderFile {
        name: "api.h",
        text,
        is_exported: true,
    };
    let options = HeaderOptions {
        only: only.iter().map(ToString::to_string).collect(),
        comments: true,
        ..HeaderOptions::default()
    };
    let files = files
        .iter()
        .map(|&(path, text)| (path.to_owned(), text.to_owned()));
    let mut loader = Memory(files.collect());
    read(&[named], &options, &Declarations::default(), &mut loader).map_err(|errors| {
        let shown = errors.iter().map(|error| error.render(false));
        shown.collect()
    })
}

fn header(text: &str, files: &[(&str, &str)], only: &[&str]) -> Header {
    match try_read(text, files, only) {
        Ok(header) => {
            parse(&header);
            header
        }
        Err(errors) => panic!("{}", errors.join("\n")),
    }
}

/// Parses the plain cdef of a header.
fn parse(header: &Header) -> Declarations {
    let mut declarations = Declarations::default();
    for part in header.parts.iter().chain(&header.other_macros) {
        let options = ParseOptions {
            embedding_api: part.kind == PartKind::Exported,
            of_headers: true,
            other_macros: true,
            ..ParseOptions::default()
        };
        if let Err(errors) = declarations.parse(&part.text, &options) {
            let shown: Vec<_> = errors.iter().map(|error| error.render(false)).collect();
            panic!("{}\n{}", shown.join("\n"), part.text);
        }
    }
    declarations
}

const LIBRARY: &str = "#ifndef LIBRARY_H\n#define LIBRARY_H\n\
    typedef struct inner { int a; } inner_t;\n\
    struct unused { int b; };\n\
    enum level { LOW, HIGH = 7 };\n\
    typedef int (*callback_t)(inner_t *, enum level);\n\
    int library_call(inner_t *);\n\
    #define LIBRARY_CONSTANT 4\n\
    #endif\n";

#[test]
fn what_a_file_includes_is_there_as_far_as_it_is_needed() {
    let text = "#ifndef API_H\n#define API_H\n#include \"library.h\"\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\
        /** Says how. */\nint api_call(callback_t callback);\n#define API_LEVEL (HIGH + LIBRARY_CONSTANT)\n\
        #define API_EMPTY\n#define API_WORD static\n\
        #ifdef __cplusplus\n}\n#endif\n#endif\n";
    let header = header(text, &[("library.h", LIBRARY)], &[]);
    assert_eq!(
        header.plain_text(),
        "typedef struct inner { int a; } inner_t;\n\n\
         enum level { LOW, HIGH = 7 };\ntypedef int (*callback_t)(inner_t *, enum level);\n\n\
         /** Says how. */\nint api_call(callback_t callback);\n\
         #define API_LEVEL (HIGH + 4)\n"
    );
    let kinds: Vec<_> = header.parts.iter().map(|part| part.kind).collect();
    assert_eq!(kinds, [PartKind::Included, PartKind::Exported]);
    assert_eq!(header.includes, ["\"library.h\""]);
    assert_eq!(
        header.other_macros[0].text,
        "# 11 \"api.h\"\n#define API_WORD static\n"
    );
    let declarations = parse(&header);
    let call = &declarations.functions[0];
    let place = declarations.source(call.span.source).unwrap();
    let place = place.location(call.span.start);
    assert_eq!((place.file, place.line), ("api.h", 8));
}

#[test]
fn macros_are_what_they_stand_for() {
    use MacroValue::{Floating, Nothing, Text};
    let text = "enum level { LOW = 3 };\n#define INTEGER (LOW + 1)\n#define ITSELF ITSELF\nint ITSELF(void);\n\
        #define LOW LOW\n#define SIZE sizeof(struct later)\n#define PI 3.25\n#define HALF_PI (PI / 2)\n\
        #define MINUS -(1.5e3 + INTEGER)\n#define SINGLE 0.1f\n#define CAST ((float)1 / 10)\n#define HEX 0x1.8p3\n\
        #define WHOLE 1. / (1 / 2 + 4)\n#define NAME \"a\\n\" \"\\x41\\303\\251\" PREFIX \"\\0z\"\n\
        #define PREFIX \"\u{e9}\\u00e9\"\n#define PACKED (\"in\" \"side\")\n#define WIDE L\"x\"\n\
        #define WORD static inline\n#define CALL f(1)\n#define OPEN f(\n#define HERE __LINE__\n#define IN_FILE __FILE__\n#define LATER 2\n#undef LATER\n#define LETTER ('a' + 1)\n\
        #define KIND(x) _Generic((x), int: 1, double: 2.5, char *: \"text\", default: 4u)\n#define OF_INT KIND(3)\n\
        #define OF_DOUBLE KIND(PI)\n#define OF_TEXT KIND(\"\")\n#define OF_LONG KIND(3l)\n#define OF_NONE _Generic(1, long: 1)\n\
        #define PAIR(a) a\n#define USE PAIR(2)\nstruct later { char a[5]; };\n";
    let header = header(text, &[], &[]);
    let declarations = parse(&header);
    let integer = |name: &str| {
        let constant = declarations.lookup_constant(name).map(|found| found.value);
        constant.unwrap_or_else(|| panic!("{name}"))
    };
    assert_eq!(integer("INTEGER"), Some(4));
    assert_eq!(integer("SIZE"), Some(5));
    assert_eq!(integer("USE"), Some(2));
    assert_eq!((integer("OF_INT"), integer("OF_LONG")), (Some(1), Some(4)));
    let single = f64::from(0.1f32);
    for (name, expected) in [
        ("PI", Floating(3.25)),
        ("HALF_PI", Floating(1.625)),
        ("MINUS", Floating(-1504.0)),
        ("SINGLE", Floating(single)),
        ("CAST", Floating(single)),
        ("HEX", Floating(12.0)),
        ("WHOLE", Floating(0.25)),
        ("NAME", Text(b"a\nA\xc3\xa9\xc3\xa9\xc3\xa9\0z"[..].into())),
        ("PACKED", Text(b"inside"[..].into())),
        ("OF_DOUBLE", Floating(2.5)),
        ("OF_TEXT", Text(b"text"[..].into())),
        ("OF_NONE", Nothing),
        ("WIDE", Nothing),
        ("WORD", Nothing),
        ("CALL", Nothing),
        ("OPEN", Nothing),
        ("HERE", Nothing),
        ("IN_FILE", Nothing),
    ] {
        assert_eq!(declarations.lookup_macro(name), Some(&expected), "{name}");
    }
    for name in ["LATER", "PAIR", "ITSELF", "LOW", "INTEGER"] {
        assert_eq!(declarations.lookup_macro(name), None, "{name}");
    }
    let plain = header.plain_text();
    assert!(
        plain.contains("#define INTEGER (LOW + 1)\n")
            || plain.contains("#define INTEGER (3 + 1)\n"),
        "{plain}"
    );
    assert!(plain.contains("#define LETTER 98\n"), "{plain}");
    assert!(!plain.contains("PI") && !plain.contains("WORD"), "{plain}");
}

#[test]
fn patterns_choose() {
    let text = "#include \"library.h\"\nint sqlite3_open(inner_t *);\nint other(int);\nstruct local { int x; };\n\
        void sqlite3_close(struct local *);\n#define SQLITE3_OK 0\n#define sqlite3_version 3\n#define OTHER 1\n";
    let header = header(
        text,
        &[("library.h", LIBRARY)],
        &["sqlite3_*", "SQLITE3_?K"],
    );
    assert_eq!(
        header.plain_text(),
        "typedef struct inner { int a; } inner_t;\n\nint sqlite3_open(inner_t *);\n\nstruct local { int x; };\n\
         void sqlite3_close(struct local *);\n#define SQLITE3_OK 0\n#define sqlite3_version 3\n"
    );
}

#[test]
fn packing_alignment_attributes_and_bodies() {
    let text = "#define PACKED __attribute__((packed))\n#pragma pack(push, 2)\n\
        struct two { char a; long b; };\n#pragma pack(pop)\nstruct PACKED one { char a; long b; };\n\
        typedef double d4 __attribute__((aligned(4)));\n#if 1\nstruct plain { char a; d4 b; };\n#endif\n\
        static inline int twice(int x) { return 2 * x; }\nint old(a, b) char a; float b; { return a; }\n\
        int named(void) __asm__(\"other_name\");\n";
    let header = header(text, &[], &[]);
    assert_eq!(
        header.plain_text(),
        "#pragma pack(push, 2)\n\nstruct two { char a; long b; };\n#pragma pack(pop)\n\n\
         struct __attribute__((packed)) one { char a; long b; };\ntypedef double d4 __attribute__((aligned(4)));\n\n\
         struct plain { char a; d4 b; };\n\nstatic inline int twice(int x);\nint old(int, double);\n\n\
         int named(void) __asm__(\"other_name\");\n"
    );
    let mut declarations = parse(&header);
    for (name, size) in [("two", 10), ("one", 9), ("plain", 12)] {
        let ty = declarations.parse_type(&format!("struct {name}")).unwrap();
        let layout = keelback_cdef::Layouts::new().size_and_align(&declarations, ty);
        assert_eq!(layout.unwrap().0, size, "{name}");
    }
}

#[test]
fn what_a_cdef_alone_has_survives() {
    let text = "#if 1\nstruct s { int a; ...; };\ntypedef ... opaque;\nextern \"Python\" int callback(int);\n\
        #endif\nint f(int, ...);\n#define LATER ...\nint array[LATER];\ntypedef int... number;\n\
        extern \"Python+C\" {\nint first(int);\n/* Second. */ void second(void);\n}\nextern \"C\" { int third(void); }\n";
    let header = header(text, &[], &[]);
    assert_eq!(
        header.plain_text(),
        "struct s { int a; ...; };\ntypedef ... opaque;\nextern \"Python\" int callback(int);\n\nint f(int, ...);\n\n\
         int array[...];\ntypedef int... number;\n\nextern \"Python+C\" int first(int);\n/* Second. */ \
         extern \"Python+C\" void second(void);\n\nint third(void);\n\n#define LATER ...\n"
    );
}

#[test]
fn faults_are_shown_where_they_are_written() {
    let errors = try_read(
        "#include \"broken.h\"\n#define TYPE unsinged\nint fine(void);\nTYPE int bad(thing_t x);\n",
        &[("broken.h", "\nint @;\ntypedef wrong thing_t;\n")],
        &[],
    )
    .unwrap_err();
    assert_eq!(
        errors,
        [
            "error: this character has no meaning in C\n --> broken.h:2:5\n  |\n2 | int @;\n  |     ^\n  |\n\
             note: included from api.h:1",
            "error: unknown type name 'wrong'\n --> broken.h:3:9\n  |\n3 | typedef wrong thing_t;\n  |         ^^^^^\n  |\n\
             note: included from api.h:1\nhelp: did you mean 'long'?",
            "error: unknown type name 'unsinged'\n --> api.h:2:14\n  |\n2 | #define TYPE unsinged\n  |              ^^^^^^^^\n  |\n\
             note: in expansion of macro 'TYPE' at api.h:4\nhelp: did you mean 'unsigned'?",
        ]
    );
}

#[test]
fn faults_that_nothing_needs_are_passed_over() {
    let header = header(
        "#include \"broken.h\"\nint fine(good_t);\n",
        &[(
            "broken.h",
            "int @;\ntypedef wrong thing_t;\nstruct s { thing_t x; };\ntypedef int good_t;\n#pragma pack(3)\n",
        )],
        &[],
    );
    assert_eq!(
        header.plain_text(),
        "typedef int good_t;\n\nint fine(good_t);\n"
    );
}

#[test]
fn what_was_declared_before_is_used() {
    let mut known = Declarations::default();
    let one = |known: &Declarations, text: &str| {
        let file = HeaderFile {
            name: "api.h",
            text,
            is_exported: false,
        };
        let files = [("library.h".to_owned(), LIBRARY.to_owned())];
        let mut loader = Memory(files.into());
        read(&[file], &HeaderOptions::default(), known, &mut loader).unwrap()
    };
    for text in [
        "int first(callback_t);",
        "int second(callback_t, struct inner);",
    ] {
        let header = one(&known, &format!("#include \"library.h\"\n{text}\n"));
        let options = ParseOptions {
            of_headers: true,
            ..ParseOptions::default()
        };
        known.parse(&header.text(), &options).unwrap();
    }
    assert_eq!(known.functions.len(), 2);
}

#[test]
fn preprocessed_texts_say_what_they_include() {
    let text = "# 0 \"api.h\"\n# 0 \"<built-in>\"\n# 1 \"/usr/include/stdc-predef.h\" 1 3 4\n# 0 \"<command-line>\" 2\n# 1 \"api.h\"\n\
        # 1 \"/usr/include/string.h\" 1 3 4\nextern unsigned long strlen(const char *);\ntypedef int needed_t;\n\
        # 2 \"api.h\" 2\nint name_length(needed_t);\n";
    let header = header(text, &[], &[]);
    assert_eq!(
        header.plain_text(),
        "typedef int needed_t;\n\nint name_length(needed_t);\n"
    );
}

#[test]
fn system_headers_are_read_again() {
    let target = Target::default();
    let options = HeaderOptions {
        preprocess: PreprocessOptions {
            system_dirs: usual_dirs(&target),
            predefined: predefined(&target),
            ..PreprocessOptions::default()
        },
        all: true,
        ..HeaderOptions::default()
    };
    let mut count = 0;
    for name in [
        "stdio.h",
        "stdlib.h",
        "string.h",
        "time.h",
        "sys/stat.h",
        "pthread.h",
        "math.h",
        "netdb.h",
        "unistd.h",
    ] {
        let path = format!("/usr/include/{name}");
        let path = if std::path::Path::new(&path).exists() {
            path
        } else {
            format!("{}/{name}", usual_dirs(&target)[1])
        };
        let Some(text) = Disk.load(&path) else {
            continue;
        };
        let file = HeaderFile {
            name: &path,
            text: &text,
            is_exported: false,
        };
        let header = read(&[file], &options, &Declarations::default(), &mut Disk)
            .unwrap_or_else(|errors| panic!("{name}: {}", errors[0].render(false)));
        let declarations = parse(&header);
        assert!(!declarations.functions.is_empty(), "{name}");
        count += declarations.functions.len();
    }
    assert!(count > 500 || count == 0, "{count}");
}

#[test]
fn what_constants_are_built_of_comes_along() {
    let header = header(
        "#include \"kinds.h\"\n#define MINE THEIR_B\n#define SIZE (sizeof(struct theirs) + 1)\n",
        &[(
            "kinds.h",
            "enum { THEIR_A, THEIR_B = 7 };\nstruct theirs { char c[5]; };\nstruct other { int x; };\n",
        )],
        &[],
    );
    let read = parse(&header);
    let value = |name| read.lookup_constant(name).and_then(|found| found.value);
    assert_eq!((value("MINE"), value("SIZE")), (Some(7), Some(6)));
    assert!(!header.text().contains("struct other"));
}

#[test]
fn a_body_without_tag_names_types_first() {
    let text =
        "typedef struct control *control_p;\ntypedef struct { control_p opaque; int x; } image;\n";
    let header = header(text, &[], &["image"]);
    assert_eq!(header.plain_text(), text);
}

#[test]
fn files_of_a_librarys_own_folder_declare_for_it() {
    let named = HeaderFile {
        name: "lib/main.h",
        text: "#include \"part.h\"\n#include <libc.h>\nint whole(void);\n",
        is_exported: false,
    };
    let options = HeaderOptions {
        own_dirs: vec!["lib".into()],
        preprocess: PreprocessOptions {
            system_dirs: vec!["include".into()],
            ..PreprocessOptions::default()
        },
        ..HeaderOptions::default()
    };
    let files = [
        ("lib/part.h", "#define PART 3\nint part(void);\n"),
        ("include/libc.h", "#define LIBC 4\nint libc(void);\n"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let mut loader = Memory(files.into());
    let known = Declarations::default();
    let header = read(&[named], &options, &known, &mut loader).expect("good headers");
    let declarations = parse(&header);
    let names: Vec<_> = (declarations.functions.iter())
        .map(|function| declarations.text(function.name))
        .collect();
    assert_eq!(names, ["part", "whole"]);
    assert!(declarations.lookup_constant("PART").is_some());
    assert!(declarations.lookup_constant("LIBC").is_none());
}

/// All declarations as text, one line for each name, sorted.
fn told(declarations: &Declarations) -> Vec<String> {
    let text = |symbol| declarations.text(symbol);
    let mut told = Vec::new();
    for function in &declarations.functions {
        let origin = function.origin;
        let ty = QualType::plain(function.ty);
        let label = function.label.map(text);
        let shown = declarations.c_declaration(ty, text(function.name));
        told.push(format!("{shown} {label:?} {origin:?}"));
    }
    for variable in &declarations.variables {
        told.push(declarations.c_declaration(variable.ty, text(variable.name)));
    }
    for constant in &declarations.constants {
        told.push(format!("{} = {:?}", text(constant.name), constant.value));
    }
    let mut layouts = Layouts::new();
    for typedef in &declarations.typedefs {
        let name = text(typedef.name);
        let size = layouts.size_and_align(declarations, typedef.ty).ok();
        let shown = declarations.c_declaration(typedef.ty, name);
        told.push(format!("typedef {shown} {size:?}"));
    }
    for enumeration in &declarations.types.enums {
        for enumerator in enumeration.enumerators.iter().flatten() {
            let (name, value) = (text(enumerator.name), enumerator.value);
            told.push(format!("{name} = {value:?} {:?}", enumeration.underlying));
        }
    }
    for index in 0..declarations.types.records.len() {
        let id = RecordId::from_index(index);
        let record = declarations.types.record(id);
        if let (Some(tag), Some(_)) = (record.tag, &record.fields)
            && record.sealed.is_none()
        {
            let layout = layouts.layout(declarations, id).ok();
            told.push(format!("{} {layout:?}", text(tag)));
        }
    }
    told.sort();
    told
}

/// Asserts that two texts declare the same.
#[track_caller]
fn same(name: &str, ours: &Declarations, theirs: &Declarations) {
    let (ours, theirs) = (told(ours), told(theirs));
    for line in &theirs {
        assert!(ours.binary_search(line).is_ok(), "{name}: missing: {line}");
    }
    for line in &ours {
        assert!(theirs.binary_search(line).is_ok(), "{name}: new: {line}");
    }
}

#[test]
fn cdefs_stay_what_they_are() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/valid");
    let parse_options = ParseOptions {
        of_headers: true,
        ..ParseOptions::default()
    };
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "h") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let file = HeaderFile {
            name: path.to_str().unwrap(),
            text: &text,
            is_exported: false,
        };
        let known = Declarations::default();
        let header = read(&[file], &HeaderOptions::default(), &known, &mut Disk);
        let header = header.unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
        let mut direct = Declarations::default();
        direct.parse(&text, &parse_options).unwrap();
        same(path.to_str().unwrap(), &parse(&header), &direct);
        count += 1;
    }
    assert!(count >= 6);
}

#[test]
fn system_headers_declare_what_the_compilers_preprocessor_says() {
    let names = ["stdio.h", "signal.h", "netdb.h", "pthread.h", "math.h"];
    let asked = |arguments: &[&str]| {
        let output = std::process::Command::new("cc").args(arguments).output();
        output.ok().filter(|output| output.status.success())
    };
    let Some(macros) = asked(&["-dM", "-E", "-xc", "/dev/null"]) else {
        return;
    };
    let predefined = String::from_utf8(macros.stdout).unwrap();
    for name in names {
        let text = format!("#include <{name}>\n");
        let folder = tempfile_with(&text);
        let Some(output) = asked(&["-E", "-P", folder.to_str().unwrap()]) else {
            continue;
        };
        let mut options = HeaderOptions {
            all: true,
            ..HeaderOptions::default()
        };
        options.preprocess.predefined = predefined.clone();
        options.preprocess.system_dirs = usual_dirs(&Target::default());
        let file = HeaderFile {
            name: "main.h",
            text: &text,
            is_exported: false,
        };
        let header = read(&[file], &options, &Declarations::default(), &mut Disk);
        let header = header.unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
        let mut theirs = Declarations::default();
        let options = ParseOptions {
            of_headers: true,
            ..ParseOptions::default()
        };
        let text = String::from_utf8_lossy(&output.stdout);
        theirs.parse(&text, &options).unwrap();
        // The whole declarations differ: predefined types are spelt otherwise, and the text of `theirs` has no macros.
        let names = |declarations: &Declarations| {
            let functions = declarations.functions.iter();
            let names = functions.map(|function| declarations.text(function.name).to_owned());
            let layouts = told(declarations);
            let layouts = layouts.into_iter().filter(|line| line.contains("Layout {"));
            names
                .chain(layouts)
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(names(&parse(&header)), names(&theirs), "{name}");
    }
}

fn tempfile_with(text: &str) -> std::path::PathBuf {
    let name = format!("keelback-header-{}.h", std::process::id());
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}
