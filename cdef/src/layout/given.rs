//! Layouts of modules that CFFI compiled: their tables contain the C compiler's offset and size of each field, and the
//! size and alignment of the record.

use super::check::check_bit_field;
use super::placer::Placer;
use super::{Layout, LayoutError, Layouts};
use crate::declarations::Declarations;
use crate::diagnostic::DiagnosticKind;
use crate::message;
use crate::types::{Field, GivenLayout, Record, RecordId};

/// Compares the layout that the declarations have with the compiler's.
struct Comparison<'a> {
    declarations: &'a Declarations,
    id: RecordId,
    record: &'a Record,
    /// The two layouts differ somewhere.
    differs: bool,
}

impl Comparison<'_> {
    fn compare(
        &mut self,
        is_checked: bool,
        what: impl FnOnce() -> String,
        ours: u64,
        theirs: u64,
    ) -> Result<(), LayoutError> {
        self.differs |= ours != theirs;
        if ours == theirs || !is_checked {
            return Ok(());
        }
        Err(LayoutError::new(
            DiagnosticKind::Verification,
            self.record.span,
            message::compiler_disagrees(
                &self.declarations.record_name(self.id),
                &what(),
                ours,
                theirs,
            ),
        ))
    }
}

impl Layouts {
    /// The layout of a record from the compiler's figures; what the compiler was not asked is computed.
    pub(super) fn take_given(
        &mut self,
        declarations: &Declarations,
        id: RecordId,
        fields: &[Field],
        given: &GivenLayout,
    ) -> Result<Layout, LayoutError> {
        let record = declarations.types.record(id);
        let name = || declarations.record_name(id);
        let mut comparison = Comparison {
            declarations,
            id,
            record,
            differs: false,
        };
        let mut placer = Placer::new(declarations, record, fields.len());
        let mut flexible = false;
        for (index, field) in fields.iter().enumerate() {
            // In a struct that was declared with `...;`, any field may be an array without a length.
            let may_be_open = index + 1 == fields.len() || !given.is_checked;
            let (size, align, is_flexible) =
                self.field_size(declarations, id, field, may_be_open)?;
            flexible |= is_flexible;
            if let Some(width) = field.bits {
                check_bit_field(declarations, id, field, width, size)?;
                placer.bit_field(field, width, size, align);
                continue;
            }
            let before = placer.size;
            placer.ordinary(field, size, align);
            if let Some(Some((offset, their_size))) = given.fields.get(index) {
                let field_name = || field.name.map_or("", |name| declarations.text(name));
                // The compiler was not asked for the size of an array without a length.
                if *their_size != u64::MAX {
                    let what = || format!("wrong size for field '{}'", field_name());
                    comparison.compare(true, what, size, *their_size)?;
                }
                let ours = placer.fields.last().map_or(0, |place| place.offset);
                let what = || format!("wrong offset for field '{}'", field_name());
                comparison.compare(given.is_checked, what, ours, *offset)?;
                placer.size = before;
                placer.move_last(*offset, size);
            }
        }
        let end = placer.size;
        placer.check_size(id)?;
        let mut layout = placer.finish();
        layout.flexible = flexible;
        if let Some((size, align)) = given.whole {
            // As in CFFI, a struct without fields has one byte.
            let ours = layout.size.max(1);
            comparison.compare(given.is_checked, || "wrong total size".into(), ours, size)?;
            if u128::from(size) < end {
                return Err(LayoutError::new(
                    DiagnosticKind::Type,
                    record.span,
                    format!(
                        "{} cannot be of size {size}: there are fields at least up to {end}",
                        name()
                    ),
                ));
            }
            comparison.compare(
                given.is_checked,
                || "wrong total alignment".into(),
                layout.align.into(),
                align.into(),
            )?;
            layout.size = size;
            layout.align = align.max(1);
        }
        layout.custom = comparison.differs;
        Ok(layout)
    }
}
