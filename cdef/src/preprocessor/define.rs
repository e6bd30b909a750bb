//! Definitions of macros (C11 6.10.3).

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::builtin::Builtin;
use super::token::{PASTE, SPACE, START, STRINGIFY, Token, TokenKind};
use super::{MacroBody, Preprocessor};
use crate::types::Symbol;

/// A macro.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Macro {
    /// The parameters; `None`: an object-like macro.
    pub(super) parameters: Option<Vec<Symbol>>,
    /// The last parameter takes all remaining arguments.
    pub(super) variadic: bool,
    pub(super) body: Vec<Token>,
    /// The tokens in the parentheses of each `__VA_OPT__`.
    pub(super) variadic_parts: Vec<Vec<Token>>,
    /// The spelling and spacing of the body, to compare two definitions.
    spelling: Vec<(Symbol, bool)>,
    pub(super) builtin: Option<Builtin>,
    /// The name in its `#define`, which says where it is defined.
    pub(super) name: Option<Token>,
}

impl Macro {
    pub(super) fn builtin(builtin: Builtin) -> Self {
        Self {
            parameters: None,
            variadic: false,
            body: Vec::new(),
            variadic_parts: Vec::new(),
            spelling: Vec::new(),
            builtin: Some(builtin),
            name: None,
        }
    }
}

impl Preprocessor<'_> {
    /// Carries out a `#define` from behind that word.
    pub(super) fn define(&mut self) {
        let Some(name) = self.macro_name() else {
            return;
        };
        let mut tokens = self.rest_of_line();
        let mut parameters = None;
        let mut variadic = false;
        if tokens
            .first()
            .is_some_and(|&token| self.is(token, "(") && !token.has(SPACE))
        {
            let Some((names, dots, used)) = self.parameters(&tokens, name) else {
                return;
            };
            tokens.drain(..used);
            (parameters, variadic) = (Some(names), dots);
        } else if tokens.first().is_some_and(|token| !token.has(SPACE)) {
            self.warning(
                tokens[0],
                "there is no white space after the macro's name".to_owned(),
            );
        }
        let spelling = tokens
            .iter()
            .enumerate()
            .map(|(index, token)| (token.text, index > 0 && token.has(SPACE)))
            .collect();
        let numbers: Option<FxHashMap<Symbol, usize>> = parameters
            .as_ref()
            .map(|all| all.iter().copied().zip(0..).collect());
        let mut variadic_parts = Vec::new();
        let parts = variadic.then_some(&mut variadic_parts);
        let Some(body) = self.body(&tokens, numbers.as_ref(), parts) else {
            return;
        };
        let new = Macro {
            parameters,
            variadic,
            body,
            variadic_parts,
            spelling,
            builtin: None,
            name: Some(name),
        };
        if let Some(old) = self.macro_of(name.text) {
            let same = old.parameters == new.parameters
                && old.spelling == new.spelling
                && old.variadic == new.variadic
                && old.builtin.is_none();
            if !same {
                let text = self.text(name).to_owned();
                self.warning(
                    name,
                    format!("macro '{text}' is defined differently than before"),
                );
            }
        }
        self.set_macro(name.text, Some(Rc::new(new)));
    }

    /// What the object-like macros that `mains` (or all files) define expand to at the end of all texts.
    pub(super) fn macro_bodies(&mut self, mains: Option<&[usize]>) -> Vec<MacroBody> {
        let is_of_main = |this: &Self, name: &Token| {
            let file = this.entered[name.entered as usize].file;
            file.is_some_and(|file| mains.is_none_or(|mains| mains.contains(&file)))
        };
        let mut names: Vec<Token> = (self.macros.iter().flatten())
            .filter(|found| found.parameters.is_none() && !found.body.is_empty())
            .filter_map(|found| found.name)
            .filter(|name| is_of_main(self, name))
            .collect();
        names.sort_by_key(|name| (name.entered, name.at));
        let mut bodies = Vec::with_capacity(names.len());
        for name in names {
            if self.stopped {
                break;
            }
            let said = self.diagnostics.len();
            self.used_builtin = false;
            let mut tokens = self.expand_line(vec![name]);
            // `#define begin call(` and `#define here __LINE__` are not constants, but no errors either: they expand to
            // themselves.
            if self.diagnostics.len() > said || self.used_builtin {
                self.diagnostics.truncate(said);
                tokens = vec![name];
            }
            bodies.push(MacroBody { name, tokens });
        }
        bodies
    }

    /// The macro name that follows `#define`, `#undef`, `#ifdef` and the like.
    pub(super) fn macro_name(&mut self) -> Option<Token> {
        let name = self.next_in_texts();
        if name.kind != TokenKind::Name {
            let message = if name.kind == TokenKind::End {
                "a macro name is missing"
            } else {
                "macro names must be identifiers"
            };
            self.error(name, message.to_owned());
            return None;
        }
        let text = self.text(name);
        if matches!(text, "defined" | "__VA_ARGS__" | "__VA_OPT__") {
            let message = format!("'{text}' can't be used as a macro name");
            self.error(name, message);
            return None;
        }
        Some(name)
    }

    /// The names of the parameters, whether the last is variadic, and the number of tokens read.
    fn parameters(&mut self, tokens: &[Token], name: Token) -> Option<(Vec<Symbol>, bool, usize)> {
        let mut names = Vec::new();
        let mut at = 1;
        let dots =
            |this: &Self, at: usize| tokens.get(at).is_some_and(|&token| this.is(token, "..."));
        let close =
            |this: &Self, at: usize| tokens.get(at).is_some_and(|&token| this.is(token, ")"));
        if close(self, at) {
            return Some((names, false, 2));
        }
        let mut seen = FxHashSet::default();
        loop {
            if dots(self, at) && close(self, at + 1) {
                names.push(self.names.intern("__VA_ARGS__"));
                return Some((names, true, at + 2));
            }
            let Some(&token) = tokens.get(at).filter(|token| token.kind == TokenKind::Name) else {
                let place = tokens.get(at).copied().unwrap_or(name);
                self.error(
                    place,
                    "expected a parameter name in the macro's parameter list".to_owned(),
                );
                return None;
            };
            if !seen.insert(token.text) {
                let text = self.text(token).to_owned();
                self.error(token, format!("duplicate macro parameter '{text}'"));
                return None;
            }
            names.push(token.text);
            at += 1;
            if dots(self, at) && close(self, at + 1) {
                return Some((names, true, at + 2));
            }
            if close(self, at) {
                return Some((names, false, at + 1));
            }
            if !tokens.get(at).is_some_and(|&token| self.is(token, ",")) {
                let place = tokens.get(at).copied().unwrap_or(name);
                self.error(
                    place,
                    "expected ',' or ')' in the macro's parameter list".to_owned(),
                );
                return None;
            }
            at += 1;
        }
    }

    /// The body with its operators `#` and `##` turned into flags. `parts` receives the tokens of each
    /// `__VA_OPT__(...)`; `None` where it has no meaning.
    fn body(
        &mut self,
        tokens: &[Token],
        parameters: Option<&FxHashMap<Symbol, usize>>,
        mut parts: Option<&mut Vec<Vec<Token>>>,
    ) -> Option<Vec<Token>> {
        let mut body: Vec<Token> = Vec::with_capacity(tokens.len());
        let mut hash: Option<Token> = None;
        let mut rest = tokens;
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            let mut token = first;
            token.flags &= !START;
            if self.is(token, "##") || self.is(token, "%:%:") {
                match body.last_mut() {
                    Some(before) if !rest.is_empty() && hash.is_none() => before.flags |= PASTE,
                    _ => {
                        self.error(token, "'##' can't be at either end of a macro".to_owned());
                        return None;
                    }
                }
                continue;
            }
            let number = parameters.and_then(|all| all.get(&token.text).copied());
            if let (Some(number), TokenKind::Name) = (number, token.kind) {
                token.kind = TokenKind::Parameter;
                token.text = Symbol(number as u32);
            } else if let Some(parts) = parts.as_deref_mut()
                && self.text(token) == "__VA_OPT__"
            {
                let Some(inside) = self.parenthesised(&mut rest) else {
                    let message = "__VA_OPT__ expects tokens in parentheses".to_owned();
                    self.error(token, message);
                    return None;
                };
                let inside = self.body(inside, parameters, None)?;
                token.kind = TokenKind::VariadicPart;
                token.text = Symbol(parts.len() as u32);
                parts.push(inside);
            } else if hash.is_none()
                && parameters.is_some()
                && (self.is(token, "#") || self.is(token, "%:"))
            {
                hash = Some(token);
                continue;
            } else if hash.is_some() {
                break;
            }
            if let Some(hash) = hash.take() {
                token.flags = token.flags & !SPACE | hash.flags & SPACE | STRINGIFY;
            }
            body.push(token);
        }
        if let Some(hash) = hash {
            self.error(hash, "'#' is not followed by a macro parameter".to_owned());
            return None;
        }
        Some(body)
    }

    /// Takes parentheses and what they enclose from the front of `rest`; returns the tokens between them.
    fn parenthesised<'t>(&self, rest: &mut &'t [Token]) -> Option<&'t [Token]> {
        let mut depth = 0;
        for (index, &token) in rest.iter().enumerate() {
            if self.is(token, "(") {
                depth += 1;
            } else if self.is(token, ")") {
                depth -= 1;
            }
            if depth == 0 {
                let inside = rest.get(1..index)?;
                *rest = &rest[index + 1..];
                return Some(inside);
            }
        }
        None
    }

    pub(super) fn is(&self, token: Token, spelling: &str) -> bool {
        token.kind == TokenKind::Punctuator && self.text(token) == spelling
    }

    /// The tokens up to the end of the line, unexpanded.
    pub(super) fn rest_of_line(&mut self) -> Vec<Token> {
        std::iter::from_fn(|| {
            Some(self.next_in_texts()).filter(|token| token.kind != TokenKind::End)
        })
        .collect()
    }
}
