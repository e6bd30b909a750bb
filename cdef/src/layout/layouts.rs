//! The layouts of one [`Declarations`], computed when they are asked for.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::check::{check_bit_field, check_names};
use super::declared::refused;
use super::placer::Placer;
use super::{FieldLayout, FoundField, Layout, LayoutError};
use crate::declarations::Declarations;
use crate::diagnostic::DiagnosticKind;
use crate::message;
use crate::source::Span;
use crate::types::{ArrayLength, Field, Primitive, QualType, Record, RecordId, Symbol, Type};

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

/// The size of the largest object: as in GCC, half the address space.
pub(super) fn max_size(declarations: &Declarations) -> u64 {
    if declarations.target.pointer_size == 4 {
        i32::MAX as u64
    } else {
        i64::MAX as u64
    }
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
        let record = declarations.types.record(id);
        if !self.needs_others(declarations, record) {
            // As most do. It cannot contain itself.
            let layout = Arc::new(self.compute(declarations, id, record)?);
            self.keep(id, &layout);
            return Ok(layout);
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
                    self.keep(id, &layout);
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

    fn keep(&mut self, id: RecordId, layout: &Arc<Layout>) {
        if self.known.len() <= id.index() {
            self.known.resize(id.index() + 1, None);
        }
        self.known[id.index()] = Some(Arc::clone(layout));
    }

    /// Whether a record contains records by value that have to be laid out before it.
    fn needs_others(&self, declarations: &Declarations, record: &Record) -> bool {
        let fields = record.fields.as_deref().unwrap_or(&[]);
        fields.iter().any(|field| {
            let inner = declarations.record_by_value(field.ty.ty);
            inner.is_some_and(|inner| !self.is_settled(inner))
        })
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
        placer.check_size(id)?;
        let mut layout = placer.finish();
        layout.flexible = flexible;
        Ok(layout)
    }

    /// Size and alignment of a field's type, and whether it has a flexible array.
    pub(super) fn field_size(
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
