//! `ffi.gc` and `ffi.release`: what is called when a cdata goes, and letting it go now.

use super::FfiObject;
use super::text::ssize;
use crate::cdata::lifetime::forget_destructor;
use crate::cdata::release;
use crate::ctype::Kind;
use crate::object::{CData, Resource, new_managed};
use crate::py::{Live, Ref, Res, method, none};
use crate::raise;

method!(pub gc = "FFI.gc", with_destructor, (_ffi: &FfiObject, cdata: Live, destructor: Live, size: Option<Live>));

fn with_destructor(
    _ffi: &FfiObject,
    cdata: Live,
    destructor: Live,
    size: Option<Live>,
) -> Res<Ref> {
    // `size` is a hint for garbage collectors that do not count references; here it is only checked to be an int.
    if let Some(size) = size {
        ssize(size)?;
    }
    let object = cdata;
    let Some(cdata) = CData::of(object) else {
        return Err(raise!(
            TypeError,
            "gc() argument 1 must be a cdata, not {}",
            object.type_name()
        ));
    };
    if destructor.is_none() {
        if !forget_destructor(cdata) {
            return Err(raise!(
                TypeError,
                "Can remove destructor only on a object previously returned by ffi.gc()"
            ));
        }
        return Ok(none());
    }
    if !destructor.is_callable() {
        return Err(raise!(
            TypeError,
            "gc(): the destructor must be callable or None, not {}",
            destructor.type_name()
        ));
    }
    cdata.check_live()?;
    let resource = Resource::Gc {
        origin: object.to_ref(),
        destructor: destructor.to_ref(),
    };
    let length = if cdata.ctype().kind == Kind::Array {
        cdata.array_length()
    } else {
        -1
    };
    Ok(new_managed(cdata.ctype(), cdata.data(), length, resource)?.into_obj())
}

method!(pub release_method = "FFI.release", release_now, (_ffi: &FfiObject, cdata: Live));

fn release_now(_ffi: &FfiObject, cdata: Live) -> Res<Ref> {
    match CData::of(cdata) {
        Some(cdata) => {
            release(cdata)?;
            Ok(none())
        }
        None => Err(raise!(TypeError, "expected a 'cdata' object")),
    }
}
