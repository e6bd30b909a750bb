//! callback: a C function pointer for a Python function, directly or as a decorator.

use pyo3::ffi;

use super::FfiObject;
use crate::call::refuse;
use crate::callback::Closure;
use crate::ctype::{CType, Kind, pointer_to};
use crate::errors::is_as_cffi;
use crate::object::{Resource, new_managed};
use crate::py::{Live, Methods, Obj, Ref, Res, given, make, method, none, simple, slot};
use crate::{exception, raise};

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
    refuse_as_cffi(&pointer)?;
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

/// After `install_as_cffi()`, no callback is made that CFFI would not make: with unions, bit-fields and the like by value.
fn refuse_as_cffi(pointer: &CType) -> Res<()> {
    let Some(signature) = pointer.signature() else {
        return Ok(());
    };
    if !is_as_cffi() {
        return Ok(());
    }
    if let Err(raised) = refuse::check(signature) {
        raised.clear_if(exception!(NotImplementedError))?;
        return Err(raise!(
            NotImplementedError,
            "{}: callback with unsupported argument or return type or with '...'",
            pointer.name
        ));
    }
    Ok(())
}
