//! Declares what a finished declarator names, and handles names that are declared already.

use crate::constant::Value;
use crate::declarations::{Constant, Function, FunctionOrigin, Item, Typedef, Undo, Variable};
use crate::diagnostic::Diagnostic;
use crate::lexer::Tok;
use crate::message;
use crate::source::Span;
use crate::types::{
    Alignment, Primitive, QualType, Qualifiers, RecordKind, Symbol, Type, TypeId, UnknownId,
    UnknownKind, UnknownType,
};

use super::declarator::{Declared, Shape};
use super::specifiers::{Base, Specifiers, Tag, storage};
use super::{Parse, Parser, PieceName};

impl Parser<'_> {
    pub(super) fn declare(
        &mut self,
        specs: &Specifiers,
        declared: Declared,
        doc: Option<Span>,
    ) -> Parse<()> {
        let Some(name) = declared.name else {
            return Err(self.unexpected(message::EXPECTED_NAME));
        };
        if specs.storage & storage::TYPEDEF != 0 {
            self.piece_names(PieceName::Typedef(name));
            return self.declare_typedef(specs, name, &declared, doc);
        }
        self.piece_names(PieceName::Object(name));
        if let Type::Function(_) = self.decls.types.get(declared.ty.ty) {
            return self.declare_function(name, declared, doc);
        }
        if declared.ty.ty == crate::types::TypeTable::VOID {
            return Err(Box::new(Diagnostic::cdef(
                declared.span,
                message::VARIABLE_OF_VOID,
            )));
        }
        let value = if self.eat(Tok::Assign) {
            self.initialiser(declared.ty.ty)?
        } else {
            None
        };
        if let (Some(value), Some(ty)) = (value, self.constant_type(declared.ty.ty))
            && let value = self.decls.target.wrap(value, ty)
            && let Some(value) = (Value { value, ty }).told()
        {
            return self.declare_constant(name, Some((value, ty)), declared.span, doc);
        }
        if self.origin != FunctionOrigin::C {
            return Err(Box::new(Diagnostic::cdef(
                declared.span,
                message::EXTERN_PYTHON_VARIABLE,
            )));
        }
        self.declare_variable(specs, name, &declared, doc)
    }

    /// `ty` if it is an integer type, for which a variable with an initialiser becomes a constant. As in CFFI,
    /// character types are excluded.
    fn constant_type(&self, ty: TypeId) -> Option<Primitive> {
        use Primitive::{Char, Char16, Char32, WChar};
        match self.decls.types.get(ty) {
            Type::Primitive(Char | WChar | Char16 | Char32) => None,
            Type::Primitive(primitive) => {
                self.decls.target.is_signed(*primitive).map(|_| *primitive)
            }
            _ => None,
        }
    }

    /// Reads the initialiser behind `=`: the value of an integer constant; `None` for anything else, which is skipped.
    pub(super) fn initialiser(&mut self, ty: TypeId) -> Parse<Option<i128>> {
        if self.constant_type(ty).is_some() && !self.at(Tok::LBrace) {
            let bookmark = (self.lexer, self.tok, self.previous_end, self.depth);
            let warnings = self.warnings.len();
            if let Ok(value) = self.constant_expression()
                && matches!(self.tok.tok, Tok::Comma | Tok::Semicolon)
            {
                return Ok(Some(value.value));
            }
            (self.lexer, self.tok, self.previous_end, self.depth) = bookmark;
            self.unevaluated = 0;
            self.warnings.truncate(warnings);
        }
        loop {
            match self.tok.tok {
                Tok::Comma | Tok::Semicolon | Tok::Eof | Tok::RBrace => return Ok(None),
                Tok::String => self.warn_string_literal(),
                Tok::LParen | Tok::LBrace | Tok::LBracket => {
                    self.skip_balanced()?;
                    continue;
                }
                _ => {}
            }
            self.bump();
        }
    }

    fn warn_string_literal(&mut self) {
        if !self.warned_string {
            self.warned_string = true;
            self.warn(self.span(), message::STRING_LITERAL);
        }
    }

    fn multiple(&self, what: &str, name: Symbol, span: Span, earlier: Span) -> Box<Diagnostic> {
        let message = message::multiple_declarations(what, self.name_text(name));
        let hint = message::earlier(&self.place_of(earlier));
        Box::new(Diagnostic::ffi(span, message).hint(hint))
    }

    fn other_kind(&self, name: Symbol, span: Span, kind: &str, earlier: Span) -> Box<Diagnostic> {
        let message = message::other_kind(self.name_text(name), kind);
        let hint = message::earlier(&self.place_of(earlier));
        Box::new(Diagnostic::ffi(span, message).hint(hint))
    }

    /// The error that `name` is already declared as something else, which is `item`.
    fn check_kind(&self, name: Symbol, span: Span, item: Item) -> Box<Diagnostic> {
        let (kind, earlier) = match item {
            Item::Function(index) => ("function", self.decls.functions[index as usize].span),
            Item::Variable(index) => ("variable", self.decls.variables[index as usize].span),
            _ => match self.decls.ordinary.get(&name) {
                Some(&Item::Constant(index)) => {
                    ("constant", self.decls.constants[index as usize].span)
                }
                _ => ("constant", span),
            },
        };
        self.other_kind(name, span, kind, earlier)
    }

    fn declare_function(
        &mut self,
        name: Symbol,
        declared: Declared,
        doc: Option<Span>,
    ) -> Parse<()> {
        let origin = if self.embedding_api {
            FunctionOrigin::Exported
        } else {
            self.origin
        };
        let function = Function {
            name,
            ty: declared.ty.ty,
            params: declared.params,
            label: declared.attributes.label,
            origin,
            span: declared.span,
            doc,
        };
        match self.decls.ordinary.get(&name) {
            None => {
                let item = Item::Function(self.decls.functions.len() as u32);
                self.decls.functions.push(function);
                self.decls.items.push(item);
                self.decls.bind_ordinary(name, item);
            }
            Some(&Item::Function(index)) => {
                let old = &mut self.decls.functions[index as usize];
                // C allows identical redeclarations (C11 6.7p3); with `as_cffi` only within one text.
                let other_label = function.label.is_some() && function.label != old.label;
                let same = old.ty == function.ty
                    && (!other_label || old.label.is_none())
                    && old.origin == origin
                    && !(self.as_cffi && old.span.source != self.source);
                if !same && !self.override_ {
                    let what = match origin {
                        FunctionOrigin::C => "function",
                        FunctionOrigin::ExternPython if !self.as_cffi => {
                            "extern \"Python\" function"
                        }
                        FunctionOrigin::ExternPythonC if !self.as_cffi => {
                            "extern \"Python+C\" function"
                        }
                        FunctionOrigin::ExternPython => "extern_python",
                        FunctionOrigin::ExternPythonC => "extern_python_plus_c",
                        FunctionOrigin::Exported if !self.as_cffi => "exported function",
                        FunctionOrigin::Exported => "dllexport_python",
                    };
                    let earlier = old.span;
                    return Err(self.multiple(what, name, declared.span, earlier));
                }
                // A later declaration may add a label.
                if !same || other_label {
                    let old = std::mem::replace(old, function);
                    self.decls
                        .journal
                        .push(Undo::Function(index, Box::new(old)));
                }
            }
            Some(&item) => return Err(self.check_kind(name, declared.span, item)),
        }
        Ok(())
    }

    fn declare_variable(
        &mut self,
        specs: &Specifiers,
        name: Symbol,
        declared: &Declared,
        doc: Option<Span>,
    ) -> Parse<()> {
        let is_array = matches!(self.decls.types.get(declared.ty.ty), Type::Array { .. });
        let is_constant = declared.ty.quals.contains(Qualifiers::CONST) && !is_array;
        if !is_constant && specs.storage == 0 {
            let message = message::no_storage_class(self.name_text(name));
            self.warn(declared.span, message);
        }
        let variable = Variable {
            name,
            ty: declared.ty,
            label: declared.attributes.label,
            is_constant,
            value: None,
            span: declared.span,
            doc,
        };
        match self.decls.ordinary.get(&name) {
            None => {
                let item = Item::Variable(self.decls.variables.len() as u32);
                self.decls.variables.push(variable);
                self.decls.items.push(item);
                self.decls.bind_ordinary(name, item);
            }
            Some(&Item::Variable(index)) => {
                let old = &mut self.decls.variables[index as usize];
                let other_label = variable.label.is_some() && variable.label != old.label;
                let same = old.ty == variable.ty && (!other_label || old.label.is_none());
                if same && !other_label {
                    return Ok(());
                }
                if !same && !self.override_ {
                    let what = if is_constant { "constant" } else { "variable" };
                    let earlier = old.span;
                    return Err(self.multiple(what, name, declared.span, earlier));
                }
                let old = std::mem::replace(old, variable);
                self.decls
                    .journal
                    .push(Undo::Variable(index, Box::new(old)));
            }
            Some(&item) => return Err(self.check_kind(name, declared.span, item)),
        }
        Ok(())
    }

    /// Declares a named integer; a `value` of `None` is `#define X ...`.
    pub(super) fn declare_constant(
        &mut self,
        name: Symbol,
        value: Option<(i128, Primitive)>,
        span: Span,
        doc: Option<Span>,
    ) -> Parse<()> {
        let constant = Constant {
            name,
            value: value.map(|(value, _)| value),
            ty: value.map(|(_, ty)| ty),
            span,
            doc,
        };
        if let Some(&(id, index)) = self.decls.enumerators.get(&name) {
            let types = &self.decls.types;
            // While the body of the enum is being read, its enumerators are in `open_enumerators`.
            let enumerators = types.enumeration(id).enumerators.as_deref();
            let enumerator = enumerators
                .unwrap_or(&types.open_enumerators)
                .get(index as usize);
            // `#define RED RED` and `#define RED 1` beside an enum: common in headers, and harmless if the values
            // agree.
            if enumerator.is_some_and(|enumerator| enumerator.value == constant.value) {
                return Ok(());
            }
            if let Some(enumerator) = enumerator
                && !self.override_
            {
                return Err(self.multiple_constants(name, span, enumerator.span));
            }
        }
        match self.decls.ordinary.get(&name) {
            None => {
                let item = Item::Constant(self.decls.constants.len() as u32);
                self.decls.constants.push(constant);
                self.decls.items.push(item);
                self.decls.bind_ordinary(name, item);
            }
            Some(&Item::Constant(index)) => {
                let old = &self.decls.constants[index as usize];
                // As in CFFI, a text may define a macro several times: the last `#define` counts.
                let same = old.value == constant.value;
                let redefined = old.span.source == self.source && self.in_directive();
                if !same && !self.override_ && !redefined {
                    let earlier = old.span;
                    return Err(self.multiple_constants(name, span, earlier));
                }
                let old = std::mem::replace(&mut self.decls.constants[index as usize], constant);
                self.decls
                    .journal
                    .push(Undo::Constant(index, Box::new(old)));
            }
            Some(&item) => return Err(self.check_kind(name, span, item)),
        }
        Ok(())
    }

    pub(super) fn multiple_constants(
        &self,
        name: Symbol,
        span: Span,
        earlier: Span,
    ) -> Box<Diagnostic> {
        let message = message::multiple_constants(self.name_text(name));
        let hint = message::earlier(&self.place_of(earlier));
        Box::new(Diagnostic::ffi(span, message).hint(hint))
    }

    fn declare_typedef(
        &mut self,
        specs: &Specifiers,
        name: Symbol,
        declared: &Declared,
        doc: Option<Span>,
    ) -> Parse<()> {
        let ty = match (declared.dots, declared.shape) {
            (Base::Type(_), _) => {
                self.name_tag(specs, name, declared);
                declared.ty
            }
            (base, shape) => match self.dots_typedef(base, shape, name, declared.span)? {
                Some(ty) => ty,
                // The name is declared with `...` a second time: nothing to do.
                None => return Ok(()),
            },
        };
        // As in GCC, the attributes in front of the declarator are applied last.
        let align = specs.attributes.last_align;
        let align = align.or(declared.attributes.last_align).map(Alignment::of);
        let ty = QualType {
            align: align.unwrap_or(ty.align),
            ..ty
        };
        let typedef = Typedef {
            name,
            ty,
            span: declared.span,
            doc,
        };
        self.put_typedef(typedef)
    }

    /// Declares a typedef. A redeclaration must have the same type.
    pub(super) fn put_typedef(&mut self, typedef: Typedef) -> Parse<()> {
        let Typedef { name, ty, span, .. } = typedef;
        match self.decls.typedef_names.get(&name) {
            None => {
                let index = self.decls.typedefs.len() as u32;
                self.decls.typedefs.push(typedef);
                self.decls.items.push(Item::Typedef(index));
                self.decls.bind_typedef(name, index);
            }
            Some(&index) => {
                let old = &mut self.decls.typedefs[index as usize];
                if old.ty == ty {
                    return Ok(());
                }
                if !self.override_ {
                    let earlier = old.span;
                    return Err(self.multiple("typedef", name, span, earlier));
                }
                let old = std::mem::replace(old, typedef);
                self.decls.journal.push(Undo::Typedef(index, Box::new(old)));
            }
        }
        Ok(())
    }

    /// `typedef struct {...} name;` and `typedef struct {...} *name;` give the struct its name.
    fn name_tag(&mut self, specs: &Specifiers, name: Symbol, declared: &Declared) {
        let shape = declared.shape;
        let types = &mut self.decls.types;
        let (tag, typedef_name, pointer_typedef, number) = match specs.tag {
            Some(Tag::Record(id)) => {
                let record = &mut types.records[id.index()];
                (
                    record.tag,
                    &mut record.typedef_name,
                    &mut record.pointer_typedef,
                    &mut record.number,
                )
            }
            Some(Tag::Enum(id)) => {
                let enumeration = &mut types.enums[id.index()];
                (
                    enumeration.tag,
                    &mut enumeration.typedef_name,
                    &mut enumeration.pointer_typedef,
                    &mut enumeration.number,
                )
            }
            None => return,
        };
        if tag.is_some() {
            if shape == Shape::Plain {
                self.add_name(specs, name, declared);
            }
            return;
        }
        match shape {
            Shape::Plain if typedef_name.is_none() => {
                *typedef_name = Some(name);
                let freed = std::mem::take(number);
                types.free_number(freed);
            }
            Shape::Pointer if pointer_typedef.is_none() => *pointer_typedef = Some(name),
            _ => {}
        }
    }

    /// CFFI prints a struct or union with a tag, and spells it in C, by the first typedef that names it. An enum gets
    /// such a name only from the declaration that mentions it first.
    fn add_name(&mut self, specs: &Specifiers, name: Symbol, declared: &Declared) {
        // Unlike CFFI, which also takes `typedef const struct s name;` and then generates C that assigns to a const
        // struct.
        let is_alias = declared.ty.quals == Qualifiers::NONE && declared.attributes.align.is_none();
        let add = |forced_name: &mut Option<Symbol>, alias: &mut Option<Symbol>| {
            if self.as_cffi && !self.is_segment {
                forced_name.get_or_insert(name);
            }
            if is_alias {
                alias.get_or_insert(name);
            }
        };
        match specs.tag {
            Some(Tag::Record(id)) => {
                let record = &mut self.decls.types.records[id.index()];
                let (forced_name, alias) = (record.forced_name, record.alias);
                add(&mut record.forced_name, &mut record.alias);
                if id.index() < self.first_new_record {
                    let undo = Undo::RecordNames(id, forced_name, alias);
                    self.decls.journal.push(undo);
                }
            }
            // No undo is needed: an enum that this text declares is removed if the text is refused.
            Some(Tag::Enum(id)) if specs.is_new_enum => {
                let enumeration = &mut self.decls.types.enums[id.index()];
                add(&mut enumeration.forced_name, &mut enumeration.alias);
            }
            _ => {}
        }
    }

    /// The type of `typedef ... name;`, `typedef int... name;` or `typedef ... *name;`. `None`: `name` is declared so
    /// already.
    fn dots_typedef(
        &mut self,
        base: Base,
        shape: Shape,
        name: Symbol,
        span: Span,
    ) -> Parse<Option<QualType>> {
        let existing = self.decls.typedef_names.get(&name).map(|&index| {
            let ty = self.decls.typedefs[index as usize].ty;
            self.decls.types.get(ty.ty).clone()
        });
        let ty = match (base, shape) {
            (Base::Dots, Shape::Plain | Shape::Pointer) => {
                let pointer = shape == Shape::Pointer;
                let opaque = match existing {
                    Some(Type::Record(id)) if !pointer => Some(id),
                    Some(Type::Pointer(to)) if pointer => match self.decls.types.get(to.ty) {
                        Type::Record(id) => Some(*id),
                        _ => None,
                    },
                    _ => None,
                };
                if let Some(id) = opaque {
                    let record = self.decls.types.record(id);
                    let named = if pointer {
                        record.pointer_typedef
                    } else {
                        record.typedef_name
                    };
                    if record.fields.is_none() && record.tag.is_none() && named == Some(name) {
                        return Ok(None);
                    }
                }
                let id = self.push_record(RecordKind::Struct, None, span);
                let record = &mut self.decls.types.records[id.index()];
                let freed = std::mem::take(&mut record.number);
                if pointer {
                    record.pointer_typedef = Some(name);
                } else {
                    record.typedef_name = Some(name);
                }
                self.decls.types.free_number(freed);
                let ty = QualType::plain(self.decls.types.intern(Type::Record(id)));
                if pointer {
                    QualType::plain(self.decls.types.pointer_to(ty))
                } else {
                    ty
                }
            }
            (Base::IntegerDots | Base::FloatDots, Shape::Plain) => {
                let kind = if base == Base::IntegerDots {
                    UnknownKind::Integer
                } else {
                    UnknownKind::Float
                };
                if let Some(Type::Unknown(id)) = existing {
                    let unknown = self.decls.types.unknown(id);
                    if unknown.kind == kind && unknown.name == name {
                        return Ok(None);
                    }
                }
                let id = UnknownId::from_index(self.decls.types.unknowns.len());
                self.decls.types.unknowns.push(UnknownType {
                    name,
                    kind,
                    resolved: None,
                    refused: None,
                    span,
                });
                QualType::plain(self.decls.types.intern(Type::Unknown(id)))
            }
            _ => {
                return Err(Box::new(
                    Diagnostic::ffi(span, message::DOTS_IN_TYPEDEF)
                        .hint(message::HINT_DOTS_IN_TYPEDEF),
                ));
            }
        };
        Ok(Some(ty))
    }

    /// A struct with `...` needs a name, or the compiler can't be asked about it.
    pub(super) fn check_partial_names(&mut self, specs: &Specifiers) -> Parse<()> {
        let Some(Tag::Record(id)) = specs.tag else {
            return Ok(());
        };
        let record = self.decls.types.record(id);
        if record.partial && record.tag.is_none() && record.typedef_name.is_none() {
            let message = message::partial_without_name(&self.decls.record_name(id));
            let span = record.span;
            return Err(Box::new(Diagnostic::not_implemented(span, message)));
        }
        Ok(())
    }
}
