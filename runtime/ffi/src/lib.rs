//! The half of Keelback's runtime that lets Python use C: `ffi`, `lib`, ctypes and cdata, calls and callbacks, MicroPython's
//! modules, and the extension module that holds them.
//!
//! It does not know that plugins exist: what lets C use Python (`keelback-embed`) stands on it. What is public here is
//! what that crate needs, for nobody else; [`py`] has the terms that every signature is written in. Its layers, and which
//! may use which, are in docs/architecture.md; runtime/tests/layers.rs keeps them.

#![expect(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "public for keelback-embed alone, by the convention of `py`: an `Obj` that is passed is alive"
)]
#![expect(
    clippy::new_without_default,
    reason = "what has `new` are statics, made by a const function"
)]

pub mod attach;
pub mod call;
pub mod callback;
mod cdata;
pub mod convert;
pub mod ctype;
pub mod errors;
pub mod ffi;
pub mod library;
mod micropython;
pub mod module;
pub mod object;
pub mod package;
pub mod py;
pub mod reserve;
pub mod scope;
