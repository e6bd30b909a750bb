//! The tables of the Python modules that CFFI generates for out-of-line ABI mode, as declarations.
//!
//! Such a module contains `ffi = _cffi_backend.FFI('name', _version=..., _types=b'...', _globals=(...), ...)`:
//!
//! * `_types`: operations of four bytes ([`format::Op`]). A type is one operation; an array is two, the second being
//!   its length; a function is its own operation, one for each parameter, and an end.
//! * `_globals`: an operation and a name, then a number; for each function, variable and constant, sorted by name.
//! * `_struct_unions`: tuples of index, flags and name; then an operation and a name for each field (with the width in
//!   between, for a bit-field). Names that start with `$` are not C's: `$foo` has only the typedef name `foo`, `$$foo` is
//!   what the typedef `foo` points to, `$1` has no name.
//! * `_enums`: index, integer type, name, NUL, and the names of the enumerators with commas between.
//! * `_typenames`: an index into the types, and the name, sorted.
//!
//! [`Tables::new`] looks through all of it once, and allocates nothing for a name. A name is declared when it is first
//! used, so importing such a module costs nearly nothing, however large it is.

mod check;
mod declare;
mod format;
mod model;
mod prototype;
mod slots;
mod source;
mod words;

pub use format::Op;
pub use model::{External, GlobalKind, TableError, Tables};
pub use source::{ByteTables, Sorted, TableEnum, TableField, TableSource};
pub(crate) use words::words;

use model::{NO_SUCH_TYPE, TRUNCATED, damaged, kind_of};
