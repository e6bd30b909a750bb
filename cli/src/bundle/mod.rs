//! Makes the bundle of a plugin: a complete Python in a directory beside it.

pub mod archive;
mod components;
mod description;
mod fill;
mod gather;
mod libraries;
mod natives;
mod needs;
mod place;
pub mod plugin;
mod system_package;
mod trace;
mod write;

pub use description::{DESCRIPTION, is_bundle};
pub use fill::{Wishes, fill};
pub use place::{SHARED, name_of};
pub use trace::{Traced, trace};
pub use write::{size_of_tree, unwritable};
