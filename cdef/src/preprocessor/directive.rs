//! Lines that begin with `#` (C11 6.10).

use std::sync::Arc;

use super::Preprocessor;
use super::include::Guard;
use super::origin::Renumbered;
use super::token::{START, Token, TokenKind};

/// An `#if` that is open.
pub(super) struct Conditional {
    at: Token,
    /// No later group is to be read: one was already, or the whole `#if` is in a skipped group.
    taken: bool,
    skipping: bool,
    has_else: bool,
    /// It is the `#ifndef` that may enclose the whole text.
    guards: bool,
}

impl Preprocessor<'_> {
    /// Carries out a directive from behind its `#` to its end, and skips the group behind it if that is not taken.
    pub(super) fn directive(&mut self, hash: Token) {
        let outer = (self.in_directive, self.in_arguments);
        (self.in_directive, self.in_arguments) = (true, false);
        let contexts = std::mem::take(&mut self.contexts);
        self.one_directive(hash);
        self.finish_line();
        while !self.stopped && self.is_skipping() {
            let Some(hash) = self.skip_lines() else { break };
            self.one_directive(hash);
            self.finish_line();
        }
        self.contexts = contexts;
        (self.in_directive, self.in_arguments) = outer;
        if let Some(pending) = self.pending.take() {
            let (file, from) = (Some(pending.file), Some(pending.from));
            self.enter(pending.text, &pending.path, file, pending.dir, from);
        }
    }

    fn finish_line(&mut self) {
        while self.next_in_texts().kind != TokenKind::End {}
        // Drop the end that was read ahead: a file that is entered now comes first, and the end is read again behind
        // it.
        self.back = None;
    }

    fn is_skipping(&self) -> bool {
        self.buffers
            .last()
            .and_then(|buffer| buffer.conditionals.last())
            .is_some_and(|open| open.skipping)
    }

    /// Skips to the `#` of the next directive; `None`: the text ends first.
    fn skip_lines(&mut self) -> Option<Token> {
        loop {
            let token = match self.back.take() {
                Some(token) => token,
                None => self.lexed()?,
            };
            match token.kind {
                TokenKind::End => {
                    self.back = Some(token);
                    return None;
                }
                TokenKind::Punctuator if token.has(START) && self.is(token, "#") => {
                    return Some(token);
                }
                _ => {}
            }
        }
    }

    fn one_directive(&mut self, hash: Token) {
        let name = self.next_in_texts();
        if name.kind == TokenKind::End {
            return;
        }
        let text = self.text(name).to_owned();
        let skipping = self.is_skipping();
        if !matches!(&*text, "if" | "ifdef" | "ifndef") && !skipping {
            self.guard_sees_token();
        }
        match &*text {
            "if" | "ifdef" | "ifndef" => return self.open_conditional(hash, &text, skipping),
            "elif" | "elifdef" | "elifndef" | "else" => return self.other_group(name, &text),
            "endif" => return self.end_conditional(name),
            _ if skipping => return,
            _ => {}
        }
        match &*text {
            "define" => self.define(),
            "undef" => {
                if let Some(name) = self.macro_name() {
                    self.set_macro(name.text, None);
                }
            }
            "include" | "import" => self.include(hash, name, false),
            "include_next" => self.include(hash, name, true),
            "embed" => self.error(
                name,
                "#embed is not supported: a declaration has no data".to_owned(),
            ),
            "error" | "warning" => self.say(name, &text),
            "line" => self.line(name),
            "pragma" => self.pragma(name),
            "ident" | "sccs" | "assert" | "unassert" => {}
            _ if name.kind == TokenKind::Number => self.line_marker(name),
            _ => self.error(name, format!("unknown directive '#{text}'")),
        }
    }

    fn say(&mut self, name: Token, kind: &str) {
        let tokens = self.rest_of_line();
        let message = format!("#{kind} {}", self.written(&tokens));
        if kind == "error" {
            self.error(name, message);
        } else {
            self.warning(name, message);
        }
    }

    fn line(&mut self, name: Token) {
        let tokens = self.rest_of_line();
        let tokens = self.expand_line(tokens);
        let number = tokens
            .first()
            .and_then(|&token| self.text(token).parse::<u32>().ok());
        let Some(number) = number.filter(|&number| number <= i32::MAX as u32) else {
            return self.error(
                name,
                "#line expects a number from 0 to 2147483647".to_owned(),
            );
        };
        let file = tokens
            .get(1)
            .map(|&token| self.text(token).trim_matches('"').into());
        self.renumber(name, number, file);
    }

    /// `# 42 "api.h" 1 3`, as a preprocessor leaves it: 1 says that a file is entered, 2 that one is left.
    fn line_marker(&mut self, number: Token) {
        let tokens = self.rest_of_line();
        let Ok(line) = self.text(number).parse::<u32>() else {
            return self.error(number, "this is no line number".to_owned());
        };
        let file = tokens
            .first()
            .map(|&token| self.text(token).trim_matches('"').into());
        self.renumber(number, line, file);
        let Some(entered) = self.buffers.last().map(|buffer| buffer.entered as usize) else {
            return;
        };
        for &flag in tokens.iter().skip(1) {
            let step = match self.names.text(flag.text) {
                "1" => 1,
                "2" => -1,
                _ => continue,
            };
            if let Some(last) = self.entered[entered].lines.last_mut() {
                last.inside = last.inside.saturating_add_signed(step);
            }
        }
    }

    /// Numbers the line behind the directive `name` as `line` of `file`.
    fn renumber(&mut self, name: Token, line: u32, file: Option<Arc<str>>) {
        let Some(buffer) = self.buffers.last() else {
            return;
        };
        let at = buffer.at as u32;
        let entered = &mut self.entered[buffer.entered as usize];
        let (here, _) = entered.text.line(entered.text.written(name.at));
        let last = entered.lines.last();
        // A marker without a file name continues the last file.
        let file = file.or_else(|| last.and_then(|last| last.file.clone()));
        let inside = last.map_or(0, |last| last.inside);
        entered.lines.push(Renumbered {
            at,
            here,
            line,
            file,
            inside,
        });
    }

    /// `_Pragma ( string-literal )`: the text in the string is carried out as a `#pragma` (C11 6.10.9).
    pub(super) fn pragma_operator(&mut self, name: Token) -> Option<Token> {
        let operand = self.operand();
        let quoted = match &operand[..] {
            [only] if only.kind == TokenKind::Text => self.text(*only).trim_start_matches('L'),
            _ => {
                self.error(name, "_Pragma expects a string in parentheses".to_owned());
                return None;
            }
        };
        let inside = quoted.trim_start_matches("u8").trim_matches(['u', 'U']);
        let inside = &inside[1..inside.len() - 1];
        let text = inside.replace("\\\"", "\"").replace("\\\\", "\\");
        let (mut tokens, mut at) = (Vec::new(), 0);
        while let Ok(token) = super::token::lex(&text, &mut at, &mut self.names, name.entered) {
            if matches!(token.kind, TokenKind::End | TokenKind::Newline) {
                break;
            }
            tokens.push(Token {
                at: name.at,
                expansion: name.expansion,
                ..token
            });
        }
        self.obey_pragma(name, &tokens);
        self.pragma.take()
    }

    fn pragma(&mut self, name: Token) {
        let tokens = self.rest_of_line();
        self.obey_pragma(name, &tokens);
    }

    fn obey_pragma(&mut self, name: Token, tokens: &[Token]) {
        let words: Vec<String> = tokens
            .iter()
            .map(|&token| self.text(token).to_owned())
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match &words[..] {
            ["once"] => {
                if let Some(file) = self.buffers.last().and_then(|buffer| buffer.file) {
                    self.files[file].once = true;
                }
            }
            [kind @ ("push_macro" | "pop_macro"), "(", quoted, ")"] => {
                let name = self.names.intern(quoted.trim_matches('"'));
                if *kind == "push_macro" {
                    let value = self.macro_of(name).cloned();
                    self.pushed.entry(name).or_default().push(value);
                } else if let Some(value) = self.pushed.get_mut(&name).and_then(Vec::pop) {
                    self.set_macro(name, value);
                }
            }
            ["GCC", "system_header"] => self.entered[name.entered as usize].system = true,
            []
            | ["GCC", "poison" | "warning" | "error" | "diagnostic", ..]
            | ["STDC" | "omp", ..] => {}
            _ => {
                let text = self.names.intern(&words.join(" "));
                self.pragma = Some(Token {
                    kind: TokenKind::Pragma,
                    flags: START,
                    text,
                    ..name
                });
            }
        }
    }

    fn open_conditional(&mut self, hash: Token, kind: &str, skipping: bool) {
        let mut guards = false;
        let taken = if skipping {
            true
        } else if kind == "if" {
            self.guard_sees_token();
            self.condition(hash)
        } else {
            let name = self.macro_name();
            let defined = name.is_some_and(|name| self.macro_of(name.text).is_some());
            let outermost = self
                .buffers
                .last()
                .is_some_and(|buffer| buffer.guard == Guard::Start);
            match name {
                Some(name) if outermost && kind == "ifndef" => {
                    guards = true;
                    if let Some(buffer) = self.buffers.last_mut() {
                        buffer.guard = Guard::Within(name.text);
                    }
                }
                _ => self.guard_sees_token(),
            }
            defined == (kind == "ifdef")
        };
        let open = Conditional {
            at: hash,
            taken,
            skipping: skipping || !taken,
            has_else: false,
            guards,
        };
        if let Some(buffer) = self.buffers.last_mut() {
            buffer.conditionals.push(open);
        }
    }

    fn other_group(&mut self, name: Token, kind: &str) {
        let Some(open) = self
            .buffers
            .last_mut()
            .and_then(|buffer| buffer.conditionals.pop())
        else {
            return self.error(name, format!("#{kind} without #if"));
        };
        if open.has_else {
            self.error(name, format!("#{kind} after #else"));
        }
        if open.guards
            && let Some(buffer) = self.buffers.last_mut()
        {
            buffer.guard = Guard::No;
        }
        let take = !open.taken
            && match kind {
                "else" => true,
                "elif" => self.condition(name),
                _ => {
                    let asked = self.macro_name();
                    asked.is_some_and(|asked| self.macro_of(asked.text).is_some())
                        == (kind == "elifdef")
                }
            };
        let next = Conditional {
            taken: open.taken || take,
            skipping: !take,
            has_else: open.has_else || kind == "else",
            guards: false,
            ..open
        };
        if let Some(buffer) = self.buffers.last_mut() {
            buffer.conditionals.push(next);
        }
    }

    fn end_conditional(&mut self, name: Token) {
        let Some(buffer) = self.buffers.last_mut() else {
            return;
        };
        match buffer.conditionals.pop() {
            None => self.error(name, "#endif without #if".to_owned()),
            Some(open) if open.guards => {
                if let Guard::Within(guard) = buffer.guard {
                    buffer.guard = Guard::Behind(guard);
                }
            }
            Some(_) => {}
        }
    }

    /// Leaves the innermost text at its end.
    pub(super) fn leave(&mut self) {
        let Some(buffer) = self.buffers.last_mut() else {
            return;
        };
        let open = std::mem::take(&mut buffer.conditionals);
        if let (Guard::Behind(guard), Some(file)) = (buffer.guard, buffer.file) {
            self.files[file].guard = Some(guard);
        }
        for open in open {
            self.error(open.at, "this conditional has no #endif".to_owned());
        }
    }
}
