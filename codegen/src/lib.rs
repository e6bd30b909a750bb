//! From parsed declarations to text: plugin C source, public header and what else is generated.
pub mod abi;
mod flags;
mod spec;

pub use flags::*;
pub use spec::*;

/// `keelback_abi.h`: what a plugin and the runtime share, made from [`abi`] by cbindgen. C99 and later, and C++.
pub const ABI_HEADER: &str = include_str!(concat!(env!("OUT_DIR"), "/keelback_abi.h"));
