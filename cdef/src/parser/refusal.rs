//! Declarations in headers that Keelback cannot support: another calling convention, another layout, a type that Python
//! has not. Programs that include a header use little of what it declares, so such a declaration is no error: its name
//! becomes opaque, and using it raises an error with the reason. In a cdef, and in headers whose functions a plugin
//! exports, the declaration is an error.

use crate::declarations::{Item, Refused, Typedef, Undo};
use crate::diagnostic::Diagnostic;
use crate::lexer::Tok;
use crate::message;
use crate::source::Span;
use crate::types::{QualType, RecordId, RecordKind, Symbol, Type, TypeId};

use super::declarator::Declared;
use super::specifiers::{Specifiers, storage};
use super::{Parse, Parser, PieceName};

/// Why a declaration cannot be used.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// The error for places where the declaration must be usable.
    pub(super) why: Box<Diagnostic>,
    /// The reason is the calling convention: pointers to such a function are ordinary pointers.
    pub(super) is_of_calls: bool,
}

impl Parser<'_> {
    /// Marks the current declaration as refused.
    ///
    /// # Errors
    /// Returns `why` if [`Self::may_be_refused`] does not hold.
    pub(super) fn refuse(&mut self, why: Box<Diagnostic>, is_of_calls: bool) -> Parse<()> {
        if !self.may_be_refused() {
            return Err(why);
        }
        let refusal = Refusal { why, is_of_calls };
        self.refusal.get_or_insert(refusal);
        Ok(())
    }

    /// Whether unsupported declarations become opaque: the text is a header, and none of its names is for a plugin to
    /// define.
    fn may_be_refused(&self) -> bool {
        let is_header = self.other_macros || self.pieces.is_some();
        is_header && !self.embedding_api && !self.is_type_string
    }

    /// If `ty` (or a type that it contains, takes or returns by value) was refused: why a declaration with it cannot be
    /// used.
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

    /// Declares a name that cannot be used. `true`: it was a function definition, whose body ends the declaration.
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

    /// Declares a typedef whose type cannot be used: as an opaque struct, or as a pointer to one.
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

    /// Leaves a record opaque although its body has been read.
    pub(super) fn refuse_record(&mut self, id: RecordId, refusal: &Refusal) {
        if id.index() < self.first_new_record {
            let old = Box::new(self.decls.types.record(id).clone());
            self.decls.journal.push(Undo::Record(id, old));
        }
        self.decls.types.records[id.index()].refused = Some(refusal.why.message.as_ref().into());
        self.decls.items.push(Item::Forward(id));
    }
}
