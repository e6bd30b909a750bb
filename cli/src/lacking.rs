//! A prelude that lacks types of the interface causes many compiler errors: one message in front of them names the
//! types.

use keelback_cdef::header::mentions;
use keelback_cdef::{Declarations, ParseOptions};

use crate::diagnostic::Diagnostic;

/// Compilers' texts in front of the name of an unknown type.
const BEFORE: &[&str] = &[
    "unknown type name ",
    "invalid use of undefined type ",
    "dereferencing pointer to incomplete type ",
    "invalid application of 'sizeof' to incomplete type ",
    "invalid application of 'sizeof' to an incomplete type ",
    "incomplete definition of type ",
    "expected specifier-qualifier-list before ",
    "use of undeclared identifier ",
];
/// Compilers' texts behind the name of an unknown type.
const BEHIND: &[&str] = &[
    " declared inside parameter list",
    " does not name a type",
    " was not declared in this scope",
    " has incomplete type",
    " undeclared here (not in a function)",
    " undeclared (first use in this function)",
];

/// The types that the compiler misses and the declarations name, in the order of its messages.
fn types(said: &str, cdefs: &[(String, String)]) -> Vec<String> {
    let said = said.replace(['\u{2018}', '\u{2019}'], "'");
    let mut found: Vec<String> = Vec::new();
    // An unknown name need not be a type: the declarations decide.
    let mut declarations = Declarations::default();
    let options = ParseOptions {
        of_headers: true,
        override_: true,
        other_macros: true,
        ..ParseOptions::default()
    };
    for (_, text) in cdefs {
        let _ = declarations.parse(text, &options);
    }
    for line in said.lines() {
        let before = BEFORE.iter().filter_map(|text| {
            let (_, rest) = line.split_once(text)?;
            rest.strip_prefix('\'')?.split('\'').next()
        });
        let behind = BEHIND.iter().filter_map(|text| {
            let (front, _) = line.split_once(text)?;
            front.strip_suffix('\'')?.rsplit('\'').next()
        });
        for name in before.chain(behind) {
            // `struct point`: its tag.
            let word = name.rsplit(' ').next().unwrap_or(name);
            let is_ours = !word.starts_with("keelback_")
                && cdefs.iter().any(|(_, text)| mentions(text, word));
            if is_ours
                && !found.iter().any(|known| known == name)
                && declarations.parse_type(name).is_ok()
            {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// The message, if types are missing. `said`: the compiler's output; `prelude`: the prelude's name; `cdefs`: names and
/// texts of the files with declarations.
pub fn error(said: &str, prelude: &str, cdefs: &[(String, String)]) -> Option<Diagnostic> {
    let types = types(said, cdefs);
    let last = types.last()?;
    let list = match &types[..types.len() - 1] {
        [] => format!("the type {last}"),
        others => format!("the types {} and {last}", others.join(", ")),
    };
    let header = cdefs.iter().find_map(|(name, _)| {
        let name = std::path::Path::new(name).file_name()?.to_str()?;
        name.ends_with(".h").then_some(name)
    });
    let hint = match header {
        Some(name) => {
            format!("`#include \"{name}\"` in it, or the header of the library that has them")
        }
        None => "define them in it, or include the header that has them".to_owned(),
    };
    let message = format!(
        "{prelude} lacks {list}, which the declarations name: with a prelude, the types come from it"
    );
    Some(Diagnostic::error("prelude-lacks-types", message).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::types;

    #[test]
    fn what_compilers_say() {
        let cdefs = [(
            "api.h".to_owned(),
            "typedef struct { int x; } point_t; point_t *f(struct shape *s, int o);".to_owned(),
        )];
        for (said, name) in [
            ("api.h:1:1: error: unknown type name 'point_t'", "point_t"),
            (
                "api.h:1:1: error: unknown type name \u{2018}point_t\u{2019}; did you mean",
                "point_t",
            ),
            (
                "x.c:1: warning: 'struct shape' declared inside parameter list will",
                "struct shape",
            ),
            (
                "x.c:1: error: invalid use of undefined type 'struct shape'",
                "struct shape",
            ),
            (
                "x.c:1: error: incomplete definition of type 'struct shape'",
                "struct shape",
            ),
            ("x.c:1: error: 'point_t' does not name a type", "point_t"),
        ] {
            assert_eq!(types(said, &cdefs), [name], "{said}");
            assert_eq!(types(&format!("{said}\n{said}"), &cdefs), [name], "{said}");
        }
        for said in [
            "a.c:1: error: unknown type name 'size'",
            "a.c:1: error: 'f' undeclared here (not in a function)",
        ] {
            assert!(types(said, &cdefs).is_empty(), "{said}");
        }
    }
}
