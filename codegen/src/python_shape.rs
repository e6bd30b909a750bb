//! What a Python function takes and gives, and whether C can call it: the build and the start say it in the same words.

/// A Python function, as C's calls see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PythonShape {
    /// The least arguments by position.
    pub least: usize,
    /// The most; `None`: any number.
    pub most: Option<usize>,
    /// Parameters that must be given by keyword, with spaces between them.
    pub keywords: String,
    /// What a call gives, if that is no result: "a coroutine".
    pub gives: String,
}

impl PythonShape {
    /// Why no call from C with so many arguments can succeed: what stands behind the function's name.
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
