//! Changes libraries made by a linker, and loads them.
use std::path::Path;
use std::process::Command;

use super::{Elf, SearchPath, hide};

/// A library that needs another one in `deep/`, and a program that loads it and calls both.
struct Made {
    place: tempfile::TempDir,
}

const OUTER: &str = "int inner(void);\nint lib(void) { return inner() + 1; }\nstatic int *keep[] = {0};\nint **kept(void) { return keep; }\n";
const HOST: &str = r#"
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **names)
{
    void *library = dlopen(names[1], RTLD_NOW);
    int (*lib)(void) = library == NULL ? NULL : (int (*)(void))dlsym(library, "lib");
    printf("%d\n", lib == NULL ? -1 : lib());
    return count - 2;
}
"#;

impl Made {
    fn new(flags: &[&str]) -> Self {
        let place = tempfile::tempdir().unwrap();
        let made = Self { place };
        let deep = made.path().join("deep/deeper");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(
            made.path().join("inner.c"),
            "int inner(void) { return 41; }\n",
        )
        .unwrap();
        std::fs::write(made.path().join("outer.c"), OUTER).unwrap();
        std::fs::write(made.path().join("host.c"), HOST).unwrap();
        made.cc(&[
            "-shared",
            "-fPIC",
            "inner.c",
            "-o",
            "deep/deeper/libinner.so",
        ]);
        let mut arguments = vec![
            "-shared",
            "-fPIC",
            "-g",
            "outer.c",
            "-o",
            "libouter.so",
            "-Ldeep/deeper",
            "-linner",
        ];
        arguments.extend(flags);
        made.cc(&arguments);
        made.cc(&["host.c", "-o", "host", "-ldl"]);
        made
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    fn cc(&self, arguments: &[&str]) {
        let ran = Command::new("cc")
            .args(arguments)
            .current_dir(self.path())
            .status();
        assert!(ran.unwrap().success(), "{arguments:?}");
    }

    fn elf(&self) -> Elf {
        Elf::read(std::fs::read(self.path().join("libouter.so")).unwrap()).unwrap()
    }

    fn write(&self, elf: &Elf) {
        std::fs::write(self.path().join("libouter.so"), &elf.bytes).unwrap();
    }

    /// The result of calling the library; -1: it does not load.
    fn answer(&self) -> String {
        let ran = Command::new(self.path().join("host"))
            .arg(self.path().join("libouter.so"))
            .output();
        String::from_utf8(ran.unwrap().stdout)
            .unwrap()
            .trim()
            .into()
    }
}

fn path(text: &str, is_inherited: bool) -> SearchPath {
    SearchPath {
        is_inherited,
        text: text.as_bytes().to_vec(),
    }
}

fn has(elf: &Elf, text: &str) -> bool {
    elf.bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn a_search_path_where_there_was_none_or_less() {
    for flags in [
        &[][..],
        &["-Wl,--spare-dynamic-tags=0"],
        &["-Wl,-rpath,/short"],
        &[
            "-Wl,-rpath,/short,--disable-new-dtags",
            "-Wl,-z,relro,-z,now",
        ],
        &[
            "-Wl,--hash-style=sysv",
            "-Wl,--spare-dynamic-tags=0",
            "-Wl,-z,separate-code",
        ],
        &["-Wl,-z,max-page-size=0x200000"],
    ] {
        let made = Made::new(flags);
        assert_eq!(made.answer(), "-1", "{flags:?}");
        for is_inherited in [false, true] {
            let mut elf = made.elf();
            let wished = path(
                "$ORIGIN/nothing/that/is/there:$ORIGIN/deep/deeper",
                is_inherited,
            );
            elf.set_search_path(&wished).unwrap();
            assert_eq!(elf.search_path().unwrap(), Some(wished), "{flags:?}");
            assert!(!has(&elf, "/short"));
            assert_eq!(elf.needed().unwrap()[0], "libinner.so");
            // Once more, and without what debuggers read.
            elf.set_search_path(&path(
                "$ORIGIN/a/longer/one/than/before/that/was:$ORIGIN/deep/deeper:$ORIGIN",
                false,
            ))
            .unwrap();
            elf.strip().unwrap();
            let elf = Elf::read(elf.bytes).unwrap();
            assert_eq!(elf.needed().unwrap()[0], "libinner.so");
            let copy = Made::new(flags);
            copy.write(&elf);
            assert_eq!(copy.answer(), "42", "{flags:?}");
        }
    }
}

#[test]
fn a_shorter_one_goes_where_the_old_one_was() {
    let made = Made::new(&["-Wl,-rpath,/a/very/long/path/of/the/machine/that/it/was/built/on/lib"]);
    let before = made.elf();
    let mut elf = before.clone();
    elf.set_search_path(&path("$ORIGIN/deep/deeper", false))
        .unwrap();
    assert_eq!(elf.bytes.len(), before.bytes.len());
    assert!(!has(&elf, "machine"));
    made.write(&elf);
    assert_eq!(made.answer(), "42");
    // A shorter path in the same place; the linker may have stored the name of the function `lib` as the end of the old
    // path.
    elf.set_search_path(&path("", false)).unwrap();
    assert_eq!(elf.search_path().unwrap(), None);
    assert!(!has(&elf, "deeper"));
    made.write(&elf);
    assert_eq!(made.answer(), "-1");
    let again = Command::new("env")
        .arg(format!(
            "LD_LIBRARY_PATH={}",
            made.path().join("deep/deeper").display()
        ))
        .arg(made.path().join("host"))
        .arg(made.path().join("libouter.so"))
        .output()
        .unwrap();
    assert_eq!(again.stdout, b"42\n");
}

#[test]
fn without_what_is_not_loaded() {
    let made = Made::new(&["-Wl,-rpath,$ORIGIN/deep/deeper"]);
    let mut elf = made.elf();
    let before = elf.bytes.len();
    assert!(has(&elf, ".debug_info") && has(&elf, ".symtab"));
    elf.strip().unwrap();
    assert!(!has(&elf, ".debug_info") && !has(&elf, ".symtab"));
    assert!(elf.bytes.len() < before);
    made.write(&elf);
    assert_eq!(made.answer(), "42");
    let stripped = elf.bytes.clone();
    elf.strip().unwrap();
    assert_eq!(elf.bytes, stripped, "nothing is left to do");
    // Data that other programs append to a library is found from the end of the file, so it must not move.
    let mut with_more = made.elf();
    with_more.bytes.extend_from_slice(&[7; 1000]);
    let whole = with_more.bytes.clone();
    with_more.strip().unwrap();
    assert_eq!(with_more.bytes, whole);
}

#[test]
fn paths_of_the_machine() {
    let made = Made::new(&[]);
    // The version is the tail of a path: one string for the linker.
    let source = r#"
const char *at(void) { return "/opt/pythons/3.11/lib:/opt/pythons/3.11.2"; }
const char *prefix(void) { return "/opt/pythons/3.11"; }
const char *version(void) { return "3.11"; }
int lib(void) { return at()[0] + version()[3]; }
"#;
    std::fs::write(made.path().join("outer.c"), source).unwrap();
    made.cc(&["-shared", "-fPIC", "-O2", "outer.c", "-o", "libouter.so"]);
    let mut elf = made.elf();
    let paths = [b"/opt/pythons/3.11".to_vec()];
    assert!(hide(&mut elf.bytes, &paths));
    assert!(has(&elf, "/nowhere//////////lib:/opt/pythons/3.11.2"));
    assert!(has(&elf, "/nowhere/////3.11\0"));
    assert!(!has(&elf, "/opt/pythons/3.11/") && !has(&elf, "/opt/pythons/3.11\0"));
    made.write(&elf);
    assert_eq!(made.answer(), (b'/' + b'1').to_string());
    assert!(!hide(&mut elf.bytes, &paths));
}

#[test]
fn what_it_needs_of_the_machine() {
    let elf = Made::new(&[]).elf();
    assert!(
        elf.needed_versions()
            .unwrap()
            .iter()
            .all(|(library, _)| library.starts_with("lib"))
    );
    let host = Elf::read(std::fs::read(std::env::current_exe().unwrap()).unwrap()).unwrap();
    let needed = host.needed_versions().unwrap();
    assert!(
        needed
            .iter()
            .any(|(library, version)| library == "libc.so.6" && version.starts_with("GLIBC_2.")),
        "{needed:?}"
    );
    if cfg!(target_arch = "x86_64") {
        assert_eq!((host.machine(), host.x86_level().unwrap()), ("x86_64", 1));
    }
}

#[test]
fn damaged_files() {
    let whole = Made::new(&["-Wl,-rpath,/short"]).elf().bytes;
    assert!(Elf::read(b"\x7fELF".to_vec()).is_err());
    assert!(Elf::read(b"text".repeat(100)).is_err());
    // Truncated files may give errors, but must not panic.
    for length in (0..whole.len()).step_by(97) {
        if let Ok(mut elf) = Elf::read(whole[..length].to_vec()) {
            let _ = elf.set_search_path(&path("$ORIGIN/longer/than/that", false));
            let _ = elf.strip();
        }
    }
    for at in 0..whole.len().min(1200) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        if let Ok(mut elf) = Elf::read(bytes) {
            let _ = (elf.needed(), elf.needed_versions(), elf.x86_level());
            let _ = elf.set_search_path(&path("$ORIGIN/longer/than/that", false));
            let _ = elf.strip();
        }
    }
}
