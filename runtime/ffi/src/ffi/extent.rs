//! How much memory a cdata is known to have.

use crate::ctype::Kind;
use crate::object::{CData, Resource, TYPES};
use crate::py::Ref;

/// The bytes behind an owning pointer, or behind one of from_buffer(); `None` where the number is not known.
pub fn pointed_to_size(cdata: &CData) -> Option<usize> {
    let ctype = cdata.ctype();
    if ctype.kind == Kind::Pointer && cdata.python_type() == TYPES.owning.ptr() {
        let size = if cdata.length.get() >= 0 {
            cdata.length.get()
        } else {
            ctype.item().size()
        };
        return usize::try_from(size).ok();
    }
    None
}

/// How many bytes may be touched from a cdata's address on; `None` where that is not known, as for a pointer. For a part of
/// something larger these are all bytes up to the end of the whole: C programs go on behind an array in a struct where
/// they know what is there.
#[inline(always)]
pub(super) fn known_extent(cdata: &CData) -> Option<usize> {
    if cdata.python_type() == TYPES.owning.ptr() {
        return match cdata.ctype().kind {
            Kind::Pointer => pointed_to_size(cdata),
            Kind::Array => cdata.value_size().ok(),
            _ => None,
        };
    }
    extent_of_others(cdata)
}

/// [`known_extent`] of what does not own its memory inside of itself.
#[inline(never)]
fn extent_of_others(cdata: &CData) -> Option<usize> {
    if let Some(owner) = cdata.part_of() {
        let whole = known_extent(owner)?;
        let before = (cdata.data() as usize).checked_sub(owner.data() as usize)?;
        return whole.checked_sub(before);
    }
    if cdata.resource().is_some() {
        return managed_extent(cdata);
    }
    None
}

/// [`known_extent`] of what from_buffer(), gc() and allocators gave.
pub(super) fn managed_extent(cdata: &CData) -> Option<usize> {
    enum Known {
        Bytes(usize),
        /// As much as is known of the object that it was made of.
        As(Ref),
        /// As much as its type says, if it is an array or a pointer to one value.
        ByType,
        Nothing,
    }
    // Under the lock the resource is only looked at; the object that it was made of is asked afterwards.
    let known = crate::cdata::lifetime::steady(|| match cdata.resource() {
        Some(Resource::Buffer(view)) => Known::Bytes(view.len as usize),
        Some(Resource::Gc { origin, .. } | Resource::KeepAlive(origin)) => {
            Known::As(origin.clone())
        }
        Some(Resource::Allocated { .. }) => Known::ByType,
        _ => Known::Nothing,
    });
    let is_array = cdata.ctype().kind == Kind::Array;
    match known {
        Known::Bytes(bytes) => Some(bytes),
        Known::As(origin) => match CData::of(origin.live()) {
            Some(of) if of.data() == cdata.data() && known_extent(of).is_some() => known_extent(of),
            _ if is_array => cdata.value_size().ok(),
            _ => None,
        },
        Known::ByType if is_array => cdata.value_size().ok(),
        Known::ByType => usize::try_from(cdata.ctype().item().size()).ok(),
        Known::Nothing => None,
    }
}
