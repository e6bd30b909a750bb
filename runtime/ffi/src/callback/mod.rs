//! C calls Python: one way in for `ffi.callback()` closures and for the exported and `extern "Python"` functions of
//! plugins.

mod batch;
mod closure;
mod failure;
mod function;
mod headroom;
mod invoke;
mod uses;

pub use batch::{invoke_array_of_one, invoke_arrays, invoke_each, what_is_wrong};
pub use closure::Closure;
pub use failure::{ErrorSink, Failure};
pub use function::{CallbackPlan, PythonFunction};
pub use invoke::{Pointers, Slots, fail_at_end_of_stack, invoke};
pub use uses::{Calls, Uses};
