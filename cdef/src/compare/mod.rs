//! Compares two versions of an interface: what was added, removed or changed, and what that does to programs that use
//! it.
//!
//! The program was compiled with the old version; it then runs with the new one, or is compiled again with it. The
//! effect is [`Effect::Compatible`] if both work, [`Effect::Incompatible`] if one of them may fail.

mod change;
mod interface;
mod names;
mod records;
mod ty;

pub use change::{Change, Effect, Subject};
pub use interface::Interface;
pub use names::compare;
