//! The module of a plugin: what `import NAME` gives, and the namespace in which its init code runs. So what the code
//! defines is found where its `__module__` says, by pickle, dataclasses, typing, unittest.mock and other processes.

use pyo3::ffi;

use super::plugin::Plugin;
use super::{own_modules, sources};
use keelback_ffi::py::module::{add, make_spec};
use keelback_ffi::py::{Obj, Ref, Res, str_from};
use keelback_ffi::raise;

/// A new module. Each start of the init code gets one, as a module gets whose last `import` failed. So nothing of a start
/// that failed is in it, and threads or callbacks which that start has left behind go on with the old one.
pub fn make(plugin: &Plugin, ffi: &Ref, lib: &Ref) -> Res<Ref> {
    let name = str_from(plugin.name())?;
    // SAFETY: the GIL is held; a live str.
    let module = unsafe { Ref::steal(ffi::PyModule_NewObject(name.obj()))? };
    add_own(&module, ffi, lib)?;
    let file = plugin.init_file();
    if file.is_empty() {
        return Ok(module);
    }
    let file = str_from(&file)?;
    let loader = sources::loader(plugin)?;
    let search = search_path(plugin)?;
    let package = match plugin.name().rsplit_once('.') {
        _ if search.is_some() => plugin.name(),
        Some((parent, _)) => parent,
        None => "",
    };
    let builtins = keelback_ffi::py::import(c"builtins")?;
    add(&module, c"__builtins__", &builtins)?;
    add(&module, c"__package__", &str_from(package)?)?;
    // inspect.getsource looks for `__file__` when it is asked for a class.
    add(&module, c"__file__", &file)?;
    add(
        &module,
        c"__spec__",
        &make_spec(&name, &loader, Some(&file), search.as_ref())?,
    )?;
    add(&module, c"__loader__", &loader)?;
    if let Some(search) = &search {
        add(&module, c"__path__", search)?;
    }
    Ok(module)
}

/// The `__path__` of a plugin with modules of its own: empty, as a finder of ours has them.
fn search_path(plugin: &Plugin) -> Res<Option<Ref>> {
    if !own_modules::has_any(plugin) {
        return Ok(None);
    }
    own_modules::install()?;
    // SAFETY: the GIL is held.
    unsafe { Ref::steal(ffi::PyList_New(0)) }.map(Some)
}

/// Puts `ffi` and `lib` into the module: at first, and before the init code runs anew in the same one.
pub fn add_own(module: &Ref, ffi: &Ref, lib: &Ref) -> Res<()> {
    add(module, c"ffi", ffi)?;
    add(module, c"lib", lib)
}

/// The import system makes `__spec__` its own spec: the module has that from the beginning, and its loader, which knows
/// of a library only, tells the text of the init code.
pub fn adopt_spec(plugin: &Plugin, module: &Ref, spec: Obj) -> Res<()> {
    if plugin.init_file().is_empty() || spec == keelback_ffi::py::none().obj() {
        return Ok(());
    }
    let ours = sources::loader(plugin)?;
    // SAFETY: the import system's spec, which it keeps alive meanwhile.
    let spec: Ref = unsafe { Ref::borrow(spec) };
    if let Some(search) = search_path(plugin)? {
        spec.live()
            .set_attribute(c"submodule_search_locations", search.live())?;
    }
    let adopted = spec.live().attribute(c"loader").and_then(|theirs: Ref| {
        let get_source: Ref = ours.live().attribute(c"get_source")?;
        theirs
            .live()
            .set_attribute(c"get_source", get_source.live())?;
        Ok(theirs)
    });
    // A loader of somebody else's may not take the attribute. Then the module keeps our loader, which has the text.
    let loader = adopted.unwrap_or_else(|raised| {
        raised.clear();
        ours
    });
    add(module, c"__spec__", &spec)?;
    add(module, c"__loader__", &loader)
}

/// What stands under the plugin's name in `sys.modules` once the init code has run: the module, or what the code has put
/// in its place, as any module may.
pub fn imported(plugin: &Plugin) -> Res<Ref> {
    let name = str_from(plugin.name())?;
    // SAFETY: the GIL is held; a live str. The result is a new reference, or NULL with or without an exception.
    unsafe {
        let found = ffi::PyImport_GetModule(name.obj());
        if !found.is_null() {
            return Ref::steal(found);
        }
        ffi::PyErr_Clear();
    }
    plugin
        .module()
        .ok_or_else(|| raise!(ImportError, "{}: no module", plugin.name()))
}
