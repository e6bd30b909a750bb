//! A thread's way into Python and out again.
//!
//! A thread that Python has never seen gets a thread state at its first call. It is kept from call to call and freed
//! when the thread ends: making one costs fifty times as much as a call. A thread that has a state already (Python's
//! own threads, the threads of a host that embeds Python itself) uses that one; such a state is looked up at each
//! call, because its owner may free it at any time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use pyo3::ffi;

use super::Thread;
use super::floats::{self, Aside, Lent};
use super::scope;
use super::states::{current, here, is_here, is_of_main};
use super::{output, stack};

/// Python's finalisation has begun, or is over: no other thread may wait for the GIL any more.
static ENDED: AtomicBool = AtomicBool::new(false);

/// The [`thread_token`] of the thread that finalises Python; 0 before that begins.
static ENDING_THREAD: AtomicUsize = AtomicUsize::new(0);

/// Why a thread is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// Python has ended, or is ending on another thread.
    Ended,
    /// Python has no memory for what it keeps for a thread.
    NoMemory,
    /// The thread's stack has only so many bytes left.
    SmallStack {
        /// Bytes.
        left: usize,
        /// How many there would have to be.
        needed: usize,
    },
    /// A thread that is inside of a call already has only so many bytes of its stack left: too few to run a function,
    /// enough to enter ([`attach_on_any_stack`]) and to raise a RecursionError.
    EndOfStack {
        /// Bytes.
        left: usize,
    },
}

impl Refused {
    /// Why Python, or an init code, is not started on this thread, if its stack is too small for that. Inside of a call
    /// an init code is no more than what else the call may do.
    pub fn to_start() -> Option<Self> {
        if Thread::here().depth.get() > 0 {
            return None;
        }
        stack::shortage(stack::START).map(|left| Self::SmallStack {
            left,
            needed: stack::START,
        })
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ended => f.write_str("Python was finalised in this process"),
            Self::NoMemory => f.write_str("there is no memory for a thread of Python"),
            Self::SmallStack { left, needed } => write!(
                f,
                "the stack of this thread is too small for Python: {} KiB are left, and {} KiB are needed \
                 (pthread_attr_setstacksize)",
                left / 1024,
                needed / 1024
            ),
            Self::EndOfStack { left } => write!(
                f,
                "the stack of this thread has only {} KiB left",
                left / 1024
            ),
        }
    }
}

/// As long as this lives, the thread may use Python.
#[must_use = "the thread leaves Python when this is dropped"]
pub struct Attached {
    thread: &'static Thread,
    /// The thread was not in Python before: it leaves when this goes.
    leaves: bool,
    unusual: Option<Box<Unusual>>,
}

/// What only a few calls have to undo.
struct Unusual {
    /// The state of a sub-interpreter that the thread was in; NULL if it was in none.
    previous: *mut ffi::PyThreadState,
    /// The host's floating-point environment.
    floats: Option<Box<Aside>>,
}

/// What a thread that stays in Python ([`Attached::stay`]) has to do when it leaves.
pub struct Stay {
    /// It was not in Python before.
    leaves: bool,
    /// The state of a sub-interpreter that it was in; NULL if it was in none.
    previous: *mut ffi::PyThreadState,
}

impl Stay {
    /// Leaves Python, if the thread was not in it before. It is in it as it was when the stay began.
    pub fn end(&self) {
        // SAFETY: the thread is in Python, as the caller says; `previous` is the state that it had when it came.
        unsafe {
            if self.leaves {
                ffi::PyEval_SaveThread();
            }
            if !self.previous.is_null() {
                ffi::PyEval_RestoreThread(self.previous);
            }
        }
    }
}

impl Attached {
    /// The thread stays in Python, outside of calls: C runs there, in its own floating-point environment.
    pub fn stay(mut self) -> Stay {
        self.thread.depth.set(self.thread.depth.get() - 1);
        let unusual = self.unusual.take();
        let stay = Stay {
            leaves: self.leaves,
            // What was put aside of the floating-point environment is back when this is dropped.
            previous: unusual.map_or(std::ptr::null_mut(), |unusual| unusual.previous),
        };
        std::mem::forget(self);
        stay
    }

    #[inline(always)]
    fn begin(thread: &'static Thread, leaves: bool, previous: *mut ffi::PyThreadState) -> Self {
        thread.depth.set(thread.depth.get() + 1);
        let unusual = if !previous.is_null() || !floats::is_default() {
            Some(Unusual::begin(thread, previous))
        } else {
            None
        };
        Self {
            thread,
            leaves,
            unusual,
        }
    }
}

impl Unusual {
    #[cold]
    #[inline(never)]
    fn begin(thread: &'static Thread, previous: *mut ffi::PyThreadState) -> Box<Self> {
        let floats = (!floats::is_default()).then(|| Aside::begin(thread));
        Box::new(Self { previous, floats })
    }

    #[cold]
    #[inline(never)]
    fn end(&mut self) {
        if !self.previous.is_null() {
            // SAFETY: the state that this thread had when it came; the thread has left the main interpreter.
            unsafe { ffi::PyEval_RestoreThread(self.previous) };
        }
        drop(self.floats.take());
    }
}

/// Enters Python from any thread, nested or not. May wait for the GIL.
///
/// Python must be initialised. Fails when it has ended, and on a new thread with a small stack.
#[inline(always)]
pub fn attach() -> Result<Attached, Refused> {
    attach_on(Thread::here())
}

/// [`attach`] for who has this thread's data already.
#[inline(always)]
pub fn attach_on(thread: &'static Thread) -> Result<Attached, Refused> {
    let state = thread.state.get();
    if state.is_null() {
        return attach_without_state(thread);
    }
    if let Some(left) = stack::left_of(thread, stack::RESERVE) {
        return Err(refuse_small_stack(thread, left));
    }
    // SAFETY: `thread` is this thread's data, and was checked to have a state.
    unsafe { enter(thread) }
}

/// As long as this lives, the thread may use Python: what [`Attached`] is for nearly every call, without what the others
/// need. `LEAVES`: the thread was not in Python before.
#[must_use = "the thread leaves Python when this is dropped"]
pub struct PlainlyAttached<const LEAVES: bool>(&'static Thread);

/// [`attach_on`] for the usual cases.
pub enum Plainly {
    /// The thread has come into Python.
    Came(PlainlyAttached<true>),
    /// It was there already: in a scope, most often.
    WasThere(PlainlyAttached<false>),
    /// The case is another one, and nothing was done.
    No,
}

/// [`attach_on`] for a thread with a state of ours, and room on its stack, that comes from C whose floating-point
/// environment is the default one.
#[inline(always)]
pub fn attach_plainly(thread: &'static Thread) -> Plainly {
    let state = thread.state.get();
    if state.is_null()
        || stack::left_of(thread, stack::RESERVE).is_some()
        || ENDED.load(Ordering::Relaxed)
        || !floats::is_default()
    {
        return Plainly::No;
    }
    let current = current();
    if current.is_null() {
        // SAFETY: as in `enter`: the state is this thread's, and Python has not ended.
        unsafe { ffi::PyEval_RestoreThread(state) };
        thread.depth.set(thread.depth.get() + 1);
        Plainly::Came(PlainlyAttached(thread))
    } else if current == state {
        thread.depth.set(thread.depth.get() + 1);
        Plainly::WasThere(PlainlyAttached(thread))
    } else {
        Plainly::No
    }
}

impl<const LEAVES: bool> Drop for PlainlyAttached<LEAVES> {
    #[inline(always)]
    fn drop(&mut self) {
        leave(self.0, LEAVES);
    }
}

/// One call less that the thread is inside of; `leaves` if it was not in Python before that.
#[inline(always)]
fn leave(thread: &Thread, leaves: bool) {
    let depth = thread.depth.get() - 1;
    thread.depth.set(depth);
    if depth == 0 {
        output::flush_if_written(thread);
    }
    if leaves {
        // SAFETY: `attach` took the GIL on this thread, and calls are properly nested.
        unsafe { ffi::PyEval_SaveThread() };
    }
}

/// Enters Python with the state that is kept for this thread.
///
/// # Safety
/// `thread` is the data of this thread, and has a state.
#[inline(always)]
unsafe fn enter(thread: &'static Thread) -> Result<Attached, Refused> {
    let state = thread.state.get();
    // SAFETY: `state` is this thread's (the caller's contract). It is live as long as ENDED is not set, which is checked
    // before Python gets it. `enter_from` and `enter_at_the_end` have the same contract, and get what was found here.
    unsafe {
        let current = current();
        let leaves = current != state;
        if leaves && !current.is_null() && is_here(current) {
            return enter_from(current, thread);
        }
        if ENDED.load(Ordering::Relaxed) {
            return enter_at_the_end(thread, state, leaves);
        }
        if leaves {
            ffi::PyEval_RestoreThread(state);
        }
        Ok(Attached::begin(thread, leaves, std::ptr::null_mut()))
    }
}

/// [`enter`] while Python is being finalised, or later.
///
/// # Safety
/// As [`enter`], whose state is `state`; `leaves` says that the thread is not in Python.
#[cold]
#[inline(never)]
unsafe fn enter_at_the_end(
    thread: &'static Thread,
    state: *mut ffi::PyThreadState,
    leaves: bool,
) -> Result<Attached, Refused> {
    if leaves {
        // SAFETY: `state` is one that the runtime made (the caller's contract), and so not NULL.
        unsafe { come_back(thread, state)? };
    } else if !is_our_interpreter() {
        return Err(Refused::Ended);
    }
    Ok(Attached::begin(thread, leaves, std::ptr::null_mut()))
}

/// [`enter`] for a thread that is in Python with another state: a sub-interpreter's, or one that somebody else made.
///
/// # Safety
/// `thread` is the data of this thread, and has a state; the thread is attached with another one, `current`.
#[cold]
#[inline(never)]
unsafe fn enter_from(
    current: *mut ffi::PyThreadState,
    thread: &'static Thread,
) -> Result<Attached, Refused> {
    // SAFETY: `current` is attached and so live, and can be left; the state that is taken instead is this thread's own (both
    // are the caller's contract), and live, since Python has not ended.
    unsafe {
        let leaves = !is_of_main(current);
        if ENDED.load(Ordering::Acquire) && (leaves || !is_our_interpreter()) {
            return Err(Refused::Ended);
        }
        let mut previous = std::ptr::null_mut();
        if leaves {
            previous = ffi::PyEval_SaveThread();
            ffi::PyEval_RestoreThread(thread.state.get());
        }
        Ok(Attached::begin(thread, leaves, previous))
    }
}

/// Why a call for which there is less than [`stack::RESERVE`] is not made.
#[cold]
#[inline(never)]
fn refuse_small_stack(thread: &Thread, left: usize) -> Refused {
    if thread.depth.get() > 0 && left >= stack::LEAST {
        return Refused::EndOfStack { left };
    }
    Refused::SmallStack {
        left,
        needed: stack::RESERVE,
    }
}

/// [`attach`] however little stack there is, for who runs little.
#[cold]
pub fn attach_on_any_stack() -> Result<Attached, Refused> {
    let thread = Thread::here();
    if thread.state.get().is_null() {
        return attach_on_stack(thread, None);
    }
    // SAFETY: `thread` is this thread's data, and was checked to have a state.
    unsafe { enter(thread) }
}

/// [`attach`] for a thread that is in this interpreter already: `None` if it is not.
pub fn stay_in(interpreter: *mut ffi::PyInterpreterState) -> Result<Option<Attached>, Refused> {
    let state = here();
    // SAFETY: the state with which this thread is in Python.
    if state.is_null() || unsafe { ffi::PyThreadState_GetInterpreter(state) } != interpreter {
        return Ok(None);
    }
    let thread = Thread::here();
    if let Some(left) = stack::left_of(thread, stack::RESERVE) {
        return Err(refuse_small_stack(thread, left));
    }
    Ok(Some(Attached::begin(thread, false, std::ptr::null_mut())))
}

#[inline(never)]
fn attach_without_state(thread: &'static Thread) -> Result<Attached, Refused> {
    // The usual case of a callback in a Python program: a thread of Python's own, which has left Python for C. All others
    // take the longer way.
    let is_usual = thread.stack_low.get() != 0
        && stack::left_of(thread, stack::RESERVE).is_none()
        && current().is_null()
        && !ENDED.load(Ordering::Acquire);
    // SAFETY: both calls are valid without the GIL, also when Python is not initialised; the state is this thread's.
    unsafe {
        if is_usual && ffi::Py_IsInitialized() != 0 {
            let state = ffi::PyGILState_GetThisThreadState();
            if !state.is_null() && is_of_main(state) {
                ffi::PyEval_RestoreThread(state);
                return Ok(Attached::begin(thread, true, std::ptr::null_mut()));
            }
        }
    }
    attach_without_usual_state(thread)
}

#[cold]
#[inline(never)]
fn attach_without_usual_state(thread: &'static Thread) -> Result<Attached, Refused> {
    // Finds out, once per thread, where its stack ends.
    attach_on_stack(thread, stack::shortage(stack::RESERVE))
}

fn attach_on_stack(thread: &'static Thread, shortage: Option<usize>) -> Result<Attached, Refused> {
    let too_small = shortage.map(|left| refuse_small_stack(thread, left));
    // SAFETY: `here`, Py_IsInitialized and PyGILState_GetThisThreadState may be called without the GIL, also when Python is
    // not initialised. Only states of this thread are saved and restored: `previous` is attached where it is not NULL,
    // and `state` is this thread's own for the main interpreter. Where Python ends, `come_back` decides.
    unsafe {
        let mut leaves = false;
        let mut previous = here();
        if previous.is_null() || !is_of_main(previous) {
            let ending = ENDED.load(Ordering::Acquire) || ffi::Py_IsInitialized() == 0;
            if ending && !is_ending_thread(thread) {
                return Err(Refused::Ended);
            }
            let mut state = ffi::PyGILState_GetThisThreadState();
            if state.is_null() || !is_of_main(state) {
                if ending {
                    return Err(Refused::Ended);
                }
                if let Some(refused) = too_small {
                    return Err(refused);
                }
                state = new_state(thread)?;
            } else if let Some(refused) = too_small {
                return Err(refused);
            }
            if !previous.is_null() {
                ffi::PyEval_SaveThread();
            }
            if !ending {
                ffi::PyEval_RestoreThread(state);
            } else if let Err(refused) = come_back(thread, state) {
                if !previous.is_null() {
                    ffi::PyEval_RestoreThread(previous);
                }
                return Err(refused);
            }
            leaves = true;
        } else if ENDED.load(Ordering::Acquire) && !is_our_interpreter() {
            return Err(Refused::Ended);
        } else if let Some(refused) = too_small {
            return Err(refused);
        } else {
            previous = std::ptr::null_mut();
        }
        Ok(Attached::begin(thread, leaves, previous))
    }
}

impl Drop for Attached {
    #[inline(always)]
    fn drop(&mut self) {
        leave(self.thread, self.leaves);
        if let Some(mut unusual) = self.unusual.take() {
            unusual.end();
        }
    }
}

/// A thread state for this thread, made on it, so that `PyGILState_Ensure` in other people's code finds it.
///
/// # Safety
/// Python is initialised, and the thread has no state.
unsafe fn new_state(thread: &Thread) -> Result<*mut ffi::PyThreadState, Refused> {
    let state = {
        let _alone = lock_new_states();
        // CPython 3.11 crashes where there is no memory for the state, which takes less than this.
        // SAFETY: what is allocated is freed at once; neither call of Python's needs the GIL.
        unsafe {
            // black_box keeps the optimiser, which knows malloc, from assuming that it succeeds.
            let probe = std::hint::black_box(libc::malloc(16 << 10));
            if probe.is_null() {
                return Err(Refused::NoMemory);
            }
            libc::free(probe);
            ffi::PyThreadState_New(ffi::PyInterpreterState_Main())
        }
    };
    if state.is_null() {
        return Err(Refused::NoMemory);
    }
    thread.state.set(state);
    if let Some(key) = make_key() {
        // SAFETY: a valid key; the value only has to be non-NULL for the destructor to run.
        unsafe { libc::pthread_setspecific(key, state.cast()) };
    }
    Ok(state)
}

/// Held while a state is made without the GIL. Making one takes a lock of CPython's, and a child that was forked meanwhile
/// would find it taken for ever: so a fork takes this lock first.
pub fn lock_new_states() -> MutexGuard<'static, ()> {
    static NEW_STATES: Mutex<()> = Mutex::new(());
    NEW_STATES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// To be called in a forked child: its one thread is Python's main thread now, whose state must never be freed.
pub fn keep_state_for_good() {
    let thread = Thread::here();
    if let (false, Some(key)) = (thread.state.get().is_null(), make_key()) {
        // Without a value the destructor does not run.
        let value = if thread.uses_scopes.get() {
            mark_of(thread)
        } else {
            std::ptr::null()
        };
        // SAFETY: a valid key.
        unsafe { libc::pthread_setspecific(key, value) };
    }
}

/// The value of the key of a thread that is to be told of its end, and whose state is not to be freed.
fn mark_of(thread: &Thread) -> *const std::ffi::c_void {
    std::ptr::from_ref(thread).cast()
}

/// Has `scope::end_all` called when this thread ends; false if that cannot be.
pub(super) fn tell_end_of_thread(thread: &Thread) -> bool {
    // SAFETY: a valid key.
    make_key().is_some_and(|key| unsafe {
        !libc::pthread_getspecific(key).is_null()
            || libc::pthread_setspecific(key, mark_of(thread)) == 0
    })
}

/// Keeps the state with which this thread started Python, and leaves Python. It is never freed: CPython's own idea of
/// the "main thread" is tied to it.
///
/// # Safety
/// The thread has just initialised Python, and holds the GIL.
pub unsafe fn keep_initial_state() {
    // SAFETY: the thread holds the GIL (the caller's contract).
    let state = unsafe { ffi::PyEval_SaveThread() };
    Thread::here().state.set(state);
}

/// The key whose destructor frees a thread's state when the thread ends. Made while Python is started: a fork waits for
/// that, but not for a thread's first call.
pub fn make_key() -> Option<libc::pthread_key_t> {
    static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: a valid out parameter and function.
        let failed = unsafe { libc::pthread_key_create(&mut key, Some(end_of_thread)) };
        (failed == 0).then_some(key)
    })
}

/// The destructor of a thread's state.
///
/// # Safety
/// Called by pthread, at the end of a thread that had one.
unsafe extern "C" fn end_of_thread(value: *mut std::ffi::c_void) {
    let thread = Thread::here();
    scope::end_all(thread);
    if value.cast_const() == mark_of(thread) {
        return;
    }
    let state = thread.state.replace(std::ptr::null_mut());
    if state.is_null() || ENDED.load(Ordering::Acquire) {
        return;
    }
    // SAFETY: the state is this thread's, and Python lives. A destructor that runs after this one and calls Python
    // makes a new state, and the system calls this function again.
    unsafe {
        if ffi::Py_IsInitialized() == 0 {
            return;
        }
        if current() != state {
            ffi::PyEval_RestoreThread(state);
        }
        ffi::PyThreadState_Clear(state);
        ffi::PyThreadState_DeleteCurrent();
    }
}

/// Whether this thread is in Python, in whichever interpreter, and holds its GIL.
pub fn is_attached() -> bool {
    !here().is_null()
}

/// Runs `body` outside of Python, so that it may wait for other threads; comes back into it if the thread was in it.
pub fn detached<R>(body: impl FnOnce() -> R) -> R {
    if !is_attached() {
        return body();
    }
    /// Comes back into Python, also when `body` panics: what is dropped then, and what reports the panic, needs the GIL.
    struct Back {
        state: *mut ffi::PyThreadState,
        thread: &'static Thread,
        scope: *mut std::ffi::c_void,
    }
    impl Drop for Back {
        fn drop(&mut self) {
            scope::end_forgotten(self.thread, self.scope);
            // SAFETY: the state that this thread left Python with; nobody else takes it.
            unsafe { ffi::PyEval_RestoreThread(self.state) };
        }
    }
    let thread = Thread::here();
    let _back = Back {
        // SAFETY: the thread is attached, as was just checked.
        state: unsafe { ffi::PyEval_SaveThread() },
        thread,
        scope: thread.scope.get(),
    };
    // Dropped before `_back`.
    let _lent = Lent::begin(thread);
    body()
}

/// The number of the newest thread state. States made later have higher ones.
///
/// Needs the GIL.
pub fn newest_state() -> i64 {
    let interpreter = interpreter_of_main();
    #[cfg(not(Py_GIL_DISABLED))]
    // SAFETY: the GIL is held; new states go to the front of the list.
    unsafe {
        ffi::PyThreadState_GetID(ffi::PyInterpreterState_ThreadHead(interpreter)) as i64
    }
    // Without a GIL the first state of the list may be freed at any moment, so its number cannot be read. A state that is
    // made here is the newest one at this moment.
    #[cfg(Py_GIL_DISABLED)]
    // SAFETY: attached; a new state, which nobody else knows, is cleared and freed.
    unsafe {
        let _alone = lock_new_states();
        let state = ffi::PyThreadState_New(interpreter);
        if state.is_null() {
            return i64::MAX;
        }
        let number = ffi::PyThreadState_GetID(state) as i64;
        ffi::PyThreadState_Clear(state);
        ffi::PyThreadState_Delete(state);
        number
    }
}

fn interpreter_of_main() -> *mut ffi::PyInterpreterState {
    // SAFETY: reads a pointer, at any time.
    unsafe { ffi::PyInterpreterState_Main() }
}

/// Whether this thread is one that Python started after the state of this number was the newest.
pub fn started_by_python_after(newest: i64) -> bool {
    if !Thread::here().state.get().is_null() {
        return false;
    }
    // SAFETY: valid at any time; the state is this thread's own.
    unsafe {
        let state = ffi::PyGILState_GetThisThreadState();
        !state.is_null() && is_of_main(state) && ffi::PyThreadState_GetID(state) as i64 > newest
    }
}

/// Says on standard error that a callback could not be made: C has no other way to know.
#[cold]
pub(crate) fn tell_refusal(refused: &Refused) {
    if *refused != Refused::Ended {
        super::write_to_stderr(&format!("a callback into Python was not made: {refused}\n"));
    }
}

/// The key of our mark in the interpreter's dict.
const MARK: &std::ffi::CStr = c"keelback.interpreter";

/// Marks the interpreter that plugins are attached to: a process may end Python and start it again, and states of the
/// new one may have the addresses of old ones.
///
/// The thread is attached.
pub fn mark_interpreter() {
    // SAFETY: the GIL is held; the dict is borrowed.
    unsafe {
        let dict = ffi::PyInterpreterState_GetDict(ffi::PyInterpreterState_Main());
        if dict.is_null() || ffi::PyDict_SetItemString(dict, MARK.as_ptr(), ffi::Py_None()) < 0 {
            ffi::PyErr_Clear();
        }
    }
}

/// Whether the thread, which is attached, is in the interpreter that was marked: one that ends goes on for a while.
#[cold]
#[inline(never)]
fn is_our_interpreter() -> bool {
    // SAFETY: attached; the dict is borrowed.
    unsafe {
        let dict = ffi::PyInterpreterState_GetDict(ffi::PyInterpreterState_Main());
        !dict.is_null() && !ffi::PyDict_GetItemString(dict, MARK.as_ptr()).is_null()
    }
}

/// A number that no other living thread has.
pub fn thread_token() -> usize {
    std::ptr::from_ref(Thread::here()) as usize
}

/// This thread begins to finalise Python. `with_plugins`: from now on only it, and threads that are in Python already,
/// may use plugins; a process without plugins goes by what Python says of itself.
pub fn set_ending(with_plugins: bool) {
    ENDING_THREAD.store(thread_token(), Ordering::Release);
    if with_plugins {
        ENDED.store(true, Ordering::Release);
    }
}

/// Whether this is the thread that finalises, or finalised, Python.
fn is_ending_thread(thread: &Thread) -> bool {
    ENDING_THREAD.load(Ordering::Acquire) == std::ptr::from_ref(thread) as usize
}

/// Comes back into a Python that is being finalised: only the thread that does it can, with the state that it does it
/// with, and as long as the interpreter has its parts. The thread has left all others.
///
/// # Safety
/// `state` is not NULL.
#[cold]
unsafe fn come_back(thread: &Thread, state: *mut ffi::PyThreadState) -> Result<(), Refused> {
    // SAFETY: Python forgets a thread's state before it frees it, so what it names is there, and the thread that
    // finalises is let in with it. A Python that was started anew has no mark.
    unsafe {
        if !is_ending_thread(thread) || ffi::PyGILState_GetThisThreadState() != state {
            return Err(Refused::Ended);
        }
        ffi::PyEval_RestoreThread(state);
        if ENDED.load(Ordering::Acquire) && !is_our_interpreter() {
            ffi::PyEval_SaveThread();
            return Err(Refused::Ended);
        }
    }
    Ok(())
}

/// Whether Python's finalisation has begun.
pub fn has_ended() -> bool {
    ENDED.load(Ordering::Acquire)
}
