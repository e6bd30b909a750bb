//! Start errors from the init code: its `def_extern(error=...)` values are also returned when Python cannot be started.

use std::collections::{HashMap, HashSet};

use keelback_cdef::{Declarations, Type};

use super::start_errors::start_error;
use crate::plugin::Plugin;
use crate::problem::Problem;
use crate::spec::{InitError, StartError};

/// Makes the error values of the init code start errors. Warns about values that cannot be used, unless the function
/// has one by its type.
pub(crate) fn take_init_errors(plugin: &mut Plugin, of_types: &[StartError]) -> Vec<Problem> {
    let mut warnings = Vec::new();
    let mut declarations = plugin.declarations.clone();
    let mut taken = Vec::new();
    let given: HashSet<&str> = plugin
        .spec
        .start_errors
        .iter()
        .map(|error| error.function.as_str())
        .collect();
    let mut by_function: HashMap<&str, Vec<&InitError>> = HashMap::new();
    for error in &plugin.spec.init_errors {
        by_function.entry(&error.function).or_default().push(error);
    }
    let by_type: HashSet<&str> = of_types
        .iter()
        .map(|error| error.function.as_str())
        .collect();
    let constants = constants(&plugin.declarations);
    let mut seen = HashSet::new();
    for (function, ty) in plugin.callbacks() {
        let name = plugin.declarations.types.text(function.name);
        let result = plugin.declarations.types.get(ty.result.ty);
        let Some(said) = by_function.get(name) else {
            continue;
        };
        let Some(last) = said.last() else { continue };
        if given.contains(name) || *result == Type::Void || !seen.insert(name) {
            continue;
        }
        // If the init code attaches a function twice with different values, only the run time decides which one counts.
        let value = last
            .value
            .as_ref()
            .filter(|_| said.iter().all(|error| error.value == last.value));
        let error = value.map(|value| StartError {
            function: name.to_owned(),
            value: value.clone(),
        });
        match error {
            Some(error)
                if names_constants(&constants, &error.value)
                    && start_error(&mut declarations, result, &error).is_ok() =>
            {
                taken.push(error);
            }
            _ if by_type.contains(name) => {}
            _ => warnings.push(unreadable(plugin, name, last.line)),
        }
    }
    plugin.spec.start_errors.extend(taken);
    warnings
}

fn unreadable(plugin: &Plugin, name: &str, line: u32) -> Problem {
    let file = plugin.spec.init.as_ref().map_or("", |init| &init.file);
    Problem::warning(
        format!(
            "the error value of '{name}' ({file}, line {line}) is none that the build can read: when Python cannot be started, '{name}' returns zero"
        ),
        format!(
            "if zero means success, give the value: --error {name}=VALUE, keelback.toml, or embedding_init_code(..., errors={{'{name}': VALUE}})"
        ),
    )
}

/// The names of the constants that C can put into a static variable.
fn constants(declarations: &Declarations) -> HashSet<&str> {
    let types = &declarations.types;
    let enumerators = types
        .enums
        .iter()
        .flat_map(|one| one.enumerators.iter().flatten())
        .map(|one| one.name);
    let constants = declarations.constants.iter().map(|one| one.name);
    constants
        .chain(enumerators)
        .map(|name| types.text(name))
        .collect()
}

/// Whether all names in the text are those of constants.
fn names_constants(constants: &HashSet<&str>, text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
        // The exponent of 1e-5 is no name, but begins with a digit; so is 0x10.
        .all(|word| constants.contains(word))
}
