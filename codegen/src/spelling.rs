//! Types as C spells them in a generated file that also compiles as C++.

use keelback_cdef::{
    CallingConvention, Declarations, FunctionType, Primitive, QualType, Type, TypeId, TypeTable,
};

use crate::c_text::replace_word;

/// The prefix of the macros for array lengths that only the compiler knows; the array's number follows.
pub(crate) const LENGTH: &str = "KEELBACK_LENGTH_";

/// The declaration of `name` with this type: `int *(*name)[5]`. An empty name gives the type's name.
pub(crate) fn declare(declarations: &Declarations, ty: QualType, name: &str) -> String {
    let text = declarations.generated_declaration(ty, name, LENGTH);
    // C++ has no `_Bool`.
    if !text.contains('_') {
        return text;
    }
    replace_word(&text, "_Bool", "keelback_bool_t")
}

/// The declarations of a function's parameters, called `arg0`, `arg1`...
pub(crate) fn parameters(declarations: &Declarations, function: &FunctionType) -> Vec<String> {
    let name = |index| format!("arg{index}");
    function
        .params
        .iter()
        .enumerate()
        .map(|(index, ty)| declare(declarations, QualType::plain(ty.ty), &name(index)))
        .collect()
}

/// `name(int arg0, char *arg1)`
fn with_parameters(function: &FunctionType, name: &str, parameters: &[String]) -> String {
    let mut parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
    if function.variadic {
        parameters.push("...");
    }
    if parameters.is_empty() {
        parameters.push("void");
    }
    let convention = match function.convention {
        CallingConvention::Stdcall if cfg!(all(windows, target_arch = "x86")) => "__stdcall ",
        _ => "",
    };
    format!("{convention}{name}({})", parameters.join(", "))
}

/// A function's declaration, its parameters called `arg0`, `arg1`...
pub(crate) fn declare_function(
    declarations: &Declarations,
    function: &FunctionType,
    name: &str,
) -> String {
    declare_function_with(
        declarations,
        function,
        name,
        &parameters(declarations, function),
    )
}

/// [`declare_function`] with its [`parameters`].
pub(crate) fn declare_function_with(
    declarations: &Declarations,
    function: &FunctionType,
    name: &str,
    parameters: &[String],
) -> String {
    let declarator = with_parameters(function, name, parameters);
    declare(
        declarations,
        QualType::plain(function.result.ty),
        &declarator,
    )
}

/// Whether a slot holds a pointer to the value instead of the value: it may not fit in 8 bytes, or may be passed in
/// different kinds of registers.
pub(crate) fn by_pointer(types: &TypeTable, ty: TypeId) -> bool {
    matches!(
        types.get(ty),
        Type::Record(_)
            | Type::Primitive(
                Primitive::LongDouble
                    | Primitive::Int128
                    | Primitive::UInt128
                    | Primitive::FloatComplex
                    | Primitive::DoubleComplex
                    | Primitive::LongDoubleComplex
            )
    )
}

/// Whether the type is or contains a complex type or an integer of 128 bits, which are extensions in C++.
pub(crate) fn has_extension(types: &TypeTable, ty: TypeId) -> bool {
    match types.get(ty) {
        Type::Primitive(primitive) => matches!(
            primitive,
            Primitive::FloatComplex
                | Primitive::DoubleComplex
                | Primitive::LongDoubleComplex
                | Primitive::Int128
                | Primitive::UInt128
        ),
        Type::Pointer(to) => has_extension(types, to.ty),
        Type::Array { item, .. } => has_extension(types, item.ty),
        Type::Function(function) => {
            has_extension(types, function.result.ty)
                || function
                    .params
                    .iter()
                    .any(|param| has_extension(types, param.ty))
        }
        _ => false,
    }
}
