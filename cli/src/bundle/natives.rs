//! The files with machine code, made fit for another place.
use std::path::Path;

use super::libraries::{Native, Place, search_path};
use super::needs::Needs;
use super::unwritable;
use crate::diagnostic::Result;
use crate::elf::{Elf, hide};
use crate::input::reason;

/// What is done to all of them.
pub struct Treatment<'a> {
    /// Directories that were copied.
    pub places: &'a [Place],
    /// Paths of this machine, the longest first.
    pub machine: &'a [Vec<u8>],
    /// Leave what debuggers read.
    pub keep_symbols: bool,
}

/// Changes the files in `top`, each only if something is to be changed; what they need of a machine.
pub fn treat(top: &Path, natives: &[Native], how: &Treatment<'_>) -> Result<Needs> {
    let mut needs = Needs::default();
    for native in natives {
        let path = top.join(&native.within);
        let wrong = |why: &str| unwritable(&path, why);
        let bytes = std::fs::read(&path).map_err(|error| wrong(&reason(&error)))?;
        let mut changed = match Elf::read(bytes.clone()) {
            Ok(elf) => treated(native, elf, how, &mut needs).map_err(|why| wrong(&why))?,
            // A file of data that only begins like one.
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
