//! `char` and the wide characters.

use pyo3::ffi;

use super::Lvalue;
use crate::ctype::Code;
use crate::object::CData;
use crate::py::{Live, Ref, Res, make};
use crate::raise;

/// The byte of a `char` initialiser: bytes of length 1, or a cdata char.
pub fn to_char(value: Live) -> Res<u8> {
    if let Some(&[byte]) = value.bytes() {
        return Ok(byte);
    }
    if let Some(cdata) = CData::of(value)
        && cdata.ctype().code == Code::Char
    {
        return Ok(Lvalue::in_cdata(cdata).get::<u8>());
    }
    let given = value.type_name();
    Err(raise!(
        TypeError,
        "initializer for ctype 'char' must be a bytes of length 1, not {given}"
    ))
}

/// The code of a wide-character initialiser of this width: a str of length 1, or a cdata of the same width.
pub fn to_wide(code: Code, value: Live) -> Res<u32> {
    let name = if code == Code::Char16 {
        "char16_t"
    } else {
        "char32_t"
    };
    let given = if value.is_str() {
        let length = value.str_len();
        if length == 1 {
            let character = value.first_character();
            if code == Code::Char32 || character <= 0xffff {
                return Ok(character);
            }
            "larger-than-0xFFFF character".to_string()
        } else {
            format!("unicode string of length {length}")
        }
    } else {
        if let Some(cdata) = CData::of(value)
            && cdata.ctype().code == code
        {
            return Ok(match code {
                Code::Char16 => Lvalue::in_cdata(cdata).get::<u16>().into(),
                _ => Lvalue::in_cdata(cdata).get::<u32>(),
            });
        }
        value.type_name()
    };
    Err(raise!(
        TypeError,
        "initializer for ctype '{name}' must be a unicode string of length 1, not {given}"
    ))
}

/// Writes a `char` or wide character.
pub(super) fn write_character(place: Lvalue, value: Live) -> Res<()> {
    let code = place.code();
    match code {
        Code::Char => place.put(to_char(value)?),
        Code::Char16 => place.put(to_wide(code, value)? as u16),
        _ => place.put(to_wide(code, value)?),
    }
    Ok(())
}

/// A character as bytes or str of length 1.
#[inline]
pub(super) fn read_character(place: Lvalue) -> Res<Ref> {
    match place.code() {
        Code::Char => make::bytes(&[place.get::<u8>()]),
        Code::Char16 => make::character(place.get::<u16>().into()),
        _ => {
            let character = place.get::<u32>();
            if character > 0x10ffff {
                return Err(raise!(
                    ValueError,
                    "a wide character in memory has the value {character:#x}, which is no Unicode character"
                ));
            }
            make::character(character)
        }
    }
}

/// The characters of a str, as CPython holds them: in one, two or four bytes each.
enum Characters<'a> {
    One(&'a [u8]),
    Two(&'a [u16]),
    Four(&'a [u32]),
}

impl<'a> Characters<'a> {
    fn of(text: Live<'a>) -> Self {
        debug_assert!(text.is_str());
        let length = text.str_len() as usize;
        // SAFETY: a live str, which has `length` characters of its kind's width at its data, and never changes.
        unsafe {
            let (kind, data) = (
                ffi::PyUnicode_KIND(text.ptr()),
                ffi::PyUnicode_DATA(text.ptr()),
            );
            match kind {
                ffi::PyUnicode_1BYTE_KIND => {
                    Self::One(std::slice::from_raw_parts(data.cast(), length))
                }
                ffi::PyUnicode_2BYTE_KIND => {
                    Self::Two(std::slice::from_raw_parts(data.cast(), length))
                }
                _ => Self::Four(std::slice::from_raw_parts(data.cast(), length)),
            }
        }
    }
}

/// How many items of this width a str takes, without terminator.
pub fn length_in_wide(code: Code, text: Live) -> isize {
    let length = text.str_len();
    match Characters::of(text) {
        Characters::Four(all) if code == Code::Char16 => {
            length + all.iter().filter(|&&unit| unit > 0xffff).count() as isize
        }
        _ => length,
    }
}

/// Writes a str as wide characters, without terminator, with surrogate pairs where the width needs them: to the first of
/// [`length_in_wide`] items.
pub fn write_wide_text(to: Lvalue, text: Live) {
    let is_narrow = to.code() == Code::Char16;
    match (Characters::of(text), is_narrow) {
        (Characters::One(all), true) => put_all::<_, u16>(to, all),
        (Characters::One(all), false) => put_all::<_, u32>(to, all),
        (Characters::Two(all), true) => to.copy_from(all.as_ptr().cast(), size_of_val(all)),
        (Characters::Two(all), false) => put_all::<_, u32>(to, all),
        (Characters::Four(all), true) => put_pairs(to, all),
        (Characters::Four(all), false) => to.copy_from(all.as_ptr().cast(), size_of_val(all)),
    }
}

/// Widens each character to an item.
fn put_all<F: Copy, T: Copy + From<F>>(to: Lvalue, all: &[F]) {
    for (index, &character) in (0..).zip(all) {
        to.nth(index).put(T::from(character));
    }
}

/// Writes characters as `char16_t`, those that need two as surrogate pairs.
fn put_pairs(mut to: Lvalue, all: &[u32]) {
    for &character in all {
        if character > 0xffff {
            let high = 0xd800 + ((character - 0x10000) >> 10);
            let low = 0xdc00 + ((character - 0x10000) & 0x3ff);
            to.put(high as u16);
            to.nth(1).put(low as u16);
            to = to.nth(2);
        } else {
            to.put(character as u16);
            to = to.nth(1);
        }
    }
}

/// A str of the `length` wide characters from this one on; surrogate pairs of `char16_t` become one character.
pub fn read_wide_text(first: Lvalue, length: usize) -> Res<Ref> {
    if first.code() == Code::Char16 {
        return read_char16_text(first, length);
    }
    if first.data().addr().is_multiple_of(4) {
        // SAFETY: aligned, and read before anything else runs.
        return str_of(unsafe { first.items(length) });
    }
    let aligned: Vec<u32> = (0..length as isize)
        .map(|index| first.nth(index).get())
        .collect();
    str_of(&aligned)
}

/// [`read_wide_text`] of `char16_t`.
fn read_char16_text(first: Lvalue, length: usize) -> Res<Ref> {
    let unit = |index: usize| u32::from(first.nth(index as isize).get::<u16>());
    let is_pair = |index: usize| {
        index + 1 < length
            && (0xd800..0xdc00).contains(&unit(index))
            && (0xdc00..0xe000).contains(&unit(index + 1))
    };
    if !(0..length).any(is_pair) {
        if first.data().addr().is_multiple_of(2) {
            // SAFETY: aligned, and read before anything else runs.
            return str_of_char16(unsafe { first.items(length) });
        }
        let aligned: Vec<u16> = (0..length).map(|index| unit(index) as u16).collect();
        return str_of_char16(&aligned);
    }
    let mut characters = Vec::with_capacity(length);
    let mut index = 0;
    while index < length {
        if is_pair(index) {
            characters.push(0x10000 + ((unit(index) - 0xd800) << 10) + (unit(index + 1) - 0xdc00));
            index += 2;
        } else {
            characters.push(unit(index));
            index += 1;
        }
    }
    str_of(&characters)
}

fn str_of_char16(characters: &[u16]) -> Res<Ref> {
    // SAFETY: code points of two bytes with their count.
    unsafe {
        Ref::steal(ffi::PyUnicode_FromKindAndData(
            ffi::PyUnicode_2BYTE_KIND as i32,
            characters.as_ptr().cast(),
            characters.len() as isize,
        ))
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
pub(crate) fn code_of_text(value: Live) -> Option<Result<u32, isize>> {
    if let Some(bytes) = value.bytes() {
        return Some(match bytes {
            &[byte] => Ok(byte.into()),
            _ => Err(bytes.len() as isize),
        });
    }
    value.is_str().then(|| match value.str_len() {
        1 => Ok(value.first_character()),
        length => Err(length),
    })
}
