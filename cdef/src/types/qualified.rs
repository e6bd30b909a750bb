//! A type as a declaration has it: with qualifiers and a given alignment.

use super::TypeId;

/// The type qualifiers (C11 6.7.3). They never change a cdata; they matter for the emitted C and for
/// "is this global a constant".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Qualifiers(pub u8);

impl Qualifiers {
    /// No qualifier.
    pub const NONE: Self = Self(0);
    /// `const`
    pub const CONST: Self = Self(1);
    /// `volatile`
    pub const VOLATILE: Self = Self(2);
    /// `restrict`
    pub const RESTRICT: Self = Self(4);
    /// `_Atomic` used as a qualifier
    pub const ATOMIC: Self = Self(8);
    /// Whether every qualifier of `other` is set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    /// Both sets together.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The alignment that a typedef gives to its type (`typedef double d4 __attribute__((aligned(4)))`), which may be
/// smaller than the type's own. As in C it belongs to objects that are declared with the name: a pointer to one is
/// an ordinary pointer, a parameter an ordinary parameter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Alignment(u8);

impl Alignment {
    /// The type's own.
    pub const NATURAL: Self = Self(0);
    /// This many bytes, a power of two.
    pub fn of(bytes: u32) -> Self {
        Self(bytes.trailing_zeros() as u8 + 1)
    }
    /// In bytes; `None`: the type's own.
    pub fn bytes(self) -> Option<u32> {
        (self.0 != 0).then(|| 1 << (self.0 - 1))
    }
}

/// A type with its top-level qualifiers, and the alignment that a typedef gave it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct QualType {
    /// The type.
    pub ty: TypeId,
    /// Its qualifiers.
    pub quals: Qualifiers,
    /// From a typedef.
    pub align: Alignment,
}

impl QualType {
    /// `ty` without qualifiers.
    pub fn plain(ty: TypeId) -> Self {
        Self {
            ty,
            quals: Qualifiers::NONE,
            align: Alignment::NATURAL,
        }
    }
}
