//! typeof, sizeof, alignof, offsetof, getctype, list_types, integer_const: questions about types.

use keelback_cdef::RecordKind;

use super::FfiObject;
use crate::cdata::arith::to_index;
use crate::ctype::{CType, Kind, UNKNOWN_SIZE, declarator};
use crate::errors::{raise_error, raise_of_another_lib};
use crate::object::{CData, function_object};
use crate::py::{Live, Obj, Raised, Ref, Res, guard, make, method, str_from};
use crate::scope::{Elsewhere, Scope};
use crate::{exception, raise};

/// `ffi.typeof(arg)`: the most common answers, for which no exception can be set, without the guard.
///
/// # Safety
/// Called by Python, as a method of an FFI object with a live argument.
#[inline]
pub unsafe extern "C" fn typeof_(object: Obj, arg: Obj) -> Obj {
    // SAFETY: `arg` is alive until the method returns (the caller's contract).
    let (ffi, arg) = unsafe { (Live::new(object).cast::<FfiObject>(), Live::new(arg)) };
    let known = match CData::of(arg) {
        Some(cdata) => Some(cdata.ctype().to_ref()),
        None => ffi.known_string(arg),
    };
    match known {
        Some(known) => known.into_obj().into_ptr(),
        None => typeof_other(ffi, arg),
    }
}

#[inline(never)]
fn typeof_other(ffi: &FfiObject, arg: Live) -> Obj {
    guard(|| {
        if arg.is_str() {
            return ffi.ctype_argument(arg);
        }
        if let Some(ctype) = CType::of(arg) {
            return Ok(ctype.to_ref());
        }
        if let Some((ctype, _)) = function_object(arg)? {
            return Ok(ctype);
        }
        Err(raise!(
            TypeError,
            "expected a string or cdata object, got '{}'",
            arg.type_name()
        ))
    })
}

method!(pub sizeof = "FFI.sizeof", size_of_argument, (ffi: &FfiObject, cdecl: Live));

fn size_of_argument(ffi: &FfiObject, cdecl: Live) -> Res<Ref> {
    let size = match CData::of(cdecl) {
        Some(cdata) => cdata.value_size()? as isize,
        None => {
            let ctype = checked(type_or_function(ffi, cdecl)?)?;
            if ctype.size() < 0 && !ffi.inline {
                return Err(raise_error(
                    |errors| &errors.error,
                    format_args!(
                        "don't know the size of ctype '{}'{}",
                        ctype.name,
                        ctype.why_opaque()
                    ),
                ));
            }
            ctype.known_size()? as isize
        }
    };
    make::int(size)
}

/// The type that an argument names or has; that of a plugin's function object too.
fn type_or_function(ffi: &FfiObject, arg: Live) -> Res<Ref<CType>> {
    if let Some(known) = ffi.known_string(arg) {
        return Ok(known);
    }
    if let Some((ctype, _)) = function_object(arg)? {
        return Ok(ctype);
    }
    if !arg.is_str() && CType::of(arg).is_none() {
        return Err(raise!(
            TypeError,
            "expected a string or ctype object or cdata object, got '{}'",
            arg.type_name()
        ));
    }
    ffi.ctype_argument(arg)
}

/// The type, unless it is a struct that the C compiler knows otherwise than it was declared.
fn checked(ctype: Ref<CType>) -> Res<Ref<CType>> {
    if ctype.is_record() {
        ctype.record()?;
    }
    Ok(ctype)
}

/// The alignment of a type, if it has one.
fn alignment(ctype: &CType) -> Option<usize> {
    match ctype.kind {
        Kind::Void | Kind::Function => None,
        Kind::Array => alignment(ctype.item()),
        Kind::Struct | Kind::Union if ctype.size() == UNKNOWN_SIZE => None,
        _ => Some(ctype.align()),
    }
}

method!(pub alignof = "FFI.alignof", alignment_of_argument, (ffi: &FfiObject, cdecl: Live));

fn alignment_of_argument(ffi: &FfiObject, cdecl: Live) -> Res<Ref> {
    let ctype = match CData::of(cdecl) {
        Some(cdata) => cdata.ctype().to_ref(),
        None => checked(type_or_function(ffi, cdecl)?)?,
    };
    // The alignment that a typedef gives is not part of the ctype: `d4` (a double aligned to 4) and `double` are the same
    // one.
    let given = if cdecl.is_str() {
        ffi.given_alignment(cdecl)?
    } else {
        crate::ctype::given_alignment(&ctype)
    };
    match given.or_else(|| alignment(&ctype)) {
        Some(align) => make::unsigned_int(align),
        None => Err(raise!(
            ValueError,
            "ctype '{}' is of unknown alignment",
            ctype.name
        )),
    }
}

/// A step from a type to a part of it.
pub struct Step {
    /// The part's type.
    pub ctype: Ref<CType>,
    /// Its offset from the start of the whole.
    pub offset: isize,
    /// For an item: its index.
    pub index: Option<isize>,
    /// For a field: the type of a pointer to it, if that was asked for.
    pub pointer: Option<Ref<CType>>,
}

/// From `ctype` to its field or item `selector`. `first`: a pointer to a struct may be meant as the struct. `address`: a
/// pointer to the part is wanted.
pub fn step(ctype: &CType, selector: Live, first: bool, address: bool) -> Res<Step> {
    if selector.is_str() {
        return step_to_field(ctype, selector, first, address);
    }
    let index = to_index(selector, exception!(OverflowError)).map_err(|raised| {
        raised.clear();
        raise!(TypeError, "field name or array index expected")
    })?;
    if !ctype.is_pointer_or_array() || ctype.item().size() < 0 {
        return Err(raise!(
            TypeError,
            "with an integer argument, expected an array ctype or a pointer to non-opaque"
        ));
    }
    let item = ctype.item();
    let Some(offset) = index.checked_mul(item.size()) else {
        return Err(raise!(
            OverflowError,
            "array offset would overflow a Py_ssize_t"
        ));
    };
    Ok(Step {
        ctype: item.to_ref(),
        offset,
        index: Some(index),
        pointer: None,
    })
}

/// [`step`] by a field's name.
fn step_to_field(ctype: &CType, name: Live, first: bool, address: bool) -> Res<Step> {
    let record = if first && ctype.kind == Kind::Pointer {
        ctype.item()
    } else {
        ctype
    };
    if !record.is_record() {
        return Err(raise!(
            TypeError,
            "with a field name argument, expected a struct or union ctype"
        ));
    }
    let Some(details) = record.record()? else {
        return Err(raise!(TypeError, "struct/union is opaque"));
    };
    let Some(field) = details.field(name) else {
        return Err(Raised::with(exception!(KeyError), name));
    };
    if field.is_bit_field() {
        return Err(raise!(TypeError, "not supported for bitfields"));
    }
    let pointer = match address {
        true => Some(field.pointer_type()?.to_ref()),
        false => None,
    };
    Ok(Step {
        ctype: field.ctype.clone(),
        offset: field.offset,
        index: None,
        pointer,
    })
}

/// The arguments of a method that takes any number of positional ones, and no keywords beyond the first's name.
///
/// # Safety
/// `args`, `count` and `names` are what Python passes to a METH_FASTCALL | METH_KEYWORDS method, alive for `'a`.
pub(super) unsafe fn first_and_rest<'a>(
    function: &str,
    first: &str,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Res<(Live<'a>, &'a [Live<'a>])> {
    // SAFETY: `args` points to `count` objects that are alive for `'a` (the caller's contract); a `Live` is laid out as the
    // pointer in it.
    let (all, names) = unsafe {
        let all = match count {
            0 => &[],
            _ => std::slice::from_raw_parts(args.cast::<Live>(), count as usize),
        };
        (all, Live::or_null(names))
    };
    let mut named = names.into_iter().flat_map(Live::tuple_items);
    if let Some(name) = named.next() {
        let name = name.text()?.unwrap_or("?");
        if named.next().is_none() && count == 0 && name == first {
            // SAFETY: the one argument that has a name.
            return Ok((unsafe { Live::new(*args) }, &[]));
        }
        return Err(raise!(
            TypeError,
            "{function}() got an unexpected keyword argument '{name}'"
        ));
    }
    match all.split_first() {
        Some((&head, rest)) => Ok((head, rest)),
        None => Err(raise!(
            TypeError,
            "{function}() missing 1 required positional argument: '{first}'"
        )),
    }
}

/// `ffi.offsetof(cdecl, *fields_or_indexes)`
///
/// # Safety
/// Called by Python, as a method of an FFI object.
pub unsafe extern "C" fn offsetof(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: what Python passes to a method of these flags.
        let (ffi, (cdecl, selectors)) = unsafe {
            let given = first_and_rest("FFI.offsetof", "cdecl", args, count, names)?;
            (Live::new(object).cast::<FfiObject>(), given)
        };
        offset_of_part(ffi, cdecl, selectors)
    })
}

fn offset_of_part(ffi: &FfiObject, cdecl: Live, selectors: &[Live]) -> Res<Ref> {
    let mut ctype = ffi.ctype_argument(cdecl)?;
    if selectors.is_empty() {
        return Err(raise!(
            TypeError,
            "FFI.offsetof() missing 1 required positional argument: 'field_or_index'"
        ));
    }
    let mut offset = 0isize;
    for (position, &selector) in selectors.iter().enumerate() {
        let next = step(&ctype, selector, position == 0, false)?;
        let Some(sum) = offset.checked_add(next.offset) else {
            return Err(raise!(
                OverflowError,
                "array offset would overflow a Py_ssize_t"
            ));
        };
        offset = sum;
        ctype = next.ctype;
    }
    make::int(offset)
}

method!(pub getctype = "FFI.getctype", text_of_type, (ffi: &FfiObject, cdecl: Live, replace_with: Option<Live>));

fn text_of_type(ffi: &FfiObject, cdecl: Live, replace_with: Option<Live>) -> Res<Ref> {
    let ctype = ffi.ctype_argument(cdecl)?;
    let extra = match replace_with {
        None => "",
        Some(given) => given.text()?.map(str::trim).ok_or_else(|| {
            raise!(
                TypeError,
                "getctype() argument 2 must be str, not {}",
                given.type_name()
            )
        })?,
    };
    let binds_tighter = matches!(ctype.kind, Kind::Array | Kind::Function);
    let extra = if extra.starts_with('*') && binds_tighter {
        format!("({extra})")
    } else if !extra.is_empty() && !extra.starts_with(['[', '(']) {
        format!(" {extra}")
    } else {
        extra.to_string()
    };
    str_from(&declarator(&ctype.name, ctype.name_position, &extra))
}

/// `ffi.list_types()`
pub(super) fn type_names(ffi: &FfiObject) -> Res<Ref> {
    let [typedefs, structs, unions] = ffi.scope.type_names().unwrap_or_else(|| {
        ffi.scope.need_all_segments();
        let declarations = ffi.scope.read();
        [
            declarations.typedef_names(),
            declarations.record_tags(RecordKind::Struct),
            declarations.record_tags(RecordKind::Union),
        ]
        .map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>())
    });
    let lists = [typedefs, structs, unions]
        .map(|names| make::list(names.iter().map(|name| str_from(name))));
    make::tuple(lists.into_iter())
}

method!(pub integer_const = "FFI.integer_const", constant, (ffi: &FfiObject, name: Live));

fn constant(ffi: &FfiObject, name: Live) -> Res<Ref> {
    let Some(text) = name.text()? else {
        return Err(raise!(
            TypeError,
            "integer_const() argument must be str, not {}",
            name.type_name()
        ));
    };
    integer_constant(&ffi.scope, text)
}

/// The value of a `#define`d integer, an integer `static const`, or an enumerator.
fn integer_constant(scope: &Scope, name: &str) -> Res<Ref> {
    scope.need_global(name)?;
    let (value, is_something) = {
        let declarations = scope.read();
        match declarations.lookup_constant(name) {
            Some(constant) => (constant.value, true),
            None => match declarations.lookup_enumerator(name) {
                Some((_, value)) => (value, true),
                None => (None, declarations.lookup_ordinary(name).is_some()),
            },
        }
    };
    if let Some(value) = value {
        return crate::py::long_from_i128(value);
    }
    if is_something {
        return Err(raise_of_another_lib(name));
    }
    match scope.find_elsewhere(name)? {
        Elsewhere::Integer(value) => crate::py::long_from_i128(value),
        Elsewhere::OfAnotherLib => Err(raise_of_another_lib(name)),
        Elsewhere::Nowhere => Err(raise!(
            AttributeError,
            "integer constant '{name}' not found"
        )),
    }
}
