//! The tables that CFFI's API mode compiles into an extension module: constant memory of its library, as CFFI's
//! `parse_c_type.h` lays it out.

use std::cmp;
use std::ffi::{CStr, c_char, c_int, c_ulonglong, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

use keelback_cdef::{Op, Sorted, TableEnum, TableError, TableField, TableSource};
use rustc_hash::{FxBuildHasher, FxHashMap};

/// `_cffi_type_context_s`
#[repr(C)]
pub struct Context {
    types: *mut *mut c_void,
    globals: *const Global,
    fields: *const Field,
    records: *const Record,
    enums: *const Enum,
    typedefs: *const Typedef,
    global_count: c_int,
    record_count: c_int,
    enum_count: c_int,
    typedef_count: c_int,
    includes: *const *const c_char,
    type_count: c_int,
    flags: c_int,
}

/// `_cffi_global_s`
#[repr(C)]
pub struct Global {
    /// A C string.
    pub name: *const c_char,
    /// What this is depends on the operation.
    pub address: *mut c_void,
    operation: isize,
    /// A variable's size; the plain C function beside a wrapper; the C function of an `extern "Python"`.
    pub size_or_function: *mut c_void,
}

/// `_cffi_struct_union_s`
#[repr(C)]
struct Record {
    name: *const c_char,
    type_index: c_int,
    flags: c_int,
    size: usize,
    alignment: c_int,
    first_field: c_int,
    field_count: c_int,
}

/// `_cffi_field_s`
#[repr(C)]
struct Field {
    name: *const c_char,
    offset: usize,
    size: usize,
    operation: isize,
}

/// `_cffi_enum_s`
#[repr(C)]
struct Enum {
    name: *const c_char,
    type_index: c_int,
    primitive: c_int,
    enumerators: *const c_char,
}

/// `_cffi_typename_s`
#[repr(C)]
struct Typedef {
    name: *const c_char,
    type_index: c_int,
}

/// What an offset or a size is where the compiler was not asked.
const NOT_ASKED: usize = usize::MAX;
const FLAG_EXTERN_PYTHON: c_int = 1;
const OP_FUNCTION_END: u8 = 15;
const OP_NOOP: u8 = 17;
const OP_BIT_FIELD: u8 = 19;

/// What a global is, by its operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GlobalCode {
    /// A function with a wrapper of these METH_ flags.
    Function(c_int),
    /// A constant that a C function writes to memory.
    Constant,
    /// A variable whose address is known.
    Variable,
    /// A variable whose address a C function tells.
    VariableAccess,
    /// An `extern "Python"` function.
    ExternPython,
    /// An integer constant.
    Integer,
    /// An operation that is not known.
    Other,
}

impl GlobalCode {
    /// Whether it can be assigned to.
    pub fn is_variable(self) -> bool {
        matches!(self, Self::Variable | Self::VariableAccess)
    }
}

/// The tables of a module.
#[derive(Clone, Copy)]
pub struct CompiledTables {
    context: &'static Context,
    /// A constant pointer in the context, with the number of its types.
    types: &'static [AtomicPtr<c_void>],
}

/// The operations that stood where ctypes stand now, by place. Of the whole process, as the tables are: a module may be
/// loaded a second time, by another interpreter.
static OVERWRITTEN: Mutex<FxHashMap<usize, isize>> =
    Mutex::new(FxHashMap::with_hasher(FxBuildHasher));

// SAFETY: the memory is constant, and stays as long as the process: extension modules are never unmapped.
unsafe impl Send for CompiledTables {}
// SAFETY: as above.
unsafe impl Sync for CompiledTables {}

fn operation(value: isize) -> Op {
    Op {
        code: value as u8,
        argument: i32::try_from(value >> 8).unwrap_or(i32::MIN),
    }
}

/// The operation that stood at a place of the types; `None` where nothing else stood than stands there.
#[cold]
fn overwritten_at(place: &AtomicPtr<c_void>) -> Option<isize> {
    let overwritten = OVERWRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    overwritten
        .get(&(std::ptr::from_ref(place) as usize))
        .copied()
}

/// # Safety
/// `text` is NULL, or a C string that stays as long as the process.
unsafe fn text<'a>(text: *const c_char) -> &'a [u8] {
    if text.is_null() {
        return &[];
    }
    // SAFETY: `text` is not NULL, and so a C string that stays (the caller's contract).
    unsafe { CStr::from_ptr(text) }.to_bytes()
}

/// The index of a name among so many that are sorted. What the name shares with those on both sides is not compared again.
///
/// # Safety
/// `name_at` gives C strings, for all numbers below `count`; it is asked for no others.
unsafe fn search(
    count: usize,
    name_at: impl Fn(usize) -> *const c_char,
    name: &[u8],
) -> Option<usize> {
    let (mut low, mut high) = (0, count);
    let (mut shared_below, mut shared_above) = (0usize, 0usize);
    while low < high {
        let middle = low + (high - low) / 2;
        let there = name_at(middle).cast::<u8>();
        let mut shared = shared_below.min(shared_above);
        let order = loop {
            // SAFETY: both are alike up to here, without a NUL: so the C string goes on at least to here.
            let byte = unsafe { *there.add(shared) };
            match name.get(shared) {
                None if byte == 0 => return Some(middle),
                None => break cmp::Ordering::Greater,
                Some(&wanted) if byte != wanted => break byte.cmp(&wanted),
                // The name has a NUL where the C string ends.
                Some(_) if byte == 0 => break cmp::Ordering::Less,
                Some(_) => shared += 1,
            }
        };
        if order == cmp::Ordering::Less {
            (low, shared_below) = (middle + 1, shared);
        } else {
            (high, shared_above) = (middle, shared);
        }
    }
    None
}

/// # Safety
/// `first` is NULL, or points to `count` items that stay as long as the process.
unsafe fn items<'a, T>(first: *const T, count: c_int) -> &'a [T] {
    match usize::try_from(count) {
        // SAFETY: `first` is not NULL, and so points to `count` items that stay (the caller's contract).
        Ok(count) if !first.is_null() => unsafe { std::slice::from_raw_parts(first, count) },
        _ => &[],
    }
}

impl CompiledTables {
    /// # Safety
    /// The context of a module that CFFI compiled, which stays as long as the process.
    pub unsafe fn new(context: *const Context) -> Self {
        // SAFETY: the context of a module that CFFI compiled, which stays as long as the process.
        unsafe {
            let context = &*context;
            let types = items(
                context.types.cast::<AtomicPtr<c_void>>().cast_const(),
                context.type_count,
            );
            Self { context, types }
        }
    }
    /// What stood at a place of the types when the module was loaded.
    #[inline]
    fn raw_type(&self, index: usize) -> Option<isize> {
        let place = self.types.get(index)?;
        let value = place.load(Ordering::Acquire) as isize;
        // Operations are odd numbers.
        if value & 1 != 0 {
            return Some(value);
        }
        Some(overwritten_at(place).unwrap_or(value))
    }
    /// Puts a ctype where the module's own code looks for that of an index, unless one is there already. Whether it did.
    pub fn set_type(&self, index: usize, ctype: *mut c_void) -> bool {
        let Some(place) = self.types.get(index) else {
            return false;
        };
        let mut overwritten = OVERWRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
        let operation = place.load(Ordering::Acquire) as isize;
        if operation & 1 == 0 {
            return false;
        }
        // Before it can be missed: see `raw_type`.
        overwritten.insert(std::ptr::from_ref(place) as usize, operation);
        place.store(ctype, Ordering::Release);
        true
    }
    fn all_globals(&self) -> &[Global] {
        // SAFETY: the context is CFFI's, by `new`.
        unsafe { items(self.context.globals, self.context.global_count) }
    }
    fn all_records(&self) -> &[Record] {
        // SAFETY: as above.
        unsafe { items(self.context.records, self.context.record_count) }
    }
    fn all_enums(&self) -> &[Enum] {
        // SAFETY: as above.
        unsafe { items(self.context.enums, self.context.enum_count) }
    }
    fn all_typedefs(&self) -> &[Typedef] {
        // SAFETY: as above.
        unsafe { items(self.context.typedefs, self.context.typedef_count) }
    }
    fn fields_of(&self, record: usize) -> &[Field] {
        let record = &self.all_records()[record];
        match usize::try_from(record.first_field) {
            // SAFETY: as above: the fields of one record follow each other.
            Ok(first) if !self.context.fields.is_null() => unsafe {
                items(self.context.fields.add(first), record.field_count)
            },
            _ => &[],
        }
    }
    /// Whether the module has `extern "Python"` functions.
    pub fn has_extern_python(&self) -> bool {
        self.context.flags & FLAG_EXTERN_PYTHON != 0
    }
    /// The names of the modules that it includes.
    pub fn includes(&self) -> Vec<&'static CStr> {
        let mut names = Vec::new();
        let mut place = self.context.includes;
        // SAFETY: NULL, or C strings with a NULL at the end.
        unsafe {
            while !place.is_null() && !(*place).is_null() {
                names.push(CStr::from_ptr(*place));
                place = place.add(1);
            }
        }
        names
    }
    /// A function, variable or constant: what it is, and its entry.
    pub fn find(&self, name: &str) -> Option<(GlobalCode, &Global)> {
        let globals = self.all_globals();
        let found = TableSource::find(self, Sorted::Globals, name.as_bytes())?;
        let global = &globals[found];
        Some((global.code(), global))
    }
    /// All names, sorted, and what they are.
    pub fn names(&self) -> impl ExactSizeIterator<Item = (&CStr, GlobalCode)> {
        let globals = self.all_globals().iter();
        // SAFETY: names are C strings.
        globals.map(|global| (unsafe { CStr::from_ptr(global.name) }, global.code()))
    }
    /// The names of all `extern "Python"` functions, with their entries.
    pub fn externs(&self) -> impl Iterator<Item = (&CStr, &Global)> {
        // Thousands of others need not be looked at where the module says that there is none.
        let globals = match self.has_extern_python() {
            true => self.all_globals(),
            false => &[],
        };
        globals
            .iter()
            .filter(|global| global.code() == GlobalCode::ExternPython)
            // SAFETY: names are C strings.
            .map(|global| (unsafe { CStr::from_ptr(global.name) }, global))
    }
    /// The index of the type that a global has.
    pub fn type_of(&self, global: &Global) -> usize {
        usize::try_from(operation(global.operation).argument).unwrap_or(usize::MAX)
    }
    /// The indexes of a function's parameters and result, by the function's own: where these types were mentioned first,
    /// which is where the module's code looks for them.
    pub fn places_of_function(&self, function: usize) -> Vec<usize> {
        let at = |index: usize| self.raw_type(index).map(operation);
        let to_index = |op: Op| usize::try_from(op.argument).unwrap_or(usize::MAX);
        let params = (function + 1..)
            .take_while(|&index| at(index).is_some_and(|op| op.code != OP_FUNCTION_END));
        let result = at(function).map_or(usize::MAX, to_index);
        params
            .chain([result])
            .map(|mut index| {
                while let Some(op) = at(index).filter(|op| op.code == OP_NOOP) {
                    index = to_index(op);
                }
                index
            })
            .filter(|&index| index < self.types.len())
            .collect()
    }
}

impl Global {
    fn code(&self) -> GlobalCode {
        use pyo3::ffi::{METH_NOARGS, METH_O, METH_VARARGS};
        match operation(self.operation).code {
            23 => GlobalCode::Function(METH_VARARGS),
            25 => GlobalCode::Function(METH_NOARGS),
            27 => GlobalCode::Function(METH_O),
            11 | 31 => GlobalCode::Integer,
            29 => GlobalCode::Constant,
            33 => GlobalCode::Variable,
            39 => GlobalCode::VariableAccess,
            41 => GlobalCode::ExternPython,
            _ => GlobalCode::Other,
        }
    }
    /// The value of an integer constant, as its C function tells it.
    pub fn integer(&self) -> Result<Option<i128>, TableError> {
        if self.address.is_null() {
            return Ok(None);
        }
        let mut value: c_ulonglong = 0;
        // SAFETY: the address of a C function that writes the value, and says whether it is negative, and whether it is
        // another one than the declarations say.
        let told = unsafe {
            let get = std::mem::transmute::<
                *mut c_void,
                unsafe extern "C" fn(*mut c_ulonglong) -> c_int,
            >(self.address);
            get(&mut value)
        };
        let shown = match told {
            0 => return Ok(Some(value.into())),
            1 => return Ok(Some((value as i64).into())),
            2 => format!("{value} (0x{value:x})"),
            _ => format!("{}", value as i64),
        };
        // SAFETY: the name is a C string.
        let name = String::from_utf8_lossy(unsafe { text(self.name) });
        Err(TableError::Refused(format!(
            "the C compiler says '{name}' is equal to {shown}, but the cdef disagrees"
        )))
    }
}

// SAFETY of the texts below: those of the tables are C strings that stay.
impl TableSource for CompiledTables {
    fn is_trusted(&self) -> bool {
        true
    }
    fn find(&self, table: Sorted, name: &[u8]) -> Option<usize> {
        let (globals, records) = (self.all_globals(), self.all_records());
        let (enums, typedefs) = (self.all_enums(), self.all_typedefs());
        // SAFETY: see above; `search` asks for indexes below the counts.
        unsafe {
            match table {
                Sorted::Globals => search(globals.len(), |at| globals.get_unchecked(at).name, name),
                Sorted::Records => search(records.len(), |at| records.get_unchecked(at).name, name),
                Sorted::Enums => search(enums.len(), |at| enums.get_unchecked(at).name, name),
                Sorted::Typedefs => {
                    search(typedefs.len(), |at| typedefs.get_unchecked(at).name, name)
                }
            }
        }
    }
    fn types(&self) -> Result<usize, usize> {
        Ok(self.types.len())
    }
    fn operation(&self, index: usize) -> Option<Op> {
        self.raw_type(index).map(operation)
    }
    fn array_length(&self, index: usize) -> Option<i64> {
        self.raw_type(index).map(|length| length as i64)
    }
    fn globals(&self) -> usize {
        self.all_globals().len()
    }
    fn global(&self, index: usize) -> Option<(Op, &[u8])> {
        let global = &self.all_globals()[index];
        // SAFETY: see above.
        Some((operation(global.operation), unsafe { text(global.name) }))
    }
    fn global_value(&self, index: usize) -> Result<Option<i128>, TableError> {
        self.all_globals()[index].integer()
    }
    fn records(&self) -> usize {
        self.all_records().len()
    }
    fn record(&self, index: usize) -> Option<(i32, &[u8])> {
        let record = &self.all_records()[index];
        // SAFETY: see above.
        Some((record.flags, unsafe { text(record.name) }))
    }
    fn record_place(&self, index: usize) -> Option<(u64, u32)> {
        let record = &self.all_records()[index];
        let align = u32::try_from(record.alignment).ok()?;
        (record.size != NOT_ASKED).then_some((record.size as u64, align))
    }
    fn fields(&self, record: usize) -> usize {
        self.fields_of(record).len()
    }
    fn field(&self, record: usize, index: usize) -> Option<TableField<'_>> {
        let field = self.fields_of(record).get(index)?;
        let op = operation(field.operation);
        let is_bit_field = op.code == OP_BIT_FIELD;
        let is_placed = field.offset != NOT_ASKED && !is_bit_field;
        Some(TableField {
            op,
            bits: is_bit_field.then(|| i32::try_from(field.size).unwrap_or(0)),
            // SAFETY: see above.
            name: unsafe { text(field.name) },
            place: is_placed.then_some((field.offset as u64, field.size as u64)),
        })
    }
    fn enums(&self) -> usize {
        self.all_enums().len()
    }
    fn enumeration(&self, index: usize) -> Result<TableEnum<'_>, &'static str> {
        let one = &self.all_enums()[index];
        // SAFETY: see above.
        unsafe {
            Ok(TableEnum {
                primitive: one.primitive,
                name: text(one.name),
                enumerators: text(one.enumerators),
            })
        }
    }
    fn typedefs(&self) -> usize {
        self.all_typedefs().len()
    }
    fn typedef(&self, index: usize) -> Option<(i32, &[u8])> {
        let typedef = &self.all_typedefs()[index];
        // SAFETY: see above.
        Some((typedef.type_index, unsafe { text(typedef.name) }))
    }
}
