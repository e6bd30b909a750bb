//! Paths of the machine that a file was made on, in its texts.
/// What a path becomes that leads nowhere any more. As long as the path was: slashes count as one.
fn nowhere(length: usize) -> Vec<u8> {
    let mut text = b"/nowhere".to_vec();
    text.resize(length, b'/');
    text
}

/// Replaces each of the paths, and what begins with one of them up to its end, by a path of the same length that is
/// nowhere. The longest come first. Says whether there was one.
pub fn hide(bytes: &mut [u8], paths: &[Vec<u8>]) -> bool {
    let mut found = false;
    for path in paths {
        let mut from = 0;
        while let Some(at) = find(&bytes[from..], path) {
            let start = from + at;
            from = start + path.len();
            if is_whole(bytes, from) {
                bytes[start..from].copy_from_slice(&nowhere(path.len()));
                found = true;
            }
        }
    }
    found
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|&byte| byte == first) {
        if text[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// Whether the path does not go on in the middle of a name.
fn is_whole(bytes: &[u8], end: usize) -> bool {
    bytes
        .get(end)
        .is_none_or(|byte| !(byte.is_ascii_alphanumeric() || b"_-.".contains(byte)))
}
