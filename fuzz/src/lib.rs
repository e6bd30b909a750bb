//! What the fuzz targets do with an input, as plain functions: none may panic, and each checks what its file describes.
//!
//! `fuzz_targets/` hands them to libFuzzer; `codegen/tests/corpus.rs` includes this file and runs them over what is
//! kept in `corpus/` and `seeds/`, so that an ordinary `cargo test` notices when one of those fails again.
pub mod cdef;
mod declarations;
pub mod initialiser;
pub mod payload;
pub mod preprocessor;
pub mod tables;
mod targets;
pub mod type_string;

pub use targets::TARGETS;
