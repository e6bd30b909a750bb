//! `--error-type TYPE=VALUE`: what all functions that return a type return when Python cannot be started.

use std::collections::{HashMap, HashSet};

use keelback_cdef::{Declarations, Function, FunctionType, Type};

use super::start_errors::start_error;
use crate::c_text::{Token, TokenKind, tokens};
use crate::plugin::Plugin;
use crate::problem::Problem;
use crate::repeated::attributes_end;
use crate::spec::StartError;

/// The start errors of functions that follow from their types, and the problems with these values.
pub(super) fn of_functions(plugin: &Plugin) -> (Vec<StartError>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut found_values = Vec::new();
    if plugin.spec.type_errors.is_empty() {
        return (found_values, problems);
    }
    let spellings = Spellings::of(plugin);
    let mut declarations = plugin.declarations.clone();
    // For each function, the type as which a value was found for it.
    let mut known: HashMap<&str, &str> = HashMap::new();
    for error in &plugin.spec.type_errors {
        let mut same = None;
        let mut found: Option<&FunctionType> = None;
        let wanted = Wanted::of(&mut declarations, &error.function);
        for (function, ty) in plugin.callbacks() {
            if !wanted.is_result_of(plugin, &spellings, function, ty) {
                continue;
            }
            found = Some(ty);
            let name = plugin.declarations.types.text(function.name);
            same = same.or(known.insert(name, &error.function));
            found_values.push(StartError {
                function: name.to_owned(),
                value: error.value.clone(),
            });
        }
        if let Some(other) = same {
            problems.push(given_twice(other, &error.function));
        }
        match found {
            None => problems.push(no_function(plugin, &spellings, &error.function)),
            Some(ty) => {
                // The messages of `start_error` contain the type, for which the value is given.
                let result = plugin.declarations.types.get(ty.result.ty);
                if *result != Type::Void {
                    problems.extend(start_error(&mut declarations, result, error).err());
                } else {
                    problems.push(no_function(plugin, &spellings, &error.function));
                }
            }
        }
    }
    (found_values, problems)
}

/// Applies the values to the functions that have no start error of their own.
pub(super) fn take(plugin: &mut Plugin, of_types: Vec<StartError>) {
    let own: HashSet<String> = plugin
        .spec
        .start_errors
        .iter()
        .map(|error| error.function.clone())
        .collect();
    let others = of_types.into_iter();
    let others = others.filter(|error| !own.contains(&error.function));
    plugin.spec.start_errors.extend(others);
}

fn given_twice(one: &str, other: &str) -> Problem {
    let message = if one == other {
        format!("two error values are given for the type '{one}'")
    } else {
        format!("'{one}' and '{other}' are the same type, and an error value is given for each")
    };
    Problem::error(message, "leave one out").about_error_value(other)
}

fn no_function(plugin: &Plugin, spellings: &Spellings<'_>, ty: &str) -> Problem {
    let mut results: Vec<String> = Vec::new();
    for (function, ty) in plugin.callbacks() {
        let spelled = spellings
            .result_of(function)
            .unwrap_or_else(|| plugin.declarations.c_declaration(ty.result, ""));
        if spelled != "void" && !results.contains(&spelled) {
            results.push(spelled);
        }
    }
    let hint = if results.is_empty() {
        "no exported function returns anything".to_owned()
    } else {
        format!("they return: {}", results.join(", "))
    };
    Problem::error(
        format!("an error value is given for the type '{ty}', but no exported function returns it"),
        hint,
    )
    .about_error_value(ty)
}

/// The type that a value is given for.
struct Wanted {
    /// Its words (keywords, names, stars), without qualifiers.
    words: String,
    /// The parsed type, if it is no typedef: `unsigned` and `unsigned int` are the same type.
    ty: Option<String>,
}

impl Wanted {
    fn of(declarations: &mut Declarations, text: &str) -> Self {
        let all = tokens(text);
        let plain = !names_typedef(declarations, text, &all);
        let ty = declarations.parse_type(text).ok().filter(|_| plain);
        Self {
            words: words_of(text, &all),
            ty: ty.map(|ty| unqualified(declarations, ty)),
        }
    }

    fn is_result_of(
        &self,
        plugin: &Plugin,
        spellings: &Spellings<'_>,
        function: &Function,
        ty: &FunctionType,
    ) -> bool {
        let spelled = spellings.result_of(function);
        if spelled.as_deref() == Some(&self.words) {
            return true;
        }
        let declarations = &plugin.declarations;
        let is_typedef = spelled
            .as_deref()
            .is_some_and(|text| names_typedef(declarations, text, &tokens(text)));
        !is_typedef && self.ty == Some(unqualified(declarations, ty.result))
    }
}

/// The C spelling of the type without any qualifiers.
fn unqualified(declarations: &Declarations, ty: keelback_cdef::QualType) -> String {
    let text = declarations.c_declaration(ty, "");
    words_of(&text, &tokens(&text))
}

fn names_typedef(declarations: &Declarations, text: &str, all: &[Token]) -> bool {
    let words = all.iter().filter(|token| token.kind == TokenKind::Word);
    words
        .map(|token| &text[token.range.clone()])
        .any(|word| declarations.lookup_typedef(word).is_some())
}

/// The words and stars of a type with one space between them, without words that do not matter for a value.
fn words_of(text: &str, all: &[Token]) -> String {
    let words: Vec<&str> = all
        .iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .map(|token| &text[token.range.clone()])
        .filter(|word| !is_idle(word))
        .collect();
    words.join(" ")
}

fn is_idle(word: &str) -> bool {
    matches!(
        word,
        "const"
            | "volatile"
            | "extern"
            | "static"
            | "inline"
            | "__inline"
            | "__inline__"
            | "__extension__"
            | "restrict"
            | "__restrict"
            | "__const"
    )
}

/// How the declarations spell the types of results.
struct Spellings<'a> {
    /// The text of each cdef, and its tokens without comments.
    texts: Vec<(&'a str, Vec<Token>)>,
}

impl<'a> Spellings<'a> {
    fn of(plugin: &'a Plugin) -> Self {
        let without_comments = |text| {
            let mut all = tokens(text);
            all.retain(|token| token.kind != TokenKind::Comment);
            all
        };
        let texts = plugin.spec.cdefs.iter().map(|cdef| &*cdef.text);
        Self {
            texts: texts.map(|text| (text, without_comments(text))).collect(),
        }
    }

    /// The result's type as the declaration spells it: `kv_status`, `char *`. `None` where the type stands on both
    /// sides of the name.
    fn result_of(&self, function: &Function) -> Option<String> {
        let (text, all) = self.texts.get(function.span.source.0 as usize)?;
        let start = function.span.start as usize;
        let name = all
            .binary_search_by_key(&start, |token| token.range.start)
            .ok()?;
        spelled_result(text, all, name)
    }
}

/// The same for the function whose name is that token of the text.
fn spelled_result(text: &str, all: &[Token], name: usize) -> Option<String> {
    let first = start_of_declaration(all, name);
    // The specifiers are the words up to the first declarator, whose name is the last of them unless a star is before it.
    let mut specifiers: Vec<&str> = Vec::new();
    let mut at = first;
    while at <= name {
        if let Some(end) = attributes_end(text, all, at) {
            at = end;
            continue;
        }
        if all[at].kind != TokenKind::Word {
            break;
        }
        specifiers.push(&text[all[at].range.clone()]);
        at += 1;
    }
    if !all.get(at).is_some_and(|token| token.is(b'*')) {
        specifiers.pop();
    }
    let mut stars = 0;
    for token in all[first..name].iter().rev() {
        let word = &text[token.range.clone()];
        if token.is(b'*') {
            stars += 1;
        } else if !is_idle(word) {
            break;
        }
    }
    // A name in parentheses: a function that returns a function's or an array's address.
    if all
        .get(name.wrapping_sub(stars + 1))
        .is_some_and(|token| token.is(b'('))
    {
        return None;
    }
    specifiers.retain(|word| !is_idle(word));
    specifiers.extend(std::iter::repeat_n("*", stars));
    (!specifiers.is_empty()).then(|| specifiers.join(" "))
}

/// The first token of the declaration that has the token `name`.
fn start_of_declaration(all: &[Token], name: usize) -> usize {
    let ends = |token: &Token| {
        matches!(
            token.kind,
            TokenKind::Directive | TokenKind::Punctuation(b';' | b'{' | b'}')
        )
    };
    all[..name].iter().rposition(ends).map_or(0, |end| end + 1)
}
