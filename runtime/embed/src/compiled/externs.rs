//! `extern "Python"` of modules that CFFI compiled: their C functions store the arguments as the stubs of plugins do, and
//! call one of the exports.

use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use keelback_cdef::{Declarations, Primitive, Type};
use keelback_codegen::abi::keelback_function_t;

use crate::dispatch::dispatch;
use keelback_ffi::py::Res;
use keelback_ffi::scope::{CompiledTables, Scope};

/// `_cffi_externpy_s`
#[repr(C)]
struct External {
    name: *const c_char,
    result_size: usize,
    /// The [`Function`], once the module is loaded.
    reserved: AtomicPtr<Function>,
    _reserved: *mut c_void,
}

/// What is known of one function.
struct Function {
    record: keelback_function_t,
    /// The arguments that are in their slots here, and pointed to in a plugin's stub.
    in_place: Box<[usize]>,
    params: usize,
}

/// The records of a module's functions, for the life of the process. Those whose types cannot be had are left out, as
/// nobody can attach anything to them.
pub(super) fn functions(
    scope: &Arc<Scope>,
    tables: &CompiledTables,
) -> Res<Vec<*mut keelback_function_t>> {
    let mut all = Vec::new();
    for (name, global) in tables.externs() {
        let text = name.to_string_lossy();
        if let Err(raised) = scope.need_global(&text) {
            raised.clear();
            continue;
        }
        let Some((params, in_place)) = look_at(&scope.read(), &text) else {
            continue;
        };
        let external = global.address.cast::<External>();
        // SAFETY: the address of such a struct, by the operation; it stays as long as the process. A pointer to a C
        // function.
        unsafe {
            let function = Box::leak(Box::new(Function {
                record: keelback_function_t {
                    name: name.as_ptr(),
                    address: std::mem::transmute::<*mut c_void, Option<unsafe extern "C" fn()>>(
                        global.size_or_function,
                    ),
                    start_error: std::ptr::null(),
                    result_size: (*external).result_size,
                    batch_of: 0,
                    batch_result: 0,
                    binding: std::ptr::null_mut(),
                },
                in_place,
                params,
            }));
            let record: *mut Function = function;
            (*external).reserved.store(record, Ordering::Release);
            all.push(&raw mut (*record).record);
        }
    }
    Ok(all)
}

/// How many parameters a function has, and which of them are complex numbers.
fn look_at(declarations: &Declarations, name: &str) -> Option<(usize, Box<[usize]>)> {
    let function = declarations.lookup_function(name)?;
    let Type::Function(signature) = declarations.types.get(function.ty) else {
        return None;
    };
    let params = signature.params.iter().enumerate();
    let in_place = params.filter_map(|(index, param)| {
        let is_complex = matches!(
            declarations.types.get(param.ty),
            Type::Primitive(Primitive::FloatComplex | Primitive::DoubleComplex)
        );
        is_complex.then_some(index)
    });
    Some((signature.params.len(), in_place.collect()))
}

/// `_cffi_call_python`: the C function of an `extern "Python"` was called. The result is written at `arguments`.
///
/// # Safety
/// CFFI's generated code calls it: `external` is the module's record of the function, and at `arguments` are 8 bytes for
/// each parameter, with room for the result and for 8 bytes at least.
pub(super) unsafe extern "C" fn call(external: *mut c_void, arguments: *mut c_char) {
    // SAFETY: `external` is a module's record, which is static, and at `arguments` there is room for each parameter and for
    // the result (the caller's contract). What `reserved` points to was leaked, and so lives for ever. `frame` has a place
    // for each parameter, for the whole result, and one at least.
    unsafe {
        let external = &*external.cast::<External>();
        let function = external.reserved.load(Ordering::Acquire);
        if function.is_null() {
            // The function's type cannot be made, so no Python function can be attached: C gets zeros.
            arguments.write_bytes(0, external.result_size);
            return;
        }
        let record = &raw mut (*function).record;
        let function = &*function;
        if function.in_place.is_empty() {
            return dispatch(record, arguments.cast());
        }
        let slots = function.params.max(external.result_size.div_ceil(8)).max(1);
        let mut frame = vec![0u64; slots];
        let count = function.params;
        arguments
            .cast::<u64>()
            .copy_to_nonoverlapping(frame.as_mut_ptr(), count);
        for &index in &function.in_place {
            frame[index] = arguments.add(index * 8) as u64;
        }
        dispatch(record, frame.as_mut_ptr().cast());
        arguments.copy_from_nonoverlapping(frame.as_ptr().cast(), external.result_size.max(8));
    }
}
