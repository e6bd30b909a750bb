//! A plugin's spec, parsed and checked.

use keelback_cdef::{
    Declarations, Function, FunctionOrigin, FunctionType, ParseOptions, SourceId, Type,
};

use crate::c_source::Loader;
use crate::header::HeaderOptions;
use crate::problem::Problem;
use crate::spec::{CdefText, PluginSpec};
use crate::{c_source, check, header};

/// A plugin that can be made: its spec has been parsed and checked.
#[derive(Clone, Debug)]
pub struct Plugin {
    pub(crate) spec: PluginSpec,
    pub(crate) declarations: Declarations,
}

impl Plugin {
    /// Parses the declarations and checks that a plugin can be made of the spec. The second value is warnings.
    ///
    /// # Errors
    /// All that is wrong, warnings among it, in the order of the texts.
    pub fn new(spec: PluginSpec) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let mut problems = check::spec(&spec);
        let mut declarations = Declarations::default();
        let mut included = spec.included.iter().peekable();
        for position in 0..=spec.cdefs.len() {
            while let Some(module) = included.next_if(|module| module.position <= position) {
                if let Err(error) = declarations.include(&module.declarations) {
                    problems.push(Problem::from(*error));
                }
            }
            let Some(cdef) = spec.cdefs.get(position) else {
                break;
            };
            let options = ParseOptions {
                file: Some(&cdef.file),
                override_: cdef.override_,
                packed: cdef.packed,
                pack: cdef.pack,
                embedding_api: cdef.embedding_api,
                as_cffi: cdef.as_cffi,
            };
            match declarations.parse(&cdef.text, &options) {
                Ok(warnings) => problems.extend(warnings.into_iter().map(Problem::from)),
                Err(errors) => problems.extend(errors.into_iter().map(Problem::from)),
            }
        }
        // A text that failed is not among the declarations, so what refers to it would look wrong too.
        if problems.iter().any(Problem::is_error) {
            return Err(problems);
        }
        let mut plugin = Self { spec, declarations };
        problems.extend(check::take_init_errors(&mut plugin));
        problems.extend(check::plugin(&plugin));
        if problems.iter().any(Problem::is_error) {
            Err(problems)
        } else {
            Ok((plugin, problems))
        }
    }

    /// What it was made from.
    pub fn spec(&self) -> &PluginSpec {
        &self.spec
    }

    /// What its cdefs declare.
    pub fn declarations(&self) -> &Declarations {
        &self.declarations
    }

    /// What its own exported functions start with: `greeter` of `greeter_start`.
    pub fn prefix(&self) -> String {
        prefix(&self.spec.module_name)
    }

    /// The names of the C functions that run Python, in order of declaration.
    pub fn function_names(&self) -> impl Iterator<Item = &str> {
        self.callbacks()
            .map(|(function, _)| self.declarations.types.text(function.name))
    }

    /// The C file: includes nothing of this project, links with no libpython. C99 to C23, and C++.
    pub fn c_source(&self) -> String {
        c_source::c_source(self, Loader::Inside)
    }

    /// The C file without the loader, which is most of it: to be linked with an object made of
    /// [`loader_source`](crate::loader_source) by the same version of this crate. Not for a plugin that carries its
    /// runtime.
    pub fn c_source_without_loader(&self) -> String {
        debug_assert!(self.spec.standalone_runtime.is_none());
        c_source::c_source(self, Loader::Object)
    }

    /// The public header: C99 to C23, and C++.
    pub fn header(&self, options: &HeaderOptions) -> String {
        header::header(self, options)
    }

    /// Each cdef and its number among the declarations' sources.
    pub(crate) fn cdefs(&self) -> Vec<(SourceId, &CdefText)> {
        (0..).map(SourceId).zip(&self.spec.cdefs).collect()
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

    /// What a function returns when Python cannot be started, as C text.
    pub(crate) fn start_error(&self, name: &str) -> Option<&str> {
        self.spec
            .start_errors
            .iter()
            .rev()
            .find(|error| error.function == name)
            .map(|error| error.value.trim())
    }
}

/// A module name as part of C names.
pub(crate) fn prefix(module_name: &str) -> String {
    module_name.replace('.', "_")
}
