//! Which attributes and pragmas of a cdef are repeated in generated text: those that the library implements too.

use std::ops::Range;

use keelback_cdef::{Target, is_attribute_of_headers, is_known_pragma};

use crate::c_text::{Token, TokenKind};

/// The index behind the attributes that start at `index`: `__attribute__((...))`, `__declspec(...)`, `[[...]]`. `None`
/// where none start.
pub(crate) fn attributes_end(text: &str, tokens: &[Token], index: usize) -> Option<usize> {
    let is = |at: usize, punctuation| tokens.get(at).is_some_and(|token| token.is(punctuation));
    let first = &tokens[index];
    let word = &text[first.range.clone()];
    let open = match word {
        "__attribute__" | "__attribute" if is(index + 1, b'(') => index + 1,
        "__declspec" | "_declspec" if is(index + 1, b'(') => index + 1,
        "[" if is(index + 1, b'[') => index,
        _ => return None,
    };
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            TokenKind::Punctuation(b'(' | b'[') => depth += 1,
            TokenKind::Punctuation(b')' | b']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// One attribute specifier (all its tokens) without the attributes that are not repeated; `None` if all are repeated.
pub(crate) fn repeated_attributes(text: &str, tokens: &[Token], target: &Target) -> Option<String> {
    let is_opening = |token: &&Token| token.is(b'(') || token.is(b'[');
    let named = usize::from(tokens[0].kind == TokenKind::Word);
    let brackets = tokens[named..]
        .iter()
        .take(2)
        .take_while(is_opening)
        .count();
    let first = named + brackets;
    let inside = &tokens[first..tokens.len() - brackets];
    let entries = entries(inside);
    let kept: Vec<&str> = entries
        .iter()
        .filter(|entry| is_attribute_of_headers(&text[entry.name.clone()], target))
        .map(|entry| &text[entry.whole.clone()])
        .collect();
    if kept.len() == entries.len() {
        return None;
    }
    if kept.is_empty() {
        return Some(String::new());
    }
    let text_of = |tokens: &[Token]| match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => &text[first.range.start..last.range.end],
        _ => "",
    };
    let opening = text_of(&tokens[..first]);
    let closing = text_of(&tokens[tokens.len() - brackets..]);
    let separator = if opening.contains("declspec") {
        " "
    } else {
        ", "
    };
    Some(format!("{opening}{}{closing}", kept.join(separator)))
}

/// An attribute inside its brackets.
struct Entry {
    name: Range<usize>,
    whole: Range<usize>,
}

fn entries(tokens: &[Token]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut depth = 0usize;
    // A name continues behind `::`.
    let mut goes_on = false;
    for token in tokens {
        match token.kind {
            TokenKind::Word if depth == 0 && !goes_on => entries.push(Entry {
                name: token.range.clone(),
                whole: token.range.clone(),
            }),
            TokenKind::Word if depth == 0 => {
                if let Some(entry) = entries.last_mut() {
                    entry.name = token.range.clone();
                }
            }
            TokenKind::Punctuation(b'(' | b'[') => depth += 1,
            TokenKind::Punctuation(b')' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        goes_on = depth == 0 && token.is(b':');
        if !(depth == 0 && token.is(b','))
            && let Some(entry) = entries.last_mut()
        {
            entry.whole.end = token.range.end;
        }
    }
    entries
}

/// The words of a `#pragma` line, `_Pragma("...")` or `__pragma(...)`; `None` for another directive.
pub(crate) fn pragma_words(line: &str) -> Option<&str> {
    if let Some(directive) = line.strip_prefix('#') {
        let words = directive.trim_start().strip_prefix("pragma")?;
        return (!words.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
            .then(|| words.trim());
    }
    let inside = line.split_once('(')?.1.strip_suffix(')')?.trim();
    Some(inside.trim_start_matches('L').trim_matches('"').trim())
}

/// The pragma in generated text. Of the operators only `pack` is repeated, as every compiler takes it. `pack` is what
/// the structs of the text are packed to without a pragma.
pub(crate) fn repeated_pragma(line: &str, pack: Option<u32>) -> Option<String> {
    let words = pragma_words(line)?;
    let is_operator = !line.starts_with('#');
    let Some(arguments) = pack_arguments(words) else {
        return (!is_operator && is_known_pragma(words)).then(|| line.to_owned());
    };
    let words = match pack {
        // An empty `pack()` would also undo the packing of the options.
        Some(pack) if arguments.is_empty() => format!("pack({pack})"),
        _ if !is_operator => return Some(line.to_owned()),
        _ => words.to_owned(),
    };
    Some(if is_operator {
        format!("_Pragma(\"{words}\")")
    } else {
        format!("#pragma {words}")
    })
}

/// Whether the directive is a `pack` pragma.
pub(crate) fn is_pack(line: &str) -> bool {
    pragma_words(line).and_then(pack_arguments).is_some()
}

fn pack_arguments(words: &str) -> Option<&str> {
    let arguments = words.strip_prefix("pack")?.trim();
    Some(arguments.strip_prefix('(')?.strip_suffix(')')?.trim())
}

/// What the `pack` pragmas of a text have done so far.
#[derive(Default)]
pub(crate) struct PackState {
    is_set: bool,
    stack: Vec<bool>,
}

impl PackState {
    /// Records the effect of a directive.
    pub(crate) fn pass(&mut self, line: &str) {
        let Some(arguments) = pragma_words(line).and_then(pack_arguments) else {
            return;
        };
        if arguments.is_empty() {
            self.is_set = false;
        }
        for word in arguments.split(',').map(str::trim) {
            match word {
                "push" => self.stack.push(self.is_set),
                "pop" => self.is_set = self.stack.pop().unwrap_or(false),
                _ if word.starts_with(|c: char| c.is_ascii_digit()) => self.is_set = word != "0",
                _ => {}
            }
        }
    }

    /// Whether the pragmas so far have an effect on the text behind them.
    pub(crate) fn is_changed(&self) -> bool {
        self.is_set || !self.stack.is_empty()
    }

    /// The number of `push` without a `pop`.
    pub(crate) fn open_pushes(&self) -> usize {
        self.stack.len()
    }
}

/// `pack` pragmas that are written only when a declaration follows, for texts of which only parts are written.
#[derive(Default)]
pub(crate) struct WaitingPacks {
    lines: Vec<String>,
}

impl WaitingPacks {
    /// Adds a pragma. A `push` and `pop` with nothing in between are dropped.
    pub(crate) fn push(&mut self, line: String) {
        let is = |line: &str, word: &str| {
            let arguments = pragma_words(line).and_then(pack_arguments);
            arguments.is_some_and(|text| text.split(',').any(|part| part.trim() == word))
        };
        if is(&line, "pop")
            && let Some(at) = self.lines.iter().rposition(|line| is(line, "push"))
        {
            self.lines.truncate(at);
        } else {
            self.lines.push(line);
        }
    }

    /// Takes the pragmas, to be written in front of a declaration.
    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}
