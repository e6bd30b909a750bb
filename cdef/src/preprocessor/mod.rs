//! The C preprocessor (C11 6.10, with C23's and GNU's additions): a text and the files it includes become tokens that
//! know where they came from.
//!
//! `token`: spelling. `directive`: lines with `#`. `define`: definitions of macros. `expand`: uses of macros.
//! `builtin`: macros without a body. `condition`: `#if`. `include`: finding files, and not reading one again without
//! need. `origin`: places and messages. Files are read by the caller's [`Loader`]; there is no I/O here.
mod builtin;
mod condition;
mod define;
mod directive;
mod expand;
mod include;
mod origin;
mod render;
mod target;
mod token;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::names::Names;
use crate::source::Source;
use crate::types::Symbol;
use define::Macro;
use directive::Conditional;
use expand::Context;
use include::Known;
use origin::{Entered, Expansion};
use token::{START, Text};

pub(crate) use render::Rendered;

pub use origin::Origin;
pub use target::{predefined, usual_dirs};
pub use token::{Token, TokenKind};

/// Reads files for the preprocessor.
pub trait Loader {
    /// The text of the file with that path, or `None` if there is none.
    fn load(&mut self, path: &str) -> Option<Arc<str>>;
    /// A name that is the same for all paths to one file.
    fn identity(&mut self, path: &str) -> String {
        path.to_owned()
    }
}

/// A text that is preprocessed itself, not because another includes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MainFile<'a> {
    /// Its path: its name in messages, and where `#include "..."` begins to look.
    pub(crate) name: &'a str,
    /// Its text.
    pub(crate) text: &'a str,
}

/// Where files are looked for, and what is defined before the first line.
#[derive(Clone, Debug, Default)]
pub struct PreprocessOptions {
    /// Folders for `#include "..."` and `#include <...>`.
    pub include_dirs: Vec<String>,
    /// Folders searched after those; warnings about files in them are not reported.
    pub system_dirs: Vec<String>,
    /// The predefined macros as a text of `#define` lines (`cc -dM -E`).
    pub predefined: String,
    /// The user's `-D` and `-U` options, as a text of `#define` and `#undef` lines.
    pub commands: String,
}

/// The result of preprocessing.
#[derive(Debug)]
pub struct Preprocessed {
    /// The tokens, without those of directives.
    pub tokens: Vec<Token>,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The object-like macros that main files (or all files) define, in order, fully expanded.
    pub(crate) macros: Vec<MacroBody>,
    names: Names,
    entered: Vec<Entered>,
    expansions: Vec<Expansion>,
    inclusions: Vec<include::Inclusion>,
    /// The numbers of the main files among all files.
    mains: Vec<usize>,
}

/// An object-like macro at the end of all texts.
#[derive(Debug)]
pub(crate) struct MacroBody {
    /// Where it is defined.
    pub(crate) name: Token,
    /// What its name expands to.
    pub(crate) tokens: Vec<Token>,
}

/// Limit on the number of tokens in the result, against macros that expand without end.
const MOST_TOKENS: usize = 4_000_000;
/// Limit on the tokens and bytes that the expansion of macros copies.
const MOST_WORK: usize = 8_000_000;

/// A text that is being read.
struct Buffer {
    text: Rc<Text>,
    at: usize,
    entered: u32,
    conditionals: Vec<Conditional>,
    /// Its number in `files`; `None`: the predefined macros.
    file: Option<usize>,
    /// Which folder it was found in; `#include_next` goes on behind it.
    dir: usize,
    guard: include::Guard,
}

struct Preprocessor<'a> {
    names: Names,
    loader: &'a mut dyn Loader,
    options: &'a PreprocessOptions,
    macros: Vec<Option<Rc<Macro>>>,
    pushed: HashMap<Symbol, Vec<Option<Rc<Macro>>>>,
    buffers: Vec<Buffer>,
    contexts: Vec<Context>,
    /// By symbol: the number of contexts in which a macro is off.
    off: Vec<u32>,
    /// The number of contexts that are closed.
    closed: usize,
    back: Option<Token>,
    /// In a directive, the end of the line counts as the end of the text.
    in_directive: bool,
    /// In a macro's arguments, the end of a file counts as the end of the text. Directives are carried out only behind
    /// the `(`.
    in_arguments: bool,
    looking_for_parenthesis: bool,
    files: Vec<Known>,
    paths: HashMap<String, Option<usize>>,
    /// The numbers of files by [`Loader::identity`].
    identities: HashMap<String, usize>,
    entered: Vec<Entered>,
    expansions: Vec<Expansion>,
    inclusions: Vec<include::Inclusion>,
    diagnostics: Vec<Diagnostic>,
    counter: u32,
    /// A macro without a body was used since this was last reset: its value depends on the place of use.
    used_builtin: bool,
    work: usize,
    stopped: bool,
    /// The file that the current `#include` enters at the end of its line.
    pending: Option<include::Pending>,
    /// The token that the current `#pragma` adds to the result.
    pragma: Option<Token>,
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

impl Preprocessed {
    /// The spelling of a token of this result.
    pub fn spelling(&self, token: Token) -> &str {
        self.names.text(token.text)
    }
    /// Whether white space came before the token, or a new line.
    pub fn is_apart(&self, token: Token) -> bool {
        token.has(token::SPACE | START)
    }
    /// Where a token came from.
    pub fn origin(&self, token: Token) -> Origin<'_> {
        Origin::new(&self.entered, &self.expansions, &self.names, token)
    }
}

impl<'a> Preprocessor<'a> {
    fn new(options: &'a PreprocessOptions, loader: &'a mut dyn Loader) -> Self {
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
    fn run(&mut self, tokens: &mut Vec<Token>) {
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
    fn stop(&mut self, at: Token, message: &str) {
        if !self.stopped {
            self.error(at, message.to_owned());
        }
        self.stopped = true;
        self.contexts.clear();
        self.buffers.clear();
    }

    /// Begins to read a text.
    fn enter(
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
    fn next_in_texts(&mut self) -> Token {
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
    fn lexed(&mut self) -> Option<Token> {
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
    fn end(&mut self) -> Token {
        Token {
            kind: TokenKind::End,
            flags: START,
            text: self.names.intern(""),
            entered: self.entered.len().saturating_sub(1) as u32,
            at: u32::MAX,
            expansion: 0,
        }
    }

    fn text(&self, token: Token) -> &str {
        self.names.text(token.text)
    }

    fn macro_of(&self, name: Symbol) -> Option<&Rc<Macro>> {
        self.macros.get(name.0 as usize)?.as_ref()
    }

    fn set_macro(&mut self, name: Symbol, value: Option<Rc<Macro>>) {
        let index = name.0 as usize;
        if index >= self.macros.len() {
            self.macros.resize(self.names.len().max(index + 1), None);
        }
        self.macros[index] = value;
    }
}
