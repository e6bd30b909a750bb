//! What plugins need when the runtime's module is made.

use super::{compiled, exit};
use keelback_ffi::py::{Ref, Res, prepare_end};

/// What the runtime's module needs of this layer: by whoever makes it.
pub fn when_made(module: &Ref) -> Res<()> {
    exit::watch_finalisation();
    prepare_end()?;
    compiled::add_to(module)
}
