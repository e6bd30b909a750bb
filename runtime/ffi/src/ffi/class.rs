//! The two Python types of FFI objects: their slots, and the table of all methods.

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;

use super::attachment::Attachment;
use super::{
    COMPILED_TYPE, FfiObject, INLINE_TYPE, address, allocate as new, bound, buffer, builder,
    callback, declare, empty_scope, from_buffer, gc, handles, header, keep_gil, loading, memmove,
    once, state, string, text, types, unpack, verify,
};
use crate::py::{
    END_OF_METHODS, END_OF_PROPERTIES, GilCell, Live, Methods, Obj, Properties, Raised, Ref, Res,
    Signature, getter, given, guard, guard_unit, import, keywords, make, no_arguments, property,
    simple, slot, str_from, tuples,
};
use crate::raise;
use crate::scope::{AnyTables, PythonTables, Scope};

/// The methods that both types have.
macro_rules! common_methods {
    ($($more:expr),* $(,)?) => {
        Methods::new([
            keywords(c"addressof", address::addressof, c"addressof($self, cdata, /, *fields_or_indexes)\n--\n\nA pointer to a struct, union or array cdata, or to a field or item inside it; addressof(lib, name): to a function or global variable."),
            keywords(c"alignof", types::alignof, c"alignof($self, cdecl)\n--\n\nThe alignment of a C type in bytes."),
            keywords(c"callback", callback::callback, c"callback($self, cdecl, python_callable=None, error=None, onerror=None)\n--\n\nA C function pointer that calls a Python function; a decorator when no function is given. Keep the result alive as long as C may call it."),
            keywords(c"cast", new::cast, c"cast($self, cdecl, source)\n--\n\nThe C cast: a cdata of the type, from a number, pointer or other cdata."),
            keywords(c"dlclose", loading::dlclose, c"dlclose($self, lib)\n--\n\nCloses a library that dlopen() opened."),
            keywords(c"dlopen", loading::dlopen, c"dlopen($self, name, flags=0)\n--\n\nOpens a C library: a file name, None for the process's own symbols, or a void * handle from elsewhere."),
            keywords(c"from_buffer", from_buffer::from_buffer, c"from_buffer($self, cdecl, python_buffer=None, require_writable=False)\n--\n\nA cdata over the memory of a Python object with the buffer interface, without a copy. The type may be left out: char[]."),
            keywords(c"from_handle", named::from_handle, c"from_handle($self, x)\n--\n\nThe Python object behind a void * that new_handle() made."),
            keywords(c"gc", gc::gc, c"gc($self, cdata, destructor, size=0)\n--\n\nA new cdata for the same C value that calls destructor(cdata) when it is no longer used; destructor None takes it off again."),
            keywords(c"getctype", types::getctype, c"getctype($self, cdecl, replace_with='')\n--\n\nThe C text of a type, with a variable name or other declarator put where C wants it."),
            keywords(c"init_once", once::init_once, c"init_once($self, func, tag)\n--\n\nCalls func() at the first call with this tag and returns its result; later calls return the same result."),
            keywords(c"keep_gil", keep_gil::keep_gil, c"keep_gil($self, lib, /, *names)\n--\n\nHas functions of a lib, all or those named, called without letting go of the GIL: for C that neither blocks nor calls back. Returns the lib. Of one function: a function pointer that is called so."),
            simple(c"list_types", no_arguments!(FfiObject, types::type_names), ffi::METH_NOARGS, c"list_types($self)\n--\n\nThree sorted lists: typedef names, struct names, union names."),
            keywords(c"memmove", memmove::memmove, c"memmove($self, dest, src, n)\n--\n\nCopies n bytes between cdata or buffers, which may overlap."),
            keywords(c"malloc", new::malloc, c"malloc($self, cdecl, init=None)\n--\n\nAs new(), in memory that C's free() gives back: a pointer that owns nothing."),
            keywords(c"new", new::new, c"new($self, cdecl, init=None)\n--\n\nAllocates a C object of a pointer or array type, zeroed or initialised, owned by the result."),
            keywords(c"new_allocator", new::new_allocator, c"new_allocator($self, alloc=None, free=None, should_clear_after_alloc=True)\n--\n\nA function like new() that gets its memory from alloc(size) and gives it back with free(pointer)."),
            keywords(c"new_handle", handles::new_handle, c"new_handle($self, x)\n--\n\nA void * that stands for a Python object as long as it is kept alive."),
            keywords(c"offsetof", types::offsetof, c"offsetof($self, cdecl, /, *fields_or_indexes)\n--\n\nThe offset in bytes of a field or item inside a C type."),
            keywords(c"release", gc::release_method, c"release($self, cdata)\n--\n\nGives back now what a cdata owns."),
            keywords(c"sizeof", types::sizeof, c"sizeof($self, cdecl)\n--\n\nThe size in bytes of a C type or of a cdata."),
            keywords(c"string", string::string, c"string($self, cdata, maxlen=-1)\n--\n\nThe bytes or str of a C string or character; the name of an enum value."),
            keywords(c"typeof", named::typeof_, c"typeof($self, cdecl)\n--\n\nThe ctype of a C type string or of a cdata."),
            keywords(c"unpack", unpack::unpack, c"unpack($self, cdata, length)\n--\n\nlength items of an array: bytes, str, or a list."),
            $($more,)*
            END_OF_METHODS,
        ])
    };
}

static INLINE_METHODS: Methods<40> = common_methods![
    keywords(c"compile", builder::compile_method, c"compile($self, tmpdir='.', verbose=0, target=None, debug=None, *, stubs=False)\n--\n\nWrites and compiles the module or library that set_source() described; returns its path. With stubs, also MODULE.pyi."),
    keywords(c"distutils_extension", builder::distutils_extension, c"distutils_extension($self, tmpdir='build', verbose=True)\n--\n\nWrites the C source, and returns a setuptools Extension for it."),
    keywords(c"embedding_init_code", builder::embedding_init_code, c"embedding_init_code($self, pysource, *, use_environment=False, ignore_sigpipe=False, errors=None, error_types=None, modules=(), top_level_modules=())\n--\n\nThe Python code that an embedding library runs once, when it starts."),
    keywords(c"emit_c_code", builder::emit_c_code, c"emit_c_code($self, filename)\n--\n\nWrites the C source that compile() would compile, to a file or file-like object."),
    keywords(c"emit_python_code", builder::emit_python_code, c"emit_python_code($self, filename)\n--\n\nWrites the Python module of set_source(name, None), to a file or file-like object."),
    keywords(c"set_source", builder::set_source, c"set_source($self, module_name, source, source_extension='.c', **kwds)\n--\n\nSays what is built: a module's name, and C source that provides what the cdef declares."),
    keywords(c"set_source_pkgconfig", builder::set_source_pkgconfig, c"set_source_pkgconfig($self, module_name, pkgconfig_libs, source, source_extension='.c', **kwds)\n--\n\nset_source() with the compiler's flags that pkg-config gives for some packages."),
    keywords(c"cdef", declare::cdef, c"cdef($self, csource, override=False, packed=False, pack=None, preprocess=False)\n--\n\nTakes C declarations: functions, types, constants, global variables."),
    keywords(c"header", header::header, c"header($self, name, only=(), include_dirs=(), define=(), undef=(), all=None, embedding_api=False, export=())\n--\n\nTakes the declarations of C headers as they are: preprocessed, and cut to what they and the files of their own folders declare, or to the names that the patterns in `only` match."),
    keywords(c"def_extern", declare::def_extern_inline, c"def_extern($self, name=None, error=None, onerror=None, *, batch=False)\n--\n\nOnly for plugins and API-mode modules."),
    keywords(c"embedding_api", declare::embedding_api, c"embedding_api($self, csource, packed=False, pack=None, preprocess=False, export=(), batch=())\n--\n\nTakes C declarations; its functions are what an embedding library exports."),
    keywords(c"include", declare::include, c"include($self, ffi_to_include)\n--\n\nMakes the types and constants of another FFI visible in this one."),
    keywords(c"set_unicode", declare::set_unicode, c"set_unicode($self, enabled_flag)\n--\n\nWhether TCHAR and its family are wchar_t or char."),
    simple(c"_cdefs", no_arguments!(FfiObject, builder::cdefs), ffi::METH_NOARGS, c"The cdefs taken so far: tuples of text, packing, the file that the call was in, and its line."),
    tuples(c"verify", slot!(verify::verify, (&FfiObject, Live, Option<Live>) -> Obj), c"verify($self, source='', tmpdir=None, **kwargs)\n--\n\nCompiles the declarations with C source and returns the lib: API mode without a module."),
];

static COMPILED_METHODS: Methods<27> = common_methods![
    keywords(c"def_extern", declare::def_extern_compiled, c"def_extern($self, name=None, error=None, onerror=None, *, batch=False)\n--\n\nDecorator: the function becomes the body of an exported or extern \"Python\" function."),
    keywords(c"integer_const", types::integer_const, c"integer_const($self, name)\n--\n\nThe value of an integer constant."),
];

/// Methods of one argument whose most common answers need no guard.
mod named {
    use super::{handles, types};
    use crate::py::{Obj, Signature, Simple};

    macro_rules! takes_one {
        ($name:ident, $body:path, $shown:literal, $parameter:literal) => {
            /// See the function that it calls.
            ///
            /// # Safety
            /// Called by Python, as a method of an FFI object.
            pub(super) unsafe extern "C" fn $name(
                object: Obj,
                args: *const Obj,
                count: isize,
                names: Obj,
            ) -> Obj {
                // SAFETY: a FASTCALL method's arguments; the body is a METH_O function.
                unsafe {
                    if count == 1 && names.is_null() {
                        $body(object, *args)
                    } else {
                        otherwise(
                            object,
                            args,
                            count,
                            names,
                            {
                                static SIGNATURE: Signature<1> =
                                    Signature::new($shown, [$parameter], 1);
                                &SIGNATURE
                            },
                            $body,
                        )
                    }
                }
            }
        };
    }
    /// An argument that is given by keyword, or a wrong number of them.
    ///
    /// # Safety
    /// `args`, `count` and `names` are what Python passed to the method.
    #[cold]
    #[inline(never)]
    unsafe fn otherwise(
        object: Obj,
        args: *const Obj,
        count: isize,
        names: Obj,
        signature: &'static Signature<1>,
        body: Simple,
    ) -> Obj {
        // SAFETY: `args`, `count` and `names` are what Python passed to the method (the caller's contract), which is what
        // `parse` and, with `object` and one live argument, `body` ask for.
        unsafe {
            match signature.parse(args, count, names) {
                Ok([argument]) => body(object, argument),
                Err(_raised) => std::ptr::null_mut(),
            }
        }
    }
    takes_one!(from_handle, handles::from_handle, "FFI.from_handle", "x");
    takes_one!(typeof_, types::typeof_, "FFI.typeof", "cdecl");
}

static COMPILED_PROPERTIES: Properties<3> = Properties::new([
    ERRNO,
    property(
        c"library_path",
        getter!(FfiObject, library_path),
        None,
        c"Where the shared library is that this ffi belongs to; None for a module of Python text.",
    ),
    END_OF_PROPERTIES,
]);
static INLINE_PROPERTIES: Properties<4> = Properties::new([
    ERRNO,
    property(
        c"__dict__",
        ffi::PyObject_GenericGetDict,
        Some(ffi::PyObject_GenericSetDict),
        c"Attributes set on this object.",
    ),
    property(
        c"_parser",
        getter!(FfiObject, parser),
        None,
        c"What packages use of CFFI's parser object: see keelback._parser.",
    ),
    END_OF_PROPERTIES,
]);

const ERRNO: ffi::PyGetSetDef = property(
    c"errno",
    getter!(FfiObject, errno),
    Some(set_errno),
    c"This thread's errno as the last C call left it; what is set here is there for the next call.",
);

/// Makes the types ready.
pub fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit an FfiObject.
    unsafe {
        buffer::ready()?;
        INLINE_TYPE.ready(ffi::Py_TPFLAGS_HAVE_GC | ffi::Py_TPFLAGS_BASETYPE, |ty| {
            ty.tp_name = c"keelback.FFI".as_ptr();
            ty.tp_doc = c"C declarations, and the C types and libraries behind them.".as_ptr();
            ty.tp_methods = INLINE_METHODS.ptr();
            ty.tp_getset = INLINE_PROPERTIES.ptr();
            ty.tp_dictoffset = std::mem::offset_of!(FfiObject, dict) as ffi::Py_ssize_t;
            ty.tp_new = Some(new_inline);
            ty.tp_init = Some(slot!(init_inline, (&FfiObject, Live, Option<Live>) -> c_int));
            fill(ty);
        })?;
        INLINE_TYPE.set_attribute(c"__module__", "keelback")?;
        COMPILED_TYPE.ready(ffi::Py_TPFLAGS_HAVE_GC | ffi::Py_TPFLAGS_BASETYPE, |ty| {
            ty.tp_name = c"_cffi_backend.FFI".as_ptr();
            ty.tp_doc = c"The ffi of a plugin or an out-of-line module.".as_ptr();
            ty.tp_methods = COMPILED_METHODS.ptr();
            ty.tp_getset = COMPILED_PROPERTIES.ptr();
            ty.tp_getattro = Some(bound::get_attribute);
            ty.tp_new = Some(new_compiled);
            ty.tp_init = Some(slot!(init_compiled, (&FfiObject, Live, Option<Live>) -> c_int));
            fill(ty);
        })?;
        fill_dict()
    }
}

fn fill(ty: &mut ffi::PyTypeObject) {
    ty.tp_basicsize = size_of::<FfiObject>() as ffi::Py_ssize_t;
    ty.tp_weaklistoffset = std::mem::offset_of!(FfiObject, weakrefs) as ffi::Py_ssize_t;
    ty.tp_dealloc = Some(dealloc);
    ty.tp_traverse = Some(traverse);
    ty.tp_clear = Some(clear);
}

/// The attributes of the classes that are not methods: NULL, CData, CType, buffer, error, RTLD_*; BVoidP, BCharA.
///
/// # Safety
/// Both types are ready, and nobody else uses them yet.
unsafe fn fill_dict() -> Res<()> {
    let void_pointer = crate::ctype::pointer_to(&*crate::ctype::void()?)?;
    let null = crate::object::new_plain(&void_pointer, std::ptr::null_mut(), -1)?;
    let char = crate::ctype::primitive(keelback_cdef::Primitive::Char)?;
    let char_array = crate::ctype::array_of(&char, -1)?;
    let error = &crate::errors::errors()?.error;
    let objects: [(&std::ffi::CStr, Obj); 5] = [
        (c"NULL", null.obj()),
        (c"CData", crate::object::TYPES.plain.ptr().cast()),
        (c"CType", crate::ctype::CTYPE_TYPE.ptr().cast()),
        (c"buffer", buffer::BUFFER_TYPE.ptr().cast()),
        (c"error", error.obj()),
    ];
    // CFFI's FFI has these for its own use, and pyvex uses them.
    let inline = [
        (c"BVoidP", void_pointer.obj()),
        (c"BCharA", char_array.obj()),
    ];
    for (ty, more) in [(&INLINE_TYPE, &inline[..]), (&COMPILED_TYPE, &[])] {
        // SAFETY: a ready static type, before anyone else sees it; live values.
        unsafe {
            let dict = (*ty.ptr()).tp_dict;
            for &(name, value) in objects.iter().chain(more) {
                if ffi::PyDict_SetItemString(dict, name.as_ptr(), value) < 0 {
                    return Err(Raised::already());
                }
            }
            for (name, value) in loading::RTLD {
                let value = Ref::steal(ffi::PyLong_FromLong((*value).into()))?;
                if ffi::PyDict_SetItemString(dict, name.as_ptr(), value.obj()) < 0 {
                    return Err(Raised::already());
                }
            }
            ffi::PyType_Modified(ty.ptr());
        }
    }
    Ok(())
}

/// Adds the classes to the runtime's module.
pub fn add_to(module: Live) -> Res<()> {
    let list = [
        (c"FFI", &INLINE_TYPE),
        (c"CompiledFFI", &COMPILED_TYPE),
        (c"buffer", &buffer::BUFFER_TYPE),
        (c"CData", &crate::object::TYPES.plain),
        (c"CType", &crate::ctype::CTYPE_TYPE),
        (c"CField", &crate::ctype::pytype::FIELD_TYPE),
        (c"Lib", &crate::library::LIB_TYPE),
    ];
    for (name, class) in list {
        // SAFETY: a live module and a ready type.
        if unsafe { ffi::PyModule_AddObjectRef(module.ptr(), name.as_ptr(), class.ptr().cast()) }
            < 0
        {
            return Err(Raised::already());
        }
    }
    for (name, value) in loading::RTLD {
        // SAFETY: a live module.
        if unsafe { ffi::PyModule_AddIntConstant(module.ptr(), name.as_ptr(), (*value).into()) } < 0
        {
            return Err(Raised::already());
        }
    }
    Ok(())
}

impl FfiObject {
    /// The `ffi` of a plugin, or of a module that has none: `scope` are its declarations.
    pub fn for_plugin(
        scope: Arc<Scope>,
        attachment: Option<&'static dyn Attachment>,
    ) -> Res<Ref<FfiObject>> {
        // SAFETY: the type is ready (the module was created before any plugin is attached).
        let made = unsafe { allocate(COMPILED_TYPE.ptr(), scope, attachment) }?;
        made.initialised.store(true, Ordering::Relaxed);
        Ok(made)
    }
}

/// A new object of one of the two types, or of a subtype.
///
/// # Safety
/// `ty` is such a type, and ready.
pub(super) unsafe fn allocate(
    ty: *mut ffi::PyTypeObject,
    scope: Arc<Scope>,
    attachment: Option<&'static dyn Attachment>,
) -> Res<Ref<FfiObject>> {
    // SAFETY: PyType_GenericAlloc gives zeroed memory of tp_basicsize bytes, already tracked: every field that tp_traverse
    // looks at is written before anything else can run.
    unsafe {
        let object = Ref::steal(ffi::PyType_GenericAlloc(ty, 0).cast::<FfiObject>())?;
        let raw = object.as_ptr();
        std::ptr::addr_of_mut!((*raw).scope).write(scope);
        std::ptr::addr_of_mut!((*raw).cache).write(GilCell::new(state::TypeCache::new()));
        std::ptr::addr_of_mut!((*raw).once).write(GilCell::new(state::Once::default()));
        std::ptr::addr_of_mut!((*raw).included).write(GilCell::new(Vec::new()));
        std::ptr::addr_of_mut!((*raw).recorded).write(GilCell::new(state::Recorded::default()));
        std::ptr::addr_of_mut!((*raw).libraries).write(GilCell::new(Vec::new()));
        std::ptr::addr_of_mut!((*raw).bound).write(GilCell::new(state::BoundMethods::default()));
        std::ptr::addr_of_mut!((*raw).unicode).write(AtomicBool::new(false));
        std::ptr::addr_of_mut!((*raw).initialised).write(AtomicBool::new(false));
        std::ptr::addr_of_mut!((*raw).attachment).write(attachment);
        let compiled = ffi::PyType_IsSubtype(ty, COMPILED_TYPE.ptr()) != 0;
        std::ptr::addr_of_mut!((*raw).inline).write(!compiled);
        Ok(object)
    }
}

/// tp_new of the in-line type.
///
/// # Safety
/// Called by Python, through the slot.
unsafe extern "C" fn new_inline(ty: *mut ffi::PyTypeObject, _args: Obj, _kwargs: Obj) -> Obj {
    // The arguments are left to __init__, because a subclass may take others.
    // SAFETY: tp_new of the in-line type or a subtype.
    guard(|| unsafe { allocate(ty, empty_scope(), None) })
}

/// `FFI(backend=None)`: CFFI's tests pass a backend; here there is only one.
fn init_inline(_ffi: &FfiObject, args: Live, keywords: Option<Live>) -> Res<()> {
    let positional: Vec<Live> = args.tuple_items().collect();
    let named = keywords.map_or(0, Live::dict_len);
    let backend = match (&positional[..], keywords) {
        ([], Some(keywords)) if named > 0 => {
            let backend = keywords.dict_item(str_from("backend")?.live())?;
            if backend.is_none() || named > 1 {
                return Err(raise!(
                    TypeError,
                    "FFI.__init__() got an unexpected keyword argument"
                ));
            }
            backend
        }
        ([], _) => None,
        ([backend], _) => Some(backend.to_ref()),
        _ => {
            return Err(raise!(
                TypeError,
                "FFI.__init__() takes from 1 to 2 positional arguments but {} were given",
                positional.len() + 1
            ));
        }
    };
    let backend = given(backend.as_ref().map(Ref::live));
    // SAFETY: a live object.
    if backend.is_some_and(|backend| unsafe { ffi::PyModule_Check(backend.ptr()) } == 0) {
        return Err(raise!(
            TypeError,
            "FFI(backend) must be None: there is one backend"
        ));
    }
    Ok(())
}

/// tp_new of the compiled type.
///
/// # Safety
/// Called by Python, through the slot.
unsafe extern "C" fn new_compiled(ty: *mut ffi::PyTypeObject, _args: Obj, _kwargs: Obj) -> Obj {
    // SAFETY: tp_new of the compiled type or a subtype, whose __init__ looks at the arguments.
    guard(|| unsafe { allocate(ty, empty_scope(), None) })
}

static TABLES: Signature<8> = Signature::new(
    "FFI",
    [
        "module_name",
        "_version",
        "_types",
        "_globals",
        "_struct_unions",
        "_enums",
        "_typenames",
        "_includes",
    ],
    0,
);

/// The versions of CFFI's tables that there are.
const TABLE_VERSIONS: std::ops::RangeInclusive<isize> = 0x2601..=0x28ff;

/// `_cffi_backend.FFI('name', _version=..., _types=b'...', ...)`: what the modules that CFFI generates say.
fn init_compiled(this: &FfiObject, args: Live, keywords: Option<Live>) -> Res<()> {
    // SAFETY: what tp_init gets: a tuple, and NULL or a dict. They keep the arguments alive.
    let given = unsafe {
        let keywords = keywords.map_or(std::ptr::null_mut(), Live::ptr);
        TABLES
            .parse_tuple(args.ptr(), keywords)?
            .map(|argument| Live::or_null(argument))
    };
    let [
        name,
        version,
        types,
        globals,
        records,
        enums,
        typedefs,
        includes,
    ] = given;
    if this.attachment.is_some() || this.initialised.swap(true, Ordering::Relaxed) {
        return Err(raise!(
            ValueError,
            "cannot call FFI.__init__() more than once"
        ));
    }
    let name = match name {
        None => "?",
        Some(name) => name.text()?.ok_or_else(|| {
            let given = name.type_name();
            raise!(TypeError, "FFI() argument 1 must be str, not {given}")
        })?,
    };
    if version.is_none() && types.is_none() {
        return Ok(());
    }
    let version = text::ssize_or(version, -1)?;
    if !TABLE_VERSIONS.contains(&version) {
        return Err(raise!(
            ImportError,
            "cffi out-of-line Python module '{name}' has unknown version {version:#x}"
        ));
    }
    let tables = PythonTables::new(types, globals, records, enums, typedefs)?;
    let included = included_ffis(this, includes)?;
    let scopes = included.iter().map(|(_, scope)| scope.clone()).collect();
    this.scope
        .set_tables(name, AnyTables::Python(tables), scopes)?;
    let kept = included.into_iter().map(|(ffi, _)| ffi);
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    unsafe { this.included.with(|list| list.extend(kept)) };
    Ok(())
}

/// The FFIs of `_includes`, with their declarations.
fn included_ffis(this: &FfiObject, includes: Option<Live>) -> Res<Vec<(Ref, Arc<Scope>)>> {
    let Some(includes) = includes else {
        return Ok(Vec::new());
    };
    if !includes.is_tuple() {
        return Err(raise!(TypeError, "FFI(): _includes must be a tuple"));
    }
    let included = |one: Live| match FfiObject::of(one) {
        Some(ffi) if !ffi.inline && !std::ptr::eq(ffi, this) => {
            Ok((one.to_ref(), ffi.scope.clone()))
        }
        _ => Err(raise!(
            TypeError,
            "FFI(): _includes has something else than the ffi of another module"
        )),
    };
    includes.tuple_items().map(included).collect()
}

/// tp_dealloc of both types.
///
/// # Safety
/// Called by Python, through the slot.
unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone; the fields were written by `allocate`.
        unsafe {
            ffi::PyObject_GC_UnTrack(object.cast());
            let raw = object.cast::<FfiObject>();
            if !(*raw).weakrefs.is_null() {
                ffi::PyObject_ClearWeakRefs(object);
            }
            let dict = std::mem::replace(&mut (*raw).dict, std::ptr::null_mut());
            ffi::Py_XDECREF(dict);
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*raw).scope));
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*raw).cache));
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*raw).once));
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*raw).included));
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*raw).recorded));
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*raw).libraries));
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*raw).bound));
            let ty = ffi::Py_TYPE(object);
            let free = (*ty).tp_free;
            if let Some(free) = free {
                free(object.cast());
            }
            // A static type is not counted; a Python subclass's subtype_dealloc counts its own down.
        }
    });
}

/// tp_traverse of both types.
///
/// # Safety
/// Called by Python, through the slot.
unsafe extern "C" fn traverse(object: Obj, visit: ffi::visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live FFI object, by tp_traverse's contract. During a collection no other thread runs, so the cells are
    // not in use.
    unsafe {
        let ffi = Live::new(object).cast::<FfiObject>();
        if !ffi.dict.is_null() {
            let stop = visit(ffi.dict, arg);
            if stop != 0 {
                return stop;
            }
        }
        let stop = ffi.cache.with(|cache| cache.traverse(visit, arg));
        if stop != 0 {
            return stop;
        }
        let stop = ffi.once.with(|once| once.traverse(visit, arg));
        if stop != 0 {
            return stop;
        }
        let stop = ffi.bound.with(|bound| {
            let mut stops = bound.objects().map(|one| visit(one.obj(), arg));
            stops.find(|&stop| stop != 0).unwrap_or(0)
        });
        if stop != 0 {
            return stop;
        }
        for list in [&ffi.included, &ffi.libraries] {
            let stop = list.with(|list| {
                let stops = list.iter().map(|one| visit(one.obj(), arg));
                stops.into_iter().find(|&stop| stop != 0).unwrap_or(0)
            });
            if stop != 0 {
                return stop;
            }
        }
        0
    }
}

/// tp_clear of both types.
///
/// # Safety
/// Called by Python, through the slot.
unsafe extern "C" fn clear(object: Obj) -> c_int {
    guard(|| {
        // SAFETY: tp_clear of a live object; what is taken out is dropped outside the cells.
        unsafe {
            let raw = object.cast::<FfiObject>();
            let dict = std::mem::replace(&mut (*raw).dict, std::ptr::null_mut());
            ffi::Py_XDECREF(dict);
            (*raw).clear_cache();
            let once = (*raw).once.with(std::mem::take);
            drop(once);
            let included = (*raw).included.with(std::mem::take);
            drop(included);
            let libraries = (*raw).libraries.with(std::mem::take);
            drop(libraries);
            let bound = (*raw).bound.with(std::mem::take);
            drop(bound);
        }
        Ok(())
    })
}

fn parser(ffi: &FfiObject) -> Res<Ref> {
    let class = import(c"keelback._parser")?.live().attribute(c"Parser")?;
    class.live().call_with(ffi.live())
}

fn errno(_ffi: &FfiObject) -> Res<Ref> {
    make::int(crate::call::errno::get() as isize)
}

fn library_path(ffi: &FfiObject) -> Res<Ref> {
    let Some(path) = ffi.attachment().and_then(|plugin| plugin.library_path()) else {
        return Ok(crate::py::none());
    };
    let bytes = path.as_os_str().as_encoded_bytes();
    // The path is decoded as the file system's names are, also where it is not UTF-8.
    // SAFETY: the GIL is held; the bytes live during the call.
    unsafe {
        Ref::steal(ffi::PyUnicode_DecodeFSDefaultAndSize(
            bytes.as_ptr().cast(),
            bytes.len() as isize,
        ))
    }
}

/// `ffi.errno = value`
///
/// # Safety
/// Called by Python, as the setter of a property.
unsafe extern "C" fn set_errno(_object: Obj, value: Obj, _closure: *mut c_void) -> c_int {
    guard(|| {
        // SAFETY: a live object, or NULL for a deletion.
        let Some(value) = (unsafe { Live::or_null(value) }) else {
            return Err(raise!(
                AttributeError,
                "property 'errno' of 'FFI' object has no deleter"
            ));
        };
        // SAFETY: a live object.
        let number = unsafe { ffi::PyLong_AsLong(value.ptr()) };
        if number == -1 {
            Raised::if_set()?;
        }
        let Ok(number) = i32::try_from(number) else {
            return Err(raise!(
                OverflowError,
                "errno value {number} does not fit an int"
            ));
        };
        crate::call::errno::set(number);
        Ok(())
    })
}
