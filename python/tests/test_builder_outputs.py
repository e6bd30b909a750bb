"""What builders in Python write: none of the files that are read, whole or not at all, through links."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import keelback
import pytest


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def builder(name="mod", prelude="static int one(void) { return 1; }", cdef="int one(void);", **options):
    ffi = keelback.FFI()
    ffi.cdef(cdef)
    ffi.set_source(name, prelude, **options)
    return ffi


def refused(path, act):
    """The file would be overwritten, and is not."""
    before = pathlib.Path(path).read_text()
    with pytest.raises(ValueError) as caught:
        act()
    assert str(caught.value).endswith(" would be overwritten: it is read as well"), caught.value
    assert pathlib.Path(path).read_text() == before


TEXT = "int one(void) { return 1; }\n"


@pytest.mark.parametrize("spelling", ["mod.c", "./mod.c", "sub/../mod.c", "hard.c", "soft.c"])
def test_a_source_that_is_compiled(place, spelling):
    (place / "mod.c").write_text(TEXT)
    (place / "sub").mkdir()
    os.link("mod.c", "hard.c")
    os.symlink("mod.c", "soft.c")
    refused("mod.c", builder(prelude="int one(void);", sources=[spelling]).compile)
    refused("mod.c", builder(prelude="int one(void);", extra_objects=[spelling]).compile)
    refused("mod.c", builder(prelude="int one(void);", extra_link_args=[spelling]).compile)
    refused("mod.c", builder(prelude="int one(void);", depends=[spelling]).compile)
    refused("mod.c", builder(prelude=f'#include "{spelling}"').compile)
    refused("mod.c", lambda: builder("other", prelude="", sources=[spelling]).emit_c_code("mod.c"))
    refused("mod.c", lambda: builder("other", prelude="", sources=["mod.c"]).emit_c_code(spelling))
    refused("mod.c", lambda: builder(prelude="", sources=[spelling]).distutils_extension("."))
    assert sorted(os.listdir()) == ["hard.c", "mod.c", "soft.c", "sub"]


def test_a_text_that_the_prelude_includes(place):
    (place / "inc").mkdir()
    (place / "mod.c").write_text(TEXT)
    (place / "inc/mod.h").write_text('#include "../mod.c"\n')
    refused("mod.c", builder(prelude='  # include "mod.h"', include_dirs=["inc"]).compile)
    refused("inc/mod.h", lambda: builder(prelude='#include "mod.h"', include_dirs=["inc"]).emit_c_code("inc/mod.h"))
    # What a builder makes may be made again.
    ffi = builder()
    ffi.emit_c_code("made.c")
    builder(prelude='static int one(void) { return 1; }\n#if 0\n#include "made.c"\n#endif').emit_c_code("made.c")


def test_a_library_that_is_linked(place):
    (place / "one.c").write_text(TEXT)
    subprocess.run(["cc", "-shared", "-fPIC", "one.c", "-o", "libone.so"], check=True)
    before = (place / "libone.so").read_bytes()
    ffi = builder("pk", prelude="int one(void);", libraries=["one"], library_dirs=["."])
    with pytest.raises(ValueError, match="libone.so would be overwritten: it is read as well"):
        ffi.compile(target="libone.*")
    assert (place / "libone.so").read_bytes() == before


def test_two_outputs(place):
    with pytest.raises(ValueError) as caught:
        builder().compile(target="mod.o")
    assert str(caught.value) == f"./mod.o and {place}/mod.o are the same file, and both would be written"
    os.symlink("mod.c", "mod.so")
    with pytest.raises(ValueError, match="are the same file, and both would be written"):
        builder().compile(target="mod.so")
    assert os.listdir() == ["mod.so"]


SCRIPT = """
import helper, keelback
ffi = keelback.FFI()
ffi.cdef("int one(void);")
ffi.set_source({name!r}, None)
ffi.{act}
"""


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("build_it", "compile()"),
        ("other", "emit_python_code('build_it.py')"),
        ("other", "emit_python_code('link.py')"),
        ("helper", "compile()"),
    ],
)
def test_the_script_itself(place, name, act):
    script = SCRIPT.format(name=name, act=act)
    (place / "build_it.py").write_text(script)
    (place / "helper.py").write_text("# helps\n")
    os.symlink("build_it.py", "link.py")
    ran = subprocess.run([sys.executable, "build_it.py"], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.endswith(".py would be overwritten: it is read as well\n"), ran.stderr
    assert (place / "build_it.py").read_text() == script
    assert (place / "helper.py").read_text() == "# helps\n"
    assert os.path.islink("link.py")


def test_what_was_made_is_made_again(place):
    """A package may have imported the module that its build script makes, and a C file of CFFI's is replaced."""
    (place / "build_it.py").write_text(SCRIPT.format(name="helper", act="compile()").replace("int one", "int two"))
    first = keelback.FFI()
    first.cdef("int one(void);")
    first.set_source("helper", None)
    first.compile()
    subprocess.run([sys.executable, "build_it.py"], check=True)
    assert "two" in (place / "helper.py").read_text()


@pytest.mark.parametrize("is_there", [True, False])
def test_links_are_written_through(place, is_there):
    (place / "real").mkdir()
    for name in ("mod.c", "mod.so", "mod.py"):
        if is_there:
            (place / "real" / name).write_text("old\n")
        os.symlink(f"real/{name}", name)
    builder().compile(target="mod.so")
    abi = keelback.FFI()
    abi.cdef("int one(void);")
    abi.set_source("mod", None)
    abi.compile()
    for name in ("mod.c", "mod.so", "mod.py"):
        assert os.readlink(name) == f"real/{name}"
        assert (place / "real" / name).read_bytes()[:4] in (b"/* M", b"\x7fELF", b"# Ma")
    assert sorted(os.listdir("real")) == ["mod.c", "mod.py", "mod.so"]


SLOW_CC = """#!/bin/sh
for word; do last=$previous; previous=$word; done
case "$*" in
*-shared*)
    for word; do [ "$before" = -o ] && echo begun > "$word"; before=$word; done
    : > linking
    exec sleep 30;;
*) exec cc "$@";;
esac
"""
BUILDER = """
import keelback, signal
{before}
ffi = keelback.FFI()
ffi.cdef("int one(void);")
ffi.set_source("mod", "static int one(void) {{ return 1; }}")
ffi.compile(target="mod.so")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_takes_the_temporary_file(place, number):
    """The linker has begun to write: what is there goes with the process, and its exit status is the signal's."""
    cc = place / "slow-cc"
    cc.write_text(SLOW_CC)
    cc.chmod(0o755)
    # The tests themselves may run where signals are ignored (nohup, a shell's background).
    before = f"signal.signal({int(number)}, signal.SIG_DFL)"
    process = subprocess.Popen([sys.executable, "-c", BUILDER.format(before=before)], env={**os.environ, "CC": str(cc)})
    while not os.path.exists("linking"):
        assert process.poll() is None
        time.sleep(0.01)
    assert [name for name in os.listdir() if ".~" in name] == [f"mod.so.~{process.pid}"]
    process.send_signal(number)
    assert process.wait(20) == -number
    assert sorted(os.listdir()) == ["linking", "mod.c", "mod.o", "slow-cc"]


def test_dispositions_are_as_before(place):
    ours = "signal.signal(signal.SIGTERM, signal.SIG_DFL)\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)"
    code = BUILDER.format(before=ours) + """
held = dict(line.split() for line in open("/proc/self/status") if line.startswith(("SigCgt:", "SigIgn:")))
held = {key: int(mask, 16) for key, mask in held.items()}
print(held["SigCgt:"] >> signal.SIGTERM - 1 & 1, held["SigCgt:"] >> signal.SIGHUP - 1 & 1, held["SigIgn:"] >> signal.SIGHUP - 1 & 1)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "0 0 1\n"


def test_a_failed_build_leaves_the_product(place):
    (place / "mod.so").write_text("old\n")
    with pytest.raises(keelback.VerificationError) as caught:
        builder(prelude="int one(void);", extra_link_args=["-lnosuchlibrary"]).compile(target="mod.so")
    assert ".~" not in str(caught.value)
    assert (place / "mod.so").read_text() == "old\n"
    assert sorted(os.listdir()) == ["mod.c", "mod.o", "mod.so"]


def test_a_library_for_another_machine(place, monkeypatch):
    """A compiler for another machine: here one that writes another number into what it made."""
    script = place / "cross-cc"
    script.write_text(
        '#!/bin/sh\ncc "$@" || exit\nfor word; do case $last in -o) out=$word;; esac; last=$word; done\n'
        "case \"$*\" in *-shared*) printf '\\267\\000' | dd of=\"$out\" bs=1 seek=18 conv=notrunc status=none;; esac\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("CC", str(script))
    embedding = keelback.FFI()
    embedding.embedding_api("int one(void);")
    embedding.set_source("mod", "")
    embedding.embedding_init_code("from mod import ffi")
    with pytest.warns(UserWarning) as told:
        embedding.compile()
    assert [str(warning.message) for warning in told] == [
        f"{place}/mod.so is for AArch64, and the Python and the runtime that it records are for x86-64: it looks for "
        "both where it is started (KEELBACK_PYTHON, KEELBACK_RUNTIME)"
    ]
    assert told[0].filename == __file__
    # An extension module records neither.
    builder("extension").compile()
