//! The plain cdef: each declaration's own text, behind markers that say where it stands.

use super::cut::{Cut, MacroLine};
use super::reading::Reading;
use super::{Header, Part, PartKind};
use crate::declarations::{Declarations, FunctionOrigin, Item};
use crate::parser::{Piece, PieceName};
use crate::types::QualType;

pub(super) fn write(
    reading: &Reading<'_>,
    declarations: &Declarations,
    pieces: &[Piece],
    cut: &Cut,
) -> Header {
    let mut writer = Writer::default();
    for (piece, kind) in pieces.iter().zip(&cut.kinds) {
        if let Some(kind) = *kind {
            writer.piece(reading, declarations, piece, kind);
        }
    }
    for (kind, line) in cut.macros.iter().filter(|(_, line)| line.is_integer) {
        writer.constant(line, *kind);
    }
    writer.finish();
    let parts = std::mem::take(&mut writer.parts);
    for (kind, line) in cut.macros.iter().filter(|(_, line)| !line.is_integer) {
        writer.constant(line, *kind);
    }
    writer.finish();
    Header {
        parts,
        other_macros: writer.parts,
        ..Header::default()
    }
}

/// More lines than these are skipped by a line marker.
const MOST_NEWLINES: u32 = 8;

#[derive(Default)]
struct Writer {
    parts: Vec<Part>,
    /// The file and line that the end of the text stands for. An empty name: not known.
    file: String,
    line: u32,
}

impl Writer {
    /// The text of the last part, which is a new one if the last has another kind.
    fn text(&mut self, kind: PartKind) -> &mut String {
        if self.parts.last().is_none_or(|part| part.kind != kind) {
            self.finish();
            self.file.clear();
            self.parts.push(Part {
                kind,
                text: String::new(),
            });
        }
        // The lines above made sure that there is a part.
        let last = self.parts.len() - 1;
        &mut self.parts[last].text
    }

    /// Ends the last line of the last part.
    fn finish(&mut self) {
        if let Some(part) = self.parts.last_mut()
            && !part.text.ends_with('\n')
        {
            part.text.push('\n');
        }
    }

    /// Goes to the start of a line of a file.
    fn go_to(&mut self, kind: PartKind, file: &str, line: u32) {
        self.text(kind);
        let (at, is_same) = (self.line, self.file == file);
        let text = self.text(kind);
        let is_fresh = text.is_empty() || text.ends_with('\n');
        // Two declarations from one line stay on one line.
        if is_same && at == line && !is_fresh {
            text.push(' ');
        } else if is_same && at <= line && line - at <= MOST_NEWLINES {
            text.push_str(&"\n".repeat((line - at) as usize));
        } else {
            if !is_fresh {
                text.push('\n');
            }
            text.push_str(&format!("# {line} \"{file}\"\n"));
        }
        file.clone_into(&mut self.file);
        self.line = line;
    }

    /// Writes text that begins at the current line of the current file.
    fn push(&mut self, kind: PartKind, written: &str) {
        self.text(kind).push_str(written);
        self.line += written.bytes().filter(|&byte| byte == b'\n').count() as u32;
        if written.contains("\n# ") || written.contains("\n#pragma") {
            // The text has markers or pragmas in it, so its end has another place.
            self.lose_place(kind);
        }
    }

    fn lose_place(&mut self, kind: PartKind) {
        self.file.clear();
        let text = self.text(kind);
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }

    fn piece(
        &mut self,
        reading: &Reading<'_>,
        declarations: &Declarations,
        piece: &Piece,
        kind: PartKind,
    ) {
        let text = &reading.rendered.text;
        let (file, mut line) = reading.line_of(piece.start);
        let lead = &text[piece.lead as usize..piece.start as usize];
        line -= (lead.bytes().filter(|&byte| byte == b'\n').count() as u32).min(line);
        let body = match piece.body {
            Some(_) if piece.old_style => prototype(declarations, piece),
            Some(body) => {
                let head = &text[piece.start as usize..body as usize];
                Some(format!("{};", head.trim_end()))
            }
            None => Some(text[piece.start as usize..piece.end as usize].to_owned()),
        };
        let Some(body) = body else {
            return;
        };
        let pack = piece.pack.filter(|_| body.contains('{'));
        if let Some(pack) = pack {
            self.text(kind);
            self.lose_place(kind);
            self.text(kind)
                .push_str(&format!("#pragma pack(push, {pack})\n"));
        }
        self.go_to(kind, file, line);
        self.push(kind, lead);
        self.push(
            kind,
            match piece.origin {
                FunctionOrigin::ExternPython => "extern \"Python\" ",
                FunctionOrigin::ExternPythonC => "extern \"Python+C\" ",
                FunctionOrigin::C | FunctionOrigin::Exported => "",
            },
        );
        self.push(kind, &body);
        if let Some(comment) = trailing_comment(text, piece.end as usize) {
            self.push(kind, comment);
        }
        if pack.is_some() {
            self.lose_place(kind);
            self.text(kind).push_str("#pragma pack(pop)\n");
        }
    }

    fn constant(&mut self, line: &MacroLine, kind: PartKind) {
        self.text(kind);
        let text = self.text(kind);
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
            self.line += 1;
        }
        self.go_to(kind, &line.file, line.line);
        self.push(kind, &line.text);
        self.push(kind, "\n");
    }
}

/// The prototype of a function that is defined in the old style.
fn prototype(declarations: &Declarations, piece: &Piece) -> Option<String> {
    piece.names.iter().find_map(|&name| {
        let PieceName::Object(name) = name else {
            return None;
        };
        let Some(&Item::Function(index)) = declarations.ordinary.get(&name) else {
            return None;
        };
        let ty = QualType::plain(declarations.functions[index as usize].ty);
        Some(format!(
            "{};",
            declarations.c_declaration(ty, declarations.text(name))
        ))
    })
}

/// The comment behind a declaration on its line, with the blanks in front.
fn trailing_comment(text: &str, end: usize) -> Option<&str> {
    let line = &text[end..];
    let comment = line.trim_start_matches(' ');
    let blanks = line.len() - comment.len();
    let length = if comment.starts_with("//") {
        comment.find('\n')?
    } else if comment.starts_with("/*") {
        comment.find("*/")? + 2
    } else {
        return None;
    };
    Some(&line[..blanks + length])
}

/// A text without its line markers, and with no more than one blank line in a row.
pub(super) fn without_markers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_blank = true;
    for line in text.lines() {
        let is_marker = line
            .strip_prefix("# ")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        // A line marker separates places: it becomes a blank line.
        let line = if is_marker { "" } else { line.trim_end() };
        if line.is_empty() && is_blank {
            continue;
        }
        is_blank = line.is_empty();
        out.push_str(line);
        out.push('\n');
    }
    let end = out.trim_end().len();
    out.truncate(end);
    if !out.is_empty() {
        out.push('\n');
    }
    out
}
