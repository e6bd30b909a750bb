//! What C forbids in the fields of a record.

use super::LayoutError;
use crate::declarations::Declarations;
use crate::diagnostic::DiagnosticKind;
use crate::message;
use crate::source::Span;
use crate::types::{Field, Primitive, RecordId, Symbol, Type};

/// The deepest nesting of struct bodies that the parser accepts.
const MAX_NESTED_BODIES: usize = 200;

/// So few fields, all of them with names of their own, that comparing each with each is quicker than a table.
fn is_short(fields: &[Field]) -> bool {
    const FEW: usize = 12;
    fields.len() <= FEW && fields.iter().all(|field| field.name.is_some())
}

/// Checks that no two fields of a record have the same name; members of anonymous structs and unions count (C11
/// 6.7.2.1p13).
pub(super) fn check_names(
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

/// Checks that a field of this type, of `size` bytes, may have so many bits (C11 6.7.2.1p4).
pub(super) fn check_bit_field(
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
