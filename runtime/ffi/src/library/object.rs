//! The object behind `lib`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use keelback_codegen::abi::keelback_plugin_t;
use pyo3::ffi;

use super::kept::Kept;
use super::{Handle, Symbols, attribute};
use crate::py::{GilCell, Instance, Live, Obj, Raised, Ref, Res, StaticType};
use crate::raise;
use crate::scope::{CompiledTables, Scope};

/// The type object of `lib` objects (`_cffi_backend.Lib`).
pub static LIB_TYPE: StaticType = StaticType::new();

/// A `lib` object.
#[repr(C)]
pub struct Lib {
    ob_base: crate::py::Head,
    pub(super) weakrefs: Obj,
    /// What was found so far, by name. Owned; NULL once the garbage collector took it.
    pub(super) found: std::cell::Cell<Obj>,
    pub(super) scope: Arc<Scope>,
    pub(super) source: Source,
    /// What messages call it: the file's name, or the module's.
    pub(super) name: Box<str>,
    /// The name as a str, for functions' `__module__`: made for the first of them.
    pub(super) module: OnceLock<Ref>,
    /// Of an out-of-line FFI: changes the class and the words of some errors, as in CFFI.
    out_of_line: AtomicBool,
    pub(super) recent: attribute::Recent,
    /// What `ffi.keep_gil()` was told of it.
    pub(super) kept: GilCell<Kept>,
    /// The FFI that opened it: kept alive, as it keeps the lib.
    pub(super) ffi: GilCell<Option<Ref>>,
    /// The libs of included modules: their functions and variables are visible in this one.
    included: OnceLock<Vec<Ref<Lib>>>,
}

/// Where the symbols are.
pub(super) enum Source {
    /// In what dlopen gave.
    Dynamic(Handle),
    /// In the tables of a plugin.
    Plugin(Symbols),
    /// In the tables of a module that CFFI compiled.
    Compiled(CompiledTables),
}

impl Lib {
    /// Whether the function of a name is called with the GIL kept.
    pub(super) fn keeps_gil(&self, name: &str) -> bool {
        // SAFETY: attached, by the layer's contract; nothing of Python is called.
        unsafe { self.kept.with(|kept| kept.contains(name)) }
    }

    /// What was found so far is found again when it is next asked for.
    pub(super) fn forget_found(&self) {
        self.recent.clear();
        let found = self.found.get();
        if !found.is_null() {
            // SAFETY: our own dict.
            unsafe { ffi::PyDict_Clear(found) };
        }
    }

    pub(super) fn allocate(scope: Arc<Scope>, source: Source, name: Box<str>) -> Res<Ref<Lib>> {
        // SAFETY: the type is ready; every field is written before anyone sees the object.
        unsafe {
            let found = crate::py::make::dict([])?;
            let object = Ref::steal(ffi::PyObject_GC_New::<Lib>(LIB_TYPE.ptr()))?;
            let raw = object.as_ptr();
            (&raw mut (*raw).weakrefs).write(std::ptr::null_mut());
            (&raw mut (*raw).found).write(std::cell::Cell::new(found.into_ptr()));
            (&raw mut (*raw).scope).write(scope);
            (&raw mut (*raw).source).write(source);
            (&raw mut (*raw).name).write(name);
            (&raw mut (*raw).module).write(OnceLock::new());
            (&raw mut (*raw).out_of_line).write(AtomicBool::new(false));
            (&raw mut (*raw).recent).write(attribute::Recent::new());
            (&raw mut (*raw).kept).write(GilCell::new(Kept::none()));
            (&raw mut (*raw).ffi).write(GilCell::new(None));
            (&raw mut (*raw).included).write(OnceLock::new());
            ffi::PyObject_GC_Track(raw.cast());
            Ok(object)
        }
    }
    /// `dlopen(path, flags)`; `None`: the process's own symbols. Raises OSError with the system's text. Closed when
    /// the object goes.
    pub fn from_dlopen(
        scope: Arc<Scope>,
        path: Option<&std::ffi::CStr>,
        flags: i32,
    ) -> Res<Ref<Lib>> {
        let name = path.map_or("<None>".into(), std::ffi::CStr::to_string_lossy);
        let handle = Handle::open(path, flags, &name)?;
        Self::allocate(scope, Source::Dynamic(handle), name.into())
    }
    /// A lib over a handle that somebody else opened. Only [`close`](Self::close) closes the library.
    pub fn from_handle(
        scope: Arc<Scope>,
        name: &str,
        handle: *mut std::ffi::c_void,
    ) -> Res<Ref<Lib>> {
        Self::allocate(
            scope,
            Source::Dynamic(Handle::borrowed(handle)),
            name.into(),
        )
    }
    /// The `lib` of a plugin: its symbols and its functions.
    ///
    /// # Safety
    /// The plugin's tables are as abi.rs says, and stay as long as the process.
    pub unsafe fn from_plugin(
        scope: Arc<Scope>,
        plugin: *const keelback_plugin_t,
    ) -> Res<Ref<Lib>> {
        // SAFETY: the plugin's tables are as abi.rs says, and stay as long as the process.
        let (symbols, name) = unsafe {
            let name = std::ffi::CStr::from_ptr((*plugin).module_name).to_string_lossy();
            (Symbols::new(plugin), name)
        };
        let lib = Self::allocate(scope, Source::Plugin(symbols), name.into())?;
        lib.set_out_of_line();
        Ok(lib)
    }
    /// Keeps the FFI that opened it alive.
    pub fn keep(&self, ffi: Ref) {
        // SAFETY: attached, by the layer's contract; what is replaced is dropped outside.
        let old = unsafe { self.ffi.with(|kept| kept.replace(ffi)) };
        drop(old);
    }
    /// Sets the libs of included modules. Once. Those live as long as the process, so the garbage collector need not
    /// know of them.
    pub fn include(&self, libs: Vec<Ref<Lib>>) {
        let _ = self.included.set(libs);
    }
    pub(super) fn included(&self) -> &[Ref<Lib>] {
        self.included.get().map_or(&[], Vec::as_slice)
    }
    /// Notes that it belongs to an out-of-line FFI: its errors are then those of CFFI's out-of-line modules.
    pub fn set_out_of_line(&self) {
        self.out_of_line.store(true, Ordering::Relaxed);
    }
    pub(super) fn is_out_of_line(&self) -> bool {
        self.out_of_line.load(Ordering::Relaxed)
    }
    /// `ffi.dlclose(lib)`. Closing again does nothing, nor does closing a plugin's.
    pub fn close(&self) -> Res<()> {
        let Source::Dynamic(handle) = &self.source else {
            return Ok(());
        };
        self.forget_found();
        handle.close(&self.name)
    }
    /// The object as a borrowed pointer.
    pub(super) fn obj(&self) -> Obj {
        std::ptr::from_ref(self).cast_mut().cast()
    }
    /// The error for a name that the lib does not have.
    #[cold]
    pub(super) fn no_such_name(&self, name: &str) -> Raised {
        raise!(
            AttributeError,
            "cffi library '{}' has no function, constant or global variable named '{name}'",
            self.name
        )
    }
    /// The error for a lib that was closed.
    #[cold]
    pub(super) fn closed(&self) -> Raised {
        if self.is_out_of_line() {
            crate::errors::raise_error(
                |errors| &errors.error,
                format_args!("library '{}' has been closed", self.name),
            )
        } else {
            raise!(
                ValueError,
                "library '{}' has already been closed",
                self.name
            )
        }
    }
}

impl Lib {
    /// `object` as a lib, if it is one.
    pub fn of(object: Live<'_>) -> Option<&Lib> {
        // SAFETY: the objects of this type are Libs.
        unsafe { object.exactly(&LIB_TYPE) }
    }
}

// SAFETY: starts with an object's head.
unsafe impl Instance for Lib {}

/// `ffi.addressof(lib, name)`: a function pointer, or a pointer to a variable.
pub fn address_of(lib: &Lib, name: Live) -> Res<Ref> {
    let Some(text) = name.text()? else {
        return Err(raise!(
            TypeError,
            "expected the name of a function or global variable, not {}",
            name.type_name()
        ));
    };
    lib.address_of(text)
}
