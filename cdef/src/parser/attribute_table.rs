//! What every attribute and pragma means to a cdef: honoured, ignored because it affects neither calls nor layout, or
//! refused because it does and is not supported. docs/cdef.md has the same table for readers.

use crate::target::Target;

/// What an attribute does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    /// `packed`
    Packed,
    /// `aligned`, `aligned(n)`
    Aligned,
    /// `mode(DI)`
    Mode,
    /// `vector_size(16)`
    VectorSize,
    /// `scalar_storage_order("...")`: without an effect if it names the platform's own order, refused otherwise.
    StorageOrder,
    /// Neither calls nor layout depend on it.
    Nothing,
    /// It changes a type, a layout, a symbol or a call in a way that is not supported.
    Refused(Change),
    /// Not in the table.
    Unknown,
}

/// What a refused attribute changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// The type: vectors.
    Type,
    /// How a function is called.
    Call,
    /// How a struct lies in memory.
    Layout,
    /// Which symbol a name stands for.
    Symbol,
}

impl Change {
    /// The part of the error message that says so.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Type => "makes another type of it",
            Self::Call => "changes how the function is called",
            Self::Layout => "changes how the struct lies in memory",
            Self::Symbol => "changes the symbol that the name stands for",
        }
    }
}

/// Attributes without an effect on calls and layout; without the underscores around them.
#[rustfmt::skip]
const NOTHING: &[&str] = &[
    // Of functions.
    "access", "alias", "alloc_align", "alloc_size", "allocating", "always_inline", "artificial", "assume_aligned", "assume",
    "cold", "const", "constructor", "copy", "deprecated", "destructor", "diagnose_if", "disable_tail_calls", "enable_if",
    "error", "externally_visible", "fd_arg", "fd_arg_read", "fd_arg_write", "flatten", "format", "format_arg",
    "gnu_inline", "hot", "ifunc", "leaf", "malloc", "minsize", "no_icf", "no_instrument_function", "no_profile",
    "no_profile_instrument_function", "no_reorder", "no_sanitize", "no_sanitize_address", "no_sanitize_memory",
    "no_sanitize_thread", "no_sanitize_undefined", "no_address_safety_analysis", "no_split_stack", "no_stack_limit",
    "no_stack_protector", "noclone", "noduplicate", "noinline", "noipa", "nonnull", "nonnull_if_nonzero", "noplt",
    "noreturn", "nothrow", "null_terminated_string_arg", "optimize", "optnone", "patchable_function_entry", "pure",
    "reproducible", "unsequenced", "restrict", "returns_nonnull", "returns_twice", "section", "sentinel", "simd",
    "speculative_load_hardening", "stack_protect", "symver", "target", "target_clones", "target_version",
    "tainted_args", "used", "unused", "retain", "visibility", "warn_unused_result", "warning", "weak", "zero_call_used_regs",
    "nocf_check", "force_align_arg_pointer", "cf_check", "naked", "noalias", "convergent", "not_tail_called", "nodebug",
    "nouwtable", "type_visibility", "availability", "unavailable", "capability", "callback", "internal_linkage",
    "transparent_union", "annotate", "annotate_type", "btf_decl_tag", "btf_type_tag", "unwind",
    // Of types and variables.
    "cleanup", "common", "nocommon", "counted_by", "counted_by_or_null", "sized_by", "sized_by_or_null", "designated_init",
    "enum_extensibility", "fallthrough", "flag_enum", "hardbool", "may_alias", "maybe_unused", "nodiscard", "noderef",
    "nonstring", "no_dangling", "noinit", "objc_root_class", "persistent", "strict_flex_array", "tls_model", "uninitialized",
    "warn_if_not_aligned", "weak_import", "objc_boxable", "swift_name", "swift_private", "swift_newtype", "swift_error",
    "abi_tag", "analyzer_noreturn", "bitwise", "indirect_return", "nullable", "guarded_by", "pt_guarded_by", "acquired_after", "acquired_before", "lockable",
    "exclusive_locks_required", "shared_locks_required", "locks_excluded", "lock_returned", "no_thread_safety_analysis",
    "preferred_name", "require_constant_initialization", "standalone_debug", "vecreturn", "noescape", "suppress",
    "ns_returns_retained", "ns_returns_not_retained", "cf_returns_retained", "cf_returns_not_retained", "cf_consumed",
    "cf_audited_transfer", "cf_unknown_transfer", "os_returns_retained", "loader_uninitialized", "nosvm", "bnd_legacy",
    // Of Microsoft's compiler.
    "dllimport", "dllexport", "selectany", "thread", "uuid", "novtable", "allocator", "guard", "safebuffers", "spectre",
    "code_seg", "property", "process", "appdomain", "jitintrinsic", "hybrid_patchable",
];

/// What an attribute does on a target; the name is without the underscores around it.
pub(super) fn effect(name: &str, target: &Target) -> Effect {
    use Change::{Call, Layout, Symbol, Type};
    // Only 32-bit x86 has several calling conventions; compilers for other targets ignore these attributes.
    let on_32_bits = if target.pointer_size == 4 {
        Effect::Refused(Call)
    } else {
        Effect::Nothing
    };
    let unless = |native: bool, change: Change| {
        if native {
            Effect::Nothing
        } else {
            Effect::Refused(change)
        }
    };
    match name {
        "packed" => Effect::Packed,
        "aligned" | "align" => Effect::Aligned,
        "mode" => Effect::Mode,
        "scalar_storage_order" => Effect::StorageOrder,
        "cdecl" => Effect::Nothing,
        "stdcall" | "fastcall" | "thiscall" | "pascal" | "regparm" | "sseregparm" => on_32_bits,
        "sysv_abi" => unless(!target.windows, Call),
        "ms_abi" => unless(target.windows, Call),
        "gcc_struct" => unless(!target.microsoft_bit_fields, Layout),
        "ms_struct" => unless(target.microsoft_bit_fields, Layout),
        "vectorcall"
        | "regcall"
        | "preserve_most"
        | "preserve_all"
        | "preserve_none"
        | "swiftcall"
        | "swiftasynccall"
        | "swift_context"
        | "swift_async_context"
        | "swift_indirect_result"
        | "swift_error_result"
        | "pcs"
        | "aarch64_vector_pcs"
        | "aarch64_sve_pcs"
        | "no_caller_saved_registers"
        | "no_callee_saved_registers"
        | "interrupt"
        | "signal"
        | "intel_ocl_bicc"
        | "pass_object_size"
        | "pass_dynamic_object_size"
        | "cmse_nonsecure_call"
        | "arm_streaming"
        | "arm_locally_streaming" => Effect::Refused(Call),
        "vector_size" => Effect::VectorSize,
        "ext_vector_type"
        | "neon_vector_type"
        | "neon_polyvector_type"
        | "arm_sve_vector_bits"
        | "matrix_type"
        | "address_space"
        | "ptr32"
        | "ptr64" => Effect::Refused(Type),
        "randomize_layout" | "no_unique_address" | "trivial_abi" | "layout_version"
        | "empty_bases" => Effect::Refused(Layout),
        "weakref" | "overloadable" => Effect::Refused(Symbol),
        _ if NOTHING.contains(&name) => Effect::Nothing,
        _ => Effect::Unknown,
    }
}

/// Attributes of [`NOTHING`] that say how a function or variable is defined, or how its library exports it. A header
/// does not repeat them.
const OF_DEFINITIONS: &[&str] = &[
    "alias",
    "always_inline",
    "constructor",
    "copy",
    "destructor",
    "dllexport",
    "dllimport",
    "flatten",
    "gnu_inline",
    "ifunc",
    "internal_linkage",
    "naked",
    "optimize",
    "optnone",
    "section",
    "selectany",
    "simd",
    "symver",
    "target",
    "target_clones",
    "target_version",
    "visibility",
];

/// Whether the generated header repeats an attribute of the cdef. Attributes that are not in the table, and those of
/// definitions, are left out.
pub fn is_attribute_of_headers(name: &str, target: &Target) -> bool {
    let name = name.trim_matches('_');
    effect(name, target) != Effect::Unknown && !OF_DEFINITIONS.contains(&name)
}

/// Whether the pragma of these words (without `#pragma`) is in the table.
pub fn is_known_pragma(words: &str) -> bool {
    let mut words = words
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-'))
        .filter(|word| !word.is_empty());
    let (first, second) = (words.next(), words.next());
    pragma_effect(first.unwrap_or_default(), second.unwrap_or_default()) != PragmaEffect::Unknown
}

/// What a `#pragma` or `_Pragma` does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PragmaEffect {
    /// `pack(...)`
    Pack,
    /// Neither calls nor layout depend on it.
    Nothing,
    /// See [`Effect::Refused`].
    Refused(Change),
    /// Not in the table.
    Unknown,
}

/// The effect of the pragma whose first two words are `first` and `second`.
pub(super) fn pragma_effect(first: &str, second: &str) -> PragmaEffect {
    match (first, second) {
        ("pack", _) => PragmaEffect::Pack,
        ("scalar_storage_order", "default" | "little-endian") if cfg!(target_endian = "little") => {
            PragmaEffect::Nothing
        }
        ("ms_struct", "off" | "reset") => PragmaEffect::Nothing,
        ("scalar_storage_order" | "ms_struct" | "options" | "align", _) => {
            PragmaEffect::Refused(Change::Layout)
        }
        ("redefine_extname", _) => PragmaEffect::Refused(Change::Symbol),
        (
            "GCC",
            "diagnostic" | "system_header" | "visibility" | "poison" | "warning" | "error"
            | "dependency" | "optimize" | "push_options" | "pop_options" | "reset_options"
            | "target" | "unroll" | "ivdep",
        )
        | (
            "clang",
            "diagnostic" | "system_header" | "attribute" | "assume_nonnull" | "optimize" | "module"
            | "loop",
        )
        | (
            "STDC"
            | "once"
            | "message"
            | "warning"
            | "region"
            | "endregion"
            | "mark"
            | "weak"
            | "comment"
            | "omp"
            | "push_macro"
            | "pop_macro"
            | "intrinsic"
            | "unused"
            | "ident"
            | "acc"
            | "warn_strict_prototypes",
            _,
        ) => PragmaEffect::Nothing,
        _ => PragmaEffect::Unknown,
    }
}
