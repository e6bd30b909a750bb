//! The Python types of ctypes and of their fields: attributes, repr, garbage collection.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::Ordering;

use pyo3::ffi;

use super::{CTYPE_TYPE, CType, Details, FieldInfo, Kind, derived, intern};
use crate::py::{
    END_OF_METHODS, END_OF_PROPERTIES, Instance, Methods, Obj, Properties, Raised, Ref, Res,
    StaticType, bool_object, found, getter, guard_unit, long_from_i128, make, no_arguments, none,
    property, simple, slot, str_from,
};
use crate::raise;
use crate::scope::NominalId;

/// The type object of fields (`_cffi_backend.CField`).
pub static FIELD_TYPE: StaticType = StaticType::new();

static PROPERTIES: Properties<12> = Properties::new([
    property(c"kind", getter!(CType, kind), None, c"kind"),
    property(c"cname", getter!(CType, cname), None, c"C name"),
    property(
        c"item",
        getter!(CType, item),
        None,
        c"pointer to, or array of",
    ),
    property(
        c"length",
        getter!(CType, length),
        None,
        c"array length or None",
    ),
    property(
        c"fields",
        getter!(CType, fields),
        None,
        c"struct or union fields",
    ),
    property(
        c"args",
        getter!(CType, args),
        None,
        c"function argument types",
    ),
    property(
        c"result",
        getter!(CType, result),
        None,
        c"function result type",
    ),
    property(
        c"ellipsis",
        getter!(CType, ellipsis),
        None,
        c"function has '...'",
    ),
    property(c"abi", getter!(CType, abi), None, c"function ABI"),
    property(
        c"elements",
        getter!(CType, elements),
        None,
        c"enum elements",
    ),
    property(
        c"relements",
        getter!(CType, relements),
        None,
        c"enum elements, reverse",
    ),
    END_OF_PROPERTIES,
]);

static METHODS: Methods<2> = Methods::new([
    simple(
        c"__dir__",
        no_arguments!(CType, dir),
        ffi::METH_NOARGS,
        c"The attributes that this kind of type has.",
    ),
    END_OF_METHODS,
]);

static FIELD_PROPERTIES: Properties<6> = Properties::new([
    property(
        c"type",
        getter!(Field, field_type),
        None,
        c"The field's ctype.",
    ),
    property(
        c"offset",
        getter!(Field, field_offset),
        None,
        c"Bytes from the start of the struct or union.",
    ),
    property(
        c"bitshift",
        getter!(Field, field_bitshift),
        None,
        c"Position of a bit-field; -1 for others, -2 for a flexible array.",
    ),
    property(
        c"bitsize",
        getter!(Field, field_bitsize),
        None,
        c"Bits of a bit-field; -1 for others.",
    ),
    property(
        c"flags",
        getter!(Field, field_flags),
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
                ty.tp_repr = Some(slot!(repr, (&CType) -> Obj));
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

/// tp_dealloc of ctypes.
///
/// # Safety
/// Called by Python, through the slot.
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
        // SAFETY: nobody refers to the type (the contract of `free`), nor to those that wait, which came here in the same
        // way.
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

/// Frees a type, and what only it holds.
///
/// # Safety
/// That of [`free`].
unsafe fn free_now(ctype: *mut CType) {
    // SAFETY: nobody refers to the type: its fields are dropped once, and then its memory goes.
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

/// tp_traverse of ctypes.
///
/// # Safety
/// Called by Python, through the slot.
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
///
/// # Safety
/// Called by Python, through the slot.
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

fn repr(ctype: &CType) -> Res<Ref> {
    str_from(&format!("<ctype '{}'>", ctype.name))
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

fn dir(ctype: &CType) -> Res<Ref> {
    let names = ["cname", "kind"].iter().chain(attributes(ctype));
    make::list(names.map(|name| str_from(name)))
}

fn kind(ctype: &CType) -> Res<Ref> {
    crate::py::intern(kind_name(ctype))
}

fn cname(ctype: &CType) -> Res<Ref> {
    str_from(&ctype.name)
}

fn item(ctype: &CType) -> Res<Ref<CType>> {
    if ctype.is_pointer_or_array() && !ctype.is_function_pointer() {
        return Ok(ctype.item().to_ref());
    }
    Err(no_attribute("item"))
}

fn length(ctype: &CType) -> Res<Ref> {
    match ctype.kind {
        Kind::Array if ctype.length < 0 => Ok(none()),
        Kind::Array => long_from_i128(ctype.length as i128),
        _ => Err(no_attribute("length")),
    }
}

fn fields(ctype: &CType) -> Res<Ref> {
    if !ctype.is_record() {
        return Err(no_attribute("fields"));
    }
    let Some(details) = ctype.record()? else {
        return Ok(none());
    };
    make::list(details.flat().iter().map(|field| {
        let pair = [field.name.clone(), new_field(field)?];
        make::tuple(pair.into_iter().map(Ok))
    }))
}

fn args(ctype: &CType) -> Res<Ref> {
    let signature = ctype.signature().ok_or_else(|| no_attribute("args"))?;
    make::tuple(signature.params.iter().map(|param| Ok(param.clone())))
}

fn result(ctype: &CType) -> Res<Ref<CType>> {
    let signature = ctype.signature();
    signature
        .map(|signature| signature.result.clone())
        .ok_or_else(|| no_attribute("result"))
}

fn ellipsis(ctype: &CType) -> Res<Ref> {
    let signature = ctype.signature();
    signature
        .map(|signature| bool_object(signature.variadic))
        .ok_or_else(|| no_attribute("ellipsis"))
}

fn abi(ctype: &CType) -> Res<Ref> {
    match ctype.signature() {
        Some(_) => long_from_i128(libffi::raw::ffi_abi_FFI_DEFAULT_ABI as i128),
        None => Err(no_attribute("abi")),
    }
}

/// A dict of an enum's enumerators, one way or the other.
fn enum_dict(ctype: &CType, attribute: &str, by_value: bool) -> Res<Ref> {
    if ctype.kind != Kind::Enum {
        return Err(no_attribute(attribute));
    }
    let enumerators = ctype
        .enumeration()?
        .map_or(&[][..], |details| &details.enumerators);
    // The dict is filled from the last to the first, so that of several names of one value the first stays.
    make::dict(enumerators.iter().rev().map(|(name, value)| {
        let (name, value) = (name.clone(), long_from_i128(*value)?);
        Ok(if by_value {
            (value, name)
        } else {
            (name, value)
        })
    }))
}

fn elements(ctype: &CType) -> Res<Ref> {
    enum_dict(ctype, "elements", true)
}

fn relements(ctype: &CType) -> Res<Ref> {
    enum_dict(ctype, "relements", false)
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

// SAFETY: starts with an object's head.
unsafe impl Instance for Field {}

fn new_field(field: &FieldInfo) -> Res<Ref> {
    // SAFETY: fresh memory of the type's size, filled before anyone sees it.
    unsafe {
        let memory = ffi::PyObject_Malloc(size_of::<Field>()).cast::<Field>();
        if memory.is_null() {
            return Err(raise!(MemoryError, "out of memory for a field"));
        }
        FIELD_TYPE.init(memory.cast());
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

/// tp_dealloc of fields.
///
/// # Safety
/// Called by Python, through the slot.
unsafe extern "C" fn dealloc_field(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone.
        unsafe {
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*object.cast::<Field>()).ctype));
            ffi::PyObject_Free(object.cast());
        }
    });
}

fn field_type(field: &Field) -> Res<Ref> {
    let ctype = field.ctype.clone();
    Ok(ctype.map_or_else(none, Ref::into_obj))
}

fn field_offset(field: &Field) -> Res<Ref> {
    long_from_i128(field.offset as i128)
}

fn field_bitshift(field: &Field) -> Res<Ref> {
    long_from_i128(field.bit_shift.into())
}

fn field_bitsize(field: &Field) -> Res<Ref> {
    long_from_i128(field.bit_size.into())
}

fn field_flags(field: &Field) -> Res<Ref> {
    long_from_i128(field.flags.into())
}
