//! The half of Keelback's runtime that lets C use Python: plugins, in a process that belongs to somebody else.
//!
//! It stands on `keelback-ffi`, which knows nothing of it; what that crate asks of plugins goes through traits and
//! functions that are handed to it.
//!
//! | file | subject |
//! |---|---|
//! | `abi` | `keelback_runtime`, what the loader inside a plugin finds |
//! | `start` | a plugin's way from the first call to "ready" |
//! | `waiting` | who starts which plugin, who waits for whom |
//! | `blocked` | threads that wait for a lock of the host |
//! | `interpreter` | starting Python, or taking the one that is there |
//! | `whose` | whose Python it is |
//! | `environment` | variables that it must not see |
//! | `prefix` | where that Python's files are |
//! | `encodings` | what Python imports before anything can be arranged |
//! | `plugin` | the runtime's record of a plugin |
//! | `read` | reading it: declarations, functions |
//! | `sys_modules` | its Python objects, and where `import` finds them |
//! | `sites` | the packages of plugins that found Python started |
//! | `run` | its init code: before, while and after it runs |
//! | `init_code` | compiling that |
//! | `own_modules` | modules and data that the plugin has inside |
//! | `sources` | where tracebacks and other tools find its text |
//! | `hooks` | how exceptions that nobody catches are printed |
//! | `development` | `keelback build --dev`: reloading, debuggers |
//! | `binding` | what is known of one C function of a plugin |
//! | `dispatch` | the hot path of every call |
//! | `scope` | NAME_enter, NAME_leave |
//! | `held` | development libraries: scopes that keep others out |
//! | `batch` | calls for the elements of arrays |
//! | `compiled` | extension modules that CFFI compiled |
//! | `def_extern` | `@ffi.def_extern()` |
//! | `shape` | what a Python function that is attached takes |
//! | `traceback` | what a failure's traceback says |
//! | `last_error` | last_error, the error handler |
//! | `fork`, `exit` | fork and exit of the host |
//! | `import` | a plugin that Python imports |
//!
//! What is promised: no failure ends the process or leaves an exception set; nothing of the host's (signals, locale,
//! environment, errno) changes; calls may come from any thread, also while Python starts, and after it ended.

mod abi;
mod batch;
mod binding;
mod blocked;
mod bundle;
mod compiled;
mod def_extern;
mod development;
mod dispatch;
mod encodings;
mod environment;
mod exit;
mod fork;
mod held;
mod hooks;
mod import;
mod init_code;
mod interpreter;
mod last_error;
mod made;
mod namespace;
mod own_modules;
mod plugin;
mod prefix;
mod read;
mod run;
mod scope;
mod shape;
mod sites;
mod sources;
mod start;
mod sys_modules;
mod traceback;
mod waiting;
mod whose;

pub use abi::keelback_runtime;
pub use made::when_made;
