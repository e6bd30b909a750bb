//! What the declarations leave to the C compiler, as C expressions.
use keelback_cdef::Declarations;
use serde::Serialize;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Answer {
    pub(crate) value: String,
    pub(crate) negative: String,
}

pub(crate) fn answers(_declarations: &Declarations) -> Vec<Answer> {
    Vec::new()
}
