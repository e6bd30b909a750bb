//! Arguments of METH_FASTCALL | METH_KEYWORDS functions.

use std::sync::OnceLock;

use super::{Live, Obj, Ref, Res, intern};
use crate::raise;

/// The parameters of a Python-visible function: at most `N`, the first `required` of them without a default.
/// Keyword names compare by address first: those in calling code are interned.
pub struct Signature<const N: usize> {
    name: &'static str,
    params: [&'static str; N],
    required: usize,
    interned: OnceLock<[Ref; N]>,
}

impl<const N: usize> Signature<N> {
    /// A signature. `name` is for messages: `FFI.new`.
    pub const fn new(name: &'static str, params: [&'static str; N], required: usize) -> Self {
        Self {
            name,
            params,
            required,
            interned: OnceLock::new(),
        }
    }

    /// The arguments in order of the parameters; NULL for those not given.
    ///
    /// # Safety
    /// `args`, `count` and `names` are what a METH_FASTCALL | METH_KEYWORDS function was called with.
    #[inline(always)]
    pub unsafe fn parse(&self, args: *const Obj, count: isize, names: Obj) -> Res<[Obj; N]> {
        // SAFETY: the same contract.
        unsafe { self.parse_some(self.required, args, count, names) }
    }

    /// [`parse`](Self::parse) where it is known to the compiler how many are `required`: then it need not be compared
    /// what can be no other number.
    ///
    /// # Safety
    /// That of [`parse`](Self::parse).
    #[inline(always)]
    pub unsafe fn parse_some(
        &self,
        required: usize,
        args: *const Obj,
        count: isize,
        names: Obj,
    ) -> Res<[Obj; N]> {
        debug_assert!(required == self.required);
        let given = count as usize;
        if names.is_null() && given <= N && given >= required {
            let mut out = [std::ptr::null_mut(); N];
            for (index, place) in out.iter_mut().enumerate() {
                if index < given {
                    // SAFETY: the caller passed `count` arguments.
                    *place = unsafe { *args.add(index) };
                }
            }
            return Ok(out);
        }
        // SAFETY: a FASTCALL function gets `given` positional arguments and after them one for each of `names`, which is
        // NULL or a tuple (the caller's contract).
        unsafe { self.parse_slowly(args, given, names) }
    }

    /// As [`parse`](Self::parse), for functions whose parameters are too many to be named one by one.
    ///
    /// # Safety
    /// That of [`parse`](Self::parse); the arguments are alive for `'a`.
    pub unsafe fn parse_live<'a>(
        &self,
        args: *const Obj,
        count: isize,
        names: Obj,
    ) -> Res<[Option<Live<'a>>; N]> {
        // SAFETY: the three are what a FASTCALL function was called with (the caller's contract).
        let given = unsafe { self.parse(args, count, names) }?;
        // SAFETY: `parse` returns arguments, which are alive for 'a (the caller's contract), or NULL.
        Ok(given.map(|argument| unsafe { Live::or_null(argument) }))
    }

    /// As [`parse`](Self::parse), of the tuple and the dict that tp_init gets.
    ///
    /// # Safety
    /// `args` is a live tuple, `kwargs` NULL or a live dict whose keys are str, and nobody changes the dict. The result is
    /// borrowed from both.
    pub unsafe fn parse_tuple(&self, args: Obj, kwargs: Obj) -> Res<[Obj; N]> {
        // SAFETY: a tuple, and NULL or a dict (the caller's contract).
        let (args, kwargs) = unsafe { (Live::new(args), Live::or_null(kwargs)) };
        let mut all: Vec<Obj> = args.tuple_items().map(Live::ptr).collect();
        let given = all.len() as isize;
        let mut names = None;
        if let Some(kwargs) = kwargs.filter(|kwargs| kwargs.dict_len() > 0) {
            let tuple = kwargs.dict_keys()?.live().list_to_tuple()?;
            for name in tuple.live().tuple_items() {
                let value = kwargs.dict_item(name)?.ok_or_else(|| {
                    raise!(RuntimeError, "{}(): its arguments changed", self.name)
                })?;
                // The dict keeps it, which nobody changes (the caller's contract).
                all.push(value.obj());
            }
            names = Some(tuple);
        }
        let names = names.as_ref().map_or(std::ptr::null_mut(), Ref::obj);
        // SAFETY: `all` has the `given` items of the tuple, and one more for each of `names`.
        unsafe { self.parse(all.as_ptr(), given, names) }
    }

    /// [`parse`](Self::parse) with names, or a wrong number of arguments.
    ///
    /// # Safety
    /// `args` are `given` live arguments and one for each of `names`, which is NULL or a tuple.
    #[inline(never)]
    unsafe fn parse_slowly(&self, args: *const Obj, given: usize, names: Obj) -> Res<[Obj; N]> {
        let mut out = [std::ptr::null_mut(); N];
        if given > N {
            return Err(raise!(
                TypeError,
                "{}() takes at most {N} argument{} ({given} given)",
                self.name,
                if N == 1 { "" } else { "s" }
            ));
        }
        for (index, place) in out.iter_mut().enumerate().take(given) {
            // SAFETY: there are `given` positional arguments.
            *place = unsafe { *args.add(index) };
        }
        // SAFETY: NULL or a tuple that is alive during the call.
        let names = unsafe { Live::or_null(names) };
        for (index, name) in names.into_iter().flat_map(Live::tuple_items).enumerate() {
            let place = self.position(name)?;
            if !out[place].is_null() {
                return Err(raise!(
                    TypeError,
                    "{}() got multiple values for argument '{}'",
                    self.name,
                    self.params[place]
                ));
            }
            // SAFETY: after the positional ones comes an argument for each name.
            out[place] = unsafe { *args.add(given + index) };
        }
        let missing: Vec<String> = (0..self.required)
            .filter(|&index| out[index].is_null())
            .map(|index| format!("'{}'", self.params[index]))
            .collect();
        if let Some((last, others)) = missing.split_last() {
            let list = if others.is_empty() {
                last.clone()
            } else {
                format!("{} and {last}", others.join(", "))
            };
            return Err(raise!(
                TypeError,
                "{}() missing {} required positional argument{}: {list}",
                self.name,
                missing.len(),
                if others.is_empty() { "" } else { "s" }
            ));
        }
        Ok(out)
    }

    /// Which parameter a keyword names.
    fn position(&self, name: Live) -> Res<usize> {
        let interned = match self.interned.get() {
            Some(interned) => interned,
            None => {
                let mut list = Vec::with_capacity(N);
                for param in self.params {
                    list.push(intern(param)?);
                }
                match <[Ref; N]>::try_from(list) {
                    Ok(array) => self.interned.get_or_init(|| array),
                    Err(_) => return Err(raise!(SystemError, "{}: parameter table", self.name)),
                }
            }
        };
        if let Some(place) = interned.iter().position(|one| name.is(one.obj())) {
            return Ok(place);
        }
        let text = name.text()?.unwrap_or("?");
        self.params
            .iter()
            .position(|&param| param == text)
            .ok_or_else(|| {
                raise!(
                    TypeError,
                    "{}() got an unexpected keyword argument '{text}'",
                    self.name
                )
            })
    }
}
