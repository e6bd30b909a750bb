//! fork() by the host: Python's own before- and after-work, so that parent and child both go on calling.
//!
//! The thread that forks takes the GIL first, so the child finds the interpreter in order, whatever other threads did in
//! it. When Python itself forks it does all this. Either way the child is told which starts of plugins nobody in it goes
//! on with.
//!
//! The handlers of pthread_atfork are the loaders': a fork may come while a loader maps this library, and has to wait for
//! that first.

use std::cell::Cell;
use std::sync::MutexGuard;

use keelback_codegen::abi::{KEELBACK_FORK_BEFORE, KEELBACK_FORK_PARENT};
use pyo3::ffi;

use super::development::{self, LastRun};
use super::held::{self, Held};
use super::own_modules::{self, Ran};
use super::waiting::{Frozen, Paused};
use super::whose::Interpreter;
use super::{last_error, waiting, whose};
use keelback_ffi::attach::scope::{self, Users};
use keelback_ffi::attach::threads::{self, Attached};
use keelback_ffi::attach::{Thread, output};
use keelback_ffi::py::{END_OF_METHODS, Methods, Obj, Ref, Res, guard, make, none, simple};

/// What is held over a fork.
struct Forking {
    starts: Frozen,
    /// The lock of the error handlers, which is taken outside of Python too.
    handlers: MutexGuard<'static, ()>,
    new_states: MutexGuard<'static, ()>,
    last_run: MutexGuard<'static, LastRun>,
    ran: MutexGuard<'static, Ran>,
    users: MutexGuard<'static, Users>,
    held: MutexGuard<'static, Held>,
    /// Present if Python's work before a fork was for us to do: the thread is in Python, and that work is done.
    attached: Option<Attached>,
    paused: Option<Paused>,
}

thread_local! {
    /// Python's os.fork() is under way on this thread.
    static BY_PYTHON: Cell<bool> = const { Cell::new(false) };
    static FORKING: Cell<Option<Forking>> = const { Cell::new(None) };
    /// Taken by the last of Python's `before` hooks: behind them CPython (3.13) takes the lock of its own that whoever
    /// makes a state takes second.
    static NEW_STATES: Cell<Option<MutexGuard<'static, ()>>> = const { Cell::new(None) };
    /// How many plugins' handlers have begun.
    static HANDLERS: Cell<u32> = const { Cell::new(0) };
}

/// keelback_runtime_t.fork
///
/// # Safety
/// Called by a plugin's loader, in a handler of pthread_atfork.
pub unsafe extern "C" fn fork(step: u32) {
    let _ = std::panic::catch_unwind(|| {
        if step == KEELBACK_FORK_BEFORE {
            HANDLERS.set(HANDLERS.get() + 1);
            if HANDLERS.get() == 1 {
                prepare();
            }
        } else if HANDLERS.get() > 0 {
            HANDLERS.set(HANDLERS.get() - 1);
            if HANDLERS.get() == 0 {
                finish(step == KEELBACK_FORK_PARENT);
            }
        }
    });
}

/// Whether this thread is between the handlers of a fork, and so must not take the locks that they hold.
pub fn is_under_way_here() -> bool {
    HANDLERS.get() > 0
}

/// From now on a fork does Python's own work where Python does not do it. To be called when Python is initialised and the
/// interpreter is ours.
pub fn do_python_s_work() {
    let Ok(_attached) = threads::attach() else {
        return;
    };
    if let Err(raised) = watch_python() {
        raised.clear();
    }
}

fn prepare() {
    let (mut attached, mut paused) = (None, None);
    // A thread that is in Python and has the GIL forks in os.fork(), or inside of subprocess, whose child only calls exec.
    // In a scope it is C that forks.
    let is_in_python = threads::is_attached() && !scope::is_in_one(Thread::here());
    let by_python = BY_PYTHON.get() || is_in_python;
    // An interpreter that the process had before us is its owner's to bring over a fork in C.
    let theirs = whose::whose() == Interpreter::Theirs;
    if !by_python && !theirs && !threads::has_ended() {
        // The fork waits for starts that other threads are in: a child would inherit a plugin that is started by half.
        paused = Some(threads::detached(waiting::pause));
        if whose::is_ours() {
            attached = threads::attach_on_any_stack().ok();
        }
        if attached.is_some() {
            // SAFETY: the GIL is held.
            unsafe { ffi::PyOS_BeforeFork() };
        }
    }
    FORKING.set(Some(Forking {
        starts: waiting::freeze(),
        handlers: last_error::lock_handlers(),
        new_states: NEW_STATES.take().unwrap_or_else(threads::lock_new_states),
        last_run: development::lock_last_run(),
        ran: own_modules::lock_ran(),
        held: held::freeze(),
        // Behind `held`, as `held` itself takes the two.
        users: scope::lock_users(),
        attached,
        paused,
    }));
}

fn finish(is_parent: bool) {
    let Some(mut forking) = FORKING.take() else {
        return;
    };
    if !is_parent {
        forking.starts.forget_other_threads();
        forking.users.forget_other_threads();
        forking.held.forget_other_threads();
        threads::keep_state_for_good();
    }
    drop(forking.last_run);
    drop(forking.ran);
    drop(forking.users);
    drop(forking.held);
    drop(forking.handlers);
    drop(forking.new_states);
    drop(forking.starts);
    if forking.attached.is_some() {
        // SAFETY: follows PyOS_BeforeFork on this thread, in the child its only one.
        unsafe {
            if is_parent {
                ffi::PyOS_AfterFork_Parent();
            } else {
                ffi::PyOS_AfterFork_Child();
                output::renew_if_taken();
            }
        }
    }
    drop(forking.attached);
    drop(forking.paused);
}

/// Has Python tell us when it forks itself. Registered before all others, the `before` hook runs last.
fn watch_python() -> Res<()> {
    static METHODS: Methods<4> = Methods::new([
        simple(
            c"before_fork",
            before,
            ffi::METH_NOARGS,
            c"Python is about to fork.",
        ),
        simple(
            c"after_fork_in_parent",
            after_in_parent,
            ffi::METH_NOARGS,
            c"Python has forked, and this is the parent.",
        ),
        simple(
            c"after_fork_in_child",
            after_in_child,
            ffi::METH_NOARGS,
            c"Python has forked, and this is the child.",
        ),
        END_OF_METHODS,
    ]);
    let function = |index| METHODS.function(index, None);
    let (before, in_parent, in_child) = (function(0)?, function(1)?, function(2)?);
    // What `os.register_at_fork` is. The module `os` itself is a fifth of a start without `site`.
    let posix = keelback_ffi::py::import(c"posix")?;
    let register = posix.live().attribute(c"register_at_fork")?;
    // SAFETY: the GIL is held; the references keep the functions alive, and each name of the format is a C string.
    let keywords: Ref = unsafe {
        Ref::steal(ffi::Py_BuildValue(
            c"{sOsOsO}".as_ptr(),
            c"before".as_ptr(),
            before.obj(),
            c"after_in_parent".as_ptr(),
            in_parent.obj(),
            c"after_in_child".as_ptr(),
            in_child.obj(),
        ))?
    };
    let empty = make::tuple(std::iter::empty::<Res<Ref>>())?;
    // SAFETY: the references keep all three alive, which are of the types that CPython asks for.
    unsafe {
        Ref::<ffi::PyObject>::steal(ffi::PyObject_Call(
            register.obj(),
            empty.obj(),
            keywords.obj(),
        ))?;
    }
    Ok(())
}

/// Before a fork by Python.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn before(_self: Obj, _none: Obj) -> Obj {
    guard(|| {
        BY_PYTHON.set(true);
        // Both processes would write what is still in the buffers. They cannot be flushed later: after this hook 3.13 takes
        // a lock, and flushing gives the GIL away to threads that may wait for that lock.
        output::flush_if_free();
        let held = NEW_STATES.take();
        NEW_STATES.set(Some(held.unwrap_or_else(threads::lock_new_states)));
        Ok(none())
    })
}

/// After a fork by Python, in the parent.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn after_in_parent(_self: Obj, _none: Obj) -> Obj {
    guard(|| {
        BY_PYTHON.set(false);
        drop(NEW_STATES.take());
        Ok(none())
    })
}

/// After a fork by Python, in the child.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn after_in_child(_self: Obj, _none: Obj) -> Obj {
    guard(|| {
        drop(NEW_STATES.take());
        if BY_PYTHON.replace(false) {
            output::renew_if_taken();
        }
        Ok(none())
    })
}
