//! Lexical parts of C: string literals, keywords, and a simple tokeniser for rewriting texts.

use std::fmt::Write;
use std::ops::Range;

/// `text` as a C string literal, in pieces of one source line each. Bytes that are not printable ASCII are escaped, so
/// that it has the same bytes for every compiler and source character set.
pub(crate) fn literal(text: &str) -> String {
    literal_of_bytes(text.as_bytes())
}

/// As [`literal`], for any bytes.
pub(crate) fn literal_of_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + bytes.len() / 8 + 2);
    out.push('"');
    let mut column = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => {
                out.push_str("\\n");
                column = usize::MAX;
            }
            b'\t' => out.push_str("\\t"),
            b'"' | b'\\' => {
                out.push('\\');
                out.push(byte as char);
            }
            // Avoid trigraphs.
            b'?' if index > 0 && bytes[index - 1] == b'?' => out.push_str("\\?"),
            b' '..=b'~' => out.push(byte as char),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
        column = usize::saturating_add(column, 1);
        if column > 2000 && index + 1 < bytes.len() {
            out.push_str("\"\n    \"");
            column = 0;
        }
    }
    out.push('"');
    out
}

/// A literal, or `NULL`.
pub(crate) fn literal_or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

/// A text without its comments, but with the same line numbers.
pub(crate) fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for token in tokens(text) {
        if token.kind == TokenKind::Comment {
            out.push_str(text[copied..token.range.start].trim_end_matches(' '));
            out.push(' ');
            out.extend(text[token.range.clone()].matches('\n'));
            copied = token.range.end;
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// Whether `text` is an identifier of C that is spelled in ASCII.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.bytes().enumerate().all(|(index, byte)| {
        byte == b'_' || byte.is_ascii_alphabetic() || (index > 0 && byte.is_ascii_digit())
    }) && !text.is_empty()
}

/// A keyword of some C from C99 to C23. Compilers' own spellings (`__inline`) are not among them.
pub(crate) fn is_c_keyword(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "_Alignas",
        "_Alignof",
        "_Atomic",
        "_BitInt",
        "_Bool",
        "_Complex",
        "_Decimal128",
        "_Decimal32",
        "_Decimal64",
        "_Generic",
        "_Imaginary",
        "_Noreturn",
        "_Static_assert",
        "_Thread_local",
        "alignas",
        "alignof",
        "asm",
        "auto",
        "bool",
        "break",
        "case",
        "char",
        "const",
        "constexpr",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "false",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "nullptr",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "static_assert",
        "struct",
        "switch",
        "thread_local",
        "true",
        "typedef",
        "typeof",
        "typeof_unqual",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
    ];
    WORDS.binary_search(&word).is_ok()
}

/// A keyword of some C++ up to C++23 that C does not have; alternative operator names included.
pub(crate) fn is_cpp_keyword(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "and",
        "and_eq",
        "bitand",
        "bitor",
        "catch",
        "char16_t",
        "char32_t",
        "char8_t",
        "class",
        "co_await",
        "co_return",
        "co_yield",
        "compl",
        "concept",
        "const_cast",
        "consteval",
        "constinit",
        "decltype",
        "delete",
        "dynamic_cast",
        "explicit",
        "export",
        "friend",
        "mutable",
        "namespace",
        "new",
        "noexcept",
        "not",
        "not_eq",
        "operator",
        "or",
        "or_eq",
        "private",
        "protected",
        "public",
        "reinterpret_cast",
        "requires",
        "static_cast",
        "template",
        "this",
        "throw",
        "try",
        "typeid",
        "typename",
        "using",
        "virtual",
        "wchar_t",
        "xor",
        "xor_eq",
    ];
    WORDS.binary_search(&word).is_ok()
}

/// The kind of a token, as far as rewriting needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TokenKind {
    /// Identifier or keyword.
    Word,
    /// A number, string or character literal.
    Literal,
    /// `...`
    Ellipsis,
    /// A comment.
    Comment,
    /// A whole preprocessor line, continuation lines included, without its newline.
    Directive,
    /// Any other single character.
    Punctuation(u8),
}

/// A token and the bytes it spans.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Where it is.
    pub(crate) range: Range<usize>,
}

impl Token {
    /// Whether it is this character.
    pub(crate) fn is(&self, punctuation: u8) -> bool {
        self.kind == TokenKind::Punctuation(punctuation)
    }
}

/// The tokens of a text that the cdef parser has accepted, so no error is possible here.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut line_is_blank = true;
    while at < bytes.len() {
        let start = at;
        let byte = bytes[at];
        let kind = match byte {
            b'\n' => {
                line_is_blank = true;
                at += 1;
                continue;
            }
            b' ' | b'\t' | b'\r' | b'\x0b' | b'\x0c' => {
                at += 1;
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = line_end(bytes, at);
                TokenKind::Comment
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = text[at + 2..]
                    .find("*/")
                    .map_or(bytes.len(), |end| at + 2 + end + 2);
                tokens.push(Token {
                    kind: TokenKind::Comment,
                    range: start..at,
                });
                continue;
            }
            b'#' if line_is_blank => {
                at = directive_end(bytes, at);
                TokenKind::Directive
            }
            b'"' | b'\'' => {
                at = quote_end(bytes, at);
                TokenKind::Literal
            }
            b'.' if bytes[at..].starts_with(b"...") => {
                at += 3;
                TokenKind::Ellipsis
            }
            _ if byte == b'_' || byte == b'$' || byte.is_ascii_alphabetic() || byte >= 0x80 => {
                while at < bytes.len()
                    && (bytes[at] == b'_'
                        || bytes[at] == b'$'
                        || bytes[at] >= 0x80
                        || bytes[at].is_ascii_alphanumeric())
                {
                    at += 1;
                }
                TokenKind::Word
            }
            b'0'..=b'9' => {
                while at < bytes.len()
                    && (bytes[at].is_ascii_alphanumeric()
                        || bytes[at] == b'.' && !bytes[at..].starts_with(b"..."))
                {
                    at += 1;
                }
                TokenKind::Literal
            }
            _ => {
                at += 1;
                TokenKind::Punctuation(byte)
            }
        };
        line_is_blank = false;
        tokens.push(Token {
            kind,
            range: start..at,
        });
    }
    tokens
}

/// The end of the line; a backslash in front of a newline continues it.
fn line_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' && bytes.get(at + 1) == Some(&b'\n') {
            2
        } else {
            1
        };
    }
    at.min(bytes.len())
}

/// As [`line_end`], for a directive: a comment at its end is not part of it.
fn directive_end(bytes: &[u8], start: usize) -> usize {
    let end = line_end(bytes, start);
    let mut at = start;
    while at < end {
        match bytes[at] {
            b'"' | b'\'' => at = quote_end(bytes, at).min(end),
            b'/' if matches!(bytes.get(at + 1), Some(b'/' | b'*')) => break,
            _ => at += 1,
        }
    }
    while at > start && bytes[at - 1].is_ascii_whitespace() {
        at -= 1;
    }
    at
}

fn quote_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != bytes[start] && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// `text` with every whole word `from` replaced.
pub(crate) fn replace_word(text: &str, from: &str, to: &str) -> String {
    if !text.contains(from) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for token in tokens(text) {
        if token.kind == TokenKind::Word && &text[token.range.clone()] == from {
            out.push_str(&text[copied..token.range.start]);
            out.push_str(to);
            copied = token.range.end;
        }
    }
    out.push_str(&text[copied..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_escape_everything_but_printable_ascii() {
        assert_eq!(literal("a\"b\\c\td"), r#""a\"b\\c\td""#);
        assert_eq!(literal("é\0??/x"), r#""\303\251\000?\?/x""#);
        assert_eq!(literal("a\nb\n"), "\"a\\n\"\n    \"b\\n\"");
        assert_eq!(literal(""), "\"\"");
        assert_eq!(literal_or_null(None), "NULL");
    }

    #[test]
    fn an_octal_escape_does_not_swallow_a_digit() {
        assert_eq!(literal("\u{1}7"), r#""\0017""#);
    }

    #[test]
    fn keyword_lists_are_sorted() {
        assert!(is_c_keyword("int") && is_c_keyword("while") && is_c_keyword("_Alignas"));
        assert!(is_cpp_keyword("class") && is_cpp_keyword("and") && is_cpp_keyword("xor_eq"));
        assert!(!is_cpp_keyword("int") && !is_c_keyword("klass"));
    }

    #[test]
    fn tokens_know_comments_directives_and_ellipses() {
        let text = "# define A 1 // a\nint f(int, ...); /* x */ char c = '\\'';";
        let kinds: Vec<&str> = tokens(text)
            .iter()
            .map(|t| &text[t.range.clone()])
            .collect();
        assert_eq!(
            kinds,
            [
                "# define A 1",
                "// a",
                "int",
                "f",
                "(",
                "int",
                ",",
                "...",
                ")",
                ";",
                "/* x */",
                "char",
                "c",
                "=",
                "'\\''",
                ";"
            ]
        );
    }

    #[test]
    fn words_are_replaced_whole() {
        assert_eq!(
            replace_word("_Bool f(_Bool x_Bool)", "_Bool", "b"),
            "b f(b x_Bool)"
        );
    }
}
