//! The names of two versions, kind by kind.

use std::collections::BTreeMap;

use super::ty::{Difference, Place, Types};
use super::{Change, Effect, Interface, Subject, records};
use crate::types::{Alignment, QualType, Type};

/// All differences of two interfaces, by subject and then in order of name.
pub fn compare(old: Interface<'_>, new: Interface<'_>) -> Vec<Change> {
    let types = Types {
        old: old.declarations,
        new: new.declarations,
    };
    let mut changes = functions(&types, &old, &new);
    changes.extend(variables(&types, &old, &new));
    changes.extend(records::compare(&types, &old, &new));
    changes.extend(enums(&types, &old, &new));
    changes.extend(typedefs(&types, &old, &new));
    changes.extend(constants(&old, &new));
    changes.sort_by(|a, b| (a.subject, &a.name).cmp(&(b.subject, &b.name)));
    changes
}

/// Pairs the entries of both versions by name. `None`: the name is missing in that version.
pub(super) fn pairs<'a, T: Clone>(
    old: BTreeMap<&'a str, T>,
    new: BTreeMap<&'a str, T>,
) -> BTreeMap<&'a str, (Option<T>, Option<T>)> {
    let mut both: BTreeMap<&str, (Option<T>, Option<T>)> = BTreeMap::new();
    for (name, value) in old {
        both.entry(name).or_default().0 = Some(value);
    }
    for (name, value) in new {
        both.entry(name).or_default().1 = Some(value);
    }
    both
}

/// The changes of functions, variables or typedefs: names whose types are compared.
pub(super) fn typed(
    subject: Subject,
    types: &Types<'_>,
    pairs: BTreeMap<&str, (Option<QualType>, Option<QualType>)>,
    place: Place,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, (old, new)) in pairs {
        let difference = match (old, new) {
            (Some(old), Some(new)) => types.compare(old, new, place),
            (None, _) => Difference::Spelling,
            (_, None) => Difference::Other,
        };
        let Some(effect) = difference.effect() else {
            continue;
        };
        changes.push(Change {
            subject,
            name: name.to_owned(),
            old: old.map(|ty| types.old.c_declaration(ty, name)),
            new: new.map(|ty| types.new.c_declaration(ty, name)),
            effect,
            details: alignments(old, new).into_iter().collect(),
        });
    }
    changes
}

/// What the spelling of two types does not tell.
pub(super) fn alignments(old: Option<QualType>, new: Option<QualType>) -> Option<String> {
    let (old, new) = (old?.align, new?.align);
    let text = |align: Alignment| match align.bytes() {
        Some(bytes) => bytes.to_string(),
        None => "the type's own".to_owned(),
    };
    (old != new).then(|| format!("its alignment was {} and is {}", text(old), text(new)))
}

pub(super) fn functions(
    types: &Types<'_>,
    old: &Interface<'_>,
    new: &Interface<'_>,
) -> Vec<Change> {
    let both = pairs(old.functions(), new.functions());
    typed(Subject::Function, types, both, Place::Function)
}

pub(super) fn variables(
    types: &Types<'_>,
    old: &Interface<'_>,
    new: &Interface<'_>,
) -> Vec<Change> {
    let both = pairs(old.variables(), new.variables());
    typed(Subject::Variable, types, both, Place::Object)
}

/// The changes of typedefs. Left out are those that are the only name of a record or an enum: they are compared as that
/// record or enum.
pub(super) fn typedefs(types: &Types<'_>, old: &Interface<'_>, new: &Interface<'_>) -> Vec<Change> {
    let other = |interface: &Interface<'_>, name: &str, ty: QualType| {
        let declarations = interface.declarations;
        match declarations.types.get(ty.ty) {
            Type::Record(id) => declarations.record_name(*id) != name,
            Type::Enum(id) => declarations.enum_name(*id) != name,
            _ => true,
        }
    };
    let mut both = pairs(old.typedefs(), new.typedefs());
    both.retain(|name, (a, b)| {
        a.is_none_or(|ty| other(old, name, ty)) && b.is_none_or(|ty| other(new, name, ty))
            || a.is_some() && b.is_some()
    });
    let mut changes = typed(Subject::Type, types, both, Place::Object);
    for change in &mut changes {
        for text in [&mut change.old, &mut change.new].into_iter().flatten() {
            text.insert_str(0, "typedef ");
        }
    }
    changes
}

pub(super) fn enums(types: &Types<'_>, old: &Interface<'_>, new: &Interface<'_>) -> Vec<Change> {
    let (of_old, of_new) = (old.enums(), new.enums());
    let mut changes = Vec::new();
    let one_sided = |name: &String, effect| Change {
        subject: Subject::Type,
        name: name.clone(),
        old: (effect == Effect::Incompatible).then(|| name.clone()),
        new: (effect == Effect::Compatible).then(|| name.clone()),
        effect,
        details: Vec::new(),
    };
    for (name, &id) in &of_old {
        let Some(&other) = of_new.get(name) else {
            changes.push(one_sided(name, Effect::Incompatible));
            continue;
        };
        let sizes = (types.enum_size(old, id), types.enum_size(new, other));
        if let (Some(before), Some(after)) = sizes
            && before != after
        {
            changes.push(Change {
                old: Some(name.clone()),
                new: Some(name.clone()),
                details: vec![format!("its size was {before} and is {after}")],
                ..one_sided(name, Effect::Incompatible)
            });
        }
    }
    let added = of_new.keys().filter(|name| !of_old.contains_key(*name));
    changes.extend(added.map(|name| one_sided(name, Effect::Compatible)));
    changes
}

pub(super) fn constants(old: &Interface<'_>, new: &Interface<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, (before, after)) in pairs(old.constants(), new.constants()) {
        // A version number is expected to change.
        let is_free = name.to_ascii_uppercase().contains("VERSION");
        let effect = match (&before, &after) {
            (Some(before), Some(after)) if before.0 == after.0 => continue,
            (Some((_, true)), Some((_, true))) | (None, _) => Effect::Compatible,
            (Some(_), Some(_)) if is_free => Effect::Compatible,
            _ => Effect::Incompatible,
        };
        changes.push(Change {
            subject: Subject::Constant,
            name: name.to_owned(),
            old: before.map(|(text, _)| text),
            new: after.map(|(text, _)| text),
            effect,
            details: Vec::new(),
        });
    }
    changes
}
