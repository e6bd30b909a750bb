//! `keelback cdef`.
use keelback_compiler::headers::Wanted;

use crate::arguments::{CdefArguments, CdefFile};
use crate::diagnostic::{Reporter, Result};
use crate::headers;
use crate::output::TextOutput;

/// `keelback cdef ...`
pub fn run(arguments: &CdefArguments, reporter: &Reporter) -> Result<()> {
    let (output, mut inputs) = TextOutput::at(arguments.output.as_deref())?;
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
    output.write(&text, reporter)
}
