//! `keelback emit`.
use std::path::Path;

use crate::arguments::EmitArguments;
use crate::commands::build::Sources;
use crate::diagnostic::{Reporter, Result};
use crate::input::Inputs;
use crate::output::{self, Outputs};
use crate::plugin;

/// `keelback emit ...`
pub fn run(arguments: &EmitArguments, reporter: &Reporter) -> Result<()> {
    plugin::check_module_name(&arguments.declarations.name)?;
    let place = arguments
        .output
        .as_deref()
        .filter(|path| !crate::is_dash(path.as_os_str()));
    let places: Vec<&Path> = place.into_iter().collect();
    let inputs = Inputs::beside(&places)?;
    let mut outputs = Outputs::for_paths(&places)?;
    let mut prepared = Sources::read(&arguments.declarations, &arguments.init, inputs, reporter)?
        .prepare(&arguments.declarations, &arguments.init, reporter)?;
    let source = prepared.plugin.c_source();
    prepared.check_init(reporter)?;
    reporter.settle()?;
    let Some(place) = place else {
        return output::print(&source);
    };
    outputs.add(place, source.as_bytes(), 0o666)?;
    outputs.commit()?;
    Ok(())
}
