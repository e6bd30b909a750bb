//! `ffi.keep_gil()`: calls that do not let go of the GIL.

use super::types::first_and_rest;
use crate::library::Lib;
use crate::object::{CData, TYPES, function_object, new_function};
use crate::py::{Live, Obj, Ref, Res, guard};
use crate::raise;

/// `ffi.keep_gil(lib, *names)`, `ffi.keep_gil(function)`
///
/// # Safety
/// Called by Python, as a method of an FFI object.
pub unsafe extern "C" fn keep_gil(_object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: what Python passes to a method of these flags.
        let (target, rest) = unsafe { first_and_rest("FFI.keep_gil", "lib", args, count, names)? };
        kept(target, rest)
    })
}

fn kept(target: Live, names: &[Live]) -> Res<Ref> {
    if let Some(lib) = Lib::of(target) {
        lib.keep_gil(names)?;
        return Ok(target.to_ref());
    }
    if !names.is_empty() {
        return Err(raise!(
            TypeError,
            "keep_gil() takes names of functions after a lib, not after '{}'",
            target.type_name()
        ));
    }
    if let Some(function) = CData::of(target) {
        // Of all other cdata that can be called, something is owned: a closure runs Python.
        if function.python_type() == TYPES.plain.ptr() && function.ctype().is_function_pointer() {
            return Ok(new_function(function.ctype(), function.data(), true)?.into_obj());
        }
    } else if let Some((ctype, address)) = function_object(target)?
        && !address.is_null()
    {
        return Ok(new_function(&ctype, address, true)?.into_obj());
    }
    Err(raise!(
        TypeError,
        "keep_gil() takes a lib or a function of C, not {}",
        target.repr()?.live().text()?.unwrap_or("?")
    ))
}
