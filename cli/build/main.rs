//! Compiles the loader, the part that all plugins have in common, so that `keelback build` need not do it each time;
//! and lists the crates of the runtime.
mod crates;

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=build");
    let directory = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(directory.join("crates.json"), crates::told()).expect("OUT_DIR is writable");
    let source = directory.join("keelback_loader.c");
    std::fs::write(&source, keelback_codegen::loader_source()).expect("OUT_DIR is writable");
    let mut build = cc::Build::new();
    build
        .file(&source)
        .debug(false)
        .warnings(false)
        .extra_warnings(false);
    for flag in keelback_codegen::compile_flags(keelback_codegen::Product::SharedLibrary) {
        build.flag(flag);
    }
    for flag in keelback_codegen::hardening_flags(keelback_codegen::Product::SharedLibrary).0 {
        build.flag_if_supported(flag);
    }
    // Without the object (no compiler here, or no loader for the platform) each build compiles the loader itself.
    let object = match build.try_compile_intermediates() {
        Ok(objects) => objects
            .first()
            .and_then(|object| std::fs::read(object).ok())
            .unwrap_or_default(),
        Err(error) => {
            println!("cargo::warning=the loader cannot be compiled ahead of time: {error}");
            Vec::new()
        }
    };
    std::fs::write(directory.join("keelback_loader.o"), object).expect("OUT_DIR is writable");
}
