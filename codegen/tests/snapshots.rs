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
        // The line numbers of its own are what is left of the common parts.
        let own = format!(" \"{name}.c\"");
        let text: String = without_common_parts(&source)
            .split_inclusive('\n')
            .map(|line| match line.strip_prefix("#line ") {
                Some(rest) if rest.contains(&own) => format!("#line N{own}\n"),
                _ => line.to_owned(),
            })
            .collect();
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
fn the_lines_that_are_the_files_own_are_numbered_right() {
    let mut spec = spec("prelude");
    let prelude = spec.prelude.as_mut().expect("the case has a prelude");
    // What stands for them in the template is nothing special in a prelude.
    prelude
        .text
        .push_str("/*\n#line KEELBACK_THIS_LINE\n*/\n#line 5 \"prelude.c\"\n");
    let source = plugin(spec).c_source();
    assert_eq!(source.matches("\n#line KEELBACK_THIS_LINE\n").count(), 1);
    let mut count = 0;
    for (number, line) in (1..).zip(source.lines()) {
        if line.starts_with("#line ")
            && line.ends_with(" \"prelude.c\"")
            && line != "#line 5 \"prelude.c\""
        {
            assert_eq!(line, format!("#line {} \"prelude.c\"", number + 1));
            count += 1;
        }
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn generated_code_has_the_lines_of_its_declarations() {
    let source = plugin(spec("prelude")).c_source();
    // What each line is taken for by the compiler.
    let mut file = "";
    let mut next = 1;
    let mut places = Vec::new();
    for line in source.lines() {
        if let Some(directive) = line.strip_prefix("#line ") {
            let (number, name) = directive.split_once(' ').unwrap_or((directive, file));
            file = name;
            next = number.parse().expect("a number");
        } else {
            places.push((line, file, next));
            next += 1;
        }
    }
    for (text, declared) in [
        ("(DEPTH) | 0)", 4),
        ("sizeof(number_t)", 7),
        ("sizeof(pair_t) == 16", 8),
        ("helper(arg0, arg1); }", 10),
        ("describe(arg0); }", 15),
        ("= table;", 16),
        ("(void (*)(void))log_all", 14),
        ("on_done(pair_t *arg0);", 21),
        ("EXACT_BIG ==", 23),
    ] {
        let place = places.iter().find(|(line, ..)| line.contains(text));
        let place = place.map(|&(_, file, line)| (file, line));
        assert_eq!(place, Some(("\"prelude.extra.h\"", declared)), "{text}");
    }
}
