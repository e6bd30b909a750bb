//! One version of an interface: what belongs to it.

use std::collections::BTreeMap;

use crate::declarations::{Declarations, MacroValue};
use crate::source::{SourceId, Span};
use crate::types::{EnumId, QualType, RecordId};

/// A version of an interface: all declarations, and which of the texts they came from belong to the interface. Other
/// texts only declare what these need.
#[derive(Clone, Copy, Debug)]
pub struct Interface<'a> {
    /// All that was declared.
    pub declarations: &'a Declarations,
    /// The texts whose functions, variables, constants and types are the interface's own.
    pub own: &'a [SourceId],
}

impl Interface<'_> {
    pub(super) fn has(&self, span: Span) -> bool {
        self.own.contains(&span.source)
    }

    pub(super) fn functions(&self) -> BTreeMap<&str, QualType> {
        let all = self.declarations.functions.iter();
        all.filter(|function| self.has(function.span))
            .map(|function| (self.text(function.name), QualType::plain(function.ty)))
            .collect()
    }

    pub(super) fn variables(&self) -> BTreeMap<&str, QualType> {
        let all = self.declarations.variables.iter();
        all.filter(|variable| self.has(variable.span))
            .map(|variable| (self.text(variable.name), variable.ty))
            .collect()
    }

    pub(super) fn typedefs(&self) -> BTreeMap<&str, QualType> {
        let all = self.declarations.typedefs.iter();
        all.filter(|typedef| self.has(typedef.span))
            .map(|typedef| (self.text(typedef.name), typedef.ty))
            .collect()
    }

    pub(super) fn enums(&self) -> BTreeMap<String, EnumId> {
        let types = &self.declarations.types;
        let all = (0..types.enums.len()).map(EnumId::from_index);
        all.filter(|&id| {
            let one = types.enumeration(id);
            one.number == 0 && self.has(one.span)
        })
        .map(|id| (self.declarations.enum_name(id), id))
        .collect()
    }

    pub(super) fn records(&self) -> impl Iterator<Item = RecordId> + '_ {
        let types = &self.declarations.types;
        (0..types.records.len())
            .map(RecordId::from_index)
            .filter(|&id| {
                let record = types.record(id);
                // What only a pointer's typedef names is compared where it is used.
                let has_name = record.tag.is_some() || record.typedef_name.is_some();
                record.number == 0 && (has_name || record.fields.is_some())
            })
    }

    /// The constants and enumerators: the value as text, and whether it is a string, whose change breaks no program.
    pub(super) fn constants(&self) -> BTreeMap<&str, (String, bool)> {
        let declarations = self.declarations;
        let mut found = BTreeMap::new();
        let known = |value: Option<i128>| {
            let text = value.map_or_else(|| "...".to_owned(), |value| value.to_string());
            (text, false)
        };
        for one in declarations.types.enums.iter() {
            for enumerator in one.enumerators.iter().flatten() {
                if self.has(enumerator.span) {
                    found.insert(self.text(enumerator.name), known(enumerator.value));
                }
            }
        }
        for constant in &declarations.constants {
            if self.has(constant.span) {
                found.insert(self.text(constant.name), known(constant.value));
            }
        }
        for one in &declarations.macros {
            let value = match &one.value {
                MacroValue::Floating(value) => (format!("{value:?}"), false),
                MacroValue::Text(bytes) => (format!("{:?}", String::from_utf8_lossy(bytes)), true),
                MacroValue::Nothing => continue,
            };
            found.insert(self.text(one.name), value);
        }
        found
    }

    pub(super) fn text(&self, symbol: crate::types::Symbol) -> &str {
        self.declarations.text(symbol)
    }
}
