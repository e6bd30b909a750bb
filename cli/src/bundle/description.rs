//! bundle.json, which says what is in a bundle.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::components::Component;
use super::needs::Needs;

/// The file at the top of a bundle that says what is in it.
pub const DESCRIPTION: &str = "bundle.json";

/// The contents of bundle.json.
#[derive(Serialize, Deserialize)]
pub struct Description {
    /// Version of keelback.
    pub keelback: String,
    /// `3.11.7`
    pub python: String,
    /// Name and version of each package.
    pub packages: Vec<String>,
    /// The C libraries that were copied.
    pub libraries: Vec<String>,
    /// What it needs of the machine that it runs on.
    #[serde(default)]
    pub needs: Needs,
    /// All parts.
    #[serde(default)]
    pub components: Vec<Component>,
}

/// Whether there is a bundle at `directory`: only a bundle may be replaced.
pub fn is_bundle(directory: &Path) -> bool {
    std::fs::read(directory.join(DESCRIPTION))
        .is_ok_and(|text| serde_json::from_slice::<Description>(&text).is_ok())
}
