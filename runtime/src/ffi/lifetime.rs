//! gc, release, new_handle, from_handle: who owns what, and for how long.

use pyo3::ffi;

use super::handles;
use super::memory::ssize;
use crate::cdata::{
    CData, MANAGED_TYPE, ManagedCData, OWNING_TYPE, Resource, as_cdata, new_managed,
};
use crate::ctype::{Kind, pointer_to, void};
use crate::py::{Obj, Ref, Res, Signature, guard, none, type_name};
use crate::raise;

/// The resource of a managed cdata.
///
/// # Safety
/// The thread is attached, and uses the result before anything else can run Python code on the cdata.
unsafe fn resource_of<'a>(cdata: &CData) -> Option<&'a mut Resource> {
    // SAFETY: the type says that it is a ManagedCData; exclusive by the caller's contract.
    unsafe {
        if MANAGED_TYPE.is_exactly(cdata.obj()) {
            Some(&mut (*cdata.obj().cast::<ManagedCData>()).resource)
        } else {
            None
        }
    }
}

/// The resource of a managed cdata, to look at.
pub fn managed(cdata: &CData) -> Option<&Resource> {
    // SAFETY: only shared access is given out, for as long as the cdata is borrowed.
    unsafe { resource_of(cdata) }.map(|resource| &*resource)
}

static GC: Signature<3> = Signature::new("FFI.gc", ["cdata", "destructor", "size"], 2);

pub unsafe extern "C" fn gc(_object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method; the arguments are live.
        unsafe {
            let [object, destructor, size] = GC.parse(args, count, names)?;
            let size = if size.is_null() { 0 } else { ssize(size)? };
            let Some(cdata) = as_cdata(object) else {
                return Err(raise!(
                    TypeError,
                    "gc() argument 1 must be a cdata, not {}",
                    type_name(object)
                ));
            };
            if destructor == ffi::Py_None() {
                let Some(resource @ Resource::Gc { .. }) = resource_of(cdata) else {
                    return Err(raise!(
                        TypeError,
                        "Can remove destructor only on a object previously returned by ffi.gc()"
                    ));
                };
                // The origin stays alive as long as this cdata, which shows its memory.
                let Resource::Gc {
                    origin, destructor, ..
                } = std::mem::replace(resource, Resource::None)
                else {
                    return Err(raise!(SystemError, "gc: the resource changed"));
                };
                *resource = Resource::KeepAlive(origin);
                drop(destructor);
                return Ok(none());
            }
            if ffi::PyCallable_Check(destructor) == 0 {
                return Err(raise!(
                    TypeError,
                    "gc(): the destructor must be callable or None, not {}",
                    type_name(destructor)
                ));
            }
            let resource = Resource::Gc {
                origin: Ref::borrow(object),
                destructor: Ref::borrow(destructor),
                size,
            };
            let length = if cdata.ctype().kind == Kind::Array {
                cdata.array_length()
            } else {
                -1
            };
            Ok(new_managed(cdata.ctype(), cdata.data(), length, resource)?.into_obj())
        }
    })
}

pub unsafe extern "C" fn release_method(_object: Obj, arg: Obj) -> Obj {
    guard(|| {
        // SAFETY: a METH_O method; the argument is live.
        unsafe {
            match as_cdata(arg) {
                Some(cdata) => {
                    release(cdata)?;
                    Ok(none())
                }
                None => Err(raise!(TypeError, "expected a 'cdata' object")),
            }
        }
    })
}

/// Gives back now what a cdata owns: `ffi.release`, and the end of a `with` block. Doing it again does nothing.
///
/// Afterwards an array has no items and a pointer is NULL, so a use raises instead of touching memory that may be gone.
/// Memory of `ffi.new` stays (as in CFFI on CPython): it is part of the object.
pub fn release(cdata: &CData) -> Res<()> {
    let kind = cdata.ctype().kind;
    // SAFETY: a live object; `resource` is not used after Python code may have run.
    unsafe {
        if let Some(resource) = resource_of(cdata) {
            match resource {
                Resource::Gc { .. } => {
                    let Resource::Gc {
                        origin, destructor, ..
                    } = std::mem::replace(resource, Resource::None)
                    else {
                        return Err(raise!(SystemError, "release: the resource changed"));
                    };
                    forget_memory(cdata);
                    let result = Ref::<ffi::PyObject>::steal(ffi::PyObject_CallOneArg(
                        destructor.obj(),
                        origin.obj(),
                    ));
                    drop(result?);
                    return Ok(());
                }
                Resource::Buffer(view) => {
                    if !view.obj.is_null() {
                        forget_memory(cdata);
                        ffi::PyBuffer_Release(&mut **view);
                    }
                    return Ok(());
                }
                Resource::None | Resource::KeepAlive(_) => return Ok(()),
                Resource::Handle(_) | Resource::Callback(_) => {}
            }
        } else if OWNING_TYPE.is_exactly(cdata.obj()) && matches!(kind, Kind::Pointer | Kind::Array)
        {
            return Ok(());
        }
    }
    Err(raise!(
        ValueError,
        "only 'cdata' object from ffi.new(), ffi.gc(), ffi.from_buffer() or ffi.new_allocator()() can be used with the 'with' keyword or ffi.release()"
    ))
}

/// Makes a cdata whose memory goes refuse to show it.
unsafe fn forget_memory(cdata: &CData) {
    let raw = std::ptr::from_ref(cdata).cast_mut();
    // SAFETY: the thread is attached; both are plain words of a live object.
    unsafe {
        match cdata.ctype().kind {
            Kind::Array => (*raw).length = 0,
            Kind::Pointer => (*raw).data = std::ptr::null_mut(),
            _ => {}
        }
    }
}

pub unsafe extern "C" fn new_handle(_object: Obj, arg: Obj) -> Obj {
    guard(|| {
        // SAFETY: a METH_O method; the argument is live, and kept by the resource for as long as the table knows it.
        unsafe {
            let ctype = pointer_to(&*void()?)?;
            let keep = Resource::Handle(Ref::borrow(arg));
            let address = handles::add(arg);
            match new_managed(&ctype, address, -1, keep) {
                Ok(cdata) => Ok(cdata),
                Err(raised) => {
                    handles::remove(address);
                    Err(raised)
                }
            }
        }
    })
}

/// A handle's cdata is being freed: its address means nothing any more. Called before its object is given up.
pub fn forget_handle(address: *mut u8) {
    handles::remove(address);
}

pub unsafe extern "C" fn from_handle(_object: Obj, arg: Obj) -> Obj {
    guard(|| {
        // SAFETY: a METH_O method; the argument is live.
        unsafe {
            let Some(cdata) = as_cdata(arg) else {
                return Err(raise!(TypeError, "expected a 'cdata' object"));
            };
            if !cdata.ctype().is_void_pointer() {
                return Err(raise!(
                    TypeError,
                    "expected a 'cdata' object with a 'void *' out of new_handle(), got '{}'",
                    cdata.ctype().name
                ));
            }
            match handles::get(cdata.data()) {
                Some(object) => Ok(object),
                None if cdata.data().is_null() => Err(raise!(
                    RuntimeError,
                    "cannot use from_handle() on NULL pointer"
                )),
                None => Err(raise!(
                    SystemError,
                    "ffi.from_handle(): dead or bogus handle: the cdata from new_handle() must be kept alive as long as C has it"
                )),
            }
        }
    })
}
