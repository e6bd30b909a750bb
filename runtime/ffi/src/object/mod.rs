//! The objects that all layers above pass around: what is in them, and how they are made.
//!
//! | file | subject |
//! |---|---|
//! | `cdata` | the structs behind `cdata`, and making them |
//! | `block` | the memory of small ones |
//! | `function` | the head of a plugin's `lib.function` objects |
//! | `handles` | the addresses that `ffi.new_handle` hands out |
//!
//! What is promised: an object that is seen is whole, and its head says what it is. What can be done with it is the
//! matter of the layers above; none of them is known here.

pub mod block;
mod cdata;
mod function;
pub mod handles;

pub use cdata::{
    CData, Held, ManagedCData, OwningCData, PlainCData, Resource, TYPES, ViewCData, as_cdata,
    is_buffer, new_function, new_handle, new_inner, new_managed, new_owning, new_owning_unset,
    new_plain, new_value, new_view, new_view_of_owning, no_memory, not_callable, null_dereference,
    released, set_function_calls,
};
pub use function::{FUNCTION_TYPE, FunctionHead, function_address, function_object};
