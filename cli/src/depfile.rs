//! Depfiles: a rule for make and ninja with the inputs of a build, as compilers write it with `-MD -MP`.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Failure, Result};

/// The rule, and an empty rule for each input, so that make rebuilds instead of failing when an input no longer exists.
pub fn text(output: &Path, inputs: &[PathBuf]) -> Result<String> {
    let mut text = name(output)? + ":";
    let names = inputs.iter().map(|input| name(input));
    let names = names.collect::<Result<Vec<String>>>()?;
    for name in &names {
        let _ = write!(text, " \\\n  {name}");
    }
    text.push('\n');
    for name in &names {
        let _ = write!(text, "\n{name}:\n");
    }
    Ok(text)
}

/// A path as make reads it; ninja reads the same.
fn name(path: &Path) -> Result<String> {
    let text = path.to_str().filter(|text| !text.contains(['\n', '\r']));
    let Some(text) = text else {
        return Err(Failure::Files.because(Diagnostic::error(
            "cannot-write",
            format!(
                "a depfile cannot name {}: it is not UTF-8, or has a line end in its name",
                path.display()
            ),
        )));
    };
    let mut name = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        match character {
            ' ' | '\t' => {
                // Backslashes in front of a blank are doubled.
                let before = text[..at].bytes().rev().take_while(|&byte| byte == b'\\');
                name.extend(std::iter::repeat_n('\\', before.count() + 1));
            }
            '#' => name.push('\\'),
            '$' => name.push('$'),
            _ => {}
        }
        name.push(character);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_make_takes_for_something_else() {
        let written = |path: &str| name(Path::new(path)).unwrap();
        assert_eq!(written("a b/c#d$e.h"), r"a\ b/c\#d$$e.h");
        assert_eq!(written(r"odd\ name"), r"odd\\\ name");
        assert!(name(Path::new("two\nlines")).is_err());
    }

    #[test]
    fn a_rule_and_empty_ones() {
        let inputs = ["api.h", "plugin.py"].map(PathBuf::from);
        assert_eq!(
            text(Path::new("libv.so"), &inputs).unwrap(),
            "libv.so: \\\n  api.h \\\n  plugin.py\n\napi.h:\n\nplugin.py:\n"
        );
    }
}
