//! The parser's options and its state.

use rustc_hash::FxHashMap;

use super::declarator::{Derivation, Parameter};
use super::pieces::Pieces;
use super::{old_style, refusal};
use crate::declarations::{Declarations, FunctionOrigin};
use crate::diagnostic::Diagnostic;
use crate::lexer::{Lexer, Tok, Token};
use crate::source::{LineMarker, LinesBefore, SourceId};
use crate::types::{Qualifiers, Symbol};

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

pub(super) type Parse<T> = Result<T, Box<Diagnostic>>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Foreign {
    /// The expression is not for the C compiler: every name must be declared here.
    No,
    /// Every part so far has a value that is known here.
    Known,
    /// The value of some part is known only to the C compiler.
    Unknown,
}

pub(crate) struct Parser<'a> {
    pub(super) decls: &'a mut Declarations,
    pub(super) source: SourceId,
    pub(super) file: &'a str,
    pub(super) is_type_string: bool,
    /// In a type string: undeclared tags are errors.
    pub(super) declared_only: bool,
    pub(super) lexer: Lexer<'a>,
    /// Where what is to be read ends: at the end of the text, or of a segment.
    pub(super) end: usize,
    pub(super) tok: Token,
    /// The end of the token in front of `tok`.
    pub(super) previous_end: u32,
    pub(super) errors: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
    pub(super) markers: Vec<LineMarker>,
    pub(super) lines_before: LinesBefore,
    pub(super) depth: u32,
    pub(super) suggestions: u32,
    pub(super) override_: bool,
    pub(super) embedding_api: bool,
    pub(super) as_cffi: bool,
    pub(super) of_headers: bool,
    pub(super) other_macros: bool,
    /// The text is read a segment at a time: records and enums keep their own names in messages.
    pub(super) is_segment: bool,
    /// Why the declaration that is being read cannot be used, once that is known.
    pub(super) refusal: Option<refusal::Refusal>,
    /// While the declarator of an old-style definition is being read: the place behind the declarations of its
    /// parameters.
    pub(super) old_style_body: Option<old_style::Ahead<'a>>,
    pub(super) origin: FunctionOrigin,
    /// The alignment cap from `packed` and `pack` of the options.
    pub(super) pack_option: Option<u32>,
    /// The alignment cap of the `#pragma pack` in force, and below it those that were pushed.
    pub(super) pack_pragma: Option<u32>,
    pub(super) pack_stack: Vec<Option<u32>>,
    /// The id of the first record that this text declares. Changes of older records must be undone if the text fails.
    pub(super) first_new_record: usize,
    /// How many record bodies are open at the current token.
    pub(super) record_depth: u32,
    /// Whether the parser is in the body of an enum.
    pub(super) in_enum: bool,
    /// Above 0 in operands that are not evaluated (C11 6.5.13, 6.5.14, 6.5.15).
    pub(super) unevaluated: u32,
    /// Whether the expression is for the C compiler, and if so, whether its value is known here.
    pub(super) foreign: Foreign,
    /// The offsets of the bodies of macros defined further down; filled when the first unknown name is met.
    pub(super) later_macros: Option<FxHashMap<Symbol, usize>>,
    pub(super) warned_string: bool,
    /// The declarations read so far, for callers of `parse_in_pieces`.
    pub(super) pieces: Option<Pieces>,
    pub(super) derivations: Vec<Derivation>,
    pub(super) pointers: Vec<Qualifiers>,
    pub(super) parameters: Vec<Parameter>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(
        decls: &'a mut Declarations,
        text: &'a str,
        source: SourceId,
        file: &'a str,
    ) -> Self {
        Self {
            first_new_record: decls.types.records.len(),
            decls,
            source,
            file,
            is_type_string: false,
            declared_only: false,
            lexer: Lexer::new(text),
            end: text.len(),
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
            is_segment: false,
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

    pub(super) fn take_options(&mut self, options: &ParseOptions, pack: Option<u32>) {
        self.override_ = options.override_;
        self.embedding_api = options.embedding_api;
        self.as_cffi = options.as_cffi;
        self.of_headers = options.of_headers;
        self.other_macros = options.other_macros;
        self.decls.knows_int128 |= options.of_headers;
        self.pack_option = pack;
    }

    /// Whether C that CFFI does not know is refused as in CFFI.
    pub(super) fn is_cffi_only(&self) -> bool {
        self.as_cffi && !self.of_headers
    }

    /// Whether the bodies of function definitions are skipped.
    pub(super) fn skips_bodies(&self) -> bool {
        self.of_headers && !self.embedding_api
    }
}
