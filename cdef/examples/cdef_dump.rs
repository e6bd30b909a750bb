//! Shows what a cdef declares: `cargo run -p keelback-cdef --example cdef_dump -- FILE [TYPE...]`.

use keelback_cdef::{Declarations, Item, Layouts, ParseOptions, QualType, RecordId, Type};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(file) = arguments.next() else {
        eprintln!("usage: cdef_dump FILE [TYPE...]");
        std::process::exit(2);
    };
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{file}: {error}");
            std::process::exit(1);
        }
    };
    let mut declarations = Declarations::default();
    let options = ParseOptions {
        file: Some(&file),
        ..ParseOptions::default()
    };
    match declarations.parse(&text, &options) {
        Ok(warnings) => warnings
            .iter()
            .for_each(|warning| eprintln!("{}", warning.render(false))),
        Err(errors) => {
            errors
                .iter()
                .for_each(|error| eprintln!("{}", error.render(false)));
            std::process::exit(1);
        }
    }
    let mut layouts = Layouts::new();
    for &item in &declarations.items {
        show(&declarations, &mut layouts, item);
    }
    for text in arguments {
        show_type(&mut declarations, &text);
    }
}

fn show(declarations: &Declarations, layouts: &mut Layouts, item: Item) {
    match item {
        Item::Function(index) => {
            let function = &declarations.functions[index as usize];
            let name = declarations.text(function.name);
            let text = declarations.c_declaration(QualType::plain(function.ty), name);
            println!("{:?} {text};", function.origin);
        }
        Item::Variable(index) => {
            let variable = &declarations.variables[index as usize];
            println!(
                "extern {};",
                declarations.c_declaration(variable.ty, declarations.text(variable.name))
            );
        }
        Item::Constant(index) => {
            let constant = &declarations.constants[index as usize];
            println!(
                "#define {} {:?} {:?}",
                declarations.text(constant.name),
                constant.value,
                constant.ty
            );
        }
        Item::Typedef(index) => {
            let typedef = &declarations.typedefs[index as usize];
            println!(
                "typedef {};",
                declarations.c_declaration(typedef.ty, declarations.text(typedef.name))
            );
        }
        Item::Forward(id) => println!("{};", declarations.record_name(id)),
        Item::Record(id) => show_record(declarations, layouts, id),
        Item::Enum(id) => {
            let enumeration = declarations.types.enumeration(id);
            println!(
                "{} {:?}",
                declarations.enum_name(id),
                enumeration.underlying
            );
            for enumerator in enumeration.enumerators.as_deref().unwrap_or(&[]) {
                println!(
                    "    {} = {:?}",
                    declarations.text(enumerator.name),
                    enumerator.value
                );
            }
        }
    }
}

fn show_record(declarations: &Declarations, layouts: &mut Layouts, id: RecordId) {
    match layouts.layout(declarations, id) {
        Ok(layout) => {
            println!(
                "{} size {} align {}",
                declarations.record_name(id),
                layout.size,
                layout.align
            );
            let fields = declarations
                .types
                .record(id)
                .fields
                .as_deref()
                .unwrap_or(&[]);
            for (field, place) in fields.iter().zip(&layout.fields) {
                let name = field.name.map_or("", |name| declarations.text(name));
                println!(
                    "    {} {place:?}",
                    declarations.c_declaration(field.ty, name)
                );
            }
        }
        Err(error) => println!("{}: {error}", declarations.record_name(id)),
    }
}

fn show_type(declarations: &mut Declarations, text: &str) {
    match declarations.parse_type(text) {
        Ok(ty) => {
            let function = matches!(declarations.types.get(ty.ty), Type::Function(_));
            println!(
                "{text}: {} function: {function}",
                declarations.cffi_name(ty)
            );
        }
        Err(error) => println!(
            "{}\n{}\n{}",
            error.headline(),
            error.caret(),
            error.render(false)
        ),
    }
}
