//! Declares what a name in the tables means, with the types that it needs.

use super::format::{
    FILE_RECORD, FLAG_CHECK_FIELDS, FLAG_EXTERNAL, FLAG_OPAQUE, FLAG_PACKED, FUNCTION_ELLIPSIS,
    FUNCTION_STDCALL, Number, OP_ARRAY, OP_BUILTIN_NO_ARGS, OP_BUILTIN_ONE_ARG,
    OP_BUILTIN_VAR_ARGS, OP_CONSTANT, OP_CONSTANT_INT, OP_DLOPEN_CONST, OP_DLOPEN_FUNC, OP_ENUM,
    OP_EXTERN_PYTHON, OP_FUNCTION, OP_FUNCTION_END, OP_GLOBAL_VAR, OP_GLOBAL_VAR_ACCESS, OP_NOOP,
    OP_OPEN_ARRAY, OP_POINTER, OP_PRIMITIVE, OP_STRUCT_UNION, OP_TYPENAME, Op, primitive,
};
use super::slots::Slot;
use super::{Sorted, TableError, TableSource, Tables, damaged, kind_of};
use crate::declarations::{
    Constant, Declarations, Function, FunctionOrigin, Item, Typedef, Variable,
};
use crate::source::Span;
use crate::types::{
    ArrayLength, CallingConvention, Enum, EnumId, Enumerator, Field, FunctionType, GivenLayout,
    MAX_TYPE_DEPTH, Packing, QualType, Record, RecordId, RecordKind, Symbol, Type, TypeId,
    TypeTable,
};

/// Limits on anonymous members in anonymous members: more than any header has, and few enough for every recursive walk.
const MAX_MEMBERS: u32 = 100_000;
const MAX_NESTING: u32 = 100;

/// Offset and size of a field, where the C compiler was asked.
type Place = Option<(u64, u64)>;

/// The predefined `FILE`.
pub(super) const FILE_NAME: &str = "FILE";

/// What the name of a struct or union in the tables says: `foo`, `$foo`, `$$foo`, `$1`.
pub(super) enum Naming<'a> {
    Tag,
    Typedef(&'a str),
    Pointer(&'a str),
    Number(u32),
}

impl<'a> Naming<'a> {
    pub(super) fn of(name: &'a str) -> Self {
        let Some(rest) = name.strip_prefix('$') else {
            return Self::Tag;
        };
        if let Some(pointer) = rest.strip_prefix('$') {
            return Self::Pointer(pointer);
        }
        match rest.parse() {
            Ok(number) => Self::Number(number),
            Err(_) => Self::Typedef(rest),
        }
    }
}

/// A name of the tables: a C identifier, in which `$` is allowed. In tables that are trusted it is one; elsewhere that is
/// checked.
fn name<'a>(
    bytes: &'a [u8],
    is_trusted: bool,
    table: &str,
    index: usize,
) -> Result<&'a str, TableError> {
    /// Which bytes a name may have.
    const PARTS: [bool; 256] = {
        let mut parts = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            let one = byte as u8;
            parts[byte] = one.is_ascii_alphanumeric() || matches!(one, b'_' | b'$' | 0x80..);
            byte += 1;
        }
        parts
    };
    let is_name =
        is_trusted || (!bytes.is_empty() && bytes.iter().all(|&byte| PARTS[usize::from(byte)]));
    std::str::from_utf8(bytes)
        .ok()
        .filter(|_| is_name)
        .ok_or_else(|| damaged(table, index, "its name is no identifier"))
}

impl<S: TableSource> Tables<S> {
    /// Declares the function, variable or constant of that name, with the types that it needs. Returns whether there is
    /// one.
    ///
    /// # Errors
    /// The tables are damaged, or a type that is needed is not available.
    pub fn declare_global(
        &mut self,
        declarations: &mut Declarations,
        wanted: &str,
    ) -> Result<bool, TableError> {
        if declarations.lookup_ordinary(wanted).is_some() {
            return Ok(true);
        }
        let Some(index) = self.find_global(wanted.as_bytes()) else {
            return Ok(false);
        };
        self.change(declarations, |tables, declarations| {
            tables.global_at(declarations, index)
        })?;
        Ok(true)
    }

    /// Declares the integer constant of that name, if there is one.
    ///
    /// # Errors
    /// As [`declare_global`](Self::declare_global).
    pub fn declare_constant(
        &mut self,
        declarations: &mut Declarations,
        wanted: &str,
    ) -> Result<(), TableError> {
        match self.find_global(wanted.as_bytes()) {
            Some(index)
                if matches!(self.global_head(index).0.code, OP_CONSTANT_INT | OP_ENUM)
                    && declarations.lookup_ordinary(wanted).is_none() =>
            {
                self.change(declarations, |tables, declarations| {
                    tables.global_at(declarations, index)
                })
            }
            _ => Ok(()),
        }
    }

    /// Declares the typedef, and the struct, union and enum, of that name.
    ///
    /// # Errors
    /// As [`declare_global`](Self::declare_global).
    pub fn declare_type(
        &mut self,
        declarations: &mut Declarations,
        wanted: &str,
    ) -> Result<(), TableError> {
        let bytes = wanted.as_bytes();
        let record = self.source.find(Sorted::Records, bytes);
        let enumeration = self.source.find(Sorted::Enums, bytes);
        let typedef = self.source.find(Sorted::Typedefs, bytes);
        if record.is_none() && enumeration.is_none() && typedef.is_none() {
            return Ok(());
        }
        self.change(declarations, |tables, declarations| {
            if let Some(index) = record {
                tables.record_at(declarations, index)?;
            }
            if let Some(index) = enumeration {
                tables.enum_at(declarations, index)?;
            }
            if let Some(index) = typedef {
                tables.typedef_at(declarations, index)?;
            }
            Ok(())
        })
    }

    pub(super) fn declare_record_at(
        &mut self,
        declarations: &mut Declarations,
        index: usize,
    ) -> Result<RecordId, TableError> {
        self.change(declarations, |tables, declarations| {
            tables.record_at(declarations, index)
        })
    }

    pub(super) fn declare_enum_at(
        &mut self,
        declarations: &mut Declarations,
        index: usize,
    ) -> Result<EnumId, TableError> {
        self.change(declarations, |tables, declarations| {
            tables.enum_at(declarations, index)
        })
    }

    pub(super) fn declare_typedef_at(
        &mut self,
        declarations: &mut Declarations,
        index: usize,
    ) -> Result<QualType, TableError> {
        self.change(declarations, |tables, declarations| {
            tables.typedef_at(declarations, index)
        })
    }

    /// The type at an index of the types.
    ///
    /// # Errors
    /// As [`declare_global`](Self::declare_global).
    pub fn declare_type_at(
        &mut self,
        declarations: &mut Declarations,
        index: usize,
    ) -> Result<TypeId, TableError> {
        let index = i32::try_from(index).unwrap_or(-1);
        self.change(declarations, |tables, declarations| {
            tables.type_at(declarations, index, 0)
        })
    }

    /// Declares everything except what needs an unavailable type.
    ///
    /// # Errors
    /// The tables are damaged.
    pub fn declare_all(&mut self, declarations: &mut Declarations) -> Result<(), TableError> {
        fn or_left_out(result: Result<(), TableError>) -> Result<(), TableError> {
            match result {
                Err(TableError::Refused(_) | TableError::NotImplemented(_)) => Ok(()),
                result => result,
            }
        }
        for index in 0..self.source.records() {
            or_left_out(self.change(declarations, |tables, declarations| {
                tables.record_at(declarations, index).map(|_| ())
            }))?;
        }
        for index in 0..self.source.enums() {
            or_left_out(self.change(declarations, |tables, declarations| {
                tables.enum_at(declarations, index).map(|_| ())
            }))?;
        }
        for index in 0..self.source.typedefs() {
            or_left_out(self.change(declarations, |tables, declarations| {
                tables.typedef_at(declarations, index).map(|_| ())
            }))?;
        }
        for index in 0..self.source.globals() {
            or_left_out(self.change(declarations, |tables, declarations| {
                tables.global_at(declarations, index)
            }))?;
        }
        Ok(())
    }

    /// Runs `body`, and then gives the records that it has declared their fields. Once the tables have turned out to be
    /// damaged, every call fails.
    fn change<T>(
        &mut self,
        declarations: &mut Declarations,
        body: impl FnOnce(&mut Self, &mut Declarations) -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        if let Some(damage) = &self.damage {
            return Err(damage.clone());
        }
        let result = body(self, declarations);
        let completed = self.complete(declarations);
        declarations.journal.clear();
        let result = result.and_then(|made| completed.map(|()| made));
        if let Err(error @ TableError::Damaged(_)) = &result {
            self.damage = Some(error.clone());
        }
        result
    }

    /// The index of a global.
    fn find_global(&self, wanted: &[u8]) -> Option<usize> {
        self.source.find(Sorted::Globals, wanted)
    }

    fn global_at(
        &mut self,
        declarations: &mut Declarations,
        index: usize,
    ) -> Result<(), TableError> {
        let op = self.global_head(index).0;
        let text = name(
            self.global_head(index).1,
            self.source.is_trusted(),
            "_globals",
            index * 2,
        )?;
        let symbol = declarations.types.symbol(text);
        if declarations.ordinary.contains_key(&symbol) {
            return Ok(());
        }
        let (span, doc) = (Span::NOWHERE, None);
        let item = match op.code {
            OP_DLOPEN_FUNC | OP_BUILTIN_VAR_ARGS | OP_BUILTIN_NO_ARGS | OP_BUILTIN_ONE_ARG
            | OP_EXTERN_PYTHON => {
                let mut ty = self.type_at(declarations, op.argument, 0)?;
                if let (OP_EXTERN_PYTHON, Type::Pointer(to)) = (op.code, declarations.types.get(ty))
                {
                    ty = to.ty;
                }
                let Type::Function(function) = declarations.types.get(ty) else {
                    let text = "it is declared a function, and its type is none";
                    return Err(damaged("_globals", index * 2, text));
                };
                let params = vec![None; function.params.len()];
                declarations.functions.push(Function {
                    name: symbol,
                    ty,
                    params,
                    label: None,
                    origin: if op.code == OP_EXTERN_PYTHON {
                        FunctionOrigin::ExternPython
                    } else {
                        FunctionOrigin::C
                    },
                    span,
                    doc,
                });
                Item::Function(declarations.functions.len() as u32 - 1)
            }
            OP_DLOPEN_CONST | OP_CONSTANT | OP_GLOBAL_VAR | OP_GLOBAL_VAR_ACCESS => {
                let ty = self.object_at(declarations, op.argument, 0)?;
                declarations.variables.push(Variable {
                    name: symbol,
                    ty,
                    label: None,
                    is_constant: matches!(op.code, OP_DLOPEN_CONST | OP_CONSTANT),
                    value: None,
                    span,
                    doc,
                });
                Item::Variable(declarations.variables.len() as u32 - 1)
            }
            _ => {
                let value = self.source.global_value(index)?;
                declarations.constants.push(Constant {
                    name: symbol,
                    value,
                    ty: value.map(|value| declarations.target.type_of_value(value)),
                    span,
                    doc,
                });
                Item::Constant(declarations.constants.len() as u32 - 1)
            }
        };
        declarations.bind_ordinary(symbol, item);
        Ok(())
    }

    fn typedef_at(
        &mut self,
        declarations: &mut Declarations,
        index: usize,
    ) -> Result<QualType, TableError> {
        let (at, bytes) = self.typedef_head(index);
        let text = name(bytes, self.source.is_trusted(), "_typenames", index)?;
        let symbol = declarations.types.symbol(text);
        if let Some(&known) = declarations.typedef_names.get(&symbol) {
            return Ok(declarations.typedefs[known as usize].ty);
        }
        let ty = QualType::plain(self.type_at(declarations, at, 0)?);
        let position = declarations.typedefs.len() as u32;
        declarations.typedefs.push(Typedef {
            name: symbol,
            ty,
            span: Span::NOWHERE,
            doc: None,
        });
        declarations.bind_typedef(symbol, position);
        Ok(ty)
    }

    /// The type at an index of `_types`. `depth`: the number of types around it that are being built.
    fn type_at(
        &mut self,
        declarations: &mut Declarations,
        index: i32,
        depth: u16,
    ) -> Result<TypeId, TableError> {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        match self.slots.get(at) {
            Some(Slot::Known(ty)) => return Ok(TypeId::from_index(ty)),
            Some(Slot::Unseen) => {}
            _ => return Err(damaged("_types", at, super::NO_SUCH_TYPE)),
        }
        if depth >= MAX_TYPE_DEPTH {
            return Err(damaged("_types", at, "types that go on without end"));
        }
        let op = self
            .source
            .operation(at)
            .ok_or_else(|| damaged("_types", at, super::TRUNCATED))?;
        let depth = depth + 1;
        let ty = match op.code {
            OP_PRIMITIVE => match primitive(op.argument) {
                Number::Void => TypeTable::VOID,
                Number::Primitive(primitive) => TypeTable::primitive_id(primitive),
                Number::Unknown(what) => {
                    return Err(TableError::Refused(what.to_owned()));
                }
                Number::Invalid => return Err(damaged("_types", at, "no such primitive type")),
            },
            OP_POINTER => {
                let to = QualType::plain(self.type_at(declarations, op.argument, depth)?);
                declarations.types.pointer_to(to)
            }
            OP_ARRAY => {
                let item = self.object_at(declarations, op.argument, depth)?;
                let length = self.source.array_length(at + 1).unwrap_or(0);
                let length = ArrayLength::Fixed(u64::try_from(length).unwrap_or(0));
                declarations.types.intern(Type::Array { item, length })
            }
            OP_OPEN_ARRAY => {
                let item = self.object_at(declarations, op.argument, depth)?;
                let length = ArrayLength::Unspecified;
                declarations.types.intern(Type::Array { item, length })
            }
            OP_STRUCT_UNION if op.argument == FILE_RECORD => {
                let id = file_record(declarations);
                declarations.types.intern(Type::Record(id))
            }
            OP_STRUCT_UNION => {
                let id = self.record_at(declarations, op.argument as usize)?;
                declarations.types.intern(Type::Record(id))
            }
            OP_ENUM => {
                let id = self.enum_at(declarations, op.argument as usize)?;
                declarations.types.intern(Type::Enum(id))
            }
            OP_FUNCTION => self.function_at(declarations, op, at, depth)?,
            OP_NOOP => self.type_at(declarations, op.argument, depth)?,
            OP_TYPENAME => {
                let (index, _) = self.typedef_head(op.argument as usize);
                self.type_at(declarations, index, depth)?
            }
            _ => return Err(damaged("_types", at, "this is no type")),
        };
        if declarations.types.depth(ty) > MAX_TYPE_DEPTH {
            return Err(damaged("_types", at, "types nested too deeply"));
        }
        self.slots.set(at, Slot::Known(ty.index()));
        Ok(ty)
    }

    /// As [`type_at`](Self::type_at), but an error for `void` and functions, which no object can have.
    fn object_at(
        &mut self,
        declarations: &mut Declarations,
        index: i32,
        depth: u16,
    ) -> Result<QualType, TableError> {
        let ty = self.type_at(declarations, index, depth)?;
        match declarations.types.get(ty) {
            Type::Void | Type::Function(_) => Err(damaged(
                "_types",
                usize::try_from(index).unwrap_or_default(),
                "an object cannot be of this type",
            )),
            _ => Ok(QualType::plain(ty)),
        }
    }

    fn function_at(
        &mut self,
        declarations: &mut Declarations,
        function: Op,
        at: usize,
        depth: u16,
    ) -> Result<TypeId, TableError> {
        let result = QualType::plain(self.type_at(declarations, function.argument, depth)?);
        if let Type::Function(_) | Type::Array { .. } = declarations.types.get(result.ty) {
            return Err(damaged("_types", at, "a function cannot return this type"));
        }
        let mut params = Vec::new();
        let mut place = at + 1;
        let end = loop {
            let op = self
                .source
                .operation(place)
                .filter(|_| place < self.slots.len())
                .ok_or_else(|| damaged("_types", at, "a function has no end"))?;
            if op.code == OP_FUNCTION_END {
                break op.argument;
            }
            let index = i32::try_from(place).unwrap_or(-1);
            let param = self.object_at(declarations, index, depth)?;
            if let Type::Array { .. } = declarations.types.get(param.ty) {
                return Err(damaged("_types", place, "a parameter cannot be an array"));
            }
            params.push(param);
            place += 1;
        };
        let convention = match end & !FUNCTION_ELLIPSIS {
            0 => CallingConvention::Cdecl,
            FUNCTION_STDCALL if declarations.target.stdcall => CallingConvention::Stdcall,
            FUNCTION_STDCALL => CallingConvention::Cdecl,
            number => {
                return Err(TableError::Refused(format!(
                    "abi number {number} not supported"
                )));
            }
        };
        Ok(declarations
            .types
            .intern(Type::Function(Box::new(FunctionType {
                result,
                params: params.into_boxed_slice(),
                variadic: end & FUNCTION_ELLIPSIS != 0,
                convention,
            }))))
    }

    /// The record at an index, at first without fields: as these may lead back to the record,
    /// [`complete`](Self::complete) adds them.
    fn record_at(
        &mut self,
        declarations: &mut Declarations,
        index: usize,
    ) -> Result<RecordId, TableError> {
        if let Some(id) = self.records.known(index) {
            return Ok(RecordId::from_index(id));
        }
        let (flags, bytes) = self.record_head(index);
        let kind = kind_of(flags);
        let text = name(bytes, self.source.is_trusted(), "_struct_unions", index)?;
        if flags & FLAG_EXTERNAL != 0 {
            return Err(self.not_included(index));
        }
        let symbol = declarations.types.symbol(text);
        if text == "_IO_FILE" && kind == RecordKind::Struct {
            let id = file_record(declarations);
            declarations.bind_record_tag(symbol, id);
            self.records.set(index, Slot::Known(id.index()));
            return Ok(id);
        }
        let mut record = blank(kind);
        match Naming::of(text) {
            Naming::Tag => record.tag = Some(symbol),
            Naming::Typedef(name) => record.typedef_name = Some(declarations.types.symbol(name)),
            Naming::Pointer(name) => {
                record.pointer_typedef = Some(declarations.types.symbol(name));
            }
            Naming::Number(number) => record.number = number,
        }
        if flags & FLAG_PACKED != 0 {
            record.packing = Packing {
                max_align: Some(1),
                attribute: false,
            };
        }
        let id = RecordId::from_index(declarations.types.records.len());
        declarations.types.records.push(record);
        declarations.bind_record_tag(symbol, id);
        self.records.set(index, Slot::Known(id.index()));
        if flags & FLAG_OPAQUE == 0 {
            self.open.push((index, id));
        }
        Ok(id)
    }

    /// Gives the declared records their fields, which may declare further records.
    fn complete(&mut self, declarations: &mut Declarations) -> Result<(), TableError> {
        let mut result = Ok(());
        let mut completed = Vec::new();
        while let Some((index, id)) = self.open.pop() {
            match self.fields_of(declarations, index) {
                Ok((fields, places)) => {
                    let given = self.given_layout(index, places);
                    let record = &mut declarations.types.records[id.index()];
                    record.fields = Some(fields);
                    record.given_layout = given;
                    completed.push((index, id));
                }
                Err(error) => {
                    // The record stays opaque; the next use tries again.
                    self.records.set(index, Slot::Unseen);
                    result = Err(error);
                }
            }
        }
        for (index, id) in completed {
            let mut seen = 0;
            if !is_walkable(declarations, id, 0, &mut seen) {
                declarations.types.records[id.index()].fields = None;
                let what = "its anonymous members go on without end";
                result = Err(damaged("_struct_unions", index, what));
            }
        }
        result
    }

    /// The C compiler's layout of a record, if the tables have it; `fields`: of its fields.
    fn given_layout(&self, index: usize, fields: Vec<Place>) -> Option<Box<GivenLayout>> {
        if !self.source.is_trusted() {
            return None;
        }
        let (flags, _) = self.record_head(index);
        Some(Box::new(GivenLayout {
            whole: self.source.record_place(index),
            fields,
            is_checked: flags & FLAG_CHECK_FIELDS != 0,
        }))
    }

    /// The fields, and what the C compiler says of each.
    fn fields_of(
        &mut self,
        declarations: &mut Declarations,
        index: usize,
    ) -> Result<(Vec<Field>, Vec<Place>), TableError> {
        let count = self.source.fields(index);
        let (mut fields, mut places) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for field in 0..count {
            let error = |what| damaged("_struct_unions", index, what);
            let field = self
                .source
                .field(index, field)
                .ok_or_else(|| error(super::TRUNCATED))?;
            let bits = field.bits.map(|width| u32::try_from(width).unwrap_or(0));
            places.push(field.place);
            let symbol = if field.name.is_empty() {
                None
            } else {
                let text = name(
                    field.name,
                    self.source.is_trusted(),
                    "_struct_unions",
                    index,
                )?;
                Some(declarations.types.symbol(text))
            };
            let argument = field.op.argument;
            let ty = self.object_at(declarations, argument, 0)?;
            if symbol.is_none()
                && bits.is_none()
                && !matches!(declarations.types.get(ty.ty), Type::Record(_))
            {
                return Err(error("a field without a name"));
            }
            fields.push(Field {
                name: symbol,
                ty,
                bits,
                align: None,
                packed: false,
                span: Span::NOWHERE,
            });
        }
        Ok((fields, places))
    }

    fn enum_at(
        &mut self,
        declarations: &mut Declarations,
        index: usize,
    ) -> Result<EnumId, TableError> {
        if let Some(id) = self.enums.known(index) {
            return Ok(EnumId::from_index(id));
        }
        let head = self
            .source
            .enumeration(index)
            .map_err(|what| damaged("_enums", index, what))?;
        let text = name(head.name, self.source.is_trusted(), "_enums", index)?;
        let underlying = match primitive(head.primitive) {
            Number::Primitive(primitive) => Some(primitive),
            _ => None,
        };
        let list = head.enumerators;
        let commas = list.iter().filter(|&&byte| byte == b',').count();
        let mut enumerators = Vec::with_capacity(commas + 1);
        for bytes in list
            .split(|&byte| byte == b',')
            .filter(|_| !list.is_empty())
        {
            let text = name(bytes, self.source.is_trusted(), "_enums", index)?;
            let value = self
                .find_global(bytes)
                .filter(|&at| self.global_head(at).0.code == OP_ENUM);
            let value = match value {
                Some(at) => self.source.global_value(at)?,
                None => None,
            };
            if value.is_none() {
                let what = format!("the enumerator '{text}' has no value in _globals");
                return Err(damaged("_enums", index, &what));
            }
            enumerators.push(Enumerator {
                name: declarations.types.symbol(text),
                value,
                span: Span::NOWHERE,
            });
        }
        let symbol = declarations.types.symbol(text);
        let mut made = Enum {
            tag: None,
            typedef_name: None,
            forced_name: None,
            alias: None,
            pointer_typedef: None,
            number: 0,
            enumerators: Some(enumerators),
            partial: false,
            underlying,
            span: Span::NOWHERE,
        };
        match Naming::of(text) {
            Naming::Tag => made.tag = Some(symbol),
            Naming::Typedef(name) => made.typedef_name = Some(declarations.types.symbol(name)),
            Naming::Pointer(name) => made.pointer_typedef = Some(declarations.types.symbol(name)),
            Naming::Number(number) => made.number = number,
        }
        let id = EnumId::from_index(declarations.types.enums.len());
        declarations.types.enums.push(made);
        declarations.bind_enum_tag(symbol, id);
        self.enums.set(index, Slot::Known(id.index()));
        Ok(id)
    }
}

/// The record of the predefined `FILE`.
fn file_record(declarations: &mut Declarations) -> RecordId {
    let name: Symbol = declarations.types.symbol(FILE_NAME);
    if let Some(id) = declarations.included.predefined(name) {
        return id;
    }
    let id = RecordId::from_index(declarations.types.records.len());
    let mut record = blank(RecordKind::Struct);
    record.typedef_name = Some(name);
    declarations.types.records.push(record);
    declarations.included.predefine(name, id);
    id
}

/// A record without a name or a body.
fn blank(kind: RecordKind) -> Record {
    Record {
        kind,
        tag: None,
        typedef_name: None,
        forced_name: None,
        alias: None,
        pointer_typedef: None,
        fields: None,
        partial: false,
        number: 0,
        owner: None,
        packing: Packing::default(),
        align: None,
        compiler_layout: None,
        given_layout: None,
        sealed: None,
        refused: None,
        span: Span::NOWHERE,
    }
}

/// Whether the anonymous members of a record are few enough and not nested too deeply.
fn is_walkable(declarations: &Declarations, id: RecordId, depth: u32, seen: &mut u32) -> bool {
    *seen += 1;
    if depth > MAX_NESTING || *seen > MAX_MEMBERS {
        return false;
    }
    let fields = declarations.types.record(id).fields.as_deref();
    fields
        .unwrap_or_default()
        .iter()
        .filter(|field| field.name.is_none() && field.bits.is_none())
        .all(|field| match declarations.types.get(field.ty.ty) {
            Type::Record(inner) => is_walkable(declarations, *inner, depth + 1, seen),
            _ => true,
        })
}
