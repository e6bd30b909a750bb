//! The targets by name.

use super::{cdef, initialiser, payload, preprocessor, tables, type_string};

/// What a target does with an input.
pub type Body = fn(&[u8]);

/// The targets by name, for inputs from files.
pub const TARGETS: [(&str, Body); 6] = [
    ("cdef", |data| with_text(data, cdef::run)),
    ("type_string", |data| with_text(data, type_string::run)),
    ("initialiser", |data| with_text(data, initialiser::run)),
    ("payload", payload::run),
    ("preprocessor", |data| with_text(data, preprocessor::run)),
    ("tables", tables::run),
];

/// Skips inputs that are not UTF-8, as libFuzzer does for targets that take text.
fn with_text(data: &[u8], body: fn(&str)) {
    if let Ok(text) = std::str::from_utf8(data) {
        body(text);
    }
}
