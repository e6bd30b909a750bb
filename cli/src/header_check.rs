//! Checks that the generated header compiles together with the headers of `--header-include`, before anything is
//! written and a host fails.
use std::path::{Path, PathBuf};

use crate::compiler::{Compilation, Compiler};
use crate::diagnostic::{Diagnostic, Failure, Reporter, Result};

/// The header to check.
pub struct HeaderCheck<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its path in the output.
    pub path: &'a Path,
    /// What `--header-include` names, as it stands behind `#include`.
    pub includes: &'a [String],
}

impl HeaderCheck<'_> {
    /// A C file that includes the header, if all headers of `--header-include` are found; those that only the host has
    /// cannot be checked.
    fn source(&self) -> String {
        let is_there: Vec<String> = self
            .includes
            .iter()
            .map(|include| format!("__has_include({include})"))
            .collect();
        format!(
            "#if defined(__has_include)\n#if {}\n#define KEELBACK_HEADER_CHECK\n#endif\n#endif\n\
             #ifdef KEELBACK_HEADER_CHECK\n#line 1 \"{}\"\n{}\n#endif\n",
            is_there.join(" && "),
            self.path.display(),
            self.text
        )
    }

    /// Compiles the header.
    ///
    /// # Errors
    /// The header does not compile; with the compiler's messages.
    pub fn run(
        &self,
        compiler: &Compiler,
        plugin: &Compilation<'_>,
        reporter: &Reporter,
    ) -> Result<()> {
        let mut dirs: Vec<PathBuf> = self.path.parent().map(Path::to_owned).into_iter().collect();
        if dirs.first().is_some_and(|dir| dir.as_os_str().is_empty()) {
            dirs[0] = PathBuf::from(".");
        }
        dirs.extend_from_slice(plugin.include_dirs);
        let name = format!("{}_header", plugin.name);
        let what = Compilation {
            name: &name,
            include_dirs: &dirs,
            libraries: &[],
            ..*plugin
        };
        let output = compiler.look_at(&self.source(), &what, reporter)?;
        if output.is_success {
            return Ok(());
        }
        let hint = format!(
            "if it declares again what {} has: write that `#include` into the declarations, in place of these and of --header-include",
            self.includes.join(", ")
        );
        Err(Failure::Compiler.because(
            Diagnostic::error(
                "header-include",
                format!(
                    "{} would not compile together with {}",
                    self.path.display(),
                    self.includes.join(", ")
                ),
            )
            .output(output.said)
            .hint(hint),
        ))
    }
}
