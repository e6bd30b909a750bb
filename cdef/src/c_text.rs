//! Types as text: C declarations, and the spelling that CFFI shows for ctypes.

use std::fmt::Write;

use crate::declarations::Declarations;
use crate::types::{
    ArrayLength, CallingConvention, FunctionType, QualType, Qualifiers, RecordId, Symbol, Type,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style<'a> {
    /// What a C compiler reads; `[...]` where a length is not known yet.
    C,
    /// As [`Self::C`], for generated C: a typedef name is preferred to a tag, and a length that is not known yet is
    /// this prefix and the number of the array.
    Generated(&'a str),
    /// What CFFI prints: no qualifiers, `int * *`, `int(*)(int)`.
    Cffi,
}

fn qualifier_words(quals: Qualifiers) -> String {
    let mut words = String::new();
    for (qualifier, word) in [
        (Qualifiers::CONST, "const "),
        (Qualifiers::VOLATILE, "volatile "),
        (Qualifiers::RESTRICT, "__restrict "),
        (Qualifiers::ATOMIC, "_Atomic "),
    ] {
        if quals.contains(qualifier) {
            words.push_str(word);
        }
    }
    words
}

impl Declarations {
    /// `ty` as a C declaration of `name` (`int (*name)(const char *)`); with an empty name, as a type name.
    ///
    /// A record or enum that has no name in C at all prints as CFFI's `struct $1`, which no compiler takes:
    /// ask [`Self::has_c_name`] first where that can happen.
    pub fn c_declaration(&self, ty: QualType, name: &str) -> String {
        self.print(ty, name.to_owned(), Style::C)
    }

    /// [`Self::c_declaration`] for generated C: records and enums as [`Self::record_in_c`] spells them, and `prefix` and
    /// the array's number instead of `...` as the length of an array that only the compiler knows
    /// ([`Question::ArrayLength`](crate::Question::ArrayLength)).
    pub fn generated_declaration(&self, ty: QualType, name: &str, prefix: &str) -> String {
        self.print(ty, name.to_owned(), Style::Generated(prefix))
    }

    /// `ty` in CFFI's spelling, as in `<ctype 'int(*)(int)'>`.
    pub fn cffi_name(&self, ty: QualType) -> String {
        self.cffi_name_and_position(ty).0
    }

    /// [`Self::cffi_name`], and the byte offset in it at which a declarator's name or a further `*`, `[]` or `()` is
    /// inserted.
    pub fn cffi_name_and_position(&self, ty: QualType) -> (String, usize) {
        // `&` stands for the name: no identifier contains it.
        let mut text = self.print(ty, "&".to_owned(), Style::Cffi);
        let position = text.find('&').unwrap_or(text.len());
        if position < text.len() {
            text.remove(position);
        }
        (text, position)
    }

    /// Makes records and enums print by their tags again, without the names that typedefs gave them: CFFI's compiled
    /// modules have no such names.
    pub fn forget_forced_names(&mut self) {
        for record in &mut self.types.records {
            record.forced_name = None;
        }
        for enumeration in &mut self.types.enums {
            enumeration.forced_name = None;
        }
    }

    /// The spelling of a record: `struct foo`, `foo_t`, or `struct $1`.
    pub fn record_name(&self, id: RecordId) -> String {
        let record = self.types.record(id);
        let keyword = record.kind.keyword();
        self.tagged_name(
            keyword,
            record.tag.filter(|_| record.forced_name.is_none()),
            record.forced_name.or(record.typedef_name),
            record.pointer_typedef.filter(|_| record.fields.is_none()),
            record.number,
        )
    }

    /// How generated C spells a record: by its first typedef, as CFFI does; where there is none, by its tag. `None` for one
    /// that has no name in C.
    pub fn record_in_c(&self, id: RecordId) -> Option<String> {
        let record = self.types.record(id);
        // These two structs are built into the compiler: no header declares their tags.
        match record.tag.map(|tag| self.text(tag)) {
            Some("__va_list_tag") => {
                return Some("__typeof__(**(__builtin_va_list *)0)".to_owned());
            }
            Some("__va_list") => return Some("__builtin_va_list".to_owned()),
            _ => {}
        }
        let typedef_name = record.typedef_name.filter(|_| record.tag.is_none());
        self.name_in_c(
            record.kind.keyword(),
            record.tag,
            record.alias.or(typedef_name),
        )
    }

    /// [`Self::record_in_c`] of an enum.
    pub fn enum_in_c(&self, id: crate::types::EnumId) -> Option<String> {
        let enumeration = self.types.enumeration(id);
        let typedef_name = enumeration
            .typedef_name
            .filter(|_| enumeration.tag.is_none());
        self.name_in_c("enum", enumeration.tag, enumeration.alias.or(typedef_name))
    }

    fn name_in_c(
        &self,
        keyword: &str,
        tag: Option<Symbol>,
        typedef_name: Option<Symbol>,
    ) -> Option<String> {
        match (typedef_name, tag) {
            (Some(name), _) => Some(self.text(name).to_owned()),
            (None, Some(tag)) => Some(format!("{keyword} {}", self.text(tag))),
            (None, None) => None,
        }
    }

    /// The spelling of an enum.
    pub fn enum_name(&self, id: crate::types::EnumId) -> String {
        let enumeration = self.types.enumeration(id);
        self.tagged_name(
            "enum",
            enumeration
                .tag
                .filter(|_| enumeration.forced_name.is_none()),
            enumeration.forced_name.or(enumeration.typedef_name),
            None,
            enumeration.number,
        )
    }

    fn tagged_name(
        &self,
        keyword: &str,
        tag: Option<Symbol>,
        typedef_name: Option<Symbol>,
        pointer_typedef: Option<Symbol>,
        number: u32,
    ) -> String {
        match (tag, typedef_name, pointer_typedef) {
            // Of every struct that is used: put together without the machinery of formats.
            (Some(tag), _, _) => {
                let tag = self.text(tag);
                let mut name = String::with_capacity(keyword.len() + 1 + tag.len());
                name.push_str(keyword);
                name.push(' ');
                name.push_str(tag);
                name
            }
            (None, Some(name), _) => self.text(name).to_owned(),
            (None, None, Some(name)) => format!("{keyword} $${}", self.text(name)),
            (None, None, None) => format!("{keyword} ${number}"),
        }
    }

    /// Whether C has a way to write the type. Not so for records and enums without tag and typedef name,
    /// and for what is made of them (but a pointer to one may have a typedef of its own).
    pub fn has_c_name(&self, ty: QualType) -> bool {
        match self.types.get(ty.ty) {
            Type::Void | Type::Primitive(_) | Type::Unknown(_) => true,
            Type::Pointer(to) => self.pointer_typedef(*to).is_some() || self.has_c_name(*to),
            Type::Array { item, .. } => self.has_c_name(*item),
            Type::Function(function) => {
                self.has_c_name(function.result)
                    && function.params.iter().all(|&param| self.has_c_name(param))
            }
            Type::Record(id) => {
                let record = self.types.record(*id);
                record.tag.is_some() || record.typedef_name.is_some()
            }
            Type::Enum(id) => {
                let enumeration = self.types.enumeration(*id);
                enumeration.tag.is_some() || enumeration.typedef_name.is_some()
            }
        }
    }

    /// The typedef that names a pointer to a record or enum without a name of its own.
    fn pointer_typedef(&self, to: QualType) -> Option<Symbol> {
        match self.types.get(to.ty) {
            Type::Record(id) => {
                let record = self.types.record(*id);
                record
                    .pointer_typedef
                    .filter(|_| record.tag.is_none() && record.typedef_name.is_none())
            }
            Type::Enum(id) => {
                let enumeration = self.types.enumeration(*id);
                enumeration
                    .pointer_typedef
                    .filter(|_| enumeration.tag.is_none() && enumeration.typedef_name.is_none())
            }
            _ => None,
        }
    }

    fn print(&self, ty: QualType, inner: String, style: Style<'_>) -> String {
        let quals = if style != Style::Cffi {
            ty.quals
        } else {
            Qualifiers::NONE
        };
        let is_generated = matches!(style, Style::Generated(_));
        let base = match self.types.get(ty.ty) {
            Type::Void => "void".to_owned(),
            Type::Primitive(primitive) => primitive.name().to_owned(),
            Type::Unknown(id) => self.text(self.types.unknown(*id).name).to_owned(),
            Type::Record(id) => self
                .record_in_c(*id)
                .filter(|_| is_generated)
                .unwrap_or_else(|| self.record_name(*id)),
            Type::Enum(id) => self
                .enum_in_c(*id)
                .filter(|_| is_generated)
                .unwrap_or_else(|| self.enum_name(*id)),
            Type::Pointer(to) => {
                if style != Style::Cffi
                    && let Some(name) = self.pointer_typedef(*to)
                {
                    return join(quals, self.text(name).to_owned(), inner, style);
                }
                return self.print_pointer(*to, quals, inner, style);
            }
            Type::Array { item, length } => {
                let length = match *length {
                    ArrayLength::Fixed(length) => length.to_string(),
                    ArrayLength::Unspecified => String::new(),
                    ArrayLength::FromCompiler(number) => {
                        self.types.compiler_lengths[number as usize].map_or_else(
                            || match style {
                                Style::Generated(prefix) => format!("{prefix}{number}"),
                                _ => "...".to_owned(),
                            },
                            |length| length.to_string(),
                        )
                    }
                };
                let mut item = *item;
                item.quals = item.quals.union(quals);
                return self.print(item, format!("{inner}[{length}]"), style);
            }
            Type::Function(function) => {
                let inner = format!("{inner}{}", self.print_params(function, style));
                return self.print(function.result, inner, style);
            }
        };
        join(quals, base, inner, style)
    }

    fn print_pointer(
        &self,
        to: QualType,
        quals: Qualifiers,
        inner: String,
        style: Style<'_>,
    ) -> String {
        let target = self.types.get(to.ty);
        let parenthesised = matches!(target, Type::Array { .. } | Type::Function(_));
        let convention = match target {
            Type::Function(function) if function.convention == CallingConvention::Stdcall => {
                "__stdcall "
            }
            _ => "",
        };
        let words = qualifier_words(quals);
        let star = if words.is_empty() || !inner.is_empty() {
            format!("*{words}{inner}")
        } else {
            format!("*{}", words.trim_end())
        };
        let inner = match (parenthesised, style) {
            (true, _) => format!("({convention}{star})"),
            (false, Style::Cffi) => format!(" {star}"),
            (false, _) => star,
        };
        self.print(to, inner, style)
    }

    fn print_params(&self, function: &FunctionType, style: Style<'_>) -> String {
        let mut text = "(".to_owned();
        for (index, &param) in function.params.iter().enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            match style {
                Style::Cffi => text.push_str(&self.cffi_name(param)),
                _ => text.push_str(&self.print(param, String::new(), style)),
            }
        }
        if function.variadic {
            text.push_str(", ...");
        } else if function.params.is_empty() && style != Style::Cffi {
            text.push_str("void");
        }
        text.push(')');
        text
    }
}

fn join(quals: Qualifiers, base: String, inner: String, style: Style<'_>) -> String {
    let mut text = qualifier_words(quals);
    text.push_str(&base);
    if style != Style::Cffi && !inner.is_empty() && !inner.starts_with('[') {
        text.push(' ');
    }
    // Writing into a String can't fail.
    let _ = write!(text, "{inner}");
    text
}
