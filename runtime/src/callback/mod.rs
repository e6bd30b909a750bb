//! C calls Python.

/// How C values become Python arguments and the result a C value: prepared once per signature.
pub struct CallbackPlan {}

/// A libffi closure and what it calls: what `ffi.callback()` makes.
pub struct Closure {}
