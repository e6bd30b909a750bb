//! `fficallback`: a C function that calls a Python function.
//!
//! It is a [`Closure`] whose callable is a [`Target`]: that applies MicroPython's rules for results and exceptions
//! around the program's function.

use std::ffi::{c_int, c_void};
use std::sync::Mutex;
use std::sync::PoisonError;

use pyo3::ffi;

use super::arguments::{check_count, positional};
use super::codes::{TypeCode, function_type};
use super::{frame, value};
use crate::callback::Closure;
use crate::convert::argument::widen;
use crate::ctype::Code;
use crate::py::{
    END_OF_METHODS, Exception, GilCell, Live, Methods, Obj, Raised, Ref, Res, StaticType, at_end,
    guard, guard_unit, keywords, make as py_make, none, str_from,
};
use crate::raise;

static CALLBACK_TYPE: StaticType = StaticType::new();
static TARGET_TYPE: StaticType = StaticType::new();

#[repr(C)]
struct Callback {
    ob_base: crate::py::Head,
    closure: Box<Closure>,
}

/// What the closure calls.
#[repr(C)]
struct Target {
    ob_base: crate::py::Head,
    vectorcall: ffi::vectorcallfunc,
    /// The program's; `None` after the interpreter's end.
    function: GilCell<Option<Ref>>,
    params: Box<[TypeCode]>,
    result: TypeCode,
    /// Some parameter is an object.
    takes_objects: bool,
    lock: bool,
    /// The object that C got last as a result, which is kept alive until C gets the next one.
    given: GilCell<Option<Ref>>,
}

static METHODS: Methods<2> = Methods::new([
    keywords(c"cfun", cfun, c"The C function's address."),
    END_OF_METHODS,
]);

/// Makes the types ready.
pub(super) fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit the objects.
    unsafe {
        CALLBACK_TYPE.ready(ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION, |ty| {
            ty.tp_name = c"fficallback".as_ptr();
            ty.tp_doc = c"A C function that calls a Python function.".as_ptr();
            ty.tp_basicsize = size_of::<Callback>() as ffi::Py_ssize_t;
            ty.tp_methods = METHODS.ptr();
            ty.tp_repr = Some(repr);
            // There is no tp_dealloc: see `make`.
        })?;
        TARGET_TYPE.ready(
            ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION | ffi::Py_TPFLAGS_HAVE_VECTORCALL,
            |ty| {
                ty.tp_name = c"fficallback_target".as_ptr();
                ty.tp_basicsize = size_of::<Target>() as ffi::Py_ssize_t;
                ty.tp_vectorcall_offset =
                    std::mem::offset_of!(Target, vectorcall) as ffi::Py_ssize_t;
                ty.tp_call = Some(ffi::PyVectorcall_Call);
                ty.tp_repr = Some(target_repr);
                ty.tp_dealloc = Some(target_dealloc);
            },
        )
    }
}

/// The code address of a callback object; `None` for any other object.
pub(super) fn code_of(object: Live) -> Option<*mut u8> {
    // SAFETY: `object` is live.
    unsafe {
        CALLBACK_TYPE
            .is_exactly(object.ptr())
            .then(|| (*object.ptr().cast::<Callback>()).closure.code())
    }
}

/// `ffi.callback(result, function, params, *, lock=False)`
///
/// # Safety
/// Called by Python, as a method.
pub(super) unsafe extern "C" fn callback(
    _: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        let given = count as usize;
        check_count(given, 3, usize::MAX)?;
        if given > 3 {
            return Err(raise!(TypeError, "extra positional arguments given"));
        }
        let mut lock = false;
        // SAFETY: NULL or a tuple, which Python keeps alive until the function returns.
        let names = unsafe { Live::or_null(names) };
        for (index, name) in names.into_iter().flat_map(Live::tuple_items).enumerate() {
            if name.text()? != Some("lock") {
                return Err(raise!(TypeError, "extra keyword arguments given"));
            }
            // SAFETY: after the `given` positional arguments comes a live one for each name.
            lock = unsafe { Live::new(*args.add(given + index)) }.is_true()?;
        }
        // SAFETY: there are three positional arguments, which Python keeps alive until the function returns.
        let [result, function, params] = unsafe { [0, 1, 2].map(|at| Live::new(*args.add(at))) };
        make(result, function, params, lock)
    })
}

/// A callback, from the arguments of [`callback`].
fn make(result: Live, function: Live, params: Live, lock: bool) -> Res<Ref> {
    if !function.is_callable() {
        return Err(raise!(
            TypeError,
            "'{}' object isn't callable",
            function.type_name()
        ));
    }
    let result = TypeCode::of_result(result)?;
    let params = TypeCode::list(params)?;
    let ctype = function_type(result, &params)?;
    // SAFETY: the types are ready. Both objects are new: all fields of each are written, in place, before anyone sees it, and
    // nothing between its making and that can fail. The target, which is never freed, may be given to `forget_function`.
    unsafe {
        let target = Ref::steal(ffi::PyObject_New::<Target>(TARGET_TYPE.ptr()))?;
        let raw = target.as_ptr();
        (&raw mut (*raw).vectorcall).write(called);
        (&raw mut (*raw).function).write(GilCell::new(Some(function.to_ref())));
        (&raw mut (*raw).takes_objects).write(params.iter().any(|param| param.is_object()));
        (&raw mut (*raw).params).write(params);
        (&raw mut (*raw).result).write(result);
        (&raw mut (*raw).lock).write(lock);
        (&raw mut (*raw).given).write(GilCell::new(None));
        let closure = Closure::new(&ctype, target.live(), None, None)?;
        let object = Ref::steal(ffi::PyObject_New::<Callback>(CALLBACK_TYPE.ptr()))?;
        (&raw mut (*object.as_ptr()).closure).write(closure);
        // C may keep the address as long as it likes, and programs rely on MicroPython never freeing a callback: so this
        // reference is never given back. The program's function is given back when the interpreter ends.
        std::mem::forget(object.clone());
        at_end(forget_function, raw.cast())?;
        Ok(object.into_obj())
    }
}

/// Gives the program's function back, and with it its module's variables, because the interpreter ends.
///
/// # Safety
/// The GIL is held; `target` is the address of a [`Target`] that [`make`] made.
unsafe fn forget_function(target: *mut c_void) {
    // SAFETY: `target` is a Target (the caller's contract), which lives: its callback holds it, and `make` has seen to it
    // that the callback is never freed. Taking the function out of the cell drops nothing inside of `with`.
    let function = unsafe { (*target.cast::<Target>()).function.with(Option::take) };
    drop(function);
}

/// `cfun()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn cfun(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of a Callback.
        unsafe {
            let [] = positional(args, count, names, 0, 1)?;
            let code = (*object.cast::<Callback>()).closure.code();
            Ref::<ffi::PyObject>::steal(ffi::PyLong_FromVoidPtr(code.cast::<c_void>()))
        }
    })
}

/// tp_repr of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn repr(object: Obj) -> Obj {
    guard(|| {
        // SAFETY: a Callback.
        let code = unsafe { (*object.cast::<Callback>()).closure.code() };
        str_from(&format!("<fficallback {:x}>", code as usize))
    })
}

/// A call of the program's function, by the closure.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn called(object: Obj, args: *const Obj, flags: usize, _names: Obj) -> Obj {
    guard(|| {
        // SAFETY: called by the closure's engine, with the arguments of its type.
        unsafe { (*object.cast::<Target>()).call(args, flags) }
    })
}

/// Arguments that are kept on the stack.
const ON_STACK: usize = 8;

impl Target {
    /// Calls the program's function, if it may run now.
    ///
    /// # Safety
    /// `args` are as many live arguments as `flags` says, as vectorcall passes them.
    unsafe fn call(&self, args: *const Obj, flags: usize) -> Res<Ref> {
        let current = frame::Callback::enter();
        // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
        let function = unsafe { self.function.with(|function| function.clone()) };
        let (false, Some(function)) = (current.is_cancelled(), function) else {
            return self.nothing();
        };
        let _locked = self.lock.then(Lock::new);
        // SAFETY: `args` are as many live arguments as `flags` says, as vectorcall passes them.
        let outcome = unsafe {
            self.python(&function, args, flags)
                .and_then(|value| self.converted(value))
        };
        match outcome {
            Ok(value) => Ok(value),
            Err(raised) => {
                if self.lock {
                    print(raised);
                } else {
                    // Outside of a call of an FFI function nobody can raise the exception, and the engine reports it.
                    current.fail(raised)?;
                }
                self.nothing()
            }
        }
    }

    /// Calls the program's function.
    ///
    /// # Safety
    /// `args` are as many live arguments as `flags` says, as vectorcall passes them.
    unsafe fn python(&self, function: &Ref, args: *const Obj, flags: usize) -> Res<Ref> {
        // SAFETY: there are as many live arguments as the callback has parameters: the engine calls with those of its type
        // (the caller's contract). `objects` has a place for each. That the address in an object argument is NULL or a
        // live object is the program's promise.
        unsafe {
            if !self.takes_objects {
                return Ref::steal(ffi::PyObject_Vectorcall(
                    function.obj(),
                    args,
                    flags,
                    std::ptr::null_mut(),
                ));
            }
            let count = self.params.len();
            let mut on_stack = [std::ptr::null_mut(); ON_STACK];
            let mut on_heap = Vec::new();
            let objects = if count <= ON_STACK {
                &mut on_stack[..count]
            } else {
                on_heap.resize(count, std::ptr::null_mut());
                &mut on_heap[..]
            };
            for (index, (place, param)) in objects.iter_mut().zip(&self.params).enumerate() {
                *place = *args.add(index);
                if param.is_object() {
                    let address = value::address(Live::new(*place))?;
                    *place = if address.is_null() {
                        ffi::Py_None()
                    } else {
                        address.cast()
                    };
                }
            }
            Ref::steal(ffi::PyObject_Vectorcall(
                function.obj(),
                objects.as_ptr(),
                count,
                std::ptr::null_mut(),
            ))
        }
    }

    /// A result as the engine takes it: in the range of its type.
    fn converted(&self, value: Ref) -> Res<Ref> {
        if self.result.code == Code::Void {
            return Ok(none());
        }
        if self.result.is_object() {
            // SAFETY: makes an int of an address.
            let address = unsafe { Ref::steal(ffi::PyLong_FromVoidPtr(value.as_ptr().cast()))? };
            // SAFETY: attached to the interpreter; the object that was there is dropped outside of `with`.
            let before = unsafe { self.given.with(|given| given.replace(value)) };
            drop(before);
            return Ok(address);
        }
        if value.live().is_none() {
            return self.nothing();
        }
        match self.result.code {
            Code::F32 | Code::F64 => py_make::float(value::real(value.live())?),
            code => {
                let bits = widen(code, value::truncated(value.live())?);
                if code.is_signed() {
                    // SAFETY: a plain constructor.
                    unsafe { Ref::steal(ffi::PyLong_FromLongLong(bits as i64)) }
                } else {
                    // SAFETY: a plain constructor.
                    unsafe { Ref::steal(ffi::PyLong_FromUnsignedLongLong(bits)) }
                }
            }
        }
    }

    /// The result of a callback that did not run, or failed: zero.
    fn nothing(&self) -> Res<Ref> {
        if self.result.code == Code::Void {
            return Ok(none());
        }
        // SAFETY: a plain constructor.
        unsafe { Ref::steal(ffi::PyLong_FromLong(0)) }
    }
}

/// Writes an exception to sys.stderr, in MicroPython's words.
#[cold]
fn print(raised: Raised) {
    let Some(exception) = Exception::fetch(raised) else {
        return;
    };
    // SAFETY: live objects; a format without conversions.
    unsafe {
        ffi::PySys_WriteStderr(c"Uncaught exception in FFI callback\n".as_ptr());
        ffi::PyErr_Display(
            exception.class.obj(),
            exception.value.obj(),
            exception.traceback_or_null(),
        );
        // Printing the exception may have raised one in turn, from sys.stderr.
        ffi::PyErr_Clear();
    }
}

/// Keeps the garbage collector off, as MicroPython's lock does. (Its scheduler, which it keeps off too, has no
/// counterpart.)
struct Lock;

/// How many locked callbacks run, and whether the collector was on before the first.
static LOCKED: Mutex<(usize, bool)> = Mutex::new((0, false));

impl Lock {
    fn new() -> Self {
        let mut locked = LOCKED.lock().unwrap_or_else(PoisonError::into_inner);
        if locked.0 == 0 {
            // SAFETY: the GIL is held; runs no Python code.
            locked.1 = unsafe { ffi::PyGC_Disable() } != 0;
        }
        locked.0 += 1;
        Self
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut locked = LOCKED.lock().unwrap_or_else(PoisonError::into_inner);
        locked.0 -= 1;
        if locked.0 == 0 && locked.1 {
            // SAFETY: as above; it only sets a flag.
            let _: c_int = unsafe { ffi::PyGC_Enable() };
        }
    }
}

/// tp_repr of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn target_repr(object: Obj) -> Obj {
    // SAFETY: a Target; inside of `with` nothing calls Python or drops objects.
    guard(|| unsafe {
        let target = &*object.cast::<Target>();
        let function = target.function.with(|function| function.clone());
        let function = function.unwrap_or_else(none);
        function.live().repr()
    })
}

/// tp_dealloc of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn target_dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone: only when the closure could not be made.
        unsafe {
            let raw = object.cast::<Target>();
            std::ptr::drop_in_place(&raw mut (*raw).function);
            std::ptr::drop_in_place(&raw mut (*raw).params);
            std::ptr::drop_in_place(&raw mut (*raw).given);
            ffi::PyObject_Free(object.cast());
        }
    });
}
