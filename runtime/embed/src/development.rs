//! Development libraries (`keelback build --dev`): the init code is run from its file, again when that has changed, and
//! a debugger can be started.
//!
//! A release library leads its stubs straight to `dispatch`: none of this can be reached there, whatever the environment
//! says.

use std::ffi::{CStr, CString, OsString, c_char, c_void};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use keelback_codegen::abi::keelback_function_t;
use pyo3::ffi;

use super::binding::Binding;
use super::plugin::{Plugin, PluginState};
use super::{dispatch, held, last_error, own_modules};
use keelback_ffi::attach::{Thread, output, scope, threads};
use keelback_ffi::py::{Exception, Obj, Raised, Ref, Res, str_from};

/// What tells one state of a file from another.
#[derive(PartialEq, Eq, Clone)]
struct Stamp {
    modified: (i64, i64),
    size: u64,
    inode: u64,
}

impl Stamp {
    fn of(file: &str) -> Option<Self> {
        let found = std::fs::metadata(file).ok()?;
        Some(Self {
            modified: (found.mtime(), found.mtime_nsec()),
            size: found.size(),
            inode: found.ino(),
        })
    }
}

/// The state in which each plugin's file was last run, by the plugin's address.
pub struct LastRun(Vec<(usize, Stamp)>);

static RUN: Mutex<LastRun> = Mutex::new(LastRun(Vec::new()));

/// Locks what was run. The lock is taken outside of Python, and held over a fork.
pub fn lock_last_run() -> MutexGuard<'static, LastRun> {
    RUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes the state of the file; true if it was another one before.
fn note(plugin: &Plugin) -> bool {
    let Some(stamp) = Stamp::of(&plugin.init_file()) else {
        // The file is gone, or an editor is just replacing it: the code that runs stays.
        return false;
    };
    let key = std::ptr::from_ref(plugin).addr();
    let run = &mut lock_last_run().0;
    match run.iter_mut().find(|(of, _)| *of == key) {
        Some((_, known)) if *known == stamp => false,
        Some((_, known)) => {
            *known = stamp;
            true
        }
        None => {
            run.push((key, stamp));
            false
        }
    }
}

/// To be called before the file is read for the plugin's start.
pub fn note_start(plugin: &Plugin) {
    note(plugin);
}

/// In place of `dispatch::dispatch`: an outermost call looks first whether the file has changed.
///
/// # Safety
/// Called by a stub, with the record of its function and its slots.
pub unsafe extern "C" fn dispatch_of_dev(function: *mut keelback_function_t, slots: *mut c_void) {
    let thread = Thread::here();
    let errno = thread.errno();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: bindings are set before the stubs lead here, and never freed.
        let binding = unsafe { (*function).binding.cast::<Binding>().as_ref() };
        if let Some(binding) = binding
            && (!threads::is_attached() || scope::is_in_one(thread))
            && binding.plugin().state() == PluginState::Ready
            && (note(binding.plugin()) | own_modules::have_changed(binding.plugin()))
        {
            run_again(binding.plugin());
        }
    }));
    drop(outcome);
    thread.set_errno(errno);
    let call = held::Call::begin(thread);
    // SAFETY: what Python passes to it.
    unsafe { dispatch::dispatch(function, slots) };
    drop(call);
}

/// Runs the changed file, in the same module, as `importlib.reload` does. The functions that it attaches replace the old
/// ones, at the same C addresses. If it fails, that is reported, and what it has not replaced stays.
fn run_again(plugin: &Plugin) {
    let Ok(_attached) = threads::attach() else {
        return;
    };
    // A module that the init code takes names from has to run before it.
    let outcome = own_modules::forget_modules(plugin).and_then(|forgotten| {
        super::init_code::run(plugin).map_err(|raised| {
            let exception = Exception::fetch(raised);
            forgotten.restore(plugin);
            match exception {
                Some(exception) => exception.restore(),
                None => {
                    keelback_ffi::raise!(SystemError, "the init code failed without an exception")
                }
            }
        })
    });
    output::look_at_streams();
    if let Err(raised) = outcome {
        let described = last_error::take_exception(raised);
        let text = format!(
            "{}: the changed init code failed, functions that it did not reach stay as they were: {}\n{}",
            plugin.name(),
            described.line,
            described.traceback
        );
        last_error::report(plugin.record(), c"", &text);
    }
}

unsafe extern "C" {
    /// The C library's: NULL under raised privileges.
    fn secure_getenv(name: *const c_char) -> *mut c_char;
}

/// What KEELBACK_DEBUG asks for.
#[derive(PartialEq, Eq, Debug)]
enum Debugger {
    /// `pdb`, or 1: pdb, on the terminal, from the first line of the init code on.
    Pdb,
    /// `PORT`, or `HOST:PORT`: debugpy waits there for an editor.
    DebugPy(String, u16),
}

impl Debugger {
    /// What the environment asks for, if the process does not run with raised privileges.
    fn wished() -> Result<Option<Self>, String> {
        // SAFETY: a C string; the answer is copied at once.
        let value = unsafe {
            let value = secure_getenv(c"KEELBACK_DEBUG".as_ptr());
            if value.is_null() {
                return Ok(None);
            }
            OsString::from_vec(CStr::from_ptr(value).to_bytes().to_vec())
        };
        Self::parse(&value.to_string_lossy())
    }

    fn parse(value: &str) -> Result<Option<Self>, String> {
        match value {
            "" | "0" => return Ok(None),
            "1" | "pdb" => return Ok(Some(Self::Pdb)),
            _ => {}
        }
        let (host, port) = value.rsplit_once(':').unwrap_or(("127.0.0.1", value));
        match port.parse() {
            Ok(port) if !host.is_empty() => Ok(Some(Self::DebugPy(host.to_string(), port))),
            _ => Err(format!(
                "KEELBACK_DEBUG is '{value}': it must be pdb, or [HOST:]PORT for debugpy"
            )),
        }
    }
}

/// Run with the code object and the globals: the next line that runs is the first of the init code. Breakpoints that
/// are set there hold for later calls on this thread.
const PDB: &CStr = c"
import pdb, sys
class Debugger(pdb.Pdb):
    def user_line(self, frame):
        if self.first and frame.f_code is not code:
            return
        self.first = False
        super().user_line(frame)
debugger = Debugger(nosigint=True)
debugger.first = True
debugger.reset()
sys.settrace(debugger.trace_dispatch)
exec(code, namespace)
";

/// Starts debugpy, once in a process: further plugins find it at work.
const DEBUGPY: &CStr = c"
import sys
if not getattr(sys, '_keelback_debugpy', False):
    import debugpy
    debugpy.listen((host, port))
    sys._keelback_debugpy = True
    print(f'keelback: debugpy waits at {host}:{port}', file=sys.stderr, flush=True)
    debugpy.wait_for_client()
";

/// Runs the init code of a development library, in a debugger if one is asked for.
///
/// # Safety
/// The GIL is held; `code` is a live code object, `globals` a live dict.
pub unsafe fn run_code(code: Obj, globals: Obj) -> Res<()> {
    let debugger = Debugger::wished().map_err(|text| keelback_ffi::raise!(ValueError, "{text}"))?;
    // SAFETY: the GIL is held; a code object and a dict.
    unsafe {
        match debugger {
            Some(Debugger::Pdb) => {
                return run_text(PDB, &[(c"code", code), (c"namespace", globals)]);
            }
            Some(Debugger::DebugPy(host, port)) => {
                let host = str_from(&host)?;
                let port: Ref = Ref::steal(ffi::PyLong_FromLong(port.into()))?;
                run_text(DEBUGPY, &[(c"host", host.obj()), (c"port", port.obj())])?;
            }
            None => {}
        }
        Ref::<ffi::PyObject>::steal(ffi::PyEval_EvalCode(code, globals, globals))?;
    }
    Ok(())
}

/// Runs a text of ours with these globals.
///
/// # Safety
/// The GIL is held; the objects in `names` are live.
unsafe fn run_text(text: &CStr, names: &[(&CStr, Obj)]) -> Res<()> {
    // SAFETY: the GIL is held; live objects.
    unsafe {
        let globals: Ref = keelback_ffi::py::make::dict([])?;
        let builtins: Ref = keelback_ffi::py::import(c"builtins")?;
        let own = (c"__builtins__", builtins.obj());
        for (name, value) in names.iter().copied().chain([own]) {
            if ffi::PyDict_SetItemString(globals.obj(), name.as_ptr(), value) < 0 {
                return Err(Raised::already());
            }
        }
        let file = CString::new("<keelback debugger>").unwrap_or_default();
        let code: Ref = Ref::steal(ffi::Py_CompileString(
            text.as_ptr(),
            file.as_ptr(),
            ffi::Py_file_input,
        ))?;
        Ref::<ffi::PyObject>::steal(ffi::PyEval_EvalCode(
            code.obj(),
            globals.obj(),
            globals.obj(),
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debugpy(host: &str, port: u16) -> Result<Option<Debugger>, String> {
        Ok(Some(Debugger::DebugPy(host.to_owned(), port)))
    }

    #[test]
    fn a_debugger_is_named_by_its_name_or_its_place() {
        assert_eq!(Debugger::parse(""), Ok(None));
        assert_eq!(Debugger::parse("0"), Ok(None));
        assert_eq!(Debugger::parse("1"), Ok(Some(Debugger::Pdb)));
        assert_eq!(Debugger::parse("pdb"), Ok(Some(Debugger::Pdb)));
        assert_eq!(Debugger::parse("5678"), debugpy("127.0.0.1", 5678));
        assert_eq!(Debugger::parse("box:5678"), debugpy("box", 5678));
        assert_eq!(Debugger::parse("::1:5678"), debugpy("::1", 5678));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for value in ["yes", ":5678", "box:", "65536", "-1"] {
            let refusal =
                format!("KEELBACK_DEBUG is '{value}': it must be pdb, or [HOST:]PORT for debugpy");
            assert_eq!(Debugger::parse(value), Err(refusal));
        }
    }
}
