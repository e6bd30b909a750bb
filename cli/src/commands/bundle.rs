//! `keelback bundle`.
use std::path::{Path, PathBuf};

use crate::arguments::BundleArguments;
use crate::bundle::archive::{self, Form};
use crate::bundle::{self, Wishes, unwritable};
use crate::diagnostic::{Diagnostic, Failure, Reporter, Result};
use crate::input::reason;
use crate::interrupt;
use crate::machine::{self, Machine};
use crate::output::Outputs;
use crate::progress::Progress;
use crate::python::{Python, Search};
use crate::runtime;

/// `keelback bundle PLUGIN...`
pub fn run(arguments: &BundleArguments, reporter: &Reporter) -> Result<()> {
    refuse_contradiction(arguments)?;
    let place = place(&arguments.plugins)?;
    let archive = arguments.archive.as_deref().map(form_of).transpose()?;
    let exists = archive.is_none() && place.symlink_metadata().is_ok();
    if exists && !bundle::is_bundle(&place) {
        return Err(Failure::Files.because(
            Diagnostic::error(
                "exists",
                format!("{} is there already, and is no bundle", place.display()),
            )
            .hint("move it away; nothing was changed"),
        ));
    }
    let mut search = Search::start(arguments.python.as_deref(), None)?;
    let python = search.python(reporter)?;
    let runtime = runtime::find(&python, reporter)?;
    for plugin in &arguments.plugins {
        let parts = [
            ("the runtime", &*runtime),
            ("the libpython", &*python.libpython),
        ];
        machine::check(Machine::of_file(plugin), plugin, &parts)?;
    }
    refuse_own_parts(&place, &python, &runtime)?;
    let prepared = prepared(archive.map_or(&*place, |(path, _)| path))?;
    let made = prepared.path().join("new");
    std::fs::create_dir(&made).map_err(|error| unwritable(&place, &reason(&error)))?;
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let wishes = Wishes {
        name: &name,
        packages: &arguments.packages,
        all_packages: arguments.all_packages,
        excluded: &arguments.excluded,
        included: &arguments.included,
        sources: !arguments.no_source,
        keep_symbols: arguments.keep_symbols,
        trimmed_to: trimmed_to(arguments, &python, &runtime)?,
    };
    let progress = Progress::start(reporter, "copying Python");
    let description = bundle::fill(&made, &python, &runtime, &wishes, reporter)?;
    drop(progress);
    reporter.settle()?;
    let size = bundle::size_of_tree(&made);
    let written = match archive {
        Some((path, form)) => {
            pack(path, form, arguments, &made, &place, reporter).map_err(|error| {
                error.elsewhere("choose another place with --archive; nothing was changed")
            })?;
            path
        }
        None => {
            let old = exists.then(|| prepared.path().join("old"));
            interrupt::whole(|| put(&made, &place, old.as_deref()))
                .map_err(|error| unwritable(&place, &reason(&error)))?;
            &place
        }
    };
    for library in &description.libraries {
        reporter.detail(format!("library: {library}"));
    }
    let packages = match description.packages.as_slice() {
        [] => String::new(),
        packages => format!(", {}", packages.join(", ")),
    };
    reporter.done(format!(
        "made {}: Python {}{packages} ({} MB)",
        written.display(),
        description.python,
        size.div_ceil(1_000_000)
    ));
    Ok(())
}

/// Refuses a module that is both wanted and not wanted.
fn refuse_contradiction(arguments: &BundleArguments) -> Result<()> {
    let contradiction = arguments
        .included
        .iter()
        .find(|module| arguments.excluded.contains(module));
    if let Some(module) = contradiction {
        return Err(Failure::Usage.because(Diagnostic::error(
            "usage",
            format!("the module '{module}' is given to --include and to --exclude"),
        )));
    }
    Ok(())
}

/// The path and form of the archive; an error for other names.
fn form_of(path: &Path) -> Result<(&Path, Form)> {
    let form = Form::of(path).ok_or_else(|| {
        Failure::Usage.because(
            Diagnostic::error(
                "archive",
                format!("{} is no name of an archive", path.display()),
            )
            .hint("it ends in .tar.zst, .tar.gz, .tgz or .tar"),
        )
    })?;
    Ok((path, form))
}

/// A temporary directory beside the place. The bundle is made there and then renamed, so that it appears complete or
/// not at all.
fn prepared(place: &Path) -> Result<tempfile::TempDir> {
    let directory = match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let absolute =
        std::path::absolute(directory).map_err(|error| unwritable(place, &reason(&error)))?;
    let make = || {
        tempfile::Builder::new()
            .prefix(".keelback-bundle-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777))
            .tempdir_in(absolute)
    };
    interrupt::temporary(make, tempfile::TempDir::path)
        .map_err(|error| unwritable(place, &reason(&error)))
}

/// Writes the plugins and the bundle to the archive.
fn pack(
    path: &Path,
    form: Form,
    arguments: &BundleArguments,
    made: &Path,
    place: &Path,
    reporter: &Reporter,
) -> Result<()> {
    let mut outputs = Outputs::for_paths(&[path])?;
    let _progress = Progress::start(reporter, "packing");
    let mut entries: Vec<(PathBuf, &std::ffi::OsStr)> = arguments
        .plugins
        .iter()
        .filter_map(|plugin| Some((plugin.clone(), plugin.file_name()?)))
        .collect();
    entries.extend(place.file_name().map(|name| (made.to_owned(), name)));
    entries.sort_by_key(|&(_, name)| name);
    let packed =
        archive::pack(form, &entries).map_err(|error| unwritable(path, &reason(&error)))?;
    outputs.add(path, &packed, 0o644)?;
    outputs.commit()
}

/// What the plugins' init codes import, with `--trim`.
fn trimmed_to(
    arguments: &BundleArguments,
    python: &Python,
    runtime: &Path,
) -> Result<Option<bundle::Traced>> {
    if !arguments.trim {
        return Ok(None);
    }
    bundle::trace(
        &arguments.plugins,
        &arguments.included,
        &arguments.packages,
        python,
        runtime,
    )
    .map(Some)
}

/// Renames the finished bundle to its place. A bundle that is already there is moved to `old`.
fn put(made: &Path, place: &Path, old: Option<&Path>) -> std::io::Result<()> {
    if let Some(old) = old {
        std::fs::rename(place, old)?;
    }
    std::fs::rename(made, place).inspect_err(|_| {
        if let Some(old) = old {
            // Report the first error; if this fails too, nothing more can be done.
            let _ = std::fs::rename(old, place);
        }
    })
}

/// Refuses to make a bundle from parts of the bundle that it replaces.
fn refuse_own_parts(place: &Path, python: &Python, runtime: &Path) -> Result<()> {
    let Ok(real) = std::fs::canonicalize(place) else {
        return Ok(());
    };
    let parts = [
        Some(&*python.libpython),
        python.executable.as_deref(),
        python.base_prefix.as_deref(),
        Some(runtime),
    ];
    for part in parts.into_iter().flatten() {
        if std::fs::canonicalize(part).is_ok_and(|part| part.starts_with(&real)) {
            return Err(Failure::Usage.because(
                Diagnostic::error(
                    "output-is-input",
                    format!(
                        "{} would be replaced: {} in it is read as well",
                        place.display(),
                        part.display()
                    ),
                )
                .hint("choose another Python with --python, another runtime with KEELBACK_RUNTIME, or move the bundle away"),
            ));
        }
    }
    Ok(())
}

/// The place of the bundle, where the loader of the plugins looks for it.
fn place(plugins: &[PathBuf]) -> Result<PathBuf> {
    let mut modules = Vec::new();
    for plugin in plugins {
        modules.push(bundle::plugin::module_name(plugin).map_err(|why| {
            Failure::Usage.because(
                Diagnostic::error(
                    "no-plugin",
                    format!("{} is no plugin: {why}", plugin.display()),
                )
                .hint("name the libraries that `keelback build` made"),
            )
        })?);
    }
    // As the loader does, follow links to the directory of the file itself.
    let directories: Vec<PathBuf> = plugins
        .iter()
        .filter_map(|plugin| {
            std::fs::canonicalize(plugin)
                .ok()?
                .parent()
                .map(Path::to_owned)
        })
        .collect();
    if directories
        .iter()
        .any(|directory| *directory != directories[0])
    {
        return Err(Failure::Usage.because(
            Diagnostic::error(
                "several-places",
                "plugins that share a bundle are in one directory, and these are in several",
            )
            .hint("make a bundle for each, or put the plugins together first"),
        ));
    }
    let twice = plugins.iter().enumerate().find(|(index, plugin)| {
        let others = &plugins[..*index];
        others
            .iter()
            .any(|other| other.file_name() == plugin.file_name())
    });
    if let Some((_, twice)) = twice {
        return Err(Failure::Usage.because(
            Diagnostic::error(
                "twice",
                format!(
                    "a plugin {} is given twice",
                    twice.file_name().unwrap_or_default().to_string_lossy()
                ),
            )
            .hint("name each plugin once"),
        ));
    }
    let name = match modules.as_slice() {
        [module] => bundle::name_of(module),
        _ => bundle::SHARED.to_owned(),
    };
    // As the user wrote it, unless a link leads elsewhere.
    let written = plugins[0].parent().unwrap_or(Path::new(""));
    let shown = if plugins[0].is_symlink() {
        directories[0].clone()
    } else {
        written.to_owned()
    };
    Ok(shown.join(name))
}
