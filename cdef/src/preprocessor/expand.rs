//! Expansion of macros, by GCC's algorithm. A macro is off while the tokens of its expansion are being read, and a use
//! of its name read then is never expanded (C11 6.10.3.4).

use std::rc::Rc;

use super::define::Macro;
use super::origin::Expansion;
use super::token::{self, PAINTED, PASTE, SPACE, START, STRINGIFY, Token, TokenKind};
use super::{MOST_WORK, Preprocessor};
use crate::types::Symbol;

/// Tokens that are read before the rest of the text: an expansion, an argument, or a directive's line.
pub(super) struct Context {
    tokens: Rc<[Token]>,
    at: usize,
    /// The macro that is off while they are read.
    of: Option<Symbol>,
    /// Reading stops at the end of these tokens: they are an argument or a directive's line.
    closed: bool,
}

/// One use of a macro.
struct Call<'a> {
    found: &'a Macro,
    arguments: Vec<Vec<Token>>,
    /// The fully expanded arguments, for uses without `#` and `##`; computed at the first use.
    expanded: Vec<Option<Rc<[Token]>>>,
    /// The call has no argument for the variadic parameter.
    left_out: bool,
    expansion: u32,
}

/// The deepest nesting of expansions in arguments of others.
const DEEPEST: usize = 200;

impl Preprocessor<'_> {
    pub(super) fn push(&mut self, tokens: Rc<[Token]>, of: Option<Symbol>, closed: bool) {
        if let Some(name) = of {
            self.set_off(name, true);
        }
        self.closed += usize::from(closed);
        self.contexts.push(Context {
            tokens,
            at: 0,
            of,
            closed,
        });
    }

    /// The next token, unexpanded.
    pub(super) fn unexpanded(&mut self) -> Token {
        while let Some(context) = self.contexts.last_mut() {
            if let Some(&token) = context.tokens.get(context.at) {
                context.at += 1;
                return token;
            }
            if context.closed {
                return self.end();
            }
            self.drop_context();
        }
        self.next_in_texts()
    }

    /// Drops the innermost context.
    pub(super) fn drop_context(&mut self) {
        if let Some(context) = self.contexts.pop() {
            self.closed -= usize::from(context.closed);
            if let Some(name) = context.of {
                self.set_off(name, false);
            }
        }
    }

    /// Whether a macro is off: its own expansion is being read.
    fn is_off(&self, name: Symbol) -> bool {
        self.off
            .get(name.0 as usize)
            .is_some_and(|&count| count > 0)
    }

    fn set_off(&mut self, name: Symbol, off: bool) {
        let index = name.0 as usize;
        if index >= self.off.len() {
            self.off.resize(self.names.len().max(index + 1), 0);
        }
        if off {
            self.off[index] += 1;
        } else {
            self.off[index] -= 1;
        }
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

    /// The next token of the expanded text.
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
            if self.is_off(token.text) {
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

    /// Expands a use of a macro: its expansion is read next. `false`: no use, as there is no `(` behind the name.
    fn expand(&mut self, found: &Macro, name: Token) -> bool {
        let (arguments, left_out) = if let Some(parameters) = &found.parameters {
            if !self.parenthesis_follows() {
                return false;
            }
            match self.arguments(found, parameters.len(), name) {
                Some(arguments) => arguments,
                None => return false,
            }
        } else {
            (Vec::new(), false)
        };
        let expansion = self.expansions.len() as u32;
        let outermost = self.expansions[name.expansion as usize].outermost;
        self.expansions.push(Expansion {
            name: Some(name.text),
            at: Some(name),
            outermost: outermost.or(Some((name.entered, name.at))),
        });
        let mut call = Call {
            found,
            expanded: vec![None; arguments.len()],
            arguments,
            left_out,
            expansion,
        };
        let mut tokens = self.substitute(&mut call, &found.body);
        tokens.retain(|token| token.kind != TokenKind::Placemarker);
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

    /// Reads arguments up to the closing parenthesis. The flag: there is no argument for the last, variadic parameter.
    fn arguments(
        &mut self,
        found: &Macro,
        expected: usize,
        name: Token,
    ) -> Option<(Vec<Vec<Token>>, bool)> {
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
            } else if token.kind == TokenKind::Name && self.is_off(token.text) {
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
        // GNU's rule for `, ## __VA_ARGS__`: an empty argument counts as one, unless the macro has no other parameters.
        let left_out = found.variadic
            && (given < expected || given == 1 && expected == 1 && arguments[0].is_empty());
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
        Some((arguments, left_out))
    }

    /// Expands an argument as if it were the rest of the text (C11 6.10.3.1).
    fn expand_argument(&mut self, argument: &[Token]) -> Rc<[Token]> {
        if self.closed >= DEEPEST {
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
        while self.contexts.len() > depth {
            self.drop_context();
        }
        self.work += result.len();
        result.into()
    }

    /// Replaces the parameters in a macro's body, or in a part of it, by the arguments (C11 6.10.3.1).
    fn substitute(&mut self, call: &mut Call<'_>, body: &[Token]) -> Vec<Token> {
        let mut out: Vec<Token> = Vec::with_capacity(body.len());
        let mut pasted = false;
        for &token in body {
            let paste = token.flags & PASTE;
            match token.kind {
                TokenKind::Parameter => self.parameter(call, token, pasted, &mut out),
                TokenKind::VariadicPart => {
                    let tokens = self.variadic_part(call, token.text.0 as usize);
                    self.put(&tokens, token, pasted, &mut out);
                }
                _ => out.push(token),
            }
            pasted = paste != 0;
            if self.work > MOST_WORK {
                self.stop(token, "macros expand to too much");
                return Vec::new();
            }
        }
        self.paste(out, call.expansion)
    }

    /// Appends what a parameter in a macro's body becomes; `pasted`: it stands behind a `##`.
    fn parameter(&mut self, call: &mut Call<'_>, token: Token, pasted: bool, out: &mut Vec<Token>) {
        let number = token.text.0 as usize;
        let argument = &call.arguments[number];
        if token.has(STRINGIFY) {
            return self.put(argument, token, pasted, out);
        }
        let comma = pasted
            && call.found.variadic
            && number + 1 == call.arguments.len()
            && out.last().is_some_and(|&before| self.is(before, ","));
        if comma && call.left_out {
            out.pop();
            // A `##` that follows is left with an empty operand.
            if token.has(PASTE) {
                self.put(&[], token, true, out);
            }
            return;
        }
        if comma && let Some(before) = out.last_mut() {
            before.flags &= !PASTE;
        }
        if token.has(PASTE) || pasted && !comma {
            return self.put(argument, token, pasted, out);
        }
        let tokens = self.expanded_argument(call, number);
        self.put(&tokens, token, pasted, out);
    }

    fn expanded_argument(&mut self, call: &mut Call<'_>, number: usize) -> Rc<[Token]> {
        if let Some(done) = &call.expanded[number] {
            return Rc::clone(done);
        }
        let done = self.expand_argument(&call.arguments[number]);
        call.expanded[number] = Some(Rc::clone(&done));
        done
    }

    /// Appends the tokens that replace `token` of a macro's body; if `#` stands in front of it, a string of them.
    fn put(&mut self, tokens: &[Token], token: Token, pasted: bool, out: &mut Vec<Token>) {
        let paste = token.flags & PASTE;
        if token.has(STRINGIFY) {
            let text = self.stringified(tokens);
            self.work += text.len();
            let text = self.names.intern(&text);
            out.push(Token {
                kind: TokenKind::Text,
                text,
                flags: token.flags & (SPACE | PASTE),
                ..token
            });
            return;
        }
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

    /// `__VA_OPT__(...)`: its tokens, if there are variable arguments (C23 6.10.5.1).
    fn variadic_part(&mut self, call: &mut Call<'_>, number: usize) -> Vec<Token> {
        let variable = call.arguments.len() - 1;
        if self.expanded_argument(call, variable).is_empty() {
            return Vec::new();
        }
        let found = call.found;
        // Placemarkers are kept: they are operands of a `##` around the `__VA_OPT__`.
        self.substitute(call, &found.variadic_parts[number])
    }

    /// Carries out the operators `##`, from left to right.
    fn paste(&mut self, tokens: Vec<Token>, expansion: u32) -> Vec<Token> {
        let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
        let mut rest = tokens.into_iter().peekable();
        while let Some(first) = rest.next() {
            if !first.has(PASTE) {
                out.push(first);
                continue;
            }
            // The spelling of a chain of names and digits grows in place, so that pasting many of them takes linear
            // time.
            let mut left = first;
            let mut grown: Option<String> = None;
            while left.has(PASTE)
                && let Some(right) = rest.next()
            {
                left = self.join((left, right), expansion, &mut grown, &mut out);
            }
            left.flags &= !PASTE;
            left = self.grown(left, grown);
            out.push(left);
        }
        out
    }

    /// The token with the spelling that pasting has given it.
    fn grown(&mut self, token: Token, spelling: Option<String>) -> Token {
        let Some(spelling) = spelling else {
            return token;
        };
        self.work += spelling.len() / 8;
        let text = self.names.intern(&spelling);
        Token { text, ..token }
    }

    /// Carries out one `##`. `grown`: the spelling of the left operand, if it differs from the token's. Returns the
    /// left operand of the next `##`.
    fn join(
        &mut self,
        (left, right): (Token, Token),
        expansion: u32,
        grown: &mut Option<String>,
        out: &mut Vec<Token>,
    ) -> Token {
        use TokenKind::{Name, Number, Placemarker};
        let flags = left.flags & SPACE | right.flags & PASTE;
        if right.kind == Placemarker {
            return Token {
                flags: left.flags & (SPACE | PAINTED) | right.flags & PASTE,
                ..left
            };
        }
        if left.kind == Placemarker {
            return Token {
                flags: flags | right.flags & PAINTED,
                ..right
            };
        }
        let mut spelling = match grown.take() {
            Some(spelling) => spelling,
            None => self.text(left).to_owned(),
        };
        let addition = self.text(right);
        let digits = right.kind == Number
            && addition
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let extends = match (left.kind, right.kind) {
            (Name | Number, Name) | (Number, Number) => true,
            (Name, Number) => digits,
            _ => false,
        };
        let pasted = Token {
            flags,
            expansion: 0,
            ..left
        };
        if extends {
            spelling.push_str(addition);
            *grown = Some(spelling);
            return pasted;
        }
        let before = spelling.len();
        spelling.push_str(addition);
        self.work += spelling.len() / 4;
        let mut at = 0;
        match token::lex(&spelling, &mut at, &mut self.names, left.entered) {
            Ok(token)
                if at == spelling.len() && token.at == 0 && token.kind != TokenKind::Other =>
            {
                Token {
                    kind: token.kind,
                    text: token.text,
                    ..pasted
                }
            }
            _ => {
                spelling.truncate(before);
                let left = self.grown(left, Some(spelling));
                let (a, b) = (self.text(left), self.text(right));
                let message = format!("pasting '{a}' and '{b}' does not give a token");
                let place = Token { expansion, ..left };
                self.error(place, message);
                out.push(Token {
                    flags: left.flags & !PASTE,
                    ..left
                });
                right
            }
        }
    }

    /// The text that `#` makes of an argument (C11 6.10.3.2).
    pub(super) fn stringified(&self, argument: &[Token]) -> String {
        let escaped = |token: Token, text: &mut String| {
            let quoted = matches!(token.kind, TokenKind::Text | TokenKind::Character);
            for character in self.text(token).chars() {
                if quoted && matches!(character, '"' | '\\') {
                    text.push('\\');
                }
                text.push(character);
            }
        };
        format!("\"{}\"", self.spelled(argument, escaped))
    }

    /// Tokens as they are written, with one space where there was any.
    pub(super) fn written(&self, tokens: &[Token]) -> String {
        self.spelled(tokens, |token, text| text.push_str(self.text(token)))
    }

    fn spelled(&self, tokens: &[Token], spell: impl Fn(Token, &mut String)) -> String {
        let mut text = String::new();
        let written = |token: &&Token| token.kind != TokenKind::Placemarker;
        for (index, &token) in tokens.iter().filter(written).enumerate() {
            if index > 0 && token.has(SPACE | START) {
                text.push(' ');
            }
            spell(token, &mut text);
        }
        text
    }
}
