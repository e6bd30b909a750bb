//! Aggregates: what lists, tuples, dicts, bytes and str mean for arrays, structs and unions.

use pyo3::ffi;

use super::pointer::{bytes_of, takes_bytes};
use super::write::Room;
use super::{bits, character, many, write_in, wrong_initialiser};
use crate::ctype::{CType, Code, FieldInfo, RecordDetails};
use crate::object::as_cdata;
use crate::py::{Obj, Raised, Ref, Res, type_name};
use crate::raise;

/// Whether a value is a list or a tuple.
///
/// # Safety
/// `value` is live.
#[inline(always)]
pub(crate) unsafe fn is_list_or_tuple(value: Obj) -> bool {
    // SAFETY: `value` is live.
    unsafe { ffi::PyList_Check(value) != 0 || ffi::PyTuple_Check(value) != 0 }
}

/// Items of a list or tuple.
///
/// # Safety
/// `sequence` is a live list or tuple.
#[inline(always)]
pub(crate) unsafe fn sequence_length(sequence: Obj) -> isize {
    // SAFETY: `sequence` is a live list or tuple.
    unsafe {
        if ffi::PyList_Check(sequence) != 0 {
            ffi::PyList_GET_SIZE(sequence)
        } else {
            ffi::PyTuple_GET_SIZE(sequence)
        }
    }
}

/// How many items an array type of unknown length, or a flexible array member, gets from this initialiser: that of a
/// list or tuple; of bytes and str and their terminator; an int as it is.
///
/// # Safety
/// `value` is live.
pub unsafe fn initialiser_length(item: &CType, value: Obj) -> Res<isize> {
    // SAFETY: `value` is live.
    unsafe {
        if is_list_or_tuple(value) {
            return Ok(sequence_length(value));
        }
        if ffi::PyBytes_Check(value) != 0 {
            return Ok(ffi::Py_SIZE(value) + 1);
        }
        if ffi::PyUnicode_Check(value) != 0 {
            return Ok(character::length_in_wide(item.code, value) + 1);
        }
        if ffi::PyIndex_Check(value) == 0 {
            let given = type_name(value);
            return Err(raise!(
                TypeError,
                "expected new array length or list/tuple/str, not {given}"
            ));
        }
        let length = ffi::PyNumber_AsSsize_t(value, ffi::PyExc_OverflowError);
        if length < 0 {
            if length == -1 {
                Raised::if_set()?;
            }
            return Err(raise!(ValueError, "negative array length"));
        }
        Ok(length)
    }
}

/// Whether an initialiser of an array of unknown length only says how many items it has.
///
/// # Safety
/// `value` is live.
pub(crate) unsafe fn is_count(value: Obj) -> bool {
    // SAFETY: `value` is live.
    unsafe {
        !is_list_or_tuple(value)
            && ffi::PyBytes_Check(value) == 0
            && ffi::PyUnicode_Check(value) == 0
            && ffi::PyIndex_Check(value) != 0
    }
}

/// Bytes that a record needs for this initialiser: its size, or more for the items of a flexible array at its end.
///
/// # Safety
/// `value` is live.
pub unsafe fn initialiser_size(ctype: &CType, value: Obj) -> Res<usize> {
    let size = ctype.known_size()?;
    let Some(details) = ctype.record()? else {
        return Ok(size);
    };
    if !details.has_flexible {
        return Ok(size);
    }
    // The fields that reach to the end: the flexible array itself, or records that end in one.
    let reaching = |field: &FieldInfo| field.flexible || field.ctype.is_record();
    let mut needed = size;
    // SAFETY: `value` is live.
    unsafe {
        if is_list_or_tuple(value) {
            for (index, field) in details.positional().enumerate() {
                if reaching(field)
                    && let Some(given) = many::item_at(value, index as isize)
                {
                    needed = needed.max(end_of(field, given.obj())?);
                }
            }
        } else if ffi::PyDict_Check(value) != 0 {
            for field in details.flat().iter().filter(|field| reaching(field)) {
                let given = ffi::PyDict_GetItemWithError(value, field.name.obj());
                if given.is_null() {
                    if !ffi::PyErr_Occurred().is_null() {
                        return Err(Raised::already());
                    }
                    continue;
                }
                let given = Ref::borrow(given);
                needed = needed.max(end_of(field, given.obj())?);
            }
        } else if !as_cdata(value).is_some_and(|cdata| std::ptr::eq(cdata.ctype(), ctype)) {
            return Err(wrong_initialiser(ctype, "list or tuple or dict", value));
        }
    }
    Ok(needed)
}

/// Bytes from the record's start to the end of this field with this value.
///
/// # Safety
/// `value` is live.
unsafe fn end_of(field: &FieldInfo, value: Obj) -> Res<usize> {
    // SAFETY: `value` is live.
    let inner = unsafe {
        if field.flexible {
            let item = field.ctype.item();
            let length = initialiser_length(item, value)? as usize;
            item.known_size()?.checked_mul(length)
        } else {
            Some(initialiser_size(&field.ctype, value)?)
        }
    };
    inner
        .and_then(|inner| inner.checked_add(field.offset as usize))
        .filter(|&end| end <= isize::MAX as usize)
        .ok_or_else(|| raise!(OverflowError, "array size would overflow a Py_ssize_t"))
}

/// Writes an array from a list, a tuple, bytes (items of one byte), a str (wide characters), a cdata of the same type.
///
/// # Safety
/// As for [`super::write_in`].
pub(super) unsafe fn write_array(ctype: &CType, data: *mut u8, value: Obj, room: Room) -> Res<()> {
    let item = ctype.item();
    let capacity = if ctype.length >= 0 {
        Some(ctype.length)
    } else {
        room.items(data, item.size())
    };
    // SAFETY: `value` is live, and `data` has room for `capacity` items or, where that is not known, for as many as `value`
    // has (the contract of `write_in`). Each length is compared with the capacity before anything is written, and each
    // object is read as the type that it was just checked to be.
    unsafe {
        if is_list_or_tuple(value) {
            let length = sequence_length(value);
            if capacity.is_some_and(|capacity| length > capacity) {
                return Err(raise!(
                    IndexError,
                    "too many initializers for '{}' (got {length})",
                    ctype.name
                ));
            }
            return many::write_sequence(item, data, value, length, room);
        }
        if takes_bytes(item) && ffi::PyBytes_Check(value) != 0 {
            return write_bytes(ctype, capacity, data, bytes_of(value));
        }
        if matches!(item.code, Code::Char16 | Code::Char32) && ffi::PyUnicode_Check(value) != 0 {
            let length = character::length_in_wide(item.code, value);
            if capacity.is_some_and(|capacity| length > capacity) {
                return Err(raise!(
                    IndexError,
                    "initializer unicode is too long for '{}' (got {length} characters)",
                    ctype.name
                ));
            }
            character::write_wide_text(item.code, data, value);
            if capacity != Some(length) {
                let size = item.size();
                data.offset(length * size).write_bytes(0, size as usize);
            }
            return Ok(());
        }
        if let Some(cdata) = as_cdata(value)
            && std::ptr::eq(cdata.ctype(), ctype)
        {
            let length = cdata.array_length();
            if capacity.is_some_and(|capacity| length > capacity) {
                return Err(raise!(
                    IndexError,
                    "too many initializers for '{}' (got {length})",
                    ctype.name
                ));
            }
            if cdata.data().is_null() {
                return Err(crate::object::null_dereference(cdata));
            }
            std::ptr::copy(cdata.data(), data, (length * item.size()) as usize);
            return Ok(());
        }
        let expected = if takes_bytes(item) {
            "bytes or list or tuple"
        } else if item.code.is_char() {
            "unicode or list or tuple"
        } else {
            "list or tuple"
        };
        Err(wrong_initialiser(ctype, expected, value))
    }
}

/// Writes bytes and, where there is room, a terminator.
///
/// # Safety
/// `data` has room for `capacity` items; without one, for the bytes and a terminator.
unsafe fn write_bytes(
    ctype: &CType,
    capacity: Option<isize>,
    data: *mut u8,
    bytes: &[u8],
) -> Res<()> {
    let length = bytes.len() as isize;
    if capacity.is_some_and(|capacity| length > capacity) {
        return Err(raise!(
            IndexError,
            "initializer bytes is too long for '{}' (got {length} characters)",
            ctype.name
        ));
    }
    if ctype.item().code == Code::Bool && bytes.iter().any(|&byte| byte > 1) {
        return Err(raise!(
            ValueError,
            "an array of _Bool can only contain \\x00 or \\x01"
        ));
    }
    // SAFETY: `bytes.len()` was checked against `capacity`, and the terminator is written only where it is below that;
    // without a capacity `data` has room for both (the caller's contract).
    unsafe {
        // The array may be a view of the very bytes.
        std::ptr::copy(bytes.as_ptr(), data, bytes.len());
        if capacity != Some(length) {
            *data.add(bytes.len()) = 0;
        }
    }
    Ok(())
}

/// Writes a struct or union from a list or tuple (by position), a dict (by name), a cdata of the same type. Fields
/// that are not given keep their value.
///
/// # Safety
/// As for [`super::write_in`].
pub(super) unsafe fn write_record(ctype: &CType, data: *mut u8, value: Obj, room: Room) -> Res<()> {
    // SAFETY: as for `super::write_in`.
    unsafe {
        let details = ctype.record()?;
        let Some(details) = details else {
            return Err(raise!(
                TypeError,
                "'{}' is opaque{}",
                ctype.name,
                ctype.why_opaque()
            ));
        };
        if let Some(cdata) = as_cdata(value) {
            if std::ptr::eq(cdata.ctype(), ctype) {
                cdata.check_live()?;
                if cdata.data().is_null() {
                    return Err(crate::object::null_dereference(cdata));
                }
                std::ptr::copy(cdata.data(), data, ctype.size() as usize);
                return Ok(());
            }
        } else if details.sealed.is_some()
            && let Some(raised) = super::no_python_value(ctype)
        {
            return Err(raised);
        } else if is_list_or_tuple(value) {
            return write_by_position(ctype, details, data, value, room);
        } else if ffi::PyDict_Check(value) != 0 {
            return write_by_name(details, data, value, room);
        }
        let expected = "list or tuple or dict or struct-cdata";
        Err(wrong_initialiser(ctype, expected, value))
    }
}

/// Writes the items of a list or tuple to the fields that have a place for them.
///
/// # Safety
/// `data` is a record of the type, writable up to `room`; `value` is a live list or tuple.
unsafe fn write_by_position(
    ctype: &CType,
    details: &RecordDetails,
    data: *mut u8,
    value: Obj,
    room: Room,
) -> Res<()> {
    // SAFETY: `data` is a record of the type, writable up to `room`; `value` is a live list or tuple.
    unsafe {
        let length = sequence_length(value);
        let too_many = || {
            raise!(
                ValueError,
                "too many initializers for '{}' (got {length})",
                ctype.name
            )
        };
        let mut fields = details.positional();
        let mut index = 0;
        // The list may change while it is read: it is asked again for each item.
        while let Some(given) = many::item_at(value, index) {
            let Some(field) = fields.next() else {
                return Err(too_many());
            };
            write_initial_field(field, data, given.obj(), room)?;
            index += 1;
        }
        Ok(())
    }
}

/// Writes the values of a dict to the fields of its keys.
///
/// # Safety
/// `data` is a record of these fields, writable up to `room`; `value` is a live dict.
unsafe fn write_by_name(details: &RecordDetails, data: *mut u8, value: Obj, room: Room) -> Res<()> {
    // SAFETY: `value` is a live dict, and `data` is a record of these fields (the caller's contract). PyDict_Next gives
    // borrowed items and allows for a dict that has changed since the last step, but not during one: on a free-threaded
    // Python, where other threads may do that, it goes over a copy.
    unsafe {
        #[cfg(Py_GIL_DISABLED)]
        let copy = Ref::steal(ffi::PyDict_Copy(value))?;
        #[cfg(Py_GIL_DISABLED)]
        let value = copy.obj();
        let (mut position, mut key, mut given) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        while ffi::PyDict_Next(value, &mut position, &mut key, &mut given) != 0 {
            // Conversions may run Python code that changes the dict: key and value are held meanwhile.
            let (key, given) = (Ref::borrow(key), Ref::borrow(given));
            let field = if key.live().is_str() {
                details.field(key.live())
            } else {
                None
            };
            let Some(field) = field else {
                ffi::PyErr_SetObject(ffi::PyExc_KeyError, key.obj());
                return Err(Raised::already());
            };
            write_initial_field(field, data, given.obj(), room)?;
        }
        Ok(())
    }
}

/// Writes a field as part of its record's initialiser. Here (not in an assignment to the field) a flexible array
/// may be given as a number of items, which writes nothing.
///
/// # Safety
/// `record` is one that has the field, writable up to `room`; `value` is live.
unsafe fn write_initial_field(
    field: &FieldInfo,
    record: *mut u8,
    value: Obj,
    room: Room,
) -> Res<()> {
    // SAFETY: `record` is one that has the field, writable up to `room`; `value` is live.
    unsafe {
        if field.is_bit_field() {
            return bits::write_bit_field(field, record, value);
        }
        if field.flexible && !is_list_or_tuple(value) {
            initialiser_length(field.ctype.item(), value)?;
            if is_count(value) {
                return Ok(());
            }
        }
        write_in(&field.ctype, record.offset(field.offset), value, room)
    }
}
