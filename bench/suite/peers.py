"""Builds what the benchmarks run: a plugin of ../embedding/api.h and modules for calls from Python, of each peer."""
import importlib.metadata
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import python_to_c

HERE = Path(__file__).resolve().parent.parent
SOURCES = HERE / "peers"
EMBEDDING = HERE / "embedding"


def run(command, **options):
    """Runs a command and returns what it printed; ends the program with all of that where it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


class Builder:
    """Builds into a folder, for the Python that runs this."""

    def __init__(self, folder, keelback):
        self.folder = Path(folder)
        self.keelback = keelback
        self.cc = os.environ.get("CC", "cc")
        self.libdir = sysconfig.get_config_var("LIBDIR")
        version = sysconfig.get_config_var("LDVERSION")
        self.compile = [self.cc, "-O3", "-shared", "-fPIC", f"-I{sysconfig.get_path('include')}", f"-I{self.folder}"]
        self.libpython = [f"-L{self.libdir}", f"-lpython{version}", f"-Wl,-rpath,{self.libdir}"]
        self.extension = sysconfig.get_config_var("EXT_SUFFIX")
        # The plugins must not find what this process is told to import.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        # An embedded CPython looks for its installation from the `python3` of PATH: all of them start in the same virtual
        # environment, whatever the .pth files of the installation import.
        clean["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), clean.get("PATH", os.defpath)])
        self.environment = clean
        # CFFI's plugin finds its backend only with help.
        self.cffi_environment = clean | {"LD_LIBRARY_PATH": self.libdir, "PYTHONPATH": sysconfig.get_path("purelib")}
        self.folder.mkdir(parents=True, exist_ok=True)

    def host(self, name):
        program = self.folder / name
        run([self.cc, "-O2", "-o", program, EMBEDDING / f"{name}.c", "-ldl", "-lpthread"])
        return program

    def plugins(self, names):
        """{peer: (the plugin, its environment)}"""
        return {name: getattr(self, f"plugin_{name}")() for name in names}

    def build_keelback(self, library, *more):
        run(
            [self.keelback, "build", EMBEDDING / "api.h", "--init", EMBEDDING / "plugin.py", "--name", "bench_plugin",
             "--python", sys.executable, "-q", "-o", library, *more], env=self.environment | {"CFLAGS": "-O3"},
        )  # fmt: skip

    def plugin_keelback(self):
        library = self.folder / "libbench_keelback.so"
        self.build_keelback(library)
        self.build_keelback(self.folder / "libbench_keelback_nosite.so", "--no-site")
        return library, self.environment

    def plugin_cffi(self):
        run([sys.executable, EMBEDDING / "build_cffi.py", EMBEDDING], cwd=self.folder)
        return self.folder / "libbench_cffi.so", self.cffi_environment

    def plugin_c(self):
        library = self.folder / "libbench_kept.so"
        run([*self.compile, "-DKEPT", "-o", library, SOURCES / "embedded.c", *self.libpython])
        return library, self.environment

    def plugin_ensure(self):
        library = self.folder / "libbench_gilstate.so"
        run([*self.compile, "-o", library, SOURCES / "embedded.c", *self.libpython])
        return library, self.environment

    def cython(self, name):
        """Translates NAME.pyx; returns the C file."""
        source = self.folder / f"{name}.c"
        run([sys.executable, "-m", "cython", "-3", SOURCES / f"{name}.pyx", "-o", source])
        return source

    def plugin_cython(self):
        source, library = self.cython("cython_embedded"), self.folder / "libbench_cython.so"
        run([*self.compile, "-o", library, SOURCES / "cython_start.c", source, *self.libpython])
        return library, self.environment

    def plugin_pyo3(self):
        self.c_library()
        target = self.folder / "pyo3"
        environment = os.environ | {"PYO3_PYTHON": sys.executable, "RUSTFLAGS": ""}
        run(
            ["cargo", "rustc", "--quiet", "--release", "--manifest-path", SOURCES / "pyo3/Cargo.toml", "--target-dir", target,
             "--", "-L", self.folder, *(f"-Clink-arg={part}" for part in [*self.libpython, f"-Wl,-rpath,{self.folder}"])],
            env=environment,
        )  # fmt: skip
        return target / "release/libbench_pyo3.so", self.environment

    # For Python.

    def c_library(self):
        """The C functions of python_to_c.py, in a library of their own, and their header."""
        library, source = self.folder / "libbench.so", self.folder / "bench.c"
        (self.folder / "bench.h").write_text(python_to_c.CDEF)
        source.write_text(python_to_c.C_SOURCE)
        run([self.cc, "-shared", "-fPIC", "-O2", "-o", library, source])
        return library

    def modules(self, names):
        """Builds what calls_from_python.py imports, of the peers that are such modules."""
        link = [f"-L{self.folder}", "-lbench", f"-Wl,-rpath,{self.folder}"]
        self.c_library()
        if "c" in names:
            for module, flags in [("bench_c", []), ("bench_c_held", ["-DHELD"])]:
                run([*self.compile, *flags, "-o", self.folder / f"{module}{self.extension}", SOURCES / "by_hand.c", *link])
        if "cython" in names:
            module = self.folder / f"cython_calls{self.extension}"
            run([*self.compile, "-o", module, self.cython("cython_calls"), *link])
        if "pyo3" in names:
            module = self.folder / f"bench_pyo3{self.extension}"
            module.unlink(missing_ok=True)
            module.symlink_to(self.plugin_pyo3()[0])


def versions(keelback):
    """What was measured with."""
    import cffi

    found = {"python": sys.version.split()[0], "cffi": cffi.__version__, "keelback": run([keelback, "--version"]).strip()}
    found["cc"] = run([os.environ.get("CC", "cc"), "--version"]).splitlines()[0]
    try:
        found["cython"] = importlib.metadata.version("Cython")
    except importlib.metadata.PackageNotFoundError:
        pass
    toml = (SOURCES / "pyo3/Cargo.toml").read_text()
    found["pyo3"] = toml.split('pyo3 = { version = "=')[1].split('"')[0]
    return found
