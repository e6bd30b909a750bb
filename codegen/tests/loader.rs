//! The loader in real processes: what it finds, and its messages when it finds nothing suitable.
//!
//! The libpython and the runtime are tiny stand-ins made here, so the tests need no Python: the loader only asks a
//! libpython for its version, and the stand-in for the runtime does what the test needs.
mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{plugin, spec, work_dir};
use keelback_codegen::{ABI_HEADER, PluginSpec, Product, compile_flags, link_flags};

const HOST: &str = r#"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
typedef int add_t(int, int);
typedef int start_t(void);
typedef const char *error_t(void);
typedef void handler_t(const char *function, const char *message, void *data);
typedef void set_handler_t(handler_t *handler, void *data);
static void *library;
static void handler(const char *function, const char *message, void *data)
{
    printf("handler %s %s %s", (const char *)data, function, message);
}
static int maps_has(const char *part)
{
    char line[4096];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps))
        found |= strstr(line, part) != NULL;
    fclose(maps);
    return found;
}
static void *call_once(void *unused)
{
    (void)unused;
    if (((add_t *)dlsym(library, "add1"))(20, 3) != 23)
        printf("wrong\n");
    return NULL;
}
int main(int count, char **words)
{
    char data[] = "data";
    setvbuf(stdout, NULL, _IOLBF, 0);
    library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return printf("%s\n", dlerror()), 1;
    if (maps_has("libpython3"))
        printf("libpython is mapped\n");
    for (int i = 2; i < count; i++) {
        const char *word = words[i];
        if (strcmp(word, "call") == 0) {
            errno = 77;
            printf("%d\n", ((add_t *)dlsym(library, "add1"))(1, 2));
            if (errno != 77)
                printf("errno %d\n", errno);
        } else if (strcmp(word, "start") == 0) {
            printf("start %d\n", ((start_t *)dlsym(library, "greeter_start"))());
        } else if (strcmp(word, "error") == 0) {
            const char *error = ((error_t *)dlsym(library, "greeter_last_error"))();
            printf("error %s", error ? error : "NULL\n");
        } else if (strcmp(word, "handler") == 0) {
            ((set_handler_t *)dlsym(library, "greeter_set_error_handler"))(handler, data);
        } else if (strcmp(word, "elsewhere") == 0) {
            if (chdir("/") != 0)
                printf("chdir\n");
        } else if (strcmp(word, "threads") == 0) {
            pthread_t threads[16];
            for (int t = 0; t < 16; t++)
                pthread_create(&threads[t], NULL, call_once, NULL);
            for (int t = 0; t < 16; t++)
                pthread_join(threads[t], NULL);
        } else {
            putenv((char *)word);
        }
    }
    return 0;
}
"#;

const LIBPYTHON: &str = r#"
#ifdef VERSION_NUMBER
const unsigned long Py_Version = VERSION_NUMBER;
#endif
int Py_IsInitialized(void) { return 0; }
const char *Py_GetVersion(void) { return VERSION_TEXT; }
"#;

const RUNTIME: &str = r#"
#include "keelback_abi.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static void dispatch(keelback_function_t *function, void *slots)
{
    int x, y;
    memcpy(&x, slots, sizeof x);
    memcpy(&y, (char *)slots + 8, sizeof y);
    x += y;
    memcpy(slots, &x, sizeof x);
    (void)function;
}
static int starts;
static __thread int running;
static int start(keelback_plugin_t *plugin, const keelback_python_t *python)
{
    int (*own)(int, int) = (int (*)(int, int))plugin->functions[0].address;
    errno = 5;
    if (running)
        return 0;
    running = 1;
    if (__atomic_fetch_add(&starts, 1, __ATOMIC_SEQ_CST) == 0) {
        if (python->executable)
            printf("executable %s home %s\n", python->executable, python->home);
        usleep(1000);
        /* The init code calls its own plugin. */
        if (own(2, 2) != 4)
            printf("recursion\n");
    }
    running = 0;
#ifdef FAILS
    return FAILS;
#endif
    __atomic_store_n(&plugin->dispatch, dispatch, __ATOMIC_RELEASE);
    return 0;
}
static const char *last_error(keelback_plugin_t *plugin)
{
    (void)plugin;
#ifdef FAILS
    return "greeter: the init code failed\n  traceback\n";
#else
    return NULL;
#endif
}
static void set_error_handler(keelback_plugin_t *plugin, keelback_error_handler_t handler, void *data)
{
    plugin->error_handler = handler;
    plugin->error_handler_data = data;
}
static void *import(keelback_plugin_t *plugin)
{
    return plugin;
}
static void at_fork(uint32_t step)
{
    (void)step;
}
static void record(keelback_plugin_t *plugin, const char *text)
{
    (void)plugin;
    (void)text;
}
static int enter(keelback_plugin_t *plugin)
{
    (void)plugin;
    return 0;
}
static void leave(keelback_plugin_t *plugin)
{
    (void)plugin;
}
#ifndef ABI
#define ABI KEELBACK_ABI_VERSION
#endif
#ifndef FREE_THREADED
#define FREE_THREADED 0
#endif
const keelback_runtime_t keelback_runtime = {
    ABI, PYTHON, FREE_THREADED, "9.8.7", start, dispatch, last_error, set_error_handler, import, at_fork, record, enter, leave};
"#;

/// A directory with a host, stand-ins, and a plugin.
struct Place {
    dir: PathBuf,
}

impl Place {
    /// Writes an empty executable file.
    fn program(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.dir.join(name);
        fs::write(&path, "").expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    }

    fn new(name: &str) -> Self {
        let dir = work_dir(name);
        fs::write(dir.join("host.c"), HOST).expect("writable");
        fs::write(dir.join("libpython.c"), LIBPYTHON).expect("writable");
        fs::write(dir.join("runtime.c"), RUNTIME).expect("writable");
        fs::write(dir.join("keelback_abi.h"), ABI_HEADER).expect("writable");
        let place = Self { dir };
        place.cc(&["-O0", "-o", "host", "host.c", "-ldl", "-pthread"]);
        place
    }

    fn cc(&self, arguments: &[&str]) {
        let output = Command::new("gcc")
            .current_dir(&self.dir)
            .args(arguments)
            .output()
            .expect("gcc runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn library(&self, source: &str, out: &str, defines: &[&str]) -> String {
        let path = self.path(out);
        fs::create_dir_all(Path::new(&path).parent().expect("it has one")).expect("writable");
        let mut arguments = vec!["-shared", "-fPIC", "-o", out];
        arguments.extend(defines);
        arguments.push(source);
        self.cc(&arguments);
        path
    }

    /// Compiles a stand-in for libpython 3.11; returns its path.
    fn libpython(&self, out: &str) -> String {
        self.library(
            "libpython.c",
            out,
            &[
                "-DVERSION_NUMBER=0x030B07F0",
                "-DVERSION_TEXT=\"3.11.7 (main)\"",
            ],
        )
    }

    fn runtime(&self, out: &str, defines: &[&str]) -> String {
        let mut all = vec!["-DPYTHON=0x030B"];
        all.extend(defines);
        self.library("runtime.c", out, &all)
    }

    fn plugin(&self, change: impl FnOnce(&mut PluginSpec)) {
        let mut spec = spec("greeter");
        // A version that no libpython of the machine has.
        spec.python.version = (3, 99);
        change(&mut spec);
        fs::write(self.dir.join("greeter.c"), plugin(spec).c_source()).expect("writable");
        let mut arguments: Vec<&str> = compile_flags(Product::SharedLibrary).to_vec();
        arguments.extend(["-o", "libgreeter.so", "greeter.c"]);
        arguments.extend(link_flags(Product::SharedLibrary));
        self.cc(&arguments);
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Runs the host; what it wrote, with the directory's name taken out.
    fn run(&self, words: &[&str], variables: &[(&str, &str)]) -> (String, String) {
        let mut command = Command::new(self.dir.join("host"));
        // The plugin is opened by a relative name: files beside it must be found all the same.
        command
            .current_dir(&self.dir)
            .arg("./libgreeter.so")
            .args(words);
        for name in ["KEELBACK_PYTHON", "KEELBACK_RUNTIME", "LD_LIBRARY_PATH"] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().expect("the host runs");
        assert!(status.success(), "{status} {stderr:?}");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace(&self.path(""), "DIR/");
        (text(stdout), text(stderr))
    }
}

const ADVICE: &str = "Install Python 3.99 with its shared library (Debian, Ubuntu: apt install libpython3.99; Fedora: \
    dnf install python3-libs; pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install 3.99), or set \
    KEELBACK_PYTHON to the path of a libpython or of a python executable. Or put a Python beside the library: \
    keelback bundle, where it was built.\n";
const RUNTIME_ADVICE: &str = "Install the package keelback into that Python (pip install keelback), or set \
    KEELBACK_RUNTIME to the path of its runtime.\n";

#[test]
fn no_libpython() {
    let place = Place::new("loader-no-python");
    place.plugin(|spec| spec.python.libpython = Some("/gone/libpython3.99.so.1.0".into()));
    let message = format!(
        "greeter: no libpython could be loaded, so Python cannot be started. Tried:\n\
         \x20 KEELBACK_PYTHON: not set\n\
         \x20 recorded at build time: /gone/libpython3.99.so.1.0: cannot open shared object file: No such file or \
         directory\n\
         \x20 the system's libraries: libpython3.99.so.1.0: cannot open shared object file: No such file or directory\n\
         {ADVICE}"
    );
    let (out, err) = place.run(&["call", "call", "error", "start", "error"], &[]);
    assert_eq!(
        out,
        format!("-1\n-1\nerror {message}start -1\nerror {message}")
    );
    assert_eq!(
        err,
        format!(
            "{message}greeter: add1 was called, but its Python code could not be started\n\
             greeter: add1 was called, but its Python code could not be started (the reason was told before)\n"
        )
    );
}

#[test]
fn the_error_handler_gets_it_instead() {
    let place = Place::new("loader-handler");
    place.plugin(|_| {});
    let (out, err) = place.run(
        &["handler", "call"],
        &[("KEELBACK_PYTHON", "/gone/python3")],
    );
    assert_eq!(err, "");
    assert_eq!(
        out,
        format!(
            "handler data add1 greeter: no libpython could be loaded, so Python cannot be started. Tried:\n  \
             KEELBACK_PYTHON: there is no file '/gone/python3'\n{ADVICE}-1\n"
        )
    );
}

#[test]
fn no_runtime() {
    let place = Place::new("loader-no-runtime");
    let libpython = place.libpython("prefix/lib/libpython3.11.so.1.0");
    place.plugin(|spec| {
        spec.python.libpython = Some(libpython);
        spec.python.home = Some(place.path("prefix"));
        spec.runtime_path = Some("/gone/runtime.so".into());
    });
    let (out, err) = place.run(&["call"], &[]);
    assert_eq!(out, "-1\n");
    assert_eq!(
        err,
        format!(
            "greeter: no Keelback runtime for Python 3.11 (DIR/prefix/lib/libpython3.11.so.1.0) could be loaded. Tried:\n\
             \x20 KEELBACK_RUNTIME: not set\n\
             \x20 /gone/runtime.so: no such file\n\
             \x20 DIR/prefix/lib/python3.11/site-packages/keelback: no runtime there\n\
             {RUNTIME_ADVICE}greeter: add1 was called, but its Python code could not be started\n"
        )
    );
}

#[test]
fn runtimes_that_do_not_fit() {
    let place = Place::new("loader-wrong-runtime");
    let libpython = place.libpython("libpython3.11.so.1.0");
    place.plugin(|spec| spec.python.libpython = Some(libpython));
    fs::write(place.dir.join("text.so"), "text").expect("writable");
    place.library("libpython.c", "other.so", &["-DVERSION_TEXT=\"\""]);
    for (out, defines, why) in [
        (
            "a.so",
            &["-UPYTHON", "-DPYTHON=0x030C"][..],
            ": it is for Python 3.12, and this Python is 3.11",
        ),
        (
            "b.so",
            &["-DFREE_THREADED=1"],
            ": it is for Python 3.11t, and this Python is 3.11",
        ),
        (
            "c.so",
            &["-DABI=77"],
            ": its interface to plugins is version 77 (keelback 9.8.7), and this plugin has version 6 (keelback 0.1.0)",
        ),
        ("text.so", &[], ": file too short"),
        ("other.so", &[], ": is no Keelback runtime"),
        ("gone.so", &[], ": no such file"),
    ] {
        if out.len() == 4 {
            place.runtime(out, defines);
        }
        let (_, err) = place.run(&["call"], &[("KEELBACK_RUNTIME", &place.path(out))]);
        assert_eq!(
            err,
            format!(
                "greeter: no Keelback runtime for Python 3.11 (DIR/libpython3.11.so.1.0) could be loaded. Tried:\n  \
                 KEELBACK_RUNTIME is set:\n  DIR/{out}{why}\n{RUNTIME_ADVICE}greeter: add1 was called, but its Python \
                 code could not be started\n"
            )
        );
    }
}

#[test]
fn all_is_there() {
    let place = Place::new("loader-works");
    let libpython = place.libpython("libpython3.11.so.1.0");
    let runtime = place.runtime("runtime.so", &[]);
    place.plugin(|spec| {
        spec.python.libpython = Some(libpython);
        spec.python.home = Some("/the/home".into());
        spec.python.executable = Some("/the/venv/bin/python".into());
        spec.runtime_path = Some(runtime);
    });
    let works = "executable /the/venv/bin/python home /the/home\n3\n3\nerror NULL\n".to_owned();
    let (out, err) = place.run(&["call", "call", "error"], &[]);
    assert_eq!((out, err), (works, String::new()));
    let (out, err) = place.run(&["threads", "call"], &[]);
    assert!(out.ends_with("3\n") && !out.contains("wrong"), "{out}");
    assert_eq!(err, "");
}

#[test]
fn a_version_without_py_version_is_read_from_the_text() {
    let place = Place::new("loader-3.10");
    let libpython = place.library(
        "libpython.c",
        "libpython3.10.so.1.0",
        &["-DVERSION_TEXT=\"3.10.13 (main)\""],
    );
    let runtime = place.runtime("runtime.so", &["-UPYTHON", "-DPYTHON=0x030A"]);
    place.plugin(|_| {});
    let variables = [
        ("KEELBACK_PYTHON", &*libpython),
        ("KEELBACK_RUNTIME", &*runtime),
    ];
    assert_eq!(
        place.run(&["call"], &variables),
        ("3\n".into(), String::new())
    );
}

#[test]
fn a_python_executable_leads_to_its_libpython() {
    let place = Place::new("loader-executable");
    place.libpython("base/lib/libpython3.11.so.1.0");
    place.runtime(
        "base/lib/python3.11/site-packages/keelback/_runtime.so",
        &[],
    );
    fs::create_dir_all(place.dir.join("base/bin")).expect("writable");
    fs::create_dir_all(place.dir.join("venv/bin")).expect("writable");
    place.program("base/bin/python3.11");
    place.program("venv/bin/python");
    fs::write(
        place.dir.join("venv/pyvenv.cfg"),
        format!("home = {}\nversion = 3.11.7\n", place.path("base/bin")),
    )
    .expect("writable");
    place.plugin(|_| {});
    for executable in ["base/bin/python3.11", "venv/bin/python"] {
        let (out, err) = place.run(&["call"], &[("KEELBACK_PYTHON", &place.path(executable))]);
        assert_eq!(
            out,
            format!("executable DIR/{executable} home DIR/base\n3\n"),
            "{err}"
        );
    }
    // Other files in that bin/ are no Python, whatever is in the lib/ beside it.
    place.program("base/bin/other");
    fs::write(place.dir.join("base/bin/python.txt"), "").expect("writable");
    for file in ["base/bin/other", "base/bin/python.txt"] {
        let (_, err) = place.run(&["call"], &[("KEELBACK_PYTHON", &place.path(file))]);
        assert!(
            err.contains(&format!(
                "\n  KEELBACK_PYTHON: DIR/{file} is neither a libpython nor a python executable\n"
            )),
            "{err}"
        );
    }
    fs::create_dir_all(place.dir.join("static/bin")).expect("writable");
    place.program("static/bin/python3.11");
    let (_, err) = place.run(
        &["call"],
        &[("KEELBACK_PYTHON", &place.path("static/bin/python3.11"))],
    );
    assert!(
        err.contains(
            "\n  KEELBACK_PYTHON: DIR/static/bin/python3.11 has no libpython under DIR/static/lib\n"
        ),
        "{err}"
    );
}

#[test]
fn a_bundle_beside_the_plugin() {
    for bundle in ["greeter.keelback", "keelback-bundle"] {
        let place = Place::new(&format!("loader-{bundle}"));
        place.plugin(|_| {});
        place.libpython(&format!("{bundle}/lib/libpython3.11.so.1.0"));
        place.runtime(&format!("{bundle}/lib/libkeelback_runtime.so"), &[]);
        assert_eq!(
            place.run(&["elsewhere", "call"], &[]),
            ("3\n".into(), String::new())
        );
    }
}

#[test]
fn a_runtime_beside_the_plugin() {
    let place = Place::new("loader-beside");
    let libpython = place.libpython("lib/libpython3.11.so.1.0");
    place.runtime("libkeelback_runtime.so", &["-UPYTHON", "-DPYTHON=0x030C"]);
    place.runtime("libkeelback_runtime-3.11.so", &[]);
    place.plugin(|spec| spec.python.libpython = Some(libpython));
    assert_eq!(place.run(&["call"], &[]), ("3\n".into(), String::new()));
}

#[test]
fn a_runtime_inside_the_plugin() {
    let place = Place::new("loader-standalone");
    let libpython = place.libpython("lib/libpython3.11.so.1.0");
    let runtime = place.runtime("a \"runtime\".so", &[]);
    place.plugin(|spec| {
        spec.python.libpython = Some(libpython);
        spec.standalone_runtime = Some(runtime.clone());
    });
    fs::remove_file(runtime).expect("it was there");
    assert_eq!(place.run(&["call"], &[]), ("3\n".into(), String::new()));
}

#[test]
fn a_failed_start_is_tried_again_when_asked() {
    let place = Place::new("loader-retry");
    let libpython = place.libpython("libpython3.11.so.1.0");
    let runtime = place.runtime("runtime.so", &[]);
    place.plugin(|_| {});
    let mended = [
        format!("KEELBACK_PYTHON={libpython}"),
        format!("KEELBACK_RUNTIME={runtime}"),
    ];
    let words = [
        "call", &mended[0], &mended[1], "call", "start", "call", "error",
    ];
    let (out, err) = place.run(&words, &[("KEELBACK_PYTHON", "/gone/python3")]);
    assert_eq!(out, "-1\n-1\nstart 0\n3\nerror NULL\n");
    assert!(
        err.ends_with("could not be started (the reason was told before)\n"),
        "{err}"
    );
}

#[test]
fn a_failing_init_code() {
    let place = Place::new("loader-init-fails");
    let libpython = place.libpython("libpython3.11.so.1.0");
    let runtime = place.runtime("runtime.so", &["-DFAILS=-4"]);
    place.plugin(|spec| {
        spec.python.libpython = Some(libpython);
        spec.runtime_path = Some(runtime);
    });
    let told = "greeter: the init code failed\n  traceback\n";
    let (out, err) = place.run(&["call", "call", "start", "error"], &[]);
    assert_eq!(out, format!("-1\n-1\nstart -4\nerror {told}"));
    assert_eq!(
        err,
        format!(
            "{told}greeter: add1 was called, but its Python code could not be started\n\
             greeter: add1 was called, but its Python code could not be started (the reason was told before)\n"
        )
    );
}
