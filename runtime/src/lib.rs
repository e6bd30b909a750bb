//! Keelback's runtime: one native library that is a Python extension module (`ffi`, `lib`, ctypes, cdata) and the
//! embedding half of every plugin (start Python, attach, dispatch).
//!
//! The halves are crates of their own: `keelback-ffi` lets Python use C, `keelback-embed` lets C use Python and stands on
//! the first. Here is what outsiders find in the library by its name.

mod init;

/// What plugins look up in this library: here, so that the linker keeps it.
pub use keelback_embed::keelback_runtime;
