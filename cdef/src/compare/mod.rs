//! Compares two versions of an interface: what was added, removed or changed, and what that does to programs that use
//! it.
//!
//! The program was compiled with the old version; it then runs with the new one, or is compiled again with it. The
//! effect is [`Effect::Compatible`] if both work, [`Effect::Incompatible`] if one of them may fail.

mod records;
mod ty;

use std::collections::BTreeMap;

use crate::declarations::{Declarations, MacroValue};
use crate::source::{SourceId, Span};
use crate::types::{Alignment, EnumId, QualType, RecordId, Type};

use ty::{Difference, Place, Types};

/// A version of an interface: all declarations, and which of the texts they came from belong to the interface. Other
/// texts only declare what these need.
#[derive(Clone, Copy, Debug)]
pub struct Interface<'a> {
    /// All that was declared.
    pub declarations: &'a Declarations,
    /// The texts whose functions, variables, constants and types are the interface's own.
    pub own: &'a [SourceId],
}

/// What kind of thing has changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Subject {
    /// A function.
    Function,
    /// A global variable.
    Variable,
    /// A struct, union or enum, or a typedef.
    Type,
    /// A constant, an enumerator or a macro with a value.
    Constant,
}

impl Subject {
    /// `function`, `variable`, `type`, `constant`
    pub fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Variable => "variable",
            Self::Type => "type",
            Self::Constant => "constant",
        }
    }
}

/// What a change does to those who use the interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Effect {
    /// Nothing breaks.
    Compatible,
    /// Something that worked may not work any more.
    Incompatible,
}

/// One difference of two interfaces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// What kind of thing.
    pub subject: Subject,
    /// Its name; of structs, unions and enums with the keyword.
    pub name: String,
    /// How the old interface has it; `None`: it is new.
    pub old: Option<String>,
    /// How the new one has it; `None`: it is gone.
    pub new: Option<String>,
    /// What the change does to users of the interface.
    pub effect: Effect,
    /// Further lines about the change: members, offsets, sizes.
    pub details: Vec<String>,
}

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

impl Interface<'_> {
    fn has(&self, span: Span) -> bool {
        self.own.contains(&span.source)
    }

    fn functions(&self) -> BTreeMap<&str, QualType> {
        let all = self.declarations.functions.iter();
        all.filter(|function| self.has(function.span))
            .map(|function| (self.text(function.name), QualType::plain(function.ty)))
            .collect()
    }

    fn variables(&self) -> BTreeMap<&str, QualType> {
        let all = self.declarations.variables.iter();
        all.filter(|variable| self.has(variable.span))
            .map(|variable| (self.text(variable.name), variable.ty))
            .collect()
    }

    fn typedefs(&self) -> BTreeMap<&str, QualType> {
        let all = self.declarations.typedefs.iter();
        all.filter(|typedef| self.has(typedef.span))
            .map(|typedef| (self.text(typedef.name), typedef.ty))
            .collect()
    }

    fn enums(&self) -> BTreeMap<String, EnumId> {
        let types = &self.declarations.types;
        let all = (0..types.enums.len()).map(EnumId::from_index);
        all.filter(|&id| {
            let one = types.enumeration(id);
            one.number == 0 && self.has(one.span)
        })
        .map(|id| (self.declarations.enum_name(id), id))
        .collect()
    }

    fn records(&self) -> impl Iterator<Item = RecordId> + '_ {
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
    fn constants(&self) -> BTreeMap<&str, (String, bool)> {
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

    fn text(&self, symbol: crate::types::Symbol) -> &str {
        self.declarations.text(symbol)
    }
}

/// Pairs the entries of both versions by name. `None`: the name is missing in that version.
fn pairs<'a, T: Clone>(
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
fn typed(
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
fn alignments(old: Option<QualType>, new: Option<QualType>) -> Option<String> {
    let (old, new) = (old?.align, new?.align);
    let text = |align: Alignment| match align.bytes() {
        Some(bytes) => bytes.to_string(),
        None => "the type's own".to_owned(),
    };
    (old != new).then(|| format!("its alignment was {} and is {}", text(old), text(new)))
}

fn functions(types: &Types<'_>, old: &Interface<'_>, new: &Interface<'_>) -> Vec<Change> {
    let both = pairs(old.functions(), new.functions());
    typed(Subject::Function, types, both, Place::Function)
}

fn variables(types: &Types<'_>, old: &Interface<'_>, new: &Interface<'_>) -> Vec<Change> {
    let both = pairs(old.variables(), new.variables());
    typed(Subject::Variable, types, both, Place::Object)
}

/// The changes of typedefs. Left out are those that are the only name of a record or an enum: they are compared as that
/// record or enum.
fn typedefs(types: &Types<'_>, old: &Interface<'_>, new: &Interface<'_>) -> Vec<Change> {
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

fn enums(types: &Types<'_>, old: &Interface<'_>, new: &Interface<'_>) -> Vec<Change> {
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

fn constants(old: &Interface<'_>, new: &Interface<'_>) -> Vec<Change> {
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
