//! Sealed types, of which only size and alignment are known: C23's `_BitInt(n)`, the vectors of `vector_size(n)`,
//! floating types that Python has not. Each is a record without fields, named by its C spelling. Also GCC's `__int128`,
//! whose specifiers are read like those of `_BitInt`.

use crate::diagnostic::Diagnostic;
use crate::lexer::Tok;
use crate::message;
use crate::source::Span;
use crate::target::Target;
use crate::types::{Primitive, QualType, RecordKind, Sealed, Type, TypeTable};

use super::{Parse, Parser};

/// Clang's limit; GCC's is smaller.
const MAX_BITS: u32 = 8_388_608;
/// The largest alignment that an object file can ask for.
const MAX_VECTOR: u64 = 1 << 28;

/// An integer type that C11 does not have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wide {
    BitInt(u32),
    Int128,
}

/// For the name of a floating type: a description, and the size, which is the alignment too.
fn floating(word: &str) -> Option<(&'static str, u64)> {
    Some(match word {
        "_Float16" | "__fp16" => ("a floating-point number of 16 bits", 2),
        "__bf16" => ("a bfloat16 number", 2),
        "_Float128" | "__float128" => ("a floating-point number of 128 bits", 16),
        "_Decimal32" => ("a decimal floating-point number", 4),
        "_Decimal64" => ("a decimal floating-point number", 8),
        "_Decimal128" => ("a decimal floating-point number", 16),
        _ => return None,
    })
}

pub(super) fn is_sealed_floating(word: &str) -> bool {
    floating(word).is_some()
}

impl Target {
    /// Size and alignment of an integer of so many bits, as the ABI of the target lays it out.
    fn bit_int(&self, width: u32) -> (u64, u32) {
        let standard = match width {
            0..=8 => Some(Primitive::UInt8),
            9..=16 => Some(Primitive::UInt16),
            17..=32 => Some(Primitive::UInt32),
            33..=64 => Some(Primitive::UInt64),
            _ => None,
        };
        if let Some(standard) = standard {
            return self.size_and_align(standard);
        }
        // Wider ones are arrays of this unit, by AAPCS64 and by the psABIs of x86-64 and i386.
        let unit = if self.is_arm() {
            16
        } else {
            u32::from(self.pointer_size)
        };
        let bits = u64::from(unit) * 8;
        (u64::from(width).div_ceil(bits) * u64::from(unit), unit)
    }

    /// The alignment of a vector in a record, as in GCC.
    fn vector_align(&self, size: u64) -> u64 {
        if self.is_arm() { size.min(16) } else { size }
    }

    fn is_arm(&self) -> bool {
        self.name == Self::AARCH64.name || self.name == Self::AARCH64_APPLE.name
    }
}

impl Parser<'_> {
    /// Whether the current token is `_BitInt` or a name of `__int128`, where these are types.
    pub(super) fn at_wide_integer(&self) -> bool {
        match self.text_of(self.tok) {
            "_BitInt" => !self.is_cffi_only(),
            "__int128" | "__int128_t" | "__uint128_t" => self.knows_int128(),
            _ => false,
        }
    }

    /// Whether the text may use integers of 128 bits, and the target has them.
    pub(super) fn knows_int128(&self) -> bool {
        let is_known = self.of_headers || self.is_type_string && self.decls.knows_int128;
        self.decls.target.pointer_size == 8 && is_known
    }

    /// Reads the integer type at the current token. `__uint128_t` counts as one `unsigned`.
    pub(super) fn wide_integer(&mut self, unsigned: &mut u8) -> Parse<Wide> {
        let text = self.text_of(self.tok);
        if text == "_BitInt" {
            return self.bit_int_width().map(Wide::BitInt);
        }
        *unsigned += u8::from(text == "__uint128_t");
        self.bump();
        Ok(Wide::Int128)
    }

    /// Reads `_BitInt(n)` and its closing parenthesis; the width.
    fn bit_int_width(&mut self) -> Parse<u32> {
        self.bump();
        self.expect(Tok::LParen, "'('")?;
        let start = self.tok.start;
        let width = self.constant_expression()?.value;
        let span = self.span_from(start);
        self.expect(Tok::RParen, "')'")?;
        match u32::try_from(width) {
            Ok(width @ 1..=MAX_BITS) => Ok(width),
            _ => Err(Box::new(Diagnostic::cdef(span, message::BIT_INT_WIDTH))),
        }
    }

    pub(super) fn wide_type(&mut self, wide: Wide, unsigned: bool, span: Span) -> Parse<QualType> {
        let sign = if unsigned { "unsigned " } else { "" };
        let primitive = |ty| QualType::plain(TypeTable::primitive_id(ty));
        Ok(match wide {
            Wide::BitInt(1) if !unsigned => {
                return Err(Box::new(Diagnostic::cdef(span, message::BIT_INT_WIDTH)));
            }
            Wide::BitInt(width) => {
                let (size, align) = self.decls.target.bit_int(width);
                let sealed = Sealed {
                    kind: "a _BitInt",
                    size,
                    align,
                };
                self.sealed(&format!("{sign}_BitInt({width})"), sealed)
            }
            Wide::Int128 if unsigned => primitive(Primitive::UInt128),
            Wide::Int128 => primitive(Primitive::Int128),
        })
    }

    /// The floating type that the current token names, if it is one that C11 does not have.
    pub(super) fn sealed_floating(&mut self) -> Option<QualType> {
        let text = self.text_of(self.tok);
        let (kind, size) = floating(text)?;
        let align = size as u32;
        Some(self.sealed(text, Sealed { kind, size, align }))
    }

    /// The vector type that `vector_size(size)` makes of its base type.
    pub(super) fn vector_of(&mut self, base: QualType, size: i128, span: Span) -> Parse<QualType> {
        let refuse = |text| Err(Box::new(Diagnostic::cdef(span, text)));
        let item = match *self.decls.types.get(base.ty) {
            Type::Primitive(Primitive::Float | Primitive::Double) => base.ty,
            Type::Primitive(item)
                if item != Primitive::Bool && self.decls.target.is_signed(item).is_some() =>
            {
                base.ty
            }
            _ => return refuse(message::VECTOR_ITEM),
        };
        let Type::Primitive(primitive) = *self.decls.types.get(item) else {
            return refuse(message::VECTOR_ITEM);
        };
        let least = self.decls.target.size_and_align(primitive).0;
        let size = match u64::try_from(size) {
            Ok(size) if size.is_power_of_two() && (least..=MAX_VECTOR).contains(&size) => size,
            _ => return refuse(message::VECTOR_SIZE),
        };
        let sealed = Sealed {
            kind: "a vector",
            size,
            align: self.decls.target.vector_align(size) as u32,
        };
        let name = format!("{} __attribute__((vector_size({size})))", primitive.name());
        let made = self.sealed(&name, sealed);
        Ok(QualType {
            ty: made.ty,
            ..base
        })
    }

    /// The sealed type with this spelling, created when it is first used.
    fn sealed(&mut self, spelling: &str, sealed: Sealed) -> QualType {
        let name = self.decls.types.symbol(spelling);
        if let Some(&ty) = self.decls.predefined.get(&name) {
            return ty;
        }
        let span = self.span();
        let id = self.push_record(RecordKind::Struct, None, span);
        let record = &mut self.decls.types.records[id.index()];
        record.typedef_name = Some(name);
        record.sealed = Some(sealed);
        let unused = std::mem::take(&mut record.number);
        self.decls.types.free_number(unused);
        let ty = QualType::plain(self.decls.types.intern(Type::Record(id)));
        self.decls.predefined.insert(name, ty);
        ty
    }
}
