//! What a bundle needs of the machine that it runs on.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::elf::Elf;
use crate::python::Python;

/// The minimum requirements.
#[derive(Default, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Needs {
    /// `x86_64`
    #[serde(default)]
    pub machine: String,
    /// The level of x86-64, from 1; 0 for other machines.
    #[serde(default)]
    pub x86_64_level: u32,
    /// `2.34`
    #[serde(default)]
    pub glibc: String,
    /// The newest version of symbols, for the other libraries of the system: `GLIBCXX`: `3.4.29`.
    #[serde(default)]
    pub symbols: BTreeMap<String, String>,
}

impl Needs {
    /// Adds the needs of a file.
    pub fn add(&mut self, elf: &Elf) -> Result<(), String> {
        elf.machine().clone_into(&mut self.machine);
        if self.machine == "x86_64" {
            self.x86_64_level = self.x86_64_level.max(elf.x86_level()?);
        }
        for (_, version) in elf.needed_versions()? {
            let Some((family, number)) = version.rsplit_once('_') else {
                continue;
            };
            if parts(number).is_empty() {
                continue;
            }
            match family {
                "GLIBC" => raise(&mut self.glibc, number),
                "GLIBCXX" | "CXXABI" | "GCC" => {
                    raise(self.symbols.entry(family.to_owned()).or_default(), number);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Needs {
    /// The text of the needs for a plugin's loader, which checks them before it opens anything. The line of Python's version
    /// tells it the name of the libpython.
    pub fn for_loader(&self, python: &Python) -> String {
        let mut text = String::new();
        if !self.glibc.is_empty() {
            text += &format!("glibc {}\n", self.glibc);
        }
        if self.x86_64_level > 1 {
            text += &format!("x86-64-v{}\n", self.x86_64_level);
        }
        let (major, minor) = python.version;
        let thread = if python.free_threaded { "t" } else { "" };
        text += &format!("python {major}.{minor}{thread}\n");
        text
    }
}

fn raise(least: &mut String, number: &str) {
    if parts(number) > parts(least) {
        number.clone_into(least);
    }
}

/// The numbers of `2.3.4`; empty if it is no version (GLIBC_PRIVATE).
fn parts(number: &str) -> Vec<u32> {
    number
        .split('.')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts() {
        let mut least = String::new();
        for (number, then) in [
            ("2.9", "2.9"),
            ("2.34", "2.34"),
            ("2.4", "2.34"),
            ("2.2.5", "2.34"),
        ] {
            raise(&mut least, number);
            assert_eq!(least, then);
        }
        assert!(parts("PRIVATE").is_empty());
    }
}
