//! Any text as a cdef: no panic, and after a failure the declarations are as before.
#![no_main]

use keelback_cdef::{Declarations, Layouts, ParseOptions, QualType, RecordId, TypeId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut declarations = Declarations::default();
    match declarations.parse(text, &ParseOptions::default()) {
        Ok(warnings) => warnings.iter().for_each(|warning| drop(warning.render(false))),
        Err(errors) => {
            assert!(!errors.is_empty() && declarations.items.is_empty());
            errors.iter().take(10).for_each(|error| drop((error.headline(), error.render(true))));
        }
    }
    let mut layouts = Layouts::new();
    for index in 0..declarations.types.records.len() {
        let _ = layouts.layout(&declarations, RecordId::from_index(index));
    }
    for index in 0..declarations.types.len() {
        let ty = QualType::plain(TypeId::from_index(index));
        let _ = (declarations.c_declaration(ty, "x"), declarations.cffi_name(ty));
    }
    for question in declarations.questions() {
        let _ = declarations.c_expression(question);
    }
});
