//! The Python side of a function that C calls: how its arguments and its result are converted.

use pyo3::ffi;

use super::ErrorSink;
use crate::call::foreign::Cif;
use crate::call::is_scalar;
use crate::convert::argument::{Parameter, widen};
use crate::convert::{Lvalue, Room, Temporaries, write, write_in};
use crate::ctype::{CType, Code, FunctionDetails};
use crate::object::{CData, TYPES};
use crate::py::{Live, Ref, Res, given};
use crate::raise;

/// How C values become Python arguments and the result a C value: prepared once per signature.
pub struct CallbackPlan {
    pub(crate) params: Box<[Parameter]>,
    pub(crate) result: Parameter,
    /// Bytes of the result; 0 for void.
    pub(crate) result_size: usize,
    /// For closures; the functions of plugins do without.
    cif: std::sync::OnceLock<Cif>,
}

// SAFETY: the ctypes that the raw pointers lead to are immutable, and kept alive by the function type that owns the plan.
unsafe impl Send for CallbackPlan {}
// SAFETY: as above.
unsafe impl Sync for CallbackPlan {}

impl CallbackPlan {
    fn new(signature: &FunctionDetails) -> Res<Self> {
        let result = &*signature.result;
        let result_size = match result.code {
            Code::Void => 0,
            Code::Record if result.size() < 0 => {
                return Err(raise!(
                    TypeError,
                    "result type '{}' is not yet initialized",
                    result.name
                ));
            }
            _ => result.known_size()?,
        };
        for param in &signature.params {
            if param.size() < 0 {
                return Err(raise!(
                    TypeError,
                    "ctype '{}' has incomplete type{}",
                    param.name,
                    param.why_opaque()
                ));
            }
        }
        Ok(Self {
            params: signature
                .params
                .iter()
                .map(|param| Parameter::new(param))
                .collect(),
            result: Parameter::new(result),
            result_size,
            cif: std::sync::OnceLock::new(),
        })
    }

    /// The plan of a function type, made at the first use.
    pub fn of(signature: &FunctionDetails) -> Res<&Self> {
        let place = &signature.callback_plan;
        // SAFETY: the place for this type of plan, which is only used here.
        if let Some(plan) = unsafe { place.get() } {
            return Ok(plan);
        }
        let plan = Self::new(signature)?;
        // SAFETY: as above.
        Ok(unsafe { place.get_or_init(plan) })
    }

    pub(super) fn cif(&self) -> Res<&Cif> {
        match self.cif.get() {
            Some(cif) => Ok(cif),
            None => {
                let cif = Cif::new(&self.result, &self.params, None)?;
                Ok(self.cif.get_or_init(|| cif))
            }
        }
    }

    /// Writes a Python value as the function's result: by value to `memory`, small integers widened to 8 bytes.
    ///
    /// # Safety
    /// `memory` has room for the result, at least 8 bytes.
    pub(crate) unsafe fn write_result(&self, value: Live, memory: *mut u8) -> Res<()> {
        let (ctype, code) = (self.result.ctype(), self.result.code);
        if code == Code::Void {
            if value.is_none() {
                return Ok(());
            }
            return Err(raise!(
                TypeError,
                "callback with the return type 'void' must return None"
            ));
        }
        // SAFETY: room for the result (the caller's contract).
        let place = unsafe { Lvalue::new(ctype, memory) };
        if is_scalar(code) && cfg!(target_endian = "little") {
            let mut slot = 0u64;
            write(Lvalue::in_rust(ctype, &mut slot), value)?;
            if code == Code::Pointer {
                refuse_what_goes(value)?;
            }
            // At least 8 bytes (the caller's contract).
            let memory = memory.cast::<u64>();
            // SAFETY: as it says.
            unsafe { memory.write_unaligned(widen(code, slot)) };
            return Ok(());
        }
        if code == Code::Record {
            // An initialiser may name only some of the fields; and if it is bad, nothing is written.
            let mut held = Temporaries::new();
            let whole = held.allocate(self.result_size, ctype)?;
            write_in(whole, value, Room::of(whole, self.result_size))?;
            place.copy_from(whole.data(), self.result_size);
            return Ok(());
        }
        write(place, value)?;
        if code == Code::Pointer {
            refuse_what_goes(value)?;
        }
        Ok(())
    }
}

/// A pointer to memory that is freed when the call ends would be a dangling one in C: CFFI hands it out. The caller has one
/// reference to the value.
fn refuse_what_goes(value: Live) -> Res<()> {
    let Some(cdata) = CData::of(value) else {
        return Ok(());
    };
    if !TYPES.is_last_holder(cdata) || crate::errors::is_as_cffi() {
        return Ok(());
    }
    Err(raise!(
        RuntimeError,
        "the result is a pointer to what goes with this call: nothing else refers to the cdata. Keep it (in a variable of \
         the module, or in an object that lives as long as C uses the pointer), or return memory that C frees"
    ))
}

/// A Python function that C calls.
pub struct PythonFunction {
    /// Its function type (not the pointer to it).
    pub ctype: Ref<CType>,
    /// What is called.
    pub callable: Ref,
    /// The C bytes of the `error=` value; zero bytes when none was given. At least 8, and as long as the result.
    pub error: Box<[u8]>,
    /// `onerror(exception, value, traceback)`
    pub onerror: Option<Ref>,
    /// Who gets failures that `onerror` did not handle, and its data. `None`: `sys.unraisablehook`.
    pub sink: Option<(ErrorSink, *mut std::ffi::c_void)>,
    plan: *const CallbackPlan,
}

// SAFETY: used only by threads that are attached to the interpreter; the plan belongs to `ctype`, the sink's data is its
// maker's, who promises it for any thread.
unsafe impl Send for PythonFunction {}
// SAFETY: as above.
unsafe impl Sync for PythonFunction {}

impl PythonFunction {
    /// A function of type `ctype` (a function type or a pointer to one) that calls `callable`. `error` is converted at
    /// once; a bad value raises, as do a `callable` or `onerror` that cannot be called and a variadic type. `None` as
    /// an object means "not given".
    pub fn new(
        ctype: &CType,
        callable: Live,
        error: Option<Live>,
        onerror: Option<Live>,
    ) -> Res<Self> {
        let Some(signature) = ctype.signature() else {
            return Err(raise!(
                TypeError,
                "expected a function ctype, got '{}'",
                ctype.name
            ));
        };
        let function = if ctype.function().is_some() {
            ctype
        } else {
            ctype.item()
        };
        if !callable.is_callable() {
            return Err(raise!(
                TypeError,
                "expected a callable object, not {}",
                callable.type_name()
            ));
        }
        let onerror = given(onerror);
        if let Some(onerror) = onerror
            && !onerror.is_callable()
        {
            return Err(raise!(
                TypeError,
                "expected a callable object for 'onerror', not {}",
                onerror.type_name()
            ));
        }
        if signature.variadic {
            let pointer = crate::ctype::pointer_to(function)?;
            return Err(raise!(
                NotImplementedError,
                "{}: callback with unsupported argument or return type or with '...'",
                pointer.name
            ));
        }
        let plan = CallbackPlan::of(signature)?;
        let mut bytes = vec![0u8; plan.result_size.max(8)];
        if let Some(error) = given(error) {
            // SAFETY: a live object; as many bytes as the result has.
            unsafe { plan.write_result(error, bytes.as_mut_ptr())? };
        }
        Ok(Self {
            ctype: function.to_ref(),
            callable: callable.to_ref(),
            error: bytes.into(),
            onerror: onerror.map(Live::to_ref),
            sink: None,
            plan,
        })
    }

    /// Whether it returns something to C.
    pub fn has_result(&self) -> bool {
        self.plan().result.code != Code::Void
    }

    /// How it is called.
    #[inline(always)]
    pub(crate) fn plan(&self) -> &CallbackPlan {
        // SAFETY: it belongs to the details of `ctype`, which self keeps alive.
        unsafe { &*self.plan }
    }

    /// Visits the Python objects that it owns, for the garbage collector.
    ///
    /// # Safety
    /// Called from tp_traverse with its arguments.
    pub unsafe fn traverse(
        &self,
        visit: ffi::visitproc,
        arg: *mut std::ffi::c_void,
    ) -> std::ffi::c_int {
        let onerror = self.onerror.as_ref().map(Ref::obj);
        for object in [self.callable.obj(), self.ctype.obj()]
            .into_iter()
            .chain(onerror)
        {
            // SAFETY: what Python passes to it.
            let stop = unsafe { visit(object, arg) };
            if stop != 0 {
                return stop;
            }
        }
        0
    }
}
