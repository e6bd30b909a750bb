//! The header for parsers of C declarations that know no preprocessor and no attributes: PHP's FFI, CFFI's `cdef()`.

use keelback_cdef::compare::{Effect, Interface, Subject, compare};
use keelback_cdef::{Declarations, FunctionOrigin, ParseOptions, Primitive, SourceId};
use serde::Serialize;

use crate::c_text::{TokenKind, tokens};
use crate::declared::{Destination, declared_text};
use crate::plugin::Plugin;
use crate::problem::Problem;
use crate::templates;

#[derive(Serialize)]
struct Context<'a> {
    keelback_version: &'static str,
    module_name: &'a str,
    typedefs: Vec<String>,
    declared: String,
    lifecycle: String,
}

impl Plugin {
    /// The header without directives, macros and attributes. Integer macros are enumerators in it, others are left out;
    /// what the types need from other headers is repeated in it.
    ///
    /// # Errors
    /// Parts of the interface that cannot be expressed without attributes: without them they would mean something else.
    pub fn plain_header(&self) -> Result<String, Vec<Problem>> {
        let declared = declared_text(&self.declarations, &self.cdefs(), Destination::Plain);
        // Without the lines of `--packed`, `lost_in` sees what is packed.
        let lines = declared.text.trim_end().lines();
        let lines: Vec<&str> = lines
            .filter(|line| !line.starts_with("#pragma pack("))
            .collect();
        let text = templates::render(
            "plain_header.h",
            Context {
                keelback_version: env!("CARGO_PKG_VERSION"),
                module_name: &self.spec.module_name,
                typedefs: typedefs(&self.declarations, &declared.text),
                declared: lines.join("\n"),
                lifecycle: self.prefix(),
            },
        );
        let problems = self.lost_in(&text);
        if problems.is_empty() {
            Ok(text)
        } else {
            Err(problems)
        }
    }

    /// The differences between the declarations and what a parser reads from the text.
    fn lost_in(&self, text: &str) -> Vec<Problem> {
        let mut read = Declarations::default();
        let options = ParseOptions {
            file: Some("<the plain header>"),
            as_cffi: true,
            ..ParseOptions::default()
        };
        if let Err(errors) = read.parse(text, &options) {
            return errors.into_iter().map(Problem::from).collect();
        }
        let api = self.cdefs().into_iter();
        let own: Vec<SourceId> = api
            .filter(|(_, cdef)| cdef.embedding_api)
            .map(|(id, _)| id)
            .collect();
        let declared = Interface {
            declarations: &self.declarations,
            own: &own,
        };
        let understood = Interface {
            declarations: &read,
            own: &[SourceId(0)],
        };
        let lost = compare(declared, understood).into_iter().filter(|change| {
            change.effect == Effect::Incompatible
                && change.old.is_some()
                && (change.subject == Subject::Function
                    || change.subject == Subject::Type && change.new.is_some())
        });
        let mut problems: Vec<Problem> = lost
            .filter(|change| !self.is_partial(&change.name))
            .map(|change| {
                let mut details = change.details.join("; ");
                if details.is_empty() {
                    let texts = [change.old, change.new.or(Some("nothing".to_owned()))];
                    let texts: Vec<String> = texts.into_iter().flatten().collect();
                    details = texts.join(" -> ");
                }
                Problem::error(
                    format!(
                        "in a plain header '{}' would be something else: {details}",
                        change.name
                    ),
                    "such parsers know no attributes, no packing and no vectors: pass it by pointer, and leave it opaque in \
                     the declarations",
                )
            })
            .collect();
        problems.extend(self.labels());
        problems
    }

    /// Whether a record is partial: such a record is opaque in the plain header, which is no error.
    fn is_partial(&self, name: &str) -> bool {
        let records = self.declarations.types.records.iter().enumerate();
        records
            .filter(|(_, record)| record.partial)
            .any(|(index, _)| {
                let id = keelback_cdef::RecordId::from_index(index);
                self.declarations.record_name(id) == name
            })
    }

    /// The errors about functions whose symbols have other names (asm labels).
    fn labels(&self) -> Vec<Problem> {
        let functions = self.declarations.functions.iter();
        functions
            .filter(|function| function.origin == FunctionOrigin::Exported)
            .filter_map(|function| {
                let label = self.declarations.text(function.label?);
                let name = self.declarations.text(function.name);
                Some(Problem::error(
                    format!("a plain header cannot say that '{name}' is '{label}' in the library"),
                    "declare it by that name",
                ))
            })
            .collect()
    }
}

/// Typedefs for types of standard headers that not all of these parsers know, in terms of types that they know.
fn typedefs(declarations: &Declarations, text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for token in tokens(text) {
        let word = &text[token.range];
        if token.kind != TokenKind::Word || declarations.lookup_typedef(word).is_some() {
            continue;
        }
        let line = if word == "FILE" {
            "typedef struct _IO_FILE FILE;".to_owned()
        } else {
            let Some(known) = unknown_elsewhere(declarations, word) else {
                continue;
            };
            format!("typedef {known} {word};")
        };
        if !found.contains(&line) {
            found.push(line);
        }
    }
    found
}

fn unknown_elsewhere(declarations: &Declarations, word: &str) -> Option<String> {
    use Primitive::*;
    let primitive = *Primitive::ALL
        .iter()
        .find(|primitive| primitive.name() == word && word.ends_with("_t"))?;
    let is_known = matches!(
        primitive,
        Int8 | UInt8
            | Int16
            | UInt16
            | Int32
            | UInt32
            | Int64
            | UInt64
            | IntPtr
            | UIntPtr
            | PtrDiff
            | Size
            | SSize
    );
    if is_known {
        return None;
    }
    let target = &declarations.target;
    let (size, _) = target.size_and_align(primitive);
    let unsigned = if target.is_signed(primitive)? {
        ""
    } else {
        "u"
    };
    Some(format!("{unsigned}int{}_t", size * 8))
}
