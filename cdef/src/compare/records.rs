//! Structs and unions: what is in them, and where.

use std::collections::{HashMap, HashSet};

use crate::declarations::Declarations;
use crate::layout::{FieldLayout, Layouts};
use crate::types::{Field, RecordId, RecordKind};

use super::ty::{Place, Types, record_names};
use super::{Change, Effect, Interface, Subject};

/// The changes of records that have a name. A record that another header declares is compared only if both versions
/// have it: that header may have changed between the versions.
pub(super) fn compare(types: &Types<'_>, old: &Interface<'_>, new: &Interface<'_>) -> Vec<Change> {
    let mut layouts = (Layouts::new(), Layouts::new());
    let mut changes = Vec::new();
    let mut paired = HashSet::new();
    let mut by_name: HashMap<String, RecordId> = HashMap::new();
    for id in new.records() {
        for name in record_names(new.declarations, id) {
            by_name.entry(name).or_insert(id);
        }
    }
    for id in old.records() {
        let names = record_names(old.declarations, id);
        // Where the names are those of several records now, the first one is it.
        let others = names.iter().filter_map(|name| by_name.get(name).copied());
        match others.min_by_key(|other| other.index()) {
            Some(other) => {
                paired.insert(other);
                changes.extend(
                    Pair {
                        types,
                        old: id,
                        new: other,
                    }
                    .compare(&mut layouts),
                );
            }
            None if is_own(old, id) => changes.push(one_sided(old, id, Effect::Incompatible)),
            None => {}
        }
    }
    let added = new
        .records()
        .filter(|&id| is_own(new, id) && !paired.contains(&id));
    changes.extend(added.map(|id| one_sided(new, id, Effect::Compatible)));
    changes
}

fn is_own(interface: &Interface<'_>, id: RecordId) -> bool {
    interface.has(interface.declarations.types.record(id).span)
}

fn one_sided(interface: &Interface<'_>, id: RecordId, effect: Effect) -> Change {
    let name = interface.declarations.record_name(id);
    let is_gone = effect == Effect::Incompatible;
    Change {
        subject: Subject::Type,
        old: is_gone.then(|| name.clone()),
        new: (!is_gone).then(|| name.clone()),
        name,
        effect,
        details: Vec::new(),
    }
}

/// One record in both versions.
struct Pair<'a> {
    types: &'a Types<'a>,
    old: RecordId,
    new: RecordId,
}

/// What the comparison of one pair found.
struct Findings {
    effect: Effect,
    details: Vec<String>,
}

impl Findings {
    fn add(&mut self, effect: Effect, detail: String) {
        self.effect = self.effect.max(effect);
        self.details.push(detail);
    }
}

/// A field, and its place in the record if the layout is known.
struct Member<'a> {
    name: String,
    field: &'a Field,
    at: Option<FieldLayout>,
}

impl Pair<'_> {
    fn compare(&self, (of_old, of_new): &mut (Layouts, Layouts)) -> Option<Change> {
        let mut findings = Findings {
            effect: Effect::Compatible,
            details: Vec::new(),
        };
        let (before, after) = (
            self.types.old.types.record(self.old),
            self.types.new.types.record(self.new),
        );
        if before.kind != after.kind {
            let (was, is) = (before.kind.keyword(), after.kind.keyword());
            findings.add(
                Effect::Incompatible,
                format!("it was a {was} and is a {is}"),
            );
        } else {
            match (&before.fields, &after.fields) {
                (Some(_), Some(_)) => self.bodies(&mut findings, of_old, of_new),
                (None, Some(_)) => {
                    findings.add(
                        Effect::Compatible,
                        "it was opaque and has members now".into(),
                    );
                }
                (Some(_), None) => {
                    findings.add(
                        Effect::Incompatible,
                        "it had members and is opaque now".into(),
                    );
                }
                (None, None) => {}
            }
        }
        let old = self.types.old.record_name(self.old);
        let new = self.types.new.record_name(self.new);
        (!findings.details.is_empty()).then(|| Change {
            subject: Subject::Type,
            name: new.clone(),
            old: Some(old),
            new: Some(new),
            effect: findings.effect,
            details: findings.details,
        })
    }

    fn bodies(&self, findings: &mut Findings, of_old: &mut Layouts, of_new: &mut Layouts) {
        let before = of_old.layout(self.types.old, self.old).ok();
        let after = of_new.layout(self.types.new, self.new).ok();
        if let (Some(before), Some(after)) = (&before, &after) {
            for (what, was, is) in [
                ("size", before.size, after.size),
                ("alignment", before.align.into(), after.align.into()),
            ] {
                if was != is {
                    findings.add(
                        Effect::Incompatible,
                        format!("its {what} was {was} and is {is}"),
                    );
                }
            }
        }
        let before = members(
            self.types.old,
            self.old,
            before.as_deref().map(|layout| &layout.fields[..]),
        );
        let after = members(
            self.types.new,
            self.new,
            after.as_deref().map(|layout| &layout.fields[..]),
        );
        for member in &before {
            match after.iter().find(|other| other.name == member.name) {
                None => findings.add(
                    Effect::Incompatible,
                    format!("member '{}' is gone", member.name),
                ),
                Some(other) => self.member(findings, member, other),
            }
        }
        self.added(findings, &before, &after);
    }

    fn member(&self, findings: &mut Findings, before: &Member<'_>, after: &Member<'_>) {
        let name = &before.name;
        if let (Some(was), Some(is)) = (before.at, after.at)
            && (was.offset, was.bit_offset, was.bit_size) != (is.offset, is.bit_offset, is.bit_size)
        {
            let (was, is) = (place(was), place(is));
            findings.add(
                Effect::Incompatible,
                format!("member '{name}' was at {was} and is at {is}"),
            );
        }
        let difference = self
            .types
            .compare(before.field.ty, after.field.ty, Place::Object);
        if let Some(effect) = difference.effect() {
            let was = self.types.old.c_declaration(before.field.ty, "");
            let is = self.types.new.c_declaration(after.field.ty, "");
            findings.add(effect, format!("member '{name}' was '{was}' and is '{is}'"));
        }
    }

    /// Reports new members. Where the size of the record is unchanged, they lie in former padding, or beside the other
    /// members of a union.
    fn added(&self, findings: &mut Findings, before: &[Member<'_>], after: &[Member<'_>]) {
        let is_union = self.types.new.types.record(self.new).kind == RecordKind::Union;
        for member in after {
            if before.iter().any(|other| other.name == member.name) {
                continue;
            }
            let at = member.at.filter(|_| !is_union);
            let at = at.map_or(String::new(), |at| format!(" at {}", place(at)));
            findings.add(
                Effect::Compatible,
                format!("member '{}' is new{at}", member.name),
            );
        }
    }
}

fn place(at: FieldLayout) -> String {
    match at.bit_offset {
        Some(bit) => format!(
            "byte {}, bits {bit} to {}",
            at.offset,
            bit + at.bit_size.max(1) - 1
        ),
        None => format!("byte {}", at.offset),
    }
}

/// The members that C can name: members of anonymous structs and unions count as members of the record around them.
fn members<'a>(
    declarations: &'a Declarations,
    id: RecordId,
    layout: Option<&[FieldLayout]>,
) -> Vec<Member<'a>> {
    let mut found = Vec::new();
    collect(declarations, id, layout, 0, &mut Layouts::new(), &mut found);
    found
}

fn collect<'a>(
    declarations: &'a Declarations,
    id: RecordId,
    layout: Option<&[FieldLayout]>,
    base: u64,
    layouts: &mut Layouts,
    found: &mut Vec<Member<'a>>,
) {
    let fields = declarations.types.record(id).fields.as_deref();
    for (index, field) in fields.unwrap_or(&[]).iter().enumerate() {
        let at = layout
            .and_then(|fields| fields.get(index))
            .map(|at| FieldLayout {
                offset: base + at.offset,
                ..*at
            });
        if let Some(name) = field.name {
            found.push(Member {
                name: declarations.text(name).to_owned(),
                field,
                at,
            });
        } else if let Some(inner) = declarations.anonymous_member(field) {
            let of_inner = layouts.layout(declarations, inner).ok();
            let places = of_inner.as_ref().map(|layout| &layout.fields[..]);
            let places = places.filter(|_| at.is_some());
            let base = at.map_or(0, |at| at.offset);
            collect(declarations, inner, places, base, layouts, found);
        }
    }
}
