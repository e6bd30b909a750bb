//! The declarations of a text, one after the other (C11 6.9).

use crate::constant::Value;
use crate::declarations::FunctionOrigin;
use crate::diagnostic::Diagnostic;
use crate::keyword::Keyword;
use crate::lexer::Tok;
use crate::message;
use crate::source::Span;
use crate::types::Type;

use super::attribute::Attributes;
use super::declarator::Mode;
use super::specifiers::{Place, Specifiers, storage};
use super::{Parse, Parser};

impl Parser<'_> {
    pub(super) fn translation_unit(&mut self) {
        loop {
            match self.tok() {
                Tok::Eof => return,
                Tok::RBrace => {
                    let span = self.span();
                    self.errors
                        .push(Diagnostic::syntax(span, message::STRAY_BRACE));
                    self.bump();
                }
                _ => {
                    self.declaration_or_recover();
                    self.cut_here();
                }
            }
        }
    }

    pub(super) fn declaration_or_recover(&mut self) {
        let start = self.tok.start;
        let piece = self.begin_piece();
        let result = self.external_declaration();
        let failed = result.is_err();
        if let Err(diagnostic) = result {
            self.errors.push(*diagnostic);
            self.recover(start);
        }
        self.end_piece(piece, failed);
    }

    pub(super) fn external_declaration(&mut self) -> Parse<()> {
        match self.tok() {
            Tok::Semicolon => {
                self.bump();
                return Ok(());
            }
            Tok::Keyword(Keyword::StaticAssert) => return self.static_assert(),
            Tok::Keyword(Keyword::Extension) if self.skip_extensions() => {
                return self.external_declaration();
            }
            // C23: attributes in front of a declaration, or alone as `[[...]];`.
            Tok::LBracket if self.peek().tok == Tok::LBracket && !self.is_cffi_only() => {
                return self.attributed_declaration();
            }
            Tok::Keyword(Keyword::Asm) if self.peek().tok == Tok::LParen => {
                self.bump();
                self.skip_balanced()?;
                return self.end_of_declaration();
            }
            Tok::Keyword(Keyword::Pragma) => return self.pragma_operator(),
            Tok::Keyword(Keyword::Extern) if self.peek().tok == Tok::String => {
                return self.linkage();
            }
            _ => {}
        }
        self.declaration(0)
    }

    /// Skips `__extension__` in front of things that are not declarations with specifiers (those read it themselves);
    /// whether one was skipped.
    pub(super) fn skip_extensions(&mut self) -> bool {
        let (mut ahead, mut next) = (self.lexer, self.tok);
        while next.tok == Tok::Keyword(Keyword::Extension) {
            next = ahead.next(&mut self.decls.types);
        }
        let found = match next.tok {
            Tok::Keyword(Keyword::StaticAssert | Keyword::Asm) => true,
            Tok::Keyword(Keyword::Extern) => ahead.next(&mut self.decls.types).tok == Tok::String,
            _ => false,
        };
        while found && self.eat(Tok::Keyword(Keyword::Extension)) {}
        found
    }

    /// Reads `[[...]];`, or a declaration with `[[...]]` in front, which belongs to it.
    pub(super) fn attributed_declaration(&mut self) -> Parse<()> {
        let start = (self.lexer, self.tok, self.previous_end);
        let warnings = self.warnings.len();
        self.attributes(&mut Attributes::default())?;
        if self.eat(Tok::Semicolon) {
            return Ok(());
        }
        (self.lexer, self.tok, self.previous_end) = start;
        self.warnings.truncate(warnings);
        self.declaration(0)
    }

    /// Reads `extern "C"`, `extern "Python"` or `extern "Python+C"`, with one declaration or a block.
    pub(super) fn linkage(&mut self) -> Parse<()> {
        self.bump();
        let name: String = self
            .text_of(self.tok)
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let origin = match name.as_str() {
            "\"C\"" => self.origin,
            "\"Python\"" => FunctionOrigin::ExternPython,
            "\"Python+C\"" | "\"C+Python\"" => FunctionOrigin::ExternPythonC,
            _ => return Err(self.unexpected(message::LINKAGE_NEEDS_NAME)),
        };
        let outer = std::mem::replace(&mut self.origin, origin);
        let result = self.linkage_body();
        self.origin = outer;
        result
    }

    pub(super) fn linkage_body(&mut self) -> Parse<()> {
        self.bump();
        if !self.at(Tok::LBrace) {
            // As in C++, `extern "C" int x;` is a declaration with `extern`.
            return self.declaration(storage::EXTERN);
        }
        let opening = self.span();
        self.descend()?;
        self.bump();
        let depth = self.depth;
        while !self.at(Tok::RBrace) {
            if self.at(Tok::Eof) {
                return Err(Box::new(Diagnostic::syntax(opening, message::BLOCK_END)));
            }
            self.declaration_or_recover();
            // Recovery resets the depth to 0, but this block is still open.
            self.depth = depth;
        }
        self.ascend();
        self.bump();
        Ok(())
    }

    pub(super) fn end_of_declaration(&mut self) -> Parse<()> {
        if self.eat(Tok::Semicolon) {
            return Ok(());
        }
        let mut diagnostic = self.unexpected(message::MISSING_SEMICOLON);
        if self.on_new_line() || self.at(Tok::Eof) || self.at(Tok::RBrace) {
            // Point at the end of the declaration, not at the next line.
            diagnostic.span = Span {
                source: self.source,
                start: self.previous_end.saturating_sub(1),
                end: self.previous_end,
            };
            diagnostic.label = Some("';' is missing here".into());
        }
        Err(diagnostic)
    }

    /// Reads one declaration: specifiers and declarators, up to its `;`.
    pub(super) fn declaration(&mut self, storage: u8) -> Parse<()> {
        let doc = self.doc();
        let start = self.tok.start;
        self.refusal = None;
        let mut specs = self.specifiers(Place::File)?;
        specs.storage |= storage;
        let refused = self.refusal.take();
        if self.at(Tok::Semicolon) {
            self.tag_only(&specs, start)?;
            self.bump();
            return Ok(());
        }
        loop {
            let mut mode = Mode::declaration();
            if specs.storage & storage::TYPEDEF != 0 {
                mode.partial_ok = true;
            }
            let declared = self.declarator(&specs, mode)?;
            self.go_to_old_style_body();
            let is_typedef = specs.storage & storage::TYPEDEF != 0;
            let refusal = self.refusal.take().or_else(|| refused.clone());
            let refusal = refusal.or_else(|| match is_typedef {
                true => None,
                false => self.refused_by_value(declared.ty.ty),
            });
            if let Some(why) = refusal {
                if self.declare_refused(&specs, &declared, doc, &why)? {
                    return Ok(());
                }
                if !self.eat(Tok::Comma) {
                    break;
                }
                continue;
            }
            let is_function = matches!(self.decls.types.get(declared.ty.ty), Type::Function(_));
            if self.at(Tok::LBrace) && is_function && self.skips_bodies() {
                // A header's function definition counts as a declaration: skip the body.
                self.declare(&specs, declared, doc)?;
                self.piece_has_body();
                return self.skip_balanced();
            }
            if self.at(Tok::LBrace) {
                let span = declared.span;
                return Err(Box::new(
                    Diagnostic::cdef(span, message::FUNCTION_BODY)
                        .hint(message::HINT_FUNCTION_BODY),
                ));
            }
            self.declare(&specs, declared, doc)?;
            if !self.eat(Tok::Comma) {
                break;
            }
        }
        self.check_partial_names(&specs)?;
        self.end_of_declaration()
    }

    /// Ends a declaration without declarators: `struct foo {...};`, `enum foo;`.
    pub(super) fn tag_only(&mut self, specs: &Specifiers, start: u32) -> Parse<()> {
        let span = self.span_from(start);
        if specs.storage & storage::TYPEDEF != 0 {
            return Err(Box::new(Diagnostic::cdef(
                span,
                message::TYPEDEF_WITHOUT_NAME,
            )));
        }
        if specs.tag.is_none() {
            return Err(Box::new(Diagnostic::cdef(span, message::NOTHING_DECLARED)));
        }
        self.check_partial_names(specs)
    }

    pub(super) fn doc(&self) -> Option<Span> {
        let (start, end) = self.lexer.doc;
        (end != 0).then_some(Span {
            source: self.source,
            start,
            end,
        })
    }

    /// `_Static_assert(condition, "text");`
    pub(super) fn static_assert(&mut self) -> Parse<()> {
        let start = self.tok.start;
        self.bump();
        self.expect(Tok::LParen, "'('")?;
        let value = match self.asserted()? {
            Ok(value) => value,
            Err(why) => {
                let span = why.span;
                self.warn(span, message::static_assertion_unchecked(&why.message));
                Value::truth(true)
            }
        };
        let mut text = "";
        if self.eat(Tok::Comma) {
            if !self.at(Tok::String) {
                return Err(self.unexpected(message::STATIC_ASSERT_TEXT));
            }
            text = self.text_of(self.tok);
            while self.eat(Tok::String) {}
        }
        self.expect(Tok::RParen, "')'")?;
        if value.value == 0 {
            let span = self.span_from(start);
            let text = message::static_assertion(text.trim_matches('"'));
            self.errors.push(Diagnostic::cdef(span, text));
        }
        self.end_of_declaration()
    }

    /// Reads the condition of a `_Static_assert`. The inner `Err` says why it has no value here; the token behind the
    /// condition is then the current one.
    pub(super) fn asserted(&mut self) -> Parse<Parse<Value>> {
        let start = (self.lexer, self.tok, self.previous_end);
        let state = (
            self.depth,
            self.unevaluated,
            self.in_enum,
            self.record_depth,
        );
        let said = (self.errors.len(), self.warnings.len(), self.markers.len());
        let value = self.constant_expression();
        if self.is_cffi_only() || value.is_ok() && matches!(self.tok(), Tok::Comma | Tok::RParen) {
            return value.map(Ok);
        }
        let why = value.map_or_else(|why| why, |_| self.unexpected(message::expected("')'")));
        (self.lexer, self.tok, self.previous_end) = start;
        (
            self.depth,
            self.unevaluated,
            self.in_enum,
            self.record_depth,
        ) = state;
        self.errors.truncate(said.0);
        self.warnings.truncate(said.1);
        self.markers.truncate(said.2);
        // Skip to the end of the condition: a comma in brackets belongs to it, one in front of a string does not.
        loop {
            match self.tok() {
                Tok::LParen | Tok::LBracket | Tok::LBrace => self.skip_balanced()?,
                Tok::Comma if self.peek().tok == Tok::String => break,
                Tok::RParen => break,
                Tok::Semicolon | Tok::RBrace | Tok::Eof | Tok::Unterminated => return Err(why),
                _ => self.bump(),
            }
        }
        Ok(Err(why))
    }
}
