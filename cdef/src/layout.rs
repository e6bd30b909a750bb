//! Sizes, alignments and offsets, as GCC computes them for a [`Target`](crate::Target).

mod given;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::declarations::Declarations;
use crate::diagnostic::{Diagnostic, DiagnosticKind, Form};
use crate::message;
use crate::source::Span;
use crate::types::{
    ArrayLength, Field, Primitive, QualType, Record, RecordId, RecordKind, Symbol, Type, TypeId,
};

/// Where a member is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldLayout {
    /// Bytes from the start of the record. For a bit-field: of the unit of its declared type that holds it.
    pub offset: u64,
    /// Bytes. For a bit-field: of its declared type. 0 for a flexible array.
    pub size: u64,
    /// For a bit-field: its lowest bit, counted from the lowest bit at `offset`; little-endian. Where packing
    /// puts a field across the end of its unit, `bit_offset + bit_size` is more than `8 * size`. Touch only
    /// the bytes that hold its bits: a unit may reach past the end of the record.
    pub bit_offset: Option<u32>,
    /// For a bit-field: its width; else 0.
    pub bit_size: u32,
}

/// How a record lies in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// `sizeof`, in bytes.
    pub size: u64,
    /// `_Alignof`, in bytes.
    pub align: u32,
    /// For each of the record's fields, in the same order.
    pub fields: Vec<FieldLayout>,
    /// It ends in a flexible array, or has a member that does.
    pub flexible: bool,
    /// The C compiler's layout differs from that of the declared fields, because the struct has further fields.
    pub custom: bool,
}

/// Why a type has no layout.
#[derive(Clone, PartialEq, Debug)]
pub struct LayoutError {
    /// The Python exception it becomes.
    pub kind: DiagnosticKind,
    /// What is wrong, naming the type.
    pub message: String,
    /// Where the type was declared.
    pub span: Span,
}

impl LayoutError {
    fn new(kind: DiagnosticKind, span: Span, message: String) -> Self {
        Self {
            kind,
            message,
            span,
        }
    }
    /// The error as a diagnostic with the source text.
    pub fn into_diagnostic(self, declarations: &Declarations) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(self.kind, Form::Plain, self.span, self.message);
        diagnostic.source = declarations
            .sources
            .get(self.span.source.0 as usize)
            .cloned();
        diagnostic
    }
}

impl std::fmt::Display for LayoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LayoutError {}

/// A field found by name, perhaps inside anonymous members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundField {
    /// Index of the field in each record on the way; the last is the field itself.
    pub path: Vec<u32>,
    /// The record that has the field itself.
    pub record: RecordId,
    /// Its place, with the offset counted from the start of the outermost record.
    pub layout: FieldLayout,
}

/// The layouts computed so far for one [`Declarations`]. A layout never changes once it is known, so the
/// cache stays good while declarations are added.
#[derive(Clone, Debug, Default)]
pub struct Layouts {
    known: Vec<Option<Arc<Layout>>>,
    /// While a layout is computed: the state of the records that it needs.
    under_way: FxHashMap<RecordId, UnderWay>,
}

/// A record that another one needs.
#[derive(Clone, Debug)]
enum UnderWay {
    /// Its layout is being computed: a record that needs it now is contained in it, so it contains itself.
    Begun,
    /// It has no layout. The first record that needs it takes the error.
    Failed(Box<LayoutError>),
}

/// The deepest nesting of struct bodies that the parser accepts.
const MAX_NESTED_BODIES: usize = 200;

/// The size of the largest object: as in GCC, half the address space.
fn max_size(declarations: &Declarations) -> u64 {
    if declarations.target.pointer_size == 4 {
        i32::MAX as u64
    } else {
        i64::MAX as u64
    }
}

/// `value` rounded up to a multiple of `to`, which is not 0. The size of the largest object in bits does not fit 64
/// bits.
fn round_up(value: u128, to: u128) -> u128 {
    value.div_ceil(to) * to
}

impl Layouts {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything; needed when declarations are taken back.
    pub fn clear(&mut self) {
        self.known.clear();
    }

    /// The layout of a record.
    ///
    /// # Errors
    /// It is opaque or partial (and the compiler hasn't been asked), contains itself, is larger than any
    /// object can be, or has a field that C forbids.
    pub fn layout(
        &mut self,
        declarations: &Declarations,
        id: RecordId,
    ) -> Result<Arc<Layout>, LayoutError> {
        if let Some(Some(layout)) = self.known.get(id.index()) {
            return Ok(Arc::clone(layout));
        }
        match self.under_way.get(&id) {
            Some(UnderWay::Begun) => {
                return Err(LayoutError::new(
                    DiagnosticKind::NotImplemented,
                    declarations.types.record(id).span,
                    message::recursive_record(&declarations.record_name(id)),
                ));
            }
            Some(UnderWay::Failed(error)) => return Err(LayoutError::clone(error)),
            None => {}
        }
        let is_outermost = self.under_way.is_empty();
        let result = self.layout_with_inner(declarations, id);
        if is_outermost {
            self.under_way.clear();
        }
        result
    }

    /// Lays out the records that this one contains by value, innermost first, then this one. An explicit stack is used,
    /// so that a chain of a hundred thousand records cannot exhaust the thread's. The error of an inner record is
    /// reported when the field that contains it is laid out.
    fn layout_with_inner(
        &mut self,
        declarations: &Declarations,
        id: RecordId,
    ) -> Result<Arc<Layout>, LayoutError> {
        // Records under way, each with the index of the first field not yet looked at.
        let mut stack = vec![(id, 0)];
        self.under_way.insert(id, UnderWay::Begun);
        while let Some((current, next)) = stack.last_mut() {
            let id = *current;
            let record = declarations.types.record(id);
            let fields = record.fields.as_deref().unwrap_or(&[]);
            let inner = fields
                .iter()
                .enumerate()
                .skip(*next)
                .find_map(|(index, field)| {
                    let inner = declarations.record_by_value(field.ty.ty)?;
                    (!self.is_settled(inner)).then_some((index, inner))
                });
            if let Some((index, inner)) = inner {
                *next = index + 1;
                self.under_way.insert(inner, UnderWay::Begun);
                stack.push((inner, 0));
                continue;
            }
            stack.pop();
            let computed = self.compute(declarations, id, record).map(Arc::new);
            match computed {
                Ok(layout) => {
                    self.under_way.remove(&id);
                    if self.known.len() <= id.index() {
                        self.known.resize(id.index() + 1, None);
                    }
                    self.known[id.index()] = Some(Arc::clone(&layout));
                    if stack.is_empty() {
                        return Ok(layout);
                    }
                }
                Err(error) if stack.is_empty() => {
                    self.under_way.remove(&id);
                    return Err(error);
                }
                Err(error) => {
                    let failed = UnderWay::Failed(Box::new(error));
                    self.under_way.insert(id, failed);
                }
            }
        }
        unreachable!("the first record is the last to be popped")
    }

    /// Whether the layout of a record is known, has failed, or is being computed.
    fn is_settled(&self, id: RecordId) -> bool {
        matches!(self.known.get(id.index()), Some(Some(_))) || self.under_way.contains_key(&id)
    }

    /// Size and alignment of a type, in bytes.
    ///
    /// # Errors
    /// As [`Self::layout`]; also for `void`, functions, and arrays of unknown length.
    pub fn size_and_align(
        &mut self,
        declarations: &Declarations,
        ty: QualType,
    ) -> Result<(u64, u32), LayoutError> {
        let types = &declarations.types;
        let mut count: u64 = 1;
        let mut item = ty;
        // The alignment of the outermost typedef that gives one counts.
        let mut given = ty.align.bytes();
        while let Type::Array {
            item: inner,
            length,
        } = types.get(item.ty)
        {
            let Some(length) = types.array_length(*length) else {
                let kind = match length {
                    ArrayLength::FromCompiler(_) => DiagnosticKind::VerificationMissing,
                    _ => DiagnosticKind::Value,
                };
                return Err(self.unknown_size(declarations, kind, ty));
            };
            count = count.saturating_mul(length);
            item = *inner;
            given = given.or(item.align.bytes());
        }
        let (size, align) = match types.get(item.ty) {
            Type::Primitive(primitive) => declarations.target.size_and_align(*primitive),
            Type::Pointer(_) => declarations.target.size_and_align(Primitive::UIntPtr),
            Type::Enum(id) => {
                // As in CFFI, an enum that never got a body is an unsigned int.
                let underlying = types.enumeration(*id).underlying.unwrap_or(Primitive::UInt);
                declarations.target.size_and_align(underlying)
            }
            Type::Record(id) => {
                let layout = self.layout(declarations, *id)?;
                (layout.size, layout.align)
            }
            Type::Unknown(id) => {
                let unknown = types.unknown(*id);
                let resolved = unknown.resolved.ok_or_else(|| match unknown.refused {
                    Some(why) => {
                        LayoutError::new(DiagnosticKind::Verification, unknown.span, why.into())
                    }
                    None => LayoutError::new(
                        DiagnosticKind::NotImplemented,
                        unknown.span,
                        message::unknown_before_compilation(
                            unknown.kind,
                            declarations.text(unknown.name),
                        ),
                    ),
                })?;
                declarations.target.size_and_align(resolved)
            }
            Type::Void | Type::Function(_) | Type::Array { .. } => {
                return Err(self.unknown_size(declarations, DiagnosticKind::Value, item));
            }
        };
        match count.checked_mul(size) {
            Some(size) if size <= max_size(declarations) => Ok((size, given.unwrap_or(align))),
            _ => Err(LayoutError::new(
                DiagnosticKind::Overflow,
                Span::default(),
                message::too_large(&declarations.cffi_name(ty)),
            )),
        }
    }

    fn unknown_size(
        &self,
        declarations: &Declarations,
        kind: DiagnosticKind,
        ty: QualType,
    ) -> LayoutError {
        let message = message::unknown_size(&declarations.cffi_name(ty));
        LayoutError::new(kind, Span::default(), message)
    }

    fn compute(
        &mut self,
        declarations: &Declarations,
        id: RecordId,
        record: &Record,
    ) -> Result<Layout, LayoutError> {
        let name = || declarations.record_name(id);
        let Some(fields) = &record.fields else {
            if let Some(sealed) = record.sealed {
                return Ok(Layout {
                    size: sealed.size,
                    align: sealed.align,
                    fields: Vec::new(),
                    flexible: false,
                    custom: false,
                });
            }
            let mut text = message::unknown_size(&name());
            if let Some(why) = &record.refused {
                text = message::opaque_because(&text, why);
            }
            return Err(LayoutError::new(DiagnosticKind::Value, record.span, text));
        };
        check_names(declarations, id, fields)?;
        if let Some(told) = &record.compiler_layout {
            return self.take_told(declarations, fields, told);
        }
        if let Some(given) = &record.given_layout {
            return self.take_given(declarations, id, fields, given);
        }
        if record.partial {
            return Err(LayoutError::new(
                DiagnosticKind::VerificationMissing,
                record.span,
                message::verification_missing(&name()),
            ));
        }
        let mut placer = Placer::new(declarations, record, fields.len());
        let mut flexible = false;
        for (index, field) in fields.iter().enumerate() {
            let (size, align, is_flexible) =
                self.field_size(declarations, id, field, index + 1 == fields.len())?;
            flexible |= is_flexible;
            match field.bits {
                Some(width) => {
                    check_bit_field(declarations, id, field, width, size)?;
                    placer.bit_field(field, width, size, align);
                }
                None => placer.ordinary(field, size, align),
            }
        }
        let too_large = placer.rounded_size() > u128::from(max_size(declarations));
        if too_large {
            return Err(LayoutError::new(
                DiagnosticKind::Overflow,
                record.span,
                message::too_large(&name()),
            ));
        }
        let mut layout = placer.finish();
        layout.flexible = flexible;
        Ok(layout)
    }

    /// Size and alignment of a field's type, and whether it has a flexible array.
    fn field_size(
        &mut self,
        declarations: &Declarations,
        id: RecordId,
        field: &Field,
        last: bool,
    ) -> Result<(u64, u32, bool), LayoutError> {
        let types = &declarations.types;
        if let Type::Array {
            item,
            length: ArrayLength::Unspecified,
        } = types.get(field.ty.ty)
            && last
            && field.bits.is_none()
        {
            let (_, align) = self.size_and_align(declarations, *item)?;
            return Ok((0, align, true));
        }
        match self.size_and_align(declarations, field.ty) {
            Ok((size, align)) => {
                let flexible = match types.get(field.ty.ty) {
                    Type::Record(inner) => self.layout(declarations, *inner)?.flexible,
                    _ => false,
                };
                Ok((size, align, flexible))
            }
            // For a field without a size CFFI raises TypeError and names the field.
            Err(error) if error.kind == DiagnosticKind::Value => {
                let mut text = message::field_of_unknown_size(
                    &declarations.field_name(id, field),
                    &declarations.cffi_name(field.ty),
                );
                if let Some(why) = refused(declarations, field.ty) {
                    text = message::opaque_because(&text, why);
                }
                Err(LayoutError::new(DiagnosticKind::Type, field.span, text))
            }
            Err(error) => Err(error),
        }
    }

    fn take_told(
        &mut self,
        declarations: &Declarations,
        fields: &[Field],
        told: &crate::types::CompilerLayout,
    ) -> Result<Layout, LayoutError> {
        let mut flexible = false;
        for field in fields {
            flexible |= match declarations.types.get(field.ty.ty) {
                Type::Record(inner) => self.layout(declarations, *inner)?.flexible,
                Type::Array {
                    length: ArrayLength::Unspecified,
                    ..
                } => true,
                _ => false,
            };
        }
        let fields = told.fields.iter().map(|&(offset, size)| FieldLayout {
            offset,
            size,
            bit_offset: None,
            bit_size: 0,
        });
        Ok(Layout {
            size: told.size,
            align: told.align,
            fields: fields.collect(),
            flexible,
            custom: false,
        })
    }

    /// The field called `name`, also inside anonymous structs and unions.
    ///
    /// # Errors
    /// As [`Self::layout`]. An unknown name is `Ok(None)`.
    pub fn find_field(
        &mut self,
        declarations: &Declarations,
        id: RecordId,
        name: Symbol,
    ) -> Result<Option<FoundField>, LayoutError> {
        let layout = self.layout(declarations, id)?;
        let Some(fields) = &declarations.types.record(id).fields else {
            return Ok(None);
        };
        for (index, (field, place)) in fields.iter().zip(&layout.fields).enumerate() {
            if field.name == Some(name) {
                return Ok(Some(FoundField {
                    path: vec![index as u32],
                    record: id,
                    layout: *place,
                }));
            }
            if let Some(inner) = declarations.anonymous_member(field)
                && let Some(mut found) = self.find_field(declarations, inner, name)?
            {
                found.path.insert(0, index as u32);
                found.layout.offset += place.offset;
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

impl Declarations {
    /// The alignment that a typedef gives to an object of this type, if one does.
    pub fn given_alignment(&self, mut ty: QualType) -> Option<u32> {
        loop {
            match (ty.align.bytes(), self.types.get(ty.ty)) {
                (Some(given), _) => return Some(given),
                (None, Type::Array { item, .. }) => ty = *item,
                (None, Type::Record(id)) => return self.given_to_record(*id),
                (None, _) => return None,
            }
        }
    }

    /// The alignment that a typedef gives to a struct without a tag, whose only name it is.
    pub fn given_to_record(&self, id: RecordId) -> Option<u32> {
        let record = self.types.record(id);
        let name = record.typedef_name.filter(|_| record.tag.is_none())?;
        let index = *self.typedef_names.get(&name)?;
        self.typedefs[index as usize].ty.align.bytes()
    }

    /// The record that an object of this type contains: `ty` itself, or the item type of an array.
    fn record_by_value(&self, mut ty: TypeId) -> Option<RecordId> {
        loop {
            match self.types.get(ty) {
                Type::Array { item, .. } => ty = item.ty,
                Type::Record(id) => return Some(*id),
                _ => return None,
            }
        }
    }

    /// The record of an anonymous struct or union member, whose fields count as the outer record's.
    pub fn anonymous_member(&self, field: &Field) -> Option<RecordId> {
        match (field.name, self.types.get(field.ty.ty)) {
            (None, Type::Record(inner)) => Some(*inner),
            _ => None,
        }
    }

    /// `struct foo.x`
    fn field_name(&self, id: RecordId, field: &Field) -> String {
        let name = field.name.map_or("", |name| self.text(name));
        format!("{}.{name}", self.record_name(id))
    }
}

/// Why a type (or an array of it) has no size: the message about the header's type that was refused; `None` if it was
/// not.
fn refused(declarations: &Declarations, ty: QualType) -> Option<&str> {
    let mut ty = ty.ty;
    while let Type::Array { item, .. } = declarations.types.get(ty) {
        ty = item.ty;
    }
    let Type::Record(id) = declarations.types.get(ty) else {
        return None;
    };
    declarations.types.record(*id).refused.as_deref()
}

/// So few fields, all of them with names of their own, that comparing each with each is quicker than a table.
fn is_short(fields: &[Field]) -> bool {
    const FEW: usize = 12;
    fields.len() <= FEW && fields.iter().all(|field| field.name.is_some())
}

/// Checks that no two fields of a record have the same name; members of anonymous structs and unions count (C11
/// 6.7.2.1p13).
fn check_names(
    declarations: &Declarations,
    id: RecordId,
    fields: &[Field],
) -> Result<(), LayoutError> {
    fn collect(
        declarations: &Declarations,
        fields: &[Field],
        depth: usize,
        seen: &mut rustc_hash::FxHashSet<Symbol>,
    ) -> Option<(Symbol, Span)> {
        for field in fields {
            if let Some(name) = field.name {
                if !seen.insert(name) {
                    return Some((name, field.span));
                }
            } else if let Some(inner) = declarations.anonymous_member(field)
                && depth < MAX_NESTED_BODIES
            {
                let inner = declarations.types.record(inner).fields.as_deref();
                let found = collect(declarations, inner.unwrap_or(&[]), depth + 1, seen);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }
    let twice = if is_short(fields) {
        let mut rest = fields.iter().enumerate();
        rest.find(|&(index, field)| fields[..index].iter().any(|other| other.name == field.name))
            .and_then(|(_, field)| Some((field.name?, field.span)))
    } else {
        collect(declarations, fields, 0, &mut Default::default())
    };
    match twice {
        None => Ok(()),
        Some((name, span)) => Err(LayoutError::new(
            DiagnosticKind::Key,
            span,
            message::duplicate_field(declarations.text(name), &declarations.record_name(id)),
        )),
    }
}

fn check_bit_field(
    declarations: &Declarations,
    id: RecordId,
    field: &Field,
    width: u32,
    size: u64,
) -> Result<(), LayoutError> {
    let ty = || declarations.cffi_name(field.ty);
    let name = || declarations.field_name(id, field);
    let integer = match declarations.types.get(field.ty.ty) {
        Type::Primitive(primitive) => Some(*primitive),
        Type::Enum(_) => Some(Primitive::UInt),
        Type::Unknown(unknown) => declarations.types.unknown(*unknown).resolved,
        _ => None,
    };
    let integer = integer.filter(|&primitive| declarations.target.is_signed(primitive).is_some());
    let bits = if integer == Some(Primitive::Bool) {
        1
    } else {
        size * 8
    };
    let message = match integer {
        None => message::not_a_bit_field_type(&name(), &ty()),
        Some(_) if u64::from(width) > bits => message::bit_field_too_wide(&name(), &ty(), width),
        Some(_) if width == 0 && field.name.is_some() => message::named_zero_width(&name()),
        Some(_) => return Ok(()),
    };
    Err(LayoutError::new(DiagnosticKind::Type, field.span, message))
}

/// Computes the offset of one field after the other. The rules are GCC's (its stor-layout.c), for targets where the
/// declared type of a bit-field matters (PCC_BITFIELD_TYPE_MATTERS: all that are supported).
struct Placer<'a> {
    declarations: &'a Declarations,
    record: &'a Record,
    /// The first free bit.
    bits: u128,
    /// Size so far, in bytes. In a union it is that of the largest member, while `bits` stays 0.
    size: u128,
    align: u32,
    fields: Vec<FieldLayout>,
    /// With Microsoft's rule: the storage unit that holds the last bit-field: its offset and size in bytes, and the
    /// number of its free bits.
    microsoft_unit: Option<(u64, u64, u64)>,
}

impl Placer<'_> {
    fn is_union(&self) -> bool {
        self.record.kind == RecordKind::Union
    }

    fn cap(&self, align: u32) -> u32 {
        self.record
            .packing
            .max_align
            .map_or(align, |cap| align.min(cap))
    }

    fn is_packed(&self, field: &Field) -> bool {
        self.record.packing.attribute || field.packed
    }

    fn end_field(&mut self, end_bit: u128) {
        self.size = self.size.max(end_bit.div_ceil(8));
        self.bits = if self.is_union() { 0 } else { end_bit };
    }

    fn ordinary(&mut self, field: &Field, size: u64, type_align: u32) {
        self.microsoft_unit = None;
        let align = match (self.is_packed(field), field.align) {
            (true, None) => 1,
            (true, Some(align)) => align,
            (false, align) => type_align.max(align.unwrap_or(1)),
        };
        let align = self.cap(align).max(1);
        let bit = round_up(self.bits, u128::from(align) * 8);
        self.align = self.align.max(align);
        self.fields.push(FieldLayout {
            offset: (bit / 8) as u64,
            size,
            bit_offset: None,
            bit_size: 0,
        });
        self.end_field(bit + u128::from(size) * 8);
    }

    fn bit_field(&mut self, field: &Field, width: u32, size: u64, type_align: u32) {
        if self.declarations.target.microsoft_bit_fields {
            return self.microsoft_bit_field(field, width, size, type_align);
        }
        let packed = self.is_packed(field);
        let capped = self.record.packing.max_align.is_some();
        let type_bits = u128::from(type_align) * 8;
        let aligns_record =
            field.name.is_some() || self.declarations.target.unnamed_bit_fields_align;
        if let Some(align) = field.align {
            let align = self.cap(align);
            self.bits = round_up(self.bits, u128::from(align) * 8);
            self.align = self.align.max(align);
        }
        if width == 0 {
            // Neither packing nor #pragma pack changes what `int :0` does.
            self.bits = round_up(self.bits, type_bits);
            if aligns_record {
                self.align = self.align.max(type_align);
            }
            let offset = (self.bits / 8) as u64;
            self.fields.push(FieldLayout {
                offset,
                size,
                bit_offset: Some(0),
                bit_size: 0,
            });
            let bits = self.bits;
            self.end_field(bits);
            return;
        }
        let width_bits = u128::from(width);
        let size_bits = u128::from(size) * 8;
        if !packed && !capped {
            // A bit-field may not span more units of its type's alignment than an object of the type does.
            let units = (self.bits % type_bits + width_bits).div_ceil(type_bits);
            if units > size_bits / type_bits {
                self.bits = round_up(self.bits, type_bits);
            }
        }
        let unit_align = if capped {
            self.cap(type_align)
        } else if packed {
            1
        } else {
            type_align
        };
        if aligns_record {
            self.align = self.align.max(unit_align);
        }
        let mut offset = self.bits / 8 / u128::from(unit_align) * u128::from(unit_align);
        if self.bits - offset * 8 + width_bits > size_bits {
            offset = self.bits / 8;
        }
        self.fields.push(FieldLayout {
            offset: offset as u64,
            size,
            bit_offset: Some((self.bits - offset * 8) as u32),
            bit_size: width,
        });
        let end = self.bits + width_bits;
        self.end_field(end);
    }

    /// Microsoft's rule: a bit-field is put into a whole unit of its type, which it shares only with neighbours whose
    /// types have the same size.
    fn microsoft_bit_field(&mut self, field: &Field, width: u32, size: u64, type_align: u32) {
        let align = self.cap(type_align.max(field.align.unwrap_or(1)));
        if width == 0 {
            // A bit-field of width 0 only has an effect behind another bit-field.
            if self.microsoft_unit.take().is_some() {
                self.align = self.align.max(align);
            }
            let offset = (self.bits / 8) as u64;
            self.fields.push(FieldLayout {
                offset,
                size,
                bit_offset: Some(0),
                bit_size: 0,
            });
            return;
        }
        self.align = self.align.max(align);
        let width_bits = u64::from(width);
        let (offset, free) = match self.microsoft_unit {
            Some((offset, unit, free))
                if unit == size && free >= width_bits && !self.is_union() =>
            {
                (offset, free)
            }
            _ => {
                let offset = round_up(self.bits.div_ceil(8), u128::from(align.max(1)));
                self.end_field((offset + u128::from(size)) * 8);
                (offset as u64, size * 8)
            }
        };
        self.fields.push(FieldLayout {
            offset,
            size,
            bit_offset: Some((size * 8 - free) as u32),
            bit_size: width,
        });
        self.microsoft_unit = Some((offset, size, free - width_bits));
    }

    fn whole_align(&self) -> u32 {
        self.align.max(self.record.align.unwrap_or(1))
    }

    /// The record's size, which may exceed that of the largest object.
    fn rounded_size(&self) -> u128 {
        round_up(self.size, u128::from(self.whole_align()))
    }

    /// The layout of the placed fields; the caller has checked the size.
    fn finish(self) -> Layout {
        let align = self.whole_align();
        Layout {
            size: self.rounded_size() as u64,
            align,
            fields: self.fields,
            flexible: false,
            custom: false,
        }
    }
}
