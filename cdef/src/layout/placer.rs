//! One field after the other.

use super::layouts::max_size;
use super::{FieldLayout, Layout, LayoutError};
use crate::declarations::Declarations;
use crate::diagnostic::DiagnosticKind;
use crate::message;
use crate::types::{Field, Record, RecordId, RecordKind};

/// `value` rounded up to a multiple of `to`, which is not 0. The size of the largest object in bits does not fit 64
/// bits.
fn round_up(value: u128, to: u128) -> u128 {
    value.div_ceil(to) * to
}

/// Computes the offset of one field after the other. The rules are GCC's (its stor-layout.c), for targets where the
/// declared type of a bit-field matters (PCC_BITFIELD_TYPE_MATTERS: all that are supported).
pub(super) struct Placer<'a> {
    declarations: &'a Declarations,
    record: &'a Record,
    /// The first free bit.
    bits: u128,
    /// Size so far, in bytes. In a union it is that of the largest member, while `bits` stays 0.
    pub(super) size: u128,
    align: u32,
    pub(super) fields: Vec<FieldLayout>,
    /// With Microsoft's rule: the storage unit that holds the last bit-field: its offset and size in bytes, and the
    /// number of its free bits.
    microsoft_unit: Option<(u64, u64, u64)>,
}

impl<'a> Placer<'a> {
    /// For a record of so many fields, of which none is placed yet.
    pub(super) fn new(declarations: &'a Declarations, record: &'a Record, fields: usize) -> Self {
        Self {
            declarations,
            record,
            bits: 0,
            size: 0,
            align: 1,
            fields: Vec::with_capacity(fields),
            microsoft_unit: None,
        }
    }

    /// Moves the field that was placed last to another offset.
    pub(super) fn move_last(&mut self, offset: u64, size: u64) {
        if let Some(FieldLayout { offset: place, .. }) = self.fields.last_mut() {
            *place = offset;
        }
        self.end_field((u128::from(offset) + u128::from(size)) * 8);
    }
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

    pub(super) fn end_field(&mut self, end_bit: u128) {
        self.size = self.size.max(end_bit.div_ceil(8));
        self.bits = if self.is_union() { 0 } else { end_bit };
    }

    pub(super) fn ordinary(&mut self, field: &Field, size: u64, type_align: u32) {
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

    pub(super) fn bit_field(&mut self, field: &Field, width: u32, size: u64, type_align: u32) {
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

    /// Checks that the record is no larger than any object can be.
    pub(super) fn check_size(&self, id: RecordId) -> Result<(), LayoutError> {
        if self.rounded_size() <= u128::from(max_size(self.declarations)) {
            return Ok(());
        }
        Err(LayoutError::new(
            DiagnosticKind::Overflow,
            self.record.span,
            message::too_large(&self.declarations.record_name(id)),
        ))
    }
    /// The record's size, which may exceed that of the largest object.
    fn rounded_size(&self) -> u128 {
        round_up(self.size, u128::from(self.whole_align()))
    }

    /// The layout of the placed fields; the caller has checked the size.
    pub(super) fn finish(self) -> Layout {
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
