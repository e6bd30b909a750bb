//! Keelback's C declaration language (*cdef*): lexer, parser, type model, layout.
//!
//! No Python and no I/O in here. Text goes in, [`Declarations`] or diagnostics come out.
mod c_text;
pub mod compare;
mod constant;
mod declarations;
mod diagnostic;
mod hash_index;
pub mod header;
mod include;
mod keyword;
mod layout;
mod lexer;
mod lookup;
mod message;
mod names;
mod parser;
mod predefined;
pub mod preprocessor;
mod questions;
mod segments;
mod source;
mod suggest;
mod symbol_map;
mod tables;
mod target;
mod types;

pub use declarations::*;
pub use diagnostic::{Diagnostic, DiagnosticKind, Notes, Severity};
pub use include::Included;
pub use layout::{FieldLayout, FoundField, Layout, LayoutError, Layouts};
pub use parser::{ParseOptions, is_attribute_of_headers, is_known_pragma};
pub use questions::{Answer, ArrayOwner, CExpression, Question};
pub use segments::{SegmentText, Segments, segment_index};
pub use source::{DEFAULT_FILE, LineIndex, Location, Source, SourceId, Span};
pub use tables::{
    ByteTables, External, GlobalKind, Op, Sorted, TableEnum, TableError, TableField, TableSource,
    Tables,
};
pub use target::Target;
pub use types::*;
