//! Keelback's runtime.
