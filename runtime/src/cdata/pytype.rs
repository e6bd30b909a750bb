//! The Python types of cdata: their slots, each a thin shell around the function that does the work.

use std::ffi::{c_int, c_void};

use pyo3::ffi;

use super::{arith, attribute, compare, index, iterate, lifetime, number, repr};
use crate::object::{
    CData, ManagedCData, OwningCData, PlainCData, TYPES, ViewCData, block, not_callable,
    set_function_call,
};
use crate::py::{
    END_OF_METHODS, Methods, Obj, Ref, Res, guard, guard_unit, none, simple, str_from,
};
use crate::raise;

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
        enter,
        ffi::METH_NOARGS,
        c"The cdata itself; its resource is released at the end of the block.",
    ),
    simple(c"__exit__", exit, ffi::METH_VARARGS, c"ffi.release(cdata)"),
    simple(c"__complex__", complex, ffi::METH_NOARGS, c"complex(cdata)"),
    simple(
        c"__dir__",
        dir,
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
        (*tables).number.nb_add = Some(add);
        (*tables).number.nb_subtract = Some(subtract);
        (*tables).number.nb_bool = Some(truth);
        (*tables).number.nb_int = Some(to_int);
        (*tables).number.nb_float = Some(to_float);
        (*tables).mapping.mp_length = Some(length);
        (*tables).mapping.mp_subscript = Some(get_item);
        (*tables).mapping.mp_ass_subscript = Some(set_item);
        set_function_call(vectorcall);
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
        // Of all cdata: tools that look at any object (pydoc, doctest, Sphinx) ask for them.
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
    ty.tp_repr = Some(repr_slot);
    ty.tp_hash = Some(hash);
    ty.tp_richcompare = Some(compare_slot);
    ty.tp_call = Some(call);
    ty.tp_getattro = Some(get_attribute);
    ty.tp_setattro = Some(set_attribute);
    ty.tp_iter = Some(iterate_slot);
    // SAFETY: static memory, filled by `ready`.
    unsafe {
        ty.tp_as_number = &raw mut (*tables).number;
        ty.tp_as_mapping = &raw mut (*tables).mapping;
    }
}

/// The cdata behind a slot's first argument.
///
/// # Safety
/// `object` is a live cdata: slots are only called so.
#[inline(always)]
unsafe fn this<'a>(object: Obj) -> &'a CData {
    // SAFETY: the caller's contract.
    unsafe { &*object.cast::<CData>() }
}

/// What every dealloc ends with: weak references, the type's reference, the memory.
#[inline(always)]
unsafe fn drop_head(object: Obj) {
    // SAFETY: the last reference to a live cdata is gone.
    unsafe {
        let cdata = object.cast::<CData>();
        if !(*cdata).weakrefs.is_null() {
            ffi::PyObject_ClearWeakRefs(object);
        }
        ffi::Py_DECREF((*cdata).ctype.cast());
    }
}

unsafe extern "C" fn dealloc(object: Obj) {
    // SAFETY: called once, with the last reference gone; nothing here can panic. All of these are blocks.
    unsafe {
        drop_head(object);
        block::give(object.cast());
    }
}

unsafe extern "C" fn dealloc_owning(object: Obj) {
    // SAFETY: as in dealloc; where the storage starts tells the small ones from the others.
    unsafe {
        let is_small = this(object).data() == object.cast::<u8>().add(size_of::<OwningCData>());
        drop_head(object);
        if is_small {
            block::give(object.cast());
        } else {
            ffi::PyObject_Free(object.cast());
        }
    }
}

unsafe extern "C" fn dealloc_view(object: Obj) {
    // SAFETY: as in dealloc.
    unsafe {
        let owner = (*object.cast::<ViewCData>()).owner;
        drop_head(object);
        block::give(object.cast());
        ffi::Py_DECREF(owner);
    }
}

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
            drop_head(object);
            ffi::PyObject_GC_Del(object.cast());
        }
    });
}

unsafe extern "C" fn finalize_managed(object: Obj) {
    // SAFETY: a live ManagedCData, by the slot's contract.
    guard_unit(|| unsafe { lifetime::finalize(object.cast()) });
}

unsafe extern "C" fn clear_managed(object: Obj) -> c_int {
    // SAFETY: a live ManagedCData, by the slot's contract.
    guard_unit(|| unsafe { lifetime::clear(object.cast()) });
    0
}

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

unsafe extern "C" fn repr_slot(object: Obj) -> Obj {
    // SAFETY: a live cdata, by the slot's contract.
    guard(|| str_from(&repr::repr(unsafe { this(object) })?))
}

unsafe extern "C" fn hash(object: Obj) -> ffi::Py_hash_t {
    // SAFETY: a live cdata, by the slot's contract.
    guard(|| compare::hash(unsafe { this(object) }))
}

unsafe extern "C" fn compare_slot(left: Obj, right: Obj, operator: c_int) -> Obj {
    // SAFETY: live objects, by the slot's contract.
    guard(|| unsafe { compare::compare(left, right, operator) })
}

unsafe extern "C" fn get_attribute(object: Obj, name: Obj) -> Obj {
    // SAFETY: live objects, by the slot's contract.
    guard(|| unsafe { attribute::get(this(object), name) })
}

unsafe extern "C" fn set_attribute(object: Obj, name: Obj, value: Obj) -> c_int {
    // SAFETY: live objects, `value` live or NULL, by the slot's contract.
    guard(|| unsafe { attribute::set(this(object), name, value) })
}

unsafe extern "C" fn iterate_slot(object: Obj) -> Obj {
    // SAFETY: a live cdata, by the slot's contract.
    guard(|| iterate::iterate(unsafe { this(object) }))
}

unsafe extern "C" fn length(object: Obj) -> ffi::Py_ssize_t {
    // SAFETY: a live cdata, by the slot's contract.
    guard(|| index::length(unsafe { this(object) }))
}

unsafe extern "C" fn get_item(object: Obj, key: Obj) -> Obj {
    // SAFETY: live objects, by the slot's contract.
    guard(|| unsafe { index::get_item(this(object), key) })
}

unsafe extern "C" fn set_item(object: Obj, key: Obj, value: Obj) -> c_int {
    // SAFETY: live objects, `value` live or NULL, by the slot's contract.
    guard(|| unsafe { index::set_item(this(object), key, value) })
}

unsafe extern "C" fn add(left: Obj, right: Obj) -> Obj {
    // SAFETY: live objects, by the slot's contract.
    guard(|| unsafe { arith::add(left, right) })
}

unsafe extern "C" fn subtract(left: Obj, right: Obj) -> Obj {
    // SAFETY: live objects, by the slot's contract.
    guard(|| unsafe { arith::subtract(left, right) })
}

unsafe extern "C" fn truth(object: Obj) -> c_int {
    // SAFETY: a live cdata, by the slot's contract. Nothing in there can panic.
    number::truth(unsafe { this(object) }).into()
}

unsafe extern "C" fn to_int(object: Obj) -> Obj {
    // SAFETY: a live cdata, by the slot's contract.
    guard(|| number::to_int(unsafe { this(object) }))
}

unsafe extern "C" fn to_float(object: Obj) -> Obj {
    // SAFETY: a live cdata, by the slot's contract.
    guard(|| number::to_float(unsafe { this(object) }))
}

unsafe extern "C" fn complex(object: Obj, _: Obj) -> Obj {
    // SAFETY: a live cdata: methods are only called so.
    guard(|| number::to_complex(unsafe { this(object) }))
}

unsafe extern "C" fn dir(object: Obj, _: Obj) -> Obj {
    // SAFETY: a live cdata: methods are only called so.
    guard(|| attribute::names(unsafe { this(object) }))
}

unsafe extern "C" fn enter(object: Obj, _: Obj) -> Obj {
    // SAFETY: a live cdata: methods are only called so.
    guard(|| unsafe {
        lifetime::check_releasable(this(object))?;
        Ok(Ref::borrow(object))
    })
}

unsafe extern "C" fn exit(object: Obj, _: Obj) -> Obj {
    // SAFETY: a live cdata: methods are only called so.
    guard(|| unsafe {
        lifetime::release(this(object))?;
        Ok(none())
    })
}

/// A call of any cdata by tp_call: closures, which are no [`PlainCData`], and errors.
unsafe extern "C" fn call(object: Obj, args: Obj, names: Obj) -> Obj {
    // SAFETY: a live cdata, a tuple, a dict or NULL, by the slot's contract; the tuple keeps its items alive.
    guard(|| unsafe {
        let cdata = this(object);
        let ctype = cdata.ctype();
        if !ctype.is_function_pointer() {
            return Err(not_callable(cdata));
        }
        if !names.is_null() && ffi::PyDict_Size(names) > 0 {
            return Err(raise!(
                TypeError,
                "a cdata function cannot be called with keyword arguments"
            ));
        }
        let count = ffi::PyTuple_GET_SIZE(args) as usize;
        let items: Vec<Obj> = (0..count)
            .map(|index| ffi::PyTuple_GET_ITEM(args, index as isize))
            .collect();
        crate::call::call(cdata, items.as_ptr(), count, std::ptr::null_mut())
    })
}

/// A call of a [`PlainCData`].
unsafe extern "C" fn vectorcall(object: Obj, args: *const Obj, flags: usize, names: Obj) -> Obj {
    // SAFETY: vectorcall's contract: a live cdata, as many live arguments as said.
    guard(|| unsafe {
        if !names.is_null() && ffi::PyTuple_GET_SIZE(names) > 0 {
            return Err(raise!(
                TypeError,
                "a cdata function cannot be called with keyword arguments"
            ));
        }
        let count = ffi::PyVectorcall_NARGS(flags as _) as usize;
        crate::call::call(this(object), args, count, std::ptr::null_mut())
    })
}
