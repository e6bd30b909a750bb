"""`keelback install`: what pkg-config, CMake, Meson and lintian make of it. The real tools are asked."""

import os
import pathlib
import shutil
import subprocess

import pytest

from harness import Ran, keelback

CDEF = "#include <stddef.h>\ndouble vec_dot(const double *a, const double *b, size_t n);\n"
INIT = """\
from vec import ffi

@ffi.def_extern(error=-1.0)
def vec_dot(a, b, n):
    return sum(a[i] * b[i] for i in range(n))
"""
HOST = """\
#include <stdio.h>
#include "vec.h"
int main(void)
{
    double a[] = {1, 2, 3};
    printf("%g\\n", vec_dot(a, a, 3));
    return 0;
}
"""
FILES = [
    "include/vec.h",
    "include/vec.hpp",
    "lib/cmake/vec/vecConfig.cmake",
    "lib/cmake/vec/vecConfigVersion.cmake",
    "lib/libvec.so -> libvec.so.1",
    "lib/libvec.so.1 -> libvec.so.1.2.3",
    "lib/libvec.so.1.2.3",
    "lib/pkgconfig/vec.pc",
]


def files_below(folder):
    """Paths, with what links lead to."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found.append(f"{path.relative_to(folder)} -> {os.readlink(path)}")
        elif not path.is_dir():
            found.append(str(path.relative_to(folder)))
    return found


@pytest.fixture(scope="module")
def built(workshop):
    plugin = workshop.plugin(CDEF, INIT, name="vec", args=["--soversion", "1.2.3", "--cpp-header"])
    assert plugin.stderr == ""
    return plugin


@pytest.fixture(scope="module")
def installed(workshop, built):
    """A prefix with a blank in its name, and a host's source beside it."""
    prefix = workshop.directory / "installed vec"
    assert workshop.run(keelback(), "install", built.library, "--prefix", prefix) == Ran()
    assert files_below(prefix) == FILES
    return prefix


def build_and_run(workshop, place, *commands, env=None):
    for command in commands:
        ran = workshop.run(*command, cwd=place, env=env)
        assert ran.code == 0, ran.stdout + ran.stderr
    return ran


def test_destdir_is_in_no_file(workshop, built, tmp_path):
    stage = tmp_path / "stage"
    for _ in range(2):
        ran = workshop.run(keelback(), "install", built.library, "--prefix", "/usr", "--destdir", stage)
        assert ran == Ran()
    assert files_below(stage / "usr") == FILES
    for path in stage.rglob("*"):
        assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes(), path
    modes = {oct(path.stat().st_mode & 0o777) for path in stage.rglob("*") if not path.is_dir()}
    assert modes == {"0o644"}


def test_all_or_nothing(workshop, built, tmp_path):
    (tmp_path / "usr/lib/cmake/vec/vecConfig.cmake").mkdir(parents=True)
    ran = workshop.run(keelback(), "install", built.library, "--prefix", tmp_path / "usr")
    assert (ran.stdout, ran.code) == ("", 5)
    assert "vecConfig.cmake: it is a directory" in ran.stderr
    assert files_below(tmp_path / "usr") == []


def test_a_new_version_takes_over_the_links(workshop, built, tmp_path):
    newer = workshop.plugin(CDEF, INIT, name="vec", args=["--soversion", "1.3"])
    plain = workshop.plugin(CDEF, INIT, name="vec")
    for plugin in (built, newer):
        assert workshop.run(keelback(), "install", plugin.library, "--prefix", tmp_path) == Ran()
    links = [name for name in files_below(tmp_path / "lib") if "->" in name]
    assert links == ["libvec.so -> libvec.so.1", "libvec.so.1 -> libvec.so.1.3"]
    # One without a version replaces the link, not the file of another version.
    before = (tmp_path / "lib/libvec.so.1.3").read_bytes()
    assert workshop.run(keelback(), "install", plain.library, "--prefix", tmp_path) == Ran()
    assert not (tmp_path / "lib/libvec.so").is_symlink()
    assert (tmp_path / "lib/libvec.so.1.3").read_bytes() == before
    assert "\nVersion: 0\n" in (tmp_path / "lib/pkgconfig/vec.pc").read_text()


def test_what_cannot_be_installed(workshop, built, tmp_path):
    def first_line(*arguments):
        ran = workshop.run(keelback(), "install", *arguments)
        return ran.code, ran.stderr.splitlines()[0]

    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "/dev/null", "-o", tmp_path / "vec.so"], check=True)
    shutil.copy(built.library, tmp_path / "libvec.so")
    (tmp_path / "text.so").write_text("text")
    assert first_line(tmp_path / "vec.so", "--prefix", tmp_path) == (
        2,
        f"error: {tmp_path}/vec.so cannot be installed: it has no SONAME, so programs cannot be linked to it",
    )
    assert first_line("nosuch.so") == (5, "error: cannot read the library nosuch.so: No such file or directory")
    # Whoever takes it for a build is told how to build.
    for name in ("nosuch.so", tmp_path / "text.so"):
        told = workshop.run(keelback(), "install", name).stderr.splitlines()[1]
        assert told.startswith("help: build it first, such as with `keelback build api.h --init plugin.py --name NAME"), told
    assert first_line(built.library, "--header", tmp_path / "libvec.so") == (2, f"error: {tmp_path}/libvec.so is no header: it is no text")
    assert first_line(tmp_path / "text.so")[1].endswith("cannot be installed: it is no shared library")
    assert first_line(tmp_path / "libvec.so") == (2, f"error: there is no header {tmp_path}/vec.h beside the library")
    assert first_line(built.library, "--prefix", "usr") == (2, "error: --prefix usr is not an absolute path")
    assert first_line(built.library, "--prefix", tmp_path, "--description", "two\nlines")[0] == 2


def test_a_source_tree(workshop, tmp_path):
    """It is not built by `install`: the message has the command, which works. `make install` builds first."""

    def told(library):
        ran = workshop.run(keelback(), "install", library, cwd=tmp_path, normalise=False)
        error, _, help = ran.stderr.partition("\n")
        assert ran.code in (2, 5) and error.startswith("error: "), ran
        return help.splitlines()[0]

    assert workshop.run(keelback(), "new", "vec", "-q", cwd=tmp_path) == Ran()
    tree = tmp_path / "vec"
    (tree / "host.c").unlink()
    assert told("vec/libvec.so") == "help: build it first: `make -C vec`, then install libvec.so"
    assert told("vec") == "help: build it first: `make -C vec`, then install libNAME.so"
    env = {"KEELBACK": keelback()}
    ran = workshop.run("make", "-s", "-C", "vec", "install", "PREFIX=/usr", f"DESTDIR={tmp_path}/stage", cwd=tmp_path, env=env)
    assert ran.code == 0, ran
    wanted = [name for name in FILES if "hpp" not in name and "->" not in name and "1.2.3" not in name]
    assert files_below(tmp_path / "stage/usr") == sorted([*wanted, "lib/libvec.so"])
    (tree / "libvec.so").unlink()
    for file, command in (
        ("meson.build", "meson setup vec/build vec && ninja -C vec/build"),
        ("CMakeLists.txt", "cmake -S vec -B vec/build && cmake --build vec/build"),
    ):
        (tree / "Makefile").unlink(missing_ok=True)
        (tree / file).write_text("")
        assert told("vec/libvec.so") == f"help: build it first: `{command}`, then install libvec.so"
    for file in ("meson.build", "CMakeLists.txt", "vec.h"):
        (tree / file).unlink()
    command = "keelback build vec/api.h --init vec/plugin.py --name vec -o vec/libvec.so"
    assert told("vec/libvec.so") == f"help: build it first: `{command}`, then install libvec.so"
    assert workshop.run(*command.replace("keelback", keelback(), 1).split(), "-q", cwd=tmp_path).code == 0
    assert workshop.run(keelback(), "install", "vec/libvec.so", "--prefix", tmp_path / "usr", cwd=tmp_path) == Ran()
    # Nothing there that could be built: the general words.
    (tree / "plugin.py").unlink()
    (tree / "libvec.so").unlink()
    assert told("vec/libvec.so").startswith("help: build it first, such as with `keelback build api.h --init plugin.py")


def test_a_header_that_includes_another_one(workshop, built, tmp_path):
    (tmp_path / "more.h").write_text("")
    (tmp_path / "vec.h").write_text('#include "more.h"\n')
    ran = workshop.run(
        keelback(), "install", built.library, "--prefix", tmp_path / "usr", "--header", "vec.h", "--libdir", "/x/lib64",
        "--destdir", tmp_path / "stage", cwd=tmp_path,
    )
    assert ran.code == 0
    assert ran.stderr.splitlines()[0] == 'warning: vec.h includes "more.h", which is not installed'
    # A library elsewhere knows its headers by their whole path.
    cmake = (tmp_path / "stage/x/lib64/cmake/vec/vecConfig.cmake").read_text()
    assert f'get_filename_component(_keelback_includedir "{tmp_path}/usr/include" ABSOLUTE)' in cmake
    assert "\nlibdir=/x/lib64\n" in (tmp_path / "stage/x/lib64/pkgconfig/vec.pc").read_text()


def test_pkg_config(workshop, installed, tmp_path):
    (tmp_path / "host.c").write_text(HOST)
    env = {"PKG_CONFIG_PATH": installed / "lib/pkgconfig"}
    asked = workshop.run("pkg-config", "--validate", "vec", env=env)
    assert asked == Ran()
    assert workshop.run("pkg-config", "--modversion", "vec", env=env).stdout == "1.2.3\n"
    assert workshop.run("pkg-config", "--exists", "vec >= 1.3", env=env).code != 0
    command = "eval cc -Wall -Werror host.c $(pkg-config --cflags --libs vec) -o host"
    build_and_run(workshop, tmp_path, ["sh", "-c", command], env=env)
    ran = workshop.run(tmp_path / "host", env={"LD_LIBRARY_PATH": installed / "lib"})
    assert ran == Ran("14\n")


def test_cmake(workshop, installed, tmp_path):
    (tmp_path / "host.c").write_text(HOST)
    (tmp_path / "CMakeLists.txt").write_text("""\
cmake_minimum_required(VERSION 3.10)
project(host C)
find_package(vec 1.1 REQUIRED)
find_package(vec 1.1 REQUIRED)
add_executable(host host.c)
target_link_libraries(host PRIVATE vec::vec)
foreach(version 1.2.4 2.0 0.9)
  find_package(vec ${version} QUIET)
  message(STATUS "${version}: ${vec_FOUND}")
endforeach()
find_package(vec 1.2.3 EXACT REQUIRED)
if(NOT CMAKE_VERSION VERSION_LESS 3.19)
  find_package(vec 1.0...1.9 REQUIRED)
  find_package(vec 1.0...<1.2.3 QUIET)
  message(STATUS "range: ${vec_FOUND}")
endif()
""")
    configured = workshop.run("cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={installed}", cwd=tmp_path)
    assert configured.code == 0, configured.stdout + configured.stderr
    assert "-- 1.2.4: 0\n-- 2.0: 0\n-- 0.9: 0\n" in configured.stdout
    assert "-- range: 0\n" in configured.stdout
    assert configured.stderr == ""
    ran = build_and_run(workshop, tmp_path, ["cmake", "--build", "build"], [tmp_path / "build/host"])
    assert ran == Ran("14\n")


def test_cmake_of_what_was_moved_or_lost(workshop, installed, tmp_path):
    shutil.copytree(installed, tmp_path / "moved", symlinks=True)
    (tmp_path / "CMakeLists.txt").write_text("""\
cmake_minimum_required(VERSION 3.10)
project(host NONE)
find_package(vec REQUIRED)
get_target_property(place vec::vec IMPORTED_LOCATION)
message(STATUS "found ${place}")
""")
    command = ["cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={tmp_path / 'moved'}"]
    ran = workshop.run(*command, cwd=tmp_path)
    assert f"found {tmp_path}/moved/lib/libvec.so.1.2.3" in ran.stdout
    (tmp_path / "moved/lib/libvec.so.1.2.3").unlink()
    ran = workshop.run(*command, cwd=tmp_path)
    assert ran.code != 0
    assert "libvec.so.1.2.3 is not there" in " ".join(ran.stderr.split())


@pytest.mark.parametrize("method", ["pkg-config", "cmake"])
def test_meson(workshop, installed, tmp_path, method):
    (tmp_path / "host.c").write_text(HOST)
    modules = "" if method == "pkg-config" else ", modules: ['vec::vec']"
    (tmp_path / "meson.build").write_text(f"""\
project('host', 'c')
vec = dependency('vec', version: '>=1.2', method: '{method}'{modules})
executable('host', 'host.c', dependencies: vec)
""")
    # Meson gives the host a way to what pkg-config has found, not to what CMake has.
    env = {"PKG_CONFIG_PATH": installed / "lib/pkgconfig", "LD_LIBRARY_PATH": installed / "lib"}
    setup = ["meson", "setup", "build", f"-Dcmake_prefix_path={installed}"]
    ran = build_and_run(workshop, tmp_path, setup, ["ninja", "-C", "build"], [tmp_path / "build/host"], env=env)
    assert ran == Ran("14\n")


# What a package has that is not the library's: texts, and what debhelper adds.
OF_THE_PACKAGE = {
    "no-changelog",
    "no-copyright-file",
    "no-md5sums-control-file",
    "no-symbols-control-file",
    "description-too-short",
    "extended-description-is-probably-too-short",
    "initial-upload-closes-no-bugs",
    # dh_strip removes it.
    "binary-has-unneeded-section",
    # Of the functions that have checked variants none is used.
    "hardening-no-fortify-functions",
}


def test_lintian(workshop, built, tmp_path):
    multiarch = subprocess.run(["cc", "-print-multiarch"], capture_output=True, text=True).stdout.strip()
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True).stdout.strip()
    stage, library = tmp_path / "stage", tmp_path / "libvec1"
    libdir = f"usr/lib/{multiarch}"
    command = [keelback(), "install", built.library, "--prefix", "/usr", "--libdir", f"lib/{multiarch}", "--destdir", stage]
    assert workshop.run(*command) == Ran()
    # The library and the link that programs follow are one package, what compilers need the other.
    (library / libdir).mkdir(parents=True)
    for name in ("libvec.so.1", "libvec.so.1.2.3"):
        (stage / libdir / name).rename(library / libdir / name)
    # As dh_strip does.
    subprocess.run(["strip", "--strip-unneeded", library / libdir / "libvec.so.1.2.3"], check=True)
    packages = []
    for folder, name, section, depends in (
        (library, "libvec1", "libs", "libc6 (>= 2.34)"),
        (stage, "libvec-dev", "libdevel", "libvec1 (= 1.2.3-1)"),
    ):
        (folder / "DEBIAN").mkdir()
        (folder / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: 1.2.3-1\nArchitecture: {architecture}\nMaintainer: A Tester <tester@debian.org>\n"
            f"Section: {section}\nPriority: optional\nDepends: {depends}\nDescription: products of vectors\n"
            " It has the product of two vectors.\n"
        )
        packages.append(tmp_path / f"{name}.deb")
    (library / "DEBIAN/shlibs").write_text("libvec 1 libvec1 (>= 1.2.3)\n")
    (library / "DEBIAN/triggers").write_text("activate-noawait ldconfig\n")
    for folder, package in zip((library, stage), packages):
        for path in [folder, *folder.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
        build_and_run(workshop, tmp_path, ["dpkg-deb", "--root-owner-group", "--build", folder, package])
    ran = workshop.run("lintian", "--allow-root", "--pedantic", "--display-info", *packages)
    tags = {line.split()[2] for line in ran.stdout.splitlines() if line[:3] in ("E: ", "W: ", "I: ", "P: ")}
    assert "no-changelog" in tags, ran
    assert tags - OF_THE_PACKAGE == set(), ran.stdout
