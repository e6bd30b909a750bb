"""keelback_add_plugin() beyond docs/building.md: a prelude, own modules, C++, what a host opens, and wrong calls."""

import os
import pathlib

from harness import Ran, keelback

FILES = {
    "api/shapes.h": '#include "types.h"\nnumber_t area(number_t side);\n',
    "api/types.h": "typedef int number_t;\n",
    "prelude/prelude.c": '#include "own.h"\n#include "../api/shapes.h"\nstatic int twice(int x) { return OWN * x; }\n',
    "prelude/own.h": "#define OWN 2\n",
    "extra.cdef": "int twice(int);\n",
    "init.py": "from shapes import ffi, lib\nimport rules\n\n@ffi.def_extern()\ndef area(side):\n"
    "    return rules.square(side) + lib.twice(0) + lib.twice(1) - 2\n",
    "rules.py": "def square(x):\n    return x * x\n",
    "host.cpp": '#include "shapes.hpp"\n#include <cstdio>\n'
    'int main() { const shapes::scope running; std::printf("%d\\n", shapes::area(3)); }\n',
    "CMakeLists.txt": """\
cmake_minimum_required(VERSION 3.20)
project(shapes C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(Keelback REQUIRED)
keelback_add_plugin(shapes CDEF api/shapes.h INIT init.py SOURCE prelude/prelude.c EXTRA_CDEF extra.cdef
  MODULES rules.py CPP_HEADER OPTIONS --no-site)
keelback_add_plugin(opened MODULE NAME shapes CDEF api/shapes.h INIT init.py SOURCE prelude/prelude.c
  EXTRA_CDEF extra.cdef MODULES rules.py)
add_executable(host host.cpp)
target_link_libraries(host PRIVATE shapes)
""",
}


def write(place, files):
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)


def configure(workshop, place, *more):
    assert workshop.run(keelback(), "cmake", place / "package") == Ran()
    path = os.pathsep.join([str(pathlib.Path(keelback()).parent), os.environ["PATH"]])
    command = ["cmake", "-G", "Ninja", "-B", "build", f"-DKeelback_DIR={place / 'package'}", *more]
    return workshop.run(*command, cwd=place, env={"PATH": path})


def test_all_of_its_arguments(workshop, tmp_path):
    write(tmp_path, FILES)
    ran = configure(workshop, tmp_path)
    assert (ran.stderr, ran.code) == ("", 0), ran.stdout

    def build():
        ran = workshop.run("ninja", "-C", "build", cwd=tmp_path)
        assert ran.code == 0, ran.stdout
        return ran.stdout

    build()
    assert workshop.run(tmp_path / "build/host") == Ran("9\n")
    assert (tmp_path / "build/libopened.so").exists()
    assert "no work to do" in build()
    # What only the depfiles know of: keelback's, and the compiler's, which reads what the prelude includes.
    for name, text, wanted in (
        ("rules.py", "def square(x):\n    return x + x\n", "keelback: shapes"),
        ("prelude/own.h", "#define OWN 5\n", "shapes.c.o"),
        ("api/types.h", "typedef short number_t;\n", "keelback: shapes"),
    ):
        (tmp_path / name).write_text(text)
        assert wanted in build(), name
    assert workshop.run(tmp_path / "build/host") == Ran("9\n")
    readelf = workshop.run("readelf", "--dynamic", tmp_path / "build/libshapes.so").stdout
    assert "NODELETE" in readelf


def test_calls_that_are_wrong(workshop, tmp_path):
    for call, said in (
        ("vec CDEF api.h", "keelback_add_plugin(vec): it needs INIT with a file"),
        ("vec INIT init.py", "keelback_add_plugin(vec): it needs CDEF with a file"),
        ("vec CDEF api.h INIT init.py WHAT", "keelback_add_plugin(vec): nobody knows what WHAT means"),
    ):
        text = f"cmake_minimum_required(VERSION 3.20)\nproject(x C)\nfind_package(Keelback REQUIRED)\nkeelback_add_plugin({call})\n"
        write(tmp_path, {"CMakeLists.txt": text})
        ran = configure(workshop, tmp_path)
        assert ran.code != 0
        assert said in " ".join(ran.stderr.split())


def test_without_the_command(workshop, tmp_path):
    text = "cmake_minimum_required(VERSION 3.20)\nproject(x NONE)\nset(CMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH OFF)\n"
    write(tmp_path, {"CMakeLists.txt": text + "find_package(Keelback REQUIRED)\n"})
    ran = configure(workshop, tmp_path)
    assert ran.code != 0
    assert "the command keelback is not on the PATH" in " ".join(ran.stderr.split())


def test_it_is_printed(workshop, tmp_path):
    workshop.run(keelback(), "cmake", tmp_path)
    path = tmp_path / "KeelbackConfig.cmake"
    assert workshop.run(keelback(), "cmake", normalise=False).stdout == path.read_text()
    # Written again only when it is another: what was built with it is not out of date.
    before = path.stat().st_mtime_ns
    workshop.run(keelback(), "cmake", tmp_path)
    assert path.stat().st_mtime_ns == before
