//! Any text as a type, as `ffi.typeof` reads it: a failure leaves the declarations as they were; a type that is
//! understood means the same when it is printed and read again.

use std::sync::LazyLock;

use keelback_cdef::{Declarations, Diagnostic, Layouts, ParseOptions};

const DECLARED: &str = "typedef struct { int x; } point; enum color { RED, GREEN = 7 }; struct tree { struct tree *left; point p[2]; };\n\
    union either { int i; double d; }; typedef int (*callback)(point *, ...); typedef int array[3]; typedef struct opaque *handle;\n\
    #define LIMIT 10\n";

/// The declarations, and their snapshot: made only once, as there are many inputs.
static BEFORE: LazyLock<(Declarations, String)> = LazyLock::new(|| {
    let mut declarations = Declarations::default();
    declarations
        .parse(DECLARED, &ParseOptions::default())
        .expect("a good cdef");
    let snapshot = super::declarations::snapshot(&declarations);
    (declarations, snapshot)
});

/// Runs one input.
pub fn run(text: &str) {
    let (declarations, before) = &*BEFORE;
    let mut declarations = declarations.clone();
    let declared = declarations.parse_declared_type(text);
    if let Err(error) = &declared {
        show(error);
        assert_eq!(*before, super::declarations::snapshot(&declarations));
    }
    // As an out-of-line module, then as an in-line FFI, for which a tag that is not known is an opaque struct.
    match (declared, declarations.parse_type(text)) {
        (declared, Ok(ty)) => {
            if let Ok(declared) = declared {
                assert_eq!(declared, ty);
            }
            let _ = Layouts::new().size_and_align(&declarations, ty);
            let (name, at) = declarations.cffi_name_and_position(ty);
            assert!(name.is_char_boundary(at));
            if declarations.has_c_name(ty) {
                let c = declarations.c_declaration(ty, "");
                assert_eq!(declarations.parse_type(&c).ok(), Some(ty), "{c}");
            }
        }
        (Ok(_), Err(error)) => panic!("only a module takes it: {error}"),
        (Err(_), Err(error)) => {
            show(&error);
            assert_eq!(*before, super::declarations::snapshot(&declarations));
        }
    }
}

fn show(error: &Diagnostic) {
    drop((error.headline(), error.caret(), error.render(false)));
}
