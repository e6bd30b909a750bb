//! Whose the Python of this process is.

use std::sync::atomic::{AtomicU8, Ordering};

use pyo3::ffi;

/// Whose the interpreter is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Interpreter {
    /// Nobody asked for it yet.
    None = 0,
    /// We started it. It lives as long as the process.
    Ours = 1,
    /// The process had it.
    Theirs = 2,
}

static INTERPRETER: AtomicU8 = AtomicU8::new(Interpreter::None as u8);

/// Whose Python it is.
pub fn whose() -> Interpreter {
    match INTERPRETER.load(Ordering::Acquire) {
        0 => Interpreter::None,
        1 => Interpreter::Ours,
        _ => Interpreter::Theirs,
    }
}

/// Whether we started the Python of this process.
pub fn is_ours() -> bool {
    whose() == Interpreter::Ours
}

/// Whether this thread is in the interpreter that the process started with, not in a sub-interpreter.
pub fn is_main() -> bool {
    // SAFETY: the thread is in Python.
    unsafe { ffi::PyInterpreterState_Get() == ffi::PyInterpreterState_Main() }
}

/// Says whose it is, once that is known.
pub(super) fn settle(whose: Interpreter) {
    INTERPRETER.store(whose as u8, Ordering::Release);
}
