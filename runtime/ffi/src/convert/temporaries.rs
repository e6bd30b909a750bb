//! Memory that a call needs for its arguments, and frees when it is over.

use super::Lvalue;
use crate::ctype::CType;
use crate::py::Res;
use crate::raise;

/// Blocks of memory that live as long as one call. Empty in most calls, and then free of cost.
#[derive(Default)]
pub struct Temporaries {
    blocks: Vec<Box<[u128]>>,
}

impl Temporaries {
    /// No memory yet.
    #[inline(always)]
    pub const fn new() -> Self {
        Self { blocks: Vec::new() }
    }
    /// `size` zeroed bytes (at least one) for a value of the type, or for many that begin with it. On the heap, however large:
    /// a long list must not overflow the stack. The place is good as long as self.
    pub fn allocate<'t>(&mut self, size: usize, ctype: &'t CType) -> Res<Lvalue<'t>> {
        let start = self.bytes(size, ctype.align())?;
        // SAFETY: as many bytes as the values take, which stay as long as self.
        Ok(unsafe { Lvalue::new(ctype, start) })
    }
    /// `size` zeroed bytes (at least one), aligned to `align`, which is a power of two.
    pub fn bytes(&mut self, size: usize, align: usize) -> Res<*mut u8> {
        const UNIT: usize = size_of::<u128>();
        let slack = if align > align_of::<u128>() { align } else { 0 };
        let count = size
            .max(1)
            .checked_add(slack)
            .map_or(usize::MAX, |size| size.div_ceil(UNIT));
        let mut block: Vec<u128> = Vec::new();
        if block.try_reserve_exact(count).is_err() {
            return Err(raise!(
                MemoryError,
                "out of memory for an argument of {size} bytes"
            ));
        }
        block.resize(count, 0);
        let mut block = block.into_boxed_slice();
        let start = block.as_mut_ptr().cast::<u8>();
        self.blocks.push(block);
        let skip = if slack == 0 {
            0
        } else {
            start.align_offset(align)
        };
        // `slack` bytes more than `size` were allocated, and `skip` is below it.
        Ok(start.wrapping_add(skip))
    }
}
