//! A plugin's C file.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use keelback_cdef::{
    Declarations, FunctionOrigin, FunctionType, Layouts, Primitive, QualType, Type, TypeId,
    TypeTable,
};
use serde::Serialize;

use crate::answers::{Answer, answers, lengths};
use crate::c_text::{literal, literal_of_bytes, literal_or_null, without_comments};
use crate::declared::{DeclaredText, Destination, declared_text, includes};
use crate::layout_checks::{
    Assertion, KnownValue, LayoutFact, MemberChecks, array_assertions, constants_with_values,
    enumerator_assertions, layout_assertions, layout_facts, member_checks,
};
use crate::lines::{Lines, MARKER, number_lines};
use crate::plugin::Plugin;
use crate::prelude_wrappers::{Symbols, symbols};
use crate::spec::{DebugLine, PluginSpec};
use crate::spelling::{by_pointer, declare, declare_function, has_extension};
use crate::{ABI_HEADER, templates};

/// Where the loader of a plugin is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Loader {
    /// In the plugin's C file.
    Inside,
    /// In the object file made from [`loader_source`].
    Object,
}

/// The loader as a C file of its own. It is the same for all plugins, so it can be compiled in advance, and linked with
/// [`Plugin::c_source_without_loader`].
pub fn loader_source() -> String {
    format!(
        "{ABI_HEADER}\n\
         #define KEELBACK_STANDALONE 0\n\
         #define KEELBACK_SHARED __attribute__((visibility(\"hidden\")))\n\
         {}{}",
        templates::LOADER_INTERFACE,
        templates::LOADER,
    )
}

#[derive(Serialize)]
struct Context<'a> {
    keelback_version: &'static str,
    abi_header: Cow<'static, str>,
    loader_interface: &'static str,
    /// The loader's text; empty if it is an object file of its own.
    loader: &'static str,
    module_name: &'a str,
    module_literal: String,
    last_name: &'a str,
    /// The prefix of the plugin's own functions; `None` for an extension module.
    lifecycle: Option<String>,
    python: Python,
    runtime_path: String,
    standalone: Option<String>,
    flags: String,
    prelude: Option<Prelude<'a>>,
    prelude_first: bool,
    includes: BTreeSet<&'static str>,
    header_includes: &'a [String],
    early_functions: Vec<String>,
    declared: String,
    cdefs: Vec<Cdef>,
    init: Option<Init>,
    files: Vec<File>,
    code_magic: u32,
    includes_modules: Vec<Include>,
    /// The lengths of `[...]` arrays, by their number.
    lengths: Vec<String>,
    assertions: Numbered<Assertion>,
    member_checks: Numbered<MemberChecks>,
    values: Numbered<KnownValue>,
    answers: Numbered<Answer>,
    symbols: Option<Symbols>,
    functions: Numbered<Function>,
    layouts: Numbered<LayoutFact>,
    /// The line that [`number_lines`] replaces by a `#line` with this file's own numbering.
    own_lines: &'static str,
}

/// Items with their `#line` directives, and the directive behind them that returns to this file's own numbering.
#[derive(Serialize)]
struct Numbered<T> {
    items: Vec<T>,
    own: String,
}

impl<T> Numbered<T> {
    /// The result of `items` if `is_wanted`, or no items.
    fn if_any<'a>(
        is_wanted: bool,
        lines: &mut Lines<'a>,
        items: impl FnOnce(&mut Lines<'a>) -> Vec<T>,
    ) -> Self {
        let items = if is_wanted { items(lines) } else { Vec::new() };
        Self::new(items, lines)
    }

    fn new(items: Vec<T>, lines: &mut Lines<'_>) -> Self {
        let own = if items.is_empty() {
            String::new()
        } else {
            lines.own()
        };
        Self { items, own }
    }
}

#[derive(Serialize)]
struct Python {
    libpython: String,
    home: String,
    executable: String,
    version: String,
}

impl Python {
    fn of(spec: &PluginSpec) -> Self {
        let python = &spec.python;
        Self {
            libpython: literal_or_null(python.libpython.as_deref()),
            home: literal_or_null(python.home.as_deref()),
            executable: literal_or_null(python.executable.as_deref()),
            version: literal(&match python.version {
                // An extension module works with every Python 3.
                (0, _) => "3".to_owned(),
                (major, minor) => {
                    let suffix = if python.free_threaded { "t" } else { "" };
                    format!("{major}.{minor}{suffix}")
                }
            }),
        }
    }
}

#[derive(Serialize)]
struct Prelude<'a> {
    line: u32,
    file: String,
    text: &'a str,
}

#[derive(Serialize)]
struct Include {
    module_name: String,
    position: usize,
}

#[derive(Serialize)]
struct Cdef {
    file: String,
    text: String,
    flags: String,
    pack: u32,
}

#[derive(Serialize)]
struct Init {
    file: String,
    text: String,
    compiled: Option<String>,
}

/// A file of the plugin's own modules.
#[derive(Serialize)]
struct File {
    path: String,
    flags: &'static str,
    place: String,
    /// `None` in a development library.
    data: Option<String>,
    code: Option<String>,
}

fn files(spec: &PluginSpec) -> Vec<File> {
    spec.files
        .iter()
        .map(|file| File {
            path: literal(&file.path),
            flags: if file.is_top_level {
                "KEELBACK_FILE_TOP_LEVEL"
            } else {
                "0"
            },
            place: literal_or_null(file.place.as_deref()),
            data: file.place.is_none().then(|| literal_of_bytes(&file.data)),
            code: file.code.as_deref().map(literal_of_bytes),
        })
        .collect()
}

#[derive(Serialize)]
struct Parameter {
    index: usize,
    offset: usize,
    by_pointer: bool,
    extension: bool,
    declaration: String,
}

/// A C function that runs Python.
#[derive(Serialize)]
struct Function {
    index: usize,
    /// What goes in front of the first declaration: see [`Lines`].
    line: String,
    /// What goes in front of its definition, for debuggers.
    debug_line: String,
    name: String,
    /// The linkage in front of the first declaration.
    first_linkage: &'static str,
    /// The linkage in front of the definition.
    linkage: &'static str,
    declaration: String,
    /// `__asm__("label")`.
    label: Option<String>,
    extension: bool,
    parameters: Vec<Parameter>,
    /// The number of 16-byte slots of the stub.
    slots: usize,
    /// `int result`; `None` for void.
    result: Option<String>,
    /// `float _Complex keelback_result_0`: for a type that C++ takes only behind __extension__.
    result_typedef: Option<String>,
    result_size: String,
    error: Option<StartErrorValue>,
    /// The address of its error value, or NULL; of a batch, that of its function.
    error_of: String,
    /// `keelback_function_t.batch_of`
    batch_of: usize,
    /// `keelback_function_t.batch_result`
    batch_result: usize,
}

#[derive(Serialize)]
struct StartErrorValue {
    declaration: String,
    value: String,
}

/// The parts of the file that have `#line` directives, in the order of the file: which directive a part needs depends
/// on the line numbers of the part before it.
struct Parts {
    assertions: Numbered<Assertion>,
    member_checks: Numbered<MemberChecks>,
    values: Numbered<KnownValue>,
    answers: Numbered<Answer>,
    symbols: Option<Symbols>,
    functions: Numbered<Function>,
    layouts: Numbered<LayoutFact>,
}

impl Parts {
    fn new(plugin: &Plugin) -> Self {
        let declarations = &plugin.declarations;
        let has_prelude = plugin.spec.prelude.is_some();
        // An extension module is used from Python: like CFFI, it raises an error when a type with a wrong declaration
        // is used. A library's callers cannot see such an error, so the compile must fail.
        let is_lenient = plugin.spec.flags.extension_module && has_prelude;
        let mut lines = Lines::new(declarations, has_prelude);
        let lines = &mut lines;
        Self {
            assertions: Numbered::new(assertions(plugin, is_lenient, lines), lines),
            member_checks: Numbered::if_any(is_lenient, lines, |lines| {
                member_checks(declarations, lines)
            }),
            values: Numbered::if_any(is_lenient, lines, |lines| {
                constants_with_values(declarations, lines)
            }),
            answers: Numbered::if_any(true, lines, |lines| answers(declarations, lines)),
            symbols: has_prelude.then(|| symbols(plugin, lines)).flatten(),
            functions: Numbered::if_any(true, lines, |lines| functions(plugin, lines)),
            layouts: Numbered::if_any(is_lenient, lines, |lines| layout_facts(declarations, lines)),
        }
    }
}

/// The static assertions about the declarations.
fn assertions(plugin: &Plugin, is_lenient: bool, lines: &mut Lines<'_>) -> Vec<Assertion> {
    let declarations = &plugin.declarations;
    let mut assertions = if is_lenient {
        array_assertions(declarations)
    } else {
        layout_assertions(declarations, &mut Layouts::new())
    };
    if plugin.spec.prelude.is_some() && !is_lenient {
        assertions.extend(enumerator_assertions(declarations));
    }
    for assertion in &mut assertions {
        assertion.line = lines.one(assertion.span);
    }
    assertions
}

impl Plugin {
    /// The C file: includes nothing of this project, links with no libpython. C99 to C23, and C++.
    pub fn c_source(&self) -> String {
        c_source(self, Loader::Inside)
    }

    /// The C file without the loader, which is the larger part. It must be linked with an object made from
    /// [`loader_source`] by the same version of this crate. Not possible for a plugin that carries its runtime.
    pub fn c_source_without_loader(&self) -> String {
        debug_assert!(self.spec.standalone_runtime.is_none());
        c_source(self, Loader::Object)
    }
}

fn c_source(plugin: &Plugin, loader: Loader) -> String {
    let spec = &plugin.spec;
    let declarations = &plugin.declarations;
    let parts = Parts::new(plugin);
    let declared = declared(plugin, &parts.functions.items);
    let last_name = spec
        .module_name
        .rsplit_once('.')
        .map_or(&*spec.module_name, |(_, last)| last);
    let is_prelude_first = is_prelude_first(spec);
    let context = Context {
        prelude_first: is_prelude_first,
        keelback_version: env!("CARGO_PKG_VERSION"),
        abi_header: match is_prelude_first {
            // Without <stdint.h>, in front of the prelude: the template defines the types that are needed.
            true => ABI_HEADER.replace("#include <stdint.h>\n", "").into(),
            false => ABI_HEADER.into(),
        },
        loader_interface: templates::LOADER_INTERFACE,
        loader: match loader {
            Loader::Inside => templates::LOADER,
            Loader::Object => "",
        },
        module_name: &spec.module_name,
        module_literal: literal(&spec.module_name),
        last_name,
        lifecycle: (!spec.flags.extension_module).then(|| plugin.prefix()),
        python: Python::of(spec),
        runtime_path: literal_or_null(spec.runtime_path.as_deref()),
        standalone: standalone(spec),
        flags: flags(spec),
        prelude: spec.prelude.as_ref().map(|prelude| Prelude {
            line: prelude.line.max(1),
            file: literal(&prelude.file),
            text: prelude.text.trim_end_matches('\n'),
        }),
        includes: declared.includes,
        header_includes: if spec.prelude.is_none() {
            &spec.includes
        } else {
            &[]
        },
        early_functions: early_functions(plugin, &parts.functions.items),
        declared: declared.text.trim_end().to_owned(),
        cdefs: cdefs(spec),
        init: spec.init.as_ref().map(|init| Init {
            file: literal(&init.file),
            text: literal(&init.text),
            compiled: spec.init_compiled.as_deref().map(literal_of_bytes),
        }),
        files: files(spec),
        code_magic: spec.code_magic,
        includes_modules: included_modules(spec),
        assertions: parts.assertions,
        member_checks: parts.member_checks,
        values: parts.values,
        answers: parts.answers,
        lengths: lengths(declarations),
        symbols: parts.symbols,
        functions: parts.functions,
        layouts: parts.layouts,
        own_lines: MARKER.trim_end(),
    };
    number_lines(
        &templates::render("plugin.c", context),
        spec.prelude.as_ref().map_or("", |prelude| &prelude.text),
        &format!("{last_name}.c"),
    )
}

/// The types and constants of the declarations, where no prelude has them.
fn declared(plugin: &Plugin, functions: &[Function]) -> DeclaredText {
    if plugin.spec.prelude.is_some() {
        return DeclaredText::default();
    }
    let declarations = &plugin.declarations;
    let mut declared = declared_text(declarations, &plugin.cdefs(), Destination::Source);
    for function in functions {
        let needed = includes(declarations, &function.declaration);
        declared.includes.extend(needed);
    }
    declared
}

/// Whether the user's C stands in front of everything. Headers that the cdefs come from are included in the place of a
/// prelude.
fn is_prelude_first(spec: &PluginSpec) -> bool {
    if spec.prelude.is_some() {
        spec.is_prelude_first
    } else {
        !spec.includes.is_empty()
    }
}

/// The path is an assembler string inside of a C string literal: it is escaped twice.
fn standalone(spec: &PluginSpec) -> Option<String> {
    spec.standalone_runtime.as_deref().map(|path| {
        let escaped = path.replace('\\', "\\\\").replace('"', "\\\"");
        literal(&escaped)
    })
}

/// The functions that are declared before the prelude, so that it can call them.
fn early_functions(plugin: &Plugin, functions: &[Function]) -> Vec<String> {
    let types = &plugin.declarations.types;
    functions
        .iter()
        .zip(plugin.callbacks())
        .filter(|(_, (declared, function))| {
            declared.origin != FunctionOrigin::ExternPythonC && is_built_in(types, function)
        })
        .map(|(function, _)| format!("{}{}", function.first_linkage, function.declaration))
        .collect()
}

fn included_modules(spec: &PluginSpec) -> Vec<Include> {
    spec.included
        .iter()
        .map(|module| Include {
            module_name: literal(&module.module_name),
            position: module.position,
        })
        .collect()
}

fn flags(spec: &PluginSpec) -> String {
    let flags: Vec<&str> = [
        (spec.flags.no_site, "KEELBACK_PLUGIN_NO_SITE"),
        (
            spec.flags.use_environment,
            "KEELBACK_PLUGIN_USE_ENVIRONMENT",
        ),
        (spec.flags.dev, "KEELBACK_PLUGIN_DEV"),
        (spec.flags.ignore_sigpipe, "KEELBACK_PLUGIN_IGNORE_SIGPIPE"),
        (spec.flags.strict, "KEELBACK_PLUGIN_STRICT"),
        (
            spec.flags.extension_module,
            "KEELBACK_PLUGIN_EXTENSION_MODULE",
        ),
    ]
    .into_iter()
    .filter_map(|(is_set, name)| is_set.then_some(name))
    .collect();
    or_zero(&flags)
}

fn or_zero(flags: &[&str]) -> String {
    if flags.is_empty() {
        "0".into()
    } else {
        flags.join(" | ")
    }
}

fn cdefs(spec: &PluginSpec) -> Vec<Cdef> {
    spec.cdefs
        .iter()
        .map(|cdef| {
            let flags: Vec<&str> = [
                (cdef.embedding_api, "KEELBACK_CDEF_EMBEDDING_API"),
                (cdef.packed, "KEELBACK_CDEF_PACKED"),
                (cdef.override_, "KEELBACK_CDEF_OVERRIDE"),
                (cdef.as_cffi, "KEELBACK_CDEF_AS_CFFI"),
            ]
            .into_iter()
            .filter_map(|(is_set, name)| is_set.then_some(name))
            .collect();
            // A header's text may consist mostly of comments: leave them out.
            let text = if cdef.preprocessed {
                Cow::Owned(without_comments(&cdef.text))
            } else {
                Cow::Borrowed(&*cdef.text)
            };
            Cdef {
                file: literal(&cdef.file),
                text: literal(&text),
                flags: or_zero(&flags),
                pack: cdef.pack.unwrap_or(0),
            }
        })
        .collect()
}

fn parameters(declarations: &Declarations, function: &FunctionType) -> Vec<Parameter> {
    let types = &declarations.types;
    function
        .params
        .iter()
        .enumerate()
        .map(|(index, ty)| Parameter {
            index,
            offset: 8 * index,
            by_pointer: by_pointer(types, ty.ty),
            extension: has_extension(types, ty.ty),
            declaration: declare(declarations, QualType::plain(ty.ty), &format!("arg{index}")),
        })
        .collect()
}

fn result(declarations: &Declarations, function: &FunctionType) -> Option<String> {
    let types = &declarations.types;
    let ty = function.result.ty;
    (*types.get(ty) != Type::Void).then(|| declare(declarations, QualType::plain(ty), "result"))
}

/// The directive that says where a function comes from, or nothing.
fn debug_line(
    plugin: &Plugin,
    known: Option<&HashMap<&str, &DebugLine>>,
    function: &keelback_cdef::Function,
    name: &str,
) -> String {
    let Some(known) = known else {
        return String::new();
    };
    if let Some(line) = known.get(name) {
        return format!("#line {} {}\n", line.line, literal(&line.file));
    }
    match plugin.declarations.source(function.span.source) {
        Some(source) => {
            let place = source.location(function.span.start);
            format!("#line {} {}\n", place.line, literal(place.file))
        }
        None => String::new(),
    }
}

fn functions(plugin: &Plugin, lines: &mut Lines<'_>) -> Vec<Function> {
    let declarations = &plugin.declarations;
    let types = &declarations.types;
    // The first of several counts.
    let debug_lines = plugin.spec.debug_lines.as_ref().map(|all| {
        let all = all.iter().rev();
        all.map(|line| (line.function.as_str(), line)).collect()
    });
    let start_errors = plugin.start_errors();
    let mut functions: Vec<Function> = plugin
        .callbacks()
        .enumerate()
        .map(|(index, (declared, function))| {
            let name = types.text(declared.name).to_owned();
            let result = result(declarations, function);
            let plain_result = QualType::plain(function.result.ty);
            let is_extension = has_extension(types, function.result.ty);
            let result_type = if is_extension {
                format!("keelback_result_{index}")
            } else {
                declare(declarations, plain_result, "")
            };
            Function {
                index,
                line: lines.one(declared.span),
                debug_line: debug_line(plugin, debug_lines.as_ref(), declared, &name),
                first_linkage: match declared.origin {
                    FunctionOrigin::Exported => "KEELBACK_C KEELBACK_EXPORT ",
                    FunctionOrigin::ExternPython => "static ",
                    // No `extern "C"`: as in CFFI, in C++ the prelude decides about the language linkage.
                    FunctionOrigin::ExternPythonC | FunctionOrigin::C => "",
                },
                linkage: match declared.origin {
                    FunctionOrigin::Exported => "KEELBACK_EXPORT ",
                    FunctionOrigin::ExternPython => "static ",
                    FunctionOrigin::ExternPythonC | FunctionOrigin::C => "",
                },
                declaration: declare_function(declarations, function, &name),
                // A static function needs no label.
                label: declared
                    .label
                    .filter(|_| declared.origin != FunctionOrigin::ExternPython)
                    .map(|label| types.text(label).to_owned()),
                extension: has_extension(types, declared.ty),
                parameters: parameters(declarations, function),
                slots: function.params.len().div_ceil(2).max(1),
                result_typedef: is_extension
                    .then(|| declare(declarations, plain_result, &result_type)),
                result_size: match result {
                    Some(_) => format!("sizeof({result_type})"),
                    None => "0".into(),
                },
                error: start_errors.get(name.as_str()).map(|&value| {
                    let at = format!("keelback_error_{index}");
                    start_error(declarations, function.result.ty, &result_type, &at, value)
                }),
                error_of: match start_errors.get(name.as_str()) {
                    Some(_) => format!("&keelback_error_{index}"),
                    None => "NULL".into(),
                },
                batch_of: 0,
                batch_result: 0,
                result,
                name,
            }
        })
        .collect();
    connect_batches(plugin, &mut functions);
    functions
}

/// The variable `name` with the error value of a function.
fn start_error(
    declarations: &Declarations,
    ty: TypeId,
    result_type: &str,
    name: &str,
    value: &str,
) -> StartErrorValue {
    let is_whole = value.starts_with('{') || matches!(declarations.types.get(ty), Type::Record(_));
    StartErrorValue {
        declaration: declare(declarations, QualType::plain(ty), name),
        value: if is_whole {
            value.to_owned()
        } else {
            format!("({result_type})({value})")
        },
    }
}

/// Gives batches what the table says of them: the error value and the result's size of the function that they call.
fn connect_batches(plugin: &Plugin, functions: &mut [Function]) {
    if plugin.batches.is_empty() {
        return;
    }
    let numbers: HashMap<String, usize> = functions
        .iter()
        .map(|function| (function.name.clone(), function.index))
        .collect();
    for index in 0..functions.len() {
        let name = plugin.batches.of(&functions[index].name);
        let Some(&of) = name.and_then(|name| numbers.get(name)) else {
            continue;
        };
        let single = &functions[of];
        let (error_of, result_size) = (single.error_of.clone(), single.result_size.clone());
        let batch_result = single.parameters.len() + 1;
        let batch = &mut functions[index];
        (batch.error_of, batch.result_size) = (error_of, result_size);
        (batch.batch_of, batch.batch_result) = (of + 1, batch_result);
    }
}

/// Whether all types of a function are built into C: then it can be declared before the prelude.
fn is_built_in(types: &TypeTable, function: &FunctionType) -> bool {
    fn built_in(types: &TypeTable, ty: &Type) -> bool {
        match ty {
            Type::Void => true,
            Type::Primitive(primitive) => {
                *primitive <= Primitive::LongDouble && *primitive != Primitive::Bool
            }
            Type::Pointer(to) => built_in(types, types.get(to.ty)),
            Type::Function(function) => is_built_in(types, function),
            _ => false,
        }
    }
    built_in(types, types.get(function.result.ty))
        && function
            .params
            .iter()
            .all(|param| built_in(types, types.get(param.ty)))
}
