//! Checks of a spec beyond those of the cdef parser. Every problem has its own message.

mod c_side;
mod exports;
mod init_errors;
mod own_names;
mod start_errors;
mod taken;
mod type_errors;

use init_errors::take_init_errors;

use keelback_cdef::{
    Declarations, Diagnostic, DiagnosticKind, Function, FunctionOrigin, FunctionType, Question,
    Severity, Span, Type, TypeId,
};

use crate::answers::subject;
use crate::batch::Batches;
use crate::c_text::{is_c_keyword, is_cpp_keyword, is_identifier};
use crate::declared::is_reserved_name;
use crate::plugin::{Plugin, prefix};
use crate::problem::Problem;
use crate::spec::PluginSpec;

impl Plugin {
    /// Parses the declarations and checks that a plugin can be made of the spec. The second value is warnings.
    ///
    /// # Errors
    /// All errors and warnings, in the order of the texts.
    pub fn new(mut spec: PluginSpec) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let mut problems = check_spec(&spec);
        let mut declarations = Declarations::new(spec.target.clone());
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
            match declarations.parse(&cdef.text, &cdef.options()) {
                Ok(_) if cdef.preprocessed => {}
                Ok(warnings) => problems.extend(warnings.into_iter().map(Problem::from)),
                Err(errors) => problems.extend(errors.into_iter().map(Problem::from)),
            }
        }
        // The declarations of a text that failed are missing, so further checks would report false errors.
        if problems.iter().any(Problem::is_error) {
            return Err(problems);
        }
        let batches = Batches::declare(&mut declarations, &mut spec.cdefs, &spec.batches);
        let batches = match batches {
            Ok(batches) => batches,
            Err(wrong) => {
                problems.extend(wrong);
                return Err(problems);
            }
        };
        let mut plugin = Self {
            spec,
            declarations,
            batches,
        };
        let (of_types, wrong) = type_errors::of_functions(&plugin);
        problems.extend(take_init_errors(&mut plugin, &of_types));
        if wrong.is_empty() {
            type_errors::take(&mut plugin, of_types);
        }
        problems.extend(wrong);
        problems.extend(check_plugin(&plugin));
        if problems.iter().any(Problem::is_error) {
            Err(problems)
        } else {
            Ok((plugin, problems))
        }
    }
}

/// Checks before the declarations are parsed.
fn check_spec(spec: &PluginSpec) -> Vec<Problem> {
    check_module_name(&spec.module_name, true)
        .into_iter()
        .collect()
}

/// Checks of the parsed declarations.
fn check_plugin(plugin: &Plugin) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (function, ty) in plugin.callbacks() {
        function_name(plugin, function, &mut problems);
        signature(&plugin.declarations, function, ty, &mut problems);
    }
    own_names::check(plugin, &mut problems);
    exports::check(plugin, &mut problems);
    if plugin.spec.prelude.is_none() {
        without_prelude(&plugin.declarations, &mut problems);
    }
    names_in_cpp(plugin, &mut problems);
    problems.sort_by_key(|problem| match problem {
        Problem::Cdef(diagnostic) => (diagnostic.span.source.0, diagnostic.span.start),
        Problem::Plugin { .. } => (u32::MAX, 0),
    });
    start_errors::check(plugin, &mut problems);
    // As in CFFI, an FFI may have no functions: its library only runs its init code.
    let is_ffi = plugin.spec.cdefs.iter().any(|cdef| cdef.as_cffi);
    if plugin.spec.prelude.is_some() {
        c_side::check(plugin, is_ffi, &mut problems);
    }
    if !plugin.spec.flags.extension_module && !is_ffi && plugin.callbacks().next().is_none() {
        let from_header = plugin.spec.cdefs.iter().any(|cdef| cdef.preprocessed);
        problems.push(Problem::error(
            "the declarations have no function that the library could export",
            if from_header {
                "what a header includes is not exported: name the files that declare the functions themselves"
            } else {
                "declare at least one function, such as: int add1(int, int);"
            },
        ));
    }
    problems
}

pub(crate) fn at(declarations: &Declarations, span: Span, message: String, hint: &str) -> Problem {
    let mut diagnostic = Diagnostic::at(declarations, span, message);
    diagnostic.hint = Some(hint.to_owned().into());
    diagnostic.into()
}

/// Checks a module name: Python imports it, and C names begin with it (with `_` for dots).
pub fn check_module_name(name: &str, may_have_dots: bool) -> Option<Problem> {
    if name.is_empty() {
        return Some(Problem::error(
            "the module name is empty",
            "give the name that the init code imports: from NAME import ffi, lib",
        ));
    }
    for part in name.split('.') {
        if !is_identifier(part) {
            let hint = match part.replace(|c: char| !c.is_ascii_alphanumeric(), "_") {
                fixed if is_identifier(&fixed) => format!("for example {fixed}"),
                _ => "a letter or underscore, then letters, digits and underscores".to_owned(),
            };
            return Some(Problem::error(
                format!("the module name '{name}' is no identifier of C and Python"),
                hint,
            ));
        }
        if is_python_keyword(part) {
            return Some(Problem::error(
                format!(
                    "the module name '{name}' is a keyword of Python, so nothing can import it"
                ),
                format!("for example {part}_"),
            ));
        }
    }
    (name.contains('.') && !may_have_dots).then(|| {
        Problem::error(
            format!("the name '{name}' has a dot, which the name of a new project cannot have"),
            format!("for example {}", prefix(name)),
        )
    })
}

pub(crate) fn is_python_keyword(word: &str) -> bool {
    matches!(
        word,
        "False"
            | "None"
            | "True"
            | "and"
            | "as"
            | "assert"
            | "async"
            | "await"
            | "break"
            | "class"
            | "continue"
            | "def"
            | "del"
            | "elif"
            | "else"
            | "except"
            | "finally"
            | "for"
            | "from"
            | "global"
            | "if"
            | "import"
            | "in"
            | "is"
            | "lambda"
            | "nonlocal"
            | "not"
            | "or"
            | "pass"
            | "raise"
            | "return"
            | "try"
            | "while"
            | "with"
            | "yield"
    )
}

fn function_name(plugin: &Plugin, function: &Function, problems: &mut Vec<Problem>) {
    let name = plugin.declarations.types.text(function.name);
    let prefix = plugin.prefix();
    let (message, hint) = if is_c_keyword(name) {
        (
            format!("a function cannot be called '{name}': that is a keyword of C"),
            "rename the function",
        )
    } else if is_cpp_keyword(name) {
        (
            format!(
                "a function cannot be called '{name}': that is a keyword of C++, and the header would not compile there"
            ),
            "rename the function",
        )
    } else if name.starts_with("keelback_") || name == "cffi_start_python" {
        (
            format!("the name '{name}' is one of keelback's own"),
            "names that begin with keelback_ are taken; rename the function",
        )
    } else if name
        .strip_prefix("PyInit_")
        .is_some_and(|rest| rest == prefix)
    {
        (
            format!(
                "the name '{name}' is one that the library has already: Python imports it by that"
            ),
            "rename the function",
        )
    } else {
        return;
    };
    problems.push(at(&plugin.declarations, function.span, message, hint));
}

fn signature(
    declarations: &Declarations,
    function: &Function,
    ty: &FunctionType,
    problems: &mut Vec<Problem>,
) {
    let name = declarations.types.text(function.name);
    let what = match function.origin {
        FunctionOrigin::Exported => "exported",
        _ => "extern \"Python\"",
    };
    if ty.variadic {
        problems.push(at(
            declarations,
            function.span,
            format!("the {what} function '{name}' is variadic: Python cannot find out what arguments it got"),
            "take a pointer and a length, or one function for each kind of call",
        ));
        if !matches!(function.origin, FunctionOrigin::Exported)
            && let Some(Problem::Cdef(diagnostic)) = problems.last_mut()
        {
            // CFFI raises NotImplementedError here.
            diagnostic.kind = DiagnosticKind::NotImplemented;
        }
    }
    let parameters = ty.params.iter().enumerate().map(|(index, param)| {
        let given = function.params.get(index).copied().flatten();
        let which = match given {
            Some(given) => format!("parameter '{}'", declarations.types.text(given)),
            None => format!("parameter {}", index + 1),
        };
        (which, param.ty)
    });
    for (which, ty) in parameters.chain([("the result".to_owned(), ty.result.ty)]) {
        let is_void_result = which == "the result" && *declarations.types.get(ty) == Type::Void;
        if is_void_result {
            continue;
        }
        if let Some(why) = unsupported(declarations, ty) {
            problems.push(at(
                declarations,
                function.span,
                format!("{which} of the {what} function '{name}' {why}"),
                "pass a pointer instead",
            ));
        } else if !declarations.has_c_name(keelback_cdef::QualType::plain(ty)) {
            problems.push(at(
                declarations,
                function.span,
                format!("{which} of the {what} function '{name}' has a type without a name"),
                "give the struct, union or enum a tag or a typedef",
            ));
        }
    }
}

/// Why a value of the type cannot be passed; `None` if it can.
fn unsupported(declarations: &Declarations, ty: TypeId) -> Option<String> {
    let spelled = || declarations.c_declaration(keelback_cdef::QualType::plain(ty), "");
    match declarations.types.get(ty) {
        Type::Void => Some("is void".into()),
        Type::Record(id) if declarations.types.record(*id).fields.is_none() => {
            Some(match declarations.types.record(*id).sealed {
                Some(sealed) => format!("has the type '{}': it is {}", spelled(), sealed.kind),
                None => format!("has the incomplete type '{}'", spelled()),
            })
        }
        Type::Array { .. } | Type::Function(_) => Some(format!(
            "has the type '{}', which C does not pass by value",
            spelled()
        )),
        _ => None,
    }
}

/// Without a prelude there is nothing that answers a `...` or defines a variable: both are errors.
fn without_prelude(declarations: &Declarations, problems: &mut Vec<Problem>) {
    let questions = declarations.questions();
    const HINT: &str =
        "give the C source that has it: --source FILE, or the text that the builder gets";
    for &question in &questions {
        let (span, what) = subject(declarations, question);
        let problem = at(
            declarations,
            span,
            format!("{what} is left to the C compiler, but there is no C source to ask"),
            HINT,
        );
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    for (index, variable) in (0..).zip(&declarations.variables) {
        if questions.contains(&Question::VariableValue(index)) {
            continue;
        }
        problems.push(at(
            declarations,
            variable.span,
            format!(
                "nothing defines the variable '{}': there is no C source",
                declarations.types.text(variable.name)
            ),
            HINT,
        ));
    }
}

/// Warns about names for which the header does not compile as C++. It is still usable in C.
fn names_in_cpp(plugin: &Plugin, problems: &mut Vec<Problem>) {
    let declarations = &plugin.declarations;
    let types = &declarations.types;
    let is_api = |span: Span| {
        plugin
            .spec
            .cdefs
            .get(span.source.0 as usize)
            .is_some_and(|cdef| cdef.embedding_api)
    };
    let mut look = |name: keelback_cdef::Symbol, span: Span, what: &str| {
        let name = types.text(name);
        if is_api(span) && is_reserved_name(name) {
            let mut problem = Diagnostic::at(
                declarations,
                span,
                format!(
                    "{what} '{name}' has the name of a C++ keyword: the header compiles as C only"
                ),
            );
            problem.severity = Severity::Warning;
            problem.hint = Some("rename it, if C++ programs are to use the library".into());
            problems.push(problem.into());
        }
    };
    for record in &types.records {
        if let Some(tag) = record.tag {
            look(tag, record.span, record.kind.keyword());
        }
        for field in record.fields.iter().flatten() {
            if let Some(name) = field.name {
                look(name, field.span, "the member");
            }
        }
    }
    for enumeration in &types.enums {
        if let Some(tag) = enumeration.tag {
            look(tag, enumeration.span, "enum");
        }
        for enumerator in enumeration.enumerators.iter().flatten() {
            look(enumerator.name, enumerator.span, "the enumerator");
        }
    }
    for typedef in &declarations.typedefs {
        look(typedef.name, typedef.span, "the typedef");
    }
}
