//! Pointers.

use super::{Lvalue, wrong_initialiser};
use crate::ctype::{CType, Code, Kind};
use crate::object::{CData, function_object};
use crate::py::{Live, Raised, Res};
use crate::raise;

/// The address that `value` stands for as an initialiser of pointer type `ctype`: a pointer of the same type, an array
/// of the same items, `void *` from and to everything, `char *` from and to pointers to single bytes.
#[inline]
pub fn to_address(ctype: &CType, value: Live) -> Res<*mut u8> {
    let Some(cdata) = CData::of(value) else {
        return from_other(ctype, value);
    };
    if std::ptr::eq(cdata.ctype(), ctype) {
        return address_of(cdata);
    }
    from_different(ctype, cdata, value)
}

/// The address that a pointer or an array is. What was released has none: NULL would be a silent wrong value.
#[inline(always)]
pub(super) fn address_of(cdata: &CData) -> Res<*mut u8> {
    let address = cdata.data();
    if address.is_null() || cdata.viewed().is_some() {
        cdata.check_live()?;
    }
    Ok(address)
}

/// [`address_of`] of what cannot have been released: `None` where that has to be asked.
#[inline(always)]
pub(super) fn live_address(cdata: &CData) -> Option<*mut u8> {
    let address = cdata.data();
    (!address.is_null() && cdata.viewed().is_none()).then_some(address)
}

/// Writes a pointer.
#[inline]
pub(super) fn write_pointer(place: Lvalue, value: Live) -> Res<()> {
    place.put(to_address(place.ctype(), value)?);
    Ok(())
}

/// Of something that is no cdata: the `lib.function` objects of plugins stand for their address.
#[inline(never)]
fn from_other(ctype: &CType, value: Live) -> Res<*mut u8> {
    if let Some((function, address)) = function_object(value)? {
        if std::ptr::eq(&*function, ctype) || ctype.is_void_pointer() {
            return Ok(address);
        }
        if ctype.item().code == Code::Char {
            return Err(to_char_pointer());
        }
        return Err(raise!(
            TypeError,
            "initializer for ctype '{}' must be a pointer to same type, not cdata '{}'",
            ctype.name,
            function.name
        ));
    }
    Err(wrong_initialiser(ctype, "cdata pointer", value))
}

#[cold]
fn to_char_pointer() -> Raised {
    raise!(
        TypeError,
        "implicit cast to 'char *' from a different pointer type.(check that the types are as you expect; use an explicit \
         ffi.cast() if they are correct)"
    )
}

/// Of a pointer or array of another type: what C converts by itself, and CFFI too.
#[inline(never)]
fn from_different(ctype: &CType, cdata: &CData, value: Live) -> Res<*mut u8> {
    let given = cdata.ctype();
    if !given.is_pointer_or_array() {
        return Err(wrong_initialiser(ctype, "pointer or array", value));
    }
    let (to, from) = (ctype.item(), given.item());
    let same_items = given.kind == Kind::Array && std::ptr::eq(to, from);
    let is_void = |item: &CType| item.kind == Kind::Void;
    if same_items || is_void(to) || (is_void(from) && given.kind == Kind::Pointer) {
        return address_of(cdata);
    }
    let is_char = |item: &CType| item.code == Code::Char;
    if is_char(to) || is_char(from) {
        // C does not, but CFFI always did: pointers to single bytes are as good as each other.
        if to.size() == 1 && from.size() == 1 {
            return address_of(cdata);
        }
        return Err(if is_char(to) {
            to_char_pointer()
        } else {
            raise!(
                TypeError,
                "implicit cast from 'char *' to a different pointer type: (check that the types are as you expect; \
                 use an explicit ffi.cast() if they are correct)"
            )
        });
    }
    Err(wrong_initialiser(ctype, "pointer to same type", value))
}

/// Whether an array of these takes a bytes object, byte for item: `char`, the one-byte integers, `_Bool`.
pub(crate) fn takes_bytes(item: &CType) -> bool {
    matches!(item.code, Code::Char | Code::I8 | Code::U8 | Code::Bool)
}
