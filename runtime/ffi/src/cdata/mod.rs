//! `cdata`: what Python can do with an object over C memory.
//!
//! | file | subject |
//! |---|---|
//! | `pytype` | the Python types and their slots |
//! | `new`, `cast` | `ffi.new`, `ffi.cast` |
//! | `index`, `iterate` | items, slices, iteration |
//! | `attribute` | fields |
//! | `arith`, `compare`, `number` | pointer arithmetic, comparisons, int() and float() |
//! | `lifetime` | the end of a cdata: release, destructors, the garbage collector |
//! | `repr` | `repr(cdata)` |
//!
//! The objects themselves are in `object`, the conversion of values in `convert`.

pub mod arith;
mod attribute;
pub mod cast;
mod compare;
pub mod index;
mod iterate;
pub mod lifetime;
pub mod new;
mod number;
pub mod pytype;
mod repr;

pub use lifetime::release;
