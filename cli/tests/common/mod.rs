//! Runs the real `keelback` in an empty directory.
#![expect(dead_code, reason = "each test file uses a part of it")]
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A directory of its own for a test.
pub struct Project {
    dir: tempfile::TempDir,
}

/// How a program ended.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit status; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The executable of the Python that tests build for, which is the one that the runtime was built for.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let wanted = ["PYO3_PYTHON", "PYTHON"]
            .iter()
            .find_map(std::env::var_os)
            .unwrap_or("python3".into());
        // Ask for the real executable: the shim of a version manager takes longer than everything else.
        let output = Command::new(wanted)
            .args(["-c", "import sys; print(sys.executable, end='')"])
            .output()
            .expect("the tests need a Python");
        PathBuf::from(String::from_utf8(output.stdout).unwrap())
    })
}

/// The `keelback` under test, with its runtime built and beside it.
pub fn keelback_with_runtime() -> &'static Path {
    static BUILT: OnceLock<()> = OnceLock::new();
    let keelback = Path::new(env!("CARGO_BIN_EXE_keelback"));
    BUILT.get_or_init(|| {
        let profile = keelback.parent().and_then(Path::file_name).unwrap();
        let profile = if profile == "debug" {
            "dev".as_ref()
        } else {
            profile
        };
        let status = Command::new(env!("CARGO"))
            // Both packages, as `cargo test --workspace` has them: of the runtime alone the dependencies have other features,
            // and are all compiled once more.
            .args([
                "build",
                "--quiet",
                "-p",
                "keelback-runtime",
                "-p",
                "keelback",
            ])
            .arg("--profile")
            .arg(profile)
            .current_dir(root())
            .env("PYO3_PYTHON", python())
            .status()
            .unwrap();
        assert!(status.success(), "the runtime does not build");
    });
    keelback
}

/// The project's own directory.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

impl Project {
    /// An empty project.
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A project with `api.h` and `plugin.py`.
    pub fn with(api: &str, init: &str) -> Self {
        let project = Self::new();
        project.file("api.h", api);
        project.file("plugin.py", init);
        project
    }

    /// A project without mistakes: `int add(int, int)`.
    pub fn good() -> Self {
        Self::with(
            "int add(int a, int b);\n",
            "from adder import ffi\n\n@ffi.def_extern()\ndef add(a, b):\n    return a + b\n",
        )
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Writes an executable script.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.file(name, text);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    /// A file's text.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Names in the directory, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A `keelback` command without arguments, and without variables of the tester's environment that influence it.
    pub fn keelback(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keelback"));
        command.current_dir(self.path()).stdin(Stdio::null());
        for variable in [
            "CC",
            "CFLAGS",
            "LDFLAGS",
            "CPATH",
            "VIRTUAL_ENV",
            "KEELBACK_RUNTIME",
            "NO_COLOR",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// `keelback ARGUMENTS`
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        outcome(self.keelback().args(arguments))
    }

    /// `keelback build api.h --init plugin.py --name adder ARGUMENTS`, without looking for a runtime.
    pub fn build(&self, arguments: &[&str]) -> Outcome {
        outcome(&mut self.build_command(arguments))
    }

    /// The command of [`Self::build`].
    pub fn build_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.checked_build_command(arguments);
        command.arg("--no-runtime-check");
        command
    }

    /// The same command, but the build looks for the runtime.
    pub fn checked_build_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.keelback();
        command.args(["build", "api.h", "--init", "plugin.py", "--name", "adder"]);
        if !arguments.contains(&"--python") {
            command.arg("--python").arg(python());
        }
        command.args(arguments);
        command
    }
}

/// Runs a command to its end.
pub fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Outcome {
    /// Fails the test unless it ended like this.
    #[track_caller]
    pub fn expect(&self, code: i32, stderr: &str) {
        assert_eq!(
            (self.code, self.stderr.trim_end()),
            (code, stderr.trim_end()),
            "standard error was:\n{}",
            self.stderr
        );
    }

    /// Fails the test unless all went well and nothing was said.
    #[track_caller]
    pub fn expect_success(&self) {
        assert_eq!(
            (self.code, self.stderr.as_str()),
            (0, ""),
            "{}",
            self.stderr
        );
    }
}
