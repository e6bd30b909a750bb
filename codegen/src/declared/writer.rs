//! Writing the pieces: kept, rewritten, replaced or left out.

use std::collections::HashSet;

use keelback_cdef::{Declarations, FunctionOrigin, MacroValue, QualType, Record, Type};

use crate::c_text::{Token, TokenKind, replace_word};
use crate::repeated::{
    PackState, WaitingPacks, attributes_end, is_pack, pragma_words, repeated_attributes,
    repeated_pragma,
};
use crate::spec::CdefText;

use super::destination::Destination;
use super::piece::{Content, Piece, names_of};
use super::plain;
use super::words::{integer, is_reserved_name, is_wide_text};

pub(super) struct Writer<'a> {
    pub(super) declarations: &'a Declarations,
    pub(super) destination: Destination<'a>,
    pub(super) out: String,
    pub(super) known_tags: HashSet<String>,
    pub(super) uses_extension: bool,
    /// The packing of the text's structs where no pragma is in force.
    pub(super) pack: Option<u32>,
}

impl Writer<'_> {
    pub(super) fn cdef(
        &mut self,
        cdef: &CdefText,
        pieces: &[(Piece, Content)],
        needed: &HashSet<&str>,
    ) {
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

    /// Adds the packing of the text's options at `start`, and undoes the text's pragmas at its end: as in the parser,
    /// they apply to this text only.
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
        if piece.directive && self.destination == Destination::Plain {
            return plain::integer_macro(self.declarations, &text[piece.body.clone()]);
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
            // The name is declared before, or a later text overrides it: leave the piece out.
            return None;
        }
        if !is_type_only && self.destination == Destination::Source && !has_body {
            let tags = self.forward_tags(text, piece);
            return (!tags.is_empty()).then(|| tags.trim_end().to_owned());
        }
        // A constant may be a macro in the prelude, so it is left out; one that is declared `extern` is a variable.
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
            Destination::Plain if content.variables.is_empty() => String::new(),
            Destination::Plain | Destination::Source => "extern ".to_owned(),
        };
        let body = self.clean(text, piece, content);
        let is_plain = self.destination == Destination::Plain;
        let extension = if !is_plain && needs_extension(text, piece) {
            self.uses_extension = true;
            "KEELBACK_EXTENSION "
        } else {
            ""
        };
        // An attribute must not follow __extension__.
        Some(format!("{forward}{extension}{prefix}{body}"))
    }

    /// Whether a macro is repeated. Of macros that are not integers, the header repeats the floating and string
    /// constants, the plugin's C file none.
    fn is_repeated_macro(&self, definition: &str) -> bool {
        let name = definition.trim_start();
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
        match self
            .declarations
            .lookup_macro(&name[..end.unwrap_or(name.len())])
        {
            None => true,
            // Python has no value for wide text, C has.
            Some(MacroValue::Nothing) => {
                self.destination != Destination::Source
                    && is_wide_text(&name[end.unwrap_or(name.len())..])
            }
            Some(_) => self.destination != Destination::Source,
        }
    }

    /// As in CFFI, functions in `extern "Python"` of an embedding API are exported like all others.
    fn extern_python(&self, content: &Content) -> Option<String> {
        let prefix = match self.destination {
            Destination::Header { api_macro, .. } => format!("{api_macro} "),
            Destination::Plain => String::new(),
            Destination::Source => return None,
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
                format!("{prefix}{};", replace_word(&declaration, "_Bool", "bool"))
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
                if self.destination == Destination::Plain {
                    return plain::constant(name, constant.value?);
                }
                Some(format!("#define {name} {}", integer(constant.value?)))
            })
            .collect();
        lines.join("\n")
    }

    /// The declarations for a header of types that only the prelude defines.
    fn opaque(&self, content: &Content) -> Option<String> {
        let has_includes = match self.destination {
            Destination::Header { has_includes, .. } => has_includes,
            Destination::Plain => false,
            Destination::Source => return None,
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

    /// The piece's own text, changed where C and C++ differ so that it is valid in both.
    fn clean(&self, text: &str, piece: &Piece, content: &Content) -> String {
        let is_function = !content.functions.is_empty() || !content.variables.is_empty();
        let is_const = |index: usize| self.is_idle_const(text, piece, content, index);
        let mut out = String::new();
        let mut copied = piece.body.start;
        let mut depth = 0usize;
        let mut specifiers = is_function;
        let mut index = 0;
        while let Some(token) = piece.tokens.get(index) {
            if let Some((end, replacement)) = self.attributes(text, &piece.tokens, index) {
                if let Some(replacement) = replacement {
                    out.push_str(&text[copied..token.range.start]);
                    copied = piece.tokens[end - 1].range.end;
                    replace(text, &mut out, &mut copied, &replacement);
                }
                index = end;
                continue;
            }
            let replacement = match token.kind {
                TokenKind::Punctuation(b'(') => {
                    depth += 1;
                    let next = piece.tokens.get(index + 1);
                    next.is_some_and(|next| next.is(b')'))
                        .then(|| "(void".to_owned())
                }
                TokenKind::Punctuation(b')') => {
                    depth = depth.saturating_sub(1);
                    None
                }
                TokenKind::Word => {
                    let word = &text[token.range.clone()];
                    let replacement = if word == "const" && depth == 0 && is_const(index) {
                        Some(String::new())
                    } else {
                        self.word(word, specifiers, depth > 0)
                    };
                    specifiers &= replacement.is_some();
                    replacement
                }
                _ => None,
            };
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

    /// The end of the attributes that begin with a token, and what takes their place; nothing does if they stay.
    fn attributes(
        &self,
        text: &str,
        tokens: &[Token],
        index: usize,
    ) -> Option<(usize, Option<String>)> {
        let is_plain = self.destination == Destination::Plain;
        if let Some(end) = attributes_end(text, tokens, index) {
            let replacement = if is_plain {
                Some(String::new())
            } else {
                repeated_attributes(text, &tokens[index..end], &self.declarations.target)
            };
            return Some((end, replacement));
        }
        let is_alignment = is_plain
            && tokens[index].kind == TokenKind::Word
            && matches!(&text[tokens[index].range.clone()], "_Alignas" | "alignas");
        is_alignment
            .then(|| plain::parentheses_end(tokens, index + 1))
            .flatten()
            .map(|end| (end, Some(String::new())))
    }

    /// What takes the place of a word. `is_specifier`: the words in front of it were left out, and it may be one more of
    /// a function's specifiers.
    fn word(&self, word: &str, is_specifier: bool, is_in_parentheses: bool) -> Option<String> {
        match word {
            "static" | "extern" | "inline" | "__inline" | "__inline__" if is_specifier => {
                Some(String::new())
            }
            "_Bool" => Some("bool".to_owned()),
            "restrict" | "__restrict" | "__restrict__" | "_Noreturn" | "__extension__"
                if self.destination == Destination::Plain =>
            {
                Some(String::new())
            }
            "restrict" => Some("__restrict".to_owned()),
            "__stdcall" | "__cdecl" | "WINAPI" => Some(String::new()),
            _ if is_in_parentheses && is_reserved_name(word) => Some(format!("{word}_")),
            _ => None,
        }
    }
}

impl Writer<'_> {
    /// Whether a token is a `const` of a function's result itself, which has no meaning and causes warnings.
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

/// The tag at `index`, or behind the attributes at `index`.
fn tag_behind<'a>(text: &str, tokens: &'a [Token], mut index: usize) -> Option<&'a Token> {
    let mut next = tokens.get(index)?;
    while let Some(end) = attributes_end(text, tokens, index) {
        index = end;
        next = tokens.get(index)?;
    }
    (next.kind == TokenKind::Word).then_some(next)
}

/// Writes `replacement` for the words that end at `copied`. If it is empty, the blanks behind them go too.
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

/// Whether the piece has a `...` that does not end a parameter list.
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

/// Whether the piece has something that `-Wpedantic` warns about: bit-fields, anonymous and flexible members, empty
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
