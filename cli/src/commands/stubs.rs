//! `keelback stubs`.
use keelback_codegen::StubsOf;

use crate::arguments::StubsArguments;
use crate::diagnostic::{Reporter, Result};
use crate::output::TextOutput;
use crate::plugin::{self, Declared};

/// `keelback stubs ...`
pub fn run(arguments: &StubsArguments, reporter: &Reporter) -> Result<()> {
    plugin::check_module_name(&arguments.declarations.name)?;
    let (output, mut inputs) = TextOutput::at(arguments.output.as_deref())?;
    let of = if arguments.abi {
        StubsOf::AbiModule
    } else {
        StubsOf::Module
    };
    let declared = Declared::read(&arguments.declarations, &mut inputs, reporter)?;
    let text = declared.stubs(of, reporter)?;
    output.write(&text, reporter)
}
