//! The FFI class.
//!
//! Two Python types over one Rust struct and one set of functions:
//!
//! * [`INLINE_TYPE`], `keelback.FFI`: what `FFI()` makes. It has `cdef` and the other building methods, may be
//!   subclassed, and takes any attribute, as CFFI's Python class does.
//! * [`COMPILED_TYPE`], the `ffi` of a plugin or an out-of-line module: its declarations are fixed, and so are its
//!   attributes; `ffi.error` is what it raises for a bad type string.
//!
//! One file per family of methods.

mod address;
mod allocate;
pub mod attachment;
mod bound;
mod buffer;
mod builder;
mod cache;
mod callback;
mod class;
mod compile;
mod declare;
mod declared;
mod extent;
mod from_buffer;
mod gc;
mod handles;
mod header;
mod keep_gil;
mod loading;
mod memmove;
mod object;
mod once;
mod options;
mod own_files;
mod passing;
pub mod payload;
mod record;
mod state;
mod string;
mod text;
mod types;
mod unpack;
mod verify;

pub(crate) use buffer::View;
pub use builder::{declare, declare_batches, generate, generate_python, generate_stubs};
pub use class::{add_to, ready};
pub use compile::{check_files, compile};
pub use declared::declared;
use object::empty_scope;
pub use object::{COMPILED_TYPE, FfiObject, INLINE_TYPE};
pub use own_files::own_files;
pub use passing::{passing, settled};
pub use verify::{import_verified, load_verified};
