//! Lists and tuples.

use pyo3::ffi;

use super::{Live, Ref};

/// A list or a tuple, of a subclass too: what can be read by index without a call into Python. A list may change between two
/// looks at it, whenever Python code runs.
#[derive(Clone, Copy)]
pub struct Sequence<'a> {
    object: Live<'a>,
    is_list: bool,
}

impl<'a> Sequence<'a> {
    /// `None`: the object is neither.
    #[inline(always)]
    pub fn of(object: Live<'a>) -> Option<Self> {
        let is_list = object.is_list();
        (is_list || object.is_tuple()).then_some(Self { object, is_list })
    }
    /// As [`of`](Self::of), of no subclass.
    pub fn exactly(object: Live<'a>) -> Option<Self> {
        let is_list = object.class() == &raw mut ffi::PyList_Type;
        let is_tuple = object.class() == &raw mut ffi::PyTuple_Type;
        (is_list || is_tuple).then_some(Self { object, is_list })
    }
    /// Its items now.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks for that")]
    #[inline(always)]
    pub fn len(self) -> isize {
        // SAFETY: a list or a tuple, as it says.
        unsafe {
            if self.is_list {
                ffi::PyList_GET_SIZE(self.object.ptr())
            } else {
                ffi::PyTuple_GET_SIZE(self.object.ptr())
            }
        }
    }
    /// An item, owned; `None` beyond the end.
    #[inline(always)]
    pub fn item(self, index: isize) -> Option<Ref> {
        #[cfg(Py_GIL_DISABLED)]
        if self.is_list {
            // SAFETY: a list. Another thread may change it: CPython looks at its length and its item at once.
            let item = unsafe { ffi::PyList_GetItemRef(self.object.ptr(), index) };
            if item.is_null() {
                super::capi::PyErr_Clear();
            }
            // SAFETY: a new reference, or NULL.
            return (!item.is_null()).then(|| unsafe { Ref::owned(item) });
        }
        // SAFETY: an index below the length, of a tuple, or of a list while nothing else runs.
        (index < self.len()).then(|| unsafe { Ref::borrow(self.borrowed(index)) })
    }
    /// Hands items from `start` on, `end` at most, to `take`, until there are no more or it says that it will not have one.
    /// Gives the index of the first that was not taken.
    ///
    /// # Safety
    /// `take` runs no Python code.
    #[inline(always)]
    pub unsafe fn run(
        self,
        start: isize,
        end: isize,
        mut take: impl FnMut(isize, Live) -> bool,
    ) -> isize {
        // On a free-threaded Python other threads may change a list while its items are borrowed: none is taken.
        if cfg!(Py_GIL_DISABLED) && self.is_list {
            return start;
        }
        let end = end.min(self.len());
        let mut index = start;
        let sequence = self.object.ptr();
        // SAFETY: indexes below the length: nothing changes a list meanwhile, since `take` runs no Python code (the caller's
        // contract) and the GIL is held. Two loops, so that neither asks for each item which it is.
        unsafe {
            if self.is_list {
                let item = |index| Live::new(ffi::PyList_GET_ITEM(sequence, index));
                while index < end && take(index, item(index)) {
                    index += 1;
                }
            } else {
                let item = |index| Live::new(ffi::PyTuple_GET_ITEM(sequence, index));
                while index < end && take(index, item(index)) {
                    index += 1;
                }
            }
        }
        index
    }
    /// # Safety
    /// The index is below the length.
    #[inline(always)]
    unsafe fn borrowed(self, index: isize) -> super::Obj {
        // SAFETY: a list or a tuple, as it says, that has such an item.
        unsafe {
            if self.is_list {
                ffi::PyList_GET_ITEM(self.object.ptr(), index)
            } else {
                ffi::PyTuple_GET_ITEM(self.object.ptr(), index)
            }
        }
    }
}
