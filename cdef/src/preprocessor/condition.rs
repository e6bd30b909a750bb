//! `#if` (C11 6.10.1): constant expressions in intmax_t and uintmax_t.

use super::Preprocessor;
use super::token::{Token, TokenKind};
use crate::constant::{Operator, Value};
use crate::target::Target;
use crate::types::Primitive;

/// The deepest nesting of parentheses and operators.
const DEEPEST: u32 = 200;

/// A value, or why there is none.
type Read<T> = Result<T, String>;

struct Expression<'a> {
    tokens: &'a [(TokenKind, String)],
    at: usize,
    skipped: bool,
    depth: u32,
}

fn signed(value: i128) -> Value {
    Value {
        value,
        ty: Primitive::LongLong,
    }
}

impl Preprocessor<'_> {
    /// Evaluates the rest of the line as the condition of the directive `at`.
    pub(super) fn condition(&mut self, at: Token) -> bool {
        let tokens = self.rest_of_line();
        let tokens = self.without_defined(tokens);
        let tokens = self.expand_line(tokens);
        let tokens = self.without_defined(tokens);
        let place = tokens.first().copied().unwrap_or(at);
        let texts: Vec<_> = tokens
            .iter()
            .map(|&token| (token.kind, self.text(token).to_owned()))
            .collect();
        let mut expression = Expression {
            tokens: &texts,
            at: 0,
            skipped: false,
            depth: 0,
        };
        let value = expression
            .conditional()
            .and_then(|value| match expression.peek() {
                "" => Ok(value),
                other => Err(format!("'{other}' has no place in this condition")),
            });
        match value {
            Ok(value) => value.value != 0,
            Err(message) => {
                self.error(place, message);
                false
            }
        }
    }

    fn without_defined(&mut self, tokens: Vec<Token>) -> Vec<Token> {
        let mut out = Vec::with_capacity(tokens.len());
        let mut rest = &tokens[..];
        while let [first, after @ ..] = rest {
            rest = after;
            if first.kind != TokenKind::Name || self.text(*first) != "defined" {
                out.push(*first);
                continue;
            }
            let name = match after {
                [open, name, close, after @ ..] if self.is(*open, "(") && self.is(*close, ")") => {
                    rest = after;
                    *name
                }
                [name, after @ ..] if name.kind == TokenKind::Name => {
                    rest = after;
                    *name
                }
                _ => {
                    self.error(*first, "'defined' expects the name of a macro".to_owned());
                    continue;
                }
            };
            let defined = self.macro_of(name.text).is_some();
            let text = self.names.intern(if defined { "1" } else { "0" });
            out.push(Token {
                kind: TokenKind::Number,
                text,
                ..name
            });
        }
        out
    }

    /// Expands the tokens of a directive.
    pub(super) fn expand_line(&mut self, tokens: Vec<Token>) -> Vec<Token> {
        self.push(tokens.into(), None, true);
        let mut out = Vec::new();
        loop {
            let token = self.expanded();
            if token.kind == TokenKind::End {
                break;
            }
            out.push(token);
        }
        self.drop_context();
        out
    }

    /// The parenthesised tokens behind an operator like `__has_include`.
    pub(super) fn operand(&mut self) -> Vec<Token> {
        let mut out = Vec::new();
        let mut depth = 0;
        loop {
            let token = self.unexpanded();
            if token.kind == TokenKind::End {
                return out;
            }
            if self.is(token, ")") {
                depth -= 1;
            }
            if depth > 0 {
                out.push(token);
            }
            if self.is(token, "(") {
                depth += 1;
            }
            if depth <= 0 {
                return out;
            }
        }
    }
}

fn operator(text: &str) -> Option<(u8, Operator)> {
    use Operator::*;
    Some(match text {
        "||" => (1, LogicalOr),
        "&&" => (2, LogicalAnd),
        "|" => (3, Or),
        "^" => (4, Xor),
        "&" => (5, And),
        "==" => (6, Equal),
        "!=" => (6, NotEqual),
        "<" => (7, Less),
        ">" => (7, Greater),
        "<=" => (7, LessEqual),
        ">=" => (7, GreaterEqual),
        "<<" => (8, ShiftLeft),
        ">>" => (8, ShiftRight),
        "+" => (9, Add),
        "-" => (9, Subtract),
        "*" => (10, Multiply),
        "/" => (10, Divide),
        "%" => (10, Remainder),
        _ => return None,
    })
}

impl Expression<'_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", |(_, text)| text)
    }

    fn skipping<T>(&mut self, skip: bool, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        let outer = self.skipped;
        self.skipped |= skip;
        let value = read(self);
        self.skipped = outer;
        value
    }

    fn conditional(&mut self) -> Read<Value> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("this condition is nested too deeply".to_owned());
        }
        let condition = self.binary(1)?;
        let mut value = condition;
        if self.peek() == "?" {
            self.at += 1;
            let yes = self.skipping(condition.value == 0, Self::conditional)?;
            if self.peek() != ":" {
                return Err("expected ':' in this condition".to_owned());
            }
            self.at += 1;
            let no = self.skipping(condition.value != 0, Self::conditional)?;
            let ty = Target::X86_64_SYSV.common(yes.ty, no.ty);
            let chosen = if condition.value != 0 { yes } else { no };
            value = Value {
                value: Target::X86_64_SYSV.wrap(chosen.value, ty),
                ty,
            };
        }
        self.depth -= 1;
        Ok(value)
    }

    fn binary(&mut self, least: u8) -> Read<Value> {
        let mut left = self.unary()?;
        while let Some((level, op)) = operator(self.peek()).filter(|&(level, _)| level >= least) {
            self.at += 1;
            let skip = op == Operator::LogicalAnd && left.value == 0
                || op == Operator::LogicalOr && left.value != 0;
            let right = self.skipping(skip, |this| this.binary(level + 1))?;
            left = match Target::X86_64_SYSV.binary(op, left, right) {
                Ok((value, _)) if value.ty == Primitive::Int => signed(value.value),
                Ok((value, _)) => value,
                Err(_) if self.skipped => signed(0),
                Err(_) => return Err("division by zero in a condition".to_owned()),
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Read<Value> {
        let target = Target::X86_64_SYSV;
        let Some((kind, text)) = self.tokens.get(self.at) else {
            return Err("a condition ends where a value is expected".to_owned());
        };
        self.at += 1;
        match (kind, &**text) {
            (_, "(") => {
                let value = self.conditional()?;
                if self.peek() != ")" {
                    return Err("a ')' is missing in this condition".to_owned());
                }
                self.at += 1;
                Ok(value)
            }
            (_, sign @ ("!" | "-" | "+" | "~")) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err("this condition is nested too deeply".to_owned());
                }
                let value = self.unary()?;
                self.depth -= 1;
                Ok(match sign {
                    "!" => signed(i128::from(value.value == 0)),
                    "-" => target.negate(value).0,
                    "~" => target.complement(value),
                    _ => value,
                })
            }
            (TokenKind::Name, _) => Ok(signed(0)),
            (TokenKind::Number, text) => {
                let bad = |_| format!("'{text}' is no integer constant");
                let value = target.integer_literal(text).map_err(bad)?;
                let unsigned = text.contains(['u', 'U']) || value.value > i128::from(i64::MAX);
                let ty = if unsigned {
                    Primitive::ULongLong
                } else {
                    Primitive::LongLong
                };
                Ok(Value { ty, ..value })
            }
            (TokenKind::Character, text) => {
                let bad = |_| format!("{text} is no character constant");
                target
                    .char_literal(text)
                    .map(|value| signed(value.value))
                    .map_err(bad)
            }
            (_, text) => Err(format!("'{text}' has no place in a condition")),
        }
    }
}
