//! `uctypes.struct`: memory seen through a descriptor.

use std::ffi::{c_int, c_void};

use pyo3::ffi;

use super::super::arguments::check_count;
use super::super::{bytearray, value};
use super::descriptor::{Item, Kind, Scalar, aggregate, field, syntax_error};
use super::layout::{Layout, item_size, size};
use super::scalar::{load, load_bits, store, store_bits};
use crate::convert::get;
use crate::py::{Live, Obj, Raised, Ref, Res, StaticType, guard, guard_unit, str_from};
use crate::raise;

static STRUCT_TYPE: StaticType = StaticType::new();

/// Memory and its descriptor.
#[repr(C)]
pub(super) struct Structure {
    ob_base: crate::py::Head,
    data: *mut u8,
    /// Owned; any object, which is looked at when it is used. NULL only after tp_clear.
    pub(super) descriptor: Obj,
    /// Whose memory it is, where that is known: kept alive. Owned, or NULL.
    owner: Obj,
    pub(super) layout: Layout,
}

struct Tables {
    number: ffi::PyNumberMethods,
    mapping: ffi::PyMappingMethods,
    buffer: ffi::PyBufferProcs,
}

struct SharedTables(std::cell::UnsafeCell<std::mem::MaybeUninit<Tables>>);

// SAFETY: written once, during module initialisation; read by CPython afterwards.
unsafe impl Sync for SharedTables {}

static TABLES: SharedTables =
    SharedTables(std::cell::UnsafeCell::new(std::mem::MaybeUninit::zeroed()));

/// Makes the type ready.
pub(super) fn ready() -> Res<()> {
    // SAFETY: module initialisation; the tables are static, and filled before the type uses them.
    unsafe {
        let tables = TABLES.0.get().cast::<Tables>();
        (*tables).number.nb_int = Some(to_int);
        (*tables).mapping.mp_subscript = Some(subscript);
        (*tables).mapping.mp_ass_subscript = Some(assign);
        (*tables).buffer.bf_getbuffer = Some(get_buffer);
        STRUCT_TYPE.ready(ffi::Py_TPFLAGS_HAVE_GC, |ty| {
            ty.tp_name = c"struct".as_ptr();
            ty.tp_doc = c"struct(address, descriptor, layout=NATIVE)\n--\n\nMemory seen through a descriptor: a dict of \
                          fields, or a tuple for an array or a pointer."
                .as_ptr();
            ty.tp_basicsize = size_of::<Structure>() as ffi::Py_ssize_t;
            ty.tp_as_number = &raw mut (*tables).number;
            ty.tp_as_mapping = &raw mut (*tables).mapping;
            ty.tp_as_buffer = &raw mut (*tables).buffer;
            ty.tp_new = Some(make);
            ty.tp_getattro = Some(get_attribute);
            ty.tp_setattro = Some(set_attribute);
            ty.tp_repr = Some(repr);
            ty.tp_hash = Some(hash);
            ty.tp_dealloc = Some(dealloc);
            ty.tp_traverse = Some(traverse);
            ty.tp_clear = Some(clear);
        })
    }
}

/// The class, for the module.
pub(super) fn class() -> Ref {
    // SAFETY: a static type.
    unsafe { Ref::borrow(STRUCT_TYPE.ptr().cast()) }
}

/// The object as a struct, if it is one.
pub(super) fn as_structure<'a>(object: Live<'a>) -> Option<&'a Structure> {
    // SAFETY: `object` is live, and stays so while the result is used.
    unsafe {
        STRUCT_TYPE
            .is_exactly(object.ptr())
            .then(|| &*object.ptr().cast::<Structure>())
    }
}

/// # Safety
/// A slot of the type: the object is a Structure.
unsafe fn this<'a>(object: Obj) -> &'a Structure {
    // SAFETY: a slot of the type: the object is a Structure.
    unsafe { &*object.cast::<Structure>() }
}

/// `descriptor` is live, `owner` NULL or live.
///
/// # Safety
/// `descriptor` is live, `owner` NULL or live.
unsafe fn new(data: *mut u8, descriptor: Obj, owner: Obj, layout: Layout) -> Res<Ref> {
    // SAFETY: a fresh object, filled before the collector or anyone else sees it.
    unsafe {
        let object = Ref::steal(ffi::PyObject_GC_New::<Structure>(STRUCT_TYPE.ptr()))?;
        let raw = object.as_ptr();
        (&raw mut (*raw).data).write(data);
        (&raw mut (*raw).descriptor).write(Ref::<ffi::PyObject>::borrow(descriptor).into_ptr());
        ffi::Py_XINCREF(owner);
        (&raw mut (*raw).owner).write(owner);
        (&raw mut (*raw).layout).write(layout);
        ffi::PyObject_GC_Track(raw.cast());
        Ok(object.into_obj())
    }
}

/// `uctypes.struct(address, descriptor, layout)`
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn make(_: *mut ffi::PyTypeObject, args: Obj, kwargs: Obj) -> Obj {
    guard(|| {
        // SAFETY: tp_new gets a tuple, and NULL or a dict, both of which live until it returns.
        let (args, kwargs) = unsafe { (Live::new(args), Live::or_null(kwargs)) };
        if kwargs.is_some_and(|kwargs| kwargs.dict_len() > 0) {
            return Err(raise!(TypeError, "function doesn't take keyword arguments"));
        }
        check_count(args.tuple_len(), 2, 3)?;
        let (Some(address), Some(descriptor)) = (args.tuple_item(0), args.tuple_item(1)) else {
            return Err(raise!(SystemError, "struct: no arguments"));
        };
        let data = value::address(address)?;
        let layout = args.tuple_item(2).map_or(Ok(Layout::Native), Layout::of)?;
        let owner = super::owner_of(address)?;
        let owner = owner.as_ref().map_or(std::ptr::null_mut(), Ref::obj);
        // SAFETY: the descriptor is live; the owner is NULL, or kept alive by its reference.
        unsafe { new(data, descriptor.ptr(), owner, layout) }
    })
}

impl Structure {
    /// The address `offset` bytes on; ValueError where MicroPython would crash.
    #[inline(always)]
    fn at(&self, offset: usize) -> Res<*mut u8> {
        if self.data.is_null() {
            return Err(raise!(ValueError, "struct: NULL pointer"));
        }
        Ok(self.data.wrapping_add(offset))
    }

    /// The descriptor, held: a program may change the dict that it comes from.
    fn descriptor(&self) -> Res<Ref> {
        if self.descriptor.is_null() {
            return Err(syntax_error());
        }
        // SAFETY: owned by self.
        Ok(unsafe { Ref::borrow(self.descriptor) })
    }

    /// The descriptor of a field, held. `None`: the name is Python's own (`__class__`).
    fn find(&self, name: Live) -> Res<Option<Ref>> {
        let descriptor = self.descriptor()?;
        let is_dict = descriptor.live().is_dict();
        if is_dict && let Some(found) = descriptor.live().dict_item(name)? {
            return Ok(Some(found));
        }
        if name
            .text()?
            .is_some_and(|name| name.starts_with("__") && name.ends_with("__"))
        {
            return Ok(None);
        }
        if !is_dict {
            return Err(raise!(TypeError, "struct: no fields"));
        }
        super::raise_no_field(name)
    }

    /// The address that a pointer at the start of the memory holds.
    ///
    /// # Safety
    /// The memory is there, and as large as a pointer: by the program's word.
    unsafe fn pointer(&self) -> Res<*mut u8> {
        // SAFETY: that there is one is the word of the descriptor.
        Ok(unsafe { get::<*mut u8>(self.at(0)?) })
    }

    /// A struct, a pointer or an array inside the memory.
    ///
    /// # Safety
    /// `descriptor` is live.
    unsafe fn aggregate_at(&self, data: *mut u8, descriptor: Obj) -> Res<Ref> {
        // SAFETY: live objects.
        unsafe { new(data, descriptor, self.owner, self.layout) }
    }
}

/// tp_getattro of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn get_attribute(object: Obj, name: Obj) -> Obj {
    guard(|| {
        // SAFETY: a Structure and a str; that the memory is there is the word of the program.
        unsafe {
            let structure = this(object);
            let Some(found) = structure.find(Live::new(name))? else {
                return Ref::steal(ffi::PyObject_GenericGetAttr(object, name));
            };
            let field = field(found.live())?;
            let is_big = structure.layout.is_big();
            match field.kind {
                Kind::Scalar(scalar) => load(scalar, structure.at(field.offset)?, is_big),
                Kind::Bits(scalar, bits) => {
                    load_bits(scalar, bits, structure.at(field.offset)?, is_big)
                }
                Kind::Array(Item::Scalar(Scalar::Uint8), count) => {
                    bytearray::new(structure.at(field.offset)?, count, structure.owner)
                }
                // Also at NULL: how sizes and addresses of members are asked for.
                Kind::Struct(descriptor) => {
                    structure.aggregate_at(structure.data.wrapping_add(field.offset), descriptor)
                }
                Kind::Array(..) | Kind::Pointer(_) => {
                    structure.aggregate_at(structure.data.wrapping_add(field.offset), found.obj())
                }
            }
        }
    })
}

/// tp_setattro of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn set_attribute(object: Obj, name: Obj, value: Obj) -> c_int {
    guard(|| {
        // SAFETY: as in `get_attribute`; a value, or NULL to delete.
        unsafe {
            let structure = this(object);
            let Some(found) = structure.find(Live::new(name))? else {
                if ffi::PyObject_GenericSetAttr(object, name, value) < 0 {
                    return Err(Raised::already());
                }
                return Ok(());
            };
            if value.is_null() {
                return Err(raise!(AttributeError, "struct: can't delete a field"));
            }
            let field = field(found.live())?;
            let is_big = structure.layout.is_big();
            match field.kind {
                Kind::Scalar(scalar) => store(scalar, structure.at(field.offset)?, is_big, value),
                Kind::Bits(scalar, bits) => {
                    store_bits(scalar, bits, structure.at(field.offset)?, is_big, value)
                }
                // A struct or an array as a whole cannot be assigned to, in MicroPython either.
                _ => Err(syntax_error()),
            }
        }
    })
}

/// What an index means.
enum Place {
    Scalar(Scalar, *mut u8, bool),
    /// The descriptor is borrowed from the struct's own.
    Aggregate(Obj, *mut u8),
}

/// The item of a struct that is a pointer or an array.
///
/// # Safety
/// `descriptor` is the struct's own, held by the caller; `index` is live. That the memory of a pointer is there is the
/// program's promise.
unsafe fn place(structure: &Structure, descriptor: &Ref, index: Obj) -> Res<Place> {
    let kind = if descriptor.live().is_tuple() {
        // SAFETY: a tuple, which the caller holds while the place is used.
        Some(unsafe { aggregate(descriptor.obj()) }?.kind)
    } else {
        None
    };
    let (item, start, count) = match kind {
        Some(Kind::Array(item, count)) => (item, structure.at(0)?, Some(count)),
        // SAFETY: by its descriptor the struct is a pointer, whose memory is there (the caller's contract).
        Some(Kind::Pointer(item)) => (item, unsafe { structure.pointer() }?, None),
        _ => return Err(raise!(TypeError, "struct: can't index")),
    };
    // SAFETY: `index` is live (the caller's contract).
    let index = unsafe { Live::new(index) };
    if !index.is_int() {
        return Err(raise!(
            TypeError,
            "struct: index must be int, not {}",
            index.type_name()
        ));
    }
    let number = value::checked(index)? as isize;
    if let Some(count) = count
        && usize::try_from(number).map_or(true, |number| number >= count)
    {
        return Err(raise!(IndexError, "struct: index out of range"));
    }
    if start.is_null() {
        return Err(raise!(ValueError, "struct: NULL pointer"));
    }
    // SAFETY: the item's descriptor is in the tuple, which the caller holds.
    let size = unsafe { item_size(item, structure.layout) }?.total as isize;
    let data = start.wrapping_offset(size.wrapping_mul(number));
    Ok(match item {
        // What a pointer points to is never in another layout than the machine's.
        Item::Scalar(scalar) if count.is_none() => {
            Place::Scalar(scalar, data, Layout::Native.is_big())
        }
        Item::Scalar(scalar) => Place::Scalar(scalar, data, structure.layout.is_big()),
        Item::Aggregate(descriptor) => Place::Aggregate(descriptor, data),
    })
}

/// mp_subscript of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn subscript(object: Obj, index: Obj) -> Obj {
    guard(|| {
        // SAFETY: a Structure and a live index; that the memory is there is the word of the program.
        unsafe {
            let structure = this(object);
            let descriptor = structure.descriptor()?;
            match place(structure, &descriptor, index)? {
                Place::Scalar(scalar, data, is_big) => load(scalar, data, is_big),
                Place::Aggregate(descriptor, data) => structure.aggregate_at(data, descriptor),
            }
        }
    })
}

/// mp_ass_subscript of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn assign(object: Obj, index: Obj, value: Obj) -> c_int {
    guard(|| {
        // SAFETY: as in `subscript`; a value, or NULL to delete.
        unsafe {
            if value.is_null() {
                return Err(raise!(
                    TypeError,
                    "'struct' object doesn't support item deletion"
                ));
            }
            let structure = this(object);
            let descriptor = structure.descriptor()?;
            match place(structure, &descriptor, index)? {
                Place::Scalar(scalar, data, is_big) => store(scalar, data, is_big, value),
                Place::Aggregate(..) => Err(raise!(
                    TypeError,
                    "'struct' object doesn't support item assignment"
                )),
            }
        }
    })
}

/// The address in a struct object that is a pointer; `None` for any other.
pub(crate) fn pointer_value(object: Live) -> Option<usize> {
    // SAFETY: `object` is live.
    unsafe {
        let structure = as_structure(object)?;
        if structure.descriptor.is_null() || ffi::PyTuple_Check(structure.descriptor) == 0 {
            return None;
        }
        let found = aggregate(structure.descriptor)
            .and_then(|field| match field.kind {
                Kind::Pointer(_) => structure.pointer().map(Some),
                _ => Ok(None),
            })
            .unwrap_or_else(|raised| {
                raised.clear();
                None
            });
        found.map(|address| address as usize)
    }
}

/// nb_int of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn to_int(object: Obj) -> Obj {
    // SAFETY: a Structure.
    guard(|| match unsafe { pointer_value(Live::new(object)) } {
        Some(address) => crate::py::make::unsigned_int(address),
        None => Err(raise!(TypeError, "can't convert struct to int")),
    })
}

/// bf_getbuffer of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn get_buffer(object: Obj, view: *mut ffi::Py_buffer, flags: c_int) -> c_int {
    guard(|| {
        // SAFETY: the buffer protocol's arguments; that the memory is there is the word of the program.
        unsafe {
            let structure = this(object);
            let descriptor = structure.descriptor()?;
            let size = size(descriptor.live(), structure.layout)?.total as isize;
            let data = structure.at(0)?.cast::<c_void>();
            if ffi::PyBuffer_FillInfo(view, object, data, size, 0, flags) < 0 {
                return Err(Raised::already());
            }
            Ok(())
        }
    })
}

/// tp_repr of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn repr(object: Obj) -> Obj {
    guard(|| {
        // SAFETY: a Structure.
        unsafe {
            let structure = this(object);
            let descriptor = structure.descriptor()?;
            let kind = if ffi::PyDict_Check(descriptor.obj()) != 0 {
                "STRUCT"
            } else if descriptor.live().is_tuple() {
                match aggregate(descriptor.obj()).map(|field| field.kind) {
                    Ok(Kind::Pointer(_)) => "PTR",
                    Ok(Kind::Array(..)) => "ARRAY",
                    Ok(_) => "unk",
                    Err(raised) => {
                        raised.clear();
                        "ERROR"
                    }
                }
            } else {
                "ERROR"
            };
            str_from(&format!("<struct {kind} {:x}>", structure.data as usize))
        }
    })
}

/// tp_hash of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn hash(_object: Obj) -> ffi::Py_hash_t {
    guard(|| -> Res<isize> { Err(raise!(TypeError, "unsupported type for __hash__: 'struct'")) })
}

/// tp_dealloc of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone.
        unsafe {
            ffi::PyObject_GC_UnTrack(object.cast());
            let structure = object.cast::<Structure>();
            ffi::Py_XDECREF((*structure).descriptor);
            ffi::Py_XDECREF((*structure).owner);
            ffi::PyObject_GC_Del(object.cast());
        }
    });
}

/// tp_traverse of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn traverse(object: Obj, visit: ffi::visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live Structure; visit gets its own arguments.
    unsafe {
        for part in [this(object).descriptor, this(object).owner] {
            if !part.is_null() {
                let stop = visit(part, arg);
                if stop != 0 {
                    return stop;
                }
            }
        }
        0
    }
}

/// tp_clear of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn clear(object: Obj) -> c_int {
    guard(|| {
        // SAFETY: a live Structure in a garbage cycle.
        unsafe {
            let structure = object.cast::<Structure>();
            let descriptor = std::mem::replace(&mut (*structure).descriptor, std::ptr::null_mut());
            let owner = std::mem::replace(&mut (*structure).owner, std::ptr::null_mut());
            (*structure).data = std::ptr::null_mut();
            ffi::Py_XDECREF(descriptor);
            ffi::Py_XDECREF(owner);
        }
        Ok(())
    })
}
