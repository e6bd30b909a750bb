"""`keelback bundle`: the plugin's folder runs where there is no other Python.

One bundle is made, with a package of a virtual environment, and moved away with its plugin. The Python that it was made
from is hidden as far as the machine allows: the plugin records a libpython that is gone, and a mount namespace puts an
empty directory over the installation.
"""

import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import zlib

import pytest
from harness import Ran, ask, clean_environment, hiding, keelback, libpython_of, python, version_of

# Copying and compiling a standard library takes a while on a machine under load.
LONG = 600

VERSION = version_of(python())

# Python 3.10 imports from files before anything else can be arranged.
ARCHIVED = tuple(map(int, VERSION.rstrip("t").split("."))) >= (3, 11)

# What every machine has: the C library, the compiler's library.
SYSTEM = re.compile(r"/(usr/)?lib(64)?/.*\b(ld-linux|ld-|lib(c|m|dl|pthread|rt|util|gcc_s|stdc\+\+|nss_\w+)[.-])|locale|gconv")


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    """A virtual environment with the packages `shapes` and, because that needs it, `numbers-of`."""
    place = tmp_path_factory.mktemp("venv") / "venv"
    subprocess.run([python(), "-m", "venv", "--without-pip", place], check=True, env=clean_environment(), timeout=LONG)
    packages = place / "lib" / f"python{VERSION}" / "site-packages"
    install(packages, "shapes", "1.5", {"shapes/__init__.py": "from numbers_of import FOUR\n\n\ndef corners(shape):\n    return FOUR\n"}, requires=["numbers-of>=1", "colour; extra == 'paint'", 'units-of[metric] (>=1) ; extra == "Area"'], extras=["paint", "Area"])
    install(packages, "units-of", "3.0", {"units_of.py": ""}, requires=["metres; extra == 'metric'", "feet; extra == 'imperial'"], extras=["metric", "imperial"])
    install(packages, "metres", "4.0", {"metres.py": ""})
    install(packages, "numbers-of", "2.0", {"numbers_of.py": "FOUR = 4\n"})
    install(packages, "unused", "1.0", {"unused.py": ""})
    install(packages, "broken", "1.0", {"broken.py": ""}, requires=["nowhere"])
    install(packages, "edited", "1.0", {"edited.pth": "/nowhere\n"}, direct='{"url": "file:///nowhere", "dir_info": {"editable": true}}')
    return place


def install(packages, name, version, files, requires=(), extras=(), direct=None):
    """What pip leaves of a wheel."""
    info = packages / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires) + "".join(f"Provides-Extra: {each}\n" for each in extras)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
    if direct:
        (info / "direct_url.json").write_text(direct)
    for file, text in files.items():
        (packages / file).parent.mkdir(exist_ok=True)
        (packages / file).write_text(text)
    record = [*files, f"{info.name}/METADATA", f"{info.name}/RECORD", "../../../bin/tool"]
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in record))


@pytest.fixture(scope="module")
def built(plugin, here, venv, tmp_path_factory):
    """The plugin, made for a libpython that is gone by now, and no runtime recorded."""
    gone = tmp_path_factory.mktemp("gone") / os.path.basename(libpython_of(python()))
    shutil.copy(libpython_of(python()), gone)
    made = plugin(here / "api.h", here / "init.py", name="bundled", python=gone, args=["--no-runtime-check"])
    gone.unlink()
    return made


def bundle(workshop, *arguments, **options):
    return workshop.run(keelback(), "bundle", *arguments, timeout=LONG, **options)


@pytest.fixture(scope="module")
def moved(built, host, here, venv, workshop, tmp_path_factory):
    """The folder: plugin, bundle and host, made in one place and moved to another."""
    first = tmp_path_factory.mktemp("first")
    shutil.copy(built.library, first)
    program = host(here / "host.c", built, link=False, flags=["-Wl,-rpath,$ORIGIN", f"-L{built.directory}", "-lbundled"])
    shutil.copy(program, first / "host")
    ran = bundle(workshop, "libbundled.so", "--python", venv, "--package", "Shapes[area]", "--exclude", "pdb", cwd=first)
    assert ran.code == 0, ran.stderr
    full = ask(python(), "import sys; print(sys.version.split()[0])").strip()
    assert re.fullmatch(
        rf"(warning: .*\n(help: .*\n)?)*made bundled\.keelback: Python {re.escape(full)}, metres 4\.0, numbers-of 2\.0, shapes 1\.5, units-of 3\.0 \(\d+ MB\)\n", ran.stderr
    ), ran.stderr
    assert sorted(os.listdir(first)) == ["bundled.keelback", "host", "libbundled.so"]
    second = tmp_path_factory.mktemp("second") / "elsewhere"
    shutil.copytree(first, second, symlinks=True)
    shutil.rmtree(first)
    return second


def asked(workshop, folder, *names, before=()):
    environment = {"PATH": "/nonexistent", "HOME": "/nonexistent"}
    ran = workshop.run(*before, folder / "host", *names, env=environment, cwd="/", normalise=False)
    assert (ran.code, ran.stderr) == (0, ""), ran
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_the_folder_works_where_it_was_moved(moved, workshop):
    sums, encodings, package = asked(workshop, moved, "sums", "encodings", "package")
    assert sums == [120, hashlib.sha256(b"keelback").hexdigest()[:8], zlib.crc32(b"keelback"), 42, "0.3", 3]
    assert encodings == "e974e9" + "e1"
    assert package == 4


def test_everything_comes_from_the_bundle(moved, workshop):
    prefix, path, files, mapped = asked(workshop, moved, "prefix", "path", "files", "mapped")
    top = f"{moved}/bundled.keelback"
    assert prefix == top
    assert [place for place in path if not place.startswith(top)] == []
    assert [file for file in files if not file.startswith(top)] == [], "modules from elsewhere"
    assert any("lib-dynload" in file for file in mapped)
    foreign = [file for file in mapped if not file.startswith(f"{moved}/") and not SYSTEM.search(file)]
    assert foreign == [], "mapped from elsewhere"


def test_the_start_is_a_short_one(moved, workshop):
    """Without `site`, but with what it would have added; and without a search for the name of libpython."""
    help_text = "Type help() for interactive help, or help(object) for help about object."
    named = [f"Use {name}() or Ctrl-D (i.e. EOF) to exit" for name in ("exit", "quit")]
    answers = asked(workshop, moved, "path", "site")
    lib = f"{moved}/bundled.keelback/lib"
    packages = next(place for place in ("site-packages", "dist-packages") if os.path.exists(f"{lib}/python{VERSION}/{place}"))
    path = [f"python{VERSION.replace('.', '').rstrip('t')}.zip", f"python{VERSION}", f"python{VERSION}/lib-dynload", f"python{VERSION}/{packages}"]
    assert answers == [[f"{lib}/{each}" for each in path], [False, 1, *named, help_text]]
    told = moved / "told"
    try:
        asked(workshop, moved, "site", before=[shutil.which("strace"), "-f", "-o", told])
        calls = told.read_text().splitlines()
    finally:
        told.unlink(missing_ok=True)
    assert [line for line in calls if "libpython3" in line and "ENOENT" in line] == []
    if ARCHIVED:
        # The files of the standard library are left alone, and its directory is listed once, for what is in the others.
        opened = [line for line in calls if re.search(rf'open\w*\(.*/lib/python{VERSION}/(?!lib-dynload|{packages})', line)]
        assert opened == []
        assert len([line for line in calls if re.search(rf'open\w*\(.*/lib/python{VERSION}"', line)]) <= 1
    # A file for `site` has it run as ever.
    pth = moved / "bundled.keelback" / "lib" / f"python{VERSION}" / packages / "more.pth"
    pth.write_text("import sys; sys.path.append('/more')\n")
    try:
        assert asked(workshop, moved, "path", "site") == [[*answers[0], "/more"], [True, 0, *named, help_text]]
    finally:
        pth.unlink()


def test_modules_from_the_archive_are_like_those_from_files(moved, workshop):
    (told,) = asked(workshop, moved, "stdlib")
    directory = f"./lib/python{VERSION}/json"
    tag = f"cpython-{VERSION.replace('.', '')}"
    assert told == [
        [f"{directory}/__init__.py", f"{directory}/__init__.py", [directory], [directory]],
        ["SourceFileLoader", True, False],
        [f"{directory}/decoder.py", f"{directory}/__pycache__/decoder.{tag.rstrip('t')}.pyc", "json", "json.tool"],
        [f"{directory}/decoder.py", "raw_decode", "obj, end = self.scan_once(s, idx)"],
        sorted(["decoder", "encoder", "scanner", "tool", *["__main__"] * (VERSION >= "3.14")]),
        [True, True],
        ["class JSONDecoder(object):", f"{directory}/__init__.py", f"{directory}/decoder.py"],
        ["None", "None", f"<module 'json' from '{directory}/__init__.py'>"],
        [True, '"""JSON token s'],
    ]


@pytest.mark.skipif(not ARCHIVED, reason="there is no archive for this Python")
def test_an_archive_that_cannot_be_used(moved, workshop):
    file = moved / "bundled.keelback" / "lib" / "stdlib.code"
    whole = file.read_bytes()
    version = ask(python(), "import sys; print('%d.%d.%d' % sys.version_info[:3])").strip()

    def told(content):
        file.write_bytes(content)
        ran = workshop.run(moved / "host", "sums", cwd="/", normalise=False)
        return ran.stdout, ran.stderr

    try:
        for content, why in (
            (whole[:-1], "it is damaged"),
            (whole[:8] + b"\2" + whole[9:], "another version of keelback made it"),
            (whole[:14] + b"\x63" + whole[15:], f"it is for Python 3.99.{version.split('.')[2]}, and this is {version}"),
        ):
            message = f"bundled: the bundle's {file} cannot be used: {why}. Make the bundle again.\n"
            stdout, stderr = told(content)
            assert (stdout, message in stderr) == ("NULL\n", True), stderr
        # Without one, the source is compiled.
        file.unlink()
        assert asked(workshop, moved, "encodings") == ["e974e9e1"]
    finally:
        file.write_bytes(whole)
        for directory in (moved / "bundled.keelback").rglob("__pycache__"):
            if "-packages" not in str(directory):
                shutil.rmtree(directory)


def test_without_the_original_python(moved, workshop):
    """Where the whole installation is gone."""
    prefix = ask(python(), "import sys; print(sys.base_prefix)").strip()
    if prefix in ("/usr", "/"):
        pytest.skip("the Python is the system's own: hiding its prefix hides the C library as well")
    hidden = hiding(prefix)
    environment = {"HOME": "/nonexistent"}
    assert workshop.run(*hidden, "ls", prefix, env=environment) == Ran(), "it is empty"
    ran = workshop.run(*hidden, moved / "host", "sums", "package", env=environment, cwd="/")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.endswith("]\n4\n")


def test_nothing_is_compiled_again(moved, workshop):
    """The bytecode is good although every file has a new time."""
    for directory, _, files in os.walk(moved):
        for file in files:
            os.utime(os.path.join(directory, file), (1, 1))
    before = {os.path.join(directory, file): os.stat(os.path.join(directory, file)).st_mtime for directory, _, files in os.walk(moved) for file in files}
    asked(workshop, moved, "sums", "encodings")
    after = {os.path.join(directory, file): os.stat(os.path.join(directory, file)).st_mtime for directory, _, files in os.walk(moved) for file in files}
    assert after == before


def test_what_is_left_out(moved):
    standard = moved / "bundled.keelback" / "lib" / f"python{VERSION}"
    for absent in ("test", "tkinter", "idlelib", "pdb.py", "ensurepip", "turtle.py"):
        assert not (standard / absent).exists(), absent
    packages = next(place for place in standard.iterdir() if place.name in ("site-packages", "dist-packages"))
    assert sorted(path.name for path in packages.iterdir() if path.name != "__pycache__") == [
        "metres-4.0.dist-info",
        "metres.py",
        "numbers_of-2.0.dist-info",
        "numbers_of.py",
        "shapes",
        "shapes-1.5.dist-info",
        "units_of-3.0.dist-info",
        "units_of.py",
    ]
    told = json.loads((moved / "bundled.keelback" / "bundle.json").read_text())
    assert told["packages"] == ["metres 4.0", "numbers-of 2.0", "shapes 1.5", "units-of 3.0"]
    assert told["libraries"] == sorted(told["libraries"])
    assert sorted(os.listdir(standard.parent)) == sorted([f"python{VERSION}", f"libpython{VERSION}.so.1.0", "libkeelback_runtime.so", "needs", *["stdlib.code"] * ARCHIVED, *told["libraries"]])


def test_a_bundle_comes_before_the_recorded_python(plugin, host, here, workshop, moved, tmp_path):
    """Also where the recorded one is there."""
    made = plugin(here / "api.h", here / "init.py", name="bundled")
    program = host(here / "host.c", made, link=False, flags=["-Wl,-rpath,$ORIGIN", f"-L{made.directory}", "-lbundled"])
    shutil.copy(made.library, tmp_path)
    shutil.copy(program, tmp_path / "host")
    recorded = ask(python(), "import sys; print(sys.base_prefix)").strip()
    assert asked(workshop, tmp_path, "prefix") == [recorded]
    # Several plugins share one under this name.
    (tmp_path / "keelback-bundle").symlink_to(moved / "bundled.keelback")
    assert asked(workshop, tmp_path, "prefix") == [f"{tmp_path}/keelback-bundle"]
    (tmp_path / "bundled.keelback").symlink_to(moved / "bundled.keelback")
    assert asked(workshop, tmp_path, "prefix") == [f"{tmp_path}/bundled.keelback"]
    # KEELBACK_PYTHON comes before it.
    ran = workshop.run(tmp_path / "host", "prefix", env={"KEELBACK_PYTHON": python()}, normalise=False)
    assert json.loads(ran.stdout) == recorded


# -- What is told --


@pytest.fixture
def folder(built, tmp_path):
    shutil.copy(built.library, tmp_path)
    return tmp_path


def refuse(workshop, folder, code, message, *arguments):
    before = sorted(os.listdir(folder))
    ran = bundle(workshop, *arguments, cwd=folder, normalise=False)
    assert (ran.stderr, ran.code) == (message, code)
    assert sorted(os.listdir(folder)) == before


def test_no_plugin(workshop, folder):
    hint = "help: name the libraries that `keelback build` made\n"
    refuse(workshop, folder, 2, f"error: nothing.so is no plugin: No such file or directory\n{hint}", "nothing.so")
    (folder / "text.so").write_text("text")
    refuse(workshop, folder, 2, f"error: text.so is no plugin: it is no library\n{hint}", "text.so")
    subprocess.run(["cc", "-shared", "-x", "c", "/dev/null", "-o", folder / "other.so"], check=True)
    refuse(workshop, folder, 2, f"error: other.so is no plugin: it does not export what `keelback build` gives every plugin\n{hint}", "other.so")


def test_plugins_in_several_places(workshop, folder):
    (folder / "sub").mkdir()
    shutil.copy(folder / "libbundled.so", folder / "sub")
    refuse(
        workshop,
        folder,
        2,
        "error: plugins that share a bundle are in one directory, and these are in several\n"
        "help: make a bundle for each, or put the plugins together first\n",
        "libbundled.so",
        "sub/libbundled.so",
    )


def test_something_else_is_there(workshop, folder):
    (folder / "bundled.keelback").mkdir()
    refuse(
        workshop,
        folder,
        5,
        "error: bundled.keelback is there already, and is no bundle\nhelp: move it away; nothing was changed\n",
        "libbundled.so",
    )


def test_a_bundle_is_replaced_as_a_whole(workshop, folder):
    for excluded, absent in (("json", "xml"), ("xml", "json")):
        ran = bundle(workshop, "libbundled.so", "--python", python(), "--exclude", excluded, cwd=folder)
        assert ran.code == 0, ran.stderr
        standard = folder / "bundled.keelback" / "lib" / f"python{VERSION}"
        assert (standard / absent).exists() and not (standard / excluded).exists()
    assert sorted(os.listdir(folder)) == ["bundled.keelback", "libbundled.so"]
    # What it is made of may not be in it: it would be gone in the middle.
    made = folder / "bundled.keelback"
    (own_runtime,) = made.rglob("libkeelback_runtime*")
    (own_python,) = (path for path in made.rglob("libpython*") if not path.is_symlink())
    before = sorted(made.rglob("*"))
    for part, arguments, environment in (
        (own_runtime, ["--python", python()], {"KEELBACK_RUNTIME": str(own_runtime)}),
        (own_python, ["--python", own_python], {}),
    ):
        ran = bundle(workshop, "libbundled.so", *arguments, cwd=folder, env=environment)
        assert (ran.code, ran.stderr) == (
            2,
            f"error: bundled.keelback would be replaced: {part} in it is read as well\n"
            "help: choose another Python with --python, another runtime with KEELBACK_RUNTIME, or move the bundle away\n",
        )
    assert sorted(made.rglob("*")) == before


def test_no_such_python(workshop, folder):
    refuse(
        workshop,
        folder,
        4,
        "error: there is no /nonexistent/python3\n"
        "help: --python takes a python executable, a virtual environment's directory or a libpython\n",
        "libbundled.so",
        "--python",
        "/nonexistent/python3",
    )


def test_packages_that_cannot_be_taken(workshop, folder, venv):
    executable = venv / "bin" / "python"
    for package, message in (
        (
            "nothing",
            f"error: the package 'nothing' is not installed in {executable}\n"
            "help: install it there, or choose with --python the Python or the virtual environment that has it\n",
        ),
        ("broken", f"error: the package 'broken' needs 'nowhere', which is not installed in {executable}\nhelp: install it there\n"),
        ("shapes[paint]", f"error: the package 'shapes[paint]' needs 'colour', which is not installed in {executable}\nhelp: install it there\n"),
        ("shapes[area,nosuch]", "error: the package 'shapes' has no extra 'nosuch'\nhelp: it has: paint, area\n"),
        ("unused[x]", "error: the package 'unused' has no extra 'x'\nhelp: it has none\n"),
        (
            "shapes==1.5",
            "error: 'shapes==1.5' is no name of a package\n"
            "help: write it without a version, NAME or NAME[EXTRA]: the version that is installed is copied\n",
        ),
        ("edited", "error: the package 'edited' is installed in editable mode: its files are elsewhere\nhelp: install it without -e\n"),
    ):
        refuse(workshop, folder, 4, message, "libbundled.so", "--python", venv, "--package", package)


def test_in_and_out(workshop, folder):
    message = "error: the module 'xml' is given to --include and to --exclude\n"
    refuse(workshop, folder, 2, message, "libbundled.so", "--include", "xml", "--exclude", "pdb", "--exclude", "xml")


def test_an_unwritable_place(workshop, folder):
    if os.getuid() == 0:
        pytest.skip("root can write everywhere")
    folder.chmod(0o555)
    ran = bundle(workshop, "libbundled.so", "--python", python(), cwd=folder)
    folder.chmod(0o755)
    assert ran.code == 5 and ran.stderr.startswith("error: cannot write bundled.keelback: Permission denied")


STATIC = "/usr/bin/python3"


def static_python():
    """Debian's own executable has its libpython inside; the shared one is a package of its own."""
    version = version_of(STATIC) if os.path.exists(STATIC) else None
    if version is None or int(version.split(".")[1]) < 10 or "libpython" in subprocess.run(["ldd", STATIC], capture_output=True, text=True).stdout:
        pytest.skip(f"{STATIC} is not there, is too old, or is not static")
    return version


def test_a_static_python(workshop, folder):
    version = static_python()
    shared = libpython_of(STATIC)
    hidden = hiding(*glob.glob(shared.removesuffix("1.0") + "*"), shared.removesuffix(".1.0")) if shared else []
    full = ask(STATIC, "import sys; print(sys.version.split()[0])").strip()
    message = (
        f"error: Python {full} ({STATIC}) has no shared library: there is no libpython{version}.so.1.0\n"
        f"help: install it: `libpython{version}` on Debian and Ubuntu, `python3-libs` on Fedora; a Python built from source has "
        "it after `./configure --enable-shared` (pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared)\n"
    )
    ran = workshop.run(*hidden, keelback(), "bundle", "libbundled.so", "--python", STATIC, cwd=folder, normalise=False)
    assert (ran.stderr, ran.code) == (message, 4)
    assert os.listdir(folder) == ["libbundled.so"]
    (folder / "api.h").write_text("int one(void);\n")
    (folder / "init.py").write_text("")
    ran = workshop.run(*hidden, keelback(), "build", "api.h", "--init", "init.py", "--name", "one", "--python", STATIC, cwd=folder, normalise=False)
    assert (ran.stderr, ran.code) == (message, 4)


def test_a_static_python_with_its_shared_library(workshop, folder, host, here, built):
    version = static_python()
    if not libpython_of(STATIC):
        pytest.skip(f"there is no libpython{version} (Debian: the package of that name)")
    if version != VERSION:
        pytest.skip(f"the runtime is for Python {VERSION}, {STATIC} is {version}")
    program = host(here / "host.c", built, link=False, flags=["-Wl,-rpath,$ORIGIN", f"-L{built.directory}", "-lbundled"])
    shutil.copy(program, folder / "host")
    ran = bundle(workshop, "libbundled.so", "--python", STATIC, cwd=folder)
    assert ran.code == 0, ran.stderr
    sums, path, files, mapped = asked(workshop, folder, "sums", "path", "files", "mapped")
    top = f"{folder}/bundled.keelback"
    assert sums[0] == 120 and sums[3] == 42
    assert [each for each in path + files if not each.startswith(top)] == []
    assert [each for each in mapped if not each.startswith(f"{folder}/") and not SYSTEM.search(each)] == []
