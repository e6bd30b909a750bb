//! `s.field`, `s.field = value`, `dir(s)`.

use pyo3::ffi;

use crate::convert::{Room, read, read_bit_field, write_bit_field, write_in};
use crate::ctype::{Access, CType, Code, FieldInfo, Kind, pointer_to};
use crate::object::{CData, new_inner, new_plain, null_dereference};
use crate::py::{Obj, Raised, Ref, Res, small_long_value, str_text};
use crate::raise;

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

/// Where in memory the field is that an interned name names, with what is known of it. `None`: none found so, or there is
/// something to complain about; then [`field_of`] tells.
#[inline(always)]
fn access_of(cdata: &CData, name: Obj) -> Option<(&Access, *mut u8)> {
    let ctype = cdata.ctype();
    let record = if ctype.code == Code::Pointer {
        ctype.item()
    } else {
        if cdata.shows_released() {
            return None;
        }
        ctype
    };
    let access = record.known_record()?.access(name)?;
    // Also that of a released cdata.
    let data = cdata.data();
    if data.is_null() {
        return None;
    }
    Some((access, data.wrapping_offset(access.offset)))
}

/// The field of a name, if the cdata has fields and one of that name.
///
/// # Safety
/// `name` is live.
unsafe fn field_of(cdata: &CData, name: Obj) -> Res<Option<&FieldInfo>> {
    let Some(record) = record_of(cdata) else {
        return Ok(None);
    };
    let Some(details) = record.record()? else {
        return Ok(None);
    };
    // SAFETY: the caller's contract; attribute names are str.
    let field = unsafe {
        if ffi::PyUnicode_Check(name) != 0 {
            details.field(name)
        } else {
            None
        }
    };
    if field.is_some() {
        if cdata.data().is_null() {
            return Err(null_dereference(cdata));
        }
        cdata.check_live()?;
    }
    Ok(field)
}

/// The body of tp_getattro: fields first, because they are what programs ask for.
///
/// # Safety
/// `name` is live.
#[inline(always)]
pub(super) unsafe fn get(cdata: &CData, name: Obj) -> Res<Ref> {
    // SAFETY: the caller's contract; a record's memory is readable over its whole size.
    unsafe {
        if let Some((access, data)) = access_of(cdata, name)
            && access.scalar.is_some()
        {
            return match access.scalar {
                Some(Code::F64) => {
                    Ref::steal(ffi::PyFloat_FromDouble(data.cast::<f64>().read_unaligned()))
                }
                Some(Code::I32) => Ref::steal(ffi::PyLong_FromLong(
                    data.cast::<i32>().read_unaligned().into(),
                )),
                _ => read(access.ctype(), data),
            };
        }
        get_slowly(cdata, name)
    }
}

/// Structs, arrays, bit-fields, methods, and everything that raises.
#[inline(never)]
unsafe fn get_slowly(cdata: &CData, name: Obj) -> Res<Ref> {
    // SAFETY: as in `get`.
    unsafe {
        if let Some(field) = field_of(cdata, name)? {
            return read_field(cdata, field);
        }
        let found = ffi::PyObject_GenericGetAttr(cdata.obj(), name);
        if found.is_null() {
            return Err(no_attribute(cdata, name, "read"));
        }
        Ref::steal(found)
    }
}

#[inline]
unsafe fn read_field(cdata: &CData, field: &FieldInfo) -> Res<Ref> {
    // SAFETY: the record of the field is at the cdata's data.
    unsafe {
        if field.is_bit_field() {
            return read_bit_field(field, cdata.data());
        }
        let data = cdata.data().offset(field.offset);
        if field.flexible && cdata.length.get() >= 0 {
            // What the owner allocated says how many items there are.
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
        read(&field.ctype, data)
    }
}

/// The body of tp_setattro; `value` NULL is a deletion.
///
/// # Safety
/// `name` is live, `value` live or NULL.
#[inline(always)]
pub(super) unsafe fn set(cdata: &CData, name: Obj, value: Obj) -> Res<()> {
    // SAFETY: the caller's contract; a record's memory is writable over its whole size, or what the owner allocated.
    unsafe {
        if !value.is_null()
            && let Some((access, data)) = access_of(cdata, name)
        {
            match access.scalar {
                Some(Code::F64) if ffi::PyFloat_CheckExact(value) != 0 => {
                    let value = (*value.cast::<ffi::PyFloatObject>()).ob_fval;
                    data.cast::<f64>().write_unaligned(value);
                    return Ok(());
                }
                Some(Code::I32) => {
                    // One digit: fits.
                    if let Some(value) = small_long_value(value) {
                        data.cast::<i32>().write_unaligned(value as i32);
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        set_slowly(cdata, name, value)
    }
}

/// Everything but the most common numbers, and all that raises.
#[inline(never)]
unsafe fn set_slowly(cdata: &CData, name: Obj, value: Obj) -> Res<()> {
    // SAFETY: as in `set`.
    unsafe {
        if let Some(field) = field_of(cdata, name)? {
            if value.is_null() {
                return Err(raise!(AttributeError, "cannot delete struct field"));
            }
            if field.is_bit_field() {
                return write_bit_field(field, cdata.data(), value);
            }
            let room = if cdata.length.get() >= 0 {
                Room::until(cdata.data().offset(cdata.length.get()))
            } else {
                Room::UNKNOWN
            };
            return write_in(&field.ctype, cdata.data().offset(field.offset), value, room);
        }
        if ffi::PyObject_GenericSetAttr(cdata.obj(), name, value) < 0 {
            return Err(no_attribute(cdata, name, "write"));
        }
        Ok(())
    }
}

/// Words the AttributeError that the generic look-up set in terms of C; leaves other exceptions.
#[cold]
#[inline(never)]
unsafe fn no_attribute(cdata: &CData, name: Obj, access: &str) -> Raised {
    let raised = Raised::already();
    // SAFETY: the caller's contract.
    unsafe {
        if let Err(other) = raised.clear_if(ffi::PyExc_AttributeError) {
            return other;
        }
        let name = match str_text(name) {
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
                    "cdata '{ctype}' points to an opaque type: cannot {access} fields"
                )
            }
            Some(Ok(Some(_))) => raise!(AttributeError, "cdata '{ctype}' has no field '{name}'"),
            Some(Err(raised)) => raised,
            None => raise!(AttributeError, "cdata '{ctype}' has no attribute '{name}'"),
        }
    }
}

/// The fields' names: what `dir()` lists.
pub(super) fn names(cdata: &CData) -> Res<Ref> {
    let details = match record_of(cdata) {
        Some(record) => record.record()?,
        None => None,
    };
    // SAFETY: a fresh list, live names.
    unsafe {
        let list = Ref::steal(ffi::PyList_New(0))?;
        for field in details.map_or(&[][..], |details| &details.flat) {
            if ffi::PyList_Append(list.obj(), field.name.obj()) < 0 {
                return Err(Raised::already());
            }
        }
        Ok(list)
    }
}
