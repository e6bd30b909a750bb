//! What an FFI declares that has an address in C: for `keelback.testing`, which gives it one.

use keelback_cdef::FunctionOrigin;

use super::builder::an_ffi;
use crate::ctype;
use crate::py::{Live, Ref, Res, make, method, str_from};

method!(
    pub declared = "_declared",
    all,
    (_module: Option<Live>, ffi: Live)
);

/// `_runtime._declared(ffi)`: of each function and variable its name, its ctype, and what it is: "python" (C calls it and
/// Python has it), "function" or "variable".
fn all(_module: Option<Live>, ffi: Live) -> Res<Ref> {
    let ffi = an_ffi(ffi, "_declared")?;
    let scope = ffi.scope.clone();
    scope.need_all()?;
    let rows: Vec<_> = {
        let declarations = scope.read();
        let text = |name| declarations.types.text(name).to_owned();
        let functions = declarations.functions.iter().map(|function| {
            let what = match function.origin {
                FunctionOrigin::C => "function",
                _ => "python",
            };
            (text(function.name), function.ty, what)
        });
        let variables = declarations
            .variables
            .iter()
            .map(|variable| (text(variable.name), variable.ty.ty, "variable"));
        functions.chain(variables).collect()
    };
    make::list(rows.into_iter().map(|(name, ty, what)| {
        let ctype = ctype::from_scope(&scope, ty)?.live().to_ref();
        make::tuple([Ok(str_from(&name)?), Ok(ctype), Ok(str_from(what)?)].into_iter())
    }))
}
