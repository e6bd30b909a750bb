"""examples/build-systems: each package is built and installed as a user does it, in a fresh venv, and used; then once more
as an editable one.

Needs PyPI, for the venv's build backends (python/tests/requirements.txt has them too, so pip has them at hand).
"""
import importlib.metadata
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import keelback
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "build-systems"
BACKENDS = ("setuptools", "wheel", "meson-python", "ninja", "scikit-build-core", "cmake")


def program():
    found = os.environ.get("KEELBACK") or shutil.which("keelback")
    if not found:
        pytest.skip("no command line: set KEELBACK to the built program")
    return Path(found)


def make_wheel(folder):
    """The package that is tested, as pip takes it."""
    package = Path(keelback.__file__).parent
    name = f"keelback-{keelback.__version__}"
    wheel = folder / f"{name}-py3-none-any.whl"
    info = f"{name}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in sorted(package.rglob("*")):
            if path.is_file() and path.suffix in (".py", ".pyi", ".so", ".typed"):
                archive.write(path, path.relative_to(package.parent))
        binary = zipfile.ZipInfo("keelback/bin/keelback")
        binary.external_attr = (stat.S_IFREG | 0o755) << 16
        archive.writestr(binary, program().read_bytes())
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: keelback\nVersion: {keelback.__version__}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        text = (ROOT / "pyproject.toml").read_text()
        groups = text.split('[project.entry-points."')[1:]
        entries = [group.split("\n\n")[0].replace('"]\n', "]\n", 1).replace('"', "") for group in groups]
        archive.writestr(
            f"{info}/entry_points.txt",
            "[console_scripts]\nkeelback = keelback.__main__:main\n\n"
            + "".join(f"[{group}\n\n" for group in entries),
        )
        archive.writestr(f"{info}/RECORD", "".join(f"{entry},,\n" for entry in archive.namelist()))
    return wheel


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build-systems")
    base = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([base, "-m", "venv", folder / "venv"], check=True)
    names = ("PYTHONPATH", "KEELBACK", "KEELBACK_COMMAND", "KEELBACK_RUNTIME", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment["PATH"] = os.pathsep.join([str(folder / "venv" / "bin"), environment["PATH"]])
    wanted = [f"{name}=={importlib.metadata.version(name)}" for name in BACKENDS if has(name)]
    wanted += [name for name in BACKENDS if not has(name)]
    run = Run(folder / "venv" / "bin" / "python", environment)
    run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted, make_wheel(folder), cwd=folder)
    return run


def has(name):
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


class Run:
    """Runs the venv's Python, which has to end well."""

    def __init__(self, python, environment):
        self.python = python
        self.environment = environment

    def __call__(self, *arguments, cwd):
        done = subprocess.run(
            [str(self.python), *map(str, arguments)], cwd=cwd, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def install(self, project, *options):
        self("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-build-isolation", *options, project,
             cwd=project.parent)  # fmt: skip

    def uninstall(self, name, cwd):
        self("-m", "pip", "uninstall", "--quiet", "--yes", name, cwd=cwd)


PROJECTS = {
    "setuptools": ("shapes", "print(shapes.distance((0, 0), (3, 4)))", "5.0\n"),
    "meson-python": ("counting", "print(counting.bits(255), counting.MOST)", "8 64\n"),
    "scikit-build-core": ("words", "print(words.count('two words\\n'))", "(2, 1)\n"),
}
each = pytest.mark.parametrize("name", PROJECTS)


def copied(name, tmp_path):
    return Path(shutil.copytree(EXAMPLES / name, tmp_path / name))


@each
def test_install(venv, name, tmp_path):
    package, program, expected = PROJECTS[name]
    project = copied(name, tmp_path)
    venv.install(project)
    try:
        assert venv("-c", f"import {package}; {program}", cwd=tmp_path) == expected
        where = venv("-c", f"import {package}; print({package}.__file__)", cwd=tmp_path)
        assert Path(where.strip()).is_relative_to(venv.python.parents[1])
    finally:
        venv.uninstall(package, tmp_path)


@each
def test_editable(venv, name, tmp_path):
    """What is changed in the Python files counts; the extension module is there."""
    package, program, expected = PROJECTS[name]
    project = copied(name, tmp_path)
    venv.install(project, "--editable")
    try:
        assert venv("-c", f"import {package}; {program}", cwd=tmp_path) == expected
        (init,) = [path for path in project.rglob("__init__.py") if "build" not in path.parts]
        init.write_text(init.read_text() + "\nCHANGED = 'seen'\n")
        assert venv("-c", f"import {package}; print({package}.CHANGED)", cwd=tmp_path) == "seen\n"
    finally:
        venv.uninstall(package, tmp_path)


def test_setuptools_in_place(venv, tmp_path):
    """`setup.py build_ext --inplace`, the older way to work on a package; the name of the product is of no one Python."""
    project = copied("setuptools", tmp_path)
    venv("setup.py", "--quiet", "build_ext", "--inplace", cwd=project)
    assert [path.name for path in (project / "src/shapes").glob("*.so")] == ["_shapes.abi3.so"]
    assert venv("-c", "import shapes; print(shapes.distance((0, 0), (3, 4)))", cwd=project / "src") == "5.0\n"


PYPROJECT = """
[build-system]
requires = ["setuptools>=64", "keelback"]
build-backend = "setuptools.build_meta"

[project]
name = "shapes"
version = "1.0"

[tool.setuptools.package-data]
"*" = ["py.typed"]

[tool.keelback]
modules = ["build_shapes.py:ffibuilder"]
"""


def test_setuptools_without_a_setup_script(venv, tmp_path):
    """pyproject.toml alone: one wheel for all Pythons, with the stubs."""
    project = copied("setuptools", tmp_path)
    (project / "setup.py").unlink()
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "src/shapes/py.typed").touch()
    venv("-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--wheel-dir", tmp_path, project, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"shapes-1.0-cp310-abi3-{sysconfig.get_platform().replace('-', '_')}.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info" not in name]
        stubs = archive.read("shapes/_shapes.pyi").decode()
    assert sorted(names) == ["shapes/__init__.py", "shapes/_shapes.abi3.so", "shapes/_shapes.pyi", "shapes/py.typed"]
    assert "def distance(self, from_: _t.Pointer[point_t]" in stubs
    venv("-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=tmp_path)
    try:
        assert venv("-c", "import shapes; print(shapes.distance((0, 0), (3, 4)))", cwd=tmp_path) == "5.0\n"
    finally:
        venv.uninstall("shapes", tmp_path)


@pytest.mark.parametrize("table, message", [
    ("module = []", "pyproject.toml: [tool.keelback] has no 'module': it has modules"),
    ("modules = [5]", "argument to 'tool.keelback.modules=...' must be a str or a list of str, not 'int'"),
])  # fmt: skip
def test_setuptools_wrong_tables(venv, tmp_path, table, message):
    (tmp_path / "pyproject.toml").write_text(f"[tool.keelback]\n{table}\n")
    done = subprocess.run(
        [venv.python, "-c", "import setuptools; setuptools.setup(name='x', script_args=['--version'])"],
        cwd=tmp_path, env=venv.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and message in done.stderr.strip().splitlines()[-1]


OF_314T = [".cpython-314t-x86_64-linux-gnu.so", ".so"]
OF_315 = [".cpython-315-x86_64-linux-gnu.so", ".abi3-x86_64-linux-gnu.so", ".abi3.so", ".abi3t-x86_64-linux-gnu.so", ".abi3t.so", ".so"]
OF_315T = [".cpython-315t-x86_64-linux-gnu.so", ".abi3t-x86_64-linux-gnu.so", ".abi3t.so", ".so"]


@pytest.mark.parametrize("suffixes,name", [(OF_314T, None), (OF_315, "_shapes.abi3.so"), (OF_315T, "_shapes.abi3t.so")], ids=["3.14t", "3.15", "3.15t"])
def test_setuptools_names_of_other_pythons(venv, tmp_path, suffixes, name):
    """What this Python makes when it takes the names of another one: the name that most versions take."""
    project = copied("setuptools", tmp_path)
    free_threaded = int("t-" in suffixes[0])
    script = f"import importlib.machinery, sys, sysconfig; importlib.machinery.EXTENSION_SUFFIXES[:] = {suffixes}; "
    script += f"sysconfig.get_config_vars()['Py_GIL_DISABLED'] = {free_threaded}; "
    script += "sys.argv = ['setup.py', '--quiet', 'build_ext', '--inplace']; exec(open('setup.py').read())"
    venv("-c", script, cwd=project)
    (made,) = (project / "src/shapes").glob("*.so")
    assert made.name == (name or "_shapes" + sysconfig.get_config_var("EXT_SUFFIX"))


@pytest.mark.parametrize("suffixes,version", [(OF_314T, ""), (OF_315, "cp310"), (OF_315T, "cp315")], ids=["3.14t", "3.15", "3.15t"])
def test_setuptools_wheels_of_other_pythons(venv, tmp_path, suffixes, version):
    """The oldest version of Python that finds the modules of the wheel: 3.15's if they are called abi3t."""
    project = copied("setuptools", tmp_path)
    free_threaded = int("t-" in suffixes[0])
    script = f"import importlib.machinery, setuptools, sysconfig; importlib.machinery.EXTENSION_SUFFIXES[:] = {suffixes}; "
    script += f"sysconfig.get_config_vars()['Py_GIL_DISABLED'] = {free_threaded}; from distutils.core import run_setup; "
    script += "command = run_setup('setup.py', stop_after='commandline').get_command_obj('bdist_wheel'); "
    script += "command.ensure_finalized(); print(command.py_limited_api or '')"
    assert venv("-c", script, cwd=project).strip() == version


@pytest.mark.parametrize("base", ["setuptools", "distutils"])
@pytest.mark.parametrize("source", ["''", "None"])
def test_setuptools_beside_other_extensions(venv, tmp_path, base, source):
    """The package has an extension of its own, and a command of its own that builds it."""
    (tmp_path / "build_it.py").write_text(
        "import keelback\nffibuilder = keelback.FFI()\nffibuilder.cdef('int abs(int);')\n"
        f"ffibuilder.set_source('of_ours', {source})\n"
    )
    (tmp_path / "own.c").write_text("int PyInit_own(void) { return 0; }\n")
    (tmp_path / "setup.py").write_text(
        f"from setuptools import Extension, setup\nfrom {base}.command.build_ext import build_ext\n"
        "class Own(build_ext):\n    pass\n"
        "setup(name='beside', version='1', py_modules=[], ext_modules=[Extension('own', ['own.c'])], "
        "keelback_modules=['build_it.py:ffibuilder'], cmdclass={'build_ext': Own})\n"
    )
    venv("setup.py", "--quiet", "build_ext", "--inplace", cwd=tmp_path)
    made = sorted(path.name.partition(".")[0] for path in tmp_path.iterdir() if path.suffix == ".so" or path.name == "of_ours.py")
    assert made == ["of_ours", "own"]


def test_setuptools_abi_mode_in_place(venv, tmp_path):
    """A module without C, in place and installed."""
    project = copied("setuptools", tmp_path)
    (project / "build_shapes.py").write_text(
        "import keelback\nffibuilder = keelback.FFI()\nffibuilder.cdef('size_t strlen(const char *);')\n"
        "ffibuilder.set_source('shapes._shapes', None)\n"
    )
    (project / "src/shapes/__init__.py").write_text(
        "from shapes._shapes import ffi\nlength = ffi.dlopen(None).strlen\n"
    )
    venv("setup.py", "--quiet", "build_ext", "--inplace", cwd=project)
    assert venv("-c", "import shapes; print(shapes.length(b'four'))", cwd=project / "src") == "4\n"
    (project / "src/shapes/_shapes.py").unlink()
    venv.install(project)
    try:
        assert venv("-c", "import shapes; print(shapes.length(b'four'))", cwd=tmp_path) == "4\n"
    finally:
        venv.uninstall("shapes", tmp_path)


@pytest.mark.parametrize(
    "spec, message",
    [
        ("nosuch.py:ffibuilder", "'nosuch.py' does not name an existing file"),
        ("build_shapes.py", "'build_shapes.py' must be of the form 'path/build.py:ffi_variable'"),
        ("build_shapes.py:nosuch", "'build_shapes.py:nosuch': object 'nosuch' not found in module"),
        ("build_shapes.py:keelback.__name__", "not found in module"),
        ("empty.py:ffi", "'empty.py:ffi': the set_source() method was not called"),
        ("empty.py:other", "'empty.py:other' is not an FFI instance (got 'int')"),
    ],
)
def test_setuptools_keyword_errors(venv, tmp_path, spec, message):
    project = copied("setuptools", tmp_path)
    (project / "empty.py").write_text("import keelback\nffi = keelback.FFI()\nother = int\n")
    setup = project / "setup.py"
    setup.write_text(setup.read_text().replace("build_shapes.py:ffibuilder", spec))
    done = subprocess.run(
        [venv.python, "setup.py", "--version"], cwd=project, env=venv.environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert message in done.stderr.strip().splitlines()[-1]
