//! Any text as a cdef: a failure leaves the declarations as they were, and says why with a caret; what is accepted can
//! be asked about, included, and made into C, a header, and Python.
//!
//! Behind the first U+0002 there is a second text, for the same declarations.

use keelback_cdef::{Declarations, Diagnostic};
use keelback_codegen::{
    CdefText, HeaderOptions, Plugin, PluginFlags, PluginSpec, RecordedPython, SourceText,
    python_module,
};

/// Runs one input.
pub fn run(text: &str) {
    let mut declarations = Declarations::default();
    let mut accepted = Vec::new();
    for (text, file) in text.splitn(2, '\u{2}').zip(["a.h", "b.h"]) {
        let (text, options) = super::declarations::options(text, file, false);
        let before = super::declarations::snapshot(&declarations);
        match declarations.parse(text, &options) {
            Ok(warnings) => show(&warnings),
            Err(errors) => {
                assert!(!errors.is_empty());
                show(&errors);
                assert_eq!(before, super::declarations::snapshot(&declarations));
                continue;
            }
        }
        accepted.push(CdefText {
            file: file.into(),
            text: text.into(),
            embedding_api: options.embedding_api,
            packed: options.packed,
            pack: options.pack,
            override_: options.override_,
            as_cffi: options.as_cffi,
            ..CdefText::default()
        });
    }
    if accepted.is_empty() {
        return;
    }
    super::declarations::ask_everything(&declarations);
    let mut other = Declarations::default();
    other.include(&declarations).expect("nothing else is there");
    super::declarations::ask_everything(&other);
    generate(accepted, &declarations);
}

/// Shows diagnostics as the command line, CFFI's messages and JSON do.
fn show(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics.iter().take(10) {
        drop((
            diagnostic.headline(),
            diagnostic.caret(),
            diagnostic.to_string(),
            diagnostic.render(true),
        ));
    }
}

/// Generates everything from declarations except an embedding plugin, which the target `payload` generates.
fn generate(cdefs: Vec<CdefText>, declarations: &Declarations) {
    if let Err(errors) = python_module("fuzzed", &cdefs, &[], declarations) {
        show(&errors);
    }
    let spec = PluginSpec {
        module_name: "fuzzed".into(),
        cdefs,
        prelude: Some(SourceText::default()),
        python: RecordedPython {
            version: (3, 11),
            ..RecordedPython::default()
        },
        flags: PluginFlags {
            extension_module: true,
            ..PluginFlags::default()
        },
        ..PluginSpec::default()
    };
    match Plugin::new(spec) {
        Ok((plugin, _)) => drop((
            plugin.c_source_without_loader(),
            plugin.header(&HeaderOptions::default()),
        )),
        Err(problems) => {
            assert!(!problems.is_empty());
            problems
                .iter()
                .for_each(|problem| drop(problem.render(false)));
        }
    }
}
