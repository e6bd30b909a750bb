//! Declarations for which no C can be generated beside a prelude: opaque values, types without a name, and what CFFI
//! refuses there.

use std::collections::HashMap;

use keelback_cdef::{
    Declarations, Diagnostic, DiagnosticKind, FunctionOrigin, Item, Layouts, QualType, RecordId,
    Span, Type,
};

use crate::plugin::Plugin;
use crate::problem::Problem;

pub(super) fn check(plugin: &Plugin, is_ffi: bool, problems: &mut Vec<Problem>) {
    let declarations = &plugin.declarations;
    if is_ffi {
        packs(plugin, problems);
        enumerators(declarations, problems);
    }
    functions(declarations, problems);
    variables(declarations, problems);
    records(declarations, problems);
}

fn refuse(
    declarations: &Declarations,
    kind: DiagnosticKind,
    span: Span,
    message: String,
    hint: Option<&'static str>,
) -> Problem {
    let mut error = Diagnostic::at(declarations, span, message);
    error.kind = kind;
    error.hint = hint.map(Into::into);
    error.into()
}

/// As CFFI, refuses `pack=N` beside a prelude: it is the compiler that lays the records out.
fn packs(plugin: &Plugin, problems: &mut Vec<Problem>) {
    let declarations = &plugin.declarations;
    for item in &declarations.items {
        let Item::Record(id) = *item else { continue };
        let record = declarations.types.record(id);
        let cdef = plugin.spec.cdefs.get(record.span.source.0 as usize);
        if let Some(pack) = cdef.and_then(|cdef| cdef.pack)
            && pack > 1
        {
            problems.push(refuse(
                declarations,
                DiagnosticKind::NotImplemented,
                record.span,
                format!(
                    "{}: declared with pack={pack}; API mode has only 0 and 1",
                    declarations.record_name(id)
                ),
                Some("end it with '...;', which needs no pack: the compiler tells the layout"),
            ));
        }
    }
}

/// An error for an enumerator that two enums have: C has one name space for all.
fn enumerators(declarations: &Declarations, problems: &mut Vec<Problem>) {
    let types = &declarations.types;
    let mut seen = HashMap::new();
    for item in &declarations.items {
        let Item::Enum(id) = *item else { continue };
        for enumerator in types.enumeration(id).enumerators.iter().flatten() {
            if let Some(first) = seen.insert(enumerator.name, id)
                && first != id
            {
                problems.push(refuse(
                    declarations,
                    DiagnosticKind::Verification,
                    enumerator.span,
                    format!(
                        "{}: duplicate declaration of '{}', which {} has too",
                        declarations.enum_name(id),
                        types.text(enumerator.name),
                        declarations.enum_name(first)
                    ),
                    None,
                ));
            }
        }
    }
}

/// If C cannot name a type: the message; `place` says where the type is used.
fn nameless(declarations: &Declarations, ty: QualType, place: &str) -> Option<String> {
    let is_nameless = !declarations.has_c_name(ty);
    is_nameless.then(|| {
        format!(
            "cannot generate '{}' in {place}: unknown type name",
            declarations.cffi_name(ty)
        )
    })
}

const NAME_IT: Option<&str> = Some("give the struct, union or enum a tag or a typedef");

fn functions(declarations: &Declarations, problems: &mut Vec<Problem>) {
    let types = &declarations.types;
    for function in &declarations.functions {
        let Type::Function(ty) = types.get(function.ty) else {
            continue;
        };
        // Functions that run Python are checked elsewhere, with or without a prelude.
        if function.origin != FunctionOrigin::C {
            continue;
        }
        let name = types.text(function.name);
        if let Type::Record(id) = types.get(ty.result.ty)
            && types.record(*id).fields.is_none()
        {
            let (what, hint) = match types.record(*id).sealed {
                Some(sealed) => (sealed.kind, "declare it to return a pointer"),
                None => ("opaque", "declare its members, or end them with '...;'"),
            };
            problems.push(refuse(
                declarations,
                DiagnosticKind::Type,
                function.span,
                format!(
                    "function {name}: '{}' is used as result type, but is {what}",
                    declarations.record_name(*id)
                ),
                Some(hint),
            ));
        }
        let in_argument = format!("argument of {name}");
        let why = nameless(declarations, ty.result, "a C file").or_else(|| {
            let mut params = ty.params.iter();
            params.find_map(|&param| nameless(declarations, param, &in_argument))
        });
        if let Some(why) = why {
            problems.push(refuse(
                declarations,
                DiagnosticKind::Verification,
                function.span,
                format!("function {name}: {why}"),
                NAME_IT,
            ));
        }
    }
}

fn variables(declarations: &Declarations, problems: &mut Vec<Problem>) {
    for variable in &declarations.variables {
        if let Some(why) = nameless(declarations, variable.ty, "a C file") {
            let name = declarations.types.text(variable.name);
            problems.push(refuse(
                declarations,
                DiagnosticKind::Verification,
                variable.span,
                format!("variable {name}: {why}"),
                NAME_IT,
            ));
        }
    }
}

fn records(declarations: &Declarations, problems: &mut Vec<Problem>) {
    let mut layouts = Layouts::new();
    for item in &declarations.items {
        let Item::Record(id) = *item else { continue };
        if let Some(problem) = opaque_field(declarations, id) {
            problems.push(problem);
        } else if let Err(error) = layouts.layout(declarations, id)
            && error.kind == DiagnosticKind::Type
        {
            problems.push(refuse(
                declarations,
                error.kind,
                error.span,
                error.message,
                None,
            ));
        }
    }
}

/// An error for a member that is (an array of) an opaque record.
fn opaque_field(declarations: &Declarations, id: RecordId) -> Option<Problem> {
    let types = &declarations.types;
    let record = types.record(id);
    for field in record.fields.iter().flatten() {
        let mut ty = field.ty.ty;
        while let Type::Array { item, .. } = types.get(ty) {
            ty = item.ty;
        }
        let Type::Record(inner) = types.get(ty) else {
            continue;
        };
        let inner = types.record(*inner);
        if inner.fields.is_some() || inner.sealed.is_some() {
            continue;
        }
        let owner = match (record.tag, record.typedef_name) {
            (Some(tag), _) => types.text(tag).to_owned(),
            (None, Some(name)) => format!("${}", types.text(name)),
            (None, None) => String::new(),
        };
        let member = field.name.map_or("", |name| types.text(name));
        return Some(refuse(
            declarations,
            DiagnosticKind::Type,
            field.span,
            format!(
                "{}: field '{owner}.{member}' is of an opaque type (not declared in cdef())",
                declarations.record_name(id)
            ),
            None,
        ));
    }
    None
}
