# Run by `keelback bundle` with the Python that is bundled: copies what it needs to run elsewhere.
#
# The command line has one JSON object: target (an empty directory), libpython, excluded (names of modules), packages
# (names of distributions), all_packages. Fields `key=value` go to standard output, each ended by a NUL byte:
#   error     why there is no bundle; what to do follows after a newline
#   warning   what the bundle lacks; likewise
#   links     a file of the bundle (path from its top) that needs C libraries of lib/
#   package   name and version of a distribution that was copied
#   library   file name of a C library that was copied
import importlib.metadata
import json
import os
import py_compile
import re
import shutil
import site
import subprocess
import sys
import sysconfig

out = sys.stdout.buffer

# What no library needs: Python's own tests, its programs with windows (tkinter needs Tcl's files as well), what builds
# and installs Python packages.
LEFT_OUT_DIRECTORIES = {"__pycache__", "test", "tests", "idlelib", "turtledemo", "tkinter", "ensurepip", "site-packages", "dist-packages"}
LEFT_OUT_FILES = {"turtle.py", "sitecustomize.py", "usercustomize.py", "EXTERNALLY-MANAGED"}
LEFT_OUT_ENDINGS = (".a", ".o", ".exe", ".pyc", ".pyo")
# nis is gone from Python 3.13, and would bring all of Kerberos.
LEFT_OUT_EXTENSIONS = re.compile(r"_test|_xx|xx|_ctypes_test|_tkinter|nis\.")

# The C library's and the compiler's own libraries: every machine has them, and two of them in a process do not mix.
OF_THE_SYSTEM = re.compile(
    r"linux-vdso|linux-gate|ld-linux|ld-musl|ld64|lib(c|m|dl|pthread|rt|util|resolv|nsl|anl|mvec|BrokenLocale|thread_db)\.so"
    r"|libnss_|libgcc_s\.so|libstdc\+\+\.so|libc\.musl|libpython3"
)


def send(key, value):
    out.write(key.encode() + b"=" + os.fsencode(value) + b"\0")


class Refused(Exception):
    pass


class Bundle:
    def __init__(self, target, excluded):
        self.target = target
        self.excluded = excluded
        version = "python%d.%d" % sys.version_info[:2]
        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            version += "t"
        self.version = version
        self.lib = os.path.join(target, "lib")
        self.stdlib = os.path.join(self.lib, version)
        # Where the bundled Python's `site` will look.
        own = [path for path in site.getsitepackages([target]) if os.path.dirname(path) == self.stdlib]
        self.site_packages = own[-1] if own else os.path.join(self.stdlib, "site-packages")
        self.native = {}  # copied ELF file -> where it came from
        self.sources = []  # directories whose libraries are copied with their packages

    def is_excluded(self, name):
        return name in self.excluded

    def copy(self, source, target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)
        if re.search(r"\.so(\.\d+)*$", source):
            self.native[target] = source

    # -- the standard library --

    def copy_stdlib(self):
        stdlib = os.path.dirname(os.path.abspath(os.__file__))
        dynamic = sysconfig.get_config_var("DESTSHARED") or os.path.join(stdlib, "lib-dynload")
        self.sources.append(stdlib)
        for directory, names, files in os.walk(stdlib):
            within = os.path.relpath(directory, stdlib)
            top = within == "."
            names[:] = sorted(
                name
                for name in names
                if name not in LEFT_OUT_DIRECTORIES
                and not name.startswith("config-")
                and not (top and (self.is_excluded(name) or name == "lib-dynload"))
            )
            for name in files:
                module = name.partition(".")[0]
                if name in LEFT_OUT_FILES or name.endswith(LEFT_OUT_ENDINGS) or (top and self.is_excluded(module)):
                    continue
                self.copy(os.path.join(directory, name), os.path.normpath(os.path.join(self.stdlib, within, name)))
        if os.path.isdir(dynamic):
            for name in sorted(os.listdir(dynamic)):
                module = name.partition(".")[0]
                if name.endswith(".so") and not LEFT_OUT_EXTENSIONS.match(name) and not self.is_excluded(module):
                    self.copy(os.path.join(dynamic, name), os.path.join(self.stdlib, "lib-dynload", name))
        # Also when there is nothing in it: Python warns where it is not.
        os.makedirs(os.path.join(self.stdlib, "lib-dynload"), exist_ok=True)
        os.makedirs(self.site_packages, exist_ok=True)

    # -- packages --

    def copy_packages(self, names, take_all):
        places = site_directories()
        found = {}
        for distribution in importlib.metadata.distributions(path=places):
            name = distribution.metadata["Name"]
            if name:
                # The first on the path is the one that is imported.
                found.setdefault(normal(name), distribution)
        wanted = {}
        for name in names:
            if normal(name) not in found:
                raise Refused(
                    "the package '%s' is not installed in %s\ninstall it there, or choose with --python the Python or "
                    "the virtual environment that has it" % (name, sys.executable)
                )
            add_with_requirements(normal(name), found, wanted)
        if take_all:
            wanted.update((name, found[name]) for name in found if name not in ("pip", "setuptools", "wheel", "keelback"))
        for name in sorted(wanted):
            self.copy_distribution(wanted[name], places)

    def copy_distribution(self, distribution, places):
        name = distribution.metadata["Name"]
        told = distribution.read_text("direct_url.json")
        if told and json.loads(told).get("dir_info", {}).get("editable"):
            raise Refused(
                "the package '%s' is installed in editable mode: its files are elsewhere\ninstall it without -e" % name
            )
        files = distribution.files
        if not files:
            raise Refused("the package '%s' does not tell its files (it has no RECORD)\ninstall it with pip" % name)
        for file in files:
            source = os.path.normpath(str(distribution.locate_file(file)))
            place = next((place for place in places if source.startswith(place + os.sep)), None)
            # Scripts, manual pages and the like stay behind.
            if place is None or source.endswith(LEFT_OUT_ENDINGS) or not os.path.isfile(source):
                continue
            if place not in self.sources:
                self.sources.append(place)
            self.copy(source, os.path.join(self.site_packages, os.path.relpath(source, place)))
        send("package", "%s %s" % (name, distribution.version))

    # -- C libraries --

    def copy_libraries(self):
        queue = dict(self.native)
        copied = {}
        for target, source, needs in dependencies(queue):
            missing = sorted(name for name, path in needs.items() if path is None and not OF_THE_SYSTEM.match(name))
            if missing:
                send(
                    "warning",
                    "%s is left out: it needs %s, which this machine does not have\ninstall the library, or leave the "
                    "module out with --exclude" % (os.path.relpath(target, self.stdlib), ", ".join(missing)),
                )
                os.unlink(target)
                continue
            uses = False
            for name, path in sorted(needs.items()):
                if path is None or OF_THE_SYSTEM.match(name) or any(inside(path, place) for place in self.sources):
                    continue
                uses = True
                if name not in copied:
                    copied[name] = os.path.join(self.lib, name)
                    self.copy(path, copied[name])
                    send("library", name)
            if uses:
                send("links", os.path.relpath(target, self.target))
        # They need each other; all are beside each other.
        for target in copied.values():
            send("links", os.path.relpath(target, self.target))

    # -- bytecode --

    def compile(self):
        """Bytecode that is good wherever the files go and whatever times they then have."""
        for directory, names, files in os.walk(self.lib):
            names.sort()
            for name in files:
                if not name.endswith(".py"):
                    continue
                path = os.path.join(directory, name)
                try:
                    py_compile.compile(
                        path,
                        dfile=os.path.relpath(path, self.target),
                        doraise=True,
                        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                    )
                except (py_compile.PyCompileError, ValueError, RecursionError):
                    # Templates, and code for other versions, that nobody imports.
                    pass


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def site_directories():
    """The site-packages of this Python: a virtual environment's first, as far as it sees others."""
    prefixes = []
    venv = None
    place = os.path.dirname(os.path.abspath(sys.executable))
    for directory in (os.path.dirname(place), place):
        if os.path.isfile(os.path.join(directory, "pyvenv.cfg")):
            venv = directory
            break
    if venv is None:
        prefixes = [sys.base_prefix]
    else:
        prefixes = [venv]
        with open(os.path.join(venv, "pyvenv.cfg")) as config:
            for line in config:
                key, _, value = line.partition("=")
                if key.strip() == "include-system-site-packages" and value.strip().lower() == "true":
                    prefixes.append(sys.base_prefix)
    places = []
    for prefix in prefixes:
        # Debian's differ from others', and a venv's from Debian's.
        values = {"base": prefix, "platbase": prefix, "installed_base": prefix, "installed_platbase": prefix}
        scheme = "venv" if prefix == venv and "venv" in sysconfig.get_scheme_names() else "posix_prefix"
        paths = [sysconfig.get_path(key, scheme, values) for key in ("purelib", "platlib")]
        for path in paths + site.getsitepackages([prefix]):
            path = os.path.normpath(path)
            if path not in places and os.path.isdir(path):
                places.append(path)
    return places


def add_with_requirements(name, found, wanted):
    if name in wanted:
        return
    distribution = found[name]
    wanted[name] = distribution
    for requirement in distribution.requires or ():
        words, _, marker = requirement.partition(";")
        other = normal(re.match(r"[A-Za-z0-9._-]+", words.strip()).group())
        if re.search(r"\bextra\b", marker):
            continue
        if other in found:
            add_with_requirements(other, found, wanted)
        elif not marker:
            raise Refused(
                "the package '%s' needs '%s', which is not installed in %s\ninstall it there"
                % (distribution.metadata["Name"], other, sys.executable)
            )


def inside(path, directory):
    return os.path.realpath(path).startswith(os.path.realpath(directory) + os.sep)


def dependencies(native):
    """(target, source, {name: path or None}) of each file: what the dynamic linker finds for it here."""
    targets = sorted(native)
    for start in range(0, len(targets), 50):
        batch = targets[start : start + 50]
        sources = [native[target] for target in batch]
        try:
            # The name of the file is a line of its own when there are several.
            told = subprocess.run(["ldd", *sources, sources[0]], capture_output=True, text=True, errors="surrogateescape").stdout
        except OSError as error:
            raise Refused(
                "the command ldd, which tells what C libraries the modules need, cannot be run: %s\ninstall it: "
                "`libc-bin` on Debian and Ubuntu, `glibc-common` on Fedora" % error.strerror
            )
        needs = {}
        current = None
        for line in told.splitlines():
            if not line[:1].isspace():
                current = needs.setdefault(line.rstrip(":"), {})
                continue
            name, arrow, rest = line.strip().partition(" => ")
            if arrow and current is not None:
                path = rest.rpartition(" (")[0] or rest
                current[name] = path if path.startswith("/") else None
        for target, source in zip(batch, sources):
            yield target, source, needs.get(source, {})


def main():
    wishes = json.loads(sys.argv[1])
    bundle = Bundle(wishes["target"], set(wishes["excluded"]))
    library = "lib%s.so.1.0" % bundle.version
    bundle.copy(wishes["libpython"], os.path.join(bundle.lib, library))
    # First what can be refused.
    bundle.copy_packages(wishes["packages"], wishes["all_packages"])
    bundle.copy_stdlib()
    bundle.copy_libraries()
    bundle.compile()


try:
    main()
except Refused as refused:
    send("error", str(refused))
except OSError as error:
    send("error", "cannot copy %s: %s\nsee whether there is room, and whether it may be read" % (error.filename, error.strerror))
out.flush()
