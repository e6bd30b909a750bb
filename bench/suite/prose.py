"""The prose of docs/performance.md: how each section is measured, what dominates each row, and what is no faster and why."""

METHOD = {
    "A": "A C program calls the functions of a plugin from its main thread, from a thread that Python did not create, and from "
    "two and four such threads at once (the time on the wall, divided by the calls of all). Each peer is a plugin of its own "
    "with the same Python functions. *C by hand* keeps the thread's `PyThreadState` between calls; *C, PyGILState* is what the "
    "Python manual shows, and makes one for each call of a foreign thread. An exception and a wrong result are reported to "
    "`/dev/null`.",
    "B": "A C program opens the plugin and calls one function; every start is a process of its own, in one virtual environment "
    "for all. Without `site`, as `python -S`: Keelback's plugin is built with `--no-site`, the others find the flag set.",
    "C": "Processes of their own, with the .pyc files written. *C by hand* is gcc with the hand-written plugin of section A. "
    "The modules of 10 000 declarations are out-of-line ABI modules; a *compiled module* is one that CFFI compiled, with "
    "Keelback's and with CFFI's run time.",
    "D": "A loop in Python calls functions of a C library, through `dlopen` (ABI mode) and through a compiled module (API mode). "
    "All of them release the GIL and keep errno, but for PyO3 and Cython, which do not keep errno, and for the rows with "
    "`keep_gil`, where C by hand keeps the GIL, too. The loop's own time is taken off.",
    "E": "A statement in a loop, without the loop's own time. Keelback is its in-line `FFI()`, and the ratio is to CFFI's "
    "out-of-line mode, the faster of its two. *C by hand* is a type that can do this one thing.",
}

CALLS_FROM_C = {
    "add1": "The GIL is a third, the frame and the addition another; the ints that are made are the rest.",
    "multiply": "The GIL and the frame; two floats are made.",
    "noop": "Taking and releasing the GIL is more than half of it.",
    "add1_scope": "`NAME_enter()`: the GIL is kept. The frame, the addition and the ints are left; the others take it for each call.",
    "noop_scope": "`NAME_enter()`: the GIL is kept. The frame is most of what is left; the others take it for each call.",
    "multiply_batch": "`multiply_n()`: an element of it. The frame and the floats are left; C by hand has such a loop too, the others make "
    "single calls.",
    "scale_batch": "`scale_n()`, with `def_extern(batch=True)`: numpy's multiplication, beside single calls of a Python function.",
    "length": "A cdata is made for the argument, and `ffi.string()` makes bytes; C by hand makes the bytes at once.",
    "point": "Four field accesses. C by hand makes an object and reads it by descriptors, which takes longer.",
    "point_val": "As by pointer, and the copy.",
    "handle": "A cdata is made for the argument, and `ffi.from_handle()` is called; C by hand has the object itself.",
    "raises": "The exception is made and reported; its traceback's text is most of it.",
    "wrong": "Python makes an exception, and it is reported.",
    "together": "The threads wait for the GIL: CPython's way of handing it over, and the cores, decide.",
}

START = {
    "dlopen": "Keelback's plugin opens libpython at the first call; the others are linked to it.",
    "first_call": "Py_Initialize and site are nearly all of it; opening libpython comes here with Keelback.",
    "total": "Py_Initialize and site: CPython's own start.",
    "rss_dlopen": "libpython is not mapped yet.",
    "rss_after": "CPython's own memory; the run time's relocated pages are Keelback's part.",
}

BUILD = {
    "build": "No compiler runs: the plugin is written from a prebuilt run time. CFFI and Cython write C, which gcc compiles.",
    "cdef": "One pass over the text; CFFI's parser is written in Python.",
    "memory": "Compact nodes.",
    "import_first_ffi": "One extension module; CFFI imports pycparser, re and ast.",
    "import_process": "The same, with the start of Python taken off.",
    "next_ffi": "An object is made; in CFFI a parser with it.",
    "new_type_string": "Only the string is parsed; CFFI parses all typedefs again with it.",
    "first_symbol": "A name is looked up when it is used; CFFI goes over all declarations.",
    "import_module": "Unmarshalling the module's text.",
    "import_module_first_type": "The text is parsed at the first use: slower than CFFI, whose tables are in the module.",
    "emit_python": "The text is written as it is.",
    "emit_c_1000": "Text from templates, in native code.",
}

COMPILED = {
    "import": "The dynamic linker's relocations are most of it, with both.",
    "first function": "A look-up in the module's table.",
    "first struct": "The tables of the scope are made with it.",
    "first constant": "A look-up in the module's table.",
    "all functions": "An object for each.",
    "all structs": "The types of all fields are made.",
    "all constants": "An int for each: the module's own function is called.",
    "all enums": "Types are made of strings.",
    "import, everything": "The import, and all of the above.",
    "dir": "A list of names.",
}

_GIL = "Releasing and taking the GIL is most of it."
CALLS_FROM_PYTHON = {
    "noop": _GIL + " Nothing is left to save.",
    "abs": _GIL,
    "abs through lib.abs": "The GIL, and the look-up of the name.",
    "add": "The GIL; CFFI makes a tuple of the arguments.",
    "half": _GIL,
    "strlen": _GIL,
    "point": _GIL,
    "point by value": "The GIL, and a cdata for the result.",
    "list of 10 ints as int *": "Memory is taken and filled for the argument.",
    "snprintf": "The C function takes 35 ns; the call's description is kept, which CFFI makes for each call.",
    "sum9": "Nine conversions.",
    "callback": "A call of a Python function through C.",
    "qsort1000 with a callback": "8700 calls of a Python function; two cdata are made for each.",
    "qsort1000": "8700 calls of a Python function; two cdata are made for each.",
    "extern Python, 100 calls": "100 calls of a Python function.",
}

HELD = "`ffi.keep_gil()`: the GIL stays, beside CFFI's ABI mode, which has no such thing; what is left is the interpreter's own call."

_INTS = "Making Python's ints is what it costs, with all."
_NEW = "One object, its storage inside it, from a list of freed blocks."
_INTERPRETER = "A few instructions beside what the interpreter takes for the statement."
DATA = {
    "new_int_ptr": _NEW,
    "new_int_ptr_ct": _NEW,
    "new_struct_ptr": _NEW,
    "new_struct_ptr_init": _NEW + " Two conversions.",
    "new_struct_ptr_dict": "The dict is made by the statement.",
    "new_int_1000_list": "1000 conversions, without a call for each.",
    "new_int_1e6": "No faster: zeroing four megabytes is all there is.",
    "read_item": "The int that is made, and the interpreter's way to the item.",
    "write_item": _INTERPRETER,
    "read_field": _INTERPRETER,
    "write_field": _INTERPRETER,
    "read_double": "The float that is made.",
    "read_next": "The cdata that is made.",
    "ptr_add": "The cdata that is made.",
    "read_ptr_struct": "No faster: the cdata that is made is all there is.",
    "unpack_char_1000": "A copy.",
    "unpack_int_1000": _INTS,
    "list_int_1000": _INTS,
    "iter_sum_1000": _INTS,
    "string_16": "The bytes that are made.",
    "buffer_slice_copy": "No faster: CPython makes the bytes.",
    "buffer_make": "One object.",
    "cast_int": _NEW,
    "cast_ptr": _NEW,
    "typeof_cached": "A look-up by the string's address.",
    "typeof_cdata": "No faster: it returns a reference.",
    "sizeof_type": "A look-up by the string's address, and an int.",
    "from_buffer": "CPython's buffer is taken.",
    "from_buffer_typed": "CPython's buffer is taken.",
    "memmove_1MiB": "No faster: the copy is all there is.",
    "memmove_64": "The arguments.",
    "new_char_bytes_16": _NEW,
    "new_handle": "No faster: one object and a reference.",
    "from_handle": "No faster: a check and a reference.",
    "slice_assign_1000": "1000 conversions, without a call for each.",
    "addressof_field": "One object, and a look-up of the name.",
    "eq_ptr": "No faster: a comparison.",
    "bool_ptr": "No faster: it is what the interpreter takes.",
    "int_of_cdata": "CPython's `int()` calls the type.",
    "gc_wrap": "An object, and the call of the destructor.",
    "offsetof": "A look-up, and an int.",
}
