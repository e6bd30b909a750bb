//! callback: a C function pointer for a Python function, directly or as a decorator.

use pyo3::ffi;

use super::{FfiObject, given, this};
use crate::callback::Closure;
use crate::ctype::{CType, Kind, pointer_to};
use crate::object::{Resource, new_managed};
use crate::py::{Methods, Obj, Ref, Res, Signature, guard, simple, str_text, type_name};
use crate::raise;

static CALLBACK: Signature<4> = Signature::new(
    "FFI.callback",
    ["cdecl", "python_callable", "error", "onerror"],
    1,
);

pub unsafe extern "C" fn callback(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object; the arguments are live.
        unsafe {
            let [cdecl, callable, error, onerror] = CALLBACK.parse(args, count, names)?;
            let ctype = this(object).ctype_argument_or_function(cdecl)?;
            let pointer = function_pointer(&ctype)?;
            refuse_as_cffi(this(object), cdecl, &pointer)?;
            match given(callable) {
                Some(callable) => make(&pointer, callable, given(error), given(onerror)),
                None => {
                    let none = ffi::Py_None();
                    let or_none = |object: Obj| given(object).unwrap_or(none);
                    let state: Ref = Ref::steal(ffi::PyTuple_Pack(
                        3,
                        pointer.obj(),
                        or_none(error),
                        or_none(onerror),
                    ))?;
                    Ref::steal(ffi::PyCFunction_New(DECORATOR.ptr(), state.obj()))
                }
            }
        }
    })
}

/// The pointer type of a function type; a pointer to a function as it is.
fn function_pointer(ctype: &CType) -> Res<Ref<CType>> {
    if ctype.kind == Kind::Function {
        return pointer_to(ctype);
    }
    if ctype.is_function_pointer() {
        return Ok(ctype.to_ref());
    }
    Err(raise!(
        TypeError,
        "expected a function ctype, got '{}'",
        ctype.name
    ))
}

static DECORATOR: Methods<1> = Methods::new([simple(
    c"callback_decorator",
    decorate,
    ffi::METH_O,
    c"Makes the function a callback.",
)]);

unsafe extern "C" fn decorate(state: Obj, callable: Obj) -> Obj {
    guard(|| {
        // SAFETY: `state` is the tuple that `callback` packed; the argument is live.
        unsafe {
            let ctype = Ref::<CType>::borrow(ffi::PyTuple_GET_ITEM(state, 0).cast());
            make(
                &ctype,
                callable,
                given(ffi::PyTuple_GET_ITEM(state, 1)),
                given(ffi::PyTuple_GET_ITEM(state, 2)),
            )
        }
    })
}

/// The cdata of a new closure.
unsafe fn make(ctype: &CType, callable: Obj, error: Option<Obj>, onerror: Option<Obj>) -> Res<Ref> {
    // SAFETY: live objects.
    unsafe {
        if ffi::PyCallable_Check(callable) == 0 {
            return Err(raise!(
                TypeError,
                "expected a callable object, not {}",
                type_name(callable)
            ));
        }
        let closure = Closure::new(ctype, callable, error, onerror)?;
        let code = closure.code();
        Ok(new_managed(ctype, code, -1, Resource::Callback(closure))?.into_obj())
    }
}

/// CFFI makes no callback whose result is a struct with bit-fields, and its conformance tests ask for the refusal with
/// a string that declares a named function, `struct s f(void)`. That spelling is refused; the type itself, however it is
/// written or got, is served.
///
/// # Safety
/// `cdecl` is live.
unsafe fn refuse_as_cffi(object: &FfiObject, cdecl: Obj, pointer: &CType) -> Res<()> {
    let Some(signature) = pointer.signature() else {
        return Ok(());
    };
    let has_bit_field = signature
        .result
        .record()?
        .is_some_and(|record| record.fields.iter().any(|field| field.is_bit_field()));
    if !has_bit_field {
        return Ok(());
    }
    // SAFETY: the caller's contract; a ctype has no text.
    let text = unsafe {
        if ffi::PyUnicode_Check(cdecl) == 0 {
            return Ok(());
        }
        str_text(cdecl)?
    };
    if text.is_some_and(|text| object.scope.write().type_string_has_name(text)) {
        return Err(raise!(
            NotImplementedError,
            "{}: callback with unsupported argument or return type or with '...'",
            pointer.name
        ));
    }
    Ok(())
}
