//! The prototypes of ordinary functions, written straight from the tables, without declaring the functions. A header
//! has thousands of functions, of which most programs only call a few.

use super::declare::{FILE_NAME, Naming};
use super::format::{
    FILE_RECORD, FLAG_EXTERNAL, Number, OP_FUNCTION, OP_FUNCTION_END, OP_NOOP, OP_POINTER,
    OP_PRIMITIVE, OP_STRUCT_UNION, OP_TYPENAME, primitive,
};
use super::{TableSource, Tables, kind_of};
use crate::types::Primitive;

/// The most operations from a type to what it finally points to: more than any header needs.
const STEPS: usize = 50;

impl<S: TableSource> Tables<S> {
    /// Appends the prototype of a function to `text`: the name of its type with the function's name in it. `index` is
    /// that of its type. Returns the number of parameters.
    ///
    /// `None` where a type may be damaged, or may not be passed in one register: such a function must be declared.
    /// `text` is then incomplete.
    pub fn simple_prototype(&self, index: usize, name: &str, text: &mut String) -> Option<usize> {
        if !self.source.is_trusted() || self.damage.is_some() {
            return None;
        }
        let function = self.source.operation(index)?;
        if function.code != OP_FUNCTION {
            return None;
        }
        self.write_simple(function.argument, true, text)?;
        if !text.ends_with('*') {
            text.push(' ');
        }
        text.push_str(name);
        text.push('(');
        let mut count = 0;
        loop {
            let place = index + 1 + count;
            let op = self.source.operation(place)?;
            if op.code == OP_FUNCTION_END {
                text.push(')');
                return (op.argument == 0).then_some(count);
            }
            if count > 0 {
                text.push_str(", ");
            }
            self.write_simple(i32::try_from(place).ok()?, false, text)?;
            count += 1;
        }
    }

    /// Appends the name of a type that is a number or character, or a pointer (of any depth) to one or to a record;
    /// `None` for other types.
    fn write_simple(&self, index: i32, is_result: bool, text: &mut String) -> Option<()> {
        let (mut index, mut stars) = (index, 0);
        for _ in 0..STEPS {
            let op = self.source.operation(usize::try_from(index).ok()?)?;
            match op.code {
                OP_NOOP => index = op.argument,
                OP_TYPENAME => index = self.typedef_head(usize::try_from(op.argument).ok()?).0,
                OP_POINTER => {
                    index = op.argument;
                    stars += 1;
                }
                OP_PRIMITIVE => {
                    match primitive(op.argument) {
                        Number::Void if stars > 0 || is_result => text.push_str("void"),
                        Number::Primitive(one) if is_simple(one) => text.push_str(one.name()),
                        _ => return None,
                    }
                    (0..stars).for_each(|_| text.push_str(" *"));
                    return Some(());
                }
                OP_STRUCT_UNION if stars > 0 => {
                    self.write_record(op.argument, text)?;
                    (0..stars).for_each(|_| text.push_str(" *"));
                    return Some(());
                }
                _ => return None,
            }
        }
        None
    }

    fn write_record(&self, index: i32, text: &mut String) -> Option<()> {
        if index == FILE_RECORD {
            text.push_str(FILE_NAME);
            return Some(());
        }
        let (flags, bytes) = self.record_head(usize::try_from(index).ok()?);
        let name = std::str::from_utf8(bytes).ok()?;
        if flags & FLAG_EXTERNAL != 0 || name == "_IO_FILE" {
            return None;
        }
        match Naming::of(name) {
            Naming::Tag => {
                text.push_str(kind_of(flags).keyword());
                text.push(' ');
                text.push_str(name);
            }
            Naming::Typedef(name) => text.push_str(name),
            Naming::Pointer(_) | Naming::Number(_) => return None,
        }
        Some(())
    }
}

/// Whether values are passed in one register on every platform.
fn is_simple(primitive: Primitive) -> bool {
    !matches!(
        primitive,
        Primitive::LongDouble
            | Primitive::FloatComplex
            | Primitive::DoubleComplex
            | Primitive::LongDoubleComplex
    )
}
