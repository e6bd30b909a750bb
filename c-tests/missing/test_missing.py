"""Python or the runtime is missing or does not fit: the process lives, and is told what and where.

A missing part is made by naming it (KEELBACK_PYTHON, KEELBACK_RUNTIME), and by recording at build time a libpython
that is gone at run time.
"""

import os
import pathlib
import re
import shutil
import struct
import subprocess

import pytest
from harness import PROJECT, Ran, ask, libpython_of, other_python, python, version_of

VERSION = version_of(python())

CDEF = "int add(int a, int b);\nint checked(void);\nconst char *name(void);\n"
INIT = """
    from missing import ffi

    text = ffi.new("char[]", b"keelback")

    @ffi.def_extern()
    def add(a, b):
        return a + b

    @ffi.def_extern()
    def checked():
        return 1

    @ffi.def_extern()
    def name():
        return text
"""

RUNTIME_INIT = """
    from whichruntime import ffi

    with open("/proc/self/maps") as maps:
        text = ffi.new("char[]", next(line.split()[-1] for line in maps if "keelback_runtime" in line).encode())

    @ffi.def_extern()
    def runtime():
        return text
"""
RUNTIME_HOST = """
    #include <stdio.h>
    #include "whichruntime.h"

    int main(void)
    {
        puts(runtime());
        return 0;
    }
"""

# What the host prints when nothing could be started: zeros, and --error's value.
ZEROS = "add 0, checked -7, name NULL\n"
WORKS = "start 0\nadd 5, checked 1, name keelback\n"


def one_line_each(plugin, functions):
    return "".join(f"{plugin}: {name} was called, but its Python code could not be started (the reason was told before)\n" for name in functions)


@pytest.fixture(scope="module")
def missing(plugin):
    return plugin(CDEF, INIT, name="missing", args=["--error", "checked=-7"])


@pytest.fixture(scope="module")
def program(missing, host, here):
    return host(here / "host.c", missing, flags=["-D_GNU_SOURCE"])


@pytest.fixture(scope="module")
def fake_runtime(tmp_path_factory, here):
    """fake_runtime(abi, python_version): its path."""
    place = tmp_path_factory.mktemp("fake")

    def build(abi, version, *flags):
        path = place / f"{abi}-{version:x}-{len(list(place.iterdir()))}-libfake_runtime.so"
        command = ["cc", "-shared", "-fPIC", f"-DABI={abi}", f"-DPYTHON={version}", *flags, here / "fake_runtime.c", "-o", path]
        subprocess.run(command, check=True)
        return path

    return build


def abi_version():
    source = (PROJECT / "codegen" / "src" / "abi.rs").read_text()
    return int(re.search(r"KEELBACK_ABI_VERSION: u32 = (\d+)", source)[1])


def hexed(version):
    major, minor = version.split(".")
    return int(major) << 8 | int(minor.rstrip("t"))


NO_LIBPYTHON = (
    "missing: no libpython could be loaded, so Python cannot be started. Tried:\n"
    "{tried}"
    f"Install Python {VERSION} with its shared library (Debian, Ubuntu: apt install libpython{VERSION}; Fedora: dnf "
    f"install python3-libs; pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install {VERSION}), or set "
    "KEELBACK_PYTHON to the path of a libpython or of a python executable. Or put a Python beside the library: keelback "
    "bundle, where it was built.\n"
)


def assert_refused(ran, message):
    """The whole of what a host sees of a failure: the message once, a line for each further call."""
    assert ran.stderr == message + (
        "missing: add was called, but its Python code could not be started\n" + one_line_each("missing", ["checked", "name"])
    )
    line = message.splitlines()[0]
    assert ran.stdout == f"{ZEROS}last error: {line}\nstart negative\nlast error: {line}\n"
    assert ran.code == 0


def test_everything_is_there(program, run):
    assert run(program) == Ran("add 5, checked 1, name keelback\nlast error: no error\nstart 0\nlast error: no error\n")


def test_no_such_python(program, run):
    ran = run(program, env={"KEELBACK_PYTHON": "/nonexistent/bin/python3"})
    assert_refused(ran, NO_LIBPYTHON.format(tried="  KEELBACK_PYTHON: there is no file '/nonexistent/bin/python3'\n"))


def test_no_such_libpython(program, run):
    ran = run(program, env={"KEELBACK_PYTHON": "/nonexistent/libpython3.11.so.1.0"})
    assert_refused(
        ran,
        NO_LIBPYTHON.format(
            tried="  KEELBACK_PYTHON: /nonexistent/libpython3.11.so.1.0: cannot open shared object file: No such file or directory\n"
        ),
    )


def test_a_library_that_is_no_libpython(program, run, missing):
    """Named like one, and is something else."""
    other = missing.directory / "libpython3.11.so.1.0"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "/dev/null", "-o", other], check=True)
    ran = run(program, env={"KEELBACK_PYTHON": other})
    assert_refused(
        ran,
        NO_LIBPYTHON.format(
            tried="  KEELBACK_PYTHON: <tmp>/missing/libpython3.11.so.1.0 is no libpython: it has no Py_IsInitialized\n"
        ),
    )


def test_mended_python(program, run):
    """NAME_start works once the cause is mended, and then the calls do."""
    ran = run(program, "KEELBACK_PYTHON=", env={"KEELBACK_PYTHON": "/nonexistent/bin/python3"})
    line = "missing: no libpython could be loaded, so Python cannot be started. Tried:"
    assert ran.stdout == f"{ZEROS}last error: {line}\nstart negative\nlast error: {line}\n{WORKS}last error: no error\n"
    assert ran.code == 0


def test_mended_by_naming_a_libpython(program, run):
    ran = run(program, f"KEELBACK_PYTHON={libpython_of(python())}", env={"KEELBACK_PYTHON": "/nonexistent/bin/python3"})
    assert ran.stdout.endswith(WORKS + "last error: no error\n")
    assert ran.code == 0


def test_recorded_libpython_is_gone(plugin, host, run, here, tmp_path):
    """Built against a Python that is removed afterwards, and the system has none of its version by default."""
    real = libpython_of(python())
    prefix = ask(python(), "import sys; print(sys.base_prefix)").strip()
    copy = tmp_path / "python"
    (copy / "lib").mkdir(parents=True)
    shutil.copy(real, copy / "lib")
    (copy / "lib" / f"python{VERSION}").symlink_to(f"{prefix}/lib/python{VERSION}")
    recorded = copy / "lib" / os.path.basename(real)
    # An API of its own, so that no other test shares this plugin.
    built = plugin(CDEF + "/* recorded_libpython_is_gone */", INIT, name="missing", python=recorded, args=["--error", "checked=-7"])
    program = host(here / "host.c", built, flags=["-D_GNU_SOURCE"])
    assert run(program).stdout.startswith("add 5, checked 1, name keelback\nlast error: no error\n")
    shutil.rmtree(copy)
    default = f"libpython{VERSION}.so.1.0"
    # A directory before the system's ones, with a file that is no library: the default is not there either.
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / default).write_text("")
    ran = run(program, env={"LD_LIBRARY_PATH": broken})
    tried = (
        "  KEELBACK_PYTHON: not set\n"
        f"  recorded at build time: {recorded}: cannot open shared object file: No such file or directory\n"
        f"  the system's libraries: {broken}/{default}: file too short\n"
    )
    assert_refused(ran, NO_LIBPYTHON.format(tried=tried))
    # The way out that the message names.
    assert run(program, env={"KEELBACK_PYTHON": python()}).stdout.startswith("add 5, checked 1, name keelback\n")


NO_RUNTIME = (
    "missing: no Keelback runtime for Python {version} ({libpython}) could be loaded. Tried:\n"
    "{tried}"
    "Install the package keelback into that Python (pip install keelback), or set KEELBACK_RUNTIME to the path of its runtime.\n"
)


def test_no_runtime(program, run):
    ran = run(program, env={"KEELBACK_RUNTIME": "/nonexistent/libkeelback_runtime.so"})
    tried = "  KEELBACK_RUNTIME is set:\n  /nonexistent/libkeelback_runtime.so: no such file\n"
    assert_refused(ran, NO_RUNTIME.format(version=VERSION, libpython=libpython_of(python()), tried=tried))


def test_a_library_that_is_no_runtime(program, run, missing):
    other = missing.directory / "libnothing.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "/dev/null", "-o", other], check=True)
    ran = run(program, env={"KEELBACK_RUNTIME": other})
    tried = "  KEELBACK_RUNTIME is set:\n  <tmp>/missing/libnothing.so: is no Keelback runtime\n"
    assert_refused(ran, NO_RUNTIME.format(version=VERSION, libpython=libpython_of(python()), tried=tried))


def test_runtime_of_another_python(program, run, fake_runtime):
    major, minor = VERSION.split(".")
    fake = fake_runtime(abi_version(), hexed(VERSION) - 1)
    ran = run(program, env={"KEELBACK_RUNTIME": fake})
    tried = f"  KEELBACK_RUNTIME is set:\n  {fake}: it is for Python {major}.{int(minor) - 1}, and this Python is {VERSION}\n"
    assert_refused(ran, NO_RUNTIME.format(version=VERSION, libpython=libpython_of(python()), tried=tried))


def test_runtime_of_another_keelback(program, run, fake_runtime):
    fake = fake_runtime(99, hexed(VERSION))
    ran = run(program, env={"KEELBACK_RUNTIME": fake})
    own = re.search(r'version = "([^"]+)"', (PROJECT / "Cargo.toml").read_text())[1]
    tried = (
        f"  KEELBACK_RUNTIME is set:\n  {fake}: its interface to plugins is version 99 (keelback 9.9.9), "
        f"and this plugin has version {abi_version()} (keelback {own})\n"
    )
    assert_refused(ran, NO_RUNTIME.format(version=VERSION, libpython=libpython_of(python()), tried=tried))


UNMAPPABLE = "-DNEEDS=PyNothing_Nowhere"


def test_runtime_of_another_python_that_cannot_be_mapped(program, run, fake_runtime):
    """It needs a function that this Python does not have. Its file says what it is for."""
    major, minor = VERSION.split(".")
    other = f"{major}.{int(minor) + 1}"
    fake = fake_runtime(abi_version(), hexed(other), UNMAPPABLE)
    ran = run(program, env={"KEELBACK_RUNTIME": fake})
    tried = f"  KEELBACK_RUNTIME is set:\n  {fake}: it is for Python {other}, and this Python is {VERSION}\n"
    assert_refused(ran, NO_RUNTIME.format(version=VERSION, libpython=libpython_of(python()), tried=tried))


def test_runtime_of_another_keelback_that_cannot_be_mapped(program, run, fake_runtime):
    fake = fake_runtime(99, hexed(VERSION), UNMAPPABLE)
    ran = run(program, env={"KEELBACK_RUNTIME": fake})
    own = re.search(r'version = "([^"]+)"', (PROJECT / "Cargo.toml").read_text())[1]
    tried = (
        f"  KEELBACK_RUNTIME is set:\n  {fake}: its interface to plugins is version 99 (keelback 9.9.9), "
        f"and this plugin has version {abi_version()} (keelback {own})\n"
    )
    assert_refused(ran, NO_RUNTIME.format(version=VERSION, libpython=libpython_of(python()), tried=tried))


@pytest.mark.parametrize("flags", [[], ["-DOWNER_SIZE=8"], ["-DOWNER_SIZE=0xfffffff0"]], ids=["fits", "other owner", "damaged"])
def test_runtime_that_cannot_be_mapped_for_another_reason(program, run, fake_runtime, flags):
    """The versions are right, or there is no telling: then the dynamic linker's own words are the message."""
    fake = fake_runtime(abi_version(), hexed(VERSION), UNMAPPABLE, *flags)
    ran = run(program, env={"KEELBACK_RUNTIME": fake})
    tried = f"  KEELBACK_RUNTIME is set:\n  {fake}: undefined symbol: PyNothing_Nowhere\n"
    assert_refused(ran, NO_RUNTIME.format(version=VERSION, libpython=libpython_of(python()), tried=tried))


def loaded_size(path):
    """How many bytes of an ELF file are mapped: the end of its last PT_LOAD."""
    data = path.read_bytes()
    word, at = ("Q", 32) if data[4] == 2 else ("I", 28)
    (table,) = struct.unpack_from(word, data, at)
    size, count = struct.unpack_from("HH", data, 54 if data[4] == 2 else 42)
    ends = []
    for number in range(count):
        (kind,) = struct.unpack_from("I", data, table + number * size)
        if data[4] == 2:
            offset, _, _, length = struct.unpack_from("QQQQ", data, table + number * size + 8)
        else:
            offset, _, _, length = struct.unpack_from("IIII", data, table + number * size + 4)
        if kind == 1:
            ends.append(offset + length)
    return max(ends)


def cut_copies(real, place):
    """Copies of a library without their ends, with the message about each: of the headers themselves a part is missing, of what
    is mapped nearly all, much, or one byte."""
    place.mkdir()
    copy = place / os.path.basename(real)
    size = loaded_size(pathlib.Path(real))
    data = pathlib.Path(real).read_bytes()
    for length in (64, 100, 4096, 8192, size // 2, size - 4096, size - 1):
        copy.write_bytes(data[:length])
        promised = size if length > 4000 else "[0-9]+"
        yield copy, f"{copy}: the file is cut off: it has {length} bytes, and its headers promise {promised}. Copy or install it anew.\n"


def assert_said(said, pattern):
    """The text is what `pattern` says, with [0-9]+ for a number."""
    assert re.fullmatch(re.escape(pattern).replace(re.escape("[0-9]+"), "[0-9]+"), said), (said, pattern)


def test_a_runtime_cut_short(program, run, fake_runtime, real_runtime, tmp_path):
    """Mapping such a file and reading what it lacks would end the process with SIGBUS."""
    refusal = "missing: add was called, but its Python code could not be started\n" + one_line_each("missing", ["checked", "name"])
    for cut, told in cut_copies(real_runtime, tmp_path / "real"):
        ran = run(program, env={"KEELBACK_RUNTIME": cut}, normalise=False)
        assert (ran.code, ran.stdout[: len(ZEROS)]) == (0, ZEROS), ran
        tried = f"  KEELBACK_RUNTIME is set:\n  {told}"
        assert_said(ran.stderr, NO_RUNTIME.format(version=VERSION, libpython=libpython_of(python()), tried=tried) + refusal)
    # What is behind the parts that are mapped, such as the table of sections, nobody misses.
    cut.write_bytes(pathlib.Path(real_runtime).read_bytes()[: loaded_size(pathlib.Path(real_runtime))])
    assert run(program, env={"KEELBACK_RUNTIME": cut}).stdout.startswith("add 5, checked 1, name keelback\n")
    # One that cannot be mapped anyway, and whose note is looked for.
    whole = fake_runtime(abi_version(), hexed(VERSION) + 1, UNMAPPABLE).read_bytes()
    for size in (0, 3, 20, 63, 64, 100, 200, 500):
        cut = fake_runtime(abi_version(), hexed(VERSION) + 1, UNMAPPABLE)
        cut.write_bytes(whole[:size])
        ran = run(program, env={"KEELBACK_RUNTIME": cut})
        assert ran.code == 0 and ran.stdout.startswith(ZEROS), (size, ran)
        assert f"\n  {cut}: " in ran.stderr, (size, ran)


def test_a_libpython_cut_short(program, run, tmp_path):
    for cut, told in cut_copies(libpython_of(python()), tmp_path / "cut"):
        ran = run(program, env={"KEELBACK_PYTHON": cut}, normalise=False)
        assert (ran.code, ran.stdout[: len(ZEROS)]) == (0, ZEROS), ran
        message, _, _ = ran.stderr.partition("missing: add was called")
        assert_said(message, NO_LIBPYTHON.format(tried=f"  KEELBACK_PYTHON: {told}"))


def test_a_bundle_cut_short(plugin, host, here, run, real_runtime, tmp_path):
    """The files of a bundle are looked at likewise. Beside its libpython, the next one in the order is tried."""
    built = plugin(CDEF, INIT, name="missing", args=["--relocatable", "--error", "checked=-7"])
    shutil.copy(built.library, tmp_path)
    program = host(here / "host.c", built, link=False, flags=["-D_GNU_SOURCE", "-Wl,-rpath,$ORIGIN", f"-L{built.directory}", "-lmissing"])
    program = shutil.copy(program, tmp_path)
    bundle = tmp_path / "missing.keelback"
    prefix = ask(python(), "import sys; print(sys.base_prefix)").strip()
    *_, (cut, told) = cut_copies(libpython_of(python()), bundle)
    (bundle / "lib").mkdir()
    (bundle / "lib" / f"python{VERSION}").symlink_to(f"{prefix}/lib/python{VERSION}")
    cut = cut.rename(bundle / "lib" / cut.name)
    # A directory before the system's ones, so that there is no other.
    broken = tmp_path / "broken"
    broken.mkdir()
    default = f"libpython{VERSION}.so.1.0"
    (broken / default).write_text("")
    told = told.replace(str(bundle), str(bundle / "lib"))
    tried = f"  KEELBACK_PYTHON: not set\n  the bundle: {told}  the system's libraries: {broken}/{default}: file too short\n"
    ran = run(program, env={"LD_LIBRARY_PATH": broken}, normalise=False)
    message, _, _ = ran.stderr.partition("missing: add was called")
    assert (ran.code, message) == (0, NO_LIBPYTHON.format(tried=tried))
    # Its runtime.
    shutil.copy(libpython_of(python()), cut)
    *_, (runtime, told) = cut_copies(real_runtime, bundle / "runtime")
    beside = runtime.rename(bundle / "lib" / "libkeelback_runtime.so")
    ran = run(program, normalise=False)
    assert ran.code == 0 and ran.stdout.startswith(ZEROS), ran
    assert f"  {told}".replace(str(runtime), str(beside)) in ran.stderr


def test_what_looking_for_the_end_costs(program, run, tmp_path):
    """Of each library that the loader opens: it is opened, its beginning read, its end asked for, closed."""
    trace = tmp_path / "trace"
    ran = run("strace", "-y", "-e", "trace=openat,open,read,pread64,lseek,fstat,newfstatat,close", "-o", trace, program)
    assert ran.stdout.startswith("add 5, checked 1, name keelback\n")
    calls = [line.split("(")[0] + " " + line.rsplit("=", 1)[1].split("<")[0].strip() * line.startswith("lseek") for line in lines_about(trace, libpython_of(python()))]
    assert calls[:4] == ["openat ", "read ", f"lseek {os.path.getsize(libpython_of(python()))}", "close "]


def lines_about(trace, path):
    return [line for line in trace.read_text().splitlines() if os.path.realpath(path) in line or path in line]


def test_mended_runtime(program, run, fake_runtime):
    """The refused runtime does not stay in the way."""
    fake = fake_runtime(99, hexed(VERSION))
    ran = run(program, "KEELBACK_RUNTIME=", env={"KEELBACK_RUNTIME": fake})
    assert ran.stdout.endswith(WORKS + "last error: no error\n")
    assert ran.code == 0


@pytest.fixture(scope="module")
def real_runtime(plugin, host, run):
    """The path of the runtime that plugins are built with."""
    built = plugin("const char *runtime(void);", RUNTIME_INIT, name="whichruntime")
    return run(host(RUNTIME_HOST, built), normalise=False).stdout.strip()


def test_real_runtime_of_another_python(program, run, real_runtime):
    """Python and runtime are named, and do not go together: both versions are in the message."""
    other, version = other_python()
    ran = run(program, env={"KEELBACK_PYTHON": other, "KEELBACK_RUNTIME": real_runtime})
    tried = f"  KEELBACK_RUNTIME is set:\n  {real_runtime}: it is for Python {VERSION}, and this Python is {version}\n"
    assert_refused(ran, NO_RUNTIME.format(version=version, libpython=libpython_of(other), tried=tried))


def test_python_of_another_version(program, run, real_runtime):
    """KEELBACK_PYTHON names a Python that the plugin's recorded runtime is not for."""
    other, version = other_python()
    prefix = ask(other, "import sys; print(sys.base_prefix)").strip()
    if ask(other, "import keelback; print()") is not None:
        pytest.skip(f"the package keelback is installed in Python {version}")
    ran = run(program, env={"KEELBACK_PYTHON": other})
    tried = (
        "  KEELBACK_RUNTIME: not set\n"
        f"  {real_runtime}: it is for Python {VERSION}, and this Python is {version}\n"
        f"  {prefix}/lib/python{version}/site-packages/keelback: no runtime there\n"
    )
    assert_refused(ran, NO_RUNTIME.format(version=version, libpython=libpython_of(other), tried=tried))


def test_runtime_beside_the_plugin(plugin, host, run, here, tmp_path):
    """A plugin that records no runtime finds the one in its own directory."""
    maps = plugin("const char *runtime(void);", RUNTIME_INIT, name="whichruntime")
    recorded = run(host(RUNTIME_HOST, maps)).stdout.strip()
    built = plugin(CDEF, INIT, name="missing", args=["--no-runtime-check", "--error", "checked=-7"])
    shutil.copy(built.library, tmp_path / built.library.name)
    # Beside the plugin only: the plugin's own directory is looked at, not the program's.
    os.symlink(recorded, tmp_path / "libkeelback_runtime.so")
    program = host(here / "host.c", built, flags=["-D_GNU_SOURCE"])
    found = run(program, env={"LD_LIBRARY_PATH": tmp_path})
    alone = run(program)
    if ask(python(), "import keelback; print()") is not None:
        pytest.skip("the package keelback is installed: a plugin always finds a runtime")
    assert alone.stdout.startswith(ZEROS) and "no Keelback runtime for Python" in alone.stderr
    assert found == Ran("add 5, checked 1, name keelback\nlast error: no error\nstart 0\nlast error: no error\n")


def test_privileged_process_ignores_the_environment(program, run, tmp_path):
    """secure_getenv: KEELBACK_PYTHON does not steer a set-group-ID program."""
    if os.getuid() != 0:
        pytest.skip("only root can make a program that changes its group")
    nobody = tmp_path / "setgid"
    shutil.copy(program, nobody)
    os.chown(nobody, -1, 65534)
    os.chmod(nobody, 0o2755)
    ran = run(nobody, env={"KEELBACK_PYTHON": "/nonexistent/bin/python3"})
    assert ran.stdout.startswith("add 5, checked 1, name keelback\n") and ran.stderr == ""
