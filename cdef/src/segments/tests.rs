//! Names out of texts in parts, compared with the same texts parsed whole.

use super::*;
use crate::{Declarations, ParseOptions, QualType, Target};

const FIRST: &str = "\
/* said of LIMIT */
#define LIMIT 4
#define TWICE (LIMIT * 2) /* of it */
#define PI 3.14

// said of f
int f(struct later *p, int index);
typedef struct { int x; struct { int y; }; union { int z; } u; } point_t;
enum color { RED, GREEN = LIMIT, BLUE = LATER };
struct later { point_t points[TWICE]; struct opaque *none; enum color c; };
extern \"C\" { int g(void); int h(point_t); }
int index(int), twice(int);
int twice(int);
typedef int (*callback_t)(struct later *);
struct { int n; } variable;
static const int FIVE = 5;
#define LATER 9
";
const SECOND: &str = "typedef union { callback_t call; struct { char c; } inner; } *both_t; \
                          #define NOT_A_LINE\n";
const THIRD: &str = "int k(both_t);\n#define LAST BLUE\n";

fn options() -> ParseOptions<'static> {
    ParseOptions {
        as_cffi: true,
        of_headers: true,
        other_macros: true,
        ..ParseOptions::default()
    }
}
fn texts(all: &[&str]) -> Vec<SegmentText> {
    let texts = all.iter();
    texts
        .map(|&text| SegmentText::new(text, &options()))
        .collect()
}
fn empty() -> Declarations {
    Declarations::new(Target::host())
}
fn whole(all: &[&str]) -> Declarations {
    let mut declarations = empty();
    for text in all {
        declarations.parse(text, &options()).expect("a good text");
    }
    declarations.forget_forced_names();
    declarations
}
fn type_of(declarations: &Declarations, name: &str) -> Option<QualType> {
    let function = declarations.lookup_function(name);
    function.map(|function| QualType::plain(function.ty))
}

const NAMES: [&str; 25] = [
    "LIMIT",
    "TWICE",
    "PI",
    "f",
    "point_t",
    "color",
    "RED",
    "GREEN",
    "BLUE",
    "later",
    "opaque",
    "g",
    "h",
    "index",
    "twice",
    "callback_t",
    "variable",
    "FIVE",
    "LATER",
    "both_t",
    "k",
    "LAST",
    "x",
    "int",
    "nowhere",
];

/// What the declarations say of a name, in words.
fn told(declarations: &mut Declarations, name: &str) -> String {
    let mut told = format!(
        "{:?} {:?} {:?}",
        declarations.lookup_constant(name).map(|one| one.value),
        declarations.lookup_enumerator(name).map(|(_, value)| value),
        declarations.lookup_macro(name),
    );
    for ty in [type_of(declarations, name)].into_iter().flatten() {
        told += &declarations.cffi_name(ty);
    }
    for text in [
        name.to_owned(),
        format!("struct {name} *"),
        format!("enum {name}"),
    ] {
        if let Ok(ty) = declarations.parse_declared_type(&text) {
            told += &format!("{} ", declarations.cffi_name(ty));
            if let crate::Type::Record(id) = *declarations.types.get(ty.ty) {
                let record = declarations.types.record(id).clone();
                for field in record.fields.iter().flatten() {
                    told += &declarations.cffi_name(field.ty);
                }
            }
        }
    }
    told
}

#[test]
fn a_name_means_what_it_means_in_whole_texts() {
    let all = [FIRST, "", THIRD];
    let all = [
        all[0],
        &SECOND[..SECOND.find('#').unwrap_or(0)],
        all[1],
        all[2],
    ];
    let index = segment_index(&texts(&all)).expect("texts that can be cut");
    let mut expected = whole(&all);
    for name in NAMES {
        let mut segments = Segments::new(texts(&all), index.clone()).expect("its own index");
        let mut declarations = empty();
        let words = format!("struct {name} *[1]");
        segments
            .declare_words(&mut declarations, &words)
            .expect("good texts");
        let wanted = told(&mut expected, name);
        assert_eq!(told(&mut declarations, name), wanted, "{name}");
    }
    // One after the other, and all of the rest.
    let mut segments = Segments::new(texts(&all), index).expect("its own index");
    let mut declarations = empty();
    for name in NAMES.iter().rev().step_by(3) {
        segments
            .declare(&mut declarations, name)
            .expect("good texts");
        assert_eq!(told(&mut declarations, name), told(&mut expected, name));
    }
    assert!(!segments.is_done());
    segments.declare_all(&mut declarations).expect("good texts");
    assert!(segments.is_done());
    for name in NAMES {
        assert_eq!(told(&mut declarations, name), told(&mut expected, name));
    }
    assert_eq!(declarations.functions.len(), expected.functions.len());
    assert_eq!(
        declarations.types.records.len(),
        expected.types.records.len()
    );
}

#[test]
fn a_name_alone_is_parsed() {
    let all = [FIRST];
    let index = segment_index(&texts(&all)).expect("texts that can be cut");
    let mut segments = Segments::new(texts(&all), index).expect("its own index");
    let mut declarations = empty();
    segments
        .declare(&mut declarations, "twice")
        .expect("good texts");
    let names = declarations
        .functions
        .iter()
        .map(|one| declarations.text(one.name));
    assert_eq!(names.collect::<Vec<_>>(), ["index", "twice"]);
    assert!(declarations.constants.is_empty() && declarations.types.records.is_empty());
    let doc = "// said of f";
    segments
        .declare(&mut declarations, "f")
        .expect("good texts");
    let f = declarations.lookup_function("f").expect("declared").clone();
    let span = f.doc.expect("the comment in front");
    assert_eq!(&FIRST[span.start as usize..span.end as usize], doc);
}

#[test]
fn texts_whose_parts_do_not_stand_alone_have_no_index() {
    for text in [
        "#pragma pack(1)\nstruct s { int x; };",
        "# 3 \"a.h\"\nint f(void);",
        SECOND,
    ] {
        assert_eq!(segment_index(&texts(&[text])), None, "{text}");
    }
}

#[test]
fn an_index_is_of_its_version_and_as_long_as_it_says() {
    let index = segment_index(&texts(&[FIRST])).expect("a text that can be cut");
    let is_one = |bytes: &[u8]| Segments::new(texts(&[FIRST]), bytes.to_vec()).is_some();
    let mut other = index.clone();
    other[0] = 2;
    assert!(is_one(&index) && !is_one(&other) && !is_one(&index[4..]) && !is_one(&[]));
    assert!(Segments::new(texts(&[FIRST, ""]), index.clone()).is_none());
    // Whatever the numbers are, nothing panics.
    for at in (4..index.len()).step_by(4) {
        let mut damaged = index.clone();
        damaged[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        if let Some(mut segments) = Segments::new(texts(&[FIRST]), damaged) {
            let mut declarations = empty();
            let _ = segments.declare(&mut declarations, "later");
            let _ = segments.declare(&mut declarations, "BLUE");
        }
    }
}
