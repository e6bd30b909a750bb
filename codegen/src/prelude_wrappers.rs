//! C functions that give Python access to the prelude's functions, variables and constants, and the table of them.
//!
//! Written here and not by a template: a cdef may declare thousands of functions, and for each the template engine
//! would take several times as long as all other steps.

use std::fmt::Write;

use keelback_cdef::{
    Declarations, Function, FunctionOrigin, FunctionType, Item, QualType, Span, Type, Variable,
};
use serde::Serialize;

use crate::lines::Lines;
use crate::plugin::Plugin;
use crate::spelling::{by_pointer, declare, declare_function_with, has_extension, parameters};

/// The C text for all symbols. Each function is written on one line, which gets the line number of its declaration.
#[derive(Serialize)]
pub(crate) struct Symbols {
    /// The functions; each starts with a newline.
    definitions: String,
    /// The directive that returns to the file's own numbering.
    own: String,
    /// The table's rows; each starts with a newline.
    table: String,
}

/// A row of the table.
enum Row<'a> {
    /// A function, called through a wrapper of its own type, and through one that takes slots.
    Function(&'a str),
    /// A variadic function, called directly.
    Variadic(&'a str, Span),
    Variable(&'a str),
    Constant(&'a str),
}

/// The wrappers of all C functions, variables and constants of the declarations; `None` if there are none.
pub(crate) fn symbols(plugin: &Plugin, lines: &mut Lines<'_>) -> Option<Symbols> {
    let declarations = &plugin.declarations;
    let mut definitions = String::new();
    let mut rows = Vec::new();
    for item in &declarations.items {
        let definer = Definer {
            declarations,
            is_extension_module: plugin.spec.flags.extension_module,
            index: rows.len(),
            out: &mut definitions,
        };
        rows.extend(match *item {
            Item::Function(index) => {
                definer.function(&declarations.functions[index as usize], lines)
            }
            Item::Variable(index) => definer.variable_or_constant(index, lines),
            _ => None,
        });
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

/// The prefix of declarations with a complex type, which is an extension in C++.
fn extension(is_one: bool) -> &'static str {
    if is_one { "KEELBACK_EXTENSION " } else { "" }
}

/// Writes the wrappers of one symbol.
struct Definer<'d, 'o> {
    declarations: &'d Declarations,
    is_extension_module: bool,
    /// The symbol's place in the table.
    index: usize,
    out: &'o mut String,
}

impl<'d> Definer<'d, '_> {
    /// Writes the wrappers of a C function; `None` for functions that run Python.
    fn function(self, declared: &Function, lines: &mut Lines<'_>) -> Option<Row<'d>> {
        let types = &self.declarations.types;
        let Type::Function(function) = types.get(declared.ty) else {
            return None;
        };
        if declared.origin != FunctionOrigin::C {
            return None;
        }
        let name = types.text(declared.name);
        if function.variadic {
            return Some(Row::Variadic(name, declared.span));
        }
        let arguments: Vec<String> = (0..function.params.len())
            .map(|at| format!("arg{at}"))
            .collect();
        let wrapped = Wrapped {
            declarations: self.declarations,
            function,
            name,
            index: self.index,
            params: parameters(self.declarations, function),
            arguments: arguments.join(", "),
        };
        wrapped.direct(
            &lines.one(declared.span),
            self.is_extension_module,
            self.out,
        );
        wrapped.access(&lines.one(declared.span), self.out);
        Some(Row::Function(name))
    }

    /// Writes the wrapper of a variable, or of a constant that is fetched by value. `None` for constants of an integer
    /// type, whose values are answers to questions.
    fn variable_or_constant(self, index: u32, lines: &mut Lines<'_>) -> Option<Row<'d>> {
        let variable = &self.declarations.variables[index as usize];
        let types = &self.declarations.types;
        if variable.is_constant && !self.declarations.is_fetched_constant(index) {
            return None;
        }
        let name = types.text(variable.name);
        let line = lines.one(variable.span);
        let is_array = matches!(types.get(variable.ty.ty), Type::Array { .. });
        Some(if variable.is_constant && !is_array {
            self.constant(variable, &line);
            Row::Constant(name)
        } else {
            self.variable(variable, &line);
            Row::Variable(name)
        })
    }

    /// Writes the function that returns the variable's address.
    fn variable(self, variable: &Variable, line: &str) {
        let types = &self.declarations.types;
        let name = types.text(variable.name);
        let any = extension(has_extension(types, variable.ty.ty));
        let (pointer, ampersand) = match types.get(variable.ty.ty) {
            // An array's address is that of its items: its length may be unknown, or differ from the prelude's.
            Type::Array { item, .. } => (self.pointer(*item, variable.ty), ""),
            _ => (self.pointer(variable.ty, variable.ty), "&"),
        };
        let index = self.index;
        let _ = write!(
            self.out,
            "\n{line}static void keelback_access_{index}(void *keelback_slots) {{ {any}{pointer} = {ampersand}{name}; const volatile void *keelback_at = keelback_typed; __builtin_memcpy(keelback_slots, &keelback_at, sizeof keelback_at); }}"
        );
    }

    /// Writes the function that returns the constant's value.
    fn constant(self, variable: &Variable, line: &str) {
        let types = &self.declarations.types;
        let name = types.text(variable.name);
        let any = extension(has_extension(types, variable.ty.ty));
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

/// A C function and its two wrappers.
struct Wrapped<'a> {
    declarations: &'a Declarations,
    function: &'a FunctionType,
    name: &'a str,
    /// Its place in the table.
    index: usize,
    /// `int arg0`
    params: Vec<String>,
    /// `arg0, arg1`
    arguments: String,
}

impl Wrapped<'_> {
    fn result(&self) -> QualType {
        QualType::plain(self.function.result.ty)
    }

    fn has_result(&self) -> bool {
        *self.declarations.types.get(self.result().ty) != Type::Void
    }

    fn is_extension(&self, ty: &QualType) -> bool {
        has_extension(&self.declarations.types, ty.ty)
    }

    fn by_pointer(&self, ty: &QualType) -> bool {
        by_pointer(&self.declarations.types, ty.ty)
    }

    /// The prefix of declarations that use the types of its signature.
    fn extension(&self) -> &'static str {
        let is_extension = |ty: &QualType| self.is_extension(ty);
        extension(is_extension(&self.result()) || self.function.params.iter().any(is_extension))
    }

    /// Whether the result is cast to the declared type: a cdef may give a number another type than the prelude does. In
    /// an extension module there is no cast, so that -Wconversion warns, as with CFFI.
    fn is_cast(&self, is_extension_module: bool) -> bool {
        let is_number = match self.declarations.types.get(self.result().ty) {
            Type::Primitive(_) => !is_extension_module,
            Type::Enum(_) | Type::Unknown(_) => true,
            _ => false,
        };
        is_number && !self.is_extension(&self.result())
    }

    /// Writes `keelback_direct_N`, which has the types of the declaration.
    fn direct(&self, line: &str, is_extension_module: bool, out: &mut String) {
        let head = declare_function_with(
            self.declarations,
            self.function,
            &format!("keelback_direct_{}", self.index),
            &self.params,
        );
        let _ = write!(out, "\n{line}{}static {head} {{ ", self.extension());
        if self.has_result() {
            out.push_str("return ");
        }
        if self.is_cast(is_extension_module) {
            let _ = write!(out, "({})", declare(self.declarations, self.result(), ""));
        }
        let _ = write!(out, "{}({}); }}", self.name, self.arguments);
    }

    /// Writes `keelback_access_N`, which the runtime calls: it takes the arguments from slots, and writes the result
    /// into the first.
    fn access(&self, line: &str, out: &mut String) {
        let index = self.index;
        let _ = write!(
            out,
            "\n{line}static void keelback_access_{index}(void *keelback_slots) {{"
        );
        self.declare_locals(out);
        self.read_arguments(out);
        let result = if self.has_result() {
            "keelback_result = "
        } else {
            ""
        };
        let _ = write!(out, " {result}keelback_direct_{index}({});", self.arguments);
        self.write_result(out);
        out.push_str(" (void)keelback_slots; }");
    }

    fn declare_locals(&self, out: &mut String) {
        for (param, declaration) in self.function.params.iter().zip(&self.params) {
            let _ = write!(
                out,
                " {}{declaration};",
                extension(self.is_extension(param))
            );
        }
        for (at, param) in self.function.params.iter().enumerate() {
            if self.by_pointer(param) {
                let _ = write!(out, " const void *keelback_at{at};");
            }
        }
        if self.has_result() {
            let result = declare(self.declarations, self.result(), "keelback_result");
            let _ = write!(out, " {}{result};", self.extension());
            if self.by_pointer(&self.result()) {
                out.push_str(" void *keelback_to;");
            }
        }
    }

    fn read_arguments(&self, out: &mut String) {
        for (at, param) in self.function.params.iter().enumerate() {
            let offset = 8 * at;
            let _ = if self.by_pointer(param) {
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
    }

    fn write_result(&self, out: &mut String) {
        if !self.has_result() {
            return;
        }
        if self.by_pointer(&self.result()) {
            let offset = 8 * self.function.params.len();
            let _ = write!(
                out,
                " __builtin_memcpy(&keelback_to, (const char *)keelback_slots + {offset}, sizeof keelback_to); __builtin_memcpy(keelback_to, &keelback_result, sizeof keelback_result);"
            );
        } else {
            out.push_str(
                " __builtin_memcpy(keelback_slots, &keelback_result, sizeof keelback_result);",
            );
        }
    }
}
