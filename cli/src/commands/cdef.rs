//! `keelback cdef`.
use std::path::Path;

use keelback_compiler::headers::Wanted;

use crate::arguments::{CdefArguments, CdefFile};
use crate::diagnostic::{Reporter, Result};
use crate::headers;
use crate::input::Inputs;
use crate::output::{self, Outputs};

/// `keelback cdef ...`
pub fn run(arguments: &CdefArguments, reporter: &Reporter) -> Result<()> {
    let place = arguments
        .output
        .as_deref()
        .filter(|path| !crate::is_dash(path.as_os_str()));
    let places: Vec<&Path> = place.into_iter().collect();
    let mut inputs = Inputs::beside(&places)?;
    let mut outputs = Outputs::for_paths(&places)?;
    let (mut files, mut texts) = (Vec::new(), Vec::new());
    for path in &arguments.headers {
        texts.push(inputs.read(path, "header")?);
        files.push(CdefFile {
            path: path.clone(),
            is_api: false,
        });
    }
    let wanted = Wanted {
        all: arguments.all,
        ..headers::wanted(&arguments.preprocessing)
    };
    let header = headers::preprocessed(&files, &texts, &wanted, &mut inputs, reporter)?;
    let text = if arguments.markers {
        header.marked_text()
    } else {
        header.plain_text()
    };
    reporter.settle()?;
    let Some(place) = place else {
        return output::print(&text);
    };
    outputs.add(place, text.as_bytes(), 0o666)?;
    outputs.commit()
}
