//! Lists the parts of a bundle, each with its version, origin and licence.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::gather::Gathered;
use super::libraries::{Native, Owner};
use super::system_package::{self, SystemPackage};
use super::write::{unwritable, write};
use crate::diagnostic::{Diagnostic, Reporter, Result};
use crate::input::reason;
use crate::python::Python;

/// The crates of the runtime, with their licence texts, from cargo's metadata at build time.
const CRATES: &str = include_str!(concat!(env!("OUT_DIR"), "/crates.json"));

/// One part of a bundle.
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// `python`, `runtime`, `crate`, `package` or `library`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Empty: unknown.
    pub version: String,
    /// A package URL: `pkg:pypi/numpy@2.2.6`; empty: unknown.
    pub origin: String,
    /// The licence that its own metadata names; empty: none.
    pub licence: String,
    /// `licence` is an SPDX expression.
    #[serde(default)]
    pub is_spdx: bool,
    /// The URL of its home page.
    #[serde(default)]
    pub url: String,
    /// Its files in the bundle; empty for whole packages.
    #[serde(default)]
    pub files: Vec<String>,
    /// The paths of its licence texts in the bundle.
    #[serde(default)]
    pub licence_texts: Vec<String>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    licence: String,
    url: String,
    texts: Vec<String>,
}

/// Lists all parts, and writes their licence texts into `licences/`.
pub fn tell(
    top: &Path,
    python: &Python,
    gathered: &Gathered,
    natives: &[Native],
    reporter: &Reporter,
) -> Result<Vec<Component>> {
    let folder = top.join("licences");
    std::fs::create_dir(&folder).map_err(|error| unwritable(&folder, &reason(&error)))?;
    let mut all = vec![python_itself(top, python, gathered)?, runtime(top)?];
    all.extend(crates(top)?);
    for package in &gathered.packages {
        let whole = installed(top, package, natives)?;
        let inside = inside(package, &whole);
        all.push(whole);
        all.extend(inside);
    }
    all.extend(libraries(top, natives, reporter)?);
    // A wheel may tell of a part more than once.
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|component| seen.insert(reference(component)));
    Ok(all)
}

fn python_itself(top: &Path, python: &Python, gathered: &Gathered) -> Result<Component> {
    let mut texts = paths(&gathered.python["licences"]);
    let mut origin = format!("pkg:generic/cpython@{}", python.full_version);
    if let Some(package) = system_package::find(&[&python.libpython]).pop().flatten() {
        origin = package.origin;
        if texts.is_empty() {
            texts = package.text;
        }
    }
    Ok(Component {
        kind: "python".into(),
        name: "CPython".into(),
        version: python.full_version.clone(),
        origin,
        licence: "PSF-2.0".into(),
        is_spdx: true,
        url: "https://www.python.org/".into(),
        licence_texts: copied(top, "python", &texts)?,
        ..Component::default()
    })
}

fn runtime(top: &Path) -> Result<Component> {
    let version = env!("CARGO_PKG_VERSION");
    let mut licence_texts = Vec::new();
    for (name, text) in [
        ("MIT", include_str!("../../../LICENSE-MIT")),
        ("APACHE", include_str!("../../../LICENSE-APACHE")),
    ] {
        licence_texts.push(put(
            top,
            &format!("keelback/LICENSE-{name}"),
            text.as_bytes(),
        )?);
    }
    Ok(Component {
        kind: "runtime".into(),
        name: "keelback".into(),
        version: version.into(),
        origin: format!("pkg:cargo/keelback@{version}"),
        licence: "MIT OR Apache-2.0".into(),
        is_spdx: true,
        files: vec![super::place::RUNTIME.into()],
        licence_texts,
        ..Component::default()
    })
}

fn crates(top: &Path) -> Result<Vec<Component>> {
    let known: Vec<Crate> = serde_json::from_str(CRATES).unwrap_or_default();
    // Many crates have the same text: write each text once.
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut all = Vec::new();
    for each in known {
        let mut licence_texts = Vec::new();
        for (index, text) in each.texts.iter().enumerate() {
            let file = match files.get(text) {
                Some(file) => file.clone(),
                None => {
                    let name = format!("crates/{}-{index}.txt", each.name);
                    let file = put(top, &name, text.as_bytes())?;
                    files.insert(text.clone(), file.clone());
                    file
                }
            };
            licence_texts.push(file);
        }
        // The text of the Apache licence is the same for all.
        if licence_texts.is_empty() && each.licence.contains("Apache-2.0") {
            licence_texts.push("licences/keelback/LICENSE-APACHE".into());
        }
        all.push(Component {
            kind: "crate".into(),
            origin: format!("pkg:cargo/{}@{}", each.name, each.version),
            name: each.name,
            version: each.version,
            licence: each.licence.replace('/', " OR "),
            is_spdx: true,
            url: each.url,
            licence_texts,
            ..Component::default()
        });
    }
    Ok(all)
}

fn installed(top: &Path, package: &serde_json::Value, natives: &[Native]) -> Result<Component> {
    let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let (name, version) = (text("name"), text("version"));
    let origin = match text("origin") {
        url if url.is_empty() => format!("pkg:pypi/{}@{version}", normal(&name)),
        url => format!("pkg:pypi/{}@{version}?download_url={url}", normal(&name)),
    };
    let folder = format!("packages/{}", normal(&name));
    let files = natives
        .iter()
        .filter(|native| matches!(&native.owner, Owner::Package(owner) if *owner == name))
        .map(|native| native.within.to_string_lossy().into_owned())
        .collect();
    Ok(Component {
        kind: "package".into(),
        licence_texts: copied(top, &folder, &paths(&package["licences"]))?,
        licence: text("licence"),
        is_spdx: package["is_spdx"].as_bool().unwrap_or(false),
        url: text("url"),
        name,
        version,
        origin,
        files,
    })
}

/// The C libraries that a wheel brings along: those that it tells of, and those that lie in its folder for them.
fn inside(package: &serde_json::Value, whole: &Component) -> Vec<Component> {
    let mut all = Vec::new();
    for path in paths(&package["sboms"]) {
        let text = std::fs::read(path).unwrap_or_default();
        let told: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        for each in told["components"].as_array().into_iter().flatten() {
            let text = |key: &str| each[key].as_str().unwrap_or_default().to_owned();
            if text("name").is_empty() || normal(&text("name")) == normal(&whole.name) {
                continue;
            }
            all.push(Component {
                kind: "library".into(),
                name: text("name"),
                version: text("version"),
                origin: text("purl"),
                licence: licence_of(&each["licenses"]),
                licence_texts: whole.licence_texts.clone(),
                ..Component::default()
            });
        }
    }
    let is_brought = |file: &&String| {
        Path::new(file)
            .parent()
            .and_then(Path::file_name)
            .is_some_and(|folder| folder.to_string_lossy().ends_with(".libs"))
    };
    all.extend(whole.files.iter().filter(is_brought).map(|file| Component {
        kind: "library".into(),
        name: file_name(file),
        origin: whole.origin.clone(),
        files: vec![file.clone()],
        licence_texts: whole.licence_texts.clone(),
        ..Component::default()
    }));
    all
}

/// The first of CycloneDX's licences.
fn licence_of(licences: &serde_json::Value) -> String {
    let first = &licences[0];
    [
        &first["expression"],
        &first["license"]["id"],
        &first["license"]["name"],
    ]
    .into_iter()
    .find_map(serde_json::Value::as_str)
    .unwrap_or_default()
    .to_owned()
}

/// The normalised name of a package, as package indexes use it.
fn normal(name: &str) -> String {
    let mut text = String::new();
    for character in name.to_lowercase().chars() {
        match character {
            '-' | '_' | '.' if text.ends_with('-') => {}
            '-' | '_' | '.' => text.push('-'),
            _ => text.push(character),
        }
    }
    text
}

fn libraries(top: &Path, natives: &[Native], reporter: &Reporter) -> Result<Vec<Component>> {
    // Several files may belong to one package.
    let mut found: BTreeMap<String, Component> = BTreeMap::new();
    let mut unknown = Vec::new();
    let natives: Vec<&Native> = natives
        .iter()
        .filter(|native| native.owner == Owner::System)
        .collect();
    let sources: Vec<&Path> = natives.iter().map(|native| &*native.source).collect();
    for (native, of) in natives.iter().zip(system_package::find(&sources)) {
        let file = native.within.to_string_lossy().into_owned();
        let name = of
            .as_ref()
            .map_or_else(|| file_name(&file), |of| of.name.clone());
        if let Some(component) = found.get_mut(&name) {
            component.files.push(file);
            continue;
        }
        let mut component = Component {
            kind: "library".into(),
            name: name.clone(),
            files: vec![file],
            ..Component::default()
        };
        match of {
            Some(SystemPackage {
                version,
                origin,
                licence,
                text,
                ..
            }) => {
                component.licence_texts =
                    copied(top, &format!("libraries/{name}"), text.as_slice())?;
                (component.version, component.origin, component.licence) =
                    (version, origin, licence);
            }
            None => unknown.push(name.clone()),
        }
        found.insert(name, component);
    }
    if !unknown.is_empty() {
        reporter.report(
            &Diagnostic::warning(
                "licences",
                format!("nothing is known of where these libraries are from: {}", unknown.join(", ")),
            )
            .hint("no package of this system has them; whoever ships the bundle has to add their licences"),
        );
    }
    Ok(found.into_values().collect())
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

fn paths(value: &serde_json::Value) -> Vec<PathBuf> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|path| path.as_str().map(PathBuf::from))
        .collect()
}

/// Copies texts into a folder of `licences/`; returns their paths in the bundle.
fn copied(top: &Path, folder: &str, texts: &[PathBuf]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for text in texts {
        let Ok(content) = std::fs::read(text) else {
            continue;
        };
        let base = file_name(&text.to_string_lossy());
        let mut name = format!("{folder}/{base}");
        // A package may have several files of one name, in different folders.
        let mut number = 1;
        while all.contains(&format!("licences/{name}")) {
            number += 1;
            name = format!("{folder}/{number}-{base}");
        }
        all.push(put(top, &name, &content)?);
    }
    Ok(all)
}

fn put(top: &Path, name: &str, content: &[u8]) -> Result<String> {
    let within = format!("licences/{name}");
    let path = top.join(&within);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| unwritable(parent, &reason(&error)))?;
    }
    write(&path, content)?;
    Ok(within)
}

/// No other part has this one. A file's place is its own; a package's name and version, too.
fn reference(component: &Component) -> String {
    let from = match component.files.first() {
        Some(file) if component.kind == "library" => file,
        _ => &component.origin,
    };
    format!(
        "{}:{}@{}:{from}",
        component.kind, component.name, component.version
    )
}

/// The list in the form of CycloneDX, for scanners. It does not depend on the time or place of the build.
pub fn cyclonedx(name: &str, components: &[Component]) -> serde_json::Value {
    let each = |component: &Component| {
        let mut told = serde_json::json!({
            "type": if component.kind == "python" { "platform" } else { "library" },
            "bom-ref": reference(component),
            "name": component.name,
        });
        let texts = &component.licence_texts;
        let mut properties: Vec<serde_json::Value> = Vec::new();
        for (key, values) in [
            ("keelback:file", &component.files),
            ("keelback:licence", texts),
        ] {
            properties.extend(
                values
                    .iter()
                    .map(|value| serde_json::json!({ "name": key, "value": value })),
            );
        }
        let licences = if component.is_spdx {
            serde_json::json!([{ "expression": component.licence }])
        } else {
            serde_json::json!([{ "license": { "name": component.licence } }])
        };
        let optional = [
            (
                "version",
                !component.version.is_empty(),
                component.version.clone().into(),
            ),
            (
                "purl",
                !component.origin.is_empty(),
                component.origin.clone().into(),
            ),
            ("licenses", !component.licence.is_empty(), licences),
            (
                "externalReferences",
                component.url.starts_with("http"),
                serde_json::json!([{ "type": "website", "url": component.url }]),
            ),
            ("properties", !properties.is_empty(), properties.into()),
        ];
        for (key, is_there, value) in optional {
            if is_there {
                told[key] = value;
            }
        }
        told
    };
    serde_json::json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": { "type": "application", "bom-ref": name, "name": name },
            "tools": { "components": [
                { "type": "application", "name": "keelback", "version": env!("CARGO_PKG_VERSION") }
            ] },
        },
        "components": components.iter().map(each).collect::<Vec<_>>(),
    })
}
