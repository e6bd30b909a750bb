//! Python ints of one digit, read without a call where their layout is known.

use pyo3::ffi;

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
pub unsafe fn small_long_value(object: *mut ffi::PyObject) -> Option<i64> {
    // SAFETY: `object` is live (the caller's contract) and was checked to be an exact int, whose memory is a `LongHead` in
    // CPython 3.10 to 3.15: their builds for 64-bit machines all use 30-bit digits.
    let head = unsafe {
        if !cfg!(target_pointer_width = "64")
            || ffi::Py_TYPE(object) != std::ptr::addr_of_mut!(ffi::PyLong_Type)
        {
            return None;
        }
        &*object.cast::<LongHead>()
    };
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
