//! `_Generic` (C11 6.5.1.1): the association that the type of an expression chooses is read, the others are passed over.

use crate::diagnostic::Diagnostic;
use crate::lexer::Tok;
use crate::message;
use crate::types::{ArrayLength, Primitive, QualType, Type, TypeId};

use super::{Parse, Parser};

impl Parser<'_> {
    /// Reads a whole `_Generic(...)`, whose keyword is the current token. `read` reads the expression that is chosen.
    pub(super) fn generic_selection<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Parse<T>,
    ) -> Parse<T> {
        let start = self.tok.start;
        self.descend()?;
        self.bump();
        self.expect(Tok::LParen, "'('")?;
        let controlling = self.controlling_type()?;
        let (mut chosen, mut default) = (None, None);
        while self.eat(Tok::Comma) {
            let is_default = self.at(Tok::Name) && self.text_of(self.tok) == "default";
            let is_chosen = if is_default {
                self.bump();
                false
            } else {
                let ty = self.type_name()?;
                self.is_compatible(ty, controlling)
            };
            self.expect(Tok::Colon, "':'")?;
            let here = (self.lexer, self.tok, self.previous_end);
            if is_chosen {
                chosen.get_or_insert(here);
            } else if is_default {
                default.get_or_insert(here);
            }
            self.skip_association()?;
        }
        if !self.at(Tok::RParen) {
            return Err(self.unexpected(message::expected("',' or ')'")));
        }
        let Some(place) = chosen.or(default) else {
            let message = message::no_association(&self.decls.cffi_name(controlling));
            let span = self.span_from(start);
            return Err(Box::new(Diagnostic::cdef(span, message)));
        };
        let end = (self.lexer, self.tok, self.previous_end);
        let markers = self.markers.len();
        (self.lexer, self.tok, self.previous_end) = place;
        let value = read(self)?;
        if !matches!(self.tok(), Tok::Comma | Tok::RParen) {
            return Err(self.unexpected(message::expected("',' or ')'")));
        }
        (self.lexer, self.tok, self.previous_end) = end;
        // What was read twice has said twice where it stands.
        self.markers.truncate(markers);
        self.bump();
        self.ascend();
        Ok(value)
    }

    /// The type that chooses: of an expression as a value, or one that is named (C2y).
    fn controlling_type(&mut self) -> Parse<QualType> {
        if self.at_type() {
            return self.type_name();
        }
        // In a cdef as CFFI reads it all numbers are `long long`; here C's types are asked for.
        let as_cffi = std::mem::replace(&mut self.as_cffi, false);
        let ty = self.type_of_conditional();
        self.as_cffi = as_cffi;
        let ty = ty?;
        Ok(self.decayed(ty))
    }

    /// Up to the comma behind an expression, or the parenthesis that ends all.
    pub(super) fn skip_association(&mut self) -> Parse<()> {
        loop {
            match self.tok() {
                Tok::LParen | Tok::LBracket | Tok::LBrace => self.skip_balanced()?,
                Tok::Comma | Tok::RParen => return Ok(()),
                Tok::Semicolon | Tok::RBrace | Tok::RBracket | Tok::Eof | Tok::Unterminated => {
                    return Err(self.unexpected(message::expected("',' or ')'")));
                }
                _ => self.bump(),
            }
        }
    }

    /// Whether two types are compatible (C11 6.2.7), with the same qualifiers.
    fn is_compatible(&self, a: QualType, b: QualType) -> bool {
        a.quals == b.quals && self.are_compatible(a.ty, b.ty)
    }

    fn are_compatible(&self, a: TypeId, b: TypeId) -> bool {
        let target = &self.decls.target;
        // An enum is compatible with the type that its values have.
        let arithmetic = |ty: &Type| match *ty {
            Type::Primitive(primitive) => Some(target.standard(primitive)),
            Type::Enum(id) => {
                let underlying = self.decls.types.enumeration(id).underlying;
                Some(target.standard(underlying.unwrap_or(Primitive::UInt)))
            }
            _ => None,
        };
        if a == b {
            return true;
        }
        match (self.decls.types.get(a), self.decls.types.get(b)) {
            (Type::Enum(_), Type::Enum(_)) => false,
            (Type::Pointer(a), Type::Pointer(b)) => self.is_compatible(*a, *b),
            (
                Type::Array { item, length },
                Type::Array {
                    item: other,
                    length: other_length,
                },
            ) => {
                let is_open = |length: &ArrayLength| *length == ArrayLength::Unspecified;
                (length == other_length || is_open(length) || is_open(other_length))
                    && self.is_compatible(*item, *other)
            }
            (Type::Function(a), Type::Function(b)) => {
                a.variadic == b.variadic
                    && a.convention == b.convention
                    && a.params.len() == b.params.len()
                    && self.are_compatible(a.result.ty, b.result.ty)
                    && a.params
                        .iter()
                        .zip(&b.params)
                        .all(|(a, b)| self.are_compatible(a.ty, b.ty))
            }
            (a, b) => arithmetic(a).is_some_and(|a| Some(a) == arithmetic(b)),
        }
    }
}
