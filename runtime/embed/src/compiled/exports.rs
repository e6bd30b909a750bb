//! What the code of a module that CFFI compiled calls: the table that the module leaves room for, in CFFI's order.

use std::ffi::{c_char, c_int, c_longlong, c_uint, c_ulonglong, c_void};

use keelback_cdef::Primitive;
use pyo3::ffi;

use super::externs;
use keelback_ffi::call::errno::Errno;
use keelback_ffi::convert::argument::{Parameter, slot, temporary_size};
use keelback_ffi::convert::{Lvalue, Room, Temporaries, read, write, write_in};
use keelback_ffi::ctype::{self, CType};
use keelback_ffi::object::{new_owning_unset, new_plain};
use keelback_ffi::py::{Live, Obj, Res, guard};

unsafe extern "C" {
    fn keelback_to_long_double(
        with: unsafe extern "C" fn(Obj, *mut c_void) -> c_int,
    ) -> *const c_void;
}

/// How many functions a module's table has room for: every module's; that of one with `extern "Python"`; that of one
/// whose version has char16_t and char32_t.
const FOR_ALL: usize = 25;
const WITH_EXTERN_PYTHON: usize = 26;
const ALL: usize = 28;
const WITH_WIDE_CHARACTERS: isize = 0x2801;

/// Fills a module's table.
///
/// # Safety
/// `table` is the table of a module of this version, and `has_extern_python` says whether the module has `extern
/// "Python"`: the two decide how many places the table has.
pub(super) unsafe fn fill(table: *mut *const c_void, version: isize, has_extern_python: bool) {
    let count = if version >= WITH_WIDE_CHARACTERS {
        ALL
    } else if has_extern_python {
        WITH_EXTERN_PYTHON
    } else {
        FOR_ALL
    };
    let all = all();
    // SAFETY: a module of this version, with or without `extern "Python"`, has `count` places in its table (the caller's
    // contract), and `all` has at least as many items.
    unsafe { table.copy_from_nonoverlapping(all.as_ptr(), count) };
}

fn all() -> [*const c_void; ALL] {
    // SAFETY: only remembers the function.
    let to_long_double = unsafe { keelback_to_long_double(write_long_double) };
    [
        std::ptr::null(),
        to_i8 as *const c_void,
        to_u8 as *const c_void,
        to_i16 as *const c_void,
        to_u16 as *const c_void,
        to_i32 as *const c_void,
        to_u32 as *const c_void,
        to_i64 as *const c_void,
        to_u64 as *const c_void,
        to_char as *const c_void,
        from_pointer as *const c_void,
        to_pointer as *const c_void,
        // Only modules that verify() made ask for it, and those are refused.
        std::ptr::null(),
        restore_errno as *const c_void,
        save_errno as *const c_void,
        from_char as *const c_void,
        from_memory as *const c_void,
        to_memory as *const c_void,
        from_struct as *const c_void,
        to_wchar as *const c_void,
        from_wchar as *const c_void,
        to_long_double,
        to_bool as *const c_void,
        prepare_pointer_argument as *const c_void,
        convert_array as *const c_void,
        externs::call as *const c_void,
        to_other_wide as *const c_void,
        from_other_wide as *const c_void,
    ]
}

/// The wide character type that is not `wchar_t`.
const OTHER_WIDE: Primitive = if size_of::<libc::wchar_t>() == 2 {
    Primitive::Char32
} else {
    Primitive::Char16
};

/// Runs a body behind the wall: what C gets when it fails is `failed`, with an exception set.
fn or_failed<T>(failed: T, body: impl FnOnce() -> Res<T>) -> T {
    let mut result = failed;
    let place = &mut result;
    let told = guard(move || body().map(|value| *place = value));
    debug_assert!(told <= 0);
    result
}

/// A Python value as a C value of a primitive type.
///
/// # Safety
/// `value` is live; `T` is as large as the type, and any bytes are one.
unsafe fn to_primitive<T: Copy>(primitive: Primitive, value: Obj, failed: T, zero: T) -> T {
    or_failed(failed, || {
        let ctype = ctype::primitive(primitive)?;
        let mut result = zero;
        // SAFETY: `value` is live; `T` is as large as the type, and any bytes are one.
        unsafe {
            write(
                Lvalue::new(&ctype, (&raw mut result).cast()),
                Live::new(value),
            )?
        };
        Ok(result)
    })
}

/// A C value of a primitive type as a Python value.
///
/// # Safety
/// `T` is the type.
unsafe fn from_primitive<T: Copy>(primitive: Primitive, value: T) -> Obj {
    guard(|| {
        let ctype = ctype::primitive(primitive)?;
        // SAFETY: `T` is the type.
        unsafe { read(Lvalue::new(&ctype, (&raw const value).cast_mut().cast())) }
    })
}

/// Functions that take a Python value and give an integer: their C result, the type of the value, and its Rust type.
macro_rules! to_integers {
    ($($name:ident: $result:ty = $primitive:ident, $value:ty;)*) => {$(
        /// See the prototype of CFFI.
        ///
        /// # Safety
        /// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
        unsafe extern "C" fn $name(value: Obj) -> $result {
            // SAFETY: C gives a live object; -1 is what CFFI gives for a failure.
            unsafe {
                or_failed(!0, || {
                    let ctype = ctype::primitive(Primitive::$primitive)?;
                    let mut result: $value = 0;
                    write(Lvalue::new(&ctype, (&raw mut result).cast()), Live::new(value))?;
                    Ok(result as $result)
                })
            }
        }
    )*};
}

to_integers! {
    to_i8: c_int = Int8, i8;
    to_u8: c_int = UInt8, u8;
    to_i16: c_int = Int16, i16;
    to_u16: c_int = UInt16, u16;
    to_i32: c_int = Int32, i32;
    to_u32: c_uint = UInt32, u32;
    to_i64: c_longlong = Int64, i64;
    to_u64: c_ulonglong = UInt64, u64;
    to_char: c_int = Char, u8;
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn to_wchar(value: Obj) -> libc::wchar_t {
    // SAFETY: C gives a live object. The failure is -1 of a type that is unsigned on some machines.
    unsafe { to_primitive(Primitive::WChar, value, !0, 0) }
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn to_bool(value: Obj) -> u8 {
    // SAFETY: C gives a live object. C has no other place for the failure: it asks for the exception.
    unsafe { to_primitive(Primitive::Bool, value, 1, 0) }
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn to_other_wide(value: Obj) -> c_int {
    // SAFETY: C gives a live object.
    unsafe {
        if OTHER_WIDE == Primitive::Char16 {
            or_failed(-1, || {
                let ctype = ctype::primitive(OTHER_WIDE)?;
                let mut result = 0u16;
                write(
                    Lvalue::new(&ctype, (&raw mut result).cast()),
                    Live::new(value),
                )?;
                Ok(c_int::from(result))
            })
        } else {
            to_primitive(OTHER_WIDE, value, -1, 0)
        }
    }
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn write_long_double(value: Obj, to: *mut c_void) -> c_int {
    guard(|| {
        let ctype = ctype::primitive(Primitive::LongDouble)?;
        // SAFETY: C gives a live object, and room for a long double.
        unsafe { write(Lvalue::new(&ctype, to.cast()), Live::new(value)) }
    })
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn from_char(value: c_char) -> Obj {
    // SAFETY: the type.
    unsafe { from_primitive(Primitive::Char, value) }
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn from_wchar(value: libc::wchar_t) -> Obj {
    // SAFETY: the type.
    unsafe { from_primitive(Primitive::WChar, value) }
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn from_other_wide(value: c_int) -> Obj {
    // SAFETY: the type.
    unsafe {
        if OTHER_WIDE == Primitive::Char16 {
            from_primitive(OTHER_WIDE, value as u16)
        } else {
            from_primitive(OTHER_WIDE, value)
        }
    }
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn from_pointer(value: *mut c_char, ctype: *const CType) -> Obj {
    // SAFETY: C gives one of the ctypes that are in its table.
    guard(|| unsafe { Ok(new_plain(&*ctype, value.cast(), -1)?.into_obj()) })
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn to_pointer(value: Obj, ctype: *const CType) -> *mut c_char {
    or_failed(std::ptr::null_mut(), || {
        let mut result: *mut c_char = std::ptr::null_mut();
        // SAFETY: C gives a live object, and a pointer's ctype.
        unsafe {
            write(
                Lvalue::new(&*ctype, (&raw mut result).cast()),
                Live::new(value),
            )?
        };
        Ok(result)
    })
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn restore_errno() {
    Errno::here().restore();
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn save_errno() {
    Errno::here().save();
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn from_memory(data: *mut c_char, ctype: *const CType) -> Obj {
    // SAFETY: C gives a value of the type.
    guard(|| unsafe { read(Lvalue::new(&*ctype, data.cast())) })
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn to_memory(data: *mut c_char, ctype: *const CType, value: Obj) -> c_int {
    // SAFETY: C gives room for a value of the type, and a live object.
    guard(|| unsafe {
        let ctype = &*ctype;
        let size = ctype.known_size()?;
        let data = data.cast::<u8>();
        // An argument by value, on the stack of the wrapper: what an initialiser does not name is not what was there.
        data.write_bytes(0, size);
        write_in(
            Lvalue::new(ctype, data),
            Live::new(value),
            Room::until(data.add(size)),
        )
    })
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn from_struct(data: *mut c_char, ctype: *const CType) -> Obj {
    // SAFETY: C gives a value of the type.
    guard(|| unsafe {
        let ctype = &*ctype;
        let size = ctype.known_size()?;
        let object = new_owning_unset(ctype, size, -1)?;
        data.cast::<u8>()
            .copy_to_nonoverlapping(object.data(), size);
        Ok(object.into_obj())
    })
}

/// The address for a pointer parameter: 0, or how many bytes `convert_array` needs for it.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn prepare_pointer_argument(
    ctype: *const CType,
    value: Obj,
    address: *mut *mut c_char,
) -> ffi::Py_ssize_t {
    // SAFETY: C gives a pointer's ctype, a live object and room for the address.
    guard(|| unsafe {
        let ctype = &*ctype;
        if let Some(size) = temporary_size(ctype, Live::new(value))? {
            return Ok(size.max(1) as isize);
        }
        let mut temporaries = Temporaries::new();
        let slot = slot(&Parameter::new(ctype), Live::new(value), &mut temporaries)?;
        *address = slot as *mut c_char;
        Ok(0)
    })
}

/// See the prototype of CFFI.
///
/// # Safety
/// Called by the code of a module that CFFI compiled, in Python, with what its prototype says.
unsafe extern "C" fn convert_array(data: *mut c_char, ctype: *const CType, value: Obj) -> c_int {
    // SAFETY: C gives a pointer's ctype, a live object, and as much room as `prepare_pointer_argument` has said.
    guard(|| unsafe {
        let array = ctype::array_of((*ctype).item(), -1)?;
        write(Lvalue::new(&array, data.cast()), Live::new(value))
    })
}
