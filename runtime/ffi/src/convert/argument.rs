//! Call arguments: what a C function's parameter takes from Python. All that assignment takes, and for pointers also
//! bytes, lists, tuples, strings and files, which become memory that lives as long as the call.
//!
//! Every argument becomes one 8-byte slot, as plugins' stubs store theirs: a scalar widened to 64 bits, a float in the
//! low half, an aggregate (and long double, complex, an integer of 128 bits) as a pointer to it.

use super::pointer::takes_bytes;
use super::{Lvalue, Room, Temporaries, write, write_in, wrong_initialiser};
use crate::ctype::{CType, Code, Kind};
use crate::object::CData;
use crate::py::{Live, Res, Sequence};
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
#[inline(always)]
pub fn slot(parameter: &Parameter, value: Live, temporaries: &mut Temporaries) -> Res<u64> {
    let quick = match parameter.way {
        Way::INT32 => value.small_int().map(|value| value as u64),
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

/// [`slot`] of a parameter that goes into a general register, for what most arguments are: nothing is looked at but the
/// value itself, and nothing can be raised. `None`: it is none of these.
#[inline(always)]
pub fn integer_slot(parameter: &Parameter, value: Live) -> Option<u64> {
    match parameter.way {
        Way::INT32 => value.small_int().map(|value| value as u64),
        Way::POINTER => quick_pointer(parameter.ctype(), value),
        _ => other_slot(parameter.code, value),
    }
}

/// [`integer_slot`] of a `double`, which goes into a floating register.
#[inline(always)]
pub fn double_slot(_: &Parameter, value: Live) -> Option<u64> {
    value.exact_float().map(f64::to_bits)
}

/// [`other_quick_slot`], not in line.
#[inline(never)]
fn other_slot(code: Code, value: Live) -> Option<u64> {
    other_quick_slot(code, value)
}

/// Of the less common numbers.
#[inline(always)]
fn other_quick_slot(code: Code, value: Live) -> Option<u64> {
    match code {
        Code::I64 => value.small_int().map(|value| value as u64),
        Code::U32 | Code::U64 => value.small_int().and_then(|value| value.try_into().ok()),
        Code::F32 => value
            .exact_float()
            .map(|value| u64::from((value as f32).to_bits())),
        _ => None,
    }
}

/// [`slot`] for a value that is neither a common number nor a cdata of the parameter's type.
#[inline(never)]
fn slot_slowly(parameter: &Parameter, value: Live, temporaries: &mut Temporaries) -> Res<u64> {
    let ctype = parameter.ctype();
    match parameter.code {
        Code::Record
        | Code::I128
        | Code::U128
        | Code::LongDouble
        | Code::ComplexF32
        | Code::ComplexF64
        | Code::ComplexLongDouble => {
            if let Some(cdata) = CData::of(value)
                && std::ptr::eq(cdata.ctype(), ctype)
            {
                cdata.check_live()?;
                return Ok(cdata.data() as u64);
            }
            let size = ctype.known_size()?;
            let memory = temporaries.allocate(size, ctype)?;
            write_in(memory, value, Room::of(memory, size))?;
            Ok(memory.data() as u64)
        }
        code => {
            if let Some(slot) = other_quick_slot(code, value) {
                return Ok(slot);
            }
            let mut slot = 0u64;
            write(Lvalue::in_rust(ctype, &mut slot), value)?;
            Ok(widen(code, low_bytes(code, slot)))
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
#[inline(always)]
fn quick_pointer(ctype: &CType, value: Live) -> Option<u64> {
    if let Some(cdata) = CData::of(value) {
        let given = cdata.ctype();
        if std::ptr::eq(given, ctype)
            || (given.kind == Kind::Array && std::ptr::eq(given.item(), ctype.item()))
            || (ctype.item().kind == Kind::Void && given.is_pointer_or_array())
        {
            return super::pointer::live_address(cdata).map(|address| address as u64);
        }
    } else if ctype.item().code == Code::Char {
        return value.exact_bytes().map(|start| start as u64);
    }
    None
}

/// The address for a pointer parameter of bytes, lists, tuples, strings and files; everything else is as in assignment.
#[inline(never)]
fn pointer_from_python(ctype: &CType, value: Live, temporaries: &mut Temporaries) -> Res<u64> {
    let item = ctype.item();
    if CData::of(value).is_some() {
        return Ok(super::pointer::to_address(ctype, value)? as u64);
    }
    if points_to_bytes(item)
        && let Some(bytes) = value.bytes()
    {
        if item.code == Code::Bool && bytes.iter().any(|&byte| byte > 1) {
            return Err(raise!(
                ValueError,
                "an array of _Bool can only contain \\x00 or \\x01"
            ));
        }
        return Ok(bytes.as_ptr() as u64);
    }
    if let Some(sequence) = Sequence::of(value) {
        if let Ok(size) = usize::try_from(item.size())
            && item.code != Code::Void
        {
            return list(item, size, sequence, temporaries);
        }
    } else if value.is_str() {
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
    write(Lvalue::in_rust(ctype, &mut address), value)?;
    Ok(address as u64)
}

/// How many bytes the temporary array takes that a value needs as the argument of a pointer parameter; `None` if it needs
/// none.
pub fn temporary_size(ctype: &CType, value: Live) -> Res<Option<usize>> {
    let item = ctype.item();
    let Ok(size) = usize::try_from(item.size()) else {
        return Ok(None);
    };
    let is_list = Sequence::of(value).is_some() && item.code != Code::Void;
    let is_wide = matches!(item.code, Code::Char16 | Code::Char32) && value.is_str();
    if !is_list && !is_wide {
        return Ok(None);
    }
    let length = super::initialiser_length(item, value)?.max(0) as usize;
    match size.checked_mul(length) {
        Some(size) if isize::try_from(size).is_ok() => Ok(Some(size)),
        _ => Err(raise!(OverflowError, "array size would overflow a ssize_t")),
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
fn list(item: &CType, size: usize, sequence: Sequence, temporaries: &mut Temporaries) -> Res<u64> {
    let count = sequence.len();
    let Some(total) = size.checked_mul(count as usize) else {
        return Err(raise!(OverflowError, "array size would overflow a ssize_t"));
    };
    let first = temporaries.allocate(total, item)?;
    for index in 0..count {
        // A conversion may run Python code that makes a list shorter.
        let Some(one) = sequence.item(index) else {
            return Err(raise!(IndexError, "list index out of range"));
        };
        let place = first.nth(index);
        write_in(place, one.live(), Room::of(place, size))?;
    }
    Ok(first.data() as u64)
}

/// A temporary NUL-terminated array of wide characters, of a str.
fn wide_text(item: &CType, value: Live, temporaries: &mut Temporaries) -> Res<u64> {
    let array = crate::ctype::array_of(item, -1)?;
    let length = super::initialiser_length(&array, value)?;
    let size = item.known_size()? * length.max(0) as usize;
    let memory = temporaries.allocate(size, &array)?;
    write_in(memory, value, Room::of(memory, size))?;
    Ok(memory.data() as u64)
}
