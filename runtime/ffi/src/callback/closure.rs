//! Closures: C functions made at run time, by libffi.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use libffi::raw::{
    ffi_cif, ffi_closure, ffi_closure_alloc, ffi_closure_free, ffi_prep_closure_loc,
    ffi_status_FFI_OK,
};
use pyo3::ffi;

use super::{Pointers, PythonFunction, Uses, fail_at_end_of_stack, invoke};
use crate::attach::home::Home;
use crate::attach::threads;
use crate::call::errno::Errno;
use crate::call::foreign::Cif;
use crate::ctype::CType;
use crate::object::Held;
use crate::py::{Live, Obj, Res, guard_unit};
use crate::raise;

/// A libffi closure and what it calls: what `ffi.callback()` makes. C may call it until it is dropped.
///
/// libffi keeps the memory that it writes and the memory that it executes apart where the system demands it.
pub struct Closure {
    memory: *mut ffi_closure,
    code: *mut c_void,
    /// What C reaches through the closure. It came from a Box.
    target: *const Target,
}

/// Lives as long as its closure, and as long as there are calls in it: a function may drop its own closure.
struct Target {
    function: PythonFunction,
    /// The sub-interpreter that it was made in; `None` for the main one.
    home: Option<Arc<Home>>,
    cif: *const Cif,
    /// The closure and the calls.
    uses: Uses,
}

impl Target {
    /// Ends one use of the target; the last one frees it.
    ///
    /// # Safety
    /// The GIL is held. `this` came from a Box and is live, because of a use that ends here; whoever had that use does not
    /// look at the target again.
    unsafe fn end_use(this: *const Self) {
        // SAFETY: `this` is live, because the use that ends here was counted, and came from a Box (the caller's contract).
        // `end` is true for the last use only, after which nobody has the target.
        unsafe {
            if (*this).uses.end() {
                drop(Box::from_raw(this.cast_mut()));
            }
        }
    }
}

/// A call that is in a target.
struct Call(*const Target);

impl Call {
    /// # Safety
    /// `target` is live, and the thread is in Python until this is dropped.
    unsafe fn begin(target: *const Target) -> Self {
        // SAFETY: `target` is live (the caller's contract), and from here on because of the use that is counted.
        unsafe { (*target).uses.begin() };
        Self(target)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // SAFETY: in Python, as `begin` demands.
        unsafe { Target::end_use(self.0) }
    }
}

// SAFETY: never changed once it is made; the function is used only by threads that are attached to the interpreter.
unsafe impl Send for Closure {}
// SAFETY: as above.
unsafe impl Sync for Closure {}

impl Closure {
    /// A closure of type `ctype` (a function type or a pointer to one). Arguments as [`PythonFunction::new`].
    pub fn new(
        ctype: &CType,
        callable: Live,
        error: Option<Live>,
        onerror: Option<Live>,
    ) -> Res<Box<Self>> {
        let function = PythonFunction::new(ctype, callable, error, onerror)?;
        let cif: *const Cif = function.plan().cif()?;
        let target = Box::new(Target {
            function,
            home: Home::current()?,
            cif,
            uses: Uses::new(1),
        });
        // SAFETY: the closure's memory is freed by Drop, and its target lives as long.
        unsafe {
            let mut code = std::ptr::null_mut();
            let memory =
                ffi_closure_alloc(size_of::<ffi_closure>(), &mut code).cast::<ffi_closure>();
            if memory.is_null() {
                return Err(raise!(MemoryError, "no executable memory for a callback"));
            }
            let closure = Box::new(Self {
                memory,
                code,
                target: Box::into_raw(target),
            });
            let data = closure.target.cast_mut().cast::<c_void>();
            let status = ffi_prep_closure_loc(memory, (*cif).as_ptr(), Some(called), data, code);
            if status != ffi_status_FFI_OK {
                return Err(raise!(
                    SystemError,
                    "libffi failed to build this callback (status {status})"
                ));
            }
            Ok(closure)
        }
    }
    /// The C function's address.
    pub fn code(&self) -> *mut u8 {
        self.code.cast()
    }
    /// The Python function behind it.
    pub fn function(&self) -> &PythonFunction {
        // SAFETY: self is one of the uses of the target, so it lives as long as self.
        unsafe { &(*self.target).function }
    }
}

impl Held for Closure {
    unsafe fn traverse(&self, visit: ffi::visitproc, arg: *mut c_void) -> c_int {
        // SAFETY: `visit` and `arg` are what Python passed to tp_traverse (the contract of this trait's `traverse`).
        unsafe { self.function().traverse(visit, arg) }
    }
    fn callable(&self) -> Obj {
        self.function().callable.obj()
    }
}

impl Drop for Closure {
    fn drop(&mut self) {
        // SAFETY: it was allocated by ffi_closure_alloc, and whoever drops it says that C calls it no more.
        unsafe {
            ffi_closure_free(self.memory.cast());
            Target::end_use(self.target);
        }
    }
}

/// What the closure's code calls, on any thread, with or without the GIL.
///
/// # Safety
/// Called by libffi, with the arguments of a call of the closure and the target it was made with.
unsafe extern "C" fn called(
    _cif: *mut ffi_cif,
    result: *mut c_void,
    args: *mut *mut c_void,
    data: *mut c_void,
) {
    let errno = Errno::here();
    errno.save();
    // SAFETY: libffi passes what the closure was made with; its arguments are those of the cif.
    let target = unsafe { &*data.cast::<Target>() };
    if let Some(home) = &target.home {
        let home = Arc::clone(home);
        // SAFETY: as below.
        unsafe { called_at_home(&home, target, args.cast(), result.cast()) };
        return errno.restore();
    }
    match threads::attach() {
        // SAFETY: in Python now, longer than the call; libffi's result has room for the result, and for a register at
        // least.
        Ok(_attached) => guard_unit(|| unsafe {
            let _call = Call::begin(target);
            run(target, args.cast(), result.cast());
        }),
        Err(refused) => {
            if let threads::Refused::EndOfStack { left } = refused
                && let Ok(_attached) = threads::attach_on_any_stack()
            {
                // SAFETY: as above.
                guard_unit(|| unsafe {
                    let _call = Call::begin(target);
                    fail_at_end_of_stack(&target.function, left, result.cast());
                });
                return errno.restore();
            }
            // SAFETY: as above.
            unsafe { refuse(target, &refused, result.cast()) }
        }
    }
    errno.restore();
}

/// A call whose interpreter is gone, or cannot be entered: C gets zeros.
///
/// # Safety
/// `target` is live; `result` is libffi's room for the result of its function: as large as that, and as a register.
#[cold]
unsafe fn refuse(target: &Target, refused: &threads::Refused, result: *mut u8) {
    threads::tell_refusal(refused);
    let size = target.function.plan().result_size;
    if size > 0 {
        // SAFETY: `result` has room for the result, and for a register at least (the caller's contract).
        unsafe { result.write_bytes(0, size.max(8)) }
    }
}

/// A call of a callback that was made in a sub-interpreter, where it runs.
///
/// # Safety
/// As libffi calls a closure.
#[cold]
#[inline(never)]
unsafe fn called_at_home(home: &Home, target: &Target, args: *const *const u8, result: *mut u8) {
    match home.enter() {
        // SAFETY: in the target's own interpreter, longer than the call.
        Ok(_inside) => guard_unit(|| unsafe {
            let _call = Call::begin(target);
            run(target, args, result);
        }),
        // SAFETY: as libffi calls a closure.
        Err(refused) => unsafe { refuse(target, &refused, result) },
    }
}

/// # Safety
/// The GIL is held; `args` and `result` are libffi's.
unsafe fn run(target: &Target, args: *const *const u8, result: *mut u8) {
    // SAFETY: the cif belongs to the plan of the function's type.
    let cif = unsafe { &*target.cif };
    if cif.all_seen() {
        // SAFETY: the GIL is held; `args` and `result` are libffi's.
        return unsafe { invoke(&target.function, Pointers(args), result) };
    }
    // libffi does not know of parameters without bytes, so they are not among its arguments.
    let nothing = 0u64;
    let mut given = 0;
    let values: Vec<*const u8> = (0..target.function.plan().params.len())
        .map(|index| {
            if cif.sees(index) {
                // SAFETY: as many arguments as the cif sees.
                let value = unsafe { *args.add(given) };
                let is_address = cif.is_address(given);
                given += 1;
                if is_address {
                    // SAFETY: a value that is passed by reference is the address of the caller's copy.
                    unsafe { *value.cast::<*const u8>() }
                } else {
                    value
                }
            } else {
                (&raw const nothing).cast()
            }
        })
        .collect();
    // SAFETY: as above.
    unsafe { invoke(&target.function, Pointers(values.as_ptr()), result) }
}
