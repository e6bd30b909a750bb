//! Type codes: a letter says what C type an argument or a result has, and which rules apply to it.

use std::ffi::CStr;

use keelback_cdef::{CallingConvention, Primitive};
use pyo3::ffi;

use super::{arguments, callback, value};
use crate::call::result_object;
use crate::convert::Temporaries;
use crate::convert::argument::{Parameter, widen};
use crate::ctype::{CType, Code, function_of, pointer_to, primitive, void};
use crate::ffi::View;
use crate::py::{Live, Obj, Raised, Ref, Res, none, small_long_value};
use crate::raise;

/// A type code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeCode {
    letter: u8,
    /// How values are held; an address is an integer.
    pub(super) code: Code,
    /// Whether a value is as large as an address, so that str and buffers can be passed as it.
    holds_address: bool,
}

impl TypeCode {
    /// The code of a letter; raises for what is none.
    fn new(letter: Option<u8>) -> Res<Self> {
        let code = match letter {
            Some(b'v') => Some(Code::Void),
            Some(letter) => match Self::primitive(letter) {
                Some(known) => Some(primitive(known)?.code),
                None => None,
            },
            None => None,
        };
        match (letter, code) {
            (Some(letter), Some(code)) => Ok(Self {
                letter,
                code,
                holds_address: matches!(code, Code::I64 | Code::U64)
                    || (cfg!(target_pointer_width = "32") && matches!(code, Code::I32 | Code::U32)),
            }),
            _ => Err(raise!(TypeError, "unknown type")),
        }
    }

    /// The C type of a letter; `None` for void and for what is no code. All addresses are integers of their size:
    /// every convention passes them in the same way, and Python sees them as ints. Signed, as in MicroPython, so that
    /// `(void *)-1` is -1.
    fn primitive(letter: u8) -> Option<Primitive> {
        Some(match letter {
            b'b' => Primitive::SChar,
            b'B' => Primitive::UChar,
            b'h' => Primitive::Short,
            b'H' => Primitive::UShort,
            b'i' => Primitive::Int,
            b'I' => Primitive::UInt,
            b'l' => Primitive::Long,
            b'L' => Primitive::ULong,
            b'q' => Primitive::LongLong,
            b'Q' => Primitive::ULongLong,
            b'f' => Primitive::Float,
            b'd' => Primitive::Double,
            b'p' | b'P' | b's' | b'S' | b'O' | b'C' => Primitive::IntPtr,
            _ => return None,
        })
    }

    /// From the first character of a str: MicroPython looks at no others. Raises TypeError for what is no code.
    pub(super) fn of(object: Live) -> Res<Self> {
        let letter = {
            if !object.is_str() {
                None
            } else {
                arguments::text(object)?.first().copied()
            }
        };
        Self::new(letter)
    }

    /// The code of a function's result: as [`of`](Self::of), but for an object that is not a str MicroPython's error is
    /// "can't convert".
    pub(super) fn of_result(object: Live) -> Res<Self> {
        Self::new(arguments::text(object)?.first().copied())
    }

    /// The codes of parameters, from any iterable of codes.
    pub(super) fn list(object: Live) -> Res<Box<[Self]>> {
        let mut codes = Vec::new();
        let iterator = object.iterator()?;
        while let Some(item) = iterator.live().next_item()? {
            codes.push(Self::of(item.live())?);
        }
        if codes.iter().any(|code| code.code == Code::Void) {
            // A parameter cannot be void; this is MicroPython's error for it, which comes from libffi.
            return Err(raise!(ValueError, "error in ffi_prep_cif"));
        }
        Ok(codes.into())
    }

    fn ctype(self) -> Res<Ref<CType>> {
        Self::primitive(self.letter).map_or_else(void, primitive)
    }

    /// The letter.
    pub(super) fn letter(self) -> u8 {
        self.letter
    }

    /// Whether it is an object.
    #[inline(always)]
    pub(super) fn is_object(self) -> bool {
        self.letter == b'O'
    }
}

/// The type of a pointer to a function with these codes.
pub(super) fn function_type(result: TypeCode, params: &[TypeCode]) -> Res<Ref<CType>> {
    let mut types = Vec::with_capacity(params.len());
    for param in params {
        types.push(param.ctype()?);
    }
    let result = result.ctype()?;
    let function = function_of(&result, types, false, CallingConvention::Cdecl)?;
    pointer_to(&function)
}

/// What arguments need until the call is over.
pub(super) struct Held {
    temporaries: Temporaries,
    /// Buffers, which so cannot be resized.
    views: Vec<View>,
}

impl Held {
    /// Nothing.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self {
            temporaries: Temporaries::new(),
            views: Vec::new(),
        }
    }
}

/// The slot of an argument, by MicroPython's rules: integers are truncated, None is 0, a str, a buffer, a callback is
/// its address.
///
/// # Safety
/// `value` is live until the call is over, as is `held`.
#[inline(always)]
pub(super) unsafe fn slot(code: TypeCode, value: Obj, held: &mut Held) -> Res<u64> {
    // SAFETY: `value` is live until the call is over, as is `held`.
    unsafe {
        match code.code {
            Code::F32 => Ok(u64::from((value::real(Live::new(value))? as f32).to_bits())),
            Code::F64 => Ok(value::real(Live::new(value))?.to_bits()),
            _ if code.is_object() => Ok(value as u64),
            _ => match small_long_value(value) {
                Some(small) => Ok(widen(code.code, small as u64)),
                None => slot_slowly(code, Live::new(value), held),
            },
        }
    }
}

/// [`slot`] for every value but a small int.
#[inline(never)]
fn slot_slowly(code: TypeCode, value: Live, held: &mut Held) -> Res<u64> {
    if code.holds_address && value.is_bytes() {
        // SAFETY: bytes, which the caller keeps alive until the call is over.
        return Ok(unsafe { ffi::PyBytes_AS_STRING(value.ptr()) } as u64);
    }
    if value.is_none() {
        return Ok(0);
    }
    if value.is_int() {
        return Ok(widen(code.code, value::truncated(value)?));
    }
    if code.holds_address {
        if value.is_str() {
            return text(value, held);
        }
        if let Some(address) = callback::code_of(value) {
            return Ok(address as u64);
        }
        // SAFETY: `value` is live.
        if unsafe { ffi::PyObject_CheckBuffer(value.ptr()) } != 0 {
            let view = View::of(value, false)?;
            let address = view.data() as u64;
            held.views.push(view);
            return Ok(address);
        }
    }
    // MicroPython would pass half an address here, and crash in C.
    Err(raise!(
        TypeError,
        "don't know how to pass object to native function"
    ))
}

/// The address of a str's NUL-terminated UTF-8, which lives as long as the str. One with undecodable bytes of a C
/// string in it (see [`text_of`]) gives those bytes back, for as long as the call.
fn text(value: Live, held: &mut Held) -> Res<u64> {
    // SAFETY: `value` is live and a str, as `slot_slowly` has checked; CPython would raise otherwise. `memory` has room for
    // `length` bytes and a NUL, which is there already: `allocate` returns zeroed memory.
    unsafe {
        let address = ffi::PyUnicode_AsUTF8AndSize(value.ptr(), std::ptr::null_mut());
        if !address.is_null() {
            return Ok(address as u64);
        }
        Raised::already().clear_if(crate::exception!(UnicodeEncodeError))?;
        let bytes: Ref = Ref::steal(ffi::PyUnicode_AsEncodedString(
            value.ptr(),
            c"utf-8".as_ptr(),
            c"surrogateescape".as_ptr(),
        ))?;
        let length = ffi::PyBytes_Size(bytes.obj()) as usize;
        let memory = held.temporaries.bytes(length + 1, 1)?;
        ffi::PyBytes_AS_STRING(bytes.obj())
            .cast::<u8>()
            .copy_to_nonoverlapping(memory, length);
        Ok(memory as u64)
    }
}

/// The Python value of a result in the low bytes of a register; `parameter` is of the code's type.
///
/// # Safety
/// `raw` is a value of the code's type.
#[inline(always)]
pub(super) unsafe fn result(code: TypeCode, parameter: &Parameter, raw: u64) -> Res<Ref> {
    // SAFETY: `raw` is a value of the code's type.
    unsafe {
        match code.letter {
            b's' | b'S' | b'O' => pointed_to(code, raw as usize),
            _ => result_object(parameter, raw),
        }
    }
}

/// The str, the bytes, the object at an address.
///
/// # Safety
/// At `address` is what the code says, by the program's word.
#[inline(never)]
pub(super) unsafe fn pointed_to(code: TypeCode, address: usize) -> Res<Ref> {
    if address == 0 {
        return match code.letter {
            b'O' => Err(raise!(ValueError, "the function returned NULL, no object")),
            _ => Ok(none()),
        };
    }
    // SAFETY: a C string or an object, by the type code that the program gave.
    unsafe {
        match code.letter {
            b's' => text_of(address as *const std::ffi::c_char),
            b'S' => Ref::steal(ffi::PyBytes_FromString(address as *const std::ffi::c_char)),
            _ => Ok(Ref::borrow(address as Obj)),
        }
    }
}

/// A str with a C string's text. Bytes that are no UTF-8 become lone surrogates, as in `os.environ`: passed to C again
/// they are what they were.
///
/// # Safety
/// A C string.
unsafe fn text_of(string: *const std::ffi::c_char) -> Res<Ref> {
    // SAFETY: a C string.
    unsafe {
        let bytes = CStr::from_ptr(string).to_bytes();
        Ref::steal(ffi::PyUnicode_DecodeUTF8(
            bytes.as_ptr().cast(),
            bytes.len() as ffi::Py_ssize_t,
            c"surrogateescape".as_ptr(),
        ))
    }
}
