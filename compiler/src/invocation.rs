//! One run of the compiler: its command line, and how it ended.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A run of the compiler, ready to start.
pub struct Invocation(Command);

/// How a run ended.
pub struct Outcome {
    /// Exit status 0.
    pub is_success: bool,
    /// `exit status: 1`
    pub status: String,
    /// What it printed.
    pub said: String,
    /// How long it took.
    pub elapsed: Duration,
}

impl Invocation {
    pub(crate) fn of(command: Command) -> Self {
        Self(command)
    }

    /// The command as it can be pasted into a shell.
    pub fn line(&self) -> String {
        command_line(&self.0)
    }

    /// Runs it and waits for its end. `by` is the function that does this, such as [`Command::output`].
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(
        mut self,
        by: impl FnOnce(&mut Command) -> std::io::Result<Output>,
    ) -> std::io::Result<Outcome> {
        let started = Instant::now();
        let output = by(&mut self.0)?;
        Ok(Outcome {
            is_success: output.status.success(),
            status: output.status.to_string(),
            said: String::from_utf8_lossy(&output.stderr).into_owned()
                + &String::from_utf8_lossy(&output.stdout),
            elapsed: started.elapsed(),
        })
    }
}

impl Outcome {
    /// Whether it failed because the compiler, the linker or its libraries do not support the hardening flags.
    pub fn dislikes_hardening(&self) -> bool {
        const WORDS: [&str; 5] = [
            "stack-protector",
            "__stack_chk",
            "relro",
            "noexecstack",
            "-z now",
        ];
        !self.is_success && WORDS.iter().any(|word| self.said.contains(word))
    }
}

fn command_line(command: &Command) -> String {
    let mut line = quoted(command.get_program());
    for argument in command.get_args() {
        let _ = write!(line, " {}", quoted(argument));
    }
    line
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=+,:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_pasted() {
        let mut command = Command::new("cc");
        command.args(["-DX='a b'", "", "-Iα", "-lm"]);
        assert_eq!(command_line(&command), r"cc '-DX='\''a b'\''' '' '-Iα' -lm");
    }
}
