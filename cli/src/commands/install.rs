//! `keelback install`.
use std::path::{Component, Path, PathBuf};

use keelback_compiler::soname::LibraryName;

use crate::arguments::InstallArguments;
use crate::diagnostic::{Diagnostic, Error, Failure, Reporter, Result};
use crate::elf::Elf;
use crate::input::{Inputs, reason};
use crate::output::Outputs;
use crate::source_tree;

/// `keelback install ...`
pub fn run(arguments: &InstallArguments, reporter: &Reporter) -> Result<()> {
    install(arguments, reporter).map_err(|error| {
        error.elsewhere(
            "choose another place with --prefix, --libdir, --includedir or --destdir, and give each header once; nothing was changed",
        )
    })
}

fn install(arguments: &InstallArguments, reporter: &Reporter) -> Result<()> {
    let built = Built::read(&arguments.library)?;
    let headers = headers(arguments, &built)?;
    let to = Destination::of(arguments)?;
    let package = Package::of(arguments, &built, &to)?;

    let mut files: Vec<(PathBuf, Vec<u8>)> = vec![(to.libdir.join(&built.file), built.data)];
    for header in &headers {
        let name = header.path.file_name().unwrap_or_default();
        files.push((to.includedir.join(name), header.data.clone()));
    }
    files.extend(package.files(&to));
    warn_of_missing(&headers, reporter);

    let mut inputs = Inputs::default();
    inputs.others_read(&arguments.library)?;
    for header in &headers {
        inputs.others_read(&header.path)?;
    }
    for (path, _) in &mut files {
        *path = to.staged(path);
        inputs.writes(path)?;
    }
    let paths: Vec<&Path> = files.iter().map(|(path, _)| path.as_path()).collect();
    let mut outputs = Outputs::to_install(&paths)?;
    for (path, data) in &files {
        outputs.install(path, data)?;
        reporter.detail(format!("installs {}", path.display()));
    }
    for (name, leads_to) in &built.links {
        let path = to.staged(&to.libdir.join(name));
        inputs.links(&path)?;
        outputs.link(&path, leads_to)?;
        reporter.detail(format!("installs {} -> {leads_to}", path.display()));
    }
    reporter.settle()?;
    outputs.commit()
}

/// `keelback install` does not build, for the library does not say what it is made from, and root installs what a user has
/// built. It says how the sources around the library are built, or else how any are.
fn how_to_build(library: &Path) -> String {
    let directory = if library.is_dir() {
        library
    } else {
        library.parent().unwrap_or(library)
    };
    let file = library.file_name().and_then(|name| name.to_str());
    let name = file.and_then(LibraryName::parse).map(|name| name.stem);
    let name = name.unwrap_or("NAME");
    match source_tree::build_command(directory, name) {
        Some(command) => format!("build it first: `{command}`, then install lib{name}.so"),
        None => "build it first, such as with `keelback build api.h --init plugin.py --name NAME --soversion 1.0.0`, then install libNAME.so".to_owned(),
    }
}

/// A built library, with the names that follow from its file name and its SONAME.
struct Built {
    data: Vec<u8>,
    /// `vec`
    stem: String,
    /// `libvec.so.1.2.3`
    file: String,
    soname: String,
    /// The links to it in its directory.
    links: Vec<(String, String)>,
    version: Option<String>,
    /// The bytes of a pointer.
    pointer: usize,
}

impl Built {
    fn read(path: &Path) -> Result<Self> {
        let real = std::fs::canonicalize(path);
        let data = real.and_then(|real| Ok((std::fs::read(&real)?, real)));
        let (data, real) = data.map_err(|error| {
            let mut error = cannot_read(path, "library", &error);
            for diagnostic in &mut error.diagnostics {
                diagnostic.hint = Some(how_to_build(path));
            }
            error
        })?;
        let read = Elf::read(data).and_then(|elf| Ok((elf.soname()?, elf)));
        let Ok((soname, library)) = read else {
            return Err(unfit(path, "it is no shared library", &how_to_build(path)));
        };
        let Some(soname) = soname else {
            return Err(unfit(
                path,
                "it has no SONAME, so programs cannot be linked to it",
                "build it as libNAME.so; what a host opens by its path is copied to where the host looks",
            ));
        };
        let Some(of_soname) = LibraryName::parse(&soname) else {
            return Err(unfit(
                path,
                &format!("its SONAME {soname} is not of the form libNAME.so"),
                "build it as libNAME.so",
            ));
        };
        // The file may be a renamed copy: then its name follows from the SONAME.
        let real_name = real.file_name().and_then(|name| name.to_str());
        let file = real_name
            .filter(|name| LibraryName::parse(name).is_some_and(|name| name.soname() == soname))
            .unwrap_or(&soname);
        let plain = format!("lib{}.so", of_soname.stem);
        let mut links = Vec::new();
        if file != soname {
            links.push((soname.clone(), file.to_owned()));
        }
        if plain != soname {
            links.push((plain, soname.clone()));
        }
        Ok(Self {
            stem: of_soname.stem.to_owned(),
            version: LibraryName::parse(file).and_then(|name| name.version.map(str::to_owned)),
            file: file.to_owned(),
            links,
            pointer: library.word(),
            data: library.bytes,
            soname,
        })
    }
}

struct Header {
    path: PathBuf,
    data: Vec<u8>,
}

/// The headers of the command line, otherwise those that a build has put beside the library.
fn headers(arguments: &InstallArguments, built: &Built) -> Result<Vec<Header>> {
    let beside = |end: &str| {
        arguments
            .library
            .with_file_name(format!("{}.{end}", built.stem))
    };
    let paths = if arguments.headers.is_empty() {
        let header = beside("h");
        if !header.exists() {
            return Err(Failure::Usage.because(
                Diagnostic::error(
                    "usage",
                    format!("there is no header {} beside the library", header.display()),
                )
                .hint("say where it is: --header include/NAME.h"),
            ));
        }
        let mut paths = vec![header];
        paths.extend(Some(beside("hpp")).filter(|path| path.exists()));
        paths
    } else {
        arguments.headers.clone()
    };
    paths
        .into_iter()
        .map(|path| match std::fs::read(&path) {
            Ok(data) if data.contains(&0) => Err(Failure::Usage.because(
                Diagnostic::error(
                    "usage",
                    format!("{} is no header: it is no text", path.display()),
                )
                .hint("--header takes the NAME.h that `keelback build` wrote"),
            )),
            Ok(data) => Ok(Header { path, data }),
            Err(error) => Err(cannot_read(&path, "header", &error)),
        })
        .collect()
}

/// Warns about a header that includes another one that is not installed.
fn warn_of_missing(headers: &[Header], reporter: &Reporter) {
    for header in headers {
        let text = String::from_utf8_lossy(&header.data);
        for line in text.lines() {
            let included = line
                .strip_prefix("#include \"")
                .and_then(|rest| rest.split('"').next());
            let Some(included) = included else { continue };
            let beside = header.path.with_file_name(included);
            let is_installed = headers
                .iter()
                .any(|other| other.path.file_name() == Path::new(included).file_name());
            if !is_installed && beside.exists() {
                let message = format!(
                    "{} includes \"{included}\", which is not installed",
                    header.path.display()
                );
                reporter.report(&Diagnostic::warning("header", message).hint(format!(
                    "give all headers: --header {} --header {}",
                    header.path.display(),
                    beside.display()
                )));
            }
        }
    }
}

/// The places of the installed files.
struct Destination {
    prefix: PathBuf,
    libdir: PathBuf,
    includedir: PathBuf,
    /// The staging directory (DESTDIR) in front of all paths that are written; the files' contents do not mention it.
    destdir: Option<PathBuf>,
}

impl Destination {
    fn of(arguments: &InstallArguments) -> Result<Self> {
        let prefix = normal(&arguments.prefix);
        if !prefix.is_absolute() {
            return Err(Failure::Usage.because(
                Diagnostic::error(
                    "usage",
                    format!("--prefix {} is not an absolute path", arguments.prefix.display()),
                )
                .hint("it is where the library will be at last; --destdir DIR puts everything below DIR for now"),
            ));
        }
        Ok(Self {
            libdir: normal(&prefix.join(&arguments.libdir)),
            includedir: normal(&prefix.join(&arguments.includedir)),
            prefix,
            destdir: arguments
                .destdir
                .clone()
                .filter(|destdir| !destdir.as_os_str().is_empty()),
        })
    }

    fn staged(&self, path: &Path) -> PathBuf {
        match &self.destdir {
            Some(destdir) => destdir.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(normal.pop()),
            other => normal.push(other),
        }
    }
    normal
}

/// The values for the templates.
struct Package {
    name: String,
    values: Vec<(&'static str, String)>,
    pc_values: Vec<(&'static str, String)>,
}

impl Package {
    fn of(arguments: &InstallArguments, built: &Built, to: &Destination) -> Result<Self> {
        let version = match (&arguments.package_version, &built.version) {
            (Some(given), _) => given.clone(),
            (None, Some(version)) => version.clone(),
            (None, None) => "0".to_owned(),
        };
        let description = arguments
            .description
            .clone()
            .unwrap_or_else(|| format!("The library {}", built.stem));
        for (option, text) in [
            ("--package-version", &version),
            ("--description", &description),
        ] {
            if text.contains(['\n', '\r']) || text.trim().is_empty() {
                return Err(Failure::Usage.because(Diagnostic::error(
                    "usage",
                    format!("{option} is one line of text"),
                )));
            }
        }
        // pkg-config would take the next line for a part of this one.
        if description.ends_with('\\') {
            return Err(Failure::Usage.because(Diagnostic::error(
                "usage",
                "--description ends in a backslash, which pkg-config does not keep",
            )));
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+-_~".contains(&byte);
        if !version.bytes().all(is_plain) {
            return Err(Failure::Usage.because(
                Diagnostic::error(
                    "usage",
                    format!("--package-version {version} is no version"),
                )
                .hint("it has letters, digits and . + - _ ~, such as 1.2.3"),
            ));
        }
        let include = match relative(&to.libdir, &to.includedir, &to.prefix) {
            Some(path) => format!("${{_keelback_libdir}}/{}", text_of(&path)?),
            None => text_of(&to.includedir)?,
        };
        let below = |path: &Path| match path.strip_prefix(&to.prefix) {
            Ok(rest) => Ok(format!("${{prefix}}/{}", pc_path(rest)?)),
            Err(_) => pc_path(path),
        };
        Ok(Self {
            name: built.stem.clone(),
            pc_values: vec![
                ("NAME", built.stem.clone()),
                ("VERSION", version.clone()),
                (
                    "DESCRIPTION",
                    description.replace('$', "$$").replace('#', "\\#"),
                ),
                ("PREFIX", pc_path(&to.prefix)?),
                ("LIBDIR", below(&to.libdir)?),
                ("INCLUDEDIR", below(&to.includedir)?),
            ],
            values: vec![
                ("KEELBACK", env!("CARGO_PKG_VERSION").to_owned()),
                ("NAME", built.stem.clone()),
                (
                    "MAJOR",
                    version.split('.').next().unwrap_or_default().to_owned(),
                ),
                ("VERSION", version),
                ("LIBRARY", built.file.clone()),
                ("SONAME", built.soname.clone()),
                ("POINTER", built.pointer.to_string()),
                ("INCLUDEDIR", include),
            ],
        })
    }

    /// The files for pkg-config (which Meson uses too) and CMake.
    fn files(&self, to: &Destination) -> Vec<(PathBuf, Vec<u8>)> {
        let cmake = to.libdir.join("cmake").join(&self.name);
        let pc = to
            .libdir
            .join("pkgconfig")
            .join(format!("{}.pc", self.name));
        [
            (pc, filled(PC, &self.pc_values)),
            (
                cmake.join(format!("{}Config.cmake", self.name)),
                filled(CONFIG, &self.values),
            ),
            (
                cmake.join(format!("{}ConfigVersion.cmake", self.name)),
                filled(CONFIG_VERSION, &self.values),
            ),
        ]
        .map(|(path, text)| (path, text.into_bytes()))
        .into()
    }
}

const PC: &str = include_str!("../templates/install/package.pc");
const CONFIG: &str = include_str!("../templates/install/Config.cmake");
const CONFIG_VERSION: &str = include_str!("../templates/install/ConfigVersion.cmake");

fn filled(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut parts = template.split('@');
    text.extend(parts.next());
    // Every second part is the name of a value.
    while let (Some(name), Some(rest)) = (parts.next(), parts.next()) {
        let value = values.iter().find(|(known, _)| *known == name);
        text.push_str(value.map_or("", |(_, value)| value));
        text.push_str(rest);
    }
    text
}

/// The relative path from one directory to another; `None` unless both are below the prefix, as others may be moved
/// independently.
fn relative(from: &Path, to: &Path, prefix: &Path) -> Option<PathBuf> {
    let (from, to) = (
        from.strip_prefix(prefix).ok()?,
        to.strip_prefix(prefix).ok()?,
    );
    let up = from.components().map(|_| Component::ParentDir);
    Some(up.chain(to.components()).collect())
}

fn text_of(path: &Path) -> Result<String> {
    let text = path
        .to_str()
        .filter(|text| !text.contains(['\n', '\r', '"', '\\', '$', ';']));
    text.map(str::to_owned).ok_or_else(|| {
        Failure::Usage.because(Diagnostic::error(
            "usage",
            format!(
                "CMake and pkg-config cannot be told of the path {}",
                path.display()
            ),
        ))
    })
}

/// A path as a .pc file spells it.
fn pc_path(path: &Path) -> Result<String> {
    Ok(text_of(path)?.replace(' ', "\\ ").replace('#', "\\#"))
}

fn cannot_read(path: &Path, what: &str, error: &std::io::Error) -> Box<Error> {
    Failure::Files.because(Diagnostic::error(
        "cannot-read",
        format!(
            "cannot read the {what} {}: {}",
            path.display(),
            reason(error)
        ),
    ))
}

fn unfit(path: &Path, why: &str, hint: &str) -> Box<Error> {
    let message = format!("{} cannot be installed: {why}", path.display());
    Failure::Usage.because(Diagnostic::error("usage", message).hint(hint))
}
