//! What keeps the source readable, in all crates: a function has at most eighty lines unless it is a table, and lib.rs and
//! mod.rs are tables of contents.

use std::path::{Path, PathBuf};

/// The folders of the crates.
const CRATES: &[&str] = &["cdef", "cli", "codegen", "compiler", "fuzz", "runtime"];

/// The most lines of a function.
const LINES: usize = 80;

/// The functions that are longer, because they are tables: file, function, what the table is of.
const TABLES: &[(&str, &str, &str)] = &[
    (
        "cdef/tests/cffi.rs",
        "texts_of_exceptions",
        "declarations, and CFFI's texts about them",
    ),
    (
        "cdef/tests/files.rs",
        "describe",
        "the kinds of declarations, and what a file of expectations says of each",
    ),
    (
        "cdef/tests/real_headers.rs",
        "vectors_have_their_size",
        "declarations of vectors, and their sizes",
    ),
    (
        "cli/tests/messages.rs",
        "names_that_the_init_code_binds_once_are_error_values",
        "names in init code, and the error values that they mean",
    ),
    (
        "cli/tests/modules.rs",
        "what_is_no_module",
        "files that are no modules, and what is said of them",
    ),
    (
        "codegen/tests/problems.rs",
        "error_values",
        "error values, and what is said of the wrong ones",
    ),
];

#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    let mut tables: Vec<_> = TABLES
        .iter()
        .map(|(file, name, _)| (*file, *name))
        .collect();
    for (file, text) in sources() {
        for (name, line, length) in functions(&text) {
            if length <= LINES {
                continue;
            }
            match tables.iter().position(|table| *table == (&*file, name)) {
                Some(index) => drop(tables.remove(index)),
                None => wrong.push(format!("{file}:{line}: {name} has {length} lines")),
            }
        }
    }
    for (file, name) in tables {
        wrong.push(format!(
            "{file}: {name} is no long function any more: take it from TABLES"
        ));
    }
    assert!(
        wrong.is_empty(),
        "functions of more than {LINES} lines (cut them; a table may be longer: TABLES in runtime/tests/house.rs):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn lib_and_mod_are_tables_of_contents() {
    let wrong: Vec<String> = sources()
        .iter()
        .filter(|(file, _)| {
            file.contains("/src/") && (file.ends_with("/lib.rs") || file.ends_with("/mod.rs"))
        })
        .flat_map(|(file, text)| {
            let code = text.lines().enumerate().filter(|(_, line)| is_code(line));
            code.map(move |(index, line)| format!("{file}:{}: {line}", index + 1))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "code in files that are tables of contents (`mod`, `use`; give it a file of its own):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn lengths_are_counted() {
    let text = "impl A {\n    fn short() {}\n    fn wide(\n        a: u8,\n    ) {\n        if a {\n        }\n    }\n    fn declared();\n}\n";
    let found: Vec<_> = functions(text).collect();
    assert_eq!(found, [("short", 2, 1), ("wide", 3, 6), ("declared", 9, 1)]);
    assert!(is_code("pub(super) unsafe fn f() {") && is_code("struct A;"));
    assert!(!is_code("pub mod a;") && !is_code("    fn in_a_macro()"));
}

/// The functions of a file: name, line and number of lines. As rustfmt writes them, one ends at the first line with
/// nothing but a brace that stands as far left as its beginning.
fn functions(text: &str) -> impl Iterator<Item = (&str, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let starts: Vec<_> = lines
        .iter()
        .enumerate()
        .filter_map(|(index, line)| Some((index, name_of_function(line)?)))
        .collect();
    starts.into_iter().map(move |(start, name)| {
        let indent = lines[start].len() - lines[start].trim_start().len();
        let indent = &lines[start][..indent];
        let ends = |line: &&str| {
            let rest = line.strip_prefix(indent);
            rest.is_some_and(|rest| rest == "}" || rest.ends_with(';') && !rest.starts_with(' '))
        };
        let length = if lines[start].ends_with(['}', ';']) {
            1
        } else {
            1 + lines[start + 1..]
                .iter()
                .position(ends)
                .map_or(0, |end| end + 1)
        };
        (name, start + 1, length)
    })
}

/// The name of the function that begins in a line.
fn name_of_function(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let first = words.find(|word| !is_qualifier(word))?;
    if first != "fn" {
        return None;
    }
    words.next()?.split(['(', '<']).next()
}

/// A word in front of `fn` or of another item.
fn is_qualifier(word: &str) -> bool {
    ["pub", "const", "unsafe", "extern", "async"].contains(&word)
        || word.starts_with("pub(")
        || word.starts_with('"')
        || word.ends_with(')')
}

/// Whether an item other than a module, an import or an attribute begins in a line. What is further right (in the table
/// of a macro, say) belongs to one that began before.
fn is_code(line: &str) -> bool {
    let word = line.split(' ').find(|word| !is_qualifier(word));
    let items = [
        "fn",
        "struct",
        "enum",
        "union",
        "impl",
        "static",
        "trait",
        "type",
        "macro_rules!",
    ];
    let is_constant = line.starts_with("const ") || line.starts_with("pub const ");
    !line.starts_with(' ') && (is_constant || word.is_some_and(|word| items.contains(&word)))
}

/// The Rust files of all crates, from the repository on, with their texts.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository");
    let mut found = Vec::new();
    for part in CRATES {
        walk(&root.join(part), &mut found);
    }
    assert!(found.len() > 300, "{} files", found.len());
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root).expect("below the repository");
            let text = std::fs::read_to_string(&path).expect("a source file");
            (name.to_string_lossy().into_owned(), text)
        })
        .collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("target") {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
