//! The registers of a call, and where in them a value may be: the words that the calling conventions speak in.

/// Whether this platform has the register path.
pub const SUPPORTED: bool = cfg!(any(
    all(target_arch = "x86_64", not(windows)),
    all(target_arch = "aarch64", not(windows))
));
/// Whether variadic arguments are passed as named ones are. Apple's AArch64 puts them on the stack.
pub const VARIADIC: bool = SUPPORTED && !cfg!(target_vendor = "apple");

/// General registers for arguments.
pub(super) const INTEGERS: usize = if cfg!(target_arch = "aarch64") { 8 } else { 6 };
/// Floating registers for arguments.
pub(super) const FLOATS: usize = 8;

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

/// How the bytes of an aggregate lie in registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(
    target_arch = "x86_64",
    expect(dead_code, reason = "System V looks at eightbytes only")
)]
pub enum Spread {
    /// Each of its eightbytes goes in a register.
    Parts {
        /// Of the eightbytes.
        classes: [Class; 2],
        /// Bytes, at most 16.
        size: u8,
    },
    /// Each of its floating members goes in a floating register.
    Floats {
        /// How many members, at most 4.
        count: u8,
        /// Bytes of a member: 4 or 8.
        size: u8,
    },
}

/// Where an argument goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Nowhere: it has no bytes.
    Nothing,
    /// A general register gets the slot.
    Integer,
    /// A floating register gets the slot.
    Float,
    /// The slot points to the value, which is spread over registers.
    Spread(Spread),
    /// The slot points to 16 bytes for two general registers, of which the first has an even number.
    #[cfg_attr(
        target_arch = "x86_64",
        expect(dead_code, reason = "System V takes any two")
    )]
    EvenPair,
}

/// Where the result comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Return {
    /// A general register, or there is none.
    Integer,
    /// A floating register.
    Float,
    /// The registers that an aggregate is spread over.
    Spread(Spread),
    /// The callee writes it to memory whose address is the first argument.
    Memory,
}
