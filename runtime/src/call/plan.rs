//! A prepared signature.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::ffi;

use super::foreign::Cif;
use super::registers::{Registers, VARIADIC};
use super::{Temporaries, outside_python};
use crate::cdata::{as_cdata, new_owning, new_plain};
use crate::convert::argument::{Parameter, slot};
use crate::convert::read;
use crate::ctype::{CType, Code, FunctionDetails, Kind, pointer_to, primitive};
use crate::py::{Obj, Raised, Ref, Res, none, type_name};
use crate::raise;

/// How to call a signature: conversions prepared once, then run without looking at types again.
pub struct CallPlan {
    params: Box<[Parameter]>,
    result: Parameter,
    path: Path,
}

// SAFETY: the ctypes that the raw pointers lead to are immutable, and kept alive by the function type that owns the plan.
unsafe impl Send for CallPlan {}
// SAFETY: as above.
unsafe impl Sync for CallPlan {}

enum Path {
    /// Everything fits in registers.
    Registers(Registers),
    /// libffi.
    Foreign(Cif),
    /// Ends in `...`: what the call is depends on the arguments.
    Variadic(Box<Variadic>),
}

struct Variadic {
    /// The named parameters, if they fit in registers.
    registers: Option<Registers>,
    /// Signatures met already, by the types of the arguments that are no aggregates.
    cache: Mutex<Vec<(Codes, Arc<Cif>)>>,
}

/// How the arguments of a variadic part are held.
type Codes = Box<[Code]>;

/// How many variadic signatures are kept for one function type.
const MOST_VARIADIC: usize = 32;
/// Arguments that are kept on the stack.
const SLOTS: usize = 8;
/// Results up to this size are kept on the stack until they are converted.
const SMALL_RESULT: usize = 32;

impl CallPlan {
    /// The plan for a signature. Raises for types that cannot be passed.
    pub fn new(signature: &FunctionDetails) -> Res<Self> {
        let types = || signature.params.iter().map(|param| &**param);
        if signature.result.code == Code::Record && signature.result.size() < 0 {
            return Err(raise!(
                TypeError,
                "result type '{}' is opaque",
                signature.result.name
            ));
        }
        let registers = Registers::new(&signature.result, types())?;
        let path = if signature.variadic {
            Path::Variadic(Box::new(Variadic {
                registers: if VARIADIC { registers } else { None },
                cache: Mutex::default(),
            }))
        } else if let Some(registers) = registers {
            Path::Registers(registers)
        } else {
            Path::Foreign(Cif::new(&signature.result, types(), None)?)
        };
        Ok(Self {
            params: types().map(Parameter::new).collect(),
            result: Parameter::new(&signature.result),
            path,
        })
    }

    /// Calls `function`, whose type (a function pointer) is `ctype`.
    ///
    /// # Safety
    /// As [`super::call`]; the plan is that of `ctype`.
    #[inline(always)]
    pub(super) unsafe fn call(
        &self,
        ctype: &CType,
        function: *const u8,
        args: *const Obj,
        count: usize,
        kwnames: Obj,
    ) -> Res<Ref> {
        if function.is_null() {
            return Err(raise!(
                RuntimeError,
                "cannot call null pointer pointer from cdata '{}'",
                ctype.name
            ));
        }
        // SAFETY: the caller's contract.
        unsafe {
            if count != self.params.len() || !kwnames.is_null() {
                self.check(ctype, count, kwnames)?;
            }
            let mut temporaries = Temporaries::new();
            if count <= SLOTS {
                let mut slots = [0u64; SLOTS];
                self.call_with(function, args, &mut slots[..count], &mut temporaries)
            } else {
                self.call_with(function, args, &mut vec![0u64; count], &mut temporaries)
            }
        }
    }

    /// Raises for keywords and for a wrong number of arguments.
    #[cold]
    #[inline(never)]
    unsafe fn check(&self, ctype: &CType, count: usize, kwnames: Obj) -> Res<()> {
        // SAFETY: NULL or a live tuple.
        if !kwnames.is_null() && unsafe { ffi::PyTuple_GET_SIZE(kwnames) } > 0 {
            return Err(raise!(
                TypeError,
                "a cdata function cannot be called with keyword arguments"
            ));
        }
        let expected = self.params.len();
        match self.path {
            Path::Variadic(_) if count >= expected => Ok(()),
            Path::Variadic(_) => Err(raise!(
                TypeError,
                "'{}' expects at least {expected} arguments, got {count}",
                ctype.name
            )),
            _ if count == expected => Ok(()),
            _ => Err(raise!(
                TypeError,
                "'{}' expects {expected} arguments, got {count}",
                ctype.name
            )),
        }
    }

    #[inline(always)]
    unsafe fn call_with(
        &self,
        function: *const u8,
        args: *const Obj,
        slots: &mut [u64],
        temporaries: &mut Temporaries,
    ) -> Res<Ref> {
        // SAFETY: the caller's contract: as many arguments as slots, at least one for each parameter.
        unsafe {
            for (index, parameter) in self.params.iter().enumerate() {
                slots[index] = slot(parameter, *args.add(index), temporaries)?;
            }
            match &self.path {
                Path::Registers(registers) => self.through_registers(registers, function, slots),
                Path::Foreign(cif) => self.through_foreign(cif, &self.params, function, slots),
                Path::Variadic(variadic) => {
                    self.call_variadic(variadic, function, args, slots, temporaries)
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn through_registers(
        &self,
        registers: &Registers,
        function: *const u8,
        slots: &[u64],
    ) -> Res<Ref> {
        // SAFETY: the function has this signature, by the caller; an aggregate result has memory of its size.
        unsafe {
            if is_scalar(self.result.code) {
                let raw = outside_python(|| registers.call(function, slots, std::ptr::null_mut()));
                return self.scalar(raw);
            }
            self.through_memory(|memory| {
                outside_python(|| registers.call(function, slots, memory));
            })
        }
    }

    #[inline(never)]
    unsafe fn through_foreign(
        &self,
        cif: &Cif,
        params: &[Parameter],
        function: *const u8,
        slots: &mut [u64],
    ) -> Res<Ref> {
        let mut values = Vec::with_capacity(slots.len());
        cif.values(slots, |index| !is_scalar(params[index].code), &mut values);
        // SAFETY: the function has this signature, by the caller; the memory is large enough in both cases.
        unsafe {
            if is_scalar(self.result.code) {
                let mut raw = [0u64; 4];
                outside_python(|| cif.call(function, &mut values, raw.as_mut_ptr().cast()));
                return self.scalar(raw[0]);
            }
            self.through_memory(|memory| outside_python(|| cif.call(function, &mut values, memory)))
        }
    }

    /// The Python value of a result that `write` writes to memory.
    unsafe fn through_memory(&self, write: impl FnOnce(*mut u8)) -> Res<Ref> {
        let ctype = self.result.ctype();
        let size = ctype.known_size()?;
        if ctype.code == Code::Record {
            // libffi writes whole registers: give it room for two behind a small struct.
            let object = new_owning(ctype, size, -1)?;
            if size >= 2 * size_of::<u64>() {
                write(object.data());
            } else {
                let mut memory = [0u64; SMALL_RESULT / 8];
                write(memory.as_mut_ptr().cast());
                // SAFETY: both have `size` bytes.
                unsafe {
                    memory
                        .as_ptr()
                        .cast::<u8>()
                        .copy_to_nonoverlapping(object.data(), size)
                };
            }
            return Ok(object.into_obj());
        }
        // Long double and the complex types: at most 32 bytes.
        let mut memory = [0u128; SMALL_RESULT / 16];
        write(memory.as_mut_ptr().cast());
        // SAFETY: a value of the type was written.
        unsafe { read(ctype, memory.as_ptr().cast()) }
    }

    /// The Python value of a scalar result in the low bytes of a register.
    #[inline(always)]
    unsafe fn scalar(&self, raw: u64) -> Res<Ref> {
        // SAFETY: plain constructors.
        unsafe { result_object(&self.result, raw) }
    }

    #[inline(never)]
    unsafe fn call_variadic(
        &self,
        variadic: &Variadic,
        function: *const u8,
        args: *const Obj,
        slots: &mut [u64],
        temporaries: &mut Temporaries,
    ) -> Res<Ref> {
        let fixed = self.params.len();
        let mut extra: Vec<Ref<CType>> = Vec::with_capacity(slots.len() - fixed);
        for (index, place) in slots.iter_mut().enumerate().skip(fixed) {
            // SAFETY: the caller gives as many arguments as slots.
            let value = unsafe { *args.add(index) };
            // SAFETY: a live argument.
            let ctype = unsafe { promoted(value, index)? };
            // SAFETY: the argument and the temporaries outlive the call.
            *place = unsafe { promoted_slot(&ctype, value, temporaries)? };
            extra.push(ctype);
        }
        let types = || extra.iter().map(|ctype| &**ctype);
        if let Some(named) = &variadic.registers
            && let Some(registers) = named.extend(types())?
        {
            // SAFETY: the function has this signature, by the caller.
            return unsafe { self.through_registers(&registers, function, slots) };
        }
        let params: Vec<Parameter> = self
            .params
            .iter()
            .copied()
            .chain(types().map(Parameter::new))
            .collect();
        let cif = self.variadic_cif(variadic, &params)?;
        // SAFETY: the function has this signature, by the caller.
        unsafe { self.through_foreign(&cif, &params, function, slots) }
    }

    /// The signature of a variadic call for libffi. Those without aggregates are kept: what libffi needs to know of
    /// them is in their codes.
    fn variadic_cif(&self, variadic: &Variadic, params: &[Parameter]) -> Res<Arc<Cif>> {
        let fixed = self.params.len();
        let extra = &params[fixed..];
        let types = params.iter().map(Parameter::ctype);
        if extra.iter().any(|param| param.code == Code::Record) {
            return Ok(Arc::new(Cif::new(self.result.ctype(), types, Some(fixed))?));
        }
        let key: Codes = extra.iter().map(|param| param.code).collect();
        let lock = || {
            variadic
                .cache
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some((_, cif)) = lock().iter().find(|(codes, _)| *codes == key) {
            return Ok(cif.clone());
        }
        let cif = Arc::new(Cif::new(self.result.ctype(), types, Some(fixed))?);
        let mut cache = lock();
        if cache.len() >= MOST_VARIADIC {
            cache.remove(0);
        }
        cache.push((key, cif.clone()));
        Ok(cif)
    }
}

/// Whether a value is passed in a slot itself, not by a pointer in it.
#[inline(always)]
pub fn is_scalar(code: Code) -> bool {
    !matches!(
        code,
        Code::Record
            | Code::LongDouble
            | Code::ComplexF32
            | Code::ComplexF64
            | Code::ComplexLongDouble
            | Code::Array
            | Code::Function
    )
}

/// The Python value of a scalar result in the low bytes of a register.
///
/// # Safety
/// `raw` is a value of the type, or the type is void.
#[inline(always)]
pub unsafe fn result_object(result: &Parameter, raw: u64) -> Res<Ref> {
    // SAFETY: plain constructors; `read` gets a value of the type.
    unsafe {
        match result.code {
            Code::Void => Ok(none()),
            Code::I32 => Ref::steal(ffi::PyLong_FromLong((raw as i32).into())),
            Code::I64 => Ref::steal(ffi::PyLong_FromLongLong(raw as i64)),
            Code::U32 => Ref::steal(ffi::PyLong_FromLongLong((raw as u32).into())),
            Code::U64 => Ref::steal(ffi::PyLong_FromUnsignedLongLong(raw)),
            Code::F64 => Ref::steal(ffi::PyFloat_FromDouble(f64::from_bits(raw))),
            Code::Pointer => Ok(new_plain(result.ctype(), raw as *mut u8, -1)?.into_obj()),
            _ => read_narrow(result, raw),
        }
    }
}

#[inline(never)]
unsafe fn read_narrow(result: &Parameter, raw: u64) -> Res<Ref> {
    let ctype = result.ctype();
    let size = ctype.known_size()?.min(8);
    let skip = if cfg!(target_endian = "big") {
        8 - size
    } else {
        0
    };
    // SAFETY: the value is in the low bytes.
    unsafe { read(ctype, (&raw const raw).cast::<u8>().add(skip)) }
}

/// The type that an argument in the variadic part is passed as: C's default argument promotions (C11 6.5.2.2).
unsafe fn promoted(value: Obj, index: usize) -> Res<Ref<CType>> {
    use keelback_cdef::Primitive;
    // SAFETY: a live argument, by the caller.
    let Some(cdata) = (unsafe { as_cdata(value) }) else {
        // SAFETY: as above.
        if let Some((ctype, _)) = unsafe { crate::library::function_object(value) } {
            return Ok(ctype);
        }
        // SAFETY: as above.
        let given = unsafe { type_name(value) };
        return Err(raise!(
            TypeError,
            "argument {} passed in the variadic part needs to be a cdata object (got {given})",
            index + 1
        ));
    };
    let ctype = cdata.ctype();
    match ctype.code {
        Code::I8 | Code::I16 | Code::U8 | Code::U16 | Code::Bool | Code::Char | Code::Char16 => {
            primitive(Primitive::Int)
        }
        Code::F32 => primitive(Primitive::Double),
        Code::Array => pointer_to(ctype.item()),
        Code::Function | Code::Void => Err(raise!(
            TypeError,
            "argument {} passed in the variadic part has no value ('{}')",
            index + 1,
            ctype.name
        )),
        _ if ctype.kind == Kind::Array => pointer_to(ctype.item()),
        _ => Ok(ctype.to_ref()),
    }
}

/// The slot of an argument in the variadic part.
unsafe fn promoted_slot(ctype: &CType, value: Obj, temporaries: &mut Temporaries) -> Res<u64> {
    // SAFETY: a live argument, by the caller.
    unsafe {
        if let Some(cdata) = as_cdata(value) {
            let given = cdata.ctype();
            if given.code.is_char() || given.code == Code::Bool {
                // A character is the number that it is.
                let mut raw = 0u64;
                let size = given.known_size()?.min(8);
                let skip = if cfg!(target_endian = "big") {
                    8 - size
                } else {
                    0
                };
                cdata
                    .data()
                    .copy_to_nonoverlapping((&raw mut raw).cast::<u8>().add(skip), size);
                return Ok(crate::convert::argument::widen(given.code, raw));
            }
        }
        slot(&Parameter::new(ctype), value, temporaries)
    }
}

/// CFFI's words for a wrong number of arguments of a plugin's function.
#[cold]
pub fn wrong_count(name: &str, expected: usize, count: usize) -> Raised {
    match expected {
        0 => raise!(TypeError, "{name}() takes no arguments ({count} given)"),
        1 => raise!(
            TypeError,
            "{name}() takes exactly one argument ({count} given)"
        ),
        _ => raise!(
            TypeError,
            "{name} expected {expected} arguments, got {count}"
        ),
    }
}
