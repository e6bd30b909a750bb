//! Packages that one plugin's environment has and another version hides, where several plugins are in one process: the Python
//! of the first is everybody's, and the others' packages stand behind its own.
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::loader_search::Found;

/// With what the runtime itself does to `sys.path`.
const SCRIPT: &str = concat!(
    include_str!("../../python/keelback/_sites.py"),
    include_str!("shadowed.py")
);

/// A package that is not found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shadowed {
    /// The environment's executable.
    pub executable: String,
    /// The package.
    pub package: String,
    /// The version that the environment has.
    pub version: String,
    /// Where.
    pub place: String,
    /// The version that is found.
    pub by: String,
    /// Where.
    pub by_place: String,
}

/// What is hidden when plugins start in this order, each with what its loader found. `Err`: why that cannot be said.
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
        // One that is gone says why by its status.
        let _ = stdin.write_all(lines.join("\n").as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| failed(&error))?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| failed(&output.status))
}
