//! The signature of a Python function, and whether C can call it. The build and the start use the same messages.

/// The properties of a Python function that matter to calls from C.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PythonShape {
    /// The minimum number of positional arguments.
    pub least: usize,
    /// The maximum number of positional arguments; `None`: any number.
    pub most: Option<usize>,
    /// Parameters that must be given by keyword, with spaces between them.
    pub keywords: String,
    /// What a call returns instead of a result: "a coroutine", "a generator"; empty for ordinary functions.
    pub gives: String,
}

impl PythonShape {
    /// If no call from C with so many arguments can succeed: why, as the part of a message that follows the function's
    /// name.
    pub fn what_is_wrong(&self, given: usize) -> Option<String> {
        let arguments = |count: usize| match count {
            0 => "no arguments".to_owned(),
            1 => "1 argument".to_owned(),
            _ => format!("{count} arguments"),
        };
        let takes = match self.most {
            None if given < self.least => format!("at least {}", arguments(self.least)),
            Some(most) if given < self.least || given > most => {
                if self.least == most {
                    arguments(most)
                } else {
                    format!("{} to {}", self.least, arguments(most))
                }
            }
            _ if !self.keywords.is_empty() => {
                return Some(format!(
                    "must be given '{}' by keyword, which C cannot do",
                    self.keywords.replace(' ', "' and '")
                ));
            }
            _ if !self.gives.is_empty() => {
                return Some(format!(
                    "gives {} when it is called, and no result",
                    self.gives
                ));
            }
            _ => return None,
        };
        Some(format!(
            "takes {takes}, and C calls it with {}",
            if given == 0 {
                "none".to_owned()
            } else {
                given.to_string()
            }
        ))
    }
}
