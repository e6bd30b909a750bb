//! Changes ELF files as little as possible: existing bytes keep their places, and what grows is moved to the end.
//!
//! Libraries of published packages have been through other tools already, which leave them in forms that a linker
//! never writes (sections at odd offsets, segments behind the section headers). So nothing is laid out anew here.

mod dynamic;
mod file;
mod grow;
mod machine_paths;
mod search_path;
mod strip;
mod tables;
mod versions;

#[cfg(test)]
mod tests;

pub use file::Elf;
pub use machine_paths::hide;
pub use search_path::SearchPath;
