//! The init code to be checked.
use std::collections::BTreeSet;
use std::path::PathBuf;

use keelback_codegen::OwnFile;

use crate::input::Input;

/// The init code to be checked.
#[derive(Clone, Debug)]
pub struct InitCode<'a> {
    /// The plugin's module.
    pub module: &'a str,
    /// The init code.
    pub code: &'a Input,
    /// Its directory; `None` for standard input.
    pub directory: Option<PathBuf>,
    /// The plugin's own modules.
    pub files: &'a [OwnFile],
}

impl InitCode<'_> {
    /// The bytes for probe.py's standard input.
    pub(super) fn message(&self) -> Vec<u8> {
        let mut message = self.code.text.clone().into_bytes();
        for file in self.files.iter().filter(|file| file.path.ends_with(".py")) {
            message.extend(format!("{}\n{}\n", file.path, file.data.len()).bytes());
            message.extend(&file.data);
        }
        message
    }

    /// The names of the modules and packages; top-level ones with a `+` in front.
    pub(super) fn own_names(&self) -> BTreeSet<String> {
        let name = |file: &OwnFile| {
            let end = file.path.find(['/', '.']).unwrap_or(file.path.len());
            let mark = if file.is_top_level { "+" } else { "" };
            format!("{mark}{}", &file.path[..end])
        };
        self.files.iter().map(name).collect()
    }
}
