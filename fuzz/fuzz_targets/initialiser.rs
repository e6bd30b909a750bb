//! Any text as the error value of a function: no panic, and the declarations stay as they are.
#![no_main]

use keelback_cdef::{Declarations, ParseOptions};
use libfuzzer_sys::fuzz_target;

const DECLARED: &str = "typedef struct { int x; } point; enum color { RED, GREEN = 7 };\n#define LIMIT 10\n#define SIZE ...\n";

fuzz_target!(|text: &str| {
    let mut declarations = Declarations::default();
    declarations
        .parse(DECLARED, &ParseOptions::default())
        .expect("a good cdef");
    let before = (declarations.types.len(), declarations.types.records.len());
    if let Err(error) = declarations.check_initialiser(text, "a value") {
        drop((error.headline(), error.caret(), error.render(false)));
    }
    assert_eq!(before, (declarations.types.len(), declarations.types.records.len()));
});
