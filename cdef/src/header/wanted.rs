//! Tells headers, which must be preprocessed, from plain cdefs.

use crate::declarations::Declarations;
use crate::message;
use crate::parser::ParseOptions;

/// Whether a text has directives that only a preprocessor understands: `#include`, conditionals, `#undef`, macros with
/// parameters, line markers.
pub fn is_preprocessed(text: &str) -> bool {
    directives(text).any(|line| {
        let name = first_word(line);
        let rest = line[name.len()..].trim_start();
        match name {
            "" => line.starts_with(|c: char| c.is_ascii_digit()),
            "define" => {
                let macro_name = first_word(rest);
                rest[macro_name.len()..].starts_with('(')
            }
            "pragma" => first_word(rest) == "once",
            "include" | "include_next" | "import" | "if" | "ifdef" | "ifndef" | "elif"
            | "elifdef" | "elifndef" | "else" | "endif" | "undef" | "error" | "warning"
            | "line" | "embed" | "ident" => true,
            _ => false,
        }
    })
}

/// Whether a text has macros that a plain cdef refuses because they do not stand for an integer.
pub fn has_other_macros(text: &str) -> bool {
    let options = ParseOptions {
        of_headers: true,
        ..ParseOptions::default()
    };
    // Parse only if there is a `#define` at all.
    directives(text).any(|line| first_word(line) == "define")
        && Declarations::default()
            .parse(text, &options)
            .is_err_and(|errors| errors.iter().any(message::is_bad_define))
}

/// Whether a text contains a name as a whole word.
pub fn mentions(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let behind = text[at + name.len()..].chars().next();
            !before.is_some_and(is_part) && !behind.is_some_and(is_part)
        })
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let word = &text[..end.unwrap_or(text.len())];
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        ""
    } else {
        word
    }
}

/// The text behind the `#` of each directive. Comments in front of the `#` are skipped, and a `#` inside a comment or
/// string is none.
fn directives(text: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    let mut line_is_empty = true;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        while at < bytes.len() {
            match bytes[at] {
                b'/' if bytes[at + 1..].starts_with(b"*") => {
                    at = text[at + 2..]
                        .find("*/")
                        .map_or(text.len(), |length| at + 2 + length + 2);
                    continue;
                }
                b'/' if bytes[at + 1..].starts_with(b"/") => {
                    at = end_of_line(text, at);
                    continue;
                }
                b'#' if line_is_empty => {
                    let start = at + 1;
                    at = end_of_line(text, at);
                    line_is_empty = false;
                    return Some(text[start..at].trim_start_matches([' ', '\t']));
                }
                quote @ (b'"' | b'\'') => {
                    line_is_empty = false;
                    at = end_of_quote(bytes, at, quote);
                    continue;
                }
                b'\n' => line_is_empty = true,
                b' ' | b'\t' | b'\r' => {}
                _ => line_is_empty = false,
            }
            at += 1;
        }
        None
    })
}

fn end_of_line(text: &str, at: usize) -> usize {
    text[at..]
        .find('\n')
        .map_or(text.len(), |length| at + length)
}

fn end_of_quote(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\n' => return end,
            b'\\' => end += 1,
            _ if byte == quote => return end + 1,
            _ => {}
        }
        end += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::{has_other_macros, is_preprocessed, mentions};

    #[test]
    fn texts_that_are_headers() {
        for text in [
            "#include <stdio.h>\n",
            "/* a */ # /* b */\n#  ifdef X\n#endif",
            "int a;\n#if 1\n#endif",
            "#define F(x) x\n",
            "#undef A",
            "# 1 \"api.h\"\n",
            "#line 3\n",
            "#pragma once\n",
            "#error no\n",
            "'\\''\n#else\n",
        ] {
            assert!(is_preprocessed(text), "{text}");
        }
        for text in [
            "",
            "int f(void); // #include\n",
            "/*\n#include <stdio.h>\n*/ int f(void);",
            "#define A 1\n#define B (A)\n#define C ...\n#pragma pack(1)\n#\n",
            "struct s { int a; ...; };\nchar *s = \"\\\" \\\n#if\";",
            "int a; #include\n",
        ] {
            assert!(!is_preprocessed(text), "{text}");
        }
    }

    #[test]
    fn macros_that_are_no_integers() {
        assert!(has_other_macros("#define API\nAPI int f(void);"));
        assert!(has_other_macros("#define NAME \"x\"\n"));
        assert!(!has_other_macros("#define A (1 + B)\n#define B 2\n"));
        // Errors other than bad macros do not count.
        assert!(!has_other_macros("#define A 1\nint f(;"));
    }

    #[test]
    fn words() {
        assert!(mentions("int API f;", "API") && mentions("X", "X"));
        assert!(!mentions("int API_f;", "API") && !mentions("a", ""));
    }
}
