//! Wide C strings to Python's.

use pyo3::ffi;

use crate::py::{Obj, Ref, Res};
use crate::raise;

/// Units of `size` bytes before the first zero, at most `limit`.
///
/// # Safety
/// Readable up to there.
pub unsafe fn wide_units(data: *const u8, size: usize, limit: Option<usize>) -> usize {
    let mut count = 0;
    while limit.is_none_or(|limit| count < limit) {
        // SAFETY: the caller's contract: every unit up to the zero can be read.
        let unit = unsafe {
            match size {
                2 => u32::from(data.cast::<u16>().add(count).read_unaligned()),
                _ => data.cast::<u32>().add(count).read_unaligned(),
            }
        };
        if unit == 0 {
            break;
        }
        count += 1;
    }
    count
}

/// The str of `count` units of `size` bytes: pairs of surrogates in 16-bit units are one character, lone ones stay.
/// ValueError for a 32-bit unit that is no character.
///
/// # Safety
/// `count` units can be read.
pub unsafe fn wide_string(data: *const u8, count: usize, size: usize) -> Res<Ref> {
    let mut characters: Vec<u32> = Vec::new();
    if characters.try_reserve_exact(count).is_err() {
        return Err(raise!(
            MemoryError,
            "out of memory for a str of {count} characters"
        ));
    }
    // SAFETY: the caller's contract; the kind passed to PyUnicode_FromKindAndData is that of the vector's items.
    unsafe {
        if size == 2 {
            let units = (0..count).map(|index| data.cast::<u16>().add(index).read_unaligned());
            for item in char::decode_utf16(units) {
                characters.push(match item {
                    Ok(character) => character.into(),
                    Err(lone) => lone.unpaired_surrogate().into(),
                });
            }
        } else {
            for index in 0..count {
                let unit = data.cast::<u32>().add(index).read_unaligned();
                if unit > 0x10_FFFF {
                    return Err(raise!(
                        ValueError,
                        "char32_t out of range for conversion to unicode: {unit:#x}"
                    ));
                }
                characters.push(unit);
            }
        }
        let object: Obj = ffi::PyUnicode_FromKindAndData(
            4,
            characters.as_ptr().cast(),
            characters.len() as isize,
        );
        Ref::steal(object)
    }
}
