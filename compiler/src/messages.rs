//! Adapts the C compiler's messages to the user's files. `#line` directives give them the lines of the declarations,
//! but the columns are those of the generated code, which the command line has removed by the time the user reads the
//! message.
use std::path::Path;

/// The compiler's text without `directory`, the temporary one of the generated file, and with carets under the words of
/// the declarations that a message is about. `cdefs` are the names and texts of the files; messages about their empty
/// lines are not changed.
pub fn for_users(said: &str, directory: Option<&Path>, cdefs: &[(String, String)]) -> String {
    let said = match directory {
        Some(directory) => said.replace(&format!("{}/", directory.display()), ""),
        None => said.to_owned(),
    };
    let mut out = String::new();
    let mut lines = said.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((file, number, source, message)) = about_cdef(line, cdefs) else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        // Skip the source line that the compiler shows: it is one of the generated code, or has its caret at a wrong
        // column.
        while lines.next_if(|next| !begins_message(next)).is_some() {}
        out.push_str(&told(file, number, source, message));
    }
    out
}

/// A message with the line that it is about.
fn told(file: &str, number: usize, source: &str, message: &str) -> String {
    match spoken_of(source, message) {
        Some((at, length)) => {
            let before: String = source[..at]
                .chars()
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            let column = before.chars().count() + 1;
            let rest = "~".repeat(length.saturating_sub(1));
            format!(
                "{file}:{number}:{column}: {message}\n{number:5} | {source}\n      | {before}^{rest}\n"
            )
        }
        None => format!("{file}:{number}: {message}\n{number:5} | {source}\n"),
    }
}

/// `FILE:LINE:COLUMN: MESSAGE` of one of the files: its name, the line's number and text, the message.
fn about_cdef<'a>(
    line: &'a str,
    cdefs: &'a [(String, String)],
) -> Option<(&'a str, usize, &'a str, &'a str)> {
    cdefs.iter().find_map(|(file, text)| {
        let rest = line.strip_prefix(file.as_str())?.strip_prefix(':')?;
        let (number, rest) = rest.split_once(':')?;
        let (column, message) = rest.split_once(": ")?;
        column.parse::<usize>().ok()?;
        let number: usize = number.parse().ok()?;
        let source = text.lines().nth(number.checked_sub(1)?)?;
        if source.is_empty() {
            return None;
        }
        Some((file.as_str(), number, source, message))
    })
}

/// Whether a line begins a message, and does not belong to the one before it.
fn begins_message(line: &str) -> bool {
    let has_place = |line: &str| {
        ["error: ", "warning: ", "note: "].iter().any(|kind| {
            line.find(kind).is_some_and(|at| {
                line[..at]
                    .trim_end()
                    .rsplit(':')
                    .nth(1)
                    .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
            })
        })
    };
    let is_summary = line.split_once(' ').is_some_and(|(count, rest)| {
        count.parse::<usize>().is_ok() && (rest.starts_with("error") || rest.starts_with("warning"))
    });
    let is_of_tool = ["cc1", "clang", "collect2", "In file included from ", "/"];
    line.contains(": In function ")
        || line.ends_with(": At top level:")
        || is_summary
        || is_of_tool.iter().any(|start| line.starts_with(start))
        || has_place(line)
}

/// The position in a line of the first quoted text of the message, or of the last word of it, and the length in
/// characters.
fn spoken_of(source: &str, message: &str) -> Option<(usize, usize)> {
    let quoted: Vec<&str> = message
        .split(['\'', '\u{2018}', '\u{2019}'])
        .skip(1)
        .step_by(2)
        // A quoted `;` is missing, or belongs to the generated code.
        .filter(|text| text.contains(is_of_word))
        .collect();
    let words = quoted.iter().filter_map(|text| {
        text.split(|c: char| !is_of_word(c))
            .rfind(|word| !word.is_empty())
    });
    quoted
        .iter()
        .copied()
        .chain(words)
        .find_map(|wanted| Some((whole(source, wanted)?, wanted.chars().count())))
}

/// The position of a text in a line as a whole word.
fn whole(source: &str, wanted: &str) -> Option<usize> {
    if wanted.is_empty() {
        return None;
    }
    source.match_indices(wanted).map(|(at, _)| at).find(|&at| {
        let before = source[..at].chars().next_back();
        let after = source[at + wanted.len()..].chars().next();
        let runs_on = before.is_some_and(is_of_word) && wanted.starts_with(is_of_word)
            || after.is_some_and(is_of_word) && wanted.ends_with(is_of_word);
        !runs_on
    })
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(said: &str) -> String {
        let cdef = "/* a */\nint\tgg(struct foo *, int n);\nint  f;\n";
        for_users(
            said,
            Some(Path::new("/tmp/keelback-1")),
            &[("x.cdef".into(), cdef.into())],
        )
    }

    #[test]
    fn a_caret_stands_under_the_name() {
        let right = "x.cdef:2:5: error: implicit declaration of function 'gg' [-Werror]\n    2 | int\tgg(struct foo *, int n);\n      |    \t^~\n";
        let gcc = "x.cdef: In function 'keelback_direct_0':\nx.cdef:2:72: error: implicit declaration of function 'gg' [-Werror]\n    2 | int\tgg(struct foo *, int n);\n      |             ^\n      |             |\n";
        let place = "x.cdef: In function 'keelback_direct_0':\n";
        assert_eq!(shown(gcc), format!("{place}{right}"));
        let clang = "x.cdef:2:72: error: implicit declaration of function 'gg' [-Werror]\nstatic int keelback_direct_0(struct foo *a) { return gg(a); }\n          ^\n1 error generated.\n";
        assert_eq!(shown(clang), format!("{right}1 error generated.\n"));
    }

    #[test]
    fn without_a_name_there_is_no_caret() {
        assert_eq!(
            shown("x.cdef:3:40: error: expected ';'\n    3 | int  f;\n      |        ^\n"),
            "x.cdef:3: error: expected ';'\n    3 | int  f;\n"
        );
        assert_eq!(
            shown("x.cdef:3:40: error: \u{2018}nosuch\u{2019} undeclared\n"),
            "x.cdef:3: error: \u{2018}nosuch\u{2019} undeclared\n    3 | int  f;\n"
        );
    }

    #[test]
    fn other_files_stay_as_they_are_and_the_generated_one_has_a_short_name() {
        let own = "pre.c:1:5: error: 'x' undeclared\n    1 | int x\n      |     ^\n";
        assert_eq!(shown(own), own);
        assert_eq!(
            shown(
                "In file included from /tmp/keelback-1/p.c:3:\n/tmp/keelback-1/p.c:9:1: error: no\n"
            ),
            "In file included from p.c:3:\np.c:9:1: error: no\n"
        );
    }
}
