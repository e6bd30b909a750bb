//! Global variables: read and written at each access.

use std::ffi::c_void;

use pyo3::ffi;

use super::compiled::{Locate, Write};
use crate::convert::{self, read, write};
use crate::ctype::{CType, UNKNOWN_SIZE};
use crate::py::{Instance, Live, Obj, Ref, Res, StaticType, guard_unit};
use crate::raise;

/// The type of what `lib.__dict__` shows for a variable.
static VARIABLE_TYPE: StaticType = StaticType::new();

/// A C function of a plugin that fills slots.
pub(super) type Access = unsafe extern "C" fn(*mut c_void);

/// Where a variable is.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// At this address.
    Address(*mut u8),
    /// At an address that this function gives at each access: thread-local variables, macros that stand for an lvalue.
    Access(Access),
    /// At an address that this function, of a module that CFFI compiled, gives at each access.
    Locate(Locate),
    /// As `Value`, in modules that CFFI compiled: this writes to the memory that it is given.
    Write(Write),
    /// It has a value only: a constant, which this writes to the memory that the slot names.
    Value(Access),
}

impl Place {
    /// The address; NULL for what has only a value.
    #[inline]
    pub(super) fn address(&self) -> *mut u8 {
        match self {
            Self::Address(address) => *address,
            Self::Access(access) => {
                let mut slots = [0u64];
                // SAFETY: a plugin's access function writes an address to the first slot.
                unsafe { access(slots.as_mut_ptr().cast()) };
                slots[0] as *mut u8
            }
            // SAFETY: takes nothing, and gives an address.
            Self::Locate(locate) => unsafe { locate() }.cast(),
            Self::Value(_) | Self::Write(_) => std::ptr::null_mut(),
        }
    }
    /// The address; an error if it is NULL, as that of a macro `(*f())` may be.
    #[inline]
    pub(super) fn checked_address(&self, name: &str) -> Res<*mut u8> {
        let address = self.address();
        if address.is_null() {
            return Err(crate::errors::raise_error(
                |errors| &errors.error,
                format_args!("global variable '{name}' is at address NULL"),
            ));
        }
        Ok(address)
    }
}

/// A global variable.
#[repr(C)]
pub(super) struct Variable {
    ob_base: crate::py::Head,
    ctype: Ref<CType>,
    place: Place,
    name: Box<str>,
}

// SAFETY: starts with the head of an object.
unsafe impl Instance for Variable {}

impl Variable {
    /// `object` as a variable, if it is one.
    #[inline(always)]
    pub(super) fn of(object: Live<'_>) -> Option<&Variable> {
        // SAFETY: the objects of this type are Variables.
        unsafe { object.exactly(&VARIABLE_TYPE) }
    }
    /// Whether only its address can be taken.
    fn is_opaque(&self) -> bool {
        self.ctype.is_record() && self.ctype.size() == UNKNOWN_SIZE
    }
    /// The value that it has now.
    pub(super) fn get(&self) -> Res<Ref> {
        if self.is_opaque() {
            return Err(raise!(
                TypeError,
                "cdata '{}' is opaque{}",
                self.ctype.name,
                self.ctype.why_opaque()
            ));
        }
        read(self.value()?)
    }
    /// The value in C's memory.
    fn value(&self) -> Res<convert::Lvalue<'_>> {
        let address = self.place.checked_address(&self.name)?;
        // SAFETY: an object of the type is there, by the declaration.
        Ok(unsafe { convert::Lvalue::new(&self.ctype, address) })
    }
    /// Changes it.
    pub(super) fn set(&self, value: Live) -> Res<()> {
        if self.is_opaque() {
            return Err(raise!(
                TypeError,
                "'{}' is opaque{}",
                self.ctype.name,
                self.ctype.why_opaque()
            ));
        }
        write(self.value()?, value)
    }
}

/// The object for a variable.
pub(super) fn new(name: &str, ctype: &CType, place: Place) -> Res<Ref<Variable>> {
    // SAFETY: a fresh object, filled before anyone sees it.
    unsafe {
        let object = Ref::steal(ffi::PyObject_New::<Variable>(VARIABLE_TYPE.ptr()))?;
        let raw = object.as_ptr();
        (&raw mut (*raw).ctype).write(ctype.to_ref());
        (&raw mut (*raw).place).write(place);
        (&raw mut (*raw).name).write(name.into());
        Ok(object)
    }
}

/// Makes the type ready.
pub(super) fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit a Variable.
    unsafe {
        VARIABLE_TYPE.ready(ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION, |ty| {
            ty.tp_name = c"_cffi_backend.__FFIGlobSupport".as_ptr();
            ty.tp_basicsize = size_of::<Variable>() as ffi::Py_ssize_t;
            ty.tp_dealloc = Some(dealloc);
        })
    }
}

/// tp_dealloc of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone.
        unsafe {
            std::ptr::drop_in_place(&raw mut (*object.cast::<Variable>()).ctype);
            std::ptr::drop_in_place(&raw mut (*object.cast::<Variable>()).name);
            ffi::PyObject_Free(object.cast());
        }
    });
}
