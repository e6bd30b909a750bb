//! init_once.

use pyo3::ffi;

use super::this;
use crate::py::{Exception, Obj, Raised, Ref, Res, Signature, guard};
use crate::raise;

unsafe fn get(dict: &Ref, tag: Obj) -> Res<Option<Ref>> {
    let mut found = std::ptr::null_mut();
    // SAFETY: a dict and a live key.
    unsafe {
        if ffi::compat::PyDict_GetItemRef(dict.obj(), tag, &mut found) < 0 {
            return Err(Raised::already());
        }
        if found.is_null() {
            Ok(None)
        } else {
            Ref::steal(found).map(Some)
        }
    }
}

static INIT_ONCE: Signature<2> = Signature::new("FFI.init_once", ["func", "tag"], 2);

pub unsafe extern "C" fn init_once(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object; the arguments are live.
        unsafe {
            let [func, tag] = INIT_ONCE.parse(args, count, names)?;
            let ffi = this(object);
            let (done, locks) = match ffi
                .once
                .with(|once| (once.done.clone(), once.locks.clone()))
            {
                (Some(done), Some(locks)) => (done, locks),
                _ => {
                    let (done, locks): (Ref, Ref) = (
                        Ref::steal(ffi::PyDict_New())?,
                        Ref::steal(ffi::PyDict_New())?,
                    );
                    // Another thread may have been faster: its dicts count.
                    ffi.once.with(|once| {
                        let done = once.done.get_or_insert(done).clone();
                        let locks = once.locks.get_or_insert(locks).clone();
                        (done, locks)
                    })
                }
            };
            if let Some(result) = get(&done, tag)? {
                return Ok(result);
            }
            let lock = match get(&locks, tag)? {
                Some(lock) => lock,
                None => {
                    let fresh = new_lock()?;
                    // Another thread may have put one there meanwhile: then that is the lock.
                    let lock = ffi::PyDict_SetDefault(locks.obj(), tag, fresh.obj());
                    if lock.is_null() {
                        return Err(Raised::already());
                    }
                    Ref::borrow(lock)
                }
            };
            let owned = call_method(&lock, c"_is_owned")?;
            if owned.obj() == ffi::Py_True() {
                return Err(raise!(
                    RuntimeError,
                    "init_once(): the function calls init_once() with its own tag"
                ));
            }
            // Blocks without the GIL while another thread runs the function.
            call_method(&lock, c"acquire")?;
            let result = run(func, tag, &done);
            let released = keep_exception(|| call_method(&lock, c"release"));
            let result = result?;
            released?;
            Ok(result)
        }
    })
}

/// Under the lock: what another thread did meanwhile, or the function's result.
unsafe fn run(func: Obj, tag: Obj, done: &Ref) -> Res<Ref> {
    // SAFETY: live objects.
    unsafe {
        if let Some(result) = get(done, tag)? {
            return Ok(result);
        }
        let result: Ref = Ref::steal(ffi::PyObject_CallNoArgs(func))?;
        if ffi::PyDict_SetItem(done.obj(), tag, result.obj()) < 0 {
            return Err(Raised::already());
        }
        Ok(result)
    }
}

fn new_lock() -> Res<Ref> {
    // SAFETY: imports a module that is always there, and calls its function.
    unsafe {
        let module: Ref = Ref::steal(ffi::PyImport_ImportModule(c"_thread".as_ptr()))?;
        let class: Ref = Ref::steal(ffi::PyObject_GetAttrString(module.obj(), c"RLock".as_ptr()))?;
        Ref::steal(ffi::PyObject_CallNoArgs(class.obj()))
    }
}

fn call_method(object: &Ref, name: &std::ffi::CStr) -> Res<Ref> {
    // SAFETY: a live object.
    unsafe {
        let method: Ref = Ref::steal(ffi::PyObject_GetAttrString(object.obj(), name.as_ptr()))?;
        Ref::steal(ffi::PyObject_CallNoArgs(method.obj()))
    }
}

/// Runs `body` with the current exception put aside.
fn keep_exception(body: impl FnOnce() -> Res<Ref>) -> Res<()> {
    let pending = Exception::fetch_if_set();
    let result = body();
    let Some(pending) = pending else {
        return result.map(drop);
    };
    if let Err(raised) = result {
        raised.clear();
    }
    let _still_set = pending.restore();
    Ok(())
}
