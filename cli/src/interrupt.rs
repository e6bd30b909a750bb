//! Undoes an unfinished run at Ctrl-C, `kill` or the loss of the terminal: temporary files and new directories are
//! removed, programs that were started get the signal, and the exit status is 128 + its number, as in shells.
//!
//! The signal handler wakes a thread, which has a list of what to remove.
use std::io::{self, Read};
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::unistd::Pid;

static HAPPENED: AtomicBool = AtomicBool::new(false);
static BEGUN: Mutex<Begun> = Mutex::new(Begun {
    paths: Vec::new(),
    children: Vec::new(),
});
/// Held while something is done that a signal must not interrupt.
static WHOLE: Mutex<()> = Mutex::new(());

/// What must be removed or stopped if a signal ends the run.
struct Begun {
    /// Temporary files and directories. One that has been renamed since is not found, and so not removed.
    paths: Vec<Temporary>,
    /// Programs that are running.
    children: Vec<u32>,
}

enum Temporary {
    /// A file, or a directory with its contents.
    All(PathBuf),
    /// A directory that is only removed if it is empty.
    Empty(PathBuf),
}

/// How long to wait for programs to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// The descriptor that the handler writes to; the thread reads from the other end.
static TELL: AtomicI32 = AtomicI32::new(-1);

/// Installs the signal handlers.
pub fn watch() {
    let Ok((mut told, tell)) = UnixStream::pair() else {
        // Without a handler, the signals end the process at once.
        return;
    };
    TELL.store(tell.into_raw_fd(), Ordering::SeqCst);
    let action = SigAction::new(
        SigHandler::Handler(handler),
        // Interrupted system calls are restarted: the other thread ends the process.
        SaFlags::SA_RESTART,
        SigSet::empty(),
    );
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // A signal that the parent process has set to be ignored (nohup) stays ignored.
        if !is_ignored(signal) {
            // SAFETY: the handler does nothing but write(), which a signal handler may.
            let _ = unsafe { sigaction(signal, &action) };
        }
    }
    std::thread::spawn(move || {
        let mut number = [0];
        if told.read_exact(&mut number).is_ok()
            && let Ok(signal) = Signal::try_from(i32::from(number[0]))
        {
            take_back(signal);
        }
    });
}

extern "C" fn handler(signal: i32) {
    let number = signal as u8;
    // SAFETY: one byte that lives through the call; the descriptor stays open as long as the process lives.
    unsafe {
        nix::libc::write(
            TELL.load(Ordering::SeqCst),
            std::ptr::from_ref(&number).cast(),
            1,
        )
    };
}

fn is_ignored(signal: Signal) -> bool {
    let mut found = std::mem::MaybeUninit::<nix::libc::sigaction>::uninit();
    // SAFETY: without a new action the call only fills `found`, which it does whenever it returns 0.
    unsafe {
        nix::libc::sigaction(signal as i32, std::ptr::null(), found.as_mut_ptr()) == 0
            && found.assume_init().sa_sigaction == nix::libc::SIG_IGN
    }
}

/// Whether a signal has come: the process is about to exit.
pub fn happened() -> bool {
    HAPPENED.load(Ordering::SeqCst)
}

/// Waits until the other thread ends the process.
pub fn wait() -> ! {
    loop {
        std::thread::park();
    }
}

fn begun() -> MutexGuard<'static, Begun> {
    BEGUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a file or a directory that is removed with its contents if a signal comes.
pub fn temporary<T>(
    make: impl FnOnce() -> io::Result<T>,
    path: impl FnOnce(&T) -> &Path,
) -> io::Result<T> {
    let mut begun = begun();
    let made = make()?;
    // A relative path stays valid, because the process never changes its working directory.
    begun.paths.push(Temporary::All(path(&made).to_owned()));
    Ok(made)
}

/// Makes a directory that is removed if a signal comes while it is empty.
pub fn make_directory(path: &Path) -> io::Result<()> {
    let mut begun = begun();
    std::fs::create_dir(path)?;
    begun.paths.push(Temporary::Empty(path.to_owned()));
    Ok(())
}

/// Runs something short that a signal must not leave half done.
pub fn whole<T>(act: impl FnOnce() -> T) -> T {
    let _held = WHOLE.lock().unwrap_or_else(PoisonError::into_inner);
    if happened() {
        // The other thread is ending the process: give it the lock, if it still waits for that, and do not begin.
        drop(_held);
        wait();
    }
    act()
}

/// A running program, which gets a signal that ends this process.
pub struct Running(Child);

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut begun = begun();
        let child = command.spawn()?;
        begun.children.push(child.id());
        Ok(Self(child))
    }

    /// Waits for its end.
    pub fn wait(mut self) -> io::Result<std::process::ExitStatus> {
        let id = self.0.id();
        let status = self.0.wait();
        forget(id);
        status
    }

    /// Waits for its end; returns what it printed.
    pub fn output(self) -> io::Result<Output> {
        let id = self.0.id();
        let output = self.0.wait_with_output();
        forget(id);
        output
    }
}

fn forget(id: u32) {
    begun().children.retain(|&child| child != id);
}

/// Runs a program to its end, and captures its output.
pub fn output(command: &mut Command) -> io::Result<Output> {
    Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?.output()
}

/// Undoes the run, and ends the process.
fn take_back(signal: Signal) -> ! {
    HAPPENED.store(true, Ordering::SeqCst);
    let started = Instant::now();
    // What holds the lock is mostly a few renames; but a compiler that does not answer must not block the end.
    let _held = loop {
        match WHOLE.try_lock() {
            Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            held => break held,
        }
    };
    for child in begun()
        .children
        .iter()
        .filter_map(|&id| i32::try_from(id).ok())
    {
        // A program that has just ended needs no signal.
        let _ = kill(Pid::from_raw(child), signal);
    }
    // The programs need time to clean up too. What they still write is removed with the rest.
    while !begun().children.is_empty() && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    // The lock is kept, so that nothing new begins.
    let begun = begun();
    for temporary in begun.paths.iter().rev() {
        remove(temporary);
    }
    crate::progress::clear();
    std::process::exit(128 + signal as i32);
}

fn remove(temporary: &Temporary) {
    let path = match temporary {
        Temporary::Empty(path) => {
            let _ = std::fs::remove_dir(path);
            return;
        }
        Temporary::All(path) => path,
    };
    for _ in 0..20 {
        let gone = match path.symlink_metadata() {
            Err(_) => return,
            Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
            Ok(_) => std::fs::remove_file(path),
        };
        if gone.is_ok() {
            return;
        }
        // A program may still be writing there: try again.
        std::thread::sleep(Duration::from_millis(10));
    }
}
