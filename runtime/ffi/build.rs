//! Tells the code which Python it is built for (`cfg(Py_3_12)` and so on), and compiles the few lines
//! that must be C.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
    link_tests();
    println!("cargo::rerun-if-changed=src/c");
    cc::Build::new()
        .file("src/c/fenv.c")
        .file("src/c/frame.c")
        .file("src/c/long_double.c")
        .file("src/c/thread.c")
        .opt_level(2)
        .warnings(true)
        .compile("keelback_ffi_c");
}

/// Unit tests are programs, which the linker wants to be whole: they get the libpython that the runtime must not have. The
/// crate itself is no program, so that this reaches nothing else.
fn link_tests() {
    let python = pyo3_build_config::get();
    if let (Some(name), Some(directory)) = (python.lib_name(), python.lib_dir()) {
        println!("cargo::rustc-link-arg=-L{directory}");
        println!("cargo::rustc-link-arg=-l{name}");
        println!("cargo::rustc-link-arg=-Wl,-rpath,{directory}");
    }
}
