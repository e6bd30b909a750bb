//! What a series of cdefs declares: names of every kind, and the types behind them.

use rustc_hash::FxHashMap;

use crate::source::Span;
use crate::types::{QualType, Symbol, TypeId, TypeTable};

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
    /// Who provides it.
    pub origin: FunctionOrigin,
    /// `inline`/`static` prefix was written (ignored, as in CFFI).
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
    /// Its type. An array of unknown length stays so.
    pub ty: QualType,
    /// Written `static const T K;` or with a const top level: read only, fetched by value.
    pub is_constant: bool,
    /// Where.
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
    /// Where.
    pub span: Span,
    /// See [`Function::doc`].
    pub doc: Option<Span>,
}

/// A typedef.
#[derive(Clone, Debug)]
pub struct Typedef {
    /// Its name.
    pub name: Symbol,
    /// What it stands for.
    pub ty: QualType,
    /// Where.
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
    /// A struct or union got its body (or was first named).
    Record(crate::types::RecordId),
    /// An enum got its body.
    Enum(crate::types::EnumId),
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
    /// Everything in source order.
    pub items: Vec<Item>,
    /// Ordinary identifiers that are functions, variables or constants (C11 6.2.3).
    pub(crate) ordinary: FxHashMap<Symbol, Item>,
    pub(crate) typedef_names: FxHashMap<Symbol, u32>,
    pub(crate) enumerators: FxHashMap<Symbol, (crate::types::EnumId, u32)>,
    pub(crate) record_tags: FxHashMap<Symbol, crate::types::RecordId>,
    pub(crate) enum_tags: FxHashMap<Symbol, crate::types::EnumId>,
}
