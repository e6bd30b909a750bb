//! init_once.

use pyo3::ffi;

use super::FfiObject;
use crate::py::{Exception, Live, Raised, Ref, Res, import, make, method};
use crate::raise;

method!(pub init_once = "FFI.init_once", once, (ffi: &FfiObject, func: Live, tag: Live));

fn once(ffi: &FfiObject, func: Live, tag: Live) -> Res<Ref> {
    let (done, locks) = dicts(ffi)?;
    if let Some(result) = done.live().dict_item(tag)? {
        return Ok(result);
    }
    let lock = match locks.live().dict_item(tag)? {
        Some(lock) => lock,
        None => {
            let fresh = new_lock()?;
            // If another thread has put a lock there meanwhile, that one counts.
            // SAFETY: a dict and live objects; what it returns is the dict's.
            let lock = unsafe {
                Live::or_null(ffi::PyDict_SetDefault(locks.obj(), tag.ptr(), fresh.obj()))
            };
            lock.ok_or_else(Raised::already)?.to_ref()
        }
    };
    let owned = call_method(&lock, c"_is_owned")?;
    if owned.live().is_true()? {
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

/// Results by tag, and locks by tag: dicts, made when they are first needed.
fn dicts(ffi: &FfiObject) -> Res<(Ref, Ref)> {
    // SAFETY: attached to the interpreter; nothing in `with` calls Python or drops objects.
    let known = unsafe {
        ffi.once
            .with(|once| (once.done.clone(), once.locks.clone()))
    };
    if let (Some(done), Some(locks)) = known {
        return Ok((done, locks));
    }
    let (done, locks) = (make::dict([])?, make::dict([])?);
    // SAFETY: as above. Another thread may have been faster: its dicts count.
    Ok(unsafe {
        ffi.once.with(|once| {
            let done = once.done.get_or_insert(done).clone();
            let locks = once.locks.get_or_insert(locks).clone();
            (done, locks)
        })
    })
}

/// To be called with the lock: the result that another thread has left meanwhile, or else that of calling the function.
fn run(func: Live, tag: Live, done: &Ref) -> Res<Ref> {
    if let Some(result) = done.live().dict_item(tag)? {
        return Ok(result);
    }
    let result = func.call()?;
    done.live().set_dict_item(tag, result.live())?;
    Ok(result)
}

fn new_lock() -> Res<Ref> {
    import(c"_thread")?
        .live()
        .attribute(c"RLock")?
        .live()
        .call()
}

fn call_method(object: &Ref, name: &std::ffi::CStr) -> Res<Ref> {
    object.live().attribute(name)?.live().call()
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
