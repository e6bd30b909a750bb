//! `ffi.cast()`.

use pyo3::ffi;

use crate::convert::argument::is_file;
use crate::convert::{character, integer, no_python_value, put, read, real};
use crate::ctype::{CType, Code, Kind};
use crate::object::{CData, as_cdata, new_plain, new_value};
use crate::py::{Live, Obj, Ref, Res};
use crate::raise;

/// `ffi.cast(ctype, value)`: C's conversion to an arithmetic type, an enum or a pointer. (To an array of known length:
/// the same as to a pointer.)
///
/// # Safety
/// `value` is live.
pub unsafe fn cast(ctype: &CType, value: Obj) -> Res<Ref<CData>> {
    // SAFETY: `value` is live (the caller's contract), which is all that the conversions ask for; `made` is a new cdata of
    // this type, so its data has room for the bits of a value.
    unsafe {
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
                put(made.data(), bits);
                Ok(made)
            }
            _ => {
                let bits: u64 = integer_bits(ctype, value)?;
                let made = new_value(ctype)?;
                integer::write_wrapped(ctype, made.data(), bits)?;
                Ok(made)
            }
        }
    }
}

/// The address of a cast to a pointer.
///
/// # Safety
/// `value` is live.
unsafe fn address(ctype: &CType, value: Obj) -> Res<*mut u8> {
    // SAFETY: `value` is live.
    unsafe {
        if let Some(cdata) = as_cdata(value) {
            if cdata.ctype().is_pointer_or_array() {
                return Ok(cdata.data());
            }
        } else if let Some(address) = crate::object::function_address(Live::new(value)) {
            return Ok(address);
        } else if is_file(ctype.item())
            && let Some(stream) = crate::convert::file::stream(value)?
        {
            return Ok(stream.cast());
        }
        Ok(integer::wrapping_u64(value)? as usize as *mut u8)
    }
}

/// What a cast makes of integers: as many bits as its result can use.
trait Bits: From<u64> {
    /// Of a value in C memory.
    fn of_number(number: i128) -> Self;
    /// # Safety
    /// As [`integer::wrapping_u64`].
    unsafe fn of_object(value: Obj) -> Res<Self>;
}

impl Bits for u64 {
    fn of_number(number: i128) -> Self {
        number as u64
    }
    unsafe fn of_object(value: Obj) -> Res<Self> {
        // SAFETY: `value` is live (the contract of `Bits::of_object`).
        unsafe { integer::wrapping_u64(value) }
    }
}

impl Bits for u128 {
    fn of_number(number: i128) -> Self {
        number as u128
    }
    unsafe fn of_object(value: Obj) -> Res<Self> {
        // SAFETY: `value` is live (the contract of `Bits::of_object`).
        unsafe { integer::wrapping_u128(value) }
    }
}

/// The bits of a cast to an integer, character or enum; for `_Bool`, whether they are zero counts.
///
/// # Safety
/// `value` is live.
unsafe fn integer_bits<T: Bits>(ctype: &CType, value: Obj) -> Res<T> {
    // SAFETY: `value` is live.
    unsafe {
        if let Some(cdata) = as_cdata(value) {
            if cdata.ctype().is_pointer_or_array() {
                return Ok((cdata.data() as usize as u64).into());
            }
            if ctype.code == Code::Bool && matches!(cdata.ctype().code, Code::I128 | Code::U128) {
                let number = integer::read_integer(cdata.ctype(), cdata.data());
                return Ok(u64::from(number != Some(0)).into());
            }
            if let Some(number) = integer::read_integer(cdata.ctype(), cdata.data()) {
                return Ok(T::of_number(number));
            }
        } else if let Some(address) = crate::object::function_address(Live::new(value)) {
            return Ok((address as usize as u64).into());
        }
        match character::code_of_text(value) {
            Some(Ok(code)) => return Ok(u64::from(code).into()),
            Some(Err(length)) => {
                return Err(if ffi::PyUnicode_Check(value) != 0 {
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
}

/// Whether a number is not zero, as C's conversion to `_Bool` sees it: 0.5 is true.
///
/// # Safety
/// `value` is live.
unsafe fn truth(value: Obj) -> Res<bool> {
    // SAFETY: `value` is live.
    unsafe {
        if let Some(cdata) = as_cdata(value) {
            match cdata.ctype().code {
                code @ (Code::F32 | Code::F64) => {
                    return Ok(real::read_f64(code, cdata.data()) != 0.0);
                }
                Code::LongDouble => return Ok(!real::long_double_is_zero(cdata.data())),
                // The type is not that of a number. This call raises the TypeError that a cast to an integer raises.
                _ => {
                    integer::wrapping_u64(value)?;
                }
            }
        }
        if ffi::PyFloat_Check(value) != 0 {
            return Ok(real::to_f64(value)? != 0.0);
        }
        if ffi::PyLong_Check(value) != 0 {
            return Ok(ffi::PyObject_IsTrue(value) == 1);
        }
        // Like CFFI, `__float__` before `__int__`, so that an object worth 0.5 is true; and without PyNumber_Float()'s and
        // PyNumber_Long()'s own errors, because CFFI has a text of its own for a result of the wrong type.
        let number = (*ffi::Py_TYPE(value)).tp_as_number;
        let convert = match number.as_ref() {
            Some(number) if as_cdata(value).is_none() => number.nb_float.or(number.nb_int),
            Some(number) => number.nb_int,
            None => None,
        };
        let Some(convert) = convert else {
            return Err(raise!(TypeError, "integer/float expected"));
        };
        let converted = Ref::steal(convert(value))?;
        if ffi::PyFloat_Check(converted.obj()) != 0 {
            Ok(real::to_f64(converted.obj())? != 0.0)
        } else if converted.live().is_int() {
            Ok(ffi::PyObject_IsTrue(converted.obj()) == 1)
        } else {
            Err(raise!(TypeError, "integer/float conversion failed"))
        }
    }
}

/// The cdata of a cast to a floating or complex type.
///
/// # Safety
/// `value` is live.
unsafe fn to_real(ctype: &CType, value: Obj) -> Res<Ref<CData>> {
    // SAFETY: `value` is live.
    unsafe {
        let mut number = Ref::borrow(value);
        if let Some(cdata) = as_cdata(value) {
            let from = cdata.ctype();
            if !matches!(from.kind, Kind::Primitive | Kind::Enum) {
                return Err(raise!(
                    TypeError,
                    "cannot cast ctype '{}' to ctype '{}'",
                    from.name,
                    ctype.name
                ));
            }
            number = read(from, cdata.data())?;
        }
        match character::code_of_text(number.obj()) {
            Some(Ok(code)) => number = Ref::steal(ffi::PyLong_FromUnsignedLong(code.into()))?,
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
            number = Ref::steal(ffi::PyNumber_Float(number.obj()))?;
        }
        let made = new_value(ctype)?;
        real::write_cast(ctype, made.data(), number.obj())?;
        Ok(made)
    }
}
