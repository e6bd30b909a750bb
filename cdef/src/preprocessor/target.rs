//! Used where there is no C compiler to ask: predefined macros, folders of headers, freestanding headers.

use crate::target::Target;

const COMMON: &str = include_str!("targets/common.h");
const X86_64: &str = include_str!("targets/x86_64.h");
const I386: &str = include_str!("targets/i386.h");
const AARCH64: &str = include_str!("targets/aarch64.h");

/// The headers that a compiler brings itself.
const FREESTANDING: [(&str, &str); 9] = [
    ("float.h", include_str!("freestanding/float.h")),
    ("iso646.h", include_str!("freestanding/iso646.h")),
    ("limits.h", include_str!("freestanding/limits.h")),
    ("stdalign.h", include_str!("freestanding/stdalign.h")),
    ("stdarg.h", include_str!("freestanding/stdarg.h")),
    ("stdbool.h", include_str!("freestanding/stdbool.h")),
    ("stddef.h", include_str!("freestanding/stddef.h")),
    ("stdint.h", include_str!("freestanding/stdint.h")),
    ("stdnoreturn.h", include_str!("freestanding/stdnoreturn.h")),
];

/// The text of a header that a compiler brings itself.
pub(super) fn freestanding(name: &str) -> Option<&'static str> {
    let found = FREESTANDING.iter().find(|(other, _)| *other == name);
    found.map(|&(_, text)| text)
}

fn tables(target: &Target) -> (&'static str, &'static str) {
    match target {
        _ if target.pointer_size == 4 => (I386, "i386-linux-gnu"),
        _ if target.char_signed => (X86_64, "x86_64-linux-gnu"),
        _ => (AARCH64, "aarch64-linux-gnu"),
    }
}

/// The macros that GNU C predefines for a target, as a text of `#define` lines.
pub fn predefined(target: &Target) -> String {
    [COMMON, tables(target).0].concat()
}

/// Where the headers of a Linux system usually are.
pub fn usual_dirs(target: &Target) -> Vec<String> {
    vec![
        "/usr/local/include".to_owned(),
        format!("/usr/include/{}", tables(target).1),
        "/usr/include".to_owned(),
    ]
}
