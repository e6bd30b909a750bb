//! Syntax errors, and where parsing continues after one.

use crate::diagnostic::Diagnostic;
use crate::keyword::{self, Keyword};
use crate::lexer::Tok;
use crate::message;
use crate::source::{LineMarker, Span};
use crate::suggest;

use super::{Parse, Parser};

/// The deepest nesting of parentheses, braces and operators.
pub(super) const MAX_DEPTH: u32 = 200;
/// The number of "did you mean" hints for one text: each reads all names, so a text full of mistakes would be slow.
pub(super) const MAX_SUGGESTIONS: u32 = 20;

impl Parser<'_> {
    /// A syntax error at the current token. If the token itself is invalid (a stray character, an unterminated
    /// comment), the error is about that.
    pub(super) fn unexpected(
        &mut self,
        message: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Box<Diagnostic> {
        let span = self.span();
        let diagnostic = match self.tok() {
            Tok::Unterminated => Diagnostic::syntax(span, message::UNTERMINATED),
            Tok::Stray => Diagnostic::syntax(span, message::STRAY),
            Tok::Ampersand | Tok::AndAnd | Tok::ColonColon => Diagnostic::syntax(span, message)
                .hint(message::HINT_CPLUSPLUS)
                .short("unexpected symbol"),
            Tok::Name if is_cplusplus(self.text_of(self.tok)) => {
                Diagnostic::syntax(span, message).hint(message::HINT_CPLUSPLUS)
            }
            _ => Diagnostic::syntax(span, message).short("unexpected symbol"),
        };
        Box::new(diagnostic)
    }

    pub(super) fn warn(&mut self, span: Span, message: impl Into<std::borrow::Cow<'static, str>>) {
        self.warnings.push(Diagnostic::warning(span, message));
    }

    /// Enters one level of nesting; an error if it is too deep.
    pub(super) fn descend(&mut self) -> Parse<()> {
        if self.depth >= MAX_DEPTH {
            return Err(Box::new(
                Diagnostic::cdef(self.span(), message::TOO_DEEP)
                    .short("internal type complexity limit reached"),
            ));
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn ascend(&mut self) {
        self.depth -= 1;
    }

    /// The name of a type similar to `name`.
    pub(super) fn suggest_type(&mut self, name: &str) -> Option<String> {
        if self.suggestions >= MAX_SUGGESTIONS {
            return None;
        }
        self.suggestions += 1;
        let decls = &*self.decls;
        let keywords = keyword::TABLE.iter().map(|&(text, _)| text);
        let predefined = crate::predefined::TABLE
            .iter()
            .filter(|(_, meaning)| {
                matches!(meaning, crate::predefined::Predefined::Plain(_)) || decls.target.windows
            })
            .map(|&(text, _)| text);
        let typedefs = decls
            .typedefs
            .iter()
            .map(|typedef| decls.text(typedef.name));
        let found = suggest::closest(name, keywords.chain(predefined).chain(typedefs));
        found.map(str::to_owned)
    }

    /// `file:line` of something declared earlier.
    pub(super) fn place_of(&self, span: Span) -> String {
        let (file, line) = if span.source == self.source {
            // The source is stored only after it is parsed; the line markers up to here are known.
            let before = |marker: &LineMarker| marker.offset <= span.start;
            let marker = self.markers[..self.markers.partition_point(before)].last();
            let (file, first, from) = match marker {
                Some(marker) => (&*marker.file, marker.line, marker.offset as usize),
                None => (self.file, 1, 0),
            };
            let text = self.lexer.text().as_bytes();
            let newlines = |offset| self.lines_before.count(text, offset);
            let at = span.start as usize;
            (
                file,
                first.saturating_add(newlines(at) - newlines(from.min(at))),
            )
        } else if let Some(source) = self.decls.source(span.source) {
            let place = source.location(span.start);
            (place.file, place.line)
        } else {
            return "another place".to_owned();
        };
        format!("{file}:{line}")
    }

    /// Skips the rest of a broken declaration: to behind the next `;` or its block, or to where a new declaration seems
    /// to begin.
    pub(super) fn recover(&mut self, start: u32) {
        self.derivations.clear();
        self.pointers.clear();
        self.parameters.clear();
        self.old_style_body = None;
        self.depth = 0;
        self.record_depth = 0;
        self.in_enum = false;
        self.unevaluated = 0;
        if self.tok.start == start && !self.at(Tok::Eof) {
            // At least one token must be skipped, or the same error would be found again for ever.
            let opening = self.at(Tok::LBrace);
            self.bump();
            if opening {
                return self.skip_to_semicolon(1);
            }
        }
        self.skip_to_semicolon(0);
    }

    pub(super) fn skip_to_semicolon(&mut self, mut braces: u32) {
        loop {
            match self.tok() {
                Tok::Eof => return,
                Tok::Semicolon if braces == 0 => return self.bump(),
                Tok::LBrace => braces += 1,
                Tok::RBrace if braces == 0 => return,
                Tok::RBrace => {
                    braces -= 1;
                    if braces == 0 {
                        self.bump();
                        // A function body ends the declaration; a struct's goes on to its `;`.
                        if self.starts_declaration() {
                            return;
                        }
                        continue;
                    }
                }
                _ if braces == 0 && self.on_new_line() && self.starts_declaration() => return,
                _ => {}
            }
            self.bump();
        }
    }

    /// The current token is the first of its line.
    pub(super) fn on_new_line(&self) -> bool {
        let between =
            &self.lexer.text().as_bytes()[self.previous_end as usize..self.tok.start as usize];
        between.contains(&b'\n')
    }

    /// The current token can only begin a declaration.
    pub(super) fn starts_declaration(&self) -> bool {
        match self.tok() {
            Tok::Keyword(keyword) => !matches!(
                keyword,
                Keyword::Attribute | Keyword::Asm | Keyword::Sizeof | Keyword::Alignof
            ),
            Tok::Name => self.is_type_name(self.tok.symbol),
            _ => false,
        }
    }
}

/// Whether a word begins a declaration in C++ only.
pub(super) fn is_cplusplus(word: &str) -> bool {
    matches!(
        word,
        "class"
            | "namespace"
            | "template"
            | "using"
            | "public"
            | "private"
            | "protected"
            | "virtual"
            | "constexpr"
            | "friend"
            | "operator"
            | "typename"
            | "explicit"
            | "mutable"
            | "decltype"
    )
}
