//! Sizes of descriptors.

use pyo3::ffi;

use super::descriptor::{Field, Item, Kind, aggregate, field, syntax_error};
use crate::py::{Live, Raised, Res};
use crate::raise;

/// How the fields of a struct are held.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Packed, little-endian.
    Little,
    /// Packed, big-endian.
    Big,
    /// As the platform's C compiler does; sizes are rounded up to the largest member.
    Native,
}

impl Layout {
    /// Of a constant of the module.
    pub(super) fn of(object: Live) -> Res<Self> {
        match super::super::value::checked(object)? {
            0 => Ok(Self::Little),
            1 => Ok(Self::Big),
            2 => Ok(Self::Native),
            other => Err(raise!(
                ValueError,
                "unknown layout {other}: expected uctypes.NATIVE, LITTLE_ENDIAN or BIG_ENDIAN"
            )),
        }
    }
    /// Whether scalars are big-endian.
    pub(super) fn is_big(self) -> bool {
        match self {
            Self::Little => false,
            Self::Big => true,
            Self::Native => cfg!(target_endian = "big"),
        }
    }
}

/// The size of something, and that of its largest scalar.
#[derive(Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) total: usize,
    largest: usize,
}

impl Size {
    fn of(size: usize) -> Self {
        Self {
            total: size,
            largest: size,
        }
    }
    fn include(&mut self, offset: usize, part: Self) {
        // Offsets are below 2**29, so only a total can grow beyond bounds.
        self.total = self.total.max(offset.saturating_add(part.total));
        self.largest = self.largest.max(part.largest);
    }
}

/// The size of a descriptor: a dict or a tuple.
pub(super) fn size(descriptor: Live, layout: Layout) -> Res<Size> {
    // A descriptor may contain itself, so CPython's recursion limit bounds the depth.
    // SAFETY: a descriptor is live as long as its `Live`, so the GIL is held; Py_LeaveRecursiveCall undoes what
    // Py_EnterRecursiveCall did.
    unsafe {
        if ffi::Py_EnterRecursiveCall(c" in a uctypes descriptor".as_ptr()) != 0 {
            return Err(Raised::already());
        }
        let size = size_within(descriptor, layout);
        ffi::Py_LeaveRecursiveCall();
        let size = size?;
        if isize::try_from(size.total).is_err() {
            return Err(raise!(OverflowError, "the struct is too large"));
        }
        Ok(size)
    }
}

/// The size and alignment of what a descriptor describes.
fn size_within(descriptor: Live, layout: Layout) -> Res<Size> {
    // SAFETY: `descriptor` is live and was checked to be a dict; it keeps its values alive while it is not changed. Nothing
    // here runs Python code that could change it (ints, tuples and dicts are read by CPython's own functions), and on a
    // free-threaded Python, where other threads may, a copy is looked at.
    unsafe {
        if descriptor.is_tuple() {
            return field_size(&aggregate(descriptor.ptr())?, layout);
        }
        if descriptor.is_int() {
            // An int may be a descriptor, or the value that a scalar field had: nobody knows which was meant.
            return Err(raise!(TypeError, "can't unambiguously get sizeof scalar"));
        }
        if !descriptor.is_dict() {
            return Err(syntax_error());
        }
        #[cfg(Py_GIL_DISABLED)]
        let copy = crate::py::Ref::<ffi::PyObject>::steal(ffi::PyDict_Copy(descriptor.ptr()))?;
        #[cfg(Py_GIL_DISABLED)]
        let descriptor = copy.live();
        let mut size = Size::default();
        let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        while ffi::PyDict_Next(descriptor.ptr(), &mut position, &mut key, &mut value) != 0 {
            let field = field(Live::new(value))?;
            size.include(field.offset, field_size(&field, layout)?);
        }
        if layout == Layout::Native && size.largest > 0 {
            size.total = size
                .total
                .checked_next_multiple_of(size.largest)
                .unwrap_or(usize::MAX);
        }
        Ok(size)
    }
}

/// The size of a field.
///
/// # Safety
/// The field's descriptors are live.
pub(super) unsafe fn field_size(field: &Field, layout: Layout) -> Res<Size> {
    // SAFETY: the field's descriptors are live.
    unsafe {
        match field.kind {
            Kind::Scalar(scalar) | Kind::Bits(scalar, _) => Ok(Size::of(scalar.size())),
            Kind::Struct(descriptor) => size(Live::new(descriptor), layout),
            Kind::Pointer(_) => Ok(Size::of(size_of::<*const u8>())),
            Kind::Array(item, count) => {
                let mut one = item_size(item, layout)?;
                one.total = one.total.saturating_mul(count);
                Ok(one)
            }
        }
    }
}

/// The size of an item of an array, or of what a pointer points to.
///
/// # Safety
/// The item's descriptor is live.
pub(super) unsafe fn item_size(item: Item, layout: Layout) -> Res<Size> {
    match item {
        Item::Scalar(scalar) => Ok(Size::of(scalar.size())),
        // SAFETY: the item's descriptor is live.
        Item::Aggregate(descriptor) => unsafe { size(Live::new(descriptor), layout) },
    }
}
