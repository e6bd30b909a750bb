//! What finders have in common that are their own loaders: objects on `sys.meta_path`.

use super::{Live, Obj, Ref, Res, guard, none, of_sys};
use crate::raise;

/// Puts a finder on `sys.meta_path`: in front of the others, or behind them. The GIL is held.
pub fn put_on_meta_path(finder: &Ref, first: bool) -> Res<()> {
    let Some(path) = of_sys(c"meta_path").filter(|path| path.live().is_list()) else {
        return Err(raise!(RuntimeError, "sys.meta_path must be a list"));
    };
    let path = path.live();
    let place = if first { 0 } else { path.list_len() };
    path.insert(place, finder.live())
}

/// The module's name in the arguments of `find_spec(name, path=None, target=None)`.
///
/// # Safety
/// `args` points to `count` objects, which are alive for `'a`: a FASTCALL function's arguments.
pub unsafe fn name_argument<'a>(args: *const Obj, count: isize) -> Res<Live<'a>> {
    if !(1..=3).contains(&count) {
        return Err(raise!(
            TypeError,
            "find_spec expected 1 to 3 arguments, got {count}"
        ));
    }
    // SAFETY: `count`, which was checked to be at least 1, is the number of live arguments (the caller's contract).
    Ok(unsafe { Live::new(*args) })
}

/// `create_module(spec)` of a loader that leaves this to the import system: None.
///
/// # Safety
/// Called by Python, as a function.
pub unsafe extern "C" fn create_module(_: Obj, _spec: Obj) -> Obj {
    guard(|| Ok(none()))
}
