//! The end of a cdata: `ffi.release()`, `with`, destructors, garbage collection.

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};

use pyo3::ffi;

use crate::ctype::Kind;
use crate::object::{CData, ManagedCData, Resource, TYPES};
use crate::py::{Exception, Obj, Ref, Res, write_unraisable};
use crate::raise;

/// Whether `ffi.release()` and `with` accept the cdata; raises if not.
pub(super) fn check_releasable(cdata: &CData) -> Res<()> {
    let accepted = match cdata.resource() {
        Some(resource) => !matches!(resource, Resource::Handle(_) | Resource::Callback(_)),
        None => match cdata.viewed() {
            // `p[0]` of a pointer from an allocator.
            Some(owner) => matches!(
                owner.resource(),
                Some(
                    Resource::Allocated { .. }
                        | Resource::Released { buffer: false, .. }
                        | Resource::None
                )
            ),
            None => {
                cdata.python_type() == TYPES.owning.ptr() && cdata.ctype().is_pointer_or_array()
            }
        },
    };
    if accepted {
        return Ok(());
    }
    Err(raise!(
        ValueError,
        "only 'cdata' object from ffi.new(), ffi.gc(), ffi.from_buffer() or ffi.new_allocator()() can be used with the \
         'with' keyword or ffi.release()"
    ))
}

/// `ffi.release(cdata)`: gives back now what it owns. Doing it again does nothing. Memory that is part of the object (of
/// plain `ffi.new()`) stays until the object goes, as in CFFI.
pub fn release(cdata: &CData) -> Res<()> {
    check_releasable(cdata)?;
    let managed = cdata.viewed().unwrap_or(cdata);
    if managed.resource().is_some() {
        // SAFETY: it is a ManagedCData, and the caller holds a reference to it.
        unsafe { release_managed(std::ptr::from_ref(managed).cast_mut().cast()) };
    }
    Ok(())
}

/// Takes the resource out, so that whatever runs meanwhile finds it released, then gives it back.
///
/// # Safety
/// `object` is a live ManagedCData, and nobody holds a reference into its resource.
unsafe fn release_managed(object: *mut ManagedCData) {
    // SAFETY: `object` is a live ManagedCData, and nobody holds a reference into its resource (the caller's contract), so
    // the resource may be replaced. `data` and `length` are cells of plain numbers.
    unsafe {
        let buffer = matches!((*object).resource, Resource::Buffer(_));
        if matches!(
            (*object).resource,
            Resource::None | Resource::KeepAlive(_) | Resource::Released { .. }
        ) {
            return;
        }
        if matches!((*object).base.ctype().kind, Kind::Primitive | Kind::Enum) {
            return release_number(object);
        }
        let address = (*object).base.data() as usize;
        let resource = take(object, Resource::Released { buffer, address });
        if matches!(resource, Resource::Handle(_)) {
            crate::object::handles::remove((*object).base.data());
        }
        // The memory goes, so nobody may find its address in the cdata any more.
        (*object).base.data.set(std::ptr::null_mut());
        if (*object).base.ctype().kind == Kind::Array {
            (*object).base.length.set(0);
        }
        finish(resource);
    }
}

/// Releases a number that has a destructor (a file descriptor, say). As in CFFI it keeps its value afterwards, and so the
/// cdata that holds the value is kept.
///
/// # Safety
/// `object` is a live ManagedCData, and nobody holds a reference into its resource.
unsafe fn release_number(object: *mut ManagedCData) {
    // SAFETY: `object` is live and nobody holds a reference into its resource (the caller's contract). The one that is
    // taken here to copy `origin` ends inside of `steady`, before the resource is taken.
    unsafe {
        let origin = steady(|| match &(*object).resource {
            Resource::Gc { origin, .. } => Some(origin.clone()),
            _ => None,
        });
        if let Some(origin) = origin {
            finish(take(object, Resource::KeepAlive(origin)));
        }
    }
}

/// The end of a cdata: gives back what it owns. Its destructor has run ([`finalize`]).
///
/// # Safety
/// Called once, by tp_dealloc, with the last reference gone.
pub(super) unsafe fn end(object: *mut ManagedCData) {
    // SAFETY: the last reference is gone and tp_dealloc calls this once (the caller's contract), so nobody looks at the
    // resource any more: what is in it is moved out or dropped in place, once.
    unsafe {
        match &mut (*object).resource {
            Resource::Handle(kept) => {
                crate::object::handles::remove((*object).base.data());
                std::ptr::drop_in_place(kept);
            }
            Resource::Buffer(view) => ffi::PyBuffer_Release(view),
            Resource::KeepAlive(kept) => drop_in_turn(std::ptr::read(kept)),
            other => finish(std::ptr::read(other)),
        }
    }
}

/// Whether the end of the cdata calls a Python function.
#[inline(always)]
pub(super) fn has_destructor(resource: &Resource) -> bool {
    matches!(resource, Resource::Gc { .. } | Resource::Allocated { .. })
}

/// Runs `body` while no thread takes the resource out of a cdata: for whoever looks into one that may be released. With a
/// GIL, that is now anyhow. `body` must not run Python code.
pub(crate) fn steady<R>(body: impl FnOnce() -> R) -> R {
    #[cfg(Py_GIL_DISABLED)]
    static SWAP: std::sync::Mutex<()> = std::sync::Mutex::new(());
    #[cfg(Py_GIL_DISABLED)]
    let _held = SWAP
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    body()
}

/// Swaps the resource. On a free-threaded Python two threads may release at once: one of them gets it.
///
/// # Safety
/// `object` is a live ManagedCData, and nobody holds a reference into its resource.
unsafe fn take(object: *mut ManagedCData, replacement: Resource) -> Resource {
    // SAFETY: `object` is live, and nobody holds a reference into its resource (the caller's contract). `steady` lets one
    // thread swap at a time, and the closure runs no Python code.
    steady(|| unsafe { std::mem::replace(&mut (*object).resource, replacement) })
}

/// Gives a resource back: calls its destructor, releases its buffer, drops what it kept alive.
fn finish(resource: Resource) {
    match resource {
        Resource::Gc { origin, destructor } => {
            call_destructor(&destructor, &origin);
            drop_in_turn(origin);
        }
        Resource::Allocated { memory, free } => {
            if let Some(free) = free {
                call_destructor(&free, &memory);
            }
            drop_in_turn(memory);
        }
        Resource::Buffer(mut view) => {
            // SAFETY: the view was filled by PyObject_GetBuffer, and is released once.
            unsafe { ffi::PyBuffer_Release(&mut view) };
        }
        _ => {}
    }
}

/// Drops what a cdata kept alive. That may be a cdata that keeps another one alive, and so on: a chain of any length
/// must not use up the stack, so only so many go inside each other and the rest waits for the outermost.
fn drop_in_turn(object: Ref) {
    const DEEPEST: usize = 50;
    thread_local! {
        static DEPTH: Cell<usize> = const { Cell::new(0) };
        static WAITING: RefCell<Vec<Ref>> = const { RefCell::new(Vec::new()) };
    }
    let Ok(depth) = DEPTH.try_with(Cell::get) else {
        // On a thread that is ending, whose storage is gone, there is nowhere to wait.
        return drop(object);
    };
    if depth >= DEEPEST {
        WAITING.with_borrow_mut(|waiting| waiting.push(object));
        return;
    }
    DEPTH.set(depth + 1);
    drop(object);
    if depth == 0 {
        while let Some(next) = WAITING.with_borrow_mut(Vec::pop) {
            drop(next);
        }
    }
    DEPTH.set(depth);
}

/// Calls a destructor; its exception goes to `sys.unraisablehook`. An exception that is set stays set.
fn call_destructor(destructor: &Ref, origin: &Ref) {
    // SAFETY: live objects; the saved exception is put back.
    unsafe {
        let pending = Exception::fetch_if_set();
        let result = ffi::PyObject_CallOneArg(destructor.obj(), origin.obj());
        if result.is_null() {
            write_unraisable("from callback for ffi.gc ", origin.obj());
        } else {
            ffi::Py_DECREF(result);
        }
        if let Some(pending) = pending {
            let _still_set = pending.restore();
        }
    }
}

/// `ffi.gc(cdata, None)`: forgets the destructor. `false` when the cdata is none of `ffi.gc()`.
pub fn forget_destructor(cdata: &CData) -> bool {
    match cdata.resource() {
        Some(
            Resource::Gc { .. }
            | Resource::None
            | Resource::KeepAlive(_)
            | Resource::Released { buffer: false, .. },
        ) => {
            // SAFETY: a live ManagedCData. The origin may own the memory: it stays alive.
            unsafe {
                let object = std::ptr::from_ref(cdata).cast_mut().cast::<ManagedCData>();
                let held = steady(|| match &(*object).resource {
                    Resource::Gc { origin, destructor } => {
                        Some((origin.clone(), destructor.clone()))
                    }
                    _ => None,
                });
                if let Some((origin, destructor)) = held {
                    drop(take(object, Resource::KeepAlive(origin)));
                    drop(destructor);
                }
            }
            true
        }
        _ => false,
    }
}

/// The body of tp_finalize: destructors run while everything is still whole, also when the garbage collector found the
/// cdata in a cycle; an object that they bring back to life is only released.
///
/// # Safety
/// `object` is a live ManagedCData.
pub(super) unsafe fn finalize(object: *mut ManagedCData) {
    // SAFETY: `object` is a live ManagedCData.
    unsafe {
        if has_destructor(&(*object).resource) {
            release_managed(object);
        }
    }
}

/// The body of tp_clear: breaks cycles. Destructors have run (finalize).
///
/// # Safety
/// `object` is a live ManagedCData.
pub(super) unsafe fn clear(object: *mut ManagedCData) {
    // SAFETY: `object` is a live ManagedCData.
    unsafe {
        if matches!((*object).resource, Resource::KeepAlive(_))
            && let Resource::KeepAlive(kept) = take(object, Resource::None)
        {
            drop_in_turn(kept);
        }
        release_managed(object);
    }
}

/// The body of tp_traverse, but for the type.
///
/// # Safety
/// `object` is a live ManagedCData; called from tp_traverse with its arguments.
pub(super) unsafe fn traverse(
    object: *mut ManagedCData,
    visit: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: `object` is a live ManagedCData; called from tp_traverse with its arguments.
    unsafe {
        let visit_all = |objects: &[Obj]| {
            for &one in objects {
                if one.is_null() {
                    continue;
                }
                let stop = visit(one, arg);
                if stop != 0 {
                    return stop;
                }
            }
            0
        };
        match &(*object).resource {
            Resource::None | Resource::Released { .. } => 0,
            Resource::Gc {
                origin, destructor, ..
            } => visit_all(&[origin.obj(), destructor.obj()]),
            Resource::Buffer(view) => visit_all(&[view.obj]),
            Resource::Handle(object) | Resource::KeepAlive(object) => visit_all(&[object.obj()]),
            Resource::Callback(closure) => closure.traverse(visit, arg),
            Resource::Allocated { memory, free } => visit_all(&[
                memory.obj(),
                free.as_ref()
                    .map_or(std::ptr::null_mut(), |free| free.obj()),
            ]),
        }
    }
}
