//! `ffi.buffer`: C memory as a Python buffer, without a copy.

use std::ffi::{c_int, c_void};

use pyo3::ffi;

use crate::cdata::arith::to_index;
use crate::ctype::{Code, Kind, UNKNOWN_SIZE};
use crate::object::{CData, TYPES};
use crate::py::{
    Instance, Live, Obj, Raised, Ref, Res, Signature, StaticType, bool_object, guard, guard_unit,
    make, none, not_implemented, slot, warn,
};
use crate::{exception, raise};

/// The type object of `ffi.buffer`.
pub static BUFFER_TYPE: StaticType = StaticType::new();

/// A buffer over memory of a cdata.
#[repr(C)]
struct Buffer {
    ob_base: crate::py::Head,
    data: *mut u8,
    size: isize,
    /// The cdata; kept alive. NULL only after tp_clear.
    keep: Obj,
    weakrefs: Obj,
}

impl Buffer {
    /// A part of the memory.
    fn range(&self, start: usize, count: usize) -> &[u8] {
        if count == 0 {
            return &[];
        }
        // SAFETY: callers ask for a part inside of `size`. The cdata keeps the memory alive as far as it knows of it; behind
        // a bare pointer it is the user's to keep, as in C.
        unsafe { std::slice::from_raw_parts(self.data.add(start), count) }
    }
    /// Raises for memory that cannot be there.
    fn check(&self) -> Res<()> {
        // SAFETY: `keep` is NULL after tp_clear, and otherwise an owned reference to a live cdata.
        if let Some(cdata) = unsafe { Live::or_null(self.keep) }.and_then(CData::of) {
            cdata.check_live()?;
        }
        if self.data.is_null() && self.size > 0 {
            return Err(raise!(RuntimeError, "this buffer is over a NULL pointer"));
        }
        Ok(())
    }
}

struct Tables {
    sequence: std::cell::UnsafeCell<ffi::PySequenceMethods>,
    mapping: std::cell::UnsafeCell<ffi::PyMappingMethods>,
    buffer: std::cell::UnsafeCell<ffi::PyBufferProcs>,
}

// SAFETY: never changed; CPython only reads them.
unsafe impl Sync for Tables {}

static TABLES: Tables = Tables {
    sequence: std::cell::UnsafeCell::new(ffi::PySequenceMethods {
        sq_length: Some(slot!(length, (&Buffer) -> isize)),
        sq_concat: None,
        sq_repeat: None,
        sq_item: Some(slot!(item, (&Buffer, isize) -> Obj)),
        was_sq_slice: std::ptr::null_mut(),
        sq_ass_item: None,
        was_sq_ass_slice: std::ptr::null_mut(),
        sq_contains: None,
        sq_inplace_concat: None,
        sq_inplace_repeat: None,
    }),
    mapping: std::cell::UnsafeCell::new(ffi::PyMappingMethods {
        mp_length: Some(slot!(length, (&Buffer) -> isize)),
        mp_subscript: Some(slot!(subscript, (&Buffer, Live) -> Obj)),
        mp_ass_subscript: Some(slot!(assign, (&Buffer, Live, Option<Live>) -> c_int)),
    }),
    buffer: std::cell::UnsafeCell::new(ffi::PyBufferProcs {
        bf_getbuffer: Some(get_buffer),
        bf_releasebuffer: None,
    }),
};

/// Makes the type ready.
pub fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit a Buffer.
    unsafe {
        BUFFER_TYPE.ready(ffi::Py_TPFLAGS_HAVE_GC, |ty| {
            ty.tp_name = c"_cffi_backend.buffer".as_ptr();
            ty.tp_doc = c"buffer(cdata, size=-1)\n--\n\nThe C memory that a pointer or array cdata shows, as a writable buffer: buf[i], buf[a:b], memoryview(buf), file.readinto(buf)...".as_ptr();
            ty.tp_basicsize = size_of::<Buffer>() as ffi::Py_ssize_t;
            ty.tp_weaklistoffset = std::mem::offset_of!(Buffer, weakrefs) as ffi::Py_ssize_t;
            ty.tp_as_sequence = TABLES.sequence.get();
            ty.tp_as_mapping = TABLES.mapping.get();
            ty.tp_as_buffer = TABLES.buffer.get();
            ty.tp_new = Some(new);
            ty.tp_vectorcall = Some(vectorcall);
            ty.tp_dealloc = Some(dealloc);
            ty.tp_traverse = Some(traverse);
            ty.tp_clear = Some(clear);
            ty.tp_richcompare = Some(slot!(compare, (Live, Live, c_int) -> Obj));
        })
    }
}

static BUFFER: Signature<2> = Signature::new("buffer", ["cdata", "size"], 1);

/// tp_new of the type.
///
/// # Safety
/// Called by Python, through the slot.
unsafe extern "C" fn new(_ty: *mut ffi::PyTypeObject, args: Obj, kwargs: Obj) -> Obj {
    // SAFETY: tp_new gets a tuple, and NULL or a dict whose keys are str.
    guard(|| buffer(unsafe { BUFFER.parse_tuple(args, kwargs) }?))
}

/// A call of the type.
///
/// # Safety
/// Called by Python, as vectorcall is.
unsafe extern "C" fn vectorcall(_ty: Obj, args: *const Obj, count: usize, names: Obj) -> Obj {
    // SAFETY: what Python passes to vectorcall.
    guard(|| buffer(unsafe { BUFFER.parse(args, ffi::PyVectorcall_NARGS(count), names) }?))
}

/// `ffi.buffer(cdata, size=-1)`
fn buffer([cdata, size]: [Obj; 2]) -> Res<Ref> {
    // SAFETY: arguments that are alive during the call; the first one is required.
    let (cdata, size) = unsafe { (Live::new(cdata), Live::or_null(size)) };
    let size = crate::ffi::text::ssize_or(size, -1)?;
    let Some(cdata) = CData::of(cdata) else {
        return Err(raise!(
            TypeError,
            "buffer() argument 1 must be a cdata, not {}",
            cdata.type_name()
        ));
    };
    if !is_memory(cdata) {
        return Err(raise!(
            TypeError,
            "expected a pointer or array cdata, got '{}'",
            cdata.ctype().name
        ));
    }
    let size = if size < 0 {
        default_size(cdata)?
    } else {
        warn_of_more(cdata, size)?;
        size
    };
    if size > 0 {
        cdata.check_live()?;
    }
    // SAFETY: a fresh object, filled before anyone sees it.
    unsafe {
        let object = Ref::steal(ffi::PyObject_GC_New::<Buffer>(BUFFER_TYPE.ptr()))?;
        let raw = object.as_ptr();
        std::ptr::addr_of_mut!((*raw).data).write(cdata.data());
        std::ptr::addr_of_mut!((*raw).size).write(size);
        std::ptr::addr_of_mut!((*raw).keep).write(cdata.live().to_ref().into_ptr());
        std::ptr::addr_of_mut!((*raw).weakrefs).write(std::ptr::null_mut());
        ffi::PyObject_GC_Track(raw.cast());
        Ok(object.into_obj())
    }
}

/// Warns, as CFFI does, of a buffer that reaches further than the memory of what `ffi.new()` made.
fn warn_of_more(cdata: &CData, size: isize) -> Res<()> {
    let owned = match cdata.ctype().kind {
        Kind::Pointer => crate::ffi::extent::pointed_to_size(cdata),
        Kind::Array if cdata.python_type() == TYPES.owning.ptr() => cdata.value_size().ok(),
        _ => None,
    };
    match owned {
        Some(owned) if size as usize > owned => warn(&format!(
            "ffi.buffer(cdata, bytes): creating a buffer of {size} bytes over a cdata that owns only {owned} bytes.  \
             This will crash if you access the extra memory"
        )),
        _ => Ok(()),
    }
}

/// Whether it is a pointer to objects, or an array.
fn is_memory(cdata: &CData) -> bool {
    let ctype = cdata.ctype();
    ctype.is_pointer_or_array() && !ctype.is_function_pointer()
}

/// The size of what a pointer or array shows.
fn default_size(cdata: &CData) -> Res<isize> {
    let ctype = cdata.ctype();
    let size = match ctype.code {
        Code::Array => cdata.array_length() * ctype.item().size(),
        Code::Pointer => match crate::ffi::extent::pointed_to_size(cdata) {
            Some(size) => size as isize,
            None => ctype.item().size(),
        },
        _ => UNKNOWN_SIZE,
    };
    if size < 0 {
        return Err(raise!(
            TypeError,
            "don't know the size pointed to by '{}'{}",
            ctype.name,
            ctype.why_opaque()
        ));
    }
    Ok(size)
}

// SAFETY: starts with the head of an object.
unsafe impl Instance for Buffer {}

/// tp_dealloc of the type.
///
/// # Safety
/// Called by Python, through the slot.
unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone.
        unsafe {
            ffi::PyObject_GC_UnTrack(object.cast());
            let raw = object.cast::<Buffer>();
            if !(*raw).weakrefs.is_null() {
                ffi::PyObject_ClearWeakRefs(object);
            }
            ffi::Py_XDECREF((*raw).keep);
            ffi::PyObject_GC_Del(object.cast());
        }
    });
}

/// tp_traverse of the type.
///
/// # Safety
/// Called by Python, through the slot.
unsafe extern "C" fn traverse(object: Obj, visit: ffi::visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live Buffer.
    unsafe {
        let keep = Live::new(object).cast::<Buffer>().keep;
        if keep.is_null() { 0 } else { visit(keep, arg) }
    }
}

/// tp_clear of the type.
///
/// # Safety
/// Called by Python, through the slot.
unsafe extern "C" fn clear(object: Obj) -> c_int {
    guard(|| {
        // SAFETY: a live Buffer in a garbage cycle: nobody reads its memory any more.
        unsafe {
            let raw = object.cast::<Buffer>();
            (*raw).size = 0;
            let keep = std::mem::replace(&mut (*raw).keep, std::ptr::null_mut());
            ffi::Py_XDECREF(keep);
        }
        Ok(())
    })
}

fn length(buffer: &Buffer) -> Res<isize> {
    Ok(buffer.size)
}

fn item(buffer: &Buffer, index: isize) -> Res<Ref> {
    buffer.check()?;
    if index < 0 || index >= buffer.size {
        return Err(raise!(IndexError, "buffer index out of range"));
    }
    make::bytes(buffer.range(index as usize, 1))
}

/// The part of a buffer that a subscript means.
enum Place {
    Index(usize),
    Range(usize, usize),
}

fn place(buffer: &Buffer, key: Live, out_of_range: &str) -> Res<Place> {
    buffer.check()?;
    let size = buffer.size;
    if key.is_slice() {
        let (mut start, mut stop, mut step) = (0, 0, 0);
        // SAFETY: a slice, and places for its parts.
        let count = unsafe {
            Raised::if_negative(ffi::PySlice_Unpack(
                key.ptr(),
                &mut start,
                &mut stop,
                &mut step,
            ))?;
            ffi::PySlice_AdjustIndices(size, &mut start, &mut stop, step)
        };
        if step != 1 {
            return Err(raise!(
                TypeError,
                "buffer doesn't support slicing with step != 1"
            ));
        }
        return Ok(Place::Range(start as usize, count as usize));
    }
    // SAFETY: a live object.
    if unsafe { ffi::PyIndex_Check(key.ptr()) } == 0 {
        return Err(raise!(
            TypeError,
            "buffer indices must be integers, not {}",
            key.type_name()
        ));
    }
    let index = to_index(key, exception!(IndexError))?;
    let index = if index < 0 { index + size } else { index };
    if index < 0 || index >= size {
        return Err(raise!(IndexError, "{out_of_range}"));
    }
    Ok(Place::Index(index as usize))
}

fn subscript(buffer: &Buffer, key: Live) -> Res<Ref> {
    let (start, count) = match place(buffer, key, "buffer index out of range")? {
        Place::Index(index) => (index, 1),
        Place::Range(start, count) => (start, count),
    };
    make::bytes(buffer.range(start, count))
}

fn assign(buffer: &Buffer, key: Live, value: Option<Live>) -> Res<()> {
    let Some(value) = value else {
        return Err(raise!(
            TypeError,
            "'del x[n]' not supported for buffer objects"
        ));
    };
    match place(buffer, key, "buffer assignment index out of range")? {
        Place::Index(index) => {
            let Some(&[byte]) = value.bytes() else {
                return Err(raise!(
                    TypeError,
                    "must assign a bytes of length 1, not {}",
                    value.type_name()
                ));
            };
            // SAFETY: a place in the buffer.
            unsafe { buffer.data.add(index).write(byte) };
        }
        Place::Range(start, count) => {
            let source = View::of(value, false)?;
            if source.bytes().len() != count {
                return Err(raise!(
                    ValueError,
                    "right operand length must match slice length"
                ));
            }
            // SAFETY: `count` bytes on both sides. The source may be this same memory.
            unsafe {
                std::ptr::copy(source.bytes().as_ptr(), buffer.data.add(start), count);
            }
        }
    }
    Ok(())
}

/// bf_getbuffer of the type.
///
/// # Safety
/// Called by Python, through the slot.
unsafe extern "C" fn get_buffer(object: Obj, view: *mut ffi::Py_buffer, flags: c_int) -> c_int {
    guard(|| {
        // SAFETY: a Buffer, by the slot's contract.
        let buffer = unsafe { Live::new(object).cast::<Buffer>() };
        buffer.check()?;
        // SAFETY: the buffer keeps the memory alive through the cdata, and the view keeps the buffer.
        Raised::if_negative(unsafe {
            ffi::PyBuffer_FillInfo(view, object, buffer.data.cast(), buffer.size, 0, flags)
        })
    })
}

/// A comparison of two objects, one of which is a Buffer.
fn compare(left: Live, right: Live, operation: c_int) -> Res<Ref> {
    let views = match (View::of(left, false), View::of(right, false)) {
        (Ok(left), Ok(right)) => (left, right),
        (Err(raised), _) | (_, Err(raised)) => {
            // An object without a buffer leaves the comparison to the other operand. Any other failure (a released
            // memoryview, say) is the user's error, and raised.
            raised.clear_if(exception!(TypeError))?;
            return Ok(not_implemented());
        }
    };
    let order = views.0.bytes().cmp(views.1.bytes());
    let result = match operation {
        ffi::Py_EQ => order.is_eq(),
        ffi::Py_NE => order.is_ne(),
        ffi::Py_LT => order.is_lt(),
        ffi::Py_LE => order.is_le(),
        ffi::Py_GT => order.is_gt(),
        ffi::Py_GE => order.is_ge(),
        _ => return Ok(none()),
    };
    Ok(bool_object(result))
}

/// An exported buffer of a Python object, given back when dropped.
pub struct View(ffi::Py_buffer);

impl View {
    /// The contiguous memory of an object with the buffer interface; BufferError or TypeError otherwise.
    pub fn of(object: Live, writable: bool) -> Res<Self> {
        let flags = if writable {
            ffi::PyBUF_WRITABLE
        } else {
            ffi::PyBUF_SIMPLE
        };
        let mut view = ffi::Py_buffer::new();
        // SAFETY: a live object, and room for a view.
        Raised::if_negative(unsafe { ffi::PyObject_GetBuffer(object.ptr(), &mut view, flags) })?;
        Ok(Self(view))
    }
    /// The memory.
    pub fn bytes(&self) -> &[u8] {
        if self.0.len == 0 {
            return &[];
        }
        // SAFETY: exported, until self is dropped.
        unsafe { std::slice::from_raw_parts(self.0.buf.cast(), self.0.len as usize) }
    }
    /// Where the memory starts.
    pub fn data(&self) -> *mut u8 {
        self.0.buf.cast()
    }
    /// The raw view; the caller releases it.
    pub fn into_raw(self) -> ffi::Py_buffer {
        let view = self.0;
        std::mem::forget(self);
        view
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: got by PyObject_GetBuffer, released once.
        unsafe { ffi::PyBuffer_Release(&mut self.0) }
    }
}
