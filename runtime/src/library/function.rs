//! The functions of plugins: what API mode makes of a C function. Python sees an ordinary built-in function; behind it
//! is a [`Function`], which turns the arguments into slots and calls the plugin's wrapper.

use std::ffi::{CString, c_void};

use pyo3::ffi;

use crate::call::{is_scalar, outside_python, result_object, wrong_count};
use crate::convert::argument::{Parameter, slot};
use crate::convert::{Temporaries, read};
use crate::ctype::{CType, Code, declarator};
use crate::object::{FUNCTION_TYPE, FunctionHead, new_owning};
use crate::py::{
    END_OF_PROPERTIES, Obj, Properties, Ref, Res, guard, guard_unit, property, str_from, str_text,
};
use crate::raise;

/// A plugin's wrapper around a C function.
pub(super) type Access = unsafe extern "C-unwind" fn(*mut c_void);

/// What a built-in function of a plugin is bound to.
#[repr(C)]
struct Function {
    head: FunctionHead,
    access: Access,
    module: Ref,
    params: Box<[Parameter]>,
    result: Parameter,
    name: CString,
    _doc: CString,
    definition: ffi::PyMethodDef,
}

/// Arguments and result that are kept on the stack.
const SLOTS: usize = 10;

/// The built-in function `name` of module `module`. `ctype` is the type of a pointer to it.
pub(super) fn new(
    module: &str,
    name: &str,
    ctype: &CType,
    access: Access,
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
    // CPython checks the number of arguments itself for the first two, and calls them a little faster.
    let (ml_meth, ml_flags) = match signature.params.len() {
        0 => (
            ffi::PyMethodDefPointer {
                PyCFunction: called_without,
            },
            ffi::METH_NOARGS,
        ),
        1 => (
            ffi::PyMethodDefPointer {
                PyCFunction: called_with_one,
            },
            ffi::METH_O,
        ),
        _ => (
            ffi::PyMethodDefPointer {
                PyCFunctionFast: called,
            },
            ffi::METH_FASTCALL,
        ),
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

unsafe extern "C" fn called(object: Obj, args: *mut Obj, count: isize) -> Obj {
    guard(|| {
        // SAFETY: a built-in function is called with the object that it is bound to, and with `count` arguments.
        unsafe {
            let function = &*object.cast::<Function>();
            let count = count as usize;
            if count != function.params.len() {
                return Err(wrong_count(
                    &function.name.to_string_lossy(),
                    function.params.len(),
                    count,
                ));
            }
            function.call(args)
        }
    })
}

unsafe extern "C" fn called_without(object: Obj, _none: Obj) -> Obj {
    // SAFETY: a built-in function is called with the object that it is bound to.
    guard(|| unsafe { (*object.cast::<Function>()).call(std::ptr::null()) })
}

unsafe extern "C" fn called_with_one(object: Obj, arg: Obj) -> Obj {
    // SAFETY: a built-in function is called with the object that it is bound to, and its one argument.
    guard(|| unsafe { (*object.cast::<Function>()).call(&raw const arg) })
}

impl Function {
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
                slots[index] = slot(parameter, *args.add(index), &mut temporaries)?;
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
        class,
        None,
        c"The type of modules: what help() expects.",
    ),
    END_OF_PROPERTIES,
]);

unsafe extern "C" fn class(_object: Obj, _closure: *mut c_void) -> Obj {
    // SAFETY: a static type of libpython.
    guard(|| Ok(unsafe { Ref::<ffi::PyObject>::borrow((&raw mut ffi::PyModule_Type).cast()) }))
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
            ty.tp_repr = Some(repr);
            ty.tp_getset = PROPERTIES.ptr();
        })
    }
}

/// Stands for the lib, which is what the function is bound to in CFFI.
unsafe extern "C" fn repr(object: Obj) -> Obj {
    // SAFETY: a live Function, whose module is a str.
    guard(|| unsafe {
        let module = str_text((*object.cast::<Function>()).module.obj())?.unwrap_or("?");
        str_from(&format!("<Lib object for '{module}'>"))
    })
}

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
