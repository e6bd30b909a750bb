//! `keelback emit`.
use crate::arguments::EmitArguments;
use crate::diagnostic::{Reporter, Result};
use crate::output::TextOutput;
use crate::plugin;
use crate::sources::Sources;

/// `keelback emit ...`
pub fn run(arguments: &EmitArguments, reporter: &Reporter) -> Result<()> {
    plugin::check_module_name(&arguments.declarations.name)?;
    let (mut output, mut inputs) = TextOutput::at(arguments.output.as_deref())?;
    if let Some(depfile) = &arguments.depfile {
        output.prepare(depfile, &mut inputs)?;
    }
    let mut prepared = Sources::read(&arguments.declarations, &arguments.init, inputs, reporter)?
        .prepare(&arguments.declarations, &arguments.init, reporter)?;
    let source = prepared.plugin.c_source();
    prepared.check_init(reporter)?;
    if let (Some(depfile), Some(source)) = (&arguments.depfile, &arguments.output) {
        output.add(depfile, &prepared.depfile(source)?)?;
    }
    output.write(&source, reporter)
}
