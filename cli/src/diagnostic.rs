//! Messages to the user: as text with the line and a caret, or as JSON.
use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use annotate_snippets::{AnnotationKind, Group, Level as Title, Origin, Renderer, Snippet};
use serde::Serialize;

use crate::arguments::{ColorChoice, MessageFormat, OutputArguments};
use crate::packages::Need;

/// The severity of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The command fails, and writes nothing.
    Error,
    /// The output is written, but is perhaps not what was meant.
    Warning,
    /// What was done; also the lines of `--verbose`.
    Note,
}

/// A place in a text that the user wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file as the user named it, or `<stdin>`.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The whole line, without its end.
    text: String,
    /// The bytes of `text` to underline.
    marked: Range<usize>,
}

impl Place {
    /// The place of the bytes `span` of `source`. A span that goes on over several lines is shown up to the end
    /// of its first.
    pub fn in_source(file: &str, source: &str, span: Range<usize>) -> Self {
        let start = floor_boundary(source, span.start);
        let line = source[..start].matches('\n').count() + 1;
        Self::in_line(file, source, span, line)
    }

    /// The same, if the number of the line is known already: counting takes long for many places of a large source.
    pub fn in_line(file: &str, source: &str, span: Range<usize>, line: usize) -> Self {
        let start = floor_boundary(source, span.start);
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..]
            .find('\n')
            .map_or(source.len(), |at| start + at);
        let text = source[line_start..line_end].trim_end_matches('\r');
        let end = floor_boundary(source, span.end).max(start) - line_start;
        Self {
            file: file.to_owned(),
            line,
            column: source[line_start..start].chars().count() + 1,
            marked: (start - line_start).min(text.len())..end.min(text.len()),
            text: text.to_owned(),
        }
    }

    /// The place of `width` characters from a line and a column (both from 1), as Python tells them. `text` is the line.
    pub fn at_line(file: &str, text: &str, line: usize, column: usize, width: usize) -> Self {
        let byte_of = |characters: usize| {
            text.char_indices()
                .nth(characters)
                .map_or(text.len(), |(byte, _)| byte)
        };
        let start = byte_of(column.saturating_sub(1));
        Self {
            file: file.to_owned(),
            line,
            column: column.max(1),
            marked: start..byte_of(column.saturating_sub(1) + width.max(1)),
            text: text.to_owned(),
        }
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// One message.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Its severity.
    pub level: Level,
    /// A stable word for programs that read the JSON form: `cdef`, `init-syntax`, `no-compiler`...
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// Where, if a text is at fault.
    pub place: Option<Place>,
    /// Further remarks.
    pub notes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
    /// The output of another program, which is shown first and unchanged.
    pub output: Option<String>,
    /// The package of the distribution that would end the failure.
    pub need: Option<Need>,
    /// The parser's diagnostic, which can show several lines, unlike `place`.
    of_cdef: Option<Box<keelback_cdef::Diagnostic>>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Level::Error, code, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Level::Warning, code, message)
    }

    fn new(level: Level, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            level,
            code,
            message: message.into(),
            place: None,
            notes: Vec::new(),
            hint: None,
            output: None,
            need: None,
            of_cdef: None,
        }
    }

    /// A message of the parser.
    pub fn of_cdef(diagnostic: &keelback_cdef::Diagnostic) -> Self {
        let level = match diagnostic.severity {
            keelback_cdef::Severity::Error => Level::Error,
            keelback_cdef::Severity::Warning => Level::Warning,
        };
        let mut converted = Self::new(level, "cdef", diagnostic.message.as_ref());
        converted.hint = diagnostic.hint.as_deref().map(str::to_owned);
        converted.place = diagnostic.source().map(|source| {
            let location = source.location(diagnostic.span.start);
            Place {
                file: location.file.to_owned(),
                line: location.line as usize,
                column: location.column as usize,
                text: String::new(),
                marked: 0..0,
            }
        });
        converted.of_cdef = Some(Box::new(diagnostic.clone()));
        converted
    }

    /// Adds what another program said.
    pub fn output(mut self, output: String) -> Self {
        self.output = Some(output);
        self
    }

    /// Adds what has to be installed.
    pub fn need(mut self, need: Need) -> Self {
        self.need = Some(need);
        self
    }

    /// Adds where.
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds a remark.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The text form, without a final newline.
    pub fn render(&self, colored: bool) -> String {
        if let Some(of_cdef) = &self.of_cdef {
            return of_cdef.render(colored);
        }
        let renderer = if colored {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let level = match self.level {
            Level::Error => Title::ERROR,
            Level::Warning => Title::WARNING,
            Level::Note => Title::NOTE,
        };
        let mut group = Group::with_title(level.primary_title(clean(&self.message)));
        if let Some(place) = &self.place {
            if place.text.trim().is_empty() {
                group = group.element(
                    Origin::path(clean(&place.file))
                        .line(place.line)
                        .char_column(place.column),
                );
            } else {
                let annotation = AnnotationKind::Primary.span(place.marked.clone());
                group = group.element(
                    Snippet::source(place.text.as_str())
                        .line_start(place.line)
                        .path(clean(&place.file))
                        .annotation(annotation),
                );
            }
        }
        let mut groups = Vec::new();
        for note in &self.notes {
            groups.push(Group::with_title(Title::NOTE.secondary_title(clean(note))));
        }
        if let Some(hint) = &self.hint {
            groups.push(Group::with_title(Title::HELP.secondary_title(clean(hint))));
        }
        let rendered = if self.place.is_some() {
            groups.insert(0, group);
            renderer.render(&groups)
        } else {
            // The bar that joins the parts of one report only makes sense beside source lines.
            let mut lines = vec![renderer.render(&[group])];
            lines.extend(groups.into_iter().map(|group| renderer.render(&[group])));
            lines.join("\n")
        };
        match &self.output {
            Some(output) => format!("{}\n{rendered}", output.trim_end()),
            None => rendered,
        }
    }

    fn json(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            level: Level,
            message: &'a str,
            file: Option<&'a str>,
            line: Option<usize>,
            column: Option<usize>,
            hint: Option<&'a str>,
            code: &'a str,
            rendered: String,
        }
        let place = self.place.as_ref();
        serde_json::to_string(&Line {
            level: self.level,
            message: &self.message,
            file: place.map(|place| place.file.as_str()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            hint: self.hint.as_deref(),
            code: self.code,
            rendered: self.render(false),
        })
        .expect("strings and numbers always become JSON")
    }
}

/// Control characters of file names and compiler output would change the terminal: they are shown escaped.
fn clean(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| !c.is_control() || c == '\n' || c == '\t';
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .map(|c| {
            if harmless(c) {
                c.to_string()
            } else {
                c.escape_default().to_string()
            }
        })
        .collect::<String>()
        .into()
}

/// Why a command failed; decides the exit status. docs/cli.md has the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The declarations, the init code or the configuration are wrong.
    Input = 1,
    /// The command line is wrong. clap uses the same number.
    Usage = 2,
    /// There is no C compiler, or it failed.
    Compiler = 3,
    /// Python, its shared library or the runtime for it are missing or don't fit.
    Python = 4,
    /// A file cannot be read or written.
    Files = 5,
}

/// A failed command: its messages and its exit status.
#[derive(Debug)]
pub struct Error {
    /// Why.
    pub failure: Failure,
    /// The messages.
    pub diagnostics: Vec<Diagnostic>,
}

/// The result of a step of a command.
pub type Result<T> = std::result::Result<T, Box<Error>>;

impl Error {
    /// The error with another hint where an output cannot be written or would replace a file of the run: the options that
    /// choose the place differ.
    pub fn elsewhere(mut self: Box<Self>, hint: &str) -> Box<Self> {
        let codes = ["cannot-write", "output-is-input", "output-twice"];
        for diagnostic in &mut self.diagnostics {
            if codes.contains(&diagnostic.code) {
                diagnostic.hint = Some(hint.to_owned());
            }
        }
        self
    }
}

impl Failure {
    /// The failure with one message.
    pub fn because(self, diagnostic: Diagnostic) -> Box<Error> {
        self.because_of(vec![diagnostic])
    }

    /// The failure with several.
    pub fn because_of(self, diagnostics: Vec<Diagnostic>) -> Box<Error> {
        Box::new(Error {
            failure: self,
            diagnostics,
        })
    }
}

/// Writes messages to standard error in the form that the command line asks for.
pub struct Reporter {
    format: MessageFormat,
    colored: bool,
    quiet: bool,
    verbose: bool,
    strict: bool,
    /// The number of warnings so far.
    warnings: AtomicUsize,
}

impl Reporter {
    /// The reporter that the command line asks for.
    pub fn new(arguments: &OutputArguments) -> Self {
        let colored = match arguments.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            // https://no-color.org: set to anything but nothing.
            ColorChoice::Auto => {
                std::io::stderr().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        Self {
            format: arguments.message_format,
            colored,
            quiet: arguments.quiet,
            verbose: arguments.verbose,
            strict: arguments.strict,
            warnings: AtomicUsize::new(0),
        }
    }

    /// Whether warnings are errors.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// To be called before anything is written: with `--strict`, an error if there was a warning.
    pub fn settle(&self) -> Result<()> {
        match self.warnings.load(Ordering::Relaxed) {
            count if self.strict && count > 0 => Err(Failure::Input.because(Diagnostic::error(
                "strict",
                if count == 1 {
                    "there was a warning, and with --strict nothing is written then".to_owned()
                } else {
                    format!(
                        "there were {count} warnings, and with --strict nothing is written then"
                    )
                },
            ))),
            _ => Ok(()),
        }
    }

    /// Whether to show a line that something is still under way.
    pub fn shows_progress(&self) -> bool {
        !self.quiet && self.format == MessageFormat::Human && std::io::stderr().is_terminal()
    }

    /// Whether `--verbose` was given.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Reports one message.
    pub fn report(&self, diagnostic: &Diagnostic) {
        if diagnostic.level == Level::Warning {
            self.warnings.fetch_add(1, Ordering::Relaxed);
        }
        if self.quiet && diagnostic.level != Level::Error {
            return;
        }
        let text = match self.format {
            MessageFormat::Human => diagnostic.render(self.colored),
            MessageFormat::Json => diagnostic.json(),
        };
        // If standard error is closed, the message is lost.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Writes a line about what is being done, with `--verbose`.
    pub fn detail(&self, line: impl AsRef<str>) {
        if self.verbose {
            self.line("detail", line.as_ref());
        }
    }

    /// Writes the line that says what was made, unless `--quiet`.
    pub fn done(&self, line: impl AsRef<str>) {
        if !self.quiet {
            self.line("done", line.as_ref());
        }
    }

    fn line(&self, code: &'static str, line: &str) {
        let text = match self.format {
            MessageFormat::Human => clean(line).into_owned(),
            MessageFormat::Json => Diagnostic::new(Level::Note, code, line).json(),
        };
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters() {
        let source = "int a;\r\nint é b;\n";
        let at = source.find('b').unwrap();
        let place = Place::in_source("api.h", source, at..at + 1);
        assert_eq!((place.line, place.column), (2, 7));
        let place = Place::in_source("api.h", source, source.len()..source.len() + 9);
        assert_eq!((place.line, place.column), (3, 1));
    }

    #[test]
    fn a_span_over_lines_is_cut_at_the_first() {
        let place = Place::in_source("api.h", "struct {\n int x;\n", 0..14);
        assert_eq!(place.marked, 0..8);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\x1b[31mb"), "a\\u{1b}[31mb");
    }
}
