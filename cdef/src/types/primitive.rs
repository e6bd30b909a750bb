//! The arithmetic types that have names of their own.

macro_rules! primitives {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// Every arithmetic type with a name of its own. As in CFFI, `int32_t` and `int` are different
        /// types with equal values: each keeps the name it was declared with.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Primitive { $(#[doc = concat!("`", $name, "`")] $variant),* }
        impl Primitive {
            /// All of them, in order of their discriminants.
            pub const ALL: &'static [Primitive] = &[$(Primitive::$variant),*];
            /// The name as CFFI prints it (`unsigned int`, `int32_t`, `_Bool`).
            pub fn name(self) -> &'static str { match self { $(Primitive::$variant => $name),* } }
        }
    };
}
primitives! {
    Bool = "_Bool", Char = "char", SChar = "signed char", UChar = "unsigned char",
    Short = "short", UShort = "unsigned short", Int = "int", UInt = "unsigned int",
    Long = "long", ULong = "unsigned long", LongLong = "long long", ULongLong = "unsigned long long",
    Float = "float", Double = "double", LongDouble = "long double",
    FloatComplex = "float _Complex", DoubleComplex = "double _Complex", LongDoubleComplex = "long double _Complex",
    WChar = "wchar_t", Char16 = "char16_t", Char32 = "char32_t",
    Int8 = "int8_t", UInt8 = "uint8_t", Int16 = "int16_t", UInt16 = "uint16_t",
    Int32 = "int32_t", UInt32 = "uint32_t", Int64 = "int64_t", UInt64 = "uint64_t",
    IntLeast8 = "int_least8_t", UIntLeast8 = "uint_least8_t", IntLeast16 = "int_least16_t", UIntLeast16 = "uint_least16_t",
    IntLeast32 = "int_least32_t", UIntLeast32 = "uint_least32_t", IntLeast64 = "int_least64_t", UIntLeast64 = "uint_least64_t",
    IntFast8 = "int_fast8_t", UIntFast8 = "uint_fast8_t", IntFast16 = "int_fast16_t", UIntFast16 = "uint_fast16_t",
    IntFast32 = "int_fast32_t", UIntFast32 = "uint_fast32_t", IntFast64 = "int_fast64_t", UIntFast64 = "uint_fast64_t",
    IntPtr = "intptr_t", UIntPtr = "uintptr_t", IntMax = "intmax_t", UIntMax = "uintmax_t",
    PtrDiff = "ptrdiff_t", Size = "size_t", SSize = "ssize_t",
    Int128 = "__int128", UInt128 = "unsigned __int128",
}
