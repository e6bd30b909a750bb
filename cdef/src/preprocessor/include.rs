//! `#include`: where files are found, and which need not be read again.

use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::Arc;

use super::Preprocessor;
use super::target;
use super::token::{SPACE, START, Text, Token, TokenKind};
use crate::types::Symbol;

/// A file that was read.
pub(super) struct Known {
    path: String,
    pub(super) text: Rc<Text>,
    /// `#pragma once`.
    pub(super) once: bool,
    /// All of it is in `#ifndef` of this.
    pub(super) guard: Option<Symbol>,
}

/// Whether a text is all in one `#ifndef`.
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
            guard: None,
        });
        self.files.len() - 1
    }

    /// A token that is outside of all directives has been met.
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
                new.insert(Some(self.files.len()));
                Some(self.add_file(path, text))
            }
        }
    }

    /// A header of our own.
    fn own(&mut self, name: &str, text: &str) -> usize {
        let path = format!("<built-in>/{name}");
        if let Some(&Some(file)) = self.paths.get(&path) {
            return file;
        }
        let file = self.add_file(&path, text.into());
        self.paths.insert(path, Some(file));
        file
    }

    /// The file that a header's name means, and the number of its folder: 0 is that of the file at hand.
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
        // Behind all folders is what a compiler would have brought.
        let last = options.include_dirs.len() + options.system_dirs.len() + 1;
        if found.is_none()
            && from <= last
            && let Some(text) = target::freestanding(name)
        {
            found = Some((self.own(name, text), last));
        }
        found
    }

    /// The name of a header, its quotes taken away, and whether they were `<>`.
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
        let known = &self.files[file];
        if known.once
            || known
                .guard
                .is_some_and(|guard| self.macro_of(guard).is_some())
        {
            return;
        }
        if self.buffers.len() > DEEPEST {
            return self.stop(at, "files include each other more than 200 deep");
        }
        let (text, path) = (Rc::clone(&known.text), known.path.clone());
        self.pending = Some((text, path, file, dir, at));
    }
}
