//! Generated text, compared to the letter with `tests/cases/*.expected.*`.
mod common;

use common::{case_names, expect_file, plugin, spec};
use keelback_codegen::{ABI_HEADER, HeaderOptions};

/// The C file without what is the same in all: `keelback_abi.h` and the loader.
fn without_common_parts(source: &str) -> String {
    let (start, rest) = source
        .split_once(ABI_HEADER)
        .expect("it carries keelback_abi.h");
    let (recorded, rest) = rest
        .split_once("/* ---- The loader")
        .expect("it has a loader");
    let (_, end) = rest
        .split_once("/* ---- What the prelude may use")
        .expect("the loader ends");
    format!("{start}{recorded}/* ---- What the prelude may use{end}")
}

#[test]
fn c_files() {
    for name in case_names() {
        let source = plugin(spec(&name)).c_source();
        // The line number is what is left of the common parts.
        let mut text = without_common_parts(&source);
        if let Some(at) = text.rfind("\n#line ") {
            let end = at + 7 + text[at + 7..].find(' ').expect("a file name follows");
            text.replace_range(at + 7..end, "N");
        }
        expect_file(&format!("{name}.expected.c"), &text);
    }
}

#[test]
fn headers() {
    for name in case_names() {
        let header = plugin(spec(&name)).header(&HeaderOptions::default());
        expect_file(&format!("{name}.expected.h"), &header);
    }
}

#[test]
fn the_lines_behind_the_prelude_are_numbered_right() {
    let source = plugin(spec("prelude")).c_source();
    let (before, after) = source
        .rsplit_once("\n#line ")
        .expect("a prelude has a #line behind it");
    let number: usize = after
        .split(' ')
        .next()
        .expect("a number")
        .parse()
        .expect("a number");
    assert_eq!(number, before.lines().count() + 2);
}
