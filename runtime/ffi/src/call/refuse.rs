//! What CFFI passes by value only in C that a compiler has made: refused where CFFI refuses it.
//!
//! Keelback itself passes any complete type, through registers or libffi. After `install_as_cffi()`, and of a variadic
//! function of an API-mode module, CFFI's contract counts, though: there its programs rely on the NotImplementedError.
//! And how a small struct with `...;` is passed is known to nobody but the compiler.

use super::aggregate::check_nesting;
use crate::ctype::{CType, FieldInfo, FunctionDetails, Kind, RecordDetails};
use crate::errors::is_as_cffi;
use crate::py::{Raised, Res};
use crate::raise;

/// Raises NotImplementedError for a signature that CFFI refuses where its contract counts, and for partial structs.
pub fn check(signature: &FunctionDetails) -> Res<()> {
    let whose = if is_as_cffi() {
        Contract::Cffi
    } else if signature.variadic {
        Contract::CffiInApiMode
    } else {
        Contract::Ours
    };
    check_type(&signature.result, "return value", whose, 0)?;
    for param in &signature.params {
        check_type(param, "argument", whose, 0)?;
    }
    Ok(())
}

/// What is passed by value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contract {
    /// All that can be.
    Ours,
    /// What CFFI passes, of types that are an API-mode module's.
    CffiInApiMode,
    /// What CFFI passes.
    Cffi,
}

/// Raises if a value of the type cannot be passed.
fn check_type(ctype: &CType, place: &str, whose: Contract, depth: usize) -> Res<()> {
    if !ctype.is_record() || ctype.size() < 0 {
        return Ok(());
    }
    let as_cffi = match whose {
        Contract::Ours => false,
        Contract::CffiInApiMode => ctype.is_of_api_mode(),
        Contract::Cffi => true,
    };
    if as_cffi && ctype.kind == Kind::Union {
        return Err(raise!(
            NotImplementedError,
            "ctype '{}' not supported as {place} by libffi.  Unions are only supported as {place} if the function {}",
            ctype.name,
            crate::errors::known_to_the_c_compiler()
        ));
    }
    let Some(record) = ctype.record()? else {
        return Ok(());
    };
    if record.partial && (as_cffi || ctype.size() <= 2 * size_of::<u64>() as isize)
        || as_cffi && !is_plain(ctype, record)
    {
        return Err(unsupported(
            ctype,
            place,
            "It is a struct declared with \"...;\", but the C calling convention may depend on the missing fields; or, it \
             contains anonymous struct/unions",
        ));
    }
    if !as_cffi {
        return Ok(());
    }
    check_nesting(ctype, depth)?;
    let mut is_packed = false;
    for field in &record.fields {
        if field.is_bit_field() {
            return Err(unsupported(
                ctype,
                place,
                "It is a struct with bit fields, which libffi does not support",
            ));
        }
        let mut item = &*field.ctype;
        let mut length = 1;
        while item.kind == Kind::Array {
            length *= item.length.max(0);
            item = item.item();
        }
        if length == 0 {
            return Err(unsupported(
                ctype,
                place,
                "It is a struct with a zero-length array, which libffi does not support",
            ));
        }
        is_packed |=
            !(field.offset as usize).is_multiple_of(item.align()) || ctype.align() < item.align();
        // As CFFI says it, also for a part of a result.
        check_type(item, "argument", whose, depth + 1)?;
    }
    if is_packed {
        return Err(unsupported(
            ctype,
            place,
            "It is a 'packed' structure, with a different layout than expected by libffi",
        ));
    }
    Ok(())
}

/// Whether the members of anonymous members are where the record's own members of those types would be.
fn is_plain(ctype: &CType, record: &RecordDetails) -> bool {
    if !record
        .fields
        .iter()
        .any(|field| is_anonymous(field, record))
    {
        return true;
    }
    let mut end = 0;
    let mut in_order = record.flat().iter().map(|field| {
        let align = field.ctype.align();
        let place = usize::next_multiple_of(end, align);
        end = place + field.ctype.size().max(0) as usize;
        field.is_bit_field() || place == field.offset as usize
    });
    let in_order = in_order.all(|is_there| is_there);
    in_order && end.next_multiple_of(ctype.align()) == ctype.size() as usize
}

/// A member without a name is not in the flat list; those of its own are.
fn is_anonymous(field: &FieldInfo, record: &RecordDetails) -> bool {
    let is_it = |flat: &FieldInfo| flat.name.obj() == field.name.obj();
    field.ctype.is_record() && !record.flat().iter().any(is_it)
}

#[cold]
fn unsupported(ctype: &CType, place: &str, why: &str) -> Raised {
    raise!(
        NotImplementedError,
        "ctype '{}' not supported as {place}.  {why}.  Such structs are only supported as {place} if the function {}",
        ctype.name,
        crate::errors::known_to_the_c_compiler()
    )
}
