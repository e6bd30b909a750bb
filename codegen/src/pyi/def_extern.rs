//! `@ffi.def_extern()`: which Python function fits which C function, for type checkers.
//!
//! `def_extern(name="f")` has an overload of its own for each function. Without a name the decorated function's
//! `__name__` counts, which is not part of its type: such a function must fit any one of the declared ones.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use keelback_cdef::{FunctionOrigin, FunctionType, Type, TypeId};

use super::Stubs;
use crate::batch::is_array_of_records;

/// Functions that Python implements and that have the same signature.
struct Shape {
    names: Vec<String>,
    /// The `Callable` type of functions that fit.
    signature: String,
    /// The type that it may return.
    result: String,
}

impl Stubs<'_> {
    /// Appends the type variables to `top`, and the overloads of the method to `methods`.
    pub(super) fn def_extern(&mut self, top: &mut String, methods: &mut String) {
        let shapes = self.shapes();
        if shapes.is_empty() {
            return;
        }
        self.handed_classes(top);
        let is_one = shapes.len() == 1;
        let variable = |index: usize| {
            if is_one {
                "_F".to_owned()
            } else {
                format!("_F{}", index + 1)
            }
        };
        for (index, shape) in shapes.iter().enumerate().filter(|_| !is_one) {
            let (variable, bound) = (variable(index), &shape.signature);
            let _ = writeln!(top, "{variable} = TypeVar(\"{variable}\", bound={bound})");
        }
        let signatures: Vec<&str> = shapes.iter().map(|shape| &*shape.signature).collect();
        let any = signatures.join(" | ");
        let _ = writeln!(top, "_F = TypeVar(\"_F\", bound={any})");
        for (index, shape) in shapes.iter().enumerate() {
            // The `type: ignore` comments: `_t.FFI` accepts any function, and overloads overlap because a literal is a
            // str too, for which more functions fit.
            let head = if index == 0 {
                "  # type: ignore[override]"
            } else {
                ""
            };
            let line = if is_one {
                ""
            } else {
                "  # type: ignore[overload-overlap]"
            };
            let name = format!("name: Literal[\"{}\"]", shape.names.join("\", \""));
            overload(
                methods,
                [head, line],
                &name,
                &shape.result,
                &variable(index),
            );
        }
        let mut seen = HashSet::new();
        let results = shapes.iter().map(|shape| shape.result.as_str());
        let results: Vec<&str> = results.filter(|&result| seen.insert(result)).collect();
        let results = results.join(" | ");
        for name in ["name: None = None", "name: _b.str"] {
            overload(methods, ["", ""], name, &results, "_F");
        }
        self.batch_overloads(top, methods);
    }

    /// The overloads for functions that take the arrays of a batch.
    fn batch_overloads(&self, top: &mut String, methods: &mut String) {
        let types = &self.declarations.types;
        let (mut signatures, mut results): (Vec<String>, Vec<String>) = Default::default();
        for function in &self.declarations.functions {
            let Type::Function(ty) = types.get(function.ty) else {
                continue;
            };
            if !self.batches.has(types.text(function.name)) {
                continue;
            }
            let mut arrays: Vec<String> = (ty.params.iter())
                .map(|param| match types.get(param.ty) {
                    Type::Pointer(to) if is_array_of_records(self.declarations, param.ty) => to.ty,
                    _ => param.ty,
                })
                .map(|element| self.handed_array(element))
                .collect();
            if *types.get(ty.result.ty) != Type::Void {
                arrays.push(self.handed_array(ty.result.ty));
            }
            let signature = format!("Callable[[{}], None]", arrays.join(", "));
            let result = self.returned(ty.result.ty);
            for (list, one) in [(&mut signatures, signature), (&mut results, result)] {
                if !list.contains(&one) {
                    list.push(one);
                }
            }
        }
        if signatures.is_empty() {
            return;
        }
        let any = signatures.join(" | ");
        let _ = writeln!(top, "_B = TypeVar(\"_B\", bound={any})");
        let name = "name: _b.str | None = None, *, batch: Literal[True]";
        overload(methods, ["", ""], name, &results.join(" | "), "_B");
    }

    fn handed_array(&self, element: TypeId) -> String {
        format!("_t.HandedArray[{}]", self.got(element))
    }

    /// The functions that Python implements, those of one signature together.
    fn shapes(&self) -> Vec<Shape> {
        let types = &self.declarations.types;
        let mut shapes: Vec<Shape> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let functions = self.declarations.functions.iter();
        let is_own = |name| self.batches.of(types.text(name)).is_none();
        for function in functions
            .filter(|function| function.origin != FunctionOrigin::C && is_own(function.name))
        {
            let Type::Function(ty) = types.get(function.ty) else {
                continue;
            };
            let result = self.returned(ty.result.ty);
            let signature = self.signature(ty, &result);
            let name = types.text(function.name).to_owned();
            if let Some(&place) = places.get(&signature) {
                shapes[place].names.push(name);
                continue;
            }
            places.insert(signature.clone(), shapes.len());
            shapes.push(Shape {
                names: vec![name],
                signature,
                result,
            });
        }
        shapes
    }

    fn signature(&self, ty: &FunctionType, result: &str) -> String {
        let parameters: Vec<String> = ty
            .params
            .iter()
            .map(|param| self.handed(param.ty))
            .collect();
        format!("Callable[[{}], {result}]", parameters.join(", "))
    }

    /// The type of an argument that C passes to Python: that of `got`, which is a `keelback.CData` as well, so that
    /// functions may annotate it as either.
    fn handed(&self, ty: TypeId) -> String {
        match self.declarations.types.get(ty) {
            Type::Record(id) => format!("{}_c", self.class(*id)),
            Type::Pointer(to) => match self.declarations.types.get(to.ty) {
                Type::Record(id) => format!("{}_p_c", self.class(*id)),
                Type::Function(function) => self.function_pointer(function).replacen(
                    "_t.FunctionPointer",
                    "_t.HandedFunctionPointer",
                    1,
                ),
                _ => self.got(ty).replacen("_t.Pointer", "_t.HandedPointer", 1),
            },
            _ => self.got(ty),
        }
    }

    /// Writes the classes of records that `handed` refers to.
    fn handed_classes(&self, out: &mut String) {
        for class in self.classes.values() {
            let _ = write!(
                out,
                "\n@type_check_only\nclass {class}_c({class}, _CData): ...  # type: ignore[misc]\n\
                 \n@type_check_only\nclass {class}_p_c({class}_p, _CData): ...  # type: ignore[misc]\n"
            );
        }
        out.push('\n');
    }

    /// The types that a Python function may return. Lists and the like are excluded for pointers, because only the call
    /// would own their memory.
    fn returned(&self, ty: TypeId) -> String {
        match self.declarations.types.get(ty) {
            Type::Record(_) => format!("{} | _CData", self.given(ty)),
            Type::Pointer(to) => match self.declarations.types.get(to.ty) {
                Type::Void => "_t.AnyCData | _CData".into(),
                Type::Record(id) => format!("_t.Pointer[{}] | _CData", self.class(*id)),
                _ => format!("{} | _CData", self.got(ty)),
            },
            Type::Primitive(keelback_cdef::Primitive::Bool) => "_b.int".into(),
            _ => self.got(ty),
        }
    }
}

fn overload(out: &mut String, [head, line]: [&str; 2], name: &str, result: &str, variable: &str) {
    let (error, handled) = if result == "None" {
        ("None".to_owned(), "None".to_owned())
    } else if result.contains("None") {
        (result.to_owned(), result.to_owned())
    } else {
        (format!("{result} | None"), format!("{result} | None"))
    };
    let _ = write!(
        out,
        "    @overload{head}\n    def def_extern(self, {name}, error: {error} = None, \
         onerror: _t.OnError[{handled}] | None = None) -> Callable[[{variable}], {variable}]: ...{line}\n",
    );
}
