//! Exceptions of our own, and how the cdef crate's errors become Python's.

use crate::py::Raised;
use crate::raise;

/// Raises what a layout error means in Python.
pub fn raise_layout(error: &keelback_cdef::LayoutError) -> Raised {
    let _ = error;
    raise!(TypeError, "layout")
}
