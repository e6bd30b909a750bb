//! Arguments of the modules' functions: positional, as in MicroPython, with its texts for what is wrong.

use pyo3::ffi;

use crate::py::{Live, Obj, Res};
use crate::raise;

/// The arguments of a function with `required` to `N` positional parameters; NULL for those not given. `bound`: how
/// many more MicroPython counts in its texts (1 for a method's self).
///
/// # Safety
/// `args`, `count` and `names` are what a METH_FASTCALL | METH_KEYWORDS function was called with.
pub(super) unsafe fn positional<const N: usize>(
    args: *const Obj,
    count: isize,
    names: Obj,
    required: usize,
    bound: usize,
) -> Res<[Obj; N]> {
    // SAFETY: `args`, `count` and `names` are what a METH_FASTCALL | METH_KEYWORDS function was called with.
    unsafe {
        if has_keywords(names) {
            return Err(raise!(TypeError, "function doesn't take keyword arguments"));
        }
        let given = count as usize;
        check_count(given + bound, required + bound, N + bound)?;
        let mut out = [std::ptr::null_mut(); N];
        for (index, place) in out.iter_mut().enumerate().take(given) {
            *place = *args.add(index);
        }
        Ok(out)
    }
}

/// Whether keyword arguments were given.
///
/// # Safety
/// `names` is NULL or a live tuple.
#[inline(always)]
pub(super) unsafe fn has_keywords(names: Obj) -> bool {
    // SAFETY: `names` is NULL or a live tuple.
    !names.is_null() && unsafe { ffi::PyTuple_GET_SIZE(names) } > 0
}

/// Raises for a wrong number of arguments.
pub(super) fn check_count(given: usize, least: usize, most: usize) -> Res<()> {
    if given < least && least != most {
        return Err(raise!(
            TypeError,
            "function missing {} required positional arguments",
            least - given
        ));
    }
    if given > most && least != most {
        return Err(raise!(
            TypeError,
            "function expected at most {most} arguments, got {given}"
        ));
    }
    if given != least && least == most {
        return Err(raise!(
            TypeError,
            "function takes {least} positional arguments but {given} were given"
        ));
    }
    Ok(())
}

/// The text of a str or bytes argument, up to its first NUL if it has one.
pub(super) fn text<'a>(object: Live<'a>) -> Res<&'a [u8]> {
    let bytes = if let Some(text) = object.text()? {
        text.as_bytes()
    } else if let Some(bytes) = object.bytes() {
        bytes
    } else {
        return Err(raise!(
            TypeError,
            "can't convert '{}' object to str implicitly",
            object.type_name()
        ));
    };
    Ok(bytes.split(|&byte| byte == 0).next().unwrap_or_default())
}

/// As [`text`], for C.
pub(super) fn c_text(object: Live) -> Res<std::ffi::CString> {
    Ok(std::ffi::CString::new(text(object)?).unwrap_or_default())
}
