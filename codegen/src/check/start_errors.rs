//! `--error NAME=VALUE`: checks that what a function returns when Python cannot be started is of its result's type.

use std::collections::HashMap;

use keelback_cdef::{Declarations, FunctionType, Primitive, Target, Type};

use crate::plugin::Plugin;
use crate::problem::Problem;
use crate::spec::StartError;

pub(super) fn check(plugin: &Plugin, problems: &mut Vec<Problem>) {
    if plugin.spec.start_errors.is_empty() {
        return;
    }
    // Checking an expression changes the declarations for a moment, hence the copy.
    let mut declarations = plugin.declarations.clone();
    let types = &plugin.declarations.types;
    let mut functions: HashMap<&str, &FunctionType> = HashMap::new();
    for (function, ty) in plugin.callbacks() {
        functions.entry(types.text(function.name)).or_insert(ty);
    }
    for error in &plugin.spec.start_errors {
        let Some(ty) = functions.get(error.function.as_str()) else {
            let names: Vec<&str> = plugin.function_names().collect();
            problems.push(
                Problem::error(
                    format!(
                        "an error value is given for '{}', but no exported function has that name",
                        error.function
                    ),
                    format!("the functions are: {}", names.join(", ")),
                )
                .about_error_value(&error.function),
            );
            continue;
        };
        let result = types.get(ty.result.ty);
        if *result == Type::Void {
            problems.push(
                Problem::error(
                    format!(
                        "an error value is given for '{}', but that function returns nothing",
                        error.function
                    ),
                    "leave it out",
                )
                .about_error_value(&error.function),
            );
            continue;
        }
        problems.extend(start_error(&mut declarations, result, error).err());
    }
}

/// Checks that a value can be returned by a function with this result type.
pub(super) fn start_error(
    declarations: &mut Declarations,
    result: &Type,
    error: &StartError,
) -> Result<(), Problem> {
    let refuse = |why: String| {
        Problem::error(
            format!(
                "the error value '{}' of '{}' {why}",
                error.value, error.function
            ),
            EXPRESSION_HINT,
        )
        .about_error_value(&error.function)
    };
    let target = declarations.target.clone();
    form(result, &error.value, &target).map_err(refuse)?;
    let place = format!("the error value of '{}'", error.function);
    match declarations.check_initialiser(&error.value, &place) {
        Err(mut diagnostic) => {
            diagnostic.hint.get_or_insert(EXPRESSION_HINT.into());
            Err(diagnostic.into())
        }
        Ok(Some(value)) => match result {
            Type::Primitive(primitive) => integer_range(*primitive, value, &target).map_err(refuse),
            _ => Ok(()),
        },
        // Only the C compiler knows the value.
        Ok(None) => Ok(()),
    }
}

const EXPRESSION_HINT: &str = "give a constant expression of C, such as -1";

/// Refuses texts that would not be a single expression in the C file, or not one for this result type.
fn form(result: &Type, text: &str, target: &Target) -> Result<(), String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty".into());
    }
    if text.contains(['\n', '\r', '#']) || text.contains("/*") || text.contains("//") {
        return Err("is no single expression".into());
    }
    if text.starts_with('{') && !matches!(result, Type::Record(_)) {
        return Err("is a list, and the function's result is a single value".into());
    }
    if is_floating(text)
        && let Type::Primitive(primitive) = result
        && target.is_signed(*primitive).is_some()
    {
        return Err(format!("is no integer, as {} is one", primitive.name()));
    }
    if is_floating(text) && matches!(result, Type::Enum(_) | Type::Pointer { .. }) {
        return Err("is a number with a fraction, and the function's result is none".into());
    }
    Ok(())
}

/// Whether the text is a floating number, perhaps with signs and parentheses around it.
fn is_floating(text: &str) -> bool {
    let number = text.trim_matches(|c: char| c.is_whitespace() || "()+-".contains(c));
    let is_hexadecimal = number.starts_with("0x") || number.starts_with("0X");
    let exponents = if is_hexadecimal {
        ['p', 'P', '.']
    } else {
        ['e', 'E', '.']
    };
    number.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && number.contains(exponents)
        && number
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".+-".contains(c))
}

fn integer_range(primitive: Primitive, number: i128, target: &Target) -> Result<(), String> {
    let Some(is_signed) = target.is_signed(primitive) else {
        return Ok(());
    };
    let (size, _) = target.size_and_align(primitive);
    let bits = 8 * size as u32;
    let (low, high) = match (primitive, is_signed) {
        (Primitive::Bool, _) => (0, 1),
        (_, true) => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        // -1 is the customary way to write the largest value.
        (_, false) => (-1, (1i128 << bits) - 1),
    };
    if number < low || number > high {
        return Err(format!("does not fit into {}", primitive.name()));
    }
    Ok(())
}
