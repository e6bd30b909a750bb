//! Extension modules that CFFI's API mode compiled: how they are loaded without CFFI.
//!
//! Such a module calls `_cffi_backend._init_cffi_1_0_external_module` with the address of its name, its version, its
//! table of exports (what its own code calls, filled here) and its tables (see `scope::CompiledTables`).

mod exports;
mod externs;
mod module;
mod plugin;

use pyo3::ffi;

use keelback_ffi::py::{END_OF_METHODS, Methods, Raised, Ref, Res, simple};

static FUNCTIONS: Methods<2> = Methods::new([
    simple(
        c"_load_compiled",
        module::load,
        ffi::METH_O,
        c"The module of an extension module that CFFI compiled, by the address that it gives.",
    ),
    END_OF_METHODS,
]);

/// Adds what such modules call to the runtime's module.
pub(super) fn add_to(module: &Ref) -> Res<()> {
    // SAFETY: a live module, and a static table.
    if unsafe { ffi::PyModule_AddFunctions(module.obj(), FUNCTIONS.ptr()) } < 0 {
        return Err(Raised::already());
    }
    Ok(())
}
