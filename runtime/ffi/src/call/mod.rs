//! Python calls C.
//!
//! A signature is prepared once, as a [`CallPlan`]: how each argument becomes a C value, where it goes, how the result
//! comes back. Signatures that fit into registers are called through one prototype that fills them all
//! ([`registers`]); everything else goes through libffi ([`foreign`]).

#[cfg(target_arch = "aarch64")]
mod aapcs64;
mod aggregate;
pub mod errno;
pub mod foreign;
mod invoke;
mod outside;
mod place;
mod plan;
mod prototype;
mod quick;
pub mod refuse;
mod registers;
#[cfg(all(target_arch = "x86_64", not(windows)))]
mod system_v;
mod variadic;

pub use invoke::{Called, call, no_keywords, vectorcall};
pub use outside::{outside_python, run_c};
pub use plan::{CallPlan, is_scalar, result_object, wrong_count};
