//! Lists the crates that are linked into the runtime, with their licences: `keelback bundle` ships the runtime, and
//! must ship these licences.
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// A JSON list of objects: name, version, licence, url, texts.
pub fn told() -> String {
    println!("cargo::rerun-if-changed=../Cargo.lock");
    match metadata() {
        Ok(metadata) => Value::from(crates(&metadata)).to_string(),
        Err(why) => {
            println!(
                "cargo::warning=bundles will not have the licences of the runtime's crates: {why}"
            );
            "[]".into()
        }
    }
}

fn metadata() -> Result<Value, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = std::env::var("TARGET").map_err(|error| error.to_string())?;
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version=1",
            "--offline",
            "--filter-platform",
        ])
        .arg(target)
        .arg("--manifest-path")
        .arg("../runtime/Cargo.toml")
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).replace('\n', " "));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// The crates that are linked into the runtime, without those that are only used to build or test it.
fn crates(metadata: &Value) -> Vec<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, Value> = list(&metadata["packages"])
        .into_iter()
        .map(|package| (text(&package["id"]), package))
        .collect();
    let nodes: BTreeMap<String, Value> = list(&metadata["resolve"]["nodes"])
        .into_iter()
        .map(|node| (text(&node["id"]), node))
        .collect();
    let root = packages
        .iter()
        .find(|(_, package)| package["name"] == "keelback-runtime")
        .map(|(id, _)| id.clone());
    let mut queue: Vec<String> = root.into_iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = queue.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let Some(node) = nodes.get(&id) else { continue };
        for dependency in list(&node["deps"]) {
            let is_inside = list(&dependency["dep_kinds"])
                .iter()
                .any(|kind| kind["kind"].is_null());
            // Procedural macros run in the compiler only.
            let is_macro = packages
                .get(&text(&dependency["pkg"]))
                .is_some_and(|package| {
                    list(&package["targets"]).iter().any(|target| {
                        list(&target["kind"])
                            .iter()
                            .any(|kind| kind == "proc-macro")
                    })
                });
            if is_inside && !is_macro {
                queue.push(text(&dependency["pkg"]));
            }
        }
    }
    seen.iter()
        .filter_map(|id| packages.get(id))
        // Our own crates are listed as one component.
        .filter(|package| !package["source"].is_null())
        .map(|package| {
            json!({
                "name": package["name"],
                "version": package["version"],
                "licence": text(&package["license"]),
                "url": text(&package["repository"]),
                "texts": texts(Path::new(&text(&package["manifest_path"]))),
            })
        })
        .collect()
}

/// The licence texts beside a manifest, and those of C sources in a folder there.
fn texts(manifest: &Path) -> Vec<String> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        all.sort();
        all
    };
    let is_licence = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().to_uppercase();
        [
            "LICENSE",
            "LICENCE",
            "COPYING",
            "COPYRIGHT",
            "NOTICE",
            "UNLICENSE",
        ]
        .iter()
        .any(|begin| name.starts_with(begin))
    };
    let Some(folder) = manifest.parent() else {
        return Vec::new();
    };
    let beside = entries(folder);
    let below = beside
        .iter()
        .filter(|path| path.is_dir())
        .flat_map(|path| entries(path));
    beside
        .iter()
        .cloned()
        .chain(below)
        .filter(is_licence)
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect()
}
