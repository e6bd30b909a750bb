//! Values of macros that are not integers: floating and string constants, or none.

use crate::declarations::MacroValue;
use crate::keyword::Keyword;
use crate::lexer::{Lexer, Tok, Token};
use crate::types::Primitive;

use super::Parser;
use super::errors::MAX_DEPTH;

/// An operand or an intermediate result.
#[derive(Clone, Copy)]
enum Number {
    Integer(i128),
    /// The value, and whether the type is `float`.
    Floating(f64, bool),
}

impl Number {
    fn float(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Floating(value, _) => value,
        }
    }

    /// A floating value rounded to its type.
    fn rounded(value: f64, is_single: bool) -> Self {
        let value = if is_single {
            f64::from(value as f32)
        } else {
            value
        };
        Self::Floating(value, is_single)
    }
}

/// The tokens of a macro's body that are still to be read.
struct Body<'p, 'a> {
    parser: &'p mut Parser<'a>,
    lexer: Lexer<'a>,
    token: Token,
    depth: u32,
}

impl<'a> Parser<'a> {
    /// The value of the macro whose body stands from `start` to `end`.
    pub(super) fn other_macro(&mut self, mut start: usize, mut end: usize) -> MacroValue {
        for _ in 0..MAX_DEPTH {
            let Some(chosen) = self.chosen_in(start, end) else {
                break;
            };
            (start, end) = chosen;
        }
        let mut lexer = Lexer::new(&self.lexer.text()[..end]);
        lexer.position = start;
        let token = lexer.next(&mut self.decls.types);
        let mut body = Body {
            parser: self,
            lexer,
            token,
            depth: 0,
        };
        let bytes = body.string();
        if let Some(bytes) = bytes {
            return MacroValue::Text(bytes.into());
        }
        match body.restart(start).sum() {
            Some(Number::Floating(value, _)) if body.token.tok == Tok::Eof => {
                MacroValue::Floating(value)
            }
            _ => MacroValue::Nothing,
        }
    }
}

impl Parser<'_> {
    /// Where the expression stands that the `_Generic(...)` from `start` to `end` chooses, if nothing else stands there.
    fn chosen_in(&mut self, start: usize, end: usize) -> Option<(usize, usize)> {
        let saved = (self.lexer, self.tok, self.previous_end, self.depth);
        self.lexer.position = start;
        self.lexer.set_end(end);
        self.tok = self.lexer.next(&mut self.decls.types);
        let chosen = if self.at(Tok::Keyword(Keyword::Generic)) {
            let chosen = self.generic_selection(|parser| {
                let from = parser.tok.start as usize;
                parser.skip_association()?;
                Ok((from, parser.previous_end as usize))
            });
            chosen.ok().filter(|_| self.at(Tok::Eof))
        } else {
            None
        };
        (self.lexer, self.tok, self.previous_end, self.depth) = saved;
        chosen
    }
}

impl Body<'_, '_> {
    fn restart(&mut self, start: usize) -> &mut Self {
        self.lexer.position = start;
        self.bump();
        self
    }

    fn bump(&mut self) {
        self.token = self.lexer.next(&mut self.parser.decls.types);
    }

    fn eat(&mut self, tok: Tok) -> bool {
        let found = self.token.tok == tok;
        if found {
            self.bump();
        }
        found
    }

    fn text(&self) -> &str {
        &self.lexer.text()[self.token.start as usize..self.token.end as usize]
    }

    /// The bytes of adjacent string literals, which may stand in parentheses.
    fn string(&mut self) -> Option<Vec<u8>> {
        let mut open = 0;
        while self.eat(Tok::LParen) {
            open += 1;
        }
        let mut bytes = Vec::new();
        if self.token.tok != Tok::String {
            return None;
        }
        while self.token.tok == Tok::String {
            crate::constant::string_bytes(self.text(), &mut bytes)?;
            self.bump();
        }
        for _ in 0..open {
            if !self.eat(Tok::RParen) {
                return None;
            }
        }
        (self.token.tok == Tok::Eof).then_some(bytes)
    }

    fn sum(&mut self) -> Option<Number> {
        let mut left = self.product()?;
        loop {
            let tok = self.token.tok;
            if !matches!(tok, Tok::Plus | Tok::Minus) {
                return Some(left);
            }
            self.bump();
            let right = self.product()?;
            left = arithmetic(tok, left, right)?;
        }
    }

    fn product(&mut self) -> Option<Number> {
        let mut left = self.unary()?;
        loop {
            let tok = self.token.tok;
            if !matches!(tok, Tok::Star | Tok::Slash) {
                return Some(left);
            }
            self.bump();
            let right = self.unary()?;
            left = arithmetic(tok, left, right)?;
        }
    }

    fn unary(&mut self) -> Option<Number> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let value = self.operand();
        self.depth -= 1;
        value
    }

    fn operand(&mut self) -> Option<Number> {
        if self.eat(Tok::Plus) {
            return self.unary();
        }
        if self.eat(Tok::Minus) {
            return Some(match self.unary()? {
                Number::Integer(value) => Number::Integer(-value),
                Number::Floating(value, is_single) => Number::Floating(-value, is_single),
            });
        }
        if self.eat(Tok::LParen) {
            if let Some(ty) = self.floating_type() {
                self.eat(Tok::RParen).then_some(())?;
                let value = self.unary()?.float();
                return Some(Number::rounded(value, ty == Primitive::Float));
            }
            let value = self.sum()?;
            return self.eat(Tok::RParen).then_some(value);
        }
        let value = match self.token.tok {
            Tok::Number => self.number()?,
            Tok::Name => Number::Integer(self.named()?),
            _ => return None,
        };
        self.bump();
        Some(value)
    }

    /// The floating type of a cast, if one follows.
    fn floating_type(&mut self) -> Option<Primitive> {
        let start = (self.lexer, self.token);
        let is_long = self.text() == "long";
        if is_long {
            self.bump();
        }
        let found = match (self.text(), is_long) {
            ("double", false) => Some(Primitive::Double),
            ("double", true) => Some(Primitive::LongDouble),
            ("float", false) => Some(Primitive::Float),
            _ => None,
        };
        if found.is_some() {
            self.bump();
        } else {
            (self.lexer, self.token) = start;
        }
        found
    }

    fn number(&self) -> Option<Number> {
        let text = self.text();
        if let Ok(value) = self.parser.decls.target.integer_literal(text) {
            return Some(Number::Integer(value.value));
        }
        let digits = text.replace('\'', "");
        let is_hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
        let suffixes: &[char] = &['f', 'F', 'l', 'L'];
        let number = digits.strip_suffix(suffixes).unwrap_or(&digits);
        let is_single = digits.ends_with(['f', 'F']);
        let value = if is_hexadecimal {
            hexadecimal(&number[2..])?
        } else {
            number.parse().ok()?
        };
        Some(Number::rounded(value, is_single))
    }

    /// The value of the enumerator or constant that the current token names.
    fn named(&self) -> Option<i128> {
        let declarations = &self.parser.decls;
        let name = declarations.text(self.token.symbol);
        if let Some(constant) = declarations.lookup_constant(name) {
            return constant.value;
        }
        declarations.lookup_enumerator(name)?.1
    }
}

fn arithmetic(tok: Tok, left: Number, right: Number) -> Option<Number> {
    if let (Number::Integer(left), Number::Integer(right)) = (left, right) {
        return Some(Number::Integer(match tok {
            Tok::Plus => left.checked_add(right)?,
            Tok::Minus => left.checked_sub(right)?,
            Tok::Star => left.checked_mul(right)?,
            _ => left.checked_div(right)?,
        }));
    }
    let is_single = |number| !matches!(number, Number::Floating(_, false));
    let (a, b) = (left.float(), right.float());
    let value = match tok {
        Tok::Plus => a + b,
        Tok::Minus => a - b,
        Tok::Star => a * b,
        _ => a / b,
    };
    Some(Number::rounded(value, is_single(left) && is_single(right)))
}

/// `1.8p3`
fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once(['p', 'P'])?;
    let mut exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut value: u64 = 0;
    for digit in whole.chars().chain(fraction.chars()) {
        // Give up (`None`) on more digits than 64 bits hold, which would have to be rounded.
        value = value
            .checked_mul(16)?
            .checked_add(digit.to_digit(16)?.into())?;
    }
    exponent = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    Some(value as f64 * 2f64.powi(exponent))
}
