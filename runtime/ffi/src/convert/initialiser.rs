//! Aggregates: what lists, tuples, dicts, bytes and str mean for arrays, structs and unions.

use super::pointer::takes_bytes;
use super::write::Room;
use super::{Lvalue, bits, character, many, write_in, wrong_initialiser};
use crate::ctype::{CType, Code, FieldInfo, RecordDetails};
use crate::object::{CData, null_dereference};
use crate::py::{Live, Raised, Res, Sequence};
use crate::{exception, raise};

/// How many items an array type of unknown length, or a flexible array member, gets from this initialiser: that of a
/// list or tuple; of bytes and str and their terminator; an int as it is.
pub fn initialiser_length(item: &CType, value: Live) -> Res<isize> {
    if let Some(sequence) = Sequence::of(value) {
        return Ok(sequence.len());
    }
    if let Some(bytes) = value.bytes() {
        return Ok(bytes.len() as isize + 1);
    }
    if value.is_str() {
        return Ok(character::length_in_wide(item.code, value) + 1);
    }
    if !value.is_index() {
        let given = value.type_name();
        return Err(raise!(
            TypeError,
            "expected new array length or list/tuple/str, not {given}"
        ));
    }
    let length = value.to_isize(exception!(OverflowError))?;
    if length < 0 {
        return Err(raise!(ValueError, "negative array length"));
    }
    Ok(length)
}

/// Whether an initialiser of an array of unknown length only says how many items it has.
pub(crate) fn is_count(value: Live) -> bool {
    Sequence::of(value).is_none() && !value.is_bytes() && !value.is_str() && value.is_index()
}

/// Bytes that a record needs for this initialiser: its size, or more for the items of a flexible array at its end.
pub fn initialiser_size(ctype: &CType, value: Live) -> Res<usize> {
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
    if let Some(sequence) = Sequence::of(value) {
        for (index, field) in details.positional().enumerate() {
            if reaching(field)
                && let Some(given) = sequence.item(index as isize)
            {
                needed = needed.max(end_of(field, given.live())?);
            }
        }
    } else if value.is_dict() {
        for field in details.flat().iter().filter(|field| reaching(field)) {
            if let Some(given) = value.dict_item(field.name.live())? {
                needed = needed.max(end_of(field, given.live())?);
            }
        }
    } else if !CData::of(value).is_some_and(|cdata| std::ptr::eq(cdata.ctype(), ctype)) {
        return Err(wrong_initialiser(ctype, "list or tuple or dict", value));
    }
    Ok(needed)
}

/// Bytes from the record's start to the end of this field with this value.
fn end_of(field: &FieldInfo, value: Live) -> Res<usize> {
    let inner = if field.flexible {
        let item = field.ctype.item();
        let length = initialiser_length(item, value)? as usize;
        item.known_size()?.checked_mul(length)
    } else {
        Some(initialiser_size(&field.ctype, value)?)
    };
    inner
        .and_then(|inner| inner.checked_add(field.offset as usize))
        .filter(|&end| end <= isize::MAX as usize)
        .ok_or_else(|| raise!(OverflowError, "array size would overflow a Py_ssize_t"))
}

/// Writes an array from a list, a tuple, bytes (items of one byte), a str (wide characters), a cdata of the same type.
pub(super) fn write_array(array: Lvalue, value: Live, room: Room) -> Res<()> {
    let (ctype, first) = (array.ctype(), array.first());
    let item = first.ctype();
    let capacity = if ctype.length >= 0 {
        Some(ctype.length)
    } else {
        room.items(array.data(), item.size())
    };
    let too_many = |length: isize| {
        raise!(
            IndexError,
            "too many initializers for '{}' (got {length})",
            ctype.name
        )
    };
    let fits = |length: isize| capacity.is_none_or(|capacity| length <= capacity);
    if let Some(sequence) = Sequence::of(value) {
        let length = sequence.len();
        if !fits(length) {
            return Err(too_many(length));
        }
        return many::write_sequence(first, sequence, length, room);
    }
    if takes_bytes(item)
        && let Some(bytes) = value.bytes()
    {
        return write_bytes(array, capacity, bytes);
    }
    if matches!(item.code, Code::Char16 | Code::Char32) && value.is_str() {
        let length = character::length_in_wide(item.code, value);
        if !fits(length) {
            return Err(raise!(
                IndexError,
                "initializer unicode is too long for '{}' (got {length} characters)",
                ctype.name
            ));
        }
        character::write_wide_text(first, value);
        if capacity != Some(length) {
            match item.code {
                Code::Char16 => first.nth(length).put(0u16),
                _ => first.nth(length).put(0u32),
            }
        }
        return Ok(());
    }
    if let Some(cdata) = CData::of(value)
        && std::ptr::eq(cdata.ctype(), ctype)
    {
        let length = cdata.array_length();
        if !fits(length) {
            return Err(too_many(length));
        }
        if cdata.data().is_null() {
            return Err(null_dereference(cdata));
        }
        array.copy_from(cdata.data(), (length * item.size()) as usize);
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

/// Writes bytes and, where there is room, a terminator.
fn write_bytes(array: Lvalue, capacity: Option<isize>, bytes: &[u8]) -> Res<()> {
    let ctype = array.ctype();
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
    array.put_bytes(0, bytes);
    if capacity != Some(length) {
        array.put_bytes(bytes.len(), &[0]);
    }
    Ok(())
}

/// Writes a struct or union from a list or tuple (by position), a dict (by name), a cdata of the same type. Fields
/// that are not given keep their value.
pub(super) fn write_record(record: Lvalue, value: Live, room: Room) -> Res<()> {
    let ctype = record.ctype();
    let details = ctype.record()?;
    let Some(details) = details else {
        return Err(raise!(
            TypeError,
            "'{}' is opaque{}",
            ctype.name,
            ctype.why_opaque()
        ));
    };
    if let Some(cdata) = CData::of(value) {
        if std::ptr::eq(cdata.ctype(), ctype) {
            cdata.check_live()?;
            if cdata.data().is_null() {
                return Err(null_dereference(cdata));
            }
            record.copy_from(cdata.data(), ctype.size() as usize);
            return Ok(());
        }
    } else if details.sealed.is_some()
        && let Some(raised) = super::no_python_value(ctype)
    {
        return Err(raised);
    } else if let Some(sequence) = Sequence::of(value) {
        return write_by_position(record, details, sequence, room);
    } else if value.is_dict() {
        return write_by_name(record, details, value, room);
    }
    let expected = "list or tuple or dict or struct-cdata";
    Err(wrong_initialiser(ctype, expected, value))
}

/// Writes the items of a list or tuple to the fields that have a place for them.
fn write_by_position(
    record: Lvalue,
    details: &RecordDetails,
    sequence: Sequence,
    room: Room,
) -> Res<()> {
    let length = sequence.len();
    let too_many = || {
        raise!(
            ValueError,
            "too many initializers for '{}' (got {length})",
            record.ctype().name
        )
    };
    let mut fields = details.positional();
    let mut index = 0;
    // The list may change while it is read: it is asked again for each item.
    while let Some(given) = sequence.item(index) {
        let Some(field) = fields.next() else {
            return Err(too_many());
        };
        write_initial_field(record, field, given.live(), room)?;
        index += 1;
    }
    Ok(())
}

/// Writes the values of a dict to the fields of its keys.
fn write_by_name(record: Lvalue, details: &RecordDetails, value: Live, room: Room) -> Res<()> {
    // Conversions may run Python code that changes the dict.
    for (key, given) in value.dict_items()? {
        let field = if key.live().is_str() {
            details.field(key.live())
        } else {
            None
        };
        let Some(field) = field else {
            return Err(Raised::with(exception!(KeyError), key.live()));
        };
        write_initial_field(record, field, given.live(), room)?;
    }
    Ok(())
}

/// Writes a field as part of its record's initialiser. Here (not in an assignment to the field) a flexible array
/// may be given as a number of items, which writes nothing.
fn write_initial_field(record: Lvalue, field: &FieldInfo, value: Live, room: Room) -> Res<()> {
    if field.is_bit_field() {
        return bits::write_bit_field(field, record, value);
    }
    if field.flexible && Sequence::of(value).is_none() {
        initialiser_length(field.ctype.item(), value)?;
        if is_count(value) {
            return Ok(());
        }
    }
    write_in(record.field(field), value, room)
}
