//! `keelback stubs`.
use std::path::Path;

use keelback_codegen::StubsOf;

use crate::arguments::StubsArguments;
use crate::diagnostic::{Reporter, Result};
use crate::input::Inputs;
use crate::output::{self, Outputs};
use crate::plugin::{self, Declared};

/// `keelback stubs ...`
pub fn run(arguments: &StubsArguments, reporter: &Reporter) -> Result<()> {
    plugin::check_module_name(&arguments.declarations.name)?;
    let place = arguments
        .output
        .as_deref()
        .filter(|path| !crate::is_dash(path.as_os_str()));
    let places: Vec<&Path> = place.into_iter().collect();
    let mut inputs = Inputs::beside(&places)?;
    let mut outputs = Outputs::for_paths(&places)?;
    let of = if arguments.abi {
        StubsOf::AbiModule
    } else {
        StubsOf::Module
    };
    let declared = Declared::read(&arguments.declarations, &mut inputs, reporter)?;
    let text = declared.stubs(of, reporter)?;
    reporter.settle()?;
    let Some(place) = place else {
        return output::print(&text);
    };
    outputs.add(place, text.as_bytes(), 0o666)?;
    outputs.commit()
}
