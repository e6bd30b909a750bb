//! Where wide C strings end.

/// Units of `size` bytes before the first zero, at most `limit`.
///
/// # Safety
/// Readable up to there.
pub unsafe fn wide_units(data: *const u8, size: usize, limit: Option<usize>) -> usize {
    let mut count = 0;
    while limit.is_none_or(|limit| count < limit) {
        // SAFETY: the caller's contract: every unit up to the zero can be read.
        let unit = unsafe {
            match size {
                2 => u32::from(data.cast::<u16>().add(count).read_unaligned()),
                _ => data.cast::<u32>().add(count).read_unaligned(),
            }
        };
        if unit == 0 {
            break;
        }
        count += 1;
    }
    count
}
