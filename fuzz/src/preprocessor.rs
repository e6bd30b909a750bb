//! Any text is preprocessed, with itself to be included: no panic, every token has an origin, and every message is shown.
use std::sync::Arc;

use keelback_cdef::Target;
use keelback_cdef::preprocessor::{Loader, PreprocessOptions, predefined, preprocess};

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
}
