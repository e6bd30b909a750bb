//! How the generated C is compiled and linked: shared by the command line and by Python's `compile()`.

/// What the C file is compiled into.
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
