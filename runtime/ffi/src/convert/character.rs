//! `char` and the wide characters.

use pyo3::ffi;

use super::{get, put};
use crate::ctype::Code;
use crate::object::as_cdata;
use crate::py::{Obj, Ref, Res, type_name};
use crate::raise;

/// The byte of a `char` initialiser: bytes of length 1, or a cdata char.
///
/// # Safety
/// `value` is live.
pub unsafe fn to_char(value: Obj) -> Res<u8> {
    // SAFETY: `value` is live.
    unsafe {
        if ffi::PyBytes_Check(value) != 0 && ffi::Py_SIZE(value) == 1 {
            return Ok(*ffi::PyBytes_AS_STRING(value).cast::<u8>());
        }
        if let Some(cdata) = as_cdata(value)
            && cdata.ctype().code == Code::Char
        {
            return Ok(get::<u8>(cdata.data()));
        }
        let given = type_name(value);
        Err(raise!(
            TypeError,
            "initializer for ctype 'char' must be a bytes of length 1, not {given}"
        ))
    }
}

/// The code of a wide-character initialiser of this width: a str of length 1, or a cdata of the same width.
///
/// # Safety
/// `value` is live.
pub unsafe fn to_wide(code: Code, value: Obj) -> Res<u32> {
    let name = if code == Code::Char16 {
        "char16_t"
    } else {
        "char32_t"
    };
    // SAFETY: `value` is live.
    unsafe {
        let given = if ffi::PyUnicode_Check(value) != 0 {
            let length = ffi::PyUnicode_GetLength(value);
            if length == 1 {
                let character = ffi::PyUnicode_ReadChar(value, 0);
                if code == Code::Char32 || character <= 0xffff {
                    return Ok(character);
                }
                "larger-than-0xFFFF character".to_string()
            } else {
                format!("unicode string of length {length}")
            }
        } else {
            if let Some(cdata) = as_cdata(value)
                && cdata.ctype().code == code
            {
                return Ok(match code {
                    Code::Char16 => get::<u16>(cdata.data()).into(),
                    _ => get::<u32>(cdata.data()),
                });
            }
            type_name(value)
        };
        Err(raise!(
            TypeError,
            "initializer for ctype '{name}' must be a unicode string of length 1, not {given}"
        ))
    }
}

/// Writes a `char` or wide character.
///
/// # Safety
/// `data` points to room for a character of this kind; `value` is live.
pub(super) unsafe fn write_character(code: Code, data: *mut u8, value: Obj) -> Res<()> {
    // SAFETY: `data` points to room for a character of this kind; `value` is live.
    unsafe {
        match code {
            Code::Char => put(data, to_char(value)?),
            Code::Char16 => put(data, to_wide(code, value)? as u16),
            _ => put(data, to_wide(code, value)?),
        }
    }
    Ok(())
}

/// A character as bytes or str of length 1.
///
/// # Safety
/// `data` points to a readable character of this kind.
#[inline]
pub(super) unsafe fn read_character(code: Code, data: *const u8) -> Res<Ref> {
    // SAFETY: `data` points to a readable character of this kind.
    unsafe {
        match code {
            Code::Char => Ref::steal(ffi::PyBytes_FromStringAndSize(data.cast(), 1)),
            Code::Char16 => Ref::steal(ffi::PyUnicode_FromOrdinal(get::<u16>(data).into())),
            _ => {
                let character = get::<u32>(data);
                if character > 0x10ffff {
                    return Err(raise!(
                        ValueError,
                        "a wide character in memory has the value {character:#x}, which is no Unicode character"
                    ));
                }
                Ref::steal(ffi::PyUnicode_FromOrdinal(character as i32))
            }
        }
    }
}

/// How many `char16_t` a str takes, without terminator.
///
/// # Safety
/// `text` is a live str.
pub unsafe fn length_in_char16(text: Obj) -> isize {
    // SAFETY: `text` is a live str (the caller's contract); one of the kind 4BYTE has `length` characters of four bytes
    // each at its data, which never change.
    unsafe {
        let length = ffi::PyUnicode_GetLength(text);
        if ffi::PyUnicode_KIND(text) != ffi::PyUnicode_4BYTE_KIND {
            return length;
        }
        let units =
            std::slice::from_raw_parts(ffi::PyUnicode_DATA(text).cast::<u32>(), length as usize);
        length + units.iter().filter(|&&unit| unit > 0xffff).count() as isize
    }
}

/// How many items of this width a str takes, without terminator.
///
/// # Safety
/// `text` is a live str.
pub unsafe fn length_in_wide(code: Code, text: Obj) -> isize {
    // SAFETY: `text` is a live str.
    unsafe {
        if code == Code::Char16 {
            length_in_char16(text)
        } else {
            ffi::PyUnicode_GetLength(text)
        }
    }
}

/// Writes a str as wide characters, without terminator, with surrogate pairs where the width needs them.
///
/// # Safety
/// `data` has room for [`length_in_wide`] items; `text` is a live str.
pub unsafe fn write_wide_text(code: Code, data: *mut u8, text: Obj) {
    // SAFETY: `text` is a live str, which has `length` characters of its kind's width at its data; `data` has room for
    // `length_in_wide` items (both are the caller's contract): one for each character, and for a char16_t one more for
    // each character above 0xffff, which is what is written.
    unsafe {
        let length = ffi::PyUnicode_GetLength(text) as usize;
        let kind = ffi::PyUnicode_KIND(text);
        let from = ffi::PyUnicode_DATA(text).cast::<u8>();
        let item = if code == Code::Char16 { 2 } else { 4 };
        if (kind == ffi::PyUnicode_2BYTE_KIND && item == 2)
            || (kind == ffi::PyUnicode_4BYTE_KIND && item == 4)
        {
            std::ptr::copy_nonoverlapping(from, data, length * item);
            return;
        }
        let mut to = data;
        for index in 0..length {
            let character: u32 = match kind {
                ffi::PyUnicode_1BYTE_KIND => (*from.add(index)).into(),
                ffi::PyUnicode_2BYTE_KIND => (*from.cast::<u16>().add(index)).into(),
                _ => *from.cast::<u32>().add(index),
            };
            if item == 4 {
                put(to, character);
                to = to.add(4);
            } else if character > 0xffff {
                let high = 0xd800 + ((character - 0x10000) >> 10);
                let low = 0xdc00 + ((character - 0x10000) & 0x3ff);
                put(to, [high as u16, low as u16]);
                to = to.add(4);
            } else {
                put(to, character as u16);
                to = to.add(2);
            }
        }
    }
}

/// A str of `length` wide characters; surrogate pairs of `char16_t` become one character.
///
/// # Safety
/// `data` points to `length` readable items.
pub unsafe fn read_wide_text(code: Code, data: *const u8, length: usize) -> Res<Ref> {
    // SAFETY: `data` points to `length` readable items.
    unsafe {
        if code == Code::Char16 {
            let unit = |index: usize| u32::from(get::<u16>(data.add(2 * index)));
            let is_pair = |index: usize| {
                index + 1 < length
                    && (0xd800..0xdc00).contains(&unit(index))
                    && (0xdc00..0xe000).contains(&unit(index + 1))
            };
            if !(0..length).any(is_pair) {
                if data.addr().is_multiple_of(2) {
                    let kind = ffi::PyUnicode_2BYTE_KIND as i32;
                    return Ref::steal(ffi::PyUnicode_FromKindAndData(
                        kind,
                        data.cast(),
                        length as isize,
                    ));
                }
                let aligned: Vec<u16> = (0..length).map(|index| unit(index) as u16).collect();
                let kind = ffi::PyUnicode_2BYTE_KIND as i32;
                return Ref::steal(ffi::PyUnicode_FromKindAndData(
                    kind,
                    aligned.as_ptr().cast(),
                    length as isize,
                ));
            }
            let mut characters = Vec::with_capacity(length);
            let mut index = 0;
            while index < length {
                if is_pair(index) {
                    characters.push(
                        0x10000 + ((unit(index) - 0xd800) << 10) + (unit(index + 1) - 0xdc00),
                    );
                    index += 2;
                } else {
                    characters.push(unit(index));
                    index += 1;
                }
            }
            return str_of(&characters);
        }
        if data.addr().is_multiple_of(4) {
            return str_of(std::slice::from_raw_parts(data.cast::<u32>(), length));
        }
        let aligned: Vec<u32> = (0..length)
            .map(|index| get::<u32>(data.add(4 * index)))
            .collect();
        str_of(&aligned)
    }
}

fn str_of(characters: &[u32]) -> Res<Ref> {
    if let Some(bad) = characters.iter().find(|&&character| character > 0x10ffff) {
        return Err(raise!(
            ValueError,
            "a wide character in memory has the value {bad:#x}, which is no Unicode character"
        ));
    }
    // SAFETY: valid code points with their count.
    unsafe {
        Ref::steal(ffi::PyUnicode_FromKindAndData(
            ffi::PyUnicode_4BYTE_KIND as i32,
            characters.as_ptr().cast(),
            characters.len() as isize,
        ))
    }
}

/// The code of a bytes or str of length 1, as casts take it. `None`: it is neither; `Some(Err(length))`: it has another
/// length.
///
/// # Safety
/// `value` is live.
pub(crate) unsafe fn code_of_text(value: Obj) -> Option<Result<u32, isize>> {
    // SAFETY: `value` is live.
    unsafe {
        if ffi::PyBytes_Check(value) != 0 {
            let length = ffi::Py_SIZE(value);
            return Some(if length == 1 {
                Ok((*ffi::PyBytes_AS_STRING(value).cast::<u8>()).into())
            } else {
                Err(length)
            });
        }
        if ffi::PyUnicode_Check(value) != 0 {
            let length = ffi::PyUnicode_GetLength(value);
            return Some(if length == 1 {
                Ok(ffi::PyUnicode_ReadChar(value, 0))
            } else {
                Err(length)
            });
        }
        None
    }
}
