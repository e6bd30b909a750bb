//! Lines that start with `#`.

use std::sync::Arc;

use crate::declarations::Macro;
use crate::diagnostic::Diagnostic;
use crate::lexer::{Lexer, Tok};
use crate::message;
use crate::source::{LineMarker, Span};
use crate::types::Symbol;

use super::attribute_table::{PragmaEffect, pragma_effect};
use super::{Parse, Parser};

impl Parser<'_> {
    /// Carries out the directive whose `#` was just read, and goes to the end of its line. Errors are recorded instead
    /// of returned, because a directive may stand in the middle of any declaration.
    pub(super) fn directive(&mut self) {
        let hash = self.span();
        let text_end = self.lexer.end();
        let doc = self.lexer.doc;
        let end = self.lexer.directive_end();
        self.lexer.set_end(end);
        let previous_end = self.previous_end;
        self.tok = self.lexer.next(&mut self.decls.types);
        let result = match (self.tok.tok, self.text_of(self.tok)) {
            (Tok::Eof, _) => Ok(()),
            (Tok::Number, _) => self.line_marker(end),
            (_, "line") => {
                self.tok = self.lexer.next(&mut self.decls.types);
                self.line_marker(end)
            }
            (_, "define") => self.define(end, doc),
            (_, "pragma") => self.pragma(hash, end),
            (_, name) => {
                let hint = match name {
                    "include" | "include_next" | "import" | "embed" => message::HINT_INCLUDE,
                    "if" | "ifdef" | "ifndef" | "elif" | "else" | "endif" | "elifdef"
                    | "elifndef" => message::HINT_CONDITIONAL,
                    _ => message::HINT_DIRECTIVE,
                };
                let span = Span {
                    start: hash.start,
                    ..self.span()
                };
                Err(Box::new(
                    Diagnostic::syntax(span, message::directive(name)).hint(hint),
                ))
            }
        };
        if let Err(diagnostic) = result {
            self.errors.push(*diagnostic);
        }
        self.previous_end = previous_end;
        self.lexer.resume(end, text_end);
    }

    /// `# 42 "file"`, with the number at the current token.
    fn line_marker(&mut self, end: usize) -> Parse<()> {
        let Ok(line) = self.text_of(self.tok).parse::<u32>() else {
            return Err(self.unexpected(message::expected("a line number")));
        };
        self.tok = self.lexer.next(&mut self.decls.types);
        let file: Arc<str> = match self.tok.tok {
            Tok::String => self.text_of(self.tok).trim_matches('"').into(),
            // A marker without a file name continues the last file.
            _ => match self.markers.last() {
                Some(marker) => Arc::clone(&marker.file),
                None => self.file.into(),
            },
        };
        self.markers.push(LineMarker {
            offset: end as u32 + 1,
            line,
            file,
        });
        Ok(())
    }

    /// Whether the parser is inside a directive's line.
    pub(super) fn in_directive(&self) -> bool {
        self.lexer.end() != self.end
    }

    /// `#define NAME ...` or `#define NAME expression`
    fn define(&mut self, end: usize, doc: (u32, u32)) -> Parse<()> {
        self.tok = self.lexer.next(&mut self.decls.types);
        if !matches!(self.tok.tok, Tok::Name | Tok::Keyword(_)) {
            return Err(self.unexpected(message::DEFINE_NAME));
        }
        let name = self.tok;
        let body = name.end as usize;
        let doc = (doc.1 != 0).then_some(Span {
            source: self.source,
            start: doc.0,
            end: doc.1,
        });
        let with_parameters = self.lexer.text().as_bytes()[body..end].first() == Some(&b'(');
        self.tok = self.lexer.next(&mut self.decls.types);
        if self.at(Tok::Ellipsis) {
            self.tok = self.lexer.next(&mut self.decls.types);
            if self.at(Tok::Eof) {
                return self.declare_constant(name.symbol, None, name.span(self.source), doc);
            }
        } else if !with_parameters && !self.at(Tok::Eof) {
            let saved = (self.depth, self.unevaluated, self.warnings.len());
            (self.depth, self.unevaluated) = (saved.0, 0);
            let is_character = self.as_cffi && self.at(Tok::Char);
            let value = self.constant_expression();
            (self.depth, self.unevaluated) = (saved.0, saved.1);
            if let Ok(value) = value
                && let Some(told) = value.told()
                && self.at(Tok::Eof)
                && !is_character
            {
                let value = Some((told, value.ty));
                return self.declare_constant(name.symbol, value, name.span(self.source), doc);
            }
            self.warnings.truncate(saved.2);
        }
        if self.other_macros {
            let value = self.other_macro(body, end);
            let name = name.symbol;
            self.decls.macros.push(Macro {
                name,
                value,
                is_included: false,
            });
            return Ok(());
        }
        let text = plain_text(&self.lexer.text()[body..end]);
        let message = message::bad_define(self.text_of(name), &text);
        let span = Span {
            source: self.source,
            start: name.start,
            end: end as u32,
        };
        let mut diagnostic = Diagnostic::cdef(span, message);
        diagnostic.form = crate::diagnostic::Form::Plain;
        if with_parameters {
            diagnostic.hint = Some(message::HINT_FUNCTION_MACRO.into());
        } else if text.starts_with('"') || text.contains('.') {
            diagnostic.hint = Some(message::HINT_STRING_MACRO.into());
        }
        Err(Box::new(diagnostic))
    }

    /// Carries out `#pragma pack(...)`. Other pragmas are refused, or ignored with a warning, as
    /// [`super::attribute_table`] says.
    fn pragma(&mut self, hash: Span, end: usize) -> Parse<()> {
        self.tok = self.lexer.next(&mut self.decls.types);
        let span = Span {
            end: end as u32,
            ..hash
        };
        let first = self.text_of(self.tok);
        if first != "pack" {
            let second = self.peek();
            let second = self.text_of(second);
            match pragma_effect(first, second) {
                PragmaEffect::Refused(change) => {
                    let message = message::pragma_refused(first, change.text());
                    return Err(Box::new(Diagnostic::ffi(span, message)));
                }
                PragmaEffect::Unknown => {
                    let message = message::pragma_unknown(&pragma_name(first, second));
                    self.warn(span, message);
                }
                _ => self.warn(span, message::PRAGMA_IGNORED),
            }
            return Ok(());
        }
        self.tok = self.lexer.next(&mut self.decls.types);
        if !self.at(Tok::LParen) {
            return Err(self.unexpected(message::PRAGMA_PACK));
        }
        loop {
            self.tok = self.lexer.next(&mut self.decls.types);
            let token = self.tok;
            match (token.tok, self.text_of(token)) {
                (Tok::RParen, _) => {
                    // `#pragma pack()` restores the default.
                    self.pack_pragma = None;
                    return Ok(());
                }
                (Tok::Number, text) => {
                    let value: u32 = text.parse().unwrap_or(u32::MAX);
                    if value != 0 && !(value.is_power_of_two() && value <= 128) {
                        return Err(self.unexpected(message::PRAGMA_PACK));
                    }
                    self.pack_pragma = (value != 0).then_some(value);
                }
                (_, "push") => self.pack_stack.push(self.pack_pragma),
                (_, "pop") => match self.pack_stack.pop() {
                    Some(pack) => self.pack_pragma = pack,
                    None => return Err(self.unexpected(message::PRAGMA_POP)),
                },
                // Microsoft's compiler has labels for `push` and `pop`: they are ignored.
                (Tok::Name, _) => {}
                _ => return Err(self.unexpected(message::PRAGMA_PACK)),
            }
            self.tok = self.lexer.next(&mut self.decls.types);
            match self.tok.tok {
                Tok::Comma => {}
                Tok::RParen => return Ok(()),
                _ => return Err(self.unexpected(message::PRAGMA_PACK)),
            }
        }
    }

    /// `_Pragma("...")` or `__pragma(...)`: carried out as `#pragma` with the same words; but pragmas without an effect
    /// cause no warning.
    pub(super) fn pragma_operator(&mut self) -> Parse<()> {
        let start = self.tok.start;
        let is_quoted = self.text_of(self.tok) == "_Pragma";
        self.bump();
        let from = self.tok.end as usize;
        self.skip_to_closing_bracket()?;
        let span = Span {
            source: self.source,
            start,
            end: self.tok.end,
        };
        let inside = self.lexer.text()[from..self.tok.start as usize].trim();
        let result = self.obey_pragma_operator(inside, is_quoted, span);
        // `bump` comes last because it carries out a directive that may follow, and the pragma comes first.
        self.bump();
        result
    }

    fn obey_pragma_operator(&mut self, inside: &str, is_quoted: bool, span: Span) -> Parse<()> {
        let text = if is_quoted {
            let quoted = inside.trim_start_matches("L").trim_matches('"');
            quoted.replace("\\\"", "\"").replace("\\\\", "\\")
        } else {
            inside.to_owned()
        };
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (first, rest) = text.split_at(end.unwrap_or(text.len()));
        let second = rest.split_whitespace().next().unwrap_or_default();
        match pragma_effect(first, second) {
            PragmaEffect::Pack => self
                .pack(rest.trim())
                .map_err(|message| Box::new(Diagnostic::syntax(span, message))),
            PragmaEffect::Nothing => Ok(()),
            PragmaEffect::Refused(change) => {
                let message = message::pragma_refused(first, change.text());
                Err(Box::new(Diagnostic::ffi(span, message)))
            }
            PragmaEffect::Unknown => {
                self.warn(span, message::pragma_unknown(&pragma_name(first, second)));
                Ok(())
            }
        }
    }

    /// Carries out what follows the word `pack`.
    fn pack(&mut self, arguments: &str) -> Result<(), &'static str> {
        let inside = arguments
            .strip_prefix('(')
            .and_then(|text| text.strip_suffix(')'))
            .ok_or(message::PRAGMA_PACK)?
            .trim();
        if inside.is_empty() {
            self.pack_pragma = None;
            return Ok(());
        }
        for word in inside.split(',').map(str::trim) {
            match (word, word.parse::<u32>()) {
                (_, Ok(0)) => self.pack_pragma = None,
                (_, Ok(value)) if value.is_power_of_two() && value <= 128 => {
                    self.pack_pragma = Some(value);
                }
                ("push", _) => self.pack_stack.push(self.pack_pragma),
                ("pop", _) => {
                    self.pack_pragma = self.pack_stack.pop().ok_or(message::PRAGMA_POP)?;
                }
                // A label of Microsoft's compiler, as above.
                _ if word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {}
                _ => return Err(message::PRAGMA_PACK),
            }
        }
        Ok(())
    }

    /// The offset of the body of a macro that is defined further down in the text: as in CFFI, a macro may be used
    /// before its definition. The last definition counts.
    pub(super) fn later_macro(&mut self, name: Symbol) -> Option<usize> {
        if self.is_type_string {
            return None;
        }
        if self.later_macros.is_none() {
            let mut found = rustc_hash::FxHashMap::default();
            let mut ahead: Lexer = Lexer::new(self.lexer.text());
            loop {
                let token = ahead.next(&mut self.decls.types);
                match token.tok {
                    Tok::Eof => break,
                    Tok::Directive => {
                        let end = ahead.directive_end();
                        let word = ahead.next(&mut self.decls.types);
                        let macro_name = ahead.next(&mut self.decls.types);
                        if self.text_of(word) == "define" && macro_name.end as usize <= end {
                            found.insert(macro_name.symbol, macro_name.end as usize);
                        }
                        ahead.resume(end, self.lexer.text().len());
                    }
                    _ => {}
                }
            }
            self.later_macros = Some(found);
        }
        self.later_macros.as_ref()?.get(&name).copied()
    }
}

/// The name of a pragma for messages: `GCC` and `clang` with the second word.
fn pragma_name(first: &str, second: &str) -> String {
    match first {
        "GCC" | "clang" => format!("{first} {second}").trim_end().to_owned(),
        _ => first.to_owned(),
    }
}

/// The body of a macro as CFFI shows it: without comments and spliced line ends.
fn plain_text(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.len()
        } else if rest.starts_with("/*") {
            text.push(' ');
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("\\\n") {
            2
        } else if rest.starts_with("\\\r\n") {
            3
        } else {
            text.push(first);
            first.len_utf8()
        };
        rest = &rest[skipped..];
    }
    text.trim().to_owned()
}
