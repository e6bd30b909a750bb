//! The public header of a plugin, for C and C++.

use std::collections::HashSet;

use keelback_cdef::{Layouts, RecordId};
use serde::Serialize;

use crate::c_text::{TokenKind, tokens};
use crate::declared::{Destination, declared_text};
use crate::layout_checks::{Assertion, Exact, record_assertions};
use crate::plugin::Plugin;
use crate::templates;

/// How the header is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderOptions {
    /// The include guard; `None` makes one of the module name (`GREETER_H`).
    pub guard: Option<String>,
    /// Headers to include first, spelled as behind `#include` (`<sqlite3.h>`, `"types.h"`), for types that only the
    /// prelude defines.
    pub includes: Vec<String>,
    /// Those headers contain the declarations themselves, so these are not repeated.
    pub is_kept: bool,
}

#[derive(Serialize)]
struct Context<'a> {
    keelback_version: &'static str,
    module_name: &'a str,
    guard: String,
    api_macro: String,
    user_includes: Vec<&'a str>,
    includes: Vec<&'static str>,
    uchar: bool,
    uses_extension: bool,
    declared: String,
    lifecycle: Option<String>,
    scope_macro: String,
    assertions: Vec<Assertion>,
}

impl Plugin {
    /// The public header: C99 to C23, and C++.
    pub fn header(&self, options: &HeaderOptions) -> String {
        header(self, options)
    }
}

fn header(plugin: &Plugin, options: &HeaderOptions) -> String {
    let upper = plugin.prefix().to_ascii_uppercase();
    let api_macro = format!("{upper}_API");
    let mut user_includes: Vec<&str> = options.includes.iter().map(String::as_str).collect();
    // Where the host has the declarations already, only those of batches are new.
    let cdefs = if options.is_kept {
        plugin.batch_cdef()
    } else {
        plugin.cdefs()
    };
    if !options.is_kept {
        for include in &plugin.spec.includes {
            if !user_includes.contains(&include.as_str()) {
                user_includes.push(include);
            }
        }
    }
    let declared = declared_text(
        &plugin.declarations,
        &cdefs,
        Destination::Header {
            api_macro: &api_macro,
            has_includes: !user_includes.is_empty(),
        },
    );
    let assertions = assertions(plugin, &declared.text);
    let uchar = declared.includes.contains("uchar.h");
    let mut includes = declared.includes;
    includes.remove("uchar.h");
    if !assertions.is_empty() {
        includes.insert("stddef.h");
    }
    templates::render(
        "header.h",
        Context {
            keelback_version: env!("CARGO_PKG_VERSION"),
            module_name: &plugin.spec.module_name,
            guard: options.guard.clone().unwrap_or(format!("{upper}_H")),
            api_macro,
            user_includes,
            includes: includes.into_iter().collect(),
            uchar,
            uses_extension: declared.uses_extension,
            declared: declared.text.trim_end().to_owned(),
            lifecycle: (!plugin.spec.flags.extension_module).then(|| plugin.prefix()),
            scope_macro: format!("{upper}_SCOPE"),
            assertions,
        },
    )
}

/// Assertions on the records whose bodies are in the header's text.
fn assertions(plugin: &Plugin, text: &str) -> Vec<Assertion> {
    let words: HashSet<&str> = tokens(text)
        .into_iter()
        .filter(|token| token.kind == TokenKind::Word)
        .map(|token| &text[token.range])
        .collect();
    let types = &plugin.declarations.types;
    let (mut layouts, exact) = (Layouts::new(), Exact::of(&plugin.declarations));
    (0..types.records.len())
        .map(RecordId::from_index)
        .filter(|&id| {
            let record = types.record(id);
            // Another header may declare the record otherwise to the host: do not assert.
            let cdef = plugin.spec.cdefs.get(record.span.source.0 as usize);
            let is_included = cdef.is_some_and(|cdef| cdef.included);
            let name = record.tag.or(record.typedef_name);
            name.filter(|_| !is_included)
                .is_some_and(|name| words.contains(types.text(name)))
        })
        .flat_map(|id| {
            // Prefer the tag: the typedef may follow later in the header.
            let record = types.record(id);
            let name = match record.tag {
                Some(tag) => Some(format!("{} {}", record.kind.keyword(), types.text(tag))),
                None => record.typedef_name.map(|name| types.text(name).to_owned()),
            };
            record_assertions(&plugin.declarations, &mut layouts, &exact, id, name)
        })
        // Leave out the sizes of members: offsets say nearly as much, and the header stays readable.
        .filter(|assertion| !assertion.condition.contains("*)0)->"))
        .map(|assertion| Assertion {
            condition: assertion
                .condition
                .replace("__builtin_offsetof", "offsetof"),
            message: "\"the library was compiled with another layout\"".into(),
            ..assertion
        })
        .collect()
}
