//! The prototypes that C functions are called through, and the registers that they fill.
//!
//! On x86-64 System V and AArch64, general and floating registers are assigned independently of each other. So every
//! call whose arguments fit in registers can be made through one prototype that fills them all: a register that the
//! callee does not expect an argument in has no meaning to it. The prototypes end in `...`, which on x86-64 makes the
//! compiler set al, so that variadic functions can be called through them too.

use super::place::{Class, FLOATS, INTEGERS, Place, Return, Spread};

/// The registers of one call, filled with its arguments from the first on.
pub(super) struct Filled {
    integers: [u64; INTEGERS],
    floats: [f64; FLOATS],
    /// How many general registers have an argument.
    integer_count: usize,
    /// How many floating registers have one.
    float_count: usize,
}

impl Filled {
    /// For a call whose result goes to `result` if it is returned in memory.
    #[inline(always)]
    pub(super) fn new(returns: Return, result: *mut u8) -> Self {
        let mut filled = Self {
            integers: [0; INTEGERS],
            floats: [0.0; FLOATS],
            integer_count: 0,
            float_count: 0,
        };
        if returns == Return::Memory {
            filled.integer(result as u64);
        }
        filled
    }

    #[inline(always)]
    fn integer(&mut self, bits: u64) {
        self.integers[self.integer_count] = bits;
        self.integer_count += 1;
    }

    #[inline(always)]
    fn float(&mut self, bits: u64) {
        self.floats[self.float_count] = f64::from_bits(bits);
        self.float_count += 1;
    }

    /// Adds an argument.
    ///
    /// # Safety
    /// For [`Place::Spread`] and [`Place::EvenPair`] `slot` is the address of a value that is laid out so. There are registers left for it
    /// (else: a panic).
    #[inline(always)]
    pub(super) unsafe fn add(&mut self, place: Place, slot: u64) {
        match place {
            Place::Nothing => {}
            Place::Integer => self.integer(slot),
            Place::Float => self.float(slot),
            Place::Spread(Spread::Parts { classes, size }) => {
                let mut parts = [0u64; 2];
                // SAFETY: `slot` points to a value of `size` bytes, by the contract; `parts` has 16.
                unsafe {
                    (slot as *const u8).copy_to_nonoverlapping(
                        parts.as_mut_ptr().cast(),
                        usize::from(size).min(16),
                    )
                };
                for (class, part) in classes.into_iter().zip(parts) {
                    match class {
                        Class::None => {}
                        Class::Integer => self.integer(part),
                        Class::Sse => self.float(part),
                    }
                }
            }
            Place::EvenPair => {
                self.integer_count = self.integer_count.next_multiple_of(2);
                // SAFETY: `slot` points to 16 bytes, by the contract.
                for part in unsafe { (slot as *const [u64; 2]).read_unaligned() } {
                    self.integer(part);
                }
            }
            Place::Spread(Spread::Floats { count, size }) => {
                let size = usize::from(size);
                for index in 0..usize::from(count) {
                    let mut part = 0u64;
                    // SAFETY: `slot` points to `count` members of `size` bytes, by the contract; `part` has 8.
                    unsafe {
                        (slot as *const u8)
                            .add(index * size)
                            .copy_to_nonoverlapping((&raw mut part).cast(), size.min(8))
                    };
                    self.float(part);
                }
            }
        }
    }

    /// Calls `function`. A scalar result is returned, in the low bytes; an aggregate is written to `result`.
    ///
    /// # Safety
    /// `function` is a C function whose arguments are in these registers and whose result is where `returns` says;
    /// `result` has room for an aggregate.
    #[inline(always)]
    pub(super) unsafe fn call(&self, function: *const u8, returns: Return, result: *mut u8) -> u64 {
        match returns {
            // SAFETY: `function` reads at most these registers, and its result is in a general one.
            Return::Integer | Return::Memory => unsafe {
                if self.float_count == 0 {
                    integers(function, &self.integers)
                } else {
                    self.through_all(function)
                }
            },
            // SAFETY: as above, and its result is in a floating one.
            Return::Float => unsafe { self.through_all::<f64>(function) }.to_bits(),
            Return::Spread(Spread::Parts { classes, size }) => {
                // SAFETY: as above, and its result is in registers of these classes.
                let parts = unsafe { self.parts(function, classes) };
                // SAFETY: `result` has room for the aggregate's `size` bytes; `parts` has 16.
                unsafe {
                    parts
                        .as_ptr()
                        .cast::<u8>()
                        .copy_to_nonoverlapping(result, usize::from(size).min(16))
                };
                0
            }
            Return::Spread(Spread::Floats { count, size }) => {
                let size = usize::from(size);
                // SAFETY: as above, and its result is in up to four floating registers.
                let four = unsafe { self.through_all::<Floats4>(function) };
                for (index, value) in four.0.into_iter().enumerate().take(usize::from(count)) {
                    let bits = value.to_bits();
                    // SAFETY: `result` has room for the aggregate's `count` members of `size` bytes; `bits` has 8.
                    unsafe {
                        (&raw const bits)
                            .cast::<u8>()
                            .copy_to_nonoverlapping(result.add(index * size), size.min(8))
                    };
                }
                0
            }
        }
    }

    /// Calls `function`, and returns the eightbytes of its result.
    ///
    /// # Safety
    /// As [`Self::call`]; the result is in registers of these classes.
    #[inline(always)]
    unsafe fn parts(&self, function: *const u8, classes: [Class; 2]) -> [u64; 2] {
        // SAFETY: `function` reads at most these registers, and the type of each prototype's result is one that the
        // convention returns in registers of the classes before it.
        unsafe {
            match classes {
                [Class::Sse, Class::Integer] => {
                    let both = self.through_all::<FloatInteger>(function);
                    [both.0.to_bits(), both.1]
                }
                [Class::Integer, Class::Sse] => {
                    let both = self.through_all::<IntegerFloat>(function);
                    [both.0, both.1.to_bits()]
                }
                [Class::Sse, _] => {
                    let both = self.through_all::<Floats2>(function);
                    [both.0.to_bits(), both.1.to_bits()]
                }
                [Class::Integer, _] => {
                    let both = self.through_all::<Integers2>(function);
                    [both.0, both.1]
                }
                [Class::None, Class::Integer] => [0, self.through_all(function)],
                [Class::None, _] => [0, self.through_all::<f64>(function).to_bits()],
            }
        }
    }

    /// Calls `function` through the prototype that fills every register.
    ///
    /// # Safety
    /// `function` is a C function whose arguments are in these registers, and that returns an `R`.
    #[inline(always)]
    unsafe fn through_all<R>(&self, function: *const u8) -> R {
        // SAFETY: the same contract.
        unsafe { all(function, &self.integers, &self.floats) }
    }
}

#[repr(C)]
struct Integers2(u64, u64);
#[repr(C)]
struct Floats2(f64, f64);
#[repr(C)]
struct IntegerFloat(u64, f64);
#[repr(C)]
struct FloatInteger(f64, u64);
/// Only in registers where the convention has homogeneous aggregates.
#[repr(C)]
struct Floats4([f64; 4]);

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
    // SAFETY: `function` takes no more than these registers; the module's head says why it may get more of them.
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
unsafe fn all<R>(function: *const u8, i: &[u64; INTEGERS], f: &[f64; FLOATS]) -> R {
    // SAFETY: as in `integers`.
    unsafe {
        call_with_integers!(function -> R, i,
            f[0] => f64, f[1] => f64, f[2] => f64, f[3] => f64, f[4] => f64, f[5] => f64, f[6] => f64, f[7] => f64)
    }
}
