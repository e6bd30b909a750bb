//! CFFI's tables: their meaning, and that damaged tables do no harm.

use keelback_cdef::{
    ByteTables, Declarations, External, Layouts, Primitive, RecordKind, TableError, Tables, Target,
    Type,
};

#[derive(Clone, Default)]
struct Source {
    types: Vec<u8>,
    globals: Vec<(Vec<u8>, Option<i128>)>,
    records: Vec<Vec<Vec<u8>>>,
    enums: Vec<Vec<u8>>,
    typedefs: Vec<Vec<u8>>,
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

fn op(code: u8, argument: i32) -> Vec<u8> {
    (argument << 8 | i32::from(code)).to_be_bytes().to_vec()
}

fn named(numbers: &[i32], name: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect();
    bytes.extend(name.as_bytes());
    bytes
}

fn global(code: u8, argument: i32, name: &str, value: i128) -> (Vec<u8>, Option<i128>) {
    let mut bytes = op(code, argument);
    bytes.extend(name.as_bytes());
    (bytes, Some(value))
}

fn field(index: i32, name: &str) -> Vec<u8> {
    let mut bytes = op(17, index);
    bytes.extend(name.as_bytes());
    bytes
}

/// ```c
/// enum e { A, B = 5 };
/// struct s { int a; struct s *next; struct $1 { char c; } anonymous; int bits : 3; };
/// typedef struct { short x; } point;    typedef enum e *pointer;    typedef ... opaque;
/// int call(struct s *, double, ...);    extern int table[7];    #define SEVEN 7
/// ```
fn tables() -> Source {
    let types = [
        op(13, 3), // 0: function returning int
        op(3, 5),  // 1: struct s *
        op(1, 14), // 2: double
        op(1, 7),  // 3: int (a parameter too)
        op(15, 1), // 4: end, variadic
        op(9, 3),  // 5: struct s
        op(5, 3),  // 6: int[7]
        vec![0, 0, 0, 7],
        op(11, 0), // 8: enum e
        op(3, 8),  // 9: enum e *
        op(9, 2),  // 10: point
        op(9, 1),  // 11: opaque
        op(9, 0),  // 12: struct $1
        op(1, 2),  // 13: char
        op(1, 5),  // 14: short
        op(9, -1), // 15: FILE
        op(7, 13), // 16: char[]
    ];
    let mut bits = op(19, 3);
    bits.extend(3_i32.to_be_bytes());
    bits.extend(b"bits");
    Source {
        types: types.concat(),
        globals: vec![
            global(11, -1, "A", 0),
            global(11, -1, "B", 5),
            global(31, -1, "SEVEN", 7),
            global(35, 0, "call", 0),
            global(33, 6, "table", 0),
        ],
        records: vec![
            vec![named(&[12, 2], "$1"), field(13, "c")],
            vec![named(&[11, 16], "$opaque")],
            vec![named(&[10, 2], "$point"), field(14, "x")],
            vec![
                named(&[5, 0], "s"),
                field(3, "a"),
                field(1, "next"),
                field(12, ""),
                bits,
            ],
        ],
        enums: vec![named(&[8, 22], "e\0A,B")],
        typedefs: vec![
            named(&[15], "FILE"),
            named(&[11], "opaque"),
            named(&[10], "point"),
            named(&[9], "pointer"),
        ],
    }
}

fn shown(tables: &mut Tables<Source>, declarations: &mut Declarations, text: &str) -> String {
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$') {
        if let Err(error) = tables.declare_type(declarations, word) {
            return format!("{error:?}");
        }
    }
    match declarations.parse_declared_type(text) {
        Ok(ty) => declarations.cffi_name(ty),
        Err(diagnostic) => diagnostic.headline(),
    }
}

#[test]
fn names_are_declared_when_they_are_asked_for() {
    let mut tables = Tables::new(tables()).expect("good tables");
    let mut declarations = Declarations::new(Target::X86_64_SYSV);
    assert_eq!(declarations.types.records.len(), 0);
    assert_eq!(shown(&mut tables, &mut declarations, "point"), "point");
    assert_eq!(declarations.types.records.len(), 1);
    assert!(declarations.typedefs.len() == 1 && declarations.functions.is_empty());
    assert_eq!(
        shown(&mut tables, &mut declarations, "struct s *"),
        "struct s *"
    );
    assert_eq!(shown(&mut tables, &mut declarations, "pointer"), "enum e *");
    assert_eq!(
        shown(&mut tables, &mut declarations, "opaque *"),
        "opaque *"
    );
    assert_eq!(
        shown(&mut tables, &mut declarations, "struct $1"),
        "struct $1"
    );
    assert_eq!(shown(&mut tables, &mut declarations, "FILE"), "FILE");
    assert_eq!(
        shown(&mut tables, &mut declarations, "union s"),
        "wrong kind of tag: struct vs union"
    );
    let id = declarations
        .lookup_record_spelt(RecordKind::Struct, "s")
        .expect("struct s");
    let layout = Layouts::new().layout(&declarations, id).expect("a layout");
    assert_eq!((layout.size, layout.align), (24, 8));
    assert_eq!(tables.declare_global(&mut declarations, "call"), Ok(true));
    let function = declarations.lookup_function("call").expect("a function");
    let Type::Function(ty) = declarations.types.get(function.ty) else {
        panic!("not a function");
    };
    assert!(ty.variadic && ty.params.len() == 3);
    assert_eq!(tables.declare_global(&mut declarations, "table"), Ok(true));
    assert!(
        declarations
            .lookup_variable("table")
            .is_some_and(|one| !one.is_constant)
    );
    assert_eq!(
        tables.declare_global(&mut declarations, "nosuch"),
        Ok(false)
    );
    assert_eq!(tables.declare_constant(&mut declarations, "B"), Ok(()));
    assert_eq!(
        declarations.lookup_constant("B").and_then(|one| one.value),
        Some(5)
    );
    let (id, _) = declarations
        .types
        .enums
        .iter()
        .enumerate()
        .next()
        .expect("an enum");
    assert_eq!(
        declarations.types.enums[id].underlying,
        Some(Primitive::UInt32)
    );
}

#[test]
fn external_records_come_from_elsewhere() {
    let mut source = tables();
    source.records[1] = vec![named(&[11, 8 | 16], "$opaque")];
    source.records[2] = vec![named(&[10, 8], "$point")];
    let mut tables = Tables::new(source).expect("good tables");
    let mut declarations = Declarations::new(Target::X86_64_SYSV);
    let externals = tables.externals();
    let names: Vec<(&str, bool)> = externals
        .iter()
        .map(|one| (&*one.name, one.is_opaque))
        .collect();
    assert_eq!(names, [("$opaque", true), ("$point", false)]);
    for external in &externals {
        tables.provide(&mut declarations, external, None);
    }
    let missing = "'struct $point' should come from ffi.include() but was not found";
    assert_eq!(
        tables.declare_type(&mut declarations, "point"),
        Err(TableError::Refused(missing.into()))
    );
    assert!(matches!(
        &externals[0],
        External {
            kind: RecordKind::Struct,
            index: 1,
            ..
        }
    ));
}

#[test]
fn what_is_wrong_is_said() {
    let error = |change: fn(&mut Source)| {
        let mut source = tables();
        change(&mut source);
        Tables::new(source).err().map(|error| error.to_string())
    };
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(error(|_| {}), None);
    assert_eq!(
        error(|source| source.types.truncate(10)),
        said("_types: 10 bytes, which is no multiple of four")
    );
    assert_eq!(
        error(|source| source.types.truncate(16)),
        said("_types[1]: 5 is out of range")
    );
    assert_eq!(
        error(|source| source.types[3] = 99),
        said("_types[0]: the operation 99 is not known here")
    );
    assert_eq!(
        error(|source| source.types.truncate(0)),
        said("_struct_unions[0]: there is no type with that index")
    );
    assert_eq!(
        error(|source| source.globals[3].0[3] = 23),
        said("_globals[6]: the operation 23 is not known here")
    );
    assert_eq!(
        error(|source| source.enums[0].truncate(9)),
        said("_enums[0]: its name has no end")
    );
    // Found by fuzzing: a panic, for the least of all numbers.
    assert_eq!(
        error(|source| source.enums[0][4..8].copy_from_slice(&i32::MIN.to_be_bytes())),
        said("_enums[0]: its type is no integer type")
    );
    assert_eq!(
        error(|source| source.typedefs[0][3] = 7),
        said("_typenames[0]: there is no type with that index")
    );
    assert_eq!(
        error(|source| source.records[1].push(field(3, "x"))),
        said("_struct_unions[1]: it is opaque, and has fields")
    );
}

/// A small generator of repeatable random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

#[test]
fn damaged_tables_do_no_harm() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut source = tables();
        for _ in 0..=random.below(3) {
            let mut all: Vec<&mut Vec<u8>> = vec![&mut source.types];
            all.extend(source.globals.iter_mut().map(|(bytes, _)| bytes));
            all.extend(source.records.iter_mut().flatten());
            all.extend(source.enums.iter_mut());
            all.extend(source.typedefs.iter_mut());
            let which = if random.below(2) == 0 {
                0
            } else {
                random.below(all.len())
            };
            let bytes = &mut all[which];
            let at = random.below(bytes.len());
            match random.below(8) {
                0 => bytes.truncate(at),
                1 if !bytes.is_empty() => {
                    bytes.remove(at);
                }
                _ if !bytes.is_empty() => {
                    bytes[at] = [0, 1, 3, 5, 7, 9, 13, 15, 17, 0x7f, 0x80, 0xff][random.below(12)];
                }
                _ => {}
            }
        }
        let Ok(mut tables) = Tables::new(source) else {
            refused += 1;
            continue;
        };
        taken += 1;
        let mut declarations = Declarations::new(Target::X86_64_SYSV);
        for name in ["s", "point", "FILE", "opaque", "pointer", "e", "$1"] {
            let _ = tables.declare_type(&mut declarations, name);
        }
        for name in ["A", "B", "SEVEN", "call", "table"] {
            let _ = tables.declare_global(&mut declarations, name);
        }
        let _ = tables.declare_all(&mut declarations);
        let mut layouts = Layouts::new();
        for index in 0..declarations.types.records.len() {
            let id = keelback_cdef::RecordId::from_index(index);
            let _ = layouts.layout(&declarations, id);
            let _ = declarations.record_name(id);
        }
        for index in 0..declarations.types.len() {
            let ty = keelback_cdef::QualType::plain(keelback_cdef::TypeId::from_index(index));
            let _ = declarations.cffi_name(ty);
            let _ = layouts.size_and_align(&declarations, ty);
        }
    }
    assert!(taken > 2000 && refused > 2000, "{taken} {refused}");
}
