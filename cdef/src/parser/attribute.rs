//! `__attribute__`, `__declspec`, `[[...]]`, `_Alignas`, asm labels. What each attribute means is in
//! [`super::attribute_table`].

use crate::diagnostic::Diagnostic;
use crate::keyword::Keyword;
use crate::lexer::Tok;
use crate::message;
use crate::types::{Primitive, Symbol};

use super::attribute_table::{self, Change, Effect};
use super::{Parse, Parser};

/// The effects that the attributes of a declaration have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Attributes {
    pub(super) packed: bool,
    /// The strictest of the alignments: a member gets this one.
    pub(super) align: Option<u32>,
    /// The last of the alignments: GCC gives this one to a type.
    pub(super) last_align: Option<u32>,
    /// `__asm__("label")`: the name of the function's or variable's symbol.
    pub(super) label: Option<Symbol>,
    /// `mode(...)`, which replaces the type by one of another width.
    pub(super) mode: Option<Mode>,
    /// `vector_size(n)`: a vector of so many bytes takes the place of the base type.
    pub(super) vector: Option<i128>,
}

/// A machine mode of GCC for which C has a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// An integer of so many bytes.
    Integer(u8),
    /// `float`, `double`, or what `long double` is.
    Real(Primitive),
}

impl Mode {
    const INT128: Self = Self::Integer(16);

    /// The mode with this name (without underscores), if C has a type for it.
    fn of(name: &str, target: &crate::target::Target) -> Option<Self> {
        Some(match name {
            "QI" | "byte" => Self::Integer(1),
            "HI" => Self::Integer(2),
            "SI" => Self::Integer(4),
            "DI" => Self::Integer(8),
            "TI" => Self::INT128,
            "word" | "pointer" | "unwind_word" | "libgcc_cmp_return" => {
                Self::Integer(target.pointer_size)
            }
            "SF" => Self::Real(Primitive::Float),
            "DF" => Self::Real(Primitive::Double),
            // XF is the x87's 80-bit number: on other targets `long double` has another mode.
            "XF" if target.unnamed_bit_fields_align || target.windows => return None,
            "XF" => Self::Real(Primitive::LongDouble),
            _ => return None,
        })
    }

    /// The type that `ty` becomes, as GCC chooses it; `None` where the mode does not go with it.
    pub(super) fn apply(self, ty: Primitive, target: &crate::target::Target) -> Option<Primitive> {
        use Primitive::*;
        let signed = match (self, target.is_signed(ty)) {
            (Self::Integer(_), Some(signed)) if ty != Bool => signed,
            (Self::Real(real), None) if matches!(ty, Float | Double | LongDouble) => {
                return Some(real);
            }
            _ => return None,
        };
        let Self::Integer(size) = self else {
            return None;
        };
        let pick = |if_signed, if_unsigned| if signed { if_signed } else { if_unsigned };
        Some(match size {
            1 => pick(SChar, UChar),
            2 => pick(Short, UShort),
            4 => pick(Int, UInt),
            8 if target.long_size == 8 => pick(Long, ULong),
            8 => pick(LongLong, ULongLong),
            16 => pick(Int128, UInt128),
            _ => return None,
        })
    }
}

impl Attributes {
    /// The strictest of several alignments counts (C11 6.7.5p6); 0 has no effect.
    pub(super) fn align_at_least(&mut self, align: u32) {
        if align != 0 {
            self.align = Some(self.align.unwrap_or(1).max(align));
            self.last_align = Some(align);
        }
    }
}

impl Parser<'_> {
    /// Reads all attributes, asm labels and calling conventions at the current token.
    pub(super) fn attributes(&mut self, attributes: &mut Attributes) -> Parse<()> {
        loop {
            match self.tok() {
                Tok::Keyword(Keyword::Attribute | Keyword::Declspec) => {
                    self.attribute(attributes)?
                }
                Tok::Keyword(Keyword::Asm) if self.peek().tok == Tok::LParen => {
                    attributes.label = Some(self.asm_label()?);
                }
                Tok::Keyword(Keyword::Alignas) if self.peek().tok == Tok::LParen => {
                    let align = self.alignas()?;
                    attributes.align_at_least(align);
                }
                Tok::Keyword(Keyword::Extension | Keyword::Noreturn) => self.bump(),
                Tok::LBracket if self.peek().tok == Tok::LBracket => {
                    self.bracket_attribute(attributes)?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Reads `__asm__("label")`; the label may be several adjacent strings.
    fn asm_label(&mut self) -> Parse<Symbol> {
        self.bump();
        self.bump();
        let start = self.tok.start;
        let mut label = String::new();
        while self.at(Tok::String) {
            let text = self.text_of(self.tok);
            label.push_str(text.trim_start_matches("u8").trim_matches('"'));
            self.bump();
        }
        let is_symbol = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '@');
        if label.is_empty() || !label.chars().all(is_symbol) || !self.at(Tok::RParen) {
            let span = self.span_from(start);
            return Err(Box::new(Diagnostic::cdef(span, message::ASM_LABEL)));
        }
        self.bump();
        Ok(self.decls.types.symbol(&label))
    }

    /// `__attribute__((...))` or `__declspec(...)`.
    pub(super) fn attribute(&mut self, attributes: &mut Attributes) -> Parse<()> {
        let double = self.at_keyword(Keyword::Attribute);
        self.bump();
        self.expect(Tok::LParen, "'('")?;
        if double {
            self.expect(Tok::LParen, "'(('")?;
        }
        self.attribute_list(attributes, Tok::RParen)?;
        if double {
            self.expect(Tok::RParen, "'))'")?;
        }
        self.expect(Tok::RParen, "')'")
    }

    /// `[[...]]`, of C23.
    pub(super) fn bracket_attribute(&mut self, attributes: &mut Attributes) -> Parse<()> {
        self.bump();
        self.bump();
        self.attribute_list(attributes, Tok::RBracket)?;
        self.expect(Tok::RBracket, "']]'")?;
        self.expect(Tok::RBracket, "']]'")
    }

    fn attribute_list(&mut self, attributes: &mut Attributes, end: Tok) -> Parse<()> {
        while !self.at(end) {
            match self.tok() {
                Tok::Comma => self.bump(),
                Tok::Name | Tok::Keyword(_) => {
                    self.one_attribute(attributes)?;
                    if self.at(Tok::LParen) {
                        self.skip_balanced()?;
                    }
                }
                _ => return Err(self.unexpected(message::expected("an attribute"))),
            }
        }
        Ok(())
    }

    /// Reads the attribute whose name is the current token. Arguments without a meaning here are left to the caller.
    fn one_attribute(&mut self, attributes: &mut Attributes) -> Parse<()> {
        let start = self.tok.start;
        let mut name = self.text_of(self.tok);
        self.bump();
        if self.eat(Tok::ColonColon) {
            // `gnu::packed`
            name = self.text_of(self.tok);
            self.bump();
        }
        let name = name.trim_matches('_');
        let refused = |change: Change| match change {
            Change::Type => message::unsupported_type(name),
            _ => message::attribute_refused(name, change.text()),
        };
        let change = match attribute_table::effect(name, &self.decls.target) {
            Effect::Packed => {
                attributes.packed = true;
                return Ok(());
            }
            Effect::Aligned => {
                let align = if self.eat(Tok::LParen) {
                    let align = self.alignment()?;
                    self.expect(Tok::RParen, "')'")?;
                    align
                } else {
                    u32::from(self.decls.target.max_align)
                };
                attributes.align_at_least(align);
                return Ok(());
            }
            Effect::Mode => {
                let mode = self.word_argument();
                let mode = Mode::of(mode.trim_matches('_'), &self.decls.target)
                    .filter(|&mode| mode != Mode::INT128 || self.knows_int128());
                attributes.mode = mode;
                match mode {
                    Some(_) => return Ok(()),
                    None => Change::Type,
                }
            }
            Effect::VectorSize if self.is_cffi_only() => Change::Type,
            Effect::VectorSize => {
                self.expect(Tok::LParen, "'('")?;
                attributes.vector = Some(self.constant_expression()?.value);
                return self.expect(Tok::RParen, "')'");
            }
            Effect::StorageOrder => {
                let native = if cfg!(target_endian = "little") {
                    "\"little-endian\""
                } else {
                    "\"big-endian\""
                };
                if self.word_argument() == native {
                    return Ok(());
                }
                Change::Layout
            }
            Effect::Nothing => return Ok(()),
            Effect::Refused(change) => change,
            Effect::Unknown => {
                let span = self.span_from(start);
                // Warn only once about each name.
                let text = message::attribute_unknown(name);
                if self.warnings.iter().all(|warning| warning.message != text) {
                    self.warn(span, text);
                }
                return Ok(());
            }
        };
        let span = self.span_from(start);
        let why = Box::new(Diagnostic::ffi(span, refused(change)));
        self.refuse(why, change == Change::Call)
    }

    /// `__fastcall`, `__vectorcall`, `__thiscall`: as the attribute of that name.
    pub(super) fn other_convention(&mut self) -> Parse<()> {
        let name = self.text_of(self.tok).trim_start_matches('_');
        match attribute_table::effect(name, &self.decls.target) {
            Effect::Refused(change) => {
                let message = message::attribute_refused(name, change.text());
                let why = Box::new(Diagnostic::ffi(self.span(), message));
                self.refuse(why, change == Change::Call)
            }
            _ => Ok(()),
        }
    }

    /// The first word in the parentheses that may follow, which are not consumed.
    fn word_argument(&mut self) -> String {
        if self.at(Tok::LParen) {
            let word = self.peek();
            return self.text_of(word).to_owned();
        }
        String::new()
    }

    /// `_Alignas(type)` or `_Alignas(expression)`.
    pub(super) fn alignas(&mut self) -> Parse<u32> {
        self.bump();
        self.expect(Tok::LParen, "'('")?;
        let align = self.alignment()?;
        self.expect(Tok::RParen, "')'")?;
        Ok(align)
    }

    fn alignment(&mut self) -> Parse<u32> {
        let start = self.tok.start;
        if self.at_type() {
            let ty = self.type_name()?;
            return self.align_of(ty, start);
        }
        let value = self.constant_expression()?.value;
        match u32::try_from(value) {
            Ok(align) if align == 0 || (align.is_power_of_two() && align <= 1 << 28) => Ok(align),
            _ => {
                let span = self.span_from(start);
                Err(Box::new(Diagnostic::cdef(span, message::ALIGNMENT)))
            }
        }
    }

    /// The value of `_Alignof(ty)`.
    pub(super) fn align_of(&mut self, ty: crate::types::QualType, start: u32) -> Parse<u32> {
        self.measure(ty, start).map(|(_, align)| align)
    }

    /// The integer type that `size_t` is on the target.
    pub(super) fn size_type(&self) -> Primitive {
        let target = &self.decls.target;
        target.standard(Primitive::Size)
    }
}
