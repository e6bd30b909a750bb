//! `keelback inspect`: what is inside a plugin or a bundle, and which Python and runtime it would use on this machine.
//! The contents are read from the file, and the plugin's own loader is asked for its search; neither Python nor the
//! init code is started.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use keelback_codegen::abi::{
    KEELBACK_PLUGIN_DEV, KEELBACK_PLUGIN_IGNORE_SIGPIPE, KEELBACK_PLUGIN_NO_SITE,
    KEELBACK_PLUGIN_USE_ENVIRONMENT,
};
use serde_json::{Value, json};

use crate::arguments::InspectArguments;
use crate::bundle;
use crate::diagnostic::{Diagnostic, Failure, Reporter, Result};
use crate::input::reason;
use crate::loader_search::{self, Found};
use crate::output;
use crate::payload::{self, Interface, Payload};
use crate::shadowed::{self, Shadowed};

/// `keelback inspect LIB...`: returns the exit status: 4 if a plugin would not find its Python or its runtime on this
/// machine.
pub fn run(arguments: &InspectArguments, reporter: &Reporter) -> Result<u8> {
    if arguments.search_here {
        return loader_search::answer(&arguments.libraries[0]);
    }
    let mut bundles = Vec::new();
    let mut plugins = Vec::new();
    for path in &arguments.libraries {
        if path.is_dir() {
            let bundle = Bundle::read(path)?;
            for plugin in bundle.plugins()? {
                plugins.push(Inspected::read(&plugin)?);
            }
            bundles.push(bundle);
        } else {
            plugins.push(Inspected::read(path)?);
        }
    }
    let here: Vec<Found> = plugins.iter().map(|plugin| plugin.here.clone()).collect();
    let shadowed = shadowed::between(&here);
    reporter.settle()?;
    let text = if arguments.json {
        let hidden = shadowed.as_ref().unwrap_or(&Vec::new()).clone();
        let all = json!({
            "bundles": bundles.iter().map(Bundle::json).collect::<Vec<_>>(),
            "libraries": plugins.iter().map(Inspected::json).collect::<Vec<_>>(),
            "shadowed": hidden,
        });
        format!("{all:#}\n")
    } else {
        let mut texts: Vec<String> = bundles.iter().map(Bundle::text).collect();
        texts.extend(plugins.iter().map(Inspected::text));
        if plugins.len() > 1 {
            texts.push(shadowed_text(&shadowed));
        }
        texts.join("\n")
    };
    output::print(&text)?;
    let is_good = plugins.iter().all(|plugin| plugin.here.runtime.is_some());
    Ok(if is_good { 0 } else { Failure::Python as u8 })
}

/// Which packages of several plugins in one process hide those of others.
fn shadowed_text(shadowed: &std::result::Result<Vec<Shadowed>, String>) -> String {
    let mut text = String::from("In one process, started in this order:\n");
    match shadowed {
        Err(why) => {
            let _ = writeln!(text, "  which packages hide others cannot be said: {why}");
        }
        Ok(all) if all.is_empty() => text.push_str("  no package hides another version\n"),
        Ok(all) => {
            for one in all {
                let _ = writeln!(
                    text,
                    "  {} {} ({}) is hidden by {} ({})",
                    one.package, one.version, one.place, one.by, one.by_place
                );
            }
        }
    }
    text
}

/// The contents of a plugin, and the result of its search.
struct Inspected {
    path: PathBuf,
    payload: Payload,
    interface: Interface,
    here: Found,
}

impl Inspected {
    fn read(path: &Path) -> Result<Self> {
        let payload = payload::read(path).map_err(|why| why.failure(path))?;
        let interface = Interface::of_library(path, &payload.cdefs)?;
        let here = loader_search::search(path)?;
        Ok(Self {
            path: path.to_owned(),
            payload,
            interface,
            here,
        })
    }

    /// The build's options that affect the start.
    fn options(&self) -> Vec<&'static str> {
        let flags = [
            (KEELBACK_PLUGIN_NO_SITE, "--no-site"),
            (KEELBACK_PLUGIN_USE_ENVIRONMENT, "--use-environment"),
            (KEELBACK_PLUGIN_IGNORE_SIGPIPE, "--ignore-sigpipe"),
            (KEELBACK_PLUGIN_DEV, "--dev"),
        ];
        let set = flags
            .iter()
            .filter(|(flag, _)| self.payload.flags & flag != 0);
        let mut options: Vec<&str> = set.map(|&(_, name)| name).collect();
        options.extend(self.payload.is_standalone.then_some("--standalone"));
        options
    }

    fn text(&self) -> String {
        let payload = &self.payload;
        let mut text = format!(
            "{}: the plugin {}, made by keelback {}\n",
            self.path.display(),
            payload.module_name,
            payload.keelback_version
        );
        section(&mut text, "Functions", &self.interface.functions());
        section(&mut text, "From C, through lib", &payload.symbols);
        section(&mut text, "Init code", &self.init_code());
        section(&mut text, "Modules of its own", &self.modules());
        section(&mut text, "Built for", &self.recorded());
        section(&mut text, "Built with", &[self.options().join(" ")]);
        let here = &self.here;
        if let Some(error) = &here.error {
            section(&mut text, "Here", std::slice::from_ref(error));
            return text;
        }
        section(&mut text, "Looking for Python here", &here.python_steps);
        if here.version.is_some() {
            section(
                &mut text,
                "Looking for the runtime here",
                &here.runtime_steps,
            );
        }
        section(&mut text, "So it starts", &[self.verdict()]);
        text
    }

    fn init_code(&self) -> Vec<String> {
        let payload = &self.payload;
        let Some(file) = &payload.init_file else {
            return Vec::new();
        };
        let is_dev = payload.flags & KEELBACK_PLUGIN_DEV != 0;
        let line = match (is_dev, payload.is_compiled) {
            (true, _) => format!("{file}, run from there"),
            (_, true) => format!("{file} ({} bytes, and compiled)", payload.init_length),
            (_, false) => format!("{file} ({} bytes)", payload.init_length),
        };
        vec![line]
    }

    fn modules(&self) -> Vec<String> {
        let files = self.payload.files.iter();
        files
            .map(|file| {
                let top = if file.is_top_level {
                    ", for all code of the process"
                } else {
                    ""
                };
                match &file.place {
                    Some(place) => format!("{} (run from {place}{top})", file.path),
                    None => format!("{} ({} bytes{top})", file.path, file.length),
                }
            })
            .collect()
    }

    fn recorded(&self) -> Vec<String> {
        let recorded = &self.payload.recorded;
        let mut lines = Vec::new();
        for (what, value) in [
            ("Python", &recorded.version),
            ("libpython", &recorded.libpython),
            ("executable", &recorded.executable),
            ("runtime", &recorded.runtime),
        ] {
            if let Some(value) = value {
                lines.push(format!("{what} {value}"));
            }
        }
        lines
    }

    fn verdict(&self) -> String {
        let here = &self.here;
        let Some(version) = &here.version else {
            return "not at all: there is no Python for it".to_owned();
        };
        let libpython = here.libpython.as_deref().unwrap_or("the process's own");
        let mut line = format!("Python {version} ({libpython})");
        if let Some(executable) = &here.executable {
            let _ = write!(line, " as {executable}");
        }
        match &here.runtime {
            Some(runtime) => {
                let _ = write!(line, " with the runtime {runtime}");
            }
            None => line.insert_str(0, "not at all: there is no runtime for "),
        }
        line
    }

    fn json(&self) -> Value {
        let payload = &self.payload;
        let recorded = &payload.recorded;
        let files = payload.files.iter().map(|file| {
            json!({
                "path": file.path,
                "bytes": file.length,
                "place": file.place,
                "top_level": file.is_top_level,
            })
        });
        json!({
            "file": self.path.to_string_lossy(),
            "module": payload.module_name,
            "keelback": payload.keelback_version,
            "functions": self.interface.functions(),
            "lib": payload.symbols,
            "init": payload.init_file.as_ref().map(|file| json!({
                "file": file,
                "bytes": payload.init_length,
                "compiled": payload.is_compiled,
            })),
            "modules": files.collect::<Vec<_>>(),
            "options": self.options(),
            "built_for": {
                "python": recorded.version,
                "libpython": recorded.libpython,
                "home": recorded.home,
                "executable": recorded.executable,
                "runtime": recorded.runtime,
            },
            "here": self.here,
        })
    }
}

/// Appends a title and the lines below it; nothing if there are no lines.
fn section(text: &mut String, title: &str, lines: &[String]) {
    let mut lines = lines.iter().filter(|line| !line.is_empty()).peekable();
    if lines.peek().is_some() {
        let _ = writeln!(text, "{title}:");
    }
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

/// A bundle's directory.
struct Bundle {
    path: PathBuf,
    description: Value,
}

impl Bundle {
    fn read(path: &Path) -> Result<Self> {
        let file = path.join(bundle::DESCRIPTION);
        let no_bundle = |why: String| {
            Failure::Usage.because(
                Diagnostic::error(
                    "no-bundle",
                    format!("{} is no bundle: {why}", path.display()),
                )
                .hint("name a library that `keelback build` made, or a directory of `keelback bundle`"),
            )
        };
        let text = std::fs::read_to_string(&file)
            .map_err(|error| no_bundle(format!("{}: {}", bundle::DESCRIPTION, reason(&error))))?;
        let description = serde_json::from_str(&text)
            .map_err(|error| no_bundle(format!("{}: {error}", bundle::DESCRIPTION)))?;
        Ok(Self {
            path: path.to_owned(),
            description,
        })
    }

    /// The plugins beside it, in order of name.
    fn plugins(&self) -> Result<Vec<PathBuf>> {
        let real = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let (Some(directory), Some(name)) = (real.parent(), real.file_name()) else {
            return Ok(Vec::new());
        };
        // Show the directory as the user wrote it, if the written path names one.
        let shown = match self.path.parent() {
            Some(parent) if self.path.file_name() == Some(name) => parent,
            _ => directory,
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(payload) = payload::read(&path) else {
                continue;
            };
            let own = bundle::name_of(&payload.module_name);
            let is_its = *name == *own
                || name == bundle::SHARED && !directory.join(own).join("lib").exists();
            if is_its {
                found.push(shown.join(entry.file_name()));
            }
        }
        found.sort();
        Ok(found)
    }

    fn text(&self) -> String {
        let mut text = format!("{}: a bundle\n", self.path.display());
        let own = |key: &str| self.description[key].as_str().unwrap_or("?").to_owned();
        section(
            &mut text,
            "Made with",
            &[format!("keelback {}", own("keelback"))],
        );
        section(&mut text, "Python", &[own("python")]);
        section(&mut text, "Packages", &self.names("packages"));
        section(&mut text, "C libraries", &self.names("libraries"));
        text
    }

    /// The entries of a list: texts, or objects with a name and a version.
    fn names(&self, key: &str) -> Vec<String> {
        let list = self.description[key].as_array().into_iter().flatten();
        list.map(|one| match one.as_str() {
            Some(text) => text.to_owned(),
            None => {
                let part = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
                format!("{} {}", part("name"), part("version"))
                    .trim()
                    .to_owned()
            }
        })
        .collect()
    }

    fn json(&self) -> Value {
        json!({ "path": self.path.to_string_lossy(), "description": self.description })
    }
}
