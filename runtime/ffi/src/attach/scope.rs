//! Scopes: a thread stays in Python between the calls that it makes (`NAME_enter`, `NAME_leave`).
//!
//! A call takes the GIL and gives it back, which is a third to a half of what a short one costs. In a scope both are left
//! out: the call finds the thread in Python. Python's evaluation loop hands the GIL over while calls run; between them
//! nobody does.
//!
//! A scope belongs to the C code that begins it. C that Python calls, inside of a call that is made in a scope, is outside
//! of Python again, and begins and ends scopes of its own; what it leaves open ends when it returns. What a thread leaves
//! open ends with the thread. So there is a chain of scopes, of which only the innermost counts: it is the thread's own
//! place if it was begun in this depth of calls and the thread is in Python with the state that it was begun with.

use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::ffi;

use super::Thread;
use super::states::current;
use super::threads::{self, Refused, Stay};

/// A scope, and those that were begun directly inside of it.
struct Scope {
    /// With which the thread is in Python.
    state: *mut ffi::PyThreadState,
    /// How many calls the thread was inside of when it was begun.
    depth: u32,
    /// How often it was entered.
    count: usize,
    stay: Stay,
    /// The one that the thread was in before, in calls further out; or NULL.
    outer: *mut Scope,
}

/// The scope that the code which runs now is in directly; NULL if it is in none.
#[inline(always)]
fn innermost(thread: &Thread) -> *mut Scope {
    let scope = thread.scope.get().cast::<Scope>();
    // SAFETY: the thread's scopes are freed by itself, when they leave its chain.
    let is_mine = thread.scope_depth.get() == thread.depth.get() + 1
        && unsafe { (*scope).state } == current();
    if is_mine { scope } else { std::ptr::null_mut() }
}

/// Whether the code that runs now, which is C's, is in a scope: the thread is in Python, though outside of all calls, or in
/// C that Python has called.
pub fn is_in_one(thread: &Thread) -> bool {
    !innermost(thread).is_null()
}

/// Begins a scope, or enters once more the one that the thread is in. May wait for the GIL.
pub fn enter(thread: &'static Thread) -> Result<(), Refused> {
    let scope = innermost(thread);
    if scope.is_null() {
        return begin(thread);
    }
    // SAFETY: this thread's scope, which nobody else looks at.
    unsafe { (*scope).count += 1 };
    Ok(())
}

#[inline(never)]
fn begin(thread: &'static Thread) -> Result<(), Refused> {
    let stay = threads::attach_on(thread)?.stay();
    end_with_thread(thread);
    let scope = Box::new(Scope {
        state: current(),
        depth: thread.depth.get(),
        count: 1,
        stay,
        outer: thread.scope.get().cast(),
    });
    set_innermost(thread, Box::into_raw(scope));
    Ok(())
}

fn set_innermost(thread: &Thread, scope: *mut Scope) {
    thread.scope.set(scope.cast());
    // SAFETY: NULL, or a scope in the chain of this thread.
    let depth = unsafe { scope.as_ref() }.map_or(0, |scope| scope.depth + 1);
    thread.scope_depth.set(depth);
}

/// Leaves the scope that the code which runs now is in; false if it is in none.
pub fn leave(thread: &Thread) -> bool {
    let scope = innermost(thread);
    if scope.is_null() {
        return false;
    }
    // SAFETY: this thread's scope, which nobody else looks at.
    let left = unsafe {
        (*scope).count -= 1;
        (*scope).count
    };
    if left == 0 {
        end(thread);
    }
    true
}

/// Ends the thread's innermost scope, however often it was entered. The thread has one.
fn end(thread: &Thread) {
    // SAFETY: the scopes of the chain came from boxes; this one leaves the chain here.
    let scope = unsafe { Box::from_raw(thread.scope.get().cast::<Scope>()) };
    set_innermost(thread, scope.outer);
    // Somebody else may have taken the thread out of Python, or Python may have ended.
    if scope.state == current() {
        scope.stay.end();
    }
}

/// Ends what C code that Python has called, and that returns now, has begun and not ended: Python's code goes on with the
/// state that it had. `outer` is the scope that the thread was in when the C code was called.
#[inline(always)]
pub fn end_forgotten(thread: &Thread, outer: *mut c_void) {
    if thread.scope.get() != outer {
        end_up_to(thread, outer);
    }
}

#[cold]
#[inline(never)]
fn end_up_to(thread: &Thread, outer: *mut c_void) {
    while !thread.scope.get().is_null() && thread.scope.get() != outer {
        end(thread);
    }
}

/// The threads that have begun a scope, by address, until they end.
pub struct Users(Vec<usize>);

static USERS: Mutex<Users> = Mutex::new(Users(Vec::new()));

/// The list, held over a fork, so that the child finds it in order.
pub fn lock_users() -> MutexGuard<'static, Users> {
    USERS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Users {
    /// In a forked child: it has this thread alone.
    pub fn forget_other_threads(&mut self) {
        let me = threads::thread_token();
        self.0.retain(|&thread| thread == me);
    }
}

/// Has the scopes of this thread end with it, whatever state it is in Python with.
fn end_with_thread(thread: &'static Thread) {
    if thread.uses_scopes.get() || !threads::tell_end_of_thread(thread) {
        return;
    }
    thread.uses_scopes.set(true);
    lock_users().0.push(threads::thread_token());
}

/// Ends what the thread has not left: it ends itself.
pub fn end_all(thread: &Thread) {
    end_up_to(thread, std::ptr::null_mut());
    if thread.uses_scopes.replace(false) {
        let me = std::ptr::from_ref(thread) as usize;
        lock_users().0.retain(|&user| user != me);
    }
}

/// Waits until no other thread is in a scope without being in a call. There whoever wants to use Python waits for it, and
/// perhaps for ever. False if that takes longer than `patience`.
pub fn wait_for_others(patience: Duration) -> bool {
    let me = threads::thread_token();
    let start = Instant::now();
    loop {
        let is_kept_out = lock_users().0.iter().any(|&user| {
            // SAFETY: a thread takes itself out of the list, with its lock, before its data goes; of the data only what
            // others may look at is looked at.
            user != me && is_between_calls(unsafe { &*(user as *const Thread) })
        });
        if !is_kept_out {
            return true;
        }
        if start.elapsed() >= patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether the thread of this token is in a scope and not in a call; `None` if it uses no scopes, or has ended.
pub fn is_idle(token: usize) -> Option<bool> {
    let users = lock_users();
    users.0.contains(&token).then(|| {
        // SAFETY: as in `wait_for_others`.
        is_between_calls(unsafe { &*(token as *const Thread) })
    })
}

/// Whether a thread, which may be another one, is in a scope and not in a call.
fn is_between_calls(thread: &Thread) -> bool {
    thread.scope_depth.get() == thread.depth.get() + 1
}
