//! The Python types of ctypes and of their fields: attributes, repr, garbage collection.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::Ordering;

use pyo3::ffi;

use super::{CTYPE_TYPE, CType, Details, FieldInfo, Kind, derived, intern};
use crate::py::{
    END_OF_METHODS, END_OF_PROPERTIES, Methods, Obj, Properties, Raised, Ref, Res, StaticType,
    bool_object, found, guard, guard_unit, long_from_i128, none, property, simple, str_from,
};
use crate::raise;
use crate::scope::NominalId;

/// The type object of fields (`_cffi_backend.CField`).
pub static FIELD_TYPE: StaticType = StaticType::new();

static PROPERTIES: Properties<12> = Properties::new([
    property(c"kind", kind, None, c"kind"),
    property(c"cname", cname, None, c"C name"),
    property(c"item", item, None, c"pointer to, or array of"),
    property(c"length", length, None, c"array length or None"),
    property(c"fields", fields, None, c"struct or union fields"),
    property(c"args", args, None, c"function argument types"),
    property(c"result", result, None, c"function result type"),
    property(c"ellipsis", ellipsis, None, c"function has '...'"),
    property(c"abi", abi, None, c"function ABI"),
    property(c"elements", elements, None, c"enum elements"),
    property(c"relements", relements, None, c"enum elements, reverse"),
    END_OF_PROPERTIES,
]);

static METHODS: Methods<2> = Methods::new([
    simple(
        c"__dir__",
        dir,
        ffi::METH_NOARGS,
        c"The attributes that this kind of type has.",
    ),
    END_OF_METHODS,
]);

static FIELD_PROPERTIES: Properties<6> = Properties::new([
    property(c"type", field_type, None, c"The field's ctype."),
    property(
        c"offset",
        field_offset,
        None,
        c"Bytes from the start of the struct or union.",
    ),
    property(
        c"bitshift",
        field_bitshift,
        None,
        c"Position of a bit-field; -1 for others, -2 for a flexible array.",
    ),
    property(
        c"bitsize",
        field_bitsize,
        None,
        c"Bits of a bit-field; -1 for others.",
    ),
    property(
        c"flags",
        field_flags,
        None,
        c"1 when an initialiser list has no place for the field.",
    ),
    END_OF_PROPERTIES,
]);

/// Makes the types ready.
pub fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit a CType and a Field.
    unsafe {
        CTYPE_TYPE.ready(
            ffi::Py_TPFLAGS_HAVE_GC | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
            |ty| {
                ty.tp_name = c"_cffi_backend.CType".as_ptr();
                ty.tp_basicsize = size_of::<CType>() as ffi::Py_ssize_t;
                ty.tp_weaklistoffset = std::mem::offset_of!(CType, weakrefs) as ffi::Py_ssize_t;
                ty.tp_dealloc = Some(dealloc);
                ty.tp_traverse = Some(traverse);
                ty.tp_clear = Some(clear);
                ty.tp_repr = Some(repr);
                ty.tp_getset = PROPERTIES.ptr();
                ty.tp_methods = METHODS.ptr();
            },
        )?;
        FIELD_TYPE.ready(ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION, |ty| {
            ty.tp_name = c"_cffi_backend.CField".as_ptr();
            ty.tp_basicsize = size_of::<Field>() as ffi::Py_ssize_t;
            ty.tp_dealloc = Some(dealloc_field);
            ty.tp_getset = FIELD_PROPERTIES.ptr();
        })
    }
}

unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, by the interpreter, with the last reference gone. It takes itself out of all tables
        // first: the callbacks of weak references run Python.
        unsafe {
            ffi::PyObject_GC_UnTrack(object.cast());
            let ctype = object.cast::<CType>();
            forget(&*ctype);
            if !(*ctype).weakrefs.is_null() {
                ffi::PyObject_ClearWeakRefs(object);
            }
            free(ctype);
        }
    });
}

/// Types that wait to be freed on this thread, each with the next one where its weak references were, and how many are
/// being freed inside of each other.
struct Dying {
    depth: Cell<u32>,
    waiting: Cell<*mut CType>,
}

thread_local! {
    static DYING: Dying = const {
        Dying { depth: Cell::new(0), waiting: Cell::new(std::ptr::null_mut()) }
    };
}

/// Frees a type, and so those that only it holds; in a long chain of them by and by, so that it takes no stack.
///
/// # Safety
/// A type that nobody refers to, and that is in no table; its weak references are gone.
unsafe fn free(ctype: *mut CType) {
    const MAX_DEPTH: u32 = 20;
    DYING.with(|dying| {
        let depth = dying.depth.get();
        // SAFETY: the caller's contract; those that wait are dead as well.
        unsafe {
            if depth == MAX_DEPTH {
                (*ctype).weakrefs = dying.waiting.replace(ctype).cast();
                return;
            }
            dying.depth.set(depth + 1);
            free_now(ctype);
            while depth == 0 && !dying.waiting.get().is_null() {
                let next = dying.waiting.get();
                dying.waiting.set((*next).weakrefs.cast());
                free_now(next);
            }
        }
        dying.depth.set(depth);
    });
}

/// # Safety
/// As [`free`].
unsafe fn free_now(ctype: *mut CType) {
    // SAFETY: the caller's contract.
    unsafe {
        std::ptr::drop_in_place(std::ptr::addr_of_mut!((*ctype).item));
        std::ptr::drop_in_place(std::ptr::addr_of_mut!((*ctype).name));
        std::ptr::drop_in_place(std::ptr::addr_of_mut!((*ctype).details));
        ffi::PyObject_GC_Del(ctype.cast());
    }
}

/// Takes a type that is being freed out of everything that finds types.
fn forget(ctype: &CType) {
    derived::forget(ctype);
    match &ctype.details {
        Details::Record(source, _) => {
            let id = NominalId::Record(source.id);
            source.scope.forget_nominal(id, ctype.obj());
        }
        Details::Enum(source, _) => source
            .scope
            .forget_nominal(NominalId::Enum(source.id), ctype.obj()),
        _ => intern::forget(ctype),
    }
}

unsafe extern "C" fn traverse(object: Obj, visit: ffi::visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live ctype, by tp_traverse's contract; nothing here makes or frees objects.
    unsafe {
        let ctype = &*object.cast::<CType>();
        if let Some(item) = &ctype.item {
            let stop = visit(item.obj(), arg);
            if stop != 0 {
                return stop;
            }
        }
        match &ctype.details {
            Details::Record(_, cell) => {
                ctype.looked_at.store(found(), Ordering::Relaxed);
                cell.get().map_or(0, |details| details.traverse(visit, arg))
            }
            Details::Function(function) => {
                for one in function.params.iter().chain([&function.result]) {
                    let stop = visit(one.obj(), arg);
                    if stop != 0 {
                        return stop;
                    }
                }
                0
            }
            Details::Array(pointer) => visit(pointer.obj(), arg),
            Details::Enum(..) | Details::None => 0,
        }
    }
}

/// Every cycle of ctypes goes through the fields of a record (a pointer, array or function type is made after what it
/// is made of): forgetting the fields breaks it. Whoever still asks for them, from a finalizer in the same garbage, gets
/// them built again.
///
/// Clearing one piece of garbage can run Python, and so let another thread find a type in a table, and read its fields in
/// the middle of clearing. So nothing is forgotten once anything has been found since the collector looked: the next
/// collection comes to it again.
unsafe extern "C" fn clear(object: Obj) -> c_int {
    guard_unit(|| {
        // SAFETY: a live ctype. Only garbage refers to it, by tp_clear's contract and as nothing was found since:
        // nobody is reading its fields.
        let details = unsafe {
            let ctype = object.cast::<CType>();
            if (*ctype).looked_at.load(Ordering::Relaxed) != found() {
                return;
            }
            match &mut (*ctype).details {
                Details::Record(_, cell) => cell.take(),
                _ => None,
            }
        };
        drop(details);
    });
    0
}

/// The ctype behind a slot's first argument.
///
/// # Safety
/// `object` is a live ctype: slots are only called so.
unsafe fn this<'a>(object: Obj) -> &'a CType {
    // SAFETY: the caller's contract.
    unsafe { &*object.cast::<CType>() }
}

unsafe extern "C" fn repr(object: Obj) -> Obj {
    // SAFETY: a live ctype, by the slot's contract.
    guard(|| str_from(&format!("<ctype '{}'>", unsafe { this(object) }.name)))
}

/// AttributeError: types of this kind have no such attribute.
#[cold]
fn no_attribute(name: &str) -> Raised {
    raise!(AttributeError, "{name}")
}

fn kind_name(ctype: &CType) -> &'static str {
    match ctype.kind {
        Kind::Void => "void",
        Kind::Primitive => "primitive",
        Kind::Enum => "enum",
        Kind::Pointer if ctype.is_function_pointer() => "function",
        Kind::Pointer => "pointer",
        Kind::Array => "array",
        Kind::Struct => "struct",
        Kind::Union => "union",
        Kind::Function => "function",
    }
}

fn attributes(ctype: &CType) -> &'static [&'static str] {
    match kind_name(ctype) {
        "pointer" => &["item"],
        "array" => &["item", "length"],
        "struct" | "union" => &["fields"],
        "function" => &["abi", "args", "ellipsis", "result"],
        "enum" => &["elements", "relements"],
        _ => &[],
    }
}

unsafe extern "C" fn dir(object: Obj, _: Obj) -> Obj {
    guard(|| {
        // SAFETY: a live ctype: methods are only called so; a fresh list.
        unsafe {
            let list = Ref::steal(ffi::PyList_New(0))?;
            for name in ["cname", "kind"].iter().chain(attributes(this(object))) {
                if ffi::PyList_Append(list.obj(), str_from(name)?.obj()) < 0 {
                    return Err(Raised::already());
                }
            }
            Ok(list)
        }
    })
}

unsafe extern "C" fn kind(object: Obj, _: *mut c_void) -> Obj {
    // SAFETY: a live ctype, by the slot's contract.
    guard(|| crate::py::intern(kind_name(unsafe { this(object) })))
}

unsafe extern "C" fn cname(object: Obj, _: *mut c_void) -> Obj {
    // SAFETY: a live ctype, by the slot's contract.
    guard(|| str_from(&unsafe { this(object) }.name))
}

unsafe extern "C" fn item(object: Obj, _: *mut c_void) -> Obj {
    guard(|| {
        // SAFETY: a live ctype, by the slot's contract.
        let ctype = unsafe { this(object) };
        if ctype.is_pointer_or_array() && !ctype.is_function_pointer() {
            return Ok(ctype.item().to_ref());
        }
        Err(no_attribute("item"))
    })
}

unsafe extern "C" fn length(object: Obj, _: *mut c_void) -> Obj {
    guard(|| {
        // SAFETY: a live ctype, by the slot's contract.
        let ctype = unsafe { this(object) };
        match ctype.kind {
            Kind::Array if ctype.length < 0 => Ok(none()),
            Kind::Array => long_from_i128(ctype.length as i128),
            _ => Err(no_attribute("length")),
        }
    })
}

unsafe extern "C" fn fields(object: Obj, _: *mut c_void) -> Obj {
    guard(|| {
        // SAFETY: a live ctype, by the slot's contract; fresh objects, each place filled once.
        unsafe {
            let ctype = this(object);
            if !ctype.is_record() {
                return Err(no_attribute("fields"));
            }
            let Some(details) = ctype.record()? else {
                return Ok(none());
            };
            let list = Ref::steal(ffi::PyList_New(details.flat.len() as isize))?;
            for (index, field) in details.flat.iter().enumerate() {
                let described = new_field(field)?;
                let pair = Ref::steal(ffi::PyTuple_Pack(2, field.name.obj(), described.obj()))?;
                ffi::PyList_SET_ITEM(list.obj(), index as isize, pair.into_ptr());
            }
            Ok(list)
        }
    })
}

unsafe extern "C" fn args(object: Obj, _: *mut c_void) -> Obj {
    guard(|| {
        // SAFETY: a live ctype, by the slot's contract; a fresh tuple, each place filled once.
        unsafe {
            let Some(signature) = this(object).signature() else {
                return Err(no_attribute("args"));
            };
            let tuple = Ref::steal(ffi::PyTuple_New(signature.params.len() as isize))?;
            for (index, param) in signature.params.iter().enumerate() {
                ffi::PyTuple_SET_ITEM(
                    tuple.obj(),
                    index as isize,
                    param.clone().into_obj().into_ptr(),
                );
            }
            Ok(tuple)
        }
    })
}

unsafe extern "C" fn result(object: Obj, _: *mut c_void) -> Obj {
    guard(|| {
        // SAFETY: a live ctype, by the slot's contract.
        let signature = unsafe { this(object) }.signature();
        signature
            .map(|signature| signature.result.clone())
            .ok_or_else(|| no_attribute("result"))
    })
}

unsafe extern "C" fn ellipsis(object: Obj, _: *mut c_void) -> Obj {
    guard(|| {
        // SAFETY: a live ctype, by the slot's contract.
        let signature = unsafe { this(object) }.signature();
        signature
            .map(|signature| bool_object(signature.variadic))
            .ok_or_else(|| no_attribute("ellipsis"))
    })
}

unsafe extern "C" fn abi(object: Obj, _: *mut c_void) -> Obj {
    guard(|| {
        // SAFETY: a live ctype, by the slot's contract.
        match unsafe { this(object) }.signature() {
            Some(_) => long_from_i128(libffi::raw::ffi_abi_FFI_DEFAULT_ABI as i128),
            None => Err(no_attribute("abi")),
        }
    })
}

/// A dict of an enum's enumerators, one way or the other.
fn enum_dict(ctype: &CType, attribute: &str, by_value: bool) -> Res<Ref> {
    if ctype.kind != Kind::Enum {
        return Err(no_attribute(attribute));
    }
    // SAFETY: a fresh dict, live keys and values.
    unsafe {
        let dict = Ref::steal(ffi::PyDict_New())?;
        let Some(details) = ctype.enumeration()? else {
            return Ok(dict);
        };
        // From the last to the first, so that the first name of a value stays.
        for (name, value) in details.enumerators.iter().rev() {
            let value = long_from_i128(*value)?;
            let (key, value) = if by_value {
                (value.obj(), name.obj())
            } else {
                (name.obj(), value.obj())
            };
            if ffi::PyDict_SetItem(dict.obj(), key, value) < 0 {
                return Err(Raised::already());
            }
        }
        Ok(dict)
    }
}

unsafe extern "C" fn elements(object: Obj, _: *mut c_void) -> Obj {
    // SAFETY: a live ctype, by the slot's contract.
    guard(|| enum_dict(unsafe { this(object) }, "elements", true))
}

unsafe extern "C" fn relements(object: Obj, _: *mut c_void) -> Obj {
    // SAFETY: a live ctype, by the slot's contract.
    guard(|| enum_dict(unsafe { this(object) }, "relements", false))
}

/// A field of a record, as `ctype.fields` shows it.
#[repr(C)]
struct Field {
    ob_base: crate::py::Head,
    ctype: Option<Ref<CType>>,
    offset: isize,
    bit_shift: i32,
    bit_size: i32,
    flags: i32,
}

fn new_field(field: &FieldInfo) -> Res<Ref> {
    // SAFETY: fresh memory of the type's size, filled before anyone sees it.
    unsafe {
        let memory = ffi::PyObject_Malloc(size_of::<Field>()).cast::<Field>();
        if memory.is_null() {
            return Err(raise!(MemoryError, "out of memory for a field"));
        }
        ffi::PyObject_Init(memory.cast(), FIELD_TYPE.ptr());
        let bit_shift = if field.is_empty_array() {
            -2
        } else {
            field.bit_shift
        };
        std::ptr::addr_of_mut!((*memory).ctype).write(Some(field.ctype.clone()));
        std::ptr::addr_of_mut!((*memory).offset).write(field.offset);
        std::ptr::addr_of_mut!((*memory).bit_shift).write(bit_shift);
        std::ptr::addr_of_mut!((*memory).bit_size).write(field.bit_size);
        std::ptr::addr_of_mut!((*memory).flags).write((!field.positional).into());
        Ref::steal(memory.cast())
    }
}

unsafe extern "C" fn dealloc_field(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone.
        unsafe {
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*object.cast::<Field>()).ctype));
            ffi::PyObject_Free(object.cast());
        }
    });
}

/// The field behind a slot's first argument.
///
/// # Safety
/// `object` is a live field: slots are only called so.
unsafe fn this_field<'a>(object: Obj) -> &'a Field {
    // SAFETY: the caller's contract.
    unsafe { &*object.cast::<Field>() }
}

unsafe extern "C" fn field_type(object: Obj, _: *mut c_void) -> Obj {
    guard(|| {
        // SAFETY: a live field, by the slot's contract.
        let ctype = unsafe { this_field(object) }.ctype.clone();
        Ok(ctype.map_or_else(none, Ref::into_obj))
    })
}

unsafe extern "C" fn field_offset(object: Obj, _: *mut c_void) -> Obj {
    // SAFETY: a live field, by the slot's contract.
    guard(|| long_from_i128(unsafe { this_field(object) }.offset as i128))
}

unsafe extern "C" fn field_bitshift(object: Obj, _: *mut c_void) -> Obj {
    // SAFETY: a live field, by the slot's contract.
    guard(|| long_from_i128(unsafe { this_field(object) }.bit_shift.into()))
}

unsafe extern "C" fn field_bitsize(object: Obj, _: *mut c_void) -> Obj {
    // SAFETY: a live field, by the slot's contract.
    guard(|| long_from_i128(unsafe { this_field(object) }.bit_size.into()))
}

unsafe extern "C" fn field_flags(object: Obj, _: *mut c_void) -> Obj {
    // SAFETY: a live field, by the slot's contract.
    guard(|| long_from_i128(unsafe { this_field(object) }.flags.into()))
}
