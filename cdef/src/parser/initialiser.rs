//! Checks initialisers that are passed on to the C compiler, without knowing everything that the compiler knows.

use std::sync::Arc;

use crate::declarations::Declarations;
use crate::diagnostic::Diagnostic;
use crate::lexer::Tok;
use crate::message;
use crate::source::{Source, SourceId};

use super::{Foreign, Parse, Parser};

impl Declarations {
    /// Checks an initialiser that is left to the C compiler: an expression, or a list in braces. Undeclared names,
    /// calls, strings and floating-point constants are accepted: only the compiler knows their values. Returns the
    /// value if it is known here. `file` is the name of the text in messages. The declarations are not changed.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn check_initialiser(
        &mut self,
        text: &str,
        file: &str,
    ) -> Result<Option<i128>, Diagnostic> {
        let mark = self.mark();
        let mut parser = Parser::new(self, text, SourceId::NOT_KEPT, file);
        parser.foreign = Foreign::Known;
        parser.bump();
        let result = parser.whole_initialiser();
        let result = match parser.errors.drain(..).next() {
            Some(error) => Err(Box::new(error)),
            None => result,
        };
        self.roll_back(&mark);
        result.map_err(|mut diagnostic| {
            diagnostic.source = Some(Arc::new(Source {
                file: file.into(),
                text: text.into(),
                is_type_string: false,
                markers: Vec::new(),
                lines_before: Default::default(),
            }));
            *diagnostic
        })
    }
}

impl Parser<'_> {
    fn whole_initialiser(&mut self) -> Parse<Option<i128>> {
        let value = self.foreign_initialiser()?;
        if !self.at(Tok::Eof) {
            return Err(self.unexpected(message::expected("the end of the expression")));
        }
        Ok(value)
    }

    /// C11 6.7.9
    fn foreign_initialiser(&mut self) -> Parse<Option<i128>> {
        if self.at(Tok::LBrace) {
            self.initialiser_list()?;
            return Ok(None);
        }
        let value = self.constant_expression()?;
        let is_known = self.foreign == Foreign::Known;
        Ok(value.told().filter(|_| is_known))
    }

    /// `{ .x = 1, [2] = 3, 4, }`
    pub(super) fn initialiser_list(&mut self) -> Parse<()> {
        self.descend()?;
        self.expect(Tok::LBrace, "'{'")?;
        self.foreign = Foreign::Unknown;
        while !self.at(Tok::RBrace) {
            let mut designated = false;
            loop {
                if self.eat(Tok::Dot) {
                    self.foreign_name()?;
                } else if self.eat(Tok::LBracket) {
                    self.constant_expression()?;
                    self.expect(Tok::RBracket, "']'")?;
                } else {
                    break;
                }
                designated = true;
            }
            if designated {
                self.expect(Tok::Assign, "'='")?;
            }
            self.foreign_initialiser()?;
            if !self.eat(Tok::Comma) {
                break;
            }
        }
        self.expect(Tok::RBrace, "'}'")?;
        self.ascend();
        Ok(())
    }

    /// What may follow an operand: a call, an index, a member.
    pub(super) fn foreign_suffixes(&mut self) -> Parse<()> {
        loop {
            match self.tok.tok {
                Tok::LParen => {
                    self.bump();
                    while !self.at(Tok::RParen) {
                        // What is called may be a macro that takes types.
                        if self.at_type() {
                            self.type_name()?;
                        } else {
                            self.constant_expression()?;
                        }
                        if !self.eat(Tok::Comma) {
                            break;
                        }
                    }
                    self.expect(Tok::RParen, "')'")?;
                }
                Tok::LBracket => {
                    self.bump();
                    self.constant_expression()?;
                    self.expect(Tok::RBracket, "']'")?;
                }
                Tok::Dot | Tok::Arrow => {
                    self.bump();
                    self.foreign_name()?;
                }
                _ => return Ok(()),
            }
            self.foreign = Foreign::Unknown;
        }
    }

    fn foreign_name(&mut self) -> Parse<()> {
        if matches!(self.tok.tok, Tok::Name | Tok::Keyword(_)) {
            self.bump();
            Ok(())
        } else {
            Err(self.unexpected(message::EXPECTED_NAME))
        }
    }
}
