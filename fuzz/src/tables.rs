//! Any bytes as the tables of a module that CFFI generated: damaged ones are refused, and queries of accepted ones do
//! no harm, in whatever order.
//!
//! The input is a series of items: one byte for the kind, one for the length, and that many bytes.

use keelback_cdef::{
    ByteTables, Declarations, ParseOptions, RecordKind, TableError, Tables, Target,
};

#[derive(Default)]
struct Source {
    types: Vec<u8>,
    globals: Vec<(Vec<u8>, Option<i128>)>,
    records: Vec<Vec<Vec<u8>>>,
    enums: Vec<Vec<u8>>,
    typedefs: Vec<Vec<u8>>,
    /// Type strings and names that the module is asked for.
    asked: Vec<String>,
}

impl ByteTables for Source {
    fn types(&self) -> &[u8] {
        &self.types
    }
    fn globals(&self) -> usize {
        self.globals.len()
    }
    fn global(&self, index: usize) -> &[u8] {
        &self.globals[index].0
    }
    fn global_value(&self, index: usize) -> Option<i128> {
        self.globals[index].1
    }
    fn records(&self) -> usize {
        self.records.len()
    }
    fn record(&self, index: usize) -> &[u8] {
        &self.records[index][0]
    }
    fn fields(&self, record: usize) -> usize {
        self.records[record].len() - 1
    }
    fn field(&self, record: usize, index: usize) -> &[u8] {
        &self.records[record][index + 1]
    }
    fn enums(&self) -> usize {
        self.enums.len()
    }
    fn enumeration(&self, index: usize) -> &[u8] {
        &self.enums[index]
    }
    fn typedefs(&self) -> usize {
        self.typedefs.len()
    }
    fn typedef(&self, index: usize) -> &[u8] {
        &self.typedefs[index]
    }
}

/// The declarations of an included module, for external records of the tables.
const INCLUDED: &str = "struct s { int a; struct s *next; }; union u { int a; char c[4]; }; struct o;\n\
    typedef struct { struct s inner; } t;";

/// Runs one input.
pub fn run(data: &[u8]) {
    let mut source = read(data);
    let asked = std::mem::take(&mut source.asked);
    let mut tables = match Tables::new(source) {
        Ok(tables) => tables,
        Err(error) => return drop(error.to_string()),
    };
    let mut declarations = Declarations::new(Target::host());
    provide(&mut tables, &mut declarations);
    let names: Vec<String> = tables.global_names().map(|(name, _)| name).collect();
    let types = [RecordKind::Struct, RecordKind::Union].map(|kind| tables.record_tags(kind));
    let types = types.concat().into_iter().chain(tables.typedef_names());
    for text in asked.into_iter().chain(types) {
        let _ = type_string(&mut tables, &mut declarations, &text);
    }
    for name in &names {
        if let Ok(found) = tables.declare_global(&mut declarations, name) {
            assert_eq!(found, declarations.lookup_ordinary(name).is_some());
        }
    }
    if let Err(error) = tables.declare_all(&mut declarations) {
        assert!(matches!(error, TableError::Damaged(_)));
        // Every later call returns the same error.
        assert_eq!(tables.declare_all(&mut declarations), Err(error));
    }
    super::declarations::ask_everything(&declarations);
}

fn read(mut data: &[u8]) -> Source {
    let mut source = Source::default();
    while let [kind, length, rest @ ..] = data {
        let (item, rest) = rest.split_at(rest.len().min((*length).into()));
        data = rest;
        let bytes = item.to_vec();
        match kind {
            0 => source.types.extend(bytes),
            1 => source.globals.push((bytes, Some(0))),
            2 => {
                // The value of the last global; without a byte, something that is no integer.
                let sign = item.last().map(|&last| if last < 0x80 { 0 } else { 0xff });
                let value = sign.map(|sign| {
                    let mut number = [sign; 16];
                    let length = item.len().min(16);
                    number[..length].copy_from_slice(&item[..length]);
                    i128::from_le_bytes(number)
                });
                if let Some(last) = source.globals.last_mut() {
                    // As in the runtime, a Python int that fits no C integer is not a value.
                    let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
                    last.1 = value.filter(|value| range.contains(value));
                }
            }
            3 => source.records.push(vec![bytes]),
            4 => {
                if let Some(last) = source.records.last_mut() {
                    last.push(bytes);
                }
            }
            5 => source.enums.push(bytes),
            6 => source.typedefs.push(bytes),
            7 => source
                .asked
                .push(String::from_utf8_lossy(item).into_owned()),
            _ => {}
        }
    }
    source
}

/// As `Lazy::provide` in runtime/ffi/src/scope/tables.rs.
fn provide(tables: &mut Tables<Source>, declarations: &mut Declarations) {
    let externals = tables.externals();
    if externals.is_empty() {
        return;
    }
    let mut module = Declarations::new(Target::host());
    module
        .parse(INCLUDED, &ParseOptions::default())
        .expect("a good cdef");
    let ids = declarations.include_unnamed(&module).records;
    for external in &externals {
        let there = module.lookup_record_spelt(external.kind, &external.name);
        let here = there.map(|there| ids[there.index()].1);
        tables.provide(declarations, external, here);
    }
}

/// As `Scope::need_types` in the runtime, and the parser behind it.
fn type_string(
    tables: &mut Tables<Source>,
    declarations: &mut Declarations,
    text: &str,
) -> Result<(), TableError> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$' || c > '\x7f';
    for word in text.split(|c| !is_part(c)) {
        if !word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit()) {
            tables.declare_type(declarations, word)?;
            tables.declare_constant(declarations, word)?;
        }
    }
    match declarations.parse_declared_type(text) {
        Ok(ty) => drop(declarations.cffi_name(ty)),
        Err(error) => drop((error.caret(), error.render(false))),
    }
    Ok(())
}
