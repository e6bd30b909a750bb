//! A progress line, shown on a terminal when something takes longer than a second.
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::diagnostic::Reporter;

/// Whether the line is on the terminal.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Removes the line, if it is shown.
pub fn clear() {
    if SHOWN.swap(false, Ordering::Relaxed) {
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "\r\x1b[K").and_then(|()| stderr.flush());
    }
}

const PATIENCE: Duration = Duration::from_secs(1);

/// Something that is under way until this is dropped.
pub struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    /// Shows `what` after a second, unless it is over by then.
    pub fn start(reporter: &Reporter, what: &'static str) -> Self {
        // With --verbose, other lines show the progress.
        if !reporter.shows_progress() || reporter.is_verbose() {
            return Self(None);
        }
        let (sender, receiver) = channel::<()>();
        let thread = std::thread::spawn(move || {
            if receiver.recv_timeout(PATIENCE) != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                return;
            }
            let mut stderr = std::io::stderr();
            SHOWN.store(true, Ordering::Relaxed);
            let _ = write!(stderr, "{what}...").and_then(|()| stderr.flush());
            // Ends with an error when the sender is dropped.
            let _ = receiver.recv();
            clear();
        });
        Self(Some((sender, thread)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}
