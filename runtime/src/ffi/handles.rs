//! `ffi.new_handle` and `ffi.from_handle`.

use crate::ctype::{Code, Kind, is_known_void_pointer, void_pointer};
use crate::object::{Resource, as_cdata, handles, new_managed};
use crate::py::{Obj, Ref, guard};
use crate::raise;

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
