//! From a name to what it is.

use std::ffi::{CStr, CString, c_void};

use keelback_cdef::{GlobalKind, Item, MacroValue, TypeId};
use keelback_codegen::abi::{
    KEELBACK_SYMBOL_CONSTANT, KEELBACK_SYMBOL_FUNCTION, KEELBACK_SYMBOL_VARIABLE,
    keelback_plugin_t, keelback_symbol_t,
};
use rustc_hash::FxHashMap;

use super::compiled::is_direct;
use super::function::{self, Access, Body};
use super::kept::Kept;
use super::variable::{self, Place};
use super::{Lib, Source};
use crate::convert::{self, read};
use crate::ctype::{CType, Code, UNKNOWN_SIZE, from_scope, pointer_to};
use crate::errors::raise_error;
use crate::object::{CData, function_address, new_function, new_owning, new_plain};
use crate::py::{Live, Raised, Ref, Res, long_from_i128, make};
use crate::raise;
use crate::scope::{Elsewhere, GlobalCode, Scope};

/// What a plugin provides, by name.
pub(super) struct Symbols {
    by_name: FxHashMap<Box<str>, Symbol>,
}

#[derive(Clone, Copy)]
enum Symbol {
    /// Something of the prelude.
    Prelude(*const keelback_symbol_t),
    /// A function that runs Python: its address.
    Python(*const u8),
}

// SAFETY: the tables are constant, but for fields that only the runtime's embedding half touches.
unsafe impl Send for Symbols {}
// SAFETY: as above.
unsafe impl Sync for Symbols {}

impl Symbols {
    /// # Safety
    /// `plugin` is a record by the ABI; it and its tables stay as long as the process.
    pub(super) unsafe fn new(plugin: *const keelback_plugin_t) -> Self {
        let mut by_name = FxHashMap::default();
        // SAFETY: a record by the ABI has tables of `symbol_count` and `function_count` items, whose names are C strings
        // (the caller's contract).
        unsafe {
            let name = |name| Box::<str>::from(CStr::from_ptr(name).to_string_lossy());
            for index in 0..(*plugin).symbol_count {
                let symbol = (*plugin).symbols.add(index);
                by_name.insert(name((*symbol).name), Symbol::Prelude(symbol));
            }
            for index in 0..(*plugin).function_count {
                let function = (*plugin).functions.add(index);
                let address = (*function)
                    .address
                    .map_or(std::ptr::null(), |address| address as *const u8);
                by_name.insert(name((*function).name), Symbol::Python(address));
            }
        }
        Self { by_name }
    }
}

/// What the declarations say of a name.
enum Declared {
    Function(TypeId),
    /// Type, and whether it is a constant.
    Variable(TypeId, bool),
    Integer(i128),
    /// An integer that only the compiler knows.
    UnknownInteger,
    /// An enumerator of an enum with `...`, by the enum's name: what the cdef says is not to be trusted.
    Unverified(String),
}

/// What a name is, as Python sees it.
pub(super) enum Found {
    /// A function or a constant: an object that stays.
    Object(Ref),
    /// A variable: a [`variable::Variable`].
    Variable(Ref),
}

fn declared(scope: &Scope, name: &str) -> Res<Option<Declared>> {
    scope.need_global(name)?;
    Ok(declared_already(scope, name))
}

fn declared_already(scope: &Scope, name: &str) -> Option<Declared> {
    let declarations = scope.read();
    Some(match declarations.lookup_ordinary(name) {
        Some(Item::Function(index)) => {
            let function = &declarations.functions[index as usize];
            Declared::Function(function.ty)
        }
        Some(Item::Variable(index)) => {
            let variable = &declarations.variables[index as usize];
            match variable.value {
                Some(value) => Declared::Integer(value),
                None => Declared::Variable(variable.ty.ty, variable.is_constant),
            }
        }
        Some(Item::Constant(index)) => declarations.constants[index as usize]
            .value
            .map_or(Declared::UnknownInteger, Declared::Integer),
        _ => {
            let (id, value) = declarations.lookup_enumerator(name)?;
            let enumeration = declarations.types.enumeration(id);
            match value {
                Some(value) if enumeration.underlying.is_some() || !enumeration.partial => {
                    Declared::Integer(value)
                }
                _ => Declared::Unverified(declarations.enum_name(id)),
            }
        }
    })
}

/// Names that `dir()` and the like list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// All names.
    All,
    /// Functions and constants: what `from lib import *` gives.
    NotVariables,
}

impl Lib {
    /// The names that it has, sorted.
    pub(super) fn names(&self, which: Which) -> Vec<String> {
        if let Some(names) = self.scope.global_names() {
            let mut names: Vec<String> = names
                .into_iter()
                .filter(|&(_, kind)| which == Which::All || kind != GlobalKind::Variable)
                .map(|(name, _)| name)
                .collect();
            names.sort_unstable();
            return names;
        }
        self.scope.need_all_segments();
        // As in CFFI, where an out-of-line module has the constants of those that it includes, but does not list them.
        let lists_included = !self.is_out_of_line();
        let declarations = self.scope.read();
        let types = &declarations.types;
        let mut names: Vec<String> = Vec::new();
        names.extend(
            declarations
                .functions
                .iter()
                .map(|function| types.text(function.name).to_string()),
        );
        names.extend(
            declarations
                .constants
                .iter()
                .filter(|constant| lists_included || !constant.span.is_nowhere())
                .map(|constant| types.text(constant.name).to_string()),
        );
        let variables = declarations.variables.iter();
        names.extend(
            variables
                .filter(|variable| which == Which::All || variable.is_constant)
                .map(|variable| types.text(variable.name).to_string()),
        );
        let macros = declarations.macros.iter();
        names.extend(
            macros
                .filter(|found| lists_included || !found.is_included)
                .filter(|found| found.value != MacroValue::Nothing)
                .map(|found| types.text(found.name).to_string()),
        );
        for enumeration in &types.enums {
            let enumerators = enumeration.enumerators.iter().flatten();
            names.extend(enumerators.map(|enumerator| types.text(enumerator.name).to_string()));
        }
        drop(declarations);
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What a name is. Raises AttributeError for a name that is not declared, or not there.
    pub(super) fn find(&self, name: &str) -> Res<Found> {
        if let Source::Compiled(tables) = &self.source
            && let Some(found) = self.compiled_quickly(tables, name)?
        {
            return Ok(Found::Object(found));
        }
        let Some(declared) = declared(&self.scope, name)? else {
            if let Some(constant) = self.macro_constant(name)? {
                return Ok(Found::Object(constant));
            }
            for lib in self.included() {
                match lib.entry_of(name) {
                    Ok(found) => return Ok(found),
                    Err(raised) => raised.clear_if(crate::exception!(AttributeError))?,
                }
            }
            return match self.scope.find_elsewhere(name)? {
                Elsewhere::Integer(value) => long_from_i128(value).map(Found::Object),
                Elsewhere::OfAnotherLib => Err(crate::errors::raise_of_another_lib(name)),
                Elsewhere::Nowhere => Err(self.no_such_name_or_value(name)),
            };
        };
        if let Some(message) = self.scope.wrong_value(name) {
            return Err(raise_error(
                |errors| &errors.verification_error,
                format_args!("{message}"),
            ));
        }
        match declared {
            Declared::Integer(value) => Ok(Found::Object(long_from_i128(value)?)),
            Declared::Unverified(name) => Err(raise_error(
                |errors| &errors.verification_missing,
                format_args!(
                    "'{name}' has '...': its values are only known to a C compiler: it needs API mode (set_source with C \
                     code)"
                ),
            )),
            Declared::UnknownInteger => Err(raise!(
                AttributeError,
                "the value of the constant '{name}' is only known to a C compiler: it needs API mode (set_source with C \
                 code)"
            )),
            Declared::Function(ty) => {
                let ctype = pointer_to(&*from_scope(&self.scope, ty)?)?;
                self.find_function(name, &ctype).map(Found::Object)
            }
            Declared::Variable(ty, is_constant) => {
                let ctype = from_scope(&self.scope, ty)?;
                if is_constant && !self.is_out_of_line() {
                    return Err(raise!(
                        NotImplementedError,
                        "non-integer constant '{name}' cannot be accessed from a dlopen() library"
                    ));
                }
                let place = self.find_variable(name, &ctype, is_constant)?;
                if is_constant {
                    if ctype.is_record() && ctype.size() == UNKNOWN_SIZE {
                        return Err(raise_error(
                            |errors| &errors.error,
                            format_args!(
                                "constant '{name}' is of type '{}', whose size is not known",
                                ctype.name
                            ),
                        ));
                    }
                    let value = self.constant(&ctype, &place)?;
                    return self.as_kept(name, value).map(Found::Object);
                }
                Ok(Found::Variable(
                    variable::new(name, &ctype, place)?.into_obj(),
                ))
            }
        }
    }

    /// The value of a header's macro that is a floating or a string constant.
    fn macro_constant(&self, name: &str) -> Res<Option<Ref>> {
        let value = self.scope.read().lookup_macro(name).cloned();
        Ok(match value {
            Some(MacroValue::Floating(value)) => Some(make::float(value)?),
            Some(MacroValue::Text(bytes)) => Some(make::bytes(&bytes)?),
            Some(MacroValue::Nothing) | None => None,
        })
    }

    /// The error for a name that is not there, or that has no value.
    #[cold]
    fn no_such_name_or_value(&self, name: &str) -> Raised {
        // The declarations are let go before anything is raised: making an exception may run Python.
        let message = {
            let declarations = self.scope.read();
            match (
                declarations.lookup_refused(name),
                declarations.lookup_macro(name),
            ) {
                (Some(why), _) => Some(format!(
                    "'{name}', which a header declares, cannot be used: {why}"
                )),
                (None, Some(MacroValue::Nothing)) => {
                    Some(format!("'{name}' is a macro that has no constant value"))
                }
                _ => None,
            }
        };
        match message {
            Some(message) => raise!(AttributeError, "{message}"),
            None => self.no_such_name(name),
        }
    }

    fn find_function(&self, name: &str, ctype: &CType) -> Res<Ref> {
        match &self.source {
            Source::Dynamic(_) => {
                let address = self.dynamic_symbol(name, "function/symbol")?;
                Ok(new_function(ctype, address, self.keeps_gil(name))?.into_obj())
            }
            Source::Plugin(symbols) => match symbols.by_name.get(name) {
                Some(&Symbol::Python(address)) => {
                    Ok(new_plain(ctype, address.cast_mut(), -1)?.into_obj())
                }
                Some(&Symbol::Prelude(symbol)) => {
                    // SAFETY: the plugin's table.
                    let symbol = unsafe { &*symbol };
                    let address = symbol
                        .address
                        .map_or(std::ptr::null_mut(), |address| address as *mut u8);
                    let variadic = ctype
                        .signature()
                        .is_some_and(|signature| signature.variadic);
                    match symbol.access {
                        // A wrapper cannot pass on a variable part: libffi or the register path can.
                        Some(access) if !variadic && symbol.kind == KEELBACK_SYMBOL_FUNCTION => {
                            // SAFETY: the same function, with C's calling convention: what it calls may unwind.
                            let access = unsafe {
                                std::mem::transmute::<
                                    unsafe extern "C" fn(*mut std::ffi::c_void),
                                    Access,
                                >(access)
                            };
                            let body = Body::Slots(access);
                            let keep_gil = self.keeps_gil(name);
                            function::new(&self.name, name, ctype, body, address, keep_gil)
                        }
                        _ => Ok(new_function(ctype, address, self.keeps_gil(name))?.into_obj()),
                    }
                }
                None => Err(self.not_provided(name)),
            },
            Source::Compiled(tables) => self.compiled_function(tables, name, ctype),
        }
    }

    /// The functions of these names, or all where there are none, are called with the GIL kept from now on. Raises, and
    /// changes nothing, for a name that is no such function.
    pub fn keep_gil(&self, names: &[Live]) -> Res<()> {
        let mut texts = Vec::with_capacity(names.len());
        for name in names {
            let Some(text) = name.text()? else {
                return Err(raise!(
                    TypeError,
                    "keep_gil(lib, ...) takes names of functions, not {}",
                    name.type_name()
                ));
            };
            self.check_can_keep_gil(text)?;
            texts.push(Box::<str>::from(text));
        }
        // SAFETY: attached, by the layer's contract; nothing of Python is called.
        unsafe {
            self.kept.with(|kept| match kept {
                _ if texts.is_empty() => *kept = Kept::All,
                Kept::Named(names) => names.extend(texts),
                Kept::All => {}
            });
        }
        self.forget_found();
        Ok(())
    }

    /// Raises unless the name is a function that can be called with the GIL kept.
    pub(super) fn check_can_keep_gil(&self, name: &str) -> Res<()> {
        let ty = match declared(&self.scope, name)? {
            Some(Declared::Function(ty)) => ty,
            Some(Declared::Variable(ty, true))
                if from_scope(&self.scope, ty)?.signature().is_some() =>
            {
                return Ok(());
            }
            Some(_) => return Err(raise!(TypeError, "'{name}' is no function")),
            None => return Err(self.no_such_name(name)),
        };
        let ctype = pointer_to(&*from_scope(&self.scope, ty)?)?;
        if self.can_keep_gil(name, &ctype)? {
            return Ok(());
        }
        Err(raise!(
            TypeError,
            "the GIL cannot be kept in '{name}': it runs Python, or is called through C of the module that releases the GIL"
        ))
    }

    /// Whether a declared function is C that is called by its address or by a wrapper of ours.
    fn can_keep_gil(&self, name: &str, ctype: &CType) -> Res<bool> {
        match &self.source {
            Source::Dynamic(_) => Ok(true),
            Source::Plugin(symbols) => Ok(!matches!(
                symbols.by_name.get(name),
                Some(Symbol::Python(_))
            )),
            Source::Compiled(tables) => match tables.find(name) {
                Some((GlobalCode::Function(_), global)) => is_direct(global, ctype),
                _ => Ok(false),
            },
        }
    }

    /// A constant's value, that of a name. One that is a pointer to a function is often the function itself: CFFI compiles
    /// variadic ones so.
    fn as_kept(&self, name: &str, value: Ref) -> Res<Ref> {
        match CData::of(value.live()) {
            Some(pointer) if pointer.ctype().is_function_pointer() && self.keeps_gil(name) => {
                Ok(new_function(pointer.ctype(), pointer.data(), true)?.into_obj())
            }
            _ => Ok(value),
        }
    }

    fn find_variable(&self, name: &str, ctype: &CType, is_constant: bool) -> Res<Place> {
        match &self.source {
            Source::Dynamic(_) => {
                let what = if is_constant { "constant" } else { "variable" };
                Ok(Place::Address(self.dynamic_symbol(name, what)?))
            }
            Source::Plugin(symbols) => match symbols.by_name.get(name) {
                Some(&Symbol::Prelude(symbol)) => {
                    // SAFETY: the plugin's table.
                    let symbol = unsafe { &*symbol };
                    match (symbol.kind, symbol.access) {
                        (KEELBACK_SYMBOL_VARIABLE, Some(access)) => Ok(Place::Access(access)),
                        (KEELBACK_SYMBOL_CONSTANT, Some(access)) => Ok(Place::Value(access)),
                        _ => Err(self.not_provided(name)),
                    }
                }
                _ => Err(self.not_provided(name)),
            },
            Source::Compiled(tables) => self.compiled_variable(tables, name, ctype),
        }
    }

    /// A constant's value.
    fn constant(&self, ctype: &CType, place: &Place) -> Res<Ref> {
        if !matches!(place, Place::Value(_) | Place::Write(_)) {
            // SAFETY: the address of an object of this type, by the declaration.
            return read(unsafe { convert::Lvalue::new(ctype, place.address()) });
        }
        // A struct is returned as a cdata that keeps this memory; a scalar is read from it.
        let memory = new_owning(ctype, ctype.known_size()?, -1)?;
        let mut slots = [memory.data() as u64];
        // SAFETY: the wrapper writes a value of the type to the memory that the slot names.
        unsafe {
            match place {
                Place::Value(access) => access(slots.as_mut_ptr().cast::<c_void>()),
                Place::Write(write) => write(memory.data().cast()),
                _ => {}
            }
        }
        if ctype.code == Code::Record {
            Ok(memory.into_obj())
        } else {
            read(convert::Lvalue::in_cdata(&memory))
        }
    }

    /// The address of a symbol; AttributeError when it is missing, with the system's text.
    fn dynamic_symbol(&self, name: &str, what: &str) -> Res<*mut u8> {
        let Source::Dynamic(handle) = &self.source else {
            return Err(self.not_provided(name));
        };
        if handle.is_closed() {
            return Err(self.closed());
        }
        let text = CString::new(self.scope.read().symbol_of(name)).unwrap_or_default();
        handle.symbol(&text).map_err(|error| {
            if self.is_out_of_line() {
                return raise_error(
                    |errors| &errors.error,
                    format_args!(
                        "symbol '{name}' not found in library '{}': {error}",
                        self.name
                    ),
                );
            }
            let message = format_args!(
                "{what} '{name}' not found in library '{}': {error}",
                self.name
            );
            if what == "variable" {
                return raise_error(|errors| &errors.missing_variable, message);
            }
            raise!(AttributeError, "{message}")
        })
    }

    pub(super) fn not_provided(&self, name: &str) -> crate::py::Raised {
        raise!(
            AttributeError,
            "'{name}' is declared, but module '{}' was built without it ({})",
            self.name,
            if crate::errors::are_words_ours() {
                "does its prelude, the C source, define it?"
            } else {
                "was set_source() given its C code?"
            }
        )
    }

    /// `ffi.addressof(lib, name)`.
    pub(super) fn address_of(&self, name: &str) -> Res<Ref> {
        match declared(&self.scope, name)? {
            None => {
                for lib in self.included() {
                    match lib.address_of(name) {
                        Ok(found) => return Ok(found),
                        Err(raised) => raised.clear_if(crate::exception!(AttributeError))?,
                    }
                }
                match self.scope.find_elsewhere(name)? {
                    Elsewhere::OfAnotherLib => Err(crate::errors::raise_of_another_lib(name)),
                    Elsewhere::Integer(_) => Err(raise!(
                        AttributeError,
                        "cannot take the address of the constant '{name}'"
                    )),
                    Elsewhere::Nowhere => Err(self.no_such_name(name)),
                }
            }
            Some(Declared::Function(ty)) => {
                let ctype = pointer_to(&*from_scope(&self.scope, ty)?)?;
                let object = self.find_function(name, &ctype)?;
                match function_object_or_cdata(&object) {
                    Some(address) if !address.is_null() => {
                        let keep_gil = self.keeps_gil(name) && self.can_keep_gil(name, &ctype)?;
                        Ok(new_function(&ctype, address, keep_gil)?.into_obj())
                    }
                    // CFFI 1.0 compiled wrappers alone: they stand for the addresses too.
                    _ if matches!(self.source, Source::Compiled(_)) => Ok(object),
                    _ => Err(raise!(
                        AttributeError,
                        "cannot take the address of '{name}': it is a macro"
                    )),
                }
            }
            Some(Declared::Variable(ty, false)) => {
                let ctype = from_scope(&self.scope, ty)?;
                let address = self
                    .find_variable(name, &ctype, false)?
                    .checked_address(name)?;
                Ok(new_plain(&*pointer_to(&ctype)?, address, -1)?.into_obj())
            }
            // A constant that is a pointer to a function is often the function itself, and then there is no variable whose
            // address could be given.
            Some(Declared::Variable(ty, true)) => {
                let ctype = from_scope(&self.scope, ty)?;
                if ctype.signature().is_none() {
                    if self.is_out_of_line() {
                        // As in CFFI: what is wrong with its value comes first.
                        self.find(name)?;
                    }
                    return Err(raise!(
                        AttributeError,
                        "cannot take the address of the constant '{name}'"
                    ));
                }
                let value = self.constant(&ctype, &self.find_variable(name, &ctype, true)?)?;
                match CData::of(value.live()) {
                    Some(pointer) => Ok(new_plain(&ctype, pointer.data(), -1)?.into_obj()),
                    None => Err(self.no_such_name(name)),
                }
            }
            Some(_) => Err(raise!(
                AttributeError,
                "cannot take the address of the constant '{name}'"
            )),
        }
    }
}

/// The address behind a function, whichever object it is.
fn function_object_or_cdata(object: &Ref) -> Option<*mut u8> {
    match CData::of(object.live()) {
        Some(cdata) => Some(cdata.data()),
        None => function_address(object.live()),
    }
}
