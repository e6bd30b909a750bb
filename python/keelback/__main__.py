"""`python -m keelback`: the command line. The same program as `keelback`."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def _program() -> str:
    """The path of the command-line program, which the wheel has beside the runtime."""
    name = "keelback.exe" if os.name == "nt" else "keelback"
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", name)
    if os.path.isfile(path):
        return path
    named = os.environ.get("KEELBACK_COMMAND")
    if named:
        return named
    sys.exit(
        f"keelback: the command-line program is not at {path}: this installation is not complete "
        "(a source checkout sets KEELBACK_COMMAND to target/release/keelback)"
    )


def main() -> NoReturn:
    program = _program()
    # Plugins are built for this interpreter, unless --python names another.
    os.environ.setdefault("KEELBACK_BUILD_PYTHON", sys.executable)
    arguments = [program, *sys.argv[1:]]
    if os.name == "nt":
        import subprocess

        sys.exit(subprocess.call(arguments))
    try:
        os.execv(program, arguments)
    except OSError as error:
        sys.exit(f"keelback: cannot run {program}: {error.strerror}")


if __name__ == "__main__":
    main()
