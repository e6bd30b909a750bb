//! Calls whose arguments all fit in registers, without libffi.
//!
//! On x86-64 System V and AArch64, general and floating registers are assigned independently of each other. So every
//! such call can be made through one prototype that fills them all: a register that the callee does not expect an
//! argument in has no meaning to it. The prototypes end in `...`, which on x86-64 makes the compiler set al, so that
//! variadic functions can be called through them too.

#[cfg(target_arch = "aarch64")]
use super::aapcs64 as convention;
#[cfg(target_arch = "x86_64")]
use super::system_v as convention;
use crate::convert::argument::Parameter;
use crate::ctype::Code;
use crate::py::Res;

/// Whether this platform has the register path.
pub const SUPPORTED: bool = cfg!(any(
    all(target_arch = "x86_64", not(windows)),
    all(target_arch = "aarch64", not(windows))
));
/// Whether variadic arguments are passed as named ones are. Apple's AArch64 puts them on the stack.
pub const VARIADIC: bool = SUPPORTED && !cfg!(target_vendor = "apple");

/// General registers for arguments.
const INTEGERS: usize = if cfg!(target_arch = "aarch64") { 8 } else { 6 };
/// Floating registers for arguments.
const FLOATS: usize = 8;

/// The register class of eight bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(
    target_arch = "aarch64",
    expect(dead_code, reason = "System V has more classes")
)]
pub enum Class {
    /// Only padding: no register.
    None,
    /// A general register.
    Integer,
    /// A floating register.
    Sse,
}

/// Where an argument goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(
    target_arch = "x86_64",
    expect(dead_code, reason = "other conventions have more places")
)]
pub enum Place {
    /// Nowhere: it has no bytes.
    Nothing,
    /// A general register gets the slot.
    Integer,
    /// A floating register gets the slot.
    Float,
    /// The slot points to the value; each of its eightbytes goes in a register.
    Parts {
        /// Of the eightbytes.
        classes: [Class; 2],
        /// Bytes, at most 16.
        size: u8,
    },
    /// The slot points to the value; each of its floating members goes in a register.
    Floats {
        /// How many members, at most 4.
        count: u8,
        /// Bytes of a member: 4 or 8.
        size: u8,
    },
}

/// Where the result comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(
    target_arch = "x86_64",
    expect(dead_code, reason = "other conventions have more places")
)]
pub enum Return {
    /// A general register, or there is none.
    Integer,
    /// A floating register.
    Float,
    /// Registers for the eightbytes of an aggregate.
    Parts {
        /// Of the eightbytes.
        classes: [Class; 2],
        /// Bytes, at most 16.
        size: u8,
    },
    /// Floating registers for the members of an aggregate.
    Floats {
        /// How many members, at most 4.
        count: u8,
        /// Bytes of a member: 4 or 8.
        size: u8,
    },
    /// The callee writes it to memory whose address is the first argument.
    Memory,
}

/// Registers that are taken.
#[derive(Clone, Copy, Default)]
pub(super) struct Taken {
    integers: usize,
    floats: usize,
}

impl Taken {
    /// Those that the result needs: the address of its memory.
    pub(super) fn with_result(result: &Parameter) -> Res<Self> {
        let mut taken = Self::default();
        #[cfg(all(target_arch = "x86_64", not(windows)))]
        if convention::result(result.ctype())? == Some(Return::Memory) {
            taken.integers = 1;
        }
        #[cfg(not(all(target_arch = "x86_64", not(windows))))]
        let _ = (result, &mut taken);
        Ok(taken)
    }

    /// Takes what an argument needs, if there are enough left and it goes in registers; else none.
    pub(super) fn try_take(&mut self, parameter: &Parameter) -> Res<bool> {
        let before = *self;
        let fits = match place(parameter)? {
            Some(place) => self.take(place),
            None => false,
        };
        if !fits {
            *self = before;
        }
        Ok(fits)
    }

    /// Takes what an argument needs; false when there aren't as many left, and it would go on the stack.
    fn take(&mut self, place: Place) -> bool {
        match place {
            Place::Nothing => {}
            Place::Integer => self.integers += 1,
            Place::Float => self.floats += 1,
            Place::Floats { count, .. } => self.floats += usize::from(count),
            Place::Parts { classes, .. } => {
                for class in classes {
                    match class {
                        Class::None => {}
                        Class::Integer => self.integers += 1,
                        Class::Sse => self.floats += 1,
                    }
                }
            }
        }
        self.integers <= INTEGERS && self.floats <= FLOATS
    }
}

/// Where an argument of this type goes, if there are registers left; `None`: not in registers.
pub fn place(parameter: &Parameter) -> Res<Option<Place>> {
    match parameter.code {
        Code::F64 => Ok(Some(Place::Float)),
        Code::I8
        | Code::I16
        | Code::I32
        | Code::I64
        | Code::U8
        | Code::U16
        | Code::U32
        | Code::U64
        | Code::Pointer => Ok(Some(Place::Integer)),
        _ => convention::argument(parameter.ctype()),
    }
}

/// How to call a signature whose arguments fit in registers.
pub struct Registers {
    places: Box<[Place]>,
    result: Return,
    taken: Taken,
    /// Slots are the general registers, in order, and the result is an integer or nothing.
    only_integers: bool,
    /// Slots are the floating registers, in order, and the result is in one.
    only_floats: bool,
}

impl Registers {
    /// The plan for these types; `None` when the arguments do not fit, or the platform has no register path.
    pub fn new(result: &Parameter, params: &[Parameter]) -> Res<Option<Self>> {
        if !SUPPORTED {
            return Ok(None);
        }
        let Some(result) = convention::result(result.ctype())? else {
            return Ok(None);
        };
        let mut taken = Taken::default();
        if result == Return::Memory {
            taken.integers = 1;
        }
        let mut places = Vec::with_capacity(params.len());
        for param in params {
            match place(param)? {
                Some(place) if taken.take(place) => places.push(place),
                _ => return Ok(None),
            }
        }
        let only_integers =
            result == Return::Integer && places.iter().all(|&place| place == Place::Integer);
        let only_floats =
            result == Return::Float && places.iter().all(|&place| place == Place::Float);
        Ok(Some(Self {
            places: places.into(),
            result,
            taken,
            only_integers,
            only_floats,
        }))
    }

    /// Whether the arguments of a variadic part fit too.
    pub fn has_room_for(&self, extra: &[Place]) -> bool {
        let mut taken = self.taken;
        extra.iter().all(|&place| taken.take(place))
    }

    /// Calls `function`. A scalar result is returned, in the low bytes; an aggregate is written to `result`. `extra`:
    /// where the arguments of a variadic part go.
    ///
    /// # Safety
    /// `function` is a C function of the signature that the plan was made for, `slots` starts with its arguments and
    /// has room for [`INTEGERS`], `result` has room for an aggregate result.
    #[inline(always)]
    pub unsafe fn call(
        &self,
        function: *const u8,
        slots: &[u64],
        extra: &[Place],
        result: *mut u8,
    ) -> u64 {
        if self.only_integers
            && extra.is_empty()
            && let Some(integers) = slots.first_chunk::<INTEGERS>()
        {
            // SAFETY: the caller's contract. Slots beyond the arguments are registers that the callee does not read.
            return unsafe { prototype::integers::<u64>(function, integers) };
        }
        if self.only_floats
            && extra.is_empty()
            && let Some(floats) = slots.first_chunk::<FLOATS>()
        {
            // SAFETY: as above.
            return unsafe { prototype::floats(function, floats) }.to_bits();
        }
        // SAFETY: the caller's contract.
        unsafe { self.call_mixed(function, slots, extra, result) }
    }

    unsafe fn call_mixed(
        &self,
        function: *const u8,
        slots: &[u64],
        extra: &[Place],
        result: *mut u8,
    ) -> u64 {
        let mut integers = [0u64; INTEGERS];
        let mut floats = [0f64; FLOATS];
        let mut taken = Taken::default();
        if self.result == Return::Memory {
            integers[0] = result as u64;
            taken.integers = 1;
        }
        for (&place, &slot) in self.places.iter().chain(extra).zip(slots) {
            match place {
                Place::Nothing => {}
                Place::Integer => {
                    integers[taken.integers] = slot;
                    taken.integers += 1;
                }
                Place::Float => {
                    floats[taken.floats] = f64::from_bits(slot);
                    taken.floats += 1;
                }
                Place::Parts { classes, size } => {
                    let mut parts = [0u64; 2];
                    // SAFETY: the slot points to a value of `size` bytes, which is at most 16.
                    unsafe {
                        (slot as *const u8).copy_to_nonoverlapping(
                            parts.as_mut_ptr().cast(),
                            usize::from(size).min(16),
                        )
                    };
                    for (class, part) in classes.into_iter().zip(parts) {
                        match class {
                            Class::None => {}
                            Class::Integer => {
                                integers[taken.integers] = part;
                                taken.integers += 1;
                            }
                            Class::Sse => {
                                floats[taken.floats] = f64::from_bits(part);
                                taken.floats += 1;
                            }
                        }
                    }
                }
                Place::Floats { count, size } => {
                    for index in 0..usize::from(count) {
                        let mut part = 0u64;
                        // SAFETY: the slot points to `count` members of `size` bytes, which is 4 or 8.
                        unsafe {
                            (slot as *const u8)
                                .add(index * usize::from(size))
                                .copy_to_nonoverlapping(
                                    (&raw mut part).cast(),
                                    usize::from(size).min(8),
                                )
                        };
                        floats[taken.floats] = f64::from_bits(part);
                        taken.floats += 1;
                    }
                }
            }
        }
        // SAFETY: the caller's contract; each prototype reads the result where the plan says that it is.
        unsafe {
            let (parts, size) = match self.result {
                Return::Integer | Return::Memory => {
                    return if taken.floats == 0 {
                        prototype::integers::<u64>(function, &integers)
                    } else {
                        prototype::all::<u64>(function, &integers, &floats)
                    };
                }
                Return::Float => {
                    return prototype::all::<f64>(function, &integers, &floats).to_bits();
                }
                Return::Floats { count, size } => {
                    let four = prototype::all::<prototype::Floats4>(function, &integers, &floats);
                    for (index, value) in four.0.into_iter().enumerate().take(usize::from(count)) {
                        let bits = value.to_bits();
                        (&raw const bits).cast::<u8>().copy_to_nonoverlapping(
                            result.add(index * usize::from(size)),
                            usize::from(size).min(8),
                        );
                    }
                    return 0;
                }
                Return::Parts {
                    classes: [Class::Sse, Class::Integer],
                    size,
                } => {
                    let both =
                        prototype::all::<prototype::FloatInteger>(function, &integers, &floats);
                    ([both.0.to_bits(), both.1], size)
                }
                Return::Parts {
                    classes: [Class::Integer, Class::Sse],
                    size,
                } => {
                    let both =
                        prototype::all::<prototype::IntegerFloat>(function, &integers, &floats);
                    ([both.0, both.1.to_bits()], size)
                }
                Return::Parts {
                    classes: [Class::Sse, _],
                    size,
                } => {
                    let both = prototype::all::<prototype::Floats2>(function, &integers, &floats);
                    ([both.0.to_bits(), both.1.to_bits()], size)
                }
                Return::Parts {
                    classes: [Class::None, Class::Integer],
                    size,
                } => (
                    [0, prototype::all::<u64>(function, &integers, &floats)],
                    size,
                ),
                Return::Parts {
                    classes: [Class::None, _],
                    size,
                } => (
                    [
                        0,
                        prototype::all::<f64>(function, &integers, &floats).to_bits(),
                    ],
                    size,
                ),
                Return::Parts {
                    classes: [Class::Integer, _],
                    size,
                } => {
                    let both = prototype::all::<prototype::Integers2>(function, &integers, &floats);
                    ([both.0, both.1], size)
                }
            };
            parts
                .as_ptr()
                .cast::<u8>()
                .copy_to_nonoverlapping(result, usize::from(size).min(16));
            0
        }
    }
}

/// The prototypes. `R` is a type that the convention returns in the registers of the plan's [`Return`].
mod prototype {
    use super::{FLOATS, INTEGERS};

    #[repr(C)]
    pub(super) struct Integers2(pub u64, pub u64);
    #[repr(C)]
    pub(super) struct Floats2(pub f64, pub f64);
    #[repr(C)]
    pub(super) struct IntegerFloat(pub u64, pub f64);
    #[repr(C)]
    pub(super) struct FloatInteger(pub f64, pub u64);
    /// Only in registers where the convention has homogeneous aggregates.
    #[repr(C)]
    pub(super) struct Floats4(pub [f64; 4]);

    /// Calls an address with values of these types, the type of the result before them. Unsafe as the call is.
    macro_rules! call {
        ($function:ident -> $result:ty, $($register:expr => $kind:ty),*) => {{
            let function: unsafe extern "C-unwind" fn($($kind),*, ...) -> $result =
                std::mem::transmute($function);
            function($($register),*)
        }};
    }

    /// The same with all general registers, and with what stands behind them.
    macro_rules! call_with_integers {
        ($function:ident -> $result:ty, $i:ident $(, $register:expr => $kind:ty)*) => {{
            #[cfg(not(target_arch = "aarch64"))]
            {
                call!($function -> $result,
                    $i[0] => u64, $i[1] => u64, $i[2] => u64, $i[3] => u64, $i[4] => u64, $i[5] => u64
                    $(, $register => $kind)*)
            }
            #[cfg(target_arch = "aarch64")]
            {
                call!($function -> $result,
                    $i[0] => u64, $i[1] => u64, $i[2] => u64, $i[3] => u64, $i[4] => u64, $i[5] => u64, $i[6] => u64,
                    $i[7] => u64 $(, $register => $kind)*)
            }
        }};
    }

    /// # Safety
    /// `function` is a C function that takes at most these general registers, and returns an `R`.
    #[inline(always)]
    pub(super) unsafe fn integers<R>(function: *const u8, i: &[u64; INTEGERS]) -> R {
        // SAFETY: the caller's contract; see the module's head for why a superset of the arguments may be passed.
        unsafe { call_with_integers!(function -> R, i) }
    }

    /// # Safety
    /// `function` is a C function that takes at most these floating registers, and returns a floating value. Each of `f` has
    /// the bits of its register.
    #[inline(always)]
    pub(super) unsafe fn floats(function: *const u8, f: &[u64; FLOATS]) -> f64 {
        let f = f.map(f64::from_bits);
        // SAFETY: as in `integers`.
        unsafe {
            call!(function -> f64,
                f[0] => f64, f[1] => f64, f[2] => f64, f[3] => f64, f[4] => f64, f[5] => f64, f[6] => f64, f[7] => f64)
        }
    }

    /// # Safety
    /// `function` is a C function that takes at most these registers, and returns an `R`.
    #[inline(always)]
    pub(super) unsafe fn all<R>(function: *const u8, i: &[u64; INTEGERS], f: &[f64; FLOATS]) -> R {
        // SAFETY: as in `integers`.
        unsafe {
            call_with_integers!(function -> R, i,
                f[0] => f64, f[1] => f64, f[2] => f64, f[3] => f64, f[4] => f64, f[5] => f64, f[6] => f64, f[7] => f64)
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod convention {
    //! No register path here.
    use super::{Place, Res, Return};
    use crate::ctype::CType;

    pub(super) fn argument(_: &CType) -> Res<Option<Place>> {
        Ok(None)
    }
    pub(super) fn result(_: &CType) -> Res<Option<Return>> {
        Ok(None)
    }
}
