//! `keelback check`.
use crate::arguments::CheckArguments;
use crate::diagnostic::{Reporter, Result};
use crate::input::Inputs;
use crate::plugin;
use crate::sources::Sources;

/// `keelback check ...`
pub fn run(arguments: &CheckArguments, reporter: &Reporter) -> Result<()> {
    plugin::check_module_name(&arguments.declarations.name)?;
    let sources = Sources::read(
        &arguments.declarations,
        &arguments.init,
        Inputs::beside(&[])?,
        reporter,
    )?;
    let mut prepared = sources.prepare(&arguments.declarations, &arguments.init, reporter)?;
    prepared.check_init(reporter)?;
    reporter.settle()
}
