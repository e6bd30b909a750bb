//! `keelback emit`.
use crate::arguments::EmitArguments;
use crate::commands::build::Sources;
use crate::diagnostic::{Reporter, Result};
use crate::output::TextOutput;
use crate::plugin;

/// `keelback emit ...`
pub fn run(arguments: &EmitArguments, reporter: &Reporter) -> Result<()> {
    plugin::check_module_name(&arguments.declarations.name)?;
    let (output, inputs) = TextOutput::at(arguments.output.as_deref())?;
    let mut prepared = Sources::read(&arguments.declarations, &arguments.init, inputs, reporter)?
        .prepare(&arguments.declarations, &arguments.init, reporter)?;
    let source = prepared.plugin.c_source();
    prepared.check_init(reporter)?;
    output.write(&source, reporter)
}
