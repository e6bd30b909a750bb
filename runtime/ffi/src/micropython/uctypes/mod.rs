//! The module `uctypes`: C data by descriptors.

mod classes;
mod descriptor;
mod layout;
mod object;
mod scalar;
mod structure;

pub(crate) use classes::owner_of;
use classes::raise_no_field;
use descriptor::Scalar;
use layout::Layout;
pub(crate) use object::{create, ready};
