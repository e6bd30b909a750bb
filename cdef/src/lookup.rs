//! Look-up of declarations by name.

use crate::declarations::{Constant, Declarations, Function, Item, MacroValue, Typedef, Variable};
use crate::types::{EnumId, RecordId, RecordKind, Symbol, Type};

impl Declarations {
    /// The function, variable or constant of that name; enumerators are found by
    /// [`Self::lookup_enumerator`].
    pub fn lookup_ordinary(&self, name: &str) -> Option<Item> {
        self.ordinary.get(&self.types.find_symbol(name)?).copied()
    }

    /// The function, variable, constant or enumerator whose name is most similar, for "did you mean".
    pub fn similar_ordinary(&self, name: &str) -> Option<&str> {
        let functions = self.functions.iter().map(|function| function.name);
        let variables = self.variables.iter().map(|variable| variable.name);
        let constants = self.constants.iter().map(|constant| constant.name);
        let named = functions.chain(variables).chain(constants);
        let enumerators = self.enumerators.iter().map(|(name, _)| name);
        let names = named.chain(enumerators).map(|name| self.types.text(name));
        crate::suggest::closest(name, names)
    }

    /// The name of the symbol that a function or variable has in a library: its own, or its asm label.
    pub fn symbol_of<'a>(&'a self, name: &'a str) -> &'a str {
        let label = match self.lookup_ordinary(name) {
            Some(Item::Function(index)) => self.functions[index as usize].label,
            Some(Item::Variable(index)) => self.variables[index as usize].label,
            _ => None,
        };
        label.map_or(name, |label| self.types.text(label))
    }

    /// The function of that name.
    pub fn lookup_function(&self, name: &str) -> Option<&Function> {
        match self.lookup_ordinary(name)? {
            Item::Function(index) => self.functions.get(index as usize),
            _ => None,
        }
    }

    /// The variable of that name.
    pub fn lookup_variable(&self, name: &str) -> Option<&Variable> {
        match self.lookup_ordinary(name)? {
            Item::Variable(index) => self.variables.get(index as usize),
            _ => None,
        }
    }

    /// The constant of that name.
    pub fn lookup_constant(&self, name: &str) -> Option<&Constant> {
        match self.lookup_ordinary(name)? {
            Item::Constant(index) => self.constants.get(index as usize),
            _ => None,
        }
    }

    /// The value of the macro of that name, if it is not an integer.
    pub fn lookup_macro(&self, name: &str) -> Option<&MacroValue> {
        let name = self.types.find_symbol(name)?;
        let found = self.macros.iter().rev().find(|found| found.name == name);
        found.map(|found| &found.value)
    }

    /// Why the function or variable of that name, which a header declares, cannot be used.
    pub fn lookup_refused(&self, name: &str) -> Option<&str> {
        let name = self.types.find_symbol(name)?;
        let found = self.refused.iter().rev().find(|found| found.name == name);
        found.map(|found| &*found.why)
    }

    /// The typedef of that name. Predefined names are not found.
    pub fn lookup_typedef(&self, name: &str) -> Option<&Typedef> {
        let index = *self.typedef_names.get(&self.types.find_symbol(name)?)?;
        self.typedefs.get(index as usize)
    }

    /// `foo` of `struct foo` and `union foo`; C has one name space for both.
    pub fn lookup_record_tag(&self, tag: &str) -> Option<RecordId> {
        let tag = self.types.find_symbol(tag)?;
        [RecordKind::Struct, RecordKind::Union]
            .iter()
            .find_map(|&kind| self.record_tags.get(&(kind, tag)).copied())
    }

    /// The struct or union with this name in CFFI's tables: its tag; or `$foo`, if the typedef `foo` names it; or
    /// `$$foo`, if the typedef `foo` is a pointer to it.
    pub fn lookup_record_spelt(&self, kind: RecordKind, name: &str) -> Option<RecordId> {
        let of_kind = |id: RecordId| (self.types.record(id).kind == kind).then_some(id);
        if let Some(tag) = self.types.find_symbol(name)
            && let Some(&id) = self.record_tags.get(&(kind, tag))
        {
            return Some(id);
        }
        let name = name.strip_prefix('$')?;
        let (name, is_pointer) = match name.strip_prefix('$') {
            Some(name) => (name, true),
            None => (name, false),
        };
        match (self.types.get(self.lookup_typedef(name)?.ty.ty), is_pointer) {
            (&Type::Record(id), false) => of_kind(id),
            (Type::Pointer(to), true) => match *self.types.get(to.ty) {
                Type::Record(id) => of_kind(id),
                _ => None,
            },
            _ => None,
        }
    }

    /// `foo` of `enum foo`.
    pub fn lookup_enum_tag(&self, tag: &str) -> Option<EnumId> {
        self.enum_tags.get(&self.types.find_symbol(tag)?).copied()
    }

    /// The enum that an enumerator belongs to, and its value, if it is known.
    pub fn lookup_enumerator(&self, name: &str) -> Option<(EnumId, Option<i128>)> {
        let &(id, index) = self.enumerators.get(&self.types.find_symbol(name)?)?;
        let enumerators = self.types.enumeration(id).enumerators.as_ref()?;
        Some((id, enumerators.get(index as usize)?.value))
    }

    /// The typedef names, sorted.
    pub fn typedef_names(&self) -> Vec<&str> {
        self.sorted(self.typedefs.iter().map(|typedef| typedef.name))
    }

    /// The tags of structs or of unions, sorted.
    pub fn record_tags(&self, kind: RecordKind) -> Vec<&str> {
        let records = self.record_tags.iter();
        let of_kind = records.filter(|&((of, _), _)| of == kind);
        self.sorted(of_kind.map(|((_, tag), _)| tag))
    }

    fn sorted(&self, names: impl Iterator<Item = Symbol>) -> Vec<&str> {
        let mut names: Vec<&str> = names.map(|name| self.text(name)).collect();
        names.sort_unstable();
        names
    }
}
