//! The variadic part of a call: its arguments are cdata, whose types say how they are passed after C's default argument
//! promotions (C11 6.5.2.2).

use std::sync::{Arc, Mutex, PoisonError};

use super::foreign::Cif;
use super::place::Place;
use super::registers::Registers;
use crate::convert::argument::{Parameter, widen};
use crate::ctype::Code;
use crate::object::as_cdata;
use crate::py::{Live, Obj, Res};
use crate::raise;

/// What is prepared for a variadic signature.
pub(super) struct Variadic {
    /// The named parameters, if they fit in registers.
    pub(super) registers: Option<Registers>,
    /// Signatures met already that went through libffi.
    cache: Mutex<Vec<(Codes, Arc<Cif>)>>,
}

/// How the arguments of a variadic part are held.
type Codes = Box<[Code]>;

/// How many signatures are kept for one function type.
const MOST_KEPT: usize = 32;
/// Variadic arguments that may go in registers: there aren't more of them.
pub(super) const MOST_PLACES: usize = 16;

impl Variadic {
    pub(super) fn new(registers: Option<Registers>) -> Self {
        Self {
            registers,
            cache: Mutex::default(),
        }
    }

    /// The signature for libffi, whose first `fixed` parameters are named. Those without aggregates are kept: what
    /// libffi needs to know of the variadic part is in its codes.
    pub(super) fn cif(
        &self,
        result: &Parameter,
        params: &[Parameter],
        fixed: usize,
    ) -> Res<Arc<Cif>> {
        let make = || Ok(Arc::new(Cif::new(result, params, Some(fixed))?));
        let extra = &params[fixed..];
        if extra.iter().any(|param| param.code == Code::Record) {
            return make();
        }
        let key: Codes = extra.iter().map(|param| param.code).collect();
        let lock = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cif)) = lock().iter().find(|(codes, _)| *codes == key) {
            return Ok(cif.clone());
        }
        let cif = make()?;
        let mut cache = lock();
        if cache.len() >= MOST_KEPT {
            cache.remove(0);
        }
        cache.push((key, cif.clone()));
        Ok(cif)
    }
}

/// How an argument of the variadic part is passed, and its slot. `index` counts all arguments, for messages.
///
/// The type is that of the cdata before promotion: only an aggregate's is looked at later, which has none.
///
/// # Safety
/// `value` is live, and stays so while the result is used.
pub(super) unsafe fn promoted(value: Obj, index: usize) -> Res<(Parameter, u64)> {
    // SAFETY: `value` is live, and stays so while the result is used.
    let Some(cdata) = (unsafe { as_cdata(value) }) else {
        // SAFETY: as above.
        let value = unsafe { Live::new(value) };
        if let Some((ctype, address)) = crate::object::function_object(value)? {
            return Ok((Parameter::new(&ctype), address as u64));
        }
        let given = value.type_name();
        return Err(raise!(
            TypeError,
            "argument {} passed in the variadic part needs to be a cdata object (got {given})",
            index + 1
        ));
    };
    let ctype = cdata.ctype();
    let data = cdata.data();
    let parameter = |code| Parameter::with_code(code, ctype);
    // SAFETY: a scalar's value is at `data`, in as many bytes as its code says.
    let raw = unsafe {
        match ctype.code {
            Code::I8 | Code::U8 | Code::Bool | Code::Char => u64::from(*data),
            Code::I16 | Code::U16 | Code::Char16 => data.cast::<u16>().read_unaligned().into(),
            Code::I32 | Code::U32 | Code::Char32 | Code::F32 => {
                data.cast::<u32>().read_unaligned().into()
            }
            Code::I64 | Code::U64 | Code::F64 => data.cast::<u64>().read_unaligned(),
            _ => data as u64,
        }
    };
    Ok(match ctype.code {
        Code::I8 | Code::U8 | Code::Bool | Code::Char | Code::I16 | Code::U16 | Code::Char16 => {
            (parameter(Code::I32), widen(ctype.code, raw))
        }
        Code::F32 => (
            parameter(Code::F64),
            f64::from(f32::from_bits(raw as u32)).to_bits(),
        ),
        Code::Array => (parameter(Code::Pointer), raw),
        Code::Function | Code::Void => {
            return Err(raise!(
                TypeError,
                "argument {} passed in the variadic part has no value ('{}')",
                index + 1,
                ctype.name
            ));
        }
        code => (parameter(code), widen(code, raw)),
    })
}

/// Where the arguments of a variadic part go; `None` when they are not known to fit in registers.
pub(super) fn places(extra: &[Parameter], places: &mut [Place; MOST_PLACES]) -> Res<Option<usize>> {
    if extra.len() > MOST_PLACES {
        return Ok(None);
    }
    for (place, parameter) in places.iter_mut().zip(extra) {
        match super::registers::place(parameter)? {
            Some(found) => *place = found,
            None => return Ok(None),
        }
    }
    Ok(Some(extra.len()))
}
