"""Which Pythons the machine has."""
import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

_ASK = """
import sys, sysconfig
oldest = (3, 14) if sysconfig.get_config_var("Py_GIL_DISABLED") else (3, 10)
if sys.version_info >= oldest and sys.implementation.name == "cpython":
    print(sys.executable)
"""


def pythons() -> list[str]:
    """Executables of CPython 3.10 or newer, free-threaded ones from 3.14 on: $PYTHON or the one that runs this first, then those on PATH, Debian's, and
    those of a pyenv root. Each installation once, virtual environments not."""
    first = os.environ.get("PYTHON") or getattr(sys, "_base_executable", sys.executable)
    names = ["python3", *(f"python3.{minor}{kind}" for minor in range(10, 21) for kind in ("", "t"))]
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    candidates = [first, *map(shutil.which, names), "/usr/bin/python3", *sorted(glob.glob(f"{root}/versions/3.*/bin/python3"))]
    found: dict[Path, str] = {}
    for candidate in candidates:
        if not candidate or not os.path.exists(candidate):
            continue
        # A version manager's shim tells its real executable, or that there is none.
        told = subprocess.run([candidate, "-c", _ASK], capture_output=True, text=True, cwd="/").stdout.strip()
        executable = getattr(sys, "_base_executable", told) if told == sys.executable else told
        if executable:
            found.setdefault(Path(executable).resolve(), executable)
    return list(found.values())


if __name__ == "__main__":
    print("\n".join(pythons()))
