//! Python ints, read without a call where their layout is known.

use pyo3::ffi;

use super::{Obj, Ref, Res};

/// CPython's int object up to its first digit, for versions whose layout we know (30-bit digits).
#[repr(C)]
struct LongHead {
    ob_base: ffi::PyObject,
    /// Before 3.12: `ob_size`, the number of digits, negative for a negative value. From 3.12 on: `lv_tag`, the
    /// number of digits shifted left by 3, with the sign (0 positive, 1 zero, 2 negative) in the low two bits.
    tag: isize,
    digit: u32,
}

/// The value of an exact int of at most one digit (below 2**30 in size); `None` for everything else, including
/// subclasses of int.
///
/// # Safety
/// `object` is a live object.
#[inline(always)]
pub unsafe fn small_long_value(object: Obj) -> Option<i64> {
    // SAFETY: live by the contract; the layout is that of CPython 3.10 to 3.15, whose builds for 64-bit machines
    // all use 30-bit digits.
    unsafe {
        if !cfg!(target_pointer_width = "64")
            || ffi::Py_TYPE(object) != std::ptr::addr_of_mut!(ffi::PyLong_Type)
        {
            return None;
        }
        let head = &*object.cast::<LongHead>();
        if cfg!(Py_3_12) {
            // At most one digit: the tag is below 2 << 3.
            if head.tag < 16 {
                Some((1 - (head.tag as i64 & 3)) * i64::from(head.digit))
            } else {
                None
            }
        } else if head.tag == 1 {
            Some(i64::from(head.digit))
        } else if head.tag == 0 {
            Some(0)
        } else if head.tag == -1 {
            Some(-i64::from(head.digit))
        } else {
            None
        }
    }
}

/// A Python int of any value that C has.
pub fn long_from_i128(value: i128) -> Res<Ref> {
    // SAFETY: plain constructors.
    unsafe {
        if let Ok(value) = i64::try_from(value) {
            return Ref::steal(ffi::PyLong_FromLongLong(value));
        }
        if let Ok(value) = u64::try_from(value) {
            return Ref::steal(ffi::PyLong_FromUnsignedLongLong(value));
        }
        let text = std::ffi::CString::new(value.to_string()).unwrap_or_default();
        Ref::steal(ffi::PyLong_FromString(
            text.as_ptr(),
            std::ptr::null_mut(),
            10,
        ))
    }
}
