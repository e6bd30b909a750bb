//! A [`Scope`]: the declarations of one `FFI` (or plugin), and the ctypes of its records and enums.
//!
//! Structural types are shared by the whole process (see `ctype::intern`); a struct is the struct of the scope that
//! declares it, and of those that include that scope.

mod model;
mod tables;

pub(crate) use model::UnreadCdef;
pub use model::{Disagreements, NominalId, Scope};
use tables::Lazy;
pub use tables::{Elsewhere, PythonTables};
