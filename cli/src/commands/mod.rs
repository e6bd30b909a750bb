//! One file per command.
pub mod abi;
pub mod build;
pub mod bundle;
pub mod cdef;
pub mod check;
pub mod cmake;
pub mod doctor;
pub mod emit;
pub mod gen_src;
pub mod header;
pub mod help;
pub mod inspect;
pub mod install;
pub mod new;
pub mod stubs;
