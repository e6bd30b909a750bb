//! The module `ffi`, and `ffimod`: an opened library.

use std::sync::Arc;

use pyo3::ffi;

use super::arguments::{c_text, positional};
use super::refuse::os_error;
use super::{bytearray, callback, function, value, variable};
use crate::library::Handle;
use crate::py::module::new as new_module;
use crate::py::{
    END_OF_METHODS, Live, Methods, Obj, Ref, Res, StaticType, guard, guard_unit, keywords, none,
    str_from,
};

static MODULE_TYPE: StaticType = StaticType::new();

#[repr(C)]
struct Library {
    ob_base: crate::py::Head,
    handle: Arc<Handle>,
    /// The address that repr() shows: dlopen's handle.
    shown: usize,
}

static FUNCTIONS: Methods<5> = Methods::new([
    keywords(
        c"open",
        open,
        c"open(name)\n--\n\nOpens a shared library; None: the program itself.",
    ),
    keywords(
        c"func",
        func,
        c"func(result, address, params)\n--\n\nThe C function at an address, with these type codes.",
    ),
    keywords(
        c"callback",
        callback::callback,
        c"callback(result, function, params, *, lock=False)\n--\n\nA C function that calls a Python function. It stays as \
          long as the process.",
    ),
    keywords(
        c"as_bytearray",
        as_bytearray,
        c"as_bytearray(pointer, size)\n--\n\nMemory as a bytearray, by reference.",
    ),
    END_OF_METHODS,
]);

static METHODS: Methods<5> = Methods::new([
    keywords(
        c"func",
        library_func,
        c"func(result, name, params)\n--\n\nA function of the library, with these type codes.",
    ),
    keywords(
        c"var",
        library_var,
        c"var(type, name)\n--\n\nA variable of the library.",
    ),
    keywords(
        c"addr",
        library_addr,
        c"addr(name)\n--\n\nThe address of a symbol.",
    ),
    keywords(
        c"close",
        close,
        c"Closes the library: its functions and variables cannot be used any more.",
    ),
    END_OF_METHODS,
]);

/// Makes the type ready.
pub(super) fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit a Library.
    unsafe {
        MODULE_TYPE.ready(ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION, |ty| {
            ty.tp_name = c"ffimod".as_ptr();
            ty.tp_doc = c"An opened shared library.".as_ptr();
            ty.tp_basicsize = size_of::<Library>() as ffi::Py_ssize_t;
            ty.tp_methods = METHODS.ptr();
            ty.tp_repr = Some(repr);
            ty.tp_dealloc = Some(dealloc);
        })
    }
}

/// The module.
pub(super) fn create() -> Res<Ref> {
    new_module(
        c"ffi",
        c"MicroPython's ffi module: C functions by type codes.",
        FUNCTIONS.ptr(),
    )
}

/// # Safety
/// A slot or method of the type: the object is a Library.
unsafe fn this<'a>(object: Obj) -> &'a Library {
    // SAFETY: a slot or method of the type: the object is a Library.
    unsafe { &*object.cast::<Library>() }
}

/// `open()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn open(_: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments; a fresh object, filled before anyone sees it.
        unsafe {
            // The second argument is not used in MicroPython either.
            let [name, _] = positional(args, count, names, 1, 0)?;
            let path = if name == ffi::Py_None() {
                None
            } else {
                Some(c_text(Live::new(name))?)
            };
            let flags = libc::RTLD_NOW | libc::RTLD_LOCAL;
            let handle = Handle::try_open(path.as_deref(), flags).map_err(|error| {
                // For a file that is no library, dlopen leaves errno at 0.
                let errno = if error.errno == 0 {
                    libc::EINVAL
                } else {
                    error.errno
                };
                os_error(errno, &error.text)
            })?;
            let handle = handle.kept_open();
            let object = Ref::steal(ffi::PyObject_New::<Library>(MODULE_TYPE.ptr()))?;
            let raw = object.as_ptr();
            (&raw mut (*raw).shown).write(handle.address() as usize);
            (&raw mut (*raw).handle).write(Arc::new(handle));
            Ok(object.into_obj())
        }
    })
}

/// `func()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn func(_: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let [result, address, params] = positional(args, count, names, 3, 0)?;
            function::new(value::address(Live::new(address))?, result, params, None)
        }
    })
}

/// `as_bytearray()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn as_bytearray(_: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let [pointer, size] = positional(args, count, names, 2, 0)?;
            bytearray::at(Live::new(pointer), Live::new(size))
        }
    })
}

/// `func()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn library_func(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of a Library.
        unsafe {
            let [result, name, params] = positional(args, count, names, 3, 1)?;
            let library = &this(object).handle;
            let address = function::symbol(library, &c_text(Live::new(name))?)?;
            function::new(address, result, params, Some(library.clone()))
        }
    })
}

/// `var()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn library_var(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of a Library.
        unsafe {
            let [code, name] = positional(args, count, names, 2, 1)?;
            let library = &this(object).handle;
            let address = function::symbol(library, &c_text(Live::new(name))?)?;
            variable::new(address, code, library.clone())
        }
    })
}

/// `addr()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn library_addr(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of a Library.
        unsafe {
            let [name] = positional(args, count, names, 1, 1)?;
            let address = function::symbol(&this(object).handle, &c_text(Live::new(name))?)?;
            Ref::<ffi::PyObject>::steal(ffi::PyLong_FromVoidPtr(address.cast()))
        }
    })
}

/// `close()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn close(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of a Library.
        unsafe {
            let [] = positional(args, count, names, 0, 1)?;
            this(object).handle.close("")?;
        }
        Ok(none())
    })
}

/// tp_repr of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn repr(object: Obj) -> Obj {
    // SAFETY: a Library.
    guard(|| str_from(&format!("<ffimod {:x}>", unsafe { this(object) }.shown)))
}

/// tp_dealloc of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone.
        unsafe {
            std::ptr::drop_in_place(&raw mut (*object.cast::<Library>()).handle);
            ffi::PyObject_Free(object.cast());
        }
    });
}
