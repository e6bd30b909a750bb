//! Any text as a type: no panic; a type that is understood means the same when it is printed and read again.
#![no_main]

use keelback_cdef::Declarations;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut declarations = Declarations::default();
    match declarations.parse_type(text) {
        Ok(ty) if declarations.has_c_name(ty) => {
            let c = declarations.c_declaration(ty, "");
            assert_eq!(declarations.parse_type(&c).ok(), Some(ty), "{c}");
        }
        Ok(_) => {}
        Err(error) => drop((error.headline(), error.caret(), error.render(false))),
    }
});
