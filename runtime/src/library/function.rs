//! The functions of plugins: what API mode makes of a C function. Python sees an ordinary built-in function; behind it
//! is a [`Function`], which turns the arguments into slots and calls the plugin's wrapper.

use std::ffi::{CString, c_void};

use pyo3::ffi;

use crate::call::{CallPlan, is_scalar, outside_python, result_object, wrong_count};
use crate::convert::argument::{self, Parameter};
use crate::convert::{Temporaries, read};
use crate::ctype::{CType, Code, declarator};
use crate::object::{FUNCTION_TYPE, FunctionHead, new_owning};
use crate::py::{
    END_OF_PROPERTIES, Instance, Live, Obj, Properties, Ref, Res, getter, guard, guard_unit,
    property, slot, str_from,
};
use crate::{exception, raise};

/// A plugin's wrapper around a C function.
pub(super) type Access = unsafe extern "C-unwind" fn(*mut c_void);

/// What runs when Python calls a function.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// A plugin's wrapper, with the arguments in slots.
    Slots(Access),
    /// The C function itself, as its signature says.
    Planned,
    /// The wrapper of a module that CFFI compiled, called by Python itself. With the METH_ flags that it has.
    Wrapper(ffi::PyCFunction, std::ffi::c_int),
}

/// Whether it is known how arguments and result are passed: not where small structs are that were declared in part, nor
/// where only a compiler can.
pub(super) fn can_be_planned(ctype: &CType) -> Res<bool> {
    let Some(signature) = ctype.signature() else {
        return Ok(false);
    };
    let mut values = signature.params.iter().chain([&signature.result]);
    if values.any(|value| value.is_record()) {
        return Ok(false);
    }
    match CallPlan::of(signature) {
        Ok(_) => Ok(true),
        Err(raised) => raised
            .clear_if(exception!(NotImplementedError))
            .map(|()| false),
    }
}

/// What a built-in function of a plugin is bound to.
#[repr(C)]
struct Function {
    head: FunctionHead,
    /// Of a function that is called through slots.
    access: Access,
    /// Of one that is called as its signature says: kept alive by `ctype`. Else NULL.
    plan: *const CallPlan,
    module: Ref,
    params: Box<[Parameter]>,
    result: Parameter,
    name: CString,
    _doc: CString,
    definition: ffi::PyMethodDef,
}

// SAFETY: starts with the head of an object.
unsafe impl Instance for Function {}

/// Arguments and result that are kept on the stack.
const SLOTS: usize = 10;

/// The built-in function `name` of module `module`. `ctype` is the type of a pointer to it.
pub(super) fn new(
    module: &str,
    name: &str,
    ctype: &CType,
    body: Body,
    address: *mut u8,
) -> Res<Ref> {
    let Some(signature) = ctype.signature() else {
        return Err(raise!(TypeError, "'{name}' is no function"));
    };
    let c_string = |text: String| CString::new(text.replace('\0', "?")).unwrap_or_default();
    let name_in_c = c_string(name.to_string());
    let function_type = ctype.item();
    let before = function_type.name[..function_type.name_position]
        .chars()
        .last();
    let spaced = if before == Some('*') {
        name.to_string()
    } else {
        format!(" {name}")
    };
    let prototype = declarator(&function_type.name, function_type.name_position, &spaced);
    let doc = c_string(format!("{prototype};\n\nCFFI C function from {module}.lib"));
    let (ml_meth, ml_flags) = method(body, signature.params.len());
    let plan = match body {
        Body::Planned => std::ptr::from_ref(CallPlan::of(signature)?),
        _ => std::ptr::null(),
    };
    let access = match body {
        Body::Slots(access) => access,
        _ => no_access,
    };
    let definition = ffi::PyMethodDef {
        ml_name: name_in_c.as_ptr(),
        ml_meth,
        ml_flags,
        ml_doc: doc.as_ptr(),
    };
    let module = str_from(module)?;
    // SAFETY: a fresh object, filled before anyone sees it; the method's definition lives in the object that the
    // built-in function holds.
    unsafe {
        let object = Ref::steal(ffi::PyObject_New::<Function>(FUNCTION_TYPE.ptr()))?;
        let raw = object.as_ptr();
        (&raw mut (*raw).head.ctype).write(ctype.to_ref());
        (&raw mut (*raw).head.address).write(address);
        (&raw mut (*raw).access).write(access);
        (&raw mut (*raw).plan).write(plan);
        (&raw mut (*raw).module).write(module.clone());
        (&raw mut (*raw).params).write(
            signature
                .params
                .iter()
                .map(|param| Parameter::new(param))
                .collect(),
        );
        (&raw mut (*raw).result).write(Parameter::new(&signature.result));
        (&raw mut (*raw).name).write(name_in_c);
        (&raw mut (*raw)._doc).write(doc);
        (&raw mut (*raw).definition).write(definition);
        Ref::steal(ffi::PyCFunction_NewEx(
            &raw mut (*raw).definition,
            object.obj(),
            module.obj(),
        ))
    }
}

/// Stands where a function has no wrapper.
///
/// # Safety
/// Nobody calls it.
unsafe extern "C-unwind" fn no_access(_slots: *mut c_void) {}

/// How Python calls a function. CPython checks the number of arguments itself for none and one, and calls these a little
/// faster.
fn method(body: Body, params: usize) -> (ffi::PyMethodDefPointer, std::ffi::c_int) {
    let is_planned = match body {
        Body::Wrapper(wrapper, flags) => {
            let meth = ffi::PyMethodDefPointer {
                PyCFunction: wrapper,
            };
            return (meth, flags);
        }
        Body::Planned => true,
        Body::Slots(_) => false,
    };
    match (params, is_planned) {
        (0, false) => (plain(called_without), ffi::METH_NOARGS),
        (0, true) => (plain(planned_without), ffi::METH_NOARGS),
        (1, false) => (plain(called_with_one), ffi::METH_O),
        (1, true) => (plain(planned_with_one), ffi::METH_O),
        (_, false) => (fast(called), ffi::METH_FASTCALL),
        (_, true) => (fast(planned), ffi::METH_FASTCALL),
    }
}

fn plain(function: ffi::PyCFunction) -> ffi::PyMethodDefPointer {
    ffi::PyMethodDefPointer {
        PyCFunction: function,
    }
}

fn fast(function: ffi::PyCFunctionFast) -> ffi::PyMethodDefPointer {
    ffi::PyMethodDefPointer {
        PyCFunctionFast: function,
    }
}

/// The function that a built-in one is bound to, if it takes that many arguments.
///
/// # Safety
/// `object` is a live [`Function`], and stays so while the result is used.
#[inline(always)]
unsafe fn with_count<'a>(object: Obj, count: isize) -> Res<&'a Function> {
    // SAFETY: `object` is a live `Function`, and stays so while the result is used.
    let function = unsafe { Live::new(object).cast::<Function>() };
    let (count, expected) = (count as usize, function.params.len());
    if count == expected {
        Ok(function)
    } else {
        Err(wrong_count(
            &function.name.to_string_lossy(),
            expected,
            count,
        ))
    }
}

/// A call through the wrapper.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn called(object: Obj, args: *mut Obj, count: isize) -> Obj {
    guard(|| {
        // SAFETY: a built-in function is called with the object that it is bound to, and with `count` arguments.
        unsafe { with_count(object, count)?.call(args) }
    })
}

/// A call through the wrapper, of a function without parameters.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn called_without(object: Obj, _none: Obj) -> Obj {
    // SAFETY: a built-in function is called with the object that it is bound to.
    guard(|| unsafe { (*object.cast::<Function>()).call(std::ptr::null()) })
}

/// A call through the wrapper, of a function with one parameter.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn called_with_one(object: Obj, arg: Obj) -> Obj {
    // SAFETY: a built-in function is called with the object that it is bound to, and its one argument.
    guard(|| unsafe { (*object.cast::<Function>()).call(&raw const arg) })
}

/// A call by the signature.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn planned(object: Obj, args: *mut Obj, count: isize) -> Obj {
    guard(|| {
        // SAFETY: a built-in function is called with the object that it is bound to, and with `count` arguments.
        unsafe { with_count(object, count)?.call_planned(args, count as usize) }
    })
}

/// A call by the signature, of a function without parameters.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn planned_without(object: Obj, _none: Obj) -> Obj {
    // SAFETY: a built-in function is called with the object that it is bound to.
    guard(|| unsafe { (*object.cast::<Function>()).call_planned(std::ptr::null(), 0) })
}

/// A call by the signature, of a function with one parameter.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn planned_with_one(object: Obj, arg: Obj) -> Obj {
    // SAFETY: a built-in function is called with the object that it is bound to, and its one argument.
    guard(|| unsafe { (*object.cast::<Function>()).call_planned(&raw const arg, 1) })
}

impl Function {
    /// # Safety
    /// The function has a plan; as many live arguments as it has parameters.
    #[inline(always)]
    unsafe fn call_planned(&self, args: *const Obj, count: usize) -> Res<Ref> {
        // SAFETY: the caller's contract; the plan is that of the function's type.
        unsafe {
            (*self.plan).call(
                &self.head.ctype,
                self.head.address,
                args,
                count,
                std::ptr::null_mut(),
            )
        }
    }

    /// # Safety
    /// As many live arguments as there are parameters.
    #[inline(always)]
    unsafe fn call(&self, args: *const Obj) -> Res<Ref> {
        let count = self.params.len();
        // SAFETY: the caller's contract. One slot more than arguments: for the result of a function without parameters,
        // or for the address of a large result.
        unsafe {
            if count < SLOTS {
                self.call_with(args, &mut [0u64; SLOTS])
            } else {
                self.call_with(args, &mut vec![0u64; count + 1])
            }
        }
    }

    /// # Safety
    /// As many live arguments as there are parameters, and at least one slot more.
    #[inline(always)]
    unsafe fn call_with(&self, args: *const Obj, slots: &mut [u64]) -> Res<Ref> {
        let mut temporaries = Temporaries::new();
        // SAFETY: the caller's contract; the wrapper reads the arguments that its C function takes, and writes its
        // result to the first slot, or to memory of the result's size.
        unsafe {
            for (index, parameter) in self.params.iter().enumerate() {
                slots[index] = argument::slot(parameter, *args.add(index), &mut temporaries)?;
            }
            let access = self.access;
            if is_scalar(self.result.code) {
                outside_python(|| access(slots.as_mut_ptr().cast()));
                return result_object(&self.result, slots[0]);
            }
            let ctype = self.result.ctype();
            let memory = new_owning(ctype, ctype.known_size()?, -1)?;
            slots[self.params.len()] = memory.data() as u64;
            outside_python(|| access(slots.as_mut_ptr().cast()));
            if self.result.code == Code::Record {
                Ok(memory.into_obj())
            } else {
                read(ctype, memory.data())
            }
        }
    }
}

static PROPERTIES: Properties<2> = Properties::new([
    property(
        c"__class__",
        getter!(Function, class),
        None,
        c"The type of modules: what help() expects.",
    ),
    END_OF_PROPERTIES,
]);

fn class(_function: &Function) -> Res<Ref> {
    Ok(module_class())
}

/// The type of modules: what CFFI's `lib` and its functions say that they are.
pub(super) fn module_class() -> Ref {
    // SAFETY: a static type of libpython.
    unsafe { Ref::borrow((&raw mut ffi::PyModule_Type).cast()) }
}

/// Makes the type ready.
pub(super) fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit a Function.
    unsafe {
        FUNCTION_TYPE.ready(ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION, |ty| {
            // What repr(lib.function) says that it is a method of.
            ty.tp_name = c"_cffi_backend.Lib".as_ptr();
            ty.tp_basicsize = size_of::<Function>() as ffi::Py_ssize_t;
            ty.tp_dealloc = Some(dealloc);
            ty.tp_repr = Some(slot!(repr, (&Function) -> Obj));
            ty.tp_getset = PROPERTIES.ptr();
        })
    }
}

/// Stands for the lib, which is what the function is bound to in CFFI.
fn repr(function: &Function) -> Res<Ref> {
    let module = function.module.live().text()?.unwrap_or("?");
    str_from(&format!("<Lib object for '{module}'>"))
}

/// tp_dealloc of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone.
        unsafe {
            let function = object.cast::<Function>();
            std::ptr::drop_in_place(&raw mut (*function).head.ctype);
            std::ptr::drop_in_place(&raw mut (*function).module);
            std::ptr::drop_in_place(&raw mut (*function).params);
            std::ptr::drop_in_place(&raw mut (*function).name);
            std::ptr::drop_in_place(&raw mut (*function)._doc);
            ffi::PyObject_Free(object.cast());
        }
    });
}
