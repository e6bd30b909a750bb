//! What the names in a type string mean.

use super::{Sorted, TableError, TableSource, Tables};
use crate::declarations::Declarations;
use crate::parser::plain::Plain;
use crate::types::{QualType, Type};

/// Where a name stands: which table it can be in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Behind `struct` or `union`.
    Record,
    /// Behind `enum`.
    Enum,
    /// Anywhere else: a typedef, or a constant.
    Alone,
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

impl<S: TableSource> Tables<S> {
    /// The type of a string that is one name of the tables, with what stands in front of it and behind it: `struct foo *`.
    /// It is looked up once. `None` for all other strings: [`declare_words`](Self::declare_words) is for those.
    ///
    /// # Errors
    /// As [`declare_global`](Self::declare_global).
    pub fn declare_plain(
        &mut self,
        declarations: &mut Declarations,
        text: &str,
    ) -> Result<Option<QualType>, TableError> {
        let Some(plain) = Plain::of(text) else {
            return Ok(None);
        };
        let table = match plain.keyword {
            None => Sorted::Typedefs,
            Some("enum") => Sorted::Enums,
            Some(_) => Sorted::Records,
        };
        let Some(index) = self.source.find(table, plain.name.as_bytes()) else {
            return Ok(None);
        };
        let ty = match table {
            Sorted::Typedefs => self.declare_typedef_at(declarations, index)?,
            Sorted::Enums => {
                let id = self.declare_enum_at(declarations, index)?;
                QualType::plain(declarations.types.intern(Type::Enum(id)))
            }
            _ => {
                let id = self.declare_record_at(declarations, index)?;
                if Some(declarations.types.record(id).kind.keyword()) != plain.keyword {
                    return Ok(None);
                }
                QualType::plain(declarations.types.intern(Type::Record(id)))
            }
        };
        Ok(declarations.with_stars(ty, plain.stars))
    }

    /// Declares what the names in a type string mean, where they stand. A string that has a meaning has it then.
    ///
    /// # Errors
    /// As [`declare_global`](Self::declare_global).
    pub fn declare_words(
        &mut self,
        declarations: &mut Declarations,
        text: &str,
    ) -> Result<(), TableError> {
        let is_plain = |byte| is_part(byte) || matches!(byte, b' ' | b'*');
        let may_have_constants = !text.bytes().all(is_plain);
        let mut standing = Standing::Alone;
        for word in words(text) {
            match word {
                "struct" | "union" => standing = Standing::Record,
                "enum" => standing = Standing::Enum,
                // In no table, and most common.
                "const" | "unsigned" | "signed" | "char" | "short" | "int" | "long" | "float"
                | "double" | "void" => standing = Standing::Alone,
                _ => {
                    let place = std::mem::replace(&mut standing, Standing::Alone);
                    self.declare_word(declarations, word, place, may_have_constants)?;
                }
            }
        }
        Ok(())
    }

    fn declare_word(
        &mut self,
        declarations: &mut Declarations,
        word: &str,
        standing: Standing,
        may_be_constant: bool,
    ) -> Result<(), TableError> {
        let bytes = word.as_bytes();
        match standing {
            Standing::Record => match self.source.find(Sorted::Records, bytes) {
                Some(index) => self.declare_record_at(declarations, index).map(|_| ()),
                None => Ok(()),
            },
            Standing::Enum => match self.source.find(Sorted::Enums, bytes) {
                Some(index) => self.declare_enum_at(declarations, index).map(|_| ()),
                None => Ok(()),
            },
            Standing::Alone => {
                if let Some(index) = self.source.find(Sorted::Typedefs, bytes) {
                    self.declare_typedef_at(declarations, index)?;
                }
                if may_be_constant {
                    self.declare_constant(declarations, word)?;
                }
                Ok(())
            }
        }
    }

    /// Declares everything that is called as a name in a type string is. What is wrong with a string can be said then.
    ///
    /// # Errors
    /// As [`declare_global`](Self::declare_global).
    pub fn declare_namesakes(
        &mut self,
        declarations: &mut Declarations,
        text: &str,
    ) -> Result<(), TableError> {
        for word in words(text) {
            self.declare_type(declarations, word)?;
            self.declare_constant(declarations, word)?;
        }
        Ok(())
    }
}

/// The names and keywords in a text.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut place = 0;
    std::iter::from_fn(move || {
        loop {
            let start = place + bytes[place..].iter().position(|&byte| is_part(byte))?;
            let length = bytes[start..].iter().position(|&byte| !is_part(byte));
            place = length.map_or(bytes.len(), |length| start + length);
            if !bytes[start].is_ascii_digit() {
                // All bytes of a character that is not ASCII are parts: these are whole characters.
                return Some(&text[start..place]);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_names_and_keywords() {
        let words = |text| super::words(text).collect::<Vec<_>>();
        assert_eq!(words(" struct foo *[3x][N] "), ["struct", "foo", "N"]);
        assert_eq!(words("größe*$a,_b"), ["größe", "$a", "_b"]);
        assert_eq!((words(""), words("* 1")), (vec![], vec![]));
    }
}
