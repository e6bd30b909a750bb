//! docs/architecture.md says where things are: its table "Where is...?" names files and functions that exist.

use std::path::Path;

/// Rows of the table: what is asked for, the file, the function in it.
fn rows(text: &str) -> Vec<[&str; 3]> {
    let (_, table) = text.split_once("### Where is...?").expect("the section");
    let table = table
        .split_once("\n#")
        .map_or(table, |(section, _)| section);
    table
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| {
            let cells: Vec<&str> = line
                .trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().trim_matches('`'))
                .collect();
            cells
                .try_into()
                .unwrap_or_else(|_| panic!("three cells in each row: {line}"))
        })
        .collect()
}

/// Whether a text defines the function: in Rust or Python, or in C, where the name stands at a line that is no statement.
fn defines(text: &str, function: &str) -> bool {
    let named = [
        format!("fn {function}("),
        format!("fn {function}<"),
        format!("def {function}("),
    ];
    named.iter().any(|start| text.contains(start))
        || text.lines().any(|line| {
            line.starts_with("static ")
                && line.contains(&format!("{function}("))
                && !line.ends_with(';')
        })
}

#[test]
fn what_is_said_to_be_somewhere_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository");
    let text =
        std::fs::read_to_string(root.join("docs/architecture.md")).expect("docs/architecture.md");
    let rows = rows(&text);
    assert!(rows.len() >= 40, "{} rows", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(
            |[what, file, function]| match std::fs::read_to_string(root.join(file)) {
                Err(_) => Some(format!("{what}: there is no {file}")),
                Ok(text) if !defines(&text, function) => {
                    Some(format!("{what}: {file} has no function {function}"))
                }
                Ok(_) => None,
            },
        )
        .collect();
    assert!(
        wrong.is_empty(),
        "docs/architecture.md, \"Where is...?\":\n{}",
        wrong.join("\n")
    );
}
