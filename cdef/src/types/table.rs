//! The table of all types of some declarations.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::{
    Alignment, ArrayLength, Enum, EnumId, Enumerator, Primitive, QualType, Record, RecordId,
    Symbol, Type, TypeId, UnknownId, UnknownType,
};
use crate::hash_index::{HashIndex, hash};
use crate::names::Names;

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
    /// Type ids by the hashes of the types.
    interned: HashIndex,
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
    /// A copy of what is in every table, which is put together once in a process; with room for a few more.
    fn default() -> Self {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        spare.take().unwrap_or_else(Self::copy_of_first)
    }
}

/// A copy that was made before it is needed.
static SPARE: Mutex<Option<TypeTable>> = Mutex::new(None);

impl TypeTable {
    fn copy_of_first() -> Self {
        let first = Self::first();
        Self {
            names: first.names.clone_with_room(),
            types: copy_with_room(&first.types),
            depths: copy_with_room(&first.depths),
            interned: first.interned.clone(),
            records: Vec::new(),
            enums: Vec::new(),
            unknowns: Vec::new(),
            compiler_lengths: Vec::new(),
            open_enumerators: Vec::new(),
            numbers: first.numbers,
        }
    }
}

/// How many more types or names a table has room for at first.
const ROOM: usize = 48;

/// A copy that need not grow at once.
pub(crate) fn copy_with_room<T: Clone>(items: &[T]) -> Vec<T> {
    let mut copy = Vec::with_capacity(items.len() + ROOM);
    copy.extend_from_slice(items);
    copy
}

impl TypeTable {
    fn first() -> &'static Self {
        static FIRST: OnceLock<TypeTable> = OnceLock::new();
        FIRST.get_or_init(Self::with_primitives)
    }
    /// Puts together what is in every table, and the copy that the first one will be, so that it takes no time.
    pub fn prepare() {
        let spare = Self::copy_of_first();
        *SPARE.lock().unwrap_or_else(PoisonError::into_inner) = Some(spare);
    }
    /// A table with the keywords, the predefined names, and the types that have a fixed id.
    fn with_primitives() -> Self {
        let count = Primitive::ALL.len() + 1;
        let mut table = Self {
            names: Names::with_reserved(),
            types: Vec::with_capacity(count),
            depths: Vec::with_capacity(count),
            // With room for more, as below: a copy has as much.
            interned: HashIndex::with_capacity(count * 4),
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

impl TypeTable {
    /// `void`, in every table.
    pub const VOID: TypeId = TypeId(0);

    /// The id of a primitive type, the same in every table.
    pub const fn primitive_id(primitive: Primitive) -> TypeId {
        TypeId(primitive as u32 + 1)
    }
    /// The id of `ty`, which is added if it is new.
    pub fn intern(&mut self, ty: Type) -> TypeId {
        let hash = hash(&ty);
        let types = &self.types;
        let found = self.interned.find(hash, |id| types[id as usize] == ty);
        if let Some(id) = found {
            return TypeId(id);
        }
        let id = TypeId(self.types.len() as u32);
        self.depths.push(self.depth_of(&ty));
        self.types.push(ty);
        self.interned.insert(hash, id.0);
        id
    }
    /// The id of `ty`, if it is known already.
    pub fn find(&self, ty: &Type) -> Option<TypeId> {
        let found = self
            .interned
            .find(hash(ty), |id| self.types[id as usize] == *ty);
        found.map(TypeId)
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
    /// The last number given.
    pub(crate) fn numbers(&self) -> u32 {
        self.numbers
    }
    /// Goes on behind another number.
    pub(crate) fn set_numbers(&mut self, last: u32) {
        self.numbers = last;
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
        self.interned.reserve(declarations);
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
            self.interned.remove(hash(&self.types[index]), index as u32);
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
