//! Tells the code which Python it is built for (`cfg(Py_3_12)` and so on), and compiles the function that must be C.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
    println!("cargo::rerun-if-changed=src/c");
    cc::Build::new()
        .file("src/c/exports.c")
        .opt_level(2)
        .warnings(true)
        .compile("keelback_embed_c");
}
