//! What Python printed is there when the outermost call returns to the host, and when Python calls C: its lines keep
//! their order with the host's own, and nothing is lost by exit, _exit or abort.
//!
//! Asking `sys.stdout` at the end of each call would cost more than the call. So the interpreter that we start gets
//! a `sys.stdout` and a `sys.stderr` whose `io.BufferedWriter` is a subclass that notes when something is
//! written; the text layer above passes everything on to it at once (`write_through`). A Python that the process
//! had already keeps its own files.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;

use crate::py::{Obj, Raised, Ref, Res, guard, intern};

/// Something was written since the last flush, or memory is to be put aside again.
static DUE: AtomicBool = AtomicBool::new(false);

struct Output {
    /// `io.BufferedWriter.write`, unbound.
    write: Ref,
    /// "flush"
    flush: Ref,
    writers: Vec<Writer>,
}

struct Writer {
    object: Ref,
    /// The last flush failed, and that was told.
    fails: AtomicBool,
}

static OUTPUT: OnceLock<Output> = OnceLock::new();

/// Flushes what Python printed since the last time.
#[inline(always)]
pub fn flush_if_written() {
    if DUE.load(Ordering::Relaxed) {
        flush();
    }
}

/// The reserve of memory was used up: the next outermost return, or call of C, fills it again.
pub fn refill_reserve() {
    DUE.store(true, Ordering::Relaxed);
}

#[cold]
#[inline(never)]
fn flush() {
    // As long as there is no memory it stays due.
    DUE.store(!crate::reserve::fill(), Ordering::Relaxed);
    let Some(output) = OUTPUT.get() else { return };
    // SAFETY: the GIL is held by all callers; the exception that may be set is kept.
    unsafe {
        let saved = ffi::PyErr_Occurred().is_null();
        debug_assert!(saved, "no exception is set when a call returns");
        for writer in &output.writers {
            let result = ffi::PyObject_CallMethodNoArgs(writer.object.obj(), output.flush.obj());
            if !result.is_null() {
                ffi::Py_DECREF(result);
                writer.fails.store(false, Ordering::Relaxed);
            } else if writer.fails.swap(true, Ordering::Relaxed) {
                // Told once, not after each call, until it works again.
                ffi::PyErr_Clear();
            } else {
                // A full disk, a closed pipe. Python at its exit says it likewise.
                ffi::PyErr_WriteUnraisable(writer.object.obj());
            }
        }
    }
}

/// Replaces `sys.stdout` and `sys.stderr`. A failure leaves them as they are.
///
/// The GIL is held.
pub fn install() {
    if let Err(raised) = try_install() {
        raised.clear();
    }
}

fn try_install() -> Res<()> {
    // SAFETY: the GIL is held; names are C strings.
    unsafe {
        let io = Ref::steal(ffi::PyImport_ImportModule(c"io".as_ptr()))?;
        let base = attribute(&io, c"BufferedWriter")?;
        let wrapper = attribute(&io, c"TextIOWrapper")?;
        let write = attribute(&base, c"write")?;
        let class = make_class(&base)?;
        let mut writers = Vec::new();
        let mut texts = Vec::new();
        for name in [c"stdout", c"stderr"] {
            let old = ffi::PySys_GetObject(name.as_ptr());
            // A host may have closed its standard streams: then they are None.
            if old.is_null() || ffi::Py_TYPE(old) != wrapper.as_ptr().cast() {
                continue;
            }
            let old = Ref::borrow(old);
            let (encoding, errors) = (attribute(&old, c"encoding")?, attribute(&old, c"errors")?);
            let line_buffering = attribute(&old, c"line_buffering")?;
            let old_buffer = call(&old, c"detach")?;
            if ffi::Py_TYPE(old_buffer.obj()) != base.as_ptr().cast() {
                continue;
            }
            let raw = call(&old_buffer, c"detach")?;
            let buffer = Ref::steal(ffi::PyObject_CallOneArg(class.obj(), raw.obj()))?;
            let arguments = Ref::steal(ffi::Py_BuildValue(
                c"(OOOsOO)".as_ptr(),
                buffer.obj(),
                encoding.obj(),
                errors.obj(),
                c"\n".as_ptr(),
                line_buffering.obj(),
                ffi::Py_True(),
            ))?;
            let text = Ref::steal(ffi::PyObject_CallObject(wrapper.obj(), arguments.obj()))?;
            let mode = Ref::steal(ffi::PyUnicode_FromString(c"w".as_ptr()))?;
            set_attribute(&text, c"mode", &mode)?;
            writers.push(Writer {
                object: buffer,
                fails: AtomicBool::new(false),
            });
            texts.push((name, text));
        }
        // Only now: a BufferedWriter of the class looks `write` up here.
        let output = Output {
            write,
            flush: intern("flush")?,
            writers,
        };
        let _ = OUTPUT.set(output);
        for (name, text) in &texts {
            let dunder = if *name == c"stdout" {
                c"__stdout__"
            } else {
                c"__stderr__"
            };
            if ffi::PySys_SetObject(name.as_ptr(), text.obj()) < 0
                || ffi::PySys_SetObject(dunder.as_ptr(), text.obj()) < 0
            {
                return Err(Raised::already());
            }
        }
        Ok(())
    }
}

/// A subclass of `io.BufferedWriter` whose `write` notes that it was called.
///
/// # Safety
/// `base` is `io.BufferedWriter`.
unsafe fn make_class(base: &Ref) -> Res<Ref> {
    /// The tables that the class refers to for ever.
    struct Tables([ffi::PyMethodDef; 2], [ffi::PyType_Slot; 2]);
    let tables = Box::leak(Box::new(Tables(
        [
            ffi::PyMethodDef {
                ml_name: c"write".as_ptr(),
                ml_meth: ffi::PyMethodDefPointer { PyCFunction: write },
                ml_flags: ffi::METH_O,
                ml_doc: std::ptr::null(),
            },
            ffi::PyMethodDef::zeroed(),
        ],
        [ffi::PyType_Slot {
            slot: 0,
            pfunc: std::ptr::null_mut(),
        }; 2],
    )));
    tables.1[0] = ffi::PyType_Slot {
        slot: ffi::Py_tp_methods,
        pfunc: tables.0.as_mut_ptr().cast(),
    };
    let mut spec = ffi::PyType_Spec {
        name: c"keelback.BufferedWriter".as_ptr(),
        basicsize: 0,
        itemsize: 0,
        flags: (ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_BASETYPE) as _,
        slots: tables.1.as_mut_ptr(),
    };
    // SAFETY: basicsize 0 inherits the base's; the tables live for ever.
    unsafe {
        let bases = Ref::steal(ffi::PyTuple_Pack(1, base.obj()))?;
        Ref::steal(ffi::PyType_FromSpecWithBases(&mut spec, bases.obj()))
    }
}

unsafe extern "C" fn write(writer: Obj, data: Obj) -> Obj {
    guard(|| {
        let Some(output) = OUTPUT.get() else {
            return Err(crate::raise!(RuntimeError, "no output yet"));
        };
        DUE.store(true, Ordering::Relaxed);
        let mut arguments = [writer, data];
        // SAFETY: live objects, by the slot's contract; the unbound method of the base class takes self first.
        unsafe {
            Ref::steal(ffi::PyObject_Vectorcall(
                output.write.obj(),
                arguments.as_mut_ptr(),
                2,
                std::ptr::null_mut(),
            ))
        }
    })
}

unsafe fn attribute(object: &Ref, name: &std::ffi::CStr) -> Res<Ref> {
    // SAFETY: a live object and a C string.
    unsafe { Ref::steal(ffi::PyObject_GetAttrString(object.obj(), name.as_ptr())) }
}

unsafe fn set_attribute(object: &Ref, name: &std::ffi::CStr, value: &Ref) -> Res<()> {
    // SAFETY: live objects and a C string.
    if unsafe { ffi::PyObject_SetAttrString(object.obj(), name.as_ptr(), value.obj()) } < 0 {
        return Err(Raised::already());
    }
    Ok(())
}

unsafe fn call(object: &Ref, name: &std::ffi::CStr) -> Res<Ref> {
    // SAFETY: a live object and a C string; no arguments.
    unsafe {
        Ref::steal(ffi::PyObject_CallMethod(
            object.obj(),
            name.as_ptr(),
            std::ptr::null(),
        ))
    }
}
