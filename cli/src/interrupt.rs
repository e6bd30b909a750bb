//! Ctrl-C, `kill` and a terminal that goes away: what was begun is taken back. Temporary files and new directories are
//! removed, programs that were started get the signal, and the exit status is 128 + its number, as shells have it.
//!
//! The handler wakes a thread, which has a list of what has to go.
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
/// Held while something is done that has to be done whole.
static WHOLE: Mutex<()> = Mutex::new(());

/// What is there only for this run.
struct Begun {
    /// Files and directories. What got another name since is not found any more.
    paths: Vec<Temporary>,
    /// Programs that are running.
    children: Vec<u32>,
}

enum Temporary {
    /// A file, or a directory with all that is in it.
    All(PathBuf),
    /// A directory, if nothing came into it.
    Empty(PathBuf),
}

/// How long programs may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the handler writes; the thread reads at the other end.
static TELL: AtomicI32 = AtomicI32::new(-1);

/// From here on the signals are seen to.
pub fn watch() {
    let Ok((mut told, tell)) = UnixStream::pair() else {
        // They end the process then, as ever.
        return;
    };
    TELL.store(tell.into_raw_fd(), Ordering::SeqCst);
    let action = SigAction::new(
        SigHandler::Handler(handler),
        // What waits goes on waiting: the other thread sees to the end.
        SaFlags::SA_RESTART,
        SigSet::empty(),
    );
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // One that our parent has us ignore (nohup) stays ignored.
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

/// Whether there was a signal: the run is about to end.
pub fn happened() -> bool {
    HAPPENED.load(Ordering::SeqCst)
}

/// Waits for the end, which the other thread sees to.
pub fn wait() -> ! {
    loop {
        std::thread::park();
    }
}

fn begun() -> MutexGuard<'static, Begun> {
    BEGUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a file or a directory that goes, with all that is in it, if a signal comes.
pub fn temporary<T>(
    make: impl FnOnce() -> io::Result<T>,
    path: impl FnOnce(&T) -> &Path,
) -> io::Result<T> {
    let mut begun = begun();
    let made = make()?;
    // The directory that we are in is still the one that a relative path begins in.
    begun.paths.push(Temporary::All(path(&made).to_owned()));
    Ok(made)
}

/// Makes a directory that goes if a signal comes before anything is in it.
pub fn make_directory(path: &Path) -> io::Result<()> {
    let mut begun = begun();
    std::fs::create_dir(path)?;
    begun.paths.push(Temporary::Empty(path.to_owned()));
    Ok(())
}

/// Does what a signal may not leave half done, and what ends soon.
pub fn whole<T>(act: impl FnOnce() -> T) -> T {
    let _held = WHOLE.lock().unwrap_or_else(PoisonError::into_inner);
    if happened() {
        // The other thread had the lock, and let nobody have it again; or waits for it, and will do.
        drop(_held);
        wait();
    }
    act()
}

/// A running program that gets the signal.
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

    /// Waits for its end, and has what it printed.
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

/// Runs a program to its end; what it prints is caught.
pub fn output(command: &mut Command) -> io::Result<Output> {
    Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?.output()
}

/// The end of a run that a signal ends.
fn take_back(signal: Signal) -> ! {
    HAPPENED.store(true, Ordering::SeqCst);
    let started = Instant::now();
    // Renames take no time; a compiler that does not answer must not keep us.
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
        // One that has just ended needs no signal.
        let _ = kill(Pid::from_raw(child), signal);
    }
    // They take back what they began, too. What a program of theirs still writes is removed with the rest.
    while !begun().children.is_empty() && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Nobody begins anything any more: the lock is kept.
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
        // Somebody is still writing there.
        std::thread::sleep(Duration::from_millis(10));
    }
}
