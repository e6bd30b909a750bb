//! Starting Python in somebody else's process, or taking the Python that it has.
//!
//! What is started is isolated: no environment variable but those that the dynamic linker reads changes it, it sets no
//! locale and no signal handler, reads no argv, and a failure is a text, never an exit of the process.

use super::environment::Hidden;
use super::waiting::{StartFailure, Turn};
use super::whose::{Interpreter, settle, whose};
use super::{bundle, exit, fork, hooks, prefix, sources, waiting};
use keelback_ffi::attach::threads::Refused;
use keelback_ffi::attach::{output, threads};
use keelback_ffi::py::{Raised, sys};
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use keelback_codegen::abi::{
    KEELBACK_PLUGIN_NO_SITE, KEELBACK_PLUGIN_USE_ENVIRONMENT, keelback_python_t,
};
use pyo3::ffi;

/// Makes sure that there is a Python. Waits, outside of Python, for another thread that is starting it.
pub fn ensure(python: Option<&keelback_python_t>, flags: u32) -> Result<(), String> {
    if is_there() {
        return Ok(());
    }
    if fork::is_under_way_here() {
        return Err(
            "Python cannot be started by a handler of pthread_atfork while the process forks.\n"
                .into(),
        );
    }
    match waiting::claim(waiting::PYTHON) {
        Turn::Mine(claim) => find_or_start(python, flags).inspect_err(|text| {
            claim.failed(&StartFailure {
                code: 0,
                text: text.clone(),
            });
        }),
        // Python imports a plugin in its own start (from a .pth file), and that plugin waits for this thread. Python is
        // started far enough for it.
        Turn::Ring => Ok(()),
        Turn::Failed(failure) => Err(failure.text),
    }
}

fn is_there() -> bool {
    whose() != Interpreter::None && !threads::has_ended() && sys::is_initialized()
}

fn find_or_start(python: Option<&keelback_python_t>, flags: u32) -> Result<(), String> {
    keelback_ffi::library::make_runtime_global();
    threads::make_key();
    let initialized = sys::is_initialized();
    let known = whose() != Interpreter::None;
    match (known, initialized) {
        (true, true) if !threads::has_ended() => Ok(()),
        (true, _) => Err("Python was finalised in this process (by Py_Finalize, or at the end of the program). The \
                          functions of this library can't be used any more, also not if Python is initialised again.\n"
            .into()),
        (false, true) => {
            adopt()?;
            settle(Interpreter::Theirs);
            Ok(())
        }
        (false, false) => {
            initialize(python, flags)?;
            settle(Interpreter::Ours);
            Ok(())
        }
    }
}

/// Takes the process's Python as it is.
fn adopt() -> Result<(), String> {
    let attached = threads::attach().map_err(|refused| match refused {
        Refused::Ended => "Python is being finalised in this process.\n".to_string(),
        refused => format!("{refused}\n"),
    })?;
    threads::mark_interpreter();
    exit::watch_finalisation();
    drop(attached);
    Ok(())
}

/// Whether Python was started here, and so without PYTHONPATH and its like.
static IGNORES_ENVIRONMENT: AtomicBool = AtomicBool::new(false);

/// Whether PYTHONPATH and its like have no effect. They may in a Python that was there before.
pub fn ignores_environment() -> bool {
    IGNORES_ENVIRONMENT.load(Ordering::Relaxed)
}

fn initialize(python: Option<&keelback_python_t>, flags: u32) -> Result<(), String> {
    if let Some(refused) = Refused::to_start() {
        return Err(format!("{refused}\n"));
    }
    if !is_there_memory() {
        return Err(format!(
            "there is too little memory to start Python: {} MiB cannot be had (ulimit -v, RLIMIT_AS)\n",
            MEMORY_TO_START >> 20
        ));
    }
    let prefix = prefix::find(python)?;
    let honours_environment = flags & KEELBACK_PLUGIN_USE_ENVIRONMENT != 0;
    preinitialize(honours_environment)?;
    keelback_ffi::errors::python_is_a_plugin_s();
    IGNORES_ENVIRONMENT.store(!honours_environment, Ordering::Relaxed);
    let archive = archive_of(&prefix)?;
    let in_place_of_site = (!honours_environment)
        .then(|| bundle::InPlaceOfSite::of(&prefix, python, flags))
        .flatten();
    let has_site = flags & KEELBACK_PLUGIN_NO_SITE == 0 && in_place_of_site.is_none();
    let mut config = Config::new(honours_environment);
    config.fill(&prefix, honours_environment, has_site)?;
    match &archive {
        Some(archive) => bundle::freeze_encodings(archive),
        None if !honours_environment => freeze_encodings(&prefix),
        None => {}
    }
    let hidden = (!honours_environment).then(Hidden::begin);
    // SAFETY: a complete configuration; the start of Python is claimed, so nobody else initialises it through us.
    check(unsafe { ffi::Py_InitializeFromConfig(&config.0) })?;
    drop(hidden);
    drop(config);
    // The thread holds the GIL now.
    threads::mark_interpreter();
    if let Some(archive) = archive {
        // The files are there too.
        bundle::install(archive, &prefix.standard_library()).unwrap_or_else(Raised::clear);
    }
    if let Some(site) = in_place_of_site {
        site.complete();
    }
    import_signal();
    output::install();
    sources::watch_linecache();
    hooks::install();
    exit::watch_finalisation();
    // SAFETY: this thread has just initialised Python.
    unsafe { threads::keep_initial_state() };
    exit::run_exit_functions_at_exit();
    fork::do_python_s_work();
    Ok(())
}

/// The code of the standard library, in a bundle that has it in one file. Where CPython has no frozen modules, the start
/// imports from files before there can be a finder.
fn archive_of(prefix: &prefix::Prefix) -> Result<Option<bundle::Archive>, String> {
    #[cfg(Py_3_11)]
    {
        bundle::Archive::open(&prefix.home, libpython_version())
    }
    #[cfg(not(Py_3_11))]
    {
        let _ = prefix;
        Ok(None)
    }
}

/// Saves Python, which reads no environment, the search for the first modules, where that is possible.
fn freeze_encodings(prefix: &prefix::Prefix) {
    #[cfg(all(Py_3_11, not(Py_GIL_DISABLED)))]
    {
        use super::encodings::{freeze, read};
        if let Some(modules) = read(&prefix.standard_library(), libpython_version()) {
            freeze(modules.into_iter());
        }
    }
    #[cfg(not(all(Py_3_11, not(Py_GIL_DISABLED))))]
    let _ = prefix;
}

/// `Py_Version`
#[cfg(Py_3_11)]
fn libpython_version() -> u32 {
    // SAFETY: a constant of the libpython, which is loaded.
    unsafe { std::ptr::read(&raw const ffi::Py_Version) as u32 }
}

/// What must be there before Python is started. The start itself takes 3 MiB; where memory ends in the middle of it,
/// CPython aborts or crashes.
const MEMORY_TO_START: usize = 8 << 20;

fn is_there_memory() -> bool {
    // SAFETY: a new mapping, which goes again at once.
    unsafe {
        let probe = libc::mmap(
            std::ptr::null_mut(),
            MEMORY_TO_START,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        probe != libc::MAP_FAILED && libc::munmap(probe, MEMORY_TO_START) == 0
    }
}

fn preinitialize(honours_environment: bool) -> Result<(), String> {
    let mut config = MaybeUninit::<ffi::PyPreConfig>::uninit();
    // SAFETY: the Init functions fill the whole struct.
    unsafe {
        if honours_environment {
            ffi::PyPreConfig_InitPythonConfig(config.as_mut_ptr());
        } else {
            ffi::PyPreConfig_InitIsolatedConfig(config.as_mut_ptr());
        }
        let mut config = config.assume_init();
        config.parse_argv = 0;
        // The locale is the host's. With UTF-8 mode on, Python needs none.
        config.configure_locale = 0;
        config.coerce_c_locale = 0;
        config.coerce_c_locale_warn = 0;
        config.utf8_mode = 1;
        check(ffi::Py_PreInitialize(&config))
    }
}

/// Imports `_signal` now, and undoes what that does: the module takes SIGINT over when it finds it at its default. Later
/// imports of signal, subprocess or asyncio then change nothing.
fn import_signal() {
    // SAFETY: the GIL is held, on the thread that Python takes for the main one; all zeros is a valid sigaction.
    unsafe {
        let mut host = std::mem::zeroed::<libc::sigaction>();
        libc::sigaction(libc::SIGINT, std::ptr::null(), &mut host);
        let module = ffi::PyImport_ImportModule(c"_signal".as_ptr());
        if !module.is_null() && host.sa_sigaction == libc::SIG_DFL {
            // Python's own table of handlers must say so too, because asyncio.run() asks it.
            let done = ffi::PyObject_CallMethod(
                module,
                c"signal".as_ptr(),
                c"ii".as_ptr(),
                libc::SIGINT,
                // signal.SIG_DFL is 0.
                0 as std::ffi::c_int,
            );
            ffi::Py_XDECREF(done);
        }
        ffi::Py_XDECREF(module);
        ffi::PyErr_Clear();
        libc::sigaction(libc::SIGINT, &host, std::ptr::null_mut());
    }
}

struct Config(ffi::PyConfig);

impl Config {
    fn new(honours_environment: bool) -> Self {
        let mut config = MaybeUninit::<ffi::PyConfig>::zeroed();
        // SAFETY: the Init functions fill the whole struct.
        unsafe {
            if honours_environment {
                ffi::PyConfig_InitPythonConfig(config.as_mut_ptr());
            } else {
                ffi::PyConfig_InitIsolatedConfig(config.as_mut_ptr());
            }
            Self(config.assume_init())
        }
    }

    fn fill(
        &mut self,
        prefix: &prefix::Prefix,
        honours_environment: bool,
        has_site: bool,
    ) -> Result<(), String> {
        let config = &mut self.0;
        config.parse_argv = 0;
        config.install_signal_handlers = 0;
        config.configure_c_stdio = 0;
        config.pathconfig_warnings = 0;
        config.site_import = has_site.into();
        if !honours_environment {
            // `isolated` means not only "no environment": the user's own site-packages are left out like PYTHONPATH.
            config.user_site_directory = 0;
        }
        let config: *mut ffi::PyConfig = config;
        // SAFETY: the fields of a live configuration.
        unsafe {
            if !honours_environment || std::env::var_os("PYTHONHOME").is_none() {
                set(config, &raw mut (*config).home, &prefix.home)?;
            }
            set(
                config,
                &raw mut (*config).program_name,
                &prefix.base_executable,
            )?;
            set(config, &raw mut (*config).executable, &prefix.executable)?;
            set(
                config,
                &raw mut (*config).base_executable,
                &prefix.base_executable,
            )
        }
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: initialised by `new`.
        unsafe { ffi::PyConfig_Clear(&mut self.0) }
    }
}

/// Sets a string of the configuration.
///
/// # Safety
/// `field` is a field of `config`, which is initialised, and Python is preinitialised.
unsafe fn set(
    config: *mut ffi::PyConfig,
    field: *mut *mut libc::wchar_t,
    value: &Path,
) -> Result<(), String> {
    let text = CString::new(value.as_os_str().as_bytes())
        .map_err(|_nul| "a path contains NUL\n".to_string())?;
    // SAFETY: `field` is a string of the initialised `config` (the caller's contract), and `text` is a C string, which is
    // copied. Python is preinitialised in UTF-8 mode, so that it decodes the bytes as UTF-8.
    check(unsafe { ffi::PyConfig_SetBytesString(config, field, text.as_ptr()) })
}

/// A PyStatus as a text. Python's own way would be to exit.
fn check(status: ffi::PyStatus) -> Result<(), String> {
    // SAFETY: plain functions over the struct; its texts are static.
    unsafe {
        if ffi::PyStatus_Exception(status) == 0 {
            return Ok(());
        }
        let text = |text: *const std::ffi::c_char| {
            if text.is_null() {
                String::new()
            } else {
                CStr::from_ptr(text).to_string_lossy().into_owned()
            }
        };
        let (function, message) = (text(status.func), text(status.err_msg));
        let message = if message.is_empty() {
            format!("exit code {}", status.exitcode)
        } else {
            message
        };
        let place = if function.is_empty() {
            String::new()
        } else {
            format!(" ({function})")
        };
        Err(format!(
            "Python {} could not be initialised: {message}{place}\n",
            version_text()
        ))
    }
}

/// "3.11.7" of the libpython that is loaded.
fn version_text() -> String {
    // SAFETY: valid at any time.
    let text = unsafe { CStr::from_ptr(ffi::Py_GetVersion()) }.to_string_lossy();
    text.split(' ').next().unwrap_or_default().to_string()
}
