//! The look through all tables when they are first seen.

use super::format::{
    FILE_RECORD, FLAG_EXTERNAL, FLAG_OPAQUE, Number, OP_ARRAY, OP_BIT_FIELD, OP_CONSTANT_INT,
    OP_DLOPEN_CONST, OP_DLOPEN_FUNC, OP_ENUM, OP_FUNCTION, OP_FUNCTION_END, OP_GLOBAL_VAR, OP_NOOP,
    OP_OPEN_ARRAY, OP_POINTER, OP_PRIMITIVE, OP_STRUCT_UNION, OP_TYPENAME, is_integer, primitive,
};
use super::slots::{Slot, Slots};
use super::{NO_SUCH_TYPE, TRUNCATED, TableError, TableSource, Tables, damaged};

impl<S: TableSource> Tables<S> {
    pub(super) fn check_enums(&self) -> Result<(), TableError> {
        for index in 0..self.source.enums() {
            let error = |what| damaged("_enums", index, what);
            let head = self.source.enumeration(index).map_err(error)?;
            let is_integer = match primitive(head.primitive) {
                Number::Primitive(primitive) => is_integer(primitive),
                _ => false,
            };
            if !is_integer {
                return Err(error("its type is no integer type"));
            }
        }
        Ok(())
    }

    pub(super) fn check_typedefs(&self) -> Result<(), TableError> {
        for index in 0..self.source.typedefs() {
            let error = |what| damaged("_typenames", index, what);
            let (at, _) = self.source.typedef(index).ok_or_else(|| error(TRUNCATED))?;
            if !self.is_type(at) {
                return Err(error(NO_SUCH_TYPE));
            }
        }
        Ok(())
    }

    pub(super) fn check_globals(&self) -> Result<(), TableError> {
        for index in 0..self.source.globals() {
            let error = |what| damaged("_globals", index * 2, what);
            let (op, _) = self.source.global(index).ok_or_else(|| error(TRUNCATED))?;
            match op.code {
                OP_CONSTANT_INT | OP_ENUM => {
                    if self.source.global_value(index)?.is_none() {
                        return Err(error("its value is no integer that C has"));
                    }
                }
                OP_GLOBAL_VAR | OP_DLOPEN_FUNC | OP_DLOPEN_CONST => {
                    if !self.is_type(op.argument) {
                        return Err(error(NO_SUCH_TYPE));
                    }
                }
                code => return Err(error(&format!("the operation {code} is not known here"))),
            }
        }
        Ok(())
    }

    pub(super) fn check_types(&mut self) -> Result<(), TableError> {
        let count = self.source.types().map_err(|length| {
            TableError::Damaged(format!(
                "_types: {length} bytes, which is no multiple of four"
            ))
        })?;
        let mut slots = Slots::new(count);
        let mut in_function = false;
        let mut index = 0;
        while index < count {
            let error = |what: &str| damaged("_types", index, what);
            let is_below = |at: i32, end: usize| usize::try_from(at).is_ok_and(|at| at < end);
            let op = self
                .source
                .operation(index)
                .ok_or_else(|| error(TRUNCATED))?;
            let known = match op.code {
                OP_PRIMITIVE => !matches!(primitive(op.argument), Number::Invalid),
                OP_POINTER | OP_OPEN_ARRAY | OP_NOOP => is_below(op.argument, count),
                OP_ARRAY => {
                    let length = self.source.array_length(index + 1);
                    let length = length
                        .filter(|_| index + 1 < count)
                        .ok_or_else(|| error("it has no length"))?;
                    if length < 0 {
                        return Err(error("its length is negative"));
                    }
                    slots.set(index + 1, Slot::Length);
                    index += 1;
                    is_below(op.argument, count)
                }
                OP_STRUCT_UNION => {
                    op.argument == FILE_RECORD || is_below(op.argument, self.source.records())
                }
                OP_ENUM => is_below(op.argument, self.source.enums()),
                OP_TYPENAME => is_below(op.argument, self.source.typedefs()),
                OP_FUNCTION if in_function => {
                    return Err(error("a function inside a function's parameters"));
                }
                OP_FUNCTION => {
                    in_function = true;
                    is_below(op.argument, count)
                }
                OP_FUNCTION_END if !in_function => {
                    return Err(error("the end of a function that was not begun"));
                }
                OP_FUNCTION_END => {
                    in_function = false;
                    true
                }
                code => return Err(error(&format!("the operation {code} is not known here"))),
            };
            if !known {
                return Err(damaged(
                    "_types",
                    index,
                    &format!("{} is out of range", op.argument),
                ));
            }
            index += 1;
        }
        if in_function {
            return Err(damaged("_types", count, "a function has no end"));
        }
        self.slots = slots;
        Ok(())
    }

    pub(super) fn check_records(&self) -> Result<(), TableError> {
        for index in 0..self.source.records() {
            let error = |what: &str| damaged("_struct_unions", index, what);
            let (flags, _) = self.source.record(index).ok_or_else(|| error(TRUNCATED))?;
            let fields = self.source.fields(index);
            if flags & (FLAG_OPAQUE | FLAG_EXTERNAL) != 0 && fields != 0 {
                return Err(error("it is opaque, and has fields"));
            }
            for field in 0..fields {
                let field = self
                    .source
                    .field(index, field)
                    .ok_or_else(|| error(TRUNCATED))?;
                match field.op.code {
                    OP_NOOP => {}
                    OP_BIT_FIELD if field.bits.is_some_and(|width| width < 0) => {
                        return Err(error("the width of a bit-field is negative"));
                    }
                    OP_BIT_FIELD => {}
                    code => {
                        return Err(error(&format!(
                            "the operation {code} is not known in a field"
                        )));
                    }
                }
                if !self.is_type(field.op.argument) {
                    return Err(error(NO_SUCH_TYPE));
                }
            }
        }
        Ok(())
    }
}
