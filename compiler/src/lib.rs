//! Finds and runs the C compiler, for the command line and for Python's `compile()`.

mod compiler;
pub mod files;
pub mod headers;
mod invocation;
pub mod messages;
pub mod modules;
pub mod soname;

pub use compiler::{Compilation, Compiler, Missing, Wishes};
pub use invocation::{Invocation, Outcome};
