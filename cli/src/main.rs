//! The `keelback` command line.
mod arguments;
mod bundle;
mod commands;
mod compiler;
mod config;
mod depfile;
mod diagnostic;
mod elf;
mod header_check;
mod headers;
mod image;
mod init_checks;
mod input;
mod interrupt;
mod lacking;
mod loader_search;
mod machine;
mod output;
mod packages;
mod payload;
mod places;
mod plugin;
mod prepared;
mod progress;
mod python;
mod runtime;
mod shadowed;
mod source_tree;
mod sources;

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory};

use crate::arguments::{Arguments, Command, MessageFormat, OutputArguments};
use crate::diagnostic::{Diagnostic, Failure, Reporter, Result};

fn main() -> ExitCode {
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    interrupt::watch();
    let reporter = Reporter::new(&arguments.output);
    let outcome = match &arguments.command {
        Command::Build(build) => commands::build::run(build, &reporter),
        Command::Cdef(cdef) => commands::cdef::run(cdef, &reporter),
        Command::Header(header) => commands::header::run(header, &reporter),
        Command::Check(check) => commands::check::run(check, &reporter),
        Command::Emit(emit) => commands::emit::run(emit, &reporter),
        Command::Bundle(bundle) => commands::bundle::run(bundle, &reporter),
        Command::GenSrc(gen_src) => commands::gen_src::run(gen_src, &reporter),
        Command::Cmake(cmake) => commands::cmake::run(cmake, &reporter),
        Command::Install(install) => commands::install::run(install, &reporter),
        Command::Stubs(stubs) => commands::stubs::run(stubs, &reporter),
        Command::New(new) => commands::new::run(new, &reporter),
        Command::Doctor(doctor) => {
            let status = commands::doctor::run(doctor, &reporter);
            return end(status, None, &reporter);
        }
        Command::Inspect(inspect) => {
            let status = commands::inspect::run(inspect, &reporter);
            return end(status, None, &reporter);
        }
        Command::Abi(abi) => {
            let status = commands::abi::run(abi, &reporter);
            return end(status, Some(commands::abi::FAILED), &reporter);
        }
        Command::Help { command } => commands::help::help(command),
        Command::Completions { shell } => commands::help::completions(*shell),
        Command::Man { dir } => commands::help::man(dir.as_deref()),
    };
    end(outcome.map(|()| 0), None, &reporter)
}

/// Reports the messages of a failure. Returns the exit status of the outcome, or that of the failure; `failed` is the
/// status if the command has the same one for all failures.
fn end(outcome: Result<u8>, failed: Option<u8>, reporter: &Reporter) -> ExitCode {
    match outcome {
        Ok(status) => ExitCode::from(status),
        // No message after an interrupt: the user knows.
        Err(_) if interrupt::happened() => interrupt::wait(),
        Err(error) => {
            for diagnostic in &error.diagnostics {
                reporter.report(diagnostic);
            }
            ExitCode::from(failed.unwrap_or(error.failure as u8))
        }
    }
}

/// The parsed command line, or the exit status after clap has printed a message.
fn parse() -> std::result::Result<Arguments, ExitCode> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let color = match option(&words, "--color") {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    };
    Arguments::command()
        .color(color)
        .try_get_matches_from(&words)
        .and_then(|matches| Arguments::from_matches(&matches))
        .map_err(|error| {
            let asked_for = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            if !asked_for && option(&words, "--message-format") == Some("json") {
                let text = error.render().to_string();
                let text = text.strip_prefix("error: ").unwrap_or(&text);
                let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
                let mut diagnostic = Diagnostic::error("usage", message.trim());
                if !rest.trim().is_empty() {
                    diagnostic = diagnostic.hint(rest.trim());
                }
                Reporter::new(&OutputArguments {
                    quiet: false,
                    verbose: false,
                    strict: false,
                    message_format: MessageFormat::Json,
                    color: arguments::ColorChoice::Never,
                })
                .report(&diagnostic);
            } else {
                // If standard output or error is closed, the message is lost.
                let _ = error.print();
            }
            // The first word may be the value of an option instead of the command: then the status is that of the other
            // commands.
            let is_abi = words
                .iter()
                .skip(1)
                .find(|word| !word.as_encoded_bytes().starts_with(b"-"))
                .is_some_and(|word| word == "abi");
            if asked_for {
                ExitCode::SUCCESS
            } else if is_abi {
                ExitCode::from(commands::abi::FAILED)
            } else {
                ExitCode::from(Failure::Usage as u8)
            }
        })
}

/// The value of an option that applies even to the error about a wrong command line.
fn option<'a>(words: &'a [OsString], name: &str) -> Option<&'a str> {
    let mut words = words.iter().map(|word| word.to_str());
    while let Some(word) = words.next() {
        let Some(word) = word else { continue };
        if word == name {
            return words.next().flatten();
        }
        if let Some(value) = word
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('='))
        {
            return Some(value);
        }
    }
    None
}

/// Whether a path stands for a standard stream.
fn is_dash(path: &OsStr) -> bool {
    path == "-"
}
