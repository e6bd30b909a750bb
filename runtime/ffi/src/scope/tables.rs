//! Scopes of the modules that CFFI generated: names are declared from the tables when they are asked for.
//!
//! Modules include only what was imported before them, so locking a scope's tables, and then those of what it includes,
//! cannot meet itself. Nothing here runs Python while a lock is held: errors are raised at the very end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keelback_cdef::{
    ByteTables, Declarations, External, GlobalKind, Item, RecordId, RecordKind, TableError, Tables,
    TypeId,
};
use pyo3::ffi;

use super::{AnyTables, Scope};
use crate::errors::raise_error;
use crate::py::{Live, Raised, Ref, Res};
use crate::raise;

/// The arguments of such a module's `_cffi_backend.FFI(...)`: their types are checked, and the tuples are kept.
pub struct PythonTables {
    types: Option<Ref>,
    globals: Option<Ref>,
    records: Option<Ref>,
    enums: Option<Ref>,
    typedefs: Option<Ref>,
}

/// How many items a tuple has; none if there is no tuple.
fn length(tuple: &Option<Ref>) -> usize {
    tuple.as_ref().map_or(0, |tuple| tuple.live().tuple_len())
}

/// An item of a tuple; `None` beyond its end, or if there is no tuple.
fn item(tuple: &Option<Ref>, index: usize) -> Option<Live<'_>> {
    tuple.as_ref()?.live().tuple_item(index)
}

/// The contents of a bytes object; empty if there is none.
fn bytes(object: Option<Live<'_>>) -> &[u8] {
    object.and_then(Live::bytes).unwrap_or_default()
}

impl PythonTables {
    /// The tables, as the arguments of those names were given, if they were.
    pub fn new(
        types: Option<Live>,
        globals: Option<Live>,
        records: Option<Live>,
        enums: Option<Live>,
        typedefs: Option<Live>,
    ) -> Res<Self> {
        if let Some(types) = types {
            expect_bytes(types, "_types")?;
        }
        check_globals(globals)?;
        for one in items(records, "_struct_unions")? {
            expect(one.is_tuple(), "an item of _struct_unions", "a tuple", one)?;
            if one.tuple_len() == 0 {
                return Err(raise!(
                    ImportError,
                    "FFI(): an item of _struct_unions is empty"
                ));
            }
            for name in one.tuple_items() {
                expect_bytes(name, "a name in _struct_unions")?;
            }
        }
        for one in items(enums, "_enums")? {
            expect_bytes(one, "an item of _enums")?;
        }
        for one in items(typedefs, "_typenames")? {
            expect_bytes(one, "an item of _typenames")?;
        }
        Ok(Self {
            types: types.map(Live::to_ref),
            globals: globals.map(Live::to_ref),
            records: records.map(Live::to_ref),
            enums: enums.map(Live::to_ref),
            typedefs: typedefs.map(Live::to_ref),
        })
    }
}

/// Raises unless an argument is what it has to be.
fn expect(is_right: bool, what: &str, wanted: &str, object: Live) -> Res<()> {
    if is_right {
        return Ok(());
    }
    let given = object.type_name();
    Err(raise!(
        TypeError,
        "FFI(): {what} must be {wanted}, not {given}"
    ))
}

fn expect_bytes(object: Live, what: &str) -> Res<()> {
    expect(object.is_bytes(), what, "bytes", object)
}

/// The items of an argument that must be a tuple, if it was given.
fn items<'a>(
    argument: Option<Live<'a>>,
    what: &str,
) -> Res<impl Iterator<Item = Live<'a>> + use<'a>> {
    if let Some(argument) = argument {
        expect(argument.is_tuple(), what, "a tuple", argument)?;
    }
    Ok(argument.into_iter().flat_map(Live::tuple_items))
}

/// Names and values in turn.
fn check_globals(globals: Option<Live>) -> Res<()> {
    let all: Vec<Live> = items(globals, "_globals")?.collect();
    if !all.len().is_multiple_of(2) {
        return Err(raise!(
            ImportError,
            "FFI(): _globals has a name without a value"
        ));
    }
    for pair in all.chunks_exact(2) {
        expect_bytes(pair[0], "a name in _globals")?;
        expect(pair[1].is_int(), "a value in _globals", "an int", pair[1])?;
    }
    Ok(())
}

impl ByteTables for PythonTables {
    fn types(&self) -> &[u8] {
        bytes(self.types.as_ref().map(Ref::live))
    }
    fn globals(&self) -> usize {
        length(&self.globals) / 2
    }
    fn global(&self, index: usize) -> &[u8] {
        bytes(item(&self.globals, index * 2))
    }
    fn global_value(&self, index: usize) -> Option<i128> {
        let object = item(&self.globals, index * 2 + 1)?.ptr();
        // SAFETY: an int, or of a subclass, by `PythonTables::new`; reading its digits runs no code of its own.
        unsafe {
            let mut overflow = 0;
            let value = ffi::PyLong_AsLongLongAndOverflow(object, &mut overflow);
            match overflow {
                0 => Some(value.into()),
                1 => {
                    let value = ffi::PyLong_AsUnsignedLongLong(object);
                    if value == u64::MAX && !ffi::PyErr_Occurred().is_null() {
                        Raised::already().clear();
                        return None;
                    }
                    Some(value.into())
                }
                _ => None,
            }
        }
    }
    fn records(&self) -> usize {
        length(&self.records)
    }
    fn record(&self, index: usize) -> &[u8] {
        self.record_item(index, 0)
    }
    fn fields(&self, record: usize) -> usize {
        // The first item of a record's tuple is its name, the others are fields.
        item(&self.records, record).map_or(0, |tuple| tuple.tuple_len().saturating_sub(1))
    }
    fn field(&self, record: usize, index: usize) -> &[u8] {
        self.record_item(record, index + 1)
    }
    fn enums(&self) -> usize {
        length(&self.enums)
    }
    fn enumeration(&self, index: usize) -> &[u8] {
        bytes(item(&self.enums, index))
    }
    fn typedefs(&self) -> usize {
        length(&self.typedefs)
    }
    fn typedef(&self, index: usize) -> &[u8] {
        bytes(item(&self.typedefs, index))
    }
}

impl PythonTables {
    fn record_item(&self, record: usize, index: usize) -> &[u8] {
        bytes(item(&self.records, record).and_then(|record| record.tuple_item(index)))
    }
}

/// The tables of a scope.
pub(super) struct Lazy {
    module: Box<str>,
    tables: Mutex<Tables<AnyTables>>,
    included: Vec<Arc<Scope>>,
    /// Whether this scope got the structs and unions that included modules have.
    provided: Mutex<bool>,
}

/// A record of a scope.
type Place = (Arc<Scope>, RecordId);

/// What a name is that a module does not have itself.
pub enum Elsewhere {
    /// No included module has it.
    Nowhere,
    /// An integer constant.
    Integer(i128),
    /// Something that is to be had from the `lib` of the included module only.
    OfAnotherLib,
}

impl Lazy {
    pub(super) fn included(&self) -> &[Arc<Scope>] {
        &self.included
    }
    fn tables(&self) -> MutexGuard<'_, Tables<AnyTables>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn raise(&self, error: &TableError) -> Raised {
        match error {
            TableError::NotImplemented(text) => raise!(NotImplementedError, "{text}"),
            TableError::Refused(text) => {
                raise_error(|errors| &errors.error, format_args!("{text}"))
            }
            TableError::Damaged(text) => raise_error(
                |errors| &errors.error,
                format_args!("the tables of module '{}' are damaged: {text}", self.module),
            ),
        }
    }
    /// Gets the structs and unions that included modules have.
    fn provide(&self, ours: &Scope) -> Result<(), TableError> {
        let mut provided = self.provided.lock().unwrap_or_else(PoisonError::into_inner);
        if *provided {
            return Ok(());
        }
        if self.included.is_empty() {
            *provided = true;
            return Ok(());
        }
        let externals = self.tables().externals();
        let mut found: Vec<(External, Option<Place>)> = Vec::new();
        for external in externals {
            let mut place = None;
            for scope in &self.included {
                place = scope.find_record(external.kind, &external.name)?;
                if place.is_some() {
                    break;
                }
            }
            found.push((external, place));
        }
        // Each included scope is copied once, when all that is needed of it is declared there.
        let mut copied: Vec<(Arc<Scope>, Vec<RecordId>)> = Vec::new();
        for (external, place) in found {
            let here = place.map(|(scope, there)| {
                let known = copied.iter().find(|(one, _)| Arc::ptr_eq(one, &scope));
                if let Some((_, ids)) = known {
                    return ids[there.index()];
                }
                let copy = scope.read().clone();
                let included = ours.write().include_unnamed(&copy);
                Scope::set_all_included(ours, &scope, &included);
                let ids: Vec<_> = included.records.iter().map(|&(_, here)| here).collect();
                let here = ids[there.index()];
                copied.push((scope, ids));
                here
            });
            let mut tables = self.tables();
            tables.provide(&mut ours.write(), &external, here);
        }
        *provided = true;
        Ok(())
    }
}

impl Scope {
    /// Takes the declarations from tables that CFFI generated: of `module`, which includes those of the scopes. Once,
    /// before anything is declared.
    pub fn set_tables(
        &self,
        module: &str,
        tables: AnyTables,
        included: Vec<Arc<Scope>>,
    ) -> Res<()> {
        let tables = Tables::new(tables).map_err(|error| {
            raise!(
                ImportError,
                "the tables of module '{module}' are damaged, or are not for Python: {error}"
            )
        })?;
        let lazy = Lazy {
            module: module.into(),
            tables: Mutex::new(tables),
            included,
            provided: Mutex::new(false),
        };
        match self.tables.set(lazy) {
            Ok(()) => Ok(()),
            Err(_) => Err(raise!(
                ValueError,
                "cannot call FFI.__init__() more than once"
            )),
        }
    }

    /// Works on the tables, if there are any, and the declarations.
    fn with_tables(
        &self,
        body: impl FnOnce(&mut Tables<AnyTables>, &mut Declarations) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let Some(lazy) = self.tables.get() else {
            return Ok(());
        };
        lazy.provide(self)?;
        let mut tables = lazy.tables();
        body(&mut tables, &mut self.write())
    }

    fn raise_table_error(&self, result: Result<(), TableError>) -> Res<()> {
        match (result, self.tables.get()) {
            (Err(error), Some(lazy)) => Err(lazy.raise(&error)),
            _ => Ok(()),
        }
    }

    /// Sees that a function, variable or constant of that name is declared, if the scope has one.
    #[inline]
    pub fn need_global(&self, name: &str) -> Res<()> {
        if self.tables.get().is_none() {
            self.need_segments_of(name);
            return Ok(());
        }
        let result = self.with_tables(|tables, declarations| {
            tables.declare_global(declarations, name).map(|_| ())
        });
        self.raise_table_error(result)
    }

    /// Sees that what the names in a type string mean is declared, if the scope has it.
    #[inline]
    pub fn need_types(&self, text: &str) -> Res<()> {
        if self.tables.get().is_none() {
            self.need_segments_of_words(text);
            return Ok(());
        }
        let result =
            self.with_tables(|tables, declarations| tables.declare_words(declarations, text));
        self.raise_table_error(result)
    }

    /// The type of a string that is one name of the tables, if there are any and it is one (see
    /// [`Tables::declare_plain`]).
    #[inline]
    pub fn plain_type(&self, text: &str) -> Res<Option<TypeId>> {
        if self.tables.get().is_none() {
            return Ok(None);
        }
        let mut found = None;
        let result = self.with_tables(|tables, declarations| {
            found = tables.declare_plain(declarations, text)?;
            Ok(())
        });
        self.raise_table_error(result)?;
        Ok(found.map(|found| found.ty))
    }

    /// Of a type string that turned out to mean nothing: sees that whatever has one of its names is declared, so that what
    /// is wrong can be told. Whether there may be more than there was.
    #[cold]
    pub fn need_namesakes(&self, text: &str) -> Res<bool> {
        if self.tables.get().is_none() {
            return Ok(self.need_all_segments());
        }
        let result =
            self.with_tables(|tables, declarations| tables.declare_namesakes(declarations, text));
        self.raise_table_error(result).map(|()| true)
    }

    /// Sees that everything that the scope has is declared.
    pub fn need_all(&self) -> Res<()> {
        self.need_all_segments();
        let result = self.with_tables(|tables, declarations| tables.declare_all(declarations));
        self.raise_table_error(result)
    }

    /// The type at an index of the tables, if there are any.
    pub fn table_type(&self, index: usize) -> Res<Option<TypeId>> {
        let mut found = None;
        let result = self.with_tables(|tables, declarations| {
            found = Some(tables.declare_type_at(declarations, index)?);
            Ok(())
        });
        self.raise_table_error(result)?;
        Ok(found)
    }

    /// The prototype of a function of the tables, with the number of its parameters, where both are known without
    /// declaring anything (see [`Tables::simple_prototype`]).
    pub fn simple_prototype(&self, index: usize, name: &str, text: &mut String) -> Option<usize> {
        let tables = self.tables.get()?.tables();
        tables.simple_prototype(index, name, text)
    }

    /// The names of functions, variables and constants, if the scope has tables.
    pub fn global_names(&self) -> Option<Vec<(String, GlobalKind)>> {
        let lazy = self.tables.get()?;
        Some(lazy.tables().global_names().collect())
    }

    /// The names of typedefs, structs and unions, if the scope has tables.
    pub fn type_names(&self) -> Option<[Vec<String>; 3]> {
        let tables = self.tables.get()?.tables();
        Some([
            tables.typedef_names(),
            tables.record_tags(RecordKind::Struct),
            tables.record_tags(RecordKind::Union),
        ])
    }

    /// A struct or union of the scope, or of what it includes, by the name that CFFI's tables give it.
    fn find_record(
        self: &Arc<Self>,
        kind: RecordKind,
        name: &str,
    ) -> Result<Option<Place>, TableError> {
        self.with_tables(|tables, declarations| tables.declare_type(declarations, name))?;
        let found = self.read().lookup_record_spelt(kind, name);
        if let Some(id) = found {
            return Ok(Some((self.clone(), id)));
        }
        let included = self
            .tables
            .get()
            .map_or(&[][..], |lazy| lazy.included.as_slice());
        for scope in included {
            if let Some(found) = scope.find_record(kind, name)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What a name is in the modules that this one includes, if it is one of ABI mode, or was made from tables.
    pub fn find_elsewhere(&self, name: &str) -> Res<Elsewhere> {
        for scope in self.elsewhere() {
            scope.need_global(name)?;
            let found = {
                let declarations = scope.read();
                match declarations.lookup_ordinary(name) {
                    Some(Item::Constant(index)) => declarations.constants[index as usize]
                        .value
                        .map_or(Elsewhere::OfAnotherLib, Elsewhere::Integer),
                    Some(_) => Elsewhere::OfAnotherLib,
                    None => declarations
                        .lookup_enumerator(name)
                        .and_then(|(_, value)| value)
                        .map_or(Elsewhere::Nowhere, Elsewhere::Integer),
                }
            };
            let found = match found {
                Elsewhere::Nowhere => scope.find_elsewhere(name)?,
                found => found,
            };
            if !matches!(found, Elsewhere::Nowhere) {
                return Ok(found);
            }
        }
        Ok(Elsewhere::Nowhere)
    }
}
