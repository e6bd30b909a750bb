//! What the target platform decides about types.

use crate::types::Primitive;

/// A platform's sizes, alignments and bit-field rules.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    /// The name, for messages.
    pub name: &'static str,
    /// Bytes of a pointer, `size_t`, `intptr_t`, `ptrdiff_t`.
    pub pointer_size: u8,
    /// Bytes of `long`.
    pub long_size: u8,
    /// Alignment of 8-byte integers in a record.
    pub long_long_align: u8,
    /// Alignment of `double` in a record.
    pub double_align: u8,
    /// Bytes of `long double`.
    pub long_double_size: u8,
    /// Alignment of `long double`.
    pub long_double_align: u8,
    /// Whether plain `char` is signed.
    pub char_signed: bool,
    /// Bytes of `wchar_t`.
    pub wchar_size: u8,
    /// Whether `wchar_t` is signed.
    pub wchar_signed: bool,
    /// Bytes of `int_fast16_t` and `int_fast32_t`.
    pub fast_size: u8,
    /// What `__attribute__((aligned))` without a number means.
    pub max_align: u8,
    /// Unnamed bit-fields count for the alignment of the record (the ARM ABIs).
    pub unnamed_bit_fields_align: bool,
    /// Bit-fields are laid out as Microsoft's compiler does.
    pub microsoft_bit_fields: bool,
    /// The Windows type names are predefined.
    pub windows: bool,
    /// `__stdcall` differs from the C convention.
    pub stdcall: bool,
}

impl Target {
    /// Whether `long double` is the 80-bit number of the x87, which GCC calls `__float80` too.
    pub(crate) fn has_x87(&self) -> bool {
        self.name == Self::X86_64_SYSV.name || self.name == Self::I386.name
    }

    /// x86-64 with the System V ABI (Linux, BSD, macOS on Intel).
    pub const X86_64_SYSV: Self = Self {
        name: "x86-64 System V",
        pointer_size: 8,
        long_size: 8,
        long_long_align: 8,
        double_align: 8,
        long_double_size: 16,
        long_double_align: 16,
        char_signed: true,
        wchar_size: 4,
        wchar_signed: true,
        fast_size: 8,
        max_align: 16,
        unnamed_bit_fields_align: false,
        microsoft_bit_fields: false,
        windows: false,
        stdcall: false,
    };
    /// 64-bit ARM with the AAPCS64 (Linux).
    pub const AARCH64: Self = Self {
        name: "AArch64",
        char_signed: false,
        wchar_signed: false,
        unnamed_bit_fields_align: true,
        ..Self::X86_64_SYSV
    };
    /// 64-bit ARM of Apple's systems.
    pub const AARCH64_APPLE: Self = Self {
        name: "AArch64 Apple",
        long_double_size: 8,
        long_double_align: 8,
        ..Self::X86_64_SYSV
    };
    /// 32-bit x86 with the System V ABI.
    pub const I386: Self = Self {
        name: "i386",
        pointer_size: 4,
        long_size: 4,
        long_long_align: 4,
        double_align: 4,
        long_double_size: 12,
        long_double_align: 4,
        fast_size: 4,
        ..Self::X86_64_SYSV
    };
    /// 64-bit Windows.
    pub const WINDOWS_X86_64: Self = Self {
        name: "x86-64 Windows",
        long_size: 4,
        long_double_size: 8,
        long_double_align: 8,
        wchar_size: 2,
        wchar_signed: false,
        fast_size: 4,
        microsoft_bit_fields: true,
        windows: true,
        ..Self::X86_64_SYSV
    };
    /// 32-bit Windows.
    pub const WINDOWS_X86: Self = Self {
        name: "x86 Windows",
        pointer_size: 4,
        stdcall: true,
        ..Self::WINDOWS_X86_64
    };

    /// The C spelling of the type that `va_list` is.
    pub(crate) fn va_list(&self) -> &'static str {
        if self.windows || self.pointer_size == 4 || self.name == Self::AARCH64_APPLE.name {
            "char *"
        } else if self.name == Self::AARCH64.name {
            "struct __va_list { void *__stack; void *__gr_top; void *__vr_top; int __gr_offs; int __vr_offs; }"
        } else {
            "struct __va_list_tag { unsigned int gp_offset; unsigned int fp_offset; void *overflow_arg_area; \
             void *reg_save_area; } [1]"
        }
    }

    /// The type of C's own that a predefined name stands for: `unsigned long` for `size_t`, where that is so. Every other
    /// type stands for itself.
    pub fn standard(&self, primitive: Primitive) -> Primitive {
        use Primitive::*;
        let is_apple = self.name == Self::AARCH64_APPLE.name;
        let wide = if self.long_size == 8 { Long } else { LongLong };
        let of_pointers = match (self.pointer_size, self.long_size) {
            (8, 8) => Long,
            (8, _) => LongLong,
            _ => Int,
        };
        let signed = match primitive {
            Int8 | UInt8 | IntLeast8 | UIntLeast8 | IntFast8 | UIntFast8 => SChar,
            Int16 | UInt16 | IntLeast16 | UIntLeast16 | Char16 => Short,
            Int32 | UInt32 | IntLeast32 | UIntLeast32 | Char32 => Int,
            Int64 | UInt64 | IntLeast64 | UIntLeast64 | IntFast64 | UIntFast64 if is_apple => {
                LongLong
            }
            Int64 | UInt64 | IntLeast64 | UIntLeast64 | IntFast64 | UIntFast64 | IntMax
            | UIntMax => wide,
            IntFast16 | UIntFast16 | IntFast32 | UIntFast32 if self.fast_size == 8 => Long,
            IntFast16 | UIntFast16 | IntFast32 | UIntFast32 => Int,
            WChar if self.wchar_size == 2 => Short,
            WChar => Int,
            IntPtr | UIntPtr | PtrDiff | Size | SSize => of_pointers,
            other => return other,
        };
        if self.is_signed(primitive) != Some(false) {
            return signed;
        }
        match signed {
            SChar => UChar,
            Short => UShort,
            Int => UInt,
            Long => ULong,
            _ => ULongLong,
        }
    }

    /// The platform of a C compiler that predefines these macros (`#define` lines); `None` if it is none of the known ones.
    pub fn of_macros(predefined: &str) -> Option<Self> {
        let names: Vec<&str> = predefined
            .lines()
            .filter_map(|line| line.strip_prefix("#define ")?.split([' ', '(']).next())
            .collect();
        let has = |name| names.contains(&name);
        if has("__ILP32__") && !has("__i386__") {
            // x32, or ILP32 on ARM.
            return None;
        }
        let is_wide = has("__x86_64__") || has("_M_X64");
        Some(match (has("_WIN32"), is_wide) {
            (true, true) => Self::WINDOWS_X86_64,
            (true, false) if has("__i386__") || has("_M_IX86") => Self::WINDOWS_X86,
            (true, false) => return None,
            (false, true) => Self::X86_64_SYSV,
            _ if has("__i386__") => Self::I386,
            _ if has("__aarch64__") && has("__AARCH64EB__") => return None,
            _ if has("__aarch64__") && has("__APPLE__") => Self::AARCH64_APPLE,
            _ if has("__aarch64__") => Self::AARCH64,
            _ => return None,
        })
    }

    /// The platform that this library was compiled for.
    pub const fn host() -> Self {
        if cfg!(windows) {
            if cfg!(target_pointer_width = "64") {
                Self::WINDOWS_X86_64
            } else {
                Self::WINDOWS_X86
            }
        } else if cfg!(target_arch = "aarch64") {
            if cfg!(target_vendor = "apple") {
                Self::AARCH64_APPLE
            } else {
                Self::AARCH64
            }
        } else if cfg!(target_arch = "x86") {
            Self::I386
        } else {
            Self::X86_64_SYSV
        }
    }

    /// Size and alignment of an arithmetic type, in bytes. The alignment is the one in a record.
    pub fn size_and_align(&self, primitive: Primitive) -> (u64, u32) {
        use Primitive::*;
        let integer = |size: u8| {
            let align = if size == 8 {
                self.long_long_align
            } else {
                size
            };
            (u64::from(size), u32::from(align))
        };
        let complex = |(size, align): (u64, u32)| (2 * size, align);
        let double = (8, u32::from(self.double_align));
        let long_double = (
            u64::from(self.long_double_size),
            u32::from(self.long_double_align),
        );
        match primitive {
            Bool | Char | SChar | UChar | Int8 | UInt8 | IntLeast8 | UIntLeast8 | IntFast8
            | UIntFast8 => (1, 1),
            Short | UShort | Int16 | UInt16 | IntLeast16 | UIntLeast16 | Char16 => (2, 2),
            Int | UInt | Int32 | UInt32 | IntLeast32 | UIntLeast32 | Char32 => (4, 4),
            LongLong | ULongLong | Int64 | UInt64 | IntLeast64 | UIntLeast64 | IntFast64
            | UIntFast64 | IntMax | UIntMax => integer(8),
            Long | ULong => integer(self.long_size),
            IntPtr | UIntPtr | PtrDiff | Size | SSize => integer(self.pointer_size),
            IntFast16 | UIntFast16 | IntFast32 | UIntFast32 => integer(self.fast_size),
            WChar => integer(self.wchar_size),
            Float => (4, 4),
            Double => double,
            LongDouble => long_double,
            FloatComplex => complex((4, 4)),
            DoubleComplex => complex(double),
            LongDoubleComplex => complex(long_double),
            Int128 | UInt128 => (16, 16),
        }
    }

    /// Whether an integer type has negative values; `None` for floating types.
    pub fn is_signed(&self, primitive: Primitive) -> Option<bool> {
        use Primitive::*;
        Some(match primitive {
            Float | Double | LongDouble | FloatComplex | DoubleComplex | LongDoubleComplex => {
                return None;
            }
            Char => self.char_signed,
            WChar => self.wchar_signed,
            Bool | UChar | UShort | UInt | ULong | ULongLong | Char16 | Char32 | UInt8 | UInt16
            | UInt32 | UInt64 | UIntLeast8 | UIntLeast16 | UIntLeast32 | UIntLeast64
            | UIntFast8 | UIntFast16 | UIntFast32 | UIntFast64 | UIntPtr | UIntMax | Size
            | UInt128 => false,
            SChar | Short | Int | Long | LongLong | Int8 | Int16 | Int32 | Int64 | IntLeast8
            | IntLeast16 | IntLeast32 | IntLeast64 | IntFast8 | IntFast16 | IntFast32
            | IntFast64 | IntPtr | IntMax | PtrDiff | SSize | Int128 => true,
        })
    }
}

impl Default for Target {
    fn default() -> Self {
        Self::host()
    }
}
