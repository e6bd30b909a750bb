//! The type model: what a C declaration means, with nothing of Python and nothing of layout in it.
//!
//! Types are interned in a [`TypeTable`]: structurally equal types of one table have the same
//! [`TypeId`], so comparing types is comparing integers. Records (structs and unions) and enums are
//! nominal (C11 6.2.7): each has an id of its own, and is completed in place when its body is seen.

use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use crate::names::Names;
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
    /// An arithmetic type of C or of CFFI's predefined names.
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
    /// `typedef int... t;` or `typedef float... t;`, before the C compiler has been asked.
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
    Int128 = "__int128", UInt128 = "unsigned __int128",
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
    /// Cap on every member's alignment: `Some(1)` for `packed=True`, `Some(n)` for `pack=n` and
    /// `#pragma pack(n)`.
    pub max_align: Option<u32>,
    /// `__attribute__((packed))` was written on the record.
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

/// The C compiler's layout of a record that the cdef declares with `...`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CompilerLayout {
    /// sizeof, in bytes.
    pub size: u64,
    /// _Alignof, in bytes.
    pub align: u32,
    /// For each field in order: offset and size in bytes.
    pub fields: Vec<(u64, u64)>,
}

/// The layout of a record in the tables of a module that CFFI compiled.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GivenLayout {
    /// Size and alignment, in bytes; `None` where C has no name for the record.
    pub whole: Option<(u64, u32)>,
    /// For each field in order: offset and size in bytes (`u64::MAX` where it has none); `None` for bit-fields, and where C
    /// has no name.
    pub fields: Vec<Option<(u64, u64)>>,
    /// The declaration lists all fields: it is an error if the compiler's layout differs.
    pub is_checked: bool,
}

/// A type that Keelback passes on without using its value: a record with a size, but without fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// A description for messages: `a vector`.
    pub kind: &'static str,
    /// sizeof, in bytes.
    pub size: u64,
    /// Its alignment in a record, in bytes.
    pub align: u32,
}

/// A struct or union.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Struct or union.
    pub kind: RecordKind,
    /// `foo` of `struct foo`.
    pub tag: Option<Symbol>,
    /// For a record without a tag: the typedef that names it (`foo_t` of `typedef struct {..} foo_t`), which is then
    /// its C spelling and the name CFFI prints.
    pub typedef_name: Option<Symbol>,
    /// For one with a tag: the typedef that CFFI prints instead ([`ParseOptions::as_cffi`](crate::ParseOptions)).
    pub forced_name: Option<Symbol>,
    /// For a record with a tag: the first typedef that names exactly it. Generated C spells the record by it, as CFFI
    /// does: in the header that the compiler reads the record may have no tag.
    pub alias: Option<Symbol>,
    /// For a record with neither tag nor typedef: the typedef that names a pointer to it (`foo_p` of `typedef struct
    /// {..} *foo_p` and of `typedef ... *foo_p`).
    pub pointer_typedef: Option<Symbol>,
    /// The body; `None` while opaque.
    pub fields: Option<Vec<Field>>,
    /// The body has `...;`: the fields are a subset, and the C compiler determines the layout.
    pub partial: bool,
    /// The number of a record that has no name, counted from 1 in order of appearance, as in CFFI's `struct $1`. 0 for
    /// a record with a name.
    pub number: u32,
    /// For a record without a tag that is the type of a member, or the item type of an array member: the record around
    /// it and the index of that field. Through them C can name the record.
    pub owner: Option<(RecordId, u32)>,
    /// Packing in force.
    pub packing: Packing,
    /// `__attribute__((aligned(n)))` on the record.
    pub align: Option<u32>,
    /// The C compiler's layout, once it has been asked.
    pub compiler_layout: Option<CompilerLayout>,
    /// The layout in the tables of a module that CFFI compiled.
    pub given_layout: Option<Box<GivenLayout>>,
    /// It stands for `_BitInt(n)`, a vector or a floating type that C11 does not have; `typedef_name` is the C
    /// spelling.
    pub sealed: Option<Sealed>,
    /// Why the header's definition of the record (or of the type that it stands for) is not supported: it is opaque.
    pub refused: Option<Box<str>>,
    /// Where the body (or the first mention) is.
    pub span: Span,
}

/// One enumerator.
#[derive(Clone, PartialEq, Debug)]
pub struct Enumerator {
    /// Its name.
    pub name: Symbol,
    /// Its value; `None` while it is `= ...` (or follows one) and the C compiler has not been asked.
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
    /// For one with a tag: the typedef that CFFI prints instead ([`ParseOptions::as_cffi`](crate::ParseOptions)).
    pub forced_name: Option<Symbol>,
    /// As [`Record::alias`], of the declaration that mentions the enum first.
    pub alias: Option<Symbol>,
    /// As [`Record::pointer_typedef`].
    pub pointer_typedef: Option<Symbol>,
    /// As [`Record::number`].
    pub number: u32,
    /// The enumerators; `None` for an enum that was named but never given a body.
    pub enumerators: Option<Vec<Enumerator>>,
    /// The body has `...`.
    pub partial: bool,
    /// The integer type that holds it, once known: from the values (GCC's rule: `unsigned int` unless a value is
    /// negative, wider when needed), or from the C compiler for a partial enum.
    pub underlying: Option<Primitive>,
    /// Where it is.
    pub span: Span,
}

/// Whether a typedef is `int... t;` or `float... t;`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnknownKind {
    /// `int...`, `unsigned long...`
    Integer,
    /// `float...`, `double...`
    Float,
}

/// A typedef whose size and sign only the C compiler knows.
#[derive(Clone, PartialEq, Debug)]
pub struct UnknownType {
    /// The typedef's name: its C spelling.
    pub name: Symbol,
    /// Integer or floating.
    pub kind: UnknownKind,
    /// The type, once the C compiler has been asked.
    pub resolved: Option<Primitive>,
    /// Why the compiler's answer cannot be used. As in CFFI, this is an error only where the type is used.
    pub refused: Option<&'static str>,
    /// Where it is.
    pub span: Span,
}

/// How deeply a type may be built from others (pointers to arrays of functions...). C asks for 12
/// (C11 5.2.4.1); the limit keeps every walk over a type safe from running out of stack.
pub const MAX_TYPE_DEPTH: u16 = 400;

/// The arena of types, records, enums and names.
#[derive(Clone, Debug)]
pub struct TypeTable {
    names: Names,
    types: Vec<Type>,
    /// For each type, how many derivations deep it is.
    depths: Vec<u16>,
    /// Type ids with their hashes, so that growing the table need not read the types.
    interned: HashTable<(u32, TypeId)>,
    /// Records, by [`RecordId`].
    pub records: Vec<Record>,
    /// Enums, by [`EnumId`].
    pub enums: Vec<Enum>,
    /// Unknown typedefs, by [`UnknownId`].
    pub unknowns: Vec<UnknownType>,
    /// Lengths of `[...]` arrays, by the number in [`ArrayLength::FromCompiler`]; `None` until the C compiler has been
    /// asked.
    pub compiler_lengths: Vec<Option<u64>>,
    /// The enumerators read so far of the enum whose body the parser is in.
    pub(crate) open_enumerators: Vec<Enumerator>,
    /// The last [`Record::number`] given.
    numbers: u32,
}

impl Default for TypeTable {
    /// A copy: what is in every table is put together once in a process.
    fn default() -> Self {
        Self::first().clone()
    }
}

impl TypeTable {
    fn first() -> &'static Self {
        static FIRST: OnceLock<TypeTable> = OnceLock::new();
        FIRST.get_or_init(Self::with_primitives)
    }
    /// Puts together what is in every table, so that the first one takes no longer than the others.
    pub fn prepare() {
        Self::first();
    }
    /// A table with the keywords, the predefined names, and the types that have a fixed id.
    fn with_primitives() -> Self {
        let count = Primitive::ALL.len() + 1;
        let mut table = Self {
            names: Names::with_reserved(),
            types: Vec::with_capacity(count),
            depths: Vec::with_capacity(count),
            // With room for more, as below: a copy has as much.
            interned: HashTable::with_capacity(count * 4),
            records: Vec::new(),
            enums: Vec::new(),
            unknowns: Vec::new(),
            compiler_lengths: Vec::new(),
            open_enumerators: Vec::new(),
            numbers: 0,
        };
        // In this order, so that the parser knows the id of `void` and of every primitive without a look-up.
        table.intern(Type::Void);
        for &primitive in Primitive::ALL {
            table.intern(Type::Primitive(primitive));
        }
        table
    }
}

/// The lengths of a [`TypeTable`] at the time of a [`mark`](TypeTable::mark).
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypeMark {
    names: usize,
    types: usize,
    records: usize,
    enums: usize,
    unknowns: usize,
    lengths: usize,
    numbers: u32,
}

impl TypeMark {
    /// How many symbols there were.
    pub(crate) fn names(&self) -> usize {
        self.names
    }
    /// How many records there were.
    pub(crate) fn records(&self) -> usize {
        self.records
    }
    pub(crate) fn is_new_enum(&self, id: EnumId) -> bool {
        id.index() >= self.enums
    }
}

fn hash_type(ty: &Type) -> u32 {
    let mut hasher = FxHasher::default();
    ty.hash(&mut hasher);
    let hash = hasher.finish();
    (hash ^ (hash >> 32)) as u32
}

/// See `names::spread`.
fn spread(hash: u32) -> u64 {
    u64::from(hash) | u64::from(hash) << 32
}

impl TypeTable {
    /// `void`, in every table.
    pub const VOID: TypeId = TypeId(0);

    /// The id of a primitive type, the same in every table.
    pub const fn primitive_id(primitive: Primitive) -> TypeId {
        TypeId(primitive as u32 + 1)
    }
    /// The id of `ty`, which is added if it is new.
    pub fn intern(&mut self, ty: Type) -> TypeId {
        let hash = hash_type(&ty);
        let types = &self.types;
        let found = self.interned.find(spread(hash), |&(other, id)| {
            other == hash && types[id.index()] == ty
        });
        if let Some(&(_, id)) = found {
            return id;
        }
        let id = TypeId(self.types.len() as u32);
        self.depths.push(self.depth_of(&ty));
        self.types.push(ty);
        self.interned
            .insert_unique(spread(hash), (hash, id), |&(hash, _)| spread(hash));
        id
    }
    /// The id of `ty`, if it is known already.
    pub fn find(&self, ty: &Type) -> Option<TypeId> {
        let hash = hash_type(ty);
        let found = self.interned.find(spread(hash), |&(other, id)| {
            other == hash && self.types[id.index()] == *ty
        });
        found.map(|&(_, id)| id)
    }
    /// The type of an id.
    pub fn get(&self, id: TypeId) -> &Type {
        &self.types[id.index()]
    }
    /// How many types there are: ids are `0..len`.
    pub fn len(&self) -> usize {
        self.types.len()
    }
    /// Always `false`: `void` and the primitives are always there.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }
    /// How many derivations deep a type is; 0 for what isn't derived. Saturates above [`MAX_TYPE_DEPTH`].
    pub(crate) fn depth(&self, id: TypeId) -> u16 {
        self.depths[id.index()]
    }
    fn depth_of(&self, ty: &Type) -> u16 {
        let inner = match ty {
            Type::Pointer(to) => self.depth(to.ty),
            Type::Array { item, .. } => self.depth(item.ty),
            Type::Function(function) => function
                .params
                .iter()
                .map(|param| self.depth(param.ty))
                .max()
                .unwrap_or(0)
                .max(self.depth(function.result.ty)),
            _ => return 0,
        };
        inner.saturating_add(1)
    }
    /// `T *`
    pub fn pointer_to(&mut self, to: QualType) -> TypeId {
        let align = Alignment::NATURAL;
        self.intern(Type::Pointer(QualType { align, ..to }))
    }
    /// The primitive's type.
    pub fn primitive(&mut self, primitive: Primitive) -> TypeId {
        Self::primitive_id(primitive)
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
    /// The length of an array, where it is known: `None` for `[]`, and for `[...]` before the compiler told.
    pub fn array_length(&self, length: ArrayLength) -> Option<u64> {
        match length {
            ArrayLength::Fixed(length) => Some(length),
            ArrayLength::Unspecified => None,
            ArrayLength::FromCompiler(number) => self.compiler_lengths[number as usize],
        }
    }
    /// The symbol of a text, which is added if it is new.
    pub fn symbol(&mut self, text: &str) -> Symbol {
        self.names.intern(text)
    }
    /// The symbol of a text, if it has one.
    pub fn find_symbol(&self, text: &str) -> Option<Symbol> {
        self.names.find(text)
    }
    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.names.text(symbol)
    }
    /// The type without the qualifiers of everything that it is derived from (`const char *` becomes `char *`):
    /// qualifiers never change a cdata, so types that differ only in them are one ctype in Python.
    pub fn unqualified(&mut self, id: TypeId) -> TypeId {
        let ty = match self.get(id) {
            Type::Pointer(to) => {
                let to = to.ty;
                Type::Pointer(QualType::plain(self.unqualified(to)))
            }
            Type::Array { item, length } => {
                let (item, length) = (item.ty, *length);
                let item = QualType::plain(self.unqualified(item));
                Type::Array { item, length }
            }
            Type::Function(function) => {
                let mut function = function.clone();
                function.result = QualType::plain(self.unqualified(function.result.ty));
                for param in &mut function.params {
                    *param = QualType::plain(self.unqualified(param.ty));
                }
                Type::Function(function)
            }
            _ => return id,
        };
        self.intern(ty)
    }

    /// The next [`Record::number`].
    pub(crate) fn next_number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }
    /// Gives a [`Record::number`] back if it was the last one.
    pub(crate) fn free_number(&mut self, number: u32) {
        if number != 0 && number == self.numbers {
            self.numbers -= 1;
        }
    }
    pub(crate) fn open_enumerator(&self, index: u32) -> Option<i128> {
        self.open_enumerators.get(index as usize)?.value
    }

    /// Reserves memory for the names and types of so many declarations.
    pub(crate) fn reserve(&mut self, declarations: usize) {
        self.names.reserve(declarations * 2);
        self.types.reserve(declarations);
        self.depths.reserve(declarations);
        self.interned
            .reserve(declarations, |&(hash, _)| spread(hash));
    }

    pub(crate) fn mark(&self) -> TypeMark {
        TypeMark {
            names: self.names.len(),
            types: self.types.len(),
            records: self.records.len(),
            enums: self.enums.len(),
            unknowns: self.unknowns.len(),
            lengths: self.compiler_lengths.len(),
            numbers: self.numbers,
        }
    }

    /// Removes everything that was added since `mark`.
    pub(crate) fn roll_back(&mut self, mark: &TypeMark) {
        for index in mark.types..self.types.len() {
            let hash = hash_type(&self.types[index]);
            if let Ok(entry) = self
                .interned
                .find_entry(spread(hash), |(_, id)| id.index() == index)
            {
                entry.remove();
            }
        }
        self.types.truncate(mark.types);
        self.depths.truncate(mark.types);
        self.records.truncate(mark.records);
        self.enums.truncate(mark.enums);
        self.unknowns.truncate(mark.unknowns);
        self.compiler_lengths.truncate(mark.lengths);
        self.names.roll_back(mark.names);
        self.numbers = mark.numbers;
        self.open_enumerators.clear();
    }
}
