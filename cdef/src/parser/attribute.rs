//! `__attribute__`, `__declspec`, `[[...]]`, `_Alignas`, asm labels. What changes a layout is obeyed, the
//! rest is skipped.

use crate::diagnostic::Diagnostic;
use crate::keyword::Keyword;
use crate::lexer::Tok;
use crate::message;
use crate::types::Primitive;

use super::{Parse, Parser};

/// What the attributes of a declaration say about layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Attributes {
    pub(super) packed: bool,
    /// The strictest alignment: what a member gets.
    pub(super) align: Option<u32>,
    /// The last one: what GCC gives to a type.
    pub(super) last_align: Option<u32>,
}

impl Attributes {
    /// The strictest of several alignments counts (C11 6.7.5p6); 0 has no effect.
    pub(super) fn align_at_least(&mut self, align: u32) {
        if align != 0 {
            self.align = Some(self.align.unwrap_or(1).max(align));
            self.last_align = Some(align);
        }
    }
}

impl Parser<'_> {
    /// All attributes, asm labels and calling conventions that stand here.
    pub(super) fn attributes(&mut self, attributes: &mut Attributes) -> Parse<()> {
        loop {
            match self.tok() {
                Tok::Keyword(Keyword::Attribute | Keyword::Declspec) => {
                    self.attribute(attributes)?
                }
                Tok::Keyword(Keyword::Asm) if self.peek().tok == Tok::LParen => {
                    self.bump();
                    self.skip_balanced()?;
                }
                Tok::Keyword(Keyword::Alignas) if self.peek().tok == Tok::LParen => {
                    let align = self.alignas()?;
                    attributes.align_at_least(align);
                }
                Tok::Keyword(Keyword::Extension | Keyword::Noreturn) => self.bump(),
                Tok::LBracket if self.peek().tok == Tok::LBracket => {
                    self.bracket_attribute(attributes)?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// `__attribute__((...))` or `__declspec(...)`.
    pub(super) fn attribute(&mut self, attributes: &mut Attributes) -> Parse<()> {
        let double = self.at_keyword(Keyword::Attribute);
        self.bump();
        self.expect(Tok::LParen, "'('")?;
        if double {
            self.expect(Tok::LParen, "'(('")?;
        }
        self.attribute_list(attributes, Tok::RParen)?;
        if double {
            self.expect(Tok::RParen, "'))'")?;
        }
        self.expect(Tok::RParen, "')'")
    }

    /// `[[...]]`, of C23.
    pub(super) fn bracket_attribute(&mut self, attributes: &mut Attributes) -> Parse<()> {
        self.bump();
        self.bump();
        self.attribute_list(attributes, Tok::RBracket)?;
        self.expect(Tok::RBracket, "']]'")?;
        self.expect(Tok::RBracket, "']]'")
    }

    fn attribute_list(&mut self, attributes: &mut Attributes, end: Tok) -> Parse<()> {
        while !self.at(end) {
            match self.tok() {
                Tok::Comma => self.bump(),
                Tok::Name | Tok::Keyword(_) => {
                    let mut name = self.text_of(self.tok);
                    self.bump();
                    if self.eat(Tok::ColonColon) {
                        // `gnu::packed`
                        name = self.text_of(self.tok);
                        self.bump();
                    }
                    let name = name.trim_matches('_');
                    match name {
                        "packed" => attributes.packed = true,
                        "aligned" | "align" => {
                            let align = if self.eat(Tok::LParen) {
                                let align = self.alignment()?;
                                self.expect(Tok::RParen, "')'")?;
                                align
                            } else {
                                u32::from(self.decls.target.max_align)
                            };
                            attributes.align_at_least(align);
                        }
                        "vector_size" | "ext_vector_type" | "mode" => {
                            let span = self.span();
                            let message = message::unsupported_type(name);
                            return Err(Box::new(Diagnostic::ffi(span, message)));
                        }
                        _ => {}
                    }
                    if self.at(Tok::LParen) {
                        self.skip_balanced()?;
                    }
                }
                _ => return Err(self.unexpected(message::expected("an attribute"))),
            }
        }
        Ok(())
    }

    /// `_Alignas(type)` or `_Alignas(expression)`.
    pub(super) fn alignas(&mut self) -> Parse<u32> {
        self.bump();
        self.expect(Tok::LParen, "'('")?;
        let align = self.alignment()?;
        self.expect(Tok::RParen, "')'")?;
        Ok(align)
    }

    fn alignment(&mut self) -> Parse<u32> {
        let start = self.tok.start;
        if self.at_type() {
            let ty = self.type_name()?;
            return self.align_of(ty, start);
        }
        let value = self.constant_expression()?.value;
        match u32::try_from(value) {
            Ok(align) if align == 0 || (align.is_power_of_two() && align <= 1 << 28) => Ok(align),
            _ => {
                let span = self.span_from(start);
                Err(Box::new(Diagnostic::cdef(span, message::ALIGNMENT)))
            }
        }
    }

    /// The natural alignment of the target's largest type is never asked for by name, but `_Alignof` is.
    pub(super) fn align_of(&mut self, ty: crate::types::QualType, start: u32) -> Parse<u32> {
        self.measure(ty, start).map(|(_, align)| align)
    }

    /// `size_t` of the target, as the integer type that it is.
    pub(super) fn size_type(&self) -> Primitive {
        let target = &self.decls.target;
        if target.pointer_size == target.long_size {
            Primitive::ULong
        } else if target.pointer_size == 8 {
            Primitive::ULongLong
        } else {
            Primitive::UInt
        }
    }
}
