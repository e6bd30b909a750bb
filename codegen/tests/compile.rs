//! Every generated file compiles without any of the warnings that the project promises to be free of.
mod common;

use std::path::Path;
use std::process::Command;

use common::{case_names, plugin, spec, work_dir};
use keelback_codegen::{HeaderOptions, Product, compile_flags, link_flags};

const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
const C: &[&str] = &["c99", "c11", "c17", "c2x"];
const CPP: &[&str] = &["c++11", "c++17", "c++20"];

/// The compilers to use: gcc must be installed, clang is used if it is.
fn compilers() -> Vec<(&'static str, &'static [&'static str], &'static str)> {
    let all: [(&str, &[&str], &str); 4] = [
        ("gcc", C, "c"),
        ("g++", CPP, "c++"),
        ("clang", C, "c"),
        ("clang++", CPP, "c++"),
    ];
    all.into_iter()
        .filter(|(program, ..)| {
            let is_there = Command::new(program).arg("--version").output().is_ok();
            assert!(is_there || !program.starts_with('g'), "{program} is needed");
            is_there
        })
        .collect()
}

fn compile(program: &str, arguments: &[&str], file: &Path) {
    let output = Command::new(program)
        .args(arguments)
        .arg(file)
        .output()
        .expect("the compiler runs");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{program} {} {}\n{}",
        arguments.join(" "),
        file.display(),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn c_files_are_clean_in_every_standard() {
    let dir = work_dir("compile-c");
    for name in case_names() {
        let file = dir.join(format!("{name}.c"));
        let source = plugin(spec(&name)).c_source();
        std::fs::write(&file, source).expect("writable");
        for (program, standards, language) in compilers() {
            for standard in standards {
                // Some warnings need the optimiser: one full compile for each compiler is enough.
                let object = dir.join("x.o");
                let how: &[&str] = match *standard {
                    "c11" | "c++17" => &["-c", "-o", object.to_str().expect("UTF-8")],
                    _ => &["-fsyntax-only"],
                };
                let standard = format!("-std={standard}");
                let mut arguments = vec!["-x", language, &standard, "-Wconversion"];
                arguments.extend(WARNINGS);
                arguments.extend(compile_flags(Product::SharedLibrary));
                arguments.extend(how);
                compile(program, &arguments, &file);
            }
        }
    }
}

#[test]
fn headers_compile_alone_and_twice_in_every_standard() {
    let dir = work_dir("compile-h");
    for name in case_names() {
        // The types of this case are defined by the prelude, so its header needs another one in front.
        let mut options = HeaderOptions::default();
        if name == "prelude" {
            std::fs::write(
                dir.join("number.h"),
                "#ifndef N\n#define N\ntypedef unsigned short number_t;\n\
                struct session { int id; };\ntypedef struct { char text[12]; int code; } status_t;\ntypedef struct handle handle_t;\n#endif\n",
            )
            .expect("writable");
            options.includes = vec!["\"number.h\"".into()];
        }
        let header = plugin(spec(&name)).header(&options);
        std::fs::write(dir.join(format!("{name}.h")), &header).expect("writable");
        let twice = dir.join(format!("{name}-twice.c"));
        std::fs::write(
            &twice,
            format!("#include \"{name}.h\"\n#include \"{name}.h\"\nint unused_{name};\n"),
        )
        .expect("writable");
        for (program, standards, language) in compilers() {
            for standard in standards {
                let standard = format!("-std={standard}");
                let mut arguments = vec!["-x", language, &standard, "-fsyntax-only"];
                arguments.extend(WARNINGS);
                compile(program, &arguments, &twice);
                // The header as a file of its own: unused definitions in it must not cause warnings.
                let alone = dir.join(format!("{name}.h"));
                let mut arguments = vec![
                    "-x",
                    language,
                    &standard,
                    "-fsyntax-only",
                    "-include",
                    "stddef.h",
                ];
                arguments.extend(WARNINGS.iter().filter(|flag| **flag != "-Werror"));
                compile(program, &arguments[..4], &alone);
            }
        }
    }
}

#[test]
fn only_the_api_is_exported() {
    let dir = work_dir("exports");
    let file = dir.join("point.c");
    std::fs::write(&file, plugin(spec("point")).c_source()).expect("writable");
    let library = dir.join("libpoint.so");
    let mut arguments: Vec<&str> = compile_flags(Product::SharedLibrary).to_vec();
    let out = library.to_str().expect("UTF-8");
    arguments.extend(["-o", out]);
    arguments.extend(link_flags(Product::SharedLibrary));
    compile("gcc", &arguments, &file);
    let symbols = Command::new("nm")
        .args(["-D", "--defined-only", "--format=just-symbols", out])
        .output()
        .expect("nm runs");
    let text = String::from_utf8_lossy(&symbols.stdout).into_owned();
    let mut names: Vec<&str> = text.lines().collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "PyInit_point",
            "draw",
            "for_each",
            "log_line",
            "middle",
            "near_by",
            "point_enter",
            "point_last_error",
            "point_leave",
            "point_set_error_handler",
            "point_start"
        ]
    );
}

#[test]
fn several_c_files_link_into_one_program() {
    let dir = work_dir("static");
    let mut files = Vec::new();
    for name in ["greeter", "point", "complex"] {
        let file = dir.join(format!("{name}.c"));
        std::fs::write(&file, plugin(spec(name)).c_source()).expect("writable");
        files.push(file);
    }
    let main = dir.join("main.c");
    std::fs::write(
        &main,
        "int add1(int, int);\nint main(void) { return add1(1, 2) == -1 ? 0 : 1; }\n",
    )
    .expect("writable");
    let program = dir.join("main");
    let mut arguments: Vec<&str> = files.iter().filter_map(|file| file.to_str()).collect();
    let out = program.to_str().expect("UTF-8");
    arguments.extend(["-O1", "-o", out, "-ldl", "-pthread"]);
    compile("gcc", &arguments, &main);
    let run = Command::new(&program)
        .env("KEELBACK_PYTHON", "/nonexistent/python")
        .output()
        .expect("it runs");
    assert_eq!(run.status.code(), Some(0), "{run:?}");
}
