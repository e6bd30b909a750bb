//! A thread's way into Python and out again, for whoever calls Python from C.
//!
//! | file | subject |
//! |---|---|
//! | `thread` | what is kept for each thread and looked at in every call |
//! | `threads` | entering Python and leaving it |
//! | `scope` | staying in Python between calls |
//! | `states` | whose a thread state is |
//! | `home` | the sub-interpreter that a callback was made in |
//! | `stack` | how much stack a thread has left |
//! | `floats` | the floating-point environment of the host and of Python |
//! | `output` | what Python printed, flushed in time |
//! | `stderr` | standard error, where there may be no Python |
//!
//! What is promised: a thread that Python has never seen is let in, whatever it has been through is put back when it
//! leaves, and a thread that cannot be let in gets the reason. Nothing here knows what is called.

pub mod floats;
pub mod home;
pub mod output;
pub mod scope;
pub mod stack;
mod states;
mod stderr;
mod thread;
pub mod threads;

pub use floats::Lent;
pub use output::flush_if_written;
pub use stderr::write_to_stderr;
pub use thread::Thread;
