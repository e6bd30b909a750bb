//! Keelback's runtime: one native library that is a Python extension module (`ffi`, `lib`, ctypes, cdata) and the
//! embedding half of every plugin (start Python, attach, dispatch).
//!
//! Its layers, and which may use which, are in docs/architecture.md; tests/layers.rs keeps them.

mod attach;
mod call;
mod callback;
mod cdata;
mod convert;
mod ctype;
mod embed;
mod entry;
mod errors;
mod ffi;
mod library;
mod micropython;
mod module;
mod object;
mod package;
mod py;
mod reserve;
mod scope;
