//! How the generated C is compiled and linked: shared by the command line and by Python's `compile()`.

/// The kind of file that the C file is compiled into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Product {
    /// A shared library: a plugin, or an extension module (which is the same file under another name).
    #[default]
    SharedLibrary,
    /// An object file, to be linked into a program.
    Object,
}

/// Options for the compiler, in front of the user's own `CFLAGS`.
pub fn compile_flags(product: Product) -> &'static [&'static str] {
    match product {
        Product::SharedLibrary => &["-O2", "-fPIC"],
        Product::Object => &["-O2", "-fPIC", "-c"],
    }
}

/// Options that make mistakes in C harder to exploit. Compilers that are like GCC have them; the user's own flags come
/// later.
///
/// The first list is for the compiler, the second for the linker: the tables of a library's functions are filled when it is
/// loaded and cannot be written afterwards, and its stack holds no code.
pub fn hardening_flags(product: Product) -> (&'static [&'static str], &'static [&'static str]) {
    let compile: &[&str] = &["-fstack-protector-strong"];
    match product {
        Product::SharedLibrary if !cfg!(target_os = "macos") => (
            compile,
            &["-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"],
        ),
        _ => (compile, &[]),
    }
}

/// Options for the linker, behind the file and the user's own `LDFLAGS`.
///
/// Undefined symbols stay allowed: a plugin may call back into its host. `-z nodelete` makes dlclose and a second
/// dlopen harmless (DESIGN, "The interpreter in somebody else's process").
pub fn link_flags(product: Product) -> &'static [&'static str] {
    match product {
        Product::Object => &[],
        Product::SharedLibrary if cfg!(target_os = "macos") => {
            &["-shared", "-undefined", "dynamic_lookup"]
        }
        Product::SharedLibrary => &["-shared", "-Wl,-z,nodelete", "-ldl", "-pthread"],
    }
}
