//! The tables of a module, from wherever they are.

use keelback_cdef::{Op, Sorted, TableEnum, TableError, TableField, TableSource};

use super::{CompiledTables, PythonTables};

/// See [`TableSource`].
pub enum AnyTables {
    /// In a Python module.
    Python(PythonTables),
    /// In an extension module.
    Compiled(CompiledTables),
}

/// Hands each method on to what there is.
macro_rules! hand_on {
    ($($name:ident($($argument:ident),*) -> $result:ty;)*) => {
        impl TableSource for AnyTables {
            fn find(&self, table: Sorted, name: &[u8]) -> Option<usize> {
                match self {
                    Self::Python(tables) => TableSource::find(tables, table, name),
                    Self::Compiled(tables) => TableSource::find(tables, table, name),
                }
            }
            $(fn $name(&self $(, $argument: usize)*) -> $result {
                match self {
                    Self::Python(tables) => TableSource::$name(tables $(, $argument)*),
                    Self::Compiled(tables) => TableSource::$name(tables $(, $argument)*),
                }
            })*
        }
    };
}

hand_on! {
    is_trusted() -> bool;
    types() -> Result<usize, usize>;
    operation(index) -> Option<Op>;
    array_length(index) -> Option<i64>;
    globals() -> usize;
    global(index) -> Option<(Op, &[u8])>;
    global_value(index) -> Result<Option<i128>, TableError>;
    records() -> usize;
    record(index) -> Option<(i32, &[u8])>;
    record_place(index) -> Option<(u64, u32)>;
    fields(record) -> usize;
    field(record, index) -> Option<TableField<'_>>;
    enums() -> usize;
    enumeration(index) -> Result<TableEnum<'_>, &'static str>;
    typedefs() -> usize;
    typedef(index) -> Option<(i32, &[u8])>;
}
