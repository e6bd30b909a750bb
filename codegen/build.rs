//! Makes `keelback_abi.h` from `src/abi.rs`: the one description of what a plugin and the runtime share.
use std::{env, error::Error, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/abi.rs");
    println!("cargo::rerun-if-changed=build.rs");
    let config = cbindgen::Config {
        language: cbindgen::Language::C,
        style: cbindgen::Style::Both,
        include_guard: Some("KEELBACK_ABI_H".into()),
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        cpp_compat: false,
        usize_is_size_t: true,
        // The types that these refer to are emitted too.
        export: cbindgen::ExportConfig {
            include: vec![
                "keelback_plugin_t".into(),
                "keelback_runtime_t".into(),
                "keelback_note_t".into(),
                "keelback_description_t".into(),
                "keelback_search_t".into(),
            ],
            ..Default::default()
        },
        // Without comments, so that the C files that contain it stay short. The comments are in abi.rs.
        documentation: false,
        tab_width: 4,
        line_length: 110,
        ..Default::default()
    };
    let bindings = cbindgen::Builder::new()
        .with_src("src/abi.rs")
        .with_config(config)
        .generate()?;
    bindings.write_to_file(PathBuf::from(env::var("OUT_DIR")?).join("keelback_abi.h"));
    Ok(())
}
