//! `s.field`, `s.field = value`, `dir(s)`.

use pyo3::ffi;

use crate::convert::{Lvalue, Room, read, read_bit_field, write_bit_field, write_in};
use crate::ctype::{Access, CType, Code, FieldInfo, Kind, RecordDetails, pointer_to};
use crate::object::{CData, TYPES, new_inner, new_plain, null_dereference};
use crate::py::{Live, Raised, Ref, Res, make};
use crate::{exception, raise};

/// The struct or union whose fields the cdata has: its own, or what it points to.
#[inline]
fn record_of(cdata: &CData) -> Option<&CType> {
    let ctype = cdata.ctype();
    if ctype.is_record() {
        return Some(ctype);
    }
    if ctype.kind == Kind::Pointer && ctype.item().is_record() {
        return Some(ctype.item());
    }
    None
}

/// Whether it is a struct or union whose memory may have been given back.
#[inline(always)]
fn may_be_released(cdata: &CData) -> bool {
    cdata.ctype().code != Code::Pointer && TYPES.can_be_released(cdata.python_type())
}

/// Where in memory the field is that an interned name names, with what is known of it. `None`: none found so, or there is
/// something to complain about; then [`field_of`] tells. The cdata does not show memory that was given back.
#[inline(always)]
fn access_of<'a>(cdata: &'a CData, name: Live) -> Option<(&'a Access, Lvalue<'a>)> {
    let ctype = cdata.ctype();
    let record = if ctype.code == Code::Pointer {
        ctype.item()
    } else {
        ctype
    };
    let access = record.known_record()?.access(name.ptr())?;
    // A cdata that was released has the address NULL too.
    let data = cdata.data();
    if data.is_null() {
        return None;
    }
    // SAFETY: a field of the record that is there: a record's memory is readable and writable over its whole size.
    let place = unsafe { Lvalue::new(access.ctype(), data.wrapping_offset(access.offset)) };
    Some((access, place))
}

/// The record whose fields a cdata has, which was found to be there.
#[inline]
fn record_in(cdata: &CData) -> Lvalue<'_> {
    let record = record_of(cdata).unwrap_or(cdata.ctype());
    // SAFETY: a record's memory is readable and writable over its whole size, or over what the owner allocated.
    unsafe { Lvalue::new(record, cdata.data()) }
}

/// The field of a name, if the cdata has fields and one of that name.
fn field_of<'a>(cdata: &'a CData, name: Live) -> Res<Option<&'a FieldInfo>> {
    let Some(record) = record_of(cdata) else {
        return Ok(None);
    };
    let Some(details) = record.record()? else {
        return Ok(None);
    };
    let field = details.field(name);
    if field.is_some() {
        if cdata.data().is_null() {
            return Err(null_dereference(cdata));
        }
        cdata.check_live()?;
    }
    Ok(field)
}

/// The body of tp_getattro: fields first, because they are what programs ask for.
#[inline(always)]
pub(super) fn get(cdata: &CData, name: Live) -> Res<Ref> {
    if may_be_released(cdata) {
        return get_if_live(cdata, name);
    }
    get_live(cdata, name)
}

/// [`get`] for what may have been given back: not in line, so that the others do not pay for the look.
#[inline(never)]
fn get_if_live(cdata: &CData, name: Live) -> Res<Ref> {
    if cdata.shows_released() {
        return get_slowly(cdata, name);
    }
    get_live(cdata, name)
}

/// [`get`] for what has not been given back.
#[inline(always)]
fn get_live(cdata: &CData, name: Live) -> Res<Ref> {
    if let Some((access, place)) = access_of(cdata, name)
        && let Some(code) = access.scalar
    {
        return match code {
            Code::F64 => make::float(place.get()),
            Code::I32 => make::int_from_long(place.get::<i32>().into()),
            _ => read(place),
        };
    }
    get_slowly(cdata, name)
}

/// [`get`] for structs, arrays, bit-fields and methods, and for everything that raises.
#[inline(never)]
fn get_slowly(cdata: &CData, name: Live) -> Res<Ref> {
    if let Some(field) = field_of(cdata, name)? {
        return read_field(cdata, field);
    }
    // SAFETY: live objects.
    let found = unsafe { Ref::steal(ffi::PyObject_GenericGetAttr(cdata.obj(), name.ptr())) };
    found.map_err(|raised| no_attribute(raised, cdata, name, "read"))
}

/// The value of a field.
#[inline]
fn read_field(cdata: &CData, field: &FieldInfo) -> Res<Ref> {
    let record = record_in(cdata);
    if field.is_bit_field() {
        return read_bit_field(field, record);
    }
    let (place, data) = (record.field(field), record.after(field.offset));
    if field.flexible && cdata.length.get() >= 0 {
        // How many items a flexible array has follows from what its owner allocated.
        let size = field.ctype.item().size();
        let room = (cdata.length.get() - field.offset).max(0);
        let length = if size > 0 { room / size } else { 0 };
        return Ok(new_inner(&field.ctype, data, length, cdata)?.into_obj());
    }
    if field.is_empty_array() {
        let pointer = pointer_to(field.ctype.item())?;
        return Ok(new_plain(&pointer, data, -1)?.into_obj());
    }
    if field.ctype.is_aggregate() {
        return Ok(new_inner(&field.ctype, data, -1, cdata)?.into_obj());
    }
    read(place)
}

/// The body of tp_setattro; `value` NULL is a deletion.
#[inline(always)]
pub(super) fn set(cdata: &CData, name: Live, value: Option<Live>) -> Res<()> {
    if let Some(value) = value
        && !(may_be_released(cdata) && cdata.shows_released())
        && let Some((access, place)) = access_of(cdata, name)
    {
        match access.scalar {
            Some(Code::F64) => {
                if let Some(value) = value.exact_float() {
                    place.put(value);
                    return Ok(());
                }
            }
            Some(Code::I32) => {
                // An int of one digit fits in 32 bits.
                if let Some(value) = value.small_int() {
                    place.put(value as i32);
                    return Ok(());
                }
            }
            _ => {}
        }
    }
    set_slowly(cdata, name, value)
}

/// [`set`] for everything but the most common numbers, and for everything that raises.
#[inline(never)]
fn set_slowly(cdata: &CData, name: Live, value: Option<Live>) -> Res<()> {
    let Some(field) = field_of(cdata, name)? else {
        let raw = value.map_or(std::ptr::null_mut(), Live::ptr);
        // SAFETY: live objects; a value that is NULL stands for a deletion.
        let set = unsafe { ffi::PyObject_GenericSetAttr(cdata.obj(), name.ptr(), raw) };
        return Raised::if_negative(set)
            .map_err(|raised| no_attribute(raised, cdata, name, "write"));
    };
    let Some(value) = value else {
        return Err(raise!(AttributeError, "cannot delete struct field"));
    };
    let record = record_in(cdata);
    if field.is_bit_field() {
        return write_bit_field(field, record, value);
    }
    let room = if cdata.length.get() >= 0 {
        Room::until(record.after(cdata.length.get()))
    } else {
        Room::UNKNOWN
    };
    write_in(record.field(field), value, room)
}

/// The AttributeError that the generic look-up raised, worded in terms of C; any other exception as it is.
#[cold]
#[inline(never)]
fn no_attribute(raised: Raised, cdata: &CData, name: Live, access: &str) -> Raised {
    if let Err(other) = raised.clear_if(exception!(AttributeError)) {
        return other;
    }
    let name = match name.text() {
        Ok(text) => text.unwrap_or("?").to_string(),
        Err(raised) => {
            raised.clear();
            "?".to_string()
        }
    };
    let ctype = &cdata.ctype().name;
    match record_of(cdata).map(CType::record) {
        Some(Ok(None)) => {
            raise!(
                AttributeError,
                "cdata '{ctype}' points to an opaque type{}: cannot {access} fields",
                cdata.ctype().why_opaque()
            )
        }
        Some(Ok(Some(&RecordDetails {
            sealed: Some(kind), ..
        }))) => {
            raise!(
                AttributeError,
                "cdata '{ctype}' has no field '{name}': it is {kind}"
            )
        }
        Some(Ok(Some(_))) => raise!(AttributeError, "cdata '{ctype}' has no field '{name}'"),
        Some(Err(raised)) => raised,
        None => raise!(AttributeError, "cdata '{ctype}' has no attribute '{name}'"),
    }
}

/// The fields' names: what `dir()` lists.
pub(super) fn names(cdata: &CData) -> Res<Ref> {
    let details = match record_of(cdata) {
        Some(record) => record.record()?,
        None => None,
    };
    let fields = details.map_or(&[][..], |details| details.flat());
    make::list(fields.iter().map(|field| Ok(field.name.clone())))
}
