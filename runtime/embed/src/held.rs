//! Development libraries tell of a scope that is held without a call: meanwhile no other thread can use Python, and one
//! that the scope's thread waits for may be among those. It is told while it lasts, by a thread of its own, because it
//! may last for ever.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use keelback_codegen::abi::keelback_plugin_t;

use super::plugin::Plugin;
use keelback_ffi::attach::{Thread, scope, write_to_stderr};

/// How long a scope may be held without a call.
const LONGEST: Duration = Duration::from_millis(100);

/// A thread in a scope of a development library.
struct Holder {
    /// Its address.
    thread: usize,
    /// The module name.
    plugin: String,
    /// Since when it makes no call; `None` while it is in one, and when it was told of.
    idle_since: Option<Instant>,
}

/// The threads that are in scopes.
pub struct Held {
    holders: Vec<Holder>,
    /// A thread looks after them.
    is_watched: bool,
}

static HELD: Mutex<Held> = Mutex::new(Held {
    holders: Vec::new(),
    is_watched: false,
});
static CHANGED: Condvar = Condvar::new();

/// Takes the table, for a fork too: nobody holds it for long.
pub fn freeze() -> MutexGuard<'static, Held> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Held {
    fn holder(&mut self, thread: &Thread) -> Option<&mut Holder> {
        let me = std::ptr::from_ref(thread) as usize;
        self.holders.iter_mut().find(|holder| holder.thread == me)
    }

    /// In a forked child there are no other threads.
    pub fn forget_other_threads(&mut self) {
        let me = std::ptr::from_ref(Thread::here()) as usize;
        self.holders.retain(|holder| holder.thread == me);
        self.is_watched = false;
    }

    /// Sees to it that somebody looks.
    fn watch(&mut self) {
        if !self.is_watched {
            self.is_watched = start_watch();
        }
        CHANGED.notify_all();
    }
}

/// A thread has entered a scope by way of this plugin.
pub fn entered(thread: &'static Thread, plugin: *const keelback_plugin_t) {
    let mut held = freeze();
    let now = Some(Instant::now());
    if let Some(holder) = held.holder(thread) {
        holder.idle_since = now;
    } else {
        held.holders.push(Holder {
            thread: std::ptr::from_ref(thread) as usize,
            // SAFETY: a record by the ABI, which lives as long as the process.
            plugin: unsafe { Plugin::name_of(plugin) },
            idle_since: now,
        });
    }
    held.watch();
}

/// A thread has left a scope.
pub fn left(thread: &Thread) {
    if thread.scope.get().is_null() {
        let me = std::ptr::from_ref(thread) as usize;
        freeze().holders.retain(|holder| holder.thread != me);
    }
}

/// A call of a thread that is in a scope.
pub struct Call(Option<&'static Thread>);

impl Call {
    /// The thread is about to call.
    pub fn begin(thread: &'static Thread) -> Self {
        if thread.scope.get().is_null() {
            return Self(None);
        }
        if let Some(holder) = freeze().holder(thread) {
            holder.idle_since = None;
        }
        Self(Some(thread))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Some(thread) = self.0 else { return };
        let mut held = freeze();
        // In a call that another call's C has made, it is still in that one.
        if thread.depth.get() + 1 == thread.scope_depth.get()
            && let Some(holder) = held.holder(thread)
        {
            holder.idle_since = Some(Instant::now());
            held.watch();
        }
    }
}

/// Starts the thread that looks; false if there can be none.
fn start_watch() -> bool {
    // The host's signals are for the host's threads.
    // SAFETY: signal sets of this thread, filled by the first two calls; the mask is put back at once.
    unsafe {
        let (mut all, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&mut all);
        let failed = libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before) != 0;
        let started = std::thread::Builder::new()
            .name("keelback scopes".into())
            .stack_size(256 << 10)
            .spawn(watch);
        if !failed {
            libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
        }
        started.is_ok()
    }
}

fn watch() {
    let mut held = freeze();
    loop {
        let idle = held.holders.iter().filter_map(|holder| holder.idle_since);
        held = match idle.min() {
            None => CHANGED.wait(held).unwrap_or_else(PoisonError::into_inner),
            Some(since) if since.elapsed() < LONGEST => {
                CHANGED
                    .wait_timeout(held, LONGEST.saturating_sub(since.elapsed()))
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
            Some(_) => tell(held),
        };
    }
}

/// Tells of those that are idle for too long, each once until its next call.
fn tell(mut held: MutexGuard<'static, Held>) -> MutexGuard<'static, Held> {
    let mut texts = String::new();
    held.holders
        .retain(|holder| scope::is_idle(holder.thread).is_some());
    for holder in &mut held.holders {
        if holder
            .idle_since
            .is_some_and(|since| since.elapsed() >= LONGEST)
        {
            holder.idle_since = None;
            if scope::is_idle(holder.thread) != Some(true) {
                // It is in a call of another library.
                continue;
            }
            let name = &holder.plugin;
            let prefix = name.replace('.', "_");
            texts += &format!(
                "{name}: a scope ({prefix}_enter) is held for {} ms without a call: {}. Leave it ({prefix}_leave) before \
                 what may take long. (Only libraries that are built with --dev say so)\n",
                LONGEST.as_millis(),
                if cfg!(Py_GIL_DISABLED) {
                    "garbage collection, and with it every thread in Python, waits for this thread meanwhile"
                } else {
                    "no other thread can use Python meanwhile"
                }
            );
        }
    }
    drop(held);
    if !texts.is_empty() {
        write_to_stderr(&texts);
    }
    freeze()
}
