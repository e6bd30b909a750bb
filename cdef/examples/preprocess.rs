//! `preprocess MACROS FILE [FOLDER...]`: the tokens of a C file, one a line; MACROS is what `cc -dM -E` printed.
//! Exit code 1: there were errors.

use std::sync::Arc;

use keelback_cdef::preprocessor::{Loader, PreprocessOptions, TokenKind, preprocess};

struct Files;

impl Loader for Files {
    fn load(&mut self, path: &str) -> Option<Arc<str>> {
        let bytes = std::fs::read(path).ok()?;
        Some(String::from_utf8_lossy(&bytes).into())
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(macros), Some(file)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: preprocess MACROS FILE [FOLDER...]");
        std::process::exit(2);
    };
    let read = |path: &str| Files.load(path).expect("a file that can be read");
    let options = PreprocessOptions {
        system_dirs: arguments.collect(),
        predefined: read(&macros).to_string(),
        ..PreprocessOptions::default()
    };
    let result = preprocess(&read(&file), &file, &options, &mut Files);
    let tokens = result
        .tokens
        .iter()
        .filter(|token| token.kind != TokenKind::Pragma);
    let spellings = tokens.map(|&token| result.spelling(token));
    let mut text = spellings.collect::<Vec<_>>().join("\n");
    text.push('\n');
    print!("{text}");
    result
        .diagnostics
        .iter()
        .for_each(|diagnostic| eprintln!("{}", diagnostic.render(false)));
    if result
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == keelback_cdef::Severity::Error)
    {
        std::process::exit(1);
    }
}
