//! Preprocessing tokens (C11 6.4), and cutting a text into them.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::names::Names;
use crate::types::Symbol;

/// What a preprocessing token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    /// An identifier or a keyword.
    Name,
    /// A preprocessing number.
    Number,
    /// A character constant with its prefix.
    Character,
    /// A string literal with its prefix.
    Text,
    /// An operator or punctuator.
    Punctuator,
    /// Any other character.
    Other,
    /// The end of a line; only within directives.
    Newline,
    /// The end of the text.
    End,
    /// In a macro's body: the parameter with the number in `text`.
    Parameter,
    /// In a macro's body: the `__VA_OPT__(...)` with the number in `text`.
    VariadicPart,
    /// A `#pragma` that matters to declarations; its spelling is the whole line without `#pragma`.
    Pragma,
    /// An empty operand of `##` (C11 6.10.3.3).
    Placemarker,
}

/// White space came before.
pub(super) const SPACE: u8 = 1;
/// First of its line.
pub(super) const START: u8 = 2;
/// The name of a macro that is not to be expanded any more (C11 6.10.3.4).
pub(super) const PAINTED: u8 = 4;
/// In a macro's body: `#` stands before this parameter.
pub(super) const STRINGIFY: u8 = 8;
/// In a macro's body: `##` follows.
pub(super) const PASTE: u8 = 16;

/// A token, its spelling and its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    pub(super) flags: u8,
    pub(super) text: Symbol,
    /// Where it is written: the number of its text in `entered`, and the byte in it.
    pub(super) entered: u32,
    pub(super) at: u32,
    /// The number of the macro expansion it comes from; 0: none.
    pub(super) expansion: u32,
}

impl Token {
    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A text without its line splices (C11 5.1.1.2, phase 2). Trigraphs are not replaced, as in GNU C.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) text: Arc<str>,
    clean: Option<String>,
    /// For each splice: its byte in the clean text, and the number of bytes taken out up to it.
    splices: Vec<(u32, u32)>,
    /// Where the lines after the first begin in the text as it was written, computed at the first use.
    lines: OnceCell<Vec<u32>>,
}

impl Text {
    pub(super) fn new(text: Arc<str>) -> Self {
        let mut clean = String::new();
        let (mut splices, mut from, mut search) = (Vec::new(), 0, 0);
        while let Some(found) = text[search..].find('\\') {
            let at = search + found;
            let after = text[at + 1..].trim_start_matches([' ', '\t', '\r']);
            search = at + 1;
            // As in GNU C, blanks between the backslash and the line end are allowed.
            if let Some(rest) = after.strip_prefix('\n') {
                clean.push_str(&text[from..at]);
                from = text.len() - rest.len();
                search = from;
                splices.push((clean.len() as u32, (from - clean.len()) as u32));
            }
        }
        let clean = (!splices.is_empty()).then(|| clean + &text[from..]);
        Self {
            text,
            clean,
            splices,
            lines: OnceCell::new(),
        }
    }
    pub(super) fn clean(&self) -> &str {
        self.clean.as_deref().unwrap_or(&self.text)
    }
    /// Where the lines after the first begin in the text as it was written.
    fn starts(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let ends = self.text.match_indices('\n');
            ends.map(|(end, _)| end as u32 + 1).collect()
        })
    }
    /// The offset of a line (from 1) in the text as it was written.
    pub(super) fn line_start(&self, line: u32) -> u32 {
        match line.checked_sub(2) {
            None => 0,
            Some(index) => match self.starts().get(index as usize) {
                Some(&start) => start,
                None => self.text.len() as u32,
            },
        }
    }
    /// The line (from 1) that a byte of the text as it was written is in, and where that line begins.
    pub(super) fn line(&self, written: u32) -> (u32, u32) {
        let starts = self.starts();
        let before = starts.partition_point(|&start| start <= written);
        let start = before.checked_sub(1).map_or(0, |index| starts[index]);
        (before as u32 + 1, start)
    }
    /// The offset in the text as it was written for an offset in the clean text.
    pub(super) fn written(&self, at: u32) -> u32 {
        let before = self.splices.partition_point(|&(start, _)| start <= at);
        at + before
            .checked_sub(1)
            .map_or(0, |index| self.splices[index].1)
    }
}

/// Operators, longest first.
const PUNCTUATORS: [&str; 27] = [
    "%:%:", "...", "<<=", ">>=", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||",
    "*=", "/=", "%=", "+=", "-=", "&=", "^=", "|=", "##", "<:", ":>", "<%",
];
const MORE_PUNCTUATORS: [&str; 2] = ["%>", "%:"];

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// Reads one token at `*at`, which moves behind it. `Err`: a comment that does not end, at that byte.
pub(super) fn lex(
    text: &str,
    at: &mut usize,
    names: &mut Names,
    entered: u32,
) -> Result<Token, usize> {
    let bytes = text.as_bytes();
    let mut flags = if *at == 0 || bytes[*at - 1] == b'\n' {
        START
    } else {
        0
    };
    loop {
        match bytes.get(*at) {
            Some(b' ' | b'\t' | b'\r' | 0x0b | 0x0c) => *at += 1,
            Some(b'/') if bytes.get(*at + 1) == Some(&b'*') => match text[*at + 2..].find("*/") {
                Some(length) => *at += length + 4,
                None => return Err(std::mem::replace(at, text.len())),
            },
            Some(b'/') if bytes.get(*at + 1) == Some(&b'/') => {
                *at = text[*at..].find('\n').map_or(text.len(), |end| *at + end);
            }
            _ => break,
        }
        flags |= SPACE;
    }
    let start = *at;
    let (kind, end) = scan(text, start);
    *at = end;
    Ok(Token {
        kind,
        flags,
        text: names.intern(&text[start..end]),
        entered,
        at: start as u32,
        expansion: 0,
    })
}

/// The kind and the end of the token that starts at `start`.
fn scan(text: &str, start: usize) -> (TokenKind, usize) {
    let bytes = text.as_bytes();
    let Some(&first) = bytes.get(start) else {
        return (TokenKind::End, start);
    };
    if first == b'\n' {
        return (TokenKind::Newline, start + 1);
    }
    let second = bytes.get(start + 1).copied().unwrap_or(0);
    if first.is_ascii_digit() || first == b'.' && second.is_ascii_digit() {
        return (TokenKind::Number, number_end(bytes, start));
    }
    if is_name_byte(first) {
        let length = bytes[start..]
            .iter()
            .take_while(|&&byte| is_name_byte(byte))
            .count();
        let end = start + length;
        let is_prefix = matches!(&text[start..end], "L" | "u" | "U" | "u8");
        return match bytes.get(end) {
            Some(b'"' | b'\'') if is_prefix => quoted(text, start, end),
            _ => (TokenKind::Name, end),
        };
    }
    if matches!(first, b'"' | b'\'') {
        return quoted(text, start, start);
    }
    let rest = &bytes[start..];
    for operator in PUNCTUATORS.iter().chain(&MORE_PUNCTUATORS) {
        if rest.starts_with(operator.as_bytes()) {
            return (TokenKind::Punctuator, start + operator.len());
        }
    }
    let known = b"[](){}.&*+-~!/%<>^|?:;=,#".contains(&first);
    let kind = if known {
        TokenKind::Punctuator
    } else {
        TokenKind::Other
    };
    (kind, start + 1)
}

fn number_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start + 1;
    while let Some(&byte) = bytes.get(end) {
        let exponent = matches!(bytes[end - 1], b'e' | b'E' | b'p' | b'P');
        // C23's digit separator.
        let separator = byte == b'\'' && bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
        if !(is_name_byte(byte)
            || byte == b'.'
            || separator
            || exponent && matches!(byte, b'+' | b'-'))
        {
            break;
        }
        end += 1;
    }
    end
}

/// The literal whose quote is at `quote`. If it does not end on its line, the rest of the line is one
/// [`TokenKind::Other`].
fn quoted(text: &str, start: usize, quote: usize) -> (TokenKind, usize) {
    let bytes = text.as_bytes();
    let mut end = quote + 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\n' => break,
            b'\\' if bytes.get(end + 1).is_some_and(|&next| next != b'\n') => end += 1,
            _ if byte == bytes[quote] => {
                let kind = if byte == b'"' {
                    TokenKind::Text
                } else {
                    TokenKind::Character
                };
                debug_assert!(start <= quote);
                return (kind, end + 1);
            }
            _ => {}
        }
        end += 1;
    }
    // A backslash may stand in front of a character of several bytes: end at a character boundary.
    while !text.is_char_boundary(end.min(text.len())) {
        end += 1;
    }
    (TokenKind::Other, end.min(text.len()))
}
