//! dlopen, dlclose: C libraries.

use std::ffi::{CStr, CString};
use std::os::raw::c_int;

use pyo3::ffi;

use super::{FfiObject, given, this};
use crate::library::{self, Lib};
use crate::object::as_cdata;
use crate::py::{
    Exception, Obj, Raised, Ref, Res, Signature, guard, none, str_from, str_text, type_name,
};
use crate::raise;

/// The platform's flags of dlopen: attributes of every FFI.
pub const RTLD: &[(&CStr, c_int)] = &[
    (c"RTLD_LAZY", libc::RTLD_LAZY),
    (c"RTLD_NOW", libc::RTLD_NOW),
    (c"RTLD_GLOBAL", libc::RTLD_GLOBAL),
    (c"RTLD_LOCAL", libc::RTLD_LOCAL),
    (c"RTLD_NODELETE", libc::RTLD_NODELETE),
    (c"RTLD_NOLOAD", libc::RTLD_NOLOAD),
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    (c"RTLD_DEEPBIND", libc::RTLD_DEEPBIND),
];

static DLOPEN: Signature<2> = Signature::new("FFI.dlopen", ["name", "flags"], 1);

pub unsafe extern "C" fn dlopen(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object; the arguments are live.
        unsafe {
            let [name, flags] = DLOPEN.parse(args, count, names)?;
            let flags = if flags.is_null() {
                0
            } else {
                crate::ffi::text::ssize(flags)?
            };
            let Ok(flags) = c_int::try_from(flags) else {
                return Err(raise!(OverflowError, "dlopen(): flags do not fit an int"));
            };
            let flags = if flags & (libc::RTLD_LAZY | libc::RTLD_NOW) == 0 {
                flags | libc::RTLD_NOW
            } else {
                flags
            };
            let ffi = this(object);
            if let Some(cdata) = as_cdata(name) {
                if !cdata.ctype().is_void_pointer() {
                    return Err(raise!(
                        TypeError,
                        "dlopen() takes a file name or 'void *' handle, not '{}'",
                        cdata.ctype().name
                    ));
                }
                if cdata.data().is_null() {
                    return Err(raise!(RuntimeError, "cannot call dlopen(NULL)"));
                }
                return opened(
                    ffi,
                    Lib::from_handle(ffi.scope.clone(), "<handle>", cdata.data().cast())?,
                );
            }
            let Some(name) = given(name) else {
                return opened(ffi, Lib::from_dlopen(ffi.scope.clone(), None, flags)?);
            };
            let path = file_system_path(name)?;
            opened(ffi, open(ffi, name, &path, flags)?)
        }
    })
}

/// Ties a new lib and its FFI to each other's life.
fn opened(ffi: &FfiObject, lib: Ref<Lib>) -> Res<Ref> {
    if !ffi.inline {
        lib.set_out_of_line();
        return Ok(lib.into_obj());
    }
    let kept = lib.clone().into_obj();
    // SAFETY: both are live; attached, by the layer's contract.
    unsafe {
        lib.keep(Ref::borrow(ffi.obj()));
        ffi.libraries.with(|list| list.push(kept));
    }
    Ok(lib.into_obj())
}

/// A file name as the system wants it: str by the file system's encoding (lone surrogates are bytes again), bytes and
/// path objects.
pub(super) unsafe fn file_system_path(name: Obj) -> Res<CString> {
    // SAFETY: a live argument.
    unsafe {
        let encoded: Ref = if ffi::PyUnicode_Check(name) != 0 {
            Ref::steal(ffi::PyUnicode_EncodeFSDefault(name))?
        } else {
            let path: Ref = Ref::steal(ffi::PyOS_FSPath(name)).map_err(|raised| {
                raised.clear();
                raise!(
                    TypeError,
                    "dlopen(name): name must be a file name, None, or an already-opened 'void *' handle, not {}",
                    type_name(name)
                )
            })?;
            if ffi::PyUnicode_Check(path.obj()) != 0 {
                Ref::steal(ffi::PyUnicode_EncodeFSDefault(path.obj()))?
            } else {
                path
            }
        };
        let bytes = std::slice::from_raw_parts(
            ffi::PyBytes_AsString(encoded.obj()).cast::<u8>(),
            ffi::PyBytes_Size(encoded.obj()) as usize,
        );
        CString::new(bytes)
            .map_err(|_| raise!(TypeError, "embedded null byte in the library's file name"))
    }
}

/// Opens by name. The in-line FFI looks for a bare name (`m`) as `ctypes.util.find_library` does.
unsafe fn open(ffi: &FfiObject, name: Obj, path: &CStr, flags: c_int) -> Res<Ref<Lib>> {
    let direct = || Lib::from_dlopen(ffi.scope.clone(), Some(path), flags);
    if !ffi.inline {
        return direct();
    }
    let is_file_name = path
        .to_bytes()
        .iter()
        .any(|&byte| byte == b'.' || byte == b'/');
    let first = if is_file_name {
        match direct() {
            Ok(lib) => return Ok(lib),
            Err(raised) => Some(os_error_text(raised)?),
        }
    } else {
        None
    };
    // SAFETY: a live argument.
    let found = unsafe { find_library(name) }?;
    match found {
        Some(path) => Lib::from_dlopen(ffi.scope.clone(), Some(&path), flags),
        None => {
            let shown = path.to_string_lossy();
            let text = format!(
                "ctypes.util.find_library() did not manage to locate a library called '{shown}'"
            );
            Err(match first {
                Some(first) => raise!(OSError, "{first}.  Additionally, {text}"),
                None => raise!(OSError, "{text}"),
            })
        }
    }
}

/// The text of an OSError that is set; gives back any other exception.
fn os_error_text(raised: Raised) -> Res<String> {
    // SAFETY: an exception is set; it is taken, and live until the end.
    unsafe {
        if ffi::PyErr_ExceptionMatches(ffi::PyExc_OSError) == 0 {
            return Err(raised);
        }
        let Some(exception) = Exception::fetch(raised) else {
            return Ok(String::new());
        };
        let text = Ref::<ffi::PyObject>::steal(ffi::PyObject_Str(exception.value.obj()))?;
        Ok(str_text(text.obj())?.unwrap_or("").to_owned())
    }
}

/// Where the system's tools know a library of this name.
///
/// What `ctypes.util.find_library` says. It is imported only here: it is slow to import, and may run a compiler.
unsafe fn find_library(name: Obj) -> Res<Option<CString>> {
    // SAFETY: a live argument; a module of the standard library.
    unsafe {
        let module: Ref = Ref::steal(ffi::PyImport_ImportModule(c"ctypes.util".as_ptr()))?;
        let function: Ref = Ref::steal(ffi::PyObject_GetAttrString(
            module.obj(),
            c"find_library".as_ptr(),
        ))?;
        let text: Ref = if ffi::PyUnicode_Check(name) != 0 {
            Ref::borrow(name)
        } else {
            let bytes = file_system_path(name)?;
            str_from(&bytes.to_string_lossy())?
        };
        let found: Ref = Ref::steal(ffi::PyObject_CallOneArg(function.obj(), text.obj()))?;
        if found.obj() == ffi::Py_None() {
            Ok(None)
        } else {
            file_system_path(found.obj()).map(Some)
        }
    }
}

/// Nobody can use a lib any more that is closed: its FFI does not keep it.
///
/// # Safety
/// Attached to the interpreter.
unsafe fn let_go(ffi: &FfiObject, lib: &Lib) {
    // SAFETY: the caller's contract; what is taken out is dropped outside. The newest are the likeliest.
    let kept = unsafe {
        ffi.libraries.with(|list| {
            let place = list
                .iter()
                .rposition(|kept| std::ptr::eq(kept.obj().cast(), lib))?;
            Some(list.swap_remove(place))
        })
    };
    drop(kept);
}

static DLCLOSE: Signature<1> = Signature::new("FFI.dlclose", ["lib"], 1);

pub unsafe extern "C" fn dlclose(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method; the argument is live.
        unsafe {
            let [lib] = DLCLOSE.parse(args, count, names)?;
            match library::as_lib(lib) {
                Some(lib) => {
                    lib.close()?;
                    let_go(this(object), lib);
                    Ok(none())
                }
                None => Err(raise!(
                    TypeError,
                    "dlclose(): expected a library from dlopen(), not {}",
                    type_name(lib)
                )),
            }
        }
    })
}
