//! What the prelude offers to Python: a C function around each function, variable and constant, and the table of them.
//!
//! Written here and not by a template: a cdef may declare thousands of functions, and the template engine would take
//! several times as long for each as everything else that is done for it.

use std::fmt::Write;

use keelback_cdef::{
    Declarations, Function, FunctionOrigin, FunctionType, Item, QualType, Span, Type, Variable,
};
use serde::Serialize;

use crate::lines::Lines;
use crate::plugin::Plugin;
use crate::spelling::{by_pointer, declare, declare_function_with, has_complex, parameters};

/// The text of all symbols. Each function is one line, that of its declaration.
#[derive(Serialize)]
pub(crate) struct Symbols {
    /// The functions; each starts with a newline.
    definitions: String,
    /// What leads back to the file's own lines.
    own: String,
    /// The table's rows; each starts with a newline.
    table: String,
}

/// A row of the table.
enum Row<'a> {
    /// Called through a function of its own type, and through one that takes slots.
    Function(&'a str),
    /// `...`: called as it is.
    Variadic(&'a str, Span),
    Variable(&'a str),
    Constant(&'a str),
}

/// Everything C that the declarations name; `None` if that is nothing.
pub(crate) fn symbols(plugin: &Plugin, lines: &mut Lines<'_>) -> Option<Symbols> {
    let declarations = &plugin.declarations;
    let types = &declarations.types;
    let mut definitions = String::new();
    let mut rows = Vec::new();
    for item in &declarations.items {
        match *item {
            Item::Function(index) => {
                let declared = &declarations.functions[index as usize];
                let Type::Function(function) = types.get(declared.ty) else {
                    continue;
                };
                if declared.origin != FunctionOrigin::C {
                    continue;
                }
                let name = types.text(declared.name);
                if function.variadic {
                    rows.push(Row::Variadic(name, declared.span));
                    continue;
                }
                let definer = Definer {
                    declarations,
                    index: rows.len(),
                    out: &mut definitions,
                };
                definer.function(
                    declared,
                    function,
                    lines,
                    plugin.spec.flags.extension_module,
                );
                rows.push(Row::Function(name));
            }
            Item::Variable(index) => {
                let variable = &declarations.variables[index as usize];
                let name = types.text(variable.name);
                let is_array = matches!(types.get(variable.ty.ty), Type::Array { .. });
                // A constant of an integer type is among the questions.
                if variable.is_constant && !declarations.is_fetched_constant(index) {
                    continue;
                }
                let definer = Definer {
                    declarations,
                    index: rows.len(),
                    out: &mut definitions,
                };
                let line = lines.one(variable.span);
                if variable.is_constant && !is_array {
                    definer.constant(variable, &line);
                    rows.push(Row::Constant(name));
                } else {
                    definer.variable(variable, &line);
                    rows.push(Row::Variable(name));
                }
            }
            _ => {}
        }
    }
    if rows.is_empty() {
        return None;
    }
    let own = lines.own();
    let table = table(&rows, lines);
    Some(Symbols {
        definitions,
        own,
        table,
    })
}

fn table(rows: &[Row<'_>], lines: &mut Lines<'_>) -> String {
    let mut out = String::new();
    for (index, row) in rows.iter().enumerate() {
        out.push('\n');
        let _ = match *row {
            Row::Function(name) => write!(
                out,
                "    {{\"{name}\", KEELBACK_SYMBOL_FUNCTION, (void (*)(void))keelback_direct_{index}, keelback_access_{index}}},"
            ),
            Row::Variadic(name, span) => {
                let line = lines.one(span);
                let own = lines.own();
                let _ = write!(
                    out,
                    "{line}    {{\"{name}\", KEELBACK_SYMBOL_FUNCTION, (void (*)(void)){name}, NULL}},"
                );
                if own.is_empty() {
                    Ok(())
                } else {
                    write!(out, "\n{}", own.trim())
                }
            }
            Row::Variable(name) => write!(
                out,
                "    {{\"{name}\", KEELBACK_SYMBOL_VARIABLE, NULL, keelback_access_{index}}},"
            ),
            Row::Constant(name) => write!(
                out,
                "    {{\"{name}\", KEELBACK_SYMBOL_CONSTANT, NULL, keelback_access_{index}}},"
            ),
        };
    }
    out
}

/// In front of what has a complex type, which C++ knows as an extension only.
fn extension(is_one: bool) -> &'static str {
    if is_one { "KEELBACK_EXTENSION " } else { "" }
}

/// Writes the functions around one symbol.
struct Definer<'a> {
    declarations: &'a Declarations,
    /// The symbol's place in the table.
    index: usize,
    out: &'a mut String,
}

impl Definer<'_> {
    /// Two functions: one with the types of the declaration, and one that takes its arguments from slots, as Python calls
    /// it, and puts the result in the first.
    fn function(
        self,
        declared: &Function,
        function: &FunctionType,
        lines: &mut Lines<'_>,
        is_extension_module: bool,
    ) {
        let Self {
            declarations,
            index,
            out,
        } = self;
        let types = &declarations.types;
        let name = types.text(declared.name);
        let result_type = QualType::plain(function.result.ty);
        let params = parameters(declarations, function);
        let mut arguments = String::new();
        for at in 0..function.params.len() {
            let _ = write!(arguments, "{}arg{at}", if at == 0 { "" } else { ", " });
        }
        let has_result = *types.get(result_type.ty) != Type::Void;
        // A cdef may give a number another type than the prelude does. In an extension module -Wconversion is to tell,
        // as with CFFI.
        let is_cast = match types.get(result_type.ty) {
            Type::Primitive(_) => !is_extension_module,
            Type::Enum(_) | Type::Unknown(_) => true,
            _ => false,
        } && !has_complex(types, result_type.ty);
        let is_extension = |param: &QualType| has_complex(types, param.ty);
        let any = extension(is_extension(&result_type) || function.params.iter().any(is_extension));
        let direct = declare_function_with(
            declarations,
            function,
            &format!("keelback_direct_{index}"),
            &params,
        );
        let _ = write!(
            out,
            "\n{}{any}static {direct} {{ ",
            lines.one(declared.span)
        );
        if has_result {
            out.push_str("return ");
        }
        if is_cast {
            let _ = write!(out, "({})", declare(declarations, result_type, ""));
        }
        let _ = write!(
            out,
            "{name}({arguments}); }}\n{}static void keelback_access_{index}(void *keelback_slots) {{",
            lines.one(declared.span)
        );
        for (param, declaration) in function.params.iter().zip(&params) {
            let _ = write!(out, " {}{declaration};", extension(is_extension(param)));
        }
        let through_pointer = |param: &QualType| by_pointer(types, param.ty);
        for (at, _) in function
            .params
            .iter()
            .enumerate()
            .filter(|(_, param)| through_pointer(param))
        {
            let _ = write!(out, " const void *keelback_at{at};");
        }
        if has_result {
            let _ = write!(
                out,
                " {any}{};",
                declare(declarations, result_type, "keelback_result")
            );
            if through_pointer(&result_type) {
                out.push_str(" void *keelback_to;");
            }
        }
        for (at, param) in function.params.iter().enumerate() {
            let offset = 8 * at;
            let _ = if through_pointer(param) {
                write!(
                    out,
                    " __builtin_memcpy(&keelback_at{at}, (const char *)keelback_slots + {offset}, sizeof keelback_at{at}); __builtin_memcpy(&arg{at}, keelback_at{at}, sizeof arg{at});"
                )
            } else {
                write!(
                    out,
                    " __builtin_memcpy(&arg{at}, (const char *)keelback_slots + {offset}, sizeof arg{at});"
                )
            };
        }
        let result = if has_result { "keelback_result = " } else { "" };
        let _ = write!(out, " {result}keelback_direct_{index}({arguments});");
        if has_result && through_pointer(&result_type) {
            let offset = 8 * function.params.len();
            let _ = write!(
                out,
                " __builtin_memcpy(&keelback_to, (const char *)keelback_slots + {offset}, sizeof keelback_to); __builtin_memcpy(keelback_to, &keelback_result, sizeof keelback_result);"
            );
        } else if has_result {
            out.push_str(
                " __builtin_memcpy(keelback_slots, &keelback_result, sizeof keelback_result);",
            );
        }
        out.push_str(" (void)keelback_slots; }");
    }

    /// Gives its address.
    fn variable(self, variable: &Variable, line: &str) {
        let types = &self.declarations.types;
        let name = types.text(variable.name);
        let any = extension(has_complex(types, variable.ty.ty));
        let (pointer, ampersand) = match types.get(variable.ty.ty) {
            // The items' address: the length is perhaps not known, and perhaps not even the same.
            Type::Array { item, .. } => (self.pointer(*item, variable.ty), ""),
            _ => (self.pointer(variable.ty, variable.ty), "&"),
        };
        let index = self.index;
        let _ = write!(
            self.out,
            "\n{line}static void keelback_access_{index}(void *keelback_slots) {{ {any}{pointer} = {ampersand}{name}; const volatile void *keelback_at = keelback_typed; __builtin_memcpy(keelback_slots, &keelback_at, sizeof keelback_at); }}"
        );
    }

    /// Gives its value.
    fn constant(self, variable: &Variable, line: &str) {
        let types = &self.declarations.types;
        let name = types.text(variable.name);
        let any = extension(has_complex(types, variable.ty.ty));
        let value = declare(
            self.declarations,
            QualType::plain(variable.ty.ty),
            "keelback_value",
        );
        let index = self.index;
        let _ = write!(
            self.out,
            "\n{line}static void keelback_access_{index}(void *keelback_slots) {{ {any}{value} = {name}; void *keelback_to; __builtin_memcpy(&keelback_to, keelback_slots, sizeof keelback_to); __builtin_memcpy(keelback_to, &keelback_value, sizeof keelback_value); }}"
        );
    }

    /// `T *typed`
    fn pointer(&self, to: QualType, array: QualType) -> String {
        let to = QualType {
            quals: to.quals.union(array.quals),
            ..to
        };
        let star = match self.declarations.types.get(to.ty) {
            Type::Array { .. } | Type::Function(_) => "(*keelback_typed)",
            _ => "*keelback_typed",
        };
        declare(self.declarations, to, star)
    }
}
