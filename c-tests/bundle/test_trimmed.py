"""Small bundles, in an archive, and what published packages do with their libraries."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile

import pytest
from harness import ask, clean_environment, keelback, libpython_of, python, version_of
from test_bundle import LONG, bundle, install

VERSION = version_of(python())


def runtime():
    return os.path.join(os.path.dirname(keelback()), "libkeelback_runtime.so")


API = "int answer(void);\nconst char *where(void);\n"
INIT = """\
import json
import sys
import sysconfig

import chained
from tiny import ffi

keep = []


@ffi.def_extern()
def answer():
    return json.loads("41") + chained.one()


@ffi.def_extern()
def where():
    told = {
        "from": [sys.prefix, sysconfig.get_config_var("LIBDIR"), sysconfig.get_paths()["stdlib"]],
        "version": [sys.version, sys.platform, sys.abiflags],
        "code": answer.__code__.co_filename,
        "path": json.__file__,
        "modules": sorted(set(name.partition(".")[0] for name in sys.modules)),
    }
    keep[:] = [ffi.new("char[]", json.dumps(told).encode())]
    return keep[0]
"""
HOST = """\
#include <stdio.h>
#include "tiny.h"
int main(void) { printf("%d\\n%s\\n", answer(), where()); return 0; }
"""


def cc(place, *arguments):
    subprocess.run(["cc", "-shared", "-fPIC", *arguments], cwd=place, check=True)


def chain(packages):
    """A package whose library finds another one, and that a third, only through the DT_RPATH of the first."""
    libraries = packages / "chained.libs"
    libraries.mkdir()
    (packages / "chained").mkdir()
    (libraries / "deep.c").write_text("int deep(void) { return 1; }\n")
    (libraries / "middle.c").write_text("int deep(void);\nint middle(void) { return deep(); }\n")
    (libraries / "first.c").write_text("int middle(void);\nint first(void) { return middle(); }\n")
    cc(libraries, "deep.c", "-o", "libdeep-1234.so", "-Wl,-soname,libdeep-1234.so")
    cc(libraries, "middle.c", "-o", "libmiddle-1234.so.5.0", "-Wl,-soname,libmiddle-1234.so.5.0", "-L.", "-l:libdeep-1234.so")
    search = ["-Wl,--disable-new-dtags", "-Wl,-rpath,$ORIGIN/../chained.libs"]
    cc(libraries, "first.c", "-o", packages / "chained" / "_first.so", "-L.", "-l:libmiddle-1234.so.5.0", *search)
    for source in libraries.glob("*.c"):
        source.unlink()
    text = "import ctypes, os\none = ctypes.CDLL(os.path.join(os.path.dirname(__file__), '_first.so')).first\nHOME = %r\n" % str(packages)
    files = {"chained/__init__.py": text, "chained/tests/__init__.py": "", "chained/tests/data.txt": "", "chained/__init__.pyi": ""}
    install(packages, "chained", "1.0", files)
    native = ["chained/_first.so", "chained.libs/libdeep-1234.so", "chained.libs/libmiddle-1234.so.5.0"]
    record(packages / "chained-1.0.dist-info", native)


def record(info, files):
    with open(info / "RECORD", "a") as out:
        out.writelines(f"{file},,\n" for file in files)


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    place = tmp_path_factory.mktemp("trimmed") / "venv"
    subprocess.run([python(), "-m", "venv", "--without-pip", place], check=True, env=clean_environment(), timeout=LONG)
    packages = place / "lib" / f"python{VERSION}" / "site-packages"
    chain(packages)
    install(packages, "lame", "1.0", {"lame/__init__.py": "", "lame/other.py": ""}, direct='{"url": "file:///home/somebody/lame", "dir_info": {}}')
    (packages / "gone.c").write_text("int gone(void) { return 1; }\n")
    (packages / "lame" / "user.c").write_text("int gone(void);\nint user(void) { return gone(); }\n")
    cc(packages, "gone.c", "-o", "libgone.so.9", "-Wl,-soname,libgone.so.9")
    cc(packages, "lame/user.c", "-o", "lame/_user.so", "-L.", "-l:libgone.so.9")
    (packages / "libgone.so.9").unlink()
    record(packages / "lame-1.0.dist-info", ["lame/_user.so"])
    return place


@pytest.fixture(scope="module")
def folder(plugin, venv, tmp_path_factory):
    made = plugin(API, INIT, name="tiny", python=venv, args=["--relocatable"])
    place = tmp_path_factory.mktemp("folder")
    shutil.copy(made.library, place)
    return place, made


@pytest.fixture(scope="module")
def unpacked(folder, host, venv, workshop, tmp_path_factory):
    place, made = folder
    arguments = ["--python", venv, "--package", "chained", "--trim", "--no-source", "--include", "colorsys"]
    ran = bundle(workshop, "libtiny.so", *arguments, "--archive", "one.tar.zst", cwd=place)
    assert ran.code == 0, ran.stderr
    assert re.fullmatch(r"made one\.tar\.zst: Python 3\.\d+\.\w+, chained 1\.0 \(\d+ MB\)\n", ran.stderr), ran.stderr
    assert sorted(os.listdir(place)) == ["libtiny.so", "one.tar.zst"]
    # Made in another place, at another time.
    other = tmp_path_factory.mktemp("other")
    shutil.copy(place / "libtiny.so", other)
    ran = bundle(workshop, "libtiny.so", *arguments, "--archive", other / "two.tar.zst", cwd=other, env={"PYTHONHASHSEED": "7"})
    assert ran.code == 0, ran.stderr
    assert (other / "two.tar.zst").read_bytes() == (place / "one.tar.zst").read_bytes()
    target = tmp_path_factory.mktemp("target")
    with open(target / "one.tar", "wb") as out:
        subprocess.run(["zstd", "-dc", place / "one.tar.zst"], stdout=out, check=True)
    with tarfile.open(target / "one.tar") as archive:
        members = archive.getmembers()
        archive.extractall(target)
    assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {(0, 0, 0, "")}
    assert [member.name for member in members] == sorted((member.name for member in members), key=lambda name: name.split("/"))
    (target / "one.tar").unlink()
    shutil.copy(host(HOST, made, link=False, flags=["-Wl,-rpath,$ORIGIN", f"-L{made.directory}", "-ltiny"]), target / "host")
    return target


def test_it_runs_elsewhere(unpacked, workshop):
    assert sorted(os.listdir(unpacked)) == ["host", "libtiny.so", "tiny.keelback"]
    ran = workshop.run(unpacked / "host", env={"PATH": "/nonexistent"}, cwd="/", normalise=False)
    assert (ran.stderr, ran.code) == ("", 0)
    number, told = ran.stdout.splitlines()
    assert number == "42"
    told = json.loads(told)
    top = str(unpacked / "tiny.keelback")
    assert [path for path in told["from"] if not path.startswith(top)] == []
    assert told["version"] == json.loads(ask(python(), "import json, sys; print(json.dumps([sys.version, sys.platform, sys.abiflags]))"))
    assert told["path"] == f"{top}/lib/python{VERSION}/json/__init__.pyc"


def test_it_is_small(unpacked):
    files = [path for path in (unpacked / "tiny.keelback" / "lib").rglob("*") if path.is_file()]
    names = {str(path.relative_to(unpacked / "tiny.keelback" / "lib")) for path in files}
    assert sum(path.stat().st_size for path in files) < 25_000_000
    assert not [name for name in names if name.endswith(".py")]
    standard = f"python{VERSION}"
    assert {f"{standard}/json/decoder.pyc", f"{standard}/colorsys.pyc", f"{standard}/traceback.pyc"} <= names
    for absent in ("asyncio", "sqlite3", "xml", "email", "unittest"):
        assert not [name for name in names if name.startswith(f"{standard}/{absent}/")], absent
    package = {name for name in names if "/chained" in name and ".dist-info/" not in name}
    assert {pathlib.PurePath(name).name for name in package} == {"__init__.pyc", "_first.so", "libdeep-1234.so", "libmiddle-1234.so.5.0"}


def test_nothing_tells_of_this_machine(unpacked, venv):
    prefix = os.path.dirname(os.path.dirname(os.path.realpath(libpython_of(python()))))
    secrets = [str(venv), str(venv.parent), str(pathlib.Path(__file__).parents[2])]
    if prefix not in ("/usr", "/usr/local", "/usr/lib"):
        secrets.append(prefix)
    for path in (unpacked / "tiny.keelback").rglob("*"):
        text = path.read_bytes() if path.is_file() else b""
        for secret in secrets:
            assert not re.search(re.escape(secret.encode()) + rb"(?![\w.-])", text), (path, secret)
        if text.startswith(b"\x7fELF"):
            sections = subprocess.run(["readelf", "-SW", path], capture_output=True, text=True, check=True)
            assert (sections.stderr, re.findall(r" \.(?:debug_\w+|symtab|comment) ", sections.stdout)) == ("", []), path


def test_libraries_that_are_needed_and_not_there(folder, venv, workshop):
    place, _ = folder
    before = sorted(os.listdir(place))
    ran = bundle(workshop, "libtiny.so", "--python", venv, "--package", "lame", "--trim", cwd=place)
    assert (ran.stderr, ran.code) == (
        f"error: lib/python{VERSION}/site-packages/lame/_user.so of the package 'lame' needs libgone.so.9, which this machine does not have\n"
        "help: install the library, or leave the file out with --exclude lame._user\n",
        4,
    )
    assert sorted(os.listdir(place)) == before
    ran = bundle(workshop, "libtiny.so", "--python", venv, "--package", "lame", "--trim", "--exclude", "lame._user", "--include", "readline", "--archive", "lame.tar", cwd=place)
    assert (ran.code, ran.stderr.count("\n")) == (0, 1), ran.stderr
    with tarfile.open(place / "lame.tar") as archive:
        names = [member.name for member in archive if "/lame" in member.name and member.isfile()]
        readline = [member.name for member in archive if "lib-dynload/readline" in member.name]
        text = b"".join(archive.extractfile(name).read() for name in names)
    assert sorted(name.partition("site-packages/")[2].partition(".cpython")[0] for name in names if ".dist-info" not in name) == [
        "lame/__init__.py",
        "lame/__pycache__/__init__",
        "lame/__pycache__/other",
        "lame/other.py",
    ]
    assert len(readline) == int(os.path.exists(ask(python(), "import importlib.util as u; print(getattr(u.find_spec('readline'), 'origin', ''))").strip())), "asked for"
    assert b"/home/somebody" not in text, "where it was installed from"
    (place / "lame.tar").unlink()


def test_what_cannot_be_done(folder, venv, workshop, plugin, tmp_path):
    place, _ = folder
    ran = bundle(workshop, "libtiny.so", "--python", venv, "--archive", "one.zip", cwd=place)
    assert (ran.stderr, ran.code) == ("error: one.zip is no name of an archive\nhelp: it ends in .tar.zst, .tar.gz, .tgz or .tar\n", 2)
    made = plugin("int f(void);", "from broken import ffi\nimport no_such_module\n", name="broken", python=venv)
    shutil.copy(made.library, tmp_path)
    ran = bundle(workshop, "libbroken.so", "--python", venv, "--trim", cwd=tmp_path)
    assert ran.code == 4 and ran.stderr.startswith("error: --trim: the init code does not run here: "), ran.stderr
    assert "no_such_module" in ran.stderr
    assert os.listdir(tmp_path) == ["libbroken.so"]


# -- What it is made of, and what it needs --


def test_its_parts(unpacked):
    top = unpacked / "tiny.keelback"
    told = json.loads((top / "bundle.json").read_text())
    parts = {(part["kind"], part["name"]): part for part in told["components"]}
    assert parts["package", "chained"]["version"] == "1.0"
    assert parts["package", "chained"]["origin"] == "pkg:pypi/chained@1.0"
    assert [os.path.basename(file) for file in sorted(parts["package", "chained"]["files"])] == ["libdeep-1234.so", "libmiddle-1234.so.5.0", "_first.so"]
    assert parts["library", "libdeep-1234.so"]["origin"] == "pkg:pypi/chained@1.0"
    assert parts["runtime", "keelback"]["licence"] == "MIT OR Apache-2.0"
    for name in ("pyo3", "libffi", "libc"):
        assert parts["crate", name]["version"] and parts["crate", name]["licence_texts"], name
    files = {file for part in told["components"] for file in part["files"]}
    natives = {f"lib/{name}" for name in os.listdir(top / "lib") if ".so" in name and not name.startswith("libpython")}
    assert natives <= files
    for part in told["components"]:
        assert part["version"] or part["kind"] == "library", part
        assert part["licence_texts"] or part["kind"] in ("library", "package"), part
        for text in part["licence_texts"]:
            assert (top / text).stat().st_size > 100, text
    assert not [name for name in natives if "readline" in name or "gdbm" in name], "under the GPL, and not asked for"
    sbom = json.loads((top / "sbom.cdx.json").read_text())
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.5")
    assert [each["name"] for each in sbom["components"]] == [part["name"] for part in told["components"]]
    assert len({each["bom-ref"] for each in sbom["components"]}) == len(sbom["components"])


def test_the_sbom_is_one_by_the_schema(unpacked):
    """CycloneDX's own, with all that may be in no file that conforms to it."""
    validation = pytest.importorskip("cyclonedx.validation.json", reason="cyclonedx-python-lib[json-validation] is not installed")
    from cyclonedx.schema import SchemaVersion

    sbom = (unpacked / "tiny.keelback" / "sbom.cdx.json").read_text()
    validator = validation.JsonStrictValidator(SchemaVersion.V1_5)
    assert validator.validate_str(sbom.replace('"library"', '"no such type"', 1)) is not None
    assert validator.validate_str(sbom) is None


def test_what_it_needs_of_a_machine(unpacked, workshop):
    top = unpacked / "tiny.keelback"
    needs = json.loads((top / "bundle.json").read_text())["needs"]
    assert needs["machine"] == os.uname().machine
    told = (top / "lib" / "needs").read_text()
    assert told.startswith(f"glibc {needs['glibc']}\n")
    # The newest symbol version of all files, as readelf tells it.
    versions = set()
    for path in top.rglob("*"):
        if path.is_file() and path.read_bytes()[:4] == b"\x7fELF":
            needed = subprocess.run(["readelf", "-VW", path], capture_output=True, text=True, check=True).stdout
            versions |= set(re.findall(r"Name: GLIBC_([\d.]+)  Flags: none", needed))
    assert needs["glibc"] == max(versions, key=lambda version: [int(part) for part in version.split(".")])
    try:
        (top / "lib" / "needs").write_text("glibc 99.7\n")
        ran = workshop.run(unpacked / "host", env={"KEELBACK_PYTHON": None}, cwd="/", normalise=False)
        here = os.confstr("CS_GNU_LIBC_VERSION").split()[1]
        assert (
            f"  the bundle: {top} needs glibc 99.7 or newer, and this machine has {here}. Make the bundle on a system that is as old "
            "as the oldest it is for.\n"
        ) in ran.stderr, ran
        if needs["machine"] == "x86_64":
            (top / "lib" / "needs").write_text("glibc 2.2\nx86-64-v9\n")
            ran = workshop.run(unpacked / "host", cwd="/", normalise=False)
            assert f"  the bundle: {top} needs a processor of the level x86-64-v9, and this one has x86-64-v" in ran.stderr, ran
    finally:
        (top / "lib" / "needs").write_text(told)


def test_a_plugin_that_tells_nothing_of_this_machine(workshop, tmp_path):
    (tmp_path / "api.h").write_text("int answer(void);\n")
    (tmp_path / "init.py").write_text("from still import ffi\n@ffi.def_extern()\ndef answer():\n    return 1 // 0\n")
    whole = ["build", tmp_path / "api.h", "--init", tmp_path / "init.py", "--name", "still", "--python", python()]
    ran = workshop.run(keelback(), *whole, "-o", "with.so", cwd=tmp_path)
    assert ran.code == 0, ran.stderr
    ran = workshop.run(keelback(), *whole, "--relocatable", "-o", "without.so", cwd=tmp_path)
    assert ran.code == 0, ran.stderr
    secrets = [str(tmp_path).encode(), os.path.dirname(libpython_of(python())).encode(), str(pathlib.Path(keelback()).parent).encode()]
    assert [secret in (tmp_path / "with.so").read_bytes() for secret in secrets] == [True] * 3
    assert [secret in (tmp_path / "without.so").read_bytes() for secret in secrets] == [False] * 3
    call = "import ctypes, sys; ctypes.PyDLL(sys.argv[1]).answer()"
    ran = workshop.run(python(), "-c", call, tmp_path / "without.so", env={"KEELBACK_RUNTIME": runtime()}, normalise=False)
    assert 'File "init.py", line 4, in answer' in ran.stderr
