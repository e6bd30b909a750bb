"""What setuptools calls an extension module and its wheel, in the Python that runs this: one for every version, where such a
name is taken. Without the network, so that it can be run with every Python; test_build_systems.py has the rest.
"""
import importlib.machinery
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "build-systems" / "setuptools"


def names():
    """The ending of the module's file, and the tags of the wheel."""
    own = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return ".abi3.so", "cp310-abi3"
    if sys.version_info >= (3, 15):
        return ".abi3t.so", f"{own}-abi3t"
    return sysconfig.get_config_var("EXT_SUFFIX"), f"{own}-{own}t"


def test_a_wheel_with_its_stubs(tmp_path):
    pytest.importorskip("setuptools")
    project = Path(shutil.copytree(EXAMPLE, tmp_path / "project"))
    ending, tags = names()
    assert ending in importlib.machinery.EXTENSION_SUFFIXES
    done = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "bdist_wheel", "--dist-dir", tmp_path],
        cwd=project, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"shapes-1.0-{tags}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}.whl"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    files = sorted(path.name for path in (tmp_path / "unpacked" / "shapes").iterdir())
    assert files == ["__init__.py", "_shapes" + ending, "_shapes.pyi"]
    path = os.pathsep.join([str(tmp_path / "unpacked"), *filter(None, sys.path)])
    used = subprocess.run(
        [sys.executable, "-c", "import shapes; print(shapes.distance((0, 0), (3, 4)))"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    assert (used.returncode, used.stdout, used.stderr) == (0, "5.0\n", "")
