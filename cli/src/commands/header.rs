//! `keelback header`.
use crate::arguments::HeaderArguments;
use crate::diagnostic::{Reporter, Result};
use crate::output::TextOutput;
use crate::plugin::{self, Declared};

/// `keelback header ...`
pub fn run(arguments: &HeaderArguments, reporter: &Reporter) -> Result<()> {
    plugin::check_module_name(&arguments.declarations.name)?;
    let (output, mut inputs) = TextOutput::at(arguments.output.as_deref())?;
    let declared = Declared::read(&arguments.declarations, &mut inputs, reporter)?;
    let header = if arguments.cpp {
        declared.cpp_header(&format!("{}.h", arguments.declarations.name), reporter)?
    } else if arguments.plain {
        declared.plain_header(reporter)?
    } else {
        declared.header(reporter)?
    };
    output.write(&header, reporter)
}
