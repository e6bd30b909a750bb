//! Many values at once: the loops over arrays, without a look at the type for each item.

use super::write::Room;
use super::{Lvalue, read, write_in};
use crate::ctype::Code;
use crate::py::{Live, Ref, Res, Sequence, make};

/// Writes items as what `convert` makes of them, to the places from `first` on, until it makes nothing of one. Gives the
/// index of that.
///
/// # Safety
/// `convert` runs no Python code.
#[inline(always)]
unsafe fn run_fast<T: Copy>(
    first: Lvalue,
    sequence: Sequence,
    start: isize,
    end: isize,
    convert: impl Fn(Live) -> Option<T>,
) -> isize {
    debug_assert!(first.ctype().size() == size_of::<T>() as isize);
    // SAFETY: the caller's contract; to write to memory runs nothing.
    unsafe {
        sequence.run(start, end, |index, value| {
            let Some(value) = convert(value) else {
                return false;
            };
            first.of_width::<T>(index).put(value);
            true
        })
    }
}

/// Writes ints of few digits. Gives the index of the first item that is none, or does not fit.
#[inline(always)]
fn ints<T: Copy + TryFrom<i64>>(to: Lvalue, from: Sequence, start: isize, end: isize) -> isize {
    let convert = |value: Live| value.small_int().and_then(|small| T::try_from(small).ok());
    // SAFETY: only looks at an int.
    unsafe { run_fast(to, from, start, end, convert) }
}

/// Writes floats. Gives the index of the first item that is none.
#[inline(always)]
fn floats<T: Copy>(
    to: Lvalue,
    from: Sequence,
    start: isize,
    end: isize,
    narrow: impl Fn(f64) -> T,
) -> isize {
    let convert = |value: Live| value.exact_float().map(&narrow);
    // SAFETY: only looks at a float.
    unsafe { run_fast(to, from, start, end, convert) }
}

/// Writes `count` items (or as many as there still are) of a list or tuple to an array that has room for them, of which
/// `first` is the first item; `room` as for [`write_in`].
pub fn write_sequence(first: Lvalue, sequence: Sequence, count: isize, room: Room) -> Res<()> {
    let mut index = 0;
    while index < count {
        index = match first.code() {
            Code::I32 => ints::<i32>(first, sequence, index, count),
            Code::U8 => ints::<u8>(first, sequence, index, count),
            Code::I64 => ints::<i64>(first, sequence, index, count),
            Code::U32 => ints::<u32>(first, sequence, index, count),
            Code::U64 => ints::<u64>(first, sequence, index, count),
            Code::I16 => ints::<i16>(first, sequence, index, count),
            Code::U16 => ints::<u16>(first, sequence, index, count),
            Code::I8 => ints::<i8>(first, sequence, index, count),
            Code::F64 => floats(first, sequence, index, count, |value| value),
            Code::F32 => floats(first, sequence, index, count, |value| value as f32),
            _ => index,
        };
        if index >= count {
            break;
        }
        // This item goes the long way, which may run Python code; that may change the list.
        let Some(value) = sequence.item(index) else {
            break;
        };
        write_in(first.nth(index), value.live(), room)?;
        index += 1;
    }
    Ok(())
}

/// A list of the `count` items of an array, of which `first` is the first.
pub fn read_list(first: Lvalue, count: usize) -> Res<Ref> {
    macro_rules! list {
        ($t:ty, |$value:ident| $make:expr) => {
            make::full_list((0..count).map(|index| {
                let $value = first.of_width::<$t>(index as isize).get::<$t>();
                $make
            }))
        };
    }
    match first.code() {
        Code::I32 => list!(i32, |value| make::int_from_long(value.into())),
        Code::I8 => list!(i8, |value| make::int_from_long(value.into())),
        Code::I16 => list!(i16, |value| make::int_from_long(value.into())),
        Code::I64 => list!(i64, |value| make::int_from_i64(value)),
        Code::U8 => list!(u8, |value| make::int_from_long(value.into())),
        Code::U16 => list!(u16, |value| make::int_from_long(value.into())),
        Code::U32 => list!(u32, |value| make::int_from_i64(value.into())),
        Code::U64 => list!(u64, |value| make::int_from_u64(value)),
        Code::F32 => list!(f32, |value| make::float(value.into())),
        Code::F64 => list!(f64, |value| make::float(value)),
        _ => {
            first.ctype().known_size()?;
            make::full_list((0..count).map(|index| read(first.nth(index as isize))))
        }
    }
}
