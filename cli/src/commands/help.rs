//! `keelback completions` and `keelback man`: made from the command line's own description.
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::diagnostic::{Diagnostic, Failure, Result};
use crate::input::reason;
use crate::output;

/// `keelback completions SHELL`
pub fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "keelback", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

/// `keelback man [DIR]`
pub fn man(dir: Option<&Path>) -> Result<()> {
    let command = Arguments::command();
    let Some(dir) = dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .expect("writing to memory does not fail");
        return output::print(&String::from_utf8_lossy(&page));
    };
    clap_mangen::generate_to(command, dir).map_err(|error| {
        Failure::Files.because(Diagnostic::error(
            "cannot-write",
            format!(
                "cannot write manual pages into {}: {}",
                dir.display(),
                reason(&error)
            ),
        ))
    })
}
