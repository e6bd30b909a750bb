//! The x86-64 System V calling convention: which registers a value goes in ("System V Application Binary Interface,
//! AMD64 Architecture Processor Supplement", 3.2.3).

use super::aggregate::{Float, Leaf, leaves};
use super::place::{Class, Place, Return, Spread};
use crate::ctype::{CType, Code};
use crate::py::Res;

/// How a value is passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passing {
    /// It has no bytes: not at all.
    Nothing,
    /// In one register, or one for each of its two eightbytes.
    Registers([Class; 2]),
    /// On the stack; as a result through a pointer that the caller gives.
    Memory,
    /// A lone long double: an argument on the stack, a result in st(0).
    X87,
}

/// How a value of the type is passed.
pub fn passing(ctype: &CType) -> Res<Passing> {
    let size = match ctype.code {
        Code::Void => return Ok(Passing::Nothing),
        Code::F32 | Code::F64 => return Ok(Passing::Registers([Class::Sse, Class::None])),
        Code::LongDouble => return Ok(Passing::X87),
        Code::ComplexLongDouble => return Ok(Passing::Memory),
        Code::I128 | Code::U128 => return Ok(Passing::Registers([Class::Integer; 2])),
        Code::Record | Code::ComplexF32 | Code::ComplexF64 => ctype.known_size()?,
        _ => return Ok(Passing::Registers([Class::Integer, Class::None])),
    };
    if size == 0 {
        return Ok(Passing::Nothing);
    }
    let leaves = leaves(ctype)?;
    if size > 16 {
        return Ok(Passing::Memory);
    }
    Ok(classify(size, &leaves))
}

/// Rules 1 to 5 of the classification, for at most two eightbytes. Unnamed bit-fields are scalars like the others: so
/// does gcc take the document, and clang since 24; before, they were padding to clang.
fn classify(size: usize, leaves: &[Leaf]) -> Passing {
    let mut classes = [Class::None; 2];
    let mut long = false;
    for leaf in leaves {
        // Rule 1: unaligned fields make it memory. A bit-field is where its storage is.
        if !leaf.bits && leaf.offset % leaf.size != 0 {
            return Passing::Memory;
        }
        if leaf.float == Float::Long {
            long = true;
            continue;
        }
        let class = if leaf.float == Float::Yes {
            Class::Sse
        } else {
            Class::Integer
        };
        for eightbyte in leaf.offset / 8..=(leaf.offset + leaf.size - 1) / 8 {
            let Some(merged) = classes.get_mut(eightbyte) else {
                return Passing::Memory;
            };
            *merged = match (*merged, class) {
                (Class::Integer, _) | (_, Class::Integer) => Class::Integer,
                _ => Class::Sse,
            };
        }
    }
    if long {
        // X87 and X87UP, if nothing else shares the bytes; with anything else rule 4 or 5 makes it memory.
        return if classes == [Class::None; 2] {
            Passing::X87
        } else {
            Passing::Memory
        };
    }
    if size <= 8 {
        classes[1] = Class::None;
    }
    match classes {
        // Nothing but padding: no register is used.
        [Class::None, Class::None] => Passing::Nothing,
        _ => Passing::Registers(classes),
    }
}

/// How an argument goes in registers; `None`: not at all.
pub(super) fn argument(ctype: &CType) -> Res<Option<Place>> {
    Ok(match passing(ctype)? {
        Passing::Nothing => Some(Place::Nothing),
        Passing::Registers(classes) => Some(match (ctype.code, classes) {
            (
                Code::Record | Code::ComplexF32 | Code::ComplexF64 | Code::I128 | Code::U128,
                classes,
            ) => {
                let size = ctype.known_size()? as u8;
                Place::Spread(Spread::Parts { classes, size })
            }
            (_, [Class::Sse, _]) => Place::Float,
            _ => Place::Integer,
        }),
        Passing::Memory | Passing::X87 => None,
    })
}

/// How a result comes back; `None`: not in registers that a prototype of ours reads.
pub(super) fn result(ctype: &CType) -> Res<Option<Return>> {
    Ok(match passing(ctype)? {
        Passing::Nothing => Some(Return::Integer),
        Passing::Memory if ctype.code == Code::Record => Some(Return::Memory),
        Passing::Memory | Passing::X87 => None,
        Passing::Registers(_) => argument(ctype)?.map(|place| match place {
            Place::Spread(spread) => Return::Spread(spread),
            Place::Float => Return::Float,
            _ => Return::Integer,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(offset: usize, size: usize, float: Float) -> Leaf {
        Leaf {
            offset,
            size,
            float,
            bits: false,
        }
    }

    const INTEGER_SSE: Passing = Passing::Registers([Class::Integer, Class::Sse]);

    #[test]
    fn an_eightbyte_with_an_integer_goes_in_a_general_register() {
        // struct { int a; float b; double c; }
        let leaves = [
            leaf(0, 4, Float::No),
            leaf(4, 4, Float::Yes),
            leaf(8, 8, Float::Yes),
        ];
        assert_eq!(classify(16, &leaves), INTEGER_SSE);
    }

    #[test]
    fn two_floats_share_a_floating_register() {
        let leaves = [leaf(0, 4, Float::Yes), leaf(4, 4, Float::Yes)];
        let expected = Passing::Registers([Class::Sse, Class::None]);
        assert_eq!(classify(8, &leaves), expected);
    }

    #[test]
    fn the_end_of_a_short_struct_is_no_second_eightbyte() {
        // struct { char a[3]; }
        let leaves = [0, 1, 2].map(|offset| leaf(offset, 1, Float::No));
        let expected = Passing::Registers([Class::Integer, Class::None]);
        assert_eq!(classify(3, &leaves), expected);
    }

    #[test]
    fn an_unaligned_member_makes_it_memory_and_a_bit_field_does_not() {
        // struct { char a; int b; } __attribute__((packed))
        let packed = [leaf(0, 1, Float::No), leaf(1, 4, Float::No)];
        assert_eq!(classify(5, &packed), Passing::Memory);
        let bits = [
            leaf(0, 1, Float::No),
            Leaf {
                bits: true,
                ..packed[1]
            },
        ];
        let expected = Passing::Registers([Class::Integer, Class::None]);
        assert_eq!(classify(5, &bits), expected);
    }

    #[test]
    fn a_long_double_is_alone_or_in_memory() {
        let long = leaf(0, 16, Float::Long);
        assert_eq!(classify(16, &[long]), Passing::X87);
        // union { long double a; int b; }
        assert_eq!(
            classify(16, &[long, leaf(0, 4, Float::No)]),
            Passing::Memory
        );
    }

    #[test]
    fn what_lies_behind_two_eightbytes_makes_it_memory() {
        assert_eq!(classify(24, &[leaf(16, 8, Float::Yes)]), Passing::Memory);
    }

    #[test]
    fn padding_alone_takes_no_register() {
        assert_eq!(classify(4, &[]), Passing::Nothing);
    }
}
