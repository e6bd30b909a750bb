//! Declarations of headers that mean something to their compiler and nothing to Keelback: another calling convention, another
//! layout, a type that no Python has. Who only includes the header has no use for most of what it declares, so that one name
//! is opaque, and its use says why. In a cdef, and where a plugin is to export it, the same is an error.

use crate::declarations::{Item, Refused, Typedef, Undo};
use crate::diagnostic::Diagnostic;
use crate::lexer::Tok;
use crate::message;
use crate::source::Span;
use crate::types::{QualType, RecordId, RecordKind, Symbol, Type, TypeId};

use super::declarator::Declared;
use super::specifiers::{Specifiers, storage};
use super::{Parse, Parser, PieceName};

/// Why what is being declared cannot be used.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// The error that it is where it must be used.
    pub(super) why: Box<Diagnostic>,
    /// It is how a function is called: a pointer to the function is a pointer like others.
    pub(super) is_of_calls: bool,
}

impl Parser<'_> {
    /// Refuses what is being read.
    ///
    /// # Errors
    /// `why`, unless the text is a header's and its names are nobody's to define: the declaration around is then refused.
    pub(super) fn refuse(&mut self, why: Box<Diagnostic>, is_of_calls: bool) -> Parse<()> {
        if !self.may_be_refused() {
            return Err(why);
        }
        let refusal = Refusal { why, is_of_calls };
        self.refusal.get_or_insert(refusal);
        Ok(())
    }

    /// The text is a header's, and its names are nobody's to define.
    fn may_be_refused(&self) -> bool {
        let is_header = self.other_macros || self.pieces.is_some();
        is_header && !self.embedding_api && !self.is_type_string
    }

    /// Why an object of this type, a member, or a function that takes or returns one by value, cannot be used: the type
    /// was refused.
    pub(super) fn refused_by_value(&self, ty: TypeId) -> Option<Refusal> {
        if !self.may_be_refused() {
            return None;
        }
        let of_object = |ty: QualType| {
            let mut ty = ty.ty;
            while let Type::Array { item, .. } = self.decls.types.get(ty) {
                ty = item.ty;
            }
            let &Type::Record(id) = self.decls.types.get(ty) else {
                return None;
            };
            let record = self.decls.types.record(id);
            let why = record.refused.as_deref()?;
            let why = message::opaque_because(
                &format!("'{}' is opaque", self.decls.record_name(id)),
                why,
            );
            Some(Refusal {
                why: Box::new(Diagnostic::ffi(record.span, why)),
                is_of_calls: false,
            })
        };
        match self.decls.types.get(ty) {
            Type::Function(function) => of_object(function.result)
                .or_else(|| function.params.iter().copied().find_map(of_object)),
            _ => of_object(QualType::plain(ty)),
        }
    }

    /// Declares what cannot be used. `true`: it had a function's body, with which the declaration ends.
    pub(super) fn declare_refused(
        &mut self,
        specs: &Specifiers,
        declared: &Declared,
        doc: Option<Span>,
        refusal: &Refusal,
    ) -> Parse<bool> {
        let Some(name) = declared.name else {
            return Err(self.unexpected(message::EXPECTED_NAME));
        };
        if specs.storage & storage::TYPEDEF != 0 {
            self.piece_names(PieceName::Typedef(name));
            self.refused_typedef(name, declared, doc, refusal)?;
            return Ok(false);
        }
        self.piece_names(PieceName::Object(name));
        self.decls.refused.push(Refused {
            name,
            why: refusal.why.message.as_ref().into(),
        });
        if self.at(Tok::LBrace) {
            self.piece_has_body();
            self.skip_balanced()?;
            return Ok(true);
        }
        if self.eat(Tok::Assign) {
            self.initialiser(declared.ty.ty)?;
        }
        Ok(false)
    }

    /// `typedef` of a type that cannot be used: of an opaque one, or of a pointer to one.
    fn refused_typedef(
        &mut self,
        name: Symbol,
        declared: &Declared,
        doc: Option<Span>,
        refusal: &Refusal,
    ) -> Parse<()> {
        if self.decls.typedef_names.get(&name).is_some() {
            return Ok(());
        }
        let span = declared.span;
        let is_pointer =
            refusal.is_of_calls && matches!(self.decls.types.get(declared.ty.ty), Type::Pointer(_));
        let id = self.push_record(RecordKind::Struct, None, span);
        let record = &mut self.decls.types.records[id.index()];
        if is_pointer {
            record.pointer_typedef = Some(name);
        } else {
            record.typedef_name = Some(name);
        }
        record.refused = Some(refusal.why.message.as_ref().into());
        let unused = std::mem::take(&mut record.number);
        self.decls.types.free_number(unused);
        let mut ty = QualType::plain(self.decls.types.intern(Type::Record(id)));
        if is_pointer {
            ty = QualType::plain(self.decls.types.pointer_to(ty));
        }
        self.put_typedef(Typedef {
            name,
            ty,
            span,
            doc,
        })
    }

    /// The record, whose body has been read, stays opaque.
    pub(super) fn refuse_record(&mut self, id: RecordId, refusal: &Refusal) {
        if id.index() < self.first_new_record {
            let old = Box::new(self.decls.types.record(id).clone());
            self.decls.journal.push(Undo::Record(id, old));
        }
        self.decls.types.records[id.index()].refused = Some(refusal.why.message.as_ref().into());
        self.decls.items.push(Item::Forward(id));
    }
}
