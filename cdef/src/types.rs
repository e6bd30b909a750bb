//! The type model: what a C declaration means, with nothing of Python and nothing of layout in it.
//!
//! Types are interned in a [`TypeTable`]: structurally equal types of one table have the same
//! [`TypeId`], so comparing types is comparing integers. Records (structs and unions) and enums are
//! nominal (C11 6.2.7): each has an id of its own, and is completed in place when its body is seen.

use rustc_hash::FxHashMap;

use crate::source::Span;

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

/// A type with its top-level qualifiers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct QualType {
    /// The type.
    pub ty: TypeId,
    /// Its qualifiers.
    pub quals: Qualifiers,
}

impl QualType {
    /// `ty` without qualifiers.
    pub fn plain(ty: TypeId) -> Self {
        Self {
            ty,
            quals: Qualifiers::NONE,
        }
    }
}

/// The length of an array type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArrayLength {
    /// `T a[5]`
    Fixed(u64),
    /// `T a[]`: incomplete, or a flexible array member.
    Unspecified,
    /// `T a[...]`: asked from the C compiler. The number tells several such arrays apart; it indexes
    /// [`TypeTable::compiler_lengths`].
    FromCompiler(u32),
}

/// The calling convention of a function type. Differs from [`Cdecl`](Self::Cdecl) only on 32-bit Windows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum CallingConvention {
    /// The platform's C convention.
    #[default]
    Cdecl,
    /// `__stdcall` / `WINAPI`
    Stdcall,
}

/// A function type. Array and function parameters are already adjusted to pointers (C11 6.7.6.3).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FunctionType {
    /// What it returns.
    pub result: QualType,
    /// Its parameters.
    pub params: Box<[QualType]>,
    /// Ends in `, ...`.
    pub variadic: bool,
    /// Calling convention.
    pub convention: CallingConvention,
}

/// A C type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// `void`
    Void,
    /// An arithmetic type that C or CFFI's list of predefined names has.
    Primitive(Primitive),
    /// `T *`
    Pointer(QualType),
    /// `T [n]`
    Array {
        /// The item type.
        item: QualType,
        /// How many.
        length: ArrayLength,
    },
    /// A function type (not a pointer to one).
    Function(Box<FunctionType>),
    /// A struct or union.
    Record(RecordId),
    /// An enum.
    Enum(EnumId),
    /// `typedef int... t;` and its kind, before the compiler told.
    Unknown(UnknownId),
}

macro_rules! primitives {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// Every arithmetic type with a name of its own. As in CFFI, `int32_t` and `int` are different
        /// types with equal values: each keeps the name it was declared with.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Primitive { $(#[doc = concat!("`", $name, "`")] $variant),* }
        impl Primitive {
            /// All of them, in order of their discriminants.
            pub const ALL: &'static [Primitive] = &[$(Primitive::$variant),*];
            /// The name as CFFI prints it (`unsigned int`, `int32_t`, `_Bool`).
            pub fn name(self) -> &'static str { match self { $(Primitive::$variant => $name),* } }
        }
    };
}
primitives! {
    Bool = "_Bool", Char = "char", SChar = "signed char", UChar = "unsigned char",
    Short = "short", UShort = "unsigned short", Int = "int", UInt = "unsigned int",
    Long = "long", ULong = "unsigned long", LongLong = "long long", ULongLong = "unsigned long long",
    Float = "float", Double = "double", LongDouble = "long double",
    FloatComplex = "float _Complex", DoubleComplex = "double _Complex", LongDoubleComplex = "long double _Complex",
    WChar = "wchar_t", Char16 = "char16_t", Char32 = "char32_t",
    Int8 = "int8_t", UInt8 = "uint8_t", Int16 = "int16_t", UInt16 = "uint16_t",
    Int32 = "int32_t", UInt32 = "uint32_t", Int64 = "int64_t", UInt64 = "uint64_t",
    IntLeast8 = "int_least8_t", UIntLeast8 = "uint_least8_t", IntLeast16 = "int_least16_t", UIntLeast16 = "uint_least16_t",
    IntLeast32 = "int_least32_t", UIntLeast32 = "uint_least32_t", IntLeast64 = "int_least64_t", UIntLeast64 = "uint_least64_t",
    IntFast8 = "int_fast8_t", UIntFast8 = "uint_fast8_t", IntFast16 = "int_fast16_t", UIntFast16 = "uint_fast16_t",
    IntFast32 = "int_fast32_t", UIntFast32 = "uint_fast32_t", IntFast64 = "int_fast64_t", UIntFast64 = "uint_fast64_t",
    IntPtr = "intptr_t", UIntPtr = "uintptr_t", IntMax = "intmax_t", UIntMax = "uintmax_t",
    PtrDiff = "ptrdiff_t", Size = "size_t", SSize = "ssize_t",
}

/// Struct or union.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RecordKind {
    /// `struct`
    Struct,
    /// `union`
    Union,
}

impl RecordKind {
    /// The C keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Struct => "struct",
            Self::Union => "union",
        }
    }
}

/// How tightly a record is packed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Packing {
    /// Cap on every member's alignment: `Some(1)` for `packed=True` and `__attribute__((packed))`,
    /// `Some(n)` for `pack=n` and `#pragma pack(n)`.
    pub max_align: Option<u32>,
    /// `__attribute__((packed))` was written on the record: bit-fields are packed too, which
    /// `packed=True` does not do (CFFI's rule).
    pub attribute: bool,
}

/// A member of a record.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// The name; `None` for an anonymous struct/union member and for an unnamed bit-field.
    pub name: Option<Symbol>,
    /// Its type.
    pub ty: QualType,
    /// Width of a bit-field, in bits.
    pub bits: Option<u32>,
    /// From `_Alignas` or `__attribute__((aligned(n)))`.
    pub align: Option<u32>,
    /// `__attribute__((packed))` on this member.
    pub packed: bool,
    /// Where it is declared.
    pub span: Span,
}

/// What the C compiler said of a record that the cdef declares with `...`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CompilerLayout {
    /// sizeof, in bytes.
    pub size: u64,
    /// _Alignof, in bytes.
    pub align: u32,
    /// For each field in order: offset and size in bytes.
    pub fields: Vec<(u64, u64)>,
}

/// A struct or union.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Struct or union.
    pub kind: RecordKind,
    /// `foo` of `struct foo`.
    pub tag: Option<Symbol>,
    /// For one without a tag: the typedef that names it (`foo_t` of `typedef struct {..} foo_t`), which is
    /// then its C spelling and the name CFFI prints.
    pub typedef_name: Option<Symbol>,
    /// The body; `None` while opaque.
    pub fields: Option<Vec<Field>>,
    /// The body has `...;`: a subset of the fields, laid out by the compiler.
    pub partial: bool,
    /// Packing in force.
    pub packing: Packing,
    /// `__attribute__((aligned(n)))` on the record.
    pub align: Option<u32>,
    /// What the compiler said, once it did.
    pub compiler_layout: Option<CompilerLayout>,
    /// Where the body (or the first mention) is.
    pub span: Span,
}

/// One enumerator.
#[derive(Clone, PartialEq, Debug)]
pub struct Enumerator {
    /// Its name.
    pub name: Symbol,
    /// Its value; `None` while it is `= ...` (or follows one) and the compiler has not told.
    pub value: Option<i128>,
    /// Where it is.
    pub span: Span,
}

/// An enum.
#[derive(Clone, PartialEq, Debug)]
pub struct Enum {
    /// `foo` of `enum foo`.
    pub tag: Option<Symbol>,
    /// As [`Record::typedef_name`].
    pub typedef_name: Option<Symbol>,
    /// The enumerators; `None` for an enum that was named but never given a body.
    pub enumerators: Option<Vec<Enumerator>>,
    /// The body has `...`.
    pub partial: bool,
    /// The integer type that holds it, once known: by the values (GCC's rule: `unsigned int` unless a
    /// value is negative, wider when needed), or by the compiler for a partial one.
    pub underlying: Option<Primitive>,
    /// Where it is.
    pub span: Span,
}

/// What `typedef int... t;` said of the type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnknownKind {
    /// `int...`, `unsigned long...`
    Integer,
    /// `float...`, `double...`
    Float,
}

/// A typedef whose size and sign the compiler finds.
#[derive(Clone, PartialEq, Debug)]
pub struct UnknownType {
    /// The typedef's name: its C spelling.
    pub name: Symbol,
    /// Integer or floating.
    pub kind: UnknownKind,
    /// What it turned out to be.
    pub resolved: Option<Primitive>,
    /// Where it is.
    pub span: Span,
}

/// The arena of types, records, enums and names.
#[derive(Clone, Debug, Default)]
pub struct TypeTable {
    pub(crate) texts: Vec<Box<str>>,
    pub(crate) symbols: FxHashMap<Box<str>, Symbol>,
    types: Vec<Type>,
    interned: FxHashMap<Type, TypeId>,
    /// Records, by [`RecordId`].
    pub records: Vec<Record>,
    /// Enums, by [`EnumId`].
    pub enums: Vec<Enum>,
    /// Unknown typedefs, by [`UnknownId`].
    pub unknowns: Vec<UnknownType>,
    /// Lengths of `[...]` arrays, by the number in [`ArrayLength::FromCompiler`]; `None` until told.
    pub compiler_lengths: Vec<Option<u64>>,
}

impl TypeTable {
    /// The id of `ty`, made at first sight.
    pub fn intern(&mut self, ty: Type) -> TypeId {
        if let Some(&id) = self.interned.get(&ty) {
            return id;
        }
        let id = TypeId(self.types.len() as u32);
        self.types.push(ty.clone());
        self.interned.insert(ty, id);
        id
    }
    /// The id of `ty`, if it is known already.
    pub fn find(&self, ty: &Type) -> Option<TypeId> {
        self.interned.get(ty).copied()
    }
    /// The type of an id.
    pub fn get(&self, id: TypeId) -> &Type {
        &self.types[id.index()]
    }
    /// How many types there are: ids are `0..len`.
    pub fn len(&self) -> usize {
        self.types.len()
    }
    /// Whether there is no type yet.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }
    /// `T *`
    pub fn pointer_to(&mut self, to: QualType) -> TypeId {
        self.intern(Type::Pointer(to))
    }
    /// The primitive's type.
    pub fn primitive(&mut self, primitive: Primitive) -> TypeId {
        self.intern(Type::Primitive(primitive))
    }
    /// The record of an id.
    pub fn record(&self, id: RecordId) -> &Record {
        &self.records[id.index()]
    }
    /// The enum of an id.
    pub fn enumeration(&self, id: EnumId) -> &Enum {
        &self.enums[id.index()]
    }
    /// The unknown typedef of an id.
    pub fn unknown(&self, id: UnknownId) -> &UnknownType {
        &self.unknowns[id.index()]
    }
    /// The symbol of a text, made at first sight.
    pub fn symbol(&mut self, text: &str) -> Symbol {
        if let Some(&symbol) = self.symbols.get(text) {
            return symbol;
        }
        let symbol = Symbol(self.texts.len() as u32);
        self.texts.push(text.into());
        self.symbols.insert(text.into(), symbol);
        symbol
    }
    /// The symbol of a text, if it was seen.
    pub fn find_symbol(&self, text: &str) -> Option<Symbol> {
        self.symbols.get(text).copied()
    }
    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.index()]
    }
}
