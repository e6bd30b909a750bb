//! `@ffi.def_extern()`: attaches a Python function to a C function of the plugin.

use std::ffi::c_void;

use pyo3::ffi;

use super::binding::Binding;
use super::plugin::Plugin;
use super::{last_error, shape, waiting, whose};
use keelback_ffi::callback::PythonFunction;
use keelback_ffi::ctype::{self, CType};
use keelback_ffi::ffi::attachment::Attachment;
use keelback_ffi::py::{
    Live, Methods, Obj, Raised, Ref, Res, bool_object, given, make, none, simple, slot, warn,
};
use keelback_ffi::raise;

static DECORATOR: Methods<1> = Methods::new([simple(
    c"def_extern_decorator",
    slot!(decorate, (Live, Live) -> Obj),
    ffi::METH_O,
    c"Attaches the function.",
)]);

/// The decorator that `ffi.def_extern(name=None, error=None, onerror=None, batch=False)` returns: it gives back the function that it
/// is called with. As in CFFI, everything is checked when it is called.
fn decorator(
    plugin: &'static Plugin,
    name: Option<Live>,
    error: Option<Live>,
    onerror: Option<Live>,
    batch: bool,
) -> Res<Ref> {
    let address = std::ptr::from_ref(plugin).expose_provenance();
    let or_none = |object: Option<Live>| Ok(object.map_or_else(none, Live::to_ref));
    let state = [
        make::int(address as isize),
        or_none(name),
        or_none(error),
        or_none(onerror),
        Ok(bool_object(batch)),
    ];
    let state = make::tuple(state.into_iter())?;
    // SAFETY: a static table; the function keeps its state alive.
    unsafe { Ref::steal(ffi::PyCFunction_New(DECORATOR.ptr(), state.obj())) }
}

impl Attachment for Plugin {
    fn def_extern(
        &'static self,
        name: Option<Live>,
        error: Option<Live>,
        onerror: Option<Live>,
        batch: bool,
    ) -> Res<Ref> {
        decorator(self, name, error, onerror, batch)
    }
    fn has_module(&self, module: &Ref) -> bool {
        self.module().is_some_and(|own| own.obj() == module.obj())
    }
    fn library_path(&self) -> Option<std::path::PathBuf> {
        keelback_ffi::py::loaded::file_of(self.record().cast_const().cast())
    }
    fn ffi_and_lib(&self) -> Option<(&Ref, &Ref)> {
        Plugin::ffi_and_lib(self)
    }
}

/// The decorator, called with a function. `state`: the tuple that [`decorator`] packed.
fn decorate(state: Live, function: Live) -> Res<Ref> {
    let parts: Vec<Live> = state.tuple_items().collect();
    let [address, name, error, onerror, batch] = parts[..] else {
        return Err(raise!(
            SystemError,
            "def_extern decorator without its state"
        ));
    };
    // SAFETY: an int that is the address of a plugin, which lives as long as the process.
    let plugin = unsafe {
        let address = ffi::PyLong_AsSsize_t(address.ptr()) as usize;
        &*std::ptr::with_exposed_provenance::<Plugin>(address)
    };
    let [name, error, onerror] = [name, error, onerror].map(|part| given(Some(part)));
    attach(plugin, function, name, error, onerror, batch.is_true()?)?;
    Ok(function.to_ref())
}

/// Makes a Python function the body of a C function of the plugin.
fn attach(
    plugin: &Plugin,
    function: Live,
    name: Option<Live>,
    error: Option<Live>,
    onerror: Option<Live>,
    batch: bool,
) -> Res<()> {
    let name = match name {
        Some(name) => name.to_ref(),
        None => function.attribute(c"__name__")?,
    };
    let text = name.live().text()?.ok_or_else(|| {
        raise!(
            TypeError,
            "the name of the function must be a str or None, not {}",
            name.live().type_name()
        )
    })?;
    let binding = plugin.binding(text).ok_or_else(|| no_such_function(text))?;
    let reports_as = reported_binding(binding, text, batch)?;
    let ctype = ctype::from_scope(plugin.scope(), binding.ty)?;
    let mut made = Box::new(PythonFunction::new(&ctype, function, error, onerror)?);
    if !whose::is_main() {
        // In a sub-interpreter the arguments are checked, and nothing is attached: the function's objects would go with the
        // interpreter, perhaps before C's next call, and threads that C starts enter the main interpreter.
        return warn(&format!(
            "ffi.def_extern('{text}') in a sub-interpreter: C's calls go to the main interpreter's function"
        ));
    }
    tell_what_is_wrong(plugin, text, &ctype, function, batch)?;
    count_later(function);
    made.sink = Some((
        last_error::sink,
        std::ptr::from_ref(reports_as).cast_mut().cast::<c_void>(),
    ));
    plugin.give_back_at_end()?;
    match &reports_as.batch {
        Some(of_arrays) => of_arrays.arrays.replace(Some(made)),
        None => binding.replace(Some(made)),
    }
    waiting::function_attached();
    Ok(())
}

/// On a free-threaded Python, where all threads that call a function change its count of references, and wait for each other's
/// memory: the calls leave it alone, and the garbage collector finds out whether anybody has the function still. CPython does so
/// by itself for functions of a module, but not for those that are made in functions (by a decorator, say).
fn count_later(function: Live) {
    #[cfg(all(Py_GIL_DISABLED, Py_3_14))]
    {
        unsafe extern "C" {
            // pyo3 does not have it.
            fn PyUnstable_Object_EnableDeferredRefcount(object: Obj) -> std::ffi::c_int;
        }
        // It says whether it did; it does not for what the garbage collector does not see, which is counted as ever.
        // SAFETY: a live object, and the thread is in Python.
        let _ = unsafe { PyUnstable_Object_EnableDeferredRefcount(function.ptr()) };
    }
    #[cfg(not(all(Py_GIL_DISABLED, Py_3_14)))]
    let _ = function;
}

/// The binding whose failures the function's are: that of the C function, or its batch's.
fn reported_binding<'a>(binding: &'a Binding, name: &str, batch: bool) -> Res<&'a Binding> {
    if let Some(of) = &binding.batch {
        let single = of.single(binding.plugin()).name().to_string_lossy();
        return Err(keelback_ffi::errors::raise_error(
            |errors| &errors.error,
            format_args!(
                "ffi.def_extern('{name}'): it is the batch of '{single}'; attach to '{single}', with batch=True for a \
                 function that takes the arrays"
            ),
        ));
    }
    if !batch {
        return Ok(binding);
    }
    let Some(index) = binding.batch_at else {
        return Err(keelback_ffi::errors::raise_error(
            |errors| &errors.error,
            format_args!(
                "ffi.def_extern('{name}', batch=True): the library has no batch of it; build it with --batch {name}, or \
                 with the comment /* keelback: batch */ at its declaration"
            ),
        ));
    };
    Ok(&binding.plugin().bindings[index])
}

/// A function that no call from C can succeed with, in a library or module that Keelback built: a warning, as CFFI takes
/// any callable, or an error after `--strict`. Modules that CFFI compiled have its silence.
fn tell_what_is_wrong(
    plugin: &Plugin,
    name: &str,
    ctype: &CType,
    function: Live,
    batch: bool,
) -> Res<()> {
    let Some(signature) = ctype.signature().filter(|_| !plugin.is_of_cffi()) else {
        return Ok(());
    };
    // Of a batch, the array of results is an argument too.
    let has_array = batch && signature.result.code != ctype::Code::Void;
    let given = signature.params.len() + usize::from(has_array);
    let Some(what) = shape::of(function)?.and_then(|shape| shape.what_is_wrong(given)) else {
        return Ok(());
    };
    if plugin.is_strict() {
        return Err(raise!(
            TypeError,
            "ffi.def_extern('{name}'): '{name}' {what} (the library was built with --strict)"
        ));
    }
    warn(&format!("ffi.def_extern('{name}'): '{name}' {what}"))
}

#[cold]
fn no_such_function(name: &str) -> Raised {
    keelback_ffi::errors::raise_error(
        |errors| &errors.error,
        format_args!("ffi.def_extern('{name}'): no 'extern \"Python\"' function with this name"),
    )
}
