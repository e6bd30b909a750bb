//! Python calls C.

/// How to call a signature: conversions prepared once, then run without looking at types again.
pub struct CallPlan {}
