//! From a scope's declarations to ctypes.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use keelback_cdef::{
    ArrayLength, Declarations, EnumId, Primitive, QualType, RecordId, RecordKind, Target, Type,
    TypeId,
};

use rustc_hash::FxHashSet;

use super::details::{EnumDetails, EnumSource, FieldInfo, RecordDetails, RecordSource};
use super::intern::{array_of, function_of, pointer_to, primitive, primitive_code, void};
use super::{CType, Code, Details, Kind, Parts, UNKNOWN_SIZE, allocate};
use crate::py::{Raised, Ref, Res, intern as intern_str, warn};
use crate::raise;
use crate::scope::{NominalId, Scope};

/// The ctype of a type of the scope. Qualifiers are dropped: they never change a cdata.
///
/// Never called with the scope's lock held.
pub fn from_scope(scope: &Arc<Scope>, id: TypeId) -> Res<Ref<CType>> {
    let ty = scope.read().types.get(id).clone();
    match ty {
        Type::Void => void(),
        Type::Primitive(kind) => primitive(kind),
        Type::Pointer(to) => pointer_to(&*from_scope(scope, to.ty)?),
        Type::Array { item, length } => {
            let length = match length {
                ArrayLength::Fixed(length) => isize::try_from(length)
                    .map_err(|_| raise!(OverflowError, "array size would overflow a ssize_t"))?,
                ArrayLength::Unspecified => -1,
                ArrayLength::FromCompiler(index) => {
                    let length = scope.read().types.compiler_lengths[index as usize];
                    length.map_or(-1, |length| length as isize)
                }
            };
            array_of(&*from_scope(scope, item.ty)?, length)
        }
        Type::Function(function) => {
            let result = from_scope(scope, function.result.ty)?;
            let params = function
                .params
                .iter()
                .map(|param: &QualType| from_scope(scope, param.ty))
                .collect::<Res<Vec<_>>>()?;
            function_of(&result, params, function.variadic, function.convention)
        }
        Type::Record(id) => nominal(scope, NominalId::Record(id)),
        Type::Enum(id) => nominal(scope, NominalId::Enum(id)),
        Type::Unknown(id) => {
            let (resolved, refused, name) = {
                let declarations = scope.read();
                let unknown = declarations.types.unknown(id);
                (
                    unknown.resolved,
                    unknown.refused,
                    declarations.types.text(unknown.name).to_string(),
                )
            };
            match (resolved, refused) {
                (Some(kind), _) => primitive(kind),
                (None, Some(why)) => Err(crate::errors::raise_error(
                    |errors| &errors.error,
                    format_args!("{why}"),
                )),
                (None, None) => Err(raise!(
                    NotImplementedError,
                    "the type '{name}' is only known to a C compiler: it needs API mode (set_source with C code)"
                )),
            }
        }
    }
}

/// The ctype of a record or an enum of the scope.
fn nominal(scope: &Arc<Scope>, id: NominalId) -> Res<Ref<CType>> {
    if let Some((owner, owner_id)) = scope.included(id) {
        if scope.is_completed(id) {
            return Err(raise_completed(scope, id));
        }
        return nominal(&owner, owner_id);
    }
    if let Some(found) = scope.nominal(id) {
        return Ok(as_ctype(found));
    }
    if let Some(shared) = predefined(scope, id)? {
        return Ok(shared);
    }
    let made = match id {
        NominalId::Record(id) => new_record(scope, id)?,
        NominalId::Enum(id) => new_enum(scope, id)?,
    };
    Ok(as_ctype(scope.settle_nominal(id, made.into_obj())))
}

/// What a scope finds of its records and enums, as what `nominal` gave it.
fn as_ctype(found: Ref) -> Ref<CType> {
    // SAFETY: ctypes are all that a scope's table is ever given; the reference goes on.
    unsafe { Ref::owned(found.into_ptr().cast()) }
}

/// Completes a record that is opaque in the module that it is included from, and to which this module gives fields.
fn raise_completed(scope: &Scope, id: NominalId) -> Raised {
    let name = match id {
        NominalId::Record(id) => scope.read().record_name(id),
        NominalId::Enum(id) => scope.read().enum_name(id),
    };
    raise!(
        NotImplementedError,
        "'{name}' is opaque in the ffi.include(), but no longer in the ffi doing the include (workaround: don't use \
         ffi.include() but duplicate the declarations of everything using {name})"
    )
}

/// The ctype of a predefined opaque struct (`FILE`): one for the whole process, made in a scope of its own, so that what
/// one FFI opened another one can read from.
fn predefined(scope: &Arc<Scope>, id: NominalId) -> Res<Option<Ref<CType>>> {
    static SHARED: OnceLock<Arc<Scope>> = OnceLock::new();
    let NominalId::Record(id) = id else {
        return Ok(None);
    };
    let Some(name) = scope.read().predefined_record(id).map(str::to_string) else {
        return Ok(None);
    };
    let shared = SHARED.get_or_init(|| Scope::new(Declarations::new(Target::host())));
    if Arc::ptr_eq(scope, shared) {
        return Ok(None);
    }
    let parsed = shared.write().parse_type(&name);
    match parsed {
        Ok(ty) => from_scope(shared, ty.ty).map(Some),
        Err(_) => Err(raise!(
            SystemError,
            "the predefined type '{name}' is not known"
        )),
    }
}

fn new_record(scope: &Arc<Scope>, id: RecordId) -> Res<Ref<CType>> {
    let (kind, name, layout) = {
        let declarations = scope.read();
        let record = declarations.types.record(id);
        let name = declarations.record_name(id);
        let whole = record.given_layout.as_ref().and_then(|given| given.whole);
        let layout = match whole {
            // Whether the fields are right is seen when they are needed, as in CFFI.
            Some((size, align)) => Some(Ok((size as isize, align.max(1)))),
            None if record.fields.is_some() || record.sealed.is_some() => {
                let layout = scope.layout(&declarations, id);
                Some(layout.map(|layout| (layout.size as isize, layout.align)))
            }
            None => None,
        };
        (record.kind, name, layout)
    };
    let (size, align) = match layout {
        Some(Ok(size)) => size,
        // Its size is known; what is wrong is said when its fields are needed, as in CFFI.
        Some(Err(error)) => match scope.size_in_c(id) {
            Some(size) => size,
            None => return Err(crate::errors::raise_layout(&error)),
        },
        None => (UNKNOWN_SIZE, 1),
    };
    let name_position = name.len();
    allocate(Parts {
        kind: match kind {
            RecordKind::Struct => Kind::Struct,
            RecordKind::Union => Kind::Union,
        },
        code: Code::Record,
        primitive: None,
        size,
        align,
        length: -1,
        item: None,
        name: name.into(),
        name_position,
        details: Details::Record(
            RecordSource {
                scope: scope.clone(),
                id,
            },
            OnceLock::new(),
        ),
    })
}

fn new_enum(scope: &Arc<Scope>, id: EnumId) -> Res<Ref<CType>> {
    let (name, underlying, has_values) = {
        let declarations = scope.read();
        let enumeration = declarations.types.enumeration(id);
        if enumeration.partial && enumeration.underlying.is_none() {
            let name = declarations.enum_name(id);
            drop(declarations);
            return Err(crate::errors::raise_error(
                |errors| &errors.verification_missing,
                format_args!(
                    "'{name}' has '...': its values are only known to a C compiler: it needs API mode (set_source with C \
                     code)"
                ),
            ));
        }
        (
            declarations.enum_name(id),
            enumeration.underlying.unwrap_or(Primitive::UInt),
            enumeration.enumerators.is_some(),
        )
    };
    if !has_values {
        warn(&format!(
            "'{name}' has no values explicitly defined; guessing that it is equivalent to 'unsigned int'"
        ))?;
    }
    let target = keelback_cdef::Target::host();
    let (size, align) = target.size_and_align(underlying);
    let size = size as usize;
    let name_position = name.len();
    allocate(Parts {
        kind: Kind::Enum,
        code: primitive_code(
            underlying,
            size,
            target.is_signed(underlying).unwrap_or(false),
        ),
        primitive: Some(underlying),
        size: size as isize,
        align,
        length: -1,
        item: None,
        name: name.into(),
        name_position,
        details: Details::Enum(
            EnumSource {
                scope: scope.clone(),
                id,
            },
            OnceLock::new(),
        ),
    })
}

/// A field as the declarations have it, before its ctype is made.
struct Declared {
    /// Where its name is in the text of all of them.
    name: std::ops::Range<usize>,
    ty: TypeId,
    offset: isize,
    bits: Option<(u32, u32)>,
}

thread_local! {
    /// The records that are being built on this thread.
    static BUILDING: RefCell<FxHashSet<(usize, RecordId)>> = RefCell::default();
}

/// A record that is being built.
struct Building {
    ctype: Ref<CType>,
    key: (usize, RecordId),
    /// Records of its scope that have to be built before it.
    needs: Vec<RecordId>,
    /// The records of those that were built: they are kept here, because nothing else holds them yet.
    built: Vec<Ref<CType>>,
}

impl Building {
    fn key(source: &RecordSource) -> (usize, RecordId) {
        (Arc::as_ptr(&source.scope) as usize, source.id)
    }
    fn is_under_way(source: &RecordSource) -> bool {
        BUILDING.with_borrow(|building| building.contains(&Self::key(source)))
    }
    fn begin(ctype: &CType, source: &RecordSource, needs: Vec<RecordId>) -> Self {
        let key = Self::key(source);
        BUILDING.with_borrow_mut(|building| building.insert(key));
        Self {
            ctype: ctype.to_ref(),
            key,
            needs,
            built: Vec::new(),
        }
    }
}

/// The records that have to be built before one. What is wrong with its own layout comes before what is wrong with those.
fn needed_first(source: &RecordSource) -> Res<Vec<RecordId>> {
    let declarations = source.scope.read();
    if declarations.types.record(source.id).fields.is_some() {
        let layout = source.scope.layout(&declarations, source.id);
        if let Err(error) = layout {
            drop(declarations);
            return Err(crate::errors::raise_layout(&error));
        }
    }
    Ok(needed_records(&declarations, source))
}

impl Drop for Building {
    fn drop(&mut self) {
        BUILDING.with_borrow_mut(|building| building.remove(&self.key));
    }
}

/// The records that [`build_fields`] asks for the fields of, the first one last.
fn needed_records(declarations: &Declarations, source: &RecordSource) -> Vec<RecordId> {
    let types = &declarations.types;
    let mut needed = Vec::new();
    let mut need = |ty: TypeId| {
        if let Type::Record(id) = types.get(ty) {
            needed.push(*id);
        }
    };
    let fields = types.record(source.id).fields.as_deref().unwrap_or(&[]);
    for (index, field) in fields.iter().enumerate() {
        if index + 1 == fields.len() || field.name.is_none() {
            need(field.ty.ty);
        }
        if source.scope.is_api_mode() {
            let mut ty = field.ty.ty;
            while let Type::Array { item, .. } = types.get(ty) {
                ty = item.ty;
            }
            if let Type::Pointer(to) = types.get(ty)
                && let Type::Function(function) = types.get(to.ty)
            {
                need(function.result.ty);
                function.params.iter().for_each(|param| need(param.ty));
            }
        }
    }
    needed.reverse();
    needed
}

/// The fields of a record; `None` while it is opaque. Those of the records that it needs are built first, the innermost
/// ones before all others: a chain of them takes no stack.
pub(super) fn build_record(ctype: &CType, source: &RecordSource) -> Res<Option<RecordDetails>> {
    if source.scope.is_api_mode() && Building::is_under_way(source) {
        return Err(raise!(
            RuntimeError,
            "'{}' has a function pointer that takes or returns a '{}' by value: API mode cannot build such a type (use a \
             pointer, or a 'void *' member and ffi.cast)",
            ctype.name,
            ctype.name
        ));
    }
    let needs = needed_first(source)?;
    if needs.is_empty() {
        return build_fields(ctype, source);
    }
    let mut stack = vec![Building::begin(ctype, source, needs)];
    loop {
        let is_outermost = stack.len() == 1;
        let top = stack.last_mut().expect("the first record is built last");
        let Details::Record(source, cell) = &top.ctype.details else {
            unreachable!("only records are built");
        };
        if let Some(id) = top.needs.pop() {
            let inner = nominal(&source.scope, NominalId::Record(id))?;
            if let Details::Record(source, cell) = &inner.details
                && cell.get().is_none()
                && !Building::is_under_way(source)
            {
                let needs = needed_first(source)?;
                let building = Building::begin(&inner, source, needs);
                stack.push(building);
            }
            continue;
        }
        let built = build_fields(&top.ctype, source)?;
        if is_outermost {
            return Ok(built);
        }
        if let Some(details) = built {
            // The first thread that sets the fields wins, as in `record_details`.
            cell.get_or_init(|| details);
        }
        let inner = top.ctype.clone();
        stack.pop();
        if let Some(outer) = stack.last_mut() {
            outer.built.push(inner);
        }
    }
}

/// As CFFI's modules: what a function pointer takes or returns by value must be known when the struct is that it is a
/// member of.
fn check_function_pointer(member: &CType) -> Res<()> {
    let mut ctype = member;
    while ctype.kind == Kind::Array {
        ctype = ctype.item();
    }
    let Some(signature) = ctype.signature() else {
        return Ok(());
    };
    let is_opaque = |ctype: &CType| ctype.is_record() && ctype.size() == UNKNOWN_SIZE;
    if is_opaque(&signature.result) {
        return Err(raise!(
            TypeError,
            "result type '{}' is opaque{}",
            signature.result.name,
            signature.result.why_opaque()
        ));
    }
    signature.result.record()?;
    for param in &signature.params {
        if is_opaque(param) {
            return Err(raise!(
                TypeError,
                "ctype '{}' has incomplete type{}",
                param.name,
                param.why_opaque()
            ));
        }
        param.record()?;
    }
    Ok(())
}

/// What a scope says of a record.
enum Known {
    /// Its fields in their places with the text of their names, and whether that is not from the declaration alone.
    Fields(Vec<Declared>, String, bool),
    /// It has no fields: it is opaque, or a type that only C calculates with.
    NoFields(Option<RecordDetails>),
}

/// Reads the fields of a record, and gives the ctype its size.
fn declared_fields(ctype: &CType, source: &RecordSource) -> Res<Known> {
    let declarations = source.scope.read();
    let record = declarations.types.record(source.id);
    let Some(fields) = &record.fields else {
        let sealed = record
            .sealed
            .map(|sealed| RecordDetails::sealed(sealed.kind));
        return Ok(Known::NoFields(sealed));
    };
    let layout = match source.scope.layout(&declarations, source.id) {
        Ok(layout) => layout,
        Err(error) => {
            drop(declarations);
            return Err(crate::errors::raise_layout(&error));
        }
    };
    ctype.set_layout(layout.size as isize, layout.align);
    let mut names = String::with_capacity(fields.len() * 16);
    let declared = fields.iter().zip(&layout.fields).map(|(field, place)| {
        let start = names.len();
        names.push_str(field.name.map_or("", |name| declarations.types.text(name)));
        Declared {
            name: start..names.len(),
            ty: field.ty.ty,
            offset: place.offset as isize,
            bits: field.bits.map(|bits| (bits, place.bit_offset.unwrap_or(0))),
        }
    });
    Ok(Known::Fields(
        declared.collect(),
        names,
        record.partial || layout.custom,
    ))
}

/// The fields of a record while they are put together.
struct Fields<'a> {
    /// The text of all names.
    names: &'a str,
    all: Vec<FieldInfo>,
    /// With those of anonymous members in their place, if there are such.
    flat: Option<Vec<FieldInfo>>,
    unnamed_bits: Vec<(usize, usize)>,
}

impl Fields<'_> {
    /// Adds an unnamed bit-field, which only takes room; one of no bits takes none and is left out.
    fn add_unnamed(&mut self, field: &Declared) {
        if let Some((width @ 1.., shift)) = field.bits {
            let start = (field.offset as usize)
                .saturating_mul(8)
                .saturating_add(shift as usize);
            self.unnamed_bits.push((start, width as usize));
        }
    }

    /// Adds an anonymous struct or union, whose fields are the record's.
    fn add_anonymous(&mut self, field: &Declared, ctype: Ref<CType>, positional: bool) -> Res<()> {
        let inner = ctype.record()?.map_or(&[][..], |inner| inner.flat());
        let all = &self.all;
        let flat = self
            .flat
            .get_or_insert_with(|| all.iter().map(FieldInfo::copy).collect());
        flat.extend(inner.iter().map(|below| FieldInfo {
            offset: field.offset + below.offset,
            positional: positional && below.positional,
            ..below.copy()
        }));
        let info = self.info(field, ctype, positional)?;
        self.all.push(info);
        Ok(())
    }

    fn add(&mut self, field: &Declared, ctype: Ref<CType>, positional: bool) -> Res<()> {
        let info = self.info(field, ctype, positional)?;
        if let Some(flat) = &mut self.flat {
            flat.push(info.copy());
        }
        self.all.push(info);
        Ok(())
    }

    fn info(&self, field: &Declared, ctype: Ref<CType>, positional: bool) -> Res<FieldInfo> {
        Ok(FieldInfo {
            name: intern_str(&self.names[field.name.clone()])?,
            flexible: is_flexible(&ctype),
            ctype,
            offset: field.offset,
            bit_size: field.bits.map_or(-1, |(size, _)| size as i32),
            bit_shift: field.bits.map_or(-1, |(_, shift)| shift as i32),
            positional,
            pointer: OnceLock::new(),
        })
    }
}

fn is_flexible(ctype: &CType) -> bool {
    ctype.kind == Kind::Array && ctype.length < 0
}

fn build_fields(ctype: &CType, source: &RecordSource) -> Res<Option<RecordDetails>> {
    let (declared, names, partial) = match declared_fields(ctype, source)? {
        Known::Fields(declared, names, partial) => (declared, names, partial),
        Known::NoFields(details) => return Ok(details),
    };
    let mut fields = Fields {
        names: &names,
        all: Vec::with_capacity(declared.len()),
        flat: None,
        unnamed_bits: Vec::new(),
    };
    let mut has_flexible = false;
    let last = declared.len().saturating_sub(1);
    for (index, field) in declared.iter().enumerate() {
        let field_type = from_scope(&source.scope, field.ty)?;
        if source.scope.is_api_mode() {
            check_function_pointer(&field_type)?;
        }
        let is_unnamed = field.name.is_empty();
        if is_unnamed && !field_type.is_record() {
            fields.add_unnamed(field);
            continue;
        }
        if index == last {
            let inner = field_type.record()?;
            has_flexible |=
                is_flexible(&field_type) || inner.is_some_and(|inner| inner.has_flexible);
        } else if partial && is_flexible(&field_type) {
            // A flexible array in the middle of a partial struct shares its memory with the fields that follow in C.
            has_flexible = true;
        }
        // An initialiser list has a place for the first member of a union only.
        let positional = ctype.kind == Kind::Struct || index == 0;
        if is_unnamed {
            fields.add_anonymous(field, field_type, positional)?;
        } else {
            fields.add(field, field_type, positional)?;
        }
    }
    Ok(Some(RecordDetails::new(
        fields.all,
        fields.flat,
        fields.unnamed_bits,
        has_flexible,
        partial,
    )))
}

/// The enumerators of an enum; `None` when it never got a body.
pub(super) fn build_enum(source: &EnumSource) -> Res<Option<EnumDetails>> {
    // The text of all names, and where each ends.
    let mut names = String::new();
    let declared: Vec<(usize, i128)> = {
        let declarations = source.scope.read();
        let Some(enumerators) = &declarations.types.enumeration(source.id).enumerators else {
            return Ok(None);
        };
        names.reserve(enumerators.len() * 16);
        let mut known = Vec::with_capacity(enumerators.len());
        for one in enumerators {
            if let Some(value) = one.value {
                names.push_str(declarations.types.text(one.name));
                known.push((names.len(), value));
            }
        }
        known
    };
    let mut enumerators = Vec::with_capacity(declared.len());
    let mut start = 0;
    for (end, value) in declared {
        enumerators.push((intern_str(&names[start..end])?, value));
        start = end;
    }
    Ok(Some(EnumDetails::new(enumerators)))
}

/// Tells the ctypes of records that were opaque, and were given a body since, their size.
pub fn complete_records(scope: &Arc<Scope>) -> Res<()> {
    for ctype in scope.known_records().into_iter().map(as_ctype) {
        if ctype.size() == UNKNOWN_SIZE
            && let Err(raised) = ctype.record()
        {
            // A body that cannot be laid out is no error here: it is reported where the type is used.
            raised.clear();
        }
    }
    Ok(())
}
