//! The Python types of cdata.

use crate::py::Res;

/// Makes the types ready.
pub fn ready() -> Res<()> {
    Ok(())
}
