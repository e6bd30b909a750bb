//! From parsed declarations to text: plugin C source, public header and the other generated files.
//!
//! [`Plugin::new`] takes a [`PluginSpec`] and returns either all its [`Problem`]s or a [`Plugin`], which has one method
//! for each product. One module makes each product ([`Plugin::c_source`], [`Plugin::header`]); the text of products is
//! in `templates/`.
pub mod abi;
mod answers;
mod batch;
mod c_source;
mod c_text;
mod check;
mod cpp_header;
mod declared;
mod flags;
mod header;
mod layout_checks;
mod lines;
mod plain_header;
mod plugin;
mod prelude_wrappers;
mod problem;
mod pyi;
mod python_module;
mod python_shape;
mod repeated;
mod spec;
mod spelling;
mod templates;

pub use batch::Batches;
pub use c_source::loader_source;
pub use check::check_module_name;
pub use flags::*;
pub use header::HeaderOptions;
pub use plugin::Plugin;
pub use problem::Problem;
pub use pyi::{StubsOf, stubs};
pub use python_module::{ModuleCdef, digest as python_module_digest, python_module};
pub use python_shape::PythonShape;
pub use spec::*;
pub use templates::ABI_HEADER;
