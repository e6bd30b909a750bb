//! Macros that have no text of their own.

use std::rc::Rc;

use super::Preprocessor;
use super::define::Macro;
use super::token::{SPACE, Token, TokenKind};

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Builtin {
    File,
    BaseFile,
    Line,
    IncludeLevel,
    Counter,
    Date,
    Time,
    Pragma,
    HasInclude,
    HasIncludeNext,
    HasFeature,
}

const ALL: [(&str, Builtin); 14] = [
    ("__FILE__", Builtin::File),
    ("__BASE_FILE__", Builtin::BaseFile),
    ("__LINE__", Builtin::Line),
    ("__INCLUDE_LEVEL__", Builtin::IncludeLevel),
    ("__COUNTER__", Builtin::Counter),
    ("__DATE__", Builtin::Date),
    ("__TIME__", Builtin::Time),
    ("_Pragma", Builtin::Pragma),
    ("__has_include", Builtin::HasInclude),
    ("__has_include_next", Builtin::HasIncludeNext),
    ("__has_attribute", Builtin::HasFeature),
    ("__has_builtin", Builtin::HasFeature),
    ("__has_c_attribute", Builtin::HasFeature),
    ("__has_cpp_attribute", Builtin::HasFeature),
];

impl Preprocessor<'_> {
    pub(super) fn define_builtins(&mut self) {
        for (name, builtin) in ALL {
            let name = self.names.intern(name);
            self.set_macro(name, Some(Rc::new(Macro::builtin(builtin))));
        }
    }

    /// What it stands for; none: it stands for nothing.
    pub(super) fn expand_builtin(&mut self, builtin: Builtin, token: Token) -> Option<Token> {
        let (kind, text) = match builtin {
            Builtin::File | Builtin::BaseFile => {
                let entered = &self.entered[token.entered as usize];
                let (file, _) = entered.line(token.at);
                (TokenKind::Text, format!("{:?}", &*file))
            }
            Builtin::Line => {
                let mut at = token;
                while let Some(outer) = self.expansions[at.expansion as usize].at {
                    at = outer;
                }
                let (_, line) = self.entered[at.entered as usize].line(at.at);
                (TokenKind::Number, line.to_string())
            }
            Builtin::IncludeLevel => {
                let depth = self.entered[token.entered as usize].depth;
                (TokenKind::Number, depth.to_string())
            }
            Builtin::Counter => {
                self.counter += 1;
                (TokenKind::Number, (self.counter - 1).to_string())
            }
            // The same text gives the same result at any time.
            Builtin::Date => (TokenKind::Text, "\"Jan  1 1970\"".to_owned()),
            Builtin::Time => (TokenKind::Text, "\"00:00:00\"".to_owned()),
            Builtin::Pragma => {
                self.operand(token);
                return None;
            }
            Builtin::HasInclude | Builtin::HasIncludeNext => {
                let operand = self.operand(token);
                let next = builtin == Builtin::HasIncludeNext;
                let found = match self.header_name(&operand) {
                    Some((name, angled, _)) => self.find(&name, angled, next).is_some(),
                    None => false,
                };
                (TokenKind::Number, u8::from(found).to_string())
            }
            Builtin::HasFeature => {
                self.operand(token);
                (TokenKind::Number, "0".to_owned())
            }
        };
        let text = self.names.intern(&text);
        Some(Token {
            kind,
            text,
            flags: token.flags & SPACE,
            ..token
        })
    }
}
