//! A value at an address.

/// Reads a `T` at any address.
///
/// # Safety
/// `data` points to a readable `T`.
#[inline(always)]
pub(crate) unsafe fn get<T: Copy>(data: *const u8) -> T {
    // SAFETY: `data` points to a readable `T`.
    unsafe { data.cast::<T>().read_unaligned() }
}

/// Writes a `T` at any address.
///
/// # Safety
/// `data` points to room for a `T`.
#[inline(always)]
pub(crate) unsafe fn put<T: Copy>(data: *mut u8, value: T) {
    // SAFETY: `data` points to room for a `T`.
    unsafe { data.cast::<T>().write_unaligned(value) }
}
