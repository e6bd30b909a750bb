//! Scopes of the modules that Keelback generated for ABI mode: what is used of their texts is parsed, when it is used.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use keelback_cdef::{Declarations, Diagnostic, SegmentText, Segments};

use super::{Scope, UnreadCdef};
use crate::py::Ref;

/// A bytes object.
struct Index(Ref);

impl AsRef<[u8]> for Index {
    fn as_ref(&self) -> &[u8] {
        self.0.live().bytes().unwrap_or_default()
    }
}

/// Texts with their index; empty in all other scopes.
#[derive(Default)]
pub(super) struct LazySegments {
    /// Whether something is not parsed yet.
    is_some: AtomicBool,
    texts: Mutex<Option<Segments<Index>>>,
}

impl Scope {
    /// Takes cdefs that were found good before, with their index, of which only what is asked for will be parsed. Gives
    /// the cdefs back if this version cannot read the index. Before anyone else sees the scope.
    pub(crate) fn defer_with_index(
        &self,
        cdefs: Vec<UnreadCdef>,
        index: Ref,
    ) -> Option<Vec<UnreadCdef>> {
        let texts = cdefs
            .iter()
            .map(|cdef| SegmentText::new(cdef.text.clone(), &cdef.options()))
            .collect();
        let Some(segments) = Segments::new(texts, Index(index)) else {
            return Some(cdefs);
        };
        let place = &self.segments.texts;
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(segments);
        self.segments.is_some.store(true, Ordering::Release);
        None
    }

    /// Sees that what the texts declare under a name is declared.
    #[inline]
    pub(super) fn need_segments_of(&self, name: &str) {
        if self.segments.is_some.load(Ordering::Acquire) {
            self.parse_segments(|segments, declarations| segments.declare(declarations, name));
        }
    }

    /// The same for all names in a type string.
    #[inline]
    pub(super) fn need_segments_of_words(&self, text: &str) {
        if self.segments.is_some.load(Ordering::Acquire) {
            self.parse_segments(|segments, declarations| {
                segments.declare_words(declarations, text)
            });
        }
    }

    /// Sees that everything is declared. Whether something was not.
    pub fn need_all_segments(&self) -> bool {
        let is_some = self.segments.is_some.load(Ordering::Acquire);
        if is_some {
            self.parse_segments(|segments, declarations| segments.declare_all(declarations));
        }
        is_some
    }

    fn parse_segments(
        &self,
        parse: impl FnOnce(&mut Segments<Index>, &mut Declarations) -> Result<(), Vec<Diagnostic>>,
    ) {
        let texts = &self.segments.texts;
        let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(segments) = texts.as_mut() else {
            return;
        };
        let mut declarations = self.lock().write().unwrap_or_else(PoisonError::into_inner);
        let result = parse(segments, &mut declarations);
        if segments.is_done() {
            self.segments.is_some.store(false, Ordering::Release);
        }
        // The module's digest says that the texts were parsed without errors when it was made, and that this is their index.
        if let Err(errors) = result {
            panic!("declarations that were parsed before: {errors:?}");
        }
    }
}
