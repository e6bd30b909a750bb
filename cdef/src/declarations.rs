//! What a series of cdefs declares: names of every kind, and the types behind them.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::include::{Identity, Origins};
use crate::layout::Layouts;
use crate::source::{Source, SourceId, Span};
use crate::symbol_map::SymbolMap;
use crate::target::Target;
use crate::types::{
    EnumId, Primitive, QualType, Record, RecordId, RecordKind, Symbol, TypeId, TypeMark, TypeTable,
};

/// How a function is provided.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FunctionOrigin {
    /// A C function, called from Python.
    C,
    /// `extern "Python"`: a static C symbol that calls Python.
    ExternPython,
    /// `extern "Python+C"`: the same with external linkage.
    ExternPythonC,
    /// Declared in an embedding API: exported from the plugin, calls Python.
    Exported,
}

/// A declared function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: Symbol,
    /// Its [`Type::Function`](crate::Type::Function).
    pub ty: TypeId,
    /// Names of the parameters, where given.
    pub params: Vec<Option<Symbol>>,
    /// The symbol's name from `__asm__("label")`, if there is one.
    pub label: Option<Symbol>,
    /// Who provides it.
    pub origin: FunctionOrigin,
    /// Where its name is.
    pub span: Span,
    /// The doc comment in front (`/** */`, `///`, or an ordinary comment that ends on the line before),
    /// as a range of the source.
    pub doc: Option<Span>,
}

/// A declared global variable.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: Symbol,
    /// Its type. An array without a length (`int a[];`) keeps its type.
    pub ty: QualType,
    /// See [`Function::label`].
    pub label: Option<Symbol>,
    /// Written `static const T K;` or with a const top level: read only, fetched by value.
    pub is_constant: bool,
    /// For constants of an integer type: the value, once the C compiler has been asked.
    pub value: Option<i128>,
    /// Where its name is.
    pub span: Span,
    /// See [`Function::doc`].
    pub doc: Option<Span>,
}

/// A named integer constant: `#define K 42`, `#define K ...`, `static const int K = 9;`.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Its name.
    pub name: Symbol,
    /// Its value; `None` while it is `...` and the compiler has not told.
    pub value: Option<i128>,
    /// The type of the expression that gave the value (for `static const`: the declared type, if it is
    /// a plain integer type); `None` while there is no value.
    pub ty: Option<Primitive>,
    /// Where its name is.
    pub span: Span,
    /// See [`Function::doc`].
    pub doc: Option<Span>,
}

/// A macro of a header that does not stand for an integer.
#[derive(Clone, PartialEq, Debug)]
pub struct Macro {
    /// Its name.
    pub name: Symbol,
    /// What it stands for.
    pub value: MacroValue,
    /// It is from other declarations: `ffi.include()`.
    pub is_included: bool,
}

/// What a macro stands for.
#[derive(Clone, PartialEq, Debug)]
pub enum MacroValue {
    /// `3.14`
    Floating(f64),
    /// `"text"`, without the zero at its end.
    Text(Box<[u8]>),
    /// Something that is no constant.
    Nothing,
}

/// A function or variable of a header that cannot be used here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Its name.
    pub name: Symbol,
    /// Why, in one line.
    pub why: Box<str>,
}

/// A typedef.
#[derive(Clone, Debug)]
pub struct Typedef {
    /// Its name.
    pub name: Symbol,
    /// The type it names, with the alignment that the typedef gives to objects declared with it.
    pub ty: QualType,
    /// Where its name is.
    pub span: Span,
    /// See [`Function::doc`].
    pub doc: Option<Span>,
}

/// One thing that a cdef declared, in source order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item {
    /// Index into [`Declarations::functions`].
    Function(u32),
    /// Index into [`Declarations::variables`].
    Variable(u32),
    /// Index into [`Declarations::constants`].
    Constant(u32),
    /// Index into [`Declarations::typedefs`].
    Typedef(u32),
    /// A struct or union is named here before its body, or without ever getting one.
    Forward(RecordId),
    /// A struct or union gets its body.
    Record(RecordId),
    /// An enum, with its body if it has one.
    Enum(EnumId),
}

/// All that the cdefs given so far declare.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    /// The types.
    pub types: TypeTable,
    /// Functions, in order of declaration.
    pub functions: Vec<Function>,
    /// Variables, in order of declaration.
    pub variables: Vec<Variable>,
    /// Constants, in order of declaration; enumerators are not among them.
    pub constants: Vec<Constant>,
    /// Typedefs, in order of declaration; the predefined ones are not among them.
    pub typedefs: Vec<Typedef>,
    /// Macros of headers that are no integers, in order of definition.
    pub macros: Vec<Macro>,
    /// Functions and variables of headers that cannot be used, in order of declaration. Types that cannot be used are
    /// opaque ([`Record::refused`](crate::Record::refused)).
    pub refused: Vec<Refused>,
    /// Everything in source order.
    pub items: Vec<Item>,
    /// The platform that sizes and constant expressions are computed for.
    pub target: Target,
    /// Identifies this `Declarations`: when two others include it, its types are recognised as the same.
    pub(crate) identity: Identity,
    /// For every included record, enum and unknown type: the `Declarations` that first declared it, and its id here.
    pub(crate) included: Origins,
    /// The texts, by [`SourceId`].
    pub(crate) sources: Vec<Arc<Source>>,
    /// Type strings may use `__int128`, as headers may. CFFI has no such type.
    pub knows_int128: bool,
    /// The argument of `set_unicode`; `None` before it is called.
    pub(crate) unicode: Option<bool>,
    /// Ordinary identifiers that are functions, variables or constants (C11 6.2.3).
    pub(crate) ordinary: SymbolMap<Symbol, Item>,
    pub(crate) typedef_names: SymbolMap<Symbol, u32>,
    pub(crate) enumerators: SymbolMap<Symbol, (EnumId, u32)>,
    pub(crate) record_tags: SymbolMap<(RecordKind, Symbol), RecordId>,
    pub(crate) enum_tags: SymbolMap<Symbol, EnumId>,
    /// Predefined names met so far that aren't plain arithmetic types.
    pub(crate) predefined: FxHashMap<Symbol, QualType>,
    /// The layouts computed for constant expressions (`sizeof`, `offsetof`).
    pub(crate) layouts: Layouts,
    /// While a text is parsed: how to undo its changes to older declarations if it fails.
    pub(crate) journal: Vec<Undo>,
    /// The number of symbols at the last mark. Bindings of newer symbols need no undo: a rollback removes the symbols.
    marked_names: usize,
}

/// How to undo one change of an older entry. Appended entries need no undo: a rollback truncates the tables.
#[derive(Clone, Debug)]
pub(crate) enum Undo {
    Ordinary(Symbol, Option<Item>),
    TypedefName(Symbol, Option<u32>),
    Enumerator(Symbol, Option<(EnumId, u32)>),
    RecordTag((RecordKind, Symbol)),
    /// The record's old `forced_name` and `alias`.
    RecordNames(RecordId, Option<Symbol>, Option<Symbol>),
    EnumTag(Symbol),
    Record(RecordId, Box<Record>),
    Function(u32, Box<Function>),
    Variable(u32, Box<Variable>),
    Constant(u32, Box<Constant>),
    Typedef(u32, Box<Typedef>),
}

/// The lengths of all tables before a text was parsed.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) types: TypeMark,
    functions: usize,
    variables: usize,
    constants: usize,
    typedefs: usize,
    macros: usize,
    refused: usize,
    items: usize,
    sources: usize,
}

impl Declarations {
    /// No declarations yet, for `target`.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            ..Self::default()
        }
    }

    /// Makes `TCHAR` and its relatives `wchar_t` (`true`) or `char`. Returns `false` if they were already set to the
    /// other.
    pub fn set_unicode(&mut self, unicode: bool) -> bool {
        *self.unicode.get_or_insert(unicode) == unicode
    }

    /// The text with this id; `None` for type strings, which are not kept.
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize).map(|source| &**source)
    }

    /// The text of a span; empty for a span in a type string.
    pub fn span_text(&self, span: Span) -> &str {
        self.source(span.source)
            .map_or("", |source| source.slice(span.start, span.end))
    }

    /// The text of an identifier.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.types.text(symbol)
    }

    /// The enum that an enumerator belongs to, and its place among the enum's.
    pub fn enumerator_place(&self, name: &str) -> Option<(EnumId, u32)> {
        let symbol = self.types.find_symbol(name)?;
        self.enumerators.get(&symbol).copied()
    }

    /// Replaces the value of an enumerator by the C compiler's.
    pub fn set_enumerator(&mut self, id: EnumId, index: u32, value: i128) {
        let enumerators = self.types.enums[id.index()].enumerators.as_mut();
        if let Some(enumerator) = enumerators.and_then(|list| list.get_mut(index as usize)) {
            enumerator.value = Some(value);
        }
    }

    pub(crate) fn mark(&mut self) -> Mark {
        let types = self.types.mark();
        self.marked_names = types.names();
        Mark {
            types,
            functions: self.functions.len(),
            variables: self.variables.len(),
            constants: self.constants.len(),
            typedefs: self.typedefs.len(),
            macros: self.macros.len(),
            refused: self.refused.len(),
            items: self.items.len(),
            sources: self.sources.len(),
        }
    }

    /// Makes room for what a text of that many bytes may declare, so that the tables needn't grow step by step.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        // Headers have about one declaration in 90 bytes; for small texts reserving is not worth it.
        if bytes > 20_000 {
            let declarations = bytes / 128;
            self.types.reserve(declarations);
            self.items.reserve(declarations);
        }
    }

    /// Makes the declarations what they were at `mark`.
    pub(crate) fn roll_back(&mut self, mark: &Mark) {
        while let Some(undo) = self.journal.pop() {
            match undo {
                Undo::Ordinary(name, old) => self.ordinary.restore(name, old),
                Undo::TypedefName(name, old) => self.typedef_names.restore(name, old),
                Undo::Enumerator(name, old) => self.enumerators.restore(name, old),
                Undo::RecordNames(id, forced_name, alias) => {
                    let record = &mut self.types.records[id.index()];
                    record.forced_name = forced_name;
                    record.alias = alias;
                }
                Undo::RecordTag(name) => self.record_tags.restore(name, None),
                Undo::EnumTag(name) => self.enum_tags.restore(name, None),
                Undo::Record(id, old) => self.types.records[id.index()] = *old,
                Undo::Function(index, old) => self.functions[index as usize] = *old,
                Undo::Variable(index, old) => self.variables[index as usize] = *old,
                Undo::Constant(index, old) => self.constants[index as usize] = *old,
                Undo::Typedef(index, old) => self.typedefs[index as usize] = *old,
            }
        }
        let names = mark.types.names();
        self.ordinary.truncate(names);
        self.typedef_names.truncate(names);
        self.enumerators.truncate(names);
        self.record_tags.truncate(names);
        self.enum_tags.truncate(names);
        self.functions.truncate(mark.functions);
        self.variables.truncate(mark.variables);
        self.constants.truncate(mark.constants);
        self.typedefs.truncate(mark.typedefs);
        self.macros.truncate(mark.macros);
        self.refused.truncate(mark.refused);
        self.items.truncate(mark.items);
        self.sources.truncate(mark.sources);
        let records = self.types.records.len();
        self.types.roll_back(&mark.types);
        // Most failed texts declare no record; then the search through all included records is saved.
        if self.types.records.len() != records {
            self.included.forget_records_from(self.types.records.len());
        }
        self.layouts.clear();
        let types = self.types.len();
        self.predefined.retain(|_, ty| ty.ty.index() < types);
    }

    /// Whether a symbol existed at the last mark, so that a rollback must restore its binding.
    fn is_marked(&self, name: Symbol) -> bool {
        name.index() < self.marked_names
    }

    /// Declares an identifier that lives for good: functions, variables, constants.
    pub(crate) fn bind_ordinary(&mut self, name: Symbol, item: Item) {
        let old = self.ordinary.insert(name, item);
        if self.is_marked(name) {
            self.journal.push(Undo::Ordinary(name, old));
        }
    }
    pub(crate) fn bind_typedef(&mut self, name: Symbol, index: u32) {
        let old = self.typedef_names.insert(name, index);
        if self.is_marked(name) {
            self.journal.push(Undo::TypedefName(name, old));
        }
    }
    pub(crate) fn bind_enumerator(&mut self, name: Symbol, at: (EnumId, u32)) {
        let old = self.enumerators.insert(name, at);
        if self.is_marked(name) {
            self.journal.push(Undo::Enumerator(name, old));
        }
    }
    pub(crate) fn bind_record_tag(&mut self, name: Symbol, id: RecordId) {
        let key = (self.types.record(id).kind, name);
        self.record_tags.insert(key, id);
        if self.is_marked(name) {
            self.journal.push(Undo::RecordTag(key));
        }
    }
    pub(crate) fn bind_enum_tag(&mut self, name: Symbol, id: EnumId) {
        self.enum_tags.insert(name, id);
        if self.is_marked(name) {
            self.journal.push(Undo::EnumTag(name));
        }
    }
}
