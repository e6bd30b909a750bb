//! The type model: what a C declaration means, with nothing of Python and nothing of layout in it.
//!
//! Types are interned in a [`TypeTable`]: structurally equal types of one table have the same
//! [`TypeId`], so comparing types is comparing integers. Records (structs and unions) and enums are
//! nominal (C11 6.2.7): each has an id of its own, and is completed in place when its body is seen.

mod enumeration;
mod ids;
mod model;
mod primitive;
mod qualified;
mod record;
mod table;
mod unknown;

pub use enumeration::{Enum, Enumerator};
pub use ids::{EnumId, RecordId, Symbol, TypeId, UnknownId};
pub use model::{ArrayLength, CallingConvention, FunctionType, Type};
pub use primitive::Primitive;
pub use qualified::{Alignment, QualType, Qualifiers};
pub use record::{CompilerLayout, Field, GivenLayout, Packing, Record, RecordKind, Sealed};
pub use table::{MAX_TYPE_DEPTH, TypeTable};
pub(crate) use table::{TypeMark, copy_with_room};
pub use unknown::{UnknownKind, UnknownType};
