//! The cases: API declarations in `tests/cases/NAME.h` (`NAME.packed.h`: with `packed=True`), and beside them, where a
//! case has them, `NAME.extra.h` (a cdef that is not part of the API), `NAME.prelude.c`, and `NAME.py` (the init code).
#![allow(dead_code, reason = "each test program uses its own half")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use keelback_codegen::{
    CdefText, Plugin, PluginFlags, PluginSpec, RecordedPython, SourceText, StartError,
};

/// Where the cases are.
pub fn cases_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// The names of all cases.
pub fn case_names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(cases_dir())
        .expect("the cases are there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|file| {
            file.ends_with(".h") && !file.ends_with(".extra.h") && !file.contains(".expected.")
        })
        .filter_map(|file| Some(file.split('.').next()?.to_owned()))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

fn read(file: &str) -> Option<String> {
    fs::read_to_string(cases_dir().join(file)).ok()
}

/// The spec of a case.
pub fn spec(name: &str) -> PluginSpec {
    let plain = format!("{name}.h");
    let packed = format!("{name}.packed.h");
    let (file, text, is_packed) = match read(&plain) {
        Some(text) => (plain, text, false),
        None => {
            let text = read(&packed).expect("every case has an API");
            (packed, text, true)
        }
    };
    let mut cdefs = Vec::new();
    let extra = format!("{name}.extra.h");
    if let Some(text) = read(&extra) {
        cdefs.push(CdefText {
            file: extra,
            text,
            ..CdefText::default()
        });
    }
    cdefs.push(CdefText {
        file,
        text,
        embedding_api: name != "module",
        packed: is_packed,
        ..CdefText::default()
    });
    let source = |file: String| {
        read(&file).map(|text| SourceText {
            file,
            text,
            line: 1,
        })
    };
    let start_errors = match name {
        "greeter" => vec![StartError {
            function: "add1".into(),
            value: "-1".into(),
        }],
        "point" => vec![
            StartError {
                function: "middle".into(),
                value: "{-1.0, 0.5}".into(),
            },
            StartError {
                function: "near_by".into(),
                value: "1".into(),
            },
        ],
        _ => Vec::new(),
    };
    // An extension module in a package.
    let is_module = name == "module";
    PluginSpec {
        module_name: if is_module {
            "package.module".into()
        } else {
            name.into()
        },
        flags: PluginFlags {
            extension_module: is_module,
            ..PluginFlags::default()
        },
        cdefs,
        prelude: source(format!("{name}.prelude.c")),
        init: source(format!("{name}.py")),
        python: RecordedPython {
            version: (3, 11),
            ..RecordedPython::default()
        },
        start_errors,
        ..PluginSpec::default()
    }
}

/// The plugin of a spec; panics with the problems if there are any.
pub fn plugin(spec: PluginSpec) -> Plugin {
    match Plugin::new(spec) {
        Ok((plugin, _)) => plugin,
        Err(problems) => {
            let texts: Vec<String> = problems
                .iter()
                .map(|problem| problem.render(false))
                .collect();
            panic!("{}", texts.join("\n\n"));
        }
    }
}

/// A directory for this test program's files.
pub fn work_dir(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("target is writable");
    dir
}

/// Compares with an expected file, or writes it when `KEELBACK_BLESS` is set.
pub fn expect_file(file: &str, actual: &str) {
    let path = cases_dir().join(file);
    if env::var_os("KEELBACK_BLESS").is_some() {
        fs::write(&path, actual).expect("the source tree is writable");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected == actual {
        return;
    }
    let line = expected
        .lines()
        .zip(actual.lines())
        .take_while(|(one, other)| one == other)
        .count();
    panic!(
        "{file} differs from line {} on:\n  expected: {:?}\n  now:      {:?}\nSet KEELBACK_BLESS=1 to accept what is \
         made now, then look at the difference.",
        line + 1,
        expected.lines().nth(line),
        actual.lines().nth(line)
    );
}
