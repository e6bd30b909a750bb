//! `ffifunc`: a C function with type codes.

use std::ffi::CString;
use std::sync::Arc;

use pyo3::ffi;

use super::arguments::has_keywords;
use super::codes::{Held, TypeCode, function_type, result, slot};
use super::frame::Frame;
use super::refuse::check_open;
use crate::call::CallPlan;
use crate::convert::argument::Parameter;
use crate::ctype::CType;
use crate::library::Handle;
use crate::py::{Live, Obj, Ref, Res, StaticType, guard, guard_unit, str_from};
use crate::raise;

static FUNCTION_TYPE: StaticType = StaticType::new();

/// A C function.
#[repr(C)]
struct Function {
    ob_base: crate::py::Head,
    vectorcall: ffi::vectorcallfunc,
    address: *const u8,
    /// The plan of `ctype`.
    plan: *const CallPlan,
    params: Box<[TypeCode]>,
    result: TypeCode,
    result_parameter: Parameter,
    /// Of a pointer to it.
    ctype: Ref<CType>,
    /// Where it comes from, if that is known.
    library: Option<Arc<Handle>>,
}

/// Arguments that are kept on the stack.
const SLOTS: usize = 8;

/// Makes the type ready.
pub(super) fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit a Function.
    unsafe {
        FUNCTION_TYPE.ready(
            ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION | ffi::Py_TPFLAGS_HAVE_VECTORCALL,
            |ty| {
                ty.tp_name = c"ffifunc".as_ptr();
                ty.tp_doc =
                    c"A C function, called with the arguments that its type codes say.".as_ptr();
                ty.tp_basicsize = size_of::<Function>() as ffi::Py_ssize_t;
                ty.tp_vectorcall_offset =
                    std::mem::offset_of!(Function, vectorcall) as ffi::Py_ssize_t;
                ty.tp_call = Some(ffi::PyVectorcall_Call);
                ty.tp_repr = Some(repr);
                ty.tp_dealloc = Some(dealloc);
            },
        )
    }
}

/// The function at `address`, with these codes (a str for the result, an iterable for the parameters).
///
/// # Safety
/// `result` and `params` are live objects. That a function of this type is at `address` is the program's promise.
pub(super) unsafe fn new(
    address: *const u8,
    result: Obj,
    params: Obj,
    library: Option<Arc<Handle>>,
) -> Res<Ref> {
    // SAFETY: `result` and `params` are live (the caller's contract). PyObject_New returns memory for a Function that nobody
    // else has seen; all its fields are written, in place, before the object is returned, and nothing in between can fail.
    unsafe {
        let result = TypeCode::of_result(Live::new(result))?;
        let params = TypeCode::list(Live::new(params))?;
        let ctype = function_type(result, &params)?;
        let Some(signature) = ctype.signature() else {
            return Err(raise!(SystemError, "'{}' is no function", ctype.name));
        };
        let plan: *const CallPlan = CallPlan::of(signature)?;
        let result_parameter = Parameter::new(&signature.result);
        let object = Ref::steal(ffi::PyObject_New::<Function>(FUNCTION_TYPE.ptr()))?;
        let raw = object.as_ptr();
        (&raw mut (*raw).vectorcall).write(called);
        (&raw mut (*raw).address).write(address);
        (&raw mut (*raw).plan).write(plan);
        (&raw mut (*raw).params).write(params);
        (&raw mut (*raw).result).write(result);
        (&raw mut (*raw).result_parameter).write(result_parameter);
        (&raw mut (*raw).ctype).write(ctype);
        (&raw mut (*raw).library).write(library);
        Ok(object.into_obj())
    }
}

/// A call of a function.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn called(object: Obj, args: *const Obj, flags: usize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: vectorcall's arguments; the object is a Function.
        unsafe {
            let function = &*object.cast::<Function>();
            let count = ffi::PyVectorcall_NARGS(flags) as usize;
            if count != function.params.len() || has_keywords(names) {
                return Err(function.wrong_arguments(count, names));
            }
            if let Some(library) = &function.library {
                check_open(library)?;
            }
            if function.address.is_null() {
                return Err(raise!(ValueError, "NULL pointer"));
            }
            if count <= SLOTS {
                function.call(args, &mut [0u64; SLOTS])
            } else {
                function.call(args, &mut vec![0u64; count])
            }
        }
    })
}

impl Function {
    /// Calls the C function.
    ///
    /// # Safety
    /// `args` points to as many live objects as there are parameters; there are at least as many `slots`, and one at
    /// least. `address` is not NULL.
    #[inline(always)]
    unsafe fn call(&self, args: *const Obj, slots: &mut [u64]) -> Res<Ref> {
        let mut held = Held::new();
        // SAFETY: `zip` ends with the parameters, for each of which there is a live argument and a slot (the caller's
        // contract). `plan` belongs to `ctype`, which self keeps alive. `held` keeps what the slots point to until the call
        // is over.
        unsafe {
            for (index, (place, &code)) in slots.iter_mut().zip(&self.params).enumerate() {
                *place = slot(code, *args.add(index), &mut held)?;
            }
            let plan = &*self.plan;
            let raw = Frame::around(|| plan.call_slots(self.address, slots))?;
            result(self.result, &self.result_parameter, raw)
        }
    }

    /// A wrong number of arguments, or keywords.
    ///
    /// # Safety
    /// `names` is NULL or a live tuple.
    #[cold]
    #[inline(never)]
    unsafe fn wrong_arguments(&self, count: usize, names: Obj) -> crate::py::Raised {
        // SAFETY: NULL or a live tuple.
        if unsafe { has_keywords(names) } {
            return raise!(TypeError, "function doesn't take keyword arguments");
        }
        raise!(
            TypeError,
            "function takes {} positional arguments but {count} were given",
            self.params.len()
        )
    }
}

/// tp_repr of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn repr(object: Obj) -> Obj {
    guard(|| {
        // SAFETY: a Function.
        let function = unsafe { &*object.cast::<Function>() };
        str_from(&format!("<ffifunc {:x}>", function.address as usize))
    })
}

/// tp_dealloc of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone.
        unsafe {
            let raw = object.cast::<Function>();
            std::ptr::drop_in_place(&raw mut (*raw).params);
            std::ptr::drop_in_place(&raw mut (*raw).ctype);
            std::ptr::drop_in_place(&raw mut (*raw).library);
            ffi::PyObject_Free(object.cast());
        }
    });
}

/// The address of a symbol of a library; OSError(ENOENT) when it is missing.
pub(super) fn symbol(library: &Handle, name: &CString) -> Res<*mut u8> {
    check_open(library)?;
    match library.symbol(name) {
        Ok(address) if !address.is_null() => Ok(address),
        Ok(_) => Err(crate::micropython::refuse::os_error(
            libc::ENOENT,
            &format!("symbol '{}' has no address", name.to_string_lossy()),
        )),
        Err(text) => Err(crate::micropython::refuse::os_error(libc::ENOENT, &text)),
    }
}
