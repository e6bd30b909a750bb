//! The preprocessor's state, and its way through the texts.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::define::Macro;
use super::directive::Conditional;
use super::expand::Context;
use super::include::Known;
use super::origin::{Entered, Expansion};
use super::token::{START, Text, Token, TokenKind};
use super::{Loader, MainFile, PreprocessOptions, Preprocessed};
use super::{include, token};
use crate::diagnostic::Diagnostic;
use crate::names::Names;
use crate::source::Source;
use crate::types::Symbol;

/// Limit on the number of tokens in the result, against macros that expand without end.
pub(super) const MOST_TOKENS: usize = 4_000_000;
/// Limit on the tokens and bytes that the expansion of macros copies.
pub(super) const MOST_WORK: usize = 8_000_000;

/// A text that is being read.
pub(super) struct Buffer {
    pub(super) text: Rc<Text>,
    pub(super) at: usize,
    pub(super) entered: u32,
    pub(super) conditionals: Vec<Conditional>,
    /// Its number in `files`; `None`: the predefined macros.
    pub(super) file: Option<usize>,
    /// Which folder it was found in; `#include_next` goes on behind it.
    pub(super) dir: usize,
    pub(super) guard: include::Guard,
}

pub(super) struct Preprocessor<'a> {
    pub(super) names: Names,
    pub(super) loader: &'a mut dyn Loader,
    pub(super) options: &'a PreprocessOptions,
    pub(super) macros: Vec<Option<Rc<Macro>>>,
    pub(super) pushed: HashMap<Symbol, Vec<Option<Rc<Macro>>>>,
    pub(super) buffers: Vec<Buffer>,
    pub(super) contexts: Vec<Context>,
    /// By symbol: the number of contexts in which a macro is off.
    pub(super) off: Vec<u32>,
    /// The number of contexts that are closed.
    pub(super) closed: usize,
    pub(super) back: Option<Token>,
    /// In a directive, the end of the line counts as the end of the text.
    pub(super) in_directive: bool,
    /// In a macro's arguments, the end of a file counts as the end of the text. Directives are carried out only behind
    /// the `(`.
    pub(super) in_arguments: bool,
    pub(super) looking_for_parenthesis: bool,
    pub(super) files: Vec<Known>,
    pub(super) paths: HashMap<String, Option<usize>>,
    /// The numbers of files by [`Loader::identity`].
    pub(super) identities: HashMap<String, usize>,
    pub(super) entered: Vec<Entered>,
    pub(super) expansions: Vec<Expansion>,
    pub(super) inclusions: Vec<include::Inclusion>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) counter: u32,
    /// A macro without a body was used since this was last reset: its value depends on the place of use.
    pub(super) used_builtin: bool,
    pub(super) work: usize,
    pub(super) stopped: bool,
    /// The file that the current `#include` enters at the end of its line.
    pub(super) pending: Option<include::Pending>,
    /// The token that the current `#pragma` adds to the result.
    pub(super) pragma: Option<Token>,
}

/// Preprocesses `text`, which has the name `file` in messages and for `#include "..."`.
pub fn preprocess(
    text: &str,
    file: &str,
    options: &PreprocessOptions,
    loader: &mut dyn Loader,
) -> Preprocessed {
    preprocess_all(
        &[MainFile { name: file, text }],
        options,
        Macros::None,
        loader,
    )
}

/// Which files' macros are in the result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Macros {
    None,
    OfMainFiles,
    OfAllFiles,
}

/// Preprocesses texts one after the other, as if one file included them all.
pub(crate) fn preprocess_all(
    files: &[MainFile<'_>],
    options: &PreprocessOptions,
    macros: Macros,
    loader: &mut dyn Loader,
) -> Preprocessed {
    let mut this = Preprocessor::new(options, loader);
    this.define_builtins();
    let mut tokens = Vec::new();
    for (name, text) in [
        ("<built-in>", &options.predefined),
        ("<command line>", &options.commands),
    ] {
        let text: Arc<str> = text.as_str().into();
        this.enter(Rc::new(Text::new(text)), name, None, 0, None);
        this.run(&mut tokens);
    }
    let mains: Vec<usize> = files.iter().map(|file| this.add_main(file)).collect();
    for (file, &known) in files.iter().zip(&mains) {
        if !this.is_done(known) {
            let text = Rc::clone(&this.files[known].text);
            this.enter(text, file.name, Some(known), 0, None);
            this.run(&mut tokens);
        }
    }
    let macros = match macros {
        Macros::None => Vec::new(),
        Macros::OfMainFiles => this.macro_bodies(Some(&mains)),
        Macros::OfAllFiles => this.macro_bodies(None),
    };
    Preprocessed {
        tokens,
        diagnostics: this.diagnostics,
        macros,
        names: this.names,
        entered: this.entered,
        expansions: this.expansions,
        inclusions: this.inclusions,
        mains,
    }
}

impl<'a> Preprocessor<'a> {
    pub(super) fn new(options: &'a PreprocessOptions, loader: &'a mut dyn Loader) -> Self {
        Self {
            names: Names::with_reserved(),
            loader,
            options,
            macros: Vec::new(),
            pushed: HashMap::new(),
            buffers: Vec::new(),
            contexts: Vec::new(),
            off: Vec::new(),
            closed: 0,
            back: None,
            in_directive: false,
            in_arguments: false,
            looking_for_parenthesis: false,
            files: Vec::new(),
            paths: HashMap::new(),
            identities: HashMap::new(),
            entered: Vec::new(),
            // Number 0 stands for "no expansion".
            expansions: vec![Expansion::default()],
            inclusions: Vec::new(),
            diagnostics: Vec::new(),
            counter: 0,
            used_builtin: false,
            work: 0,
            stopped: false,
            pending: None,
            pragma: None,
        }
    }
}

impl Preprocessor<'_> {
    pub(super) fn run(&mut self, tokens: &mut Vec<Token>) {
        loop {
            let token = self.expanded();
            if token.kind == TokenKind::End {
                return;
            }
            if tokens.len() >= MOST_TOKENS {
                return self.stop(token, "the preprocessed text is too large");
            }
            tokens.push(token);
        }
    }

    /// Reports an error and ends the reading of all texts.
    pub(super) fn stop(&mut self, at: Token, message: &str) {
        if !self.stopped {
            self.error(at, message.to_owned());
        }
        self.stopped = true;
        self.contexts.clear();
        self.buffers.clear();
    }

    /// Begins to read a text.
    pub(super) fn enter(
        &mut self,
        text: Rc<Text>,
        name: &str,
        file: Option<usize>,
        dir: usize,
        from: Option<Token>,
    ) {
        let entered = self.entered.len() as u32;
        if let Some(file) = file {
            self.files[file].is_read = true;
        }
        self.entered.push(Entered {
            text: Rc::clone(&text),
            source: Arc::new(Source {
                file: name.into(),
                text: Arc::clone(&text.text),
                is_type_string: false,
                markers: Vec::new(),
                lines_before: Default::default(),
            }),
            file,
            from,
            lines: Vec::new(),
            system: file.is_some() && dir > self.options.include_dirs.len(),
            depth: self.buffers.len() as u32,
        });
        self.buffers.push(Buffer {
            text,
            at: 0,
            entered,
            conditionals: Vec::new(),
            file,
            dir,
            guard: include::Guard::Start,
        });
    }

    /// The next token of the texts; directives are carried out.
    pub(super) fn next_in_texts(&mut self) -> Token {
        loop {
            let token = match self.back.take() {
                Some(token) => token,
                None => match self.lexed() {
                    Some(token) => token,
                    None => return self.end(),
                },
            };
            match token.kind {
                TokenKind::Newline if !self.in_directive => {}
                TokenKind::Newline => {
                    self.back = Some(token);
                    return Token {
                        kind: TokenKind::End,
                        ..token
                    };
                }
                TokenKind::End if self.in_directive => {
                    self.back = Some(token);
                    return token;
                }
                TokenKind::End => {
                    self.leave();
                    if self.in_arguments || self.looking_for_parenthesis {
                        self.back = Some(token);
                        return token;
                    }
                    self.buffers.pop();
                    if self.buffers.is_empty() {
                        return token;
                    }
                }
                TokenKind::Punctuator
                    if token.has(START)
                        && !self.in_directive
                        && !self.looking_for_parenthesis
                        && matches!(self.text(token), "#" | "%:") =>
                {
                    self.directive(token);
                    if self.stopped {
                        return Token {
                            kind: TokenKind::End,
                            ..token
                        };
                    }
                    if let Some(pragma) = self.pragma.take() {
                        return pragma;
                    }
                }
                _ => {
                    if !self.in_directive {
                        self.guard_sees_token();
                    }
                    return token;
                }
            }
        }
    }

    /// The next token of the innermost text, with directives not carried out.
    pub(super) fn lexed(&mut self) -> Option<Token> {
        let buffer = self.buffers.last_mut()?;
        let text = Rc::clone(&buffer.text);
        match token::lex(
            text.clean(),
            &mut buffer.at,
            &mut self.names,
            buffer.entered,
        ) {
            Ok(token) => Some(token),
            Err(at) => {
                let token = Token {
                    at: at as u32,
                    kind: TokenKind::End,
                    ..self.end()
                };
                self.error(token, "this comment does not end".to_owned());
                Some(token)
            }
        }
    }

    /// The token for the end of all texts, or of the innermost one.
    pub(super) fn end(&mut self) -> Token {
        Token {
            kind: TokenKind::End,
            flags: START,
            text: self.names.intern(""),
            entered: self.entered.len().saturating_sub(1) as u32,
            at: u32::MAX,
            expansion: 0,
        }
    }

    pub(super) fn text(&self, token: Token) -> &str {
        self.names.text(token.text)
    }

    pub(super) fn macro_of(&self, name: Symbol) -> Option<&Rc<Macro>> {
        self.macros.get(name.0 as usize)?.as_ref()
    }

    pub(super) fn set_macro(&mut self, name: Symbol, value: Option<Rc<Macro>>) {
        let index = name.0 as usize;
        if index >= self.macros.len() {
            self.macros.resize(self.names.len().max(index + 1), None);
        }
        self.macros[index] = value;
    }
}
