//! Integer constants: literals, and arithmetic in C's types (C11 6.4.4, 6.3.1, 6.6).

use crate::target::Target;
use crate::types::Primitive;

/// A value with its C type, which integer promotion does not change. A value of `unsigned __int128` above 2^127 - 1 is
/// stored as the negative `i128` with the same bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Value {
    pub(crate) value: i128,
    pub(crate) ty: Primitive,
}

impl Value {
    pub(crate) const fn int(value: i128) -> Self {
        Self {
            value,
            ty: Primitive::Int,
        }
    }
    /// The value; `None` for one above 2^127 - 1, which `i128` cannot hold.
    pub(crate) fn told(self) -> Option<i128> {
        (self.ty != Primitive::UInt128 || self.value >= 0).then_some(self.value)
    }
    pub(crate) fn truth(value: bool) -> Self {
        Self::int(i128::from(value))
    }
}

/// Why an operation has no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Undefined {
    DivisionByZero,
}

/// Binary operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operator {
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Xor,
    Or,
    LogicalAnd,
    LogicalOr,
}

fn rank(ty: Primitive) -> u8 {
    match ty {
        Primitive::Int | Primitive::UInt => 0,
        Primitive::Long | Primitive::ULong => 1,
        Primitive::Int128 | Primitive::UInt128 => 3,
        _ => 2,
    }
}

fn is_signed(ty: Primitive) -> bool {
    matches!(
        ty,
        Primitive::Int | Primitive::Long | Primitive::LongLong | Primitive::Int128
    )
}

fn unsigned(ty: Primitive) -> Primitive {
    match ty {
        Primitive::Int => Primitive::UInt,
        Primitive::Long => Primitive::ULong,
        Primitive::LongLong => Primitive::ULongLong,
        Primitive::Int128 => Primitive::UInt128,
        other => other,
    }
}

/// `x op y` of `unsigned __int128`.
fn unsigned_128(op: Operator, x: u128, y: u128) -> Result<Value, Undefined> {
    use Operator::*;
    let value = match op {
        Less => return Ok(Value::truth(x < y)),
        Greater => return Ok(Value::truth(x > y)),
        LessEqual => return Ok(Value::truth(x <= y)),
        GreaterEqual => return Ok(Value::truth(x >= y)),
        Equal => return Ok(Value::truth(x == y)),
        NotEqual => return Ok(Value::truth(x != y)),
        Divide => x.checked_div(y).ok_or(Undefined::DivisionByZero)?,
        Remainder => x.checked_rem(y).ok_or(Undefined::DivisionByZero)?,
        Multiply => x.wrapping_mul(y),
        Add => x.wrapping_add(y),
        Subtract => x.wrapping_sub(y),
        And => x & y,
        Xor => x ^ y,
        Or => x | y,
        LogicalAnd | LogicalOr | ShiftLeft | ShiftRight => unreachable!("handled before"),
    };
    Ok(Value {
        value: value as i128,
        ty: Primitive::UInt128,
    })
}

impl Target {
    /// Bits of an integer type.
    pub(crate) fn bits(&self, ty: Primitive) -> u32 {
        self.size_and_align(ty).0 as u32 * 8
    }

    /// Least and greatest value of an integer type; of `unsigned __int128` the greatest that `i128` holds.
    pub(crate) fn range(&self, ty: Primitive) -> (i128, i128) {
        if ty == Primitive::Bool {
            return (0, 1);
        }
        let bits = self.bits(ty);
        if bits == i128::BITS {
            let is_signed = self.is_signed(ty) == Some(true);
            (if is_signed { i128::MIN } else { 0 }, i128::MAX)
        } else if self.is_signed(ty) == Some(true) {
            (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        } else {
            (0, (1 << bits) - 1)
        }
    }

    /// `value` as the type holds it: modulo 2^N.
    pub(crate) fn wrap(&self, value: i128, ty: Primitive) -> i128 {
        if ty == Primitive::Bool {
            return i128::from(value != 0);
        }
        let bits = self.bits(ty);
        if bits == i128::BITS {
            return value;
        }
        let low = value & ((1i128 << bits) - 1);
        if self.is_signed(ty) == Some(true) && low >> (bits - 1) != 0 {
            low - (1 << bits)
        } else {
            low
        }
    }

    /// The value of type `ty` after integer promotion (C11 6.3.1.1).
    pub(crate) fn promote(&self, value: i128, ty: Primitive) -> Value {
        let (bits, signed) = (self.bits(ty), self.is_signed(ty) == Some(true));
        let int_bits = self.bits(Primitive::Int);
        let ty = match ty {
            Primitive::Long | Primitive::ULong | Primitive::LongLong | Primitive::ULongLong => ty,
            Primitive::Int128 | Primitive::UInt128 => ty,
            _ if bits < int_bits || (bits == int_bits && signed) => Primitive::Int,
            _ if bits == int_bits => Primitive::UInt,
            _ if bits == self.bits(Primitive::Long) => {
                if signed {
                    Primitive::Long
                } else {
                    Primitive::ULong
                }
            }
            _ if signed => Primitive::LongLong,
            _ => Primitive::ULongLong,
        };
        Value { value, ty }
    }

    /// The type both operands are converted to (C11 6.3.1.8).
    pub(crate) fn common(&self, a: Primitive, b: Primitive) -> Primitive {
        if a == b {
            return a;
        }
        let (low, high) = if rank(a) <= rank(b) { (a, b) } else { (b, a) };
        if is_signed(low) == is_signed(high) {
            high
        } else if !is_signed(high) || rank(low) == rank(high) {
            unsigned(high)
        } else if self.bits(high) > self.bits(low) {
            high
        } else {
            unsigned(high)
        }
    }

    /// The first of `candidates` that holds `value`.
    fn first_that_holds(&self, value: i128, candidates: &[Primitive]) -> Option<Primitive> {
        candidates.iter().copied().find(|&ty| {
            let (least, greatest) = self.range(ty);
            (least..=greatest).contains(&value)
        })
    }

    /// The type of a constant that is known by its value alone (an enumerator).
    pub(crate) fn type_of_value(&self, value: i128) -> Primitive {
        use Primitive::*;
        self.first_that_holds(value, &[Int, UInt, Long, ULong, LongLong, ULongLong])
            .unwrap_or(LongLong)
    }

    /// The integer type that GCC gives an enum with values from `least` to `greatest`; `packed`: the
    /// smallest possible. `None` if none holds both.
    pub(crate) fn enum_type(&self, least: i128, greatest: i128, packed: bool) -> Option<Primitive> {
        use Primitive::*;
        let candidates: &[Primitive] = match (least < 0, packed) {
            (true, false) => &[Int, Long, LongLong],
            (false, false) => &[UInt, ULong, ULongLong],
            (true, true) => &[SChar, Short, Int, Long, LongLong],
            (false, true) => &[UChar, UShort, UInt, ULong, ULongLong],
        };
        candidates.iter().copied().find(|&ty| {
            let (low, high) = self.range(ty);
            low <= least && greatest <= high
        })
    }

    /// `a op b`. The flag: a signed operation overflowed, and wrapped.
    pub(crate) fn binary(
        &self,
        op: Operator,
        a: Value,
        b: Value,
    ) -> Result<(Value, bool), Undefined> {
        use Operator::*;
        match op {
            LogicalAnd => return Ok((Value::truth(a.value != 0 && b.value != 0), false)),
            LogicalOr => return Ok((Value::truth(a.value != 0 || b.value != 0), false)),
            ShiftLeft | ShiftRight => return Ok(self.shift(op, a, b)),
            _ => {}
        }
        let ty = self.common(a.ty, b.ty);
        let (x, y) = (self.wrap(a.value, ty), self.wrap(b.value, ty));
        if ty == Primitive::UInt128 {
            return unsigned_128(op, x as u128, y as u128).map(|value| (value, false));
        }
        let mut overflows = false;
        let mut exactly = |(value, overflowed): (i128, bool)| {
            overflows |= overflowed;
            value
        };
        let exact = match op {
            Less => return Ok((Value::truth(x < y), false)),
            Greater => return Ok((Value::truth(x > y), false)),
            LessEqual => return Ok((Value::truth(x <= y), false)),
            GreaterEqual => return Ok((Value::truth(x >= y), false)),
            Equal => return Ok((Value::truth(x == y), false)),
            NotEqual => return Ok((Value::truth(x != y), false)),
            Divide | Remainder if y == 0 => return Err(Undefined::DivisionByZero),
            Divide => exactly(x.overflowing_div(y)),
            Remainder => exactly(x.overflowing_rem(y)),
            // The product of two unsigned 64-bit factors may overflow `i128`; its low 64 bits are right all the same.
            Multiply => exactly(x.overflowing_mul(y)),
            Add => exactly(x.overflowing_add(y)),
            Subtract => exactly(x.overflowing_sub(y)),
            And => x & y,
            Xor => x ^ y,
            Or => x | y,
            LogicalAnd | LogicalOr | ShiftLeft | ShiftRight => unreachable!("handled above"),
        };
        let value = self.wrap(exact, ty);
        Ok((
            Value { value, ty },
            is_signed(ty) && (overflows || value != exact),
        ))
    }

    fn shift(&self, op: Operator, a: Value, b: Value) -> (Value, bool) {
        let bits = i128::from(self.bits(a.ty));
        let bad = !(0..bits).contains(&b.value);
        // Shifting by a negative distance or by the width and more is undefined in C; here the distance wraps, as on
        // x86.
        let distance = b.value.rem_euclid(bits) as u32;
        if a.ty == Primitive::UInt128 {
            let bits = a.value as u128;
            let value = if op == Operator::ShiftLeft {
                bits << distance
            } else {
                bits >> distance
            };
            return (
                Value {
                    value: value as i128,
                    ty: a.ty,
                },
                bad,
            );
        }
        let exact = if op == Operator::ShiftLeft {
            a.value << distance
        } else {
            a.value >> distance
        };
        let value = self.wrap(exact, a.ty);
        // Flag constants such as `1 << 31` shift a bit into the sign: like GCC, this is not reported as an overflow.
        let (overflow, sign_only) = if bits == i128::from(i128::BITS) {
            let is_lost = op == Operator::ShiftLeft && exact >> distance != a.value;
            let sign_only = a.value >= 0 && (exact as u128) >> distance == a.value as u128;
            (is_lost, sign_only)
        } else {
            (value != exact, a.value >= 0 && exact >> bits == 0)
        };
        let overflow = is_signed(a.ty) && overflow && !sign_only;
        (Value { value, ty: a.ty }, overflow || bad)
    }

    /// `-a`; the flag as in [`Self::binary`].
    pub(crate) fn negate(&self, a: Value) -> (Value, bool) {
        let (exact, overflows) = a.value.overflowing_neg();
        let value = self.wrap(exact, a.ty);
        (
            Value { value, ty: a.ty },
            is_signed(a.ty) && (overflows || value != exact),
        )
    }

    /// `~a`
    pub(crate) fn complement(&self, a: Value) -> Value {
        Value {
            value: self.wrap(!a.value, a.ty),
            ty: a.ty,
        }
    }

    /// An integer literal (C11 6.4.4.1, with C23's `0b` and digit separators).
    pub(crate) fn integer_literal(&self, text: &str) -> Result<Value, LiteralError> {
        let bytes = text.as_bytes();
        let (radix, digits) = match bytes {
            [b'0', b'x' | b'X', ..] => (16, &text[2..]),
            [b'0', b'b' | b'B', ..] => (2, &text[2..]),
            [b'0', ..] => (8, text),
            _ => (10, text),
        };
        let is_digit = |c: char| {
            c == '\''
                || if radix == 16 {
                    c.is_ascii_hexdigit()
                } else {
                    c.is_ascii_digit()
                }
        };
        let end = digits.find(|c| !is_digit(c)).unwrap_or(digits.len());
        let (digits, suffix) = digits.split_at(end);
        if radix != 16 && suffix.starts_with(['.', 'e', 'E'])
            || radix == 16 && suffix.starts_with(['.', 'p', 'P'])
        {
            return Err(LiteralError::Floating);
        }
        if radix == 10 && matches!(suffix, "f" | "F") {
            return Err(LiteralError::Invalid);
        }
        let mut value: u128 = 0;
        let mut any = false;
        for digit in digits.chars().filter(|&c| c != '\'') {
            let digit = digit.to_digit(radix).ok_or(LiteralError::Digit(digit))?;
            any = true;
            value = value
                .checked_mul(u128::from(radix))
                .and_then(|value| value.checked_add(u128::from(digit)))
                .filter(|&value| value <= u128::from(u64::MAX))
                .ok_or(LiteralError::TooLarge)?;
        }
        if !any {
            return Err(LiteralError::Invalid);
        }
        let lower = suffix.to_ascii_lowercase();
        // `lL` isn't a suffix in C; CFFI takes it.
        let (unsigned_suffix, longs) = match lower.as_str() {
            "" => (false, 0),
            "u" => (true, 0),
            "l" => (false, 1),
            "ul" | "lu" => (true, 1),
            "ll" => (false, 2),
            "ull" | "llu" => (true, 2),
            _ => return Err(LiteralError::Suffix),
        };
        use Primitive::*;
        let all = [Int, UInt, Long, ULong, LongLong, ULongLong];
        let value = value as i128;
        let ty = all
            .iter()
            .copied()
            .filter(|&ty| rank(ty) >= longs)
            .filter(|&ty| {
                if unsigned_suffix {
                    !is_signed(ty)
                } else {
                    is_signed(ty) || radix != 10
                }
            })
            .find(|&ty| value <= self.range(ty).1)
            // GCC gives a decimal literal that no signed type holds an unsigned type, and warns.
            .unwrap_or(ULongLong);
        Ok(Value { value, ty })
    }

    /// The character type of adjacent string literals (C11 6.4.5), and the number of their characters with the zero at
    /// the end.
    pub(crate) fn string_literal(&self, texts: &[&str]) -> Result<(Primitive, u64), LiteralError> {
        let split = |text| {
            let (prefix, quoted) = str::split_at(text, text.find('"').unwrap_or(0));
            let inside = quoted.strip_prefix('"')?.strip_suffix('"')?;
            Some((prefix, inside))
        };
        let mut item = Primitive::Char;
        for text in texts {
            item = match split(text).ok_or(LiteralError::Invalid)?.0 {
                "" | "u8" => item,
                "L" => Primitive::WChar,
                "u" => Primitive::Char16,
                "U" => Primitive::Char32,
                _ => return Err(LiteralError::Invalid),
            };
        }
        let size = self.size_and_align(item).0;
        let mut count = 1;
        for text in texts {
            let mut rest = split(text).ok_or(LiteralError::Invalid)?.1;
            while let Some(first) = rest.chars().next() {
                if let Some(next) = rest.strip_prefix("\\\n") {
                    rest = next;
                    continue;
                }
                let (unit, length, raw) = if first == '\\' {
                    escape(rest)?
                } else {
                    (first as u32, first.len_utf8(), false)
                };
                let character = char::from_u32(unit).filter(|_| !raw);
                count += match (character, size) {
                    (Some(character), 1) => character.len_utf8() as u64,
                    (Some(character), 2) => character.len_utf16() as u64,
                    _ => 1,
                };
                rest = &rest[length..];
            }
        }
        Ok((item, count))
    }

    /// A character literal (C11 6.4.4.4), quotes and prefix included.
    pub(crate) fn char_literal(&self, text: &str) -> Result<Value, LiteralError> {
        let (prefix, quoted) = text.split_at(text.find('\'').ok_or(LiteralError::Invalid)?);
        let inside = quoted
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''))
            .ok_or(LiteralError::Invalid)?;
        let ty = match prefix {
            "" => Primitive::Char,
            "L" => Primitive::WChar,
            "u" => Primitive::Char16,
            "U" => Primitive::Char32,
            "u8" => Primitive::UChar,
            _ => return Err(LiteralError::Invalid),
        };
        let mut value: i128 = 0;
        let mut count = 0;
        let mut rest = inside;
        while let Some(first) = rest.chars().next() {
            let (unit, length, raw) = if first == '\\' {
                escape(rest)?
            } else {
                (first as u32, first.len_utf8(), false)
            };
            if prefix.is_empty() && !raw && unit > 0x7f {
                // In UTF-8, the execution character set, this character has several bytes.
                let mut buffer = [0; 4];
                let character = char::from_u32(unit).ok_or(LiteralError::Invalid)?;
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    value = value << 8 | i128::from(byte);
                    count += 1;
                }
            } else if prefix.is_empty() {
                if unit > 0xff {
                    return Err(LiteralError::TooLarge);
                }
                value = value << 8 | i128::from(unit);
                count += 1;
            } else {
                value = i128::from(unit);
                count += 1;
            }
            rest = &rest[length..];
        }
        match count {
            0 => Err(LiteralError::EmptyCharacter),
            // Of type int, with the sign of the target's char.
            1 if prefix.is_empty() => Ok(Value::int(self.wrap(value, Primitive::Char))),
            1 => Ok(self.promote(self.wrap(value, ty), ty)),
            2..=4 if prefix.is_empty() => Ok(Value::int(self.wrap(value, Primitive::Int))),
            _ => Err(LiteralError::LongCharacter),
        }
    }
}

/// Appends the bytes that a string literal (C11 6.4.5; with its quotes) stands for. `None` for literals of wide
/// characters.
pub(crate) fn string_bytes(text: &str, bytes: &mut Vec<u8>) -> Option<()> {
    let quoted = text.strip_prefix("u8").unwrap_or(text);
    let mut rest = quoted.strip_prefix('"')?.strip_suffix('"')?;
    while let Some(first) = rest.chars().next() {
        if let Some(next) = rest.strip_prefix("\\\n") {
            rest = next;
            continue;
        }
        let (unit, length, raw) = if first == '\\' {
            escape(rest).ok()?
        } else {
            (first as u32, first.len_utf8(), false)
        };
        if raw {
            bytes.push(u8::try_from(unit).ok()?);
        } else {
            let character = char::from_u32(unit)?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        rest = &rest[length..];
    }
    Some(())
}

/// The escape sequence at the start of `text`: its value, its length in bytes, and whether the value is that of one
/// code unit (`false` for `\u` and `\U`, which name a character).
fn escape(text: &str) -> Result<(u32, usize, bool), LiteralError> {
    let number = |from: usize, radix: u32, most: usize| {
        let digits: &str = &text[from..];
        let length = digits
            .chars()
            .take(most)
            .take_while(|c| c.is_digit(radix))
            .count();
        u32::from_str_radix(&digits[..length], radix)
            .map(|value| (value, from + length))
            .map_err(|_| LiteralError::Escape)
    };
    let kind = text[1..].chars().next().ok_or(LiteralError::Escape)?;
    let simple = |value: u32| Ok((value, 2, true));
    match kind {
        'n' => simple(10),
        't' => simple(9),
        'r' => simple(13),
        'a' => simple(7),
        'b' => simple(8),
        'f' => simple(12),
        'v' => simple(11),
        'e' => simple(27),
        '\\' | '\'' | '"' | '?' => simple(kind as u32),
        '0'..='7' => number(1, 8, 3).map(|(value, length)| (value, length, true)),
        'x' => number(2, 16, usize::MAX).map(|(value, length)| (value, length, true)),
        'u' => number(2, 16, 4).map(|(value, length)| (value, length, false)),
        'U' => number(2, 16, 8).map(|(value, length)| (value, length, false)),
        _ => Err(LiteralError::Escape),
    }
}

/// What is wrong with a literal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LiteralError {
    Floating,
    Invalid,
    Digit(char),
    Suffix,
    TooLarge,
    Escape,
    EmptyCharacter,
    LongCharacter,
}
