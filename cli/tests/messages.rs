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
