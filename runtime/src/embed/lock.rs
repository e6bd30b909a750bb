//! The one start lock of the process.
//!
//! Recursive, and shared by all plugins: two init codes that call each other's plugins from two threads would deadlock
//! on a lock per plugin. A thread waits for it outside of Python, so that the one who starts can run.

use std::sync::{Condvar, Mutex, PoisonError};

use super::threads::{detached, thread_token};

/// The lock.
pub static START: StartLock = StartLock {
    holder: Mutex::new(Holder {
        thread: 0,
        depth: 0,
    }),
    released: Condvar::new(),
};

/// See [`START`].
pub struct StartLock {
    holder: Mutex<Holder>,
    released: Condvar,
}

struct Holder {
    /// The token of the thread that has it; meaningless at depth 0.
    thread: usize,
    depth: u32,
}

/// Gives the lock back when dropped.
#[must_use]
pub struct Held(());

impl StartLock {
    /// Takes the lock; waits outside of Python for another thread to give it back.
    pub fn lock(&self) -> Held {
        if !self.try_lock() {
            detached(|| self.wait());
        }
        Held(())
    }
    fn try_lock(&self) -> bool {
        let mut holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        let token = thread_token();
        let free = holder.depth == 0 || holder.thread == token;
        if free {
            holder.thread = token;
            holder.depth += 1;
        }
        free
    }
    fn wait(&self) {
        let holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        let mut holder = self
            .released
            .wait_while(holder, |holder| holder.depth != 0)
            .unwrap_or_else(PoisonError::into_inner);
        holder.thread = thread_token();
        holder.depth = 1;
    }
    /// Whether this thread has the lock.
    pub fn is_mine(&self) -> bool {
        let holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        holder.depth != 0 && holder.thread == thread_token()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut holder = START.holder.lock().unwrap_or_else(PoisonError::into_inner);
        holder.depth -= 1;
        if holder.depth == 0 {
            drop(holder);
            START.released.notify_one();
        }
    }
}
