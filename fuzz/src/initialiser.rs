//! Any text as the error value of a function: a failure leaves the declarations as they were, and what is accepted
//! stands in the C file as it is.

use keelback_cdef::{Declarations, ParseOptions};
use keelback_codegen::{CdefText, Plugin, PluginSpec, RecordedPython, StartError};

const DECLARED: &str =
    "typedef struct { int x; } point; enum color { RED, GREEN = 7 };\n#define LIMIT 10\n";
const FUNCTIONS: [&str; 2] = ["number", "place"];
const API: &str = "unsigned char number(void); point place(void);";

/// Runs one input.
pub fn run(text: &str) {
    let mut declarations = Declarations::default();
    let declared = format!("{DECLARED}#define SIZE ...\n");
    declarations
        .parse(&declared, &ParseOptions::default())
        .expect("a good cdef");
    let before = super::declarations::snapshot(&declarations);
    if let Err(error) = declarations.check_initialiser(text, "a value") {
        drop((error.headline(), error.caret(), error.render(false)));
    }
    assert_eq!(before, super::declarations::snapshot(&declarations));
    for function in FUNCTIONS {
        match Plugin::new(spec(function, text)) {
            Ok((plugin, _)) => assert!(plugin.c_source_without_loader().contains(text.trim())),
            Err(problems) => problems
                .iter()
                .for_each(|problem| drop(problem.render(false))),
        }
    }
}

fn spec(function: &str, value: &str) -> PluginSpec {
    let cdef = |text: &str, embedding_api| CdefText {
        file: "api.h".into(),
        text: text.into(),
        embedding_api,
        ..CdefText::default()
    };
    PluginSpec {
        module_name: "fuzzed".into(),
        cdefs: vec![cdef(DECLARED, false), cdef(API, true)],
        start_errors: vec![StartError {
            function: function.into(),
            value: value.into(),
        }],
        python: RecordedPython {
            version: (3, 11),
            ..RecordedPython::default()
        },
        ..PluginSpec::default()
    }
}
