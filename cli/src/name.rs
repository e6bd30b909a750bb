//! Names of plugins.
use crate::diagnostic::{Diagnostic, Failure, Result};

/// Words that `from NAME import ffi` cannot have (Python's reference, "Keywords").
const PYTHON_KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Refuses a module name that is no dotted series of identifiers.
pub fn check(name: &str) -> Result<()> {
    let refuse = |why: String| {
        Err(Failure::Usage.because(
            Diagnostic::error("bad-name", why)
                .hint("the name is used in `from NAME import ffi, lib` and in the C function NAME_start: letters, digits and `_`, no digit first; dots between the parts of a package"),
        ))
    };
    for part in name.split('.') {
        let identifier = part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && part
                .bytes()
                .next()
                .is_some_and(|byte| !byte.is_ascii_digit());
        if !identifier {
            return refuse(format!("the name '{name}' is no identifier"));
        }
        if PYTHON_KEYWORDS.contains(&part) {
            return refuse(format!("the name '{name}' is a keyword of Python"));
        }
    }
    Ok(())
}

/// The name with which C symbols and files begin: `pkg_mod` of `pkg.mod`.
pub fn c_name(name: &str) -> String {
    name.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "_x9", "pkg.mod", "int"] {
            check(good).unwrap();
        }
        for bad in [
            "",
            "9a",
            "a-b",
            "a..b",
            ".a",
            "a.",
            "é",
            "a b",
            "pkg.class",
            "lib/x",
        ] {
            check(bad).unwrap_err();
        }
    }
}
