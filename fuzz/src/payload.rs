//! Any payload. If a plugin can be made of it, the C file contains its texts exactly; and what the runtime does with a
//! plugin's record (`read`, `declare`, `answers` and `compare` in runtime/ffi/src/ffi/payload.rs) does not fail, whatever
//! the texts, the compiler's answers and its layouts are.
//!
//! The input is sections: the first is a cdef, and each character of [`Section`] begins another one.

use keelback_cdef::{
    Answer, Declarations, FunctionOrigin, Item, Layout, Layouts, ParseOptions, RecordId,
};
use keelback_codegen::abi::{
    KEELBACK_CDEF_AS_CFFI, KEELBACK_CDEF_EMBEDDING_API, KEELBACK_CDEF_OVERRIDE,
    KEELBACK_CDEF_PACKED,
};
use keelback_codegen::{
    CdefText, HeaderOptions, IncludedModule, Plugin, PluginSpec, RecordedPython, SourceText,
    StartError, StubsOf, stubs,
};

/// What a section is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// U+0001: the init code.
    Init,
    /// U+0002, and the start: a cdef, see [`super::declarations::options`].
    Cdef,
    /// U+0003: the compiler's answers, see [`answers`].
    Answers,
    /// U+0004: what the compiler said of layouts (`record TAB member TAB offset TAB size`) and constants
    /// (`name TAB value`), one in a line.
    Facts,
    /// U+0005: `function TAB value`, when Python cannot be started.
    StartError,
    /// U+000E: a cdef of a module that is included behind the cdefs so far.
    Included,
    /// U+000F: the prelude.
    Prelude,
}

impl Section {
    fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Init,
            2 => Self::Cdef,
            3 => Self::Answers,
            4 => Self::Facts,
            5 => Self::StartError,
            14 => Self::Included,
            15 => Self::Prelude,
            _ => return None,
        })
    }
}

/// Runs one input.
pub fn run(data: &[u8]) {
    let mut spec = PluginSpec {
        module_name: "fuzzed".into(),
        python: RecordedPython {
            version: (3, 11),
            ..RecordedPython::default()
        },
        ..PluginSpec::default()
    };
    let (mut told, mut facts) = (Vec::new(), String::new());
    for (section, data) in sections(data) {
        // As in the runtime, invalid UTF-8 is replaced.
        let text = String::from_utf8_lossy(data).into_owned();
        match section {
            Section::Init => {
                spec.init = Some(SourceText {
                    file: "init.py".into(),
                    text,
                    ..SourceText::default()
                });
            }
            Section::Prelude => {
                spec.prelude = Some(SourceText {
                    file: "prelude.c".into(),
                    text,
                    ..SourceText::default()
                });
            }
            Section::Cdef => spec.cdefs.push(cdef(&text, "api.h")),
            Section::Included => {
                let mut declarations = Declarations::default();
                let cdef = cdef(&text, "included.h");
                // A module with errors cannot be included.
                if declarations.parse(&cdef.text, &recorded(&cdef)).is_ok() {
                    spec.included.push(IncludedModule {
                        module_name: "included".into(),
                        position: spec.cdefs.len(),
                        declarations,
                    });
                }
            }
            Section::Answers => told = answers(data),
            Section::Facts => facts = text,
            Section::StartError => {
                if let Some((function, value)) = text.split_once('\t') {
                    spec.start_errors.push(StartError {
                        function: function.into(),
                        value: value.into(),
                    });
                }
            }
        }
    }
    let declared = declare(&spec);
    match Plugin::new(spec) {
        Ok((plugin, _)) => {
            let declared = declared.as_ref().expect("it was accepted at build time");
            assert_eq!(plugin.declarations().questions(), declared.questions());
            for name in plugin.function_names() {
                let function = declared.lookup_function(name);
                assert!(function.is_some_and(|one| one.origin != FunctionOrigin::C));
            }
            written(&plugin);
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            problems
                .iter()
                .for_each(|problem| drop(problem.render(false)));
        }
    }
    if let Some(declarations) = declared {
        complete(declarations, &told, &facts);
    }
}

fn sections(data: &[u8]) -> Vec<(Section, &[u8])> {
    let mut sections = Vec::new();
    let (mut kind, mut start) = (Section::Cdef, 0);
    for (at, &byte) in data.iter().enumerate() {
        // The bytes of answers may have any value, so they contain no section marks.
        if kind != Section::Answers
            && let Some(next) = Section::of(byte)
        {
            sections.push((kind, &data[start..at]));
            (kind, start) = (next, at + 1);
        }
    }
    sections.push((kind, &data[start..]));
    sections
}

/// Answers are the last section: numbers below 128 have a small value and, in bit 6, the sign; any other such byte is
/// followed by a value of eight bytes.
fn answers(mut data: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some((&first, rest)) = data.split_first() {
        data = rest;
        let mut value = u64::from(first & 0x3f);
        if first >= 0x80 {
            let (number, rest) = rest.split_at(rest.len().min(8));
            let mut bytes = [0; 8];
            bytes[..number.len()].copy_from_slice(number);
            value = u64::from_le_bytes(bytes);
            data = rest;
        }
        answers.push(Answer {
            value,
            negative: first & 0x40 != 0,
        });
    }
    answers
}

fn cdef(text: &str, file: &str) -> CdefText {
    let (text, options) = super::declarations::options(text, file, file == "api.h");
    CdefText {
        file: file.into(),
        text: text.into(),
        embedding_api: options.embedding_api,
        packed: options.packed,
        pack: options.pack,
        override_: options.override_,
        as_cffi: options.as_cffi,
        ..CdefText::default()
    }
}

/// How the runtime reads a cdef: with the flags that the C file has for it.
fn recorded(cdef: &CdefText) -> ParseOptions<'_> {
    let flag = |is_set, flag| if is_set { flag } else { 0 };
    let flags = flag(cdef.embedding_api, KEELBACK_CDEF_EMBEDDING_API)
        | flag(cdef.packed, KEELBACK_CDEF_PACKED)
        | flag(cdef.override_, KEELBACK_CDEF_OVERRIDE)
        | flag(cdef.as_cffi, KEELBACK_CDEF_AS_CFFI);
    let pack = cdef.pack.unwrap_or(0);
    ParseOptions {
        file: Some(&cdef.file),
        override_: flags & KEELBACK_CDEF_OVERRIDE != 0,
        packed: flags & KEELBACK_CDEF_PACKED != 0,
        pack: (pack != 0).then_some(pack),
        embedding_api: flags & KEELBACK_CDEF_EMBEDDING_API != 0,
        as_cffi: flags & KEELBACK_CDEF_AS_CFFI != 0,
        of_headers: true,
        other_macros: true,
    }
}

/// As `declare` in the runtime; `None` where it raises.
fn declare(spec: &PluginSpec) -> Option<Declarations> {
    let mut declarations = Declarations::default();
    let mut included = spec.included.iter().peekable();
    for position in 0..=spec.cdefs.len() {
        while let Some(module) = included.next_if(|module| module.position <= position) {
            declarations.include(&module.declarations).ok()?;
        }
        let Some(cdef) = spec.cdefs.get(position) else {
            break;
        };
        if let Err(errors) = declarations.parse(&cdef.text, &recorded(cdef)) {
            errors.iter().for_each(|error| drop(error.render(false)));
            return None;
        }
    }
    Some(declarations)
}

/// As `answers` and `compare` in the runtime, and then what is asked of a plugin that is attached. There are as many
/// answers as questions, unless there is none at all: otherwise hardly any input would get past the check of their
/// number.
fn complete(mut declarations: Declarations, told: &[Answer], facts: &str) {
    super::declarations::ask_everything(&declarations);
    let count = declarations.questions().len();
    let told: Vec<Answer> = told.iter().copied().cycle().take(count).collect();
    if let Err(error) = declarations.answer(&told) {
        drop((error.headline(), error.render(false)));
        return;
    }
    let mut layouts = Layouts::new();
    for fact in facts.lines() {
        let parts: Vec<&str> = fact.split('\t').collect();
        match *parts {
            [record, member, _, _] => {
                let Some(id) = record_named(&declarations, record) else {
                    continue;
                };
                if let Ok(layout) = layouts.layout(&declarations, id) {
                    let _ = member_place(&mut layouts, &declarations, id, &layout, member);
                }
            }
            [name, value] => {
                let Ok(value) = value.parse::<i64>() else {
                    continue;
                };
                if declarations.lookup_ordinary(name).is_none()
                    && let Some((id, index)) = declarations.enumerator_place(name)
                {
                    declarations.set_enumerator(id, index, value.into());
                    let found = declarations.lookup_enumerator(name);
                    assert_eq!(found, Some((id, Some(value.into()))));
                }
            }
            _ => {}
        }
    }
    super::declarations::ask_everything(&declarations);
    // The runtime also queries the copy of these declarations that another module gets by including them.
    let mut other = Declarations::default();
    other.include(&declarations).expect("nothing else is there");
    super::declarations::ask_everything(&other);
}

/// As in the runtime: the record that C calls `struct foo`, or by a typedef's name.
fn record_named(declarations: &Declarations, name: &str) -> Option<RecordId> {
    let types = &declarations.types;
    declarations.items.iter().find_map(|item| {
        let Item::Record(id) = *item else { return None };
        let record = types.record(id);
        let is_it = match (record.tag, record.typedef_name) {
            (Some(tag), _) => name
                .strip_prefix(record.kind.keyword())
                .and_then(|rest| rest.strip_prefix(' '))
                .is_some_and(|rest| rest == types.text(tag)),
            (None, Some(typedef)) => name == types.text(typedef),
            (None, None) => false,
        };
        is_it.then_some(id)
    })
}

/// As in the runtime: offset and size of a member, which may be one of an anonymous member.
fn member_place(
    layouts: &mut Layouts,
    declarations: &Declarations,
    id: RecordId,
    layout: &Layout,
    member: &str,
) -> Option<(u64, u64)> {
    let fields = declarations.types.record(id).fields.iter().flatten();
    for (field, place) in fields.zip(&layout.fields) {
        if let Some(name) = field.name {
            if declarations.types.text(name) == member {
                return Some((place.offset, place.size));
            }
        } else if let Some(inner) = declarations.anonymous_member(field)
            && let Ok(layout) = layouts.layout(declarations, inner)
            && let Some((offset, size)) =
                member_place(layouts, declarations, inner, &layout, member)
        {
            return Some((place.offset + offset, size));
        }
    }
    None
}

/// The C file, the header and the type stubs of a plugin: its texts are in the C file to the letter.
fn written(plugin: &Plugin) {
    // The loader does not depend on the input.
    let source = plugin.c_source_without_loader();
    for (index, cdef) in plugin.spec().cdefs.iter().enumerate() {
        let contents = array(&source, &format!("keelback_cdef_{index}"));
        assert_eq!(contents, cdef.text.as_bytes());
    }
    if let Some(init) = &plugin.spec().init {
        assert_eq!(array(&source, "keelback_init_code"), init.text.as_bytes());
    }
    let errors = &plugin.spec().start_errors;
    for (at, error) in errors.iter().enumerate() {
        // If a function has several, the last one counts.
        if errors[at + 1..]
            .iter()
            .all(|later| later.function != error.function)
        {
            assert!(source.contains(error.value.trim()));
        }
    }
    drop(plugin.header(&HeaderOptions::default()));
    drop(stubs(
        "fuzzed",
        plugin.declarations(),
        plugin.batches(),
        StubsOf::Module,
    ));
}

/// The contents of `static const char NAME[] = "..." "...";`, as a C compiler reads it.
fn array(source: &str, name: &str) -> Vec<u8> {
    let start = format!("static const char {name}[] =");
    let at = source.find(&start).expect("it is in the payload") + start.len();
    let mut rest = source[at..].bytes().peekable();
    let mut contents = Vec::new();
    loop {
        match rest.next().expect("the declaration ends") {
            b';' => return contents,
            b' ' | b'\n' => {}
            b'"' => loop {
                match rest.next().expect("the literal ends") {
                    b'"' => break,
                    b'\\' => contents.push(match rest.next().expect("an escape") {
                        b'n' => b'\n',
                        b't' => b'\t',
                        b'r' => b'\r',
                        first @ b'0'..=b'7' => {
                            let mut value = u32::from(first - b'0');
                            for _ in 0..2 {
                                if let Some(digit) =
                                    rest.next_if(|digit| (b'0'..=b'7').contains(digit))
                                {
                                    value = value * 8 + u32::from(digit - b'0');
                                }
                            }
                            u8::try_from(value).expect("a byte")
                        }
                        same @ (b'"' | b'\\' | b'?' | b'\'') => same,
                        other => panic!("an escape that is not known here: {other}"),
                    }),
                    byte => contents.push(byte),
                }
            },
            other => panic!("{other} between literals"),
        }
    }
}
