//! The extension module `keelback._runtime`.
//!
//! There is one in a process, whether it is imported by an ordinary Python or made by a plugin that embeds one.

use std::cell::UnsafeCell;
use std::sync::OnceLock;

use pyo3::ffi;

use crate::py::loaded::file_of;
use crate::py::module::add;
use crate::py::{END_OF_METHODS, Methods, Ref, Res, keywords, simple, str_from};

/// What the Python half of the builder (`keelback._builder`) needs: codegen and the compiler's driver.
static FUNCTIONS: Methods<14> = Methods::new([
    keywords(
        c"_generate",
        crate::ffi::generate,
        c"The C source of a plugin or an extension module.",
    ),
    keywords(c"_compile", crate::ffi::compile, c"Runs the C compiler."),
    keywords(
        c"_generate_python",
        crate::ffi::generate_python,
        c"The text of an out-of-line module of ABI mode.",
    ),
    keywords(
        c"_declare",
        crate::ffi::declare,
        c"The ffi of an out-of-line module of ABI mode.",
    ),
    keywords(
        c"_generate_stubs",
        crate::ffi::generate_stubs,
        c"The text of a module's type stubs.",
    ),
    keywords(
        c"_load_verified",
        crate::ffi::load_verified,
        c"The lib of a module that FFI.verify() compiled.",
    ),
    keywords(
        c"_check_files",
        crate::ffi::check_files,
        c"Raises ValueError if a file would be written that is read as well, or twice.",
    ),
    keywords(
        c"_passing",
        crate::ffi::passing,
        c"A file is there for a while: it goes when a signal ends the process.",
    ),
    keywords(
        c"_settled",
        crate::ffi::settled,
        c"Such a file has gone, or has its name.",
    ),
    keywords(
        c"_own_files",
        crate::ffi::own_files,
        c"The files of a plugin's own modules.",
    ),
    keywords(
        c"_batches",
        crate::ffi::declare_batches,
        c"The declarations of an FFI's batches, and the functions that have one.",
    ),
    keywords(
        c"_declared",
        crate::ffi::declared,
        c"The functions and variables that an FFI declares, with their ctypes.",
    ),
    simple(
        c"_name_types_as_cffi",
        crate::errors::name_types_as_cffi,
        ffi::METH_NOARGS,
        c"The types have the names that CFFI's have (in a plugin, they had Keelback's).",
    ),
    END_OF_METHODS,
]);

struct Definition(UnsafeCell<ffi::PyModuleDef>);

// SAFETY: only CPython touches it, during imports, under the import lock.
unsafe impl Sync for Definition {}

static DEFINITION: Definition = Definition(UnsafeCell::new(ffi::PyModuleDef {
    m_base: ffi::PyModuleDef_HEAD_INIT,
    m_name: c"keelback._runtime".as_ptr(),
    m_doc: c"Keelback's native runtime: the FFI class, ctypes and cdata.".as_ptr(),
    // State is per process: the types are static.
    m_size: -1,
    m_methods: FUNCTIONS.ptr(),
    m_slots: std::ptr::null_mut(),
    m_traverse: None,
    m_clear: None,
    m_free: None,
}));

static MODULE: OnceLock<Ref> = OnceLock::new();

/// The module, made at the first call. A plugin calls this after it started Python, and puts the module into
/// `sys.modules`, so that `import keelback` in it finds this runtime and no other copy.
///
/// `when_made` is for the layer above: it is called once, when the module is made.
pub fn create(when_made: fn(&Ref) -> Res<()>) -> Res<Ref> {
    if let Some(module) = MODULE.get() {
        return Ok(module.clone());
    }
    let module = make()?;
    when_made(&module)?;
    Ok(MODULE.get_or_init(|| module).clone())
}

fn make() -> Res<Ref> {
    keelback_cdef::TypeTable::prepare();
    crate::ctype::pytype::ready()?;
    crate::cdata::pytype::ready()?;
    crate::library::ready()?;
    crate::ffi::ready()?;
    crate::micropython::ready()?;
    crate::errors::name_types();
    // SAFETY: a static definition; the module is ours.
    unsafe {
        let module = Ref::steal(ffi::PyModule_Create(DEFINITION.0.get()))?;
        #[cfg(Py_GIL_DISABLED)]
        if ffi::PyUnstable_Module_SetGIL(module.obj(), ffi::Py_MOD_GIL_NOT_USED) < 0 {
            return Err(crate::py::Raised::already());
        }
        crate::errors::add_to(module.live())?;
        crate::ffi::add_to(module.live())?;
        crate::micropython::add_to(&module)?;
        // Python's import sets `__file__` too, but in a plugin the runtime is not imported, and nobody else would set it.
        if let Some(file) = file_of((&raw const DEFINITION).cast()) {
            add(&module, c"__file__", &str_from(&file.to_string_lossy())?)?;
        }
        add(
            &module,
            c"__version__",
            &str_from(env!("CARGO_PKG_VERSION"))?,
        )?;
        // verify() keeps compiled modules under a name that has this number, so that a new interface makes them again.
        let abi = keelback_codegen::abi::KEELBACK_ABI_VERSION;
        add(
            &module,
            c"_ABI_VERSION",
            &crate::py::make::int(abi as isize)?,
        )?;
        Ok(module)
    }
}
