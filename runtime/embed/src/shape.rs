//! What a Python function that is attached takes and gives, as far as that can be seen without calling it.
//!
//! The build reads the text of the init code (cli/src/init_checks.rs); what is made at run time (decorated functions,
//! lambdas, methods, `functools.partial`, callable objects) is seen here. `inspect.signature` would import a module for
//! it, and follows `__wrapped__` to a function that is not the one that is called.

use keelback_codegen::PythonShape;
use pyo3::ffi;

use keelback_ffi::py::{Live, Ref, Res};

const TAKES_ANY_NUMBER: i64 = 0x04; // CO_VARARGS
const GIVES: [(i64, &str); 3] = [
    (0x20, "a generator"),                // CO_GENERATOR
    (0x80, "a coroutine"),                // CO_COROUTINE
    (0x200, "an asynchronous generator"), // CO_ASYNC_GENERATOR
];

unsafe extern "C" {
    // libpython exports it, and pyo3 does not declare it.
    static mut PyMethod_Type: ffi::PyTypeObject;
}

/// The shape of a callable; `None` if it cannot be known.
pub fn of(callable: Live) -> Res<Option<PythonShape>> {
    let (function_type, method_type) = (&raw mut ffi::PyFunction_Type, &raw mut PyMethod_Type);
    if callable.class() == function_type {
        return of_function(callable, 0).map(Some);
    }
    if callable.class() == method_type {
        let function = callable.attribute(c"__func__")?;
        return of_plain(function.live(), 1, function_type);
    }
    if callable.type_name() == "functools.partial" {
        let (function, arguments) = (callable.attribute(c"func")?, callable.attribute(c"args")?);
        let keywords = callable.attribute(c"keywords")?;
        // Arguments by keyword, and places that are left open (3.14), change which parameter an argument of C's meets.
        let is_open = |argument: Live| argument.type_name().contains("Placeholder");
        if keywords.live().dict_len() > 0 || arguments.live().tuple_items().any(is_open) {
            return Ok(None);
        }
        return of_plain(function.live(), arguments.live().tuple_len(), function_type);
    }
    // An object is called through its class. Of classes, and of callables that are written in C, nothing is certain.
    // SAFETY: the class of a live object.
    let class: Ref = unsafe { Ref::borrow(callable.class().cast()) };
    match call_of(class.live())? {
        Some(call) => of_plain(call.live(), 1, function_type),
        None => Ok(None),
    }
}

/// `__call__` as a class or the first of its bases has it. An attribute of the class would give the function of a static
/// method, which does not get the object, as it gives that of a method.
fn call_of(class: Live) -> Res<Option<Ref>> {
    let bases = class.attribute(c"__mro__")?;
    for base in bases.live().tuple_items() {
        let names = base.attribute(c"__dict__")?;
        // SAFETY: a live object; C strings.
        unsafe {
            if ffi::PyMapping_HasKeyString(names.obj(), c"__call__".as_ptr()) != 0 {
                let call = ffi::PyMapping_GetItemString(names.obj(), c"__call__".as_ptr());
                return Ref::steal(call).map(Some);
            }
        }
    }
    Ok(None)
}

/// That of a function which gets `first` arguments before C's, if it is one that Python code defines.
fn of_plain(
    function: Live,
    first: usize,
    function_type: *mut ffi::PyTypeObject,
) -> Res<Option<PythonShape>> {
    if function.class() != function_type {
        return Ok(None);
    }
    of_function(function, first).map(Some)
}

fn of_function(function: Live, first: usize) -> Res<PythonShape> {
    let code = function.attribute(c"__code__")?;
    let number =
        |name| -> Res<i64> { Ok(code.live().attribute(name)?.live().small_int().unwrap_or(0)) };
    let (flags, positional) = (number(c"co_flags")?, number(c"co_argcount")? as usize);
    let defaults = function.attribute(c"__defaults__")?;
    let optional = if defaults.live().is_tuple() {
        defaults.live().tuple_len()
    } else {
        0
    };
    let by_keyword = number(c"co_kwonlyargcount")? as usize;
    let gives = GIVES.iter().find(|(flag, _)| flags & flag != 0);
    Ok(PythonShape {
        least: positional.saturating_sub(optional).saturating_sub(first),
        most: (flags & TAKES_ANY_NUMBER == 0).then(|| positional.saturating_sub(first)),
        keywords: if by_keyword == 0 {
            String::new()
        } else {
            needed_keywords(function, code.live(), positional, by_keyword)?
        },
        gives: gives.map_or_else(String::new, |(_, what)| (*what).to_owned()),
    })
}

/// The parameters that only a keyword can give, and that have no default.
fn needed_keywords(function: Live, code: Live, positional: usize, count: usize) -> Res<String> {
    let (names, defaults) = (
        code.attribute(c"co_varnames")?,
        function.attribute(c"__kwdefaults__")?,
    );
    let mut needed = Vec::new();
    for name in names.live().tuple_items().skip(positional).take(count) {
        let has_default = defaults.live().is_dict() && defaults.live().dict_item(name)?.is_some();
        if !has_default && let Some(text) = name.text()? {
            needed.push(text.to_owned());
        }
    }
    Ok(needed.join(" "))
}
