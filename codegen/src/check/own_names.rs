//! Declarations that have the names of what every library of keelback has: its functions, and the macro of its header.

use keelback_cdef::{FunctionOrigin, Span, Symbol};

use super::at;
use crate::plugin::Plugin;
use crate::problem::Problem;

/// NAME_start and so on.
const FUNCTIONS: [&str; 5] = ["start", "last_error", "set_error_handler", "enter", "leave"];

pub(super) fn check(plugin: &Plugin, problems: &mut Vec<Problem>) {
    if plugin.spec.flags.extension_module {
        return;
    }
    let declarations = &plugin.declarations;
    let prefix = plugin.prefix();
    let scope = format!("{}_SCOPE", prefix.to_ascii_uppercase());
    let mut look = |name: Symbol, span: Span| {
        let name = declarations.text(name);
        let is_function = name
            .strip_prefix(&*prefix)
            .and_then(|rest| rest.strip_prefix('_'))
            .is_some_and(|rest| FUNCTIONS.contains(&rest));
        let (message, hint) = if is_function {
            (
                format!(
                    "the name '{name}' is one that the library has already: every library of keelback has NAME_start, \
                     NAME_last_error, NAME_set_error_handler, NAME_enter and NAME_leave"
                ),
                "rename the function, or give the library another name",
            )
        } else if name == scope {
            (
                format!("the name '{name}' is one that the library's header has already: a macro"),
                "rename it, or give the library another name",
            )
        } else {
            return;
        };
        problems.push(at(declarations, span, message, hint));
    };
    // Functions that Python alone calls are static.
    for function in &declarations.functions {
        if function.origin != FunctionOrigin::ExternPython {
            look(function.name, function.span);
        }
    }
    for variable in &declarations.variables {
        look(variable.name, variable.span);
    }
    for constant in &declarations.constants {
        look(constant.name, constant.span);
    }
    for typedef in &declarations.typedefs {
        look(typedef.name, typedef.span);
    }
    for enumeration in &declarations.types.enums {
        for enumerator in enumeration.enumerators.iter().flatten() {
            look(enumerator.name, enumerator.span);
        }
    }
}
