//! Where the text of the declarations goes.

/// Where the text goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Destination<'a> {
    /// The public header; functions and variables get this macro in front.
    Header {
        /// `GREETER_API`
        api_macro: &'a str,
        /// The header includes others first, which define the types of the prelude.
        has_includes: bool,
    },
    /// Into a header for parsers that know no preprocessor and no attributes.
    Plain,
    /// The plugin's C file, in the place of a prelude: types and constants only.
    Source,
}
