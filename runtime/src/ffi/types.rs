//! typeof, sizeof, alignof, offsetof, getctype, list_types, integer_const: questions about types.

use keelback_cdef::RecordKind;
use pyo3::ffi;

use super::this;
use crate::ctype::{CType, Kind, UNKNOWN_SIZE, declarator};
use crate::errors::{raise_error, raise_of_another_lib};
use crate::object::as_cdata;
use crate::py::{Obj, Raised, Ref, Res, Signature, guard, str_from, str_text, type_name};
use crate::raise;
use crate::scope::{Elsewhere, Scope};

#[inline]
pub unsafe extern "C" fn typeof_(object: Obj, arg: Obj) -> Obj {
    // SAFETY: a method of an FFI object, with a live argument.
    unsafe {
        if let Some(cdata) = as_cdata(arg) {
            return cdata.ctype().to_ref().into_obj().into_ptr();
        }
        if let Some(known) = this(object).known_string(arg) {
            return known.into_obj().into_ptr();
        }
        typeof_other(object, arg)
    }
}

#[inline(never)]
unsafe fn typeof_other(object: Obj, arg: Obj) -> Obj {
    guard(|| {
        // SAFETY: a method of an FFI object, with a live argument.
        unsafe {
            if ffi::PyUnicode_Check(arg) != 0 {
                return this(object).ctype_argument(arg);
            }
            if crate::ctype::is_ctype(arg) {
                return Ok(Ref::borrow(arg.cast()));
            }
            if let Some((ctype, _)) = crate::object::function_object(arg) {
                return Ok(ctype);
            }
            Err(raise!(
                TypeError,
                "expected a string or cdata object, got '{}'",
                type_name(arg)
            ))
        }
    })
}

pub unsafe extern "C" fn sizeof(object: Obj, arg: Obj) -> Obj {
    guard(|| {
        // SAFETY: a method of an FFI object, with a live argument.
        unsafe {
            let size = match as_cdata(arg) {
                Some(cdata) => cdata.value_size()? as isize,
                None => {
                    let ctype = checked(type_or_function(object, arg)?)?;
                    if ctype.size() < 0 && !this(object).inline {
                        return Err(raise_error(
                            |errors| &errors.error,
                            format_args!("don't know the size of ctype '{}'", ctype.name),
                        ));
                    }
                    ctype.known_size()? as isize
                }
            };
            Ref::<ffi::PyObject>::steal(ffi::PyLong_FromSsize_t(size))
        }
    })
}

/// The type that an argument names or has; that of a plugin's function object too.
unsafe fn type_or_function(object: Obj, arg: Obj) -> Res<Ref<CType>> {
    // SAFETY: the caller's arguments are live.
    unsafe {
        if let Some(known) = this(object).known_string(arg) {
            return Ok(known);
        }
        if let Some((ctype, _)) = crate::object::function_object(arg) {
            return Ok(ctype);
        }
        let is_type = ffi::PyUnicode_Check(arg) != 0 || crate::ctype::is_ctype(arg);
        if !is_type {
            return Err(raise!(
                TypeError,
                "expected a string or ctype object or cdata object, got '{}'",
                type_name(arg)
            ));
        }
        this(object).ctype_argument(arg)
    }
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

pub unsafe extern "C" fn alignof(object: Obj, arg: Obj) -> Obj {
    guard(|| {
        // SAFETY: a method of an FFI object, with a live argument.
        unsafe {
            let ctype = match as_cdata(arg) {
                Some(cdata) => cdata.ctype().to_ref(),
                None => checked(type_or_function(object, arg)?)?,
            };
            // A typedef's alignment is no part of the ctype: `d4` and `double` are one.
            let given = if ffi::PyUnicode_Check(arg) != 0 {
                this(object).given_alignment(arg)?
            } else {
                crate::ctype::given_alignment(&ctype)
            };
            match given.or_else(|| alignment(&ctype)) {
                Some(align) => Ref::<ffi::PyObject>::steal(ffi::PyLong_FromSize_t(align)),
                None => Err(raise!(
                    ValueError,
                    "ctype '{}' is of unknown alignment",
                    ctype.name
                )),
            }
        }
    })
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
///
/// # Safety
/// `selector` is live.
pub unsafe fn step(ctype: &CType, selector: Obj, first: bool, address: bool) -> Res<Step> {
    // SAFETY: the caller's contract.
    unsafe {
        if ffi::PyUnicode_Check(selector) != 0 {
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
            let Some(field) = details.field(selector) else {
                ffi::PyErr_SetObject(ffi::PyExc_KeyError, selector);
                return Err(Raised::already());
            };
            if field.is_bit_field() {
                return Err(raise!(TypeError, "not supported for bitfields"));
            }
            return Ok(Step {
                ctype: field.ctype.clone(),
                offset: field.offset,
                index: None,
                pointer: match address {
                    true => Some(field.pointer_type()?.to_ref()),
                    false => None,
                },
            });
        }
        let index = ffi::PyNumber_AsSsize_t(selector, ffi::PyExc_OverflowError);
        if index == -1 && !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
            return Err(raise!(TypeError, "field name or array index expected"));
        }
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
}

/// The arguments of a method that takes any number of positional ones, and no keywords beyond the first's name.
///
/// # Safety
/// As METH_FASTCALL | METH_KEYWORDS passes them.
pub(super) unsafe fn first_and_rest<'a>(
    function: &str,
    first: &str,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Res<(Obj, &'a [Obj])> {
    // SAFETY: the caller's contract: `count` positional arguments, then one for each name.
    unsafe {
        let all = if count == 0 {
            &[][..]
        } else {
            std::slice::from_raw_parts(args, count as usize)
        };
        let named = if names.is_null() {
            0
        } else {
            ffi::PyTuple_GET_SIZE(names)
        };
        if named > 0 {
            let name = str_text(ffi::PyTuple_GET_ITEM(names, 0))?.unwrap_or("?");
            if named == 1 && count == 0 && name == first {
                return Ok((*args, &[]));
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
}

pub unsafe extern "C" fn offsetof(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object.
        unsafe {
            let (cdecl, selectors) = first_and_rest("FFI.offsetof", "cdecl", args, count, names)?;
            let mut ctype = this(object).ctype_argument(cdecl)?;
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
            Ref::<ffi::PyObject>::steal(ffi::PyLong_FromSsize_t(offset))
        }
    })
}

static GETCTYPE: Signature<2> = Signature::new("FFI.getctype", ["cdecl", "replace_with"], 1);

pub unsafe extern "C" fn getctype(object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object.
        unsafe {
            let [cdecl, replace_with] = GETCTYPE.parse(args, count, names)?;
            let ctype = this(object).ctype_argument(cdecl)?;
            let extra = if replace_with.is_null() {
                ""
            } else {
                match str_text(replace_with)? {
                    Some(text) => text.trim(),
                    None => {
                        return Err(raise!(
                            TypeError,
                            "getctype() argument 2 must be str, not {}",
                            type_name(replace_with)
                        ));
                    }
                }
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
    })
}

fn list_of(names: Vec<String>) -> Res<Ref> {
    // SAFETY: a fresh list of known length; PyList_SET_ITEM steals.
    unsafe {
        let list: Ref = Ref::steal(ffi::PyList_New(names.len() as isize))?;
        for (index, name) in names.iter().enumerate() {
            ffi::PyList_SET_ITEM(list.obj(), index as isize, str_from(name)?.into_ptr());
        }
        Ok(list)
    }
}

pub unsafe extern "C" fn list_types(object: Obj, _none: Obj) -> Obj {
    guard(|| {
        // SAFETY: a method of an FFI object.
        let ffi = unsafe { this(object) };
        let [typedefs, structs, unions] = ffi.scope.type_names().unwrap_or_else(|| {
            let declarations = ffi.scope.read();
            [
                declarations.typedef_names(),
                declarations.record_tags(RecordKind::Struct),
                declarations.record_tags(RecordKind::Union),
            ]
            .map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>())
        });
        let (typedefs, structs, unions) = (list_of(typedefs)?, list_of(structs)?, list_of(unions)?);
        // SAFETY: three live objects.
        unsafe {
            Ref::<ffi::PyObject>::steal(ffi::PyTuple_Pack(
                3,
                typedefs.obj(),
                structs.obj(),
                unions.obj(),
            ))
        }
    })
}

static INTEGER_CONST: Signature<1> = Signature::new("FFI.integer_const", ["name"], 1);

pub unsafe extern "C" fn integer_const(
    object: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method of an FFI object.
        unsafe {
            let [name] = INTEGER_CONST.parse(args, count, names)?;
            let Some(text) = str_text(name)? else {
                return Err(raise!(
                    TypeError,
                    "integer_const() argument must be str, not {}",
                    type_name(name)
                ));
            };
            integer_constant(&this(object).scope, text)
        }
    })
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
