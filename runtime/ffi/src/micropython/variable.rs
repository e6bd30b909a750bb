//! `ffivar`: a variable of a C library.

use std::sync::Arc;

use pyo3::ffi;

use super::arguments::positional;
use super::codes::{Held, TypeCode, function_type, pointed_to, slot};
use super::refuse::check_open;
use crate::convert::argument::Parameter;
use crate::convert::integer::write_wrapped;
use crate::convert::{Lvalue, get, put, read};
use crate::ctype::{CType, Code};
use crate::library::Handle;
use crate::py::{
    END_OF_METHODS, Live, Methods, Obj, Ref, Res, StaticType, guard, guard_unit, keywords, none,
    str_from,
};
use crate::raise;

static VARIABLE_TYPE: StaticType = StaticType::new();

#[repr(C)]
struct Variable {
    ob_base: crate::py::Head,
    address: *mut u8,
    code: TypeCode,
    /// Of its type; kept alive by `ctype`.
    parameter: Parameter,
    ctype: Ref<CType>,
    library: Arc<Handle>,
}

static METHODS: Methods<3> = Methods::new([
    keywords(c"get", get_value, c"Its value."),
    keywords(c"set", set_value, c"Gives it a value."),
    END_OF_METHODS,
]);

/// Makes the type ready.
pub(super) fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit a Variable.
    unsafe {
        VARIABLE_TYPE.ready(ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION, |ty| {
            ty.tp_name = c"ffivar".as_ptr();
            ty.tp_doc = c"A variable of a C library.".as_ptr();
            ty.tp_basicsize = size_of::<Variable>() as ffi::Py_ssize_t;
            ty.tp_methods = METHODS.ptr();
            ty.tp_repr = Some(repr);
            ty.tp_dealloc = Some(dealloc);
        })
    }
}

/// The variable at `address`.
///
/// # Safety
/// `code` is a live object. That a variable of this type is at `address` is the program's promise.
pub(super) unsafe fn new(address: *mut u8, code: Obj, library: Arc<Handle>) -> Res<Ref> {
    // SAFETY: `code` is live (the caller's contract). PyObject_New returns memory for a Variable that nobody else has seen;
    // all its fields are written, in place, before the object is returned, and nothing in between can fail.
    unsafe {
        let code = TypeCode::of_result(Live::new(code))?;
        if code.code == Code::Void {
            return Err(raise!(TypeError, "unknown type"));
        }
        let ctype = function_type(code, &[])?;
        let Some(signature) = ctype.signature() else {
            return Err(raise!(SystemError, "'{}' is no function", ctype.name));
        };
        let parameter = Parameter::new(&signature.result);
        let object = Ref::steal(ffi::PyObject_New::<Variable>(VARIABLE_TYPE.ptr()))?;
        let raw = object.as_ptr();
        (&raw mut (*raw).address).write(address);
        (&raw mut (*raw).code).write(code);
        (&raw mut (*raw).parameter).write(parameter);
        (&raw mut (*raw).ctype).write(ctype);
        (&raw mut (*raw).library).write(library);
        Ok(object.into_obj())
    }
}

/// # Safety
/// `object` is a Variable, which is alive for `'a`: what a slot or method of the type gets.
unsafe fn this<'a>(object: Obj) -> &'a Variable {
    // SAFETY: `object` is a live Variable (the caller's contract).
    unsafe { &*object.cast::<Variable>() }
}

/// `get_value()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn get_value(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of a Variable, whose address is that of a variable of its type.
        unsafe {
            let [] = positional(args, count, names, 0, 1)?;
            let variable = this(object);
            check_open(&variable.library)?;
            match variable.code.letter() {
                b's' | b'S' | b'O' => pointed_to(variable.code, get(variable.address)),
                _ => read(Lvalue::new(variable.parameter.ctype(), variable.address)),
            }
        }
    })
}

/// `set_value()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn set_value(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: as in `get_value`; the value is live.
        unsafe {
            let [value] = positional(args, count, names, 1, 1)?;
            let variable = this(object);
            check_open(&variable.library)?;
            let slot = match variable.code.code {
                Code::F32 | Code::F64 => slot(variable.code, value, &mut Held::new())?,
                _ if variable.code.is_object() => {
                    // The variable holds the object from now on: C gets a reference of its own, which nobody takes
                    // back.
                    Ref::borrow(value).into_ptr() as u64
                }
                _ => super::value::truncated(Live::new(value))?,
            };
            match variable.code.code {
                Code::F32 => put(variable.address, slot as u32),
                Code::F64 => put(variable.address, slot),
                _ => write_wrapped(
                    Lvalue::new(variable.parameter.ctype(), variable.address),
                    slot,
                )?,
            }
            Ok(none())
        }
    })
}

/// tp_repr of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn repr(object: Obj) -> Obj {
    guard(|| {
        // SAFETY: a Variable. What it shows is its first int, as in MicroPython; only as many bytes as it has are read.
        unsafe {
            let variable = this(object);
            check_open(&variable.library)?;
            let size = variable.parameter.ctype().known_size()?.min(4);
            let mut value = 0u32;
            variable
                .address
                .copy_to_nonoverlapping((&raw mut value).cast(), size);
            str_from(&format!(
                "<ffivar @{:x}: 0x{value:x}>",
                variable.address as usize
            ))
        }
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
            let raw = object.cast::<Variable>();
            std::ptr::drop_in_place(&raw mut (*raw).ctype);
            std::ptr::drop_in_place(&raw mut (*raw).library);
            ffi::PyObject_Free(object.cast());
        }
    });
}
