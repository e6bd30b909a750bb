//! Who starts which plugin, and who waits for whom.
//!
//! A plugin is started by one thread; the others that call it meanwhile wait. Different plugins start on different
//! threads at the same time, once Python is there: its own start is one of the starts here. Two init codes that call each other's plugins would then wait for each other for ever: so
//! a thread looks, before it waits, whether the one that it waits for waits, through any number of others, for itself.
//! If so it goes on with what the plugin has attached so far, as the init code's own thread does when it calls its own
//! plugin. Of the threads in such a ring the one whose function is attached goes on; only if none is, calls fail. A ring
//! may also lead through a lock of the host, as far as [`blocked`] can tell.
//!
//! Threads wait outside of Python, so that those who start can run. The table's lock is never held while Python may
//! run, nor while anybody waits.

use super::binding::Binding;
use super::blocked;
use super::blocked::Watch;
use super::plugin::Plugin;
use keelback_ffi::attach::threads::{Refused, detached, thread_token};
use std::ffi::c_int;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use keelback_codegen::abi::keelback_plugin_t;

use libc::pid_t;

/// Why a plugin is not ready.
#[derive(Clone)]
pub struct StartFailure {
    /// What `keelback_runtime_t.start` returns.
    pub code: c_int,
    /// What happened: one line, and the traceback.
    pub text: String,
}

/// A plugin that is being started.
struct Start {
    plugin: Record,
    /// The token of the thread that does it; `GONE` if that thread did not come along into a forked child.
    thread: usize,
    /// The kernel's number of that thread.
    kernel_thread: pid_t,
    /// How often that thread has claimed it.
    depth: u32,
}

/// A thread that waits for a plugin's start.
struct Waiter {
    thread: usize,
    plugin: Record,
    what: Awaited,
    /// The start that it waited for has failed so.
    failure: Option<StartFailure>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Waits for the end of the start. When that would be for ever it may go on.
    Start,
    /// Has gone on, and waits for its function to be attached.
    Function,
}

/// A plugin's record, or NULL for Python itself.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Record(*mut keelback_plugin_t);
// SAFETY: never followed in this file but by `Plugin::known`, which any thread may call.
unsafe impl Send for Record {}

/// What to [`claim`] for the start of Python itself.
pub const PYTHON: *mut keelback_plugin_t = std::ptr::null_mut();

/// No thread has this token.
const GONE: usize = 0;

struct Table {
    starts: Vec<Start>,
    waiters: Vec<Waiter>,
    /// A thread that forks: no other thread begins a start.
    forking: usize,
}

static TABLE: Mutex<Table> = Mutex::new(Table {
    starts: Vec::new(),
    waiters: Vec::new(),
    forking: GONE,
});
/// A start ended, a function was attached, a thread began to wait, or a fork is over.
static CHANGED: Condvar = Condvar::new();

/// How a chain of "is started by, who waits for" ends.
#[derive(PartialEq, Eq)]
enum Chain {
    /// At a thread that works, of this number (if it is known): waiting for it makes sense.
    Works(Option<pid_t>),
    /// At this thread. Somebody on the way can still go on.
    Ring,
    /// At this thread, and all on the way wait for functions.
    HopelessRing,
}

/// A plugin's start belongs to this thread until this is dropped.
#[must_use]
pub struct Claim {
    plugin: Record,
    /// The thread that had begun is not in this process: everything starts over.
    pub taken_over: bool,
    failure: Option<StartFailure>,
}

/// What came of asking for a plugin's start.
pub enum Turn {
    /// This thread has it, perhaps from an outer call; or it is done, as `Plugin::state` tells.
    Mine(Claim),
    /// Another thread has it and waits for this one: the call has to do with what is attached so far.
    Ring,
    /// Another thread had it while this one waited, and failed.
    Failed(StartFailure),
}

/// Asks for the start of a plugin, or of [`PYTHON`]; waits, outside of Python, for another thread that has it.
pub fn claim(record: *mut keelback_plugin_t) -> Turn {
    let plugin = Record(record);
    let me = thread_token();
    // The table's lock is given back here, before the thread waits.
    let turn = try_claim(&mut table(), plugin, me);
    turn.unwrap_or_else(|| detached(|| wait_for_start(plugin, me)))
}

fn try_claim(table: &mut Table, plugin: Record, me: usize) -> Option<Turn> {
    let claim = |taken_over| {
        Some(Turn::Mine(Claim {
            plugin,
            taken_over,
            failure: None,
        }))
    };
    if let Some(start) = table.start_mut(plugin) {
        if start.thread == me {
            start.depth += 1;
            return claim(false);
        }
        if start.thread == GONE {
            (start.thread, start.depth) = (me, 1);
            start.kernel_thread = blocked::this_thread();
            return claim(true);
        }
        return None;
    }
    if table.forking != GONE && table.forking != me {
        return None;
    }
    table.starts.push(Start {
        plugin,
        thread: me,
        kernel_thread: blocked::this_thread(),
        depth: 1,
    });
    claim(false)
}

/// Waits for a change of the table; true if meanwhile it turned out that `thread`, which works, waits for a lock of this
/// thread's.
fn wait_for_change(
    table: MutexGuard<'static, Table>,
    thread: Option<pid_t>,
    watch: &mut Watch,
) -> (MutexGuard<'static, Table>, bool) {
    let Some(thread) = thread else {
        let changed = CHANGED.wait(table);
        return (changed.unwrap_or_else(PoisonError::into_inner), false);
    };
    let (table, timeout) = CHANGED
        .wait_timeout(table, blocked::PERIOD)
        .unwrap_or_else(PoisonError::into_inner);
    if !timeout.timed_out() {
        return (table, false);
    }
    drop(table);
    let waits_for_me = watch.waits_for_me(thread);
    (self::table(), waits_for_me)
}

fn wait_for_start(plugin: Record, me: usize) -> Turn {
    let mut table = table();
    let (mut watch, mut waits_for_me) = (Watch::default(), false);
    table.begin_to_wait(me, plugin, Awaited::Start);
    let turn = loop {
        // The failure first: one try is enough for all who waited for it.
        if let Some(failure) = table
            .waiter_mut(me)
            .and_then(|waiter| waiter.failure.take())
        {
            break Turn::Failed(failure);
        }
        if let Some(turn) = try_claim(&mut table, plugin, me) {
            break turn;
        }
        let Chain::Works(thread) = table.chain(plugin, me) else {
            break Turn::Ring;
        };
        if waits_for_me {
            break Turn::Ring;
        }
        (table, waits_for_me) = wait_for_change(table, thread, &mut watch);
    };
    table.end_to_wait(me);
    turn
}

/// Waits, outside of Python, until a plugin's function is attached, or its start is over, or this would be for ever. True
/// if that is because the start waits for a lock that this thread holds.
pub fn wait_for_function(binding: &Binding) -> bool {
    let plugin = Record(binding.plugin().record());
    let me = thread_token();
    detached(|| {
        let mut table = table();
        let (mut watch, mut waits_for_me) = (Watch::default(), false);
        table.begin_to_wait(me, plugin, Awaited::Function);
        while !waits_for_me
            && !binding.is_attached()
            && table
                .start_mut(plugin)
                .is_some_and(|start| start.thread != me && start.thread != GONE)
        {
            let thread = match table.chain(plugin, me) {
                Chain::Works(thread) => thread,
                Chain::Ring => None,
                Chain::HopelessRing => break,
            };
            (table, waits_for_me) = wait_for_change(table, thread, &mut watch);
        }
        table.end_to_wait(me);
        waits_for_me && !binding.is_attached()
    })
}

/// A function was attached: threads may wait for it.
pub fn function_attached() {
    if !table().waiters.is_empty() {
        CHANGED.notify_all();
    }
}

/// Whether a thread of this process starts the plugin now.
pub fn is_under_way(record: *mut keelback_plugin_t) -> bool {
    let mut table = table();
    let start = table.start_mut(Record(record));
    start.is_some_and(|start| start.thread != GONE)
}

impl Claim {
    /// The start has failed: so it has for all who wait for it now, unless it is this thread's own fault.
    pub fn failed(mut self, failure: &StartFailure) {
        if Refused::to_start().is_none() {
            self.failure = Some(failure.clone());
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut table = table();
        let Some(position) = table
            .starts
            .iter()
            .position(|start| start.plugin == self.plugin)
        else {
            return;
        };
        table.starts[position].depth -= 1;
        if table.starts[position].depth != 0 {
            return;
        }
        table.starts.swap_remove(position);
        if self.failure.is_some() {
            for waiter in &mut table.waiters {
                if waiter.plugin == self.plugin && waiter.what == Awaited::Start {
                    waiter.failure.clone_from(&self.failure);
                }
            }
        }
        drop(table);
        CHANGED.notify_all();
    }
}

impl Table {
    fn start_mut(&mut self, plugin: Record) -> Option<&mut Start> {
        self.starts.iter_mut().find(|start| start.plugin == plugin)
    }
    fn waiter_mut(&mut self, thread: usize) -> Option<&mut Waiter> {
        // A thread waits once at a time.
        self.waiters
            .iter_mut()
            .find(|waiter| waiter.thread == thread)
    }
    fn begin_to_wait(&mut self, thread: usize, plugin: Record, what: Awaited) {
        self.waiters.push(Waiter {
            thread,
            plugin,
            what,
            failure: None,
        });
        // This thread's waiting may have closed a ring: those who wait in it must look again.
        CHANGED.notify_all();
    }
    fn end_to_wait(&mut self, thread: usize) {
        self.waiters.retain(|waiter| waiter.thread != thread);
    }

    /// Where it leads to wait for the plugin.
    fn chain(&self, plugin: Record, me: usize) -> Chain {
        let mut plugin = plugin;
        let mut all_functions = self
            .waiters
            .iter()
            .any(|waiter| waiter.thread == me && waiter.what == Awaited::Function);
        for step in 0..=self.starts.len() {
            let Some(start) = self.starts.iter().find(|start| start.plugin == plugin) else {
                return Chain::Works(None);
            };
            // A thread that an init code has started belongs to it: the init code may be waiting for it.
            let belongs = step > 0
                && !plugin.0.is_null()
                // SAFETY: the records of plugins live as long as the process.
                && unsafe { Plugin::known(plugin.0) }.is_some_and(Plugin::is_thread_of_init_code);
            if start.thread == me || belongs {
                return if all_functions {
                    Chain::HopelessRing
                } else {
                    Chain::Ring
                };
            }
            let waiter = |waiter: &&Waiter| waiter.thread == start.thread;
            let Some(waiter) = self.waiters.iter().find(waiter) else {
                return Chain::Works((start.thread != GONE).then_some(start.kernel_thread));
            };
            all_functions &= waiter.what == Awaited::Function;
            plugin = waiter.plugin;
        }
        // The chain leads into a ring that this thread is not in: those in it sort that out.
        Chain::Works(None)
    }
}

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While this lives no other thread begins a start: a fork is near.
pub struct Paused(());

/// Waits until no other thread is starting a plugin, but for those who wait for this one or for a lock that it holds;
/// keeps them from beginning.
///
/// The thread is outside of Python.
pub fn pause() -> Paused {
    let me = thread_token();
    let mut table = table();
    let mut blocked = Vec::new();
    let mut watch = Watch::default();
    loop {
        let others_fork = table.forking != GONE && table.forking != me;
        let busy = table
            .starts
            .iter()
            .filter(|start| start.thread != me && start.thread != GONE)
            .find_map(|start| match table.chain(start.plugin, me) {
                Chain::Works(thread) if !blocked.contains(&thread) => Some(thread),
                _ => None,
            });
        let thread = match busy {
            Some(thread) => thread,
            None if others_fork => None,
            None => break,
        };
        let waits_for_me;
        (table, waits_for_me) = wait_for_change(table, thread, &mut watch);
        if waits_for_me {
            blocked.push(thread);
            watch = Watch::default();
        }
    }
    table.forking = me;
    Paused(())
}

impl Drop for Paused {
    fn drop(&mut self) {
        table().forking = GONE;
        CHANGED.notify_all();
    }
}

/// The table, held over a fork, so that the child finds it in order.
pub struct Frozen(MutexGuard<'static, Table>);

/// Takes the table for a fork. Nobody holds it for long.
pub fn freeze() -> Frozen {
    Frozen(table())
}

impl Frozen {
    /// In the child: what other threads had begun, nobody goes on with. The next call starts over. Only a thread that an
    /// init code has started goes on with what that had attached: starting over would start that thread again, and so on.
    pub fn forget_other_threads(&mut self) {
        let me = thread_token();
        self.0.starts.retain(|start| {
            let belongs = start.thread != me
                && !start.plugin.0.is_null()
                // SAFETY: the records of plugins live as long as the process.
                && unsafe { Plugin::known(start.plugin.0) }
                    .filter(|plugin| plugin.is_thread_of_init_code())
                    .inspect(|plugin| plugin.make_ready())
                    .is_some();
            !belongs
        });
        for start in &mut self.0.starts {
            if start.thread == me {
                start.kernel_thread = blocked::this_thread();
            } else {
                start.thread = GONE;
            }
        }
        self.0.waiters.retain(|waiter| waiter.thread == me);
        if self.0.forking != me {
            self.0.forking = GONE;
        }
    }
}

#[cfg(test)]
mod tests;
