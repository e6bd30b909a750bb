//! Tells the code which Python it is built for (`cfg(Py_3_12)` and so on), and compiles the few lines
//! that must be C.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
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
