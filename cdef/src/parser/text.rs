//! Parses a whole text: [`Declarations::parse`] for declarations, [`Declarations::parse_type`] for a type.

use std::sync::Arc;

use crate::declarations::Declarations;
use crate::diagnostic::{Diagnostic, DiagnosticKind, Form, Severity};
use crate::lexer::Tok;
use crate::message;
use crate::source::{DEFAULT_FILE, Source, SourceId, Span};
use crate::types::{QualType, RecordKind};

use super::declarator::Mode;
use super::pieces::{Piece, Pieces};
use super::specifiers::Place;
use super::{Parse, ParseOptions, Parser};

/// The warnings of an accepted text, or the errors and warnings of a refused one.
type Taken = Result<Vec<Diagnostic>, Vec<Diagnostic>>;

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
        self.parse_text(text, options, None).0
    }

    /// As [`Self::parse`]; also returns the place of each declaration of the text.
    pub(crate) fn parse_in_pieces(
        &mut self,
        text: &str,
        options: &ParseOptions,
    ) -> (Taken, Vec<Piece>) {
        let (result, pieces) = self.parse_text(text, options, Some(Pieces::default()));
        (result, pieces.map_or(Vec::new(), |pieces| pieces.done))
    }

    /// As [`Self::parse_in_pieces`]; also returns where the text may be cut (see [`Pieces::cuts`]).
    pub(crate) fn parse_with_cuts(
        &mut self,
        text: &str,
        options: &ParseOptions,
    ) -> (Taken, Vec<Piece>, Vec<(u32, u32)>) {
        let mut pieces = Pieces::default();
        pieces.cuts.push((0, self.types.numbers()));
        let (result, pieces) = self.parse_text(text, options, Some(pieces));
        let pieces = pieces.unwrap_or_default();
        (result, pieces.done, pieces.cuts)
    }

    /// Reads a part of a text, which is kept as `source` already: a segment (see [`crate::segments`]).
    pub(crate) fn parse_segment(
        &mut self,
        text: &str,
        range: std::ops::Range<usize>,
        source: SourceId,
        options: &ParseOptions,
    ) -> Result<(), Vec<Diagnostic>> {
        let pack = check_pack(options).map_err(|diagnostic| vec![diagnostic])?;
        self.mark();
        let file = options.file.unwrap_or(DEFAULT_FILE);
        let mut parser = Parser::new(self, text, source, file);
        parser.lexer.position = range.start;
        parser.lexer.set_end(range.end);
        parser.end = range.end;
        parser.is_segment = true;
        parser.take_options(options, pack);
        parser.bump();
        parser.translation_unit();
        let errors = parser.errors;
        self.journal.clear();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    fn parse_text(
        &mut self,
        text: &str,
        options: &ParseOptions,
        pieces: Option<Pieces>,
    ) -> (Taken, Option<Pieces>) {
        let pack = match check_pack(options) {
            Ok(pack) => pack,
            Err(diagnostic) => return (Err(vec![diagnostic]), pieces),
        };
        if text.len() > i32::MAX as usize {
            let span = Span::default();
            let error = Diagnostic::ffi(span, message::TOO_LONG);
            return (Err(vec![error]), pieces);
        }
        let mark = self.mark();
        self.reserve(text.len());
        let source = SourceId(self.sources.len() as u32);
        let file = options.file.unwrap_or(DEFAULT_FILE);
        let mut parser = Parser::new(self, text, source, file);
        parser.take_options(options, pack);
        parser.pieces = pieces;
        parser.bump();
        parser.translation_unit();
        let pieces = parser.pieces;
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
        let result = if errors.is_empty() {
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
        };
        (result, pieces)
    }

    /// Reads a type, as in `ffi.typeof("int(*)(const char *)")`. An unknown `struct foo` becomes an opaque
    /// struct. The cost depends on the string alone, however much is declared.
    ///
    /// # Errors
    /// The string is no valid type; the declarations are then unchanged.
    pub fn parse_type(&mut self, text: &str) -> Result<QualType, Diagnostic> {
        self.read_type(text, false)
    }

    /// [`Self::parse_type`] as a compiled module does it: a struct, union or enum that isn't declared is an
    /// error, and [`Diagnostic::caret`] has the text of the `ffi.error`.
    ///
    /// # Errors
    /// As [`Self::parse_type`].
    pub fn parse_declared_type(&mut self, text: &str) -> Result<QualType, Diagnostic> {
        self.read_type(text, true)
    }

    fn read_type(&mut self, text: &str, declared_only: bool) -> Result<QualType, Diagnostic> {
        if let Some(plain) = self.plain_type(text) {
            return Ok(plain);
        }
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
        // As in CFFI, the mistake that comes first in the string is reported.
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

    /// The error about a tag that a type string has just declared, if that is `forbidden`.
    fn undeclared(
        &self,
        mark: &crate::declarations::Mark,
        forbidden: bool,
    ) -> Option<Box<Diagnostic>> {
        if !forbidden {
            return None;
        }
        let new = self.types.records.get(mark.types.records()..)?;
        let mut new = new.iter().rev();
        let (span, words) =
            match new.find(|record| record.fields.is_none() && record.typedef_name.is_none()) {
                Some(record) => {
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

impl Parser<'_> {
    /// Reads the whole text as a type.
    pub(super) fn whole_type(&mut self) -> Parse<QualType> {
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
        Ok(declared.ty)
    }
}
