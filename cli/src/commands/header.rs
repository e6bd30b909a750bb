//! `keelback header`.
use crate::arguments::HeaderArguments;
use crate::diagnostic::{Reporter, Result};
use crate::input::Inputs;
use crate::output::{self, Outputs};
use crate::plugin::{self, Declared};

/// `keelback header ...`
pub fn run(arguments: &HeaderArguments, reporter: &Reporter) -> Result<()> {
    plugin::check_name(&arguments.declarations.name)?;
    let place = arguments
        .output
        .as_deref()
        .filter(|path| !crate::is_dash(path.as_os_str()));
    let mut outputs = match place {
        Some(place) => {
            output::refuse_input(place, &arguments.declarations.files())?;
            Outputs::for_paths(&[place])?
        }
        None => Outputs::default(),
    };
    let header =
        Declared::read(&arguments.declarations, &mut Inputs::default())?.header(reporter)?;
    let Some(place) = place else {
        return output::print(&header);
    };
    outputs.add(place, header.as_bytes(), 0o666)?;
    outputs.commit()?;
    Ok(())
}
