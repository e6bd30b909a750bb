//! Any text is preprocessed, with itself to be included: no panic, every token has an origin, and every message is shown.
use std::sync::Arc;

use keelback_cdef::header::{HeaderFile, HeaderOptions, read};
use keelback_cdef::preprocessor::{Loader, PreprocessOptions, predefined, preprocess};
use keelback_cdef::{Declarations, ParseOptions, Target};

struct Itself(Arc<str>);

impl Loader for Itself {
    fn load(&mut self, path: &str) -> Option<Arc<str>> {
        path.ends_with("a.h").then(|| Arc::clone(&self.0))
    }
}

/// Preprocesses `text`.
pub fn run(text: &str) {
    let options = PreprocessOptions {
        include_dirs: vec!["first".into()],
        system_dirs: vec!["second".into()],
        predefined: predefined(&Target::X86_64_SYSV),
        commands: String::new(),
    };
    let result = preprocess(text, "a.h", &options, &mut Itself(text.into()));
    for &token in result.tokens.iter().take(1000) {
        assert!(!result.spelling(token).is_empty());
        let origin = result.origin(token);
        assert!(origin.place.line > 0 && origin.place.column > 0);
    }
    for diagnostic in &result.diagnostics {
        drop(diagnostic.render(false));
    }
    as_header(text, options);
}

/// Reads it as a header: what comes out is a cdef.
fn as_header(text: &str, preprocess: PreprocessOptions) {
    let named = HeaderFile {
        name: "a.h",
        text,
        is_exported: false,
    };
    let options = HeaderOptions {
        preprocess,
        ..HeaderOptions::default()
    };
    let known = Declarations::default();
    match read(&[named], &options, &known, &mut Itself(text.into())) {
        Ok(header) => {
            let options = ParseOptions {
                of_headers: true,
                other_macros: true,
                ..ParseOptions::default()
            };
            drop(Declarations::default().parse(&header.text(), &options));
        }
        Err(errors) => {
            for error in errors {
                drop(error.render(false));
            }
        }
    }
}
