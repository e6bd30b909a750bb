//! `ffi.cast()`.

use crate::convert::argument::is_file;
use crate::convert::{Lvalue, character, integer, no_python_value, read, real};
use crate::ctype::{CType, Code, Kind};
use crate::object::{CData, function_address, new_plain, new_value};
use crate::py::{Live, Ref, Res, make};
use crate::raise;

/// `ffi.cast(ctype, value)`: C's conversion to an arithmetic type, an enum or a pointer. (To an array of known length:
/// the same as to a pointer.)
pub fn cast(ctype: &CType, value: Live) -> Res<Ref<CData>> {
    match ctype.code {
        Code::Pointer => new_plain(ctype, address(ctype, value)?, -1),
        Code::Array if ctype.length >= 0 => new_plain(ctype, address(ctype, value)?, -1),
        Code::Array | Code::Record | Code::Function | Code::Void => {
            ctype.record()?;
            Err(no_python_value(ctype)
                .unwrap_or_else(|| raise!(TypeError, "cannot cast to ctype '{}'", ctype.name)))
        }
        Code::F32
        | Code::F64
        | Code::LongDouble
        | Code::ComplexF32
        | Code::ComplexF64
        | Code::ComplexLongDouble => to_real(ctype, value),
        Code::I128 | Code::U128 => {
            let bits: u128 = integer_bits(ctype, value)?;
            let made = new_value(ctype)?;
            Lvalue::in_cdata(&made).put(bits);
            Ok(made)
        }
        _ => {
            let bits: u64 = integer_bits(ctype, value)?;
            let made = new_value(ctype)?;
            integer::write_wrapped(Lvalue::in_cdata(&made), bits)?;
            Ok(made)
        }
    }
}

/// The address of a cast to a pointer.
fn address(ctype: &CType, value: Live) -> Res<*mut u8> {
    if let Some(cdata) = CData::of(value) {
        if cdata.ctype().is_pointer_or_array() {
            return Ok(cdata.data());
        }
    } else if let Some(address) = function_address(value) {
        return Ok(address);
    } else if is_file(ctype.item())
        && let Some(stream) = crate::convert::file::stream(value)?
    {
        return Ok(stream.cast());
    }
    Ok(integer::wrapping_u64(value)? as usize as *mut u8)
}

/// What a cast makes of integers: as many bits as its result can use.
trait Bits: From<u64> {
    /// Of a value in C memory.
    fn of_number(number: i128) -> Self;
    /// Of an object.
    fn of_object(value: Live) -> Res<Self>;
}

impl Bits for u64 {
    fn of_number(number: i128) -> Self {
        number as u64
    }
    fn of_object(value: Live) -> Res<Self> {
        integer::wrapping_u64(value)
    }
}

impl Bits for u128 {
    fn of_number(number: i128) -> Self {
        number as u128
    }
    fn of_object(value: Live) -> Res<Self> {
        integer::wrapping_u128(value)
    }
}

/// The bits of a cast to an integer, character or enum; for `_Bool`, whether they are zero counts.
fn integer_bits<T: Bits>(ctype: &CType, value: Live) -> Res<T> {
    if let Some(cdata) = CData::of(value) {
        if cdata.ctype().is_pointer_or_array() {
            return Ok((cdata.data() as usize as u64).into());
        }
        if ctype.code == Code::Bool && matches!(cdata.ctype().code, Code::I128 | Code::U128) {
            let number = integer::read_integer(Lvalue::in_cdata(cdata));
            return Ok(u64::from(number != Some(0)).into());
        }
        if let Some(number) = integer::read_integer(Lvalue::in_cdata(cdata)) {
            return Ok(T::of_number(number));
        }
    } else if let Some(address) = function_address(value) {
        return Ok((address as usize as u64).into());
    }
    match character::code_of_text(value) {
        Some(Ok(code)) => return Ok(u64::from(code).into()),
        Some(Err(length)) => {
            return Err(if value.is_str() {
                raise!(
                    TypeError,
                    "cannot cast unicode string of length {length} to ctype '{}'",
                    ctype.name
                )
            } else {
                raise!(
                    TypeError,
                    "initializer for ctype 'char' must be a bytes of length 1, not bytes"
                )
            });
        }
        None => {}
    }
    if ctype.code == Code::Bool {
        return Ok(u64::from(truth(value)?).into());
    }
    T::of_object(value)
}

/// Whether a number is not zero, as C's conversion to `_Bool` sees it: 0.5 is true.
fn truth(value: Live) -> Res<bool> {
    if let Some(cdata) = CData::of(value) {
        match cdata.ctype().code {
            Code::F32 | Code::F64 => {
                return Ok(real::read_f64(Lvalue::in_cdata(cdata)) != 0.0);
            }
            Code::LongDouble => return Ok(!real::long_double_is_zero(Lvalue::in_cdata(cdata))),
            // The type is not that of a number. This call raises the TypeError that a cast to an integer raises.
            _ => {
                integer::wrapping_u64(value)?;
            }
        }
    }
    if value.is_float() {
        return Ok(value.to_f64()? != 0.0);
    }
    if value.is_int() {
        return value.is_true();
    }
    // Like CFFI, `__float__` before `__int__`, so that an object worth 0.5 is true; and without PyNumber_Float()'s and
    // PyNumber_Long()'s own errors, because CFFI has a text of its own for a result of the wrong type.
    // SAFETY: the type of a live object, whose slots are NULL or valid.
    let number = unsafe { (*value.class()).tp_as_number.as_ref() };
    let convert = match number {
        Some(number) if CData::of(value).is_none() => number.nb_float.or(number.nb_int),
        Some(number) => number.nb_int,
        None => None,
    };
    let Some(convert) = convert else {
        return Err(raise!(TypeError, "integer/float expected"));
    };
    // SAFETY: the slot of the object's own type, which returns a new reference, or NULL with an exception.
    let converted: Ref = unsafe { Ref::steal(convert(value.ptr())) }?;
    let converted = converted.live();
    if converted.is_float() {
        Ok(converted.to_f64()? != 0.0)
    } else if converted.is_int() {
        converted.is_true()
    } else {
        Err(raise!(TypeError, "integer/float conversion failed"))
    }
}

/// The cdata of a cast to a floating or complex type.
fn to_real(ctype: &CType, value: Live) -> Res<Ref<CData>> {
    let mut number = value.to_ref();
    if let Some(cdata) = CData::of(value) {
        let from = cdata.ctype();
        if !matches!(from.kind, Kind::Primitive | Kind::Enum) {
            return Err(raise!(
                TypeError,
                "cannot cast ctype '{}' to ctype '{}'",
                from.name,
                ctype.name
            ));
        }
        number = read(Lvalue::in_cdata(cdata))?;
    }
    match character::code_of_text(number.live()) {
        Some(Ok(code)) => number = make::int_from_u64(code.into())?,
        Some(Err(_)) => {
            let given = number.live().type_name();
            return Err(raise!(
                TypeError,
                "cannot cast {given} object to ctype '{}'",
                ctype.name
            ));
        }
        None => {}
    }
    if ctype.code == Code::LongDouble && number.live().is_int() {
        // In CFFI a cast to any floating type goes through a double, and so here.
        number = number.live().to_float()?;
    }
    let made = new_value(ctype)?;
    real::write_cast(Lvalue::in_cdata(&made), number.live())?;
    Ok(made)
}
