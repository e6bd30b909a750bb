//! C's inside-out spelling: a type's name is its text and the position where a declarator goes.

/// `name` with `extra` put where a declarator goes: (`int[5]`, 3, `*`) gives `int(*)[5]` through
/// [`pointer_name`], (`char[80]`, 4, ` a`) gives `char a[80]`.
pub fn declarator(name: &str, position: usize, extra: &str) -> String {
    let mut text = String::with_capacity(name.len() + extra.len());
    text.push_str(&name[..position]);
    text.push_str(extra);
    text.push_str(&name[position..]);
    text
}

/// The name of a pointer to a type of this name. `binds_tighter`: the type is an array or a function, whose suffix
/// would otherwise bind before the `*` (C11 6.7.6).
pub(super) fn pointer_name(name: &str, position: usize, binds_tighter: bool) -> (Box<str>, usize) {
    let extra = if binds_tighter { "(*)" } else { " *" };
    (declarator(name, position, extra).into(), position + 2)
}

/// The name of an array of a type of this name; `None` length prints as `[]`.
pub(super) fn array_name(name: &str, position: usize, length: Option<u64>) -> (Box<str>, usize) {
    let extra = match length {
        Some(length) => format!("[{length}]"),
        None => "[]".to_string(),
    };
    (declarator(name, position, &extra).into(), position)
}

/// The name of a function: result's name and position, the parameters' names.
pub(super) fn function_name<'a>(
    result: &str,
    position: usize,
    params: impl Iterator<Item = &'a str>,
    variadic: bool,
) -> (Box<str>, usize) {
    let mut list: Vec<&str> = params.collect();
    if variadic {
        list.push("...");
    }
    (
        declarator(result, position, &format!("({})", list.join(", "))).into(),
        position,
    )
}
