//! A plugin's spec, parsed and checked. `check` makes one; `c_source`, `header` and others generate files from it.

use std::collections::HashMap;

use keelback_cdef::{Declarations, Function, FunctionOrigin, FunctionType, SourceId, Type};

use crate::batch::Batches;
use crate::spec::{CdefText, PluginSpec};

/// A plugin that can be made: its spec has been parsed and checked.
#[derive(Clone, Debug)]
pub struct Plugin {
    pub(crate) spec: PluginSpec,
    pub(crate) declarations: Declarations,
    pub(crate) batches: Batches,
}

impl Plugin {
    /// The spec that it was made from.
    pub fn spec(&self) -> &PluginSpec {
        &self.spec
    }

    /// What its cdefs declare.
    pub fn declarations(&self) -> &Declarations {
        &self.declarations
    }

    /// The functions that have batches. The text that declares the batches is the last of the spec's cdefs.
    pub fn batches(&self) -> &Batches {
        &self.batches
    }

    /// The prefix of its own exported functions: `greeter` in `greeter_start`.
    pub fn prefix(&self) -> String {
        prefix(&self.spec.module_name)
    }

    /// The names of the C functions that run Python, in order of declaration.
    pub fn function_names(&self) -> impl Iterator<Item = &str> {
        self.callbacks()
            .map(|(function, _)| self.declarations.types.text(function.name))
    }

    /// Each cdef and its number among the declarations' sources.
    pub(crate) fn cdefs(&self) -> Vec<(SourceId, &CdefText)> {
        (0..).map(SourceId).zip(&self.spec.cdefs).collect()
    }

    /// The cdef that declares the batches and its number, or nothing.
    pub(crate) fn batch_cdef(&self) -> Vec<(SourceId, &CdefText)> {
        let all = self.cdefs();
        let from = all.len() - usize::from(!self.batches.is_empty());
        all[from..].to_vec()
    }

    /// The C functions that run Python, in order of declaration: `keelback_plugin_t.functions`.
    pub(crate) fn callbacks(&self) -> impl Iterator<Item = (&Function, &FunctionType)> {
        self.declarations
            .functions
            .iter()
            .filter(|function| function.origin != FunctionOrigin::C)
            .filter_map(|function| match self.declarations.types.get(function.ty) {
                Type::Function(ty) => Some((function, &**ty)),
                _ => None,
            })
    }

    /// What functions return when Python cannot be started, as C text. The last of several values for one function
    /// counts.
    pub(crate) fn start_errors(&self) -> HashMap<&str, &str> {
        let all = self.spec.start_errors.iter();
        all.map(|error| (error.function.as_str(), error.value.trim()))
            .collect()
    }
}

/// A module name as part of C names.
pub(crate) fn prefix(module_name: &str) -> String {
    module_name.replace('.', "_")
}
