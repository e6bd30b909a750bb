//! `keelback header`.
use std::path::Path;

use crate::arguments::HeaderArguments;
use crate::diagnostic::{Reporter, Result};
use crate::input::Inputs;
use crate::output::{self, Outputs};
use crate::plugin::{self, Declared};

/// `keelback header ...`
pub fn run(arguments: &HeaderArguments, reporter: &Reporter) -> Result<()> {
    plugin::check_module_name(&arguments.declarations.name)?;
    let place = arguments
        .output
        .as_deref()
        .filter(|path| !crate::is_dash(path.as_os_str()));
    let places: Vec<&Path> = place.into_iter().collect();
    let mut inputs = Inputs::beside(&places)?;
    let mut outputs = Outputs::for_paths(&places)?;
    let header =
        Declared::read(&arguments.declarations, &mut inputs, reporter)?.header(reporter)?;
    reporter.settle()?;
    let Some(place) = place else {
        return output::print(&header);
    };
    outputs.add(place, header.as_bytes(), 0o666)?;
    outputs.commit()?;
    Ok(())
}
