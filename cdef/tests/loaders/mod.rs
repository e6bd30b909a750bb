//! Loaders for the tests of the preprocessor.

use std::collections::HashMap;
use std::sync::Arc;

use keelback_cdef::preprocessor::Loader;

/// Files in memory.
#[derive(Default)]
pub struct Memory(pub HashMap<String, String>);

impl Loader for Memory {
    fn load(&mut self, path: &str) -> Option<Arc<str>> {
        self.0.get(path).map(|text| text.as_str().into())
    }
}

/// Files of the system.
pub struct Disk;

impl Loader for Disk {
    fn load(&mut self, path: &str) -> Option<Arc<str>> {
        let bytes = std::fs::read(path).ok()?;
        Some(String::from_utf8_lossy(&bytes).into())
    }
}
