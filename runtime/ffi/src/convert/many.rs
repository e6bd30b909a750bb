//! Many values at once: the loops over arrays, without a look at the type for each item.

use pyo3::ffi;

use super::write::Room;
use super::{get, initialiser, put, read, write_in};
use crate::ctype::{CType, Code};
use crate::py::{Obj, Ref, Res, small_long_value};

/// An item of a list or tuple, owned; `None` beyond its end (a list may have shrunk meanwhile).
///
/// # Safety
/// `sequence` is a live list or tuple.
#[inline(always)]
pub(crate) unsafe fn item_at(sequence: Obj, index: isize) -> Option<Ref> {
    // SAFETY: `sequence` is a live list or tuple (the caller's contract). The index is compared with the length right before
    // the item is read, with the GIL held; without one, PyList_GetItemRef does both at once. A tuple never changes.
    unsafe {
        if ffi::PyList_Check(sequence) != 0 {
            #[cfg(Py_GIL_DISABLED)]
            {
                let item = ffi::PyList_GetItemRef(sequence, index);
                if item.is_null() {
                    ffi::PyErr_Clear();
                    return None;
                }
                return Ref::steal(item).ok();
            }
            #[cfg(not(Py_GIL_DISABLED))]
            {
                if index >= ffi::PyList_GET_SIZE(sequence) {
                    return None;
                }
                return Some(Ref::borrow(ffi::PyList_GET_ITEM(sequence, index)));
            }
        }
        if index >= ffi::PyTuple_GET_SIZE(sequence) {
            return None;
        }
        Some(Ref::borrow(ffi::PyTuple_GET_ITEM(sequence, index)))
    }
}

/// The first item at an index from `start` on whose conversion needs more than a look at it; before it, items were
/// written by `fast`.
///
/// # Safety
/// `sequence` is a live list or tuple; `fast(index, item)` runs no Python code.
#[inline(always)]
unsafe fn run_fast(
    sequence: Obj,
    start: isize,
    count: isize,
    mut fast: impl FnMut(isize, Obj) -> bool,
) -> isize {
    // On a free-threaded Python other threads may change a list while its items are borrowed: there is no fast way.
    // SAFETY: `sequence` is a live list or tuple, and `fast` runs no Python code (the caller's contract), so with the GIL
    // held nothing changes a list meanwhile; indexes are below its length.
    unsafe {
        let is_list = ffi::PyList_Check(sequence) != 0;
        if cfg!(Py_GIL_DISABLED) && is_list {
            return start;
        }
        let count = count.min(initialiser::sequence_length(sequence));
        let mut index = start;
        if is_list {
            while index < count && fast(index, ffi::PyList_GET_ITEM(sequence, index)) {
                index += 1;
            }
        } else {
            while index < count && fast(index, ffi::PyTuple_GET_ITEM(sequence, index)) {
                index += 1;
            }
        }
        index
    }
}

/// Writes `count` items (or as many as there still are) of a list or tuple to an array of `item`s.
///
/// # Safety
/// `data` points to room for `count` items; `sequence` is a live list or tuple; `room` as for [`write_in`].
pub unsafe fn write_sequence(
    item: &CType,
    data: *mut u8,
    sequence: Obj,
    count: isize,
    room: Room,
) -> Res<()> {
    macro_rules! ints {
        ($t:ty, $start:expr) => {
            run_fast(
                sequence,
                $start,
                count,
                |index, value| match small_long_value(value) {
                    Some(small) => match <$t>::try_from(small) {
                        Ok(small) => {
                            put::<$t>(data.offset(index * size_of::<$t>() as isize), small);
                            true
                        }
                        Err(_) => false,
                    },
                    None => false,
                },
            )
        };
    }
    macro_rules! floats {
        ($t:ty, $start:expr) => {
            run_fast(sequence, $start, count, |index, value| {
                if ffi::Py_TYPE(value) != &raw mut ffi::PyFloat_Type {
                    return false;
                }
                put::<$t>(
                    data.offset(index * size_of::<$t>() as isize),
                    ffi::PyFloat_AS_DOUBLE(value) as $t,
                );
                true
            })
        };
    }
    let size = item.size();
    let mut index = 0;
    // SAFETY: `sequence` is a live list or tuple and `data` has room for `count` items (the caller's contract); every index
    // that is written at is below `count`. The closures of the macros run no Python code: they look at exact ints and
    // floats only.
    unsafe {
        while index < count {
            index = match item.code {
                Code::I32 => ints!(i32, index),
                Code::U8 => ints!(u8, index),
                Code::I64 => ints!(i64, index),
                Code::U32 => ints!(u32, index),
                Code::U64 => ints!(u64, index),
                Code::I16 => ints!(i16, index),
                Code::U16 => ints!(u16, index),
                Code::I8 => ints!(i8, index),
                Code::F64 => floats!(f64, index),
                Code::F32 => floats!(f32, index),
                _ => index,
            };
            if index >= count {
                break;
            }
            // This item goes the long way, which may run Python code; that may change the list.
            let Some(value) = item_at(sequence, index) else {
                break;
            };
            write_in(item, data.offset(index * size), value.obj(), room)?;
            index += 1;
        }
    }
    Ok(())
}

/// A list of `count` items of an array in C memory.
///
/// # Safety
/// `data` points to `count` readable items.
pub unsafe fn read_list(item: &CType, data: *const u8, count: usize) -> Res<Ref> {
    macro_rules! fill {
        ($list:ident, $t:ty, |$value:ident| $make:expr) => {
            for index in 0..count {
                let $value = get::<$t>(data.add(index * size_of::<$t>()));
                let object = Ref::steal($make)?;
                ffi::PyList_SET_ITEM($list.obj(), index as isize, object.into_ptr());
            }
        };
    }
    // SAFETY: `data` points to `count` readable items (the caller's contract), and indexes are below that. Each place of
    // the new list is filled once, with a reference that it takes over; a list that a failure drops early may have NULL in
    // the others.
    unsafe {
        let list = Ref::steal(ffi::PyList_New(count as isize))?;
        match item.code {
            Code::I32 => fill!(list, i32, |value| ffi::PyLong_FromLong(value.into())),
            Code::I8 => fill!(list, i8, |value| ffi::PyLong_FromLong(value.into())),
            Code::I16 => fill!(list, i16, |value| ffi::PyLong_FromLong(value.into())),
            Code::I64 => fill!(list, i64, |value| ffi::PyLong_FromLongLong(value)),
            Code::U8 => fill!(list, u8, |value| ffi::PyLong_FromLong(value.into())),
            Code::U16 => fill!(list, u16, |value| ffi::PyLong_FromLong(value.into())),
            Code::U32 => fill!(list, u32, |value| ffi::PyLong_FromLongLong(value.into())),
            Code::U64 => fill!(list, u64, |value| ffi::PyLong_FromUnsignedLongLong(value)),
            Code::F32 => fill!(list, f32, |value| ffi::PyFloat_FromDouble(value.into())),
            Code::F64 => fill!(list, f64, |value| ffi::PyFloat_FromDouble(value)),
            _ => {
                let size = item.known_size()?;
                for index in 0..count {
                    let object = read(item, data.add(index * size))?;
                    ffi::PyList_SET_ITEM(list.obj(), index as isize, object.into_ptr());
                }
            }
        }
        Ok(list)
    }
}
