//! `keelback cmake`.
use crate::arguments::CmakeArguments;
use crate::diagnostic::{Reporter, Result};
use crate::output::{Outputs, print};

const CONFIG: &str =
    include_str!("../../../python/wheel-data/data/share/cmake/Keelback/KeelbackConfig.cmake");

/// `keelback cmake [DIR]`
pub fn run(arguments: &CmakeArguments, reporter: &Reporter) -> Result<()> {
    let Some(directory) = &arguments.directory else {
        return print(CONFIG);
    };
    let path = directory.join("KeelbackConfig.cmake");
    // Do not write an unchanged file again: its new time would make build systems rebuild.
    if std::fs::read(&path).is_ok_and(|text| text == CONFIG.as_bytes()) {
        return Ok(());
    }
    let write = || {
        let mut outputs = Outputs::for_paths(&[&path])?;
        outputs.add(&path, CONFIG.as_bytes(), 0o666)?;
        reporter.detail(format!("wrote {}", path.display()));
        outputs.commit()
    };
    write().map_err(|error| error.elsewhere("choose another directory; nothing was changed"))
}
