//! Structural types, one object each in the whole process.
//!
//! The table does not own them: a type that nobody uses takes itself out at its end. The lock is never held while Python
//! objects are made or freed: making one may run the garbage collector, and freeing a ctype takes the lock.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use keelback_cdef::{CallingConvention, Primitive};
use rustc_hash::FxHashMap;

use super::derived::Kept;
use super::details::FunctionDetails;
use super::names::{array_name, function_name, pointer_name};
use super::{CType, Code, Details, Kind, Parts, PlanSlot, UNKNOWN_SIZE, allocate};
use crate::py::{Ref, Res, Weak};
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

fn table() -> MutexGuard<'static, FxHashMap<Key, Weak<CType>>> {
    static TABLE: OnceLock<Mutex<FxHashMap<Key, Weak<CType>>>> = OnceLock::new();
    let table = TABLE.get_or_init(Mutex::default);
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

fn address(ctype: &CType) -> usize {
    std::ptr::from_ref(ctype) as usize
}

fn lookup(key: &Key) -> Option<Ref<CType>> {
    // SAFETY: the lock of the table that `forget` takes types out of is held.
    table().get(key).and_then(|entry| unsafe { entry.revive() })
}

/// Puts a new type into the table. If another thread has put an equal one there meanwhile, that one is returned.
fn settle(key: Key, made: Ref<CType>) -> Ref<CType> {
    let mut table = table();
    // SAFETY: the lock of the table that `forget` takes types out of is held.
    if let Some(theirs) = table.get(&key).and_then(|entry| unsafe { entry.revive() }) {
        drop(table);
        return theirs;
    }
    table.insert(key, Weak::of(&made));
    drop(table);
    made
}

/// The interned type of `key`, made by `make` if it is not there.
fn interned(key: Key, make: impl FnOnce() -> Res<Ref<CType>>) -> Res<Ref<CType>> {
    match lookup(&key) {
        Some(found) => Ok(found),
        None => Ok(settle(key, make()?)),
    }
}

/// Takes a type that is being freed out of the table, unless a new one has its place already. Before Python code can
/// run: see [`Weak`].
pub(super) fn forget(ctype: &CType) {
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
    let mut table = table();
    if table.get(&key).is_some_and(|entry| entry.is(ctype)) {
        table.remove(&key);
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
            (16, true) => Code::I128,
            (_, true) => Code::I64,
            (1, false) => Code::U8,
            (2, false) => Code::U16,
            (4, false) => Code::U32,
            (16, false) => Code::U128,
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
        // These names are CFFI's own: its C code defines them as typedefs.
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
            "array item of unknown size: '{}'{}",
            item.name,
            item.why_opaque()
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
                call_plan: PlanSlot::new(),
                callback_plan: PlanSlot::new(),
            })),
        })
    })
}
