//! What several targets do with declarations.

use keelback_cdef::{Declarations, Layouts, ParseOptions, QualType, RecordId, TypeId};
use keelback_codegen::{Batches, StubsOf, stubs};

/// Separates the options from a text: a character from U+0010 to U+001F in front of it has the options in its bits (the
/// text of a file has none), and one from U+0006 to U+0008 after that is `pack`.
pub(super) fn options<'a>(
    text: &'a str,
    file: &'a str,
    embedding_api: bool,
) -> (&'a str, ParseOptions<'a>) {
    let mut options = ParseOptions {
        file: Some(file),
        embedding_api,
        ..ParseOptions::default()
    };
    let mut rest = text.chars();
    let Some(bits @ '\u{10}'..='\u{1f}') = rest.next() else {
        return (text, options);
    };
    let bits = bits as u32;
    options.override_ = bits & 1 != 0;
    options.packed = bits & 2 != 0;
    options.embedding_api = bits & 4 != 0;
    options.as_cffi = bits & 8 != 0;
    let text = rest.as_str();
    match rest.next() {
        Some(pack @ '\u{6}'..='\u{8}') => {
            options.pack = Some(1 << (pack as u32 - 6));
            (rest.as_str(), options)
        }
        _ => (text, options),
    }
}

/// Makes all queries that the runtime and the code generator make of declarations.
pub(super) fn ask_everything(declarations: &Declarations) {
    let types = &declarations.types;
    let mut layouts = Layouts::new();
    for index in 0..types.records.len() {
        let id = RecordId::from_index(index);
        drop((
            declarations.record_name(id),
            declarations.designator(id),
            declarations.predefined_record(id),
        ));
        match layouts.layout(declarations, id) {
            Ok(layout) => {
                let fields = types.record(id).fields.as_deref().unwrap_or_default();
                assert_eq!(layout.fields.len(), fields.len());
                for name in fields.iter().filter_map(|field| field.name) {
                    let found = layouts.find_field(declarations, id, name);
                    assert!(matches!(found, Ok(Some(_))), "{}", types.text(name));
                }
            }
            Err(error) => drop(error.into_diagnostic(declarations).render(false)),
        }
    }
    for index in 0..types.len() {
        let ty = QualType::plain(TypeId::from_index(index));
        drop(declarations.c_declaration(ty, "x"));
        let (name, at) = declarations.cffi_name_and_position(ty);
        assert!(name.is_char_boundary(at), "{name} {at}");
        let _ = (
            layouts.size_and_align(declarations, ty),
            declarations.has_c_name(ty),
        );
    }
    for question in declarations.questions() {
        drop(declarations.c_expression(question));
    }
    drop(declarations.exact_records());
    for of in [StubsOf::Module, StubsOf::AbiModule] {
        drop(stubs("fuzzed", declarations, &Batches::default(), of));
    }
}

/// The declarations as text, to check that a failure has not changed them.
pub(super) fn snapshot(declarations: &Declarations) -> String {
    let types = &declarations.types;
    format!(
        "{:?}",
        (
            &declarations.items,
            &declarations.functions,
            &declarations.variables,
            &declarations.constants,
            &declarations.typedefs,
            &types.records,
            &types.enums,
            types.len(),
        )
    )
}
