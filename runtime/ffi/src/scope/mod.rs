//! A [`Scope`]: the declarations of one `FFI` (or plugin), and the ctypes of its records and enums.
//!
//! Structural types are shared by the whole process (see `ctype::intern`); a struct is the struct of the scope that
//! declares it, and of those that include that scope.

mod compiled;
mod model;
mod segments;
mod source;
mod tables;

pub use compiled::{CompiledTables, Context, Global, GlobalCode};
pub(crate) use model::UnreadCdef;
pub use model::{Disagreements, NominalId, Scope};
use segments::LazySegments;
pub use source::AnyTables;
use tables::Lazy;
pub use tables::{Elsewhere, PythonTables};
