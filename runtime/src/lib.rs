//! Keelback's runtime: one native library that is a Python extension module (`ffi`, `lib`, ctypes, cdata) and the
//! embedding half of every plugin (start Python, attach, dispatch).
//!
//! Layers, from the bottom: [`py`] (the CPython API), `scope` and `ctype` (types), `cdata` (objects over C memory),
//! `convert` (the conversion engine), `call` (Python to C), `callback` (C to Python), `library` (`lib`), `ffi` (the FFI
//! class), `micropython` (its `ffi` and `uctypes` modules), `package` (the Python half), `embed` (plugins).

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
