"""Where Python and the runtime come from: each step of the order in docs/embedding.md, and each before the next."""

import collections
import os
import shutil
import subprocess
import tempfile

import pytest
from harness import TIMEOUT, Ran, ask, clean_environment, libpython_of, python, version_of, planted_venv

VERSION = version_of(python())
BASE = VERSION.rstrip("t")
PREFIX = (ask(python(), "import sys; print(sys.base_prefix)") or "").strip()

Found = collections.namedtuple("Found", "prefix executable libpython runtime")


@pytest.fixture(scope="module")
def runtime(plugin, host, here, run):
    """The path of the runtime that plugins record."""
    made = plugin(here / "api.h", here / "init.py", name="which")
    return look(run, host(here / "host.c", made)).runtime


@pytest.fixture(scope="module")
def recorded(plugin, here):
    """A plugin that records everything."""
    return plugin(here / "api.h", here / "init.py", name="which")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """The same Python again, in another place: the prefix."""
    place = tmp_path_factory.mktemp("other") / "python"
    (place / "lib").mkdir(parents=True)
    (place / "bin").mkdir()
    shutil.copy(libpython_of(python()), place / "lib")
    (place / "lib" / f"python{VERSION}").symlink_to(f"{PREFIX}/lib/python{VERSION}")
    executable = place / "bin" / f"python{VERSION}"
    executable.write_text("")
    executable.chmod(0o755)
    return place


def library_of(place):
    return str(place / "lib" / os.path.basename(libpython_of(python())))


def look(run, program, *arguments, **env):
    ran = run(program, *arguments, env=env, normalise=False)
    assert (ran.code, ran.stderr) == (0, ""), ran
    return Found(*ran.stdout.splitlines())


# -- Python --


def test_1_a_python_in_the_process(recorded, host, here, run, other):
    """Not started by anybody, and hidden: it is taken all the same, also before KEELBACK_PYTHON."""
    program = host(here / "host.c", recorded)
    assert look(run, program, library_of(other))[:3:2] == (str(other), library_of(other))
    assert look(run, program, library_of(other), KEELBACK_PYTHON=libpython_of(python()))[:3:2] == (str(other), library_of(other))
    # The one that is recorded: what is recorded with it counts.
    assert look(run, program, libpython_of(python()))[:2] == (PREFIX, python())


def test_2_the_variable(recorded, host, here, run, other):
    program = host(here / "host.c", recorded)
    assert look(run, program, KEELBACK_PYTHON=library_of(other))[:3:2] == (str(other), library_of(other))
    executable = str(other / "bin" / f"python{VERSION}")
    assert look(run, program, KEELBACK_PYTHON=executable)[:3] == (str(other), executable, library_of(other))
    # Empty is as good as not set.
    assert look(run, program, KEELBACK_PYTHON="").prefix == PREFIX


def test_2_of_two_kinds_in_one_prefix(recorded, host, here, run, tmp_path):
    """An executable's name, or its virtual environment's, says whether its Python has a GIL."""
    library, kinds = libpython_of(python()), {}
    (tmp_path / "lib").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib" / f"python{VERSION}").symlink_to(f"{PREFIX}/lib/python{VERSION}")
    for kind in ("", "t"):
        shutil.copy(library, tmp_path / "lib" / f"libpython{BASE}{kind}.so.1.0")
        executable = tmp_path / "bin" / f"python{BASE}{kind}"
        executable.write_text("")
        executable.chmod(0o755)
        venv = tmp_path / f"venv{kind}"
        (venv / "bin").mkdir(parents=True)
        copy = venv / "bin" / "python"
        shutil.copy(executable, copy)
        (venv / "pyvenv.cfg").write_text(f"home = {executable.parent}\nversion = {BASE}.1\nexecutable = {executable}\n")
        kinds[kind] = [executable, copy]
    program = host(here / "host.c", recorded)
    for kind, executables in kinds.items():
        for executable in executables:
            found = look(run, program, KEELBACK_PYTHON=executable)
            assert found.libpython == str(tmp_path / "lib" / f"libpython{BASE}{kind}.so.1.0")


# 3, the bundle, is in c-tests/bundle.


def test_4_the_recorded_one(recorded, host, here, run, other):
    found = look(run, host(here / "host.c", recorded), LD_LIBRARY_PATH=other / "lib")
    assert found[:3] == (PREFIX, python(), os.path.realpath(libpython_of(python())))


def test_5_the_system_s(plugin, host, here, run, other, tmp_path):
    """The recorded one is gone; the dynamic linker knows one."""
    gone = tmp_path / os.path.basename(libpython_of(python()))
    shutil.copy(libpython_of(python()), gone)
    made = plugin(here / "api.h", here / "init.py", name="which", python=gone)
    gone.unlink()
    found = look(run, host(here / "host.c", made), LD_LIBRARY_PATH=other / "lib")
    assert found[:3:2] == (str(other), library_of(other))


# -- The runtime --


def placed(made, host, here, place):
    """Plugin and host in a directory of their own."""
    program = host(here / "host.c", made, link=False, flags=["-Wl,-rpath,$ORIGIN", f"-L{made.directory}", "-lwhich"])
    shutil.copy(made.library, place)
    shutil.copy(program, place / "host")
    return place / "host"


def test_the_runtime_s_order(recorded, host, here, run, runtime, tmp_path):
    """The variable, then beside the plugin (with Python's version in its name, then without), then the recorded one."""
    program = placed(recorded, host, here, tmp_path)
    assert look(run, program).runtime == runtime
    beside = tmp_path / "libkeelback_runtime.so"
    shutil.copy(runtime, beside)
    assert look(run, program).runtime == str(beside)
    named = tmp_path / f"libkeelback_runtime-{VERSION}.so"
    beside.rename(named)
    shutil.copy(runtime, beside)
    assert look(run, program).runtime == str(named)
    (tmp_path / "wished").mkdir()
    wished = tmp_path / "wished" / "libkeelback_runtime.so"
    beside.rename(wished)
    assert look(run, program, KEELBACK_RUNTIME=wished).runtime == str(wished)
    assert look(run, program, KEELBACK_RUNTIME="").runtime == str(named)


def test_the_package_comes_last(plugin, host, here, run, runtime, tmp_path):
    """The runtime of a virtual environment's package, for a plugin that records none or one that is gone."""
    suffix = ask(python(), "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))").strip()
    environment = tmp_path / "venv"
    subprocess.run([python(), "-m", "venv", "--without-pip", environment], check=True, env=clean_environment(), timeout=TIMEOUT)
    package = environment / "lib" / f"python{VERSION}" / "site-packages" / "keelback"
    package.mkdir()
    shutil.copy(runtime, package / f"_runtime{suffix}")
    installed = str(package / f"_runtime{suffix}")
    venv_python = str(environment / "bin" / "python")
    none = plugin(here / "api.h", here / "init.py", name="which", args=["--no-runtime-check"])
    assert look(run, host(here / "host.c", none), KEELBACK_PYTHON=venv_python)[1::2] == (venv_python, installed)
    copy = tmp_path / "libkeelback_runtime.so"
    shutil.copy(runtime, copy)
    gone = plugin(here / "api.h", here / "init.py", name="which", env={"KEELBACK_RUNTIME": str(copy)})
    program = host(here / "host.c", gone)
    assert look(run, program, KEELBACK_PYTHON=venv_python).runtime == str(copy)
    copy.unlink()
    assert look(run, program, KEELBACK_PYTHON=venv_python).runtime == installed


# -- One file and a Python --


@pytest.fixture(scope="module")
def standalone(plugin, here, runtime, tmp_path_factory):
    """A plugin that carries its runtime. The file that it was made from is gone."""
    copy = tmp_path_factory.mktemp("runtime") / "libkeelback_runtime.so"
    shutil.copy(runtime, copy)
    made = plugin(here / "api.h", here / "init.py", name="which", args=["--standalone"], env={"KEELBACK_RUNTIME": str(copy)})
    copy.unlink()
    return made


def test_standalone(standalone, host, here, run, runtime, tmp_path):
    program = placed(standalone, host, here, tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["host", "libwhich.so"]
    assert look(run, program).runtime == "/memfd:keelback-runtime (deleted)"
    # What it carries comes before what is beside it, and after the variable.
    shutil.copy(runtime, tmp_path / "libkeelback_runtime.so")
    assert look(run, program).runtime == "/memfd:keelback-runtime (deleted)"
    beside = str(tmp_path / "libkeelback_runtime.so")
    assert look(run, program, KEELBACK_RUNTIME=beside).runtime == beside


def test_standalone_where_memory_is_no_file(standalone, host, here, run, tmp_path):
    """memfd_create is refused: the runtime is a file for a moment."""
    program = host(here / "host.c", standalone, flags=["-DREFUSE_MEMFD", "-rdynamic"])
    found = look(run, program, TMPDIR=tmp_path)
    assert found.runtime.startswith(f"{tmp_path}/keelback-") and found.runtime.endswith("/libkeelback_runtime.so (deleted)")
    assert os.listdir(tmp_path) == []
    # Without TMPDIR: in /tmp.
    found = look(run, program, TMPDIR=None)
    assert found.runtime.startswith("/tmp/keelback-") and not os.path.exists(os.path.dirname(found.runtime))


def test_standalone_that_cannot_be_unpacked(standalone, host, here, run):
    """Neither memory nor a directory: the message says so."""
    program = host(here / "host.c", standalone, flags=["-DREFUSE_MEMFD", "-rdynamic"])
    ran = run(program, env={"TMPDIR": "/nonexistent/tmp"}, normalise=False)
    assert (ran.stdout, ran.code) == ("nothing\n", 0)
    lines = ran.stderr.splitlines()
    assert lines[0].startswith(f"which: no Keelback runtime for Python {VERSION} (") and lines[0].endswith(") could be loaded. Tried:")
    assert lines[1:3] == ["  KEELBACK_RUNTIME: not set", "  the runtime inside the plugin: cannot make a directory in /nonexistent/tmp"]


CLOSED_HOST = """
    #include <fcntl.h>
    #include <stdio.h>
    #include <string.h>
    #include <unistd.h>
    #include "which.h"

    #ifdef REFUSE_MEMFD
    int memfd_create(const char *name, unsigned int flags);
    int memfd_create(const char *name, unsigned int flags) { (void)name, (void)flags; return -1; }
    #endif

    int main(int argc, char **argv)
    {
        const char *digit, *text;
        int out = fcntl(1, F_DUPFD, 50), number;
        for (digit = argv[argc - 1]; *digit != 0; digit++)
            close(*digit - '0');
        text = found();
        for (number = 0; number < 3; number++)
            if (fcntl(number, F_GETFD) < 0)
                dprintf(out, "%d is closed\\n", number);
        dprintf(out, "open() gives %d\\n", open("/dev/null", O_RDWR));
        dprintf(out, "%s\\n", text == NULL ? "nothing" : strrchr(text, '/') + 1);
        return 0;
    }
"""


@pytest.mark.parametrize("closed", ["0", "1", "2", "12", "012"])
@pytest.mark.parametrize("refused", [False, True], ids=["memfd", "file"])
def test_standalone_with_closed_standard_streams(standalone, host, run, closed, refused):
    """The runtime is none of them: the next file that the host opens is, and Python prints into nothing else."""
    program = host(CLOSED_HOST, standalone, flags=["-DREFUSE_MEMFD", "-rdynamic"] if refused else [])
    ran = run(program, closed)
    name = "libkeelback_runtime.so" if refused else "memfd:keelback-runtime"
    lines = [*(f"{number} is closed" for number in closed), f"open() gives {closed[0]}", f"{name} (deleted)"]
    assert ran == Ran("".join(line + "\n" for line in lines))


def test_two_standalone_plugins_share_a_runtime(standalone, plugin, here, host, run, runtime):
    second = plugin("int twice(int n);", "from second import ffi\n\n@ffi.def_extern()\ndef twice(n):\n    return 2 * n\n", name="second", args=["--standalone"])
    program = host(
        """
        #include <stdio.h>
        #include <string.h>
        #include "second.h"
        #include "which.h"

        int main(void)
        {
            char line[4096];
            int runtimes = 0;
            FILE *maps;
            printf("%d\\n", twice(21));
            found();
            maps = fopen("/proc/self/maps", "r");
            while (fgets(line, sizeof line, maps))
                runtimes += strstr(line, "keelback-runtime") != NULL && strstr(line, "r-xp") != NULL;
            printf("%d\\n", runtimes);
            return 0;
        }
        """,
        second,
        standalone,
    )
    assert run(program).stdout == "42\n1\n"


# -- Raised privileges --


@pytest.fixture(params=["set-group-ID", "set-user-ID"])
def privileged(request):
    """privileged(program): a copy that runs with raised privileges, and how to start it."""
    if os.getuid() != 0:
        pytest.skip("only root can make a program that changes its user or group")
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chmod(place, 0o755)

        def raise_privileges(program):
            copy = os.path.join(place, "host")
            shutil.copy(program, copy)
            if request.param == "set-group-ID":
                os.chown(copy, -1, 65534)
                os.chmod(copy, 0o2755)
                return copy, {}
            # Run by nobody, as root.
            os.chmod(copy, 0o4755)
            return copy, {"user": 65534, "group": 65534, "extra_groups": []}

        yield raise_privileges


def look_privileged(privileged, program, env):
    copy, who = privileged(program)
    ended = subprocess.run([copy], env={**clean_environment(), **env}, capture_output=True, text=True, timeout=TIMEOUT, cwd="/", **who)
    assert (ended.returncode, ended.stderr) == (0, "")
    return Found(*ended.stdout.splitlines())


def test_privileged_programs_are_not_steered(privileged, recorded, host, here, run, runtime, other):
    program = host(here / "host.c", recorded)
    nowhere = {"KEELBACK_PYTHON": "/nonexistent/python3", "KEELBACK_RUNTIME": "/nonexistent/runtime.so"}
    # They do steer another.
    assert run(program, env=nowhere).stdout == "nothing\n"
    for env in (nowhere, {"KEELBACK_PYTHON": library_of(other)}, {"LD_LIBRARY_PATH": str(other / "lib")}):
        found = look_privileged(privileged, program, env)
        assert (found.prefix, found.runtime) == (PREFIX, runtime)


def test_privileged_standalone(privileged, standalone, host, here, tmp_path):
    """TMPDIR does not say where the runtime is written and opened."""
    program = host(here / "host.c", standalone, flags=["-DREFUSE_MEMFD", "-rdynamic"])
    found = look_privileged(privileged, program, {"TMPDIR": str(tmp_path)})
    assert found.runtime.startswith("/tmp/keelback-")


@pytest.mark.parametrize("variable", ["PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"])
def test_privileged_programs_run_nothing_of_a_planted_venv(privileged, recorded, host, here, tmp_path, variable):
    """CPython reads these variables even when it is told to ignore the environment."""
    program = host(here / "host.c", recorded)
    found = look_privileged(privileged, program, {variable: str(planted_venv(tmp_path))})
    assert found[:2] == (PREFIX, python())
