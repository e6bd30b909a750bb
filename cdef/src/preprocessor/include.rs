//! `#include`: where files are found, and which need not be read again.

use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::Arc;

use super::target;
use super::token::{SPACE, START, Text, Token, TokenKind};
use super::{MainFile, Preprocessor};
use crate::types::Symbol;

/// A file that was read.
pub(super) struct Known {
    path: String,
    pub(super) text: Rc<Text>,
    /// `#pragma once`.
    pub(super) once: bool,
    /// It was entered at least once.
    pub(super) is_read: bool,
    /// The whole file is in an `#ifndef` of this macro.
    pub(super) guard: Option<Symbol>,
}

/// A file that is to be entered.
pub(super) struct Pending {
    pub(super) text: Rc<Text>,
    pub(super) path: String,
    pub(super) file: usize,
    pub(super) dir: usize,
    /// The file name in the `#include` that names it.
    pub(super) from: Token,
}

/// An `#include` that has found its file, entered or not.
#[derive(Debug)]
pub(super) struct Inclusion {
    /// The file name in the directive.
    pub(super) from: Token,
    pub(super) file: usize,
    /// The name as the directive spells it: `<stdio.h>`.
    pub(super) spelling: String,
}

/// Whether a whole text is in one `#ifndef`, as far as it has been read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Guard {
    Start,
    Within(Symbol),
    Behind(Symbol),
    No,
}

/// GCC's limit.
const DEEPEST: usize = 200;

impl Preprocessor<'_> {
    pub(super) fn add_file(&mut self, path: &str, text: Arc<str>) -> usize {
        self.files.push(Known {
            path: path.to_owned(),
            text: Rc::new(Text::new(text)),
            once: false,
            is_read: false,
            guard: None,
        });
        self.files.len() - 1
    }

    /// Adds a main file; its number among all files.
    pub(super) fn add_main(&mut self, main: &MainFile<'_>) -> usize {
        let identity = self.loader.identity(main.name);
        if let Some(&known) = self.identities.get(&identity) {
            return known;
        }
        let file = self.add_file(main.name, main.text.into());
        self.identities.insert(identity, file);
        self.paths.insert(main.name.to_owned(), Some(file));
        file
    }

    /// Whether including a file again would have no effect.
    pub(super) fn is_done(&self, file: usize) -> bool {
        let known = &self.files[file];
        let is_defined = |guard| self.macro_of(guard).is_some();
        known.once && known.is_read || known.guard.is_some_and(is_defined)
    }

    /// Notes a token outside of all directives: if it is outside of the `#ifndef` too, the text has no guard.
    pub(super) fn guard_sees_token(&mut self) {
        if let Some(buffer) = self.buffers.last_mut()
            && !matches!(buffer.guard, Guard::Within(_))
        {
            buffer.guard = Guard::No;
        }
    }

    fn open(&mut self, path: &str) -> Option<usize> {
        match self.paths.entry(path.to_owned()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let Some(text) = self.loader.load(path) else {
                    new.insert(None);
                    return None;
                };
                let next = self.files.len();
                let identity = self.loader.identity(path);
                let file = *self.identities.entry(identity).or_insert(next);
                new.insert(Some(file));
                if file == next {
                    self.add_file(path, text);
                }
                Some(file)
            }
        }
    }

    /// The number of a built-in header, added if it is new.
    fn own(&mut self, name: &str, text: &str) -> usize {
        let path = format!("<built-in>/{name}");
        if let Some(&Some(file)) = self.paths.get(&path) {
            return file;
        }
        let file = self.add_file(&path, text.into());
        self.paths.insert(path, Some(file));
        file
    }

    /// The file that a header's name means, and the number of its folder: 0 is that of the current file.
    pub(super) fn find(&mut self, name: &str, angled: bool, next: bool) -> Option<(usize, usize)> {
        if name.starts_with('/') {
            return self.open(name).map(|file| (file, 0));
        }
        let at_hand = self.buffers.last()?;
        let mut from = 1;
        if next && at_hand.dir > 0 {
            from = at_hand.dir + 1;
        } else if !angled && !next {
            let dir = at_hand.dir;
            let path = at_hand
                .file
                .map_or("", |file| self.files[file].path.as_str());
            let folder = path.rfind('/').map_or("", |end| &path[..=end]);
            let path = format!("{folder}{name}");
            if let Some(file) = self.open(&path) {
                return Some((file, dir));
            }
        }
        let options = self.options;
        let dirs = options.include_dirs.iter().chain(&options.system_dirs);
        let mut found = dirs.zip(1..).skip(from - 1).find_map(|(dir, number)| {
            let path = format!("{}/{name}", dir.trim_end_matches('/'));
            Some((self.open(&path)?, number))
        });
        // Last come the built-in versions of the headers that a compiler brings.
        let last = options.include_dirs.len() + options.system_dirs.len() + 1;
        if found.is_none()
            && from <= last
            && let Some(text) = target::freestanding(name)
        {
            found = Some((self.own(name, text), last));
        }
        found
    }

    /// The name of a header without its quotes, whether they were `<>`, and the number of tokens.
    pub(super) fn header_name(&mut self, tokens: &[Token]) -> Option<(String, bool, usize)> {
        let first = *tokens.first()?;
        if first.kind == TokenKind::Text {
            let text = self.text(first).strip_prefix('"')?.strip_suffix('"')?;
            return Some((text.to_owned(), false, 1));
        }
        if !self.text(first).starts_with('<') {
            return None;
        }
        let mut name = String::new();
        for (index, &token) in tokens.iter().enumerate() {
            if index > 1 && token.has(SPACE | START) {
                name.push(' ');
            }
            let before = name.len();
            name.push_str(self.text(token));
            if let Some(end) = name[before..].find('>') {
                let end = before + end;
                return Some((name[1..end].to_owned(), true, index + 1));
            }
        }
        None
    }

    pub(super) fn include(&mut self, hash: Token, directive: Token, next: bool) {
        let mut tokens = self.rest_of_line();
        if tokens
            .first()
            .is_some_and(|first| first.kind == TokenKind::Name)
        {
            tokens = self.expand_line(tokens);
        }
        let Some((name, angled, _)) = self.header_name(&tokens) else {
            let text = self.text(directive).to_owned();
            return self.error(
                directive,
                format!("#{text} expects \"FILENAME\" or <FILENAME>"),
            );
        };
        let at = tokens.first().copied().unwrap_or(hash);
        let Some((file, dir)) = self.find(&name, angled, next) else {
            self.error(
                at,
                format!("'{name}' is in none of the folders for includes"),
            );
            return;
        };
        let spelling = if angled {
            format!("<{name}>")
        } else {
            format!("\"{name}\"")
        };
        self.inclusions.push(Inclusion {
            from: at,
            file,
            spelling,
        });
        if self.is_done(file) {
            return;
        }
        if self.buffers.len() > DEEPEST {
            return self.stop(at, "files include each other more than 200 deep");
        }
        let known = &self.files[file];
        self.pending = Some(Pending {
            text: Rc::clone(&known.text),
            path: known.path.clone(),
            file,
            dir,
            from: at,
        });
    }
}
