//! `ffi.include()`: making the types and constants of one `Declarations` visible in another.

use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHashMap;

use crate::declarations::{Constant, Declarations, Item, Macro, Typedef};
use crate::diagnostic::Diagnostic;
use crate::message;
use crate::source::Span;
use crate::types::{
    ArrayLength, EnumId, FunctionType, QualType, RecordId, Symbol, Type, TypeId, UnknownId,
};

/// A number that no other `Declarations` of the process has. Clones share it: their declarations are the same ones.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Identity(u64);

impl Default for Identity {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(Identity::PREDEFINED.0 + 1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Identity {
    /// The origin of predefined types (`FILE`), which are the same in all `Declarations`.
    const PREDEFINED: Self = Self(0);
}

/// The ids here of everything that was included, by its origin: the `Declarations` that first declared it, and its id
/// there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    records: OriginMap<RecordId>,
    enums: OriginMap<EnumId>,
    unknowns: OriginMap<UnknownId>,
    lengths: OriginMap<u32>,
}

impl Origins {
    /// Notes that a record is the predefined opaque struct with this name.
    pub(crate) fn predefine(&mut self, name: Symbol, id: RecordId) {
        let origin = (Identity::PREDEFINED, RecordId::from_index(name.index()));
        self.records.insert(origin, id);
    }
    /// The record for a predefined name, if it was included.
    pub(crate) fn predefined(&self, name: Symbol) -> Option<RecordId> {
        let origin = (Identity::PREDEFINED, RecordId::from_index(name.index()));
        self.records.here.get(&origin).copied()
    }
    /// Forgets the records from number `len` on, which a rollback removes.
    pub(crate) fn forget_records_from(&mut self, len: usize) {
        self.records.here.retain(|_, id| id.index() < len);
        self.records.origin.retain(|id, _| id.index() < len);
    }
}

#[derive(Clone, Debug)]
struct OriginMap<T> {
    here: FxHashMap<(Identity, T), T>,
    origin: FxHashMap<T, (Identity, T)>,
}

impl<T> Default for OriginMap<T> {
    fn default() -> Self {
        Self {
            here: FxHashMap::default(),
            origin: FxHashMap::default(),
        }
    }
}

impl<T: Copy + Eq + std::hash::Hash> OriginMap<T> {
    fn origin_of(&self, owner: Identity, id: T) -> (Identity, T) {
        self.origin.get(&id).copied().unwrap_or((owner, id))
    }
    fn insert(&mut self, origin: (Identity, T), here: T) {
        self.here.insert(origin, here);
        self.origin.insert(here, origin);
    }
}

/// How the ids of the included `Declarations` (there) translate to ids of the including one (here), in the order of the
/// ids there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Included {
    /// Structs and unions: (there, here).
    pub records: Vec<(RecordId, RecordId)>,
    /// Enums.
    pub enums: Vec<(EnumId, EnumId)>,
    /// `typedef int...` types.
    pub unknowns: Vec<(UnknownId, UnknownId)>,
    /// For every type there, by its index: its id here.
    pub types: Vec<TypeId>,
}

/// The records and enums that an `include()` created because they were not here already: (there, here).
#[derive(Default)]
struct Fresh {
    records: Vec<(RecordId, RecordId)>,
    enums: Vec<(EnumId, EnumId)>,
}

impl Declarations {
    /// Makes the types, enumerators and integer constants of `other` visible here. Functions and variables are not
    /// included: a `lib` finds those of an included module in that module. What is included is not listed in
    /// [`Self::items`]. Including the same declarations twice, or through two others, is harmless.
    ///
    /// # Errors
    /// A name is declared differently in both; nothing is then included.
    pub fn include(&mut self, other: &Declarations) -> Result<Included, Box<Diagnostic>> {
        let mark = self.mark();
        let origins = self.included.clone();
        let (included, fresh) = self.include_types(other);
        let result = self
            .include_tags(other, &fresh)
            .and_then(|()| self.include_names(other, &included))
            .map(|()| included);
        match result {
            Ok(included) => {
                self.journal = Vec::new();
                Ok(included)
            }
            Err(diagnostic) => {
                self.roll_back(&mark);
                self.included = origins;
                Err(diagnostic)
            }
        }
    }

    /// Makes the types of `other` available here, but not their names. Returns their ids.
    pub fn include_unnamed(&mut self, other: &Declarations) -> Included {
        self.include_types(other).0
    }

    /// The name (`FILE`) of a predefined opaque struct, which is the same type in all `Declarations`; `None` for every
    /// other record.
    pub fn predefined_record(&self, id: RecordId) -> Option<&str> {
        match self.included.records.origin.get(&id) {
            Some(&(Identity::PREDEFINED, name)) => {
                Some(self.text(Symbol::from_index(name.index())))
            }
            _ => None,
        }
    }

    fn include_symbol(&mut self, other: &Declarations, symbol: Symbol) -> Symbol {
        self.types.symbol(other.text(symbol))
    }

    /// Creates the types of `other` here where they are missing, and says which records and enums are new.
    fn include_types(&mut self, other: &Declarations) -> (Included, Fresh) {
        let mut included = Included::default();
        let mut fresh = Fresh::default();
        for index in 0..other.types.records.len() {
            let there = RecordId::from_index(index);
            let origin = other.included.records.origin_of(other.identity, there);
            let known = self.included.records.here.get(&origin).copied();
            let here = known.unwrap_or_else(|| {
                let here = self.include_record(other, there, origin);
                fresh.records.push((there, here));
                here
            });
            included.records.push((there, here));
        }
        for index in 0..other.types.enums.len() {
            let there = EnumId::from_index(index);
            let origin = other.included.enums.origin_of(other.identity, there);
            let known = self.included.enums.here.get(&origin).copied();
            let here = known.unwrap_or_else(|| {
                let here = self.include_enum(other, there, origin);
                fresh.enums.push((there, here));
                here
            });
            included.enums.push((there, here));
        }
        for index in 0..other.types.unknowns.len() {
            let there = UnknownId::from_index(index);
            let origin = other.included.unknowns.origin_of(other.identity, there);
            let known = self.included.unknowns.here.get(&origin).copied();
            let here = known.unwrap_or_else(|| self.include_unknown(other, there, origin));
            included.unknowns.push((there, here));
        }
        let lengths = self.include_lengths(other);
        // A type always has a higher id than the types it is derived from, so these are translated already.
        for index in 0..other.types.len() {
            let ty = other.types.get(TypeId::from_index(index));
            let here = self.types.intern(derived(&included, &lengths, ty));
            included.types.push(here);
        }
        self.include_fields(other, &included, &fresh);
        (included, fresh)
    }

    /// Creates a struct or union of `other` here, still without its fields, whose types are not translated yet.
    fn include_record(
        &mut self,
        other: &Declarations,
        there: RecordId,
        origin: (Identity, RecordId),
    ) -> RecordId {
        let mut record = other.types.record(there).clone();
        record.fields = None;
        record.owner = None;
        record.span = Span::NOWHERE;
        for name in [
            &mut record.tag,
            &mut record.typedef_name,
            &mut record.forced_name,
            &mut record.alias,
            &mut record.pointer_typedef,
        ] {
            *name = name.map(|name| self.include_symbol(other, name));
        }
        if record.number != 0 {
            record.number = self.types.next_number();
        }
        let here = RecordId::from_index(self.types.records.len());
        let sealed = record.sealed.and(record.typedef_name);
        self.types.records.push(record);
        self.included.records.insert(origin, here);
        if let Some(spelling) = sealed {
            // Texts that spell this sealed type (a vector, `_BitInt(n)`) then mean the included one.
            let ty = QualType::plain(self.types.intern(Type::Record(here)));
            self.predefined.entry(spelling).or_insert(ty);
        }
        here
    }

    /// Creates an enum of `other` here.
    fn include_enum(
        &mut self,
        other: &Declarations,
        there: EnumId,
        origin: (Identity, EnumId),
    ) -> EnumId {
        let mut enumeration = other.types.enumeration(there).clone();
        enumeration.span = Span::NOWHERE;
        let names = [
            &mut enumeration.tag,
            &mut enumeration.typedef_name,
            &mut enumeration.forced_name,
            &mut enumeration.alias,
            &mut enumeration.pointer_typedef,
        ];
        for name in names {
            *name = name.map(|name| self.include_symbol(other, name));
        }
        for enumerator in enumeration.enumerators.iter_mut().flatten() {
            enumerator.name = self.include_symbol(other, enumerator.name);
            enumerator.span = Span::NOWHERE;
        }
        if enumeration.number != 0 {
            enumeration.number = self.types.next_number();
        }
        let here = EnumId::from_index(self.types.enums.len());
        self.types.enums.push(enumeration);
        self.included.enums.insert(origin, here);
        here
    }

    /// Creates a `typedef int... name;` of `other` here.
    fn include_unknown(
        &mut self,
        other: &Declarations,
        there: UnknownId,
        origin: (Identity, UnknownId),
    ) -> UnknownId {
        let mut unknown = other.types.unknown(there).clone();
        unknown.name = self.include_symbol(other, unknown.name);
        unknown.span = Span::NOWHERE;
        let here = UnknownId::from_index(self.types.unknowns.len());
        self.types.unknowns.push(unknown);
        self.included.unknowns.insert(origin, here);
        here
    }

    /// Gives the new structs and unions their fields.
    fn include_fields(&mut self, other: &Declarations, included: &Included, fresh: &Fresh) {
        for &(there, here) in &fresh.records {
            let record = other.types.record(there);
            let mut fields = record.fields.clone();
            for field in fields.iter_mut().flatten() {
                field.name = field.name.map(|name| self.include_symbol(other, name));
                field.ty = translate(included, field.ty);
                field.span = Span::NOWHERE;
            }
            let owner = record
                .owner
                .map(|(owner, index)| (included.records[owner.index()].1, index));
            let copy = &mut self.types.records[here.index()];
            copy.fields = fields;
            copy.owner = owner;
        }
    }

    /// Binds the tags of the new structs, unions and enums.
    fn include_tags(&mut self, other: &Declarations, fresh: &Fresh) -> Result<(), Box<Diagnostic>> {
        for &(there, here) in &fresh.records {
            let record = self.types.record(here);
            if let Some(tag) = record.tag
                && other
                    .record_tags
                    .get(&(record.kind, other_symbol(other, self.types.text(tag))))
                    == Some(&there)
            {
                if self.record_tags.contains_key(&(record.kind, tag)) {
                    return Err(self.declared_twice(record.kind.keyword(), tag));
                }
                self.bind_record_tag(tag, here);
            }
        }
        for &(there, here) in &fresh.enums {
            let Some(tag) = self.types.enumeration(here).tag else {
                continue;
            };
            if other
                .enum_tags
                .get(&other_symbol(other, self.types.text(tag)))
                == Some(&there)
            {
                if self.enum_tags.contains_key(&tag) {
                    return Err(self.declared_twice("enum", tag));
                }
                self.bind_enum_tag(tag, here);
            }
        }
        Ok(())
    }

    /// Translates the numbers of `[...]` arrays (see [`ArrayLength::FromCompiler`]).
    fn include_lengths(&mut self, other: &Declarations) -> Vec<u32> {
        let count = other.types.compiler_lengths.len() as u32;
        let mut numbers = Vec::with_capacity(count as usize);
        for there in 0..count {
            let origin = other.included.lengths.origin_of(other.identity, there);
            let here = match self.included.lengths.here.get(&origin) {
                Some(&here) => here,
                None => {
                    let here = self.types.compiler_lengths.len() as u32;
                    let length = other.types.compiler_lengths[there as usize];
                    self.types.compiler_lengths.push(length);
                    self.included.lengths.insert(origin, here);
                    here
                }
            };
            numbers.push(here);
        }
        numbers
    }

    fn include_names(
        &mut self,
        other: &Declarations,
        included: &Included,
    ) -> Result<(), Box<Diagnostic>> {
        for (name, &(id, index)) in other.enumerators.iter() {
            let name = self.include_symbol(other, name);
            let id = included.enums[id.index()].1;
            match self.enumerators.get(&name) {
                Some(&at) if at == (id, index) => {}
                Some(_) => {
                    if self
                        .lookup_enumerator(self.text(name))
                        .map(|(_, value)| value)
                        != other
                            .lookup_enumerator(self.text(name))
                            .map(|(_, value)| value)
                    {
                        return Err(self.constant_twice(name));
                    }
                }
                None => self.bind_enumerator(name, (id, index)),
            }
        }
        for typedef in &other.typedefs {
            let name = self.include_symbol(other, typedef.name);
            let ty = translate(included, typedef.ty);
            match self.typedef_names.get(&name) {
                Some(&index) if self.typedefs[index as usize].ty == ty => {}
                Some(_) => return Err(self.declared_twice("typedef", name)),
                None => {
                    let index = self.typedefs.len() as u32;
                    self.typedefs.push(Typedef {
                        name,
                        ty,
                        span: Span::NOWHERE,
                        doc: None,
                    });
                    self.bind_typedef(name, index);
                }
            }
        }
        for constant in &other.constants {
            let name = self.include_symbol(other, constant.name);
            match self.ordinary.get(&name) {
                Some(&Item::Constant(index))
                    if self.constants[index as usize].value == constant.value => {}
                Some(_) => return Err(self.constant_twice(name)),
                None => {
                    let item = Item::Constant(self.constants.len() as u32);
                    self.constants.push(Constant {
                        name,
                        span: Span::NOWHERE,
                        doc: None,
                        ..constant.clone()
                    });
                    self.bind_ordinary(name, item);
                }
            }
        }
        for found in &other.macros {
            let name = self.include_symbol(other, found.name);
            self.macros.push(Macro {
                name,
                value: found.value.clone(),
                is_included: true,
            });
        }
        Ok(())
    }

    fn declared_twice(&self, what: &str, name: Symbol) -> Box<Diagnostic> {
        let message = message::multiple_declarations(what, self.text(name));
        Box::new(Diagnostic::ffi(Span::NOWHERE, message))
    }

    fn constant_twice(&self, name: Symbol) -> Box<Diagnostic> {
        Box::new(Diagnostic::ffi(
            Span::NOWHERE,
            message::multiple_constants(self.text(name)),
        ))
    }
}

/// The type `ty` of the included declarations, with the ids of the parts translated.
fn derived(included: &Included, lengths: &[u32], ty: &Type) -> Type {
    match ty {
        Type::Pointer(to) => Type::Pointer(translate(included, *to)),
        Type::Array { item, length } => Type::Array {
            item: translate(included, *item),
            length: match *length {
                ArrayLength::FromCompiler(number) => {
                    ArrayLength::FromCompiler(lengths[number as usize])
                }
                length => length,
            },
        },
        Type::Function(function) => Type::Function(Box::new(FunctionType {
            result: translate(included, function.result),
            params: function
                .params
                .iter()
                .map(|&ty| translate(included, ty))
                .collect(),
            ..**function
        })),
        Type::Record(id) => Type::Record(included.records[id.index()].1),
        Type::Enum(id) => Type::Enum(included.enums[id.index()].1),
        Type::Unknown(id) => Type::Unknown(included.unknowns[id.index()].1),
        plain => plain.clone(),
    }
}

fn translate(included: &Included, ty: QualType) -> QualType {
    QualType {
        ty: included.types[ty.ty.index()],
        ..ty
    }
}

/// The symbol of a text that `other` is known to have.
fn other_symbol(other: &Declarations, text: &str) -> Symbol {
    other
        .types
        .find_symbol(text)
        .unwrap_or(Symbol::from_index(0))
}
