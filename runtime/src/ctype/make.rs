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

/// A record is opaque in the module that it is included from, and this module gives it fields.
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
    let shared = SHARED.get_or_init(|| Scope::new(Declarations::new(Target::host())));
    if Arc::ptr_eq(scope, shared) {
        return Ok(None);
    }
    let Some(name) = scope.read().predefined_record(id).map(str::to_string) else {
        return Ok(None);
    };
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
        let layout = if record.fields.is_some() || record.sealed.is_some() {
            Some(scope.layout(&declarations, id))
        } else {
            None
        };
        (record.kind, name, layout)
    };
    let (size, align) = match layout {
        Some(Ok(layout)) => (layout.size as isize, layout.align),
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
    name: String,
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
    /// Those of them that were built: nothing else holds them yet.
    built: Vec<Ref<CType>>,
}

impl Building {
    fn key(source: &RecordSource) -> (usize, RecordId) {
        (Arc::as_ptr(&source.scope) as usize, source.id)
    }
    fn is_under_way(source: &RecordSource) -> bool {
        BUILDING.with_borrow(|building| building.contains(&Self::key(source)))
    }
    fn begin(ctype: &CType, source: &RecordSource) -> Res<Self> {
        let needs = {
            let declarations = source.scope.read();
            // What is wrong with its own layout comes before what is wrong with others.
            if declarations.types.record(source.id).fields.is_some() {
                let layout = source.scope.layout(&declarations, source.id);
                if let Err(error) = layout {
                    drop(declarations);
                    return Err(crate::errors::raise_layout(&error));
                }
            }
            needed_records(&declarations, source)
        };
        let key = Self::key(source);
        BUILDING.with_borrow_mut(|building| building.insert(key));
        Ok(Self {
            ctype: ctype.to_ref(),
            key,
            needs,
            built: Vec::new(),
        })
    }
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
    let mut stack = vec![Building::begin(ctype, source)?];
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
                let building = Building::begin(&inner, source)?;
                stack.push(building);
            }
            continue;
        }
        let built = build_fields(&top.ctype, source)?;
        if is_outermost {
            return Ok(built);
        }
        if let Some(details) = built {
            // As in `record_details`.
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
            "result type '{}' is opaque",
            signature.result.name
        ));
    }
    signature.result.record()?;
    for param in &signature.params {
        if is_opaque(param) {
            return Err(raise!(
                TypeError,
                "ctype '{}' has incomplete type",
                param.name
            ));
        }
        param.record()?;
    }
    Ok(())
}

fn build_fields(ctype: &CType, source: &RecordSource) -> Res<Option<RecordDetails>> {
    let (declared, partial) = {
        let declarations = source.scope.read();
        let record = declarations.types.record(source.id);
        let Some(fields) = &record.fields else {
            return Ok(record
                .sealed
                .map(|sealed| RecordDetails::sealed(sealed.kind)));
        };
        let layout = match source.scope.layout(&declarations, source.id) {
            Ok(layout) => layout,
            Err(error) => {
                drop(declarations);
                return Err(crate::errors::raise_layout(&error));
            }
        };
        ctype.set_layout(layout.size as isize, layout.align);
        let declared: Vec<Declared> = fields
            .iter()
            .zip(&layout.fields)
            .map(|(field, place)| Declared {
                name: field.name.map_or_else(String::new, |name| {
                    declarations.types.text(name).to_string()
                }),
                ty: field.ty.ty,
                offset: place.offset as isize,
                bits: field.bits.map(|bits| (bits, place.bit_offset.unwrap_or(0))),
            })
            .collect();
        (declared, record.partial || layout.custom)
    };
    let mut fields = Vec::with_capacity(declared.len());
    let mut flat = Vec::with_capacity(declared.len());
    let mut unnamed_bits = Vec::new();
    let mut has_flexible = false;
    let last = declared.len().saturating_sub(1);
    for (index, field) in declared.iter().enumerate() {
        let field_type = from_scope(&source.scope, field.ty)?;
        if source.scope.is_api_mode() {
            check_function_pointer(&field_type)?;
        }
        let flexible = field_type.kind == Kind::Array && field_type.length < 0;
        let is_anonymous = field.name.is_empty() && field_type.is_record();
        if field.name.is_empty() && !is_anonymous {
            // An unnamed bit-field only takes room.
            if let Some((width @ 1.., shift)) = field.bits {
                unnamed_bits.push((
                    (field.offset as usize)
                        .saturating_mul(8)
                        .saturating_add(shift as usize),
                    width as usize,
                ));
            }
            continue;
        }
        if index == last {
            has_flexible |= flexible
                || match field_type.record()? {
                    Some(inner) => inner.has_flexible,
                    None => false,
                };
        } else if partial && flexible {
            // It shares its memory with what follows in C.
            has_flexible = true;
        }
        let in_list = ctype.kind == Kind::Struct || index == 0;
        let info = |name: Ref,
                    ctype: Ref<CType>,
                    offset: isize,
                    bits: Option<(u32, u32)>,
                    flexible: bool| FieldInfo {
            name,
            ctype,
            offset,
            bit_size: bits.map_or(-1, |(size, _)| size as i32),
            bit_shift: bits.map_or(-1, |(_, shift)| shift as i32),
            flexible,
            positional: in_list,
            pointer: OnceLock::new(),
        };
        if is_anonymous && let Some(inner) = field_type.record()? {
            for below in &inner.flat {
                let bits = below
                    .is_bit_field()
                    .then_some((below.bit_size as u32, below.bit_shift as u32));
                let mut field = info(
                    below.name.clone(),
                    below.ctype.clone(),
                    field.offset + below.offset,
                    bits,
                    below.flexible,
                );
                field.positional &= below.positional;
                flat.push(field);
            }
        }
        let name = intern_str(&field.name)?;
        if !is_anonymous {
            flat.push(info(
                name.clone(),
                field_type.clone(),
                field.offset,
                field.bits,
                flexible,
            ));
        }
        fields.push(info(name, field_type, field.offset, field.bits, flexible));
    }
    Ok(Some(RecordDetails::new(
        fields,
        flat,
        unnamed_bits,
        has_flexible,
        partial,
    )))
}

/// The enumerators of an enum; `None` when it never got a body.
pub(super) fn build_enum(source: &EnumSource) -> Res<Option<EnumDetails>> {
    let declared: Vec<(String, i128)> = {
        let declarations = source.scope.read();
        let Some(enumerators) = &declarations.types.enumeration(source.id).enumerators else {
            return Ok(None);
        };
        enumerators
            .iter()
            .filter_map(|one| Some((declarations.types.text(one.name).to_string(), one.value?)))
            .collect()
    };
    let mut details = EnumDetails {
        enumerators: Vec::with_capacity(declared.len()),
        by_value: Default::default(),
    };
    for (index, (name, value)) in declared.into_iter().enumerate() {
        details.enumerators.push((intern_str(&name)?, value));
        details.by_value.entry(value).or_insert(index as u32);
    }
    Ok(Some(details))
}

/// Tells the ctypes of records that were opaque, and were given a body since, their size.
pub fn complete_records(scope: &Arc<Scope>) -> Res<()> {
    for ctype in scope.known_records().into_iter().map(as_ctype) {
        if ctype.size() == UNKNOWN_SIZE
            && let Err(raised) = ctype.record()
        {
            // A body without a layout: reported where the type is used.
            raised.clear();
        }
    }
    Ok(())
}
