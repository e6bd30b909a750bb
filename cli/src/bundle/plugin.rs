//! Reading a built plugin.
use std::path::Path;

use object::{Object, ObjectSymbol, ReadCache};

use crate::input::reason;

/// The module name of the plugin at `path`: it is in the names of what it exports.
pub fn module_name(path: &Path) -> Result<String, String> {
    let library = std::fs::File::open(path).map_err(|error| reason(&error))?;
    let cache = ReadCache::new(library);
    let file = object::File::parse(&cache).map_err(|_| "it is no library".to_owned())?;
    let names: Vec<String> = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition())
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned))
        .collect();
    names
        .iter()
        .filter_map(|name| name.strip_prefix("PyInit_"))
        .find(|module| names.contains(&format!("{module}_last_error")))
        .map(str::to_owned)
        .ok_or_else(|| "it does not export what `keelback build` gives every plugin".into())
}
