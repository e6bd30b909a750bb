//! `keelback new`: a small project that builds and runs at once.
use std::path::Path;

use crate::arguments::NewArguments;
use crate::diagnostic::{Diagnostic, Error, Failure, Reporter, Result};
use crate::input::reason;
use crate::interrupt;
use crate::plugin;

const FILES: &[(&str, &str)] = &[
    ("api.h", include_str!("../templates/new/api.h")),
    ("plugin.py", include_str!("../templates/new/plugin.py")),
    ("host.c", include_str!("../templates/new/host.c")),
    ("Makefile", include_str!("../templates/new/Makefile")),
    ("README.md", include_str!("../templates/new/README.md")),
    (".gitignore", include_str!("../templates/new/gitignore")),
];

/// `keelback new NAME`
pub fn run(arguments: &NewArguments, reporter: &Reporter) -> Result<()> {
    let name = arguments.name.as_str();
    plugin::check_name(name)?;
    let directory = Path::new(name);
    let exists = || {
        Failure::Files.because(
            Diagnostic::error("exists", format!("{name} exists already"))
                .hint("choose another name, or remove it; nothing was changed"),
        )
    };
    if directory.symlink_metadata().is_ok() {
        return Err(exists());
    }
    // The directory is made under a temporary name and then renamed, so that it appears complete or not at all.
    let make = || {
        tempfile::Builder::new()
            .prefix(".keelback-new-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777))
            .tempdir_in(".")
    };
    let prepared = interrupt::temporary(make, tempfile::TempDir::path)
        .map_err(|error| cannot_write(name, &error))?;
    for (file, text) in FILES {
        std::fs::write(prepared.path().join(file), text.replace("@NAME@", name))
            .map_err(|error| cannot_write(name, &error))?;
    }
    std::fs::rename(prepared.path(), directory).map_err(|error| {
        if directory.exists() {
            exists()
        } else {
            cannot_write(name, &error)
        }
    })?;
    // The folder was renamed to its final name: the guard has nothing to delete any more.
    let _ = prepared.keep();
    reporter.done(format!(
        "made {name}: `make -C {name} run` builds and runs it"
    ));
    Ok(())
}

fn cannot_write(name: &str, error: &std::io::Error) -> Box<Error> {
    Failure::Files.because(Diagnostic::error(
        "cannot-write",
        format!("cannot make the directory {name}: {}", reason(error)),
    ))
}
