//! `keelback.toml`: options that would make the command line too long.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use keelback_compiler::modules::OwnModule;
use keelback_compiler::soname::SoVersion;
use serde::Deserialize;

use crate::diagnostic::{Diagnostic, Failure, Place, Result};
use crate::input::{Input, Inputs};

/// The name of the configuration file, which is looked for beside the first cdef.
const NAME: &str = "keelback.toml";

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    no_site: bool,
    #[serde(default)]
    use_environment: bool,
    #[serde(default)]
    ignore_sigpipe: bool,
    #[serde(default)]
    modules: Vec<PathBuf>,
    #[serde(default)]
    top_level_modules: Vec<PathBuf>,
    soversion: Option<toml::Spanned<String>>,
    #[serde(default)]
    batch: Vec<toml::Spanned<String>>,
    #[serde(default)]
    functions: BTreeMap<toml::Spanned<String>, Function>,
    #[serde(default)]
    errors: BTreeMap<String, toml::Spanned<Value>>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Function {
    error: Option<toml::Spanned<Value>>,
}

/// A C value: `error = -1`, `error = "NULL"`, `error = "MY_FAILURE"`.
#[derive(Deserialize, Debug)]
#[serde(
    untagged,
    expecting = "expected an integer, a float, a boolean or a string with a C constant"
)]
enum Value {
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
    Text(String),
}

/// What an exported function returns when Python cannot start, and the place where this is given.
#[derive(Clone, Debug)]
pub struct ErrorValue {
    /// The function.
    pub function: String,
    /// The value, as C text.
    pub value: String,
    /// Where it is written; `None`: on the command line.
    pub place: Option<Place>,
}

impl ErrorValue {
    fn in_file(function: String, error: toml::Spanned<Value>, input: &Input) -> Result<Self> {
        let place = Place::in_source(&input.name, &input.text, error.span());
        Ok(Self {
            function,
            value: match error.into_inner() {
                Value::Integer(value) => value.to_string(),
                // A decimal number of this size is no integer of C without a suffix.
                Value::Unsigned(value) => format!("{value}u"),
                Value::Float(value) if !value.is_finite() => {
                    let diagnostic =
                        Diagnostic::error("config", "C has no constant for nan and inf");
                    return Err(Failure::Input.because(diagnostic.at(place).hint(
                        "write an expression of C: \"1.0/0.0\", \"-1.0/0.0\" or \"-(0.0/0.0)\"",
                    )));
                }
                Value::Float(value) => format!("{value:?}"),
                Value::Bool(value) => u8::from(value).to_string(),
                Value::Text(text) => text,
            },
            place: Some(place),
        })
    }
}

/// The contents of `keelback.toml`.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Error values of functions.
    pub errors: Vec<ErrorValue>,
    /// `[errors]`: those of all functions that return a type, which stands in the place of the function's name.
    pub type_errors: Vec<ErrorValue>,
    /// `batch = ["NAME"]`: as `--batch`, each with its place.
    pub batches: Vec<(String, Place)>,
    /// `no-site = true`: as `--no-site`.
    pub no_site: bool,
    /// `use-environment = true`: as `--use-environment`.
    pub use_environment: bool,
    /// `ignore-sigpipe = true`: as `--ignore-sigpipe`.
    pub ignore_sigpipe: bool,
    /// `modules = [...]` and `top-level-modules = [...]`: as `--module` and `--top-level-module`, from the file's
    /// directory on.
    pub modules: Vec<OwnModule>,
    /// `soversion = "1.2.3"`: as `--soversion`.
    pub soversion: Option<SoVersion>,
}

/// Reads the configuration: `given`, or the one beside the first cdef if there is one.
pub fn read(given: Option<&Path>, first_cdef: &Path, inputs: &mut Inputs) -> Result<Config> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => {
            let beside: PathBuf = match first_cdef.parent() {
                Some(parent) if first_cdef != Path::new("-") => parent.join(NAME),
                _ => PathBuf::from(NAME),
            };
            // What is there and cannot be read is not left out silently.
            if beside.symlink_metadata().is_err() {
                return Ok(Config::default());
            }
            beside
        }
    };
    let mut config = parse(&inputs.read(&path, "configuration")?)?;
    if let Some(directory) = path.parent() {
        for module in &mut config.modules {
            module.path = directory.join(&module.path);
        }
    }
    Ok(config)
}

fn parse(input: &Input) -> Result<Config> {
    let file: File = toml::from_str(&input.text).map_err(|error| {
        // The parser has no words of its own for a number that is too large for it.
        let message = match error.message() {
            message if message.contains(" as i128") => "this number has more than 64 bits".into(),
            message => in_plain_words(message),
        };
        let mut diagnostic = Diagnostic::error("config", message);
        if let Some(span) = error.span() {
            diagnostic = diagnostic.at(Place::in_source(&input.name, &input.text, span));
        }
        Failure::Input
            .because(diagnostic.hint("it may have `[functions.NAME]` with `error = VALUE`, `[errors]` with `TYPE = VALUE`, and before those `modules` and `top-level-modules` with `= [\"PATH\"]`, `batch` with `= [\"NAME\"]`, `soversion` with `= \"1.2.3\"`, `ignore-sigpipe`, `no-site` and `use-environment` with `= true`"))
    })?;
    let errors = file
        .functions
        .into_iter()
        .filter_map(|(function, settings)| {
            let error = settings.error?;
            Some(ErrorValue::in_file(function.into_inner(), error, input))
        })
        .collect::<Result<_>>()?;
    let type_errors = file
        .errors
        .into_iter()
        .map(|(ty, error)| ErrorValue::in_file(ty, error, input))
        .collect::<Result<_>>()?;
    let soversion = file.soversion.map(|given| {
        given.get_ref().parse::<SoVersion>().map_err(|error| {
            let message = format!("soversion \"{}\": {error}", given.get_ref());
            let place = Place::in_source(&input.name, &input.text, given.span());
            Failure::Input.because(Diagnostic::error("config", message).at(place))
        })
    });
    let own = |is_top_level: bool| move |path: PathBuf| OwnModule { path, is_top_level };
    let modules = file.modules.into_iter().map(own(false));
    Ok(Config {
        modules: modules
            .chain(file.top_level_modules.into_iter().map(own(true)))
            .collect(),
        soversion: soversion.transpose()?,
        batches: file
            .batch
            .into_iter()
            .map(|name| {
                let place = Place::in_source(&input.name, &input.text, name.span());
                (name.into_inner(), place)
            })
            .collect(),
        errors,
        type_errors,
        no_site: file.no_site,
        use_environment: file.use_environment,
        ignore_sigpipe: file.ignore_sigpipe,
    })
}

/// What the parser says of a value or name that it knows nothing of, without the words of programmers.
fn in_plain_words(message: &str) -> String {
    if let Some((name, _)) = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'))
    {
        return format!("there is no setting '{name}' here");
    }
    let given = message.strip_prefix("invalid type: ");
    if let Some((given, wanted)) = given.and_then(|rest| rest.split_once(", expected ")) {
        let given = match given.split_once(' ').map_or(given, |(kind, _)| kind) {
            "map" => "a table",
            "sequence" => "a list",
            "integer" => "an integer",
            "boolean" => "a boolean",
            "string" => "a string",
            "floating" => "a number with a fraction",
            _ => given,
        };
        let wanted = match wanted {
            "a sequence" => "a list",
            "path string" => "a string",
            "a map" => "a table",
            _ if wanted.starts_with("struct ") => "a table",
            _ => wanted,
        };
        return format!("this is {given}, and {wanted} is needed");
    }
    message.to_owned()
}

/// Parses `NAME=VALUE` of the command line.
pub fn parse_argument(option: &str, argument: &str) -> Result<ErrorValue> {
    match argument.split_once('=') {
        Some((function, value)) if !function.trim().is_empty() && !value.trim().is_empty() => {
            Ok(ErrorValue {
                function: function.trim().to_owned(),
                value: value.trim().to_owned(),
                place: None,
            })
        }
        _ => Err(Failure::Usage.because(match option {
            "--error" => {
                Diagnostic::error("usage", format!("{option} '{argument}' is not NAME=VALUE"))
                    .hint("for instance --error parse=-1")
            }
            _ => Diagnostic::error("usage", format!("{option} '{argument}' is not TYPE=VALUE"))
                .hint("for instance --error-type status_t=-1"),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Input {
        Input {
            name: NAME.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn values_of_every_kind() {
        let values = parse(&input(
            "[functions.a]\nerror = -1\n[functions.b]\nerror = \"NULL\"\n[functions.c]\nerror = 1.0\n[functions.d]\n\
             [functions.e]\nerror = 18446744073709551615\n",
        ))
        .unwrap()
        .errors;
        let pairs: Vec<_> = values
            .iter()
            .map(|value| (value.function.as_str(), value.value.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("a", "-1"),
                ("b", "NULL"),
                ("c", "1.0"),
                ("e", "18446744073709551615u")
            ]
        );
        assert_eq!(values[0].place.as_ref().unwrap().line, 2);
    }

    #[test]
    fn a_soversion_is_a_version() {
        let soversion = parse(&input("soversion = \"1.2.3\"\n")).unwrap().soversion;
        assert_eq!(soversion.unwrap().major(), "1");
        let error = parse(&input("no-site = true\nsoversion = \"1.x\"\n")).unwrap_err();
        let diagnostic = &error.diagnostics[0];
        assert_eq!(
            diagnostic.message,
            "soversion \"1.x\": a version is one to three numbers with dots between them: 1.2.3"
        );
        assert_eq!(diagnostic.place.as_ref().unwrap().line, 2);
    }

    #[test]
    fn a_number_that_is_too_large() {
        for number in ["18446744073709551616", "-9223372036854775809"] {
            let error = parse(&input(&format!("[errors]\nint = {number}\n"))).unwrap_err();
            let message = &error.diagnostics[0].message;
            assert_eq!(message, "this number has more than 64 bits");
        }
    }

    #[test]
    fn an_unknown_key_is_no_silent_typo() {
        let error = parse(&input("[functions.a]\neror = -1\n")).unwrap_err();
        let diagnostic = &error.diagnostics[0];
        assert_eq!(diagnostic.message, "there is no setting 'eror' here");
        assert_eq!(diagnostic.place.as_ref().unwrap().line, 2);
        let error = parse(&input("ignore_sigpipe = true\n")).unwrap_err();
        let diagnostic = &error.diagnostics[0];
        assert_eq!(
            diagnostic.message,
            "there is no setting 'ignore_sigpipe' here"
        );
        assert!(
            diagnostic
                .hint
                .as_ref()
                .unwrap()
                .contains("`ignore-sigpipe`")
        );
    }

    #[test]
    fn values_of_a_wrong_kind() {
        for (text, message) in [
            (
                "no-site = 1\n",
                "this is an integer, and a boolean is needed",
            ),
            (
                "modules = \"a.py\"\n",
                "this is a string, and a list is needed",
            ),
            (
                "modules = [1]\n",
                "this is an integer, and a string is needed",
            ),
            (
                "soversion = 1.5\n",
                "this is a number with a fraction, and a string is needed",
            ),
            (
                "functions = 5\n",
                "this is an integer, and a table is needed",
            ),
            (
                "functions.a = true\n",
                "this is a boolean, and a table is needed",
            ),
            ("errors = []\n", "this is a list, and a table is needed"),
            (
                "errors.int = [1]\n",
                "expected an integer, a float, a boolean or a string with a C constant",
            ),
        ] {
            let error = parse(&input(text)).unwrap_err();
            assert_eq!(error.diagnostics[0].message, message, "{text}");
        }
    }
}
