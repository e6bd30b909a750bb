//! What only a C compiler can tell: layouts of partial records, lengths of `[...]` arrays, sizes of `typedef int...`
//! types, values of `#define X ...`. [`Declarations::questions`] lists the questions, [`Declarations::answer`] takes
//! the answers.
//!
//! The questions come in an order that depends on the cdef texts alone, so the answers can be stored as a
//! plain list and applied when the same texts are parsed again.

use std::fmt::Write;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::declarations::{Declarations, Item};
use crate::diagnostic::{Diagnostic, DiagnosticKind, Form};
use crate::layout::Layouts;
use crate::message;
use crate::source::Span;
use crate::types::{
    ArrayLength, CompilerLayout, EnumId, Field, Primitive, QualType, Qualifiers, RecordId, Type,
    TypeId, UnknownId, UnknownKind,
};

/// What declares an array of unknown length.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArrayOwner {
    /// Index into [`Declarations::variables`].
    Variable(u32),
    /// Index into [`Declarations::typedefs`].
    Typedef(u32),
    /// A record, and the index of its field.
    Field(RecordId, u32),
}

/// One thing to ask the C compiler. [`Declarations::c_expression`] has the C text for each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Question {
    /// The length of the array with this number ([`ArrayLength::FromCompiler`]), which is `depth` subscripts inside of
    /// what the owner declares.
    ArrayLength {
        /// Its number.
        number: u32,
        /// What declares it.
        owner: ArrayOwner,
        /// How many `[0]` lead from the owner's declaration to it.
        depth: u32,
    },
    /// Size and sign of a `typedef int...`, size of a `typedef float...`. In the answer `value` is the size
    /// in bytes; `negative` says that the integer type is signed, or that the other is a floating type.
    UnknownType(UnknownId),
    /// `sizeof` of a partial record.
    RecordSize(RecordId),
    /// `_Alignof` of a partial record.
    RecordAlign(RecordId),
    /// The offset of a field of a partial record.
    FieldOffset(RecordId, u32),
    /// The size of a field of a partial record.
    FieldSize(RecordId, u32),
    /// The value of an enumerator of a partial enum.
    EnumeratorValue(EnumId, u32),
    /// Size and sign of a partial enum, answered like [`Self::UnknownType`].
    EnumType(EnumId),
    /// The value of `#define X ...`: index into [`Declarations::constants`].
    ConstantValue(u32),
    /// The value of a constant variable of integer type (`static const int X;`): index into
    /// [`Declarations::variables`].
    VariableValue(u32),
}

/// The C text of a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CExpression {
    /// An expression of type `size_t`; the answer is never negative.
    Size(String),
    /// An integer expression of any type and either sign.
    Integer(String),
    /// An enum or integer type whose size and sign are asked.
    Type(String),
    /// A type that is asked for its size and for whether it is a floating type.
    Float(String),
    /// A type, or an expression of the type, whose alignment is asked: the operand of GCC's `__alignof__(...)`.
    Align(String),
}

/// The compiler's answer to one question.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Answer {
    /// The value, converted to 64 bits as C does it; or a size in bytes.
    pub value: u64,
    /// The value is below zero; or the type is signed.
    pub negative: bool,
}

impl Answer {
    fn integer(self) -> i128 {
        if self.negative {
            i128::from(self.value as i64)
        } else {
            i128::from(self.value)
        }
    }
}

impl Declarations {
    /// Everything that the C compiler must be asked about, in order of the declarations. Included declarations are left
    /// out.
    pub fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        let mut arrays = FxHashSet::default();
        let mut unknowns = FxHashSet::default();
        for &item in &self.items {
            match item {
                Item::Typedef(index) => {
                    let ty = self.typedefs[index as usize].ty.ty;
                    if let Type::Unknown(id) = *self.types.get(ty)
                        && self.types.unknown(id).name == self.typedefs[index as usize].name
                        && unknowns.insert(id)
                    {
                        questions.push(Question::UnknownType(id));
                    }
                    self.ask_lengths(ty, ArrayOwner::Typedef(index), &mut arrays, &mut questions);
                }
                Item::Variable(index) => {
                    let ty = self.variables[index as usize].ty.ty;
                    self.ask_lengths(ty, ArrayOwner::Variable(index), &mut arrays, &mut questions);
                    if self.is_integer_constant(index) {
                        questions.push(Question::VariableValue(index));
                    }
                }
                Item::Constant(index) if self.constants[index as usize].ty.is_none() => {
                    questions.push(Question::ConstantValue(index));
                }
                Item::Record(id) => self.ask_record(id, &mut arrays, &mut questions),
                Item::Enum(id) => self.ask_enum(id, &mut questions),
                Item::Constant(_) | Item::Function(_) | Item::Forward(_) => {}
            }
        }
        questions
    }

    /// The records that the cdef describes completely and that C can name. Generated C asserts that the compiler's
    /// layout is the one computed here.
    pub fn exact_records(&self) -> Vec<RecordId> {
        let mut layouts = Layouts::new();
        let records = self.items.iter().filter_map(|&item| match item {
            Item::Record(id) => Some(id),
            _ => None,
        });
        records
            .filter(|&id| {
                let record = self.types.record(id);
                !record.partial
                    && (record.tag.is_some() || record.typedef_name.is_some())
                    && layouts.layout(self, id).is_ok()
            })
            .collect()
    }

    /// Whether a variable is a constant whose value is asked as an integer: as in CFFI, one of an integer type but no
    /// character type.
    fn is_integer_constant(&self, index: u32) -> bool {
        use Primitive::{Char, Char16, Char32, Int128, UInt128, WChar};
        let variable = &self.variables[index as usize];
        variable.is_constant
            && match self.types.get(variable.ty.ty) {
                Type::Primitive(Char | WChar | Char16 | Char32) => false,
                // An [`Answer`] has only 64 bits.
                Type::Primitive(Int128 | UInt128) => false,
                Type::Primitive(primitive) => self.target.is_signed(*primitive).is_some(),
                Type::Unknown(id) => self.types.unknown(*id).kind == UnknownKind::Integer,
                _ => false,
            }
    }

    fn ask_lengths(
        &self,
        mut ty: TypeId,
        owner: ArrayOwner,
        asked: &mut FxHashSet<u32>,
        questions: &mut Vec<Question>,
    ) {
        let mut depth = 0;
        while let Type::Array { item, length } = self.types.get(ty) {
            if let ArrayLength::FromCompiler(number) = *length
                && asked.insert(number)
            {
                questions.push(Question::ArrayLength {
                    number,
                    owner,
                    depth,
                });
            }
            depth += 1;
            ty = item.ty;
        }
    }

    fn ask_record(&self, id: RecordId, arrays: &mut FxHashSet<u32>, questions: &mut Vec<Question>) {
        let record = self.types.record(id);
        let fields = record.fields.as_deref().unwrap_or(&[]);
        for (index, field) in fields.iter().enumerate() {
            let owner = ArrayOwner::Field(id, index as u32);
            self.ask_lengths(field.ty.ty, owner, arrays, questions);
        }
        if !record.partial {
            return;
        }
        if self.is_reachable(id) {
            questions.push(Question::RecordSize(id));
            questions.push(Question::RecordAlign(id));
        }
        for (index, field) in fields.iter().enumerate() {
            let index = index as u32;
            if field.name.is_some() {
                questions.push(Question::FieldOffset(id, index));
                if !self.is_flexible(field) {
                    questions.push(Question::FieldSize(id, index));
                }
            } else if self.first_named(field).is_some() {
                questions.push(Question::FieldOffset(id, index));
            }
        }
    }

    fn ask_enum(&self, id: EnumId, questions: &mut Vec<Question>) {
        let enumeration = self.types.enumeration(id);
        if !enumeration.partial {
            return;
        }
        if enumeration.tag.is_some() || enumeration.typedef_name.is_some() {
            questions.push(Question::EnumType(id));
        }
        let count = enumeration.enumerators.as_ref().map_or(0, Vec::len);
        questions.extend((0..count as u32).map(|index| Question::EnumeratorValue(id, index)));
    }

    /// Whether a field is a flexible array (`T a[]`), which has no size.
    fn is_flexible(&self, field: &Field) -> bool {
        matches!(
            self.types.get(field.ty.ty),
            Type::Array {
                length: ArrayLength::Unspecified,
                ..
            }
        )
    }

    /// The first named field of an anonymous member, from whose offset that of the member follows. `None` for partial
    /// members, whose fields are asked one by one.
    fn first_named(&self, field: &Field) -> Option<crate::types::Symbol> {
        let record = self.types.record(self.anonymous_member(field)?);
        if record.partial {
            return None;
        }
        let fields = record.fields.as_deref()?.iter();
        let mut plain = fields.filter(|field| field.bits.is_none());
        plain.find_map(|field| field.name.or_else(|| self.first_named(field)))
    }

    /// Whether a C expression can denote the record itself: it has a name, or is a named field.
    fn is_reachable(&self, id: RecordId) -> bool {
        let record = self.types.record(id);
        if record.tag.is_some() || record.typedef_name.is_some() {
            return true;
        }
        let Some((owner, index)) = record.owner else {
            return false;
        };
        let field = self.types.record(owner).fields.as_deref();
        field.is_some_and(|fields| fields[index as usize].name.is_some())
    }

    /// The nearest record around `id` that has a name in C, and the designator of `id` in it: empty if `id`
    /// is that record, or an anonymous member of it.
    pub fn designator(&self, id: RecordId) -> (RecordId, String) {
        let mut segments = Vec::new();
        let mut at = id;
        // An owner is always older than what it owns, so this ends.
        while let Some((owner, index)) = self.types.record(at).owner {
            let record = self.types.record(at);
            if record.tag.is_some() || record.typedef_name.is_some() {
                break;
            }
            if let Some(field) = self
                .types
                .record(owner)
                .fields
                .as_deref()
                .map(|f| &f[index as usize])
                && let Some(name) = field.name
            {
                let mut segment = self.text(name).to_owned();
                let mut ty = field.ty.ty;
                while let Type::Array { item, .. } = self.types.get(ty) {
                    segment.push_str("[0]");
                    ty = item.ty;
                }
                segments.push(segment);
            }
            at = owner;
        }
        segments.reverse();
        (at, segments.join("."))
    }

    /// The C text of a question. It names records as [`Self::record_in_c`] does; `offsetof` needs `<stddef.h>`.
    pub fn c_expression(&self, question: Question) -> CExpression {
        let size = |text: String| CExpression::Size(text);
        match question {
            Question::ArrayLength { owner, depth, .. } => {
                let mut array = match owner {
                    ArrayOwner::Variable(index) => {
                        format!("({})", self.text(self.variables[index as usize].name))
                    }
                    ArrayOwner::Typedef(index) => {
                        format!("(*({} *)0)", self.text(self.typedefs[index as usize].name))
                    }
                    ArrayOwner::Field(id, index) => self.field_lvalue(id, index),
                };
                for _ in 0..depth {
                    array.push_str("[0]");
                }
                size(format!("sizeof({array}) / sizeof({array}[0])"))
            }
            Question::UnknownType(id) => {
                let unknown = self.types.unknown(id);
                let name = self.text(unknown.name).to_owned();
                match unknown.kind {
                    UnknownKind::Integer => CExpression::Type(name),
                    UnknownKind::Float => CExpression::Float(name),
                }
            }
            Question::RecordSize(id) => size(format!("sizeof({})", self.record_lvalue(id))),
            Question::RecordAlign(id) => {
                let (root, path) = self.designator(id);
                CExpression::Align(if path.is_empty() {
                    self.record_in_c(root).unwrap_or_default()
                } else {
                    self.record_lvalue(id)
                })
            }
            Question::FieldOffset(id, index) => {
                let field = self.field(id, index);
                let name = field.and_then(|field| field.name.or_else(|| self.first_named(field)));
                let name = name.map_or("", |name| self.text(name));
                let (root, path) = self.designator(id);
                let root = self.record_in_c(root).unwrap_or_default();
                size(if path.is_empty() {
                    format!("offsetof({root}, {name})")
                } else {
                    format!("offsetof({root}, {path}.{name}) - offsetof({root}, {path})")
                })
            }
            Question::FieldSize(id, index) => {
                size(format!("sizeof({})", self.field_lvalue(id, index)))
            }
            Question::EnumeratorValue(id, index) => {
                let enumerators = self.types.enumeration(id).enumerators.as_deref();
                let enumerator = enumerators.and_then(|all| all.get(index as usize));
                CExpression::Integer(
                    enumerator
                        .map_or("", |enumerator| self.text(enumerator.name))
                        .to_owned(),
                )
            }
            Question::EnumType(id) => CExpression::Type(self.enum_in_c(id).unwrap_or_default()),
            Question::ConstantValue(index) => {
                CExpression::Integer(self.text(self.constants[index as usize].name).to_owned())
            }
            Question::VariableValue(index) => {
                CExpression::Integer(self.text(self.variables[index as usize].name).to_owned())
            }
        }
    }

    fn field(&self, id: RecordId, index: u32) -> Option<&Field> {
        self.types.record(id).fields.as_deref()?.get(index as usize)
    }

    /// An expression that denotes the record, for sizeof.
    fn record_lvalue(&self, id: RecordId) -> String {
        let (root, path) = self.designator(id);
        let root = self.record_in_c(root).unwrap_or_default();
        if path.is_empty() {
            root
        } else {
            format!("((({root} *)0)->{path})")
        }
    }

    /// An expression that denotes a field, for sizeof.
    fn field_lvalue(&self, id: RecordId, index: u32) -> String {
        let (root, path) = self.designator(id);
        let mut text = format!("((({} *)0)->", self.record_in_c(root).unwrap_or_default());
        if !path.is_empty() {
            // Writing into a String can't fail.
            let _ = write!(text, "{path}.");
        }
        let name = self.field(id, index).and_then(|field| field.name);
        text.push_str(name.map_or("", |name| self.text(name)));
        text.push(')');
        text
    }

    /// Applies the compiler's answers to [`Self::questions`], which are in the same order.
    ///
    /// # Errors
    /// There are too few or too many answers, or one is impossible. Some answers may be applied already, so the
    /// declarations must not be used any more.
    pub fn answer(&mut self, answers: &[Answer]) -> Result<(), Box<Diagnostic>> {
        let questions = self.questions();
        if questions.len() != answers.len() {
            let message = message::answer_count(questions.len(), answers.len());
            return Err(self.refuse(Span::default(), message));
        }
        let mut told: FxHashMap<RecordId, Told> = FxHashMap::default();
        let mut records = Vec::new();
        for (&question, &answer) in questions.iter().zip(answers) {
            match question {
                Question::ArrayLength { number, .. } => {
                    self.types.compiler_lengths[number as usize] = Some(answer.value);
                }
                Question::UnknownType(id) => self.answer_unknown(id, answer)?,
                Question::RecordSize(id) => told.entry(id).or_default().size = answer.value,
                Question::RecordAlign(id) => told.entry(id).or_default().align = answer.value,
                Question::FieldOffset(id, index) => {
                    told.entry(id)
                        .or_default()
                        .offsets
                        .insert(index, answer.value);
                }
                Question::FieldSize(id, index) => {
                    told.entry(id)
                        .or_default()
                        .sizes
                        .insert(index, answer.value);
                }
                Question::EnumeratorValue(id, index) => {
                    if let Some(all) = &mut self.types.enums[id.index()].enumerators {
                        all[index as usize].value = Some(answer.integer());
                    }
                }
                Question::EnumType(id) => {
                    let Some(ty) = integer_type(answer) else {
                        let enumeration = self.types.enumeration(id);
                        let message = message::bad_integer_size(&self.enum_name(id), answer.value);
                        return Err(self.refuse(enumeration.span, message));
                    };
                    self.types.enums[id.index()].underlying = Some(ty);
                }
                Question::ConstantValue(index) => {
                    self.constants[index as usize].value = Some(answer.integer());
                }
                Question::VariableValue(index) => {
                    self.variables[index as usize].value = Some(answer.integer());
                }
            }
        }
        for &item in &self.items {
            match item {
                Item::Record(id) if self.types.record(id).partial => records.push(id),
                Item::Enum(id) => {
                    let enumeration = &self.types.enums[id.index()];
                    if enumeration.partial && enumeration.underlying.is_none() {
                        let values = enumeration.enumerators.iter().flatten();
                        let values = values.filter_map(|enumerator| enumerator.value);
                        let (least, greatest) =
                            values.fold((0, 0), |(low, high), v| (low.min(v), high.max(v)));
                        self.types.enums[id.index()].underlying =
                            self.target.enum_type(least, greatest, false);
                    }
                }
                _ => {}
            }
        }
        self.layouts.clear();
        let mut layouts = Layouts::new();
        let mut bases = FxHashMap::default();
        // A body ends before the body around it, so inner records come first.
        for id in records {
            let told = told.remove(&id).unwrap_or_default();
            self.answer_record(id, told, &mut layouts, &mut bases)?;
        }
        Ok(())
    }

    fn refuse(&self, span: Span, message: String) -> Box<Diagnostic> {
        let mut diagnostic =
            Diagnostic::new(DiagnosticKind::Verification, Form::Plain, span, message);
        diagnostic.source = self.sources.get(span.source.0 as usize).cloned();
        Box::new(diagnostic)
    }

    fn answer_unknown(&mut self, id: UnknownId, answer: Answer) -> Result<(), Box<Diagnostic>> {
        let unknown = self.types.unknown(id);
        let (long_double, _) = self.target.size_and_align(Primitive::LongDouble);
        let mut refused = None;
        let resolved = match unknown.kind {
            UnknownKind::Integer => integer_type(answer),
            UnknownKind::Float => match (answer.value, answer.negative) {
                (4, true) => Some(Primitive::Float),
                (8, true) => Some(Primitive::Double),
                (size, true) if size == long_double => {
                    refused = Some(message::LONG_DOUBLE);
                    None
                }
                _ => {
                    refused = Some(message::NO_FLOAT);
                    None
                }
            },
        };
        if resolved.is_none() && refused.is_none() {
            let message = message::bad_integer_size(self.text(unknown.name), answer.value);
            return Err(self.refuse(unknown.span, message));
        }
        let unknown = &mut self.types.unknowns[id.index()];
        (unknown.resolved, unknown.refused) = (resolved, refused);
        Ok(())
    }

    /// An error if the compiler's size of a field differs from the size computed here.
    fn check_size(
        &self,
        layouts: &mut Layouts,
        record: &str,
        field: &Field,
        name: crate::types::Symbol,
        told: Option<u64>,
    ) -> Result<(), Box<Diagnostic>> {
        if let (Ok((known, _)), Some(told)) = (layouts.size_and_align(self, field.ty), told)
            && known != told
        {
            let message = message::wrong_field_size(record, self.text(name), known, told);
            return Err(self.refuse(field.span, message));
        }
        Ok(())
    }

    /// Offset and size of a member without a name. C has no expression for it, so its offset follows from that of its
    /// first named field.
    fn place_of_unnamed(
        &self,
        layouts: &mut Layouts,
        field: &Field,
        offset_of_first: Option<u64>,
        bases: &FxHashMap<RecordId, u64>,
    ) -> (u64, u64) {
        let size = layouts
            .size_and_align(self, field.ty)
            .map_or(0, |(size, _)| size);
        let inner = self.anonymous_member(field);
        let base = inner.and_then(|inner| bases.get(&inner).copied());
        let at = match (offset_of_first, inner, self.first_named(field), base) {
            (_, _, _, Some(base)) => base,
            (Some(offset), Some(inner), Some(first), None) => {
                let found = layouts.find_field(self, inner, first).ok().flatten();
                offset.saturating_sub(found.map_or(0, |found| found.layout.offset))
            }
            _ => 0,
        };
        (at, size)
    }

    fn answer_record(
        &mut self,
        id: RecordId,
        told: Told,
        layouts: &mut Layouts,
        bases: &mut FxHashMap<RecordId, u64>,
    ) -> Result<(), Box<Diagnostic>> {
        let name = self.record_name(id);
        let record = self.types.record(id);
        let span = record.span;
        let fields = record.fields.as_deref().unwrap_or(&[]);
        let mut places = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let index = index as u32;
            let told_size = told.sizes.get(&index).copied();
            let told_offset = told.offsets.get(&index).copied();
            let place = match field.name {
                Some(field_name) => {
                    self.check_size(layouts, &name, field, field_name, told_size)?;
                    (told_offset.unwrap_or(0), told_size.unwrap_or(0))
                }
                None => self.place_of_unnamed(layouts, field, told_offset, bases),
            };
            places.push(place);
        }
        let (size, align) = if self.is_reachable(id) {
            (told.size, told.align)
        } else {
            // A partial anonymous member cannot be asked about: it extends from its first to its last known field.
            let base = places.iter().map(|&(offset, _)| offset).min().unwrap_or(0);
            bases.insert(id, base);
            for place in &mut places {
                place.0 -= base;
            }
            let end = places
                .iter()
                .map(|&(offset, size)| offset.saturating_add(size))
                .max();
            (end.unwrap_or(0), 1)
        };
        let align = u32::try_from(align)
            .ok()
            .filter(|align| align.is_power_of_two());
        let Some(align) = align else {
            return Err(self.refuse(span, message::bad_record_align(&name)));
        };
        for (field, &(offset, field_size)) in fields.iter().zip(&places) {
            if offset.checked_add(field_size).is_none_or(|end| end > size) {
                let field_name = field.name.map_or("", |name| self.text(name));
                let message = message::field_outside(&name, field_name, size);
                return Err(self.refuse(field.span, message));
            }
        }
        self.types.records[id.index()].compiler_layout = Some(CompilerLayout {
            size,
            align,
            fields: places,
        });
        Ok(())
    }

    /// Whether a variable is a constant that is not an integer: a C wrapper fetches it by value.
    pub fn is_fetched_constant(&self, index: u32) -> bool {
        let variable = &self.variables[index as usize];
        variable.is_constant && !self.is_integer_constant(index)
    }

    /// `ty` without its `const`.
    pub fn without_const(&self, ty: QualType) -> QualType {
        QualType {
            quals: Qualifiers(ty.quals.0 & !Qualifiers::CONST.0),
            ..ty
        }
    }
}

/// The answers about one record, by field.
#[derive(Default)]
struct Told {
    size: u64,
    align: u64,
    offsets: FxHashMap<u32, u64>,
    sizes: FxHashMap<u32, u64>,
}

/// As in CFFI, an unknown integer type becomes `int8_t` to `uint64_t`.
fn integer_type(answer: Answer) -> Option<Primitive> {
    use Primitive::*;
    Some(match (answer.value, answer.negative) {
        (1, true) => Int8,
        (1, false) => UInt8,
        (2, true) => Int16,
        (2, false) => UInt16,
        (4, true) => Int32,
        (4, false) => UInt32,
        (8, true) => Int64,
        (8, false) => UInt64,
        _ => return None,
    })
}
