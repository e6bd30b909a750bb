//! Macros without a body: the preprocessor computes what they expand to.

use std::rc::Rc;

use super::Preprocessor;
use super::define::Macro;
use super::token::{SPACE, Token, TokenKind};

/// A macro without a body, or an operator like `__has_include`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Builtin {
    File,
    BaseFile,
    Line,
    IncludeLevel,
    Counter,
    Date,
    Time,
    Pragma,
    HasInclude,
    HasIncludeNext,
    HasAttribute,
    HasFunction,
    HasStandardAttribute,
    HasNone,
}

const ALL: [(&str, Builtin); 16] = [
    ("__FILE__", Builtin::File),
    ("__BASE_FILE__", Builtin::BaseFile),
    ("__LINE__", Builtin::Line),
    ("__INCLUDE_LEVEL__", Builtin::IncludeLevel),
    ("__COUNTER__", Builtin::Counter),
    ("__DATE__", Builtin::Date),
    ("__TIME__", Builtin::Time),
    ("_Pragma", Builtin::Pragma),
    ("__has_include", Builtin::HasInclude),
    ("__has_include_next", Builtin::HasIncludeNext),
    ("__has_attribute", Builtin::HasAttribute),
    ("__has_builtin", Builtin::HasFunction),
    ("__has_c_attribute", Builtin::HasStandardAttribute),
    ("__has_feature", Builtin::HasNone),
    ("__has_extension", Builtin::HasNone),
    ("__has_embed", Builtin::HasNone),
];

/// The name of a file as a string literal, escaped as GCC does it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The value of `__has_attribute` and its relatives: GCC's answer for the names that headers ask about.
fn feature(builtin: Builtin, name: &str) -> u32 {
    let bare = name
        .strip_prefix("__")
        .and_then(|name| name.strip_suffix("__"))
        .unwrap_or(name);
    let known = match builtin {
        Builtin::HasFunction => BUILTINS.contains(&name.trim_start_matches("__builtin_")),
        Builtin::HasAttribute => ATTRIBUTES.contains(&bare),
        _ => {
            return match bare {
                "deprecated" => 201_904,
                "fallthrough" => 201_910,
                "nodiscard" => 202_003,
                "maybe_unused" => 202_106,
                "noreturn" | "_Noreturn" => 202_202,
                "unsequenced" | "reproducible" => 0,
                _ => {
                    let gnu = bare
                        .strip_prefix("gnu::")
                        .or(bare.strip_prefix("__gnu__::"));
                    let known = gnu.is_some_and(|name| feature(Builtin::HasAttribute, name) != 0);
                    u32::from(known)
                }
            };
        }
    };
    u32::from(known)
}

/// Attributes that GCC has for every target.
#[rustfmt::skip]
const ATTRIBUTES: &[&str] = &[
    "access", "alias", "aligned", "alloc_align", "alloc_size", "always_inline", "artificial", "assume_aligned", "cleanup",
    "cold", "common", "const", "constructor", "copy", "deprecated", "designated_init", "destructor", "error", "externally_visible",
    "fallthrough", "fd_arg", "fd_arg_read", "fd_arg_write", "flag_enum", "flatten", "format", "format_arg", "gnu_inline", "hot",
    "ifunc", "leaf", "malloc", "may_alias", "mode", "no_icf", "no_instrument_function", "no_profile_instrument_function",
    "no_reorder", "no_sanitize", "no_sanitize_address", "no_sanitize_thread", "no_sanitize_undefined", "no_split_stack",
    "no_stack_limit", "no_stack_protector", "noclone", "nocommon", "noinline", "noipa", "nonnull", "nonstring", "noplt",
    "noreturn", "nothrow", "objc_root_class", "optimize", "packed", "patchable_function_entry", "pure", "returns_nonnull",
    "returns_twice", "scalar_storage_order", "section", "sentinel", "simd", "stack_protect", "strict_flex_array", "symver",
    "target", "target_clones", "tls_model", "transparent_union", "uninitialized", "unused", "used", "retain",
    "vector_size", "visibility", "warn_if_not_aligned", "warn_unused_result", "warning", "weak", "weakref",
    "zero_call_used_regs",
];

/// Builtins of GCC that headers ask for, without `__builtin_`.
#[rustfmt::skip]
const BUILTINS: &[&str] = &[
    "abort", "abs", "add_overflow", "alloca", "assume_aligned", "bswap16", "bswap32", "bswap64", "bswap128",
    "choose_expr", "clear_padding", "clz", "clzl", "clzll", "constant_p", "ctz", "ctzl", "ctzll", "dynamic_object_size",
    "expect", "expect_with_probability", "extract_return_addr", "ffs", "ffsl", "ffsll", "fabs", "frame_address", "has_attribute",
    "huge_val", "huge_valf", "huge_vall", "inf", "inff", "infl", "isfinite", "isgreater", "isinf", "isinf_sign", "isless",
    "isnan", "isnormal", "isunordered", "memchr", "memcmp", "memcpy", "memmove", "memset", "mul_overflow", "nan", "nanf", "nanl",
    "nans", "object_size", "offsetof", "parity", "popcount", "popcountl", "popcountll", "prefetch", "return_address", "shuffle",
    "shufflevector", "signbit", "speculation_safe_value", "strchr", "strcmp", "strlen", "strncmp", "sub_overflow", "trap",
    "types_compatible_p", "unreachable", "va_arg", "va_copy", "va_end", "va_start", "convertvector", "tgmath",
    "__atomic_load_n", "__atomic_store_n", "__atomic_exchange_n", "__atomic_compare_exchange_n", "__atomic_fetch_add",
    "__sync_fetch_and_add", "__sync_synchronize", "__sync_bool_compare_and_swap", "__sync_val_compare_and_swap",
];

impl Preprocessor<'_> {
    pub(super) fn define_builtins(&mut self) {
        for (name, builtin) in ALL {
            let name = self.names.intern(name);
            self.set_macro(name, Some(Rc::new(Macro::builtin(builtin))));
        }
    }

    /// The token that a use expands to; `None`: it expands to nothing.
    pub(super) fn expand_builtin(&mut self, builtin: Builtin, token: Token) -> Option<Token> {
        self.used_builtin = true;
        let (kind, text) = match builtin {
            Builtin::File | Builtin::BaseFile => {
                let entered = &self.entered[token.entered as usize];
                let file = entered.place(token.at).file;
                (TokenKind::Text, quoted(file))
            }
            Builtin::Line => {
                let outermost = self.expansions[token.expansion as usize].outermost;
                let (entered, at) = outermost.unwrap_or((token.entered, token.at));
                let line = self.entered[entered as usize].place(at).line;
                (TokenKind::Number, line.to_string())
            }
            Builtin::IncludeLevel => {
                let depth = self.entered[token.entered as usize].depth;
                (TokenKind::Number, depth.to_string())
            }
            Builtin::Counter => {
                self.counter += 1;
                (TokenKind::Number, (self.counter - 1).to_string())
            }
            // Fixed values, so that the same text always gives the same result.
            Builtin::Date => (TokenKind::Text, "\"Jan  1 1970\"".to_owned()),
            Builtin::Time => (TokenKind::Text, "\"00:00:00\"".to_owned()),
            Builtin::Pragma => return self.pragma_operator(token),
            Builtin::HasInclude | Builtin::HasIncludeNext => {
                let operand = self.operand();
                let next = builtin == Builtin::HasIncludeNext;
                let found = match self.header_name(&operand) {
                    Some((name, angled, _)) => self.find(&name, angled, next).is_some(),
                    None => false,
                };
                (TokenKind::Number, u8::from(found).to_string())
            }
            Builtin::HasAttribute | Builtin::HasFunction | Builtin::HasStandardAttribute => {
                let operand = self.operand();
                let words = operand.iter().map(|&token| self.text(token));
                let text = words.collect::<String>();
                (TokenKind::Number, feature(builtin, &text).to_string())
            }
            Builtin::HasNone => {
                self.operand();
                (TokenKind::Number, "0".to_owned())
            }
        };
        let text = self.names.intern(&text);
        Some(Token {
            kind,
            text,
            flags: token.flags & SPACE,
            ..token
        })
    }
}
