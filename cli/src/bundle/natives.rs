//! Adapts the files with machine code to their place in the bundle.
use std::path::Path;

use super::libraries::{Native, Place, search_path};
use super::needs::Needs;
use super::write::unwritable;
use crate::diagnostic::Result;
use crate::elf::{Elf, hide};
use crate::input::reason;

/// How the files are changed.
pub struct Treatment<'a> {
    /// Directories that were copied.
    pub places: &'a [Place],
    /// Paths of this machine, the longest first.
    pub machine: &'a [Vec<u8>],
    /// Keep symbols and debug information.
    pub keep_symbols: bool,
}

/// Changes the files in `top` where needed. Returns what they need of a machine.
pub fn treat(top: &Path, natives: &[Native], how: &Treatment<'_>) -> Result<Needs> {
    let mut needs = Needs::default();
    for native in natives {
        let path = top.join(&native.within);
        let wrong = |why: &str| unwritable(&path, why);
        let bytes = std::fs::read(&path).map_err(|error| wrong(&reason(&error)))?;
        let mut changed = match Elf::read(bytes.clone()) {
            Ok(elf) => treated(native, elf, how, &mut needs).map_err(|why| wrong(&why))?,
            // A data file that only begins like an ELF file.
            Err(_) => bytes.clone(),
        };
        hide(&mut changed, how.machine);
        if changed != bytes {
            std::fs::write(&path, &changed).map_err(|error| wrong(&reason(&error)))?;
        }
    }
    Ok(needs)
}

fn treated(
    native: &Native,
    mut elf: Elf,
    how: &Treatment<'_>,
    needs: &mut Needs,
) -> std::result::Result<Vec<u8>, String> {
    needs.add(&elf)?;
    if !how.keep_symbols {
        elf.strip()?;
    }
    if let Some(place) = search_path(native, &elf, how.places)? {
        elf.set_search_path(&place)
            .map_err(|why| format!("its search path: {why}"))?;
    }
    Ok(elf.bytes)
}
