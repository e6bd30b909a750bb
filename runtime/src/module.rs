//! The extension module `keelback._runtime`.
