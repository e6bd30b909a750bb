//! libffi: for the signatures that the register path does not cover, and for closures.
//!
//! libffi describes an aggregate by its scalars, and knows no unions, bit-fields or packed structs. But what a calling
//! convention makes of an aggregate depends only on its size, its alignment and the classes of its bytes, so each is
//! described by another struct that has the same.

use std::ffi::c_void;

use libffi::raw::{
    ffi_abi_FFI_DEFAULT_ABI, ffi_cif, ffi_prep_cif, ffi_prep_cif_var, ffi_status_FFI_OK, ffi_type,
    ffi_type_complex_double, ffi_type_complex_float, ffi_type_complex_longdouble, ffi_type_double,
    ffi_type_float, ffi_type_longdouble, ffi_type_pointer, ffi_type_sint8, ffi_type_sint16,
    ffi_type_sint32, ffi_type_sint64, ffi_type_uint8, ffi_type_uint16, ffi_type_uint32,
    ffi_type_uint64, ffi_type_void,
};

use super::aggregate::{Leaf, leaves};
use super::registers::Taken;
use crate::convert::argument::Parameter;
use crate::ctype::{CType, Code};
use crate::py::Res;
use crate::raise;

unsafe extern "C-unwind" {
    /// libffi's, which C's unwinding passes through: see [`super::outside_python`].
    fn ffi_call(
        cif: *mut ffi_cif,
        function: *const c_void,
        result: *mut c_void,
        values: *mut *mut c_void,
    );
}

/// What libffi aligns the stack to.
const STACK_ALIGNMENT: usize = 16;

/// A type as libffi sees it.
struct ForeignType {
    pointer: *mut ffi_type,
    /// What `pointer` points to, when it is no static of libffi: kept alive, never touched again.
    _owned: Option<Box<Aggregate>>,
}

struct Aggregate {
    description: ffi_type,
    elements: Vec<*mut ffi_type>,
    nested: Option<Box<Aggregate>>,
}

impl ForeignType {
    fn scalar(pointer: *mut ffi_type) -> Self {
        Self {
            pointer,
            _owned: None,
        }
    }
    /// The type as libffi is to see it; `None` for a value without bytes, for which C passes nothing. `fits`: whether enough
    /// registers are free for a value that goes in registers by its class.
    fn new(parameter: &Parameter, fits: bool) -> Res<Option<Self>> {
        let ctype = parameter.ctype();
        Ok(Some(Self::scalar(match parameter.code {
            Code::I8 => &raw mut ffi_type_sint8,
            Code::I16 => &raw mut ffi_type_sint16,
            Code::I32 => &raw mut ffi_type_sint32,
            Code::I64 => &raw mut ffi_type_sint64,
            Code::U8 | Code::Bool => &raw mut ffi_type_uint8,
            Code::Char if std::ffi::c_char::MIN == 0 => &raw mut ffi_type_uint8,
            Code::Char => &raw mut ffi_type_sint8,
            Code::U16 | Code::Char16 => &raw mut ffi_type_uint16,
            Code::U32 | Code::Char32 => &raw mut ffi_type_uint32,
            Code::U64 => &raw mut ffi_type_uint64,
            Code::F32 => &raw mut ffi_type_float,
            Code::F64 => &raw mut ffi_type_double,
            Code::I128 | Code::U128 => int128(ctype)?,
            Code::LongDouble => &raw mut ffi_type_longdouble,
            Code::ComplexF32 => &raw mut ffi_type_complex_float,
            Code::ComplexF64 => &raw mut ffi_type_complex_double,
            Code::ComplexLongDouble => &raw mut ffi_type_complex_longdouble,
            Code::Pointer => &raw mut ffi_type_pointer,
            Code::Void => &raw mut ffi_type_void,
            Code::Record => {
                let size = ctype.known_size()?;
                let leaves = leaves(ctype)?;
                if size == 0 {
                    return Ok(None);
                }
                if is_lone_long_double(ctype, &leaves)? {
                    // C returns it as a long double, but libffi would not for a struct that contains one.
                    return Ok(Some(Self::scalar(&raw mut ffi_type_longdouble)));
                }
                if is_lone_int128(ctype, size, &leaves) {
                    // libffi aligns this type to 16 bytes, which it does not do for a struct of two 64-bit integers.
                    return Ok(Some(Self::scalar(int128(ctype)?)));
                }
                let mut owned = describe(ctype, size, &leaves, fits)?;
                return Ok(Some(Self {
                    pointer: &raw mut owned.description,
                    _owned: Some(owned),
                }));
            }
            Code::Array | Code::Function => {
                return Err(raise!(
                    TypeError,
                    "ctype '{}' cannot be passed by value",
                    ctype.name
                ));
            }
        })))
    }
}

#[cfg(all(
    not(windows),
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "loongarch64"
    )
))]
fn int128(_ctype: &CType) -> Res<*mut ffi_type> {
    unsafe extern "C" {
        static mut ffi_type_sint128: ffi_type;
    }
    Ok(&raw mut ffi_type_sint128)
}

#[cfg(not(all(
    not(windows),
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "loongarch64"
    )
)))]
fn int128(ctype: &CType) -> Res<*mut ffi_type> {
    Err(raise!(
        NotImplementedError,
        "ctype '{}' not supported as argument or return value by value on this platform (use a pointer)",
        ctype.name
    ))
}

/// Whether it is a record of one integer of 128 bits, which is not packed: C passes a packed one as any two eightbytes.
fn is_lone_int128(ctype: &CType, size: usize, leaves: &[Leaf]) -> bool {
    use super::aggregate::Float;
    cfg!(target_arch = "aarch64")
        && size == 16
        && ctype.align() >= 16
        && (leaves.iter()).any(|leaf| leaf.size == 16 && leaf.float == Float::No && !leaf.bits)
}

/// A struct of this size and alignment with these elements.
fn aggregate(
    size: usize,
    align: usize,
    elements: Vec<*mut ffi_type>,
    nested: Option<Box<Aggregate>>,
) -> Box<Aggregate> {
    let mut owned = Box::new(Aggregate {
        description: ffi_type {
            size,
            alignment: align as u16,
            type_: libffi::raw::FFI_TYPE_STRUCT,
            elements: std::ptr::null_mut(),
        },
        elements,
        nested,
    });
    if let Some(nested) = &mut owned.nested {
        owned.elements.push(&raw mut nested.description);
    }
    owned.elements.push(std::ptr::null_mut());
    owned.description.elements = owned.elements.as_mut_ptr();
    owned
}

#[cfg(all(target_arch = "x86_64", not(windows)))]
fn is_lone_long_double(ctype: &CType, _leaves: &[Leaf]) -> Res<bool> {
    Ok(super::system_v::passing(ctype)? == super::system_v::Passing::X87)
}

#[cfg(not(all(target_arch = "x86_64", not(windows))))]
fn is_lone_long_double(_ctype: &CType, _leaves: &[Leaf]) -> Res<bool> {
    Ok(false)
}

#[cfg(all(target_arch = "x86_64", not(windows)))]
fn describe(ctype: &CType, size: usize, _leaves: &[Leaf], fits: bool) -> Res<Box<Aggregate>> {
    use super::place::Class;
    use super::system_v::{Passing, passing};
    let align = ctype.align();
    Ok(match passing(ctype)? {
        Passing::Registers(classes) if fits => {
            let elements: Vec<_> = classes
                .iter()
                .filter_map(|class| match class {
                    Class::Sse => Some(&raw mut ffi_type_double),
                    Class::Integer => Some(&raw mut ffi_type_sint64),
                    // Padding takes no register. libffi gets that wrong in closures, so the padding is left out.
                    Class::None => None,
                })
                .collect();
            let size = size.min(8 * elements.len());
            aggregate(size, align.min(16), elements, None)
        }
        _ => {
            // libffi passes a struct in memory when one of its members is larger than 32 bytes.
            let large = aggregate(64, 1, vec![&raw mut ffi_type_sint64], None);
            aggregate(size, align, Vec::new(), Some(large))
        }
    })
}

/// The scalars with those that overlap (of unions, or in one bit-field's bytes) made one integer each.
#[cfg(not(all(target_arch = "x86_64", not(windows))))]
fn describe(ctype: &CType, size: usize, leaves: &[Leaf], _fits: bool) -> Res<Box<Aggregate>> {
    use super::aggregate::Float;
    let mut list: Vec<Leaf> = leaves.to_vec();
    if cfg!(target_arch = "aarch64") && !is_homogeneous(ctype)? {
        // libffi takes one `float` and padding for several: only what is homogeneous goes in floating-point registers.
        list.iter_mut().for_each(|leaf| leaf.float = Float::No);
    }
    list.sort_by_key(|leaf| (leaf.offset, std::cmp::Reverse(leaf.size)));
    let mut flat: Vec<Leaf> = Vec::new();
    for leaf in list {
        match flat.last_mut() {
            Some(last) if leaf.offset < last.offset + last.size => {
                if (leaf.offset, leaf.size, leaf.float) != (last.offset, last.size, last.float) {
                    last.float = Float::No;
                }
                last.size = last.size.max(leaf.offset + leaf.size - last.offset);
            }
            _ => flat.push(leaf),
        }
    }
    let mut elements: Vec<*mut ffi_type> = Vec::new();
    for leaf in flat {
        match (leaf.float, leaf.size) {
            (Float::Yes, 4) => elements.push(&raw mut ffi_type_float),
            (Float::Yes, _) => elements.push(&raw mut ffi_type_double),
            (Float::Long, _) => elements.push(&raw mut ffi_type_longdouble),
            (Float::No, 8) => elements.push(&raw mut ffi_type_sint64),
            (Float::No, 4) => elements.push(&raw mut ffi_type_sint32),
            (Float::No, 2) => elements.push(&raw mut ffi_type_sint16),
            (Float::No, bytes) => {
                elements.extend(std::iter::repeat_n(&raw mut ffi_type_sint8, bytes))
            }
        }
    }
    Ok(aggregate(size, ctype.align(), elements, None))
}

/// One of libffi's values that is passed as the address of a copy.
struct Copied {
    value: usize,
    size: usize,
    align: usize,
}

/// Whether C passes the address of a copy, and libffi would get it wrong: on AArch64, where a large struct's address goes
/// on the stack, it aligns the address as the struct.
fn goes_by_reference(param: &Parameter) -> Res<bool> {
    if !cfg!(target_arch = "aarch64") || param.code != Code::Record {
        return Ok(false);
    }
    let ctype = param.ctype();
    Ok(ctype.align() > 8 && ctype.known_size()? > 16 && !is_homogeneous(ctype)?)
}

/// Raises for a value that C passes in a pair of registers of which the first has an even number: libffi does not know
/// that rule.
fn check_registers(param: &Parameter) -> Res<()> {
    if !cfg!(target_arch = "aarch64") || param.code != Code::Record {
        return Ok(());
    }
    let ctype = param.ctype();
    let size = ctype.known_size()?;
    let is_right = ctype.align() <= 8
        || size > 16
        || is_homogeneous(ctype)?
        || is_lone_int128(ctype, size, &leaves(ctype)?);
    if is_right {
        return Ok(());
    }
    Err(raise!(
        NotImplementedError,
        "ctype '{}' not supported as argument by value: it has 16 bytes and their alignment, which calls made at run time \
         do not put where AArch64 has it. Pass a pointer",
        ctype.name
    ))
}

#[cfg(target_arch = "aarch64")]
fn is_homogeneous(ctype: &CType) -> Res<bool> {
    super::aapcs64::is_homogeneous(ctype)
}

#[cfg(not(target_arch = "aarch64"))]
fn is_homogeneous(_ctype: &CType) -> Res<bool> {
    Ok(false)
}

/// libffi for AArch64 copies a large struct to the stack and, when the registers are taken, its address as well, but makes
/// room for the copy alone. This adds the room for the addresses.
///
/// # Safety
/// `cif` is prepared, and `params` are the types of its parameters: pointers to live `ffi_type`s.
#[cfg(target_arch = "aarch64")]
unsafe fn leave_room_for_pointers(cif: &mut ffi_cif, params: &[*mut ffi_type]) {
    for &param in params {
        // SAFETY: `param` points to a live type (the caller's contract), whose size libffi has filled in.
        let (size, align) = unsafe { ((*param).size, (*param).alignment) };
        if size > 16 {
            // The copies lie below each other, each rounded down to its alignment.
            cif.bytes += (size_of::<*const u8>() + usize::from(align)) as u32;
        }
    }
    cif.bytes = cif.bytes.next_multiple_of(16);
}

/// A signature prepared for libffi.
pub struct Cif {
    cif: Box<ffi_cif>,
    /// For each parameter, whether libffi sees it: one without bytes is left out.
    seen: Box<[bool]>,
    /// Those of libffi's values that are passed as the address of a copy, which libffi is not told of: see
    /// [`goes_by_reference`].
    copied: Box<[Copied]>,
    _types: Vec<ForeignType>,
    _pointers: Vec<*mut ffi_type>,
}

// SAFETY: never changed once it is made; the raw pointers lead to memory that it owns, and to libffi's statics.
unsafe impl Send for Cif {}
// SAFETY: as above.
unsafe impl Sync for Cif {}

impl Cif {
    /// For these types; `fixed`: how many parameters stand before the `...`, if there is one.
    pub fn new(result: &Parameter, params: &[Parameter], fixed: Option<usize>) -> Res<Self> {
        let mut types = Vec::new();
        let mut pointers = Vec::new();
        let mut seen = Vec::new();
        let mut copied = Vec::new();
        let mut taken = Taken::with_result(result)?;
        for param in params {
            let fits = taken.try_take(param)?;
            if !fits && param.code == Code::Record && param.ctype().align() > STACK_ALIGNMENT {
                return Err(raise!(
                    NotImplementedError,
                    "ctype '{}' not supported as argument by value: it goes on the stack, at an address that is a multiple \
                     of {}, and calls made at run time keep the stack at multiples of {STACK_ALIGNMENT}. Pass a pointer",
                    param.ctype().name,
                    param.ctype().align()
                ));
            }
            check_registers(param)?;
            let mut ty = ForeignType::new(param, fits)?;
            if ty.is_some() && goes_by_reference(param)? {
                copied.push(Copied {
                    value: pointers.len(),
                    size: param.ctype().known_size()?,
                    align: param.ctype().align(),
                });
                ty = Some(ForeignType::scalar(&raw mut ffi_type_pointer));
            }
            seen.push(ty.is_some());
            if let Some(ty) = ty {
                pointers.push(ty.pointer);
                types.push(ty);
            }
        }
        let result_type =
            ForeignType::new(result, true)?.unwrap_or(ForeignType::scalar(&raw mut ffi_type_void));
        let result_pointer = result_type.pointer;
        types.push(result_type);
        // SAFETY: all-zero is a ffi_cif that ffi_prep_cif fills in; the types outlive it, as they are stored beside it
        // and their addresses are on the heap.
        unsafe {
            let mut cif: Box<ffi_cif> = Box::new(std::mem::zeroed());
            let count = pointers.len() as u32;
            let abi = ffi_abi_FFI_DEFAULT_ABI;
            let status = match fixed {
                Some(fixed) => {
                    let fixed = seen.iter().take(fixed).filter(|&&seen| seen).count() as u32;
                    ffi_prep_cif_var(
                        &mut *cif,
                        abi,
                        fixed,
                        count,
                        result_pointer,
                        pointers.as_mut_ptr(),
                    )
                }
                None => ffi_prep_cif(&mut *cif, abi, count, result_pointer, pointers.as_mut_ptr()),
            };
            if status != ffi_status_FFI_OK {
                return Err(raise!(
                    SystemError,
                    "libffi failed to build this function type (status {status}): result '{}', {count} arguments",
                    result.ctype().name
                ));
            }
            #[cfg(target_arch = "aarch64")]
            leave_room_for_pointers(&mut cif, &pointers);
            Ok(Self {
                cif,
                copied: copied.into(),
                seen: seen.into(),
                _types: types,
                _pointers: pointers,
            })
        }
    }

    /// Calls `function`. `values` point to the values of the parameters (see [`Self::point_to_values`]). The result goes to
    /// `result`, integers that are smaller than a register widened to one.
    ///
    /// # Safety
    /// `function` has this signature; `values` point to a value for each parameter that libffi sees; `result` has room for
    /// the result, at least 16 bytes. The `values` may be changed.
    #[inline(always)]
    pub unsafe fn call(&self, function: *const u8, values: &mut [*mut c_void], result: *mut u8) {
        if self.copied.is_empty() {
            // SAFETY: the same arguments, with the same contract; nothing has to be copied.
            unsafe { self.call_with(function, values, result) }
        } else {
            // SAFETY: the same arguments, with the same contract.
            unsafe { self.call_with_copies(function, values, result) }
        }
    }

    /// # Safety
    /// As [`Self::call`].
    #[cold]
    #[inline(never)]
    unsafe fn call_with_copies(
        &self,
        function: *const u8,
        values: &mut [*mut c_void],
        result: *mut u8,
    ) {
        let mut memory: Vec<Vec<u8>> = Vec::with_capacity(self.copied.len());
        let mut addresses: Vec<*mut c_void> = Vec::with_capacity(self.copied.len());
        for copied in &self.copied {
            let mut copy = vec![0u8; copied.size + copied.align];
            let start = copy.as_mut_ptr();
            // SAFETY: there is room for the value behind the rounded start; the caller gives all values.
            unsafe {
                let aligned = start.add(start.align_offset(copied.align));
                aligned.copy_from_nonoverlapping(values[copied.value].cast(), copied.size);
                addresses.push(aligned.cast());
            }
            memory.push(copy);
        }
        for (copied, address) in self.copied.iter().zip(&mut addresses) {
            values[copied.value] = std::ptr::from_mut(address).cast();
        }
        // SAFETY: as `call`, whose contract this function has; the values that go by reference are replaced by addresses of
        // copies, and both live until the call is over.
        unsafe { self.call_with(function, values, result) }
    }

    /// # Safety
    /// As [`Self::call`]; the values that go by reference are addresses of copies.
    #[inline(always)]
    unsafe fn call_with(&self, function: *const u8, values: &mut [*mut c_void], result: *mut u8) {
        // SAFETY: `function`, `values` and `result` fit the signature (the caller's contract), for which the cif was
        // prepared; ffi_call takes it as `*mut` and does not change it.
        unsafe {
            ffi_call(
                &raw const *self.cif as *mut ffi_cif,
                function.cast(),
                result.cast(),
                values.as_mut_ptr(),
            );
        }
    }

    /// Makes `values` point to each argument's value; where `by_pointer`, the slot itself is that pointer.
    pub fn point_to_values(
        &self,
        slots: &mut [u64],
        by_pointer: impl Fn(usize) -> bool,
        values: &mut [*mut c_void],
    ) {
        let seen = slots
            .iter_mut()
            .enumerate()
            .zip(&self.seen)
            .filter(|(_, seen)| **seen);
        for (value, ((index, slot), _)) in values.iter_mut().zip(seen) {
            *value = if by_pointer(index) {
                *slot as *mut c_void
            } else {
                (&raw mut *slot).cast()
            };
        }
    }

    /// For `ffi_prep_closure_loc`.
    pub fn as_ptr(&self) -> *mut ffi_cif {
        &raw const *self.cif as *mut ffi_cif
    }

    /// Whether libffi gives a closure the value of every parameter: none is without bytes, none the address of one.
    pub fn all_seen(&self) -> bool {
        self.copied.is_empty() && self.seen.iter().all(|&seen| seen)
    }
    /// Whether this one of libffi's values is the address of the parameter's value.
    pub fn is_address(&self, value: usize) -> bool {
        self.copied.iter().any(|copied| copied.value == value)
    }
    /// Whether libffi gives a closure a value for the parameter.
    pub fn sees(&self, parameter: usize) -> bool {
        self.seen.get(parameter).copied().unwrap_or(false)
    }
}
