"""What the C tests are built from: plugins (by the `keelback` command), hosts (by the C compiler), runs.

Everything is built once per session and content: two tests that ask for the same plugin get the same file.
"""

import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent

# Generous: a machine under load must not fail a test. A test that hangs is a deadlock, and ends here.
TIMEOUT = 120


def keelback():
    """The command under test: $KEELBACK, else what `cargo build` made in this checkout, else the one on the PATH."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target"))
    built = target / "debug/keelback"
    found = os.environ.get("KEELBACK") or (built if built.exists() else shutil.which("keelback"))
    if not found:
        raise RuntimeError("there is no `keelback` command: run `cargo build`, or set KEELBACK to it (CONTRIBUTING.md)")
    return os.path.abspath(found)


def python():
    """The Python that plugins are built for: $PYTHON, else the one that runs the tests; never a venv's."""
    return os.environ.get("PYTHON") or getattr(sys, "_base_executable", None) or sys.executable


# Set by tools/aarch64: the beginning of a command that runs a program of another machine, and the runtime for it. The
# `cc` on the PATH is that machine's then, and $PYTHON its libpython.
EMULATOR = os.environ.get("KEELBACK_TEST_EMULATOR", "").split()
EMULATED_RUNTIME = os.environ.get("KEELBACK_TEST_RUNTIME", "")


def is_foreign(program):
    """Whether the file is a program for AArch64."""
    try:
        with open(program, "rb") as file:
            return file.read(20)[18:] == b"\xb7\0"
    except OSError:
        return False


def clean_environment():
    """The environment of every build and run: nothing that steers Python, Keelback, the linker or the locale."""
    steers = re.compile(r"PYTHON|KEELBACK|VIRTUAL_ENV|PYENV|LD_|LC_|LANG|CARGO|RUST|NO_COLOR|MAKE")
    return {key: value for key, value in os.environ.items() if not steers.match(key)}


@dataclasses.dataclass
class Ran:
    """How a process ended. Compare it with `Ran(stdout, stderr, code)`: pytest then shows every difference."""

    stdout: str = ""
    stderr: str = ""
    code: int = 0


@dataclasses.dataclass(frozen=True)
class Plugin:
    """A built plugin: `library` is the shared library or, with `--emit c`, the C file."""

    name: str
    directory: pathlib.Path
    library: pathlib.Path
    stderr: str


class Workshop:
    """Builds plugins and hosts in one directory, and runs programs there."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.built = {}

    # -- building --

    def plugin(self, cdef, init, *, name="plugin", args=(), source=None, emit=False, python=python(), env=None):
        """`keelback build`. `cdef`, `init` and `source` are paths, or the text itself."""
        cdef, init, source = text_of(cdef), text_of(init), text_of(source)
        args = [str(arg) for arg in args]
        key = ("plugin", cdef, init, source, name, tuple(args), emit, str(python), tuple(sorted((env or {}).items())))
        return self.once(key, name, lambda place: self.make_plugin(place, cdef, init, source, name, args, emit, python, env))

    def make_plugin(self, place, cdef, init, source, name, args, emit, python, env):
        (place / "api.h").write_text(cdef)
        (place / "init.py").write_text(init)
        command = [keelback(), "build", "api.h", "--init", "init.py", "--name", name]
        if source is not None:
            (place / "prelude.c").write_text(source)
            command += ["--source", "prelude.c"]
        if python is not None:
            command += ["--python", str(python)]
        library = place / (f"{name}.c" if emit else f"lib{name}.so")
        if EMULATOR:
            command.append("--no-runtime-check")
        command += (["--emit", "c"] if emit else []) + ["-o", library.name, "--header", f"{name}.h", *args]
        ran = self.run(*command, cwd=place, env=env)
        assert ran.code == 0, f"{' '.join(command)}\n{ran.stderr}"
        return Plugin(name, place, library, ran.stderr)

    def host(self, source, *plugins, link=True, cxx=False, cc=None, flags=(), suffix=None):
        """Compiles a host without a warning. It finds the plugins' headers, and is linked to the plugins if `link`.

        A plugin made with `emit=True` is compiled into the program.
        """
        name = source.stem if isinstance(source, pathlib.Path) else "host"
        suffix = suffix or (source.suffix if isinstance(source, pathlib.Path) else (".cpp" if cxx else ".c"))
        source = text_of(source)
        compiler = cc or ("c++" if cxx else "cc")
        key = ("host", source, plugins, link, compiler, tuple(flags))

        def make(place):
            (place / (name + suffix)).write_text(source)
            command = [compiler, "-Wall", "-Wextra", "-Werror", "-g", "-O1", f"-I{HERE / 'include'}", "-pthread", name + suffix]
            for plugin in plugins:
                command.append(f"-I{plugin.directory}")
                if plugin.library.suffix == ".c":
                    command.append(str(plugin.library))
                elif link:
                    command += [f"-L{plugin.directory}", f"-l{plugin.name}", f"-Wl,-rpath,{plugin.directory}"]
            ran = self.run(*command, *flags, "-ldl", "-lm", "-o", name, cwd=place)
            assert ran == Ran(), f"{' '.join(command)}\n{ran.stdout}{ran.stderr}"
            return place / name

        return self.once(key, name, make)

    def once(self, key, name, make):
        digest = hashlib.sha256(repr(key).encode()).hexdigest()[:10]
        if digest not in self.built:
            place = self.directory / f"{name}-{digest}"
            place.mkdir()
            self.built[digest] = make(place)
        return self.built[digest]

    # -- running --

    def run(self, *command, env=None, cwd=None, stdin="", timeout=TIMEOUT, normalise=True):
        """Runs a program in the clean environment and `env` (None removes a variable). Its texts come back
        normalised: addresses as 0x..., this session's directory as <tmp>."""
        environment = clean_environment()
        for key, value in (env or {}).items():
            environment.pop(key, None)
            if value is not None:
                environment[key] = str(value)
        if EMULATOR and is_foreign(command[0]):
            command = [*EMULATOR, *command]
            environment.setdefault("KEELBACK_RUNTIME", EMULATED_RUNTIME)
        ended = subprocess.run(
            [str(part) for part in command],
            env=environment,
            cwd=cwd or self.directory,
            input=stdin.encode(),
            capture_output=True,
            timeout=timeout,
        )
        stdout, stderr = ended.stdout.decode(), ended.stderr.decode()
        if normalise:
            stdout, stderr = self.normalise(stdout), self.normalise(stderr)
        return Ran(stdout, stderr, ended.returncode)

    def normalise(self, text):
        text = re.sub(re.escape(str(self.directory)) + r"/(?:([\w.]+)-[0-9a-f]{10}(?=/))?", lambda m: f"<tmp>/{m[1] or ''}", text)
        text = text.replace(str(self.directory), "<tmp>")
        return re.sub(r"\b0x[0-9a-f]{6,}", "0x...", text)


def text_of(source):
    """The text of a path; a text itself without its indentation."""
    if isinstance(source, pathlib.Path):
        return source.read_text()
    return None if source is None else textwrap.dedent(source).lstrip("\n")


def ask(executable, code):
    """What a plain Python prints for `code`, or None when it fails."""
    ended = subprocess.run([executable, "-c", code], env=clean_environment(), capture_output=True, text=True, timeout=TIMEOUT)
    return ended.stdout if ended.returncode == 0 else None


def version_of(executable):
    """"3.11"; "3.14t" of one without a GIL."""
    told = ask(executable, "import sys; print('%d.%d' % sys.version_info[:2] + 't' * ('t' in sys.abiflags))")
    return None if told is None else told.strip()


def other_python():
    """A Python with a shared libpython of another version than `python()`: (executable, version), else skips the test."""
    import pytest

    own = version_of(python())
    names = [f"python3.{minor}" for minor in range(10, 20)]
    places = [*os.environ.get("PATH", "").split(os.pathsep), *map(str, pathlib.Path.home().glob(".pyenv/versions/3.*/bin"))]
    for name in names:
        for place in places:
            executable = os.path.join(place, name)
            version = version_of(executable) if os.path.exists(executable) and "shims" not in place else None
            if version not in (None, own) and libpython_of(executable):
                return executable, version
    pytest.skip(f"this machine has no second Python, with a shared libpython, besides {own}")


def planted_venv(place):
    """The path of a Python that is none, in a venv that says EVIL when a Python takes it for its own."""
    site = place / "planted" / "lib" / f"python{version_of(python())}" / "site-packages"
    site.mkdir(parents=True)
    (place / "planted" / "pyvenv.cfg").write_text(f"home = {os.path.dirname(python())}\n")
    (site / "evil.pth").write_text("import os; os.write(2, b'EVIL\\n')\n")
    return place / "planted" / "bin" / "python"


def libpython_of(executable):
    """The path of a Python's libpython, or None."""
    told = ask(
        executable,
        "import os, sys, sysconfig; get = sysconfig.get_config_var\n"
        "for place in (get('LIBDIR'), os.path.join(sys.base_prefix, 'lib', get('MULTIARCH') or ''), os.path.join(get('LIBDIR'), get('MULTIARCH') or '')):\n"
        "    path = os.path.join(place, get('INSTSONAME') or '')\n"
        "    if path.endswith('.so.1.0') and os.path.exists(path):\n"
        "        print(path); break\n",
    )
    return (told or "").strip() or None


def hiding(*paths):
    """The beginning of a command that runs in a mount namespace where these files are not there; skips the test where
    that cannot be had."""
    import pytest

    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no unshare (Debian: util-linux)")
    # A directory becomes an empty one. Files are deleted in an overlay, so never a directory: what is deleted must be
    # the overlay's even if this is wrong one day.
    script = "set -e; work=$(mktemp -d); mount -t tmpfs none $work\n"
    for number, directory in enumerate(sorted({os.path.dirname(path) for path in paths if not os.path.isdir(path)})):
        script += (
            f"mkdir $work/upper{number} $work/work{number}; mount -t overlay overlay "
            f"-o lowerdir='{directory}',upperdir=$work/upper{number},workdir=$work/work{number} '{directory}'\n"
            f"touch '{directory}/.hidden'; test -e $work/upper{number}/.hidden\n"
        )
    for path in paths:
        script += f"mount -t tmpfs none '{path}'\n" if os.path.isdir(path) else f"rm '{path}'\n"
    script += 'exec "$@"'
    command = [unshare, "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    tried = subprocess.run([*command, shutil.which("true")], env=clean_environment(), capture_output=True, text=True, timeout=TIMEOUT)
    if tried.returncode != 0:
        pytest.skip(f"files cannot be hidden here: {tried.stderr.strip()}")
    return command
