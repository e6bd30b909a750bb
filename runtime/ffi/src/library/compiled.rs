//! The `lib` of a module that CFFI compiled: functions, variables and constants of its tables.

use std::ffi::{c_char, c_int, c_void};

use pyo3::ffi;

use super::function::{self, Body, Untyped};
use super::variable::Place;
use super::{Lib, Source};
use crate::ctype::{CType, from_scope};
use crate::errors::raise_error;
use crate::object::new_plain;
use crate::py::{Ref, Res, long_from_i128, str_from};
use crate::scope::{CompiledTables, Global, GlobalCode};

/// Functions that CFFI generates for constants: the value is written to memory.
pub(super) type Write = unsafe extern "C" fn(*mut c_char);
/// Functions that CFFI generates for variables: the address.
pub(super) type Locate = unsafe extern "C" fn() -> *mut c_void;

impl Lib {
    /// The `lib` of a module that CFFI compiled.
    pub fn from_tables(
        scope: std::sync::Arc<crate::scope::Scope>,
        tables: CompiledTables,
        name: &str,
    ) -> Res<Ref<Lib>> {
        let lib = Self::allocate(scope, Source::Compiled(tables), name.into())?;
        lib.set_out_of_line();
        Ok(lib)
    }

    /// The name as a str, the same for all functions.
    fn module_name(&self) -> Res<Ref> {
        if let Some(known) = self.module.get() {
            return Ok(known.clone());
        }
        let made = str_from(&self.name)?;
        Ok(self.module.get_or_init(|| made).clone())
    }

    /// What is known of a name without declaring anything: an integer, or a function of the common kinds. `None` for all
    /// other names.
    pub(super) fn compiled_quickly(&self, tables: &CompiledTables, name: &str) -> Res<Option<Ref>> {
        let Some((code, global)) = tables.find(name) else {
            return Ok(None);
        };
        let direct = global.size_or_function.cast::<u8>();
        match code {
            GlobalCode::Integer => match global.integer() {
                Ok(Some(value)) => long_from_i128(value).map(Some),
                // If a type cannot be read, that is reported to whoever asks for the name itself.
                _ => Ok(None),
            },
            GlobalCode::Function(_) if !direct.is_null() && !self.keeps_gil(name) => {
                let type_index = tables.type_of(global);
                let mut doc = String::with_capacity(128);
                let Some(count) = self.scope.simple_prototype(type_index, name, &mut doc) else {
                    return Ok(None);
                };
                function::end_doc(&mut doc, &self.name);
                let known = Untyped {
                    name: global.name,
                    doc,
                    count,
                    address: direct,
                    scope: self.scope.clone(),
                    type_index,
                };
                function::untyped(self.module_name()?, known).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The function of a name: `ctype` is that of a pointer to it.
    pub(super) fn compiled_function(
        &self,
        tables: &CompiledTables,
        name: &str,
        ctype: &CType,
    ) -> Res<Ref> {
        match tables.find(name) {
            Some((GlobalCode::ExternPython, global)) => {
                Ok(new_plain(ctype, global.size_or_function.cast(), -1)?.into_obj())
            }
            Some((GlobalCode::Function(flags), global)) => {
                self.built_in(tables, name, ctype, global, flags)
            }
            _ => Err(self.not_provided(name)),
        }
    }

    /// A built-in function. Calls the plain C function itself, where nobody but a compiler needs to know how its
    /// arguments are passed; else the wrapper that CFFI has generated.
    fn built_in(
        &self,
        tables: &CompiledTables,
        name: &str,
        ctype: &CType,
        global: &Global,
        flags: c_int,
    ) -> Res<Ref> {
        let direct = global.size_or_function.cast::<u8>();
        let body = if is_direct(global, ctype)? {
            Body::Planned
        } else {
            self.fill_types(tables, global)?;
            // SAFETY: the address of a wrapper with these flags; NULL is none.
            let wrapper = unsafe {
                std::mem::transmute::<*mut c_void, Option<ffi::PyCFunction>>(global.address)
            };
            match wrapper {
                Some(wrapper) => Body::Wrapper(wrapper, flags),
                None => return Err(self.not_provided(name)),
            }
        };
        function::new(&self.name, name, ctype, body, direct, self.keeps_gil(name))
    }

    /// Puts the ctypes of a function's arguments and result where its wrapper looks for them. They stay for ever.
    fn fill_types(&self, tables: &CompiledTables, global: &Global) -> Res<()> {
        for index in tables.places_of_function(tables.type_of(global)) {
            let Some(ty) = self.scope.table_type(index)? else {
                continue;
            };
            let made = from_scope(&self.scope, ty)?;
            // The module's wrapper passes whole structs, whose fields must be known before.
            made.record()?;
            let made = made.into_obj().into_ptr();
            if !tables.set_type(index, made.cast()) {
                // SAFETY: the reference that the table did not take.
                unsafe { ffi::Py_DECREF(made) };
            }
        }
        Ok(())
    }

    /// Where a variable or constant is. `ctype`: its type by the declarations.
    pub(super) fn compiled_variable(
        &self,
        tables: &CompiledTables,
        name: &str,
        ctype: &CType,
    ) -> Res<Place> {
        let found = tables.find(name);
        let Some((code, global)) = found.filter(|(_, global)| !global.address.is_null()) else {
            return Err(self.not_provided(name));
        };
        // SAFETY: by the operation, the address is that of such a function.
        unsafe {
            match code {
                GlobalCode::Variable => {
                    check_size(name, ctype, global.size_or_function as isize)?;
                    Ok(Place::Address(global.address.cast()))
                }
                GlobalCode::VariableAccess => Ok(Place::Locate(std::mem::transmute::<
                    *mut c_void,
                    Locate,
                >(global.address))),
                GlobalCode::Constant => Ok(Place::Write(
                    std::mem::transmute::<*mut c_void, Write>(global.address),
                )),
                _ => Err(self.not_provided(name)),
            }
        }
    }
}

/// Whether a function is called by its own address, not through the wrapper that CFFI has generated.
pub(super) fn is_direct(global: &Global, ctype: &CType) -> Res<bool> {
    Ok(!global.size_or_function.is_null() && function::can_be_planned(ctype)?)
}

/// A variable must be as large as its type: what old versions of CFFI leave to the load of the module. `size`: as the C
/// compiler says, or 0.
fn check_size(name: &str, ctype: &CType, size: isize) -> Res<()> {
    if size == 0 || ctype.size() <= 0 || ctype.size() == size {
        return Ok(());
    }
    Err(raise_error(
        |errors| &errors.error,
        format_args!(
            "global variable '{name}' should be {} bytes according to the cdef, but is actually {size}",
            ctype.size()
        ),
    ))
}
