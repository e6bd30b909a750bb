//! What stands for names, types, records and enums of one table.

/// An interned identifier. Text: [`TypeTable::text`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Symbol(pub(crate) u32);

/// A type of one [`TypeTable`]. Equal ids mean the same type, qualifiers included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TypeId(pub(crate) u32);

/// A struct or union of one [`TypeTable`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RecordId(pub(crate) u32);

/// An enum of one [`TypeTable`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EnumId(pub(crate) u32);

/// A `typedef int... t;` or `typedef float... t;` whose size only the C compiler knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct UnknownId(pub(crate) u32);

macro_rules! index_ids {
    ($($t:ident),*) => {$(
        impl $t {
            /// Position in the table: dense, starting at 0, so it can index a side table.
            pub fn index(self) -> usize { self.0 as usize }
            /// The id of a position (see [`Self::index`]).
            pub fn from_index(index: usize) -> Self { Self(index as u32) }
        }
    )*};
}
index_ids!(Symbol, TypeId, RecordId, EnumId, UnknownId);
