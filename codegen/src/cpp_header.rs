//! The header for C++: wraps the functions of the public header so that they throw exceptions, and take views where a
//! pointer parameter is a string or an array.
//!
//! A parameter becomes a view only where common C usage leaves no doubt: `const char *` alone is a string that ends
//! with a null character (it is copied, so the function must not return a pointer, which might lead into it); a pointer
//! with an integer behind it that is called `n`, `len` or the like is an array of that length. The form with C's types
//! is kept as another overload.

use keelback_cdef::{
    Declarations, Function, FunctionOrigin, FunctionType, Primitive, QualType, Qualifiers, Type,
    TypeId,
};
use serde::Serialize;

use crate::c_text::{TokenKind, is_cpp_keyword, replace_word, tokens};
use crate::plugin::Plugin;
use crate::spelling::{declare, declare_function_with, has_extension};
use crate::templates;

#[derive(Serialize)]
struct Context<'a> {
    keelback_version: &'static str,
    module_name: &'a str,
    header: &'a str,
    guard: String,
    namespace: String,
    lifecycle: String,
    functions: Vec<Wrapped>,
    left_out: String,
}

/// A function and its overloads.
#[derive(Serialize)]
struct Wrapped {
    name: String,
    forms: Vec<Form>,
}

/// One overload.
#[derive(Serialize)]
struct Form {
    declaration: String,
    /// Statements in front of the call.
    before: Vec<String>,
    arguments: String,
    needs_span: bool,
}

/// The names that the header itself declares in its namespace.
const OWN_NAMES: [&str; 4] = ["burst", "detail", "error", "scope"];

impl Plugin {
    /// The header for C++17 and later. `header` is the file name of the public header, which it includes.
    pub fn cpp_header(&self, header: &str) -> String {
        let prefix = self.prefix();
        let (mut functions, mut left_out) = (Vec::new(), Vec::new());
        for (function, ty) in self.callbacks() {
            if function.origin != FunctionOrigin::Exported {
                continue;
            }
            match wrapped(self, function, ty) {
                Some(wrapped) => functions.push(wrapped),
                None => left_out.push(self.declarations.types.text(function.name)),
            }
        }
        templates::render(
            "header.hpp",
            Context {
                keelback_version: env!("CARGO_PKG_VERSION"),
                module_name: &self.spec.module_name,
                header,
                guard: format!("{}_HPP", prefix.to_ascii_uppercase()),
                namespace: namespace(&self.declarations, &prefix),
                lifecycle: prefix,
                functions,
                left_out: left_out.join(", "),
            },
        )
    }
}

/// The name of the namespace: the plugin's, or `NAME_cpp` if C++ cannot use that name.
fn namespace(declarations: &Declarations, prefix: &str) -> String {
    let is_taken = is_cpp_keyword(prefix)
        || prefix == "std"
        || declarations.lookup_ordinary(prefix).is_some()
        || declarations.lookup_typedef(prefix).is_some()
        || declarations.lookup_enumerator(prefix).is_some()
        || declarations.lookup_macro(prefix).is_some()
        || declarations.lookup_record_tag(prefix).is_some()
        || declarations.lookup_enum_tag(prefix).is_some();
    if is_taken {
        format!("{prefix}_cpp")
    } else {
        prefix.to_owned()
    }
}

/// A type, or a parameter with its name, in C++.
fn spell(declarations: &Declarations, ty: QualType, name: &str) -> String {
    replace_word(&declare(declarations, ty, name), "keelback_bool_t", "bool")
}

fn wrapped(plugin: &Plugin, function: &Function, ty: &FunctionType) -> Option<Wrapped> {
    let declarations = &plugin.declarations;
    let name = declarations.types.text(function.name);
    if ty.variadic || has_extension(&declarations.types, function.ty) || OWN_NAMES.contains(&name) {
        return None;
    }
    let names = parameter_names(declarations, function, ty);
    let plain: Vec<Parameter> = names
        .iter()
        .zip(&ty.params)
        .map(|(name, ty)| Parameter::plain(declarations, ty.ty, name))
        .collect();
    let is_batch = plugin.batches.of(name).is_some();
    let mut parameter_sets = vec![plain];
    if is_batch {
        parameter_sets.push(arrays_of_batch(declarations, ty, &names));
    }
    let strings = with_strings(declarations, ty, &names, &parameter_sets[0]);
    let arrays = Arrays {
        declarations,
        ty,
        names: &names,
    };
    let views = arrays.found(&strings);
    for set in [strings, views] {
        if !is_batch && !parameter_sets.contains(&set) {
            parameter_sets.push(set);
        }
    }
    let forms: Vec<Form> = parameter_sets
        .iter()
        .map(|parameters| form(declarations, ty, name, parameters))
        .collect();
    let has_own_name = |form: &Form| {
        let words = tokens(&form.declaration).into_iter();
        words
            .filter(|token| token.kind == TokenKind::Word)
            .any(|token| OWN_NAMES.contains(&&form.declaration[token.range]))
    };
    if forms.first().is_some_and(has_own_name) {
        return None;
    }
    Some(Wrapped {
        name: name.to_owned(),
        forms,
    })
}

/// A batch: the number of elements, and arrays of that length.
fn arrays_of_batch(
    declarations: &Declarations,
    ty: &FunctionType,
    names: &[String],
) -> Vec<Parameter> {
    let mut parameters = vec![Parameter {
        declaration: None,
        before: Vec::new(),
        argument: format!("{}.size()", names[1]),
        needs_span: true,
    }];
    for (name, param) in names.iter().zip(&ty.params).skip(1) {
        let element = pointee(declarations, param.ty).unwrap_or(*param);
        let view = format!("std::span<{}>", spell(declarations, element, "").trim());
        parameters.push(Parameter::view(&view, name));
        if *name != names[1] {
            let (first, count) = (&names[1], &mut parameters[0]);
            count.before.push(format!(
                "detail::same_length({first}.size(), {name}.size(), \"{first} and {name}\");"
            ));
        }
    }
    parameters
}

/// The names of the parameters, with `arg0`, `arg1`... for those that C++ cannot use.
fn parameter_names(
    declarations: &Declarations,
    function: &Function,
    ty: &FunctionType,
) -> Vec<String> {
    let name = |index: usize| {
        let given = function.params.get(index).copied().flatten();
        let given = given.map(|name| declarations.types.text(name));
        match given
            .filter(|name| !is_cpp_keyword(name) && !OWN_NAMES.contains(name) && *name != "std")
        {
            Some(name) => name.to_owned(),
            None => format!("arg{index}"),
        }
    };
    (0..ty.params.len()).map(name).collect()
}

/// A parameter of the C function, and what replaces it in C++.
#[derive(Clone, PartialEq, Eq)]
struct Parameter {
    /// `None`: another parameter determines it.
    declaration: Option<String>,
    before: Vec<String>,
    argument: String,
    needs_span: bool,
}

impl Parameter {
    fn plain(declarations: &Declarations, ty: TypeId, name: &str) -> Self {
        Self {
            declaration: Some(spell(declarations, QualType::plain(ty), name)),
            before: Vec::new(),
            argument: name.to_owned(),
            needs_span: false,
        }
    }

    fn view(ty: &str, name: &str) -> Self {
        Self {
            declaration: Some(format!("{ty} {name}")),
            before: Vec::new(),
            argument: format!("{name}.data()"),
            needs_span: ty.contains("span"),
        }
    }
}

fn form(
    declarations: &Declarations,
    ty: &FunctionType,
    name: &str,
    parameters: &[Parameter],
) -> Form {
    let declared: Vec<String> = parameters
        .iter()
        .filter_map(|parameter| parameter.declaration.clone())
        .collect();
    let arguments: Vec<&str> = parameters.iter().map(|one| &*one.argument).collect();
    let declaration = if declared.is_empty() {
        spell(
            declarations,
            QualType::plain(ty.result.ty),
            &format!("{name}()"),
        )
    } else {
        let text = declare_function_with(declarations, ty, name, &declared);
        replace_word(&text, "keelback_bool_t", "bool")
    };
    Form {
        declaration,
        before: parameters
            .iter()
            .flat_map(|one| one.before.clone())
            .collect(),
        arguments: arguments.join(", "),
        needs_span: parameters.iter().any(|one| one.needs_span),
    }
}

/// `const char *` alone becomes a string view that is copied, unless the result may be a pointer into the string.
fn with_strings(
    declarations: &Declarations,
    ty: &FunctionType,
    names: &[String],
    plain: &[Parameter],
) -> Vec<Parameter> {
    let types = &declarations.types;
    let is_number = |ty| {
        matches!(
            types.get(ty),
            Type::Void | Type::Primitive(_) | Type::Enum(_)
        )
    };
    let mut parameters = plain.to_vec();
    if !is_number(ty.result.ty) {
        return parameters;
    }
    for (index, param) in ty.params.iter().enumerate() {
        if is_char_pointer(declarations, param.ty, true)
            && !names
                .get(index + 1)
                .is_some_and(|next| is_length(declarations, ty, index + 1, next, &names[index]))
        {
            let name = &names[index];
            parameters[index] = Parameter {
                declaration: Some(format!("std::string_view {name}")),
                before: vec![format!(
                    "const std::string keelback_{name} = detail::c_string({name}, \"{name}\");"
                )],
                argument: format!("keelback_{name}.c_str()"),
                needs_span: false,
            };
        }
    }
    parameters
}

fn pointee(declarations: &Declarations, ty: TypeId) -> Option<QualType> {
    match declarations.types.get(ty) {
        Type::Pointer(to) => Some(*to),
        _ => None,
    }
}

fn is_const(ty: QualType) -> bool {
    ty.quals.contains(Qualifiers::CONST)
}

fn is_char_pointer(declarations: &Declarations, ty: TypeId, wants_const: bool) -> bool {
    pointee(declarations, ty).is_some_and(|to| {
        *declarations.types.get(to.ty) == Type::Primitive(Primitive::Char)
            && is_const(to) == wants_const
    })
}

/// Whether the parameter is an integer whose name says that it is the length of `array`.
fn is_length(
    declarations: &Declarations,
    ty: &FunctionType,
    index: usize,
    name: &str,
    array: &str,
) -> bool {
    let is_integer = matches!(
        declarations.types.get(ty.params[index].ty),
        Type::Primitive(kind) if is_counting(*kind)
    );
    is_integer && (is_bare_length(name) || is_length_of(name, array))
}

fn is_counting(kind: Primitive) -> bool {
    use Primitive as P;
    let is_text = matches!(
        kind,
        P::Bool | P::Char | P::SChar | P::UChar | P::WChar | P::Char16 | P::Char32
    );
    let is_other = (P::Float..=P::LongDoubleComplex).contains(&kind)
        || matches!(kind, P::Int128 | P::UInt128 | P::Int8 | P::UInt8);
    !is_text && !is_other
}

fn is_bare_length(name: &str) -> bool {
    ["n", "len", "length", "count", "num", "size"].contains(&name)
}

/// `points_len`, `num_points`
fn is_length_of(name: &str, array: &str) -> bool {
    let behind = ["len", "length", "count", "size", "n"];
    let before = ["n", "num", "len"];
    behind.iter().any(|end| name == format!("{array}_{end}"))
        || before
            .iter()
            .any(|start| name == format!("{start}_{array}"))
}

/// Finds pointer parameters that are arrays with a length behind them.
struct Arrays<'a> {
    declarations: &'a Declarations,
    ty: &'a FunctionType,
    names: &'a [String],
}

impl Arrays<'_> {
    /// `parameters` with views in place of arrays and their lengths.
    fn found(&self, parameters: &[Parameter]) -> Vec<Parameter> {
        let mut found = parameters.to_vec();
        for index in 1..self.names.len() {
            let last = index - 1;
            if !is_length(
                self.declarations,
                self.ty,
                index,
                &self.names[index],
                &self.names[last],
            ) {
                continue;
            }
            let Some(view) = self.view(last, index) else {
                continue;
            };
            let first = self.first_of(last, index);
            for (array, name) in self.names.iter().enumerate().take(index).skip(first) {
                found[array] = Parameter::view(&view_of(&view, self, array), name);
            }
            found[index] = self.length(first, index);
        }
        found
    }

    /// The element type of the array in front of a length, if that certainly counts elements.
    fn view(&self, array: usize, length: usize) -> Option<QualType> {
        let to = pointee(self.declarations, self.ty.params[array].ty)?;
        let name = &self.names[length];
        let is_named_for_it = is_length_of(name, &self.names[array]);
        // A "size" usually counts bytes.
        let is_size = name.ends_with("size");
        let plain = matches!(to.quals, Qualifiers::NONE | Qualifiers::CONST);
        match self.declarations.types.get(to.ty) {
            _ if !plain => None,
            Type::Void => Some(to),
            Type::Primitive(Primitive::Char | Primitive::UChar | Primitive::UInt8) => Some(to),
            Type::Primitive(_) | Type::Enum(_) => Some(to).filter(|_| !is_size),
            // A pointer to a struct may point to one object, and the integer mean something else.
            Type::Record(id) => {
                let is_complete = self.declarations.types.record(*id).fields.is_some();
                Some(to).filter(|_| is_complete && is_named_for_it && !is_size)
            }
            _ => None,
        }
    }

    /// The first of several arrays that share a length: `(const double *a, const double *b, size_t n)`. Strings and
    /// bytes never share one.
    fn first_of(&self, last: usize, length: usize) -> usize {
        let element = |index: usize| pointee(self.declarations, self.ty.params[index].ty);
        let Some(to) = element(last) else { return last };
        let is_number = match self.declarations.types.get(to.ty) {
            Type::Primitive(kind) => {
                is_counting(*kind) || (Primitive::Float..=Primitive::LongDouble).contains(kind)
            }
            _ => false,
        };
        if !is_number || is_length_of(&self.names[length], &self.names[last]) {
            return last;
        }
        let is_same = |index: &usize| {
            element(*index).is_some_and(|other| {
                other.ty == to.ty && matches!(other.quals, Qualifiers::NONE | Qualifiers::CONST)
            })
        };
        (0..last).rev().take_while(is_same).last().unwrap_or(last)
    }

    fn length(&self, first: usize, index: usize) -> Parameter {
        let array = &self.names[first];
        let to = spell(
            self.declarations,
            QualType::plain(self.ty.params[index].ty),
            "",
        );
        let before = self.names[first + 1..index].iter().map(|other| {
            format!("detail::same_length({array}.size(), {other}.size(), \"{array} and {other}\");")
        });
        Parameter {
            declaration: None,
            before: before.collect(),
            argument: format!("detail::length<{to}>({array}.size(), \"{array}\")"),
            needs_span: false,
        }
    }
}

/// The C++ type of an array.
fn view_of(to: &QualType, arrays: &Arrays<'_>, index: usize) -> String {
    let ty = arrays.ty.params[index].ty;
    let to = pointee(arrays.declarations, ty).unwrap_or(*to);
    if is_char_pointer(arrays.declarations, ty, true) {
        return "std::string_view".into();
    }
    match arrays.declarations.types.get(to.ty) {
        Type::Void if is_const(to) => "std::span<const std::byte>".into(),
        Type::Void => "std::span<std::byte>".into(),
        _ => format!("std::span<{}>", spell(arrays.declarations, to, "").trim()),
    }
}
