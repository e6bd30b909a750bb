//! The Python types of cdata: their slots, each a thin shell around the function that does the work.

use std::ffi::{c_int, c_void};

use pyo3::ffi;

use super::{arith, attribute, compare, index, iterate, lifetime, number, repr};
use crate::call::{Called, no_keywords, vectorcall};
use crate::object::{
    CData, ManagedCData, OwningCData, PlainCData, TYPES, ViewCData, block, not_callable,
    set_function_calls,
};
use crate::py::{
    END_OF_METHODS, Live, Methods, Obj, Ref, Res, guard_unit, no_arguments, none, simple, slot,
    str_from,
};

/// The flags of every cdata type. Only C makes cdata.
const FLAGS: std::ffi::c_ulong = ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;

struct Tables {
    number: ffi::PyNumberMethods,
    mapping: ffi::PyMappingMethods,
}

struct SharedTables(std::cell::UnsafeCell<std::mem::MaybeUninit<Tables>>);

// SAFETY: written once, during module initialisation; read by CPython afterwards.
unsafe impl Sync for SharedTables {}

static TABLES: SharedTables =
    SharedTables(std::cell::UnsafeCell::new(std::mem::MaybeUninit::zeroed()));

static METHODS: Methods<5> = Methods::new([
    simple(
        c"__enter__",
        no_arguments!(CData, enter),
        ffi::METH_NOARGS,
        c"The cdata itself; its resource is released at the end of the block.",
    ),
    simple(
        c"__exit__",
        no_arguments!(CData, exit),
        ffi::METH_VARARGS,
        c"ffi.release(cdata)",
    ),
    simple(
        c"__complex__",
        no_arguments!(CData, number::to_complex),
        ffi::METH_NOARGS,
        c"complex(cdata)",
    ),
    simple(
        c"__dir__",
        no_arguments!(CData, attribute::names),
        ffi::METH_NOARGS,
        c"The names of the fields.",
    ),
    END_OF_METHODS,
]);

/// Makes the types ready.
pub fn ready() -> Res<()> {
    // SAFETY: module initialisation; the tables are static, and filled before any type uses them.
    unsafe {
        let tables = TABLES.0.get().cast::<Tables>();
        (*tables).number.nb_add = Some(slot!(arith::add, (Live, Live) -> Obj));
        (*tables).number.nb_subtract = Some(slot!(arith::subtract, (Live, Live) -> Obj));
        (*tables).number.nb_bool = Some(truth);
        (*tables).number.nb_int = Some(slot!(number::to_int, (&CData) -> Obj));
        (*tables).number.nb_float = Some(slot!(number::to_float, (&CData) -> Obj));
        (*tables).mapping.mp_length = Some(slot!(index::length, (&CData) -> ffi::Py_ssize_t));
        (*tables).mapping.mp_subscript = Some(slot!(index::get_item, (&CData, Live) -> Obj));
        (*tables).mapping.mp_ass_subscript =
            Some(slot!(index::set_item, (&CData, Live, Option<Live>) -> c_int));
        // SAFETY: the same convention; nothing leaves it by unwinding.
        set_function_calls(
            std::mem::transmute::<Called, ffi::vectorcallfunc>(vectorcall::<false>),
            std::mem::transmute::<Called, ffi::vectorcallfunc>(vectorcall::<true>),
        );
        TYPES.plain.ready(FLAGS | ffi::Py_TPFLAGS_HAVE_VECTORCALL, |ty| {
            // The basic size is that of the subtypes; blocks have room for a whole PlainCData.
            slots(ty, c"_cffi_backend._CDataBase", size_of::<CData>());
            ty.tp_vectorcall_offset =
                std::mem::offset_of!(PlainCData, vectorcall) as ffi::Py_ssize_t;
            ty.tp_doc = c"The internal base type for CData objects.  Use FFI.CData to access it.  Always check with \
                          isinstance(): subtypes are sometimes returned on CPython, for performance reasons."
                .as_ptr();
            ty.tp_methods = METHODS.ptr();
        })?;
        // All cdata have these attributes, because tools that look at any object (pydoc, doctest, Sphinx) ask for them.
        TYPES.plain.set_attribute(c"__module__", "_cffi_backend")?;
        TYPES.plain.set_attribute(c"__name__", "<cdata>")?;
        let below = |ty: &mut ffi::PyTypeObject, name: &'static std::ffi::CStr, size: usize| {
            slots(ty, name, size);
            ty.tp_base = TYPES.plain.ptr();
            ty.tp_doc = c"This is an internal subtype of _CDataBase for performance only on CPython.  Check with \
                          isinstance(x, ffi.CData)."
                .as_ptr();
        };
        TYPES.owning.ready(FLAGS, |ty| {
            below(ty, c"_cffi_backend.__CDataOwn", size_of::<OwningCData>());
            ty.tp_dealloc = Some(dealloc_owning);
        })?;
        for (view, name) in [
            (&TYPES.view, c"_cffi_backend.__CDataOwn"),
            (&TYPES.view_of_allocated, c"_cffi_backend.__CDataGCP"),
            (&TYPES.view_of_buffer, c"_cffi_backend._CDataBase"),
            (&TYPES.inner, c"_cffi_backend._CDataBase"),
        ] {
            view.ready(FLAGS, |ty| {
                below(ty, name, size_of::<ViewCData>());
                ty.tp_dealloc = Some(dealloc_view);
            })?;
        }
        for (managed, name) in [
            (&TYPES.managed, c"_cffi_backend.__CDataOwnGC"),
            (&TYPES.gc, c"_cffi_backend.__CDataGCP"),
            (&TYPES.allocated, c"_cffi_backend.__CDataOwn"),
            (&TYPES.buffer, c"_cffi_backend.__CDataFromBuf"),
        ] {
            managed.ready(FLAGS | ffi::Py_TPFLAGS_HAVE_GC, |ty| {
                below(ty, name, size_of::<ManagedCData>());
                ty.tp_dealloc = Some(dealloc_managed);
                ty.tp_traverse = Some(traverse_managed);
                ty.tp_clear = Some(clear_managed);
                ty.tp_finalize = Some(finalize_managed);
            })?;
        }
    }
    iterate::ready()
}

/// The slots that all cdata types share.
fn slots(ty: &mut ffi::PyTypeObject, name: &'static std::ffi::CStr, size: usize) {
    let tables = TABLES.0.get().cast::<Tables>();
    ty.tp_name = name.as_ptr();
    ty.tp_basicsize = size as ffi::Py_ssize_t;
    ty.tp_weaklistoffset = std::mem::offset_of!(CData, weakrefs) as ffi::Py_ssize_t;
    ty.tp_dealloc = Some(dealloc);
    ty.tp_repr = Some(slot!(repr_of, (&CData) -> Obj));
    ty.tp_hash = Some(slot!(compare::hash, (&CData) -> ffi::Py_hash_t));
    ty.tp_richcompare = Some(slot!(compare::compare, (Live, Live, c_int) -> Obj));
    ty.tp_call = Some(slot!(call, (&CData, Live, Option<Live>) -> Obj));
    ty.tp_getattro = Some(slot!(attribute::get, (&CData, Live) -> Obj));
    ty.tp_setattro = Some(slot!(attribute::set, (&CData, Live, Option<Live>) -> c_int));
    ty.tp_iter = Some(slot!(iterate::iterate, (&CData) -> Obj));
    // SAFETY: static memory, filled by `ready`.
    unsafe {
        ty.tp_as_number = &raw mut (*tables).number;
        ty.tp_as_mapping = &raw mut (*tables).mapping;
    }
}

/// tp_dealloc of plain cdata.
///
/// # Safety
/// Called by Python, through the slot of that type.
unsafe extern "C" fn dealloc(object: Obj) {
    // SAFETY: called once, with the last reference gone; nothing here can panic.
    unsafe { block::end_plain(object) }
}

/// tp_dealloc of cdata with memory inside.
///
/// # Safety
/// Called by Python, through the slot of that type.
unsafe extern "C" fn dealloc_owning(object: Obj) {
    // SAFETY: as in dealloc; where the storage starts tells the small ones from the others.
    unsafe {
        let is_small =
            (*object.cast::<CData>()).data() == object.cast::<u8>().add(size_of::<OwningCData>());
        block::drop_head(object);
        if is_small {
            block::give(object.cast());
        } else {
            ffi::PyObject_Free(object.cast());
        }
    }
}

/// tp_dealloc of cdata that show memory of others.
///
/// # Safety
/// Called by Python, through the slot of that type.
unsafe extern "C" fn dealloc_view(object: Obj) {
    // SAFETY: as in dealloc.
    unsafe {
        let owner = (*object.cast::<ViewCData>()).owner;
        block::drop_head(object);
        block::give(object.cast());
        ffi::Py_DECREF(owner);
    }
}

/// tp_dealloc of cdata with a resource.
///
/// # Safety
/// Called by Python, through the slot of that type.
unsafe extern "C" fn dealloc_managed(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone. The finalizer runs while the object is whole; if it brought
        // the object back to life, this is not the end.
        unsafe {
            let managed = object.cast::<ManagedCData>();
            if lifetime::has_destructor(&(*managed).resource)
                && ffi::PyObject_CallFinalizerFromDealloc(object) < 0
            {
                return;
            }
            ffi::PyObject_GC_UnTrack(object.cast());
            lifetime::end(managed);
            block::drop_head(object);
            ffi::PyObject_GC_Del(object.cast());
        }
    });
}

/// tp_finalize of cdata with a resource.
///
/// # Safety
/// Called by Python, through the slot of that type.
unsafe extern "C" fn finalize_managed(object: Obj) {
    // SAFETY: a live ManagedCData, by the slot's contract.
    guard_unit(|| unsafe { lifetime::finalize(object.cast()) });
}

/// tp_clear of cdata with a resource.
///
/// # Safety
/// Called by Python, through the slot of that type.
unsafe extern "C" fn clear_managed(object: Obj) -> c_int {
    // SAFETY: a live ManagedCData, by the slot's contract.
    guard_unit(|| unsafe { lifetime::clear(object.cast()) });
    0
}

/// tp_traverse of cdata with a resource.
///
/// # Safety
/// Called by Python, through the slot of that type.
unsafe extern "C" fn traverse_managed(
    object: Obj,
    visit: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: a live ManagedCData, by tp_traverse's contract.
    unsafe {
        let stop = visit((*object.cast::<CData>()).ctype.cast(), arg);
        if stop != 0 {
            return stop;
        }
        lifetime::traverse(object.cast(), visit, arg)
    }
}

/// `bool(cdata)`.
///
/// # Safety
/// Called by Python, through the slot of a cdata type.
unsafe extern "C" fn truth(object: Obj) -> c_int {
    // SAFETY: a cdata, by the contract. Nothing in there can panic.
    number::truth(unsafe { Live::new(object).cast() }).into()
}

fn repr_of(cdata: &CData) -> Res<Ref> {
    str_from(&repr::repr(cdata)?)
}

/// `with cdata:`
fn enter(cdata: &CData) -> Res<Ref> {
    lifetime::check_releasable(cdata)?;
    Ok(cdata.live().to_ref())
}

fn exit(cdata: &CData) -> Res<Ref> {
    lifetime::release(cdata)?;
    Ok(none())
}

/// A call of any cdata by tp_call: closures, which are no [`PlainCData`], and errors.
fn call(cdata: &CData, args: Live, keywords: Option<Live>) -> Res<Ref> {
    if !cdata.ctype().is_function_pointer() {
        return Err(not_callable(cdata));
    }
    if keywords.is_some_and(|keywords| keywords.dict_len() > 0) {
        return Err(no_keywords());
    }
    let items: Vec<Obj> = args.tuple_items().map(Live::ptr).collect();
    // SAFETY: the tuple keeps its items alive.
    unsafe { crate::call::call(cdata, items.as_ptr(), items.len()) }
}
