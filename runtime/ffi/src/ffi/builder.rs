//! What `set_source()` and its family need: the recorded declarations, and the way to `keelback._builder`, which does
//! the rest in Python (files, names, setuptools). Text comes from the codegen crate, and the compiler's driver is the
//! one of the command line.

use std::sync::Arc;

use keelback_codegen::abi::KEELBACK_ABI_VERSION;
use keelback_codegen::{
    Batches, CdefText, ExportRule, IncludedModule, InitError, Plugin, PluginFlags, PluginSpec,
    Problem, RecordedPython, SourceText, StartError, StubsOf, python_module, python_module_digest,
};
use pyo3::ffi;

use super::FfiObject;
use super::attachment::ffi_and_lib_of;
use super::options::{bytes, text, texts, tuple};
use super::own_files::read_own_files;
use super::record::batches_of;
use super::text::{ssize, ssize_or};
use crate::errors::{is_as_cffi, raise_error};
use crate::py::{
    Live, Obj, Raised, Ref, Res, Signature, flag, given, guard, import, make, method, none,
    str_from, warn,
};
use crate::scope::{Scope, UnreadCdef};
use crate::{exception, raise};

/// A method whose body is the function of that name in `keelback._builder`: called with the FFI and the arguments.
macro_rules! in_python {
    ($name:ident, $function:literal) => {
        /// The method, which passes everything on.
        ///
        /// # Safety
        /// Called by Python, as a method of an FFI object.
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

/// Calls a function of `keelback._builder` with an object before the arguments.
///
/// # Safety
/// `args`, `count` and `names` are what Python passed to a METH_FASTCALL | METH_KEYWORDS method.
unsafe fn call_builder(
    function: &std::ffi::CStr,
    object: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Res<Ref> {
    let function = import(c"keelback._builder")?.live().attribute(function)?;
    // SAFETY: `count` positional arguments, then one for each name.
    unsafe {
        let named = Live::or_null(names).map_or(0, Live::tuple_len) as isize;
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

/// A str argument that is the name of a module.
fn module_name(object: Live) -> Res<String> {
    text(Some(object))?.ok_or_else(|| raise!(TypeError, "a module has a name"))
}

/// `FFI._cdefs()`: the texts that the FFI was given so far.
pub fn cdefs(ffi: &FfiObject) -> Res<Ref> {
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    let (cdefs, callers) = unsafe {
        ffi.recorded
            .with(|recorded| (recorded.cdefs.clone(), recorded.callers.clone()))
    };
    make::list(cdefs.iter().zip(callers).map(|(cdef, (file, line))| {
        let packing = match if cdef.packed { Some(1) } else { cdef.pack } {
            Some(packing) => make::unsigned_int(packing as usize)?,
            None => none(),
        };
        let line = make::int(line as isize)?;
        make::tuple(
            [str_from(&cdef.text)?, packing, file, line]
                .into_iter()
                .map(Ok),
        )
    }))
}

/// What an FFI was given: its cdefs, and the modules that it includes.
fn recorded(
    this: &FfiObject,
    module_name: &str,
    is_python: bool,
) -> Res<(Vec<CdefText>, Vec<IncludedModule>)> {
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    let ((mut cdefs, positions), theirs) = unsafe {
        let recorded = this
            .recorded
            .with(|recorded| (recorded.cdefs.clone(), recorded.included_at.clone()));
        (recorded, this.included.with(|list| list.clone()))
    };
    for (index, cdef) in cdefs.iter_mut().enumerate() {
        cdef.file = format!("<cdef {} of {module_name}>", index + 1);
    }
    let mut included = Vec::new();
    for (other, position) in theirs.iter().zip(positions) {
        if let Some(other_ffi) = FfiObject::of(other.live()) {
            included.push(IncludedModule {
                module_name: module_name_of(this.live(), other.live(), is_python)?,
                position,
                declarations: other_ffi.scope.read().clone(),
            });
        }
    }
    Ok((cdefs, included))
}

/// The name that an included FFI was given with set_source().
fn module_name_of(includer: Live, included: Live, is_python: bool) -> Res<String> {
    let assigned = match included.attribute(c"_assigned_source") {
        Ok(assigned) => assigned,
        Err(raised) => {
            raised.clear_if(exception!(AttributeError))?;
            let shown = |object: Live| -> Res<String> {
                Ok(object.repr()?.live().text()?.unwrap_or("?").to_owned())
            };
            let (includer, included) = (shown(includer)?, shown(included)?);
            return Err(raise_error(
                |errors| &errors.verification_error,
                format_args!(
                    "ffi object {includer} includes {included}, but the latter has not been prepared with set_source()"
                ),
            ));
        }
    };
    let assigned = tuple(Some(assigned.live()))?;
    let [name, source, ..] = &assigned[..] else {
        return Err(raise!(TypeError, "set_source() without a source"));
    };
    if is_python != source.live().is_none() {
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
    text(Some(name.live()))?.ok_or_else(|| raise!(TypeError, "set_source() without a name"))
}

/// The rows of a sequence, each of `N` texts; none of None. `wrong` is what a TypeError says of other rows.
pub(super) fn rows<const N: usize>(object: Option<Live>, wrong: &str) -> Res<Vec<[String; N]>> {
    let row = |row: &Ref| {
        let row = texts(Some(row.live()))?;
        row.try_into().map_err(|_| raise!(TypeError, "{wrong}"))
    };
    tuple(object)?.iter().map(row).collect()
}

/// Pairs of a function, or a type, and its value.
fn start_errors(object: Option<Live>) -> Res<Vec<StartError>> {
    let pairs = rows(object, "errors are pairs of a function and a value")?;
    let error = |[function, value]: [String; 2]| StartError { function, value };
    Ok(pairs.into_iter().map(error).collect())
}

/// Triples of a function, its value (empty: none that can be read) and the line of the init code.
fn read_errors(object: Option<Live>) -> Res<Vec<InitError>> {
    let triples = rows(object, "init_errors are triples of text")?;
    let error = |[function, value, line]: [String; 3]| InitError {
        function,
        value: Some(value).filter(|value| !value.is_empty()),
        line: line.parse().unwrap_or_default(),
    };
    Ok(triples.into_iter().map(error).collect())
}

/// An argument that must be an FFI.
pub(super) fn an_ffi<'a>(object: Live<'a>, function: &str) -> Res<&'a FfiObject> {
    FfiObject::of(object).ok_or_else(|| raise!(TypeError, "{function}() expects an FFI"))
}

static GENERATE: Signature<21> = Signature::new(
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
        "type_errors",
        "init_errors",
        "files",
        "init_compiled",
        "code_magic",
    ],
    2,
);

/// `_runtime._generate(ffi, module_name, ...)`: the C source. Without init code: of an extension module.
///
/// # Safety
/// Called by Python, as a function of the module.
pub unsafe extern "C" fn generate(_module: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    // SAFETY: what Python passes to a function of these flags.
    guard(|| c_source_of(unsafe { GENERATE.parse_live(args, count, names) }?))
}

fn c_source_of(arguments: [Option<Live>; 21]) -> Res<Ref> {
    let (plugin, warnings) =
        Plugin::new(plugin_spec(arguments)?).map_err(|problems| raise_problems(&problems))?;
    for warning in &warnings {
        // Warnings about declarations were given when cdef() read them.
        if let Problem::Plugin { .. } = warning {
            warn(&warning.to_string().replace('\0', "?"))?;
        }
    }
    str_from(&plugin.c_source())
}

/// What codegen makes a plugin of, from the arguments of `_generate()`.
fn plugin_spec(arguments: [Option<Live>; 21]) -> Res<PluginSpec> {
    let [
        Some(ffi),
        Some(name),
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
        type_errors,
        init_errors,
        files,
        init_compiled,
        code_magic,
    ] = arguments
    else {
        return Err(raise!(TypeError, "_generate() expects an FFI and a name"));
    };
    let module_name = module_name(name)?;
    let ffi = an_ffi(ffi, "_generate")?;
    let (mut cdefs, included) = recorded(ffi, &module_name, false)?;
    // `#line` directives: where the texts stand in the user's files.
    for (cdef, line) in cdefs.iter_mut().zip(texts(cdef_lines)?) {
        cdef.text.insert_str(0, &line);
    }
    let prelude_line = match given(prelude_line) {
        Some(line) => u32::try_from(ssize(line)?).unwrap_or(1),
        None => 1,
    };
    let init = source(init_code, init_file, 1)?;
    let version = text(version)?.unwrap_or_default();
    let (version, free_threaded) = match version.strip_suffix('t') {
        Some(version) => (version, true),
        None => (&*version, false),
    };
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Ok(PluginSpec {
        flags: PluginFlags {
            extension_module: init.is_none(),
            use_environment: flag(use_environment, false)?,
            ignore_sigpipe: flag(ignore_sigpipe, false)?,
            ..PluginFlags::default()
        },
        module_name,
        cdefs,
        included,
        prelude: source(prelude, prelude_file, prelude_line)?,
        init,
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
        exports: export_rule(ffi),
        batches: batches_of(ffi),
        start_errors: start_errors(errors)?,
        type_errors: start_errors(type_errors)?,
        init_errors: read_errors(init_errors)?,
        files: read_own_files(files)?,
        init_compiled: bytes(init_compiled)?,
        code_magic: ssize_or(given(code_magic), 0)? as u32,
        ..PluginSpec::default()
    })
}

/// Under `install_as_cffi()` any name may be exported, as in CFFI.
fn export_rule(ffi: &FfiObject) -> ExportRule {
    if is_as_cffi() {
        return ExportRule::Any;
    }
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    let names = unsafe { ffi.recorded.with(|recorded| recorded.exports.clone()) };
    ExportRule::OfBuilder(names)
}

/// A text of the user's with the file and the line that it comes from.
fn source(code: Option<Live>, file: Option<Live>, line: u32) -> Res<Option<SourceText>> {
    let Some(code) = text(code)? else {
        return Ok(None);
    };
    Ok(Some(SourceText {
        file: text(file)?.unwrap_or_default(),
        text: code,
        line,
    }))
}

method!(pub generate_python = "_generate_python", abi_module, (_module: Option<Live>, ffi: Live, module_name: Live));

/// `_runtime._generate_python(ffi, module_name)`: the text of an out-of-line module of ABI mode.
fn abi_module(_module: Option<Live>, ffi: Live, name: Live) -> Res<Ref> {
    let ffi = an_ffi(ffi, "_generate_python")?;
    let name = module_name(name)?;
    let (cdefs, included) = recorded(ffi, &name, true)?;
    let made = python_module(&name, &cdefs, &included, &ffi.scope.read());
    str_from(&made.map_err(|diagnostics| crate::errors::raise_diagnostics(&diagnostics))?)
}

method!(
    pub declare_batches = "_batches",
    batches,
    (_module: Option<Live>, ffi: Live)
);

method!(
    pub generate_stubs = "_generate_stubs",
    stubs,
    (_module: Option<Live>, ffi: Live, module_name: Live, is_python: Live)
);

/// `_runtime._batches(ffi)`: the C text that declares the batches of its functions, and the functions' names.
fn batches(_module: Option<Live>, ffi: Live) -> Res<Ref> {
    let ffi = an_ffi(ffi, "_batches")?;
    let mut declarations = ffi.scope.read().clone();
    let (mut cdefs, _) = recorded(ffi, "batches", true)?;
    let given = cdefs.len();
    let batches = Batches::declare(&mut declarations, &mut cdefs, &batches_of(ffi))
        .map_err(|problems| raise_problems(&problems))?;
    let text = cdefs.get(given).map_or("", |cdef| cdef.text.as_str());
    let functions = declarations.functions.iter();
    let names: Vec<&str> = functions
        .map(|function| declarations.text(function.name))
        .filter(|name| batches.has(name))
        .collect();
    let names = make::list(names.into_iter().map(str_from))?;
    make::tuple([str_from(text), Ok(names)].into_iter())
}

/// `_runtime._generate_stubs(ffi, module_name, is_python)`: the text of a module's .pyi.
fn stubs(_module: Option<Live>, ffi: Live, name: Live, is_python: Live) -> Res<Ref> {
    let ffi = an_ffi(ffi, "_generate_stubs")?;
    let of = if is_python.is_true()? {
        StubsOf::AbiModule
    } else {
        StubsOf::Module
    };
    let name = module_name(name)?;
    let mut declarations = ffi.scope.read().clone();
    let (mut cdefs, _) = recorded(ffi, &name, of == StubsOf::AbiModule)?;
    let batches = Batches::declare(&mut declarations, &mut cdefs, &batches_of(ffi))
        .map_err(|problems| raise_problems(&problems))?;
    let made = keelback_codegen::stubs(&name, &declarations, &batches, of);
    str_from(&made)
}

method!(
    pub declare = "_declare",
    declared_ffi,
    (
        _module: Option<Live>,
        module_name: Live,
        version: Live,
        cdefs: Live,
        included: Option<Live>,
        digest: Option<Live>,
        index: Option<Live>,
    )
);

/// `_runtime._declare(name, version, cdefs, included, digest, index)`: the `ffi` of an out-of-line module of ABI mode.
/// `cdefs` are tuples (text, override, packed, pack), `included` tuples (module name, how many cdefs come before it).
/// With the digest that the module was written with, the cdefs are parsed at the first use, or with an index (bytes)
/// what is used of them; with another one now, and what is wrong in them is raised.
fn declared_ffi(
    _module: Option<Live>,
    name: Live,
    version: Live,
    cdefs: Live,
    included: Option<Live>,
    digest: Option<Live>,
    index: Option<Live>,
) -> Res<Ref> {
    let name = module_name(name)?;
    let version = ssize(version)?;
    if version != KEELBACK_ABI_VERSION as isize {
        return Err(raise!(
            ImportError,
            "module '{name}' was made by a keelback with format {version}, and this is keelback {} with \
             format {KEELBACK_ABI_VERSION}: make it again",
            env!("CARGO_PKG_VERSION")
        ));
    }
    let scope = super::empty_scope();
    let cdefs = cdefs_of(&name, cdefs)?;
    let included = tuple(included)?;
    let index = given(index).filter(|index| index.is_bytes());
    let index_bytes = index.and_then(Live::bytes).unwrap_or_default();
    if included.is_empty() && is_digest_of(digest, &cdefs, index_bytes)? {
        let rest = match index {
            Some(index) => scope.defer_with_index(cdefs, index.to_ref()),
            None => Some(cdefs),
        };
        if let Some(cdefs) = rest {
            scope.defer(cdefs);
        }
        return Ok(FfiObject::for_plugin(scope, None)?.into_obj());
    }
    let kept = read_cdefs(&scope, &name, &cdefs, &included)?;
    let made = FfiObject::for_plugin(scope, None)?;
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    unsafe { made.included.with(|list| list.extend(kept)) };
    Ok(made.into_obj())
}

/// Parses cdefs, each after the modules that are included before it. Gives the `ffi` of each module.
fn read_cdefs(
    scope: &Arc<Scope>,
    module_name: &str,
    cdefs: &[UnreadCdef],
    included: &[Ref],
) -> Res<Vec<Ref>> {
    let mut kept = Vec::new();
    let mut elsewhere = Vec::new();
    let mut included = included.iter().peekable();
    for position in 0..=cdefs.len() {
        while let Some(module) = included.peek() {
            let parts = tuple(Some(module.live()))?;
            let [name, before] = parts.as_slice() else {
                return Err(raise!(TypeError, "_declare(): not a pair"));
            };
            if ssize(before.live())? > position as isize {
                break;
            }
            let name = text(Some(name.live()))?.unwrap_or_default();
            let theirs = include_module(scope, module_name, &name)?.1;
            if let Some(their_ffi) = FfiObject::of(theirs.live()) {
                elsewhere.push(their_ffi.scope.clone());
            }
            kept.push(theirs);
            included.next();
        }
        let Some(cdef) = cdefs.get(position) else {
            break;
        };
        let result = cdef.parse(&mut scope.write());
        result.map_err(|diagnostics| crate::errors::raise_diagnostics(&diagnostics))?;
    }
    scope.find_completed();
    scope.set_elsewhere(elsewhere);
    Ok(kept)
}

/// The cdefs that [`declare`] is given.
fn cdefs_of(module_name: &str, cdefs: Live) -> Res<Vec<UnreadCdef>> {
    let mut list = Vec::new();
    for (position, cdef) in tuple(Some(cdefs))?.iter().enumerate() {
        let parts = tuple(Some(cdef.live()))?;
        let [source, override_, packed, pack, of_header @ ..] = parts.as_slice() else {
            return Err(raise!(TypeError, "_declare(): not a cdef"));
        };
        let pack = u32::try_from(ssize(pack.live())?).unwrap_or(0);
        list.push(UnreadCdef {
            text: source.live().text()?.unwrap_or_default().into(),
            file: format!("<cdef {} of {module_name}>", position + 1),
            override_: override_.live().is_true()?,
            packed: packed.live().is_true()?,
            pack: (pack != 0).then_some(pack),
            of_header: !of_header.is_empty(),
        });
    }
    Ok(list)
}

/// Whether these are the cdefs and the index that a module was made with.
fn is_digest_of(digest: Option<Live>, cdefs: &[UnreadCdef], index: &[u8]) -> Res<bool> {
    let Some(digest) = given(digest) else {
        return Ok(false);
    };
    let own = python_module_digest(cdefs.iter().map(UnreadCdef::as_written), index);
    // SAFETY: a live object.
    let said = unsafe { ffi::PyLong_AsUnsignedLongLong(digest.ptr()) };
    if said == u64::MAX {
        Raised::if_set()?;
    }
    Ok(said == own)
}

/// Imports a module, and makes the declarations of its `ffi` visible. Gives both.
pub fn include_module(scope: &Arc<Scope>, importer: &str, name: &str) -> Res<(Ref, Ref)> {
    let name_object = str_from(name)?;
    // SAFETY: a live str.
    let module: Ref = unsafe {
        Ref::<ffi::PyObject>::steal(ffi::PyImport_Import(name_object.obj()))?;
        Ref::steal(ffi::PyImport_GetModule(name_object.obj()))?
    };
    // A plugin's init code may call something else `ffi`.
    let theirs = match ffi_and_lib_of(&module) {
        Some((own, _lib)) => own,
        None => module.live().attribute(c"ffi")?,
    };
    let Some(their_ffi) = FfiObject::of(theirs.live()) else {
        return Err(raise!(
            ImportError,
            "while loading {importer}: the included module '{name}' was not made by keelback"
        ));
    };
    Scope::include(scope, &their_ffi.scope)?;
    Ok((module, theirs))
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
