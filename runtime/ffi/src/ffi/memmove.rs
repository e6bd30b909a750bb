//! `ffi.memmove`.

use super::FfiObject;
use super::buffer::View;
use super::extent::known_extent;
use super::text::ssize;
use crate::object::{CData, TYPES};
use crate::py::{Live, Ref, Res, method, none};
use crate::raise;

method!(pub memmove = "FFI.memmove", copy, (_ffi: &FfiObject, dest: Live, src: Live, n: Live));

fn copy(_ffi: &FfiObject, dest: Live, src: Live, n: Live) -> Res<Ref> {
    let n = ssize(n)?;
    let Ok(n) = usize::try_from(n) else {
        return Err(raise!(ValueError, "negative size"));
    };
    if let (Some(target), Some(source)) = (CData::of(dest), CData::of(src))
        && let (Some(target), Some(source)) = (room(target), room(source))
        && n <= target.1
        && n <= source.1
    {
        // SAFETY: both have so many bytes, as far as anybody knows.
        unsafe { std::ptr::copy(source.0, target.0, n) };
        return Ok(none());
    }
    let source = Side::of(src, false)?;
    let target = Side::of(dest, true)?;
    for (side, what) in [(&source, "source"), (&target, "destination")] {
        if let Some(extent) = side.extent
            && n > extent
        {
            return Err(raise!(
                ValueError,
                "memmove of {n} bytes: the {what} has only {extent}"
            ));
        }
        if side.data.is_null() && n > 0 {
            return Err(raise!(
                RuntimeError,
                "memmove: the {what} is a NULL pointer"
            ));
        }
    }
    if n > 0 {
        // SAFETY: both have so many bytes, as far as anybody knows.
        unsafe { std::ptr::copy(source.data, target.data, n) };
    }
    Ok(none())
}

/// The memory behind a pointer or array, and how many bytes of it may be touched, `usize::MAX` when nobody knows. `None`
/// for NULL and for other types.
#[inline]
fn room(cdata: &CData) -> Option<(*mut u8, usize)> {
    if !cdata.ctype().is_pointer_or_array()
        || cdata.data().is_null()
        || TYPES.is_view(cdata.python_type())
    {
        return None;
    }
    Some((cdata.data(), known_extent(cdata).unwrap_or(usize::MAX)))
}

/// One side of a memmove.
struct Side {
    data: *mut u8,
    extent: Option<usize>,
    /// Keeps a Python buffer exported while it is copied.
    _view: Option<View>,
}

impl Side {
    fn of(object: Live, writable: bool) -> Res<Self> {
        if let Some(cdata) = CData::of(object) {
            cdata.check_live()?;
            let ctype = cdata.ctype();
            if !ctype.is_pointer_or_array() {
                return Err(raise!(
                    TypeError,
                    "expected a pointer or array ctype, got '{}'",
                    ctype.name
                ));
            }
            return Ok(Self {
                data: cdata.data(),
                extent: known_extent(cdata),
                _view: None,
            });
        }
        let view = View::of(object, writable)?;
        Ok(Self {
            data: view.data(),
            extent: Some(view.bytes().len()),
            _view: Some(view),
        })
    }
}
