//! Calls whose arguments all fit in registers, without libffi.
//!
//! Each argument gets its place when the plan is made; a call fills the registers, and goes through one of the
//! [`prototype`]s.

#[cfg(target_arch = "aarch64")]
use super::aapcs64 as convention;
use super::place::{Class, FLOATS, INTEGERS, Place, Return, SUPPORTED, Spread};
use super::prototype::{self, Filled};
#[cfg(target_arch = "x86_64")]
use super::system_v as convention;
use crate::convert::argument::Parameter;
use crate::ctype::Code;
use crate::py::Res;

/// Registers that are taken.
#[derive(Clone, Copy, Default)]
pub(super) struct Taken {
    integers: usize,
    floats: usize,
}

impl Taken {
    /// Those that the result needs: the address of its memory.
    pub(super) fn with_result(result: &Parameter) -> Res<Self> {
        let mut taken = Self::default();
        #[cfg(all(target_arch = "x86_64", not(windows)))]
        if convention::result(result.ctype())? == Some(Return::Memory) {
            taken.integers = 1;
        }
        #[cfg(not(all(target_arch = "x86_64", not(windows))))]
        let _ = (result, &mut taken);
        Ok(taken)
    }

    /// Takes what an argument needs, if there are enough left and it goes in registers; else none.
    pub(super) fn try_take(&mut self, parameter: &Parameter) -> Res<bool> {
        let before = *self;
        let fits = match place(parameter)? {
            Some(place) => self.take(place),
            None => false,
        };
        if !fits {
            *self = before;
        }
        Ok(fits)
    }

    /// Takes what an argument needs; false when there aren't as many left, and it would go on the stack.
    fn take(&mut self, place: Place) -> bool {
        match place {
            Place::Nothing => {}
            Place::Integer => self.integers += 1,
            Place::Float => self.floats += 1,
            Place::Spread(Spread::Floats { count, .. }) => self.floats += usize::from(count),
            Place::EvenPair => self.integers = self.integers.next_multiple_of(2) + 2,
            Place::Spread(Spread::Parts { classes, .. }) => {
                for class in classes {
                    match class {
                        Class::None => {}
                        Class::Integer => self.integers += 1,
                        Class::Sse => self.floats += 1,
                    }
                }
            }
        }
        self.integers <= INTEGERS && self.floats <= FLOATS
    }
}

/// Where an argument of this type goes, if there are registers left; `None`: not in registers.
pub fn place(parameter: &Parameter) -> Res<Option<Place>> {
    match parameter.code {
        Code::F64 => Ok(Some(Place::Float)),
        Code::I8
        | Code::I16
        | Code::I32
        | Code::I64
        | Code::U8
        | Code::U16
        | Code::U32
        | Code::U64
        | Code::Pointer => Ok(Some(Place::Integer)),
        _ => convention::argument(parameter.ctype()),
    }
}

/// Which registers slots are, in order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Only {
    /// The general ones, and the result is in one or there is none.
    Integers,
    /// The floating ones, and the result is in one.
    Floats,
}

/// How to call a signature whose arguments fit in registers.
pub struct Registers {
    places: Box<[Place]>,
    result: Return,
    taken: Taken,
    /// Slots are the general registers, in order, and the result is an integer or nothing.
    only_integers: bool,
    /// Slots are the floating registers, in order, and the result is in one.
    only_floats: bool,
}

impl Registers {
    /// The plan for these types; `None` when the arguments do not fit, or the platform has no register path.
    pub fn new(result: &Parameter, params: &[Parameter]) -> Res<Option<Self>> {
        if !SUPPORTED {
            return Ok(None);
        }
        let Some(result) = convention::result(result.ctype())? else {
            return Ok(None);
        };
        let mut taken = Taken::default();
        if result == Return::Memory {
            taken.integers = 1;
        }
        let mut places = Vec::with_capacity(params.len());
        for param in params {
            match place(param)? {
                Some(place) if taken.take(place) => places.push(place),
                _ => return Ok(None),
            }
        }
        let only_integers =
            result == Return::Integer && places.iter().all(|&place| place == Place::Integer);
        let only_floats =
            result == Return::Float && places.iter().all(|&place| place == Place::Float);
        Ok(Some(Self {
            places: places.into(),
            result,
            taken,
            only_integers,
            only_floats,
        }))
    }

    /// Whether slots are the registers of one kind, in order.
    pub(super) fn only(&self) -> Option<Only> {
        match (self.only_integers, self.only_floats) {
            (true, _) => Some(Only::Integers),
            (_, true) => Some(Only::Floats),
            _ => None,
        }
    }

    /// Whether the arguments of a variadic part fit too.
    pub fn has_room_for(&self, extra: &[Place]) -> bool {
        let mut taken = self.taken;
        extra.iter().all(|&place| taken.take(place))
    }

    /// Calls `function`. A scalar result is returned, in the low bytes; an aggregate is written to `result`. `extra`:
    /// where the arguments of a variadic part go.
    ///
    /// # Safety
    /// `function` is a C function of the signature that the plan was made for, `slots` starts with its arguments and
    /// has room for [`INTEGERS`], `result` has room for an aggregate result.
    #[inline(always)]
    pub unsafe fn call(
        &self,
        function: *const u8,
        slots: &[u64],
        extra: &[Place],
        result: *mut u8,
    ) -> u64 {
        if self.only_integers
            && extra.is_empty()
            && let Some(integers) = slots.first_chunk::<INTEGERS>()
        {
            // SAFETY: every argument is in a general register, in order, and the result is in one or there is none.
            // Slots beyond the arguments are registers that the callee does not read.
            return unsafe { prototype::integers(function, integers) };
        }
        if self.only_floats
            && extra.is_empty()
            && let Some(floats) = slots.first_chunk::<FLOATS>()
        {
            // SAFETY: the same for floating registers.
            return unsafe { prototype::floats(function, floats) }.to_bits();
        }
        // SAFETY: the same contract.
        unsafe { self.call_mixed(function, slots, extra, result) }
    }

    /// [`Self::call`] with arguments for both kinds of registers, or a result from more than one.
    ///
    /// # Safety
    /// That of [`Self::call`].
    unsafe fn call_mixed(
        &self,
        function: *const u8,
        slots: &[u64],
        extra: &[Place],
        result: *mut u8,
    ) -> u64 {
        let mut filled = Filled::new(self.result, result);
        for (&place, &slot) in self.places.iter().chain(extra).zip(slots) {
            // SAFETY: the slot is an argument of the type that the place was found for.
            unsafe { filled.add(place, slot) };
        }
        // SAFETY: every argument is in its register; the plan is that of the function; `result` has room.
        unsafe { filled.call(function, self.result, result) }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod convention {
    //! No register path here.
    use super::{Place, Res, Return};
    use crate::ctype::CType;

    pub(super) fn argument(_: &CType) -> Res<Option<Place>> {
        Ok(None)
    }
    pub(super) fn result(_: &CType) -> Res<Option<Return>> {
        Ok(None)
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    fn take_all(places: &[Place]) -> Vec<bool> {
        let mut taken = Taken::default();
        places.iter().map(|&place| taken.take(place)).collect()
    }

    #[test]
    fn six_integers_and_eight_floats_fit() {
        assert_eq!(
            take_all(&[Place::Integer; 7]),
            [[true; 6].as_slice(), &[false]].concat()
        );
        assert_eq!(
            take_all(&[Place::Float; 9]),
            [[true; 8].as_slice(), &[false]].concat()
        );
    }

    #[test]
    fn integers_and_floats_are_counted_apart() {
        let places = [[Place::Integer; 6].as_slice(), &[Place::Float; 8]].concat();
        assert_eq!(take_all(&places), [true; 14]);
    }

    #[test]
    fn a_struct_takes_a_register_for_each_eightbyte() {
        let pair = Place::Spread(Spread::Parts {
            classes: [Class::Integer, Class::Sse],
            size: 16,
        });
        assert_eq!(
            take_all(&[pair; 7]),
            [[true; 6].as_slice(), &[false]].concat()
        );
    }

    #[test]
    fn what_has_no_bytes_takes_none() {
        let places = [[Place::Nothing; 20].as_slice(), &[Place::Integer; 6]].concat();
        assert_eq!(take_all(&places), [true; 26]);
    }
}
