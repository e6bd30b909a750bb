//! Constant expressions (C11 6.6), evaluated in C's types while they are read.

use crate::constant::{LiteralError, Operator, Undefined, Value};
use crate::declarations::Item;
use crate::diagnostic::Diagnostic;
use crate::keyword::Keyword;
use crate::lexer::{Tok, Token};
use crate::message;
use crate::source::Span;
use crate::suggest;
use crate::types::{Primitive, QualType, RecordId, Symbol, Type};

use super::{Foreign, Parse, Parser};

/// A binary operator and how tightly it binds.
pub(super) fn operator(tok: Tok) -> Option<(Operator, u8)> {
    Some(match tok {
        Tok::Star => (Operator::Multiply, 10),
        Tok::Slash => (Operator::Divide, 10),
        Tok::Percent => (Operator::Remainder, 10),
        Tok::Plus => (Operator::Add, 9),
        Tok::Minus => (Operator::Subtract, 9),
        Tok::ShiftLeft => (Operator::ShiftLeft, 8),
        Tok::ShiftRight => (Operator::ShiftRight, 8),
        Tok::Less => (Operator::Less, 7),
        Tok::Greater => (Operator::Greater, 7),
        Tok::LessEqual => (Operator::LessEqual, 7),
        Tok::GreaterEqual => (Operator::GreaterEqual, 7),
        Tok::Equal => (Operator::Equal, 6),
        Tok::NotEqual => (Operator::NotEqual, 6),
        Tok::Ampersand => (Operator::And, 5),
        Tok::Caret => (Operator::Xor, 4),
        Tok::Pipe => (Operator::Or, 3),
        Tok::AndAnd => (Operator::LogicalAnd, 2),
        Tok::OrOr => (Operator::LogicalOr, 1),
        _ => return None,
    })
}

impl Parser<'_> {
    pub(super) fn constant_expression(&mut self) -> Parse<Value> {
        self.descend()?;
        let start = self.tok.start;
        let condition = self.binary(1)?;
        let value = if self.eat(Tok::Question) {
            let (skip_first, skip_second) = (condition.value == 0, condition.value != 0);
            let first = self.skipping(skip_first, Self::constant_expression)?;
            self.expect(Tok::Colon, "':'")?;
            let second = self.skipping(skip_second, Self::constant_expression)?;
            let ty = self.decls.target.common(first.ty, second.ty);
            let chosen = if condition.value != 0 { first } else { second };
            let value = self.decls.target.wrap(chosen.value, ty);
            Value { value, ty }
        } else {
            condition
        };
        debug_assert!(start <= self.tok.start);
        self.ascend();
        Ok(value)
    }

    /// Calls `read`. With `skip` the operand is not evaluated: it may even divide by zero.
    fn skipping(
        &mut self,
        skip: bool,
        read: impl FnOnce(&mut Self) -> Parse<Value>,
    ) -> Parse<Value> {
        self.unevaluated += u32::from(skip);
        let value = read(self);
        self.unevaluated -= u32::from(skip);
        value
    }

    fn binary(&mut self, least: u8) -> Parse<Value> {
        let start = self.tok.start;
        let mut left = self.unary()?;
        while let Some((op, precedence)) = operator(self.tok.tok) {
            if precedence < least {
                break;
            }
            self.bump();
            let skip = match op {
                Operator::LogicalAnd => left.value == 0,
                Operator::LogicalOr => left.value != 0,
                _ => false,
            };
            self.descend()?;
            let right = self.skipping(skip, |parser| parser.binary(precedence + 1))?;
            self.ascend();
            let span = self.span_from(start);
            left = match self.decls.target.binary(op, left, right) {
                Ok((value, overflow)) => {
                    self.warn_overflow(overflow, span);
                    value
                }
                Err(Undefined::DivisionByZero)
                    if self.unevaluated > 0 || self.foreign == Foreign::Unknown =>
                {
                    Value::int(0)
                }
                Err(Undefined::DivisionByZero) => {
                    return Err(Box::new(Diagnostic::ffi(span, message::DIVISION_BY_ZERO)));
                }
            };
        }
        Ok(left)
    }

    fn warn_overflow(&mut self, overflow: bool, span: Span) {
        if overflow && self.unevaluated == 0 {
            self.warn(span, message::OVERFLOW);
        }
    }

    fn unary(&mut self) -> Parse<Value> {
        while self.eat(Tok::Keyword(Keyword::Extension)) {}
        let token = self.tok;
        match token.tok {
            Tok::Plus | Tok::Minus | Tok::Tilde | Tok::Bang => {
                self.descend()?;
                self.bump();
                let operand = self.unary()?;
                self.ascend();
                Ok(match token.tok {
                    Tok::Plus => operand,
                    Tok::Tilde => self.decls.target.complement(operand),
                    Tok::Bang => Value::truth(operand.value == 0),
                    _ => {
                        let (value, overflow) = self.decls.target.negate(operand);
                        let span = self.span_from(token.start);
                        self.warn_overflow(overflow, span);
                        value
                    }
                })
            }
            Tok::Ampersand | Tok::Star if self.foreign != Foreign::No => {
                self.descend()?;
                self.bump();
                self.unary()?;
                self.ascend();
                Ok(self.unknown())
            }
            Tok::LParen => {
                self.descend()?;
                self.bump();
                while self.eat(Tok::Keyword(Keyword::Extension)) {}
                let value = if self.at_foreign_cast() {
                    self.bump();
                    self.bump();
                    self.foreign_cast()?
                } else if self.at_type() {
                    let ty = self.type_name()?;
                    self.expect(Tok::RParen, "')'")?;
                    self.cast(ty, token.start)?
                } else {
                    let value = self.constant_expression()?;
                    self.expect(Tok::RParen, "')'")?;
                    if self.foreign != Foreign::No {
                        self.foreign_suffixes()?;
                    }
                    value
                };
                self.ascend();
                Ok(value)
            }
            Tok::Keyword(Keyword::Sizeof) => {
                self.bump();
                if self.foreign != Foreign::No && !self.at_parenthesised_type() {
                    self.unary()?;
                    return Ok(self.unknown());
                }
                let ty = self.measured_type()?;
                let (size, _) = self.measure(ty, token.start)?;
                Ok(self.size_value(size))
            }
            Tok::Keyword(Keyword::Alignof) => {
                self.bump();
                let ty = self.measured_type()?;
                let (_, align) = self.measure(ty, token.start)?;
                Ok(self.size_value(u64::from(align)))
            }
            _ => {
                let value = self.primary()?;
                if self.foreign != Foreign::No {
                    self.foreign_suffixes()?;
                }
                Ok(value)
            }
        }
    }

    /// Notes that the expression depends on something that only the C compiler knows; 0 takes the place of its value.
    fn unknown(&mut self) -> Value {
        self.foreign = Foreign::Unknown;
        Value::int(0)
    }

    pub(super) fn at_parenthesised_type(&mut self) -> bool {
        self.at(Tok::LParen) && {
            let next = self.peek();
            self.is_type_token(next)
        }
    }

    /// In an expression for the C compiler: whether `name)` and an operand follow, where `name` is unknown here. Then
    /// it must be a type, and this a cast.
    fn at_foreign_cast(&mut self) -> bool {
        if self.foreign == Foreign::No
            || !self.at(Tok::Name)
            || self.at_type()
            || self.known_constant(self.tok.symbol).is_some()
        {
            return false;
        }
        let mut ahead = self.lexer;
        ahead.next(&mut self.decls.types).tok == Tok::RParen
            && matches!(
                ahead.next(&mut self.decls.types).tok,
                Tok::Number
                    | Tok::Char
                    | Tok::String
                    | Tok::Name
                    | Tok::LBrace
                    | Tok::Tilde
                    | Tok::Bang
                    | Tok::Keyword(Keyword::Sizeof)
            )
    }

    /// Reads the operand of a cast whose type only the C compiler knows, or the braces of a compound literal.
    fn foreign_cast(&mut self) -> Parse<Value> {
        if self.at(Tok::LBrace) {
            self.initialiser_list()?;
            self.foreign_suffixes()?;
        } else {
            self.unary()?;
        }
        Ok(self.unknown())
    }

    fn size_value(&self, size: u64) -> Value {
        Value {
            value: i128::from(size),
            ty: self.size_type(),
        }
    }

    /// Whether the operand of sizeof is an expression. An unknown name alone in the parentheses counts as a type.
    fn is_measured_expression(&mut self) -> bool {
        if !self.at(Tok::LParen) {
            return true;
        }
        let mut ahead = self.lexer;
        let first = ahead.next(&mut self.decls.types);
        let second = ahead.next(&mut self.decls.types);
        let lone_name = first.tok == Tok::Name && second.tok == Tok::RParen;
        !self.is_type_token(first)
            && !matches!(first.tok, Tok::RParen | Tok::Eof | Tok::Ellipsis)
            && (!lone_name || self.known_constant(first.symbol).is_some())
    }

    /// The type of the operand of sizeof.
    fn measured_type(&mut self) -> Parse<QualType> {
        if !self.is_cffi_only() && self.foreign == Foreign::No && self.is_measured_expression() {
            return self.operand_of_sizeof();
        }
        self.expect(Tok::LParen, "'('")?;
        if self.at_type() {
            let ty = self.type_name()?;
            self.expect(Tok::RParen, "')'")?;
            return Ok(ty);
        }
        // The only expression accepted here is the name of a variable.
        if self.at(Tok::Name) && self.peek().tok == Tok::RParen {
            if let Some(&Item::Variable(index)) = self.decls.ordinary.get(&self.tok.symbol) {
                self.bump();
                self.bump();
                return Ok(self.decls.variables[index as usize].ty);
            }
            return Err(self.unknown_type_error(false));
        }
        Err(self.unexpected(message::EXPECTED_TYPE))
    }

    /// Size and alignment of a type that an expression asks for.
    pub(super) fn measure(&mut self, ty: QualType, start: u32) -> Parse<(u64, u32)> {
        let mut layouts = std::mem::take(&mut self.decls.layouts);
        let measured = layouts.size_and_align(self.decls, ty);
        self.decls.layouts = layouts;
        measured.map_err(|error| {
            let span = self.span_from(start);
            Box::new(Diagnostic::ffi(span, error.message))
        })
    }

    fn cast(&mut self, ty: QualType, start: u32) -> Parse<Value> {
        let target = match self.decls.types.get(ty.ty) {
            Type::Primitive(primitive) if self.decls.target.is_signed(*primitive).is_some() => {
                *primitive
            }
            Type::Enum(id) => {
                let underlying = self.decls.types.enumeration(*id).underlying;
                underlying.unwrap_or(Primitive::UInt)
            }
            _ if self.foreign != Foreign::No => return self.foreign_cast(),
            _ => {
                let span = self.span_from(start);
                return Err(Box::new(Diagnostic::ffi(
                    span,
                    message::UNSUPPORTED_EXPRESSION,
                )));
            }
        };
        if self.at(Tok::Number) {
            let text = self.text_of(self.tok);
            if self.decls.target.integer_literal(text) == Err(LiteralError::Floating) {
                let digits = text.trim_end_matches(['f', 'F', 'l', 'L']);
                if let Ok(value) = digits.parse::<f64>() {
                    self.bump();
                    // A floating constant is allowed only as the immediate operand of a cast (C11 6.6p6).
                    let value = self.decls.target.wrap(value as i128, target);
                    return Ok(self.decls.target.promote(value, target));
                }
            }
        }
        let operand = match self.address()? {
            Some(address) => address,
            None if self.at(Tok::LBrace) && !self.is_cffi_only() => self.compound_literal()?,
            None => self.unary()?,
        };
        let value = self.decls.target.wrap(operand.value, target);
        Ok(self.decls.target.promote(value, target))
    }

    /// Reads `{5}` of a compound literal of an arithmetic type.
    fn compound_literal(&mut self) -> Parse<Value> {
        self.bump();
        if self.eat(Tok::RBrace) {
            return Ok(Value::int(0));
        }
        let value = self.constant_expression()?;
        self.eat(Tok::Comma);
        self.expect(Tok::RBrace, "'}'")?;
        Ok(value)
    }

    /// The operand of a cast to an integer, if it is a constant address: `(T *)8`, or `&((T *)0)->field`, the way in
    /// which headers write `offsetof` themselves.
    fn address(&mut self) -> Parse<Option<Value>> {
        if self.is_cffi_only() || self.foreign != Foreign::No {
            return Ok(None);
        }
        let bookmark = (self.lexer, self.tok, self.previous_end, self.depth);
        let start = self.tok.start;
        if self.eat(Tok::Ampersand) {
            let mut parentheses = 0;
            while self.at(Tok::LParen) && !self.at_parenthesised_type() {
                self.bump();
                parentheses += 1;
            }
            let Some((base, to)) = self.cast_to_pointer()? else {
                return Err(self.unexpected(message::UNSUPPORTED_EXPRESSION));
            };
            if parentheses > 0 && self.eat(Tok::RParen) {
                parentheses -= 1;
            }
            self.expect(Tok::Arrow, "'->'")?;
            let offset = self.designated_offset(to, start)?;
            for _ in 0..parentheses {
                self.expect(Tok::RParen, "')'")?;
            }
            let size = self.size_value(offset);
            return Ok(Some(Value {
                value: base.value.saturating_add(size.value),
                ..size
            }));
        }
        if let Some((value, _)) = self.cast_to_pointer()? {
            return Ok(Some(value));
        }
        (self.lexer, self.tok, self.previous_end, self.depth) = bookmark;
        Ok(None)
    }

    /// `(T *)` and an integer: the address, and `T`.
    fn cast_to_pointer(&mut self) -> Parse<Option<(Value, QualType)>> {
        if !self.at_parenthesised_type() {
            return Ok(None);
        }
        self.bump();
        let ty = self.type_name()?;
        self.expect(Tok::RParen, "')'")?;
        let Type::Pointer(to) = *self.decls.types.get(ty.ty) else {
            return Ok(None);
        };
        self.descend()?;
        let value = match self.address()? {
            Some(value) => value.value,
            None => self.unary()?.value,
        };
        self.ascend();
        let ty = self.size_type();
        let value = self.decls.target.wrap(value, ty);
        Ok(Some((Value { value, ty }, to)))
    }

    pub(super) fn primary(&mut self) -> Parse<Value> {
        let token = self.tok;
        let literal = match token.tok {
            Tok::Number => self.decls.target.integer_literal(self.text_of(token)),
            Tok::Char => self.decls.target.char_literal(self.text_of(token)),
            Tok::Name => return self.named_constant(token),
            Tok::Keyword(Keyword::Generic) if self.foreign != Foreign::No => {
                self.bump();
                self.skip_balanced()?;
                return Ok(self.unknown());
            }
            Tok::Keyword(Keyword::Generic) if !self.is_cffi_only() => {
                return self.generic_selection(Self::constant_expression);
            }
            Tok::String if self.foreign != Foreign::No => {
                while self.at(Tok::String) {
                    self.bump();
                }
                return Ok(self.unknown());
            }
            Tok::Ellipsis => {
                let span = self.span();
                return Err(Box::new(Diagnostic::ffi(span, message::BAD_DOTS)));
            }
            _ => return Err(self.unexpected(message::EXPECTED_EXPRESSION)),
        };
        match literal {
            Ok(mut value) => {
                self.bump();
                if self.as_cffi && token.tok == Tok::Number && value.value <= i128::from(i64::MAX) {
                    value.ty = Primitive::LongLong;
                }
                Ok(value)
            }
            Err(LiteralError::Floating) if self.foreign != Foreign::No => {
                self.bump();
                Ok(self.unknown())
            }
            Err(error) => Err(self.literal_error(token, error)),
        }
    }

    fn literal_error(&self, token: Token, error: LiteralError) -> Box<Diagnostic> {
        let text = self.text_of(token);
        let label = match error {
            LiteralError::Floating => message::FLOATING_CONSTANT.into(),
            LiteralError::Digit(digit) => message::digit(digit, text),
            LiteralError::Suffix => message::SUFFIX.into(),
            LiteralError::TooLarge => message::TOO_LARGE_CONSTANT.into(),
            LiteralError::Escape => message::ESCAPE.into(),
            LiteralError::EmptyCharacter => message::EMPTY_CHARACTER.into(),
            LiteralError::LongCharacter => message::LONG_CHARACTER.into(),
            LiteralError::Invalid => "not a number".into(),
        };
        let short = if error == LiteralError::TooLarge {
            "number too large"
        } else {
            "invalid number"
        };
        let message = message::invalid_constant(text);
        Box::new(
            Diagnostic::cdef(token.span(self.source), message)
                .label(label)
                .short(short),
        )
    }

    fn named_constant(&mut self, token: Token) -> Parse<Value> {
        let name = token.symbol;
        let text = self.text_of(token);
        if let Some(value) = self.known_constant(name) {
            self.bump();
            let Some(value) = value else {
                return self.value_unknown(token);
            };
            return Ok(value);
        }
        match text {
            "true" | "false" => {
                self.bump();
                return Ok(Value::truth(text == "true"));
            }
            "offsetof" | "__builtin_offsetof" => return self.offsetof(),
            _ => {}
        }
        if let Some(body) = self.later_macro(name) {
            let value = self.macro_value(body, token)?;
            self.bump();
            return Ok(value);
        }
        if self.unevaluated > 0 {
            self.bump();
            return Ok(Value::int(0));
        }
        if self.foreign != Foreign::No {
            self.bump();
            return Ok(self.unknown());
        }
        let hint = self.suggest_constant(text);
        Err(Box::new(
            Diagnostic::ffi(token.span(self.source), message::not_a_constant(text))
                .maybe_hint(hint.map(|similar| message::did_you_mean(&similar))),
        ))
    }

    fn value_unknown(&mut self, token: Token) -> Parse<Value> {
        if self.unevaluated > 0 {
            return Ok(Value::int(0));
        }
        if self.foreign != Foreign::No {
            return Ok(self.unknown());
        }
        let message = message::value_unknown(self.text_of(token));
        Err(Box::new(Diagnostic::ffi(token.span(self.source), message)))
    }

    /// A constant or enumerator declared so far; `Some(None)`: only the compiler knows its value.
    fn known_constant(&self, name: Symbol) -> Option<Option<Value>> {
        let decls = &*self.decls;
        let of_value = |value: i128| Value {
            value,
            ty: decls.target.type_of_value(value),
        };
        if let Some(&(id, index)) = decls.enumerators.get(&name) {
            let value = match &decls.types.enumeration(id).enumerators {
                Some(enumerators) => enumerators[index as usize].value,
                // The enum's body is still being read.
                None => self.decls.types.open_enumerator(index),
            };
            return Some(value.map(of_value));
        }
        match *decls.ordinary.get(&name)? {
            Item::Constant(index) => {
                let constant = &decls.constants[index as usize];
                let value = constant.value.map(|value| match constant.ty {
                    Some(ty) => decls.target.promote(value, ty),
                    None => of_value(value),
                });
                Some(value)
            }
            Item::Variable(index) if decls.variables[index as usize].is_constant => {
                Some(decls.variables[index as usize].value.map(of_value))
            }
            _ => None,
        }
    }

    /// The value of a macro whose body starts at `body`.
    fn macro_value(&mut self, body: usize, user: Token) -> Parse<Value> {
        let saved = (
            self.lexer,
            self.tok,
            self.previous_end,
            self.depth,
            self.unevaluated,
        );
        if self.depth >= super::errors::MAX_DEPTH / 2 {
            let span = user.span(self.source);
            return Err(Box::new(Diagnostic::ffi(span, message::MACRO_RECURSION)));
        }
        self.depth += 4;
        self.unevaluated = 0;
        self.lexer.position = body;
        self.lexer.set_end(self.lexer.text().len());
        self.lexer.set_end(self.lexer.directive_end());
        self.tok = self.lexer.next(&mut self.decls.types);
        let value = self.constant_expression();
        let whole = self.at(Tok::Eof);
        (
            self.lexer,
            self.tok,
            self.previous_end,
            self.depth,
            self.unevaluated,
        ) = saved;
        match value {
            Ok(value) if whole => Ok(value),
            // An error in the body is reported where the macro is defined, not here.
            _ => self.value_unknown(user),
        }
    }

    fn suggest_constant(&mut self, name: &str) -> Option<String> {
        if self.suggestions >= super::errors::MAX_SUGGESTIONS {
            return None;
        }
        self.suggestions += 1;
        let decls = &*self.decls;
        let constants = decls
            .constants
            .iter()
            .map(|constant| decls.text(constant.name));
        let enumerators = decls.enumerators.iter().map(|(name, _)| decls.text(name));
        suggest::closest(name, constants.chain(enumerators)).map(str::to_owned)
    }

    /// `offsetof(type, field)`; the field may have dots and indices.
    fn offsetof(&mut self) -> Parse<Value> {
        let start = self.tok.start;
        self.bump();
        self.expect(Tok::LParen, "'('")?;
        let ty = self.type_name()?;
        self.expect(Tok::Comma, "','")?;
        let offset = self.designated_offset(ty, start)?;
        self.expect(Tok::RParen, "')'")?;
        Ok(self.size_value(offset))
    }

    /// The offset in `ty` of `field.inner[2]`.
    fn designated_offset(&mut self, mut ty: QualType, start: u32) -> Parse<u64> {
        let mut offset = 0u64;
        loop {
            if self.at(Tok::Name) {
                let Type::Record(id) = *self.decls.types.get(ty.ty) else {
                    return Err(self.unexpected(message::UNSUPPORTED_EXPRESSION));
                };
                let (at, field) = self.field_offset(id, start)?;
                offset = offset.saturating_add(at);
                ty = field;
                self.bump();
            } else if self.eat(Tok::LBracket) {
                let index = self.constant_expression()?.value;
                self.expect(Tok::RBracket, "']'")?;
                let Type::Array { item, .. } = *self.decls.types.get(ty.ty) else {
                    return Err(self.unexpected(message::UNSUPPORTED_EXPRESSION));
                };
                let (size, _) = self.measure(item, start)?;
                let index = u64::try_from(index).unwrap_or(u64::MAX);
                offset = offset.saturating_add(index.saturating_mul(size));
                ty = item;
            } else {
                return Err(self.unexpected(message::EXPECTED_NAME));
            }
            match self.tok.tok {
                Tok::Dot => self.bump(),
                Tok::LBracket => {}
                _ => return Ok(offset),
            }
        }
    }

    /// The offset and type of the field that the current token names.
    fn field_offset(&mut self, id: RecordId, start: u32) -> Parse<(u64, QualType)> {
        let mut layouts = std::mem::take(&mut self.decls.layouts);
        let found = layouts.find_field(self.decls, id, self.tok.symbol);
        self.decls.layouts = layouts;
        let span = self.span_from(start);
        match found {
            Err(error) => Err(Box::new(Diagnostic::ffi(span, error.message))),
            Ok(Some(found)) if found.layout.bit_offset.is_none() => {
                let fields = self.decls.types.record(found.record).fields.as_deref();
                let index = found.path.last().copied().unwrap_or(0) as usize;
                let ty = fields
                    .and_then(|fields| fields.get(index))
                    .map(|field| field.ty);
                match ty {
                    Some(ty) => Ok((found.layout.offset, ty)),
                    None => Err(self.unexpected(message::UNSUPPORTED_EXPRESSION)),
                }
            }
            Ok(_) => Err(self.unexpected(message::UNSUPPORTED_EXPRESSION)),
        }
    }
}
