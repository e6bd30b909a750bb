//! Both modules, with their types.

use crate::py::module::add;
use crate::py::{Ref, Res};

use super::{bytearray, callback, function, module, uctypes, variable};

/// Makes the types ready.
pub fn ready() -> Res<()> {
    bytearray::ready()?;
    callback::ready()?;
    function::ready()?;
    module::ready()?;
    variable::ready()?;
    uctypes::ready()
}

/// Adds both modules to the runtime's, as attributes `micropython_ffi` and `micropython_uctypes`.
pub fn add_to(runtime: &Ref) -> Res<()> {
    add(runtime, c"micropython_ffi", &module::create()?)?;
    add(runtime, c"micropython_uctypes", &uctypes::create()?)
}
