//! Shells around the functions that Python calls by slots and methods: what C passes becomes what Rust can use without
//! `unsafe`, an error or a panic becomes what C understands.

use std::ffi::{c_int, c_void};

use super::live::Instance;
use super::{Live, Obj};

/// A parameter of a slot, of a type that Rust code uses without `unsafe`.
pub trait Parameter: Sized {
    /// What C passes for it.
    type C;
    /// Whether C always passes an object; in a [`method!`](crate::method): whether it is without a default.
    const REQUIRED: bool = true;
    /// What it is in Rust.
    ///
    /// # Safety
    /// `value` is what CPython passed to the slot, which is alive until the slot returns. The first parameter of a slot
    /// may be `&T` where the slot is one of the type that has `T` behind its objects.
    unsafe fn from_c(value: Self::C) -> Self;
}

impl Parameter for Live<'_> {
    type C = Obj;
    #[inline(always)]
    unsafe fn from_c(value: Obj) -> Self {
        // SAFETY: `value` is an object that lives until the slot returns (the contract of `Parameter::from_c`).
        unsafe { Live::new(value) }
    }
}

impl Parameter for Option<Live<'_>> {
    type C = Obj;
    const REQUIRED: bool = false;
    #[inline(always)]
    unsafe fn from_c(value: Obj) -> Self {
        // SAFETY: `value` is NULL, or an object that lives until the slot returns (the contract of `Parameter::from_c`).
        unsafe { Live::or_null(value) }
    }
}

impl<T: Instance> Parameter for &T {
    type C = Obj;
    #[inline(always)]
    unsafe fn from_c(value: Obj) -> Self {
        // SAFETY: `value` is an object of the type that has `T` behind its objects, and lives until the slot returns (the
        // contract of `Parameter::from_c`).
        unsafe { Live::new(value).cast() }
    }
}

macro_rules! as_they_are {
    ($($ty:ty)*) => {$(
        impl Parameter for $ty {
            type C = Self;
            #[inline(always)]
            unsafe fn from_c(value: Self) -> Self {
                value
            }
        }
    )*};
}
as_they_are!(c_int usize isize *mut c_void);

/// How many parameters of a method have no default: those before the first one that has.
pub const fn required(parameters: &[bool]) -> usize {
    let mut count = 0;
    while count < parameters.len() && parameters[count] {
        count += 1;
    }
    let mut index = count;
    while index < parameters.len() {
        assert!(
            !parameters[index],
            "a required parameter after one with a default"
        );
        index += 1;
    }
    count
}

/// A function for a slot of a static type: `slot!(compare::hash(&CData) -> Py_hash_t)` is an `extern "C"` function that
/// calls `compare::hash(&CData) -> Res<isize>`.
#[macro_export]
macro_rules! slot {
    ($body:path[$($arg:ident: $ty:ty),*] -> $out:ty) => {{
        /// See the function that it calls.
        ///
        /// # Safety
        /// Python calls it, through a slot of the type that the first parameter is of, with objects that are alive until
        /// it returns.
        unsafe extern "C" fn slot($($arg: <$ty as $crate::py::Parameter>::C),*) -> $out {
            $crate::py::guard(|| {
                $(
                    // SAFETY: what Python passed to the slot.
                    let $arg = unsafe { <$ty as $crate::py::Parameter>::from_c($arg) };
                )*
                $body($($arg),*)
            })
        }
        slot
    }};
    ($body:path[$($arg:ident: $ty:ty),*], ignoring $last:ty) => {{
        /// See the function that it calls.
        ///
        /// # Safety
        /// Python calls it, as a method or for an attribute of the type that the first parameter is of, with an object
        /// that is alive until it returns.
        unsafe extern "C" fn slot($($arg: <$ty as $crate::py::Parameter>::C),*, _: $last) -> $crate::py::Obj {
            $crate::py::guard(|| {
                $(
                    // SAFETY: what Python passed to the slot.
                    let $arg = unsafe { <$ty as $crate::py::Parameter>::from_c($arg) };
                )*
                $body($($arg),*)
            })
        }
        slot
    }};
    ($body:path, ($a:ty) -> $out:ty) => {
        $crate::slot!($body[a: $a] -> $out)
    };
    ($body:path, ($a:ty, $b:ty) -> $out:ty) => {
        $crate::slot!($body[a: $a, b: $b] -> $out)
    };
    ($body:path, ($a:ty, $b:ty, $c:ty) -> $out:ty) => {
        $crate::slot!($body[a: $a, b: $b, c: $c] -> $out)
    };
}

/// A function for a table of attributes: `getter!(CType, kind)` calls `kind(&CType) -> Res<Ref>`.
#[macro_export]
macro_rules! getter {
    ($of:ty, $body:path) => {
        $crate::slot!($body[a: &$of], ignoring *mut std::ffi::c_void)
    };
}

/// A function for a table of methods, without arguments (METH_NOARGS): `no_arguments!(CType, dir)` calls `dir(&CType) ->
/// Res<Ref>`.
#[macro_export]
macro_rules! no_arguments {
    ($of:ty, $body:path) => {
        $crate::slot!($body[a: &$of], ignoring $crate::py::Obj)
    };
}

/// A function for the tables of methods with keywords (METH_FASTCALL | METH_KEYWORDS): `method!(gc = "FFI.gc", body(this:
/// &FfiObject, cdata: Live, size: Option<Live>))` takes the arguments `cdata` and `size`, which may be left out, and calls
/// `body` with them. The name is for messages. A parameter whose name is a word of Rust's is written `r: Live as "type"`.
#[macro_export]
macro_rules! method {
    (@name $arg:ident) => {
        stringify!($arg)
    };
    (@name $arg:ident $called:literal) => {
        $called
    };
    ($vis:vis $name:ident = $shown:literal, $body:path, ($this:ident: $self:ty $(, $arg:ident: $ty:ty $(as $called:literal)?)* $(,)?)) => {
        /// See the function that it calls.
        ///
        /// # Safety
        /// Python calls it, as a method of the type that `this` is of, with objects that are alive until it returns.
        $vis unsafe extern "C" fn $name(
            $this: $crate::py::Obj,
            args: *const $crate::py::Obj,
            count: isize,
            names: $crate::py::Obj,
        ) -> $crate::py::Obj {
            const NAMES: &[&str] =
                &[$($crate::method!(@name $arg $($called)?)),*];
            const REQUIRED: usize =
                $crate::py::required(&[$(<$ty as $crate::py::Parameter>::REQUIRED),*]);
            static SIGNATURE: $crate::py::Signature<{ NAMES.len() }> =
                $crate::py::Signature::new(
                    $shown,
                    [$($crate::method!(@name $arg $($called)?)),*],
                    REQUIRED,
                );
            $crate::py::guard(|| {
                // SAFETY: what Python passes to a method of these flags.
                let [$($arg),*] = unsafe { SIGNATURE.parse_some(REQUIRED, args, count, names)? };
                // SAFETY: Python keeps `this` and the arguments alive until the method returns, and `parse` returns NULL
                // only for parameters that are not required.
                let this = unsafe { <$self as $crate::py::Parameter>::from_c($this) };
                $(
                    // SAFETY: as above.
                    let $arg = unsafe { <$ty as $crate::py::Parameter>::from_c($arg) };
                )*
                $body(this, $($arg),*)
            })
        }
    };
}
