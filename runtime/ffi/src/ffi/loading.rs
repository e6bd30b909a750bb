//! dlopen, dlclose: C libraries.

use std::ffi::{CStr, CString};
use std::os::raw::c_int;

use pyo3::ffi;

use super::FfiObject;
use super::text::ssize_or;
use crate::library::Lib;
use crate::object::CData;
use crate::py::{Exception, Live, Raised, Ref, Res, given, import, method, none, str_from};
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

method!(pub dlopen = "FFI.dlopen", open_library, (ffi: &FfiObject, name: Live, flags: Option<Live>));

fn open_library(ffi: &FfiObject, name: Live, flags: Option<Live>) -> Res<Ref> {
    let flags = ssize_or(flags, 0)?;
    let Ok(flags) = c_int::try_from(flags) else {
        return Err(raise!(OverflowError, "dlopen(): flags do not fit an int"));
    };
    let flags = if flags & (libc::RTLD_LAZY | libc::RTLD_NOW) == 0 {
        flags | libc::RTLD_NOW
    } else {
        flags
    };
    if let Some(cdata) = CData::of(name) {
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
    let Some(name) = given(Some(name)) else {
        return opened(ffi, Lib::from_dlopen(ffi.scope.clone(), None, flags)?);
    };
    let path = file_system_path(name)?;
    opened(ffi, open(ffi, name, &path, flags)?)
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
        lib.keep(ffi.live().to_ref());
        ffi.libraries.with(|list| list.push(kept));
    }
    Ok(lib.into_obj())
}

/// A file name as the system wants it: str by the file system's encoding (lone surrogates are bytes again), bytes and
/// path objects.
pub(super) fn file_system_path(name: Live) -> Res<CString> {
    // SAFETY: a live object.
    let path: Res<Ref> = unsafe { Ref::steal(ffi::PyOS_FSPath(name.ptr())) };
    let path = path.map_err(|raised| {
        raised.clear();
        raise!(
            TypeError,
            "dlopen(name): name must be a file name, None, or an already-opened 'void *' handle, not {}",
            name.type_name()
        )
    })?;
    let encoded = if path.live().is_str() {
        // SAFETY: a str.
        unsafe { Ref::steal(ffi::PyUnicode_EncodeFSDefault(path.obj())) }?
    } else {
        path
    };
    let bytes = encoded.live().bytes().unwrap_or_default();
    CString::new(bytes)
        .map_err(|_| raise!(TypeError, "embedded null byte in the library's file name"))
}

/// Opens by name. The in-line FFI looks for a bare name (`m`) as `ctypes.util.find_library` does.
fn open(ffi: &FfiObject, name: Live, path: &CStr, flags: c_int) -> Res<Ref<Lib>> {
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
    let found = find_library(name)?;
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
        let text = exception.value.live().str()?;
        Ok(text.live().text()?.unwrap_or("").to_owned())
    }
}

/// Where the system's tools know a library of this name.
///
/// What `ctypes.util.find_library` says. It is imported only here: it is slow to import, and may run a compiler.
fn find_library(name: Live) -> Res<Option<CString>> {
    let function = import(c"ctypes.util")?.live().attribute(c"find_library")?;
    let text = if name.is_str() {
        name.to_ref()
    } else {
        str_from(&file_system_path(name)?.to_string_lossy())?
    };
    let found = function.live().call_with(text.live())?;
    match given(Some(found.live())) {
        Some(found) => file_system_path(found).map(Some),
        None => Ok(None),
    }
}

/// Takes a closed lib out of those that its FFI keeps, since nobody can use it any more.
fn let_go(ffi: &FfiObject, lib: &Lib) {
    // The list is searched from its end: libs that were opened last are closed first, mostly.
    // SAFETY: attached to the interpreter; what is taken out is dropped outside of `with`.
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

method!(pub dlclose = "FFI.dlclose", close_library, (ffi: &FfiObject, lib: Live));

fn close_library(ffi: &FfiObject, lib: Live) -> Res<Ref> {
    match Lib::of(lib) {
        Some(lib) => {
            lib.close()?;
            let_go(ffi, lib);
            Ok(none())
        }
        None => Err(raise!(
            TypeError,
            "dlclose(): expected a library from dlopen(), not {}",
            lib.type_name()
        )),
    }
}
