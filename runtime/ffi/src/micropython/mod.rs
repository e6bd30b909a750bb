//! MicroPython's `ffi` and `uctypes` modules, for programs that were written for its Unix port.
//!
//! A thin face: a function is called through the [`CallPlan`](crate::call::CallPlan) of the C type that its type codes
//! spell, a callback is a [`Closure`](crate::callback::Closure) of such a type. What is here are MicroPython's own
//! rules: how arguments become slots ([`codes`]), what a callback's exception does ([`frame`]), descriptors
//! ([`uctypes`]), and its classes and texts of errors. docs/micropython.md tells users what differs.

mod arguments;
mod bytearray;
mod callback;
mod codes;
mod frame;
mod function;
mod module;
mod modules;
mod refuse;
mod uctypes;
mod value;
mod variable;

pub use modules::{add_to, ready};
