//! `#line` directives: when a wrong declaration causes an error in generated code, the compiler's message has the line
//! of the declaration.

use keelback_cdef::{Declarations, LineIndex, SourceId, Span};

use crate::c_text::literal;

/// A placeholder for the directive that returns to the file's own numbering; [`number_lines`] replaces it.
pub(crate) const MARKER: &str = "#line KEELBACK_THIS_LINE\n";

/// Makes the directives; it must be called in the order of the file.
pub(crate) struct Lines<'a> {
    declarations: &'a Declarations,
    /// `None`: no directives, as the compiler cannot contradict any declaration.
    indexes: Option<Vec<LineIndex<'a>>>,
    /// The file and line that the compiler gives to the next line; `None`: the file's own.
    next: Option<(&'a str, u32)>,
}

impl<'a> Lines<'a> {
    /// `has_prelude`: the prelude defines types and functions, so declarations can contradict it.
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

    /// The text in front of one line that is about the declaration at `span`: a `#line` directive, or nothing if the
    /// numbers are right.
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

    /// Notes that `count` lines of the file follow that are about no declaration.
    pub(crate) fn pass(&mut self, count: u32) {
        if let Some((_, line)) = &mut self.next {
            *line = line.saturating_add(count);
        }
    }

    /// The text behind such lines: [`MARKER`], or nothing if the numbering is the file's own.
    pub(crate) fn own(&mut self) -> String {
        match self.next.take() {
            Some(_) => MARKER.to_owned(),
            None => String::new(),
        }
    }
}

/// Replaces each marker by a `#line` with the file's own number. Lines of the prelude that look like markers are kept.
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
