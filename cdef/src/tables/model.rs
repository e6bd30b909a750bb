//! The tables, and names looked up in them.

use super::TableSource;
use super::format::{
    FLAG_EXTERNAL, FLAG_OPAQUE, FLAG_UNION, OP_BUILTIN_NO_ARGS, OP_BUILTIN_ONE_ARG,
    OP_BUILTIN_VAR_ARGS, OP_CONSTANT, OP_DLOPEN_CONST, OP_DLOPEN_FUNC, OP_EXTERN_PYTHON,
    OP_GLOBAL_VAR, OP_GLOBAL_VAR_ACCESS, Op,
};
use super::slots::{Slot, Slots};
use crate::declarations::Declarations;
use crate::types::{RecordId, RecordKind};

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
    pub(super) source: S,
    pub(super) slots: Slots,
    pub(super) records: Slots,
    pub(super) enums: Slots,
    /// The indexes of structs and unions that included modules have with another meaning, each with the error.
    pub(super) refused: Vec<(usize, TableError)>,
    /// Records that are declared, but have no fields yet.
    pub(super) open: Vec<(usize, RecordId)>,
    /// An error in the tables that was found after [`Tables::new`]. Every later call returns it.
    pub(super) damage: Option<TableError>,
}

pub(super) fn damaged(table: &str, index: usize, what: &str) -> TableError {
    TableError::Damaged(format!("{table}[{index}]: {what}"))
}

pub(super) const TRUNCATED: &str = "it is too short";
pub(super) const NO_SUCH_TYPE: &str = "there is no type with that index";

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

    /// Whether the operation at an index can be a type.
    pub(super) fn is_type(&self, index: i32) -> bool {
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
    pub(super) fn not_included(&self, index: usize) -> TableError {
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
    pub(super) fn record_head(&self, index: usize) -> (i32, &[u8]) {
        self.source.record(index).unwrap_or_default()
    }

    /// Operation and name of a global; the length was checked.
    pub(super) fn global_head(&self, index: usize) -> (Op, &[u8]) {
        let nothing = Op {
            code: 0,
            argument: 0,
        };
        self.source.global(index).unwrap_or((nothing, &[]))
    }

    /// Index and name of a typedef; the length was checked.
    pub(super) fn typedef_head(&self, index: usize) -> (i32, &[u8]) {
        self.source.typedef(index).unwrap_or((-1, &[]))
    }

    /// The kind of a global.
    pub(super) fn global_kind(&self, index: usize) -> GlobalKind {
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

pub(super) fn kind_of_global(op: Op) -> GlobalKind {
    match op.code {
        OP_DLOPEN_FUNC | OP_BUILTIN_VAR_ARGS | OP_BUILTIN_NO_ARGS | OP_BUILTIN_ONE_ARG
        | OP_EXTERN_PYTHON => GlobalKind::Function,
        OP_DLOPEN_CONST | OP_CONSTANT => GlobalKind::Constant,
        OP_GLOBAL_VAR | OP_GLOBAL_VAR_ACCESS => GlobalKind::Variable,
        _ => GlobalKind::Integer,
    }
}

pub(super) fn kind_of(flags: i32) -> RecordKind {
    if flags & FLAG_UNION == 0 {
        RecordKind::Struct
    } else {
        RecordKind::Union
    }
}
