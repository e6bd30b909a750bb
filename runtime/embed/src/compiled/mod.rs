//! Extension modules that CFFI's API mode compiled: how they are loaded without CFFI.
//!
//! Such a module calls `_cffi_backend._init_cffi_1_0_external_module` with the address of its name, its version, its
//! table of exports (what its own code calls, filled here) and its tables (see `scope::CompiledTables`).

mod exports;
mod externs;
mod functions;
mod module;
mod plugin;

pub(super) use functions::add_to;
