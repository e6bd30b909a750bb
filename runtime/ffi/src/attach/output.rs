//! What Python printed is there when the outermost call returns to the host, and when Python calls C: its lines keep
//! their order with the host's own, and nothing is lost by exit, _exit or abort.
//!
//! Asking `sys.stdout` at the end of each call would cost more than the call. So the interpreter that we start gets
//! a `sys.stdout` and a `sys.stderr` whose `io.BufferedWriter` is a subclass that notes when something is
//! written; the text layer above passes everything on to it at once (`write_through`). A Python that the process
//! had already keeps its own files.
//!
//! A thread waits for another one's output only if it has printed itself: one that is stuck in a full pipe keeps no
//! other out. Threads of Python, which return to nobody, write at the ends of lines. Where Python code has put something
//! else in the place of `sys.stdout`, that is flushed at every return.

use std::ffi::{CStr, c_int};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use pyo3::ffi;

use super::Thread;
use crate::py::{Exception, Live, Obj, Raised, Ref, Res, guard, intern};
use crate::reserve::{self, DUE};

/// Whether Python code has put something of its own in the place of `sys.stdout` or `sys.stderr`.
static REPLACED: AtomicBool = AtomicBool::new(false);

struct Output {
    /// The subclass of `io.BufferedWriter`.
    class: Ref,
    /// `io.BufferedWriter.write`, unbound.
    write: Ref,
    /// "flush"
    flush: Ref,
    streams: [Stream; 2],
}

/// `sys.stdout` or `sys.stderr`.
struct Stream {
    name: &'static CStr,
    dunder: &'static CStr,
    descriptor: c_int,
    /// The `io.BufferedWriter`, and the text layer above; NULL where the host has closed the stream. Owned references,
    /// never given back.
    buffer: AtomicPtr<ffi::PyObject>,
    text: AtomicPtr<ffi::PyObject>,
    /// How many threads are in the buffer. Changed with the GIL.
    busy: AtomicU32,
    /// Whether the last flush failed; that was reported then, and is not reported again.
    fails: AtomicBool,
}

impl Stream {
    const fn new(name: &'static CStr, dunder: &'static CStr, descriptor: c_int) -> Self {
        Self {
            name,
            dunder,
            descriptor,
            buffer: AtomicPtr::new(std::ptr::null_mut()),
            text: AtomicPtr::new(std::ptr::null_mut()),
            busy: AtomicU32::new(0),
            fails: AtomicBool::new(false),
        }
    }
    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }
    /// Does something with the buffer, which may wait for others that are in it.
    fn busily<T>(&self, body: impl FnOnce() -> T) -> T {
        self.busy.fetch_add(1, Ordering::Relaxed);
        let done = body();
        self.busy.fetch_sub(1, Ordering::Relaxed);
        done
    }
    /// Has a stream flushed: its own buffer, or what stands in its place. The GIL is held, no exception is set.
    fn flush(&self, object: Obj, flush: &Ref) {
        // SAFETY: a live object.
        let result = self.busily(|| unsafe { ffi::PyObject_CallMethodNoArgs(object, flush.obj()) });
        // SAFETY: the GIL is held; an exception is set where there is no result.
        unsafe {
            if !result.is_null() {
                ffi::Py_DECREF(result);
                self.fails.store(false, Ordering::Relaxed);
            } else if self.fails.swap(true, Ordering::Relaxed) {
                // A stream that cannot be flushed is told once, not after each call, until it works again.
                ffi::PyErr_Clear();
            } else {
                // A full disk, a closed pipe. Python at its exit says it likewise.
                ffi::PyErr_WriteUnraisable(object);
            }
        }
    }
}

static OUTPUT: OnceLock<Output> = OnceLock::new();

/// Flushes what the thread has printed since the last time.
#[inline(always)]
pub fn flush_if_written(thread: &Thread) {
    if DUE.load(Ordering::Relaxed) || sys::has_changed() {
        flush(thread);
    }
}

#[cold]
#[inline(never)]
fn flush(thread: &Thread) {
    if sys::has_changed() {
        look_at_streams();
    }
    let mine = thread.has_printed.replace(false);
    let replaced = REPLACED.load(Ordering::Relaxed);
    // While the reserve of memory cannot be filled again, this function has to be called after the next call too.
    DUE.store(replaced | !reserve::fill(), Ordering::Relaxed);
    let Some(output) = OUTPUT.get() else { return };
    // SAFETY: the GIL is held by all callers.
    let is_clear = unsafe { ffi::PyErr_Occurred() }.is_null();
    debug_assert!(is_clear, "no exception is set when a call returns");
    for stream in &output.streams {
        let buffer = stream.buffer.load(Ordering::Relaxed);
        if buffer.is_null() {
            continue;
        }
        if stream.is_busy() && !mine {
            DUE.store(true, Ordering::Relaxed);
            continue;
        }
        stream.flush(buffer, &output.flush);
    }
    if replaced {
        flush_replaced(output);
    }
}

fn flush_replaced(output: &Output) {
    for stream in &output.streams {
        // SAFETY: the GIL is held; the object is borrowed from sys, and held meanwhile.
        unsafe {
            let object = ffi::PySys_GetObject(stream.name.as_ptr());
            if object.is_null() || object == ffi::Py_None() {
                continue;
            }
            let object: Ref = Ref::borrow(object);
            if ffi::PyObject_HasAttr(object.obj(), output.flush.obj()) != 0 {
                stream.flush(object.obj(), &output.flush);
            }
        }
    }
}

/// Finds out whether somebody has put something else in the place of `sys.stdout` or `sys.stderr`, or has changed it so
/// that it keeps text back. Called after the init code, and when `sys` has changed. The GIL is held; an exception that is
/// set stays.
pub fn look_at_streams() {
    let Some(output) = OUTPUT.get() else { return };
    sys::note();
    let saved = Exception::fetch_if_set();
    let replaced = output.streams.iter().any(|stream| {
        // SAFETY: the GIL is held; the object is borrowed from sys.
        unsafe {
            let object = ffi::PySys_GetObject(stream.name.as_ptr());
            let ours = stream.text.load(Ordering::Relaxed);
            if object != ours {
                return !object.is_null() && object != ffi::Py_None();
            }
            if object.is_null() {
                return false;
            }
            let through = attribute(&Ref::borrow(object), c"write_through");
            through
                .inspect_err(|_raised| ffi::PyErr_Clear())
                .is_ok_and(|through| through.obj() == ffi::Py_False())
        }
    });
    REPLACED.store(replaced, Ordering::Relaxed);
    if replaced {
        DUE.store(true, Ordering::Relaxed);
    }
    if let Some(saved) = saved {
        let _still_set = saved.restore();
    }
}

/// To be called before a fork: both processes would write what is still in the buffers. A buffer that another thread is
/// in is left alone, so that the fork waits for nobody. The GIL is held.
pub fn flush_if_free() {
    let Some(output) = OUTPUT.get() else { return };
    let saved = Exception::fetch_if_set();
    for stream in &output.streams {
        let buffer = stream.buffer.load(Ordering::Relaxed);
        if !buffer.is_null() && !stream.is_busy() {
            stream.flush(buffer, &output.flush);
        }
    }
    if let Some(saved) = saved {
        let _still_set = saved.restore();
    }
}

/// Streams that `renew_if_taken` has given up.
static GIVEN_UP: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// Whether a file object is one of the streams in which another thread is stuck, or was when the process was forked: who
/// flushes it may wait for ever.
pub fn is_out_of_reach(file: Obj) -> bool {
    let is_busy = |stream: &Stream| {
        let files = [&stream.buffer, &stream.text];
        stream.is_busy() && files.iter().any(|one| one.load(Ordering::Relaxed) == file)
    };
    OUTPUT
        .get()
        .is_some_and(|output| output.streams.iter().any(is_busy))
        || {
            let given_up = GIVEN_UP.lock().unwrap_or_else(PoisonError::into_inner);
            given_up.contains(&(file as usize))
        }
}

/// To be called in a forked child: a buffer that another thread was in at the fork stays locked for ever, so the stream
/// gets a new one. The GIL is held.
pub fn renew_if_taken() {
    let Some(output) = OUTPUT.get() else { return };
    let saved = Exception::fetch_if_set();
    for stream in &output.streams {
        if !stream.is_busy() {
            continue;
        }
        stream.busy.store(0, Ordering::Relaxed);
        GIVEN_UP
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(
                [&stream.buffer, &stream.text].map(|file| file.load(Ordering::Relaxed) as usize),
            );
        // SAFETY: the GIL is held; names and formats are C strings.
        let renewed = unsafe {
            crate::py::import(c"io").and_then(|io: Ref| {
                let raw: Ref = Ref::steal(ffi::PyObject_CallMethod(
                    io.obj(),
                    c"FileIO".as_ptr(),
                    c"isi".as_ptr(),
                    stream.descriptor,
                    c"w".as_ptr(),
                    0 as c_int,
                ))?;
                let old: Ref = Ref::borrow(stream.text.load(Ordering::Relaxed));
                let is_current = ffi::PySys_GetObject(stream.name.as_ptr()) == old.obj();
                make_stream(output, stream, &old, &raw)?;
                set(stream, is_current)
            })
        };
        renewed.unwrap_or_else(Raised::clear);
    }
    if let Some(saved) = saved {
        let _still_set = saved.restore();
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
    let io = crate::py::import(c"io")?;
    let base = attribute(&io, c"BufferedWriter")?;
    let wrapper = attribute(&io, c"TextIOWrapper")?;
    let output = Output {
        // SAFETY: `base` is io.BufferedWriter.
        class: unsafe { make_class(&base)? },
        write: attribute(&base, c"write")?,
        flush: intern("flush")?,
        streams: [
            Stream::new(c"stdout", c"__stdout__", 1),
            Stream::new(c"stderr", c"__stderr__", 2),
        ],
    };
    for stream in &output.streams {
        // SAFETY: the GIL is held; the stream is borrowed from `sys`, and held from here on.
        let old = unsafe { Live::or_null(ffi::PySys_GetObject(stream.name.as_ptr())) };
        // A host may have closed its standard streams: then they are None.
        let Some(old) = old.filter(|old| old.class() == wrapper.as_ptr().cast()) else {
            continue;
        };
        let old = old.to_ref();
        let old_buffer = attribute(&old, c"buffer")?;
        if old_buffer.live().class() != base.as_ptr().cast() {
            continue;
        }
        let raw = attribute(&old_buffer, c"raw")?;
        // SAFETY: the GIL is held.
        unsafe { make_stream(&output, stream, &old, &raw)? };
        call(&old, c"detach")?;
        call(&old_buffer, c"detach")?;
    }
    // OUTPUT is set before `sys` gets the streams: the `write` of the new class looks the base's `write` up in it.
    let output = OUTPUT.get_or_init(|| output);
    for stream in &output.streams {
        // SAFETY: the GIL is held.
        unsafe { set(stream, true)? };
    }
    sys::watch()
}

/// Tells that something in the module `sys` was set anew: up to 3.11 dicts have a version, later they can be watched.
#[cfg(not(Py_3_12))]
mod sys {
    use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

    use pyo3::ffi;

    use crate::py::{Ref, Res};

    /// Where the version of the dict of `sys` is; before `watch` this points to a number that never changes.
    static VERSION: AtomicPtr<u64> = AtomicPtr::new(NO_VERSION.as_ptr());
    static NO_VERSION: AtomicU64 = AtomicU64::new(0);
    static NOTED: AtomicU64 = AtomicU64::new(0);

    /// The GIL is held.
    pub fn watch() -> Res<()> {
        // SAFETY: the GIL is held; the module is held for ever, and its dict with it.
        unsafe {
            let module: Ref = crate::py::import(c"sys")?;
            let dict = ffi::PyModule_GetDict(module.into_ptr()).cast::<ffi::PyDictObject>();
            VERSION.store(&raw mut (*dict).ma_version_tag, Ordering::Relaxed);
        }
        note();
        Ok(())
    }
    #[inline(always)]
    fn version() -> u64 {
        // SAFETY: VERSION points to a static, or into a dict that is held for ever; the GIL, which is held, keeps others
        // from changing the number meanwhile.
        unsafe { *VERSION.load(Ordering::Relaxed) }
    }
    /// Remembers the state that there is now as known. The GIL is held.
    pub fn note() {
        NOTED.store(version(), Ordering::Relaxed);
    }
    /// Whether something was set since `note`. The GIL is held.
    #[inline(always)]
    pub fn has_changed() -> bool {
        version() != NOTED.load(Ordering::Relaxed)
    }
}

#[cfg(Py_3_12)]
mod sys {
    use std::ffi::c_int;
    use std::sync::atomic::{AtomicBool, Ordering};

    use pyo3::ffi;

    use crate::py::{Obj, Raised, Ref, Res};

    type Callback = unsafe extern "C" fn(c_int, Obj, Obj, Obj) -> c_int;
    unsafe extern "C" {
        fn PyDict_AddWatcher(callback: Callback) -> c_int;
    }

    static CHANGED: AtomicBool = AtomicBool::new(false);

    unsafe extern "C" fn changed(_event: c_int, _dict: Obj, _key: Obj, _value: Obj) -> c_int {
        CHANGED.store(true, Ordering::Relaxed);
        super::DUE.store(true, Ordering::Relaxed);
        0
    }
    /// The GIL is held.
    pub fn watch() -> Res<()> {
        // SAFETY: the GIL is held; the module is held for ever, and its dict with it; the callback is a function of a
        // library that is never unmapped.
        unsafe {
            let module: Ref = crate::py::import(c"sys")?;
            let dict = ffi::PyModule_GetDict(module.into_ptr());
            let watcher = PyDict_AddWatcher(changed);
            if watcher < 0 || ffi::PyDict_Watch(watcher, dict) < 0 {
                return Err(Raised::already());
            }
        }
        Ok(())
    }
    /// Remembers the state that there is now as known.
    pub fn note() {
        CHANGED.store(false, Ordering::Relaxed);
    }
    /// Whether something was set since `note`. `changed` sets `DUE` as well, so a caller that finds `DUE` unset need not ask
    /// here.
    #[inline(always)]
    pub fn has_changed() -> bool {
        CHANGED.load(Ordering::Relaxed)
    }
}

/// A text stream over `raw`, with the settings of `old`.
///
/// # Safety
/// The GIL is held.
unsafe fn make_stream(output: &Output, stream: &Stream, old: &Ref, raw: &Ref) -> Res<()> {
    let io = crate::py::import(c"io")?;
    let wrapper = attribute(&io, c"TextIOWrapper")?;
    let (encoding, errors) = (attribute(old, c"encoding")?, attribute(old, c"errors")?);
    let line_buffering = attribute(old, c"line_buffering")?;
    let buffer: Ref = output.class.live().call_with(raw.live())?;
    // SAFETY: the GIL is held (the caller's contract). The format asks for five objects, which the references keep alive,
    // and a C string, in this order.
    let arguments: Ref = unsafe {
        Ref::steal(ffi::Py_BuildValue(
            c"(OOOsOO)".as_ptr(),
            buffer.obj(),
            encoding.obj(),
            errors.obj(),
            c"\n".as_ptr(),
            line_buffering.obj(),
            ffi::Py_True(),
        ))?
    };
    // SAFETY: the GIL is held (the caller's contract); a live callable and a live tuple.
    let text: Ref =
        unsafe { Ref::steal(ffi::PyObject_CallObject(wrapper.obj(), arguments.obj()))? };
    set_attribute(&text, c"mode", &crate::py::str_from("w")?)?;
    stream.buffer.store(buffer.into_ptr(), Ordering::Relaxed);
    stream.text.store(text.into_ptr(), Ordering::Relaxed);
    Ok(())
}

/// Puts a stream into `sys`.
///
/// # Safety
/// The GIL is held.
unsafe fn set(stream: &Stream, is_current: bool) -> Res<()> {
    let text = stream.text.load(Ordering::Relaxed);
    if text.is_null() {
        return Ok(());
    }
    // SAFETY: the GIL is held (the caller's contract); `text` is owned by the stream for ever; the names are C strings.
    unsafe {
        if (is_current && ffi::PySys_SetObject(stream.name.as_ptr(), text) < 0)
            || ffi::PySys_SetObject(stream.dunder.as_ptr(), text) < 0
        {
            return Err(Raised::already());
        }
    }
    Ok(())
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

/// `write` of a stream that notes that something was written.
///
/// # Safety
/// Called by Python, as a method of the stream that was replaced.
unsafe extern "C" fn write(writer: Obj, data: Obj) -> Obj {
    guard(|| {
        let Some(output) = OUTPUT.get() else {
            return Err(crate::raise!(RuntimeError, "no output yet"));
        };
        let mut arguments = [writer, data];
        // SAFETY: Python keeps `writer` and `data` alive during the call (the caller's contract); the base class's unbound
        // `write` takes self first.
        let mut write = || unsafe {
            Ref::steal(ffi::PyObject_Vectorcall(
                output.write.obj(),
                arguments.as_mut_ptr(),
                2,
                std::ptr::null_mut(),
            ))
        };
        let mut streams = output.streams.iter();
        let Some(stream) = streams.find(|one| one.buffer.load(Ordering::Relaxed) == writer) else {
            // Not a current stream: Python code has made an object of this class, or the stream was replaced after a fork.
            return write();
        };
        let written = stream.busily(&mut write)?;
        let thread = Thread::here();
        if thread.depth.get() > 0 {
            thread.has_printed.set(true);
            DUE.store(true, Ordering::Relaxed);
        } else if ends_line(data) {
            stream.flush(writer, &output.flush);
        } else {
            DUE.store(true, Ordering::Relaxed);
        }
        Ok(written)
    })
}

/// Whether there is a line end in what is written.
fn ends_line(data: Obj) -> bool {
    // SAFETY: `data` is live during the call of `write`, and bytes or the text of a str stay as long as their object.
    unsafe {
        if ffi::PyBytes_CheckExact(data) == 0 {
            return true;
        }
        let (start, length) = (ffi::PyBytes_AsString(data), ffi::PyBytes_Size(data));
        std::slice::from_raw_parts(start.cast::<u8>(), length as usize).contains(&b'\n')
    }
}

/// An attribute of a stream.
fn attribute(object: &Ref, name: &CStr) -> Res<Ref> {
    // SAFETY: a live object and a C string.
    unsafe { Ref::steal(ffi::PyObject_GetAttrString(object.obj(), name.as_ptr())) }
}

/// Sets an attribute of a stream.
fn set_attribute(object: &Ref, name: &CStr, value: &Ref) -> Res<()> {
    // SAFETY: live objects and a C string.
    if unsafe { ffi::PyObject_SetAttrString(object.obj(), name.as_ptr(), value.obj()) } < 0 {
        return Err(Raised::already());
    }
    Ok(())
}

/// Calls a method without arguments.
fn call(object: &Ref, name: &CStr) -> Res<Ref> {
    // SAFETY: a live object and a C string; no arguments.
    unsafe {
        Ref::steal(ffi::PyObject_CallMethod(
            object.obj(),
            name.as_ptr(),
            std::ptr::null(),
        ))
    }
}
