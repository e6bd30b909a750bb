//! Definitions of functions as they were before 1989: `int f(a, b) int a; char *b; { ... }` (C11 6.9.1p6).

use crate::diagnostic::Diagnostic;
use crate::lexer::{Lexer, Tok, Token};
use crate::message;
use crate::source::LineMarker;
use crate::types::{Primitive, QualType, Symbol, Type, TypeTable};

use super::declarator::{Mode, Parameter};
use super::specifiers::{Base, Place};
use super::{Parse, Parser};

/// The state of the parser behind a part that it has read ahead.
pub(super) struct Ahead<'a> {
    lexer: Lexer<'a>,
    tok: Token,
    previous_end: u32,
    /// The number of line markers in front of that part.
    first_marker: usize,
    markers: Vec<LineMarker>,
}

impl Parser<'_> {
    /// Whether the current token begins the names `a, b` of an old-style definition. In `int f(a, b);`, which has
    /// neither declarations of parameters nor a body behind it, it does not.
    pub(super) fn at_identifier_list(&mut self) -> bool {
        if !self.skips_bodies() || self.is_cffi_only() || self.record_depth != 0 {
            return false;
        }
        let (mut ahead, mut token) = (self.lexer, self.tok);
        loop {
            if token.tok != Tok::Name || self.is_type_name(token.symbol) {
                return false;
            }
            token = ahead.next(&mut self.decls.types);
            match token.tok {
                Tok::Comma => token = ahead.next(&mut self.decls.types),
                Tok::RParen => break,
                _ => return false,
            }
        }
        // Look behind the declarator: a declaration of a parameter or the body must follow.
        let mut open = 0u32;
        loop {
            token = ahead.next(&mut self.decls.types);
            match token.tok {
                Tok::LParen | Tok::LBracket => open += 1,
                Tok::RParen | Tok::RBracket => open = open.saturating_sub(1),
                Tok::Directive => ahead.position = ahead.directive_end(),
                Tok::Eof | Tok::Semicolon | Tok::Comma | Tok::Assign | Tok::Unterminated => {
                    return false;
                }
                Tok::LBrace => return open == 0,
                _ if open == 0 && self.is_type_token(token) => return true,
                _ => {}
            }
        }
    }

    /// Reads the names of the parameters and, further on, their declarations. Afterwards the current token is the `)`
    /// behind the names; [`Self::go_to_old_style_body`] then skips the declarations.
    pub(super) fn old_parameters(&mut self) -> Parse<()> {
        let start = self.parameters.len();
        while let Tok::Name = self.tok() {
            // A parameter without a declaration is an int.
            self.parameters.push(Parameter {
                ty: QualType::plain(TypeTable::primitive_id(Primitive::Int)),
                name: Some(self.tok.symbol),
            });
            self.bump();
            self.eat(Tok::Comma);
        }
        let back = (self.lexer, self.tok, self.previous_end);
        let first_marker = self.markers.len();
        let mut open = 0u32;
        while open > 0 || !(self.at(Tok::LBrace) || self.at_type()) {
            match self.tok() {
                Tok::LParen | Tok::LBracket => open += 1,
                Tok::RParen | Tok::RBracket => open = open.saturating_sub(1),
                Tok::Eof => return Err(self.unexpected(message::expected("'{'"))),
                _ => {}
            }
            self.bump();
        }
        while !self.at(Tok::LBrace) {
            self.old_declaration(start)?;
        }
        self.old_style_body = Some(Ahead {
            lexer: self.lexer,
            tok: self.tok,
            previous_end: self.previous_end,
            first_marker,
            markers: self.markers.split_off(first_marker),
        });
        (self.lexer, self.tok, self.previous_end) = back;
        Ok(())
    }

    /// `register int a, *b;`
    fn old_declaration(&mut self, start: usize) -> Parse<()> {
        let end = self.parameters.len();
        let specs = self.specifiers(Place::Parameter)?;
        let Base::Type(_) = specs.base else {
            return Err(self.unexpected(message::BAD_DOTS));
        };
        loop {
            let declared = self.declarator(&specs, Mode::old_parameter())?;
            let found = (start..end).find(|&index| self.parameters[index].name == declared.name);
            let Some(index) = found else {
                let name = declared
                    .name
                    .map_or("", |name: Symbol| self.name_text(name));
                let message = message::no_such_parameter(name);
                return Err(Box::new(Diagnostic::cdef(declared.span, message)));
            };
            let ty = self.adjusted(declared.ty);
            self.parameters[index].ty = QualType::plain(self.promoted_argument(ty));
            if !self.eat(Tok::Comma) {
                break;
            }
        }
        self.end_of_declaration()
    }

    /// The type that a call passes: without a prototype, arguments are promoted (C11 6.5.2.2p6).
    fn promoted_argument(&self, ty: crate::types::TypeId) -> crate::types::TypeId {
        match *self.decls.types.get(ty) {
            Type::Primitive(Primitive::Float) => TypeTable::primitive_id(Primitive::Double),
            Type::Primitive(small) if self.decls.target.is_signed(small).is_some() => {
                let size = |ty| self.decls.target.size_and_align(ty).0;
                if size(small) < size(Primitive::Int) {
                    TypeTable::primitive_id(Primitive::Int)
                } else {
                    ty
                }
            }
            _ => ty,
        }
    }

    /// Continues behind the declarations that [`Self::old_parameters`] has read.
    pub(super) fn go_to_old_style_body(&mut self) {
        if let Some(ahead) = self.old_style_body.take() {
            self.piece_is_old_style();
            self.markers.truncate(ahead.first_marker);
            self.markers.extend(ahead.markers);
            (self.lexer, self.tok, self.previous_end) =
                (ahead.lexer, ahead.tok, ahead.previous_end);
        }
    }
}
