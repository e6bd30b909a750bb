//! Declaration specifiers (C11 6.7 to 6.7.5): everything in front of the first declarator.

use crate::diagnostic::Diagnostic;
use crate::keyword::Keyword;
use crate::lexer::{Tok, Token};
use crate::message;
use crate::predefined::{self, Predefined};
use crate::source::Span;
use crate::target::Target;
use crate::types::{
    EnumId, Primitive, QualType, Qualifiers, Record, RecordId, RecordKind, Symbol, Type, TypeId,
    TypeTable,
};

use super::attribute::Attributes;
use super::sealed::{Wide, is_sealed_floating};
use super::{Parse, Parser};

/// Storage classes, as bits.
pub(super) mod storage {
    pub(crate) const TYPEDEF: u8 = 1;
    pub(crate) const EXTERN: u8 = 2;
    pub(crate) const STATIC: u8 = 4;
    /// `register`, `auto`, `_Thread_local`
    pub(crate) const OTHER: u8 = 8;
}

/// Where specifiers stand; it decides which are allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    File,
    Member,
    Parameter,
    TypeName,
}

/// The type that the specifiers name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Base {
    Type(QualType),
    /// `typedef ...`
    Dots,
    /// `typedef int...`
    IntegerDots,
    /// `typedef float...`
    FloatDots,
}

/// A struct, union or enum that the specifiers mention.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tag {
    Record(RecordId),
    Enum(EnumId),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Specifiers {
    pub(super) base: Base,
    pub(super) storage: u8,
    pub(super) stdcall: bool,
    pub(super) attributes: Attributes,
    pub(super) tag: Option<Tag>,
    /// `tag` is an enum that this declaration mentions first.
    pub(super) is_new_enum: bool,
}

/// How often each keyword of an arithmetic type was read.
#[derive(Clone, Copy, Default)]
struct Words {
    void: u8,
    bool_: u8,
    char: u8,
    short: u8,
    int: u8,
    long: u8,
    float: u8,
    double: u8,
    signed: u8,
    unsigned: u8,
    complex: u8,
}

impl Words {
    fn any(&self) -> bool {
        self.void
            | self.bool_
            | self.char
            | self.short
            | self.int
            | self.long
            | self.float
            | self.double
            | self.signed
            | self.unsigned
            | self.complex
            != 0
    }

    fn slot(&mut self, keyword: Keyword) -> Option<&mut u8> {
        Some(match keyword {
            Keyword::Void => &mut self.void,
            Keyword::Bool => &mut self.bool_,
            Keyword::Char => &mut self.char,
            Keyword::Short => &mut self.short,
            Keyword::Int => &mut self.int,
            Keyword::Long => &mut self.long,
            Keyword::Float => &mut self.float,
            Keyword::Double => &mut self.double,
            Keyword::Signed => &mut self.signed,
            Keyword::Unsigned => &mut self.unsigned,
            Keyword::Complex => &mut self.complex,
            _ => return None,
        })
    }

    /// The type that the keywords name, in any order; `None` if they name none.
    fn resolve(&self) -> Option<TypeId> {
        use Primitive::*;
        let sign = self.signed + self.unsigned;
        let unsigned = self.unsigned == 1;
        if sign > 1 || self.int > 1 || self.complex > 1 {
            return None;
        }
        let pick = |if_signed, if_unsigned| if unsigned { if_unsigned } else { if_signed };
        let others = (
            self.void,
            self.bool_,
            self.char,
            self.short,
            self.long,
            self.float,
            self.double,
        );
        let primitive = match others {
            (1, 0, 0, 0, 0, 0, 0) if sign + self.int + self.complex == 0 => {
                return Some(TypeTable::VOID);
            }
            (0, 1, 0, 0, 0, 0, 0) if sign + self.int + self.complex == 0 => Bool,
            (0, 0, 0, 0, 0, 1, 0) if sign + self.int == 0 => {
                if self.complex == 1 {
                    FloatComplex
                } else {
                    Float
                }
            }
            (0, 0, 0, 0, 0, 0, 1) if sign + self.int == 0 => {
                if self.complex == 1 {
                    DoubleComplex
                } else {
                    Double
                }
            }
            (0, 0, 0, 0, 1, 0, 1) if sign + self.int == 0 => {
                if self.complex == 1 {
                    LongDoubleComplex
                } else {
                    LongDouble
                }
            }
            // `_Complex` alone is GCC's for `double _Complex`.
            (0, 0, 0, 0, 0, 0, 0) if self.complex == 1 && sign + self.int == 0 => DoubleComplex,
            _ if self.complex != 0 => return None,
            (0, 0, 1, 0, 0, 0, 0) if self.int == 0 => match (self.signed, self.unsigned) {
                (1, _) => SChar,
                (_, 1) => UChar,
                _ => Char,
            },
            (0, 0, 0, 1, 0, 0, 0) => pick(Short, UShort),
            (0, 0, 0, 0, 1, 0, 0) => pick(Long, ULong),
            (0, 0, 0, 0, 2, 0, 0) => pick(LongLong, ULongLong),
            (0, 0, 0, 0, 0, 0, 0) if sign + self.int > 0 => pick(Int, UInt),
            _ => return None,
        };
        Some(TypeTable::primitive_id(primitive))
    }

    /// If the words are at most one sign: whether it is `unsigned`. `None` if there are others.
    fn sign(&self) -> Option<bool> {
        let others = Self {
            signed: 0,
            unsigned: 0,
            ..*self
        };
        (!others.any() && self.signed + self.unsigned <= 1).then_some(self.unsigned == 1)
    }

    fn is_integer(&self) -> bool {
        self.void | self.bool_ | self.float | self.double | self.complex == 0
    }

    fn is_floating(&self) -> bool {
        self.float + self.double == 1
            && self.void
                | self.bool_
                | self.char
                | self.short
                | self.int
                | self.long
                | self.signed
                | self.unsigned
                | self.complex
                == 0
    }
}

/// The specifiers of a declaration while they are read.
struct Reading {
    place: Place,
    start: u32,
    words: Words,
    /// In a type string: the word with which the words stopped being a type.
    stray: Option<Span>,
    found: Option<Base>,
    /// `_BitInt(n)` or `__int128`; `words` may give its sign.
    wide: Option<Wide>,
    quals: Qualifiers,
    specs: Specifiers,
}

impl Reading {
    fn new(place: Place, start: u32) -> Self {
        Self {
            place,
            start,
            words: Words::default(),
            stray: None,
            found: None,
            wide: None,
            quals: Qualifiers::NONE,
            specs: Specifiers {
                base: Base::Dots,
                storage: 0,
                stdcall: false,
                attributes: Attributes::default(),
                tag: None,
                is_new_enum: false,
            },
        }
    }
    /// Whether a type, or keywords of one, have been read.
    fn has_type(&self) -> bool {
        self.found.is_some() || self.words.any()
    }
    fn add(&mut self, qualifier: Qualifiers) {
        self.quals = self.quals.union(qualifier);
    }
}

impl Parser<'_> {
    /// Whether `symbol` names a type here: a typedef, or a predefined name of the target.
    pub(super) fn is_type_name(&self, symbol: Symbol) -> bool {
        if self.decls.typedef_names.contains_key(&symbol) {
            return true;
        }
        match predefined::lookup(symbol) {
            None => false,
            Some(Predefined::Plain(_) | Predefined::File) => true,
            Some(Predefined::VaList) => true,
            Some(Predefined::Unicode | Predefined::UnicodePointer(_)) => {
                self.decls.unicode.is_some()
            }
            Some(_) => self.decls.target.windows,
        }
    }

    /// The type of a name for which [`Self::is_type_name`] holds.
    fn named_type(&mut self, symbol: Symbol) -> Parse<QualType> {
        if let Some(&index) = self.decls.typedef_names.get(&symbol) {
            return Ok(self.decls.typedefs[index as usize].ty);
        }
        if let Some(Predefined::Plain(primitive)) = predefined::lookup(symbol) {
            return Ok(QualType::plain(TypeTable::primitive_id(primitive)));
        }
        if let Some(&ty) = self.decls.predefined.get(&symbol) {
            return Ok(ty);
        }
        let ty = self.make_predefined(symbol)?;
        self.decls.predefined.insert(symbol, ty);
        Ok(ty)
    }

    fn make_predefined(&mut self, symbol: Symbol) -> Parse<QualType> {
        let target_is_64 = self.decls.target.pointer_size == 8;
        let character = if self.decls.unicode == Some(true) {
            Primitive::WChar
        } else {
            Primitive::Char
        };
        let character = TypeTable::primitive_id(character);
        match predefined::lookup(symbol) {
            Some(Predefined::File) => Ok(self.opaque_record(symbol)),
            Some(Predefined::VaList) => self.predefined_text(self.decls.target.va_list()),
            Some(Predefined::Unicode) => Ok(QualType::plain(character)),
            Some(Predefined::UnicodePointer(is_const)) => {
                let quals = if is_const {
                    Qualifiers::CONST
                } else {
                    Qualifiers::NONE
                };
                let item = QualType {
                    quals,
                    ..QualType::plain(character)
                };
                Ok(QualType::plain(self.decls.types.pointer_to(item)))
            }
            Some(Predefined::WindowsStruct) => Ok(self.unicode_string()),
            Some(Predefined::Windows(text)) => self.predefined_text(text),
            Some(Predefined::WindowsBySize(small, large)) => {
                self.predefined_text(if target_is_64 { large } else { small })
            }
            _ => Err(self.unknown_type_error(false)),
        }
    }

    /// Parses the spelling of an entry of the predefined table.
    fn predefined_text(&mut self, text: &'static str) -> Parse<QualType> {
        self.descend()?;
        let mut inner = Parser::new(self.decls, text, crate::source::SourceId::NOT_KEPT, "");
        inner.depth = self.depth;
        inner.bump();
        let ty = inner.whole_type();
        self.ascend();
        ty
    }

    /// An opaque struct of which only the typedef name is known.
    fn opaque_record(&mut self, name: Symbol) -> QualType {
        if let Some(id) = self.decls.included.predefined(name) {
            return QualType::plain(self.decls.types.intern(Type::Record(id)));
        }
        let span = self.span();
        let id = self.push_record(RecordKind::Struct, None, span);
        self.decls.included.predefine(name, id);
        let freed = std::mem::take(&mut self.decls.types.records[id.index()].number);
        self.decls.types.free_number(freed);
        self.decls.types.records[id.index()].typedef_name = Some(name);
        QualType::plain(self.decls.types.intern(Type::Record(id)))
    }

    /// Reads `_Float32` and its relatives as the standard type with the same representation and calling convention,
    /// where there is one.
    fn floating(&self, words: &mut Words) -> bool {
        if words.any() || self.is_cffi_only() {
            return false;
        }
        match self.text_of(self.tok) {
            // On AArch64, `long double` is the 128-bit type.
            "_Float128" if self.decls.target.name == Target::AARCH64.name => {
                (words.long, words.double) = (1, 1);
            }
            "__float80" if self.decls.target.has_x87() => (words.long, words.double) = (1, 1),
            "_Float32" => words.float = 1,
            "_Float64" | "_Float32x" => words.double = 1,
            "_Float64x" => (words.long, words.double) = (1, 1),
            _ => return false,
        }
        true
    }

    /// The struct behind Windows' `UNICODE_STRING`.
    fn unicode_string(&mut self) -> QualType {
        let span = self.span();
        let tag = self.decls.types.symbol("_UNICODE_STRING");
        let id = self.push_record(RecordKind::Struct, Some(tag), span);
        let short = QualType::plain(TypeTable::primitive_id(Primitive::UShort));
        let wide = QualType::plain(TypeTable::primitive_id(Primitive::WChar));
        let buffer = QualType::plain(self.decls.types.pointer_to(wide));
        let fields = [
            ("Length", short),
            ("MaximumLength", short),
            ("Buffer", buffer),
        ];
        let fields = fields.map(|(name, ty)| crate::types::Field {
            name: Some(self.decls.types.symbol(name)),
            ty,
            bits: None,
            align: None,
            packed: false,
            span,
        });
        self.decls.types.records[id.index()].fields = Some(fields.into());
        QualType::plain(self.decls.types.intern(Type::Record(id)))
    }

    /// A new record without a body.
    pub(super) fn push_record(
        &mut self,
        kind: RecordKind,
        tag: Option<Symbol>,
        span: Span,
    ) -> RecordId {
        let id = RecordId::from_index(self.decls.types.records.len());
        let number = if tag.is_none() {
            self.decls.types.next_number()
        } else {
            0
        };
        self.decls.types.records.push(Record {
            kind,
            tag,
            typedef_name: None,
            forced_name: None,
            alias: None,
            pointer_typedef: None,
            fields: None,
            partial: false,
            number,
            owner: None,
            packing: Default::default(),
            align: None,
            compiler_layout: None,
            given_layout: None,
            sealed: None,
            refused: None,
            span,
        });
        id
    }

    /// The error about a name that is no type; `alone`: the type string consists of this name.
    pub(super) fn unknown_type_error(&mut self, alone: bool) -> Box<Diagnostic> {
        let span = self.span();
        let name = self.text_of(self.tok).to_owned();
        match predefined::lookup(self.tok.symbol) {
            Some(Predefined::Unicode | Predefined::UnicodePointer(_)) => {
                return Box::new(
                    Diagnostic::ffi(span, message::set_unicode_needed(&name))
                        .hint(message::HINT_SET_UNICODE),
                );
            }
            Some(_) => {
                let diagnostic = Diagnostic::syntax(span, message::unknown_type(&name))
                    .hint(message::windows_only(&name));
                return Box::new(diagnostic.short("undefined type name"));
            }
            None => {}
        }
        let mut diagnostic = if alone {
            let message = message::unknown_identifier(&name);
            Diagnostic::new(
                crate::diagnostic::DiagnosticKind::CDef,
                crate::diagnostic::Form::Plain,
                span,
                message,
            )
        } else if super::errors::is_cplusplus(&name) {
            Diagnostic::syntax(span, message::unknown_type(&name)).hint(message::HINT_CPLUSPLUS)
        } else {
            Diagnostic::syntax(span, message::unknown_type(&name))
        };
        if diagnostic.hint.is_none() {
            let hint = match self.suggest_type(&name) {
                Some(similar) => message::did_you_mean(&similar),
                None => message::declare_first(&name),
            };
            diagnostic.hint = Some(hint);
        }
        Box::new(diagnostic.short("undefined type name"))
    }

    /// Whether the current token can start a type name, as after `(` in an expression.
    pub(super) fn at_type(&self) -> bool {
        self.is_type_token(self.tok)
    }

    /// Whether a type begins with this token.
    pub(super) fn is_type_token(&self, token: Token) -> bool {
        match token.tok {
            Tok::Name => self.is_type_name(token.symbol),
            Tok::Keyword(keyword) => starts_type(keyword),
            _ => false,
        }
    }

    pub(super) fn specifiers(&mut self, place: Place) -> Parse<Specifiers> {
        let mut read = Reading::new(place, self.tok.start);
        while self.specifier(&mut read)? {}
        self.specified(read)
    }

    /// Reads one specifier. `false`: the current token is none.
    fn specifier(&mut self, read: &mut Reading) -> Parse<bool> {
        match self.tok() {
            Tok::Keyword(keyword) => self.keyword_specifier(keyword, read),
            Tok::Name if !read.has_type() && read.wide.is_none() => self.name_specifier(read),
            Tok::Ellipsis if read.specs.storage & storage::TYPEDEF != 0 => {
                self.dots_specifier(read)?;
                Ok(true)
            }
            Tok::LBracket if self.peek().tok == Tok::LBracket => {
                self.bracket_attribute(&mut read.specs.attributes)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn keyword_specifier(&mut self, keyword: Keyword, read: &mut Reading) -> Parse<bool> {
        let span = self.span();
        if crate::keyword::is_soft(self.text_of(self.tok))
            && read.has_type()
            && self.peek().tok != Tok::LParen
        {
            return Ok(false);
        }
        if let Some(slot) = read.words.slot(keyword) {
            if read.found.is_some() {
                return Err(self.two_types(span));
            }
            *slot = slot.saturating_add(1);
            if self.is_type_string {
                read.stray = match read.words.resolve() {
                    None => read.stray.or(Some(span)),
                    Some(_) => None,
                };
            }
            self.bump();
            return Ok(true);
        }
        match keyword {
            Keyword::Const => read.add(Qualifiers::CONST),
            Keyword::Volatile => read.add(Qualifiers::VOLATILE),
            Keyword::Restrict => read.add(Qualifiers::RESTRICT),
            Keyword::Atomic => self.atomic_specifier(span, read)?,
            Keyword::Typeof => {
                let ty = self.typeof_specifier()?;
                self.set_type(span, ty, read)?;
            }
            Keyword::Struct | Keyword::Union | Keyword::Enum => {
                self.tagged_specifier(keyword, span, read)?;
                return Ok(true);
            }
            Keyword::Typedef
            | Keyword::Extern
            | Keyword::Static
            | Keyword::Auto
            | Keyword::Register
            | Keyword::ThreadLocal => self.storage_specifier(keyword, read)?,
            Keyword::Inline | Keyword::Noreturn | Keyword::Extension | Keyword::Cdecl => {}
            // Clang's `_Nullable` and its relatives on a typedef of a pointer: without an effect.
            Keyword::Nullability if !self.is_cffi_only() => {}
            Keyword::OtherConvention => self.other_convention()?,
            Keyword::Stdcall => read.specs.stdcall = true,
            Keyword::Alignas => {
                let align = self.alignas()?;
                read.specs.attributes.align_at_least(align);
                return Ok(true);
            }
            Keyword::Attribute | Keyword::Declspec => {
                self.attribute(&mut read.specs.attributes)?;
                return Ok(true);
            }
            Keyword::Unsupported | Keyword::Imaginary => {
                return self.rare_specifier(keyword, span, read);
            }
            _ => return Ok(false),
        }
        self.bump();
        Ok(true)
    }

    /// Sets the type of the declaration; an error if it has one.
    fn set_type(&mut self, span: Span, ty: QualType, read: &mut Reading) -> Parse<()> {
        if read.has_type() {
            return Err(self.two_types(span));
        }
        read.found = Some(Base::Type(ty));
        Ok(())
    }

    /// `_Atomic`, or `_Atomic(type)` up to its last parenthesis.
    fn atomic_specifier(&mut self, span: Span, read: &mut Reading) -> Parse<()> {
        read.add(Qualifiers::ATOMIC);
        if self.peek().tok != Tok::LParen {
            return Ok(());
        }
        self.bump();
        self.bump();
        let ty = self.type_name()?;
        if !self.at(Tok::RParen) {
            return Err(self.unexpected(message::expected("')'")));
        }
        self.set_type(span, ty, read)
    }

    /// A struct, a union or an enum: its tag, its body, or both.
    fn tagged_specifier(&mut self, keyword: Keyword, span: Span, read: &mut Reading) -> Parse<()> {
        if read.has_type() {
            return Err(self.two_types(span));
        }
        let (tag, ty) = if keyword == Keyword::Enum {
            let enums = self.decls.types.enums.len();
            let found = self.enum_specifier()?;
            read.specs.is_new_enum = self.decls.types.enums.len() > enums;
            found
        } else {
            self.record_specifier()?
        };
        read.specs.tag = Some(tag);
        read.found = Some(Base::Type(QualType::plain(ty)));
        Ok(())
    }

    /// `typedef`, `extern`, `static` and their like.
    fn storage_specifier(&mut self, keyword: Keyword, read: &mut Reading) -> Parse<()> {
        let allowed = read.place == Place::File
            || (read.place == Place::Parameter && keyword == Keyword::Register);
        if !allowed {
            return Err(self.unexpected(message::STORAGE_HERE));
        }
        read.specs.storage |= match keyword {
            Keyword::Typedef => storage::TYPEDEF,
            Keyword::Extern => storage::EXTERN,
            Keyword::Static => storage::STATIC,
            _ => storage::OTHER,
        };
        Ok(())
    }

    /// Reads the type keywords that not every compiler has: as a standard type, as a sealed type, or refused.
    fn rare_specifier(&mut self, keyword: Keyword, span: Span, read: &mut Reading) -> Parse<bool> {
        let is_first = keyword == Keyword::Unsupported && read.found.is_none();
        if is_first && read.wide.is_none() && self.at_wide_integer() {
            read.wide = Some(self.wide_integer(&mut read.words.unsigned)?);
            return Ok(true);
        }
        if is_first && self.floating(&mut read.words) {
            self.bump();
            return Ok(true);
        }
        if is_first
            && !read.words.any()
            && !self.is_cffi_only()
            && is_sealed_floating(self.text_of(self.tok))
        {
            read.found = self.sealed_floating().map(Base::Type);
            self.bump();
            return Ok(true);
        }
        let message = message::unsupported_type(self.text_of(self.tok));
        self.refuse(Box::new(Diagnostic::ffi(span, message)), false)?;
        // The declaration is refused, so the type does not matter: `int` lets parsing continue.
        read.found = Some(Base::Type(QualType::plain(TypeTable::primitive_id(
            Primitive::Int,
        ))));
        self.bump();
        Ok(true)
    }

    /// Reads a name, where no type has been read yet.
    fn name_specifier(&mut self, read: &mut Reading) -> Parse<bool> {
        if self.is_type_name(self.tok.symbol) {
            let ty = self.named_type(self.tok.symbol)?;
            read.found = Some(Base::Type(ty));
            self.bump();
            return Ok(true);
        }
        if read.place == Place::File && self.at_constexpr() {
            read.add(Qualifiers::CONST);
            read.specs.storage |= storage::STATIC;
            self.bump();
            return Ok(true);
        }
        if read.specs.storage & storage::OTHER != 0
            && let Some(ty) = self.inferred()?
        {
            read.found = Some(Base::Type(ty));
        }
        Ok(false)
    }

    /// `...` in a typedef: only the C compiler knows the type.
    fn dots_specifier(&mut self, read: &mut Reading) -> Parse<()> {
        if matches!(read.found, Some(base) if is_dots(base) || !read.words.any()) {
            return Err(self.unexpected(message::BAD_DOTS));
        }
        read.found = Some(if !read.words.any() {
            Base::Dots
        } else if read.words.is_integer() {
            Base::IntegerDots
        } else if read.words.is_floating() {
            Base::FloatDots
        } else {
            let diagnostic = self.unexpected(message::DOTS_IN_TYPEDEF);
            return Err(Box::new(diagnostic.hint(message::HINT_DOTS_IN_TYPEDEF)));
        });
        read.words = Words::default();
        self.bump();
        Ok(())
    }

    /// Puts the parts together when all specifiers have been read.
    fn specified(&mut self, read: Reading) -> Parse<Specifiers> {
        let Reading {
            start,
            words,
            stray,
            mut found,
            wide,
            quals,
            mut specs,
            ..
        } = read;
        if let Some(wide) = wide {
            let span = self.span_from(start);
            let is_unsigned = words.sign().filter(|_| found.is_none());
            let Some(is_unsigned) = is_unsigned else {
                return Err(Box::new(Diagnostic::syntax(span, message::BAD_TYPE_WORDS)));
            };
            found = Some(Base::Type(self.wide_type(wide, is_unsigned, span)?));
        }
        specs.base = match found {
            Some(Base::Type(ty)) => Base::Type(self.qualify(ty, quals)),
            Some(dots) => dots,
            None if words.any() => {
                let Some(ty) = words.resolve() else {
                    let span = stray.unwrap_or_else(|| self.span_from(start));
                    return Err(Box::new(
                        Diagnostic::syntax(span, message::BAD_TYPE_WORDS)
                            .short("unexpected symbol"),
                    ));
                };
                Base::Type(QualType {
                    quals,
                    ..QualType::plain(ty)
                })
            }
            None => return self.no_type(specs, quals),
        };
        Ok(specs)
    }

    /// Whether the current token is C23's `constexpr`, not a name as in older C.
    fn at_constexpr(&mut self) -> bool {
        !self.is_cffi_only()
            && self.text_of(self.tok) == "constexpr"
            && matches!(self.peek().tok, Tok::Keyword(_) | Tok::Name)
    }

    /// C23's `auto x = 5;` with the current token at the name: the type of the value. `None`: there is no `=`.
    fn inferred(&mut self) -> Parse<Option<QualType>> {
        if self.is_cffi_only() || self.peek().tok != Tok::Assign {
            return Ok(None);
        }
        let start = (self.lexer, self.tok, self.previous_end, self.depth);
        let markers = self.markers.len();
        let name = self.text_of(self.tok);
        self.bump();
        self.bump();
        let ty = match self.type_of_conditional() {
            Ok(ty) if matches!(self.tok(), Tok::Semicolon | Tok::Comma) => Ok(self.decayed(ty)),
            _ => Err(Box::new(
                Diagnostic::cdef(start.1.span(self.source), message::not_inferred(name))
                    .hint(message::HINT_NOT_INFERRED),
            )),
        };
        (self.lexer, self.tok, self.previous_end, self.depth) = start;
        self.markers.truncate(markers);
        ty.map(Some)
    }

    fn two_types(&mut self, span: Span) -> Box<Diagnostic> {
        Box::new(Diagnostic::syntax(span, message::TWO_TYPES).hint(message::HINT_TWO_TYPES))
    }

    /// The specifiers contain no type. As in CFFI a function with a storage class may leave out its `int`.
    fn no_type(&mut self, mut specs: Specifiers, quals: Qualifiers) -> Parse<Specifiers> {
        if specs.storage & !storage::TYPEDEF != 0
            && self.at(Tok::Name)
            && self.peek().tok == Tok::LParen
        {
            let span = self.span();
            self.warn(span, message::IMPLICIT_INT);
            specs.base = Base::Type(QualType::plain(TypeTable::primitive_id(Primitive::Int)));
            return Ok(specs);
        }
        let bare = specs.storage == 0 && quals == Qualifiers::NONE;
        if self.at(Tok::Name) && (bare || matches!(self.peek().tok, Tok::Name | Tok::Star)) {
            return Err(self.unknown_type_error(false));
        }
        if bare {
            return Err(Box::new(
                self.unexpected(message::EXPECTED_TYPE)
                    .short("identifier expected"),
            ));
        }
        let diagnostic = self.unexpected(message::MISSING_TYPE);
        Err(Box::new(diagnostic.hint(message::HINT_MISSING_TYPE)))
    }

    /// `ty` with more qualifiers; an array's go to its items (C11 6.7.3p9).
    pub(super) fn qualify(&mut self, ty: QualType, quals: Qualifiers) -> QualType {
        if quals == Qualifiers::NONE {
            return ty;
        }
        if let Type::Array { item, length } = *self.decls.types.get(ty.ty) {
            let item = self.qualify(item, quals);
            return QualType {
                ty: self.decls.types.intern(Type::Array { item, length }),
                ..ty
            };
        }
        QualType {
            quals: ty.quals.union(quals),
            ..ty
        }
    }
}

/// Whether a type name can begin with this keyword.
pub(super) fn starts_type(keyword: Keyword) -> bool {
    use Keyword::*;
    matches!(
        keyword,
        Void | Char
            | Short
            | Int
            | Long
            | Float
            | Double
            | Signed
            | Unsigned
            | Bool
            | Complex
            | Imaginary
            | Struct
            | Union
            | Enum
            | Const
            | Volatile
            | Restrict
            | Atomic
            | Typeof
            | Unsupported
            | Extension
            | Register
            | Alignas
    )
}

/// Whether the base is one of CFFI's `...` forms.
pub(super) fn is_dots(base: Base) -> bool {
    !matches!(base, Base::Type(_))
}
