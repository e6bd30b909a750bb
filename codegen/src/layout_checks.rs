//! Static assertions that the C compiler lays records out as the cdef crate computes it.

use keelback_cdef::{Declarations, Field, Item, Layouts, QualType, RecordId, Span, Type, TypeId};
use serde::Serialize;

use crate::c_text::literal;
use crate::declared::integer;
use crate::lines::Lines;
use crate::spelling::{declare, has_extension};

/// A condition, and the message if it does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Assertion {
    /// The place of the declaration that it is about.
    #[serde(skip)]
    pub(crate) span: Span,
    /// The `#line` directive in front, or nothing: see [`Lines`].
    pub(crate) line: String,
    pub(crate) condition: String,
    /// A C string literal.
    pub(crate) message: String,
}

/// Assertions on every record that is declared in full and has a name.
pub(crate) fn layout_assertions(
    declarations: &Declarations,
    layouts: &mut Layouts,
) -> Vec<Assertion> {
    let exact = Exact::of(declarations);
    (0..declarations.types.records.len())
        .flat_map(|index| {
            let id = RecordId::from_index(index);
            let name = declarations.record_in_c(id);
            record_assertions(declarations, layouts, &exact, id, name)
        })
        .collect()
}

/// Assertions that the prelude's enumerators have the values of the cdef.
pub(crate) fn enumerator_assertions(declarations: &Declarations) -> Vec<Assertion> {
    let types = &declarations.types;
    types
        .enums
        .iter()
        .filter(|enumeration| !enumeration.partial)
        .flat_map(|enumeration| enumeration.enumerators.iter().flatten())
        .filter_map(|enumerator| {
            let name = types.text(enumerator.name);
            let value = integer(enumerator.value?);
            Some(Assertion {
                span: enumerator.span,
                line: String::new(),
                condition: format!("{name} == {value}"),
                message: literal(&format!(
                    "{name}: the cdef gives it the value {value}, the C source does not: correct it, or write '= ...'"
                )),
            })
        })
        .collect()
}

/// One `keelback_layout_t`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LayoutFact {
    /// The `#line` directive in front, or nothing: see [`Lines`].
    pub(crate) line: String,
    /// A C string literal.
    pub(crate) record: String,
    /// A C string literal, or NULL.
    pub(crate) member: String,
    pub(crate) offset: String,
    pub(crate) size: String,
}

/// One `keelback_value_t`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct KnownValue {
    /// The `#line` directive in front, or nothing: see [`Lines`].
    pub(crate) line: String,
    pub(crate) name: String,
}

/// The constants and enumerators whose values the declarations give.
pub(crate) fn constants_with_values(
    declarations: &Declarations,
    lines: &mut Lines<'_>,
) -> Vec<KnownValue> {
    let types = &declarations.types;
    let mut names = Vec::new();
    let mut known = |name, span| {
        names.push(KnownValue {
            line: lines.one(span),
            name: types.text(name).to_owned(),
        });
    };
    for item in &declarations.items {
        match *item {
            Item::Constant(index) => {
                let constant = &declarations.constants[index as usize];
                // A `keelback_value_t` has 64 bits.
                let is_asked = |value| i64::try_from(value).is_ok() || u64::try_from(value).is_ok();
                if constant.value.is_some_and(is_asked) {
                    known(constant.name, constant.span);
                }
            }
            Item::Enum(id) => {
                let enumeration = types.enumeration(id);
                if !enumeration.partial {
                    for enumerator in enumeration.enumerators.iter().flatten() {
                        known(enumerator.name, enumerator.span);
                    }
                }
            }
            _ => {}
        }
    }
    names
}

/// Statements that compile only if the members of a record have the types that the cdef says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MemberChecks {
    /// The `#line` directive in front, or nothing: see [`Lines`].
    pub(crate) line: String,
    /// The record, as C names it.
    pub(crate) record: String,
    pub(crate) statements: Vec<MemberCheck>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MemberCheck {
    /// The `#line` directive in front, or nothing: see [`Lines`].
    pub(crate) line: String,
    pub(crate) statement: String,
}

/// Checks of the members' types, for records that have a name. Integers may be of any integer type, as in CFFI: their
/// sizes are compared at run time.
pub(crate) fn member_checks(
    declarations: &Declarations,
    lines: &mut Lines<'_>,
) -> Vec<MemberChecks> {
    let types = &declarations.types;
    let mut checks = Vec::new();
    for item in &declarations.items {
        let Item::Record(id) = *item else { continue };
        let record = types.record(id);
        let Some(name) = declarations.record_in_c(id) else {
            continue;
        };
        let statements: Vec<(Span, String)> = flat_fields(declarations, id)
            .into_iter()
            .filter_map(|field| {
                let member = types.text(field.name?);
                if field.bits.is_some() || is_integer(declarations, field.ty.ty) {
                    return Some((field.span, format!("(void)((keelback_p->{member}) | 0);")));
                }
                let is_array = has_lengths(declarations, field.ty.ty);
                let (to, address) = match types.get(field.ty.ty) {
                    // An array of known lengths is compared with its length, others by their items.
                    Type::Array { item, .. } if !is_array => (
                        QualType {
                            quals: item.quals.union(field.ty.quals),
                            ..*item
                        },
                        "",
                    ),
                    _ => (field.ty, "&"),
                };
                let is_sayable = match types.get(to.ty) {
                    // Arrays whose lengths only the compiler knows.
                    Type::Array { .. } if !is_array => false,
                    Type::Function(_) => false,
                    _ => declarations.has_c_name(to) && !has_extension(types, to.ty),
                };
                if !is_sayable {
                    return None;
                }
                let name = if is_array {
                    "(*keelback_member)"
                } else {
                    "*keelback_member"
                };
                let pointer = declare(declarations, to, name);
                // C++ has no pointers to arrays of unknown length.
                (!pointer.contains("[]")).then(|| {
                    let check = format!(
                        "{{ {pointer} = {address}keelback_p->{member}; (void)keelback_member; }}"
                    );
                    (field.span, check)
                })
            })
            .collect();
        if !statements.is_empty() {
            checks.push(MemberChecks {
                line: lines.one(record.span),
                record: name,
                statements: statements
                    .into_iter()
                    .map(|(span, statement)| MemberCheck {
                        line: lines.one(span),
                        statement,
                    })
                    .collect(),
            });
            // One line for the closing brace.
            lines.pass(1);
        }
    }
    checks
}

/// Whether this is an array of which the declarations give all lengths, none of them 0.
fn has_lengths(declarations: &Declarations, mut ty: TypeId) -> bool {
    let mut is_array = false;
    while let Type::Array { item, length } = declarations.types.get(ty) {
        if !matches!(length, keelback_cdef::ArrayLength::Fixed(1..)) {
            return false;
        }
        is_array = true;
        ty = item.ty;
    }
    is_array
}

/// The named fields of a record, including those of its anonymous members.
fn flat_fields(declarations: &Declarations, id: RecordId) -> Vec<&Field> {
    let mut flat = Vec::new();
    for field in declarations.types.record(id).fields.iter().flatten() {
        match declarations.anonymous_member(field) {
            Some(inner) => flat.extend(flat_fields(declarations, inner)),
            None => flat.push(field),
        }
    }
    flat
}

fn is_integer(declarations: &Declarations, ty: TypeId) -> bool {
    use keelback_cdef::Primitive::{Char, Char16, Char32, WChar};
    match declarations.types.get(ty) {
        Type::Primitive(Char | Char16 | Char32 | WChar) => false,
        Type::Primitive(primitive) => declarations.target.is_signed(*primitive).is_some(),
        Type::Enum(_) => true,
        Type::Unknown(id) => {
            declarations.types.unknown(*id).kind == keelback_cdef::UnknownKind::Integer
        }
        _ => false,
    }
}

/// The layouts that the runtime compares with its own: of every record that is declared in full and has a name.
pub(crate) fn layout_facts(declarations: &Declarations, lines: &mut Lines<'_>) -> Vec<LayoutFact> {
    let types = &declarations.types;
    let mut facts = Vec::new();
    let exact = Exact::of(declarations);
    for id in declarations.exact_records() {
        let record = types.record(id);
        let Some(name) = declarations.record_in_c(id) else {
            continue;
        };
        if !exact.has(id) {
            continue;
        }
        facts.push(LayoutFact {
            line: lines.one(record.span),
            record: literal(&name),
            member: "NULL".into(),
            offset: format!("__alignof__({name})"),
            size: format!("sizeof({name})"),
        });
        for field in flat_fields(declarations, id) {
            let (Some(field_name), None) = (field.name, field.bits) else {
                continue;
            };
            let field_name = types.text(field_name);
            let has_size = !matches!(
                types.get(field.ty.ty),
                Type::Array {
                    length: keelback_cdef::ArrayLength::Unspecified,
                    ..
                }
            );
            facts.push(LayoutFact {
                line: lines.one(field.span),
                record: literal(&name),
                member: literal(field_name),
                offset: format!("__builtin_offsetof({name}, {field_name})"),
                size: if has_size {
                    format!("sizeof((({name} *)0)->{field_name})")
                } else {
                    "0".into()
                },
            });
        }
    }
    facts
}

/// Assertions that global arrays have the lengths of the cdef.
pub(crate) fn array_assertions(declarations: &Declarations) -> Vec<Assertion> {
    let types = &declarations.types;
    let mut assertions = Vec::new();
    for item in &declarations.items {
        let Item::Variable(index) = *item else {
            continue;
        };
        let variable = &declarations.variables[index as usize];
        let Type::Array {
            item,
            length: keelback_cdef::ArrayLength::Fixed(length),
        } = types.get(variable.ty.ty)
        else {
            continue;
        };
        if matches!(types.get(item.ty), Type::Array { .. }) {
            continue;
        }
        let name = types.text(variable.name);
        assertions.push(Assertion {
            span: variable.span,
            line: String::new(),
            condition: format!("sizeof({name}) == {length} * sizeof(({name})[0])"),
            message: literal(&format!(
                "{name}: the cdef gives it {length} items, the C source does not: correct it, or write [...]"
            )),
        });
    }
    assertions
}

/// Assertions on one record, by this name; none unless it is declared in full and has a name.
pub(crate) fn record_assertions(
    declarations: &Declarations,
    layouts: &mut Layouts,
    exact: &Exact,
    id: RecordId,
    name: Option<String>,
) -> Vec<Assertion> {
    let types = &declarations.types;
    let record = types.record(id);
    let (Some(name), Some(fields)) = (name, &record.fields) else {
        return Vec::new();
    };
    if !exact.has(id) {
        return Vec::new();
    }
    let Ok(layout) = layouts.layout(declarations, id) else {
        return Vec::new();
    };
    // As an extension, records without members have size 0 in C, but one byte in C++.
    if layout.size == 0 {
        return Vec::new();
    }
    let advice = "correct the declaration, or end it with '...;'";
    let mut assertions = vec![Assertion {
        span: record.span,
        line: String::new(),
        condition: format!("sizeof({name}) == {}", layout.size),
        message: literal(&format!(
            "{name}: the cdef makes it {} bytes large, the compiler does not: {advice}",
            layout.size
        )),
    }];
    for (field, place) in fields.iter().zip(&layout.fields) {
        let (Some(field_name), None) = (field.name, field.bits) else {
            continue;
        };
        let field_name = types.text(field_name);
        assertions.push(Assertion {
            span: field.span,
            line: String::new(),
            condition: format!("__builtin_offsetof({name}, {field_name}) == {}", place.offset),
            message: literal(&format!(
                "{name}: the cdef puts '{field_name}' at offset {}, the compiler does not: {advice}",
                place.offset
            )),
        });
        if !matches!(types.get(field.ty.ty), Type::Array { .. } if place.size == 0) {
            assertions.push(Assertion {
                span: field.span,
                line: String::new(),
                condition: format!("sizeof((({name} *)0)->{field_name}) == {}", place.size),
                message: literal(&format!(
                    "{name}: the cdef makes '{field_name}' {} bytes large, the compiler does not: {advice}",
                    place.size
                )),
            });
        }
    }
    assertions
}

/// Which records leave nothing to the compiler: neither themselves nor the records that they contain by value.
pub(crate) struct Exact(Vec<bool>);

impl Exact {
    pub(crate) fn of(declarations: &Declarations) -> Self {
        let records = &declarations.types.records;
        let mut exact = vec![true; records.len()];
        // For each record, the records that contain it by value.
        let mut holders: Vec<Vec<RecordId>> = vec![Vec::new(); records.len()];
        let mut inexact = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let id = RecordId::from_index(index);
            let mut is_exact = |field: &Field| match part_of(declarations, field) {
                Part::Exact => true,
                Part::Inexact => false,
                Part::Record(inner) => {
                    holders[inner.index()].push(id);
                    true
                }
            };
            let fields = record.fields.as_ref();
            if record.partial || !fields.is_some_and(|fields| fields.iter().all(&mut is_exact)) {
                inexact.push(id);
            }
        }
        while let Some(id) = inexact.pop() {
            if std::mem::replace(&mut exact[id.index()], false) {
                inexact.append(&mut holders[id.index()]);
            }
        }
        Self(exact)
    }

    fn has(&self, id: RecordId) -> bool {
        self.0[id.index()]
    }
}

/// What a field says about whether its record is exact.
enum Part {
    Exact,
    Inexact,
    Record(RecordId),
}

fn part_of(declarations: &Declarations, field: &Field) -> Part {
    let mut ty = field.ty.ty;
    let is_exact = loop {
        match declarations.types.get(ty) {
            Type::Array { item, length } => {
                if matches!(length, keelback_cdef::ArrayLength::FromCompiler(_)) {
                    break false;
                }
                ty = item.ty;
            }
            Type::Record(id) => return Part::Record(*id),
            Type::Enum(id) => break !declarations.types.enumeration(*id).partial,
            Type::Unknown(_) => break false,
            _ => break true,
        }
    };
    if is_exact { Part::Exact } else { Part::Inexact }
}
