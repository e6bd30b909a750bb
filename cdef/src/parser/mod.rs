//! The parser: a hand-written recursive descent over C's declarations (C11 6.7) and CFFI's extensions.
//!
//! A text is either taken whole or not at all. After an error the parser goes on behind the next `;` or
//! closing brace, so that one look shows every mistake. Nesting is limited, so no input can exhaust the
//! stack; everything else is linear in the text.

mod attribute;
mod attribute_table;
mod declarator;
mod declare;
mod directive;
mod errors;
mod expression;
mod initialiser;
mod macro_value;
mod old_style;
mod pieces;
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
    /// Follow CFFI where it differs from C: a function may not be declared by a second text, not even alike; integer
    /// literals are as wide as needed; a macro's body is no character; a typedef gives a struct with a tag its name.
    pub as_cffi: bool,
    /// The text may have what headers have: a function that is defined is declared, and its body skipped (not for an
    /// embedding API, whose functions Python defines). Otherwise a body is an error, as in CFFI; and with `as_cffi` so is
    /// all else of C and of its compilers that headers have and CFFI does not know.
    pub of_headers: bool,
    /// A macro may stand for anything: see [`MacroValue`](crate::MacroValue). Otherwise one that is no integer is an error.
    pub other_macros: bool,
}

type Parse<T> = Result<T, Box<Diagnostic>>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Foreign {
    /// Only what is declared here counts.
    No,
    /// Every part so far has a value that is known here.
    Known,
    /// Some part has not.
    Unknown,
}

pub(crate) struct Parser<'a> {
    decls: &'a mut Declarations,
    source: SourceId,
    file: &'a str,
    is_type_string: bool,
    /// Of a type string: tags that are not declared are errors.
    declared_only: bool,
    lexer: Lexer<'a>,
    tok: Token,
    /// End of the token before.
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
    /// Why what is being declared cannot be used.
    refusal: Option<refusal::Refusal>,
    /// Behind the declarations of the parameters of an old-style definition, whose declarator is being read.
    old_style_body: Option<old_style::Ahead<'a>>,
    origin: FunctionOrigin,
    /// `packed` and `pack` of the options.
    pack_option: Option<u32>,
    /// `#pragma pack` in force, and those pushed.
    pack_pragma: Option<u32>,
    pack_stack: Vec<Option<u32>>,
    /// The first record that this text has made; older ones must be restored if it fails.
    first_new_record: usize,
    /// How many record bodies the parser is in.
    record_depth: u32,
    /// In the body of an enum.
    in_enum: bool,
    /// In an operand whose value isn't needed (C11 6.5.13, 6.5.14, 6.5.15).
    unevaluated: u32,
    /// The expression is for the C compiler, which knows more: what the value of some part may be.
    foreign: Foreign,
    /// Offsets of the bodies of macros defined further down, found when a name is missed first.
    later_macros: Option<FxHashMap<Symbol, usize>>,
    warned_string: bool,
    /// For who takes the text apart.
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

    /// Whether nothing is taken that CFFI refuses only because it does not know it.
    fn is_cffi_only(&self) -> bool {
        self.as_cffi && !self.of_headers
    }

    /// Whether a function's body is skipped.
    fn skips_bodies(&self) -> bool {
        self.of_headers && !self.embedding_api
    }
}
