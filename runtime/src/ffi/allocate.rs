//! new, cast, new_allocator.

use pyo3::ffi;

use super::{FfiObject, given, this};
use crate::cdata::new::{Allocator, new as cdata_new};
use crate::py::{Methods, Obj, Raised, Ref, Signature, guard, keywords};
use crate::raise;

static NEW: Signature<2> = Signature::new("FFI.new", ["cdecl", "init"], 1);

pub unsafe extern "C" fn new(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object; the arguments are live.
        unsafe {
            let [cdecl, init] = NEW.parse(args, count, names)?;
            let ctype = this(object).ctype_argument(cdecl)?;
            cdata_new(&ctype, given(init), None)
        }
    })
}

static CAST: Signature<2> = Signature::new("FFI.cast", ["cdecl", "source"], 2);

pub unsafe extern "C" fn cast(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object; the arguments are live.
        unsafe {
            let [cdecl, source] = CAST.parse(args, count, names)?;
            let ctype = this(object).ctype_argument(cdecl)?;
            crate::cdata::cast::cast(&ctype, source)
        }
    })
}

static NEW_ALLOCATOR: Signature<3> = Signature::new(
    "FFI.new_allocator",
    ["alloc", "free", "should_clear_after_alloc"],
    0,
);

pub unsafe extern "C" fn new_allocator(
    object: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object; the arguments are live.
        unsafe {
            let [alloc, free, clear] = NEW_ALLOCATOR.parse(args, count, names)?;
            let (alloc, free) = (given(alloc), given(free));
            if free.is_some() && alloc.is_none() {
                return Err(raise!(TypeError, "cannot pass 'free' without 'alloc'"));
            }
            let clear = if clear.is_null() {
                1
            } else {
                ffi::PyObject_IsTrue(clear)
            };
            if clear < 0 {
                return Err(Raised::already());
            }
            let none = ffi::Py_None();
            let clear = if clear != 0 {
                ffi::Py_True()
            } else {
                ffi::Py_False()
            };
            let state: Ref = Ref::steal(ffi::PyTuple_Pack(
                4,
                object,
                alloc.unwrap_or(none),
                free.unwrap_or(none),
                clear,
            ))?;
            Ref::<ffi::PyObject>::steal(ffi::PyCFunction_New(ALLOCATOR.ptr(), state.obj()))
        }
    })
}

static ALLOCATOR: Methods<1> = Methods::new([keywords(
    c"allocator",
    allocator,
    c"allocator(cdecl, init=None)\n--\n\nAs ffi.new(), with the memory of the functions given to new_allocator().",
)]);

static ALLOCATE: Signature<2> = Signature::new("allocator", ["cdecl", "init"], 1);

unsafe extern "C" fn allocator(state: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: `state` is the tuple that new_allocator packed; the arguments are live.
        unsafe {
            let [cdecl, init] = ALLOCATE.parse(args, count, names)?;
            let ffi = &*ffi::PyTuple_GET_ITEM(state, 0).cast::<FfiObject>();
            let ctype = ffi.ctype_argument(cdecl)?;
            // The tuple belongs to this function object, which lives until the call is over.
            let borrowed = |index| {
                given(ffi::PyTuple_GET_ITEM(state, index)).map(|object| Ref::borrow(object))
            };
            let allocator = Allocator {
                alloc: borrowed(1),
                free: borrowed(2),
                clear: ffi::PyTuple_GET_ITEM(state, 3) == ffi::Py_True(),
            };
            cdata_new(&ctype, given(init), Some(&allocator))
        }
    })
}
