//! Objects that somebody else keeps alive.

use std::marker::PhantomData;
use std::ptr::NonNull;

use pyo3::ffi;

use super::{Obj, Raised, Ref, Res, StaticType, small_long_value, str_text, type_name};

/// A borrowed reference to an object that is alive for `'a`: an [`Obj`] of which that has been said once, so that
/// whoever gets it needs no `unsafe` to look at it. CPython's functions take its [`ptr`](Self::ptr).
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Live<'a>(NonNull<ffi::PyObject>, PhantomData<&'a ffi::PyObject>);

/// A struct behind Python objects, which starts with their head.
///
/// # Safety
/// `#[repr(C)]`, and the first field is a [`Head`](super::Head), or another struct of this kind.
pub unsafe trait Instance {}

impl<'a> Live<'a> {
    /// An object that CPython passed, or that something keeps alive.
    ///
    /// # Safety
    /// `object` is alive for `'a`.
    #[inline(always)]
    pub unsafe fn new(object: Obj) -> Self {
        debug_assert!(!object.is_null());
        // SAFETY: an object that is alive is not NULL.
        Self(unsafe { NonNull::new_unchecked(object) }, PhantomData)
    }
    /// The same where NULL stands for none.
    ///
    /// # Safety
    /// `object` is NULL, or alive for `'a`.
    #[inline(always)]
    pub unsafe fn or_null(object: Obj) -> Option<Self> {
        NonNull::new(object).map(|object| Self(object, PhantomData))
    }
    /// For CPython's functions.
    #[inline(always)]
    pub fn ptr(self) -> Obj {
        self.0.as_ptr()
    }
    /// A new reference.
    #[inline(always)]
    pub fn to_ref(self) -> Ref {
        // SAFETY: alive.
        unsafe { Ref::borrow(self.ptr()) }
    }
    /// Its type.
    #[inline(always)]
    pub fn class(self) -> *mut ffi::PyTypeObject {
        // SAFETY: alive.
        unsafe { ffi::Py_TYPE(self.ptr()) }
    }
    /// The name of its type, for messages.
    pub fn type_name(self) -> String {
        // SAFETY: alive.
        unsafe { type_name(self.ptr()) }
    }
    /// Whether it is the same object.
    #[inline(always)]
    pub fn is(self, other: Obj) -> bool {
        self.ptr() == other
    }
    /// Whether it is a slice.
    #[inline(always)]
    pub fn is_slice(self) -> bool {
        self.class() == &raw mut ffi::PySlice_Type
    }
    /// Start, stop and step of a slice.
    pub fn slice_parts(self) -> Option<[Live<'a>; 3]> {
        self.is_slice().then(|| {
            // SAFETY: a slice, which never changes, and keeps its three parts alive.
            unsafe {
                let slice = &*self.ptr().cast::<ffi::PySliceObject>();
                [slice.start, slice.stop, slice.step].map(|part| Live::new(part))
            }
        })
    }
    /// `iter()` of it.
    pub fn iterator(self) -> Res<Ref> {
        // SAFETY: alive.
        unsafe { Ref::steal(ffi::PyObject_GetIter(self.ptr())) }
    }
    /// The next item of an iterator; `None` at its end.
    pub fn next_item(self) -> Res<Option<Ref>> {
        // SAFETY: alive; CPython checks that it is an iterator where it is not known to be one.
        let item = unsafe { ffi::PyIter_Next(self.ptr()) };
        match NonNull::new(item) {
            // SAFETY: a new reference.
            Some(item) => Ok(Some(unsafe { Ref::owned(item.as_ptr()) })),
            None => Raised::if_set().map(|()| None),
        }
    }
    /// Whether it is None.
    #[inline(always)]
    pub fn is_none(self) -> bool {
        // SAFETY: only compares with the address of None.
        self.is(unsafe { ffi::Py_None() })
    }
    /// Whether it is an instance of exactly this type, as the struct behind the type's objects.
    ///
    /// # Safety
    /// `T` is the struct of the type's objects.
    #[inline(always)]
    pub unsafe fn exactly<T: Instance>(self, of: &StaticType) -> Option<&'a T> {
        // SAFETY: alive for 'a, and a `T` by the contract.
        (self.class() == of.ptr()).then(|| unsafe { self.cast() })
    }
    /// As the struct behind it.
    ///
    /// # Safety
    /// It is a `T`.
    #[inline(always)]
    pub unsafe fn cast<T: Instance>(self) -> &'a T {
        // SAFETY: alive for 'a, and a `T` by the contract.
        unsafe { self.0.cast().as_ref() }
    }
    /// Whether it is a str.
    #[inline(always)]
    pub fn is_str(self) -> bool {
        // SAFETY: alive.
        unsafe { ffi::PyUnicode_Check(self.ptr()) != 0 }
    }
    /// Whether it is a str of no subclass.
    #[inline(always)]
    pub fn is_exact_str(self) -> bool {
        // SAFETY: alive.
        unsafe { ffi::PyUnicode_CheckExact(self.ptr()) != 0 }
    }
    /// Whether it is true.
    pub fn is_true(self) -> Res<bool> {
        // SAFETY: alive.
        let truth = unsafe { ffi::PyObject_IsTrue(self.ptr()) };
        Raised::if_negative(truth).map(|()| truth != 0)
    }
    /// What a function of Python's that takes nothing returns.
    pub fn call(self) -> Res<Ref> {
        // SAFETY: alive.
        unsafe { Ref::steal(ffi::PyObject_CallNoArgs(self.ptr())) }
    }
    /// What a function of Python's that takes one argument returns.
    pub fn call_with(self, argument: Live) -> Res<Ref> {
        // SAFETY: both are alive.
        unsafe { Ref::steal(ffi::PyObject_CallOneArg(self.ptr(), argument.ptr())) }
    }
    /// Sets an attribute.
    pub fn set_attribute(self, name: &std::ffi::CStr, value: Live) -> Res<()> {
        // SAFETY: both are alive; a C string.
        Raised::if_negative(unsafe {
            ffi::PyObject_SetAttrString(self.ptr(), name.as_ptr(), value.ptr())
        })
    }
    /// The text of a str; `None` of anything else. Raises for lone surrogates.
    pub fn text(self) -> Res<Option<&'a str>> {
        // SAFETY: alive for 'a.
        unsafe { str_text(self.ptr()) }
    }
    /// Whether it is bytes.
    #[inline(always)]
    pub fn is_bytes(self) -> bool {
        // SAFETY: alive.
        unsafe { ffi::PyBytes_Check(self.ptr()) != 0 }
    }
    /// The bytes of a bytes object; `None` of anything else.
    pub fn bytes(self) -> Option<&'a [u8]> {
        // SAFETY: alive for 'a; bytes never change.
        self.is_bytes().then(|| unsafe {
            std::slice::from_raw_parts(
                ffi::PyBytes_AsString(self.ptr()).cast(),
                ffi::PyBytes_Size(self.ptr()) as usize,
            )
        })
    }
    /// The value of a float that is of no subclass.
    #[inline(always)]
    pub fn exact_float(self) -> Option<f64> {
        // SAFETY: alive; a float has its value there.
        unsafe {
            (ffi::PyFloat_CheckExact(self.ptr()) != 0)
                .then(|| (*self.ptr().cast::<ffi::PyFloatObject>()).ob_fval)
        }
    }
    /// Whether it is an int.
    #[inline(always)]
    pub fn is_int(self) -> bool {
        // SAFETY: alive.
        unsafe { ffi::PyLong_Check(self.ptr()) != 0 }
    }
    /// Whether it is a tuple.
    #[inline(always)]
    pub fn is_tuple(self) -> bool {
        // SAFETY: alive.
        unsafe { ffi::PyTuple_Check(self.ptr()) != 0 }
    }
    /// Whether it is a dict.
    #[inline(always)]
    pub fn is_dict(self) -> bool {
        // SAFETY: alive.
        unsafe { ffi::PyDict_Check(self.ptr()) != 0 }
    }
    /// Whether it can be called.
    pub fn is_callable(self) -> bool {
        // SAFETY: alive.
        unsafe { ffi::PyCallable_Check(self.ptr()) != 0 }
    }
    /// See [`small_long_value`].
    #[inline(always)]
    pub fn small_int(self) -> Option<i64> {
        // SAFETY: alive.
        unsafe { small_long_value(self.ptr()) }
    }
    /// `str()` of it.
    pub fn str(self) -> Res<Ref> {
        // SAFETY: alive.
        unsafe { Ref::steal(ffi::PyObject_Str(self.ptr())) }
    }
    /// `repr()` of it.
    pub fn repr(self) -> Res<Ref> {
        // SAFETY: alive.
        unsafe { Ref::steal(ffi::PyObject_Repr(self.ptr())) }
    }
    /// An attribute.
    pub fn attribute(self, name: &std::ffi::CStr) -> Res<Ref> {
        // SAFETY: alive; a C string.
        unsafe { Ref::steal(ffi::PyObject_GetAttrString(self.ptr(), name.as_ptr())) }
    }
    /// What a dict has for a key.
    pub fn dict_item(self, key: Live) -> Res<Option<Ref>> {
        let mut found = std::ptr::null_mut();
        // SAFETY: both are alive; CPython checks that it is a dict.
        Raised::if_negative(unsafe {
            ffi::compat::PyDict_GetItemRef(self.ptr(), key.ptr(), &mut found)
        })?;
        // SAFETY: a new reference.
        Ok(NonNull::new(found).map(|found| unsafe { Ref::owned(found.as_ptr()) }))
    }
    /// Puts a value into a dict.
    pub fn set_dict_item(self, key: Live, value: Live) -> Res<()> {
        // SAFETY: all are alive; CPython checks that it is a dict.
        Raised::if_negative(unsafe { ffi::PyDict_SetItem(self.ptr(), key.ptr(), value.ptr()) })
    }
    /// Items of a dict.
    pub fn dict_len(self) -> usize {
        // SAFETY: alive. Of anything but a dict it is -1 with an exception.
        unsafe {
            if self.is_dict() {
                ffi::PyDict_Size(self.ptr()) as usize
            } else {
                0
            }
        }
    }
    /// Items of a tuple; 0 of anything else.
    #[inline(always)]
    pub fn tuple_len(self) -> usize {
        if !self.is_tuple() {
            return 0;
        }
        // SAFETY: a tuple.
        unsafe { ffi::PyTuple_GET_SIZE(self.ptr()) as usize }
    }
    /// An item of a tuple; `None` beyond its end, and of anything else.
    #[inline]
    pub fn tuple_item(self, index: usize) -> Option<Live<'a>> {
        // SAFETY: an index below the length of a tuple, which keeps its items alive, and never changes.
        (index < self.tuple_len())
            .then(|| unsafe { Live::new(ffi::PyTuple_GET_ITEM(self.ptr(), index as isize)) })
    }
    /// The items of a tuple; none of anything else.
    pub fn tuple_items(self) -> impl Iterator<Item = Live<'a>> {
        // SAFETY: a tuple, which keeps its items alive, and never changes.
        (0..self.tuple_len()).map(move |index| unsafe {
            Live::new(ffi::PyTuple_GET_ITEM(self.ptr(), index as isize))
        })
    }
}

impl Raised {
    /// Sets an exception whose argument is an object.
    #[cold]
    pub fn with(class: Obj, argument: Live) -> Self {
        // SAFETY: a live class of exceptions and a live object.
        unsafe { ffi::PyErr_SetObject(class, argument.ptr()) };
        Self::already()
    }
}

/// An argument that was not left out, and is not None.
pub fn given(argument: Option<Live>) -> Option<Live> {
    argument.filter(|argument| !argument.is_none())
}

/// Whether an argument is true, or what it is when it was left out.
pub fn flag(argument: Option<Live>, otherwise: bool) -> Res<bool> {
    argument.map_or(Ok(otherwise), Live::is_true)
}

/// A module.
pub fn import(name: &std::ffi::CStr) -> Res<Ref> {
    // SAFETY: a C string.
    unsafe { Ref::steal(ffi::PyImport_ImportModule(name.as_ptr())) }
}

impl<T> Ref<T> {
    /// The object while this reference keeps it alive.
    #[inline(always)]
    pub fn live(&self) -> Live<'_> {
        // SAFETY: self is a reference to it.
        unsafe { Live::new(self.obj()) }
    }
}
