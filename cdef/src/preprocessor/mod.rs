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
mod options;
mod origin;
mod output;
mod render;
mod run;
mod target;
mod token;

pub use options::{Loader, PreprocessOptions};
pub use origin::Origin;
pub use output::Preprocessed;
pub use run::preprocess;
pub use target::{predefined, usual_dirs};
pub use token::{Token, TokenKind};

pub(crate) use options::MainFile;
pub(crate) use output::MacroBody;
pub(crate) use render::Rendered;
pub(crate) use run::{Macros, preprocess_all};

use run::{MOST_WORK, Preprocessor};
