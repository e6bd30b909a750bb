//! Writes the result as one text for the parser, with line markers that give every token its file and line.

use super::Preprocessed;
use super::origin::Entered;
use super::token::{SPACE, START, Token, TokenKind};

/// A preprocessed text.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    /// Where each token of the result begins.
    starts: Vec<u32>,
}

impl Rendered {
    /// The number of the token that contains a byte, or of the last one before it.
    pub(crate) fn token_at(&self, at: u32) -> Option<usize> {
        self.starts
            .partition_point(|&start| start <= at)
            .checked_sub(1)
    }
}

/// More lines than these are skipped by a line marker.
const MOST_NEWLINES: u32 = 8;

struct Writer<'a> {
    result: &'a Preprocessed,
    out: Rendered,
    file: &'a str,
    line: u32,
    /// The last token.
    before: Option<Token>,
    /// For each text of a main file: the byte behind the last token written.
    ends: Vec<u32>,
    with_comments: bool,
}

impl Preprocessed {
    /// The text for the parser. `with_comments` keeps comments of main files that may be documentation.
    pub(crate) fn render(&self, with_comments: bool) -> Rendered {
        let mut writer = Writer {
            result: self,
            out: Rendered::default(),
            file: "",
            line: 0,
            before: None,
            ends: vec![0; self.entered.len()],
            with_comments,
        };
        for &token in &self.tokens {
            writer.token(token);
        }
        if with_comments {
            writer.last_comment();
        }
        writer.out.text.push('\n');
        writer.out
    }

    /// A `#define` line with the name and the expansion of a macro.
    pub(crate) fn render_macro(&self, index: usize) -> String {
        let found = &self.macros[index];
        let mut text = format!("#define {}", self.spelling(found.name));
        let mut before = None;
        for &token in &found.tokens {
            if before.is_none_or(|before| self.is_spaced(before, token)) {
                text.push(' ');
            }
            text.push_str(self.spelling(token));
            before = Some(token);
        }
        text
    }

    /// Whether white space must separate two tokens.
    fn is_spaced(&self, before: Token, token: Token) -> bool {
        if token.has(SPACE | START) {
            return true;
        }
        if before.expansion == 0 && token.expansion == 0 && before.entered == token.entered {
            return false;
        }
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '"' | '\'');
        let last = self.spelling(before).chars().next_back().unwrap_or(' ');
        let first = self.spelling(token).chars().next().unwrap_or(' ');
        let joins = "+-&|<>=#:%/*!^.";
        is_word(last) && is_word(first) || joins.contains(last) && joins.contains(first)
    }
}

impl Writer<'_> {
    fn token(&mut self, token: Token) {
        let (entered, at) = self.result.used_at(token);
        let is_main = self.result.main_of(token).is_some();
        let spelling = self.result.spelling(token);
        if token.kind == TokenKind::Pragma {
            self.go_to(entered, at);
            self.new_line();
            self.out.starts.push(self.out.text.len() as u32);
            self.out.text.push_str("#pragma ");
            self.out.text.push_str(spelling);
            // A pragma needs a line of its own; the next token gets a line marker.
            self.out.text.push('\n');
            self.file = "";
            self.before = None;
        } else {
            let before = self.before.filter(|_| !token.has(START));
            let same_line = before.is_some_and(|before| self.result.used_at(before).0 == entered);
            if self.with_comments && is_main && token.has(START) {
                self.comments(entered, at);
            }
            if !same_line {
                self.go_to(entered, at);
            }
            if self.out.text.ends_with('\n') {
                let indentation = self.result.entered[entered as usize].indentation(at);
                self.out.text.push_str(indentation);
            } else if self
                .before
                .is_some_and(|before| self.result.is_spaced(before, token))
            {
                self.out.text.push(' ');
            }
            self.out.starts.push(self.out.text.len() as u32);
            self.out.text.push_str(spelling);
            self.before = Some(token);
        }
        if is_main {
            let length = if token.expansion == 0 {
                spelling.len() as u32
            } else {
                0
            };
            self.ends[entered as usize] = at + length;
        }
    }

    fn new_line(&mut self) {
        if !self.out.text.is_empty() && !self.out.text.ends_with('\n') {
            self.out.text.push('\n');
            self.line += 1;
        }
    }

    /// Goes to the line of a byte.
    fn go_to(&mut self, entered: u32, at: u32) {
        let (file, line) = self.result.entered[entered as usize].file_and_line(at);
        let is_near = file == self.file && line >= self.line && line - self.line <= MOST_NEWLINES;
        if is_near {
            while self.line < line {
                self.out.text.push('\n');
                self.line += 1;
            }
            return;
        }
        self.new_line();
        self.out.text.push_str(&format!("# {line} \"{file}\"\n"));
        (self.file, self.line) = (file, line);
    }

    /// The comments between the last token of a text and the one at `at`, which begins a line.
    fn comments(&mut self, entered: u32, at: u32) {
        let text = &self.result.entered[entered as usize];
        let from = self.ends[entered as usize];
        let is_behind = self.before.is_some_and(|before| {
            let (of, before) = self.result.used_at(before);
            of == entered && before <= from
        });
        for comment in comments(text, from, at) {
            if comment.is_trailing && !is_behind {
                continue;
            }
            if comment.is_trailing {
                self.out.text.push(' ');
            } else {
                self.go_to(entered, comment.start);
                self.out.text.push_str(text.indentation(comment.start));
            }
            let written = &text.text.clean()[comment.start as usize..comment.end as usize];
            self.out.text.push_str(written);
            self.line += written.bytes().filter(|&byte| byte == b'\n').count() as u32;
            if written.starts_with("//") {
                self.out.text.push('\n');
                self.line += 1;
            }
        }
    }

    /// The comment behind the last token, on its line.
    fn last_comment(&mut self) {
        let is_main = |before: &Token| self.result.main_of(*before).is_some();
        let Some(before) = self.before.filter(is_main) else {
            return;
        };
        let (entered, _) = self.result.used_at(before);
        let text = &self.result.entered[entered as usize];
        let (from, clean) = (self.ends[entered as usize], text.text.clean());
        let found = comments(text, from, clean.len() as u32);
        if let Some(comment) = found.first().filter(|comment| comment.is_trailing) {
            self.out.text.push(' ');
            self.out
                .text
                .push_str(&clean[comment.start as usize..comment.end as usize]);
        }
    }
}

struct Comment {
    start: u32,
    end: u32,
    /// It stands on the line of the token before it.
    is_trailing: bool,
}

/// The comments from `from` to `to` that directly precede the token at `to`, and a comment on the line of the token
/// before `from`.
fn comments(text: &Entered, from: u32, to: u32) -> Vec<Comment> {
    let clean = text.text.clean();
    let bytes = clean.as_bytes();
    let (mut at, to) = (from as usize, to as usize);
    let mut found: Vec<Comment> = Vec::new();
    // `line_is_empty`: only white space since the last line end. `is_first`: still on the line of the token before.
    let (mut line_is_empty, mut is_first) = (from == 0, from != 0);
    while at < to {
        let end = match &bytes[at..to] {
            [b'/', b'/', ..] => clean[at..to].find('\n').map(|length| at + length),
            [b'/', b'*', ..] => clean[at + 2..to]
                .find("*/")
                .map(|length| at + 2 + length + 2),
            _ => None,
        };
        if let Some(end) = end {
            let is_trailing = is_first;
            is_first = false;
            let rest = clean[end..to].trim_start_matches([' ', '\t', '\r']);
            if line_is_empty || is_trailing && rest.starts_with('\n') {
                found.push(Comment {
                    start: at as u32,
                    end: end as u32,
                    is_trailing,
                });
            }
            at = end;
            continue;
        }
        match bytes[at] {
            b'\n' => (line_is_empty, is_first) = (true, false),
            b' ' | b'\t' | b'\r' => {}
            _ => {
                found.retain(|comment| comment.is_trailing);
                (line_is_empty, is_first) = (false, false);
            }
        }
        at += 1;
    }
    found
}
