//! The C ABI between a plugin's C file and the runtime.
//!
//! cbindgen turns this file into `keelback_abi.h`, which every generated C file carries. Every change here must change
//! [`KEELBACK_ABI_VERSION`]: a plugin and a runtime of different versions refuse each other.
#![expect(non_camel_case_types, reason = "the C names are the interface")]

use core::ffi::{c_char, c_int, c_void};

/// The version of everything in this file.
pub const KEELBACK_ABI_VERSION: u32 = 6;

/// The declarations are an embedding API: every function in them is exported by the plugin.
pub const KEELBACK_CDEF_EMBEDDING_API: u32 = 1;
/// The declarations were given with `packed=True`.
pub const KEELBACK_CDEF_PACKED: u32 = 2;
/// Later declarations may override earlier ones (`override=True`).
pub const KEELBACK_CDEF_OVERRIDE: u32 = 4;
/// The text is parsed as an in-line `FFI()` does it: by CFFI's rules where they differ from C's.
pub const KEELBACK_CDEF_AS_CFFI: u32 = 8;

/// One text of declarations, as given to one `cdef()` or `embedding_api()` call.
#[repr(C)]
pub struct keelback_cdef_t {
    /// Name of the file, for messages.
    pub file: *const c_char,
    /// The text, UTF-8, not NUL-terminated.
    pub text: *const c_char,
    /// Its length in bytes.
    pub length: usize,
    /// KEELBACK_CDEF_ flags.
    pub flags: u32,
    /// `pack=N`, or 0.
    pub pack: u32,
}

/// A C function that runs Python: exported by an embedding API, or `extern "Python"`.
#[repr(C)]
pub struct keelback_function_t {
    /// The C name.
    pub name: *const c_char,
    /// The C function itself (cast back to its own type to call it).
    pub address: Option<unsafe extern "C" fn()>,
    /// What the function returns when Python cannot be started or the init code failed: a pointer to
    /// `result_size` bytes, or NULL for zero.
    pub start_error: *const c_void,
    /// sizeof the result; 0 for void.
    pub result_size: usize,
    /// For a batch, the number of the function that it calls, counted from 1 in the plugin's table; else 0. A batch returns
    /// nothing: `start_error` and `result_size` are those of the function's results, which go to an array.
    pub batch_of: usize,
    /// For a batch, the slot with the address of the array of results. Slot 0 has the number of elements, those after it
    /// the arrays of the parameters, in their order.
    pub batch_result: usize,
    /// The runtime's record of the function; NULL until the plugin is attached. Only the runtime writes it.
    pub binding: *mut c_void,
}

/// What a symbol of the prelude is.
pub const KEELBACK_SYMBOL_FUNCTION: u32 = 1;
/// A global variable.
pub const KEELBACK_SYMBOL_VARIABLE: u32 = 2;
/// A constant, fetched by value.
pub const KEELBACK_SYMBOL_CONSTANT: u32 = 3;

/// A C function, variable or constant that the plugin offers to Python through `lib`.
#[repr(C)]
pub struct keelback_symbol_t {
    /// The C name.
    pub name: *const c_char,
    /// A KEELBACK_SYMBOL_ kind.
    pub kind: u32,
    /// The function's address; NULL for function-like macros' wrappers without one and for other kinds.
    pub address: Option<unsafe extern "C" fn()>,
    /// For a function: reads its arguments from the slots (argument i at `slots + 8*i`, as a stub would store
    /// it; aggregates, long double and integers of 128 bits as a pointer to them), calls it, and writes the result at `slots`
    /// (an aggregate or long double result to the memory that the pointer in the slot after the last argument names).
    /// For a variable: writes its address (`void *`) at `slots`.
    /// For a constant: writes its value to the memory that the pointer at `slots` names.
    pub access: Option<unsafe extern "C" fn(slots: *mut c_void)>,
}

/// The C compiler's answer to one question of the declarations (a `...`). The answers are in the order of
/// `keelback_cdef::Declarations::questions`, which the plugin and the runtime share.
#[repr(C)]
pub struct keelback_answer_t {
    /// The value: a size, an offset, a length or a constant, sign-extended to 64 bits.
    pub value: u64,
    /// 1 if `value` is to be read as negative (two's complement), else 0.
    pub is_negative: u32,
}

/// A module that this one includes: `ffi.include()`.
#[repr(C)]
pub struct keelback_include_t {
    /// The name by which it is imported.
    pub module_name: *const c_char,
    /// How many of this module's cdefs precede the `include()`.
    pub position: usize,
}

/// How the C compiler lays out a struct or union that the declarations describe completely, or one of its members.
/// The runtime compares it with its own layout, and refuses to use the type if they differ.
#[repr(C)]
pub struct keelback_layout_t {
    /// The type, as C names it: `struct foo`.
    pub record: *const c_char,
    /// The member; NULL for the whole record.
    pub member: *const c_char,
    /// The member's offset; for the whole record, its alignment.
    pub offset: usize,
    /// Its size.
    pub size: usize,
}

/// The C compiler's value of a constant for which the declarations give a value. The runtime refuses the constant if
/// the two differ.
#[repr(C)]
pub struct keelback_value_t {
    /// The constant or enumerator.
    pub name: *const c_char,
    /// Its value, and whether it is to be read as negative.
    pub value: keelback_answer_t,
}

/// The file's module, or package, is importable by its own name too, not only inside the plugin's module.
pub const KEELBACK_FILE_TOP_LEVEL: u32 = 1;

/// A file of the plugin's own modules (`--module`): Python source, or data beside it.
#[repr(C)]
pub struct keelback_file_t {
    /// Its path among the modules: `rules/tax.py`. In a development library, the entry is for a whole module or
    /// package: `rules`.
    pub path: *const c_char,
    /// KEELBACK_FILE_ flags.
    pub flags: u32,
    /// In a development library, where the module or package is on disk; else NULL.
    pub place: *const c_char,
    /// The contents; NULL in a development library.
    pub data: *const c_char,
    /// Its length in bytes.
    pub length: usize,
    /// The module's code as `marshal` writes it, for the Python with `code_magic`; NULL if there is none.
    pub code: *const c_char,
    /// Its length in bytes.
    pub code_length: usize,
}

/// The Python that the loader found, and the user's settings for it.
#[repr(C)]
pub struct keelback_python_t {
    /// Path of the libpython that is loaded, or NULL when the interpreter came with the process.
    pub libpython: *const c_char,
    /// sys.base_prefix: `lib/python3.X` in it is the standard library; NULL to derive it from `libpython`.
    pub home: *const c_char,
    /// The python executable to report as sys.executable (a venv's one makes its packages importable); NULL for none.
    pub executable: *const c_char,
    /// The directory of a bundle beside the plugin, or NULL.
    pub bundle: *const c_char,
}

/// Python starts without `import site`.
pub const KEELBACK_PLUGIN_NO_SITE: u32 = 1;
/// Python reads the PYTHON* environment variables.
pub const KEELBACK_PLUGIN_USE_ENVIRONMENT: u32 = 2;
/// Development library: the init code is read from `init_file` at run time.
pub const KEELBACK_PLUGIN_DEV: u32 = 4;
/// There is no init code: this is an API-mode extension module.
pub const KEELBACK_PLUGIN_EXTENSION_MODULE: u32 = 8;
/// The start sets SIGPIPE to be ignored if it has its default action.
pub const KEELBACK_PLUGIN_IGNORE_SIGPIPE: u32 = 16;
/// Where `def_extern` would warn, it raises an error.
pub const KEELBACK_PLUGIN_STRICT: u32 = 32;

/// What the runtime calls for each call of a C function that runs Python. `slots` has the arguments, 8 bytes each
/// (aggregates and long double: a pointer to the caller's copy), and room for the result, which is written at `slots`
/// (an aggregate or long double goes there by value: the stub makes the array large enough and 16-byte aligned).
pub type keelback_dispatch_t =
    Option<unsafe extern "C" fn(function: *mut keelback_function_t, slots: *mut c_void)>;

/// A failure handler. Its arguments: the C function's name; the message, one line and a traceback; the pointer given
/// with the handler.
pub type keelback_error_handler_t = Option<
    unsafe extern "C" fn(function: *const c_char, message: *const c_char, data: *mut c_void),
>;

/// The description of a plugin for the runtime. It lives as long as the process.
#[repr(C)]
pub struct keelback_plugin_t {
    /// KEELBACK_ABI_VERSION of the generator.
    pub abi_version: u32,
    /// KEELBACK_PLUGIN_ flags.
    pub flags: u32,
    /// Version of keelback that generated the plugin.
    pub keelback_version: *const c_char,
    /// The module name: `from NAME import ffi, lib`.
    pub module_name: *const c_char,
    /// The declarations, in order.
    pub cdefs: *const keelback_cdef_t,
    /// How many.
    pub cdef_count: usize,
    /// The init code, UTF-8.
    pub init_code: *const c_char,
    /// Its length in bytes.
    pub init_code_length: usize,
    /// The init code's file name, for tracebacks.
    pub init_file: *const c_char,
    /// The init code as `marshal` writes it, for the Python with `code_magic`; NULL if there is none.
    pub init_compiled: *const c_char,
    /// Its length in bytes.
    pub init_compiled_length: usize,
    /// The plugin's own modules.
    pub files: *const keelback_file_t,
    /// How many.
    pub file_count: usize,
    /// `importlib.util.MAGIC_NUMBER` of the Python that compiled the code here, as a little-endian number.
    pub code_magic: u32,
    /// The functions that run Python, in order of declaration.
    pub functions: *mut keelback_function_t,
    /// How many.
    pub function_count: usize,
    /// The C functions, variables and constants that the prelude defines, in order of declaration.
    pub symbols: *const keelback_symbol_t,
    /// How many.
    pub symbol_count: usize,
    /// The C compiler's answers.
    pub answers: *const keelback_answer_t,
    /// How many.
    pub answer_count: usize,
    /// The included modules.
    pub includes: *const keelback_include_t,
    /// How many.
    pub include_count: usize,
    /// Layouts to compare (only in extension modules: elsewhere the C compiler compares them).
    pub layouts: *const keelback_layout_t,
    /// How many.
    pub layout_count: usize,
    /// Constants to compare (only in extension modules).
    pub values: *const keelback_value_t,
    /// How many.
    pub value_count: usize,
    /// The function that the stubs call: the loader's slow path at first, the runtime's dispatcher once the init code
    /// has run. Read and written atomically (acquire, release).
    pub dispatch: keelback_dispatch_t,
    /// The runtime's record of the plugin; NULL until attached. Only the runtime writes it.
    pub attachment: *mut c_void,
    /// The handler of NAME_set_error_handler; NULL: failures go to stderr. Once the plugin is attached, the runtime
    /// locks it.
    pub error_handler: keelback_error_handler_t,
    /// The `data` argument of the handler.
    pub error_handler_data: *mut c_void,
}

/// The process is about to fork. The thread is outside of Python, or in C that Python has called.
pub const KEELBACK_FORK_BEFORE: u32 = 0;
/// It has forked, and this is the parent.
pub const KEELBACK_FORK_PARENT: u32 = 1;
/// It has forked, and this is the child.
pub const KEELBACK_FORK_CHILD: u32 = 2;

/// What the runtime offers to loaders: the one symbol it exports besides its PyInit function is
/// `keelback_runtime`, of this type, valid as soon as the runtime is mapped (also when its Python symbols
/// are not resolved: open it RTLD_LAZY, look at the versions, refuse if they differ).
#[repr(C)]
pub struct keelback_runtime_t {
    /// KEELBACK_ABI_VERSION of the runtime.
    pub abi_version: u32,
    /// Python's version that the runtime was built for: 0x030B for 3.11.
    pub python_version: u32,
    /// 1 when built for a free-threaded Python.
    pub free_threaded: u32,
    /// Version of keelback.
    pub keelback_version: *const c_char,
    /// Starts Python if it is not started, attaches the plugin, runs its init code once. Any thread; recursive. Returns
    /// 0, or a negative code, and then `last_error` gives the reason. `start` itself prints nothing and calls no
    /// handler: its caller reports the failure. May be called again after a failure. A call on the thread that runs the
    /// init code (which calls one of its own C functions) returns 0 at once.
    pub start: Option<
        unsafe extern "C" fn(
            plugin: *mut keelback_plugin_t,
            python: *const keelback_python_t,
        ) -> c_int,
    >,
    /// The function that `start` stores in `plugin->dispatch` at its end. The loader calls it directly for calls from
    /// the init code's own thread while that code runs, when `plugin->dispatch` is not set yet.
    pub dispatch: keelback_dispatch_t,
    /// The last failure on this thread in this plugin, or NULL. Valid until the thread's next failure or end.
    pub last_error: Option<unsafe extern "C" fn(plugin: *mut keelback_plugin_t) -> *const c_char>,
    /// Sets the plugin's error handler.
    pub set_error_handler: Option<
        unsafe extern "C" fn(
            plugin: *mut keelback_plugin_t,
            handler: keelback_error_handler_t,
            data: *mut c_void,
        ),
    >,
    /// `PyInit_NAME`'s body for a plugin that Python imports: returns a new reference to the module, or NULL with a
    /// Python exception set. The GIL is held.
    pub import: Option<unsafe extern "C" fn(plugin: *mut keelback_plugin_t) -> *mut c_void>,
    /// For the handlers of pthread_atfork: `step` is KEELBACK_FORK_BEFORE, then KEELBACK_FORK_PARENT or
    /// KEELBACK_FORK_CHILD, on the thread that forks. The loader of each plugin that had the runtime before the fork
    /// calls it. Of the calls by several plugins, the first before the fork and the last after it take effect.
    pub fork: Option<unsafe extern "C" fn(step: u32)>,
    /// Makes `text` the last error of this thread: for failures that the loader detects, such as a start that failed on
    /// another thread.
    pub record: Option<unsafe extern "C" fn(plugin: *mut keelback_plugin_t, text: *const c_char)>,
    /// NAME_enter, once the plugin is started: the thread stays in Python between its calls. 0; or -1, and then
    /// `last_error` gives the reason.
    pub enter: Option<unsafe extern "C" fn(plugin: *mut keelback_plugin_t) -> c_int>,
    /// NAME_leave: takes an `enter` of the same thread back. Where there was none, that is reported.
    pub leave: Option<unsafe extern "C" fn(plugin: *mut keelback_plugin_t)>,
}

/// The type of the ELF note of owner "Keelback" that describes a runtime.
pub const KEELBACK_NOTE_RUNTIME: u32 = 1;

/// The contents of that note: the versions of a runtime, in its file. A runtime for another Python often cannot be
/// loaded, because it needs functions that this Python does not have; its note can still be read. It is only used for
/// messages, so it may be missing or ignored.
#[repr(C)]
pub struct keelback_note_t {
    /// As in [`keelback_runtime_t`].
    pub abi_version: u32,
    /// As in [`keelback_runtime_t`].
    pub python_version: u32,
    /// As in [`keelback_runtime_t`].
    pub free_threaded: u32,
    /// As in [`keelback_runtime_t`]; NUL-terminated.
    pub keelback_version: [c_char; 32],
}

/// The places of Python and the runtime at build time; NULL: not known.
#[repr(C)]
pub struct keelback_recorded_t {
    /// Its libpython.
    pub libpython: *const c_char,
    /// sys.base_prefix.
    pub home: *const c_char,
    /// Its executable.
    pub executable: *const c_char,
    /// The runtime.
    pub runtime: *const c_char,
    /// "3.11"
    pub version: *const c_char,
    /// The file name by which the system knows that Python's library.
    pub library_name: *const c_char,
}

/// The result of a loader's search for Python and the runtime, for `keelback inspect`. The caller frees the texts.
#[repr(C)]
pub struct keelback_search_t {
    /// Where Python was looked for, one line a step; the last one says where it was found.
    pub python_steps: *mut c_char,
    /// Where the runtime was looked for, likewise; NULL where no Python was found.
    pub runtime_steps: *mut c_char,
    /// The Python; all NULL where none was found.
    pub python: keelback_python_t,
    /// Its version: 0x030B for 3.11; 0 where none was found.
    pub python_version: u32,
    /// 1 for a free-threaded Python.
    pub free_threaded: u32,
    /// The runtime's file; NULL where none was found.
    pub runtime: *const c_char,
}

/// The section `.keelback` of a plugin: it is for `keelback inspect` and `keelback abi`, which read it from the file.
/// The runtime does not use it, so it may be missing.
#[repr(C)]
pub struct keelback_description_t {
    /// The plugin. Its `abi_version` says whether the rest can be read.
    pub plugin: *const keelback_plugin_t,
    /// What was recorded at build time.
    pub recorded: *const keelback_recorded_t,
    /// Searches as the first call does, and reports the steps, but starts nothing. It maps the libraries that it finds,
    /// so it should be called in a process of its own.
    pub search: Option<unsafe extern "C" fn(search: *mut keelback_search_t)>,
    /// 1: the plugin carries its runtime.
    pub is_standalone: u32,
}
