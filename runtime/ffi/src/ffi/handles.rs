//! `ffi.new_handle` and `ffi.from_handle`.

use super::FfiObject;
use crate::ctype::{Code, Kind, is_known_void_pointer, void_pointer};
use crate::object::{self, CData, handles};
use crate::py::{Live, Obj, Ref, Res, guard, method};
use crate::raise;

method!(pub new_handle = "FFI.new_handle", handle_of, (_ffi: &FfiObject, x: Live));

fn handle_of(_ffi: &FfiObject, x: Live) -> Res<Ref<CData>> {
    let ctype = void_pointer()?;
    // SAFETY: the caller keeps the object alive until the cdata does, for as long as the table knows it.
    let address = unsafe { handles::add(x.ptr()) };
    match object::new_handle(ctype, address, x) {
        Ok(cdata) => Ok(cdata),
        Err(raised) => {
            handles::remove(address);
            Err(raised)
        }
    }
}

/// `ffi.from_handle(x)`: the most common answer, for which no exception can be set, without the guard.
///
/// # Safety
/// Called by Python, as a method with a live argument.
#[inline]
pub unsafe extern "C" fn from_handle(_object: Obj, arg: Obj) -> Obj {
    // SAFETY: `arg` is alive until the method returns (the caller's contract).
    let arg = unsafe { Live::new(arg) };
    if let Some(cdata) = CData::of(arg)
        && is_known_void_pointer(cdata.ctype())
        && let Some(object) = handles::get(cdata.data())
    {
        return object.into_ptr();
    }
    from_other(arg)
}

/// A handle as `char *`, or no handle.
#[inline(never)]
fn from_other(arg: Live) -> Obj {
    guard(|| {
        let Some(cdata) = CData::of(arg) else {
            return Err(raise!(TypeError, "expected a 'cdata' object"));
        };
        let ctype = cdata.ctype();
        // CFFI takes a handle as `char *` too.
        let accepted = ctype.kind == Kind::Pointer
            && (ctype.item().kind == Kind::Void || ctype.item().code == Code::Char);
        if !accepted {
            // A pointer of the interface's own type may be a handle: CFFI takes none of them, and does not say what to do.
            let advice = match ctype.kind {
                Kind::Pointer => ": write ffi.from_handle(ffi.cast(\"void *\", p))",
                _ => "",
            };
            return Err(raise!(
                TypeError,
                "expected a 'cdata' object with a 'void *' out of new_handle(), got '{}'{advice}",
                ctype.name
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
    })
}
