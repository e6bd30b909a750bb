//! Hides paths of the build machine in a file.
/// The replacement for a path: one that does not exist, padded with slashes to the same length (several slashes count
/// as one).
fn nowhere(length: usize) -> Vec<u8> {
    let mut text = b"/nowhere".to_vec();
    text.resize(length, b'/');
    text
}

/// Replaces each of the paths, also as the beginning of a longer path, by one of the same length that does not exist.
/// `paths` has the longest first. Returns whether there was any.
pub fn hide(bytes: &mut [u8], paths: &[Vec<u8>]) -> bool {
    let mut found = false;
    let mut at = 0;
    // One pass through the file is enough, as all paths begin with a slash.
    while let Some(slash) = bytes[at..].iter().position(|&byte| byte == b'/') {
        at += slash;
        let there = paths
            .iter()
            .find(|path| bytes[at..].starts_with(path) && is_whole(bytes, at + path.len()));
        if let Some(path) = there {
            let end = at + path.len();
            let hidden = hidden_part(path, bytes.get(end));
            bytes[at..at + hidden].copy_from_slice(&nowhere(hidden));
            if hidden < path.len() {
                bytes[at + hidden - 1] = b'/';
            }
            found = true;
        }
        at += there.map_or(1, Vec::len);
    }
    found
}

/// How many bytes of a path are replaced. Linkers let strings share their tails: the end of `/opt/pythons/3.11.7` may
/// be the version string `3.11.7` too. So where the string ends with the path, its last name is kept.
fn hidden_part(path: &[u8], next: Option<&u8>) -> usize {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) if slash > 0 && next == Some(&0) => slash + 1,
        _ => path.len(),
    }
}

/// Whether a path ends at `end`, instead of continuing with more characters of a name.
fn is_whole(bytes: &[u8], end: usize) -> bool {
    bytes
        .get(end)
        .is_none_or(|byte| !(byte.is_ascii_alphanumeric() || b"_-.".contains(byte)))
}
