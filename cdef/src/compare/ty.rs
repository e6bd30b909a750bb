//! Whether a type of the new version can take the place of the old version's type.

use crate::declarations::Declarations;
use crate::types::{
    ArrayLength, EnumId, FunctionType, Primitive, QualType, Qualifiers, Record, RecordId, Type,
};

use super::{Effect, Interface};

/// How much two types differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Difference {
    /// The same type.
    None,
    /// Another spelling of the same values: `int` and `int32_t`, a `const` that callers need not care for.
    Spelling,
    /// Another type.
    Other,
}

impl Difference {
    /// The effect on users of the interface; `None` where there is no difference.
    pub(super) fn effect(self) -> Option<Effect> {
        match self {
            Self::None => None,
            Self::Spelling => Some(Effect::Compatible),
            Self::Other => Some(Effect::Incompatible),
        }
    }
}

/// Where a type is used; it decides whether adding or removing a `const` is harmless.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// A declared function.
    Function,
    /// A value comes from the caller: what it points to may become `const`.
    Parameter,
    /// A value goes to the caller: what it points to may lose its `const`.
    Result,
    /// A variable, a member, or anything else that both sides may read and write.
    Object,
}

/// The types of two versions.
pub(super) struct Types<'a> {
    pub(super) old: &'a Declarations,
    pub(super) new: &'a Declarations,
}

impl Types<'_> {
    /// Compares two types. The recursion is bounded: types are no deeper than
    /// [`MAX_TYPE_DEPTH`](crate::MAX_TYPE_DEPTH), and records without a name hold no more of each other than the
    /// parser's own limit on nested bodies.
    pub(super) fn compare(&self, old: QualType, new: QualType, place: Place) -> Difference {
        let between = match (self.old.types.get(old.ty), self.new.types.get(new.ty)) {
            (Type::Void, Type::Void) => Difference::None,
            (Type::Primitive(a), Type::Primitive(b)) => self.primitives(*a, *b),
            (Type::Pointer(a), Type::Pointer(b)) => {
                qualifiers(a.quals, b.quals, place).max(self.compare(*a, *b, place))
            }
            (
                Type::Array { item, length },
                Type::Array {
                    item: other,
                    length: other_length,
                },
            ) => self
                .compare(*item, *other, place)
                .max(self.lengths(*length, *other_length)),
            (Type::Function(a), Type::Function(b)) => match place {
                Place::Function => self.signatures(a, b, Place::Parameter, Place::Result),
                // A callback is defined by the user of the interface: its type must be exactly the same.
                _ => self.signatures(a, b, Place::Object, Place::Object),
            },
            (Type::Record(a), Type::Record(b)) => self.records(*a, *b),
            (Type::Enum(a), Type::Enum(b)) => self.enums(*a, *b),
            (Type::Enum(id), Type::Primitive(other)) => spelling(
                self.underlying(self.old, *id)
                    .map(|ty| self.primitives(ty, *other)),
            ),
            (Type::Primitive(other), Type::Enum(id)) => spelling(
                self.underlying(self.new, *id)
                    .map(|ty| self.primitives(*other, ty)),
            ),
            (Type::Unknown(a), Type::Unknown(b)) => {
                let (a, b) = (self.old.types.unknown(*a), self.new.types.unknown(*b));
                same(a.kind == b.kind && self.old.text(a.name) == self.new.text(b.name))
            }
            _ => Difference::Other,
        };
        // The alignment of an object affects the layout around it; that of a parameter or a pointer's target does not.
        if place == Place::Object && old.align != new.align {
            return Difference::Other;
        }
        between
    }

    fn primitives(&self, old: Primitive, new: Primitive) -> Difference {
        if old == new {
            return Difference::None;
        }
        // Two different primitives are alike only if they are integers of the same size and sign, as `int` and
        // `int32_t` are.
        let (a, b) = (
            self.old.target.is_signed(old),
            self.new.target.is_signed(new),
        );
        let alike = a.is_some()
            && a == b
            && self.old.target.size_and_align(old) == self.new.target.size_and_align(new)
            && (old == Primitive::Bool) == (new == Primitive::Bool);
        if alike {
            Difference::Spelling
        } else {
            Difference::Other
        }
    }

    fn lengths(&self, old: ArrayLength, new: ArrayLength) -> Difference {
        same(self.old.types.array_length(old) == self.new.types.array_length(new))
    }

    fn signatures(
        &self,
        old: &FunctionType,
        new: &FunctionType,
        parameter: Place,
        result: Place,
    ) -> Difference {
        if old.params.len() != new.params.len()
            || old.variadic != new.variadic
            || old.convention != new.convention
        {
            return Difference::Other;
        }
        let result = self.compare(old.result, new.result, result);
        let parameters = old.params.iter().zip(&new.params);
        parameters
            .map(|(&a, &b)| self.compare(a, b, parameter))
            .fold(result, Difference::max)
    }

    /// Compares records by name, since the named ones are compared on their own; records without a name are compared
    /// member by member.
    pub(super) fn records(&self, old: RecordId, new: RecordId) -> Difference {
        let (a, b) = (self.old.types.record(old), self.new.types.record(new));
        if a.kind != b.kind {
            return Difference::Other;
        }
        // `typedef ... *handle;`: what it points to is anything that has no members.
        let is_anything = |record: &Record| {
            record.tag.is_none() && record.typedef_name.is_none() && record.fields.is_none()
        };
        if is_anything(a) && b.fields.is_none() || is_anything(b) && a.fields.is_none() {
            return Difference::None;
        }
        if a.number == 0 && b.number == 0 {
            let names = record_names(self.new, new);
            return same(
                record_names(self.old, old)
                    .iter()
                    .any(|name| names.contains(name)),
            );
        }
        let (Some(a), Some(b)) = (&a.fields, &b.fields) else {
            return Difference::Other;
        };
        if a.len() != b.len() {
            return Difference::Other;
        }
        let fields = a.iter().zip(b).map(|(a, b)| {
            let name = |declarations: &Declarations, name| {
                Option::map(name, |name| declarations.text(name).to_owned())
            };
            if name(self.old, a.name) != name(self.new, b.name) || a.bits != b.bits {
                return Difference::Other;
            }
            self.compare(a.ty, b.ty, Place::Object)
        });
        fields.fold(Difference::None, Difference::max)
    }

    fn enums(&self, old: EnumId, new: EnumId) -> Difference {
        if self.old.enum_name(old) == self.new.enum_name(new) {
            return Difference::None;
        }
        spelling(self.underlying(self.old, old).and_then(|a| {
            let b = self.underlying(self.new, new)?;
            Some(self.primitives(a, b))
        }))
    }

    fn underlying(&self, declarations: &Declarations, id: EnumId) -> Option<Primitive> {
        declarations.types.enumeration(id).underlying
    }

    /// `sizeof` an enum, if it is known.
    pub(super) fn enum_size(&self, interface: &Interface<'_>, id: EnumId) -> Option<u64> {
        let declarations = interface.declarations;
        let ty = self.underlying(declarations, id)?;
        Some(declarations.target.size_and_align(ty).0)
    }
}

/// Every name by which C may call a record.
pub(super) fn record_names(declarations: &Declarations, id: RecordId) -> Vec<String> {
    let record = declarations.types.record(id);
    let tag = record
        .tag
        .map(|tag| format!("{} {}", record.kind.keyword(), declarations.text(tag)));
    let others = [record.typedef_name, record.alias, record.pointer_typedef];
    let others = others.into_iter().flatten();
    tag.into_iter()
        .chain(others.map(|name| declarations.text(name).to_owned()))
        .collect()
}

fn same(is_same: bool) -> Difference {
    if is_same {
        Difference::None
    } else {
        Difference::Other
    }
}

/// The difference between an enum and an integer: `Spelling` if the enum's underlying type is that integer.
fn spelling(of_integers: Option<Difference>) -> Difference {
    of_integers.map_or(Difference::Other, |difference| {
        difference.max(Difference::Spelling)
    })
}

/// Compares the qualifiers of what a pointer points to.
fn qualifiers(old: Qualifiers, new: Qualifiers, place: Place) -> Difference {
    // `restrict` changes neither the object nor how it is passed.
    let visible = |quals: Qualifiers| Qualifiers(quals.0 & !Qualifiers::RESTRICT.0);
    let (old, new) = (visible(old), visible(new));
    if old == new {
        return Difference::None;
    }
    let is_const_alone = old.0 ^ new.0 == Qualifiers::CONST.0;
    let is_free = match place {
        Place::Parameter => new.contains(Qualifiers::CONST),
        Place::Result => old.contains(Qualifiers::CONST),
        Place::Function | Place::Object => false,
    };
    if is_const_alone && is_free {
        Difference::Spelling
    } else {
        Difference::Other
    }
}
