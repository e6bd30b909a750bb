//! Tests with files: `valid/*.h` with the expected declarations beside them, `invalid/*.h` with the expected messages,
//! `types.txt` with type strings. `KEELBACK_BLESS=1` writes the expected files anew; read the difference before
//! committing it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use keelback_cdef::{CExpression, Declarations, Item, Layouts, ParseOptions, QualType, Target};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

/// Compares, or writes when blessing. `true`: as expected.
fn check(expected: &Path, actual: &str) -> bool {
    if std::env::var_os("KEELBACK_BLESS").is_some() {
        std::fs::write(expected, actual).expect("the expected file can be written");
        return true;
    }
    let wanted = std::fs::read_to_string(expected).unwrap_or_default();
    if wanted == actual {
        return true;
    }
    eprintln!("{} differs:", expected.display());
    for (number, (wanted, actual)) in wanted.lines().zip(actual.lines()).enumerate() {
        if wanted != actual {
            eprintln!("  line {}:\n  - {wanted}\n  + {actual}", number + 1);
            break;
        }
    }
    false
}

fn each(name: &str, extension: &str, run: impl Fn(&str, &str) -> String) {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder(name))
        .expect("the folder of inputs")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "h"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut good = true;
    for file in files {
        let text = std::fs::read_to_string(&file).expect("an input");
        let stem = file
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a plain name");
        good &= check(&file.with_extension(extension), &run(stem, &text));
    }
    assert!(good, "KEELBACK_BLESS=1 accepts what is new");
}

fn describe(declarations: &Declarations) -> String {
    let mut out = String::new();
    let mut layouts = Layouts::new();
    for &item in &declarations.items {
        let doc = match item {
            Item::Function(index) => declarations.functions[index as usize].doc,
            Item::Variable(index) => declarations.variables[index as usize].doc,
            Item::Constant(index) => declarations.constants[index as usize].doc,
            Item::Typedef(index) => declarations.typedefs[index as usize].doc,
            _ => None,
        };
        if let Some(doc) = doc {
            let _ = writeln!(out, "doc {:?}", declarations.span_text(doc));
        }
        let _ = match item {
            Item::Function(index) => {
                let function = &declarations.functions[index as usize];
                let names: Vec<&str> = function
                    .params
                    .iter()
                    .map(|name| name.map_or("-", |name| declarations.text(name)))
                    .collect();
                let c = declarations.c_declaration(
                    QualType::plain(function.ty),
                    declarations.text(function.name),
                );
                writeln!(
                    out,
                    "{:?} function {c}; parameters [{}]",
                    function.origin,
                    names.join(" ")
                )
            }
            Item::Variable(index) => {
                let variable = &declarations.variables[index as usize];
                let c = declarations.c_declaration(variable.ty, declarations.text(variable.name));
                let kind = if variable.is_constant {
                    "constant"
                } else {
                    "variable"
                };
                writeln!(out, "{kind} {c}")
            }
            Item::Constant(index) => {
                let constant = &declarations.constants[index as usize];
                let name = declarations.text(constant.name);
                match (constant.value, constant.ty) {
                    (Some(value), Some(ty)) => {
                        writeln!(out, "constant {name} = {value} ({})", ty.name())
                    }
                    _ => writeln!(out, "constant {name} = ..."),
                }
            }
            Item::Typedef(index) => {
                let typedef = &declarations.typedefs[index as usize];
                let c = declarations.c_declaration(typedef.ty, declarations.text(typedef.name));
                writeln!(
                    out,
                    "typedef {c}; in CFFI {}",
                    declarations.cffi_name(typedef.ty)
                )
            }
            Item::Forward(id) => writeln!(out, "forward {}", declarations.record_name(id)),
            Item::Record(id) => {
                let fields = declarations
                    .types
                    .record(id)
                    .fields
                    .as_deref()
                    .unwrap_or(&[]);
                let name = declarations.record_name(id);
                match layouts.layout(declarations, id) {
                    Ok(layout) => {
                        let _ =
                            writeln!(out, "{name}: size {}, align {}", layout.size, layout.align);
                        for (field, place) in fields.iter().zip(&layout.fields) {
                            let name = field.name.map_or("", |name| declarations.text(name));
                            let c = declarations.c_declaration(field.ty, name);
                            let _ = match place.bit_offset {
                                Some(bit) => writeln!(
                                    out,
                                    "    {}+{bit}:{} {c}",
                                    place.offset, place.bit_size
                                ),
                                None => writeln!(out, "    {} {c}", place.offset),
                            };
                        }
                        Ok(())
                    }
                    Err(error) => writeln!(out, "{name}: {error}"),
                }
            }
            Item::Enum(id) => {
                let enumeration = declarations.types.enumeration(id);
                let ty = enumeration.underlying.map_or("unknown", |ty| ty.name());
                let _ = writeln!(out, "{} is {ty}", declarations.enum_name(id));
                for enumerator in enumeration.enumerators.as_deref().unwrap_or(&[]) {
                    let value = enumerator
                        .value
                        .map_or_else(|| "...".to_owned(), |value| value.to_string());
                    let _ = writeln!(out, "    {} = {value}", declarations.text(enumerator.name));
                }
                Ok(())
            }
        };
    }
    for question in declarations.questions() {
        let _ = match declarations.c_expression(question) {
            CExpression::Size(text) => writeln!(out, "ask size {text}"),
            CExpression::Integer(text) => writeln!(out, "ask value {text}"),
            CExpression::Align(text) => writeln!(out, "ask align {text}"),
            CExpression::Type(text) => writeln!(out, "ask type {text}"),
            CExpression::Float(text) => writeln!(out, "ask float {text}"),
        };
    }
    let exact: Vec<String> = declarations
        .exact_records()
        .into_iter()
        .map(|id| declarations.record_name(id))
        .collect();
    let _ = writeln!(out, "exact: {}", exact.join(", "));
    out
}

#[test]
fn valid_texts() {
    each("valid", "expected", |name, text| {
        let mut declarations = Declarations::new(Target::X86_64_SYSV);
        let options = ParseOptions {
            file: Some(name),
            ..ParseOptions::default()
        };
        match declarations.parse(text, &options) {
            Ok(warnings) => {
                let mut out = describe(&declarations);
                for warning in warnings {
                    let _ = writeln!(out, "{}", warning.render(false));
                }
                out
            }
            Err(errors) => panic!("{name}: {}", errors[0].render(false)),
        }
    });
}

#[test]
fn invalid_texts() {
    each("invalid", "expected", |name, text| {
        let mut declarations = Declarations::new(Target::X86_64_SYSV);
        let options = ParseOptions {
            file: Some(name),
            ..ParseOptions::default()
        };
        let errors = declarations.parse(text, &options).expect_err(name);
        assert!(declarations.items.is_empty());
        let mut out = String::new();
        for error in errors {
            let _ = writeln!(out, "{:?}\n{}\n", error.kind, error.render(false));
        }
        out
    });
}

#[test]
fn type_strings() {
    let path = folder("types.txt");
    let text = std::fs::read_to_string(&path).expect("the type strings");
    let mut out = String::new();
    let mut declarations = Declarations::new(Target::X86_64_SYSV);
    declarations
        .parse(
            "typedef struct { int x; } point_t; struct known { int x; }; enum { N = 4 };",
            &ParseOptions::default(),
        )
        .expect("valid");
    for line in text.lines() {
        let _ = match declarations.parse_type(line) {
            Ok(ty) => writeln!(
                out,
                "{line}\n  C    {}\n  CFFI {}",
                declarations.c_declaration(ty, "x"),
                declarations.cffi_name(ty)
            ),
            Err(error) => {
                writeln!(
                    out,
                    "{line}\n  {:?} {}\n{}",
                    error.kind,
                    error.headline(),
                    error.render(false)
                )
            }
        };
    }
    assert!(check(&path.with_extension("expected"), &out));
}
