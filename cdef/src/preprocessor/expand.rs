//! Macros as they are used: GCC's algorithm. A macro is off while the tokens of its expansion are being read, and a
//! name that is met then stays unexpanded for ever (C11 6.10.3.4).

use std::rc::Rc;

use super::define::Macro;
use super::origin::Expansion;
use super::token::{self, PAINTED, PASTE, SPACE, START, STRINGIFY, Token, TokenKind};
use super::{MOST_WORK, Preprocessor};
use crate::types::Symbol;

/// Tokens that are read before the text goes on.
pub(super) struct Context {
    tokens: Rc<[Token]>,
    at: usize,
    /// The macro that is off meanwhile.
    of: Option<Symbol>,
    /// An argument: nothing behind its end is read.
    closed: bool,
}

/// So many expansions may lie in each other's arguments.
const DEEPEST: usize = 200;

impl Preprocessor<'_> {
    pub(super) fn push(&mut self, tokens: Rc<[Token]>, of: Option<Symbol>, closed: bool) {
        self.disabled.extend(of);
        self.contexts.push(Context {
            tokens,
            at: 0,
            of,
            closed,
        });
    }

    /// The next token before expansion.
    pub(super) fn unexpanded(&mut self) -> Token {
        while let Some(context) = self.contexts.last_mut() {
            if let Some(&token) = context.tokens.get(context.at) {
                context.at += 1;
                return token;
            }
            if context.closed {
                return self.end();
            }
            if context.of.is_some() {
                self.disabled.pop();
            }
            self.contexts.pop();
        }
        self.from_texts()
    }

    fn put_back(&mut self, token: Token) {
        if token.kind == TokenKind::End {
            return;
        }
        if self.contexts.is_empty() {
            self.back = Some(token);
        } else {
            self.push([token].into(), None, false);
        }
    }

    /// The next token after expansion.
    pub(super) fn expanded(&mut self) -> Token {
        let mut space = 0;
        loop {
            let mut token = self.unexpanded();
            token.flags |= space;
            if self.stopped {
                return Token {
                    kind: TokenKind::End,
                    ..token
                };
            }
            if token.kind != TokenKind::Name || token.has(PAINTED) {
                return token;
            }
            let Some(found) = self.macro_of(token.text).map(Rc::clone) else {
                return token;
            };
            if self.disabled.contains(&token.text) {
                token.flags |= PAINTED;
                return token;
            }
            if let Some(builtin) = found.builtin {
                if let Some(result) = self.expand_builtin(builtin, token) {
                    return result;
                }
                continue;
            }
            if !self.expand(&found, token) {
                return token;
            }
            space = token.flags & (SPACE | START);
        }
    }

    /// Puts what a macro's use stands for in front of what follows. False: it is no use.
    fn expand(&mut self, found: &Macro, name: Token) -> bool {
        let arguments = if let Some(parameters) = &found.parameters {
            if !self.parenthesis_follows() {
                return false;
            }
            match self.arguments(found, parameters.len(), name) {
                Some(arguments) => arguments,
                None => return false,
            }
        } else {
            Vec::new()
        };
        let expansion = self.expansions.len() as u32;
        self.expansions.push(Expansion {
            name: Some(name.text),
            at: Some(name),
        });
        let mut tokens = self.substitute(found, &arguments);
        for token in &mut tokens {
            token.expansion = expansion;
            token.flags &= !START;
        }
        if let Some(first) = tokens.first_mut() {
            first.flags = first.flags & !SPACE | name.flags & (SPACE | START);
        }
        self.work += tokens.len() + 1;
        if self.work > MOST_WORK {
            self.stop(name, "macros expand to too much");
            return true;
        }
        self.push(tokens.into(), Some(name.text), false);
        true
    }

    fn parenthesis_follows(&mut self) -> bool {
        self.looking_for_parenthesis = true;
        let next = self.unexpanded();
        self.looking_for_parenthesis = false;
        if self.is(next, "(") {
            return true;
        }
        self.put_back(next);
        false
    }

    /// Reads arguments up to the closing parenthesis.
    fn arguments(
        &mut self,
        found: &Macro,
        expected: usize,
        name: Token,
    ) -> Option<Vec<Vec<Token>>> {
        let outer = std::mem::replace(&mut self.in_arguments, true);
        let mut arguments = vec![Vec::new()];
        let mut depth = 0usize;
        let complete = loop {
            let mut token = self.unexpanded();
            if token.kind == TokenKind::End {
                break false;
            }
            if token.has(START) {
                token.flags = token.flags & !START | SPACE;
            }
            if token.kind == TokenKind::Punctuator {
                match self.text(token) {
                    "(" => depth += 1,
                    ")" if depth == 0 => break true,
                    ")" => depth -= 1,
                    "," if depth == 0 && !(found.variadic && arguments.len() == expected) => {
                        arguments.push(Vec::new());
                        continue;
                    }
                    _ => {}
                }
            } else if token.kind == TokenKind::Name && self.disabled.contains(&token.text) {
                token.flags |= PAINTED;
            }
            arguments.last_mut()?.push(token);
        };
        self.in_arguments = outer;
        let text = self.text(name).to_owned();
        if !complete {
            self.error(name, format!("the arguments of macro '{text}' have no ')'"));
            return None;
        }
        let given = arguments.len();
        if expected == 0 && given == 1 && arguments[0].is_empty() {
            arguments.clear();
        } else if found.variadic && given + 1 == expected {
            arguments.push(Vec::new());
        } else if given != expected {
            self.error(
                name,
                format!("macro '{text}' takes {expected} arguments, but {given} are given"),
            );
            arguments.resize(expected, Vec::new());
        }
        Some(arguments)
    }

    /// An argument as if it were all that is left of the text (C11 6.10.3.1).
    fn expand_argument(&mut self, argument: &[Token]) -> Rc<[Token]> {
        if self
            .contexts
            .iter()
            .filter(|context| context.closed)
            .count()
            >= DEEPEST
        {
            if let Some(&at) = argument.first() {
                self.stop(at, "macros are nested too deeply");
            }
            return Rc::new([]);
        }
        let depth = self.contexts.len();
        self.push(argument.into(), None, true);
        let mut result = Vec::new();
        loop {
            let token = self.expanded();
            if token.kind == TokenKind::End {
                break;
            }
            result.push(token);
        }
        self.contexts.truncate(depth);
        self.work += result.len();
        result.into()
    }

    fn substitute(&mut self, found: &Macro, arguments: &[Vec<Token>]) -> Vec<Token> {
        let mut expanded: Vec<Option<Rc<[Token]>>> = vec![None; arguments.len()];
        let mut out: Vec<Token> = Vec::with_capacity(found.body.len());
        let mut pasted = false;
        for &token in &found.body {
            let paste = token.flags & PASTE;
            if token.kind != TokenKind::Parameter {
                out.push(token);
            } else if token.has(STRINGIFY) {
                let argument = &arguments[token.text.0 as usize];
                let text = self.stringified(argument);
                let text = self.names.intern(&text);
                out.push(Token {
                    kind: TokenKind::Text,
                    text,
                    flags: token.flags & (SPACE | PASTE),
                    ..token
                });
            } else {
                let number = token.text.0 as usize;
                let argument = &arguments[number];
                let last_variadic = found.variadic && number + 1 == arguments.len();
                let comma = pasted
                    && last_variadic
                    && out.last().is_some_and(|&before| self.is(before, ","));
                if comma && argument.is_empty() {
                    out.pop();
                    pasted = paste != 0;
                    continue;
                }
                if comma && let Some(before) = out.last_mut() {
                    before.flags &= !PASTE;
                }
                let tokens: Rc<[Token]> = if paste != 0 || pasted && !comma {
                    argument.as_slice().into()
                } else if let Some(done) = &expanded[number] {
                    Rc::clone(done)
                } else {
                    let done = self.expand_argument(argument);
                    expanded[number] = Some(Rc::clone(&done));
                    done
                };
                let from = out.len();
                out.extend(tokens.iter().map(|&token| Token {
                    flags: token.flags & !PASTE,
                    ..token
                }));
                self.work += tokens.len();
                if let Some(first) = out.get_mut(from) {
                    first.flags = first.flags & !SPACE | token.flags & SPACE;
                } else if paste != 0 || pasted {
                    out.push(Token {
                        kind: TokenKind::Placemarker,
                        flags: token.flags,
                        ..token
                    });
                }
                if let Some(last) = out.last_mut().filter(|_| paste != 0) {
                    last.flags |= PASTE;
                }
            }
            pasted = paste != 0;
            if self.work > MOST_WORK {
                self.stop(token, "macros expand to too much");
                return Vec::new();
            }
        }
        self.paste(out)
    }

    /// Carries out the operators `##`, from left to right.
    fn paste(&mut self, tokens: Vec<Token>) -> Vec<Token> {
        let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
        for token in tokens {
            match out.last().copied() {
                Some(left) if left.has(PASTE) => {
                    out.pop();
                    self.join(left, token, &mut out);
                }
                _ => out.push(token),
            }
        }
        out.retain(|token| token.kind != TokenKind::Placemarker);
        out
    }

    fn join(&mut self, left: Token, right: Token, out: &mut Vec<Token>) {
        let flags = left.flags & SPACE | right.flags & PASTE;
        if right.kind == TokenKind::Placemarker {
            return out.push(Token {
                flags: left.flags & (SPACE | PAINTED) | right.flags & PASTE,
                ..left
            });
        }
        if left.kind == TokenKind::Placemarker {
            return out.push(Token {
                flags: flags | right.flags & PAINTED,
                ..right
            });
        }
        let joined = format!("{}{}", self.text(left), self.text(right));
        self.work += joined.len() / 16;
        let mut at = 0;
        match token::lex(&joined, &mut at, &mut self.names, left.entered) {
            Ok(token) if at == joined.len() && token.at == 0 && token.kind != TokenKind::Other => {
                out.push(Token {
                    flags,
                    at: left.at,
                    ..token
                });
            }
            _ => {
                let (a, b) = (self.text(left), self.text(right));
                let message = format!("pasting '{a}' and '{b}' does not give a token");
                self.error(left, message);
                out.push(Token {
                    flags: left.flags & !PASTE,
                    ..left
                });
                out.push(right);
            }
        }
    }

    /// What `#` makes of an argument (C11 6.10.3.2).
    pub(super) fn stringified(&self, argument: &[Token]) -> String {
        let mut text = String::from("\"");
        for (index, &token) in argument.iter().enumerate() {
            if index > 0 && token.has(SPACE | START) {
                text.push(' ');
            }
            let quoted = matches!(token.kind, TokenKind::Text | TokenKind::Character);
            for character in self.text(token).chars() {
                if quoted && matches!(character, '"' | '\\') {
                    text.push('\\');
                }
                text.push(character);
            }
        }
        text.push('"');
        text
    }
}
