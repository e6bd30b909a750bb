//! Reading a built plugin.
use std::path::Path;

use object::{Object, ObjectSymbol, ReadCache};

use crate::input::reason;

/// The module name of the plugin at `path`, with `_` for dots, from the names of its exported functions.
pub fn module_name(path: &Path) -> Result<String, String> {
    let library = std::fs::File::open(path).map_err(|error| reason(&error))?;
    let cache = ReadCache::new(library);
    let file = object::File::parse(&cache).map_err(|_| "it is no library".to_owned())?;
    let names: Vec<String> = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition())
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned))
        .collect();
    // In NAME_set_error_handler a dotted name has `_` for its dots; behind PyInit_ is only its last part.
    let is_module = |prefix: &str| {
        names.contains(&format!("{prefix}_set_error_handler"))
            && names
                .iter()
                .filter_map(|name| name.strip_prefix("PyInit_"))
                .any(|last| {
                    prefix
                        .strip_suffix(last)
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
                })
    };
    names
        .iter()
        .filter_map(|name| name.strip_suffix("_last_error"))
        .find(|prefix| is_module(prefix))
        .map(str::to_owned)
        .ok_or_else(|| "it does not export what `keelback build` gives every plugin".into())
}
