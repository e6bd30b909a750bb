//! The 64-bit ARM calling convention, as far as values go in registers ("Procedure Call Standard for the Arm 64-bit
//! Architecture", 6.8): what is not simple is left to libffi.

use super::aggregate::{Float, Leaf, leaves};
use super::place::{Class, Place, Return, Spread};
use crate::ctype::{CType, Code};
use crate::py::Res;

/// A homogeneous floating-point aggregate: how many members of which size.
fn homogeneous(ctype: &CType) -> Res<Option<(u8, u8)>> {
    let size = ctype.known_size()?;
    if size == 0 || size > 32 {
        return Ok(None);
    }
    let leaves = leaves(ctype)?;
    let Some(first) = leaves.first() else {
        return Ok(None);
    };
    let same = leaves.iter().all(|leaf| {
        leaf.float == Float::Yes
            && leaf.size == first.size
            && leaf.offset.is_multiple_of(first.size)
            && !leaf.bits
    });
    let fits = same && is_filled(&leaves, first.size, size);
    Ok(fits.then_some(((size / first.size) as u8, first.size as u8)))
}

/// Whether the record of this size is at most four members of one size, and no padding: an alignment may be larger than what
/// it aligns.
fn is_filled(leaves: &[Leaf], of_one: usize, size: usize) -> bool {
    let is_there = |offset| leaves.iter().any(|leaf| leaf.offset == offset);
    let count = size / of_one.max(1);
    count <= 4 && count * of_one == size && (0..count).all(|index| is_there(index * of_one))
}

/// Whether it is an integer of 128 bits, or a record of one that is not packed. Apple passes both as any two eightbytes.
fn is_even_pair(ctype: &CType) -> Res<bool> {
    if cfg!(target_vendor = "apple") {
        return Ok(false);
    }
    let is_it = |leaf: &Leaf| leaf.size == 16 && leaf.float == Float::No && !leaf.bits;
    Ok(ctype.known_size()? == 16 && ctype.align() >= 16 && leaves(ctype)?.iter().any(is_it))
}

/// Whether a type goes in floating-point registers, or on the stack in one piece: never by its address. Of long doubles
/// too.
pub(super) fn is_homogeneous(ctype: &CType) -> Res<bool> {
    let size = ctype.known_size()?;
    if size == 0 || size > 64 {
        return Ok(false);
    }
    if homogeneous(ctype)?.is_some() {
        return Ok(true);
    }
    let leaves = leaves(ctype)?;
    let long = size_of::<u128>();
    let all = leaves
        .iter()
        .all(|leaf| leaf.float == Float::Long && leaf.offset.is_multiple_of(long));
    Ok(all && is_filled(&leaves, long, size))
}

/// How an argument goes in registers; `None`: ask libffi.
pub(super) fn argument(ctype: &CType) -> Res<Option<Place>> {
    if !matches!(
        ctype.code,
        Code::Record
            | Code::I128
            | Code::U128
            | Code::ComplexF32
            | Code::ComplexF64
            | Code::ComplexLongDouble
    ) {
        return Ok(match ctype.code {
            Code::F32 | Code::F64 => Some(Place::Float),
            Code::LongDouble => None,
            _ => Some(Place::Integer),
        });
    }
    if ctype.code == Code::ComplexLongDouble {
        return Ok(None);
    }
    if is_even_pair(ctype)? {
        return Ok(Some(Place::EvenPair));
    }
    if let Some((count, size)) = homogeneous(ctype)? {
        return Ok(Some(Place::Spread(Spread::Floats { count, size })));
    }
    let size = ctype.known_size()?;
    Ok(match size {
        0 => Some(Place::Nothing),
        1..=16
            if (ctype.align() <= 8 || ctype.code != Code::Record)
                && leaves(ctype)?.iter().all(|leaf| leaf.float != Float::Long) =>
        {
            let second = if size > 8 {
                Class::Integer
            } else {
                Class::None
            };
            Some(Place::Spread(Spread::Parts {
                classes: [Class::Integer, second],
                size: size as u8,
            }))
        }
        _ => None,
    })
}

/// How a result comes back; `None`: ask libffi (large ones go through x8, which no prototype of ours can set).
pub(super) fn result(ctype: &CType) -> Res<Option<Return>> {
    if ctype.code == Code::Void {
        return Ok(Some(Return::Integer));
    }
    Ok(match argument(ctype)? {
        Some(Place::Integer) => Some(Return::Integer),
        Some(Place::Float) => Some(Return::Float),
        Some(Place::Spread(spread)) => Some(Return::Spread(spread)),
        Some(Place::EvenPair) => Some(Return::Spread(Spread::Parts {
            classes: [Class::Integer; 2],
            size: 16,
        })),
        Some(Place::Nothing) | None => None,
    })
}
