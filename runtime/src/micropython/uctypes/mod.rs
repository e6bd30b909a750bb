//! The module `uctypes`: C data by descriptors.

mod descriptor;
mod layout;
mod object;
mod scalar;
mod structure;

use descriptor::Scalar;
use layout::Layout;
use object::raise_no_field;
pub(crate) use object::{create, owner_of, pointer_value, ready};
