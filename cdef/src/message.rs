//! The wording of every diagnostic, in one place. Where programs or tests compare CFFI's exact text, that text is used.

use std::borrow::Cow;

use crate::types::UnknownKind;

type Text = Cow<'static, str>;

// --- Syntax ---

pub(crate) const UNTERMINATED: &str = "this comment or quoted text does not end";
pub(crate) const STRAY: &str = "this character has no meaning in C";
pub(crate) const TOO_DEEP: &str = "declarations, types or expressions are nested too deeply";
pub(crate) const TOO_LONG: &str = "a cdef can't be longer than 2 GB";
pub(crate) const MISSING_SEMICOLON: &str = "expected ';' after this declaration";
pub(crate) const MISSING_TYPE: &str = "missing type in declaration";
pub(crate) const HINT_MISSING_TYPE: &str =
    "every declaration starts with a type, like 'int' in 'int f(void);'";
pub(crate) const EXPECTED_TYPE: &str = "expected a type here";
pub(crate) const EMPTY_TYPE: &str = "expected a C type, got an empty string";
pub(crate) const EXPECTED_EXPRESSION: &str = "expected a constant expression here";
pub(crate) const EXPECTED_NAME: &str = "expected the name of what is declared";
pub(crate) const NOTHING_DECLARED: &str = "construct does not declare any variable";
pub(crate) const TYPEDEF_WITHOUT_NAME: &str = "typedef does not declare any name";
pub(crate) const FUNCTION_BODY: &str =
    "unexpected <FuncDef>: this construct is valid C but not valid in cdef()";
pub(crate) const HINT_FUNCTION_BODY: &str = "declare it with ';' instead of a body; write the body in the C source \
     (--source, or the text that the builder gets), or in Python under @ffi.def_extern()";
pub(crate) const REFERENCE: &str = "C has no references";
pub(crate) const HINT_CPLUSPLUS: &str =
    "a cdef is C, not C++: declare what has extern \"C\" linkage, as C sees it";
pub(crate) const BLOCK_END: &str = "this '{' has no '}'";
pub(crate) const STRAY_BRACE: &str = "this '}' has no '{'";
pub(crate) const LINKAGE_NEEDS_NAME: &str =
    "expected \"C\", \"Python\" or \"Python+C\" after 'extern'";
pub(crate) const DOTS_NEED_SEMICOLON: &str = "expected ';' after '...' in a struct or union";
pub(crate) const DOTS_LAST_IN_ENUM: &str = "expected '}' after '...' in an enum";
pub(crate) const DOTS_IN_TYPEDEF: &str = "unsupported usage of \"...\" in typedef";
pub(crate) const HINT_DOTS_IN_TYPEDEF: &str = "what works is 'typedef ... name;', 'typedef ... *name;', \
     'typedef int... name;' and 'typedef float... name;'";
pub(crate) const BAD_DOTS: &str = "bad usage of \"...\"";
pub(crate) const BAD_TYPE_WORDS: &str = "these words don't make a type together";
pub(crate) const WRONG_TAG: &str = "wrong kind of tag: struct vs union";
pub(crate) const TWO_TYPES: &str = "a declaration has one type, this is the second";
pub(crate) const HINT_TWO_TYPES: &str = "is a ';' missing in front of it?";
pub(crate) const STORAGE_HERE: &str = "a storage class has no place here";
pub(crate) const ALIGNMENT: &str = "an alignment is a power of two";
pub(crate) const ASM_LABEL: &str =
    "expected the name of a symbol in quotes, as in 'int f(void) __asm__(\"f_v2\");'";
pub(crate) fn attribute_refused(name: &str, what: &str) -> Text {
    format!("the attribute '{name}' {what}, and is not supported").into()
}
pub(crate) fn attribute_unknown(name: &str) -> Text {
    format!("the attribute '{name}' is not known, and not honoured").into()
}
pub(crate) fn pragma_refused(name: &str, what: &str) -> Text {
    format!("the pragma '{name}' {what}, and is not supported").into()
}
pub(crate) fn pragma_unknown(name: &str) -> Text {
    format!("the pragma '{name}' is not known, and not honoured").into()
}
pub(crate) const MODE_HERE: &str = "this mode does not go with this type: it stands behind plain integers (QI, HI, SI, DI, TI, byte, word, pointer) and \
     floating types (SF, DF, XF)";
pub(crate) const STATIC_ASSERT_TEXT: &str = "expected a quoted text here";

pub(crate) fn expected(what: &str) -> Text {
    format!("expected {what}").into()
}
pub(crate) fn unknown_type(name: &str) -> Text {
    format!("unknown type name '{name}'").into()
}
pub(crate) fn unknown_identifier(name: &str) -> Text {
    format!("unknown identifier '{name}'").into()
}
pub(crate) fn unknown_argument_type(function: &str, number: usize, name: &str) -> Text {
    format!(
        "{function} arg {number}: unknown type '{name}' (if you meant to use the old C syntax of giving \
         untyped arguments, it is not supported)"
    )
    .into()
}
pub(crate) const VECTOR_SIZE: &str =
    "the size of a vector is a power of two, and not less than an item";
pub(crate) const VECTOR_ITEM: &str = "the items of a vector are integers, float or double";
pub(crate) const BIT_INT_WIDTH: &str = "a _BitInt has 1 to 8388608 bits, a signed one at least 2";
pub(crate) const HINT_NOT_INFERRED: &str = "write its type";
pub(crate) fn not_inferred(name: &str) -> Text {
    format!("the type of '{name}' can't be told from its value here").into()
}
pub(crate) fn no_such_parameter(name: &str) -> Text {
    format!("'{name}' is declared in front of the body, but is no parameter").into()
}
pub(crate) fn only_variadic(function: &str) -> Text {
    format!("{function}: a function with only '(...)' as argument is not correct C").into()
}
pub(crate) fn no_association(ty: &str) -> Text {
    format!("no association of this _Generic is for the type '{ty}', and there is no default")
        .into()
}
pub(crate) fn did_you_mean(name: &str) -> Text {
    format!("did you mean '{name}'?").into()
}
pub(crate) fn unsupported_type(name: &str) -> Text {
    format!("Unsupported type: '{name}'").into()
}
pub(crate) fn declare_first(name: &str) -> Text {
    format!(
        "declare it first: 'typedef ... {name};' if its contents don't matter, \
         'typedef int... {name};' if it is some integer type"
    )
    .into()
}
pub(crate) const HINT_SET_UNICODE: &str =
    "call ffi.set_unicode(True) or ffi.set_unicode(False) first";
pub(crate) fn set_unicode_needed(name: &str) -> Text {
    format!("The Windows type '{name}' is only available after you call ffi.set_unicode()").into()
}
pub(crate) fn windows_only(name: &str) -> Text {
    format!("'{name}' is predefined on Windows only").into()
}

// --- Directives ---

pub(crate) fn directive(name: &str) -> Text {
    format!("Directives not supported yet: '#{name}'").into()
}
pub(crate) const HINT_INCLUDE: &str = "a cdef has no preprocessor: `keelback cdef HEADER` prints the declarations of a \
     header; the '#include' is for the C source (--source, or the text that the builder gets)";
pub(crate) const HINT_CONDITIONAL: &str = "a cdef has no preprocessor: `keelback cdef HEADER` prints what a header declares; \
     or choose with Python's own 'if' what to declare";
pub(crate) const HINT_DIRECTIVE: &str =
    "only '#define NAME VALUE', '#pragma pack' and line markers are understood";
pub(crate) const PRAGMA_IGNORED: &str =
    "#pragma in cdef() are entirely ignored, but for '#pragma pack'. They should be removed";
pub(crate) const PRAGMA_PACK: &str = "unknown form of '#pragma pack'";
pub(crate) const PRAGMA_POP: &str = "'#pragma pack(pop)' without a 'push'";
pub(crate) const DEFINE_NAME: &str = "expected a name after '#define'";
pub(crate) const HINT_FUNCTION_MACRO: &str =
    "declare a macro with parameters as a function: 'int NAME(int);'";
pub(crate) const HINT_STRING_MACRO: &str = "declare a text as 'static char *const NAME;', a floating value as \
     'static const double NAME;'";
const BAD_DEFINE: &str = "only supports one of the following syntax:";
/// Whether a diagnostic is the error about a macro that is not an integer.
pub(crate) fn is_bad_define(diagnostic: &crate::diagnostic::Diagnostic) -> bool {
    diagnostic.message.starts_with(BAD_DEFINE)
}
pub(crate) fn bad_define(name: &str, body: &str) -> Text {
    format!(
        "{BAD_DEFINE}\n  #define {name} ...     (literally dot-dot-dot)\n  \
         #define {name} NUMBER  (with NUMBER an integer constant, decimal/hex/octal)\ngot:\n  \
         #define {name} {body}"
    )
    .into()
}
pub(crate) const STRING_LITERAL: &str = "String literal found in cdef() or type source. String literals are ignored here, but you \
     should remove them anyway because some character sequences confuse pre-parsing.";

// --- Meaning ---

pub(crate) fn multiple_declarations(what: &str, name: &str) -> Text {
    format!(
        "multiple declarations of {what} {name} (for interactive usage, try cdef(xx, override=True))"
    )
    .into()
}
pub(crate) fn multiple_constants(name: &str) -> Text {
    format!("multiple declarations of constant: {name}").into()
}
pub(crate) fn other_kind(name: &str, kind: &str) -> Text {
    format!("'{name}' is already declared as a {kind}").into()
}
pub(crate) fn duplicate_record(name: &str) -> Text {
    format!("duplicate declaration of {name}").into()
}
pub(crate) fn other_tag(name: &str, other: &str) -> Text {
    format!("'{name}' is already the name of {other}").into()
}
pub(crate) fn enum_later(name: &str) -> Text {
    format!(
        "{name}: the '{{}}' declaration should appear on the first time the enum is mentioned, not later"
    )
    .into()
}
pub(crate) fn enum_too_wide(name: &str) -> Text {
    format!("{name} values don't all fit into either 'long' or 'unsigned long'").into()
}
pub(crate) fn enum_value_too_wide(name: &str, ty: &str) -> Text {
    format!("the value of '{name}' does not fit in '{ty}'").into()
}
pub(crate) fn earlier(place: &str) -> Text {
    format!("it was first declared at {place}").into()
}
pub(crate) const EXTERN_PYTHON_VARIABLE: &str =
    "cannot declare constants or variables with 'extern \"Python\"'";
pub(crate) fn no_storage_class(name: &str) -> Text {
    format!(
        "Global variable '{name}' in cdef(): for consistency with C it should have a storage class \
         specifier (usually 'extern')"
    )
    .into()
}
pub(crate) const IMPLICIT_INT: &str = "a type is missing; 'int' is assumed";
pub(crate) const ARRAY_OF_FUNCTIONS: &str = "an array can't hold functions, only pointers to them";
pub(crate) const ARRAY_OF_VOID: &str = "array item of unknown size: 'void'";
pub(crate) const NEGATIVE_LENGTH: &str = "negative array length";
pub(crate) const FUNCTION_RETURNS_ARRAY: &str = "a function can't return an array, only a pointer";
pub(crate) const FUNCTION_RETURNS_FUNCTION: &str =
    "a function can't return a function, only a pointer to one";
pub(crate) const FIELD_IS_FUNCTION: &str =
    "a struct or union can't hold a function, only a pointer to one";
pub(crate) const VARIABLE_OF_VOID: &str = "a variable can't be of type 'void'";
pub(crate) const PARAMETER_OF_VOID: &str = "a parameter can't be of type 'void'";
pub(crate) const DOTS_ARRAY: &str =
    "unsupported '[...]' here, cannot derive the actual array length in this context";
pub(crate) const EMPTY_MEMBER: &str = "this declares no member";
pub(crate) const BIT_WIDTH: &str = "the width of a bit-field is between 0 and 64";
pub(crate) fn partial_without_name(name: &str) -> Text {
    format!("<{name}> is partial but has no C name").into()
}
pub(crate) fn partial_bit_fields(name: &str) -> Text {
    format!("<{name}>: using both bitfields and '...;'").into()
}
pub(crate) const PACK_AND_PACKED: &str = "cannot give both 'pack' and 'packed'";
pub(crate) fn pack_value(pack: u32) -> Text {
    format!("'pack' must be a power of two, not {pack}").into()
}

// --- Constant expressions ---

pub(crate) fn not_a_constant(name: &str) -> Text {
    format!("unsupported expression: expected a simple numeric constant, and '{name}' isn't known as one")
        .into()
}
pub(crate) fn value_unknown(name: &str) -> Text {
    format!("unsupported expression: only the C compiler knows the value of '{name}'").into()
}
pub(crate) const UNSUPPORTED_EXPRESSION: &str =
    "unsupported expression: expected a simple numeric constant";
pub(crate) const FLOATING_CONSTANT: &str = "a floating constant is no integer constant";
pub(crate) const DIVISION_BY_ZERO: &str = "division by zero in a constant expression";
pub(crate) const OVERFLOW: &str =
    "this overflows its type; the value wraps around as C compilers do it";
pub(crate) const MACRO_RECURSION: &str = "this macro needs its own value";
pub(crate) fn invalid_constant(text: &str) -> Text {
    format!("invalid constant '{text}'").into()
}
pub(crate) fn digit(digit: char, text: &str) -> Text {
    format!("'{digit}' is no digit of '{text}'").into()
}
pub(crate) const SUFFIX: &str = "unknown suffix of an integer constant";
pub(crate) const TOO_LARGE_CONSTANT: &str = "this constant is too large for any integer type";
pub(crate) const ESCAPE: &str = "unknown escape sequence";
pub(crate) const EMPTY_CHARACTER: &str = "empty character constant";
pub(crate) const LONG_CHARACTER: &str = "this character constant holds too many characters";
pub(crate) fn static_assertion_unchecked(why: &str) -> Text {
    format!("this _Static_assert is not checked: {why}").into()
}
pub(crate) fn static_assertion(text: &str) -> Text {
    if text.is_empty() {
        "static assertion failed".into()
    } else {
        format!("static assertion failed: {text}").into()
    }
}

// --- Layout ---

pub(crate) fn recursive_record(name: &str) -> String {
    let bare = name.split_once(' ').map_or(name, |(_, tag)| tag);
    format!("recursive structure declaration for '{bare}'")
}
pub(crate) fn unknown_before_compilation(kind: UnknownKind, name: &str) -> String {
    let kind = match kind {
        UnknownKind::Integer => "integer",
        UnknownKind::Float => "float",
    };
    format!("{kind} type '{name}' can only be used after compilation")
}
pub(crate) fn too_large(name: &str) -> String {
    format!("'{name}' is larger than any object can be")
}
pub(crate) fn unknown_size(name: &str) -> String {
    format!("ctype '{name}' is of unknown size")
}
pub(crate) fn opaque_because(said: &str, why: &str) -> String {
    format!("{said}: {why}")
}
pub(crate) fn verification_missing(name: &str) -> String {
    format!(
        "'{name}' is declared with '...': its layout is known only after the C compiler was asked"
    )
}
pub(crate) fn field_of_unknown_size(field: &str, ty: &str) -> String {
    format!("field '{field}' has ctype '{ty}' of unknown size")
}
pub(crate) fn duplicate_field(field: &str, record: &str) -> String {
    format!("duplicate field name '{field}' in '{record}'")
}
pub(crate) fn not_a_bit_field_type(field: &str, ty: &str) -> String {
    format!("field '{field}' declared as '{ty}' cannot be a bit field")
}
pub(crate) fn bit_field_too_wide(field: &str, ty: &str, width: u32) -> String {
    format!("bit field '{field}' is declared '{ty}:{width}', which exceeds the width of the type")
}
pub(crate) fn named_zero_width(field: &str) -> String {
    format!("field '{field}' is declared with :0")
}

// --- The compiler's answers ---

pub(crate) fn answer_count(questions: usize, answers: usize) -> String {
    format!(
        "the cdef has {questions} questions for the C compiler, but {answers} answers were given: they belong to \
         another cdef"
    )
}
pub(crate) fn bad_integer_size(name: &str, size: u64) -> String {
    format!("'{name}' is no integer type that can be used: it has {size} bytes")
}
pub(crate) const NO_INTEGER: &str =
    "primitive integer type with an unexpected size (or not an integer type at all)";
pub(crate) const NO_FLOAT: &str =
    "primitive floating-point type with an unexpected size (or not a float type at all)";
pub(crate) const LONG_DOUBLE: &str = "primitive floating-point type is 'long double', not supported for now with \
     the syntax 'typedef double... xxx;'";
pub(crate) fn wrong_field_size(record: &str, field: &str, cdef: u64, compiler: u64) -> String {
    format!(
        "{record}: wrong size for field '{field}' (cdef says {cdef}, but C compiler says {compiler})"
    )
}
pub(crate) fn bad_record_align(record: &str) -> String {
    format!("{record}: the C compiler's alignment is no power of two")
}
pub(crate) fn field_outside(record: &str, field: &str, size: u64) -> String {
    format!(
        "{record}: field '{field}' does not lie in the {size} bytes that the C compiler says the record has"
    )
}
pub(crate) fn compiler_disagrees(record: &str, what: &str, cdef: u64, compiler: u64) -> String {
    format!(
        "{record}: {what} (cdef says {cdef}, but C compiler says {compiler}). fix it or use \"...;\" as the last \
         field in the cdef for {record} to make it flexible"
    )
}
