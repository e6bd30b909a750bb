//! What a header for parsers without a preprocessor says in another way.

use keelback_cdef::Declarations;

use crate::c_text::{Token, TokenKind};

/// An integer macro as an enumerator; parsers that know no macros know those. Other values have no form there.
pub(super) fn integer_macro(declarations: &Declarations, line: &str) -> Option<String> {
    let definition = line[1..].trim_start().strip_prefix("define")?.trim_start();
    let end = definition.find(|c: char| !c.is_alphanumeric() && c != '_');
    let name = &definition[..end.unwrap_or(definition.len())];
    constant(name, declarations.lookup_constant(name)?.value?)
}

/// `enum { NAME = VALUE };`
pub(super) fn constant(name: &str, value: i128) -> Option<String> {
    // What is larger is no enumerator for all of them, and the least number none that can be written.
    let value = i64::try_from(value)
        .ok()
        .filter(|&value| value != i64::MIN)?;
    Some(format!("enum {{ {name} = {value} }};"))
}

/// The token behind the parentheses that open at `index`.
pub(super) fn parentheses_end(tokens: &[Token], index: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(index) {
        match token.kind {
            TokenKind::Punctuation(b'(') => depth += 1,
            TokenKind::Punctuation(b')') => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return (at > index).then_some(at + 1);
        }
    }
    None
}
