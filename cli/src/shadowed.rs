//! Packages of a plugin's environment that another version hides when several plugins are in one process: they share
//! the Python of the first one, and the packages of the others come later on `sys.path`.
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::loader_search::Found;

/// The script includes the code with which the runtime itself extends `sys.path`.
const SCRIPT: &str = concat!(
    include_str!("../../python/keelback/_sites.py"),
    include_str!("shadowed.py")
);

/// A package that another version hides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shadowed {
    /// The environment's executable.
    pub executable: String,
    /// The package.
    pub package: String,
    /// The version that the environment has.
    pub version: String,
    /// The place of that version.
    pub place: String,
    /// The version that is imported instead.
    pub by: String,
    /// The place of that version.
    pub by_place: String,
}

/// The packages that are hidden when plugins start in this order; `plugins` has what the loader of each found. `Err`:
/// why this cannot be determined.
pub fn between(plugins: &[Found]) -> Result<Vec<Shadowed>, String> {
    let Some((first, others)) = plugins
        .split_first()
        .filter(|(_, others)| !others.is_empty())
    else {
        return Ok(Vec::new());
    };
    let executable = first
        .executable
        .as_deref()
        .ok_or("no python executable is known for the first one")?;
    let failed = |why: &dyn std::fmt::Display| format!("{executable} cannot be asked: {why}");
    let mut child = Command::new(executable)
        .args(["-I", "-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(&error))?;
    let lines: Vec<&str> = others
        .iter()
        .map(|found| found.executable.as_deref().unwrap_or_default())
        .collect();
    if let Some(mut stdin) = child.stdin.take() {
        // If Python has ended already, its exit status is reported below.
        let _ = stdin.write_all(lines.join("\n").as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| failed(&error))?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| failed(&output.status))
}
