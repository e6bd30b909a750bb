//! From text to tokens, without copying. Lines and columns are counted only when a message needs them.

use crate::keyword::Keyword;
use crate::source::Span;
use crate::types::{Symbol, TypeTable};

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tok {
    Eof,
    Name,
    Keyword(Keyword),
    Number,
    Char,
    String,
    /// `#` at the start of a line.
    Directive,
    /// A character that C has no use for, or a `#` elsewhere.
    Stray,
    /// A comment or a literal that doesn't end.
    Unterminated,
    LParen,
    RParen,
    LBrace,
    RBrace,
    LBracket,
    RBracket,
    Semicolon,
    Comma,
    Star,
    Ellipsis,
    Assign,
    Colon,
    ColonColon,
    Dot,
    Arrow,
    Plus,
    Minus,
    Slash,
    Percent,
    Ampersand,
    Pipe,
    Caret,
    Tilde,
    Bang,
    Question,
    ShiftLeft,
    ShiftRight,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    Equal,
    NotEqual,
    AndAnd,
    OrOr,
}

/// A token and where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) tok: Tok,
    /// The symbol of a name or keyword; meaningless for other tokens.
    pub(crate) symbol: Symbol,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// Reads tokens from a text. Copies are cheap: the parser keeps one to come back to a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    /// What is to be read: the text, or its part up to the end of a directive's line.
    bytes: &'a [u8],
    pub(crate) position: usize,
    /// Nothing but white space and comments since the last newline.
    at_line_start: bool,
    /// The comment in front of the token last read, if it may be its documentation.
    pub(crate) doc: (u32, u32),
}

const NAME_START: u8 = 1;
const NAME: u8 = 2;
const DIGIT: u8 = 4;

/// Classes of bytes. Bytes of non-ASCII characters count as letters, which C11 6.4.2.1 leaves to the implementation.
const CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let c = byte as u8;
        table[byte] = if c.is_ascii_alphabetic() || c == b'_' || c == b'$' || c >= 0x80 {
            NAME_START | NAME
        } else if c.is_ascii_digit() {
            NAME | DIGIT
        } else {
            0
        };
        byte += 1;
    }
    table
};

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            // Skip the byte order mark that some editors write in front of UTF-8.
            bytes: text.as_bytes(),
            position: if text.starts_with('\u{feff}') { 3 } else { 0 },
            at_line_start: true,
            doc: (0, 0),
        }
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Where reading stops.
    pub(crate) fn end(&self) -> usize {
        self.bytes.len()
    }

    /// Makes reading stop at `end`.
    pub(crate) fn set_end(&mut self, end: usize) {
        self.bytes = &self.text.as_bytes()[..end];
    }

    /// If a backslash and a line end (a splice) begin at `at`: their length.
    fn splice(&self, at: usize) -> Option<usize> {
        if self.byte(at) != b'\\' {
            return None;
        }
        match (self.byte(at + 1), self.byte(at + 2)) {
            (b'\n', _) => Some(2),
            (b'\r', b'\n') => Some(3),
            _ => None,
        }
    }

    /// The end of a `//` comment that starts at `at`. As in CFFI a backslash escapes the byte behind it, so
    /// that an odd number of them continues the comment on the next line.
    fn line_comment_end(&self, mut at: usize) -> usize {
        while at < self.end() {
            match self.byte(at) {
                b'\n' => return at,
                b'\\' => at += if self.byte(at + 1) == b'\r' { 3 } else { 2 },
                _ => at += 1,
            }
        }
        self.end()
    }

    /// The end of a `/*` comment whose inside starts at `at`.
    fn block_comment_end(&self, at: usize) -> Option<usize> {
        let bytes = &self.bytes[at.min(self.end())..];
        bytes
            .windows(2)
            .position(|pair| pair == b"*/")
            .map(|found| at + found + 2)
    }

    /// Skips white space and comments. `Err`: an unterminated comment starts there.
    fn skip_trivia(&mut self) -> Result<(), usize> {
        self.doc = (0, 0);
        // A comment on the same line as the token before documents that token, not the next.
        let mut own_line = self.at_line_start;
        let mut newlines_since_comment = 0;
        loop {
            match self.byte(self.position) {
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c => self.position += 1,
                b'\n' => {
                    self.position += 1;
                    self.at_line_start = true;
                    own_line = true;
                    newlines_since_comment += 1;
                }
                b'\\' => match self.splice(self.position) {
                    Some(length) => self.position += length,
                    None => break,
                },
                b'/' => {
                    let start = self.position;
                    let end = match self.byte(start + 1) {
                        b'/' => self.line_comment_end(start + 2),
                        b'*' => self.block_comment_end(start + 2).ok_or(start)?,
                        _ => break,
                    };
                    if own_line {
                        let joins = self.doc.1 != 0 && newlines_since_comment <= 1;
                        let from = if joins { self.doc.0 } else { start as u32 };
                        self.doc = (from, end as u32);
                        newlines_since_comment = 0;
                    }
                    self.position = end;
                }
                _ => break,
            }
        }
        if newlines_since_comment > 1 {
            self.doc = (0, 0);
        }
        Ok(())
    }

    /// The next token.
    pub(crate) fn next(&mut self, names: &mut TypeTable) -> Token {
        let token = |tok, start: usize, end: usize| Token {
            tok,
            symbol: Symbol(0),
            start: start as u32,
            end: end as u32,
        };
        if let Err(start) = self.skip_trivia() {
            self.position = self.end();
            return token(Tok::Unterminated, start, (start + 2).min(self.end()));
        }
        let start = self.position;
        if start >= self.end() {
            return token(Tok::Eof, self.end(), self.end());
        }
        let line_start = std::mem::replace(&mut self.at_line_start, false);
        let first = self.byte(start);
        let class = CLASS[first as usize];
        if class & NAME_START != 0 {
            return self.name(start, names);
        }
        let second = self.byte(start + 1);
        if class & DIGIT != 0 || (first == b'.' && second.is_ascii_digit()) {
            return self.number(start);
        }
        let (tok, length) = match first {
            b'#' if line_start => (Tok::Directive, 1),
            b'"' | b'\'' => return self.quoted(start, start, first),
            _ => punctuation(first, second, self.byte(start + 2)),
        };
        self.position = start + length;
        token(tok, start, self.position)
    }

    /// A name, a keyword, or a literal with a prefix.
    fn name(&mut self, start: usize, names: &mut TypeTable) -> Token {
        let mut end = start + 1;
        while CLASS[self.byte(end) as usize] & NAME != 0 {
            end += 1;
        }
        let next = self.byte(end);
        if (next == b'\'' || next == b'"')
            && matches!(&self.text[start..end], "L" | "u" | "U" | "u8")
        {
            return self.quoted(start, end, next);
        }
        self.position = end;
        let symbol = names.symbol(&self.text[start..end]);
        Token {
            tok: Keyword::of(symbol).map_or(Tok::Name, Tok::Keyword),
            symbol,
            start: start as u32,
            end: end as u32,
        }
    }

    /// A preprocessing number (C11 6.4.8): its text is checked when its value is needed.
    fn number(&mut self, start: usize) -> Token {
        let mut end = start + 1;
        let hexadecimal = self.byte(start) == b'0' && matches!(self.byte(end), b'x' | b'X');
        loop {
            let byte = self.byte(end);
            let exponent = if hexadecimal {
                matches!(byte, b'p' | b'P')
            } else {
                matches!(byte, b'e' | b'E')
            };
            if exponent && matches!(self.byte(end + 1), b'+' | b'-') {
                end += 2;
            } else if CLASS[byte as usize] & NAME != 0
                // In C the dots of `1...` belong to the number; in a cdef `...` is a token of its own.
                || (byte == b'.' && self.byte(end + 1) != b'.')
                || (byte == b'\'' && CLASS[self.byte(end + 1) as usize] & NAME != 0)
            {
                end += 1;
            } else {
                break;
            }
        }
        self.position = end;
        Token {
            tok: Tok::Number,
            symbol: Symbol(0),
            start: start as u32,
            end: end as u32,
        }
    }

    /// A character or string literal whose quote is at `at`.
    fn quoted(&mut self, start: usize, at: usize, quote: u8) -> Token {
        let mut end = at + 1;
        let tok = loop {
            match self.byte(end) {
                byte if byte == quote && end < self.end() => {
                    end += 1;
                    break if quote == b'"' {
                        Tok::String
                    } else {
                        Tok::Char
                    };
                }
                b'\\' if end + 1 < self.end() => end += 2,
                b'\n' => break Tok::Unterminated,
                _ if end >= self.end() => break Tok::Unterminated,
                _ => end += 1,
            }
        };
        let end = end.min(self.end());
        self.position = end;
        self.at_line_start = false;
        Token {
            tok,
            symbol: Symbol(0),
            start: start as u32,
            end: end as u32,
        }
    }

    /// Where the directive that `position` is in ends: its newline, or the end of the text. Line splices
    /// and block comments carry it on.
    pub(crate) fn directive_end(&self) -> usize {
        let mut at = self.position;
        while at < self.end() {
            match (self.byte(at), self.byte(at + 1)) {
                (b'\n', _) => return at,
                (b'/', b'/') => return self.line_comment_end(at + 2),
                (b'/', b'*') => match self.block_comment_end(at + 2) {
                    Some(end) => at = end,
                    None => return self.end(),
                },
                (quote @ (b'"' | b'\''), _) => {
                    at += 1;
                    while at < self.end() && self.byte(at) != quote && self.byte(at) != b'\n' {
                        at += if self.byte(at) == b'\\' { 2 } else { 1 };
                    }
                    if self.byte(at) == quote {
                        at += 1;
                    }
                }
                (b'\\', b'\r') => at += 3,
                (b'\\', _) => at += 2,
                _ => at += 1,
            }
        }
        self.end()
    }

    /// Continues behind a directive that ended at `end` (see [`Self::directive_end`]).
    pub(crate) fn resume(&mut self, end: usize, text_end: usize) {
        self.set_end(text_end);
        self.position = end;
        self.at_line_start = false;
    }
}

impl Token {
    pub(crate) fn span(&self, source: crate::source::SourceId) -> Span {
        Span {
            source,
            start: self.start,
            end: self.end,
        }
    }
}

/// The operator or punctuator that begins with the byte `first`, and its length. `second` and `third` are the bytes
/// behind it. A byte that begins none is [`Tok::Stray`].
#[inline]
fn punctuation(first: u8, second: u8, third: u8) -> (Tok, usize) {
    match (first, second) {
        (b'(', _) => (Tok::LParen, 1),
        (b')', _) => (Tok::RParen, 1),
        (b'{', _) => (Tok::LBrace, 1),
        (b'}', _) => (Tok::RBrace, 1),
        (b'[', _) => (Tok::LBracket, 1),
        (b']', _) => (Tok::RBracket, 1),
        (b';', _) => (Tok::Semicolon, 1),
        (b',', _) => (Tok::Comma, 1),
        (b'*', _) => (Tok::Star, 1),
        (b'.', b'.') if third == b'.' => (Tok::Ellipsis, 3),
        (b'.', _) => (Tok::Dot, 1),
        (b'=', b'=') => (Tok::Equal, 2),
        (b'=', _) => (Tok::Assign, 1),
        (b':', b':') => (Tok::ColonColon, 2),
        (b':', _) => (Tok::Colon, 1),
        (b'-', b'>') => (Tok::Arrow, 2),
        (b'-', _) => (Tok::Minus, 1),
        (b'+', _) => (Tok::Plus, 1),
        (b'/', _) => (Tok::Slash, 1),
        (b'%', _) => (Tok::Percent, 1),
        (b'&', b'&') => (Tok::AndAnd, 2),
        (b'&', _) => (Tok::Ampersand, 1),
        (b'|', b'|') => (Tok::OrOr, 2),
        (b'|', _) => (Tok::Pipe, 1),
        (b'^', _) => (Tok::Caret, 1),
        (b'~', _) => (Tok::Tilde, 1),
        (b'!', b'=') => (Tok::NotEqual, 2),
        (b'!', _) => (Tok::Bang, 1),
        (b'?', _) => (Tok::Question, 1),
        (b'<', b'<') => (Tok::ShiftLeft, 2),
        (b'<', b'=') => (Tok::LessEqual, 2),
        (b'<', _) => (Tok::Less, 1),
        (b'>', b'>') => (Tok::ShiftRight, 2),
        (b'>', b'=') => (Tok::GreaterEqual, 2),
        (b'>', _) => (Tok::Greater, 1),
        _ => (Tok::Stray, 1),
    }
}
