//! `ffi.gc` and `ffi.release`: what is called when a cdata goes, and letting it go now.

use super::text::ssize;
use crate::cdata::lifetime::forget_destructor;
use crate::cdata::release;
use crate::ctype::Kind;
use crate::object::{Resource, as_cdata, new_managed};
use crate::py::{Obj, Ref, Signature, guard, none, type_name};
use crate::raise;
use pyo3::ffi;

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
