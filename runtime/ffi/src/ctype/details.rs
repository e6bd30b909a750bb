//! What a record, an enum, a function has besides a size: built at first use.

use std::sync::{Arc, OnceLock};

use keelback_cdef::{CallingConvention, EnumId, RecordId};
use pyo3::ffi;
use rustc_hash::FxHashMap;

use super::{CType, Code, Kind, PlanSlot};
use crate::py::{Live, NameTable, Obj, Ref, Res};
use crate::scope::Scope;

/// Where a record's declaration is.
pub(crate) struct RecordSource {
    pub scope: Arc<Scope>,
    pub id: RecordId,
}

/// Where an enum's declaration is.
pub(crate) struct EnumSource {
    pub scope: Arc<Scope>,
    pub id: EnumId,
}

/// The alignment that a struct without a tag has from the typedef that names it; of an array, that its items have.
pub fn given_alignment(mut ctype: &CType) -> Option<usize> {
    while ctype.kind == Kind::Array {
        ctype = ctype.item();
    }
    match &ctype.details {
        super::Details::Record(source, _) => {
            let given = source.scope.read().given_to_record(source.id);
            given.map(|bytes| bytes as usize)
        }
        _ => None,
    }
}

/// A field as access needs it.
pub struct FieldInfo {
    /// Its interned name; empty for an anonymous struct or union member.
    pub name: Ref,
    /// Its type.
    pub ctype: Ref<CType>,
    /// Bytes from the start of the record (of the outermost one, in the flattened list).
    pub offset: isize,
    /// Width in bits; -1 when it is no bit-field.
    pub bit_size: i32,
    /// For a bit-field: its lowest bit, counted from the lowest bit at `offset` (little-endian). Packing may put it
    /// across the end of its type's unit; touch only the bytes that hold its bits.
    pub bit_shift: i32,
    /// A `T a[]` at the end.
    pub flexible: bool,
    /// Whether an initialiser list has a place for it: not for the second and later members of a union.
    pub positional: bool,
    /// The type of a pointer to it, once somebody took its address.
    pub(super) pointer: OnceLock<Ref<CType>>,
}

impl FieldInfo {
    /// The type of a pointer to it.
    pub fn pointer_type(&self) -> Res<&CType> {
        match self.pointer.get() {
            Some(known) => Ok(known),
            None => {
                let made = super::pointer_to(&self.ctype)?;
                Ok(self.pointer.get_or_init(|| made))
            }
        }
    }
    /// Another one that says the same.
    pub(super) fn copy(&self) -> Self {
        Self {
            name: self.name.clone(),
            ctype: self.ctype.clone(),
            pointer: OnceLock::new(),
            ..*self
        }
    }
    /// Whether it is a bit-field.
    #[inline(always)]
    pub fn is_bit_field(&self) -> bool {
        self.bit_size >= 0
    }
    /// A `T a[]` or `T a[0]`: read as a pointer, because it stands for items beyond the end, unless its owner knows how
    /// many there are.
    #[inline(always)]
    pub fn is_empty_array(&self) -> bool {
        self.ctype.kind == Kind::Array && self.ctype.length <= 0
    }
}

/// What an attribute look-up needs of a field, side by side.
#[derive(Clone, Copy)]
pub struct Access {
    /// Bytes from the start of the record.
    pub offset: isize,
    /// How its value is held, if it is read and written on its own: no bit-field, no struct, no array.
    pub scalar: Option<Code>,
    /// Its index in [`RecordDetails::flat()`].
    index: u32,
    /// Its type: kept alive by the record.
    ctype: *const CType,
}

impl Access {
    fn new(index: usize, field: &FieldInfo) -> Self {
        let code = field.ctype.code;
        Self {
            offset: field.offset,
            scalar: (!field.is_bit_field() && !matches!(code, Code::Record | Code::Array))
                .then_some(code),
            index: index as u32,
            ctype: &*field.ctype,
        }
    }
    /// The field's type.
    #[inline(always)]
    pub fn ctype(&self) -> &CType {
        // SAFETY: the details that own self own the field, which has a reference to its type.
        unsafe { &*self.ctype }
    }
}

/// The fields of a complete struct or union.
pub struct RecordDetails {
    /// The fields as declared: what positional initialisers and `ctype.fields` follow.
    pub fields: Vec<FieldInfo>,
    /// See [`flat`](Self::flat). `None`: they are the fields.
    flattened: Option<Vec<FieldInfo>>,
    /// By interned name: those of `flat()`, as attribute look-ups want it.
    accesses: NameTable<Access>,
    /// By text: made when somebody asks with a str that is no interned one.
    by_name: OnceLock<FxHashMap<Box<str>, u32>>,
    /// Unnamed bit-fields that have bits: the first bit, counted from the start of the record, and the width. They hold
    /// no value, but count in calling conventions.
    pub unnamed_bits: Vec<(usize, usize)>,
    /// Whether the last field is (or ends in) a flexible array.
    pub has_flexible: bool,
    /// Whether its layout is not from the declaration alone, but from `...;` or from a compiler's answers.
    pub partial: bool,
    /// What it is, if it is no struct but a type that only C calculates with: `a vector`.
    pub sealed: Option<&'static str>,
}

impl RecordDetails {
    /// The details of a record with these fields, `flattened` being the named ones through anonymous members, if there
    /// are such.
    pub fn new(
        fields: Vec<FieldInfo>,
        flattened: Option<Vec<FieldInfo>>,
        unnamed_bits: Vec<(usize, usize)>,
        has_flexible: bool,
        partial: bool,
    ) -> Self {
        let accesses = NameTable::new(
            flattened
                .as_ref()
                .unwrap_or(&fields)
                .iter()
                .enumerate()
                .map(|(index, field)| (field.name.obj(), Access::new(index, field))),
        );
        Self {
            fields,
            flattened,
            unnamed_bits,
            accesses,
            by_name: OnceLock::new(),
            has_flexible,
            partial,
            sealed: None,
        }
    }
    /// The details of a type of this kind that has a size and nothing inside.
    pub fn sealed(kind: &'static str) -> Self {
        Self {
            sealed: Some(kind),
            ..Self::new(Vec::new(), None, Vec::new(), false, false)
        }
    }
    /// Every named field, those of anonymous members among them, with offsets from the outermost record.
    #[inline]
    pub fn flat(&self) -> &[FieldInfo] {
        self.flattened.as_ref().unwrap_or(&self.fields)
    }
    /// The fields that the items of an initialiser list stand for, in their order.
    pub fn positional(&self) -> impl Iterator<Item = &FieldInfo> {
        self.flat().iter().filter(|field| field.positional)
    }
    /// The field that code names by an interned str, through anonymous members; [`field`](Self::field) finds those
    /// that are not found here.
    #[inline(always)]
    pub fn access(&self, name: Obj) -> Option<&Access> {
        self.accesses.get(name)
    }
    /// The field of a name, through anonymous members. Compares addresses first: attribute names in code are interned.
    #[inline]
    pub fn field(&self, name: Live) -> Option<&FieldInfo> {
        if let Some(access) = self.access(name.ptr()) {
            return Some(&self.flat()[access.index as usize]);
        }
        self.field_by_text(name)
    }
    /// The indexes of the fields, by name.
    fn names(&self) -> FxHashMap<Box<str>, u32> {
        let named = self.flat().iter().enumerate();
        named
            .filter_map(|(index, field)| {
                let text = field.name.live().text();
                Some((text.ok().flatten()?.into(), index as u32))
            })
            .collect()
    }
    #[inline(never)]
    fn field_by_text(&self, name: Live) -> Option<&FieldInfo> {
        match name.text() {
            Ok(Some(text)) => self
                .by_name
                .get_or_init(|| self.names())
                .get(text)
                .map(|&index| &self.flat()[index as usize]),
            Ok(None) => None,
            Err(raised) => {
                // The name has a lone surrogate, which no field of C can have in its name.
                raised.clear();
                None
            }
        }
    }
}

/// The enumerators of an enum.
pub struct EnumDetails {
    /// Name and value, in order of declaration.
    pub enumerators: Vec<(Ref, i128)>,
    /// The index of the first name of each value: made when somebody asks.
    by_value: OnceLock<FxHashMap<i128, u32>>,
}

impl EnumDetails {
    /// Those of an enum with these enumerators.
    pub fn new(enumerators: Vec<(Ref, i128)>) -> Self {
        Self {
            enumerators,
            by_value: OnceLock::new(),
        }
    }
    /// The first name of a value.
    pub fn name_of(&self, value: i128) -> Option<&Ref> {
        let by_value = self.by_value.get_or_init(|| {
            let mut first = FxHashMap::default();
            for (index, &(_, value)) in self.enumerators.iter().enumerate() {
                first.entry(value).or_insert(index as u32);
            }
            first
        });
        let &index = by_value.get(&value)?;
        Some(&self.enumerators[index as usize].0)
    }
}

/// The signature of a function type.
pub struct FunctionDetails {
    /// Result type.
    pub result: Ref<CType>,
    /// Parameter types.
    pub params: Vec<Ref<CType>>,
    /// Ends in `...`.
    pub variadic: bool,
    /// Calling convention.
    pub convention: CallingConvention,
    /// How to call it from Python: made at the first call.
    pub call_plan: PlanSlot,
    /// How C calls Python through it: made at the first callback.
    pub callback_plan: PlanSlot,
}

/// Fields of a record, built when its scope has them.
pub(super) fn record_details<'a>(
    ctype: &'a CType,
    source: &RecordSource,
    cell: &'a OnceLock<RecordDetails>,
) -> Res<Option<&'a RecordDetails>> {
    if let Some(details) = cell.get() {
        return Ok(Some(details));
    }
    match super::make::build_record(ctype, source)? {
        // Two threads may build the same details: the first one in wins, both are equal.
        Some(details) => Ok(Some(cell.get_or_init(|| details))),
        None => Ok(None),
    }
}

/// Enumerators of an enum, built when its scope has them.
pub(super) fn enum_details<'a>(
    source: &EnumSource,
    cell: &'a OnceLock<EnumDetails>,
) -> Res<Option<&'a EnumDetails>> {
    if let Some(details) = cell.get() {
        return Ok(Some(details));
    }
    match super::make::build_enum(source)? {
        Some(details) => Ok(Some(cell.get_or_init(|| details))),
        None => Ok(None),
    }
}

impl RecordDetails {
    /// Visits the Python objects that the details own, for the garbage collector.
    ///
    /// # Safety
    /// Called from tp_traverse with its arguments.
    pub unsafe fn traverse(
        &self,
        visit: ffi::visitproc,
        arg: *mut std::ffi::c_void,
    ) -> std::ffi::c_int {
        for field in self.fields.iter().chain(self.flattened.iter().flatten()) {
            // SAFETY: what Python passes to it.
            let stop = unsafe { visit(field.ctype.obj(), arg) };
            if stop != 0 {
                return stop;
            }
            if let Some(pointer) = field.pointer.get() {
                // SAFETY: what Python passes to it.
                let stop = unsafe { visit(pointer.obj(), arg) };
                if stop != 0 {
                    return stop;
                }
            }
        }
        0
    }
}
