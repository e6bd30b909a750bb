//! What a ctype is: the struct behind `ffi.CType`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicIsize, AtomicU32, AtomicUsize, Ordering};

use keelback_cdef::Primitive;
use pyo3::ffi;

use super::{EnumDetails, FunctionDetails, RecordDetails, derived, details};
use crate::py::{Instance, Live, Obj, Ref, Res, StaticType};
use crate::raise;

/// The type object of ctypes (`ffi.CType`).
pub static CTYPE_TYPE: StaticType = StaticType::new();

/// What `ctype.kind` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `void`
    Void,
    /// An arithmetic type.
    Primitive,
    /// An enum.
    Enum,
    /// A pointer. Python shows one whose item is a [`Kind::Function`] type as "function", as CFFI does.
    Pointer,
    /// An array.
    Array,
    /// A struct.
    Struct,
    /// A union.
    Union,
    /// A function, or (as in CFFI, where only these exist as values) a pointer to one: see [`CType::is_function_pointer`].
    Function,
}

/// How a value of the type is held in C memory: the one thing that the conversion engine switches on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Code {
    I8,
    I16,
    I32,
    I64,
    /// `__int128`
    I128,
    U8,
    U16,
    U32,
    U64,
    /// `unsigned __int128`
    U128,
    Bool,
    /// `char`: bytes of length 1 in Python.
    Char,
    /// 16-bit wide character.
    Char16,
    /// 32-bit wide character (also wchar_t here).
    Char32,
    F32,
    F64,
    LongDouble,
    ComplexF32,
    ComplexF64,
    ComplexLongDouble,
    /// Any pointer, to functions too.
    Pointer,
    Array,
    /// Struct or union.
    Record,
    /// A bare function type: has no values.
    Function,
    Void,
}

impl Code {
    /// Whether it is one of the plain integers (not bool, not a character).
    pub fn is_integer(self) -> bool {
        (self as u8) <= (Code::U128 as u8)
    }
    /// Whether it is a signed plain integer.
    pub fn is_signed(self) -> bool {
        (self as u8) <= (Code::I128 as u8)
    }
    /// Whether it is char or a wide character.
    pub fn is_char(self) -> bool {
        matches!(self, Code::Char | Code::Char16 | Code::Char32)
    }
}

/// sizeof(long double), which is the same for every type of this name on a machine.
pub const LONG_DOUBLE_SIZE: usize = {
    if cfg!(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "s390x"
    )) {
        if cfg!(any(
            windows,
            all(target_arch = "aarch64", target_vendor = "apple")
        )) {
            8
        } else {
            16
        }
    } else {
        16
    }
};

/// Size not known: an opaque record, `T[]`, void, a function.
pub const UNKNOWN_SIZE: isize = -1;

/// A C type as a Python object. Immutable but for the completion of an opaque record or enum.
#[repr(C)]
pub struct CType {
    ob_base: crate::py::Head,
    pub(super) weakrefs: Obj,
    /// What it is.
    pub kind: Kind,
    /// How its values are held.
    pub code: Code,
    /// The primitive that it is, or that holds the enum.
    pub primitive: Option<Primitive>,
    /// Bytes; see [`size`](Self::size).
    size: AtomicIsize,
    align: AtomicU32,
    /// Items of an array; -1 when unknown, and for other types.
    pub length: isize,
    /// What a pointer points to, an array holds; a function's result is in its details.
    pub item: Option<Ref<CType>>,
    /// The C text: `int(*)(int)`.
    pub name: Box<str>,
    /// Where in `name` a declarator goes: 5 in `int(*)(int)`.
    pub name_position: usize,
    /// See [`is_function_pointer`](Self::is_function_pointer).
    points_to_function: bool,
    pub(crate) details: Details,
    pub(super) derived: derived::Derived,
    /// What [`found`](crate::py::found) was when the garbage collector last looked at the fields.
    pub(super) looked_at: AtomicUsize,
}

/// What only some kinds have.
pub(crate) enum Details {
    None,
    Record(details::RecordSource, OnceLock<RecordDetails>),
    Enum(details::EnumSource, OnceLock<EnumDetails>),
    Function(Box<FunctionDetails>),
    /// The pointer that an array decays to: kept, so that it is not made and freed with each `array + 1`.
    Array(Ref<CType>),
}

// SAFETY: starts with an object's head.
unsafe impl Instance for CType {}

impl CType {
    /// `object` as a ctype, if it is one.
    #[inline(always)]
    pub fn of(object: Live<'_>) -> Option<&CType> {
        // SAFETY: the objects of this type are CTypes.
        unsafe { object.exactly(&CTYPE_TYPE) }
    }
    /// sizeof in bytes, or [`UNKNOWN_SIZE`].
    #[inline(always)]
    pub fn size(&self) -> isize {
        self.size.load(Ordering::Relaxed)
    }
    /// Alignment in bytes; 1 when unknown.
    #[inline(always)]
    pub fn align(&self) -> usize {
        self.align.load(Ordering::Relaxed) as usize
    }
    /// The item type of a pointer or array.
    ///
    /// # Panics
    /// For other kinds.
    #[inline(always)]
    pub fn item(&self) -> &CType {
        self.item
            .as_ref()
            .expect("a pointer or array has an item type")
    }
    /// A pointer to a function: its `kind` is "function" in Python, as in CFFI.
    #[inline(always)]
    pub fn is_function_pointer(&self) -> bool {
        self.points_to_function
    }
    /// `void *`
    #[inline]
    pub fn is_void_pointer(&self) -> bool {
        self.kind == Kind::Pointer && self.item().kind == Kind::Void
    }
    /// A pointer or an array: what decays to an address.
    #[inline]
    pub fn is_pointer_or_array(&self) -> bool {
        matches!(self.kind, Kind::Pointer | Kind::Array)
    }
    /// Struct or union.
    #[inline]
    pub fn is_record(&self) -> bool {
        self.code == Code::Record
    }
    /// A struct, a union or an array of known length: what is read as a reference, not as a value.
    #[inline(always)]
    pub fn is_aggregate(&self) -> bool {
        self.code == Code::Record || (self.code == Code::Array && self.length >= 0)
    }
    /// Fields of a struct or union; `None` while it is opaque. Built at first use.
    pub fn record(&self) -> Res<Option<&RecordDetails>> {
        match &self.details {
            Details::Record(source, cell) => details::record_details(self, source, cell),
            _ => Ok(None),
        }
    }
    /// [`record`](Self::record) if they are built already; never raises.
    #[inline(always)]
    pub fn known_record(&self) -> Option<&RecordDetails> {
        match &self.details {
            Details::Record(_, cell) => cell.get(),
            _ => None,
        }
    }
    /// Whether this is a struct or union of an API-mode module.
    pub fn is_of_api_mode(&self) -> bool {
        matches!(&self.details, Details::Record(source, _) if source.scope.is_api_mode())
    }
    /// Enumerators of an enum.
    pub fn enumeration(&self) -> Res<Option<&EnumDetails>> {
        match &self.details {
            Details::Enum(source, cell) => details::enum_details(source, cell),
            _ => Ok(None),
        }
    }
    /// Signature of a function type (for a function pointer, ask its item).
    pub fn function(&self) -> Option<&FunctionDetails> {
        match &self.details {
            Details::Function(details) => Some(details),
            _ => None,
        }
    }
    /// The signature behind a function or a pointer to one.
    pub fn signature(&self) -> Option<&FunctionDetails> {
        match self.kind {
            Kind::Function => self.function(),
            Kind::Pointer => self.item().function(),
            _ => None,
        }
    }
    /// Called when a cdef completed an opaque record.
    pub(crate) fn set_layout(&self, size: isize, align: u32) {
        self.align.store(align, Ordering::Relaxed);
        self.size.store(size, Ordering::Relaxed);
    }
    /// The object as a borrowed pointer.
    pub fn obj(&self) -> Obj {
        std::ptr::from_ref(self).cast_mut().cast()
    }
    /// A new owned reference to self.
    pub fn to_ref(&self) -> Ref<CType> {
        // SAFETY: `self` is a live Python object: CTypes exist nowhere else.
        unsafe { Ref::borrow(std::ptr::from_ref(self).cast_mut()) }
    }
    /// sizeof, or the exception that CFFI raises for a type without one.
    pub fn known_size(&self) -> Res<usize> {
        usize::try_from(self.size()).map_err(|_| {
            raise!(
                ValueError,
                "ctype '{}' is of unknown size{}",
                self.name,
                self.why_opaque()
            )
        })
    }
    /// What is added to a message about a type without a size: why it has none, if the type comes from a header.
    #[cold]
    pub fn why_opaque(&self) -> String {
        let mut ctype = self;
        while ctype.is_pointer_or_array() {
            ctype = ctype.item();
        }
        let Details::Record(source, _) = &ctype.details else {
            return String::new();
        };
        let declarations = source.scope.read();
        let refused = declarations.types.record(source.id).refused.as_deref();
        refused.map_or_else(String::new, |why| format!(": {why}"))
    }
}

/// Everything a new [`CType`] is made of.
pub(crate) struct Parts {
    pub kind: Kind,
    pub code: Code,
    pub primitive: Option<Primitive>,
    pub size: isize,
    pub align: u32,
    pub length: isize,
    pub item: Option<Ref<CType>>,
    pub name: Box<str>,
    pub name_position: usize,
    pub details: Details,
}

/// Makes the Python object. Interning is the caller's.
pub(crate) fn allocate(parts: Parts) -> Res<Ref<CType>> {
    // SAFETY: the type is ready (module initialisation); the memory is large enough for a CType, and every field after
    // the object head is written before the object is tracked or seen by anyone.
    unsafe {
        let object = ffi::PyObject_GC_New::<CType>(CTYPE_TYPE.ptr());
        let object = Ref::steal(object)?;
        let raw = object.as_ptr();
        macro_rules! put { ($($field:ident = $value:expr),* $(,)?) => { $( std::ptr::addr_of_mut!((*raw).$field).write($value); )* } }
        put!(
            weakrefs = std::ptr::null_mut(),
            kind = parts.kind,
            code = parts.code,
            primitive = parts.primitive,
            size = AtomicIsize::new(parts.size),
            align = AtomicU32::new(parts.align),
            length = parts.length,
            points_to_function = parts.kind == Kind::Pointer
                && matches!(&parts.item, Some(item) if item.kind == Kind::Function),
            item = parts.item,
            name = parts.name,
            name_position = parts.name_position,
            details = parts.details,
            derived = derived::Derived::default(),
            looked_at = AtomicUsize::new(0),
        );
        crate::py::prepare(raw.cast());
        ffi::PyObject_GC_Track(raw.cast());
        Ok(object)
    }
}
