//! What the calling conventions see of a type: its scalars and where they are.

use crate::ctype::{CType, Code, Kind};
use crate::py::Res;
use crate::raise;

/// A scalar inside a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leaf {
    /// Bytes from the start.
    pub offset: usize,
    /// Bytes that it covers.
    pub size: usize,
    /// Whether it is a floating one.
    pub float: Float,
    /// It is (part of) a bit-field: never unaligned.
    pub bits: bool,
}

/// Floating or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Float {
    /// An integer, a pointer.
    No,
    /// float or double, as the size says.
    Yes,
    /// long double.
    Long,
}

/// More scalars than this in one type need no listing: it goes through memory in every convention.
const MOST: usize = 64;

/// The scalars of a type, in order of declaration; of a union all members'. Of a type with very many of them only the
/// first. Raises for types that have no values (opaque records), and for small records of which the declarations show
/// only a part.
pub fn leaves(ctype: &CType) -> Res<Vec<Leaf>> {
    let mut list = Vec::new();
    collect(ctype, 0, 0, &mut list)?;
    Ok(list)
}

/// A value may be nested so deeply: compilers give up at such depths themselves.
const MAX_NESTING: usize = 1000;

/// Raises if a value has parts at this depth that cannot be looked at.
pub(super) fn check_nesting(ctype: &CType, depth: usize) -> Res<()> {
    if depth <= MAX_NESTING {
        return Ok(());
    }
    Err(raise!(
        NotImplementedError,
        "ctype '{}' not supported as argument or return value by value: it is inside of {MAX_NESTING} other structs (use \
         a pointer)",
        ctype.name
    ))
}

fn collect(ctype: &CType, offset: usize, depth: usize, list: &mut Vec<Leaf>) -> Res<()> {
    if list.len() >= MOST {
        return Ok(());
    }
    check_nesting(ctype, depth)?;
    let mut push = |offset: usize, size: usize, float: Float| {
        list.push(Leaf {
            offset,
            size,
            float,
            bits: false,
        })
    };
    match ctype.code {
        Code::F32 => push(offset, 4, Float::Yes),
        Code::F64 => push(offset, 8, Float::Yes),
        Code::LongDouble => push(offset, ctype.known_size()?, Float::Long),
        Code::ComplexF32 | Code::ComplexF64 => {
            let half = ctype.known_size()? / 2;
            push(offset, half, Float::Yes);
            push(offset + half, half, Float::Yes);
        }
        Code::ComplexLongDouble => {
            let half = ctype.known_size()? / 2;
            push(offset, half, Float::Long);
            push(offset + half, half, Float::Long);
        }
        Code::Array => {
            let size = ctype.item().known_size()?;
            if ctype.length == 0 && cfg!(target_arch = "x86_64") {
                // The member has no bytes, but gcc and clang pass the whole in memory if the member is not aligned.
                let mut items = Vec::new();
                collect(ctype.item(), offset, depth + 1, &mut items)?;
                let unaligned = |leaf: &Leaf| !leaf.bits && !leaf.offset.is_multiple_of(leaf.size);
                list.extend(items.into_iter().filter(unaligned));
            }
            for index in 0..usize::try_from(ctype.length).unwrap_or(0).min(MOST) {
                collect(ctype.item(), offset + index * size, depth + 1, list)?;
            }
        }
        Code::Record => return collect_record(ctype, offset, depth, list),
        Code::Void | Code::Function => {
            return Err(raise!(TypeError, "ctype '{}' has no values", ctype.name));
        }
        _ => push(offset, ctype.known_size()?, Float::No),
    }
    Ok(())
}

fn collect_record(ctype: &CType, offset: usize, depth: usize, list: &mut Vec<Leaf>) -> Res<()> {
    let Some(record) = ctype.record()? else {
        return Err(raise!(
            TypeError,
            "ctype '{}' has incomplete type{}",
            ctype.name,
            ctype.why_opaque()
        ));
    };
    if let Some(kind) = record.sealed {
        return Err(raise!(
            NotImplementedError,
            "ctype '{}' not supported as argument or return value by value: it is {kind} (use a pointer)",
            ctype.name
        ));
    }
    if record.partial && ctype.size() <= 2 * size_of::<u64>() as isize {
        return Err(raise!(
            NotImplementedError,
            "ctype '{}' not supported as argument or return value by value: it is declared with \"...;\", so how it is \
             passed is not known. Such structs are supported if the function {}",
            ctype.name,
            crate::errors::known_to_the_c_compiler()
        ));
    }
    for field in &record.fields {
        let at = offset + field.offset.max(0) as usize;
        if field.is_bit_field() {
            let first = field.bit_shift.max(0) as usize;
            let last = first + (field.bit_size.max(1) as usize) - 1;
            let (start, end) = (first / 8, last / 8 + 1);
            list.push(Leaf {
                offset: at + start,
                size: end - start,
                float: Float::No,
                bits: true,
            });
        } else if field.ctype.kind == Kind::Array && field.ctype.length < 0 {
            // A flexible array is not part of the value.
        } else {
            collect(&field.ctype, at, depth + 1, list)?;
        }
    }
    for &(first, width) in &record.unnamed_bits {
        let (start, end) = (first / 8, first.saturating_add(width - 1) / 8 + 1);
        list.push(Leaf {
            offset: offset + start,
            size: end - start,
            float: Float::No,
            bits: true,
        });
    }
    Ok(())
}
