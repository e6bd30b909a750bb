//! Passes the target triple on, which the `cc` crate needs when it is used outside of a build script.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var("TARGET").expect("cargo sets TARGET for build scripts");
    println!("cargo::rustc-env=KEELBACK_TARGET={target}");
}
