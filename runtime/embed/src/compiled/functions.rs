//! The functions of the runtime's module that such modules call.

use pyo3::ffi;

use keelback_ffi::py::{END_OF_METHODS, Methods, Raised, Ref, Res, simple};

use super::module;

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
pub(crate) fn add_to(module: &Ref) -> Res<()> {
    // SAFETY: a live module, and a static table.
    if unsafe { ffi::PyModule_AddFunctions(module.obj(), FUNCTIONS.ptr()) } < 0 {
        return Err(Raised::already());
    }
    Ok(())
}
