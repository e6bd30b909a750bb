//! gc, release, new_handle, from_handle: who owns what, and for how long.

use pyo3::ffi;

use super::memory::ssize;
use crate::cdata::lifetime::forget_destructor;
use crate::cdata::release;
use crate::ctype::{Code, Kind, is_known_void_pointer, void_pointer};
use crate::object::{Resource, as_cdata, handles, new_managed};
use crate::py::{Obj, Ref, Signature, guard, none, type_name};
use crate::raise;

static GC: Signature<3> = Signature::new("FFI.gc", ["cdata", "destructor", "size"], 2);

pub unsafe extern "C" fn gc(_object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method; the arguments are live.
        unsafe {
            let [object, destructor, size] = GC.parse(args, count, names)?;
            // A hint for collectors that do not count references: only checked to be an int.
            if !size.is_null() {
                ssize(size)?;
            }
            let Some(cdata) = as_cdata(object) else {
                return Err(raise!(
                    TypeError,
                    "gc() argument 1 must be a cdata, not {}",
                    type_name(object)
                ));
            };
            if destructor == ffi::Py_None() {
                if !forget_destructor(cdata) {
                    return Err(raise!(
                        TypeError,
                        "Can remove destructor only on a object previously returned by ffi.gc()"
                    ));
                }
                return Ok(none());
            }
            if ffi::PyCallable_Check(destructor) == 0 {
                return Err(raise!(
                    TypeError,
                    "gc(): the destructor must be callable or None, not {}",
                    type_name(destructor)
                ));
            }
            cdata.check_live()?;
            let resource = Resource::Gc {
                origin: Ref::borrow(object),
                destructor: Ref::borrow(destructor),
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

pub unsafe extern "C" fn new_handle(_object: Obj, arg: Obj) -> Obj {
    guard(|| {
        // SAFETY: a METH_O method; the argument is live, and kept by the resource for as long as the table knows it.
        unsafe {
            let keep = Resource::Handle(Ref::borrow(arg));
            let ctype = void_pointer()?;
            let address = handles::add(arg);
            match new_managed(ctype, address, -1, keep) {
                Ok(cdata) => Ok(cdata),
                Err(raised) => {
                    handles::remove(address);
                    Err(raised)
                }
            }
        }
    })
}

#[inline]
pub unsafe extern "C" fn from_handle(_object: Obj, arg: Obj) -> Obj {
    // SAFETY: a METH_O method; the argument is live.
    unsafe {
        if let Some(cdata) = as_cdata(arg)
            && is_known_void_pointer(cdata.ctype())
            && let Some(object) = handles::get(cdata.data())
        {
            return object.into_ptr();
        }
        from_other(arg)
    }
}

/// A handle as `char *`, or no handle.
#[inline(never)]
unsafe fn from_other(arg: Obj) -> Obj {
    guard(|| {
        // SAFETY: the caller's argument is live.
        unsafe {
            let Some(cdata) = as_cdata(arg) else {
                return Err(raise!(TypeError, "expected a 'cdata' object"));
            };
            let ctype = cdata.ctype();
            // As CFFI: `char *` too.
            let accepted = ctype.kind == Kind::Pointer
                && (ctype.item().kind == Kind::Void || ctype.item().code == Code::Char);
            if !accepted {
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
