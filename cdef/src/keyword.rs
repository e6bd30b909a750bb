//! Keywords of the parser.

use crate::types::Symbol;

macro_rules! keywords {
    ($($variant:ident = $($text:literal)|+;)*) => {
        /// A keyword. Different spellings of one keyword (`signed`, `__signed`) are the same variant.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Keyword { $($variant),* }
        /// Every spelling; its index is the number of its symbol.
        pub(crate) const TABLE: &[(&str, Keyword)] = &[$($(($text, Keyword::$variant)),+),*];
    };
}
keywords! {
    Void = "void"; Char = "char"; Short = "short"; Int = "int"; Long = "long";
    Float = "float"; Double = "double"; Signed = "signed" | "__signed" | "__signed__";
    Unsigned = "unsigned"; Bool = "_Bool"; Complex = "_Complex" | "__complex__" | "__complex";
    Imaginary = "_Imaginary";
    Struct = "struct"; Union = "union"; Enum = "enum";
    Typedef = "typedef"; Extern = "extern"; Static = "static"; Auto = "auto"; Register = "register";
    ThreadLocal = "_Thread_local" | "__thread" | "thread_local";
    Inline = "inline" | "__inline" | "__inline__" | "__forceinline";
    Noreturn = "_Noreturn" | "noreturn";
    Const = "const" | "__const" | "__const__";
    Volatile = "volatile" | "__volatile" | "__volatile__";
    Restrict = "restrict" | "__restrict" | "__restrict__";
    Atomic = "_Atomic";
    Sizeof = "sizeof"; Alignof = "_Alignof" | "alignof" | "__alignof__" | "__alignof";
    Alignas = "_Alignas" | "alignas";
    StaticAssert = "_Static_assert" | "static_assert";
    Attribute = "__attribute__" | "__attribute"; Declspec = "__declspec"; Asm = "asm" | "__asm__" | "__asm";
    Extension = "__extension__";
    Nullability = "_Nonnull" | "_Nullable" | "_Null_unspecified" | "_Nullable_result";
    Cdecl = "__cdecl" | "_cdecl"; Stdcall = "__stdcall" | "_stdcall" | "WINAPI"; OtherConvention = "__fastcall" | "__vectorcall" | "__thiscall";
    Pragma = "_Pragma" | "__pragma";
    Typeof = "typeof" | "__typeof__" | "__typeof" | "typeof_unqual" | "__typeof_unqual__" | "__typeof_unqual"; Generic = "_Generic";
    Unsupported = "__int128" | "_Float16" | "_Float32" | "_Float64" | "_Float128" | "__float128" | "__float80" | "_Decimal32" | "_Decimal64" | "_Decimal128" | "_BitInt" | "_Float32x" | "_Float64x" | "__bf16" | "__fp16" | "__int128_t" | "__uint128_t" | "_Sat" | "_Fract" | "_Accum";
}

impl Keyword {
    /// The keyword that `symbol` spells.
    pub(crate) fn of(symbol: Symbol) -> Option<Self> {
        TABLE.get(symbol.index()).map(|&(_, keyword)| keyword)
    }
}

/// Spellings that are ordinary identifiers in older C, and count as keywords only where an identifier makes no sense.
pub(crate) fn is_soft(text: &str) -> bool {
    matches!(
        text,
        "asm"
            | "alignas"
            | "alignof"
            | "static_assert"
            | "thread_local"
            | "noreturn"
            | "typeof"
            | "typeof_unqual"
    )
}
