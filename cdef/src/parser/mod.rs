//! The parser: a hand-written recursive descent over C's declarations (C11 6.7) and CFFI's extensions.
//!
//! A text is either accepted whole or not at all. After an error the parser continues behind the next `;` or closing
//! brace, so that one run reports every mistake. Nesting is limited, so no input can exhaust the stack; the time is
//! linear in the length of the text.

mod attribute;
mod attribute_table;
mod declarator;
mod declare;
mod directive;
mod errors;
mod expression;
mod generic;
mod initialiser;
mod macro_value;
mod old_style;
mod pieces;
mod plain;
mod refusal;
mod sealed;
mod specifiers;
mod tags;
mod text;
mod tokens;
mod translation_unit;
mod typing;

use rustc_hash::FxHashMap;

use crate::declarations::{Declarations, FunctionOrigin};
use crate::diagnostic::Diagnostic;
use crate::lexer::{Lexer, Tok, Token};
use crate::source::{LineMarker, LinesBefore, SourceId};
use crate::types::{Qualifiers, Symbol};

pub use attribute_table::{is_attribute_of_headers, is_known_pragma};

pub(crate) use pieces::{Piece, PieceName};

use declarator::{Derivation, Parameter};
use pieces::Pieces;

/// How a text is to be read.
#[derive(Clone, Debug, Default)]
pub struct ParseOptions<'a> {
    /// The name shown in messages; [`DEFAULT_FILE`](crate::source::DEFAULT_FILE) if `None`.
    pub file: Option<&'a str>,
    /// A function, variable, constant or typedef may be declared again, differently; the last one counts.
    pub override_: bool,
    /// Every struct and union of the text has alignment 1 (as `#pragma pack(1)`).
    pub packed: bool,
    /// Cap on the alignment of every field: a power of two.
    pub pack: Option<u32>,
    /// Functions are [`FunctionOrigin::Exported`].
    pub embedding_api: bool,
    /// Follow CFFI where it differs from C: a second text may not declare a function again, not even identically;
    /// integer literals are as wide as needed; a macro's body may not be a character; a typedef names a struct even if
    /// it has a tag.
    pub as_cffi: bool,
    /// The text may use what headers use: of a function definition the body is skipped, and the function counts as
    /// declared (not in an embedding API, whose functions Python defines). Otherwise a body is an error, as in CFFI;
    /// and with `as_cffi` so is everything else in C and in compilers' extensions that CFFI does not know.
    pub of_headers: bool,
    /// A macro may stand for anything: see [`MacroValue`](crate::MacroValue). Otherwise a macro that is not an integer
    /// is an error.
    pub other_macros: bool,
}

type Parse<T> = Result<T, Box<Diagnostic>>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Foreign {
    /// The expression is not for the C compiler: every name must be declared here.
    No,
    /// Every part so far has a value that is known here.
    Known,
    /// The value of some part is known only to the C compiler.
    Unknown,
}

pub(crate) struct Parser<'a> {
    decls: &'a mut Declarations,
    source: SourceId,
    file: &'a str,
    is_type_string: bool,
    /// In a type string: undeclared tags are errors.
    declared_only: bool,
    lexer: Lexer<'a>,
    tok: Token,
    /// The end of the token in front of `tok`.
    previous_end: u32,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    markers: Vec<LineMarker>,
    lines_before: LinesBefore,
    depth: u32,
    suggestions: u32,
    override_: bool,
    embedding_api: bool,
    as_cffi: bool,
    of_headers: bool,
    other_macros: bool,
    /// Why the declaration that is being read cannot be used, once that is known.
    refusal: Option<refusal::Refusal>,
    /// While the declarator of an old-style definition is being read: the place behind the declarations of its
    /// parameters.
    old_style_body: Option<old_style::Ahead<'a>>,
    origin: FunctionOrigin,
    /// The alignment cap from `packed` and `pack` of the options.
    pack_option: Option<u32>,
    /// The alignment cap of the `#pragma pack` in force, and below it those that were pushed.
    pack_pragma: Option<u32>,
    pack_stack: Vec<Option<u32>>,
    /// The id of the first record that this text declares. Changes of older records must be undone if the text fails.
    first_new_record: usize,
    /// How many record bodies are open at the current token.
    record_depth: u32,
    /// Whether the parser is in the body of an enum.
    in_enum: bool,
    /// Above 0 in operands that are not evaluated (C11 6.5.13, 6.5.14, 6.5.15).
    unevaluated: u32,
    /// Whether the expression is for the C compiler, and if so, whether its value is known here.
    foreign: Foreign,
    /// The offsets of the bodies of macros defined further down; filled when the first unknown name is met.
    later_macros: Option<FxHashMap<Symbol, usize>>,
    warned_string: bool,
    /// The declarations read so far, for callers of `parse_in_pieces`.
    pieces: Option<Pieces>,
    derivations: Vec<Derivation>,
    pointers: Vec<Qualifiers>,
    parameters: Vec<Parameter>,
}

impl<'a> Parser<'a> {
    fn new(decls: &'a mut Declarations, text: &'a str, source: SourceId, file: &'a str) -> Self {
        Self {
            first_new_record: decls.types.records.len(),
            decls,
            source,
            file,
            is_type_string: false,
            declared_only: false,
            lexer: Lexer::new(text),
            tok: Token {
                tok: Tok::Eof,
                symbol: Symbol::from_index(0),
                start: 0,
                end: 0,
            },
            previous_end: 0,
            errors: Vec::new(),
            warnings: Vec::new(),
            markers: Vec::new(),
            lines_before: Default::default(),
            depth: 0,
            suggestions: 0,
            override_: false,
            embedding_api: false,
            as_cffi: false,
            of_headers: false,
            other_macros: false,
            refusal: None,
            old_style_body: None,
            origin: FunctionOrigin::C,
            pack_option: None,
            pack_pragma: None,
            pack_stack: Vec::new(),
            record_depth: 0,
            in_enum: false,
            unevaluated: 0,
            foreign: Foreign::No,
            later_macros: None,
            warned_string: false,
            pieces: None,
            derivations: Vec::new(),
            pointers: Vec::new(),
            parameters: Vec::new(),
        }
    }

    /// Whether C that CFFI does not know is refused as in CFFI.
    fn is_cffi_only(&self) -> bool {
        self.as_cffi && !self.of_headers
    }

    /// Whether the bodies of function definitions are skipped.
    fn skips_bodies(&self) -> bool {
        self.of_headers && !self.embedding_api
    }
}
