//! Names that a plugin should not export, because the C library or libpython has them.

use keelback_cdef::{Diagnostic, Function, FunctionOrigin};

use super::taken::Taken;
use crate::plugin::Plugin;
use crate::problem::Problem;
use crate::spec::ExportRule;

pub(super) fn check(plugin: &Plugin, problems: &mut Vec<Problem>) {
    let insisted = match &plugin.spec.exports {
        ExportRule::Any => return,
        ExportRule::OfCommandLine(names) | ExportRule::OfBuilder(names) => names,
    };
    let exported: Vec<(&str, &Function)> = plugin
        .declarations
        .functions
        .iter()
        .filter(|function| function.origin == FunctionOrigin::Exported)
        .map(|function| {
            let name = function.label.unwrap_or(function.name);
            (plugin.declarations.text(name), function)
        })
        .collect();
    let idle = insisted
        .iter()
        .filter(|name| exported.iter().all(|(exported, _)| exported != name));
    problems.extend(idle.map(|name| no_effect(&plugin.spec.exports, name)));
    if exported.is_empty() {
        return;
    }
    let taken = Taken::read();
    for (name, function) in exported {
        if let Some(library) = taken.library_of(name)
            && insisted.iter().all(|insisted| insisted != name)
        {
            problems.push(refusal(plugin, function, name, library));
        }
    }
}

fn no_effect(rule: &ExportRule, name: &str) -> Problem {
    let option = match rule {
        ExportRule::OfBuilder(_) => format!("embedding_api(export='{name}')"),
        _ => format!("--export {name}"),
    };
    Problem::Plugin {
        severity: keelback_cdef::Severity::Warning,
        message: format!("{option} has no effect: no exported function has that name"),
        hint: None,
        error_value_of: None,
    }
}

fn refusal(plugin: &Plugin, function: &Function, name: &str, library: &str) -> Problem {
    let insist = match plugin.spec.exports {
        ExportRule::OfBuilder(_) => format!("embedding_api(..., export='{name}')"),
        _ => format!("--export {name}"),
    };
    let message = format!("the library would export '{name}', which {library} has");
    let mut error = Diagnostic::at(&plugin.declarations, function.span, message);
    error.hint = Some(
        format!(
            "what others in the process call '{name}' might then be this: rename it, choose the functions with {}, or \
             insist with {insist}",
            match plugin.spec.exports {
                ExportRule::OfBuilder(_) => "header(only=)",
                _ => "--only",
            }
        )
        .into(),
    );
    Problem::from(error)
}
