//! The tables of the Python modules that CFFI generates for out-of-line ABI mode, as declarations.
//!
//! Such a module contains `ffi = _cffi_backend.FFI('name', _version=..., _types=b'...', _globals=(...), ...)`:
//!
//! * `_types`: operations of four bytes ([`format::Op`]). A type is one operation; an array is two, the second being
//!   its length; a function is its own operation, one for each parameter, and an end.
//! * `_globals`: an operation and a name, then a number; for each function, variable and constant, sorted by name.
//! * `_struct_unions`: tuples of index, flags and name; then an operation and a name for each field (with the width in
//!   between, for a bit-field). Names that start with `$` are not C's: `$foo` has only the typedef name `foo`, `$$foo` is
//!   what the typedef `foo` points to, `$1` has no name.
//! * `_enums`: index, integer type, name, NUL, and the names of the enumerators with commas between.
//! * `_typenames`: an index into the types, and the name, sorted.
//!
//! [`Tables::new`] looks through all of it once, and allocates nothing for a name. A name is declared when it is first
//! used, so importing such a module costs nearly nothing, however large it is.

mod declare;
mod format;
mod prototype;
mod slots;
mod source;
mod words;

pub use format::Op;
pub use source::{ByteTables, Sorted, TableEnum, TableField, TableSource};

use crate::declarations::Declarations;
use crate::types::{RecordId, RecordKind};

use slots::{Slot, Slots};

use format::{
    FILE_RECORD, FLAG_EXTERNAL, FLAG_OPAQUE, FLAG_UNION, Number, OP_ARRAY, OP_BIT_FIELD,
    OP_BUILTIN_NO_ARGS, OP_BUILTIN_ONE_ARG, OP_BUILTIN_VAR_ARGS, OP_CONSTANT, OP_CONSTANT_INT,
    OP_DLOPEN_CONST, OP_DLOPEN_FUNC, OP_ENUM, OP_EXTERN_PYTHON, OP_FUNCTION, OP_FUNCTION_END,
    OP_GLOBAL_VAR, OP_GLOBAL_VAR_ACCESS, OP_NOOP, OP_OPEN_ARRAY, OP_POINTER, OP_PRIMITIVE,
    OP_STRUCT_UNION, OP_TYPENAME, is_integer, primitive,
};

/// What is wrong with tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TableError {
    /// The tables are not what CFFI writes: the place, and what is wrong there.
    Damaged(String),
    /// They need something that does not exist or is impossible: CFFI raises `ffi.error`.
    Refused(String),
    /// CFFI raises `NotImplementedError`.
    NotImplemented(String),
}

impl std::fmt::Display for TableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Damaged(text) | Self::Refused(text) | Self::NotImplemented(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for TableError {}

/// What a global is, without its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GlobalKind {
    /// An integer constant or an enumerator.
    Integer,
    /// A function.
    Function,
    /// A variable.
    Variable,
    /// A constant of any type.
    Constant,
}

/// A struct or union that an included module declares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct External {
    /// Its index in the tables.
    pub index: usize,
    /// Struct or union.
    pub kind: RecordKind,
    /// Its name, in the tables' spelling.
    pub name: String,
    /// It is opaque.
    pub is_opaque: bool,
}

/// Checked tables, and what has been declared from them so far.
pub struct Tables<S> {
    source: S,
    slots: Slots,
    records: Slots,
    enums: Slots,
    /// The indexes of structs and unions that included modules have with another meaning, each with the error.
    refused: Vec<(usize, TableError)>,
    /// Records that are declared, but have no fields yet.
    open: Vec<(usize, RecordId)>,
    /// An error in the tables that was found after [`Tables::new`]. Every later call returns it.
    damage: Option<TableError>,
}

fn damaged(table: &str, index: usize, what: &str) -> TableError {
    TableError::Damaged(format!("{table}[{index}]: {what}"))
}

const TRUNCATED: &str = "it is too short";
const NO_SUCH_TYPE: &str = "there is no type with that index";

impl<S: TableSource> Tables<S> {
    /// Checks the tables.
    ///
    /// # Errors
    /// They are not what CFFI writes for a Python module. Names and cycles are checked when they are used.
    pub fn new(source: S) -> Result<Self, TableError> {
        let mut tables = Self {
            slots: Slots::new(0),
            records: Slots::new(source.records()),
            enums: Slots::new(source.enums()),
            refused: Vec::new(),
            open: Vec::new(),
            damage: None,
            source,
        };
        if tables.source.is_trusted() {
            let count = tables.source.types().unwrap_or_default();
            tables.slots = Slots::new(count);
        } else {
            tables.check_types()?;
            tables.check_records()?;
            tables.check_enums()?;
            tables.check_typedefs()?;
            tables.check_globals()?;
        }
        Ok(tables)
    }

    fn check_enums(&self) -> Result<(), TableError> {
        for index in 0..self.source.enums() {
            let error = |what| damaged("_enums", index, what);
            let head = self.source.enumeration(index).map_err(error)?;
            let is_integer = match primitive(head.primitive) {
                Number::Primitive(primitive) => is_integer(primitive),
                _ => false,
            };
            if !is_integer {
                return Err(error("its type is no integer type"));
            }
        }
        Ok(())
    }

    fn check_typedefs(&self) -> Result<(), TableError> {
        for index in 0..self.source.typedefs() {
            let error = |what| damaged("_typenames", index, what);
            let (at, _) = self.source.typedef(index).ok_or_else(|| error(TRUNCATED))?;
            if !self.is_type(at) {
                return Err(error(NO_SUCH_TYPE));
            }
        }
        Ok(())
    }

    fn check_globals(&self) -> Result<(), TableError> {
        for index in 0..self.source.globals() {
            let error = |what| damaged("_globals", index * 2, what);
            let (op, _) = self.source.global(index).ok_or_else(|| error(TRUNCATED))?;
            match op.code {
                OP_CONSTANT_INT | OP_ENUM => {
                    if self.source.global_value(index)?.is_none() {
                        return Err(error("its value is no integer that C has"));
                    }
                }
                OP_GLOBAL_VAR | OP_DLOPEN_FUNC | OP_DLOPEN_CONST => {
                    if !self.is_type(op.argument) {
                        return Err(error(NO_SUCH_TYPE));
                    }
                }
                code => return Err(error(&format!("the operation {code} is not known here"))),
            }
        }
        Ok(())
    }

    fn check_types(&mut self) -> Result<(), TableError> {
        let count = self.source.types().map_err(|length| {
            TableError::Damaged(format!(
                "_types: {length} bytes, which is no multiple of four"
            ))
        })?;
        let mut slots = Slots::new(count);
        let mut in_function = false;
        let mut index = 0;
        while index < count {
            let error = |what: &str| damaged("_types", index, what);
            let is_below = |at: i32, end: usize| usize::try_from(at).is_ok_and(|at| at < end);
            let op = self
                .source
                .operation(index)
                .ok_or_else(|| error(TRUNCATED))?;
            let known = match op.code {
                OP_PRIMITIVE => !matches!(primitive(op.argument), Number::Invalid),
                OP_POINTER | OP_OPEN_ARRAY | OP_NOOP => is_below(op.argument, count),
                OP_ARRAY => {
                    let length = self.source.array_length(index + 1);
                    let length = length
                        .filter(|_| index + 1 < count)
                        .ok_or_else(|| error("it has no length"))?;
                    if length < 0 {
                        return Err(error("its length is negative"));
                    }
                    slots.set(index + 1, Slot::Length);
                    index += 1;
                    is_below(op.argument, count)
                }
                OP_STRUCT_UNION => {
                    op.argument == FILE_RECORD || is_below(op.argument, self.source.records())
                }
                OP_ENUM => is_below(op.argument, self.source.enums()),
                OP_TYPENAME => is_below(op.argument, self.source.typedefs()),
                OP_FUNCTION if in_function => {
                    return Err(error("a function inside a function's parameters"));
                }
                OP_FUNCTION => {
                    in_function = true;
                    is_below(op.argument, count)
                }
                OP_FUNCTION_END if !in_function => {
                    return Err(error("the end of a function that was not begun"));
                }
                OP_FUNCTION_END => {
                    in_function = false;
                    true
                }
                code => return Err(error(&format!("the operation {code} is not known here"))),
            };
            if !known {
                return Err(damaged(
                    "_types",
                    index,
                    &format!("{} is out of range", op.argument),
                ));
            }
            index += 1;
        }
        if in_function {
            return Err(damaged("_types", count, "a function has no end"));
        }
        self.slots = slots;
        Ok(())
    }

    fn check_records(&self) -> Result<(), TableError> {
        for index in 0..self.source.records() {
            let error = |what: &str| damaged("_struct_unions", index, what);
            let (flags, _) = self.source.record(index).ok_or_else(|| error(TRUNCATED))?;
            let fields = self.source.fields(index);
            if flags & (FLAG_OPAQUE | FLAG_EXTERNAL) != 0 && fields != 0 {
                return Err(error("it is opaque, and has fields"));
            }
            for field in 0..fields {
                let field = self
                    .source
                    .field(index, field)
                    .ok_or_else(|| error(TRUNCATED))?;
                match field.op.code {
                    OP_NOOP => {}
                    OP_BIT_FIELD if field.bits.is_some_and(|width| width < 0) => {
                        return Err(error("the width of a bit-field is negative"));
                    }
                    OP_BIT_FIELD => {}
                    code => {
                        return Err(error(&format!(
                            "the operation {code} is not known in a field"
                        )));
                    }
                }
                if !self.is_type(field.op.argument) {
                    return Err(error(NO_SUCH_TYPE));
                }
            }
        }
        Ok(())
    }

    /// Whether the operation at an index can be a type.
    fn is_type(&self, index: i32) -> bool {
        let slot = usize::try_from(index)
            .ok()
            .and_then(|index| self.slots.get(index));
        slot.is_some_and(|slot| slot != Slot::Length)
    }

    /// The structs and unions that included modules must have. The caller gives them with [`provide`](Self::provide)
    /// before any other call.
    pub fn externals(&self) -> Vec<External> {
        (0..self.source.records())
            .filter_map(|index| {
                let (flags, name) = self.record_head(index);
                (flags & FLAG_EXTERNAL != 0).then(|| External {
                    index,
                    kind: kind_of(flags),
                    name: String::from_utf8_lossy(name).into_owned(),
                    is_opaque: flags & FLAG_OPAQUE != 0,
                })
            })
            .collect()
    }

    /// Sets the record of `declarations` that an external one is; `None`: no included module has it.
    pub fn provide(
        &mut self,
        declarations: &mut Declarations,
        external: &External,
        record: Option<RecordId>,
    ) {
        let keyword = external.kind.keyword();
        let name = &external.name;
        match record {
            // What `not_included` says.
            None => {}
            Some(id) if !external.is_opaque && declarations.types.record(id).fields.is_none() => {
                let text = format!(
                    "'{keyword} {name}' is opaque in the ffi.include(), but no longer in the ffi doing the include \
                     (workaround: don't use ffi.include() but duplicate the declarations of everything using {keyword} \
                     {name})"
                );
                self.refused
                    .push((external.index, TableError::NotImplemented(text)));
            }
            Some(id) => {
                self.records.set(external.index, Slot::Known(id.index()));
                let symbol = declarations.types.symbol(name);
                declarations.bind_record_tag(symbol, id);
                declarations.journal.clear();
            }
        }
    }

    /// Why an external record cannot be had.
    fn not_included(&self, index: usize) -> TableError {
        let (flags, name) = self.record_head(index);
        let refused = self.refused.iter().find(|(at, _)| *at == index);
        refused.map_or_else(
            || {
                TableError::Refused(format!(
                    "'{} {}' should come from ffi.include() but was not found",
                    kind_of(flags).keyword(),
                    String::from_utf8_lossy(name)
                ))
            },
            |(_, error)| error.clone(),
        )
    }

    /// Flags and name of a record; the length was checked.
    fn record_head(&self, index: usize) -> (i32, &[u8]) {
        self.source.record(index).unwrap_or_default()
    }

    /// Operation and name of a global; the length was checked.
    fn global_head(&self, index: usize) -> (Op, &[u8]) {
        let nothing = Op {
            code: 0,
            argument: 0,
        };
        self.source.global(index).unwrap_or((nothing, &[]))
    }

    /// Index and name of a typedef; the length was checked.
    fn typedef_head(&self, index: usize) -> (i32, &[u8]) {
        self.source.typedef(index).unwrap_or((-1, &[]))
    }

    /// The kind of a global.
    fn global_kind(&self, index: usize) -> GlobalKind {
        kind_of_global(self.global_head(index).0)
    }

    /// The names of all functions, variables and constants, in the tables' order.
    pub fn global_names(&self) -> impl Iterator<Item = (String, GlobalKind)> + '_ {
        (0..self.source.globals()).map(|index| {
            let name = String::from_utf8_lossy(self.global_head(index).1).into_owned();
            (name, self.global_kind(index))
        })
    }

    /// The typedef names, in the tables' order.
    pub fn typedef_names(&self) -> Vec<String> {
        (0..self.source.typedefs())
            .map(|index| String::from_utf8_lossy(self.typedef_head(index).1).into_owned())
            .collect()
    }

    /// The tags of structs or of unions, in the tables' order.
    pub fn record_tags(&self, kind: RecordKind) -> Vec<String> {
        (0..self.source.records())
            .map(|index| self.record_head(index))
            .filter(|&(flags, name)| kind_of(flags) == kind && !name.starts_with(b"$"))
            .map(|(_, name)| String::from_utf8_lossy(name).into_owned())
            .collect()
    }
}

fn kind_of_global(op: Op) -> GlobalKind {
    match op.code {
        OP_DLOPEN_FUNC | OP_BUILTIN_VAR_ARGS | OP_BUILTIN_NO_ARGS | OP_BUILTIN_ONE_ARG
        | OP_EXTERN_PYTHON => GlobalKind::Function,
        OP_DLOPEN_CONST | OP_CONSTANT => GlobalKind::Constant,
        OP_GLOBAL_VAR | OP_GLOBAL_VAR_ACCESS => GlobalKind::Variable,
        _ => GlobalKind::Integer,
    }
}

fn kind_of(flags: i32) -> RecordKind {
    if flags & FLAG_UNION == 0 {
        RecordKind::Struct
    } else {
        RecordKind::Union
    }
}
