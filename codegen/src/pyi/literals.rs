//! `ffi.new("int[3]")` and its like: overloads for string literals that name ctypes.
//!
//! No type checker reads C. So pointers and arrays of the types that the declarations name, and of the primitive types
//! that they use, are listed as literals; for any other string the result is `Any`.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write;

use keelback_cdef::{Primitive, Type, TypeId};

use super::Stubs;

/// The greatest fixed array length that gets an overload.
const LONGEST: usize = 16;
/// With more names than this, only arrays of primitive types get overloads for fixed lengths, because a type checker
/// compares every literal with every other.
const MANY_NAMES: usize = 24;

/// For each result type its literals, in the order of the first use of the results.
#[derive(Default)]
struct Overloads {
    all: Vec<(String, Vec<String>)>,
    /// The index in `all` of each result type.
    places: HashMap<String, usize>,
    /// The literals that there are already, each with the index of its result.
    seen: HashSet<(usize, String)>,
}

impl Overloads {
    fn add(&mut self, result: String, literals: impl IntoIterator<Item = String>) {
        let place = match self.places.get(&result) {
            Some(&place) => place,
            None => {
                self.places.insert(result.clone(), self.all.len());
                self.all.push((result, Vec::new()));
                self.all.len() - 1
            }
        };
        for literal in literals {
            if self.seen.insert((place, literal.clone())) {
                self.all[place].1.push(literal);
            }
        }
    }
}

impl Stubs<'_> {
    /// The overloads of `new` and `cast`.
    pub(super) fn constructors(&self, out: &mut String) {
        let mut overloads = Overloads::default();
        let names = self.named_types();
        let has_many = names.len() > MANY_NAMES;
        for (name, ty) in &names {
            let is_plain = matches!(self.declarations.types.get(*ty), Type::Primitive(plain) if plain.name() == name);
            let lengths = if has_many && !is_plain { 0 } else { LONGEST };
            self.add_name(name, *ty, lengths, &mut overloads);
        }
        let text = |name: &str| name.to_owned();
        overloads.add(
            text("_t.Pointer[Any]"),
            ["void *", "void*", "const void *"].map(text),
        );
        overloads.add(
            text("_t.Pointer[_t.Pointer[Any]]"),
            ["void **", "void**"].map(text),
        );
        overloads.add(text("_t.Array[_t.Pointer[Any]]"), arrays("void *", LONGEST));
        for (method, argument) in [("new", "init: Any = None"), ("cast", "source: Any")] {
            let is_array = |result: &str| result.starts_with("_t.Array[");
            let all = overloads.all.iter();
            for (result, literals) in all.filter(|(result, _)| method == "new" || !is_array(result))
            {
                let _ = write!(
                    out,
                    "    @overload\n    def {method}(self, cdecl: Literal[\"{}\"], {argument}) -> {result}: ...\n",
                    literals.join("\", \""),
                );
            }
            let _ = write!(
                out,
                "    @overload\n    def {method}(self, cdecl: _b.str | _t._CType, {argument}) -> Any: ...\n",
            );
        }
    }

    fn add_name(&self, name: &str, ty: TypeId, lengths: usize, overloads: &mut Overloads) {
        let types = &self.declarations.types;
        let (item, pointer) = (self.got(ty), self.pointer_to(ty));
        match types.get(ty) {
            Type::Void => return,
            // A typedef of a pointer or array is a ctype for `new` itself.
            Type::Pointer(_) | Type::Array { .. } => overloads.add(item.clone(), [name.to_owned()]),
            _ => {}
        }
        overloads.add(pointer.clone(), pointers(name));
        if matches!(types.get(ty), Type::Function(_)) {
            return;
        }
        overloads.add(format!("_t.Array[{item}]"), arrays(name, lengths));
        if matches!(types.get(ty), Type::Pointer(_) | Type::Array { .. }) {
            return;
        }
        overloads.add(
            format!("_t.Pointer[{pointer}]"),
            [format!("{name} **"), format!("{name}**")],
        );
        overloads.add(
            format!("_t.Array[{pointer}]"),
            arrays(&format!("{name} *"), lengths),
        );
    }

    /// The Python type of a pointer to a type.
    pub(super) fn pointer_to(&self, ty: TypeId) -> String {
        match self.declarations.types.get(ty) {
            Type::Record(id) => format!("{}_p", self.class(*id)),
            Type::Function(function) => self.function_pointer(function),
            Type::Void => "_t.Pointer[Any]".into(),
            _ => format!("_t.Pointer[{}]", self.got(ty)),
        }
    }

    /// The types that the declarations name, and the primitive types that they use.
    fn named_types(&self) -> Vec<(String, TypeId)> {
        let declarations = self.declarations;
        let types = &declarations.types;
        let mut found = Vec::new();
        for &index in self.classes.keys() {
            let id = keelback_cdef::RecordId::from_index(index);
            if let (Some(tag), Some(ty)) = (types.record(id).tag, types.find(&Type::Record(id))) {
                let keyword = types.record(id).kind.keyword();
                found.push((format!("{keyword} {}", types.text(tag)), ty));
            }
        }
        for index in 0..types.enums.len() {
            let id = keelback_cdef::EnumId::from_index(index);
            if let (Some(tag), Some(ty)) = (types.enumeration(id).tag, types.find(&Type::Enum(id)))
            {
                found.push((format!("enum {}", types.text(tag)), ty));
            }
        }
        for typedef in &declarations.typedefs {
            found.push((types.text(typedef.name).to_owned(), typedef.ty.ty));
        }
        let mut plain =
            BTreeSet::from([Primitive::Char, Primitive::Int, Primitive::Double].map(as_number));
        self.used_types()
            .into_iter()
            .for_each(|ty| self.add_plain(ty, &mut plain));
        for primitive in plain.into_iter().map(|number| Primitive::ALL[number]) {
            // Skip it if a typedef has this name.
            if found.iter().all(|(name, _)| name != primitive.name())
                && let Some(ty) = types.find(&Type::Primitive(primitive))
            {
                found.push((primitive.name().to_owned(), ty));
            }
        }
        found
    }

    /// The types of all members, functions, variables and typedefs.
    fn used_types(&self) -> Vec<TypeId> {
        let declarations = self.declarations;
        let records = declarations.types.records.iter();
        let fields = records.flat_map(|record| record.fields.iter().flatten());
        let mut found: Vec<TypeId> = fields.map(|field| field.ty.ty).collect();
        found.extend(declarations.functions.iter().map(|function| function.ty));
        found.extend(declarations.variables.iter().map(|variable| variable.ty.ty));
        found.extend(declarations.typedefs.iter().map(|typedef| typedef.ty.ty));
        found
    }

    fn add_plain(&self, ty: TypeId, plain: &mut BTreeSet<usize>) {
        match self.declarations.types.get(ty) {
            Type::Primitive(primitive) => {
                plain.insert(as_number(*primitive));
            }
            Type::Pointer(to) | Type::Array { item: to, .. } => self.add_plain(to.ty, plain),
            Type::Function(function) => {
                self.add_plain(function.result.ty, plain);
                for param in &function.params {
                    self.add_plain(param.ty, plain);
                }
            }
            Type::Void | Type::Record(_) | Type::Enum(_) | Type::Unknown(_) => {}
        }
    }
}

fn as_number(primitive: Primitive) -> usize {
    primitive as usize
}

fn pointers(name: &str) -> [String; 4] {
    [
        format!("{name} *"),
        format!("{name}*"),
        format!("const {name} *"),
        format!("const {name}*"),
    ]
}

fn arrays(name: &str, longest: usize) -> Vec<String> {
    let fixed = (1..=longest).map(|length| format!("{name}[{length}]"));
    std::iter::once(format!("{name}[]")).chain(fixed).collect()
}
