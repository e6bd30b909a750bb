//! Where a library of the bundle looks for the C libraries of the bundle.
use std::path::Path;

use object_rewrite::Rewriter;

/// Lets the library at `file` look in the bundle's `lib/` first. `within` is its path from the bundle's top. Of its own
/// search path stays what is relative to itself; the rest would lead out of the bundle.
pub fn add(file: &Path, within: &Path) -> Result<(), String> {
    let library = std::fs::read(file).map_err(|error| error.to_string())?;
    let mut rewriter = Rewriter::read(&library).map_err(|error| error.to_string())?;
    let runpath = joined(rewriter.elf_runpath(), within);
    rewriter
        .elf_set_runpath(runpath)
        .map_err(|error| error.to_string())?;
    let mut changed = Vec::new();
    rewriter
        .write(&mut changed)
        .map_err(|error| error.to_string())?;
    std::fs::write(file, changed).map_err(|error| error.to_string())
}

fn joined(own: Option<&[u8]>, within: &Path) -> Vec<u8> {
    // `lib/python3.11/lib-dynload/x.so` is two directories below `lib`.
    let depth = within.components().count().saturating_sub(2);
    let mut places = vec![format!("$ORIGIN{}", "/..".repeat(depth)).into_bytes()];
    for place in own.unwrap_or_default().split(|&byte| byte == b':') {
        if place.starts_with(b"$ORIGIN") || place.starts_with(b"${ORIGIN}") {
            places.push(place.to_vec());
        }
    }
    places.join(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_relative_stays() {
        let joined = |own: Option<&str>, within: &str| {
            String::from_utf8(joined(own.map(str::as_bytes), Path::new(within))).unwrap()
        };
        assert_eq!(joined(None, "lib/libssl.so.3"), "$ORIGIN");
        assert_eq!(
            joined(Some("/usr/local/lib"), "lib/python3.11/lib-dynload/_ssl.so"),
            "$ORIGIN/../.."
        );
        assert_eq!(
            joined(
                Some("$ORIGIN/../numpy.libs:/opt/lib"),
                "lib/python3.11/site-packages/numpy/core/_x.so"
            ),
            "$ORIGIN/../../../..:$ORIGIN/../numpy.libs"
        );
    }
}
