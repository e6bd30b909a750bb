//! new, cast, new_allocator.

use std::ffi::c_void;
use std::sync::OnceLock;

use pyo3::ffi;

use super::FfiObject;
use super::extent::known_extent;
use crate::cdata::new::{Allocator, new as cdata_new};
use crate::ctype::{Kind, pointer_to};
use crate::object::{CData, new_plain, no_memory};
use crate::py::{Live, Methods, Ref, Res, bool_object, flag, given, keywords, make, method, none};
use crate::raise;

method!(pub new = "FFI.new", new_cdata, (ffi: &FfiObject, cdecl: Live, init: Option<Live>));

fn new_cdata(ffi: &FfiObject, cdecl: Live, init: Option<Live>) -> Res<Ref<CData>> {
    let ctype = ffi.ctype_argument(cdecl)?;
    cdata_new(&ctype, init, None)
}

method!(pub malloc = "FFI.malloc", malloc_cdata, (ffi: &FfiObject, cdecl: Live, init: Option<Live>));

/// As `new`, in memory of the C library's allocator that nobody in Python owns: `free()` gives it back.
fn malloc_cdata(ffi: &FfiObject, cdecl: Live, init: Option<Live>) -> Res<Ref<CData>> {
    let ctype = ffi.ctype_argument(cdecl)?;
    let made = cdata_new(&ctype, init, None)?;
    let pointer = match ctype.kind {
        Kind::Array => pointer_to(ctype.item())?,
        _ => ctype,
    };
    let size = known_extent(&made).unwrap_or_default();
    // At least one byte is asked for: for none, malloc may return NULL, which would be taken for a lack of memory.
    // SAFETY: malloc may be called with any size.
    let memory = unsafe { host_s_malloc()(size.max(1)) }.cast::<u8>();
    if memory.is_null() {
        return Err(no_memory());
    }
    // SAFETY: both memories have `size` bytes, and the new one overlaps nothing.
    unsafe { made.data().copy_to_nonoverlapping(memory, size) };
    new_plain(&pointer, memory, -1).inspect_err(|_| {
        // SAFETY: malloc gave the memory, and nobody else has its address.
        unsafe { libc::free(memory.cast()) };
    })
}

/// The `malloc` that goes with the host's `free`: the one that the whole process sees. With RTLD_DEEPBIND this library may
/// be bound to another.
fn host_s_malloc() -> unsafe extern "C" fn(usize) -> *mut c_void {
    static FOUND: OnceLock<unsafe extern "C" fn(usize) -> *mut c_void> = OnceLock::new();
    *FOUND.get_or_init(|| {
        // SAFETY: a C string; the symbol of that name is the C library's function, or what stands in for it.
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"malloc".as_ptr());
            if found.is_null() {
                libc::malloc
            } else {
                std::mem::transmute::<*mut c_void, unsafe extern "C" fn(usize) -> *mut c_void>(
                    found,
                )
            }
        }
    })
}

method!(pub cast = "FFI.cast", cast_to, (ffi: &FfiObject, cdecl: Live, source: Live));

fn cast_to(ffi: &FfiObject, cdecl: Live, source: Live) -> Res<Ref<CData>> {
    let ctype = ffi.ctype_argument(cdecl)?;
    crate::cdata::cast::cast(&ctype, source)
}

method!(pub new_allocator = "FFI.new_allocator", make_allocator, (ffi: &FfiObject, alloc: Option<Live>, free: Option<Live>, should_clear_after_alloc: Option<Live>));

fn make_allocator(
    ffi: &FfiObject,
    alloc: Option<Live>,
    free: Option<Live>,
    should_clear_after_alloc: Option<Live>,
) -> Res<Ref> {
    let (alloc, free) = (given(alloc), given(free));
    if free.is_some() && alloc.is_none() {
        return Err(raise!(TypeError, "cannot pass 'free' without 'alloc'"));
    }
    let clear = bool_object(flag(should_clear_after_alloc, true)?);
    let or_none = |object: Option<Live>| Ok(object.map_or_else(none, Live::to_ref));
    let parts = [
        Ok(ffi.live().to_ref()),
        or_none(alloc),
        or_none(free),
        Ok(clear),
    ];
    let state = make::tuple(parts.into_iter())?;
    // SAFETY: a static table; the function keeps its state alive.
    unsafe { Ref::steal(ffi::PyCFunction_New(ALLOCATOR.ptr(), state.obj())) }
}

static ALLOCATOR: Methods<1> = Methods::new([keywords(
    c"allocator",
    allocator,
    c"allocator(cdecl, init=None)\n--\n\nAs ffi.new(), with the memory of the functions given to new_allocator().",
)]);

method!(allocator = "allocator", allocate, (state: Live, cdecl: Live, init: Option<Live>));

fn allocate(state: Live, cdecl: Live, init: Option<Live>) -> Res<Ref<CData>> {
    // The tuple belongs to this function object, which lives until the call is over.
    let parts: Vec<Live> = state.tuple_items().collect();
    let [ffi, alloc, free, clear] = parts[..] else {
        return Err(raise!(SystemError, "allocator without its state"));
    };
    let Some(ffi) = FfiObject::of(ffi) else {
        return Err(raise!(SystemError, "allocator without its FFI"));
    };
    let ctype = ffi.ctype_argument(cdecl)?;
    let allocator = Allocator {
        alloc: given(Some(alloc)).map(Live::to_ref),
        free: given(Some(free)).map(Live::to_ref),
        clear: clear.is_true()?,
    };
    cdata_new(&ctype, init, Some(&allocator))
}
