//! Where a build writes: the library with its links, the headers, and the depfile.
use std::path::{Path, PathBuf};

use keelback_compiler::soname::{LibraryName, SoVersion};

use crate::arguments::{BuildArguments, EmitForm};
use crate::diagnostic::{Diagnostic, Error, Failure, Result};
use crate::input::Inputs;

/// The outputs of a build.
pub struct Places {
    /// The library as the command line names it, or the C source: the target that make and ninja know.
    pub output: PathBuf,
    /// The file that is written for it: with a version, `libNAME.so.X.Y.Z`.
    pub library: PathBuf,
    /// What is at its path is a link that an earlier build with a version made. The link is replaced, and the file that it
    /// leads to stays.
    pub is_versions_link: bool,
    /// The SONAME; `None` if the file is not called `libNAME.so`.
    pub soname: Option<String>,
    /// Links to the library, and what they lead to.
    pub links: Vec<(PathBuf, String)>,
    /// The header.
    pub header: Option<PathBuf>,
    /// `NAME.h`
    default_header: String,
    /// The header for C++.
    pub cpp_header: Option<PathBuf>,
    /// The depfile.
    pub depfile: Option<PathBuf>,
}

impl Places {
    /// The outputs that the command line asks for.
    pub fn of(arguments: &BuildArguments) -> Self {
        let module = &arguments.declarations.name;
        let output = arguments.output.clone().unwrap_or_else(|| {
            PathBuf::from(match arguments.emit {
                Some(EmitForm::C) => format!("{module}.c"),
                None => format!("lib{module}.so"),
            })
        });
        let beside = |name: String| output.with_file_name(name);
        let header = (!arguments.no_header).then(|| {
            let given = arguments.header.clone();
            given.unwrap_or_else(|| beside(format!("{module}.h")))
        });
        let cpp_header = arguments.cpp_header.as_ref().map(|given| match given {
            Some(path) => path.clone(),
            None => match &header {
                Some(header) => header.with_file_name(format!("{module}.hpp")),
                None => beside(format!("{module}.hpp")),
            },
        });
        Self {
            library: output.clone(),
            is_versions_link: false,
            soname: None,
            links: Vec::new(),
            header,
            default_header: format!("{module}.h"),
            cpp_header,
            depfile: arguments.depfile.clone(),
            output,
        }
    }

    /// The name of the header that the C++ header includes.
    pub fn header_name(&self) -> String {
        let name = self.header.as_deref().and_then(Path::file_name);
        name.map_or_else(
            || self.default_header.clone(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// The files besides the library.
    pub fn others(&self) -> Vec<&Path> {
        let all = [&self.header, &self.cpp_header, &self.depfile];
        all.into_iter()
            .filter_map(|place| place.as_deref())
            .collect()
    }

    /// Gives the library its SONAME and, with a version, its file and links.
    pub fn name_library(&mut self, soversion: Option<&SoVersion>) -> Result<()> {
        let file_name = self.output.file_name().and_then(|name| name.to_str());
        let name = file_name.and_then(LibraryName::parse);
        let Some(soversion) = soversion else {
            self.soname = name.map(|name| name.soname());
            let leads_to = std::fs::read_link(&self.output);
            self.is_versions_link = leads_to.is_ok_and(|target| {
                let target = target.to_str().and_then(LibraryName::parse);
                target.is_some_and(|target| {
                    name.is_some_and(|name| name.stem == target.stem) && target.version.is_some()
                })
            });
            return Ok(());
        };
        let Some(name) = name else {
            return Err(not_versioned(&self.output));
        };
        if let Some(version) = name.version
            && version != soversion.to_string()
        {
            return Err(Failure::Usage.because(Diagnostic::error(
                "usage",
                format!(
                    "{} has the version {version} in its name, and --soversion is {soversion}",
                    self.output.display()
                ),
            )));
        }
        let plain = format!("lib{}.so", name.stem);
        let soname = format!("{plain}.{}", soversion.major());
        let file = format!("{plain}.{soversion}");
        self.library = self.output.with_file_name(&file);
        if soname != file {
            self.links.push((self.output.with_file_name(&soname), file));
        }
        self.links
            .push((self.output.with_file_name(plain), soname.clone()));
        self.soname = Some(soname);
        Ok(())
    }

    /// Notes that the run writes the library and its links, where `output` has been noted already. With a version `output`
    /// is one of the links, and may lead to the library that the run replaces.
    pub fn claim_library(&self, inputs: &mut Inputs) -> Result<()> {
        if self.library != self.output {
            inputs.writes_instead(&self.output, &self.library)?;
        }
        self.links
            .iter()
            .try_for_each(|(place, _)| inputs.links(place))
    }
}

fn not_versioned(output: &Path) -> Box<Error> {
    Failure::Usage.because(
        Diagnostic::error(
            "usage",
            format!(
                "--soversion is for a library that is called libNAME.so, and {} is not",
                output.display()
            ),
        )
        .hint("programs are linked to libNAME.so; what a host opens by its path has no version"),
    )
}
