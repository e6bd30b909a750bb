//! The type that an expression has (C11 6.5), for `typeof` and `sizeof`, which do not evaluate it.

use crate::constant::Operator;
use crate::declarations::Item;
use crate::diagnostic::Diagnostic;
use crate::keyword::Keyword;
use crate::lexer::Tok;
use crate::message;
use crate::types::{ArrayLength, Primitive, QualType, Qualifiers, Type, TypeId, TypeTable};

use super::expression::operator;
use super::{Parse, Parser};

fn primitive(ty: Primitive) -> QualType {
    QualType::plain(TypeTable::primitive_id(ty))
}

/// The rank of a floating type in the usual arithmetic conversions; complex types rank above the real ones.
fn floating_rank(ty: Primitive) -> Option<u8> {
    use Primitive::*;
    Some(match ty {
        Float => 0,
        Double => 1,
        LongDouble => 2,
        FloatComplex => 3,
        DoubleComplex => 4,
        LongDoubleComplex => 5,
        _ => return None,
    })
}

impl Parser<'_> {
    /// Reads an expression and returns its type. An lvalue keeps its qualifiers, and an array does not decay.
    pub(super) fn type_of_expression(&mut self) -> Parse<QualType> {
        self.descend()?;
        let mut ty = self.type_of_conditional()?;
        while self.eat(Tok::Comma) {
            let last = self.type_of_conditional()?;
            ty = self.decayed(last);
        }
        self.ascend();
        Ok(ty)
    }

    pub(super) fn type_of_conditional(&mut self) -> Parse<QualType> {
        let condition = self.type_of_binary(1)?;
        if !self.eat(Tok::Question) {
            return Ok(condition);
        }
        let first = self.type_of_expression()?;
        self.expect(Tok::Colon, "':'")?;
        self.descend()?;
        let second = self.type_of_conditional()?;
        self.ascend();
        let (first, second) = (self.decayed(first), self.decayed(second));
        Ok(match (self.arithmetic(first), self.arithmetic(second)) {
            (Some(a), Some(b)) => self.common_type(a, b),
            // A null pointer constant, or `void *`, gives way to the other pointer.
            (Some(_), None) => second,
            _ => first,
        })
    }

    fn type_of_binary(&mut self, least: u8) -> Parse<QualType> {
        let mut left = self.type_of_unary()?;
        while let Some((op, level)) = operator(self.tok()).filter(|&(_, level)| level >= least) {
            self.bump();
            let right = self.type_of_binary(level + 1)?;
            left = self.type_of_operation(op, left, right)?;
        }
        Ok(left)
    }

    fn type_of_operation(
        &mut self,
        op: Operator,
        left: QualType,
        right: QualType,
    ) -> Parse<QualType> {
        use Operator::*;
        let (left, right) = (self.decayed(left), self.decayed(right));
        let numbers = (self.arithmetic(left), self.arithmetic(right));
        Ok(match (op, numbers) {
            (
                Less | Greater | LessEqual | GreaterEqual | Equal | NotEqual | LogicalAnd
                | LogicalOr,
                _,
            ) => primitive(Primitive::Int),
            (ShiftLeft | ShiftRight, (Some(left), Some(_))) => self.promoted(left),
            (_, (Some(left), Some(right))) => self.common_type(left, right),
            (Add | Subtract, (None, Some(_))) => left,
            (Add, (Some(_), None)) => right,
            (Subtract, (None, None)) => primitive(self.difference_type()),
            _ => return Err(self.unexpected(message::UNSUPPORTED_EXPRESSION)),
        })
    }

    /// The integer type that `ptrdiff_t` is on the target.
    fn difference_type(&self) -> Primitive {
        match self.size_type() {
            Primitive::ULong => Primitive::Long,
            Primitive::ULongLong => Primitive::LongLong,
            _ => Primitive::Int,
        }
    }

    fn type_of_unary(&mut self) -> Parse<QualType> {
        self.descend()?;
        let ty = match self.tok() {
            Tok::Plus | Tok::Minus | Tok::Tilde => {
                self.bump();
                let operand = self.type_of_unary()?;
                match self.arithmetic(operand) {
                    Some(operand) => self.promoted(operand),
                    None => return Err(self.unexpected(message::UNSUPPORTED_EXPRESSION)),
                }
            }
            Tok::Bang => {
                self.bump();
                self.type_of_unary()?;
                primitive(Primitive::Int)
            }
            Tok::Ampersand => {
                self.bump();
                let operand = self.type_of_unary()?;
                QualType::plain(self.decls.types.pointer_to(operand))
            }
            Tok::Star => {
                self.bump();
                let operand = self.type_of_unary()?;
                self.pointee(operand)?
            }
            Tok::Keyword(Keyword::Extension) => {
                self.bump();
                self.type_of_unary()?
            }
            Tok::Keyword(Keyword::Sizeof | Keyword::Alignof) => {
                self.bump();
                self.operand_of_sizeof()?;
                primitive(self.size_type())
            }
            Tok::LParen => self.type_of_parenthesised()?,
            _ => {
                let ty = self.type_of_primary()?;
                self.type_of_postfix(ty)?
            }
        };
        self.ascend();
        Ok(ty)
    }

    /// The type of the operand of `sizeof`: a type in parentheses, or an expression.
    pub(super) fn operand_of_sizeof(&mut self) -> Parse<QualType> {
        if self.at_parenthesised_type() {
            self.bump();
            let ty = self.type_name()?;
            self.expect(Tok::RParen, "')'")?;
            if !self.at(Tok::LBrace) {
                return Ok(ty);
            }
            self.skip_balanced()?;
            return self.type_of_postfix(ty);
        }
        self.type_of_unary()
    }

    /// The type of a cast, a compound literal, or an expression in parentheses.
    fn type_of_parenthesised(&mut self) -> Parse<QualType> {
        self.bump();
        while self.eat(Tok::Keyword(Keyword::Extension)) {}
        if self.at_type() {
            let ty = self.type_name()?;
            self.expect(Tok::RParen, "')'")?;
            if self.at(Tok::LBrace) {
                self.skip_balanced()?;
                return self.type_of_postfix(ty);
            }
            self.type_of_unary()?;
            // The value of a cast is no lvalue: it has no qualifiers (C11 6.5.4, footnote).
            return Ok(QualType {
                quals: Qualifiers::NONE,
                ..ty
            });
        }
        let ty = self.type_of_expression()?;
        self.expect(Tok::RParen, "')'")?;
        self.type_of_postfix(ty)
    }

    fn type_of_postfix(&mut self, mut ty: QualType) -> Parse<QualType> {
        loop {
            match self.tok() {
                Tok::LBracket => {
                    self.skip_balanced()?;
                    ty = self.pointee(ty)?;
                }
                Tok::Dot | Tok::Arrow => {
                    if self.at(Tok::Arrow) {
                        ty = self.pointee(ty)?;
                    }
                    self.bump();
                    ty = self.type_of_field(ty)?;
                }
                Tok::LParen => {
                    self.skip_balanced()?;
                    let mut function = ty;
                    if let Type::Pointer(to) = *self.decls.types.get(ty.ty) {
                        function = to;
                    }
                    let Type::Function(found) = self.decls.types.get(function.ty) else {
                        return Err(self.unexpected(message::UNSUPPORTED_EXPRESSION));
                    };
                    ty = found.result;
                }
                _ => return Ok(ty),
            }
        }
    }

    fn type_of_field(&mut self, record: QualType) -> Parse<QualType> {
        let Type::Record(id) = *self.decls.types.get(record.ty) else {
            return Err(self.unexpected(message::UNSUPPORTED_EXPRESSION));
        };
        let mut layouts = std::mem::take(&mut self.decls.layouts);
        let found = layouts.find_field(self.decls, id, self.tok.symbol);
        self.decls.layouts = layouts;
        let span = self.span();
        let found = found.map_err(|error| Box::new(Diagnostic::ffi(span, error.message)))?;
        let field = found.and_then(|found| {
            let fields = self.decls.types.record(found.record).fields.as_deref()?;
            fields.get(*found.path.last()? as usize)
        });
        let Some(field) = field else {
            return Err(self.unexpected(message::UNSUPPORTED_EXPRESSION));
        };
        let ty = field.ty;
        self.bump();
        let inherited = record.quals;
        Ok(self.qualify(ty, inherited))
    }

    fn type_of_primary(&mut self) -> Parse<QualType> {
        let token = self.tok;
        let text = self.text_of(token);
        let ty = match token.tok {
            Tok::Name if matches!(text, "offsetof" | "__builtin_offsetof") => {
                self.bump();
                self.skip_balanced()?;
                return Ok(primitive(self.size_type()));
            }
            Tok::Name => match self.decls.ordinary.get(&token.symbol) {
                Some(&Item::Variable(index)) => self.decls.variables[index as usize].ty,
                Some(&Item::Function(index)) => {
                    QualType::plain(self.decls.functions[index as usize].ty)
                }
                _ => return self.primary().map(|value| primitive(value.ty)),
            },
            Tok::Keyword(Keyword::Generic) => {
                return self.generic_selection(Self::type_of_conditional);
            }
            Tok::String => return self.type_of_string(),
            Tok::Number if self.is_floating(text) => primitive(match text.as_bytes().last() {
                Some(b'f' | b'F') => Primitive::Float,
                Some(b'l' | b'L') => Primitive::LongDouble,
                _ => Primitive::Double,
            }),
            _ => return self.primary().map(|value| primitive(value.ty)),
        };
        self.bump();
        Ok(ty)
    }

    /// The array type of adjacent string literals.
    fn type_of_string(&mut self) -> Parse<QualType> {
        let start = self.tok.start;
        let mut texts = Vec::new();
        while self.at(Tok::String) {
            texts.push(self.text_of(self.tok));
            self.bump();
        }
        let Ok((item, length)) = self.decls.target.string_literal(&texts) else {
            let span = self.span_from(start);
            return Err(Box::new(Diagnostic::cdef(span, message::ESCAPE)));
        };
        let (item, length) = (primitive(item), ArrayLength::Fixed(length));
        Ok(QualType::plain(
            self.decls.types.intern(Type::Array { item, length }),
        ))
    }

    fn is_floating(&self, text: &str) -> bool {
        self.decls.target.integer_literal(text) == Err(crate::constant::LiteralError::Floating)
    }

    /// The type that `*` gives: of a pointer's target or an array's items.
    fn pointee(&mut self, ty: QualType) -> Parse<QualType> {
        match *self.decls.types.get(ty.ty) {
            Type::Pointer(to) => Ok(to),
            Type::Array { item, .. } => Ok(item),
            Type::Function(_) => Ok(ty),
            _ => Err(self.unexpected(message::UNSUPPORTED_EXPRESSION)),
        }
    }

    /// Arrays and functions become pointers, and the value of an lvalue has no qualifiers (C11 6.3.2.1).
    pub(super) fn decayed(&mut self, ty: QualType) -> QualType {
        match *self.decls.types.get(ty.ty) {
            Type::Array { item, .. } => QualType::plain(self.decls.types.pointer_to(item)),
            Type::Function(_) => QualType::plain(self.decls.types.pointer_to(ty)),
            _ => QualType::plain(ty.ty),
        }
    }

    /// The arithmetic type of an operand; that of an enum is its underlying type.
    fn arithmetic(&self, ty: QualType) -> Option<Primitive> {
        match *self.decls.types.get(ty.ty) {
            Type::Primitive(primitive) => Some(primitive),
            Type::Enum(id) => {
                let underlying = self.decls.types.enumeration(id).underlying;
                Some(underlying.unwrap_or(Primitive::UInt))
            }
            _ => None,
        }
    }

    fn promoted(&self, ty: Primitive) -> QualType {
        if floating_rank(ty).is_some() {
            return primitive(ty);
        }
        primitive(self.decls.target.promote(0, ty).ty)
    }

    /// The usual arithmetic conversions (C11 6.3.1.8).
    fn common_type(&self, a: Primitive, b: Primitive) -> QualType {
        let target = &self.decls.target;
        primitive(match (floating_rank(a), floating_rank(b)) {
            (None, None) => target.common(target.promote(0, a).ty, target.promote(0, b).ty),
            (Some(_), None) => a,
            (None, Some(_)) => b,
            (Some(x), Some(y)) => {
                let (high, width) = (x.max(y) > 2, (x % 3).max(y % 3));
                let all = [
                    Primitive::Float,
                    Primitive::Double,
                    Primitive::LongDouble,
                    Primitive::FloatComplex,
                    Primitive::DoubleComplex,
                    Primitive::LongDoubleComplex,
                ];
                all[usize::from(width) + if high { 3 } else { 0 }]
            }
        })
    }

    /// Reads `typeof` or `typeof_unqual` (C23 6.7.3.6), up to the closing parenthesis.
    pub(super) fn typeof_specifier(&mut self) -> Parse<QualType> {
        let unqualified = self.text_of(self.tok).starts_with("typeof_unqual")
            || self.text_of(self.tok).starts_with("__typeof_unqual");
        self.bump();
        self.expect(Tok::LParen, "'('")?;
        while self.eat(Tok::Keyword(Keyword::Extension)) {}
        let ty = if self.at_type() {
            self.type_name()?
        } else {
            self.type_of_expression()?
        };
        if !self.at(Tok::RParen) {
            return Err(self.unexpected(message::expected("')'")));
        }
        if !unqualified {
            return Ok(ty);
        }
        Ok(QualType {
            ty: self.unqualified_items(ty.ty),
            quals: Qualifiers::NONE,
            ..ty
        })
    }

    /// An array's qualifiers are those of its items (C11 6.7.3p9).
    fn unqualified_items(&mut self, ty: TypeId) -> TypeId {
        let Type::Array { item, length } = *self.decls.types.get(ty) else {
            return ty;
        };
        let item = QualType {
            ty: self.unqualified_items(item.ty),
            quals: Qualifiers::NONE,
            ..item
        };
        self.decls.types.intern(Type::Array { item, length })
    }
}
