//! What is given back when an interpreter ends.
//!
//! References that the runtime holds for C, which may use them at any time, would be held for ever: a Python function
//! keeps its module's variables alive, and with them open files and objects with destructors. So they are handed to the
//! interpreter: a list in the dict of `sys`, which is emptied after all modules were taken apart (until then destructors
//! may call C that calls back), and while `sys.stdout` and the built-in functions are still there.

use std::ffi::{CStr, c_void};

use pyo3::ffi;

use super::{Obj, Raised, Ref, Res, capi, make, of_sys};

/// Where the list is in `sys`. CPython clears the names with one leading underscore before the others.
const KEY: &CStr = c"_keelback_held";

/// Gives something back. It is called with the GIL held, in the interpreter that ends, and no exception is set.
pub type GiveBack = unsafe fn(what: *mut c_void);

/// Has `give_back(what)` called when the interpreter that the thread is in ends, or when its `sys` is taken apart.
///
/// # Safety
/// The GIL is held. `give_back` may be called with `what` at any later time; `what` is not NULL.
pub unsafe fn at_end(give_back: GiveBack, what: *mut c_void) -> Res<()> {
    // SAFETY: the GIL is held and `what` is not NULL, as a capsule needs it (the caller's contract).
    let capsule = unsafe {
        let capsule: Ref = Ref::steal(ffi::PyCapsule_New(what, KEY.as_ptr(), Some(ends)))?;
        let context = give_back as *mut c_void;
        Raised::if_negative(ffi::PyCapsule_SetContext(capsule.obj(), context))?;
        capsule
    };
    list()?.live().append(capsule.live())
}

/// The list of the interpreter that the thread is in.
fn list() -> Res<Ref> {
    if let Some(list) = of_sys(KEY).filter(|list| list.live().is_list()) {
        return Ok(list);
    }
    let made = make::list::<ffi::PyObject>([])?;
    Raised::if_negative(capi::PySys_SetObject(KEY.into(), made.live()))?;
    Ok(made)
}

/// Makes the list of the interpreter that the thread is in, so that the first one who needs it does not pay for it. The GIL
/// is held.
pub fn prepare() -> Res<()> {
    list().map(|_| ())
}

/// The destructor of the capsule that goes at the end.
///
/// # Safety
/// Called by Python, with a capsule of this kind.
unsafe extern "C" fn ends(capsule: Obj) {
    super::guard_unit(|| {
        // SAFETY: the capsule is one of `at_end`'s (the contract of this function), so its context is a `GiveBack`, which
        // may be called with the capsule's pointer at any time. A capsule ends once.
        unsafe {
            let what = ffi::PyCapsule_GetPointer(capsule, KEY.as_ptr());
            let context = ffi::PyCapsule_GetContext(capsule);
            if !what.is_null() && !context.is_null() {
                std::mem::transmute::<*mut c_void, GiveBack>(context)(what);
            }
        }
    });
}
