//! The object behind `ffi`: what it keeps.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use keelback_cdef::Declarations;

use super::attachment::Attachment;
use super::state;
use crate::ctype::CType;
use crate::py::{GilCell, Instance, Live, Obj, Ref, Res, StaticType};
use crate::raise;
use crate::scope::Scope;

/// `keelback.FFI`
pub static INLINE_TYPE: StaticType = StaticType::new();
/// The type of the `ffi` of plugins and out-of-line modules.
pub static COMPILED_TYPE: StaticType = StaticType::new();

/// An FFI object, of either type.
#[repr(C)]
pub struct FfiObject {
    ob_base: crate::py::Head,
    /// `__dict__` of the in-line kind; NULL until something is put there.
    pub(super) dict: Obj,
    pub(super) weakrefs: Obj,
    /// Whether it was made by `FFI()`: then it takes cdefs, and raises CFFI's FFIError and CDefError.
    pub(super) inline: bool,
    /// Its declarations.
    pub(super) scope: Arc<Scope>,
    pub(super) cache: GilCell<state::TypeCache>,
    /// What init_once() has done, by tag.
    pub(super) once: GilCell<state::Once>,
    /// The FFI objects that include() was given: kept alive, as their libraries' types are used through this one.
    pub(super) included: GilCell<Vec<Ref>>,
    /// What the in-line kind was given, for `set_source()`.
    pub(super) recorded: GilCell<state::Recorded>,
    /// The libs that dlopen() opened: alive as long as this one, as in CFFI.
    pub(super) libraries: GilCell<Vec<Ref>>,
    /// The bound methods that a compiled one keeps.
    pub(super) bound: state::Cell,
    /// Whether set_unicode() was called.
    pub(super) unicode: AtomicBool,
    /// Whether `__init__` of a compiled one ran.
    pub(super) initialised: AtomicBool,
    /// The plugin that it is the `ffi` of; `None` for an in-line FFI, and for a module's.
    pub(super) attachment: Option<&'static dyn Attachment>,
}

// SAFETY: starts with an object's head.
unsafe impl Instance for FfiObject {}

impl FfiObject {
    /// Gives back what init_once() keeps; returns whether there was anything. The GIL is held.
    pub fn forget_once(&self) -> bool {
        // SAFETY: attached to the interpreter; what is taken out is dropped outside.
        let once = unsafe { self.once.with(std::mem::take) };
        let held = once.is_used();
        drop(once);
        held
    }
    /// What [`for_plugin`](Self::for_plugin) was given; `None` for an in-line FFI.
    pub fn attachment(&self) -> Option<&'static dyn Attachment> {
        self.attachment
    }
    /// Its declarations.
    pub fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }
    /// The object as a borrowed pointer.
    pub fn obj(&self) -> Obj {
        std::ptr::from_ref(self).cast_mut().cast()
    }
    /// The ctype that a C type string names, or the ctype itself: what every method takes as a type. A function type
    /// (not a pointer to one) is refused.
    #[inline]
    pub fn ctype_argument(&self, object: Live) -> Res<Ref<CType>> {
        if let Some(known) = self.known_string(object) {
            return Ok(known);
        }
        if let Some(ctype) = CType::of(object) {
            return Ok(ctype.to_ref());
        }
        if object.is_str() {
            return self.ctype_of_string(object);
        }
        Err(raise!(
            TypeError,
            "expected a string or ctype object, got '{}'",
            object.type_name()
        ))
    }
    /// The ctype of a string that was seen not long ago: the very object.
    #[inline(always)]
    pub(super) fn known_string(&self, object: Live) -> Option<Ref<CType>> {
        // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
        unsafe { self.cache.with(|cache| cache.get(object.ptr())) }
    }
    /// As [`ctype_argument`](Self::ctype_argument), of a string; function types are taken (`ffi.callback`).
    pub fn ctype_argument_or_function(&self, object: Live) -> Res<Ref<CType>> {
        if object.is_str() {
            return self.parse_string(object);
        }
        self.ctype_argument(object)
    }
}

impl FfiObject {
    /// `object` as an FFI object, if it is one.
    pub fn of(object: Live<'_>) -> Option<&FfiObject> {
        // SAFETY: alive; both types and their subtypes have an FfiObject behind their objects.
        unsafe {
            let is_one =
                INLINE_TYPE.is_instance(object.ptr()) || COMPILED_TYPE.is_instance(object.ptr());
            is_one.then(|| object.cast())
        }
    }
    /// The object.
    pub fn live(&self) -> Live<'_> {
        // SAFETY: `self` is part of the object: FfiObjects exist nowhere else.
        unsafe { Live::new(self.obj()) }
    }
}

/// Fresh declarations for this platform.
pub(super) fn empty_scope() -> Arc<Scope> {
    let mut declarations = Declarations::new(keelback_cdef::Target::host());
    declarations.knows_int128 = !crate::errors::is_as_cffi();
    Scope::new(declarations)
}
