//! Type strings that are one declared name: what most of them are. They need no parser.

use crate::declarations::Declarations;
use crate::types::{MAX_TYPE_DEPTH, QualType, RecordKind, Type};

/// A name with what stands in front of it and behind it: `struct foo **`.
pub(crate) struct Plain<'a> {
    pub(crate) keyword: Option<&'a str>,
    pub(crate) name: &'a str,
    pub(crate) stars: usize,
}

impl<'a> Plain<'a> {
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let (first, rest) = word(text)?;
        let (keyword, name, mut rest) = if matches!(first, "struct" | "union" | "enum") {
            let (name, rest) = word(rest)?;
            (Some(first), name, rest)
        } else {
            (None, first, rest)
        };
        let mut stars = 0;
        loop {
            rest = rest.trim_start_matches(' ');
            match rest.strip_prefix('*') {
                Some(behind) => {
                    rest = behind;
                    stars += 1;
                }
                None if rest.is_empty() => break,
                None => return None,
            }
        }
        Some(Self {
            keyword,
            name,
            stars,
        })
    }
}

/// The identifier at the start of a text, of ASCII letters, digits and `_`, and what follows.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(' ');
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let end = text.bytes().take_while(is_part).count();
    let is_word = text
        .bytes()
        .next()
        .is_some_and(|byte| !byte.is_ascii_digit());
    (end > 0 && is_word).then(|| text.split_at(end))
}

impl Declarations {
    /// The type of such a string, if its name is declared; `None`: the parser has to say what it is, or what is wrong.
    pub(super) fn plain_type(&mut self, text: &str) -> Option<QualType> {
        let plain = Plain::of(text)?;
        let symbol = self.types.find_symbol(plain.name)?;
        let ty = match plain.keyword {
            None => self.typedefs[*self.typedef_names.get(&symbol)? as usize].ty,
            Some("enum") => {
                let id = *self.enum_tags.get(&symbol)?;
                QualType::plain(self.types.intern(Type::Enum(id)))
            }
            Some(keyword) => {
                let kind = match keyword {
                    "struct" => RecordKind::Struct,
                    _ => RecordKind::Union,
                };
                let id = *self.record_tags.get(&(kind, symbol))?;
                QualType::plain(self.types.intern(Type::Record(id)))
            }
        };
        self.with_stars(ty, plain.stars)
    }

    /// A pointer to a pointer to... the type, with so many stars; `None` if that is nested too deeply.
    pub(crate) fn with_stars(&mut self, mut ty: QualType, stars: usize) -> Option<QualType> {
        if self.types.depth(ty.ty) as usize + stars > usize::from(MAX_TYPE_DEPTH) {
            return None;
        }
        for _ in 0..stars {
            ty = QualType::plain(self.types.pointer_to(ty));
        }
        Some(ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParseOptions, Target};

    /// What the parser says of the same string, with something in front of it that means nothing.
    fn by_the_parser(declarations: &mut Declarations, text: &str) -> Option<QualType> {
        let text = format!("/**/{text}");
        assert!(declarations.plain_type(&text).is_none());
        declarations.parse_declared_type(&text).ok()
    }

    #[test]
    fn plain_strings_mean_what_the_parser_says() {
        let mut declarations = Declarations::new(Target::host());
        let text = "struct a { int x; }; union a2 { int x; }; enum e { E }; typedef const struct a *pa; \
                    typedef int (*f)(int); typedef int g(int); typedef int array[3]; typedef const int ci; \
                    typedef double size_t; typedef enum { F } anonymous; struct opaque; \
                    typedef double aligned __attribute__((aligned(64)));";
        declarations
            .parse(text, &ParseOptions::default())
            .expect("good declarations");
        for known in [
            "struct a",
            "struct a *",
            "  struct  a  * * ",
            "struct a**",
            "union a2*",
            "enum e",
            "enum e *",
            "pa",
            "pa *",
            "f",
            "f*",
            "g",
            "g *",
            "array",
            "array *",
            "ci",
            "ci *",
            "size_t",
            "size_t *",
            "anonymous",
            "struct opaque *",
            "aligned",
            "aligned *",
        ] {
            let plain = declarations.plain_type(known);
            assert!(plain.is_some(), "{known}");
            assert_eq!(plain, by_the_parser(&mut declarations, known), "{known}");
        }
        for unknown in [
            "",
            " ",
            "*",
            "struct",
            "struct *",
            "struct e",
            "union a",
            "struct a2",
            "enum a",
            "a",
            "e",
            "E",
            "struct a b",
            "pa pa",
            "pa[3]",
            "pa * const",
            "const pa",
            "int",
            "3a",
            "struct a &",
            "struct nowhere",
            "wchar_t",
            "f(*)",
        ] {
            assert_eq!(declarations.plain_type(unknown), None, "{unknown}");
        }
        let deep = format!("pa{}", "*".repeat(usize::from(MAX_TYPE_DEPTH)));
        assert_eq!(declarations.plain_type(&deep), None);
    }
}
