//! The functions of plugins: what API mode makes of a C function. Python sees an ordinary built-in function; behind it
//! is a [`Function`], which turns the arguments into slots and calls the plugin's wrapper.

use std::cell::UnsafeCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;

use crate::call::{CallPlan, is_scalar, result_object, run_c, wrong_count};
use crate::convert::argument::{self, Parameter};
use crate::convert::{Lvalue, Temporaries, read};
use crate::ctype::{CType, Code, declarator, from_scope, pointer_to};
use crate::object::{FUNCTION_TYPE, FunctionHead, new_owning};
use crate::py::{
    END_OF_PROPERTIES, Head, Instance, Live, Obj, Properties, Ref, Res, getter, guard, guard_unit,
    property, slot, str_from,
};
use crate::scope::Scope;
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
    /// Of one that is called as its signature says: kept alive by the type. NULL until the first call of a function whose
    /// type was not asked for before, and of others.
    plan: AtomicPtr<CallPlan>,
    count: usize,
    /// Of a function that is called through slots.
    params: Box<[Parameter]>,
    /// Likewise.
    result: MaybeUninit<Parameter>,
    /// Where the type of a function is that was made without one.
    place: Option<(Arc<Scope>, usize)>,
    module: Ref,
    _name: Option<CString>,
    _doc: String,
    /// Its function is replaced at the first call of an [`untyped`] one.
    definition: UnsafeCell<ffi::PyMethodDef>,
}

// SAFETY: starts with the head of an object.
unsafe impl Instance for Function {}

/// Arguments and result that are kept on the stack.
const SLOTS: usize = 10;

/// The built-in function `name` of module `module`. `ctype` is the type of a pointer to it. With `keep_gil` it is called with
/// the GIL kept, unless it is a wrapper: that lets go of it itself.
pub(super) fn new(
    module: &str,
    name: &str,
    ctype: &CType,
    body: Body,
    address: *mut u8,
    keep_gil: bool,
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
    let mut doc = prototype.replace('\0', "?");
    end_doc(&mut doc, module);
    let (ml_meth, ml_flags) = if keep_gil {
        method::<true>(body, signature.params.len())
    } else {
        method::<false>(body, signature.params.len())
    };
    let plan = match body {
        Body::Planned => std::ptr::from_ref(CallPlan::of(signature)?).cast_mut(),
        _ => std::ptr::null_mut(),
    };
    let access = match body {
        Body::Slots(access) => access,
        _ => no_access,
    };
    let made = Function {
        head: FunctionHead {
            ob_base: Head::new(ffi::PyObject_HEAD_INIT),
            ctype: AtomicPtr::new(ctype.to_ref().into_ptr()),
            address,
            find_type,
        },
        access,
        plan: AtomicPtr::new(plan),
        count: signature.params.len(),
        params: signature
            .params
            .iter()
            .map(|param| Parameter::new(param))
            .collect(),
        result: MaybeUninit::new(Parameter::new(&signature.result)),
        place: None,
        module: str_from(module)?,
        definition: UnsafeCell::new(ffi::PyMethodDef {
            ml_name: name_in_c.as_ptr(),
            ml_meth,
            ml_flags,
            ml_doc: doc.as_ptr().cast(),
        }),
        _name: Some(name_in_c),
        _doc: doc,
    };
    made.into_object()
}

/// Adds to a prototype what follows it in `__doc__`, and a NUL.
pub(super) fn end_doc(doc: &mut String, module: &str) {
    for part in [";\n\nCFFI C function from ", module, ".lib\0"] {
        doc.push_str(part);
    }
}

/// What is known of a function without its type.
pub(super) struct Untyped {
    /// Stays as long as the process.
    pub name: *const c_char,
    /// With a NUL at its end.
    pub doc: String,
    /// How many parameters it has.
    pub count: usize,
    pub address: *mut u8,
    /// Where its type is in the scope's tables. All its parameters and its result can be planned.
    pub scope: Arc<Scope>,
    pub type_index: usize,
}

/// The built-in function of module `module` whose type is found when it is called, or asked for.
pub(super) fn untyped(module: Ref, known: Untyped) -> Res<Ref> {
    let (ml_meth, ml_flags) = match known.count {
        0 => (plain(first_without), ffi::METH_NOARGS),
        1 => (plain(first_with_one), ffi::METH_O),
        _ => (fast(first), ffi::METH_FASTCALL),
    };
    let made = Function {
        head: FunctionHead {
            ob_base: Head::new(ffi::PyObject_HEAD_INIT),
            ctype: AtomicPtr::new(std::ptr::null_mut()),
            address: known.address,
            find_type,
        },
        access: no_access,
        plan: AtomicPtr::new(std::ptr::null_mut()),
        count: known.count,
        params: Box::default(),
        result: MaybeUninit::uninit(),
        place: Some((known.scope, known.type_index)),
        module,
        definition: UnsafeCell::new(ffi::PyMethodDef {
            ml_name: known.name,
            ml_meth,
            ml_flags,
            ml_doc: known.doc.as_ptr().cast(),
        }),
        _name: None,
        _doc: known.doc,
    };
    made.into_object()
}

/// The type of an [`untyped`] function.
fn find_type(head: &FunctionHead) -> Res<Ref<CType>> {
    // SAFETY: every function's head that has this is a `Function`'s.
    let function = unsafe { &*std::ptr::from_ref(head).cast::<Function>() };
    let missing = || raise!(SystemError, "a function has no type");
    let (scope, index) = function.place.as_ref().ok_or_else(missing)?;
    let ty = scope.table_type(*index)?.ok_or_else(missing)?;
    pointer_to(&*from_scope(scope, ty)?)
}

/// Stands in the place of the wrapper where a function has none.
///
/// # Safety
/// Nobody calls it.
unsafe extern "C-unwind" fn no_access(_slots: *mut c_void) {}

/// How Python calls a function. CPython checks the number of arguments itself for none and one, and calls these a little
/// faster.
fn method<const KEEP_GIL: bool>(
    body: Body,
    params: usize,
) -> (ffi::PyMethodDefPointer, std::ffi::c_int) {
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
        (0, false) => (plain(called_without::<KEEP_GIL>), ffi::METH_NOARGS),
        (0, true) => (plain(planned_without::<KEEP_GIL>), ffi::METH_NOARGS),
        (1, false) => (plain(called_with_one::<KEEP_GIL>), ffi::METH_O),
        (1, true) => (plain(planned_with_one::<KEEP_GIL>), ffi::METH_O),
        (_, false) => (fast(called::<KEEP_GIL>), ffi::METH_FASTCALL),
        (_, true) => (fast(planned::<KEEP_GIL>), ffi::METH_FASTCALL),
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

impl Function {
    /// The built-in function that is bound to this.
    fn into_object(self) -> Res<Ref> {
        // SAFETY: a fresh object, filled before anyone sees it, but for the head that it has; the method's definition
        // lives in the object that the built-in function holds.
        unsafe {
            let object = Ref::steal(ffi::PyObject_New::<Function>(FUNCTION_TYPE.ptr()))?;
            let raw = object.as_ptr();
            let head = (&raw const (*raw).head.ob_base).read();
            raw.write(self);
            (&raw mut (*raw).head.ob_base).write(head);
            Ref::steal(ffi::PyCFunction_NewEx(
                (*raw).definition.get(),
                object.obj(),
                (*raw).module.obj(),
            ))
        }
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
    let (count, expected) = (count as usize, function.count);
    if count == expected {
        Ok(function)
    } else {
        // SAFETY: a C string that lives as long as the function.
        let name = unsafe { CStr::from_ptr((*function.definition.get()).ml_name) };
        Err(wrong_count(&name.to_string_lossy(), expected, count))
    }
}

/// A call through the wrapper.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn called<const KEEP_GIL: bool>(
    object: Obj,
    args: *mut Obj,
    count: isize,
) -> Obj {
    guard(|| {
        // SAFETY: a built-in function is called with the object that it is bound to, and with `count` arguments.
        unsafe { with_count(object, count)?.call::<KEEP_GIL>(args) }
    })
}

/// A call through the wrapper, of a function without parameters.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn called_without<const KEEP_GIL: bool>(object: Obj, _none: Obj) -> Obj {
    // SAFETY: a built-in function is called with the object that it is bound to.
    guard(|| unsafe { (*object.cast::<Function>()).call::<KEEP_GIL>(std::ptr::null()) })
}

/// A call through the wrapper, of a function with one parameter.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn called_with_one<const KEEP_GIL: bool>(object: Obj, arg: Obj) -> Obj {
    // SAFETY: a built-in function is called with the object that it is bound to, and its one argument.
    guard(|| unsafe { (*object.cast::<Function>()).call::<KEEP_GIL>(&raw const arg) })
}

/// A call by the signature.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn planned<const KEEP_GIL: bool>(
    object: Obj,
    args: *mut Obj,
    count: isize,
) -> Obj {
    guard(|| {
        // SAFETY: a built-in function is called with the object that it is bound to, and with `count` arguments.
        unsafe { with_count(object, count)?.call_planned::<KEEP_GIL>(args, count as usize) }
    })
}

/// A call by the signature, of a function without parameters.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn planned_without<const KEEP_GIL: bool>(object: Obj, _none: Obj) -> Obj {
    // SAFETY: a built-in function is called with the object that it is bound to.
    guard(|| unsafe { (*object.cast::<Function>()).call_planned::<KEEP_GIL>(std::ptr::null(), 0) })
}

/// A call by the signature, of a function with one parameter.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn planned_with_one<const KEEP_GIL: bool>(object: Obj, arg: Obj) -> Obj {
    // SAFETY: a built-in function is called with the object that it is bound to, and its one argument.
    guard(|| unsafe { (*object.cast::<Function>()).call_planned::<KEEP_GIL>(&raw const arg, 1) })
}

/// The first call of an [`untyped`] function.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn first(object: Obj, args: *mut Obj, count: isize) -> Obj {
    guard(|| {
        // SAFETY: a built-in function is called with the object that it is bound to, and with `count` arguments.
        unsafe {
            let function = with_count(object, count)?;
            function.plan_it()?;
            function.call_planned::<false>(args, count as usize)
        }
    })
}

/// The first call of one without parameters.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn first_without(object: Obj, _none: Obj) -> Obj {
    guard(|| {
        // SAFETY: a built-in function is called with the object that it is bound to.
        unsafe {
            let function = &*object.cast::<Function>();
            function.plan_it()?;
            function.call_planned::<false>(std::ptr::null(), 0)
        }
    })
}

/// The first call of one with one parameter.
///
/// # Safety
/// Called by Python, as a built-in function that is bound to a [`Function`].
unsafe extern "C" fn first_with_one(object: Obj, arg: Obj) -> Obj {
    guard(|| {
        // SAFETY: a built-in function is called with the object that it is bound to, and its one argument.
        unsafe {
            let function = &*object.cast::<Function>();
            function.plan_it()?;
            function.call_planned::<false>(&raw const arg, 1)
        }
    })
}

impl Function {
    /// Finds the type of an [`untyped`] function, and how it is called. Python calls it directly from then on.
    ///
    /// # Safety
    /// `self` is part of a live function object; the GIL is held.
    #[cold]
    unsafe fn plan_it(&self) -> Res<()> {
        let method = match self.count {
            0 => planned_without::<false> as *mut c_void,
            1 => planned_with_one::<false> as *mut c_void,
            _ => planned::<false> as *mut c_void,
        };
        // SAFETY: self is live and the GIL is held (the caller's contract). The plan lives in the type, which the function
        // keeps. CPython may read `ml_meth` at the same time: the store is atomic, and the old function has the same flags
        // as the new one.
        unsafe {
            let ctype = self.head.ctype()?;
            let Some(signature) = ctype.signature() else {
                return Err(raise!(TypeError, "'{}' is no function", ctype.name));
            };
            let plan = std::ptr::from_ref(CallPlan::of(signature)?);
            self.plan.store(plan.cast_mut(), Ordering::Release);
            let place = &raw mut (*self.definition.get()).ml_meth;
            AtomicPtr::from_ptr(place.cast::<*mut c_void>()).store(method, Ordering::Release);
        }
        Ok(())
    }

    /// A call by the plan.
    ///
    /// # Safety
    /// The function has a plan; `args` points to `count` live objects.
    #[inline(always)]
    unsafe fn call_planned<const KEEP_GIL: bool>(
        &self,
        args: *const Obj,
        count: usize,
    ) -> Res<Ref> {
        // SAFETY: `plan` is not NULL and `args` are `count` live objects (the caller's contract); the plan is that of the
        // function's type, which the function keeps.
        unsafe {
            let plan = &*self.plan.load(Ordering::Acquire);
            Ref::steal(plan.call::<KEEP_GIL>(
                self.head.known_ctype(),
                self.head.address,
                args,
                count,
            ))
        }
    }

    /// A call by the wrapper that the C compiler made.
    ///
    /// # Safety
    /// `args` points to as many live objects as there are parameters.
    #[inline(always)]
    unsafe fn call<const KEEP_GIL: bool>(&self, args: *const Obj) -> Res<Ref> {
        let count = self.count;
        // SAFETY: `args` are as many as there are parameters (the caller's contract), which is `count`. Both arrays have one
        // slot more than that: for the result of a function without parameters, or for the address of a large result.
        unsafe {
            if count < SLOTS {
                self.call_with::<KEEP_GIL>(args, &mut [0u64; SLOTS])
            } else {
                self.call_with::<KEEP_GIL>(args, &mut vec![0u64; count + 1])
            }
        }
    }

    /// [`call`](Self::call) with room for the slots.
    ///
    /// # Safety
    /// `args` points to as many live objects as there are parameters; there is at least one slot more than that. The
    /// function is called through slots.
    #[inline(always)]
    unsafe fn call_with<const KEEP_GIL: bool>(
        &self,
        args: *const Obj,
        slots: &mut [u64],
    ) -> Res<Ref> {
        let mut temporaries = Temporaries::new();
        // SAFETY: there is a live argument and a slot for each parameter (the caller's contract). A function that is called
        // through slots has its result's type. The wrapper reads the slots of its C function's parameters, and writes the
        // result to the first slot, or to `memory`, whose address is in the slot after them and which has the result's
        // size.
        unsafe {
            for (index, parameter) in self.params.iter().enumerate() {
                slots[index] =
                    argument::slot(parameter, Live::new(*args.add(index)), &mut temporaries)?;
            }
            let access = self.access;
            let result = self.result.assume_init_ref();
            if is_scalar(result.code) {
                run_c::<KEEP_GIL, _>(|| access(slots.as_mut_ptr().cast()));
                return result_object(result, slots[0]);
            }
            let ctype = result.ctype();
            let memory = new_owning(ctype, ctype.known_size()?, -1)?;
            slots[self.params.len()] = memory.data() as u64;
            run_c::<KEEP_GIL, _>(|| access(slots.as_mut_ptr().cast()));
            if result.code == Code::Record {
                Ok(memory.into_obj())
            } else {
                read(Lvalue::in_cdata(&memory))
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
            // repr(lib.function) shows this name as the type that the function is a method of.
            ty.tp_name = c"_cffi_backend.Lib".as_ptr();
            ty.tp_basicsize = size_of::<Function>() as ffi::Py_ssize_t;
            ty.tp_dealloc = Some(dealloc);
            ty.tp_repr = Some(slot!(repr, (&Function) -> Obj));
            ty.tp_getset = PROPERTIES.ptr();
        })
    }
}

/// `repr` of the object that the function is bound to: it looks like the lib, which CFFI binds functions to.
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
            let ctype = (*function).head.ctype.load(Ordering::Acquire);
            ffi::Py_XDECREF(ctype.cast());
            std::ptr::drop_in_place(function);
            ffi::PyObject_Free(object.cast());
        }
    });
}
