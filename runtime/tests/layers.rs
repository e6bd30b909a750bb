//! The layers of the runtime's crates: no import runs from a lower floor of keelback-ffi to a higher one (that none runs
//! from there to keelback-embed is the compiler's to see), and files of either crate import each other in a circle only
//! where docs/architecture.md says why.
//!
//! A floor is a folder of runtime/ffi/src, or a file beside the folders. The test reads the `crate::`, `super::` and
//! `self::` paths of every file, in `use` lines and elsewhere, and follows re-exports to the file that has the name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The floors, from the bottom. A floor may use those before it.
const FLOORS: &[&str] = &[
    "py",
    "reserve",
    "errors",
    "package",
    "attach",
    "scope",
    "ctype",
    "object",
    "convert",
    "call",
    "callback",
    "cdata",
    "library",
    "ffi",
    "micropython",
    "module",
];

/// The crates, and what stands before the names of their files in docs/architecture.md.
const FFI: Crate = Crate {
    source: "runtime/ffi/src",
    shown_below: "",
};
const EMBED: Crate = Crate {
    source: "runtime/embed/src",
    shown_below: "embed/",
};

/// The most files that may import each other in a circle.
const CIRCLE: usize = 5;

#[test]
fn no_import_runs_upward() {
    let house = House::read(FFI);
    let mut upward = BTreeMap::<(String, String), BTreeSet<String>>::new();
    for arrow in house.arrows() {
        let (from, to) = (floor(&arrow.from), floor(&arrow.to));
        if height(from) < height(to) {
            upward
                .entry((FFI.file_of(&arrow.from), to.to_owned()))
                .or_default()
                .insert(arrow.name);
        }
    }
    let lines: Vec<String> = upward
        .iter()
        .map(|((file, to), names)| {
            format!(
                "{file} -> {to}: {}",
                names.iter().cloned().collect::<Vec<_>>().join(", ")
            )
        })
        .collect();
    assert!(
        lines.is_empty(),
        "these imports run from a lower floor to a higher one (the floors: FLOORS in runtime/tests/layers.rs):\n{}",
        lines.join("\n")
    );
}

#[test]
fn circles_are_small_and_have_a_reason() {
    let reasons =
        std::fs::read_to_string(root().join("docs/architecture.md")).expect("docs/architecture.md");
    let mut wrong = Vec::new();
    let circles = [FFI, EMBED].map(|of| {
        let circles = House::read(of).circles();
        circles.into_iter().map(move |circle| (of, circle))
    });
    for (of, circle) in circles.into_iter().flatten() {
        let files: Vec<String> = circle.iter().map(|module| of.file_of(module)).collect();
        let line = files
            .iter()
            .map(|file| format!("`{file}`"))
            .collect::<Vec<_>>()
            .join(", ");
        if circle.len() > CIRCLE {
            wrong.push(format!(
                "{} files, more than {CIRCLE}: {line}",
                circle.len()
            ));
        } else if !reasons.contains(&format!("| {line} |")) {
            wrong.push(format!(
                "no row with a reason in docs/architecture.md: | {line} | ... |"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "files of the runtime that import each other in a circle:\n{}",
        wrong.join("\n")
    );
}

/// A module's path below the crate, as `ctype::intern`. The crate itself is the empty path.
type Module = Vec<String>;

/// One file uses a name of another.
struct Arrow {
    from: Module,
    to: Module,
    name: String,
}

/// What one file says about others.
#[derive(Default)]
struct Contents {
    /// Names that `use` brings in, with the whole path of each. A `use` of other files may go on through them.
    names: BTreeMap<String, Module>,
    /// Every path, as it is written.
    paths: Vec<Vec<String>>,
}

/// One crate of the runtime.
#[derive(Clone, Copy)]
struct Crate {
    /// Its source, from the repository on.
    source: &'static str,
    /// What messages and docs/architecture.md put before a file's name.
    shown_below: &'static str,
}

impl Crate {
    fn root(self) -> PathBuf {
        root().join(self.source)
    }

    /// A module's file, as messages name it.
    fn file_of(self, module: &[String]) -> String {
        let path = module.join("/");
        let file = format!("{path}.rs");
        let file = if self.root().join(&file).exists() {
            file
        } else {
            format!("{path}/mod.rs")
        };
        format!("{}{file}", self.shown_below)
    }

    /// Whether a module has a file or folder of that name below it.
    fn is_child(self, module: &[String], name: &str) -> bool {
        let folder = self.root().join(module.join("/"));
        folder.join(format!("{name}.rs")).exists() || folder.join(name).is_dir()
    }
}

struct House {
    files: BTreeMap<Module, Contents>,
    tables: BTreeSet<Module>,
}

impl House {
    fn read(of: Crate) -> Self {
        let source = of.root();
        let mut found = Vec::new();
        walk(&source, &mut found);
        let mut files = BTreeMap::new();
        let mut tables = BTreeSet::new();
        for path in found {
            let module = module_of(path.strip_prefix(&source).expect("below the source"));
            let text = std::fs::read_to_string(&path).expect("a source file");
            if module.is_empty() || path.ends_with("mod.rs") {
                tables.insert(module.clone());
            }
            files.insert(module.clone(), contents(&tokens(&text), &module, of));
        }
        Self { files, tables }
    }

    /// Which files use which. The crate's and the folders' tables of contents use nothing themselves.
    fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (module, contents) in &self.files {
            for path in &contents.paths {
                let Some(whole) = self.whole(path, module, contents) else {
                    continue;
                };
                let to = self.resolve(&whole, 0);
                if !to.is_empty()
                    && to != *module
                    && !(self.tables.contains(module) && to.starts_with(module))
                {
                    arrows.push(Arrow {
                        from: module.clone(),
                        to,
                        name: whole.join("::"),
                    });
                }
            }
        }
        arrows
    }

    /// A written path from the crate on, if it leads into the crate.
    fn whole(&self, path: &[String], module: &Module, contents: &Contents) -> Option<Module> {
        if let Some(whole) = absolute(path, module) {
            return Some(whole);
        }
        let start = match contents.names.get(&path[0]) {
            Some(start) => start.clone(),
            None => {
                let child: Module = module.iter().chain([&path[0]]).cloned().collect();
                self.files.contains_key(&child).then_some(child)?
            }
        };
        (path.len() > 1 && self.files.contains_key(&start))
            .then(|| start.into_iter().chain(path[1..].to_vec()).collect())
    }

    /// The module whose file has what a path names.
    fn resolve(&self, path: &[String], depth: usize) -> Module {
        let mut length = path.len();
        while !self.files.contains_key(&path[..length]) {
            length -= 1;
        }
        let module = path[..length].to_vec();
        if depth < 8
            && let Some(name) = path.get(length)
            && let Some(target) = self.files[&module].names.get(name)
        {
            let further: Module = target.iter().chain(&path[length + 1..]).cloned().collect();
            return self.resolve(&further, depth + 1);
        }
        module
    }

    /// The sets of files of which each leads to each other.
    fn circles(&self) -> Vec<Vec<Module>> {
        let mut next = BTreeMap::<Module, BTreeSet<Module>>::new();
        for arrow in self.arrows() {
            next.entry(arrow.from).or_default().insert(arrow.to);
        }
        let reached: BTreeMap<&Module, BTreeSet<&Module>> = self
            .files
            .keys()
            .map(|start| (start, reached(start, &next)))
            .collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for start in self.files.keys() {
            if seen.contains(start) || !reached[start].contains(start) {
                continue;
            }
            let circle: Vec<Module> = reached[start]
                .iter()
                .filter(|other| reached[*other].contains(start))
                .map(|m| (*m).clone())
                .collect();
            seen.extend(circle.iter().cloned());
            circles.push(circle);
        }
        circles
    }
}

/// The modules that arrows lead to from `start`, in any number of steps but none.
fn reached<'a>(
    start: &Module,
    next: &'a BTreeMap<Module, BTreeSet<Module>>,
) -> BTreeSet<&'a Module> {
    let mut all = BTreeSet::new();
    let mut waiting: Vec<&Module> = next.get(start).into_iter().flatten().collect();
    while let Some(module) = waiting.pop() {
        if all.insert(module) {
            waiting.extend(next.get(module).into_iter().flatten());
        }
    }
    all
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository")
        .to_owned()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn module_of(path: &Path) -> Module {
    let mut parts: Module = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if parts
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        parts.pop();
    }
    parts
}

fn floor(module: &[String]) -> &str {
    module.first().map_or("", String::as_str)
}

fn height(floor: &str) -> usize {
    FLOORS
        .iter()
        .position(|name| *name == floor)
        .unwrap_or_else(|| panic!("{floor} has no place in FLOORS (runtime/tests/layers.rs)"))
}

/// A path that starts with `crate`, `self` or `super`, from the crate on.
fn absolute(path: &[String], module: &[String]) -> Option<Module> {
    let mut whole: Module = match path[0].as_str() {
        "crate" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module[..module.len().checked_sub(1)?].to_vec(),
        _ => return None,
    };
    for part in &path[1..] {
        match part.as_str() {
            "super" => {
                whole.pop()?;
            }
            "self" => {}
            _ => whole.push(part.clone()),
        }
    }
    Some(whole)
}

fn contents(tokens: &[String], module: &[String], of: Crate) -> Contents {
    let mut contents = Contents::default();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            at = import(tokens, at + 1, &[], (of, module), &mut contents);
        } else if is_name(&tokens[at]) && (at == 0 || tokens[at - 1] != "::") {
            let mut path = vec![tokens[at].clone()];
            at += 1;
            while tokens.get(at).is_some_and(|token| token == "::")
                && tokens.get(at + 1).is_some_and(|t| is_name(t))
            {
                path.push(tokens[at + 1].clone());
                at += 2;
            }
            if path.len() > 1 {
                contents.paths.push(path);
            }
        } else {
            at += 1;
        }
    }
    contents
}

/// One tree of a `use`, from `at` on. Returns the place behind it.
fn import(
    tokens: &[String],
    mut at: usize,
    before: &[String],
    (of, module): (Crate, &[String]),
    contents: &mut Contents,
) -> usize {
    let mut path = before.to_vec();
    while at < tokens.len() {
        match tokens[at].as_str() {
            "{" => {
                at += 1;
                while tokens[at] != "}" {
                    at = import(tokens, at, &path, (of, module), contents);
                    at += usize::from(tokens[at] == ",");
                }
                return at + 1;
            }
            "::" => at += 1,
            "*" => {
                contents.paths.push(path);
                return at + 1;
            }
            name if is_name(name) => {
                path.push(name.to_owned());
                at += 1;
                if tokens[at] == "::" {
                    continue;
                }
                let mut known_as = path[path.len() - 1].clone();
                if known_as == "self" {
                    path.pop();
                    known_as = path[path.len() - 1].clone();
                }
                if tokens[at] == "as" {
                    known_as.clone_from(&tokens[at + 1]);
                    at += 2;
                }
                let child = || Some(module.iter().chain(&path).cloned().collect());
                let in_folder = || {
                    (path.len() > 1 && of.is_child(module, &path[0]))
                        .then(child)
                        .flatten()
                };
                if let Some(whole) = absolute(&path, module).or_else(in_folder) {
                    contents.names.insert(known_as, whole);
                    contents.paths.push(path);
                }
                return at;
            }
            _ => return at + 1,
        }
    }
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single characters. What comments and strings say is left out.
fn tokens(text: &str) -> Vec<String> {
    let bytes: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match rest {
            ['/', '/', ..] => at += rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => {
                at += rest
                    .windows(2)
                    .position(|pair| pair == ['*', '/'])
                    .map_or(rest.len(), |end| end + 2);
            }
            ['r', '#', '"', ..] => {
                at += 3 + rest[3..]
                    .windows(2)
                    .position(|pair| pair == ['"', '#'])
                    .map_or(rest.len(), |end| end + 2);
            }
            ['"', ..] => at += string(rest),
            ['\'', '\\', _, '\'', ..] => at += 4,
            ['\'', _, '\'', ..] => at += 3,
            [':', ':', ..] => {
                tokens.push("::".to_owned());
                at += 2;
            }
            [c, ..] if c.is_alphanumeric() || *c == '_' => {
                let end = rest
                    .iter()
                    .position(|c| !c.is_alphanumeric() && *c != '_')
                    .unwrap_or(rest.len());
                tokens.push(rest[..end].iter().collect());
                at += end;
            }
            [c, ..] => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                at += 1;
            }
            [] => {}
        }
    }
    tokens
}

/// The length of a string literal.
fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}
