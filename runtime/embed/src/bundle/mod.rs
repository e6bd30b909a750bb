//! The Python of a bundle: what its start does in another way than an installed Python's.

mod archive;
mod finder;
mod in_place_of_site;

pub use archive::Archive;
pub use finder::{freeze_encodings, install};
pub use in_place_of_site::InPlaceOfSite;
