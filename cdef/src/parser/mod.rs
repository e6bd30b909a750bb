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
mod expression;
mod initialiser;
mod old_style;
mod sealed;
mod specifiers;
mod tags;
mod typing;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::constant::Value;
use crate::declarations::{Declarations, FunctionOrigin};
use crate::diagnostic::{Diagnostic, DiagnosticKind, Form, Severity};
use crate::keyword::{self, Keyword};
use crate::lexer::{Lexer, Tok, Token};
use crate::message;
use crate::source::{DEFAULT_FILE, LineMarker, LinesBefore, Source, SourceId, Span};
use crate::suggest;
use crate::types::{QualType, Qualifiers, RecordKind, Symbol, Type};

pub use attribute_table::{is_attribute_of_headers, is_known_pragma};

use declarator::{Derivation, Mode, Parameter};
use specifiers::{Base, Place, Specifiers, storage};

/// How a text is to be read.
#[derive(Clone, Debug, Default)]
pub struct ParseOptions<'a> {
    /// The name shown in messages; [`DEFAULT_FILE`] if `None`.
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
    /// A function that is defined is declared, and its body skipped, as headers have it; not for an embedding API, whose
    /// functions Python defines. Otherwise a body is an error, as in CFFI; and with `as_cffi` so is all else of C and of
    /// its compilers that headers have and CFFI does not know.
    pub function_bodies: bool,
}

type Parse<T> = Result<T, Box<Diagnostic>>;

/// Depth of parentheses, braces and operators.
const MAX_DEPTH: u32 = 200;
/// Looking for a similar name reads all names; a text full of mistakes gets only so many hints.
const MAX_SUGGESTIONS: u32 = 20;

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
    /// Nothing is taken that CFFI refuses only because it does not know it: headers have it, and CFFI's own texts do not.
    cffi_only: bool,
    function_bodies: bool,
    /// [`ParseOptions::function_bodies`], of an embedding API too.
    of_headers: bool,
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
    derivations: Vec<Derivation>,
    pointers: Vec<Qualifiers>,
    parameters: Vec<Parameter>,
}

impl Declarations {
    /// Reads a cdef text and adds what it declares.
    ///
    /// Either all of it is added, and the warnings come back; or nothing is, and all errors (with the
    /// warnings) come back in the order of the text. The text is kept, and its [`SourceId`] is the number
    /// of texts taken before.
    ///
    /// # Errors
    /// At least one diagnostic with [`Severity::Error`].
    pub fn parse(
        &mut self,
        text: &str,
        options: &ParseOptions,
    ) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let pack = check_pack(options).map_err(|diagnostic| vec![diagnostic])?;
        if text.len() > i32::MAX as usize {
            let span = Span::default();
            return Err(vec![Diagnostic::ffi(span, message::TOO_LONG)]);
        }
        let mark = self.mark();
        self.reserve(text.len());
        let source = SourceId(self.sources.len() as u32);
        let file = options.file.unwrap_or(DEFAULT_FILE);
        let mut parser = Parser::new(self, text, source, file);
        parser.override_ = options.override_;
        parser.embedding_api = options.embedding_api;
        parser.as_cffi = options.as_cffi;
        parser.cffi_only = options.as_cffi && !options.function_bodies;
        parser.of_headers = options.function_bodies;
        parser.function_bodies = options.function_bodies && !options.embedding_api;
        parser.pack_option = pack;
        parser.bump();
        parser.translation_unit();
        let (mut errors, mut warnings) = (parser.errors, parser.warnings);
        let (markers, lines_before) = (parser.markers, parser.lines_before);
        let source = Arc::new(Source {
            file: file.into(),
            text: text.into(),
            is_type_string: false,
            markers,
            lines_before,
        });
        for diagnostic in errors.iter_mut().chain(&mut warnings) {
            diagnostic.source = Some(Arc::clone(&source));
        }
        if errors.is_empty() {
            self.journal = Vec::new();
            self.sources.push(source);
            Ok(warnings)
        } else {
            self.roll_back(&mark);
            errors.append(&mut warnings);
            errors.sort_by_key(|diagnostic| {
                (
                    diagnostic.severity == Severity::Warning,
                    diagnostic.span.start,
                )
            });
            Err(errors)
        }
    }

    /// Reads a type, as in `ffi.typeof("int(*)(const char *)")`. An unknown `struct foo` becomes an opaque
    /// struct. The cost depends on the string alone, however much is declared.
    ///
    /// # Errors
    /// What is wrong with the string; the declarations are then untouched.
    pub fn parse_type(&mut self, text: &str) -> Result<QualType, Diagnostic> {
        self.read_type(text, false).map(|(ty, _)| ty)
    }

    /// Whether a type string names what it declares, as `int f(int)` does and `int(int)` does not. `false` for a string
    /// that is no type.
    pub fn type_string_has_name(&mut self, text: &str) -> bool {
        self.read_type(text, false)
            .is_ok_and(|(_, has_name)| has_name)
    }

    /// [`Self::parse_type`] as a compiled module does it: a struct, union or enum that isn't declared is an
    /// error, and [`Diagnostic::caret`] has the text of the `ffi.error`.
    ///
    /// # Errors
    /// As [`Self::parse_type`].
    pub fn parse_declared_type(&mut self, text: &str) -> Result<QualType, Diagnostic> {
        self.read_type(text, true).map(|(ty, _)| ty)
    }

    /// The type, and whether the string names what it declares.
    fn read_type(
        &mut self,
        text: &str,
        declared_only: bool,
    ) -> Result<(QualType, bool), Diagnostic> {
        let mark = self.mark();
        let result = if text.len() > i32::MAX as usize {
            Err(Box::new(Diagnostic::ffi(
                Span::default(),
                message::TOO_LONG,
            )))
        } else {
            let mut parser = Parser::new(self, text, SourceId::NOT_KEPT, DEFAULT_FILE);
            parser.is_type_string = true;
            parser.declared_only = declared_only;
            parser.bump();
            let result = parser.whole_type();
            match parser.errors.drain(..).next() {
                Some(error) => Err(Box::new(error)),
                None => result,
            }
        };
        // What comes first in the string is said, as CFFI does.
        let is_first = |undeclared: &Diagnostic| match &result {
            Ok(_) => true,
            Err(error) => undeclared.span.start < error.span.start,
        };
        let result = match self.undeclared(&mark, declared_only) {
            Some(diagnostic) if is_first(&diagnostic) => Err(diagnostic),
            _ => result,
        };
        match result {
            Ok(ty) => {
                self.journal.clear();
                Ok(ty)
            }
            Err(mut diagnostic) => {
                self.roll_back(&mark);
                diagnostic.source = Some(Arc::new(Source {
                    file: DEFAULT_FILE.into(),
                    text: text.into(),
                    is_type_string: true,
                    markers: Vec::new(),
                    lines_before: Default::default(),
                }));
                Err(*diagnostic)
            }
        }
    }

    /// The complaint about a tag that a type string has just made, if that is forbidden.
    fn undeclared(
        &self,
        mark: &crate::declarations::Mark,
        forbidden: bool,
    ) -> Option<Box<Diagnostic>> {
        if !forbidden {
            return None;
        }
        let record = self
            .types
            .records
            .iter()
            .enumerate()
            .rev()
            .find(|(index, record)| {
                mark.types
                    .is_new_record(crate::types::RecordId::from_index(*index))
                    && record.fields.is_none()
                    && record.typedef_name.is_none()
            });
        let (span, words) = match record {
            Some((_, record)) => {
                let other = match record.kind {
                    RecordKind::Struct => RecordKind::Union,
                    RecordKind::Union => RecordKind::Struct,
                };
                let is_other = record
                    .tag
                    .is_some_and(|tag| self.record_tags.contains_key(&(other, tag)));
                let words = if is_other {
                    "wrong kind of tag: struct vs union"
                } else {
                    "undefined struct/union name"
                };
                (record.span, words)
            }
            None => {
                let last = self.types.enums.len().checked_sub(1)?;
                let id = crate::types::EnumId::from_index(last);
                let enumeration = self.types.enumeration(id);
                if !mark.types.is_new_enum(id) || enumeration.enumerators.is_some() {
                    return None;
                }
                (enumeration.span, "undefined enum name")
            }
        };
        Some(Box::new(Diagnostic::ffi(span, words).short(words)))
    }
}

/// The alignment cap that the options ask for.
fn check_pack(options: &ParseOptions) -> Result<Option<u32>, Diagnostic> {
    let error =
        |message| Diagnostic::new(DiagnosticKind::Value, Form::Plain, Span::default(), message);
    match (options.packed, options.pack.filter(|&pack| pack != 0)) {
        (true, Some(_)) => Err(error(message::PACK_AND_PACKED.into())),
        (true, None) => Ok(Some(1)),
        (false, Some(pack)) if !pack.is_power_of_two() => Err(error(message::pack_value(pack))),
        (false, pack) => Ok(pack),
    }
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
            cffi_only: false,
            function_bodies: false,
            of_headers: false,
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
            derivations: Vec::new(),
            pointers: Vec::new(),
            parameters: Vec::new(),
        }
    }

    // --- Tokens ---

    /// Goes to the next token; directives in between are obeyed on the way.
    fn bump(&mut self) {
        self.previous_end = self.tok.end;
        loop {
            self.tok = self.lexer.next(&mut self.decls.types);
            match self.tok() {
                Tok::Directive => self.directive(),
                _ => return,
            }
        }
    }

    /// The token behind the current one.
    fn peek(&mut self) -> Token {
        let mut ahead = self.lexer;
        ahead.next(&mut self.decls.types)
    }

    /// The kind of the current token.
    fn tok(&self) -> Tok {
        self.tok.tok
    }

    fn at(&self, tok: Tok) -> bool {
        self.tok.tok == tok
    }

    fn at_keyword(&self, keyword: Keyword) -> bool {
        self.tok.tok == Tok::Keyword(keyword)
    }

    /// Takes the token if it is the one.
    fn eat(&mut self, tok: Tok) -> bool {
        let found = self.at(tok);
        if found {
            self.bump();
        }
        found
    }

    fn expect(&mut self, tok: Tok, what: &'static str) -> Parse<()> {
        if self.eat(tok) {
            Ok(())
        } else {
            Err(self.unexpected(message::expected(what)))
        }
    }

    fn text_of(&self, token: Token) -> &'a str {
        &self.lexer.text()[token.start as usize..token.end as usize]
    }

    fn span(&self) -> Span {
        self.tok.span(self.source)
    }

    fn span_from(&self, start: u32) -> Span {
        Span {
            source: self.source,
            start,
            end: self.previous_end.max(start),
        }
    }

    fn name_text(&self, symbol: Symbol) -> &str {
        self.decls.types.text(symbol)
    }

    // --- Errors ---

    /// A syntax error at the current token; if that token is itself no C, that is the error.
    fn unexpected(
        &mut self,
        message: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Box<Diagnostic> {
        let span = self.span();
        let diagnostic = match self.tok() {
            Tok::Unterminated => Diagnostic::syntax(span, message::UNTERMINATED),
            Tok::Stray => Diagnostic::syntax(span, message::STRAY),
            Tok::Ampersand | Tok::AndAnd | Tok::ColonColon => Diagnostic::syntax(span, message)
                .hint(message::HINT_CPLUSPLUS)
                .short("unexpected symbol"),
            Tok::Name if is_cplusplus(self.text_of(self.tok)) => {
                Diagnostic::syntax(span, message).hint(message::HINT_CPLUSPLUS)
            }
            _ => Diagnostic::syntax(span, message).short("unexpected symbol"),
        };
        Box::new(diagnostic)
    }

    fn warn(&mut self, span: Span, message: impl Into<std::borrow::Cow<'static, str>>) {
        self.warnings.push(Diagnostic::warning(span, message));
    }

    /// Deeper by one level.
    fn descend(&mut self) -> Parse<()> {
        if self.depth >= MAX_DEPTH {
            return Err(Box::new(
                Diagnostic::cdef(self.span(), message::TOO_DEEP)
                    .short("internal type complexity limit reached"),
            ));
        }
        self.depth += 1;
        Ok(())
    }

    fn ascend(&mut self) {
        self.depth -= 1;
    }

    /// A similar name of a type.
    fn suggest_type(&mut self, name: &str) -> Option<String> {
        if self.suggestions >= MAX_SUGGESTIONS {
            return None;
        }
        self.suggestions += 1;
        let decls = &*self.decls;
        let keywords = keyword::TABLE.iter().map(|&(text, _)| text);
        let predefined = crate::predefined::TABLE
            .iter()
            .filter(|(_, meaning)| {
                matches!(meaning, crate::predefined::Predefined::Plain(_)) || decls.target.windows
            })
            .map(|&(text, _)| text);
        let typedefs = decls
            .typedefs
            .iter()
            .map(|typedef| decls.text(typedef.name));
        let found = suggest::closest(name, keywords.chain(predefined).chain(typedefs));
        found.map(str::to_owned)
    }

    /// `file:line` of something declared earlier.
    fn place_of(&self, span: Span) -> String {
        let (file, line) = if span.source == self.source {
            // The source isn't stored yet; markers up to here are known.
            let before = |marker: &LineMarker| marker.offset <= span.start;
            let marker = self.markers[..self.markers.partition_point(before)].last();
            let (file, first, from) = match marker {
                Some(marker) => (&*marker.file, marker.line, marker.offset as usize),
                None => (self.file, 1, 0),
            };
            let text = self.lexer.text().as_bytes();
            let newlines = |offset| self.lines_before.count(text, offset);
            let at = span.start as usize;
            (
                file,
                first.saturating_add(newlines(at) - newlines(from.min(at))),
            )
        } else if let Some(source) = self.decls.source(span.source) {
            let place = source.location(span.start);
            (place.file, place.line)
        } else {
            return "another place".to_owned();
        };
        format!("{file}:{line}")
    }

    /// Goes behind the next `;`, or behind the block that the broken declaration has, or to where a new
    /// declaration seems to begin.
    fn recover(&mut self, start: u32) {
        self.derivations.clear();
        self.pointers.clear();
        self.parameters.clear();
        self.old_style_body = None;
        self.depth = 0;
        self.record_depth = 0;
        self.in_enum = false;
        self.unevaluated = 0;
        if self.tok.start == start && !self.at(Tok::Eof) {
            // Always go on, or the same error would come again.
            let opening = self.at(Tok::LBrace);
            self.bump();
            if opening {
                return self.skip_to_semicolon(1);
            }
        }
        self.skip_to_semicolon(0);
    }

    fn skip_to_semicolon(&mut self, mut braces: u32) {
        loop {
            match self.tok() {
                Tok::Eof => return,
                Tok::Semicolon if braces == 0 => return self.bump(),
                Tok::LBrace => braces += 1,
                Tok::RBrace if braces == 0 => return,
                Tok::RBrace => {
                    braces -= 1;
                    if braces == 0 {
                        self.bump();
                        // A function body ends the declaration; a struct's goes on to its `;`.
                        if self.starts_declaration() {
                            return;
                        }
                        continue;
                    }
                }
                _ if braces == 0 && self.on_new_line() && self.starts_declaration() => return,
                _ => {}
            }
            self.bump();
        }
    }

    /// The current token is the first of its line.
    fn on_new_line(&self) -> bool {
        let between =
            &self.lexer.text().as_bytes()[self.previous_end as usize..self.tok.start as usize];
        between.contains(&b'\n')
    }

    /// The current token can only begin a declaration.
    fn starts_declaration(&self) -> bool {
        match self.tok() {
            Tok::Keyword(keyword) => !matches!(
                keyword,
                Keyword::Attribute | Keyword::Asm | Keyword::Sizeof | Keyword::Alignof
            ),
            Tok::Name => self.is_type_name(self.tok.symbol),
            _ => false,
        }
    }

    // --- The text as a whole ---

    fn translation_unit(&mut self) {
        loop {
            match self.tok() {
                Tok::Eof => return,
                Tok::RBrace => {
                    let span = self.span();
                    self.errors
                        .push(Diagnostic::syntax(span, message::STRAY_BRACE));
                    self.bump();
                }
                _ => self.declaration_or_recover(),
            }
        }
    }

    fn declaration_or_recover(&mut self) {
        let start = self.tok.start;
        if let Err(diagnostic) = self.external_declaration() {
            self.errors.push(*diagnostic);
            self.recover(start);
        }
    }

    fn external_declaration(&mut self) -> Parse<()> {
        match self.tok() {
            Tok::Semicolon => {
                self.bump();
                return Ok(());
            }
            Tok::Keyword(Keyword::StaticAssert) => return self.static_assert(),
            Tok::Keyword(Keyword::Extension) if self.skip_extensions() => {
                return self.external_declaration();
            }
            // C23: attributes of no declaration.
            Tok::LBracket if self.peek().tok == Tok::LBracket && !self.cffi_only => {
                return self.attributed_declaration();
            }
            Tok::Keyword(Keyword::Asm) if self.peek().tok == Tok::LParen => {
                self.bump();
                self.skip_balanced()?;
                return self.end_of_declaration();
            }
            Tok::Keyword(Keyword::Pragma) => return self.pragma_operator(),
            Tok::Keyword(Keyword::Extern) if self.peek().tok == Tok::String => {
                return self.linkage();
            }
            _ => {}
        }
        self.declaration(0)
    }

    /// Skips `__extension__` in front of what is no declaration of a name; there the specifiers take it.
    fn skip_extensions(&mut self) -> bool {
        let (mut ahead, mut next) = (self.lexer, self.tok);
        while next.tok == Tok::Keyword(Keyword::Extension) {
            next = ahead.next(&mut self.decls.types);
        }
        let found = match next.tok {
            Tok::Keyword(Keyword::StaticAssert | Keyword::Asm) => true,
            Tok::Keyword(Keyword::Extern) => ahead.next(&mut self.decls.types).tok == Tok::String,
            _ => false,
        };
        while found && self.eat(Tok::Keyword(Keyword::Extension)) {}
        found
    }

    /// `[[...]];`, and `[[...]]` in front of a declaration, which has it.
    fn attributed_declaration(&mut self) -> Parse<()> {
        let start = (self.lexer, self.tok, self.previous_end);
        let warnings = self.warnings.len();
        self.attributes(&mut attribute::Attributes::default())?;
        if self.eat(Tok::Semicolon) {
            return Ok(());
        }
        (self.lexer, self.tok, self.previous_end) = start;
        self.warnings.truncate(warnings);
        self.declaration(0)
    }

    /// `extern "C"`, `extern "Python"` and `extern "Python+C"`, with one declaration or a block.
    fn linkage(&mut self) -> Parse<()> {
        self.bump();
        let name: String = self
            .text_of(self.tok)
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let origin = match name.as_str() {
            "\"C\"" => self.origin,
            "\"Python\"" => FunctionOrigin::ExternPython,
            "\"Python+C\"" | "\"C+Python\"" => FunctionOrigin::ExternPythonC,
            _ => return Err(self.unexpected(message::LINKAGE_NEEDS_NAME)),
        };
        let outer = std::mem::replace(&mut self.origin, origin);
        let result = self.linkage_body();
        self.origin = outer;
        result
    }

    fn linkage_body(&mut self) -> Parse<()> {
        self.bump();
        if !self.at(Tok::LBrace) {
            // `extern "C" int x;` is a declaration with `extern` in C++'s eyes too.
            return self.declaration(storage::EXTERN);
        }
        let opening = self.span();
        self.descend()?;
        self.bump();
        let depth = self.depth;
        while !self.at(Tok::RBrace) {
            if self.at(Tok::Eof) {
                return Err(Box::new(Diagnostic::syntax(opening, message::BLOCK_END)));
            }
            self.declaration_or_recover();
            // Recovery starts from zero, but this block is still open.
            self.depth = depth;
        }
        self.ascend();
        self.bump();
        Ok(())
    }

    fn end_of_declaration(&mut self) -> Parse<()> {
        if self.eat(Tok::Semicolon) {
            return Ok(());
        }
        let mut diagnostic = self.unexpected(message::MISSING_SEMICOLON);
        if self.on_new_line() || self.at(Tok::Eof) || self.at(Tok::RBrace) {
            // Point at the end of what came before, not at the innocent next line.
            diagnostic.span = Span {
                source: self.source,
                start: self.previous_end.saturating_sub(1),
                end: self.previous_end,
            };
            diagnostic.label = Some("';' is missing here".into());
        }
        Err(diagnostic)
    }

    /// One declaration: specifiers and declarators, up to its `;`.
    fn declaration(&mut self, storage: u8) -> Parse<()> {
        let doc = self.doc();
        let start = self.tok.start;
        let mut specs = self.specifiers(Place::File)?;
        specs.storage |= storage;
        if self.at(Tok::Semicolon) {
            self.tag_only(&specs, start)?;
            self.bump();
            return Ok(());
        }
        loop {
            let mut mode = Mode::declaration();
            if specs.storage & storage::TYPEDEF != 0 {
                mode.partial_ok = true;
            }
            let declared = self.declarator(&specs, mode)?;
            self.go_to_old_style_body();
            let is_function = matches!(self.decls.types.get(declared.ty.ty), Type::Function(_));
            if self.at(Tok::LBrace) && is_function && self.function_bodies {
                // A body is its library's business; the function is declared.
                self.declare(&specs, declared, doc)?;
                return self.skip_balanced();
            }
            if self.at(Tok::LBrace) {
                let span = declared.span;
                return Err(Box::new(
                    Diagnostic::cdef(span, message::FUNCTION_BODY)
                        .hint(message::HINT_FUNCTION_BODY),
                ));
            }
            self.declare(&specs, declared, doc)?;
            if !self.eat(Tok::Comma) {
                break;
            }
        }
        self.check_partial_names(&specs)?;
        self.end_of_declaration()
    }

    /// A declaration without declarators: `struct foo {...};` and its like.
    fn tag_only(&mut self, specs: &Specifiers, start: u32) -> Parse<()> {
        let span = self.span_from(start);
        if specs.storage & storage::TYPEDEF != 0 {
            return Err(Box::new(Diagnostic::cdef(
                span,
                message::TYPEDEF_WITHOUT_NAME,
            )));
        }
        if specs.tag.is_none() {
            return Err(Box::new(Diagnostic::cdef(span, message::NOTHING_DECLARED)));
        }
        self.check_partial_names(specs)
    }

    fn doc(&self) -> Option<Span> {
        let (start, end) = self.lexer.doc;
        (end != 0).then_some(Span {
            source: self.source,
            start,
            end,
        })
    }

    /// `_Static_assert(condition, "text");`
    fn static_assert(&mut self) -> Parse<()> {
        let start = self.tok.start;
        self.bump();
        self.expect(Tok::LParen, "'('")?;
        let value = match self.asserted()? {
            Ok(value) => value,
            Err(why) => {
                let span = why.span;
                self.warn(span, message::static_assertion_unchecked(&why.message));
                Value::truth(true)
            }
        };
        let mut text = "";
        if self.eat(Tok::Comma) {
            if !self.at(Tok::String) {
                return Err(self.unexpected(message::STATIC_ASSERT_TEXT));
            }
            text = self.text_of(self.tok);
            while self.eat(Tok::String) {}
        }
        self.expect(Tok::RParen, "')'")?;
        if value.value == 0 {
            let span = self.span_from(start);
            let text = message::static_assertion(text.trim_matches('"'));
            self.errors.push(Diagnostic::cdef(span, text));
        }
        self.end_of_declaration()
    }

    /// The condition of a `_Static_assert`, or why it has no value here: then what follows it is the current token.
    fn asserted(&mut self) -> Parse<Parse<Value>> {
        let start = (self.lexer, self.tok, self.previous_end);
        let state = (
            self.depth,
            self.unevaluated,
            self.in_enum,
            self.record_depth,
        );
        let said = (self.errors.len(), self.warnings.len(), self.markers.len());
        let value = self.constant_expression();
        if self.cffi_only || value.is_ok() && matches!(self.tok(), Tok::Comma | Tok::RParen) {
            return value.map(Ok);
        }
        let why = value.map_or_else(|why| why, |_| self.unexpected(message::expected("')'")));
        (self.lexer, self.tok, self.previous_end) = start;
        (
            self.depth,
            self.unevaluated,
            self.in_enum,
            self.record_depth,
        ) = state;
        self.errors.truncate(said.0);
        self.warnings.truncate(said.1);
        self.markers.truncate(said.2);
        // Commas between parentheses belong to the condition, one in front of a text does not.
        loop {
            match self.tok() {
                Tok::LParen | Tok::LBracket | Tok::LBrace => self.skip_balanced()?,
                Tok::Comma if self.peek().tok == Tok::String => break,
                Tok::RParen => break,
                Tok::Semicolon | Tok::RBrace | Tok::Eof | Tok::Unterminated => return Err(why),
                _ => self.bump(),
            }
        }
        Ok(Err(why))
    }

    /// The whole text as a type.
    fn whole_type(&mut self) -> Parse<(QualType, bool)> {
        if self.at(Tok::Eof) {
            let span = self.span();
            return Err(Box::new(
                Diagnostic::new(DiagnosticKind::CDef, Form::Plain, span, message::EMPTY_TYPE)
                    .short("identifier expected"),
            ));
        }
        if self.at(Tok::Name) && !self.is_type_name(self.tok.symbol) && self.peek().tok == Tok::Eof
        {
            return Err(self.unknown_type_error(true));
        }
        let specs = self.specifiers(Place::TypeName)?;
        let declared = self.declarator(&specs, Mode::parameter_like())?;
        if !self.at(Tok::Eof) {
            return Err(self.unexpected(message::expected("the end of the type")));
        }
        Ok((declared.ty, declared.name.is_some()))
    }

    /// A type name (C11 6.7.7), as in a cast.
    fn type_name(&mut self) -> Parse<QualType> {
        self.descend()?;
        let specs = self.specifiers(Place::TypeName)?;
        let declared = self.declarator(&specs, Mode::type_name())?;
        self.ascend();
        Ok(declared.ty)
    }

    /// Skips `( ... )`, `[ ... ]` or `{ ... }`, whatever is inside; the current token opens it.
    fn skip_balanced(&mut self) -> Parse<()> {
        self.skip_to_closing_bracket()?;
        self.bump();
        Ok(())
    }

    /// As [`Self::skip_balanced`], but only up to the closing bracket.
    fn skip_to_closing_bracket(&mut self) -> Parse<()> {
        let opening = self.span();
        if !matches!(self.tok.tok, Tok::LParen | Tok::LBracket | Tok::LBrace) {
            return Err(self.unexpected(message::expected("'('")));
        }
        let mut open = 0u32;
        loop {
            match self.tok() {
                Tok::LParen | Tok::LBracket | Tok::LBrace => open += 1,
                Tok::RParen | Tok::RBracket | Tok::RBrace => {
                    open -= 1;
                    if open == 0 {
                        return Ok(());
                    }
                }
                Tok::Eof | Tok::Unterminated => {
                    return Err(Box::new(Diagnostic::syntax(
                        opening,
                        message::expected("the closing bracket of this"),
                    )));
                }
                _ => {}
            }
            self.bump();
        }
    }
}

/// Words that begin a declaration in C++ only.
fn is_cplusplus(word: &str) -> bool {
    matches!(
        word,
        "class"
            | "namespace"
            | "template"
            | "using"
            | "public"
            | "private"
            | "protected"
            | "virtual"
            | "constexpr"
            | "friend"
            | "operator"
            | "typename"
            | "explicit"
            | "mutable"
            | "decltype"
    )
}

/// Whether the base is one of CFFI's `...` forms.
fn is_dots(base: Base) -> bool {
    !matches!(base, Base::Type(_))
}
