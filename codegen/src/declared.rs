//! The declarations as C text: what the user wrote, minus what only a cdef knows.
//!
//! The text is cut into pieces, one for each declaration or directive; every piece is kept, rewritten, replaced or
//! left out by what the parser found in it. So the result looks as its author wrote it, comments included.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use keelback_cdef::{
    Declarations, FunctionOrigin, Item, MacroValue, QualType, Record, SourceId, Type,
};

use crate::c_text::{Token, TokenKind, is_c_keyword, is_cpp_keyword, replace_word, tokens};
use crate::repeated::{
    PackState, WaitingPacks, attributes_end, is_pack, pragma_words, repeated_attributes,
    repeated_pragma,
};
use crate::spec::CdefText;

/// Where the text goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Destination<'a> {
    /// Into the public header; functions and variables get this macro in front.
    Header {
        /// `GREETER_API`
        api_macro: &'a str,
        /// Headers come first that define what only the prelude defines.
        has_includes: bool,
    },
    /// Into the plugin's C file, in the place of a prelude: types and constants only.
    Source,
}

/// C text, and what it needs to compile.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct DeclaredText {
    /// The text; ends with a newline unless empty.
    pub(crate) text: String,
    /// Standard headers, without brackets.
    pub(crate) includes: BTreeSet<&'static str>,
    /// Something in it has `KEELBACK_EXTENSION` in front.
    pub(crate) uses_extension: bool,
}

/// One declaration or directive of a text.
struct Piece {
    /// Where the comments directly in front of it start; `body.start` when there are none.
    lead: usize,
    /// The declaration with its semicolon, or the directive.
    body: Range<usize>,
    /// Its end, or that of the comment behind it on the same line.
    tail: usize,
    /// Its tokens without comments.
    tokens: Vec<Token>,
    extern_python: bool,
    directive: bool,
}

/// Cuts a text into pieces. What is between them is blank lines and comments that belong to none.
fn pieces(text: &str) -> Vec<Piece> {
    let all = tokens(text);
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut last_end = 0;
    while at < all.len() {
        let token = &all[at];
        if token.kind == TokenKind::Comment {
            at += 1;
            continue;
        }
        let first = at;
        let extern_python = text[token.range.clone()] == *"extern"
            && all[first + 1..]
                .iter()
                .find(|next| next.kind != TokenKind::Comment)
                .is_some_and(|next| text[next.range.clone()].starts_with("\"Python"));
        let operator = matches!(&text[token.range.clone()], "_Pragma" | "__pragma");
        let directive = token.kind == TokenKind::Directive || operator;
        at = match (directive, operator) {
            (true, false) => at + 1,
            _ => end_of_piece(text, &all, first, operator, extern_python),
        };
        let body = all[first].range.start..all[at - 1].range.end;
        let lead = lead_of(text, &all[..first], last_end, body.start);
        let tail = match comment_behind(text, all.get(at), body.end) {
            Some(end) => {
                at += 1;
                end
            }
            None => body.end,
        };
        last_end = tail;
        let own = all[first..at]
            .iter()
            .filter(|token| token.kind != TokenKind::Comment && token.range.end <= body.end)
            .cloned()
            .collect();
        pieces.push(Piece {
            lead,
            body,
            tail,
            tokens: own,
            extern_python,
            directive,
        });
    }
    pieces
}

/// The token after the one that ends the declaration, or the operator, that begins at `first`.
fn end_of_piece(
    text: &str,
    all: &[Token],
    first: usize,
    operator: bool,
    extern_python: bool,
) -> usize {
    let mut depth = 0usize;
    for (at, token) in all.iter().enumerate().skip(first) {
        let is_last = match token.kind {
            TokenKind::Punctuation(b'(' | b'[' | b'{') => {
                depth += 1;
                false
            }
            TokenKind::Punctuation(b')' | b']') => {
                depth = depth.saturating_sub(1);
                operator && depth == 0
            }
            TokenKind::Punctuation(b'}') => {
                depth = depth.saturating_sub(1);
                depth == 0 && extern_python && block_of_extern(text, &all[first..=at])
            }
            TokenKind::Punctuation(b';') => depth == 0,
            _ => false,
        };
        if is_last {
            return at + 1;
        }
    }
    all.len()
}

/// The end of a comment that stands behind a piece on the same line. One that is in front of another piece on that line
/// belongs to that.
fn comment_behind(text: &str, next: Option<&Token>, end: usize) -> Option<usize> {
    let comment = next.filter(|next| next.kind == TokenKind::Comment)?;
    let is_on_the_line = !text[end..comment.range.start].contains('\n');
    let rest = text[comment.range.end..].trim_start_matches([' ', '\t', '\r']);
    let line_ends = rest.is_empty() || rest.starts_with('\n');
    (is_on_the_line && line_ends).then_some(comment.range.end)
}

/// Whether the tokens are `extern "Python" { ... }` rather than a declaration with braces in it.
fn block_of_extern(text: &str, tokens: &[Token]) -> bool {
    tokens
        .iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .nth(2)
        .is_some_and(|token| &text[token.range.clone()] == "{")
}

/// The start of the comments that stand directly in front of `start`, with no blank line between.
fn lead_of(text: &str, before: &[Token], last_end: usize, start: usize) -> usize {
    let mut lead = start;
    for token in before.iter().rev() {
        if token.kind != TokenKind::Comment || token.range.start < last_end {
            break;
        }
        let between = &text[token.range.end..lead];
        if between.bytes().filter(|&byte| byte == b'\n').count() > 1 {
            break;
        }
        lead = token.range.start;
    }
    lead
}

/// What the parser found in a piece.
#[derive(Default)]
struct Content {
    functions: Vec<u32>,
    exported: bool,
    variables: Vec<u32>,
    read_only_variables: bool,
    constants: Vec<u32>,
    records: Vec<keelback_cdef::RecordId>,
    enums: Vec<keelback_cdef::EnumId>,
    typedefs: Vec<u32>,
}

impl Content {
    fn is_empty(&self) -> bool {
        self.functions.is_empty()
            && self.variables.is_empty()
            && self.constants.is_empty()
            && self.records.is_empty()
            && self.enums.is_empty()
            && self.typedefs.is_empty()
    }
}

struct Places {
    by_start: BTreeMap<(u32, u32), Vec<Item>>,
}

impl Places {
    fn new(declarations: &Declarations) -> Self {
        let mut by_start: BTreeMap<(u32, u32), Vec<Item>> = BTreeMap::new();
        for &item in &declarations.items {
            let span = match item {
                Item::Function(index) => declarations.functions[index as usize].span,
                Item::Variable(index) => declarations.variables[index as usize].span,
                Item::Constant(index) => declarations.constants[index as usize].span,
                Item::Typedef(index) => declarations.typedefs[index as usize].span,
                Item::Record(id) | Item::Forward(id) => declarations.types.record(id).span,
                Item::Enum(id) => declarations.types.enumeration(id).span,
            };
            let items = by_start.entry((span.source.0, span.start)).or_default();
            if !items.contains(&item) {
                items.push(item);
            }
        }
        Self { by_start }
    }

    fn content(
        &self,
        declarations: &Declarations,
        source: SourceId,
        range: &Range<usize>,
    ) -> Content {
        let mut content = Content::default();
        let range = (source.0, range.start as u32)..(source.0, range.end as u32);
        for &item in self.by_start.range(range).flat_map(|(_, items)| items) {
            match item {
                Item::Function(index) => {
                    content.exported |=
                        declarations.functions[index as usize].origin == FunctionOrigin::Exported;
                    content.functions.push(index);
                }
                Item::Variable(index) => {
                    content.read_only_variables |=
                        declarations.variables[index as usize].is_constant;
                    content.variables.push(index);
                }
                Item::Constant(index) => content.constants.push(index),
                Item::Typedef(index) => content.typedefs.push(index),
                Item::Record(id) => content.records.push(id),
                Item::Forward(_) => {}
                Item::Enum(id) => content.enums.push(id),
            }
        }
        content
    }
}

/// The C text of the declarations. `sources` gives each cdef's id in `declarations`.
pub(crate) fn declared_text(
    declarations: &Declarations,
    cdefs: &[(SourceId, &CdefText)],
    destination: Destination<'_>,
) -> DeclaredText {
    let places = Places::new(declarations);
    let cdefs: Vec<_> = (cdefs.iter().copied())
        .filter(|(_, cdef)| !cdef.included)
        .collect();
    let cdefs = &*cdefs;
    let parsed: Vec<Vec<(Piece, Content)>> = cdefs
        .iter()
        .map(|(source, cdef)| {
            pieces(&cdef.text)
                .into_iter()
                .map(|piece| {
                    let content = places.content(declarations, *source, &piece.body);
                    (piece, content)
                })
                .collect()
        })
        .collect();
    let needed = match destination {
        Destination::Header { .. } => needed_words(cdefs, &parsed, declarations),
        Destination::Source => HashSet::new(),
    };
    let mut writer = Writer {
        declarations,
        destination,
        out: String::new(),
        known_tags: HashSet::new(),
        uses_extension: false,
        pack: None,
    };
    for ((_, cdef), pieces) in cdefs.iter().zip(&parsed) {
        writer.cdef(cdef, pieces, &needed);
    }
    let mut text = collapse_blank_lines(&writer.out);
    if !text.is_empty() {
        text.push('\n');
    }
    DeclaredText {
        includes: includes(declarations, &text),
        uses_extension: writer.uses_extension,
        text,
    }
}

/// The words that the API's own text uses, and those that the declarations behind them use.
fn needed_words<'a>(
    cdefs: &[(SourceId, &'a CdefText)],
    parsed: &[Vec<(Piece, Content)>],
    declarations: &Declarations,
) -> HashSet<&'a str> {
    let mut needed = HashSet::new();
    let mut rest = Vec::new();
    for ((_, cdef), pieces) in cdefs.iter().zip(parsed) {
        for (piece, content) in pieces {
            if piece.extern_python {
                continue;
            }
            let words = piece
                .tokens
                .iter()
                .filter(|token| token.kind == TokenKind::Word)
                .map(|token| &cdef.text[token.range.clone()]);
            if cdef.embedding_api {
                needed.extend(words);
            } else if content.functions.is_empty() && content.variables.is_empty() {
                rest.push((names_of(declarations, content), words.collect::<Vec<_>>()));
            }
        }
    }
    loop {
        let before = rest.len();
        rest.retain(|(names, words)| {
            let is_needed = names.iter().any(|name| needed.contains(name.as_str()));
            if is_needed {
                needed.extend(words);
            }
            !is_needed
        });
        if rest.len() == before {
            return needed;
        }
    }
}

/// Every name that a piece of types or constants declares.
fn names_of(declarations: &Declarations, content: &Content) -> Vec<String> {
    let types = &declarations.types;
    let text = |symbol| types.text(symbol).to_owned();
    let mut names = Vec::new();
    for &id in &content.records {
        names.extend(types.record(id).tag.map(text));
    }
    for &id in &content.enums {
        let enumeration = types.enumeration(id);
        names.extend(enumeration.tag.map(text));
        for enumerator in enumeration.enumerators.iter().flatten() {
            names.push(text(enumerator.name));
        }
    }
    for &index in &content.typedefs {
        names.push(text(declarations.typedefs[index as usize].name));
    }
    for &index in &content.constants {
        names.push(text(declarations.constants[index as usize].name));
    }
    names
}

struct Writer<'a> {
    declarations: &'a Declarations,
    destination: Destination<'a>,
    out: String,
    known_tags: HashSet<String>,
    uses_extension: bool,
    /// What the structs of the text are packed to where no pragma says so.
    pack: Option<u32>,
}

impl Writer<'_> {
    fn cdef(&mut self, cdef: &CdefText, pieces: &[(Piece, Content)], needed: &HashSet<&str>) {
        let in_header = self.destination != Destination::Source;
        let whole = in_header && cdef.embedding_api;
        self.pack = if cdef.packed { Some(1) } else { cdef.pack };
        let start = self.out.len();
        let mut packs = PackState::default();
        let mut waiting = WaitingPacks::default();
        let mut at = 0;
        for (piece, content) in pieces {
            if whole {
                self.out.push_str(&cdef.text[at..piece.lead]);
            }
            at = piece.tail;
            if !whole && piece.directive && is_pack(&cdef.text[piece.body.clone()]) {
                if let Some(line) = self.piece(&cdef.text, piece, content) {
                    waiting.push(line);
                }
                continue;
            }
            if in_header
                && !cdef.embedding_api
                && !names_of(self.declarations, content)
                    .iter()
                    .any(|name| needed.contains(name.as_str()))
            {
                continue;
            }
            let Some(body) = self.piece(&cdef.text, piece, content) else {
                continue;
            };
            for line in waiting.take() {
                packs.pass(&line);
                self.out.push_str(&line);
                self.out.push('\n');
            }
            if in_header {
                self.out.push_str(&cdef.text[piece.lead..piece.body.start]);
            }
            if piece.directive {
                packs.pass(&body);
            }
            self.out.push_str(&body);
            if in_header {
                self.out.push_str(&cdef.text[piece.body.end..piece.tail]);
            }
            if !whole {
                self.out.push('\n');
            }
        }
        if whole {
            self.out.push_str(&cdef.text[at..]);
        }
        if !self.out.ends_with('\n') && !self.out.is_empty() {
            self.out.push('\n');
        }
        if in_header && !whole && self.out.len() > start {
            self.out.push('\n');
        }
        self.end_packing(start, packs, waiting);
    }

    /// Packs the text that begins at `start` as its options say, and takes its pragmas back at its end: as for the
    /// parser, they count for this text only.
    fn end_packing(&mut self, start: usize, mut packs: PackState, mut waiting: WaitingPacks) {
        if packs.is_changed() {
            for line in waiting.take() {
                packs.pass(&line);
                self.out.push_str(&line);
                self.out.push('\n');
            }
        }
        let opening = match self.pack {
            Some(pack) if self.out[start..].contains('{') => format!("pack(push, {pack})"),
            _ if packs.is_changed() => "pack(push)".to_owned(),
            _ => return,
        };
        self.out.insert_str(start, &format!("#pragma {opening}\n"));
        self.out
            .push_str(&"#pragma pack(pop)\n".repeat(1 + packs.open_pushes()));
    }

    /// The piece as C; `None` to leave it out.
    fn piece(&mut self, text: &str, piece: &Piece, content: &Content) -> Option<String> {
        if piece.extern_python {
            return self.extern_python(content);
        }
        if piece.directive {
            let line = &text[piece.body.clone()];
            if pragma_words(line).is_some() {
                return repeated_pragma(line, self.pack);
            }
            let definition = line[1..].trim_start().strip_prefix("define");
            let is_kept = definition.is_some_and(|definition| {
                !line.trim_end().ends_with("...") && self.is_repeated_macro(definition)
            });
            return is_kept.then(|| line.to_owned());
        }
        if piece.tokens.len() <= 1 {
            return None;
        }
        if !content.constants.is_empty() {
            return Some(self.constants(content));
        }
        let is_type_only = content.functions.is_empty() && content.variables.is_empty();
        let has_body = piece.tokens.iter().any(|token| token.is(b'{'));
        if content.is_empty() && (has_body || !self.is_forward(text, piece)) {
            // The same name was declared before, or a later text overrides it.
            return None;
        }
        if !is_type_only && self.destination == Destination::Source && !has_body {
            let tags = self.forward_tags(text, piece);
            return (!tags.is_empty()).then(|| tags.trim_end().to_owned());
        }
        // A constant may be a macro of the prelude's; one that is said to be `extern` is an object.
        let is_extern = piece
            .tokens
            .iter()
            .any(|token| text[token.range.clone()] == *"extern");
        if content.read_only_variables && !is_extern {
            return None;
        }
        let forward = self.forward_tags(text, piece);
        if asks_compiler(piece) {
            return self.opaque(content).map(|opaque| forward + &opaque);
        }
        let prefix = match self.destination {
            _ if is_type_only => String::new(),
            Destination::Header { api_macro, .. } if content.variables.is_empty() => {
                format!("{api_macro} ")
            }
            Destination::Header { api_macro, .. } => format!("{api_macro} extern "),
            Destination::Source => "extern ".to_owned(),
        };
        let body = self.clean(text, piece, content);
        let extension = if needs_extension(text, piece) {
            self.uses_extension = true;
            "KEELBACK_EXTENSION "
        } else {
            ""
        };
        // An attribute does not go behind __extension__.
        Some(format!("{forward}{extension}{prefix}{body}"))
    }

    /// Whether a macro has its place in the text: of those that are no integers the header has the constants, and the
    /// library's own C none.
    fn is_repeated_macro(&self, definition: &str) -> bool {
        let name = definition.trim_start();
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
        match self
            .declarations
            .lookup_macro(&name[..end.unwrap_or(name.len())])
        {
            None => true,
            Some(MacroValue::Nothing) => false,
            Some(_) => self.destination != Destination::Source,
        }
    }

    /// In an embedding API `extern "Python"` says nothing new: its functions are exported like all others (as in CFFI).
    fn extern_python(&self, content: &Content) -> Option<String> {
        let Destination::Header { api_macro, .. } = self.destination else {
            return None;
        };
        let lines: Vec<String> = content
            .functions
            .iter()
            .map(|&index| &self.declarations.functions[index as usize])
            .filter(|function| function.origin == FunctionOrigin::Exported)
            .map(|function| {
                let declaration = self.declarations.c_declaration(
                    QualType::plain(function.ty),
                    self.declarations.text(function.name),
                );
                format!(
                    "{api_macro} {};",
                    replace_word(&declaration, "_Bool", "bool")
                )
            })
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// `struct foo;`
    fn is_forward(&self, text: &str, piece: &Piece) -> bool {
        piece.tokens.len() == 3
            && matches!(&text[piece.tokens[0].range.clone()], "struct" | "union")
    }

    /// Declares the tags that the piece mentions first inside parentheses, where their scope would end at once.
    fn forward_tags(&mut self, text: &str, piece: &Piece) -> String {
        let mut out = String::new();
        let mut depth = 0usize;
        for (index, token) in piece.tokens.iter().enumerate() {
            match token.kind {
                TokenKind::Punctuation(b'(') => depth += 1,
                TokenKind::Punctuation(b')') => depth = depth.saturating_sub(1),
                TokenKind::Word => {
                    let word = &text[token.range.clone()];
                    if !matches!(word, "struct" | "union") {
                        continue;
                    }
                    let Some(next) = tag_behind(text, &piece.tokens, index + 1) else {
                        continue;
                    };
                    let tag = &text[next.range.clone()];
                    if self.known_tags.insert(tag.to_owned()) && depth > 0 {
                        out.push_str(&format!("{word} {tag};\n"));
                    }
                }
                _ => {}
            }
        }
        out
    }

    /// Constants of `static const`: as macros, which work in array lengths and `case` labels.
    fn constants(&self, content: &Content) -> String {
        let lines: Vec<String> = content
            .constants
            .iter()
            .filter_map(|&index| {
                let constant = &self.declarations.constants[index as usize];
                let name = self.declarations.types.text(constant.name);
                Some(format!("#define {name} {}", integer(constant.value?)))
            })
            .collect();
        lines.join("\n")
    }

    /// What a header can say of types that only the prelude defines in full.
    fn opaque(&self, content: &Content) -> Option<String> {
        let Destination::Header { has_includes, .. } = self.destination else {
            return None;
        };
        let types = &self.declarations.types;
        let mut lines = Vec::new();
        let elsewhere = |name: &str| {
            format!(
                "/* {name}: the plugin's source defines it; include what defines it before this header. */"
            )
        };
        for &id in &content.records {
            let record = types.record(id);
            if let Some(tag) = record.tag {
                let name = format!("{} {}", record.kind.keyword(), types.text(tag));
                lines.push(if has_includes {
                    elsewhere(&name)
                } else {
                    format!("{name}; /* opaque: the plugin's source defines it */")
                });
            }
        }
        for &id in &content.enums {
            if let Some(name) = types.enumeration(id).tag {
                lines.push(elsewhere(&format!("enum {}", types.text(name))));
            }
        }
        for &index in &content.typedefs {
            let typedef = &self.declarations.typedefs[index as usize];
            let name = types.text(typedef.name);
            lines.push(match typedef_of_record(self.declarations, typedef) {
                Some((record, stars)) if !has_includes => {
                    let kind = record.kind.keyword();
                    let tag = record.tag.map_or(name, |tag| types.text(tag));
                    format!("typedef {kind} {tag} {stars}{name}; /* opaque: the plugin's source defines it */")
                }
                _ => elsewhere(name),
            });
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// The piece's own text, with what C and C++ spell differently spelled for both.
    fn clean(&self, text: &str, piece: &Piece, content: &Content) -> String {
        let is_function = !content.functions.is_empty() || !content.variables.is_empty();
        let is_const = |index: usize| self.is_idle_const(text, piece, content, index);
        let mut out = String::new();
        let mut copied = piece.body.start;
        let mut depth = 0usize;
        let mut specifiers = is_function;
        let mut index = 0;
        while let Some(token) = piece.tokens.get(index) {
            let mut replacement = None;
            if let Some(end) = attributes_end(text, &piece.tokens, index) {
                let attributes = &piece.tokens[index..end];
                index = end;
                let target = &self.declarations.target;
                let Some(repeated) = repeated_attributes(text, attributes, target) else {
                    continue;
                };
                out.push_str(&text[copied..token.range.start]);
                copied = attributes[attributes.len() - 1].range.end;
                replace(text, &mut out, &mut copied, &repeated);
                continue;
            }
            match token.kind {
                TokenKind::Punctuation(b'(') => {
                    depth += 1;
                    if piece
                        .tokens
                        .get(index + 1)
                        .is_some_and(|next| next.is(b')'))
                    {
                        replacement = Some("(void".to_owned());
                    }
                }
                TokenKind::Punctuation(b')') => depth = depth.saturating_sub(1),
                TokenKind::Word => {
                    let word = &text[token.range.clone()];
                    replacement = match word {
                        "static" | "extern" | "inline" | "__inline" | "__inline__"
                            if specifiers =>
                        {
                            Some(String::new())
                        }
                        "const" if depth == 0 && is_const(index) => Some(String::new()),
                        "_Bool" => Some("bool".to_owned()),
                        "restrict" => Some("__restrict".to_owned()),
                        "__stdcall" | "__cdecl" | "WINAPI" => Some(String::new()),
                        _ if depth > 0 && is_reserved_name(word) => Some(format!("{word}_")),
                        _ => None,
                    };
                    specifiers &= replacement.is_some();
                }
                _ => {}
            }
            if let Some(replacement) = replacement {
                out.push_str(&text[copied..token.range.start]);
                copied = token.range.end;
                replace(text, &mut out, &mut copied, &replacement);
            }
            index += 1;
        }
        out.push_str(&text[copied..piece.body.end]);
        out
    }
}

impl Writer<'_> {
    /// A `const` of a function's result itself. It has no meaning, and compilers warn of it.
    fn is_idle_const(&self, text: &str, piece: &Piece, content: &Content, index: usize) -> bool {
        let types = &self.declarations.types;
        content.functions.iter().any(|&function| {
            let function = &self.declarations.functions[function as usize];
            let Type::Function(ty) = types.get(function.ty) else {
                return false;
            };
            let is_before_name = piece
                .tokens
                .get(index + 1)
                .is_some_and(|next| text[next.range.clone()] == *types.text(function.name));
            let is_pointer = matches!(types.get(ty.result.ty), Type::Pointer(_));
            is_before_name || !is_pointer
        })
    }
}

/// The tag that stands at `index`, or behind attributes that do.
fn tag_behind<'a>(text: &str, tokens: &'a [Token], mut index: usize) -> Option<&'a Token> {
    let mut next = tokens.get(index)?;
    while let Some(end) = attributes_end(text, tokens, index) {
        index = end;
        next = tokens.get(index)?;
    }
    (next.kind == TokenKind::Word).then_some(next)
}

/// Writes `replacement` for what ends at `copied`; with nothing, the blanks around it become those of one place.
fn replace(text: &str, out: &mut String, copied: &mut usize, replacement: &str) {
    out.push_str(replacement);
    if replacement.is_empty() {
        let rest = text[*copied..].trim_ascii_start();
        *copied = text.len() - rest.len();
        if rest.starts_with([';', ',', ')']) {
            out.truncate(out.trim_end().len());
        }
    }
}

/// A word that a parameter can be called in a cdef, but not in every C and C++.
pub(crate) fn is_reserved_name(word: &str) -> bool {
    match word {
        "char8_t" | "char16_t" | "char32_t" | "wchar_t" => false,
        "alignas" | "alignof" | "asm" | "constexpr" | "false" | "nullptr" | "static_assert"
        | "thread_local" | "true" | "typeof" | "typeof_unqual" => is_c_keyword(word),
        _ => is_cpp_keyword(word),
    }
}

/// `...` that is no variadic function's.
fn asks_compiler(piece: &Piece) -> bool {
    piece.tokens.iter().enumerate().any(|(index, token)| {
        token.kind == TokenKind::Ellipsis
            && !piece
                .tokens
                .get(index + 1)
                .is_some_and(|next| next.is(b')'))
    })
}

/// The record that a typedef names, directly or as a pointer.
fn typedef_of_record<'a>(
    declarations: &'a Declarations,
    typedef: &keelback_cdef::Typedef,
) -> Option<(&'a Record, String)> {
    let mut ty = typedef.ty.ty;
    let mut stars = String::new();
    loop {
        match declarations.types.get(ty) {
            Type::Pointer(to) => {
                stars.push('*');
                ty = to.ty;
            }
            Type::Record(id) => return Some((declarations.types.record(*id), stars)),
            _ => return None,
        }
    }
}

/// Whether `-Wpedantic` would complain of what this piece has: bit-fields, anonymous and flexible members, empty
/// records, arrays of length 0, complex types.
fn needs_extension(text: &str, piece: &Piece) -> bool {
    let tokens = &piece.tokens;
    let is =
        |index: usize, punctuation| tokens.get(index).is_some_and(|token| token.is(punctuation));
    let mut braces: Vec<bool> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Punctuation(b'{') => {
                let before = |back: usize| {
                    index
                        .checked_sub(back)
                        .map_or("", |at| &text[tokens[at].range.clone()])
                };
                braces.push(before(1) != "enum" && before(2) != "enum");
                if is(index + 1, b'}') {
                    return true;
                }
            }
            TokenKind::Punctuation(b'}') => {
                braces.pop();
                if braces.last() == Some(&true) && is(index + 1, b';') {
                    return true;
                }
            }
            TokenKind::Punctuation(b':') if braces.last() == Some(&true) => return true,
            TokenKind::Punctuation(b'[')
                if braces.last() == Some(&true)
                    && (is(index + 1, b']')
                        || is(index + 2, b']')
                            && text[tokens[index + 1].range.clone()] == *"0") =>
            {
                return true;
            }
            TokenKind::Word
                if matches!(
                    &text[token.range.clone()],
                    "_Complex" | "__complex__" | "__int128" | "_Alignas"
                ) =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// An integer constant that has the value in C, with the parentheses that a macro needs.
pub(crate) fn integer(value: i128) -> String {
    if value == i128::from(i64::MIN) {
        "(-9223372036854775807LL - 1)".to_owned()
    } else if i64::try_from(value).is_err() && u64::try_from(value).is_err() {
        let (high, low) = (value >> 64, value as u64);
        format!("(__extension__ ((__int128)({high}LL) * ((__int128)1 << 64) + {low}ULL))")
    } else if value < 0 {
        format!("({value})")
    } else if value > i128::from(i64::MAX) {
        format!("{value}ULL")
    } else {
        value.to_string()
    }
}

/// The standard headers that the text's words come from, except for words that the declarations define.
pub(crate) fn includes(declarations: &Declarations, text: &str) -> BTreeSet<&'static str> {
    let defined: HashSet<&str> = declarations
        .typedefs
        .iter()
        .map(|typedef| declarations.types.text(typedef.name))
        .collect();
    tokens(text)
        .into_iter()
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::Directive))
        .flat_map(|token| match token.kind {
            TokenKind::Directive => {
                let line = &text[token.range.start + 1..token.range.end];
                tokens(line)
                    .into_iter()
                    .map(|inner| &line[inner.range])
                    .collect()
            }
            _ => vec![&text[token.range]],
        })
        .filter(|word| !defined.contains(word))
        .filter_map(header_of)
        .collect()
}

fn header_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "bool" | "true" | "false" => "stdbool.h",
        "size_t" | "ptrdiff_t" | "wchar_t" | "NULL" => "stddef.h",
        "char16_t" | "char32_t" => "uchar.h",
        "ssize_t" => "sys/types.h",
        "FILE" => "stdio.h",
        "va_list" => "stdarg.h",
        _ => {
            let stem = word.strip_prefix('u').unwrap_or(word).strip_suffix("_t")?;
            let digits = stem
                .strip_prefix("int_least")
                .or_else(|| stem.strip_prefix("int_fast"))
                .or_else(|| stem.strip_prefix("int"))?;
            if !matches!(digits, "8" | "16" | "32" | "64" | "ptr" | "max") {
                return None;
            }
            "stdint.h"
        }
    })
}

fn is_line_marker(line: &str) -> bool {
    line.strip_prefix("# ")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// At most one blank line in a row, none at the ends; no line markers.
fn collapse_blank_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.trim().lines() {
        let line = line.trim_end();
        if line.is_empty() {
            blank += 1;
            continue;
        }
        // Where a header's text comes from is nothing to its readers.
        if is_line_marker(line) {
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        out.push_str(line);
    }
    out
}
