//! Which Python and runtime a plugin would use on this machine. The plugin's own loader searches, in a separate
//! process, because it maps the libraries that it finds. Neither Python nor the init code is started.
use std::ffi::{CStr, c_char};
use std::path::{Path, PathBuf};
use std::process::Command;

use keelback_codegen::abi::{keelback_description_t, keelback_search_t};
use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};
use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Failure, Result};
use crate::input::reason;
use crate::interrupt;
use crate::output;
use crate::payload;

/// What the new process writes once the plugin is open.
const OPENED: &str = "keelback: the plugin is open";

/// The result of the search.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Found {
    /// Why there is no result: the library cannot be opened at all, or the search ended the process.
    pub error: Option<String>,
    /// Where Python was looked for; the last line is where it was found.
    pub python_steps: Vec<String>,
    /// The same for the runtime.
    pub runtime_steps: Vec<String>,
    /// `3.11`, `3.13t`; `None`: no Python was found.
    pub version: Option<String>,
    /// Its libpython.
    pub libpython: Option<String>,
    /// The prefix of its standard library, if known.
    pub home: Option<String>,
    /// Its executable: a virtual environment's one makes its packages importable.
    pub executable: Option<String>,
    /// The bundle that contains it.
    pub bundle: Option<String>,
    /// The runtime.
    pub runtime: Option<String>,
}

/// Lets the plugin at `path` search, in a new process.
pub fn search(path: &Path) -> Result<Found> {
    let failure = |why: String| {
        Failure::Files.because(Diagnostic::error(
            "cannot-run",
            format!("cannot run keelback once more: {why}"),
        ))
    };
    let own = std::env::current_exe().map_err(|error| failure(reason(&error)))?;
    let mut command = Command::new(own);
    command.args(["inspect", "--search-here", "--"]).arg(path);
    let output = interrupt::output(&mut command).map_err(|error| failure(reason(&error)))?;
    // The answer is the last line: the library's constructors may print others.
    let said = String::from_utf8_lossy(&output.stdout);
    let found = said
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok());
    let status = output.status;
    Ok(found.unwrap_or_else(|| Found {
        error: Some(if said.lines().any(|line| line == OPENED) {
            format!(
                "it can be opened, but looking for Python and the runtime ended the process ({status}): one of their files is damaged, such as that of KEELBACK_RUNTIME, of KEELBACK_PYTHON, in the bundle or at the recorded path"
            )
        } else {
            format!("it cannot be opened: opening it ended the process ({status})")
        }),
        ..Found::default()
    }))
}

/// The part of [`search`] that runs in the new process.
pub fn answer(path: &Path) -> Result<u8> {
    let found = search_in_this_process(path);
    let line = serde_json::to_string(&found).expect("texts always become JSON");
    output::print(&format!("\n{line}\n"))?;
    Ok(0)
}

fn search_in_this_process(path: &Path) -> Found {
    let failed = |why: String| Found {
        error: Some(why),
        ..Found::default()
    };
    let place = match payload::place(path) {
        Ok(place) => place,
        Err(why) => return failed(format!("it cannot be opened: {why}")),
    };
    // A name with a slash makes the dynamic linker open this file instead of searching.
    let path = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    // SAFETY: the library's constructors run; it is the user's own, who asked for it, and this process does nothing else.
    let library = match unsafe { Library::open(Some(&path), RTLD_LAZY | RTLD_LOCAL) } {
        Ok(library) => library,
        // Use the dynamic linker's own message.
        Err(error) => {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            let why = why.unwrap_or_else(|| error.to_string());
            return failed(format!("it cannot be opened: {why}"));
        }
    };
    // SAFETY: only its address is used.
    let anchor = unsafe { library.get::<*const ()>(place.anchor.as_bytes()) };
    let Ok(anchor) = anchor else {
        return failed(format!("it cannot be used: it has no {}", place.anchor));
    };
    let address = (anchor.as_raw_ptr() as usize)
        .wrapping_sub(place.anchor_address as usize)
        .wrapping_add(place.description as usize);
    let description = address as *const keelback_description_t;
    // SAFETY: the file has the description there, for a plugin of this ABI and this machine (`payload::place`), the
    // library is mapped, and stays so: it is never closed.
    let search = unsafe { (*description).search };
    std::mem::forget(library);
    let Some(search) = search else {
        return failed("it cannot be used: its description is damaged".to_owned());
    };
    if output::print(&format!("\n{OPENED}\n")).is_err() {
        return failed("nobody reads the answer".to_owned());
    }
    // SAFETY: all fields may be zero.
    let mut result: keelback_search_t = unsafe { std::mem::zeroed() };
    // SAFETY: the function fills in what it is given.
    unsafe { search(&mut result) };
    read(&result)
}

fn read(result: &keelback_search_t) -> Found {
    let text = |text: *const c_char| {
        if text.is_null() {
            return None;
        }
        // SAFETY: the loader's texts end with NUL and live on; no other thread is there to change them.
        let text = unsafe { CStr::from_ptr(text) };
        Some(text.to_string_lossy().into_owned())
    };
    let lines = |steps: *mut c_char| {
        let steps = text(steps).unwrap_or_default();
        steps.lines().map(|line| line.trim().to_owned()).collect()
    };
    let version = (result.python_version != 0).then(|| {
        let thread = if result.free_threaded != 0 { "t" } else { "" };
        let (major, minor) = (result.python_version >> 8, result.python_version & 0xff);
        format!("{major}.{minor}{thread}")
    });
    Found {
        error: None,
        python_steps: lines(result.python_steps),
        runtime_steps: lines(result.runtime_steps),
        version,
        libpython: text(result.python.libpython),
        home: text(result.python.home),
        executable: text(result.python.executable),
        bundle: text(result.python.bundle),
        runtime: text(result.runtime),
    }
}
