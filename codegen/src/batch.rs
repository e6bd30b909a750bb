//! Batches: for an exported `double score(double x)` that is to have one, `score_n(n, x, result)`, which calls it for
//! the elements of arrays.
//!
//! A batch is one more declaration, in a text behind the user's: so headers, exports, checks and the runtime know it as
//! they know any function. What makes it a batch is the entry in the plugin's table (`keelback_function_t.batch_of`).

use std::collections::{BTreeSet, HashMap, HashSet};

use keelback_cdef::{
    Declarations, Function, FunctionOrigin, FunctionType, QualType, Qualifiers, SourceId, Span,
    Type, TypeId,
};

use crate::c_text::{TokenKind, tokens};
use crate::check::at;
use crate::problem::Problem;
use crate::spec::CdefText;

/// What the comment says that asks for the batch of a function.
const COMMENT: &str = "keelback: batch";

/// The name of the text that declares the batches, in messages.
const FILE: &str = "<batches>";

/// The functions that have batches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batches(HashSet<String>);

impl Batches {
    /// Declares the batches of the functions that `names` and the comments of the cdefs ask for, and adds the text that
    /// declares them to `cdefs`.
    ///
    /// # Errors
    /// Functions that can have none, and names of none.
    pub fn declare(
        declarations: &mut Declarations,
        cdefs: &mut Vec<CdefText>,
        names: &[String],
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let wanted = wanted(declarations, cdefs, names, &mut problems);
        // With a line between it and the declarations in front, in the header.
        let (mut batches, mut text) = (Vec::new(), String::from("\n"));
        for index in wanted {
            let function = &declarations.functions[index];
            match declaration(declarations, function) {
                Ok(Some(declaration)) => {
                    text += &declaration;
                    batches.push(declarations.text(function.name).to_owned());
                }
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        if batches.is_empty() {
            return Ok(Self::default());
        }
        let cdef = CdefText {
            file: FILE.to_owned(),
            text,
            embedding_api: true,
            ..CdefText::default()
        };
        if let Err(errors) = declarations.parse(&cdef.text, &cdef.options()) {
            return Err(errors.into_iter().map(Problem::from).collect());
        }
        cdefs.push(cdef);
        Ok(Self(batches.into_iter().collect()))
    }

    /// The function of which this one is the batch.
    pub fn of(&self, name: &str) -> Option<&str> {
        let single = name.strip_suffix("_n")?;
        self.0.get(single).map(String::as_str)
    }

    /// Whether a function of this name has a batch.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether an argument of this type becomes an array of what it points to: the call for element `i` gets a pointer to
/// the `i`th. Others become an array of values.
pub(crate) fn is_array_of_records(declarations: &Declarations, ty: TypeId) -> bool {
    let Type::Pointer(to) = declarations.types.get(ty) else {
        return false;
    };
    match declarations.types.get(to.ty) {
        Type::Record(id) => declarations.types.record(*id).fields.is_some(),
        _ => false,
    }
}

/// The functions that are to have batches, as indexes of `declarations.functions`.
fn wanted(
    declarations: &Declarations,
    cdefs: &[CdefText],
    names: &[String],
    problems: &mut Vec<Problem>,
) -> BTreeSet<usize> {
    let mut wanted = BTreeSet::new();
    let numbers: HashMap<&str, usize> = declarations
        .functions
        .iter()
        .enumerate()
        .map(|(index, function)| (declarations.text(function.name), index))
        .collect();
    for name in names {
        match numbers.get(name.as_str()) {
            Some(&index) => {
                wanted.insert(index);
            }
            None => problems.push(unknown(declarations, name)),
        }
    }
    for (source, cdef) in (0..).map(SourceId).zip(cdefs) {
        for (span, index) in comments(declarations, source, &cdef.text) {
            match index {
                Some(index) => {
                    wanted.insert(index);
                }
                None => problems.push(at(
                    declarations,
                    span,
                    "this comment asks for a batch, and belongs to no function".into(),
                    "write it in front of a function's declaration, in it, or behind it on the same line",
                )),
            }
        }
    }
    wanted
}

fn unknown(declarations: &Declarations, name: &str) -> Problem {
    let exported: Vec<&str> = declarations
        .functions
        .iter()
        .filter(|function| function.origin == FunctionOrigin::Exported)
        .map(|function| declarations.text(function.name))
        .collect();
    let hint = match declarations.similar_ordinary(name) {
        Some(similar) if exported.contains(&similar) => format!("did you mean '{similar}'?"),
        _ => format!("the functions are: {}", exported.join(", ")),
    };
    Problem::error(
        format!("a batch of '{name}' is asked for, but no exported function has that name"),
        hint,
    )
}

/// The comments that ask for batches, each with the function that it belongs to: the one whose declaration it is in, or
/// that ends in front of it on its line, or that follows.
fn comments(
    declarations: &Declarations,
    source: SourceId,
    text: &str,
) -> Vec<(Span, Option<usize>)> {
    if !text.contains(COMMENT) {
        return Vec::new();
    }
    let tokens = tokens(text);
    let is_comment = |kind| kind == TokenKind::Comment;
    // By place: where each function's name is.
    let mut places: Vec<(usize, usize)> = declarations
        .functions
        .iter()
        .enumerate()
        .filter(|(_, function)| function.span.source == source)
        .map(|(index, function)| (function.span.start as usize, index))
        .collect();
    places.sort_unstable();
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let inside = text[token.range.clone()].trim_matches(['/', '*', ' ', '\t', '!']);
        if !is_comment(token.kind) || inside.trim() != COMMENT {
            continue;
        }
        let code = |token: &&crate::c_text::Token| !is_comment(token.kind);
        let before = tokens[..index].iter().rev().find(code);
        let is_behind = before.is_some_and(|before| {
            before.is(b';') && !text[before.range.end..token.range.start].contains('\n')
        });
        // The declaration lies between two semicolons.
        let ends = |token: &&crate::c_text::Token| {
            token.is(b';') || token.kind == TokenKind::Directive || token.is(b'{')
        };
        let (start, end) = if is_behind {
            let end = before.map_or(0, |before| before.range.start);
            let earlier = tokens[..index].iter().rev().filter(ends).nth(1);
            (earlier.map_or(0, |token| token.range.end), end)
        } else {
            let earlier = tokens[..index].iter().rev().find(ends);
            let later = tokens[index..].iter().find(ends);
            (
                earlier.map_or(0, |token| token.range.end),
                later.map_or(text.len(), |token| token.range.start),
            )
        };
        let first = places.partition_point(|&(place, _)| place < start);
        let function = places.get(first).filter(|&&(place, _)| place < end);
        let function = function.map(|&(_, index)| index);
        let span = Span {
            source,
            start: token.range.start as u32,
            end: token.range.end as u32,
        };
        found.push((span, function));
    }
    found
}

/// The declaration of a function's batch, with its contract; `None` for a function that is refused for other reasons.
fn declaration(
    declarations: &Declarations,
    function: &Function,
) -> Result<Option<String>, Problem> {
    let name = declarations.text(function.name);
    let refuse = |message: String, hint: &str| Err(at(declarations, function.span, message, hint));
    let Type::Function(ty) = declarations.types.get(function.ty) else {
        return Ok(None);
    };
    if function.origin != FunctionOrigin::Exported {
        return refuse(
            format!("'{name}' can have no batch: it is not exported"),
            "only functions of the embedding API have batches",
        );
    }
    let has_result = *declarations.types.get(ty.result.ty) != Type::Void;
    if ty.variadic {
        return refuse(
            format!("'{name}' can have no batch: it is variadic"),
            "take a pointer and a length, or one function for each kind of call",
        );
    }
    if ty.params.is_empty() && !has_result {
        return refuse(
            format!("'{name}' can have no batch: it has neither parameters nor a result"),
            "there is no array that the calls would differ by",
        );
    }
    let batch = format!("{name}_n");
    let is_taken = declarations.lookup_ordinary(&batch).is_some()
        || declarations.lookup_typedef(&batch).is_some()
        || declarations.lookup_enumerator(&batch).is_some()
        || declarations.lookup_macro(&batch).is_some();
    if is_taken {
        return refuse(
            format!("the batch of '{name}' is called '{batch}', and something else has that name"),
            "rename one of the two",
        );
    }
    let types = ty.params.iter().chain([&ty.result]);
    if !types.clone().all(|ty| declarations.has_c_name(*ty)) {
        // The checks of all functions say so.
        return Ok(None);
    }
    Ok(Some(written(declarations, function, ty, &batch)))
}

/// The names of a batch's own parameters, which the function's have not.
struct OwnNames {
    count: &'static str,
    result: &'static str,
}

impl OwnNames {
    fn beside(taken: &[String]) -> Self {
        let free = |names: [&'static str; 3]| {
            let is_free = |name: &&str| taken.iter().all(|taken| taken != name);
            names.into_iter().find(is_free).unwrap_or(names[2])
        };
        Self {
            count: free(["n", "batch_n", "keelback_n"]),
            result: free(["result", "results", "keelback_result"]),
        }
    }
}

fn written(
    declarations: &Declarations,
    function: &Function,
    ty: &FunctionType,
    batch: &str,
) -> String {
    let name = declarations.text(function.name);
    let names: Vec<String> = (0..ty.params.len())
        .map(
            |index| match function.params.get(index).copied().flatten() {
                Some(given) => declarations.text(given).to_owned(),
                None => format!("arg{index}"),
            },
        )
        .collect();
    let own = OwnNames::beside(&names);
    let OwnNames { count, result } = own;
    let mut parameters = vec![format!("size_t {count}")];
    let mut arguments = Vec::new();
    for (name, param) in names.iter().zip(&ty.params) {
        if is_array_of_records(declarations, param.ty) {
            parameters.push(declarations.c_declaration(QualType::plain(param.ty), name));
            arguments.push(format!("&{name}[i]"));
        } else {
            let constant = QualType {
                quals: Qualifiers::CONST,
                ..QualType::plain(param.ty)
            };
            parameters.push(declarations.c_declaration(constant, &format!("*{name}")));
            arguments.push(format!("{name}[i]"));
        }
    }
    let call = format!("{name}({})", arguments.join(", "));
    let has_result = *declarations.types.get(ty.result.ty) != Type::Void;
    // Each argument has been read when the result of its element is written.
    let mut same = names.iter().zip(&ty.params);
    let in_place = match same.find(|(_, param)| param.ty == ty.result.ty) {
        Some((name, _)) => format!(" `{result}` and `{name}` may be one array."),
        None => String::new(),
    };
    let (head, error) = if has_result {
        let plain = QualType::plain(ty.result.ty);
        parameters.push(declarations.c_declaration(plain, &format!("*{result}")));
        (
            format!("`{result}[i] = {call}` for each `i` below `{count}`"),
            format!(
                "An element that fails gets {name}()'s error value, and the others go on.{in_place}"
            ),
        )
    } else {
        (
            format!("`{call}` for each `i` below `{count}`"),
            "After an element that fails the others go on.".to_owned(),
        )
    };
    let comment = [
        format!("{head}, in one call of Python."),
        format!(
            "Each array has `{count}` elements; NULL is for arrays of none. {error} Failures are reported once for the whole \
             batch: which element was the first, and how many there were."
        ),
    ];
    let mut text = String::from("/**\n");
    for paragraph in comment {
        for line in wrapped(&paragraph, 114) {
            text += &format!(" * {line}\n");
        }
    }
    text += " */\n";
    text + &format!("void {batch}({});\n\n", parameters.join(", "))
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        if let Some(line) = lines.last_mut() {
            if line.is_empty() {
                line.push_str(word);
                continue;
            }
            if line.len() + 1 + word.len() <= width {
                line.push(' ');
                line.push_str(word);
                continue;
            }
        }
        lines.push(word.to_owned());
    }
    lines
}
