//! How a directory of sources is built: the command for somebody who wants to install what is not there yet.
use std::path::{Path, PathBuf};

/// The files that build systems read, in the order in which one is taken, and the commands; `@DIR@` is the directory.
const SYSTEMS: [(&str, &str); 5] = [
    ("GNUmakefile", "make -C @DIR@"),
    ("makefile", "make -C @DIR@"),
    ("Makefile", "make -C @DIR@"),
    (
        "CMakeLists.txt",
        "cmake -S @DIR@ -B @DIR@/build && cmake --build @DIR@/build",
    ),
    (
        "meson.build",
        "meson setup @DIR@/build @DIR@ && ninja -C @DIR@/build",
    ),
];

/// The command that builds the library `name` (`vec`) in `directory`, as far as its files tell.
pub fn build_command(directory: &Path, name: &str) -> Option<String> {
    let here = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    if let Some((_, command)) = SYSTEMS.iter().find(|(file, _)| here.join(file).is_file()) {
        return Some(command.replace("@DIR@", &in_shell(here)?));
    }
    let [header] = &files(here, "h")[..] else {
        return None;
    };
    let [init] = &files(here, "py")[..] else {
        return None;
    };
    let library = in_shell(&directory.join(format!("lib{name}.so")))?;
    let (header, init) = (directory.join(header), directory.join(init));
    let (header, init) = (in_shell(&header)?, in_shell(&init)?);
    Some(format!(
        "keelback build {header} --init {init} --name {name} -o {library}"
    ))
}

/// The names of the directory's files with this ending.
fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| PathBuf::from(entry.file_name()))
        .filter(|name| name.extension().is_some_and(|found| found == ending))
        .collect()
}

/// The path as a shell takes it; `None` for what nobody types.
fn in_shell(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+/@%:=,~".contains(&byte);
    if text.bytes().all(plain) {
        Some(text.to_owned())
    } else {
        (!text.contains(['\'', '\n'])).then(|| format!("'{text}'"))
    }
}
