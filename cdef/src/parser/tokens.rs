//! Moving through the tokens.

use crate::diagnostic::Diagnostic;
use crate::keyword::Keyword;
use crate::lexer::{Tok, Token};
use crate::message;
use crate::source::Span;
use crate::types::Symbol;

use super::{Parse, Parser};

impl<'a> Parser<'a> {
    /// Goes to the next token, and carries out the directives in between.
    pub(super) fn bump(&mut self) {
        self.previous_end = self.tok.end;
        loop {
            self.tok = self.lexer.next(&mut self.decls.types);
            match self.tok() {
                Tok::Directive => self.directive(),
                _ => return,
            }
        }
    }

    /// The token behind the current one.
    pub(super) fn peek(&mut self) -> Token {
        let mut ahead = self.lexer;
        ahead.next(&mut self.decls.types)
    }

    /// The kind of the current token.
    pub(super) fn tok(&self) -> Tok {
        self.tok.tok
    }

    pub(super) fn at(&self, tok: Tok) -> bool {
        self.tok.tok == tok
    }

    pub(super) fn at_keyword(&self, keyword: Keyword) -> bool {
        self.tok.tok == Tok::Keyword(keyword)
    }

    /// Consumes the current token if it is `tok`; whether it was.
    pub(super) fn eat(&mut self, tok: Tok) -> bool {
        let found = self.at(tok);
        if found {
            self.bump();
        }
        found
    }

    pub(super) fn expect(&mut self, tok: Tok, what: &'static str) -> Parse<()> {
        if self.eat(tok) {
            Ok(())
        } else {
            Err(self.unexpected(message::expected(what)))
        }
    }

    pub(super) fn text_of(&self, token: Token) -> &'a str {
        &self.lexer.text()[token.start as usize..token.end as usize]
    }

    pub(super) fn span(&self) -> Span {
        self.tok.span(self.source)
    }

    pub(super) fn span_from(&self, start: u32) -> Span {
        Span {
            source: self.source,
            start,
            end: self.previous_end.max(start),
        }
    }

    pub(super) fn name_text(&self, symbol: Symbol) -> &str {
        self.decls.types.text(symbol)
    }

    /// Skips `( ... )`, `[ ... ]` or `{ ... }`, whatever is inside; the current token opens it.
    pub(super) fn skip_balanced(&mut self) -> Parse<()> {
        self.skip_to_closing_bracket()?;
        self.bump();
        Ok(())
    }

    /// As [`Self::skip_balanced`], but only up to the closing bracket.
    pub(super) fn skip_to_closing_bracket(&mut self) -> Parse<()> {
        let opening = self.span();
        if !matches!(self.tok.tok, Tok::LParen | Tok::LBracket | Tok::LBrace) {
            return Err(self.unexpected(message::expected("'('")));
        }
        let mut open = 0u32;
        loop {
            match self.tok() {
                Tok::LParen | Tok::LBracket | Tok::LBrace => open += 1,
                Tok::RParen | Tok::RBracket | Tok::RBrace => {
                    open -= 1;
                    if open == 0 {
                        return Ok(());
                    }
                }
                Tok::Eof | Tok::Unterminated => {
                    return Err(Box::new(Diagnostic::syntax(
                        opening,
                        message::expected("the closing bracket of this"),
                    )));
                }
                _ => {}
            }
            self.bump();
        }
    }
}
