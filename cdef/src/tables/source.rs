//! Access to tables: bytes in a Python module, or anything else that has their entries.

use super::TableError;
use super::format::{OP_BIT_FIELD, Op, number, op};

/// A field of a struct or union.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableField<'a> {
    /// Its operation; the argument is the index of its type.
    pub op: Op,
    /// Of a bit-field: its width.
    pub bits: Option<i32>,
    /// Its name; empty for an anonymous member.
    pub name: &'a [u8],
    /// The C compiler's offset and size; `None` where it was not asked.
    pub place: Option<(u64, u64)>,
}

/// An enum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableEnum<'a> {
    /// The number of its integer type.
    pub primitive: i32,
    /// Its name.
    pub name: &'a [u8],
    /// The names of the enumerators, with commas between.
    pub enumerators: &'a [u8],
}

/// The tables that are sorted by names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sorted {
    /// Functions, variables and constants.
    Globals,
    /// Structs and unions.
    Records,
    /// Enums.
    Enums,
    /// Typedefs.
    Typedefs,
}

/// The entries of tables. Every index is below the count that goes with it. `None` is an entry that is too short.
pub trait TableSource {
    /// Whether a C compiler checked them: then [`Tables::new`](super::Tables::new) does not.
    fn is_trusted(&self) -> bool;
    /// The index of a name.
    fn find(&self, table: Sorted, name: &[u8]) -> Option<usize>;
    /// The number of operations.
    ///
    /// # Errors
    /// The length is no multiple of four bytes: the length.
    fn types(&self) -> Result<usize, usize>;
    /// An operation.
    fn operation(&self, index: usize) -> Option<Op>;
    /// The array length that stands in the place of an operation.
    fn array_length(&self, index: usize) -> Option<i64>;
    /// How many functions, variables and constants there are.
    fn globals(&self) -> usize;
    /// Operation and name of one.
    fn global(&self, index: usize) -> Option<(Op, &[u8])>;
    /// The value of an integer constant. `Ok(None)`: it is no integer that C has.
    ///
    /// # Errors
    /// The value contradicts the declaration.
    fn global_value(&self, index: usize) -> Result<Option<i128>, TableError>;
    /// How many structs and unions there are.
    fn records(&self) -> usize;
    /// Flags and name of one.
    fn record(&self, index: usize) -> Option<(i32, &[u8])>;
    /// The C compiler's size and alignment of one; `None` where it was not asked.
    fn record_place(&self, index: usize) -> Option<(u64, u32)>;
    /// How many fields it has.
    fn fields(&self, record: usize) -> usize;
    /// One of them.
    fn field(&self, record: usize, index: usize) -> Option<TableField<'_>>;
    /// How many enums there are.
    fn enums(&self) -> usize;
    /// One of them.
    ///
    /// # Errors
    /// It is too short, or its name has no end: the text of the message.
    fn enumeration(&self, index: usize) -> Result<TableEnum<'_>, &'static str>;
    /// How many typedefs there are.
    fn typedefs(&self) -> usize;
    /// Index and name of one.
    fn typedef(&self, index: usize) -> Option<(i32, &[u8])>;
}

/// The tables as Python modules have them: bytes. Every index is below the count that goes with it.
pub trait ByteTables {
    /// `_types`
    fn types(&self) -> &[u8];
    /// How many functions, variables and constants there are.
    fn globals(&self) -> usize;
    /// Operation and name of one.
    fn global(&self, index: usize) -> &[u8];
    /// Its number; `None` if that is no integer.
    fn global_value(&self, index: usize) -> Option<i128>;
    /// How many structs and unions there are.
    fn records(&self) -> usize;
    /// Index, flags and name of one.
    fn record(&self, index: usize) -> &[u8];
    /// How many fields it has.
    fn fields(&self, record: usize) -> usize;
    /// Operation, width and name of one.
    fn field(&self, record: usize, index: usize) -> &[u8];
    /// How many enums there are.
    fn enums(&self) -> usize;
    /// Index, type, name and enumerators of one.
    fn enumeration(&self, index: usize) -> &[u8];
    /// How many typedefs there are.
    fn typedefs(&self) -> usize;
    /// Index and name of one.
    fn typedef(&self, index: usize) -> &[u8];
}

impl<T: ByteTables> TableSource for T {
    fn is_trusted(&self) -> bool {
        false
    }
    fn find(&self, table: Sorted, name: &[u8]) -> Option<usize> {
        fn name_of(head: Option<(impl Sized, &[u8])>) -> &[u8] {
            head.map_or(&[], |(_, name)| name)
        }
        match table {
            Sorted::Globals => find(ByteTables::globals(self), name, |index| {
                name_of(TableSource::global(self, index))
            }),
            Sorted::Records => find(ByteTables::records(self), name, |index| {
                name_of(TableSource::record(self, index))
            }),
            Sorted::Enums => find(ByteTables::enums(self), name, |index| {
                TableSource::enumeration(self, index).map_or(&[], |one| one.name)
            }),
            Sorted::Typedefs => find(ByteTables::typedefs(self), name, |index| {
                name_of(TableSource::typedef(self, index))
            }),
        }
    }
    fn types(&self) -> Result<usize, usize> {
        let length = ByteTables::types(self).len();
        if length.is_multiple_of(4) {
            Ok(length / 4)
        } else {
            Err(length)
        }
    }
    fn operation(&self, index: usize) -> Option<Op> {
        let bytes = ByteTables::types(self).get(index.checked_mul(4)?..)?;
        op(bytes).map(|(op, _)| op)
    }
    fn array_length(&self, index: usize) -> Option<i64> {
        let bytes = ByteTables::types(self).get(index.checked_mul(4)?..)?;
        number(bytes).map(|(length, _)| length.into())
    }
    fn globals(&self) -> usize {
        ByteTables::globals(self)
    }
    fn global(&self, index: usize) -> Option<(Op, &[u8])> {
        op(ByteTables::global(self, index))
    }
    fn global_value(&self, index: usize) -> Result<Option<i128>, TableError> {
        Ok(ByteTables::global_value(self, index))
    }
    fn records(&self) -> usize {
        ByteTables::records(self)
    }
    fn record(&self, index: usize) -> Option<(i32, &[u8])> {
        let (_, rest) = number(ByteTables::record(self, index))?;
        number(rest)
    }
    fn record_place(&self, _index: usize) -> Option<(u64, u32)> {
        None
    }
    fn fields(&self, record: usize) -> usize {
        ByteTables::fields(self, record)
    }
    fn field(&self, record: usize, index: usize) -> Option<TableField<'_>> {
        let (op, mut name) = op(ByteTables::field(self, record, index))?;
        let mut bits = None;
        if op.code == OP_BIT_FIELD {
            let (width, rest) = number(name)?;
            bits = Some(width);
            name = rest;
        }
        Some(TableField {
            op,
            bits,
            name,
            place: None,
        })
    }
    fn enums(&self) -> usize {
        ByteTables::enums(self)
    }
    fn enumeration(&self, index: usize) -> Result<TableEnum<'_>, &'static str> {
        let (_, rest) = number(ByteTables::enumeration(self, index)).ok_or(super::TRUNCATED)?;
        let (primitive, rest) = number(rest).ok_or(super::TRUNCATED)?;
        let end = rest.iter().position(|&byte| byte == 0);
        let end = end.ok_or("its name has no end")?;
        Ok(TableEnum {
            primitive,
            name: &rest[..end],
            enumerators: &rest[end + 1..],
        })
    }
    fn typedefs(&self) -> usize {
        ByteTables::typedefs(self)
    }
    fn typedef(&self, index: usize) -> Option<(i32, &[u8])> {
        number(ByteTables::typedef(self, index))
    }
}

/// The place of a name in a table that is sorted by names.
fn find<'a>(count: usize, wanted: &[u8], name_at: impl Fn(usize) -> &'a [u8]) -> Option<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        match name_at(middle).cmp(wanted) {
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}
