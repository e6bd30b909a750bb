//! Texts that are parsed a part at a time: a module of ten thousand declarations, of which a program uses ten.
//!
//! A *segment* is a part of a text with one declaration, or one `#define`, and the comments in front of it. An *index*
//! is made with the module ([`segment_index`]): which segments declare a name, and which ones each segment needs. A
//! [`Segments`] has the texts and their index, and parses what a name needs when somebody asks for the name. The
//! parser is that of whole texts: it is set on a segment, and stops at its end.
//!
//! # The index
//! Numbers of 32 bits, little-endian. Version 1:
//!
//! | numbers | what |
//! |---|---|
//! | 1 | 1, the version |
//! | 1 | `T`: texts |
//! | 1 | `S`: segments, of all texts, in their order |
//! | 1 | `N`: names |
//! | 1 | `L`: numbers in the lists |
//! | 1 | how many records and enums without a name all texts number |
//! | `T` | for each text: one past its last segment |
//! | 3 · (`S` + 1) | for each segment: its first byte in its text; how many numbers were given before it; where its list of the segments that it needs begins. It ends where the next one of its text begins, or with the text. The last entry is for the end of the last list |
//! | 3 · (`N` + 1) | for each name, sorted by bytes: where it is written in the text of its first segment; how many bytes it has; where its list of the segments that declare it begins. The last entry is for the end of the last list |
//! | `L` | the lists |
//!
//! Texts with other directives than `#define` have no index, and are parsed whole: what `#pragma pack` says goes on
//! behind its segment.

mod build;
mod index;
mod parse;

pub use build::segment_index;
pub use parse::{SegmentText, Segments};

#[cfg(test)]
mod tests;
