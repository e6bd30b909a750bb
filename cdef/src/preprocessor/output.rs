//! What comes out: tokens that know where they came from.

use super::include;
use super::origin::{Entered, Expansion, Origin};
use super::token::{self, START, Token};
use crate::diagnostic::Diagnostic;
use crate::names::Names;

/// The result of preprocessing.
#[derive(Debug)]
pub struct Preprocessed {
    /// The tokens, without those of directives.
    pub tokens: Vec<Token>,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The object-like macros that main files (or all files) define, in order, fully expanded.
    pub(crate) macros: Vec<MacroBody>,
    pub(super) names: Names,
    pub(super) entered: Vec<Entered>,
    pub(super) expansions: Vec<Expansion>,
    pub(super) inclusions: Vec<include::Inclusion>,
    /// The numbers of the main files among all files.
    pub(super) mains: Vec<usize>,
}

/// An object-like macro at the end of all texts.
#[derive(Debug)]
pub(crate) struct MacroBody {
    /// Where it is defined.
    pub(crate) name: Token,
    /// What its name expands to.
    pub(crate) tokens: Vec<Token>,
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
