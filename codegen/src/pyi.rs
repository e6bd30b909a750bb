//! Type stubs (.pyi) of a built module: its `ffi` and `lib` as a type checker sees them, made of `keelback.types`.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::batch::Batches;
use keelback_cdef::{
    Declarations, Function, FunctionOrigin, FunctionType, Item, MacroValue, Primitive, RecordId,
    Type, TypeId, UnknownKind,
};

use crate::check::is_python_keyword;

mod def_extern;
mod literals;

/// The kind of module that the stubs describe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StubsOf {
    /// A module with `ffi` and `lib`: of API mode, or a plugin.
    Module,
    /// An out-of-line module of ABI mode: it has `ffi`, and `ffi.dlopen()` returns the lib.
    AbiModule,
}

/// The text of `MODULE.pyi`.
pub fn stubs(
    module_name: &str,
    declarations: &Declarations,
    batches: &Batches,
    of: StubsOf,
) -> String {
    let mut stubs = Stubs {
        declarations,
        batches,
        classes: BTreeMap::new(),
        names: BTreeMap::new(),
        typedefs: BTreeMap::new(),
    };
    for typedef in &declarations.typedefs {
        if let Type::Record(id) = declarations.types.get(typedef.ty.ty) {
            let name = declarations.types.text(typedef.name);
            stubs.typedefs.entry(id.index()).or_default().push(name);
        }
    }
    for index in 0..declarations.types.records.len() {
        stubs.add_class(RecordId::from_index(index));
    }
    let mut out = format!(
        "# Made by keelback {}: what type checkers see of {module_name}. Changes to this file are lost.\n\
         import builtins as _b\n\
         from collections.abc import Callable\n\
         from typing import Any, Final, Literal, TypeVar, overload, type_check_only\n\n\
         import keelback.types as _t\n\
         from keelback import CData as _CData\n",
        env!("CARGO_PKG_VERSION"),
    );
    stubs.records(&mut out);
    stubs.lib(&mut out);
    stubs.ffi(&mut out, of);
    out.push_str("\nffi: Final[_FFI]\n");
    if of == StubsOf::Module {
        out.push_str("lib: Final[_Lib]\n");
    }
    out
}

/// A record has several classes: of a pointer to it, and of either as C hands it to Python.
const ENDINGS: [&str; 3] = ["_p", "_c", "_p_c"];

struct Stubs<'a> {
    declarations: &'a Declarations,
    batches: &'a Batches,
    /// The classes of records, by the index of the record.
    classes: BTreeMap<usize, String>,
    /// The class names in use, each with the index of its record.
    names: BTreeMap<String, usize>,
    /// The typedefs of records, by the index of the record.
    typedefs: BTreeMap<usize, Vec<&'a str>>,
}

impl Stubs<'_> {
    /// Finds a name for a record's class.
    fn add_class(&mut self, id: RecordId) {
        let types = &self.declarations.types;
        let record = types.record(id);
        let name = match (record.tag, record.typedef_name, record.pointer_typedef) {
            (Some(tag), _, _) => format!("{}_{}", record.kind.keyword(), types.text(tag)),
            (None, Some(typedef), _) => types.text(typedef).trim_start_matches('$').to_owned(),
            (None, None, Some(pointer)) => format!("{}_item", types.text(pointer)),
            (None, None, None) => format!("{}_{}", record.kind.keyword(), record.number),
        };
        let mut name: String = name
            .chars()
            .map(|c| if c == '$' { '_' } else { c })
            .collect();
        while is_reserved(&name)
            || self.names.contains_key(&name)
            || ENDINGS
                .iter()
                .any(|end| self.names.contains_key(&format!("{name}{end}")))
        {
            name.push('_');
        }
        self.names.insert(name.clone(), id.index());
        for end in ENDINGS {
            self.names.insert(format!("{name}{end}"), id.index());
        }
        self.classes.insert(id.index(), name);
    }

    fn class(&self, id: RecordId) -> &str {
        self.classes.get(&id.index()).map_or("Any", String::as_str)
    }

    fn records(&self, out: &mut String) {
        for (&index, class) in &self.classes {
            let id = RecordId::from_index(index);
            let mut fields = String::new();
            self.fields(id, &mut fields);
            let body = if fields.is_empty() { " ...\n" } else { "\n" };
            let spellings = self.spellings(id);
            let name = spellings.first().unwrap_or(class);
            let _ = write!(
                out,
                "\n@type_check_only\nclass {class}(_t.AnyCData):{body}{fields}\
                 \n@type_check_only\nclass {class}_p(_t.Pointer[{class}]):\n    \"\"\"{name} *\"\"\"\n{fields}",
            );
        }
    }

    fn fields(&self, id: RecordId, out: &mut String) {
        let types = &self.declarations.types;
        for field in types.record(id).fields.iter().flatten() {
            match (field.name, types.get(field.ty.ty)) {
                (Some(name), _) if is_python_keyword(types.text(name)) => {}
                (Some(name), _) => {
                    let _ = writeln!(out, "    {}: {}", types.text(name), self.got(field.ty.ty));
                }
                (None, Type::Record(inner)) => self.fields(*inner, out),
                (None, _) => {}
            }
        }
    }

    fn lib(&self, out: &mut String) {
        let types = &self.declarations.types;
        let mut members = String::new();
        for item in &self.declarations.items {
            match *item {
                Item::Function(index) => {
                    self.function(&self.declarations.functions[index as usize], &mut members);
                }
                Item::Variable(index) => {
                    let variable = &self.declarations.variables[index as usize];
                    let ty = self.got(variable.ty.ty);
                    let is_fixed = variable.is_constant
                        || matches!(
                            types.get(variable.ty.ty),
                            Type::Array { .. } | Type::Record(_)
                        );
                    value(&mut members, types.text(variable.name), &ty, is_fixed);
                }
                Item::Constant(index) => {
                    let constant = &self.declarations.constants[index as usize];
                    value(&mut members, types.text(constant.name), "_b.int", true);
                }
                Item::Enum(id) => {
                    for one in types.enumeration(id).enumerators.iter().flatten() {
                        value(&mut members, types.text(one.name), "_b.int", true);
                    }
                }
                Item::Typedef(_) | Item::Forward(_) | Item::Record(_) => {}
            }
        }
        for found in &self.declarations.macros {
            let ty = match found.value {
                MacroValue::Floating(_) => "_b.float",
                MacroValue::Text(_) => "_b.bytes",
                MacroValue::Nothing => continue,
            };
            value(&mut members, types.text(found.name), ty, true);
        }
        if members.is_empty() {
            members.push_str("    ...\n");
        }
        let _ = write!(out, "\n@type_check_only\nclass _Lib:\n{members}");
    }

    fn function(&self, function: &Function, out: &mut String) {
        let types = &self.declarations.types;
        let name = types.text(function.name);
        let Type::Function(ty) = types.get(function.ty) else {
            return;
        };
        if function.origin != FunctionOrigin::C {
            // A pointer to the C function that calls Python.
            value(out, name, &self.function_pointer(ty), true);
            return;
        }
        if is_python_keyword(name) {
            return;
        }
        let mut used = vec!["self".to_owned()];
        let mut parameters = String::new();
        for (index, param) in ty.params.iter().enumerate() {
            let given = function.params.get(index).copied().flatten();
            let mut parameter =
                given.map_or_else(|| format!("arg{index}"), |name| types.text(name).to_owned());
            while is_python_keyword(&parameter) || used.contains(&parameter) {
                parameter.push('_');
            }
            let _ = write!(parameters, ", {parameter}: {}", self.given(param.ty));
            used.push(parameter);
        }
        let end = match (ty.params.is_empty(), ty.variadic) {
            (true, true) => ", *args: Any",
            (false, true) => ", /, *args: Any",
            (true, false) => "",
            (false, false) => ", /",
        };
        let result = self.got(ty.result.ty);
        let _ = writeln!(
            out,
            "    def {name}(self{parameters}{end}) -> {result}: ..."
        );
    }

    fn ffi(&mut self, out: &mut String, of: StubsOf) {
        let begin = out.len();
        out.push_str("\n@type_check_only\nclass _FFI(_t.FFI):\n");
        self.constructors(out);
        let (mut top, mut methods) = (String::new(), String::new());
        self.def_extern(&mut top, &mut methods);
        out.insert_str(begin, &top);
        out.push_str(&methods);
        if of == StubsOf::AbiModule {
            // The lib that it returns has the declared names.
            out.push_str(
                "    def dlopen(self, name: Any, flags: _b.int = 0) -> _Lib: ...  # type: ignore[override]\n",
            );
        }
    }

    /// How type strings may name a record.
    fn spellings(&self, id: RecordId) -> Vec<String> {
        let types = &self.declarations.types;
        let record = types.record(id);
        let tag = record
            .tag
            .map(|tag| format!("{} {}", record.kind.keyword(), types.text(tag)));
        let typedefs = self.typedefs.get(&id.index()).into_iter().flatten();
        tag.into_iter()
            .chain(typedefs.map(|&name| name.to_owned()))
            .collect()
    }

    /// The Python type that a value of a C type is converted to.
    fn got(&self, ty: TypeId) -> String {
        let types = &self.declarations.types;
        match types.get(ty) {
            Type::Void => "None".into(),
            Type::Primitive(primitive) => primitive_type(*primitive).into(),
            Type::Enum(_) => "_b.int".into(),
            Type::Unknown(id) => match types.unknown(*id).kind {
                UnknownKind::Integer => "_b.int".into(),
                UnknownKind::Float => "_b.float".into(),
            },
            Type::Record(id) => self.class(*id).into(),
            Type::Pointer(to) => self.pointer_to(to.ty),
            Type::Array { item, .. } => format!("_t.Array[{}]", self.got(item.ty)),
            Type::Function(function) => self.function_pointer(function),
        }
    }

    /// The Python types that are accepted for an argument of a C type.
    fn given(&self, ty: TypeId) -> String {
        let types = &self.declarations.types;
        let list = "_b.list[Any] | _b.tuple[Any, ...]";
        match types.get(ty) {
            Type::Record(id) => format!("{} | _b.dict[_b.str, Any] | {list}", self.class(*id)),
            Type::Pointer(to) => match types.get(to.ty) {
                Type::Void => "_t.AnyCData | _b.bytes".into(),
                Type::Record(id) if self.is_file(*id) => "Any".into(),
                Type::Record(id) => format!("_t.Pointer[{}] | {list}", self.class(*id)),
                Type::Function(_) => self.got(ty),
                Type::Primitive(
                    Primitive::Char
                    | Primitive::SChar
                    | Primitive::UChar
                    | Primitive::Int8
                    | Primitive::UInt8,
                ) => format!("{} | _b.bytes | {list}", self.got(ty)),
                Type::Primitive(Primitive::WChar | Primitive::Char16 | Primitive::Char32) => {
                    format!("{} | _b.str | {list}", self.got(ty))
                }
                _ => format!("{} | {list}", self.got(ty)),
            },
            _ => self.got(ty),
        }
    }

    /// Whether a record is `FILE`: Python's file objects are accepted for a `FILE *`.
    fn is_file(&self, id: RecordId) -> bool {
        let types = &self.declarations.types;
        let record = types.record(id);
        [record.tag, record.typedef_name]
            .into_iter()
            .flatten()
            .any(|name| matches!(types.text(name), "FILE" | "_IO_FILE"))
    }

    fn function_pointer(&self, function: &FunctionType) -> String {
        let parameters = if function.variadic {
            "...".to_owned()
        } else {
            let all: Vec<String> = function
                .params
                .iter()
                .map(|param| self.given(param.ty))
                .collect();
            format!("[{}]", all.join(", "))
        };
        format!(
            "_t.FunctionPointer[{parameters}, {}]",
            self.got(function.result.ty)
        )
    }
}

fn value(out: &mut String, name: &str, ty: &str, is_fixed: bool) {
    if is_python_keyword(name) {
        return;
    }
    let _ = if is_fixed {
        write!(out, "    @_b.property\n    def {name}(self) -> {ty}: ...\n")
    } else {
        writeln!(out, "    {name}: {ty}")
    };
}

fn primitive_type(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Bool => "_b.bool",
        Primitive::Char => "_b.bytes",
        Primitive::WChar | Primitive::Char16 | Primitive::Char32 => "_b.str",
        Primitive::Float | Primitive::Double => "_b.float",
        Primitive::LongDouble | Primitive::LongDoubleComplex => "Any",
        Primitive::FloatComplex | Primitive::DoubleComplex => "_b.complex",
        _ => "_b.int",
    }
}

/// Whether a name is used at the top of the stub, or is a keyword.
fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "Any"
            | "Callable"
            | "TypeVar"
            | "Final"
            | "Literal"
            | "overload"
            | "type_check_only"
            | "ffi"
            | "lib"
    ) || is_python_keyword(name)
        // A type variable of `def_extern`'s.
        || name.strip_prefix("_F").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
}
