//! Reserved words, words of standard headers, integer constants, blank lines.

use std::collections::{BTreeSet, HashSet};

use keelback_cdef::Declarations;

use crate::c_text::{TokenKind, is_c_keyword, is_cpp_keyword, tokens};

/// Whether a word may name a parameter in a cdef, but is reserved in some C or C++.
pub(crate) fn is_reserved_name(word: &str) -> bool {
    match word {
        "char8_t" | "char16_t" | "char32_t" | "wchar_t" => false,
        "alignas" | "alignof" | "asm" | "constexpr" | "false" | "nullptr" | "static_assert"
        | "thread_local" | "true" | "typeof" | "typeof_unqual" => is_c_keyword(word),
        _ => is_cpp_keyword(word),
    }
}

/// A C expression with this value, in parentheses where a macro needs them.
pub(crate) fn integer(value: i128) -> String {
    if value == i128::from(i64::MIN) {
        "(-9223372036854775807LL - 1)".to_owned()
    } else if i64::try_from(value).is_err() && u64::try_from(value).is_err() {
        let (high, low) = (value >> 64, value as u64);
        format!("(__extension__ ((__int128)({high}LL) * ((__int128)1 << 64) + {low}ULL))")
    } else if value < 0 {
        format!("({value})")
    } else if value > i128::from(i64::MAX) {
        format!("{value}ULL")
    } else {
        value.to_string()
    }
}

/// The standard headers that the text's words come from, except for words that the declarations define.
pub(crate) fn includes(declarations: &Declarations, text: &str) -> BTreeSet<&'static str> {
    let defined: HashSet<&str> = declarations
        .typedefs
        .iter()
        .map(|typedef| declarations.types.text(typedef.name))
        .collect();
    tokens(text)
        .into_iter()
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::Directive))
        .flat_map(|token| match token.kind {
            TokenKind::Directive => {
                let line = &text[token.range.start + 1..token.range.end];
                tokens(line)
                    .into_iter()
                    .map(|inner| &line[inner.range])
                    .collect()
            }
            _ => vec![&text[token.range]],
        })
        .filter(|word| !defined.contains(word))
        .filter_map(header_of)
        .collect()
}

pub(super) fn header_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "bool" | "true" | "false" => "stdbool.h",
        "size_t" | "ptrdiff_t" | "wchar_t" | "NULL" => "stddef.h",
        "char16_t" | "char32_t" => "uchar.h",
        "ssize_t" => "sys/types.h",
        "FILE" => "stdio.h",
        "va_list" => "stdarg.h",
        _ => {
            let stem = word.strip_prefix('u').unwrap_or(word).strip_suffix("_t")?;
            let digits = stem
                .strip_prefix("int_least")
                .or_else(|| stem.strip_prefix("int_fast"))
                .or_else(|| stem.strip_prefix("int"))?;
            if !matches!(digits, "8" | "16" | "32" | "64" | "ptr" | "max") {
                return None;
            }
            "stdint.h"
        }
    })
}

/// `L"text"`, also several beside each other.
pub(super) fn is_wide_text(body: &str) -> bool {
    let all = tokens(body);
    let is_text = |word: &str| word.ends_with('"') || matches!(word, "L" | "u" | "U");
    !all.is_empty()
        && all
            .iter()
            .all(|token| token.kind == TokenKind::Comment || is_text(&body[token.range.clone()]))
        && body.contains('"')
}

pub(super) fn is_line_marker(line: &str) -> bool {
    line.strip_prefix("# ")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// At most one blank line in a row, none at the ends; no line markers.
pub(super) fn collapse_blank_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.trim().lines() {
        let line = line.trim_end();
        if line.is_empty() {
            blank += 1;
            continue;
        }
        // Line markers are of no use to readers.
        if is_line_marker(line) {
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        out.push_str(line);
    }
    out
}
