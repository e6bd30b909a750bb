//! `keelback help`, `keelback completions` and `keelback man`: made from clap's description of the command line.
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::diagnostic::{Diagnostic, Error, Failure, Result};
use crate::input::reason;
use crate::output;

/// `keelback help [COMMAND]`: the same text as `keelback COMMAND --help`.
pub fn help(words: &[String]) -> Result<()> {
    let mut all = Arguments::command();
    // Makes the names of commands whole, and hands on the options that all of them have.
    all.build();
    let mut command = &mut all;
    for (index, word) in words.iter().enumerate() {
        let known = command.find_subcommand(word).is_some();
        if !known {
            return Err(unknown(command, &words[..index], word));
        }
        command = command
            .find_subcommand_mut(word)
            .expect("it was there just now");
    }
    output::print(&command.render_long_help().to_string())
}

fn unknown(command: &clap::Command, before: &[String], word: &str) -> Box<Error> {
    let names: Vec<&str> = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(clap::Command::get_name)
        .collect();
    let mut whole = String::from("keelback");
    for word in before {
        whole.push(' ');
        whole.push_str(word);
    }
    let hint = if names.is_empty() {
        format!("{whole} has no commands of its own")
    } else {
        format!("the commands are: {}", names.join(", "))
    };
    let message = if word.trim().is_empty() {
        "the name of a command is empty".to_owned()
    } else {
        format!("there is no command '{whole} {word}'")
    };
    Failure::Usage.because(Diagnostic::error("usage", message).hint(hint))
}

/// `keelback completions SHELL`
pub fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "keelback", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

/// `keelback man [DIR]`
pub fn man(dir: Option<&Path>) -> Result<()> {
    let command = Arguments::command();
    let Some(dir) = dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .expect("writing to memory does not fail");
        return output::print(&String::from_utf8_lossy(&page));
    };
    clap_mangen::generate_to(command, dir).map_err(|error| {
        Failure::Files.because(Diagnostic::error(
            "cannot-write",
            format!(
                "cannot write manual pages into {}: {}",
                dir.display(),
                reason(&error)
            ),
        ))
    })
}
