//! `#line` directives: the compiler's messages about generated code that a declaration is at fault for have the
//! declaration's own line.

use keelback_cdef::{Declarations, LineIndex, SourceId, Span};

use crate::c_text::literal;

/// Stands for the directive that ends such numbering; [`number_lines`] puts the file's own line in its place.
pub(crate) const MARKER: &str = "#line KEELBACK_THIS_LINE\n";

/// Makes the directives, in the order in which they stand in the file.
pub(crate) struct Lines<'a> {
    declarations: &'a Declarations,
    /// None: there are no declarations of the user's that the compiler could disagree with.
    indexes: Option<Vec<LineIndex<'a>>>,
    /// What the compiler takes the next line for; None: the file's own.
    next: Option<(&'a str, u32)>,
}

impl<'a> Lines<'a> {
    /// `has_prelude`: types and functions come from elsewhere, so declarations can be wrong.
    pub(crate) fn new(declarations: &'a Declarations, has_prelude: bool) -> Self {
        Self {
            declarations,
            indexes: has_prelude.then(|| {
                let sources = (0..).map(SourceId);
                sources
                    .map_while(|id| declarations.source(id))
                    .map(keelback_cdef::Source::line_index)
                    .collect()
            }),
            next: None,
        }
    }

    /// What goes in front of one line that is about the declaration at `span`: nothing, or a whole line.
    pub(crate) fn one(&mut self, span: Span) -> String {
        let Some(indexes) = &self.indexes else {
            return String::new();
        };
        debug_assert!(
            span.source == SourceId::NOT_KEPT || self.declarations.source(span.source).is_some()
        );
        let Some(index) = indexes.get(span.source.0 as usize) else {
            return self.own();
        };
        let (file, line) = index.file_and_line(span.start);
        let directive = match self.next {
            Some(next) if next == (file, line) => String::new(),
            Some((last, _)) if last == file => format!("#line {line}\n"),
            _ => format!("#line {line} {}\n", literal(file)),
        };
        self.next = Some((file, line.saturating_add(1)));
        directive
    }

    /// `count` more lines of the file have passed, which are about no declaration.
    pub(crate) fn pass(&mut self, count: u32) {
        if let Some((_, line)) = &mut self.next {
            *line = line.saturating_add(count);
        }
    }

    /// What goes behind such lines: the file's own numbering again.
    pub(crate) fn own(&mut self) -> String {
        match self.next.take() {
            Some(_) => MARKER.to_owned(),
            None => String::new(),
        }
    }
}

/// Puts the file's own line in place of each marker. The prelude, which may have such lines itself, is as it was.
pub(crate) fn number_lines(text: &str, prelude: &str, file: &str) -> String {
    let mut to_skip = prelude
        .lines()
        .filter(|&line| line == MARKER.trim_end())
        .count();
    let mut numbered = String::with_capacity(text.len() + 1024);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if line != MARKER {
            numbered.push_str(line);
        } else if to_skip > 0 {
            to_skip -= 1;
            numbered.push_str(line);
        } else {
            numbered.push_str(&format!("#line {} {}\n", number + 1, literal(file)));
        }
    }
    numbered
}
