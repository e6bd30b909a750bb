//! What declarations say that layouts depend on: alignments of typedefs, members by value, anonymous ones.

use crate::declarations::Declarations;
use crate::types::{Field, QualType, RecordId, Type, TypeId};

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
    pub(super) fn record_by_value(&self, mut ty: TypeId) -> Option<RecordId> {
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
    pub(super) fn field_name(&self, id: RecordId, field: &Field) -> String {
        let name = field.name.map_or("", |name| self.text(name));
        format!("{}.{name}", self.record_name(id))
    }
}

/// Why a type (or an array of it) has no size: the message about the header's type that was refused; `None` if it was
/// not.
pub(super) fn refused(declarations: &Declarations, ty: QualType) -> Option<&str> {
    let mut ty = ty.ty;
    while let Type::Array { item, .. } = declarations.types.get(ty) {
        ty = item.ty;
    }
    let Type::Record(id) = declarations.types.get(ty) else {
        return None;
    };
    declarations.types.record(*id).refused.as_deref()
}
