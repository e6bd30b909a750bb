//! The floating-point environment of C, and that of Python.
//!
//! Python counts on C's default one: rounding to nearest, no traps, denormal numbers as they are. Where a host has
//! another, traps end it at `1e308 * 10`, and `repr()` is wrong in another rounding. So a thread that comes from C with
//! another environment has it put aside while it is in Python, and gets it back for C that Python calls.
//!
//! Whether it is another is read from the vector unit's control register: `fesetround()`, `fesetenv()` and
//! `feenableexcept()` change that together with the x87's, which is looked at only then.

use std::cell::Cell;

use super::Thread;

/// A whole environment: rounding, traps, flags.
#[repr(C, align(16))]
pub struct Whole([u8; 64]);

unsafe extern "C" {
    fn keelback_fenv_put_aside(saved: *mut Whole);
    fn keelback_fenv_put_back(saved: *const Whole);
}

impl Whole {
    /// Returns this thread's environment, and gives the thread C's default one.
    pub fn put_aside() -> Self {
        let mut saved = Self([0; 64]);
        // SAFETY: room for a fenv_t, as fenv.c asserts.
        unsafe { keelback_fenv_put_aside(&mut saved) };
        saved
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        // SAFETY: filled by `put_aside`.
        unsafe { keelback_fenv_put_back(self) };
    }
}

#[cfg(target_arch = "x86_64")]
mod registers {
    use std::arch::asm;

    use super::Whole;

    /// MXCSR without its status flags: traps, rounding, and what becomes of denormal numbers.
    const CONTROL: u32 = 0xffc0;
    const DEFAULT: u32 = 0x1f80;
    const DEFAULT_X87: u16 = 0x37f;

    /// The registers of an environment that is not the default one.
    pub struct Registers {
        mxcsr: u32,
        /// The whole environment, where the x87's is not the default one either: then all of it is put back, and not only
        /// `mxcsr`.
        x87: Option<Whole>,
    }

    #[inline(always)]
    fn mxcsr() -> u32 {
        let mut register = std::mem::MaybeUninit::<u32>::uninit();
        // SAFETY: stores four bytes.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) register.as_mut_ptr(), options(nostack, preserves_flags));
            register.assume_init()
        }
    }

    fn set_mxcsr(register: u32) {
        // SAFETY: the value is one that this thread's MXCSR had before, or the default; both are valid.
        unsafe {
            asm!("ldmxcsr [{}]", in(reg) &raw const register, options(nostack, readonly, preserves_flags));
        }
    }

    /// Whether the environment's control bits are those that a process starts with.
    #[inline(always)]
    pub fn is_default() -> bool {
        mxcsr() & CONTROL == DEFAULT
    }

    impl Registers {
        pub fn put_aside() -> Self {
            let mxcsr = mxcsr();
            let mut x87 = 0u16;
            // SAFETY: stores two bytes.
            unsafe {
                asm!("fnstcw [{}]", in(reg) &raw mut x87, options(nostack, preserves_flags));
            }
            let x87 = (x87 != DEFAULT_X87).then(Whole::put_aside);
            set_mxcsr(DEFAULT);
            Self { mxcsr, x87 }
        }
        pub fn put_back(self) {
            drop(self.x87);
            set_mxcsr(self.mxcsr);
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod registers {
    use std::arch::asm;

    /// FPCR (traps, rounding, denormal numbers: 0 by default) and FPSR (the flags).
    pub struct Registers {
        control: u64,
        status: u64,
    }

    #[inline(always)]
    fn control() -> u64 {
        let register: u64;
        // SAFETY: only reads.
        unsafe {
            asm!("mrs {}, fpcr", out(reg) register, options(nomem, nostack, preserves_flags));
        }
        register
    }

    /// Whether the control word is the one that C begins with.
    #[inline(always)]
    pub fn is_default() -> bool {
        control() == 0
    }

    impl Registers {
        pub fn put_aside() -> Self {
            let control = control();
            let status: u64;
            // SAFETY: reads the flags and sets the default control word, which is valid.
            unsafe {
                asm!("mrs {}, fpsr", "msr fpcr, xzr", out(reg) status, options(nostack));
            }
            Self { control, status }
        }
        pub fn put_back(self) {
            // SAFETY: the values are those that this thread's two registers had before.
            unsafe {
                asm!("msr fpsr, {}", "msr fpcr, {}", in(reg) self.status, in(reg) self.control, options(nostack));
            }
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod registers {
    /// Nothing: on this machine reading the environment costs too much, so Python runs in that of its caller.
    pub struct Registers;

    /// Nothing is known of this machine's floating-point environment: it is taken for the default one.
    #[inline(always)]
    pub fn is_default() -> bool {
        true
    }

    impl Registers {
        pub fn put_aside() -> Self {
            Self
        }
        pub fn put_back(self) {}
    }
}

use registers::Registers;
pub use registers::is_default;

/// C's environment, put aside until this is dropped: on the thread that made it.
pub struct Aside {
    thread: &'static Thread,
    /// The registers; `None` while a C function that Python calls has them.
    registers: Cell<Option<Registers>>,
    /// What the call from C that this call is nested in has put aside; NULL if there is none.
    outer: *const Aside,
}

impl Aside {
    /// Puts this thread's environment aside.
    #[cold]
    #[inline(never)]
    pub fn begin(thread: &'static Thread) -> Box<Self> {
        let aside = Box::new(Self {
            thread,
            registers: Cell::new(Some(Registers::put_aside())),
            outer: thread.floats.get().cast(),
        });
        thread.floats.set((&raw const *aside).cast());
        aside
    }

    #[cold]
    #[inline(never)]
    fn lend(&self) {
        self.thread.floats.set(std::ptr::null());
        if let Some(registers) = self.registers.take() {
            registers.put_back();
        }
    }

    #[cold]
    #[inline(never)]
    fn take_again(&self) {
        // The function of C may have changed the floating-point environment.
        self.registers.set(Some(Registers::put_aside()));
        self.thread.floats.set(std::ptr::from_ref(self).cast());
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.thread.floats.set(self.outer.cast());
        if let Some(registers) = self.registers.take() {
            registers.put_back();
        }
    }
}

/// C that Python calls has its own environment while this lives.
#[must_use = "Python's environment is back when this is dropped"]
pub struct Lent(*const Aside);

impl Lent {
    /// Gives C its environment, if this thread's is put aside.
    #[inline(always)]
    pub fn begin(thread: &Thread) -> Self {
        let aside = thread.floats.get().cast::<Aside>();
        if !aside.is_null() {
            // SAFETY: `aside` belongs to the call from C that Python runs in: further up the stack of this thread, and not
            // over yet.
            unsafe { (*aside).lend() }
        }
        Self(aside)
    }
}

impl Drop for Lent {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the address that `begin` found; the call from C that it belongs to has not returned yet.
            unsafe { (*self.0).take_again() }
        }
    }
}
