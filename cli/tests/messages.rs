//! The forms of messages: JSON, colours, quiet and verbose; help, completions, manual pages.
mod common;
use common::{Outcome, Project, outcome, python};

fn broken() -> Project {
    Project::with(
        "int add(int a, int b);\n",
        "from adder import ffi\n\ndef f(:\n",
    )
}

fn json(outcome: &Outcome) -> Vec<serde_json::Value> {
    outcome
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

#[test]
fn json_is_one_object_per_line() {
    let outcome = broken().build(&["--message-format", "json"]);
    assert_eq!(outcome.code, 1);
    let messages = json(&outcome);
    assert_eq!(
        messages,
        [serde_json::json!({
            "level": "error",
            "message": "the init code cannot run: SyntaxError: invalid syntax",
            "file": "plugin.py",
            "line": 3,
            "column": 7,
            "hint": null,
            "code": "init-syntax",
            "rendered": "error: the init code cannot run: SyntaxError: invalid syntax\n --> plugin.py:3:7\n  |\n3 | def f(:\n  |       ^",
        })]
    );
}

#[test]
fn json_of_declarations() {
    let project = Project::with("int add(int a, nosuch b);\n", "");
    let outcome = project.build(&["--message-format=json"]);
    assert_eq!(outcome.code, 1);
    let messages = json(&outcome);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0]["code"], "cdef");
    assert_eq!(messages[0]["file"], "api.h");
    assert_eq!(messages[0]["line"], 1);
    assert_eq!(messages[0]["column"], 16);
}

#[test]
fn json_of_the_command_line() {
    let outcome = Project::new().run(&["--message-format", "json", "build"]);
    assert_eq!(outcome.code, 2);
    let messages = json(&outcome);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["code"], "usage");
    assert_eq!(messages[0]["level"], "error");
}

#[test]
fn colours_only_when_asked() {
    let escape = '\u{1b}';
    assert!(!broken().build(&[]).stderr.contains(escape));
    assert!(!broken().build(&["--color", "auto"]).stderr.contains(escape));
    assert!(
        !broken()
            .build(&["--color", "never"])
            .stderr
            .contains(escape)
    );
    assert!(
        broken()
            .build(&["--color", "always"])
            .stderr
            .contains(escape)
    );
    let json = broken().build(&["--color", "always", "--message-format", "json"]);
    assert!(!json.stderr.contains(escape) && !json.stderr.contains("\\u001b"));
}

/// Runs the build on a terminal (made by util-linux's `script`); `None` where there is no such program.
fn on_terminal(project: &Project, arguments: &str, no_color: &str) -> Option<Outcome> {
    std::process::Command::new("script")
        .arg("--version")
        .output()
        .ok()?;
    let command = format!(
        "'{}' build api.h --init plugin.py --name adder --no-runtime-check --python '{}' {arguments}",
        env!("CARGO_BIN_EXE_keelback"),
        python().display()
    );
    Some(outcome(
        std::process::Command::new("script")
            .args(["-q", "-e", "-c", &command, "/dev/null"])
            .current_dir(project.path())
            .env("TERM", "xterm-256color")
            .env("NO_COLOR", no_color),
    ))
}

#[test]
fn colours_on_a_terminal() {
    let project = broken();
    let Some(plain) = on_terminal(&project, "", "1") else {
        return;
    };
    assert_eq!(plain.code, 1);
    assert!(!plain.stdout.contains('\u{1b}'), "{}", plain.stdout);
    let coloured = on_terminal(&project, "", "").unwrap();
    assert!(coloured.stdout.contains('\u{1b}'), "{}", coloured.stdout);
}

#[test]
fn progress_is_shown_when_it_takes_long() {
    let project = Project::good();
    project.script(
        "slow-cc",
        "#!/bin/sh\ncase \"$*\" in *-shared*) sleep 1.3;; esac\nexec cc \"$@\"\n",
    );
    let Some(slow) = on_terminal(&project, "--cc ./slow-cc", "1") else {
        return;
    };
    assert_eq!(slow.stdout, "compiling...\r\u{1b}[K");
    assert_eq!(on_terminal(&project, "", "1").unwrap().stdout, "");
    assert_eq!(
        on_terminal(&project, "-q --cc ./slow-cc", "1")
            .unwrap()
            .stdout,
        ""
    );
    project.build(&["--cc", "./slow-cc"]).expect_success();
}

#[test]
fn quiet_says_errors_only() {
    let project = Project::with("int add(int a, int b);\n", "from adder import ffi\n");
    assert!(project.build(&[]).stderr.starts_with("warning: "));
    project.build(&["-q"]).expect_success();
    let outcome = broken().build(&["-q"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.stderr.starts_with("error: "));
}

#[test]
fn verbose_shows_what_is_run() {
    let outcome = Project::good().build(&["-v", "-DX=a b"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("python: "), "{}", outcome.stderr);
    let command = outcome
        .stderr
        .lines()
        .find(|line| line.starts_with("compiler: ") && line.contains("'-DX=a b'"));
    assert!(command.is_some(), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(" ms"), "{}", outcome.stderr);
}

#[test]
fn version_names_the_abi() {
    let outcome = Project::new().run(&["--version"]);
    assert_eq!(
        outcome.stdout,
        format!(
            "keelback {} (plugin ABI {})\n",
            env!("CARGO_PKG_VERSION"),
            keelback_codegen::abi::KEELBACK_ABI_VERSION
        )
    );
}

#[test]
fn help_has_the_exit_statuses() {
    let outcome = Project::new().run(&["--help"]);
    assert_eq!(outcome.code, 0);
    for status in 0..=5 {
        assert!(
            outcome.stdout.contains(&format!("\n  {status}  ")),
            "{}",
            outcome.stdout
        );
    }
}

#[test]
fn completions_and_manual_pages() {
    let project = Project::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = project.run(&["completions", shell]);
        assert_eq!(outcome.code, 0);
        assert!(outcome.stdout.contains("message-format"), "{shell}");
    }
    let page = project.run(&["man"]);
    assert!(page.stdout.contains(".TH keelback 1"), "{}", page.stdout);
    project.run(&["man", "."]).expect_success();
    assert!(project.names().contains(&"keelback-build.1".to_owned()));
    project.run(&["man", "nosuch"]).expect(
        5,
        "error: cannot write manual pages into nosuch: No such file or directory",
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let project = Project::new();
    let outcome = outcome(
        std::process::Command::new("sh")
            .args(["-c", r#""$0" completions bash | head -c 1"#])
            .arg(env!("CARGO_BIN_EXE_keelback"))
            .current_dir(project.path()),
    );
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
}

#[test]
fn a_thousand_missing_functions_are_ten_warnings_and_a_count() {
    let api: String = (0..1000).map(|n| format!("int f{n}(void);\n")).collect();
    let project = Project::with(&api, "from adder import ffi\n");
    let built = project.build(&["--emit", "c"]);
    assert_eq!(built.code, 0);
    let warnings: Vec<&str> = built
        .stderr
        .lines()
        .filter(|line| line.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 11);
    assert_eq!(warnings[9], "warning: the init code never defines 'f9'");
    assert_eq!(
        warnings[10],
        "warning: the init code never defines 990 more of the 1000 functions"
    );
}

#[test]
fn error_values_of_the_init_code_are_the_start_s() {
    let project = Project::with(
        "#define FAILED 4\nenum verdict { GRANTED, DENIED };\n\
         int a(void); int b(void); enum verdict c(void); double d(void); void *e(void); int f(void); int g(void); void h(void); int i(void);\n",
        "import adder\nfrom adder import ffi, lib as l\n\
         @ffi.def_extern(error=-5)\ndef a(): pass\n\
         @ffi.def_extern('b', l.FAILED)\ndef other(): pass\n\
         @ffi.def_extern(error=adder.lib.DENIED)\ndef c(): pass\n\
         @ffi.def_extern(error=1.5)\ndef d(): pass\n\
         @ffi.def_extern(error=ffi.NULL)\ndef e(): pass\n\
         @ffi.def_extern(error=int('7'))\ndef f(): pass\n\
         @ffi.def_extern(error=None)\ndef g(): pass\n\
         @ffi.def_extern()\ndef h(): pass\n\
         @ffi.def_extern(error=3)\ndef i(): pass\n",
    );
    let built = project.build(&["--emit", "c", "--error", "i=9"]);
    assert_eq!(
        (built.code, built.stderr.as_str()),
        (
            0,
            "warning: the error value of 'f' (plugin.py, line 13) is none that the build can read: when Python cannot be started, 'f' returns zero\n\
             help: if zero means success, give the value: --error f=VALUE, keelback.toml, or embedding_init_code(..., errors={'f': VALUE})\n"
        )
    );
    let source = project.read("adder.c");
    let values: Vec<&str> = source
        .lines()
        .filter(|line| line.starts_with("static const") && line.contains("keelback_error_"))
        .filter_map(|line| Some(line.split_once(" = ")?.1))
        .collect();
    assert_eq!(
        values,
        [
            "(int)(-5);",
            "(int)(FAILED);",
            "(enum verdict)(DENIED);",
            "(double)(1.5);",
            "(void *)(0);",
            "(int)(9);"
        ]
    );
}

#[test]
fn names_that_the_init_code_binds_once_are_error_values() {
    // The name of each C function, and the error value in the init code.
    let functions = [
        ("negative", "FAILED"),
        ("again", "OTHER"),
        ("typed", "TYPED"),
        ("made", "-FAILED | FIVE"),
        ("twice", "~-2"),
        ("fixed", "lib.FIXED"),
        ("in_loop", "LOOP"),
        ("global_one", "GLOBAL"),
        ("augmented", "AUGMENTED"),
        ("conditional", "CONDITIONAL"),
        ("local", "LOCAL"),
        ("captured", "CAPTURED"),
        ("computed", "COMPUTED"),
    ];
    let api: String = functions
        .iter()
        .map(|(name, _)| format!("int {name}(void);\n"))
        .collect();
    let mut init = String::from(
        "from adder import ffi, lib\nfrom adder.lib import E5 as FIVE\n\
         FAILED = -1\nSAME = OTHER = FAILED\nTYPED: int = lib.FIXED - 1\n\
         LOOP = GLOBAL = AUGMENTED = LOCAL = CAPTURED = 3\nCOMPUTED = len('ab')\n\
         for LOOP in range(3): pass\n\
         def change():\n    global GLOBAL\n    GLOBAL = 4\n\
         AUGMENTED += 1\n\
         if ffi: CONDITIONAL = 1\n\
         def other(LOCAL): pass\n\
         match 3:\n    case CAPTURED: pass\n",
    );
    for (name, value) in functions {
        init += &format!("@ffi.def_extern(error={value})\ndef {name}(): pass\n");
    }
    let api = format!("static const int FIXED = -7;\nenum {{ E5 = 5 }};\n{api}");
    let project = Project::with(&api, &init);
    let built = project.build(&["--emit", "c"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let unread: Vec<&str> = built
        .stderr
        .lines()
        .filter_map(|line| {
            line.strip_prefix("warning: the error value of '")?
                .split('\'')
                .next()
        })
        .collect();
    assert_eq!(
        unread,
        [
            "in_loop",
            "global_one",
            "augmented",
            "conditional",
            "local",
            "captured",
            "computed"
        ]
    );
    let source = project.read("adder.c");
    let values: Vec<&str> = source
        .lines()
        .filter(|line| line.starts_with("static const") && line.contains("keelback_error_"))
        .filter_map(|line| Some(line.split_once(" = ")?.1))
        .collect();
    assert_eq!(
        values,
        [
            "(int)(-1);",
            "(int)(-1);",
            "(int)((FIXED - 1));",
            "(int)((-(-1) | E5));",
            "(int)(~(-2));",
            "(int)(FIXED);"
        ]
    );
    // `import *` may bind any name.
    let project = Project::with(&api, &format!("from os.path import *\n{init}"));
    let built = project.build(&["--emit", "c"]);
    assert!(
        built.stderr.contains("the error value of 'negative'"),
        "{}",
        built.stderr
    );
}

#[test]
fn a_fraction_is_no_error_value_of_an_integer() {
    let project = Project::good();
    let refused = project.build(&["--error", "add=1.5"]);
    assert_eq!(refused.code, 1);
    assert_eq!(
        refused.stderr.lines().next(),
        Some("error: the error value '1.5' of 'add' is no integer, as int is one")
    );
    for value in ["-1e3", "(2.)", "0x1p3"] {
        assert_eq!(
            project.build(&["--error", &format!("add={value}")]).code,
            1,
            "{value}"
        );
    }
    project
        .build(&["--emit", "c", "--error", "add=0xE"])
        .expect_success();
}

/// `[errors]` and `--error-type`: a value for all functions that return a type, and the place in the message about a
/// wrong one.
#[test]
fn error_values_of_types() {
    let project = Project::with(
        "typedef int status;\nstatus add(int a);\nstatus sub(int a);\nint mul(int a);\n",
        "import computed\n",
    );
    let values = |arguments: &[&str]| {
        project
            .build(&[&["--emit", "c", "--no-header", "-q"], arguments].concat())
            .expect_success();
        let source = project.read("adder.c");
        let lines = source
            .lines()
            .filter_map(|line| line.strip_prefix("static const "));
        let values = lines.filter(|line| line.contains(" keelback_error_"));
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    let both = [
        "int keelback_error_0 = (int)(-4);",
        "int keelback_error_1 = (int)(-4);",
    ];
    assert_eq!(values(&["--error-type", "status=-4"]), both);
    project.file("keelback.toml", "[errors]\nstatus = -4\n");
    assert_eq!(values(&[]), both);
    assert_eq!(
        values(&["--error-type", "status=-5", "--error", "sub=-6"]),
        [
            "int keelback_error_0 = (int)(-5);",
            "int keelback_error_1 = (int)(-6);"
        ]
    );
    project.file("keelback.toml", "[errors]\nstatus = -4\nlong = 1\n");
    project.build(&["-q"]).expect(
        1,
        "error: an error value is given for the type 'long', but no exported function returns it\n \
         --> keelback.toml:3:8\n  |\n3 | long = 1\n  |        ^\n  |\n\
         help: they return: status, int",
    );
    project.file("keelback.toml", "");
    let wrong = project.build(&["--error-type", "status"]);
    wrong.expect(
        2,
        "error: --error-type 'status' is not TYPE=VALUE\nhelp: for instance --error-type status_t=-1",
    );
}
