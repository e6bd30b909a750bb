//! Ctrl-C while the compiler runs: the compiler gets it too, and ends; then our own temporary files are removed.
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static INSTALLED: Once = Once::new();

/// The exit status after an interrupt, as shells have it: 128 + SIGINT.
pub const STATUS: u8 = 130;

/// From here on an interrupt is remembered and no longer ends the process by itself.
pub fn remember() {
    INSTALLED.call_once(|| {
        // Without the handler an interrupt leaves a directory for temporary files behind: no reason to fail.
        let _ = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed));
    });
}

/// Whether there was one.
pub fn happened() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
