//! What `set_source()` and its family need: the recorded declarations, and the way to `keelback._builder`, which does
//! the rest in Python (files, names, setuptools). Text comes from the codegen crate, and the compiler's driver is the
//! one of the command line.

use std::sync::Arc;

use keelback_codegen::abi::KEELBACK_ABI_VERSION;
use keelback_codegen::{
    CdefText, IncludedModule, InitError, Plugin, PluginFlags, PluginSpec, Problem, RecordedPython,
    SourceText, StartError, StubsOf, python_module, python_module_digest,
};
use pyo3::ffi;

use super::attachment::ffi_and_lib_of;
use super::options::{bytes, text, texts, truth};
use super::own_files::read_own_files;
use super::{FfiObject, as_ffi, given};
use crate::errors::raise_error;
use crate::py::{Obj, Raised, Ref, Res, Signature, guard, none, str_from, str_text};
use crate::raise;
use crate::scope::{Scope, UnreadCdef};

/// A method whose body is the function of that name in `keelback._builder`: called with the FFI and the arguments.
macro_rules! in_python {
    ($name:ident, $function:literal) => {
        pub unsafe extern "C" fn $name(
            object: Obj,
            args: *const Obj,
            count: isize,
            names: Obj,
        ) -> Obj {
            // SAFETY: a FASTCALL method's arguments.
            guard(|| unsafe { call_builder($function, object, args, count, names) })
        }
    };
}

in_python!(set_source, c"set_source");
in_python!(set_source_pkgconfig, c"set_source_pkgconfig");
in_python!(compile_method, c"compile_module");
in_python!(distutils_extension, c"distutils_extension");
in_python!(embedding_init_code, c"embedding_init_code");
in_python!(emit_c_code, c"emit_c_code");
in_python!(emit_python_code, c"emit_python_code");

unsafe fn call_builder(
    function: &std::ffi::CStr,
    object: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Res<Ref> {
    // SAFETY: a FASTCALL method's arguments: `count` positional ones, then one for each name.
    unsafe {
        let module =
            Ref::<ffi::PyObject>::steal(ffi::PyImport_ImportModule(c"keelback._builder".as_ptr()))?;
        let function = Ref::<ffi::PyObject>::steal(ffi::PyObject_GetAttrString(
            module.obj(),
            function.as_ptr(),
        ))?;
        let named = if names.is_null() {
            0
        } else {
            ffi::PyTuple_GET_SIZE(names)
        };
        let mut all = vec![object];
        all.extend((0..count + named).map(|index| *args.offset(index)));
        Ref::steal(ffi::PyObject_Vectorcall(
            function.obj(),
            all.as_ptr(),
            count as usize + 1,
            names,
        ))
    }
}

/// `FFI._cdefs()`: what the FFI was given so far.
pub unsafe extern "C" fn cdefs(object: Obj, _none: Obj) -> Obj {
    guard(|| {
        // SAFETY: a method of an FFI object; a fresh list, whose places are filled before anyone sees it.
        unsafe {
            let (cdefs, callers) = super::this(object)
                .recorded
                .with(|recorded| (recorded.cdefs.clone(), recorded.callers.clone()));
            let list: Ref = Ref::steal(ffi::PyList_New(cdefs.len() as isize))?;
            for (index, (cdef, (file, line))) in cdefs.iter().zip(callers).enumerate() {
                let packing = if cdef.packed { Some(1) } else { cdef.pack };
                let packing = match packing {
                    Some(packing) => Ref::steal(ffi::PyLong_FromLong(packing.into()))?,
                    None => none(),
                };
                let line = Ref::<ffi::PyObject>::steal(ffi::PyLong_FromLong(line.into()))?;
                let one = Ref::<ffi::PyObject>::steal(ffi::PyTuple_Pack(
                    4,
                    str_from(&cdef.text)?.obj(),
                    packing.obj(),
                    file.obj(),
                    line.obj(),
                ))?;
                ffi::PyList_SET_ITEM(list.obj(), index as isize, one.into_ptr());
            }
            Ok(list)
        }
    })
}

/// What an FFI was given: its cdefs, and the modules that it includes.
unsafe fn recorded(
    object: Obj,
    this: &FfiObject,
    module_name: &str,
    is_python: bool,
) -> Res<(Vec<CdefText>, Vec<IncludedModule>)> {
    // SAFETY: attached; live objects.
    unsafe {
        let (mut cdefs, positions) = this
            .recorded
            .with(|recorded| (recorded.cdefs.clone(), recorded.included_at.clone()));
        for (index, cdef) in cdefs.iter_mut().enumerate() {
            cdef.file = format!("<cdef {} of {module_name}>", index + 1);
        }
        let theirs = this.included.with(|list| list.clone());
        let mut included = Vec::new();
        for (other, position) in theirs.iter().zip(positions) {
            if let Some(other_ffi) = as_ffi(other.obj()) {
                included.push(IncludedModule {
                    module_name: module_name_of(object, other.obj(), is_python)?,
                    position,
                    declarations: other_ffi.scope.read().clone(),
                });
            }
        }
        Ok((cdefs, included))
    }
}

/// The name that an included FFI was given with set_source().
unsafe fn module_name_of(includer: Obj, included: Obj, is_python: bool) -> Res<String> {
    // SAFETY: live objects.
    unsafe {
        let assigned = ffi::PyObject_GetAttrString(included, c"_assigned_source".as_ptr());
        if assigned.is_null() {
            // SAFETY: a static of libpython.
            Raised::already().clear_if(ffi::PyExc_AttributeError)?;
            let shown = |object| -> Res<String> {
                let text = Ref::<ffi::PyObject>::steal(ffi::PyObject_Repr(object))?;
                Ok(str_text(text.obj())?.unwrap_or("?").to_owned())
            };
            let (includer, included) = (shown(includer)?, shown(included)?);
            return Err(raise_error(
                |errors| &errors.verification_error,
                format_args!(
                    "ffi object {includer} includes {included}, but the latter has not been prepared with set_source()"
                ),
            ));
        }
        let assigned = Ref::<ffi::PyObject>::steal(assigned)?;
        let source = Ref::<ffi::PyObject>::steal(ffi::PySequence_GetItem(assigned.obj(), 1))?;
        if is_python != given(source.obj()).is_none() {
            let (theirs, ours) = if is_python {
                ("C", "Python")
            } else {
                ("Python", "C")
            };
            return Err(raise_error(
                |errors| &errors.verification_error,
                format_args!(
                    "not implemented yet: ffi.include() of a {theirs}-based ffi inside a {ours}-based ffi"
                ),
            ));
        }
        let name = Ref::<ffi::PyObject>::steal(ffi::PySequence_GetItem(assigned.obj(), 0))?;
        text(name.obj())?.ok_or_else(|| raise!(TypeError, "set_source() without a name"))
    }
}

/// The rows of a sequence, each of `N` texts; none of None. `wrong` is what a TypeError says of other rows.
pub(super) unsafe fn rows<const N: usize>(object: Obj, wrong: &str) -> Res<Vec<[String; N]>> {
    let Some(object) = given(object) else {
        return Ok(Vec::new());
    };
    // SAFETY: live objects.
    unsafe {
        let list = Ref::<ffi::PyObject>::steal(ffi::PySequence_Tuple(object))?;
        (0..ffi::PyTuple_GET_SIZE(list.obj()))
            .map(|index| {
                let row = texts(ffi::PyTuple_GET_ITEM(list.obj(), index))?;
                row.try_into().map_err(|_| raise!(TypeError, "{wrong}"))
            })
            .collect()
    }
}

/// Pairs of a function and its value.
unsafe fn start_errors(object: Obj) -> Res<Vec<StartError>> {
    // SAFETY: a live object.
    let pairs = unsafe { rows(object, "errors are pairs of a function and a value") }?;
    let error = |[function, value]: [String; 2]| StartError { function, value };
    Ok(pairs.into_iter().map(error).collect())
}

/// Triples of a function, its value (empty: none that can be read) and the line of the init code.
unsafe fn read_errors(object: Obj) -> Res<Vec<InitError>> {
    // SAFETY: a live object.
    let triples = unsafe { rows(object, "init_errors are triples of text") }?;
    let error = |[function, value, line]: [String; 3]| InitError {
        function,
        value: Some(value).filter(|value| !value.is_empty()),
        line: line.parse().unwrap_or_default(),
    };
    Ok(triples.into_iter().map(error).collect())
}

fn warn(text: &str) -> Res<()> {
    let text = std::ffi::CString::new(text.replace('\0', "?")).unwrap_or_default();
    // SAFETY: attached; a C string, and a class of libpython's.
    if unsafe { ffi::PyErr_WarnEx(ffi::PyExc_UserWarning, text.as_ptr(), 1) } < 0 {
        return Err(Raised::already());
    }
    Ok(())
}

static GENERATE: Signature<20> = Signature::new(
    "_generate",
    [
        "ffi",
        "module_name",
        "prelude",
        "prelude_file",
        "init_code",
        "init_file",
        "libpython",
        "home",
        "executable",
        "runtime",
        "version",
        "cdef_lines",
        "prelude_line",
        "use_environment",
        "ignore_sigpipe",
        "errors",
        "init_errors",
        "files",
        "init_compiled",
        "code_magic",
    ],
    2,
);

/// `_runtime._generate(ffi, module_name, ...)`: the C source. Without init code: of an extension module.
pub unsafe extern "C" fn generate(_module: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let [
                object,
                module_name,
                prelude,
                prelude_file,
                init_code,
                init_file,
                libpython,
                home,
                executable,
                runtime,
                version,
                cdef_lines,
                prelude_line,
                use_environment,
                ignore_sigpipe,
                errors,
                init_errors,
                files,
                init_compiled,
                code_magic,
            ] = GENERATE.parse(args, count, names)?;
            let Some(ffi_object) = as_ffi(object) else {
                return Err(raise!(TypeError, "_generate() expects an FFI"));
            };
            let module_name =
                text(module_name)?.ok_or_else(|| raise!(TypeError, "a module has a name"))?;
            let (mut cdefs, included) = recorded(object, ffi_object, &module_name, false)?;
            // `#line` directives: where the texts stand in the user's files.
            for (cdef, line) in cdefs.iter_mut().zip(texts(cdef_lines)?) {
                cdef.text.insert_str(0, &line);
            }
            let init = text(init_code)?;
            let version = text(version)?.unwrap_or_default();
            let (version, free_threaded) = match version.strip_suffix('t') {
                Some(version) => (version, true),
                None => (&*version, false),
            };
            let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
            let source = |file: Option<String>, text: String, line: u32| SourceText {
                file: file.unwrap_or_default(),
                text,
                line,
            };
            let prelude_line = match given(prelude_line) {
                Some(line) => u32::try_from(crate::ffi::text::ssize(line)?).unwrap_or(1),
                None => 1,
            };
            let spec = PluginSpec {
                flags: PluginFlags {
                    extension_module: init.is_none(),
                    use_environment: truth(use_environment)?,
                    ignore_sigpipe: truth(ignore_sigpipe)?,
                    ..PluginFlags::default()
                },
                module_name,
                cdefs,
                included,
                prelude: match text(prelude)? {
                    Some(prelude) => Some(source(text(prelude_file)?, prelude, prelude_line)),
                    None => None,
                },
                init: match init {
                    Some(init) => Some(source(text(init_file)?, init, 1)),
                    None => None,
                },
                python: RecordedPython {
                    libpython: text(libpython)?,
                    home: text(home)?,
                    executable: text(executable)?,
                    version: (
                        major.parse().unwrap_or_default(),
                        minor.parse().unwrap_or_default(),
                    ),
                    free_threaded,
                },
                runtime_path: text(runtime)?,
                start_errors: start_errors(errors)?,
                init_errors: read_errors(init_errors)?,
                files: read_own_files(files)?,
                init_compiled: bytes(init_compiled)?,
                code_magic: match given(code_magic) {
                    Some(magic) => crate::ffi::text::ssize(magic)? as u32,
                    None => 0,
                },
                ..PluginSpec::default()
            };
            match Plugin::new(spec) {
                Ok((plugin, warnings)) => {
                    for warning in &warnings {
                        // Those of the declarations were given when they were read.
                        if let Problem::Plugin { .. } = warning {
                            warn(&warning.to_string())?;
                        }
                    }
                    str_from(&plugin.c_source())
                }
                Err(problems) => Err(raise_problems(&problems)),
            }
        }
    })
}

static GENERATE_PYTHON: Signature<2> =
    Signature::new("_generate_python", ["ffi", "module_name"], 2);

/// `_runtime._generate_python(ffi, module_name)`: the text of an out-of-line module of ABI mode.
pub unsafe extern "C" fn generate_python(
    _module: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let [object, module_name] = GENERATE_PYTHON.parse(args, count, names)?;
            let Some(this) = as_ffi(object) else {
                return Err(raise!(TypeError, "_generate_python() expects an FFI"));
            };
            let module_name =
                text(module_name)?.ok_or_else(|| raise!(TypeError, "a module has a name"))?;
            let (cdefs, included) = recorded(object, this, &module_name, true)?;
            let made = python_module(&module_name, &cdefs, &included, &this.scope.read());
            match made {
                Ok(text) => str_from(&text),
                Err(diagnostics) => Err(crate::errors::raise_diagnostics(&diagnostics)),
            }
        }
    })
}

static GENERATE_STUBS: Signature<3> =
    Signature::new("_generate_stubs", ["ffi", "module_name", "is_python"], 3);

/// `_runtime._generate_stubs(ffi, module_name, is_python)`: the text of a module's .pyi.
pub unsafe extern "C" fn generate_stubs(
    _module: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let [object, module_name, is_python] = GENERATE_STUBS.parse(args, count, names)?;
            let Some(this) = as_ffi(object) else {
                return Err(raise!(TypeError, "_generate_stubs() expects an FFI"));
            };
            let module_name =
                text(module_name)?.ok_or_else(|| raise!(TypeError, "a module has a name"))?;
            let of = if truth(is_python)? {
                StubsOf::AbiModule
            } else {
                StubsOf::Module
            };
            let made = keelback_codegen::stubs(&module_name, &this.scope.read(), of);
            str_from(&made)
        }
    })
}

static DECLARE: Signature<5> = Signature::new(
    "_declare",
    ["module_name", "version", "cdefs", "included", "digest"],
    3,
);

/// `_runtime._declare(name, version, cdefs, included, digest)`: the `ffi` of an out-of-line module of ABI mode. `cdefs`
/// are tuples (text, override, packed, pack), `included` tuples (module name, how many cdefs come before it). With the
/// digest that the module was written with, the cdefs are parsed at the first use; with another one now, and what is
/// wrong in them is raised.
pub unsafe extern "C" fn declare(_module: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments; what is taken from tuples is borrowed while they live.
        unsafe {
            let [module_name, version, cdefs, included, digest] =
                DECLARE.parse(args, count, names)?;
            let module_name =
                text(module_name)?.ok_or_else(|| raise!(TypeError, "a module has a name"))?;
            let version = crate::ffi::text::ssize(version)?;
            if version != KEELBACK_ABI_VERSION as isize {
                return Err(raise!(
                    ImportError,
                    "module '{module_name}' was made by a keelback with format {version}, and this is keelback {} with \
                     format {KEELBACK_ABI_VERSION}: make it again",
                    env!("CARGO_PKG_VERSION")
                ));
            }
            let scope = super::empty_scope();
            let cdefs = cdefs_of(&module_name, cdefs)?;
            let included = tuple(included)?;
            if included.is_empty() && is_digest_of(digest, &cdefs)? {
                scope.defer(cdefs);
                return Ok(FfiObject::for_plugin(scope, None)?.into_obj());
            }
            let mut kept = Vec::new();
            let mut included = included.iter().peekable();
            for position in 0..=cdefs.len() {
                while let Some(module) = included.peek() {
                    let parts = tuple(module.obj())?;
                    let [name, before] = parts.as_slice() else {
                        return Err(raise!(TypeError, "_declare(): not a pair"));
                    };
                    if crate::ffi::text::ssize(before.obj())? > position as isize {
                        break;
                    }
                    let name = text(name.obj())?.unwrap_or_default();
                    kept.push(include_module(&scope, &module_name, &name)?.1);
                    included.next();
                }
                let Some(cdef) = cdefs.get(position) else {
                    break;
                };
                let result = cdef.parse(&mut scope.write());
                if let Err(diagnostics) = result {
                    return Err(crate::errors::raise_diagnostics(&diagnostics));
                }
            }
            scope.find_completed();
            let made = FfiObject::for_plugin(scope, None)?;
            made.included.with(|list| list.extend(kept));
            Ok(made.into_obj())
        }
    })
}

/// The cdefs that [`declare`] is given.
unsafe fn cdefs_of(module_name: &str, cdefs: Obj) -> Res<Vec<UnreadCdef>> {
    let mut list = Vec::new();
    // SAFETY: live objects.
    unsafe {
        for (position, cdef) in tuple(cdefs)?.iter().enumerate() {
            let parts = tuple(cdef.obj())?;
            let [source, override_, packed, pack] = parts.as_slice() else {
                return Err(raise!(TypeError, "_declare(): not a cdef"));
            };
            let pack = u32::try_from(crate::ffi::text::ssize(pack.obj())?).unwrap_or(0);
            list.push(UnreadCdef {
                text: text(source.obj())?.unwrap_or_default().into(),
                file: format!("<cdef {} of {module_name}>", position + 1),
                override_: truth(override_.obj())?,
                packed: truth(packed.obj())?,
                pack: (pack != 0).then_some(pack),
            });
        }
    }
    Ok(list)
}

/// Whether these are the cdefs that a module was made with.
unsafe fn is_digest_of(digest: Obj, cdefs: &[UnreadCdef]) -> Res<bool> {
    let Some(digest) = given(digest) else {
        return Ok(false);
    };
    let own = python_module_digest(
        cdefs
            .iter()
            .map(|cdef| (&*cdef.text, cdef.override_, cdef.packed, cdef.pack)),
    );
    // SAFETY: a live object.
    let said = unsafe { ffi::PyLong_AsUnsignedLongLong(digest) };
    // SAFETY: only reads the indicator.
    if said == u64::MAX && !unsafe { ffi::PyErr_Occurred() }.is_null() {
        return Err(Raised::already());
    }
    Ok(said == own)
}

/// The items of a tuple.
unsafe fn tuple(object: Obj) -> Res<Vec<Ref>> {
    let Some(object) = given(object) else {
        return Ok(Vec::new());
    };
    // SAFETY: live objects.
    unsafe {
        let list = Ref::<ffi::PyObject>::steal(ffi::PySequence_Tuple(object))?;
        Ok((0..ffi::PyTuple_GET_SIZE(list.obj()))
            .map(|index| Ref::borrow(ffi::PyTuple_GET_ITEM(list.obj(), index)))
            .collect())
    }
}

/// Imports a module, and makes the declarations of its `ffi` visible. Gives both.
pub fn include_module(scope: &Arc<Scope>, importer: &str, name: &str) -> Res<(Ref, Ref)> {
    // SAFETY: the GIL is held; objects are live.
    unsafe {
        let name_object = str_from(name)?;
        Ref::<ffi::PyObject>::steal(ffi::PyImport_Import(name_object.obj()))?;
        let module = Ref::<ffi::PyObject>::steal(ffi::PyImport_GetModule(name_object.obj()))?;
        // A plugin's init code may call something else `ffi`.
        let theirs = match ffi_and_lib_of(&module) {
            Some((own, _lib)) => own,
            None => Ref::<ffi::PyObject>::steal(ffi::PyObject_GetAttrString(
                module.obj(),
                c"ffi".as_ptr(),
            ))?,
        };
        let Some(their_ffi) = as_ffi(theirs.obj()) else {
            return Err(raise!(
                ImportError,
                "while loading {importer}: the included module '{name}' was not made by keelback"
            ));
        };
        Scope::include(scope, &their_ffi.scope)?;
        Ok((module, theirs))
    }
}

/// Raises what keeps a module from being made.
fn raise_problems(problems: &[Problem]) -> Raised {
    let errors: Vec<&Problem> = problems.iter().filter(|one| one.is_error()).collect();
    let diagnostics: Vec<_> = errors
        .iter()
        .filter_map(|problem| match problem {
            Problem::Cdef(diagnostic) => Some((**diagnostic).clone()),
            Problem::Plugin { .. } => None,
        })
        .collect();
    if let Some(Problem::Plugin { message, hint, .. }) = errors
        .iter()
        .find(|problem| matches!(problem, Problem::Plugin { .. }))
        && diagnostics.is_empty()
    {
        let hint = hint
            .as_ref()
            .map_or(String::new(), |hint| format!(": {hint}"));
        return raise_error(
            |errors| &errors.verification_error,
            format_args!("{message}{hint}"),
        );
    }
    crate::errors::raise_diagnostics(&diagnostics)
}
