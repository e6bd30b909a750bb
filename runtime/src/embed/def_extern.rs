//! `@ffi.def_extern()`: attaches a Python function to a C function of the plugin.

use std::ffi::c_void;

use pyo3::ffi;

use super::plugin::Plugin;
use super::{last_error, waiting, whose};
use crate::callback::PythonFunction;
use crate::ffi::attachment::Attachment;
use crate::py::{Obj, Raised, Ref, Res, guard, str_text, warn};
use crate::{ctype, raise};

/// The decorator that `ffi.def_extern(name=None, error=None, onerror=None)` returns: it gives back the function that it
/// is called with. As in CFFI, everything is checked when it is called.
///
/// # Safety
/// The objects are live; the thread is attached to the interpreter.
unsafe fn decorator(
    plugin: &'static Plugin,
    name: Option<Obj>,
    error: Option<Obj>,
    onerror: Option<Obj>,
) -> Res<Ref> {
    /// A method table entry that lives for ever.
    struct Method(ffi::PyMethodDef);
    // SAFETY: never changed.
    unsafe impl Sync for Method {}
    static DECORATOR: Method = Method(ffi::PyMethodDef {
        ml_name: c"def_extern_decorator".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunction: decorate,
        },
        ml_flags: ffi::METH_O,
        ml_doc: std::ptr::null(),
    });
    // SAFETY: the caller's contract; the definition is static, and only read.
    unsafe {
        let none = ffi::Py_None();
        let arguments = Ref::steal(ffi::Py_BuildValue(
            c"(nOOO)".as_ptr(),
            std::ptr::from_ref(plugin).expose_provenance() as ffi::Py_ssize_t,
            name.unwrap_or(none),
            error.unwrap_or(none),
            onerror.unwrap_or(none),
        ))?;
        Ref::steal(ffi::PyCFunction_NewEx(
            (&raw const DECORATOR.0).cast_mut(),
            arguments.obj(),
            std::ptr::null_mut(),
        ))
    }
}

impl Attachment for Plugin {
    unsafe fn def_extern(
        &'static self,
        name: Option<Obj>,
        error: Option<Obj>,
        onerror: Option<Obj>,
    ) -> Res<Ref> {
        // SAFETY: the caller's contract.
        unsafe { decorator(self, name, error, onerror) }
    }
    fn has_module(&self, module: &Ref) -> bool {
        self.module().is_some_and(|own| own.obj() == module.obj())
    }
    fn ffi_and_lib(&self) -> Option<(&Ref, &Ref)> {
        Plugin::ffi_and_lib(self)
    }
}

unsafe extern "C" fn decorate(arguments: Obj, function: Obj) -> Obj {
    // SAFETY: the slot's contract; `arguments` is the tuple that `def_extern` made.
    guard(|| unsafe {
        let address = ffi::PyLong_AsSsize_t(ffi::PyTuple_GetItem(arguments, 0)) as usize;
        let given = |index| {
            let object = ffi::PyTuple_GetItem(arguments, index);
            if object == ffi::Py_None() {
                None
            } else {
                Some(object)
            }
        };
        // A plugin lives as long as the process.
        let plugin = &*std::ptr::with_exposed_provenance::<Plugin>(address);
        attach(plugin, function, given(1), given(2), given(3))?;
        Ok(Ref::borrow(function))
    })
}

unsafe fn attach(
    plugin: &Plugin,
    function: Obj,
    name: Option<Obj>,
    error: Option<Obj>,
    onerror: Option<Obj>,
) -> Res<()> {
    // SAFETY: live objects, by the caller's contract.
    unsafe {
        let name = match name {
            Some(name) => Ref::borrow(name),
            None => Ref::steal(ffi::PyObject_GetAttrString(function, c"__name__".as_ptr()))?,
        };
        let text = str_text(name.obj())?.ok_or_else(|| {
            raise!(
                TypeError,
                "the name of the function must be a str or None, not {}",
                crate::py::type_name(name.obj())
            )
        })?;
        let binding = plugin.binding(text).ok_or_else(|| no_such_function(text))?;
        let ctype = ctype::from_scope(plugin.scope(), binding.ty)?;
        if !whose::is_main() {
            // Its objects would be gone before C's next call; and threads that C starts come to the main interpreter.
            PythonFunction::new(&ctype, function, error, onerror)?;
            return warn(&format!(
                "ffi.def_extern('{text}') in a sub-interpreter: C's calls go to the main interpreter's function"
            ));
        }
        let mut made = Box::new(PythonFunction::new(&ctype, function, error, onerror)?);
        made.sink = Some((
            last_error::sink,
            std::ptr::from_ref(binding).cast_mut().cast::<c_void>(),
        ));
        plugin.give_back_at_end()?;
        binding.replace(Some(made));
        waiting::function_attached();
        Ok(())
    }
}

#[cold]
fn no_such_function(name: &str) -> Raised {
    crate::errors::raise_error(
        |errors| &errors.error,
        format_args!("ffi.def_extern('{name}'): no 'extern \"Python\"' function with this name"),
    )
}
