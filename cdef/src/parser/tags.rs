//! Structs, unions and enums (C11 6.7.2).

use crate::declarations::{Item, Undo};
use crate::diagnostic::Diagnostic;
use crate::keyword::Keyword;
use crate::lexer::Tok;
use crate::message;
use crate::source::Span;
use crate::types::{
    ArrayLength, Enum, EnumId, Enumerator, Field, Packing, Primitive, RecordId, RecordKind, Symbol,
    Type, TypeId,
};

use super::attribute::Attributes;
use super::declarator::Mode;
use super::specifiers::{Base, Place, Tag};
use super::{Parse, Parser, PieceName};

impl Parser<'_> {
    /// Reads `struct foo` or `union foo`, with or without a body; the keyword is the current token.
    pub(super) fn record_specifier(&mut self) -> Parse<(Tag, TypeId)> {
        self.descend()?;
        let start = self.tok.start;
        let kind = if self.at_keyword(Keyword::Struct) {
            RecordKind::Struct
        } else {
            RecordKind::Union
        };
        self.bump();
        let around = self.refusal.take();
        let mut attributes = Attributes::default();
        self.attributes(&mut attributes)?;
        let tag = self.tag_name();
        let span = tag.map_or(self.span_from(start), |(_, span)| span);
        let tag = tag.map(|(symbol, _)| symbol);
        let has_body = self.at_body();
        if tag.is_none() && !has_body {
            return Err(Box::new(
                self.unexpected(message::expected("a name or '{'"))
                    .short("struct or union name expected"),
            ));
        }
        self.check_other_kind(kind, tag, span)?;
        let known = tag.and_then(|tag| self.decls.record_tags.get(&(kind, tag)).copied());
        let id = match known {
            Some(id) => id,
            None => {
                let id = self.push_record(kind, tag, span);
                if let Some(tag) = tag {
                    self.decls.bind_record_tag(tag, id);
                    if !has_body && !self.is_type_string {
                        self.decls.items.push(Item::Forward(id));
                    }
                }
                id
            }
        };
        let ty = self.decls.types.intern(Type::Record(id));
        if has_body {
            tag.into_iter()
                .for_each(|tag| self.piece_names(PieceName::Tag(tag)));
            self.record_body(id, span, attributes)?;
        }
        // A refusal inside the body concerns the record alone: the declaration keeps the refusal from before.
        self.refusal = around.or_else(|| self.refusal.take());
        self.ascend();
        Ok((Tag::Record(id), ty))
    }

    /// Whether the body of a struct, union or enum follows. Type strings of a compiled module cannot define types.
    fn at_body(&self) -> bool {
        self.at(Tok::LBrace) && !self.declared_only
    }

    /// C has one name space for all tags (C11 6.2.3); CFFI has one for structs and one for unions.
    fn check_other_kind(&self, kind: RecordKind, tag: Option<Symbol>, span: Span) -> Parse<()> {
        if self.as_cffi || self.is_type_string && !self.declared_only {
            return Ok(());
        }
        let other = match kind {
            RecordKind::Struct => RecordKind::Union,
            RecordKind::Union => RecordKind::Struct,
        };
        let known = tag.and_then(|tag| self.decls.record_tags.get(&(other, tag)));
        let Some(&id) = known else {
            return Ok(());
        };
        if self.is_type_string {
            // In CFFI's cdefs a struct and a union may have the same tag: it is an error only if no tag of this kind
            // exists.
            let both = tag.is_some_and(|tag| self.decls.record_tags.contains_key(&(kind, tag)));
            return if both {
                Ok(())
            } else {
                Err(Box::new(Diagnostic::ffi(span, message::WRONG_TAG)))
            };
        }
        let name = format!("{} {}", kind.keyword(), self.text_of_tag(tag));
        let hint = message::earlier(&self.place_of(self.decls.types.record(id).span));
        let message = message::other_tag(&name, &format!("'{}'", self.decls.record_name(id)));
        Err(Box::new(Diagnostic::cdef(span, message).hint(hint)))
    }

    fn text_of_tag(&self, tag: Option<Symbol>) -> &str {
        tag.map_or("", |tag| self.name_text(tag))
    }

    fn tag_name(&mut self) -> Option<(Symbol, Span)> {
        let is_name = match self.tok.tok {
            Tok::Name => true,
            Tok::Keyword(_) => crate::keyword::is_soft(self.text_of(self.tok)),
            _ => false,
        };
        is_name.then(|| {
            let found = (self.tok.symbol, self.span());
            self.bump();
            found
        })
    }

    fn duplicate_record(&self, id: RecordId, span: Span) -> Box<Diagnostic> {
        let record = self.decls.types.record(id);
        let message = message::duplicate_record(&self.decls.record_name(id));
        let hint = message::earlier(&self.place_of(record.span));
        Box::new(Diagnostic::cdef(span, message).hint(hint))
    }

    fn record_body(&mut self, id: RecordId, span: Span, mut attributes: Attributes) -> Parse<()> {
        if self.decls.types.record(id).fields.is_some() {
            return Err(self.duplicate_record(id, span));
        }
        let opening = self.span();
        self.bump();
        self.record_depth += 1;
        let mut fields = Vec::new();
        let mut partial = false;
        let max_align = self.pack_pragma.or(self.pack_option);
        while !self.at(Tok::RBrace) {
            match self.tok() {
                Tok::Eof => {
                    return Err(Box::new(Diagnostic::syntax(opening, message::BLOCK_END)));
                }
                Tok::Semicolon => self.bump(),
                Tok::Ellipsis => {
                    partial = true;
                    self.bump();
                    if !self.eat(Tok::Semicolon) {
                        let diagnostic = self.unexpected(message::DOTS_NEED_SEMICOLON);
                        self.errors.push(*diagnostic);
                        if !self.at(Tok::RBrace) {
                            self.bump();
                        }
                    }
                }
                Tok::Keyword(Keyword::StaticAssert) => self.static_assert()?,
                Tok::Keyword(Keyword::Extension) if self.skip_extensions() => {}
                Tok::Keyword(Keyword::Pragma) => self.pragma_operator()?,
                _ => partial |= self.member_or_recover(&mut fields)?,
            }
        }
        self.record_depth -= 1;
        self.bump();
        self.attributes(&mut attributes)?;
        if self.decls.types.record(id).fields.is_some() {
            // A struct of the same name inside its own body.
            return Err(self.duplicate_record(id, span));
        }
        let refusal = self.refusal.take();
        let by_value = || {
            fields
                .iter()
                .find_map(|field| self.refused_by_value(field.ty.ty))
        };
        if let Some(why) = refusal.or_else(by_value) {
            self.refuse_record(id, &why);
            return Ok(());
        }
        fields.shrink_to_fit();
        for (index, field) in fields.iter().enumerate() {
            self.own(field.ty.ty, id, index as u32);
        }
        let has_bit_fields = fields.iter().any(|field: &Field| field.bits.is_some());
        if id.index() < self.first_new_record {
            let old = Box::new(self.decls.types.record(id).clone());
            self.decls.journal.push(Undo::Record(id, old));
        }
        let record = &mut self.decls.types.records[id.index()];
        record.fields = Some(fields);
        record.partial = partial;
        record.span = span;
        record.packing = Packing {
            max_align,
            attribute: attributes.packed || record.packing.attribute,
        };
        record.align = attributes.last_align;
        self.decls.items.push(Item::Record(id));
        if partial && has_bit_fields {
            let message = message::partial_bit_fields(&self.decls.record_name(id));
            return Err(Box::new(Diagnostic::not_implemented(span, message)));
        }
        Ok(())
    }

    /// If `ty` is (an array of) a struct without a name, notes that it is the type of field `index` of `owner`.
    fn own(&mut self, mut ty: TypeId, owner: RecordId, index: u32) {
        while let Type::Array { item, .. } = self.decls.types.get(ty) {
            ty = item.ty;
        }
        if let Type::Record(inner) = *self.decls.types.get(ty) {
            let inner = &mut self.decls.types.records[inner.index()];
            if inner.tag.is_none() && inner.typedef_name.is_none() && inner.owner.is_none() {
                inner.owner = Some((owner, index));
            }
        }
    }

    /// Reads one member declaration. An error is recorded, and parsing continues with the next member.
    fn member_or_recover(&mut self, fields: &mut Vec<Field>) -> Parse<bool> {
        let saved = (self.depth, self.record_depth);
        match self.member(fields) {
            Ok(partial) => Ok(partial),
            Err(diagnostic) => {
                self.errors.push(*diagnostic);
                (self.depth, self.record_depth) = saved;
                self.unevaluated = 0;
                self.in_enum = false;
                // Skip to the end of the member, or to the brace that ends the body.
                loop {
                    match self.tok.tok {
                        Tok::Semicolon => {
                            self.bump();
                            return Ok(false);
                        }
                        Tok::RBrace | Tok::Eof => return Ok(false),
                        Tok::LBrace | Tok::LParen | Tok::LBracket => self.skip_balanced()?,
                        _ => self.bump(),
                    }
                }
            }
        }
    }

    /// Reads one member declaration and appends its members. `true`: only the C compiler can lay out the record.
    fn member(&mut self, fields: &mut Vec<Field>) -> Parse<bool> {
        let start = self.tok.start;
        let specs = self.specifiers(Place::Member)?;
        let Base::Type(base) = specs.base else {
            return Err(self.unexpected(message::BAD_DOTS));
        };
        let mut partial = self.is_partial(base.ty);
        if self.at(Tok::Semicolon) {
            let span = self.span_from(start);
            let anonymous = match specs.tag {
                Some(Tag::Record(id)) => self.decls.types.record(id).tag.is_none(),
                _ => false,
            };
            if anonymous {
                fields.push(Field {
                    name: None,
                    ty: base,
                    bits: None,
                    align: specs.attributes.align,
                    packed: specs.attributes.packed,
                    span,
                });
            } else if specs.tag.is_none() {
                self.warn(span, message::EMPTY_MEMBER);
            }
            self.bump();
            return Ok(partial && anonymous);
        }
        loop {
            let (name, ty, mut attributes, span) = if self.at(Tok::Colon) {
                (None, base, specs.attributes, self.span())
            } else {
                let declared = self.declarator(&specs, Mode::member())?;
                (
                    declared.name,
                    declared.ty,
                    declared.attributes,
                    declared.span,
                )
            };
            let bits = if self.eat(Tok::Colon) {
                let start = self.tok.start;
                let width = self.constant_expression()?.value;
                let width = u32::try_from(width).ok().filter(|&width| width <= 4096);
                let Some(width) = width else {
                    let span = self.span_from(start);
                    return Err(Box::new(Diagnostic::cdef(span, message::BIT_WIDTH)));
                };
                Some(width)
            } else {
                None
            };
            self.attributes(&mut attributes)?;
            match self.decls.types.get(ty.ty) {
                Type::Function(_) => {
                    return Err(Box::new(Diagnostic::cdef(span, message::FIELD_IS_FUNCTION)));
                }
                Type::Void => {
                    return Err(Box::new(Diagnostic::cdef(span, message::VARIABLE_OF_VOID)));
                }
                _ => {}
            }
            partial |= self.is_partial(ty.ty);
            fields.push(Field {
                name,
                ty,
                bits,
                align: attributes.align,
                packed: attributes.packed,
                span,
            });
            if !self.eat(Tok::Comma) {
                break;
            }
        }
        self.end_of_declaration()?;
        Ok(partial)
    }

    /// Whether a member of this type makes its record partial: `[...]`, or a partial struct by value.
    fn is_partial(&self, mut ty: TypeId) -> bool {
        loop {
            match self.decls.types.get(ty) {
                Type::Array {
                    length: ArrayLength::FromCompiler(_),
                    ..
                } => return true,
                Type::Array { item, .. } => ty = item.ty,
                Type::Record(id) => return self.decls.types.record(*id).partial,
                _ => return false,
            }
        }
    }

    /// Reads `enum foo`, with or without a body; the keyword is the current token.
    pub(super) fn enum_specifier(&mut self) -> Parse<(Tag, TypeId)> {
        self.descend()?;
        let start = self.tok.start;
        self.bump();
        let mut attributes = Attributes::default();
        self.attributes(&mut attributes)?;
        let tag = self.tag_name();
        let span = tag.map_or(self.span_from(start), |(_, span)| span);
        let tag = tag.map(|(symbol, _)| symbol);
        // C23: `enum foo : unsigned char {`. In a struct `enum foo : 3` is a bit-field.
        let fixed = if self.at(Tok::Colon) && !matches!(self.peek().tok, Tok::Number | Tok::LParen)
        {
            self.fixed_type()?
        } else {
            None
        };
        let has_body = self.at_body();
        if tag.is_none() && !has_body {
            return Err(Box::new(
                self.unexpected(message::expected("a name or '{'"))
                    .short("enum name expected"),
            ));
        }
        let known = tag.and_then(|tag| self.decls.enum_tags.get(&tag).copied());
        let id = match known {
            Some(id) if has_body => {
                let enumeration = self.decls.types.enumeration(id);
                let message = message::enum_later(&format!("enum {}", self.text_of_tag(tag)));
                let hint = message::earlier(&self.place_of(enumeration.span));
                return Err(Box::new(
                    Diagnostic::not_implemented(span, message).hint(hint),
                ));
            }
            Some(id) => id,
            None => {
                let id = EnumId::from_index(self.decls.types.enums.len());
                let number = if tag.is_none() {
                    self.decls.types.next_number()
                } else {
                    0
                };
                self.decls.types.enums.push(Enum {
                    tag,
                    typedef_name: None,
                    forced_name: None,
                    alias: None,
                    pointer_typedef: None,
                    number,
                    enumerators: None,
                    partial: false,
                    underlying: fixed,
                    span,
                });
                if let Some(tag) = tag {
                    self.decls.bind_enum_tag(tag, id);
                }
                if !self.is_type_string {
                    self.decls.items.push(Item::Enum(id));
                }
                id
            }
        };
        let ty = self.decls.types.intern(Type::Enum(id));
        if has_body {
            tag.into_iter()
                .for_each(|tag| self.piece_names(PieceName::Tag(tag)));
            self.enum_body(id, fixed, attributes)?;
        }
        self.ascend();
        Ok((Tag::Enum(id), ty))
    }

    fn fixed_type(&mut self) -> Parse<Option<Primitive>> {
        self.bump();
        let start = self.tok.start;
        let specs = self.specifiers(Place::TypeName)?;
        if let Base::Type(ty) = specs.base
            && let Type::Primitive(primitive) = *self.decls.types.get(ty.ty)
            && self.decls.target.is_signed(primitive).is_some()
        {
            return Ok(Some(primitive));
        }
        let span = self.span_from(start);
        Err(Box::new(Diagnostic::cdef(
            span,
            message::expected("an integer type"),
        )))
    }

    fn enum_body(
        &mut self,
        id: EnumId,
        fixed: Option<Primitive>,
        mut attributes: Attributes,
    ) -> Parse<()> {
        let opening = self.span();
        if std::mem::replace(&mut self.in_enum, true) {
            // `enum { A = sizeof(enum {...}) }`
            return Err(self.unexpected(message::UNSUPPORTED_EXPRESSION));
        }
        self.bump();
        let mut partial = false;
        let mut next = Some(0i128);
        let mut range = (0i128, 0i128);
        self.decls.types.open_enumerators.clear();
        while !self.at(Tok::RBrace) {
            if self.at(Tok::Ellipsis) {
                partial = true;
                self.bump();
                self.eat(Tok::Comma);
                if !self.at(Tok::RBrace) {
                    let diagnostic = self.unexpected(message::DOTS_LAST_IN_ENUM);
                    self.errors.push(*diagnostic);
                    self.skip_enumerator();
                    self.eat(Tok::Comma);
                }
                continue;
            }
            if matches!(self.tok(), Tok::Eof | Tok::Semicolon) {
                return Err(Box::new(Diagnostic::syntax(opening, message::BLOCK_END)));
            }
            let depth = self.depth;
            match self.enumerator(id, fixed, next) {
                Ok(value) => {
                    if let Some(value) = value {
                        range = (range.0.min(value), range.1.max(value));
                    }
                    partial |= value.is_none();
                    next = value.map(|value| value + 1);
                }
                Err(diagnostic) => {
                    self.errors.push(*diagnostic);
                    self.depth = depth;
                    self.unevaluated = 0;
                    self.skip_enumerator();
                }
            }
            if !self.eat(Tok::Comma) && !self.at(Tok::RBrace) {
                let diagnostic = self.unexpected(message::expected("',' or '}'"));
                self.errors.push(*diagnostic);
                self.skip_enumerator();
                self.eat(Tok::Comma);
            }
        }
        self.bump();
        self.in_enum = false;
        self.attributes(&mut attributes)?;
        let mut open = std::mem::take(&mut self.decls.types.open_enumerators);
        let enumerators: Vec<Enumerator> = open.as_slice().to_vec();
        open.clear();
        self.decls.types.open_enumerators = open;
        let underlying = self
            .decls
            .target
            .enum_type(range.0, range.1, attributes.packed);
        let enumeration = &mut self.decls.types.enums[id.index()];
        enumeration.enumerators = Some(enumerators);
        enumeration.partial = partial;
        if fixed.is_none() && !partial {
            enumeration.underlying = underlying;
            if underlying.is_none() {
                let span = enumeration.span;
                let message = message::enum_too_wide(&self.decls.enum_name(id));
                return Err(Box::new(Diagnostic::cdef(span, message)));
            }
        }
        Ok(())
    }

    /// Reads `NAME` or `NAME = value`; returns the value, or `None` if only the compiler knows it. `next` is the value
    /// without a `= value`.
    fn enumerator(
        &mut self,
        id: EnumId,
        fixed: Option<Primitive>,
        mut next: Option<i128>,
    ) -> Parse<Option<i128>> {
        let Some((name, span)) = self.tag_name() else {
            return Err(self.unexpected(message::expected("the name of an enumerator")));
        };
        let mut ignored = Attributes::default();
        self.attributes(&mut ignored)?;
        if self.eat(Tok::Assign) {
            next = if self.eat(Tok::Ellipsis) {
                None
            } else {
                Some(self.constant_expression()?.value)
            };
        }
        self.declare_enumerator(id, name, next, span)?;
        if let (Some(value), Some(fixed)) = (next, fixed) {
            let (least, greatest) = self.decls.target.range(fixed);
            if !(least..=greatest).contains(&value) {
                let message = message::enum_value_too_wide(self.name_text(name), fixed.name());
                return Err(Box::new(Diagnostic::cdef(span, message)));
            }
        }
        Ok(next)
    }

    /// Skips to the `,` or `}` behind a broken enumerator.
    fn skip_enumerator(&mut self) {
        while !matches!(
            self.tok(),
            Tok::Comma | Tok::RBrace | Tok::Semicolon | Tok::Eof
        ) {
            self.bump();
        }
    }

    fn declare_enumerator(
        &mut self,
        id: EnumId,
        name: Symbol,
        value: Option<i128>,
        span: Span,
    ) -> Parse<()> {
        let earlier = match (
            self.decls.enumerators.get(&name),
            self.decls.ordinary.get(&name),
        ) {
            (Some(&(other, index)), _) => match &self.decls.types.enumeration(other).enumerators {
                Some(enumerators) => {
                    let enumerator = &enumerators[index as usize];
                    Some((enumerator.value, enumerator.span))
                }
                // An enumerator of the enum being read, or of one whose body had an error.
                None => {
                    let enumerator = self.decls.types.open_enumerators.get(index as usize);
                    enumerator.map(|enumerator| (enumerator.value, enumerator.span))
                }
            },
            (None, Some(&Item::Constant(index))) => {
                let constant = &self.decls.constants[index as usize];
                Some((constant.value, constant.span))
            }
            (None, _) => None,
        };
        if let Some((other, earlier)) = earlier {
            // As in CFFI, declaring the same value twice is harmless.
            if other != value && !self.override_ {
                return Err(self.multiple_constants(name, span, earlier));
            }
        }
        let index = self.decls.types.open_enumerators.len() as u32;
        self.decls
            .types
            .open_enumerators
            .push(Enumerator { name, value, span });
        self.decls.bind_enumerator(name, (id, index));
        self.piece_names(PieceName::Enumerator(name));
        Ok(())
    }
}
