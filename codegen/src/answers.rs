//! The questions of the declarations to the C compiler ([`Declarations::questions`]) as C expressions.

use keelback_cdef::{ArrayOwner, CExpression, Declarations, Question, Span};
use serde::Serialize;

use crate::lines::Lines;

/// How one `keelback_answer_t` is computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Answer {
    /// The `#line` directive in front, or nothing: see [`Lines`].
    pub(crate) line: String,
    /// An integer expression.
    pub(crate) value: String,
    /// 1 if the value is negative or the type signed, else 0.
    pub(crate) negative: String,
}

/// The answers in the order of the questions.
pub(crate) fn answers(declarations: &Declarations, lines: &mut Lines<'_>) -> Vec<Answer> {
    declarations
        .questions()
        .into_iter()
        .map(|question| Answer {
            line: lines.one(place(declarations, question)),
            ..answer(declarations, question)
        })
        .collect()
}

fn answer(declarations: &Declarations, question: Question) -> Answer {
    match declarations.c_expression(question) {
        CExpression::Size(expression) => size(expression),
        // C++ allows no new type inside offsetof, and C99 has no _Alignof.
        CExpression::Align(operand) => size(format!("__alignof__({operand})")),
        // `<= 0` and not `< 0`, because compilers warn about the latter for unsigned types; for 0 the sign does not
        // matter. `| 0` makes the compiler refuse operands that are not integers, as CFFI does.
        CExpression::Integer(expression) => Answer {
            line: String::new(),
            value: format!("({expression}) | 0"),
            negative: format!("({expression}) <= 0"),
        },
        CExpression::Type(ty) if matches!(question, Question::EnumType(_)) => Answer {
            line: String::new(),
            value: format!("sizeof({ty})"),
            negative: format!("KEELBACK_ENUM_IS_SIGNED({ty})"),
        },
        CExpression::Type(ty) => Answer {
            line: String::new(),
            value: format!("sizeof({ty})"),
            // `| 0` makes the compiler refuse other types, as above.
            negative: format!("((({ty})-1) | 0) <= 0"),
        },
        CExpression::Float(ty) => Answer {
            line: String::new(),
            value: format!("sizeof({ty})"),
            // 0.5 converted to an integer type is 0.
            negative: format!("(({ty})0.5) > 0"),
        },
    }
}

/// The lengths of the arrays that only the compiler knows, by the arrays' numbers: C expressions, empty for those that
/// came from an included module.
pub(crate) fn lengths(declarations: &Declarations) -> Vec<String> {
    let mut lengths = vec![String::new(); declarations.types.compiler_lengths.len()];
    if lengths.is_empty() {
        return lengths;
    }
    for question in declarations.questions() {
        if let Question::ArrayLength { number, .. } = question
            && let CExpression::Size(expression) = declarations.c_expression(question)
        {
            lengths[number as usize] = format!("({expression})");
        }
    }
    lengths
}

fn size(expression: String) -> Answer {
    Answer {
        line: String::new(),
        value: expression,
        negative: "0".into(),
    }
}

/// The place of the declaration that a question is about.
fn place(declarations: &Declarations, question: Question) -> Span {
    let types = &declarations.types;
    let field = |id, index: u32| {
        let fields = types.record(id).fields.as_ref()?;
        Some(fields.get(index as usize)?.span)
    };
    let exactly = match question {
        Question::FieldOffset(id, index) | Question::FieldSize(id, index) => field(id, index),
        Question::ArrayLength {
            owner: ArrayOwner::Field(id, index),
            ..
        } => field(id, index),
        Question::EnumeratorValue(id, index) => types
            .enumeration(id)
            .enumerators
            .as_ref()
            .and_then(|all| Some(all.get(index as usize)?.span)),
        _ => None,
    };
    exactly.unwrap_or_else(|| subject(declarations, question).0)
}

/// The place of the declaration that a question is about, and its description for messages.
pub(crate) fn subject(declarations: &Declarations, question: Question) -> (Span, String) {
    let types = &declarations.types;
    let name = |symbol| types.text(symbol);
    let of_record = |id| {
        let (root, _) = declarations.designator(id);
        let what = format!("'{}'", declarations.record_name(root));
        (types.record(root).span, what)
    };
    match question {
        Question::ArrayLength { owner, .. } => match owner {
            ArrayOwner::Variable(index) => {
                let variable = &declarations.variables[index as usize];
                let what = format!("the length of '{}'", name(variable.name));
                (variable.span, what)
            }
            ArrayOwner::Typedef(index) => {
                let typedef = &declarations.typedefs[index as usize];
                let what = format!("the length of '{}'", name(typedef.name));
                (typedef.span, what)
            }
            ArrayOwner::Field(id, _) => of_record(id),
        },
        Question::UnknownType(id) => {
            let unknown = types.unknown(id);
            (unknown.span, format!("'{}'", name(unknown.name)))
        }
        Question::RecordSize(id)
        | Question::RecordAlign(id)
        | Question::FieldOffset(id, _)
        | Question::FieldSize(id, _) => of_record(id),
        Question::EnumeratorValue(id, _) | Question::EnumType(id) => {
            let what = format!("'{}'", declarations.enum_name(id));
            (types.enumeration(id).span, what)
        }
        Question::ConstantValue(index) => {
            let constant = &declarations.constants[index as usize];
            let what = format!("the value of '{}'", name(constant.name));
            (constant.span, what)
        }
        Question::VariableValue(index) => {
            let variable = &declarations.variables[index as usize];
            let what = format!("the value of '{}'", name(variable.name));
            (variable.span, what)
        }
    }
}
