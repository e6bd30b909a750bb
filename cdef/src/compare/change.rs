//! What a change is.

/// What kind of thing has changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Subject {
    /// A function.
    Function,
    /// A global variable.
    Variable,
    /// A struct, union or enum, or a typedef.
    Type,
    /// A constant, an enumerator or a macro with a value.
    Constant,
}

impl Subject {
    /// `function`, `variable`, `type`, `constant`
    pub fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Variable => "variable",
            Self::Type => "type",
            Self::Constant => "constant",
        }
    }
}

/// What a change does to those who use the interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Effect {
    /// Nothing breaks.
    Compatible,
    /// Something that worked may not work any more.
    Incompatible,
}

/// One difference of two interfaces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// What kind of thing.
    pub subject: Subject,
    /// Its name; of structs, unions and enums with the keyword.
    pub name: String,
    /// How the old interface has it; `None`: it is new.
    pub old: Option<String>,
    /// How the new one has it; `None`: it is gone.
    pub new: Option<String>,
    /// What the change does to users of the interface.
    pub effect: Effect,
    /// Further lines about the change: members, offsets, sizes.
    pub details: Vec<String>,
}
