//! A prepared signature.

use pyo3::ffi;

use super::foreign::Cif;
use super::invoke::Called;
use super::outside::{outside_python, run_c};
use super::place::{Place, VARIADIC};
use super::quick::{self, Entries, Entry, Make};
use super::registers::Registers;
use super::variadic::{self, MOST_PLACES, Variadic, promoted};
use crate::convert::argument::{Parameter, slot};
use crate::convert::{Lvalue, Temporaries, read};
use crate::ctype::{CType, Code, FunctionDetails};
use crate::object::{new_owning, new_plain};
use crate::py::{Live, Obj, Raised, Ref, Res, guard, none};
use crate::raise;

/// How to call a signature: conversions prepared once, then run without looking at types again.
pub struct CallPlan {
    params: Box<[Parameter]>,
    result: Parameter,
    path: Path,
    entry: Entry,
    /// What calls a function pointer, where something suits its signature better than [`vectorcall`](super::vectorcall).
    called: Option<Called>,
    /// The two for functions that are called with the GIL kept.
    entry_with_gil: Entry,
    called_with_gil: Option<Called>,
    make: Make,
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

/// Arguments that are kept on the stack.
const SLOTS: usize = 8;
/// Pointers to arguments, for libffi, that are kept on the stack.
const VALUES: usize = 24;
/// Results up to this size are kept on the stack until they are converted.
const SMALL_RESULT: usize = 32;

impl CallPlan {
    /// The plan for a signature. Raises for types that cannot be passed.
    pub fn new(signature: &FunctionDetails) -> Res<Self> {
        if signature.result.code == Code::Record && signature.result.size() < 0 {
            return Err(raise!(
                TypeError,
                "result type '{}' is not yet initialized",
                signature.result.name
            ));
        }
        super::refuse::check(signature)?;
        let params: Box<[Parameter]> = signature
            .params
            .iter()
            .map(|param| Parameter::new(param))
            .collect();
        let result = Parameter::new(&signature.result);
        let registers = Registers::new(&result, &params)?;
        let path = if signature.variadic {
            Path::Variadic(Box::new(Variadic::new(registers.filter(|_| VARIADIC))))
        } else if let Some(registers) = registers {
            Path::Registers(registers)
        } else {
            Path::Foreign(Cif::new(&result, &params, None)?)
        };
        let only = match &path {
            Path::Registers(registers) => registers.only(),
            _ => None,
        };
        let usual = only.and_then(|only| quick::entries::<false>(&result, &params, only));
        let with_gil = only.and_then(|only| quick::entries::<true>(&result, &params, only));
        let entry = |entries: &Entries| entries.entry;
        let called = |entries: &Entries| entries.called;
        Ok(Self {
            params,
            result,
            path,
            entry: usual.as_ref().map_or(Self::call_any::<false>, entry),
            called: usual.as_ref().map(called),
            entry_with_gil: with_gil.as_ref().map_or(Self::call_any::<true>, entry),
            called_with_gil: with_gil.as_ref().map(called),
            make: quick::make(result.code),
        })
    }

    /// The plan of a signature, made at the first use.
    #[inline(always)]
    pub fn of(signature: &FunctionDetails) -> Res<&Self> {
        let place = &signature.call_plan;
        // SAFETY: the place for this type of plan, which is only used here.
        if let Some(plan) = unsafe { place.get() } {
            return Ok(plan);
        }
        let plan = Self::new(signature)?;
        // SAFETY: as above.
        Ok(unsafe { place.get_or_init(plan) })
    }

    /// Calls `function` with arguments that are in their slots already (see [`slot`]); returns the result's bytes as
    /// [`super::result_object`] takes them. The GIL is released while C runs.
    ///
    /// # Safety
    /// The GIL is held; `function` has the plan's signature, which has scalars only and no `...`; the slots start with
    /// one for each parameter (more of them are quicker: see [`SLOTS`]).
    #[inline(always)]
    pub unsafe fn call_slots(&self, function: *const u8, slots: &mut [u64]) -> u64 {
        // SAFETY: `function` has the plan's signature and there is a slot for each parameter (the caller's contract). No
        // memory for the result is passed: it is a scalar, and comes in a register.
        unsafe {
            match &self.path {
                Path::Registers(registers) => {
                    outside_python(|| registers.call(function, slots, &[], std::ptr::null_mut()))
                }
                Path::Foreign(cif) => {
                    self.scalar_through_foreign::<false>(cif, &self.params, function, slots)
                }
                Path::Variadic(_) => 0,
            }
        }
    }

    /// Calls `function`, whose type (a function pointer) is `ctype`. NULL: it has raised. No panic leaves it.
    ///
    /// # Safety
    /// As [`super::call`]; the plan is that of `ctype`.
    #[inline(always)]
    pub unsafe fn call<const KEEP_GIL: bool>(
        &self,
        ctype: &CType,
        function: *const u8,
        args: *const Obj,
        count: usize,
    ) -> Obj {
        // SAFETY: the caller's contract.
        unsafe {
            if KEEP_GIL {
                (self.entry_with_gil)(self, ctype, function, args, count)
            } else {
                (self.entry)(self, ctype, function, args, count)
            }
        }
    }

    /// What calls function pointers of the plan's signature, if there is something better than
    /// [`vectorcall`](super::vectorcall). They are not NULL, and are prepared with the plan.
    pub(super) fn called<const KEEP_GIL: bool>(&self) -> Option<Called> {
        if KEEP_GIL {
            self.called_with_gil
        } else {
            self.called
        }
    }

    /// The parameter of an index.
    ///
    /// # Safety
    /// There are more parameters than that.
    #[inline(always)]
    pub(super) unsafe fn parameter(&self, index: usize) -> &Parameter {
        // SAFETY: the caller's contract.
        unsafe { self.params.get_unchecked(index) }
    }

    /// The Python value of a scalar result in the low bytes of a register.
    ///
    /// # Safety
    /// `raw` is a value of the result's type, or that is void.
    #[inline(always)]
    pub(super) unsafe fn make(&self, raw: u64) -> Obj {
        // SAFETY: the caller's contract.
        unsafe { (self.make)(&self.result, raw) }
    }

    /// [`Self::call`] of any signature, with any arguments.
    ///
    /// # Safety
    /// That of [`Self::call`].
    pub(super) unsafe extern "C-unwind" fn call_any<const KEEP_GIL: bool>(
        &self,
        ctype: &CType,
        function: *const u8,
        args: *const Obj,
        count: usize,
    ) -> Obj {
        guard(|| {
            if function.is_null() {
                return Err(raise!(
                    RuntimeError,
                    "cannot call null pointer pointer from cdata '{}'",
                    ctype.name
                ));
            }
            if count != self.params.len() {
                self.check(ctype, count)?;
            }
            let mut temporaries = Temporaries::new();
            // SAFETY: as `super::call`; the plan is that of `ctype`.
            unsafe {
                if count <= SLOTS {
                    self.call_with::<KEEP_GIL>(
                        function,
                        args,
                        &mut [0u64; SLOTS],
                        count,
                        &mut temporaries,
                    )
                } else {
                    let slots = &mut vec![0u64; count];
                    self.call_with::<KEEP_GIL>(function, args, slots, count, &mut temporaries)
                }
            }
        })
    }

    /// Raises for a wrong number of arguments.
    #[cold]
    #[inline(never)]
    fn check(&self, ctype: &CType, count: usize) -> Res<()> {
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

    /// Converts the arguments into their slots, and calls.
    ///
    /// # Safety
    /// `args` are `count` live arguments, at least one for each parameter; `slots` has room for as many; `function` has the
    /// plan's signature.
    #[inline(always)]
    unsafe fn call_with<const KEEP_GIL: bool>(
        &self,
        function: *const u8,
        args: *const Obj,
        slots: &mut [u64],
        count: usize,
        temporaries: &mut Temporaries,
    ) -> Res<Ref> {
        // SAFETY: there are `count` live arguments, at least one for each parameter, and a slot for each; `function` has the
        // plan's signature (the caller's contract). The slots are converted before the call, and `temporaries`, which the
        // caller holds, keeps what they point to.
        unsafe {
            for (index, parameter) in self.params.iter().enumerate() {
                slots[index] = slot(parameter, Live::new(*args.add(index)), temporaries)?;
            }
            match &self.path {
                Path::Registers(registers) => {
                    self.through_registers::<KEEP_GIL>(registers, function, slots, &[])
                }
                Path::Foreign(cif) => {
                    self.through_foreign::<KEEP_GIL>(cif, &self.params, function, slots)
                }
                Path::Variadic(variadic) => {
                    self.call_variadic::<KEEP_GIL>(variadic, function, args, slots, count)
                }
            }
        }
    }

    /// A call of arguments that are in their slots, through registers.
    ///
    /// # Safety
    /// `function` has the signature that the plan is for; `slots` are its arguments, those of a variadic part at the places
    /// `extra`.
    #[inline(always)]
    unsafe fn through_registers<const KEEP_GIL: bool>(
        &self,
        registers: &Registers,
        function: *const u8,
        slots: &[u64],
        extra: &[Place],
    ) -> Res<Ref> {
        // SAFETY: the function has this signature, by the caller; an aggregate result has memory of its size.
        unsafe {
            if is_scalar(self.result.code) {
                let raw = run_c::<KEEP_GIL, _>(|| {
                    registers.call(function, slots, extra, std::ptr::null_mut())
                });
                return self.scalar(raw);
            }
            self.through_memory(|memory| {
                run_c::<KEEP_GIL, _>(|| registers.call(function, slots, extra, memory));
            })
        }
    }

    /// A call of arguments that are in their slots, through libffi.
    ///
    /// # Safety
    /// `function` has the signature of `cif`; `slots` are its arguments, one for each of `params`.
    #[inline(never)]
    unsafe fn through_foreign<const KEEP_GIL: bool>(
        &self,
        cif: &Cif,
        params: &[Parameter],
        function: *const u8,
        slots: &mut [u64],
    ) -> Res<Ref> {
        // SAFETY: the function has this signature, by the caller; the memory is large enough.
        unsafe {
            if is_scalar(self.result.code) {
                return self
                    .scalar(self.scalar_through_foreign::<KEEP_GIL>(cif, params, function, slots));
            }
            self.through_memory(|memory| {
                Self::with_values(cif, params, slots, |values| {
                    run_c::<KEEP_GIL, _>(|| cif.call(function, values, memory));
                });
            })
        }
    }

    /// [`Self::through_foreign`] with a scalar result: its bytes.
    ///
    /// # Safety
    /// That of [`Self::through_foreign`]; the result is a scalar or void.
    #[inline(never)]
    unsafe fn scalar_through_foreign<const KEEP_GIL: bool>(
        &self,
        cif: &Cif,
        params: &[Parameter],
        function: *const u8,
        slots: &mut [u64],
    ) -> u64 {
        let mut raw = [0u64; 4];
        Self::with_values(cif, params, slots, |values| {
            // SAFETY: the function has this signature, by the caller; the memory is large enough for a scalar.
            unsafe { run_c::<KEEP_GIL, _>(|| cif.call(function, values, raw.as_mut_ptr().cast())) }
        });
        raw[0]
    }

    /// Runs `call` with the pointers to the arguments that libffi wants.
    #[inline(always)]
    fn with_values(
        cif: &Cif,
        params: &[Parameter],
        slots: &mut [u64],
        call: impl FnOnce(&mut [*mut std::ffi::c_void]),
    ) {
        let mut on_stack = [std::ptr::null_mut(); VALUES];
        let mut on_heap = Vec::new();
        let values = if slots.len() <= VALUES {
            &mut on_stack[..]
        } else {
            on_heap.resize(slots.len(), std::ptr::null_mut());
            &mut on_heap[..]
        };
        cif.point_to_values(slots, |index| !is_scalar(params[index].code), values);
        call(values);
    }

    /// The Python value of a result that `write` writes to memory.
    ///
    /// # Safety
    /// `write` writes a value of the result's type, and no more than its size rounded up to registers.
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
        // Long double, the complex types, integers of 128 bits: at most 32 bytes.
        let mut memory = [0u128; SMALL_RESULT / 16];
        write(memory.as_mut_ptr().cast());
        read(Lvalue::in_rust(ctype, &mut memory))
    }

    /// The Python value of a scalar result in the low bytes of a register.
    ///
    /// # Safety
    /// `raw` is a value of the result's type, or that is void.
    #[inline(always)]
    unsafe fn scalar(&self, raw: u64) -> Res<Ref> {
        // SAFETY: plain constructors.
        unsafe { result_object(&self.result, raw) }
    }

    /// A call with arguments for the `...`, of which the named ones are in their slots.
    ///
    /// # Safety
    /// That of [`Self::call_with`]; `count` is at least the number of named parameters.
    #[inline(never)]
    unsafe fn call_variadic<const KEEP_GIL: bool>(
        &self,
        variadic: &Variadic,
        function: *const u8,
        args: *const Obj,
        slots: &mut [u64],
        count: usize,
    ) -> Res<Ref> {
        let fixed = self.params.len();
        let extra_count = count - fixed;
        let nothing = Parameter::new(self.result.ctype());
        let mut on_stack = [nothing; SLOTS];
        let mut on_heap = Vec::new();
        let extra = if extra_count <= SLOTS {
            &mut on_stack[..extra_count]
        } else {
            on_heap.resize(extra_count, nothing);
            &mut on_heap[..]
        };
        for (index, parameter) in extra.iter_mut().enumerate() {
            // SAFETY: the caller gives `count` arguments.
            (*parameter, slots[fixed + index]) =
                unsafe { promoted(*args.add(fixed + index), fixed + index)? };
        }
        let mut places = [Place::Nothing; MOST_PLACES];
        if let Some(registers) = &variadic.registers
            && let Some(used) = variadic::places(extra, &mut places)?
            && registers.has_room_for(&places[..used])
        {
            // SAFETY: the function has this signature, by the caller.
            return unsafe {
                self.through_registers::<KEEP_GIL>(registers, function, slots, &places[..used])
            };
        }
        let params: Vec<Parameter> = self.params.iter().chain(extra.iter()).copied().collect();
        let cif = variadic.cif(&self.result, &params, fixed)?;
        // SAFETY: the function has this signature, by the caller.
        unsafe { self.through_foreign::<KEEP_GIL>(&cif, &params, function, slots) }
    }
}

/// Whether a value is passed in a slot itself, not by a pointer in it.
#[inline(always)]
pub fn is_scalar(code: Code) -> bool {
    !matches!(
        code,
        Code::Record
            | Code::I128
            | Code::U128
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

/// A scalar that is smaller than a register, or has no constructor of its own: `raw` has the value in its low bytes.
#[inline(never)]
fn read_narrow(result: &Parameter, mut raw: u64) -> Res<Ref> {
    let ctype = result.ctype();
    let size = ctype.known_size()?.min(8) as u32;
    if cfg!(target_endian = "big") && size > 0 {
        // To the bytes that come first.
        raw <<= 8 * (8 - size);
    }
    read(Lvalue::in_rust(ctype, &mut raw))
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
