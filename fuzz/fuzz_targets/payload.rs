//! Any declarations and init code as a plugin: no panic, and the C file holds both to the letter.
//!
//! The input is a cdef, and behind the first U+0001 the init code.
#![no_main]

use keelback_codegen::{CdefText, HeaderOptions, Plugin, PluginSpec, RecordedPython, SourceText};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (cdef, init) = text.split_once('\u{1}').unwrap_or((text, ""));
    let spec = PluginSpec {
        module_name: "fuzzed".into(),
        cdefs: vec![CdefText {
            file: "api.h".into(),
            text: cdef.into(),
            embedding_api: true,
            ..CdefText::default()
        }],
        init: Some(SourceText {
            file: "init.py".into(),
            text: init.into(),
            ..SourceText::default()
        }),
        python: RecordedPython {
            version: (3, 11),
            ..RecordedPython::default()
        },
        ..PluginSpec::default()
    };
    match Plugin::new(spec) {
        Ok((plugin, _)) => {
            let source = plugin.c_source();
            assert_eq!(array(&source, "keelback_cdef_0"), cdef.as_bytes());
            assert_eq!(array(&source, "keelback_init_code"), init.as_bytes());
            drop(plugin.header(&HeaderOptions::default()));
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            drop(problems.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
    }
});

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
                                if let Some(digit) = rest.next_if(|digit| (b'0'..=b'7').contains(digit)) {
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
