//! Call arguments: what a C function's parameter takes from Python. All that assignment takes, and for pointers also
//! bytes, lists, tuples, strings and files, which become memory that lives as long as the call.
//!
//! Every argument becomes one 8-byte slot, as plugins' stubs store theirs: a scalar widened to 64 bits, a float in the
//! low half, an aggregate (and long double, complex, an integer of 128 bits) as a pointer to it.

use pyo3::ffi;

use super::pointer::takes_bytes;
use super::{Room, Temporaries, write, write_in, wrong_initialiser};
use crate::ctype::{CType, Code, Kind};
use crate::object::as_cdata;
use crate::py::{Obj, Raised, Res, small_long_value};
use crate::raise;

/// The most common codes, three of them: so few that the compiler compares, and makes no table of jumps, which would be
/// through memory and hard to foresee. No enum: of that it would know that a fourth is all there is besides.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Way(u8);

impl Way {
    /// [`Code::I32`]
    pub const INT32: Self = Self(0);
    /// [`Code::Pointer`]
    pub const POINTER: Self = Self(1);
    /// [`Code::F64`]
    pub const DOUBLE: Self = Self(2);
    /// The code says more.
    pub const OTHER: Self = Self(3);
}

/// A parameter, as conversion needs it.
#[derive(Clone, Copy)]
pub struct Parameter {
    /// How it is held.
    pub code: Code,
    /// The same, for where only some of the codes are looked at.
    pub way: Way,
    /// Its type: kept alive by the function type that the parameter belongs to.
    pub ctype: *const CType,
}

impl Parameter {
    /// Of this type.
    pub fn new(ctype: &CType) -> Self {
        Self::with_code(ctype.code, ctype)
    }
    /// A value of `ctype` that is held as `code` says.
    pub fn with_code(code: Code, ctype: *const CType) -> Self {
        let way = match code {
            Code::I32 => Way::INT32,
            Code::Pointer => Way::POINTER,
            Code::F64 => Way::DOUBLE,
            _ => Way::OTHER,
        };
        Self { code, way, ctype }
    }
    /// Its type.
    #[inline(always)]
    pub fn ctype(&self) -> &CType {
        // SAFETY: the function type that owns the plan that owns self holds a reference to it.
        unsafe { &*self.ctype }
    }
}

/// Widens the integer in the low bytes of a slot to 64 bits, as its type says.
#[inline(always)]
pub fn widen(code: Code, slot: u64) -> u64 {
    match code {
        Code::I8 => slot as i8 as i64 as u64,
        Code::I16 => slot as i16 as i64 as u64,
        Code::I32 => slot as i32 as i64 as u64,
        Code::U8 | Code::Bool => slot as u8 as u64,
        Code::Char => slot as std::ffi::c_char as i64 as u64,
        Code::U16 | Code::Char16 => slot as u16 as u64,
        Code::U32 | Code::Char32 | Code::F32 => slot as u32 as u64,
        _ => slot,
    }
}

/// The slot of an argument.
///
/// # Safety
/// `value` is live, and stays so until the call is over, as do `temporaries`.
#[inline(always)]
pub unsafe fn slot(parameter: &Parameter, value: Obj, temporaries: &mut Temporaries) -> Res<u64> {
    // SAFETY: `value` is live, and stays so until the call is over, as do `temporaries`.
    unsafe {
        let quick = match parameter.way {
            Way::INT32 => small_long_value(value).map(|value| value as u64),
            Way::DOUBLE => double_slot(parameter, value),
            Way::POINTER => match quick_pointer(parameter.ctype(), value) {
                None => return pointer_from_python(parameter.ctype(), value, temporaries),
                quick => quick,
            },
            _ => None,
        };
        match quick {
            Some(slot) => Ok(slot),
            None => slot_slowly(parameter, value, temporaries),
        }
    }
}

/// [`slot`] of a parameter that goes into a general register, for what most arguments are: nothing is looked at but the
/// value itself, and nothing can be raised. `None`: it is none of these.
///
/// # Safety
/// `value` is live, and stays so until the call is over.
#[inline(always)]
pub unsafe fn integer_slot(parameter: &Parameter, value: Obj) -> Option<u64> {
    // SAFETY: the caller's contract.
    unsafe {
        match parameter.way {
            Way::INT32 => small_long_value(value).map(|value| value as u64),
            Way::POINTER => quick_pointer(parameter.ctype(), value),
            _ => other_slot(parameter.code, value),
        }
    }
}

/// [`integer_slot`] of a `double`, which goes into a floating register.
///
/// # Safety
/// That of [`integer_slot`].
#[inline(always)]
pub unsafe fn double_slot(_: &Parameter, value: Obj) -> Option<u64> {
    // SAFETY: the caller's contract.
    unsafe { double(value).map(f64::to_bits) }
}

/// The value of a float.
///
/// # Safety
/// `value` is live.
#[inline(always)]
unsafe fn double(value: Obj) -> Option<f64> {
    // SAFETY: the caller's contract; exactly a float.
    unsafe {
        (ffi::PyFloat_CheckExact(value) != 0).then(|| (*value.cast::<ffi::PyFloatObject>()).ob_fval)
    }
}

/// [`other_quick_slot`], not in line.
///
/// # Safety
/// That of [`integer_slot`].
#[inline(never)]
unsafe fn other_slot(code: Code, value: Obj) -> Option<u64> {
    // SAFETY: the caller's contract.
    unsafe { other_quick_slot(code, value) }
}

/// Of the less common numbers.
///
/// # Safety
/// That of [`integer_slot`].
#[inline(always)]
unsafe fn other_quick_slot(code: Code, value: Obj) -> Option<u64> {
    // SAFETY: the caller's contract.
    unsafe {
        match code {
            Code::I64 => small_long_value(value).map(|value| value as u64),
            Code::U32 | Code::U64 => {
                small_long_value(value).and_then(|value| value.try_into().ok())
            }
            Code::F32 => double(value).map(|value| u64::from((value as f32).to_bits())),
            _ => None,
        }
    }
}

/// [`slot`] for a value that is neither a common number nor a cdata of the parameter's type.
///
/// # Safety
/// That of [`slot`]: `value` is live.
#[inline(never)]
unsafe fn slot_slowly(
    parameter: &Parameter,
    value: Obj,
    temporaries: &mut Temporaries,
) -> Res<u64> {
    let ctype = parameter.ctype();
    // SAFETY: `value` is live (the caller's contract). `memory` has `size` bytes, which is the type's size, and `room` ends
    // with them; `slot` has 8 bytes, and every type that is left for it is a scalar of at most as many.
    unsafe {
        match parameter.code {
            Code::Record
            | Code::I128
            | Code::U128
            | Code::LongDouble
            | Code::ComplexF32
            | Code::ComplexF64
            | Code::ComplexLongDouble => {
                if let Some(cdata) = as_cdata(value)
                    && std::ptr::eq(cdata.ctype(), ctype)
                {
                    cdata.check_live()?;
                    return Ok(cdata.data() as u64);
                }
                let size = ctype.known_size()?;
                let memory = temporaries.allocate(size, ctype.align())?;
                write_in(ctype, memory, value, Room::until(memory.add(size)))?;
                Ok(memory as u64)
            }
            code => {
                if let Some(slot) = other_quick_slot(code, value) {
                    return Ok(slot);
                }
                let mut slot = 0u64;
                write(ctype, (&raw mut slot).cast(), value)?;
                Ok(widen(code, low_bytes(code, slot)))
            }
        }
    }
}

/// A scalar that was written at the start of a zeroed slot, as a number.
fn low_bytes(code: Code, slot: u64) -> u64 {
    if cfg!(target_endian = "little") {
        return slot;
    }
    match code {
        Code::I8 | Code::U8 | Code::Bool | Code::Char => slot >> 56,
        Code::I16 | Code::U16 | Code::Char16 => slot >> 48,
        Code::I32 | Code::U32 | Code::Char32 | Code::F32 => slot >> 32,
        _ => slot,
    }
}

/// The address for a pointer parameter: of a cdata that is such a pointer, or turns into one, and of bytes for `char *`.
///
/// # Safety
/// As [`integer_slot`].
#[inline(always)]
unsafe fn quick_pointer(ctype: &CType, value: Obj) -> Option<u64> {
    // SAFETY: as `integer_slot`.
    unsafe {
        if let Some(cdata) = as_cdata(value) {
            let given = cdata.ctype();
            if std::ptr::eq(given, ctype)
                || (given.kind == Kind::Array && std::ptr::eq(given.item(), ctype.item()))
                || (ctype.item().kind == Kind::Void && given.is_pointer_or_array())
            {
                return super::pointer::live_address(cdata).map(|address| address as u64);
            }
        } else if ffi::PyBytes_CheckExact(value) != 0 && ctype.item().code == Code::Char {
            return Some(ffi::PyBytes_AS_STRING(value) as u64);
        }
        None
    }
}

/// The address for a pointer parameter of bytes, lists, tuples, strings and files; everything else is as in assignment.
///
/// # Safety
/// `value` is live.
#[inline(never)]
unsafe fn pointer_from_python(
    ctype: &CType,
    value: Obj,
    temporaries: &mut Temporaries,
) -> Res<u64> {
    let item = ctype.item();
    // SAFETY: `value` is live.
    unsafe {
        if as_cdata(value).is_some() {
            return Ok(super::pointer::to_address(ctype, value)? as u64);
        }
        if ffi::PyBytes_Check(value) != 0 && points_to_bytes(item) {
            let start = ffi::PyBytes_AS_STRING(value).cast::<u8>();
            if item.code == Code::Bool {
                let bytes = std::slice::from_raw_parts(start, ffi::PyBytes_Size(value) as usize);
                if bytes.iter().any(|&byte| byte > 1) {
                    return Err(raise!(
                        ValueError,
                        "an array of _Bool can only contain \\x00 or \\x01"
                    ));
                }
            }
            return Ok(start as u64);
        }
        if ffi::PyList_Check(value) != 0 || ffi::PyTuple_Check(value) != 0 {
            if let Ok(size) = usize::try_from(item.size())
                && item.code != Code::Void
            {
                return list(item, size, value, temporaries);
            }
        } else if ffi::PyUnicode_Check(value) != 0 {
            return match item.code {
                Code::Char16 | Code::Char32 => wide_text(item, value, temporaries),
                // The message lists what could have been given instead, as CFFI's does.
                _ if item.size() < 0 || item.code == Code::Void => {
                    Err(wrong_initialiser(ctype, "cdata pointer", value))
                }
                _ if points_to_bytes(item) => {
                    Err(wrong_initialiser(ctype, "bytes or list or tuple", value))
                }
                _ => Err(wrong_initialiser(ctype, "list or tuple", value)),
            };
        } else if is_file(item)
            && let Some(address) = super::file::stream(value)?
        {
            return Ok(address as u64);
        }
        let mut address: *mut u8 = std::ptr::null_mut();
        write(ctype, (&raw mut address).cast(), value)?;
        Ok(address as u64)
    }
}

/// How many bytes the temporary array takes that a value needs as the argument of a pointer parameter; `None` if it needs
/// none.
///
/// # Safety
/// `value` is live.
pub unsafe fn temporary_size(ctype: &CType, value: Obj) -> Res<Option<usize>> {
    let item = ctype.item();
    let Ok(size) = usize::try_from(item.size()) else {
        return Ok(None);
    };
    // SAFETY: `value` is live.
    unsafe {
        let is_list = super::initialiser::is_list_or_tuple(value) && item.code != Code::Void;
        let is_wide =
            matches!(item.code, Code::Char16 | Code::Char32) && ffi::PyUnicode_Check(value) != 0;
        if !is_list && !is_wide {
            return Ok(None);
        }
        let length = super::initialiser_length(item, value)?.max(0) as usize;
        match size.checked_mul(length) {
            Some(size) if isize::try_from(size).is_ok() => Ok(Some(size)),
            _ => Err(raise!(OverflowError, "array size would overflow a ssize_t")),
        }
    }
}

/// Whether a parameter that points to these takes a bytes object as it is: what arrays take, and `void *`.
fn points_to_bytes(item: &CType) -> bool {
    takes_bytes(item) || item.code == Code::Void
}

/// Whether it is `FILE`.
pub fn is_file(item: &CType) -> bool {
    item.is_record()
        && matches!(
            &*item.name,
            "FILE" | "struct _IO_FILE" | "struct __sFILE" | "_IO_FILE"
        )
}

/// A temporary array with the items of a list or tuple.
///
/// # Safety
/// `value` is a live list or tuple.
unsafe fn list(item: &CType, size: usize, value: Obj, temporaries: &mut Temporaries) -> Res<u64> {
    // SAFETY: a list or tuple, by the caller. A conversion may run Python code that changes a list, so its length is
    // asked again for each item, and the item is held.
    unsafe {
        let is_list = ffi::PyList_Check(value) != 0;
        let length = || {
            if is_list {
                ffi::PyList_GET_SIZE(value)
            } else {
                ffi::PyTuple_GET_SIZE(value)
            }
        };
        let count = length() as usize;
        let Some(total) = size.checked_mul(count) else {
            return Err(raise!(OverflowError, "array size would overflow a ssize_t"));
        };
        let memory = temporaries.allocate(total, item.align())?;
        for index in 0..count {
            let one = if is_list {
                let Ok(one) = crate::py::Ref::<ffi::PyObject>::steal(
                    ffi::compat::PyList_GetItemRef(value, index as ffi::Py_ssize_t),
                ) else {
                    return Err(Raised::already());
                };
                one
            } else {
                crate::py::Ref::borrow(ffi::PyTuple_GET_ITEM(value, index as ffi::Py_ssize_t))
            };
            let place = memory.add(index * size);
            write_in(item, place, one.obj(), Room::until(place.add(size)))?;
        }
        Ok(memory as u64)
    }
}

/// A temporary NUL-terminated array of wide characters.
///
/// # Safety
/// `value` is a live str.
unsafe fn wide_text(item: &CType, value: Obj, temporaries: &mut Temporaries) -> Res<u64> {
    let array = crate::ctype::array_of(item, -1)?;
    // SAFETY: `value` is a live str (the caller's contract). `memory` has room for `length` items, which is how many
    // `write_in` writes for this str, and `room` ends with them.
    unsafe {
        let length = super::initialiser_length(&array, value)?;
        let size = item.known_size()? * length.max(0) as usize;
        let memory = temporaries.allocate(size, item.align())?;
        write_in(&array, memory, value, Room::until(memory.add(size)))?;
        Ok(memory as u64)
    }
}
