//! Structural types, one object each in the whole process.
//!
//! The table holds Python weak references, so a type that nobody uses goes away (CFFI's table only grows). The lock
//! is never held while Python objects are made or freed: making one may run the garbage collector, and freeing a
//! ctype takes the lock.

use std::sync::{Mutex, OnceLock, PoisonError};

use keelback_cdef::{CallingConvention, Primitive};
use pyo3::ffi;
use rustc_hash::FxHashMap;

use super::derived::Kept;
use super::details::FunctionDetails;
use super::names::{array_name, function_name, pointer_name};
use super::{CType, Code, Details, Kind, Parts, UNKNOWN_SIZE, allocate};
use crate::py::{Raised, Ref, Res};
use crate::raise;

/// Identity of a structural type: its parts by address.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Void,
    Primitive(Primitive),
    Pointer(usize),
    Array(usize, isize),
    Function(usize, Box<[usize]>, bool, CallingConvention),
}

fn table() -> &'static Mutex<FxHashMap<Key, Ref>> {
    static TABLE: OnceLock<Mutex<FxHashMap<Key, Ref>>> = OnceLock::new();
    TABLE.get_or_init(Mutex::default)
}

fn address(ctype: &CType) -> usize {
    std::ptr::from_ref(ctype) as usize
}

/// The object behind a weak reference, if it is still there.
pub(crate) fn upgrade(weak: &Ref) -> Res<Option<Ref<CType>>> {
    let mut object = std::ptr::null_mut();
    // SAFETY: `weak` is a weakref object; PyWeakref_GetRef gives a new reference or NULL.
    unsafe {
        if ffi::compat::PyWeakref_GetRef(weak.obj(), &mut object) < 0 {
            return Err(Raised::already());
        }
        if object.is_null() {
            Ok(None)
        } else {
            Ok(Some(Ref::steal(object.cast())?))
        }
    }
}

/// A weak reference to a ctype.
pub(crate) fn downgrade(ctype: &CType) -> Res<Ref> {
    // SAFETY: a live object whose type supports weak references.
    unsafe { Ref::steal(ffi::PyWeakref_NewRef(ctype.obj(), std::ptr::null_mut())) }
}

fn lookup(key: &Key) -> Res<Option<Ref<CType>>> {
    let weak = table()
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(key)
        .cloned();
    match weak {
        Some(weak) => upgrade(&weak),
        None => Ok(None),
    }
}

/// The interned type of `key`, made by `make` if it is not there.
fn interned(key: Key, make: impl FnOnce() -> Res<Ref<CType>>) -> Res<Ref<CType>> {
    if let Some(found) = lookup(&key)? {
        return Ok(found);
    }
    let made = make()?;
    let weak = downgrade(&made)?;
    // Another thread may have made it meanwhile: then theirs counts.
    if let Some(found) = lookup(&key)? {
        return Ok(found);
    }
    let replaced = table()
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key, weak);
    drop(replaced);
    Ok(made)
}

/// Takes a type that is being freed out of the table, unless a new one has its place already.
pub(crate) fn forget(ctype: &CType) {
    let key = match ctype.kind {
        Kind::Void => Key::Void,
        Kind::Primitive => match ctype.primitive {
            Some(primitive) => Key::Primitive(primitive),
            None => return,
        },
        Kind::Pointer => Key::Pointer(address(ctype.item())),
        Kind::Array => Key::Array(address(ctype.item()), ctype.length),
        Kind::Function => match ctype.function() {
            Some(function) => function_key(
                &function.result,
                &function.params,
                function.variadic,
                function.convention,
            ),
            None => return,
        },
        Kind::Enum | Kind::Struct | Kind::Union => return,
    };
    let removed = {
        let mut table = table().lock().unwrap_or_else(PoisonError::into_inner);
        match table.get(&key) {
            // SAFETY: a live weakref object; only its referent's address is compared. Its referent is cleared
            // (None) or the dying object when the entry is ours.
            Some(weak) if unsafe { is_dead_or(weak, ctype) } => table.remove(&key),
            _ => None,
        }
    };
    drop(removed);
}

/// Whether the weak reference is dead.
///
/// # Safety
/// `weak` is a live weakref object.
unsafe fn is_dead_or(weak: &Ref, _ctype: &CType) -> bool {
    match upgrade(weak) {
        Ok(found) => found.is_none(),
        Err(raised) => {
            raised.clear();
            false
        }
    }
}

/// `void`
pub fn void() -> Res<Ref<CType>> {
    interned(Key::Void, || {
        allocate(Parts {
            kind: Kind::Void,
            code: Code::Void,
            primitive: None,
            size: UNKNOWN_SIZE,
            align: 1,
            length: -1,
            item: None,
            name: "void".into(),
            name_position: 4,
            details: Details::None,
        })
    })
}

/// How a primitive is held.
pub fn primitive_code(primitive: Primitive, size: usize, signed: bool) -> Code {
    use Primitive as P;
    match primitive {
        P::Bool => Code::Bool,
        P::Char => Code::Char,
        P::Char16 => Code::Char16,
        P::Char32 => Code::Char32,
        P::WChar => {
            if size == 2 {
                Code::Char16
            } else {
                Code::Char32
            }
        }
        P::Float => Code::F32,
        P::Double => Code::F64,
        P::LongDouble => Code::LongDouble,
        P::FloatComplex => Code::ComplexF32,
        P::DoubleComplex => Code::ComplexF64,
        P::LongDoubleComplex => Code::ComplexLongDouble,
        _ => match (size, signed) {
            (1, true) => Code::I8,
            (2, true) => Code::I16,
            (4, true) => Code::I32,
            (_, true) => Code::I64,
            (1, false) => Code::U8,
            (2, false) => Code::U16,
            (4, false) => Code::U32,
            (_, false) => Code::U64,
        },
    }
}

/// An arithmetic type.
pub fn primitive(primitive: Primitive) -> Res<Ref<CType>> {
    interned(Key::Primitive(primitive), || {
        let target = keelback_cdef::Target::host();
        let (size, align) = target.size_and_align(primitive);
        let size = size as usize;
        // CFFI's spelling, which its own C code defines.
        let name = match primitive {
            Primitive::FloatComplex => "_cffi_float_complex_t",
            Primitive::DoubleComplex => "_cffi_double_complex_t",
            _ => primitive.name(),
        };
        allocate(Parts {
            kind: Kind::Primitive,
            code: primitive_code(primitive, size, target.is_signed(primitive).unwrap_or(true)),
            primitive: Some(primitive),
            size: size as isize,
            align,
            length: -1,
            item: None,
            name: name.into(),
            name_position: name.len(),
            details: Details::None,
        })
    })
}

static VOID_POINTER: Kept = Kept::new();

/// `void *`
#[inline]
pub fn void_pointer() -> Res<&'static CType> {
    VOID_POINTER.get(|| pointer_to(&*void()?))
}

/// Whether it is what [`void_pointer`] gave before: with one look at the type's address.
#[inline(always)]
pub fn is_known_void_pointer(ctype: &CType) -> bool {
    VOID_POINTER.is(ctype)
}

/// `char[]`
#[inline]
pub fn char_array() -> Res<&'static CType> {
    static KEPT: Kept = Kept::new();
    KEPT.get(|| array_of(&*primitive(Primitive::Char)?, -1))
}

/// `T *`
#[inline]
pub fn pointer_to(item: &CType) -> Res<Ref<CType>> {
    match item.derived.pointer.get() {
        Some(known) => Ok(known),
        None => find_pointer(item),
    }
}

#[inline(never)]
fn find_pointer(item: &CType) -> Res<Ref<CType>> {
    let found = interned(Key::Pointer(address(item)), || {
        let binds_tighter = matches!(item.kind, Kind::Array | Kind::Function);
        let (name, name_position) = pointer_name(&item.name, item.name_position, binds_tighter);
        let size = size_of::<*const u8>();
        allocate(Parts {
            kind: Kind::Pointer,
            code: Code::Pointer,
            primitive: None,
            size: size as isize,
            align: align_of::<*const u8>() as u32,
            length: -1,
            item: Some(item.to_ref()),
            name,
            name_position,
            details: Details::None,
        })
    })?;
    item.derived.pointer.set(&found);
    Ok(found)
}

/// `T[length]`, or `T[]` for a negative length. Raises for an item without size, and for a size that no
/// object can have.
#[inline]
pub fn array_of(item: &CType, length: isize) -> Res<Ref<CType>> {
    if length < 0
        && let Some(known) = item.derived.open_array.get()
    {
        return Ok(known);
    }
    find_array(item, length)
}

#[inline(never)]
fn find_array(item: &CType, length: isize) -> Res<Ref<CType>> {
    let length = length.max(-1);
    let item_size = item.size();
    if item_size < 0 {
        return Err(raise!(
            ValueError,
            "array item of unknown size: '{}'",
            item.name
        ));
    }
    let size = if length < 0 {
        UNKNOWN_SIZE
    } else {
        item_size
            .checked_mul(length)
            .ok_or_else(|| raise!(OverflowError, "array size would overflow a ssize_t"))?
    };
    let found = interned(Key::Array(address(item), length), || {
        let (name, name_position) =
            array_name(&item.name, item.name_position, u64::try_from(length).ok());
        allocate(Parts {
            kind: Kind::Array,
            code: Code::Array,
            primitive: None,
            size,
            align: item.align() as u32,
            length,
            item: Some(item.to_ref()),
            name,
            name_position,
            details: Details::Array(pointer_to(item)?),
        })
    })?;
    if length < 0 {
        item.derived.open_array.set(&found);
    }
    Ok(found)
}

fn function_key(
    result: &CType,
    params: &[Ref<CType>],
    variadic: bool,
    convention: CallingConvention,
) -> Key {
    Key::Function(
        address(result),
        params.iter().map(|param| address(param)).collect(),
        variadic,
        convention,
    )
}

/// A function type (not a pointer to one).
pub fn function_of(
    result: &CType,
    params: Vec<Ref<CType>>,
    variadic: bool,
    convention: CallingConvention,
) -> Res<Ref<CType>> {
    interned(function_key(result, &params, variadic, convention), || {
        let names = params.iter().map(|param| &*param.name);
        let (name, name_position) =
            function_name(&result.name, result.name_position, names, variadic);
        allocate(Parts {
            kind: Kind::Function,
            code: Code::Function,
            primitive: None,
            size: UNKNOWN_SIZE,
            align: 1,
            length: -1,
            item: None,
            name,
            name_position,
            details: Details::Function(Box::new(FunctionDetails {
                result: result.to_ref(),
                params,
                variadic,
                convention,
                call_plan: OnceLock::new(),
                callback_plan: OnceLock::new(),
            })),
        })
    })
}
