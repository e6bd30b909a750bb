//! From parsed declarations to text: plugin C source, public header and what else is generated.
#[allow(
    missing_docs,
    reason = "cbindgen reads this file; each item has its text there"
)]
pub mod abi;
