//! An out-of-line module of ABI mode: Python text that repeats the declarations that an FFI was given.

use std::fmt::Write;

use keelback_cdef::{
    Declarations, Diagnostic, DiagnosticKind, FunctionOrigin, ParseOptions, SegmentText, Target,
    segment_index,
};

use crate::answers::subject;
use crate::spec::{CdefText, IncludedModule};

/// A cdef in an out-of-line module.
#[derive(Clone, Copy, Debug)]
pub struct ModuleCdef<'a> {
    /// The declarations.
    pub text: &'a str,
    /// See [`CdefText::override_`].
    pub override_: bool,
    /// See [`CdefText::packed`].
    pub packed: bool,
    /// See [`CdefText::pack`].
    pub pack: Option<u32>,
    /// Read by C's rules alone, as headers are.
    pub of_header: bool,
}

impl ModuleCdef<'_> {
    /// The options for the parser.
    pub fn options<'f>(&self, file: &'f str) -> ParseOptions<'f> {
        ParseOptions {
            file: Some(file),
            override_: self.override_,
            packed: self.packed,
            pack: self.pack,
            as_cffi: !self.of_header,
            of_headers: true,
            other_macros: true,
            ..ParseOptions::default()
        }
    }
}

/// The digest of a module's cdefs, of their index (none: empty), of the version and of the platform. If it equals the one
/// stored in the module, the cdefs were checked when the module was made, and its import need not parse them.
pub fn digest<'a>(cdefs: impl IntoIterator<Item = ModuleCdef<'a>>, index: &[u8]) -> u64 {
    let target = format!("{:?}", Target::host());
    let version = env!("CARGO_PKG_VERSION");
    let mut digest = absorb(absorb(0, version.as_bytes()), target.as_bytes());
    for cdef in cdefs {
        let options = u64::from(cdef.override_)
            | u64::from(cdef.packed) << 1
            | u64::from(cdef.pack.unwrap_or(0)) << 2
            | u64::from(cdef.of_header) << 40;
        digest = mix(absorb(digest, cdef.text.as_bytes()), options);
    }
    if index.is_empty() {
        // As modules without an index have always had it.
        return digest;
    }
    absorb(digest, index)
}

fn mix(digest: u64, word: u64) -> u64 {
    // Multiply by an odd number without a pattern (the golden ratio's fraction), which carries bits upwards, and rotate
    // them down again.
    (digest ^ word)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_right(29)
}

/// Adds bytes to the digest, eight at a time, because there may be megabytes of them.
fn absorb(digest: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let digest = words.iter().fold(digest, |digest, word| {
        mix(digest, u64::from_le_bytes(*word))
    });
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(mix(digest, u64::from_le_bytes(last)), bytes.len() as u64)
}

/// Errors about declarations that need a C compiler.
fn refusals(declarations: &Declarations) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for question in declarations.questions() {
        // In ABI mode a constant of an integer type is read from the library.
        if matches!(question, keelback_cdef::Question::VariableValue(_)) {
            continue;
        }
        let (span, what) = subject(declarations, question);
        let mut error = Diagnostic::at(
            declarations,
            span,
            format!(
                "{what} is only known to a C compiler: it needs API mode (set_source with C code)"
            ),
        );
        error.kind = DiagnosticKind::VerificationMissing;
        errors.push(error);
    }
    for function in &declarations.functions {
        if function.origin != FunctionOrigin::C {
            let mut error = Diagnostic::at(
                declarations,
                function.span,
                format!(
                    "cannot use extern \"Python\" in an ABI-mode module (set_source with None): '{}'",
                    declarations.text(function.name)
                ),
            );
            error.kind = DiagnosticKind::Verification;
            errors.push(error);
        }
    }
    errors
}

/// The module's text. Its `ffi` parses the declarations when it is first used.
///
/// # Errors
/// The declarations need a C compiler.
pub fn python_module(
    module_name: &str,
    cdefs: &[CdefText],
    included: &[IncludedModule],
    declarations: &Declarations,
) -> Result<String, Vec<Diagnostic>> {
    let errors = refusals(declarations);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut text = format!(
        "# Made by keelback {}: the declarations of {module_name}. Changes to this file are lost.\n\
         from keelback._runtime import _declare\n\nffi = _declare(\n    {}, {},\n    (\n",
        env!("CARGO_PKG_VERSION"),
        string(module_name),
        crate::abi::KEELBACK_ABI_VERSION,
    );
    for cdef in cdefs {
        text.push_str("        (\n");
        for line in cdef.text.split_inclusive('\n') {
            let _ = writeln!(text, "            {}", string(line));
        }
        if cdef.text.is_empty() {
            text.push_str("            \"\"\n");
        }
        let truth = |value| if value { "True" } else { "False" };
        let _ = writeln!(
            text,
            "            , {}, {}, {}{},\n        ),",
            truth(cdef.override_),
            truth(cdef.packed),
            cdef.pack.unwrap_or(0),
            if cdef.preprocessed { ", True" } else { "" }
        );
    }
    text.push_str("    ),\n    (");
    for module in included {
        let _ = write!(
            text,
            "({}, {}), ",
            string(&module.module_name),
            module.position
        );
    }
    let cdefs: Vec<ModuleCdef> = cdefs
        .iter()
        .map(|cdef| ModuleCdef {
            text: &cdef.text,
            override_: cdef.override_,
            packed: cdef.packed,
            pack: cdef.pack,
            of_header: cdef.preprocessed,
        })
        .collect();
    let index = index(&cdefs, included).unwrap_or_default();
    let digest = digest(cdefs, &index);
    let _ = writeln!(text, "),\n    {digest:#x},");
    for line in index.chunks(48) {
        let _ = writeln!(text, "    {}", bytes(line));
    }
    text.push_str(")\n");
    Ok(text)
}

/// The index with which a module parses what is used of its cdefs. `None`: they have to be parsed whole.
fn index(cdefs: &[ModuleCdef], included: &[IncludedModule]) -> Option<Vec<u8>> {
    if !included.is_empty() || cdefs.iter().any(|cdef| cdef.override_) {
        return None;
    }
    let texts: Vec<_> = cdefs
        .iter()
        .map(|cdef| SegmentText::new(cdef.text, &cdef.options("")))
        .collect();
    segment_index(&texts)
}

/// A bytes literal of Python.
fn bytes(bytes: &[u8]) -> String {
    let mut out = String::from("b\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', byte as char]),
            0x20..0x7f => out.push(byte as char),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('"');
    out
}

/// A str literal of Python.
fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() || ('\u{7f}'..'\u{a0}').contains(&c) => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
