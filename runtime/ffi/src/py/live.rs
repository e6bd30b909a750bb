//! Objects that somebody else keeps alive.

use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::NonNull;

use pyo3::ffi;

use super::capi::{self, made};
use super::{Obj, Raised, Ref, Res, small_long_value};
use crate::exception;

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
        // SAFETY: a live object has a live type, whose name is a C string.
        unsafe { CStr::from_ptr((*self.class()).tp_name) }
            .to_string_lossy()
            .into_owned()
    }
    /// None.
    #[inline(always)]
    pub fn none() -> Live<'static> {
        // SAFETY: alive as long as Python.
        unsafe { Live::new(ffi::Py_None()) }
    }
    /// True or False.
    #[inline(always)]
    pub fn bool(value: bool) -> Live<'static> {
        // SAFETY: both are alive as long as Python.
        unsafe {
            Live::new(if value {
                ffi::Py_True()
            } else {
                ffi::Py_False()
            })
        }
    }
    /// Whether it is the same object.
    #[inline(always)]
    pub fn is(self, other: Obj) -> bool {
        self.ptr() == other
    }
    /// Whether it is None.
    #[inline(always)]
    pub fn is_none(self) -> bool {
        self.is(Self::none().ptr())
    }

    /// `iter()` of it.
    pub fn iterator(self) -> Res<Ref> {
        made(capi::PyObject_GetIter(self))
    }
    /// The next item of an iterator; `None` at its end.
    pub fn next_item(self) -> Res<Option<Ref>> {
        match capi::PyIter_Next(self) {
            None => Raised::if_set().map(|()| None),
            item => Ok(item),
        }
    }
    /// Whether it is true.
    pub fn is_true(self) -> Res<bool> {
        let truth = capi::PyObject_IsTrue(self);
        Raised::if_negative(truth).map(|()| truth != 0)
    }
    /// Whether it is an instance of a class.
    pub fn is_instance(self, class: Live) -> Res<bool> {
        let is = capi::PyObject_IsInstance(self, class);
        Raised::if_negative(is).map(|()| is != 0)
    }
    /// Whether it can be called.
    pub fn is_callable(self) -> bool {
        capi::PyCallable_Check(self) != 0
    }
    /// What a function of Python's that takes nothing returns.
    pub fn call(self) -> Res<Ref> {
        made(capi::PyObject_CallNoArgs(self))
    }
    /// What a function of Python's that takes one argument returns.
    pub fn call_with(self, argument: Live) -> Res<Ref> {
        // SAFETY: both are alive.
        unsafe { Ref::steal(ffi::PyObject_CallOneArg(self.ptr(), argument.ptr())) }
    }
    /// What a function of Python's returns for these arguments.
    pub fn call_with_all<const N: usize>(self, arguments: [Live; N]) -> Res<Ref> {
        // SAFETY: `Live` is a pointer to a live object in memory, too, and there are N of them.
        unsafe {
            let arguments = (&raw const arguments).cast();
            let none = std::ptr::null_mut();
            Ref::steal(ffi::PyObject_Vectorcall(self.ptr(), arguments, N, none))
        }
    }
    /// `str()` of it.
    pub fn str(self) -> Res<Ref> {
        made(capi::PyObject_Str(self))
    }
    /// `repr()` of it.
    pub fn repr(self) -> Res<Ref> {
        made(capi::PyObject_Repr(self))
    }
    /// `ascii()` of it.
    pub fn ascii(self) -> Res<Ref> {
        made(capi::PyObject_ASCII(self))
    }
    /// `dir()` of it.
    pub fn dir(self) -> Res<Ref> {
        made(capi::PyObject_Dir(self))
    }
    /// The descriptor of a file.
    pub fn file_descriptor(self) -> Res<i32> {
        let descriptor = capi::PyObject_AsFileDescriptor(self);
        Raised::if_negative(descriptor).map(|()| descriptor)
    }
    /// `object[key]`.
    pub fn item(self, key: Live) -> Res<Ref> {
        made(capi::PyObject_GetItem(self, key))
    }
    /// What `os.fspath` makes of it: a str or bytes.
    pub fn fs_path(self) -> Res<Ref> {
        made(capi::PyOS_FSPath(self))
    }
    /// An attribute.
    pub fn attribute(self, name: &CStr) -> Res<Ref> {
        made(capi::PyObject_GetAttrString(self, name.into()))
    }
    /// An attribute whose name is a str.
    pub fn attribute_named(self, name: Live) -> Res<Ref> {
        made(capi::PyObject_GetAttr(self, name))
    }
    /// What a method of it returns that takes nothing.
    pub fn call_method(self, name: &CStr) -> Res<Ref> {
        self.attribute(name)?.live().call()
    }
    /// Sets an attribute.
    pub fn set_attribute(self, name: &CStr, value: Live) -> Res<()> {
        Raised::if_negative(capi::PyObject_SetAttrString(self, name.into(), value))
    }
    /// Sets an attribute whose name is a str.
    pub fn set_attribute_named(self, name: Live, value: Live) -> Res<()> {
        Raised::if_negative(capi::PyObject_SetAttr(self, name, value))
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
    /// Whether it is an instance of one of the types that CPython marks with such a flag, or of a subclass.
    #[inline(always)]
    fn is_marked(self, flag: std::ffi::c_ulong) -> bool {
        // SAFETY: a live object has a live type.
        unsafe { ffi::PyType_FastSubclass(self.class(), flag) != 0 }
    }

    /// Whether it is a str.
    #[inline(always)]
    pub fn is_str(self) -> bool {
        self.is_marked(ffi::Py_TPFLAGS_UNICODE_SUBCLASS)
    }
    /// Whether it is a str of no subclass.
    #[inline(always)]
    pub fn is_exact_str(self) -> bool {
        self.class() == &raw mut ffi::PyUnicode_Type
    }
    /// The text of a str; `None` of anything else. Raises for lone surrogates.
    pub fn text(self) -> Res<Option<&'a str>> {
        if !self.is_str() {
            return Ok(None);
        }
        let mut length = 0;
        // SAFETY: a str. `length` bytes of valid UTF-8 belong to it, and are freed with it, which is after 'a.
        unsafe {
            let data = ffi::PyUnicode_AsUTF8AndSize(self.ptr(), &mut length);
            if data.is_null() {
                return Err(Raised::already());
            }
            let bytes = std::slice::from_raw_parts(data.cast(), length as usize);
            Ok(Some(std::str::from_utf8_unchecked(bytes)))
        }
    }
    /// Characters of a str.
    #[inline]
    pub fn str_len(self) -> isize {
        debug_assert!(self.is_str());
        capi::PyUnicode_GetLength(self)
    }
    /// The first character of a str, which has one.
    #[inline]
    pub fn first_character(self) -> u32 {
        debug_assert!(self.is_str());
        capi::PyUnicode_ReadChar(self, 0)
    }

    /// Whether it is bytes.
    #[inline(always)]
    pub fn is_bytes(self) -> bool {
        self.is_marked(ffi::Py_TPFLAGS_BYTES_SUBCLASS)
    }
    /// Whether it is bytes of no subclass.
    #[inline(always)]
    pub fn is_exact_bytes(self) -> bool {
        self.class() == &raw mut ffi::PyBytes_Type
    }
    /// Where the bytes of a bytes object of no subclass begin; `None` of anything else.
    #[inline(always)]
    pub fn exact_bytes(self) -> Option<*const u8> {
        // SAFETY: bytes.
        self.is_exact_bytes()
            .then(|| unsafe { ffi::PyBytes_AS_STRING(self.ptr()) }.cast())
    }
    /// The bytes of a bytes object; `None` of anything else.
    #[inline]
    pub fn bytes(self) -> Option<&'a [u8]> {
        // SAFETY: alive for 'a; bytes never change.
        self.is_bytes().then(|| unsafe {
            std::slice::from_raw_parts(
                ffi::PyBytes_AS_STRING(self.ptr()).cast(),
                ffi::Py_SIZE(self.ptr()) as usize,
            )
        })
    }

    /// Whether it is a float, or of a subclass.
    #[inline(always)]
    pub fn is_float(self) -> bool {
        self.is_exact_float() || {
            // SAFETY: live types.
            unsafe { ffi::PyType_IsSubtype(self.class(), &raw mut ffi::PyFloat_Type) != 0 }
        }
    }
    /// Whether it is a float of no subclass.
    #[inline(always)]
    pub fn is_exact_float(self) -> bool {
        self.class() == &raw mut ffi::PyFloat_Type
    }
    /// The value of a float that is of no subclass.
    #[inline(always)]
    pub fn exact_float(self) -> Option<f64> {
        // SAFETY: alive; a float has its value there.
        self.is_exact_float()
            .then(|| unsafe { (*self.ptr().cast::<ffi::PyFloatObject>()).ob_fval })
    }
    /// `float()` of a number.
    #[inline]
    pub fn to_f64(self) -> Res<f64> {
        if let Some(value) = self.exact_float() {
            return Ok(value);
        }
        let value = capi::PyFloat_AsDouble(self);
        if value == -1.0 {
            Raised::if_set()?;
        }
        Ok(value)
    }

    /// `float()` of it, as an object.
    pub fn to_float(self) -> Res<Ref> {
        made(capi::PyNumber_Float(self))
    }

    /// Whether it is an int.
    #[inline(always)]
    pub fn is_int(self) -> bool {
        self.is_marked(ffi::Py_TPFLAGS_LONG_SUBCLASS)
    }
    /// See [`small_long_value`].
    #[inline(always)]
    pub fn small_int(self) -> Option<i64> {
        // SAFETY: alive.
        unsafe { small_long_value(self.ptr()) }
    }
    /// Whether it has `__index__`.
    pub fn is_index(self) -> bool {
        capi::PyIndex_Check(self) != 0
    }
    /// What `__index__` makes of it: an int.
    pub fn to_index(self) -> Res<Ref> {
        made(capi::PyNumber_Index(self))
    }
    /// What `__index__` makes of it, as a number; raises an exception of this class where that is too large.
    pub fn to_isize(self, too_large: Live) -> Res<isize> {
        let value = capi::PyNumber_AsSsize_t(self, too_large);
        if value == -1 {
            Raised::if_set()?;
        }
        Ok(value)
    }
    /// The value of an int; raises OverflowError where C's type is too small.
    pub fn to_i64(self) -> Res<i64> {
        let value = capi::PyLong_AsLongLong(self);
        if value == -1 {
            Raised::if_set()?;
        }
        Ok(value)
    }
    /// As [`to_i64`](Self::to_i64), unsigned: of an int only.
    pub fn to_u64(self) -> Res<u64> {
        let value = capi::PyLong_AsUnsignedLongLong(self);
        if value == u64::MAX {
            Raised::if_set()?;
        }
        Ok(value)
    }
    /// The low 64 bits of an int.
    pub fn to_u64_wrapping(self) -> Res<u64> {
        let value = capi::PyLong_AsUnsignedLongLongMask(self);
        if value == u64::MAX {
            Raised::if_set()?;
        }
        Ok(value)
    }
    /// The value of an int; `Err(true)` where it is above all that the type has, `Err(false)` where it is below.
    pub fn to_i64_or_side(self) -> Result<i64, bool> {
        debug_assert!(self.is_int());
        let mut overflow = 0;
        let value = capi::PyLong_AsLongLongAndOverflow(self, &mut overflow);
        if overflow == 0 {
            Ok(value)
        } else {
            Err(overflow > 0)
        }
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

    /// Whether it is a dict.
    #[inline(always)]
    pub fn is_dict(self) -> bool {
        self.is_marked(ffi::Py_TPFLAGS_DICT_SUBCLASS)
    }
    /// Whether it is a class.
    pub fn is_type(self) -> bool {
        // SAFETY: alive.
        unsafe { ffi::PyType_Check(self.ptr()) != 0 }
    }
    /// Whether it is an instance of an exception class.
    pub fn is_exception(self) -> bool {
        // SAFETY: alive.
        unsafe { ffi::PyExceptionInstance_Check(self.ptr()) != 0 }
    }
    /// Whether its type is that class, or one derived from it. A class's `__instancecheck__` is not asked.
    pub fn is_of(self, class: Live) -> bool {
        // SAFETY: both are alive, and the second was checked to be a class.
        class.is_type() && unsafe { ffi::PyType_IsSubtype(self.class(), class.ptr().cast()) != 0 }
    }
    /// Writes a str to a file object, as `print` does.
    pub fn write(self, text: Live) -> Res<()> {
        // SAFETY: both are alive.
        Raised::if_negative(unsafe {
            ffi::PyFile_WriteObject(text.ptr(), self.ptr(), ffi::Py_PRINT_RAW)
        })
    }
    /// The text of a str; what UTF-8 cannot say (lone surrogates, as in file names) with backslashes.
    pub fn any_text(self) -> Res<String> {
        // SAFETY: alive.
        unsafe { super::any_text(self.ptr()) }
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
        Raised::if_negative(capi::PyDict_SetItem(self, key, value))
    }
    /// Items of a dict; 0 of anything else.
    pub fn dict_len(self) -> usize {
        if self.is_dict() {
            capi::PyDict_Size(self) as usize
        } else {
            0
        }
    }
    /// The keys of a dict, in a list.
    pub fn dict_keys(self) -> Res<Ref> {
        made(capi::PyDict_Keys(self))
    }
    /// The items of a dict. Where other threads may change it meanwhile, of a copy.
    ///
    /// The body of a loop over them may run code that changes the dict: then they are some of the old and the new ones.
    pub fn dict_items(self) -> Res<impl Iterator<Item = (Ref, Ref)>> {
        let dict = if cfg!(Py_GIL_DISABLED) {
            made(capi::PyDict_Copy(self))?
        } else {
            debug_assert!(self.is_dict());
            self.to_ref()
        };
        let mut position = 0;
        Ok(std::iter::from_fn(move || {
            let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
            // SAFETY: a dict that nobody changes during the call. What it gives is borrowed from the dict, which may change
            // afterwards.
            unsafe {
                (ffi::PyDict_Next(dict.obj(), &mut position, &mut key, &mut value) != 0)
                    .then(|| (Ref::borrow(key), Ref::borrow(value)))
            }
        }))
    }

    /// Whether it is a list.
    #[inline(always)]
    pub fn is_list(self) -> bool {
        self.is_marked(ffi::Py_TPFLAGS_LIST_SUBCLASS)
    }
    /// Items of a list.
    pub fn list_len(self) -> isize {
        debug_assert!(self.is_list());
        capi::PyList_Size(self)
    }
    /// Puts an item into a list, before that of the index.
    pub fn insert(self, index: isize, item: Live) -> Res<()> {
        Raised::if_negative(capi::PyList_Insert(self, index, item))
    }
    /// Puts an item behind the others of a list.
    pub fn append(self, item: Live) -> Res<()> {
        Raised::if_negative(capi::PyList_Append(self, item))
    }
    /// A tuple of a list's items.
    pub fn list_to_tuple(self) -> Res<Ref> {
        made(capi::PyList_AsTuple(self))
    }
    /// Whether it is a tuple.
    #[inline(always)]
    pub fn is_tuple(self) -> bool {
        self.is_marked(ffi::Py_TPFLAGS_TUPLE_SUBCLASS)
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
        (0..self.tuple_len()).filter_map(move |index| self.tuple_item(index))
    }
}

impl Raised {
    /// Sets an exception whose argument is an object.
    #[cold]
    pub fn with(class: Live, argument: Live) -> Self {
        capi::PyErr_SetObject(class, argument);
        Self::already()
    }
}

impl Raised {
    /// OSError of the errno that a call of C's left.
    pub fn from_errno() -> Self {
        capi::PyErr_SetFromErrno(exception!(OSError));
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

/// What `sys` has under a name.
pub fn of_sys(name: &CStr) -> Option<Ref> {
    // SAFETY: a C string; the object, if there is one, is borrowed from the dict of sys, which is not changed meanwhile.
    unsafe { Live::or_null(ffi::PySys_GetObject(name.as_ptr())) }.map(Live::to_ref)
}

/// A module.
pub fn import(name: &CStr) -> Res<Ref> {
    made(capi::PyImport_ImportModule(name.into()))
}

impl<T> Ref<T> {
    /// The object while this reference keeps it alive.
    #[inline(always)]
    pub fn live(&self) -> Live<'_> {
        // SAFETY: self is a reference to it.
        unsafe { Live::new(self.obj()) }
    }
}
