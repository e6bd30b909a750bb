//! Exceptions of our own, and how the cdef crate's errors become Python's.
