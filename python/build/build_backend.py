"""The build backend of the pip package: maturin, after the command line was built and put into the package.

maturin packs one crate, the runtime; a wheel also carries the program `keelback` (keelback/bin/keelback), which the
`keelback` script and `python -m keelback` run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from maturin import (  # noqa: F401  (hooks of PEP 517 and PEP 660)
    build_sdist,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_wheel,
)
import maturin

ROOT = Path(__file__).resolve().parent.parent.parent

# `dev` is for tests of the wheel: unoptimised, and built in a tenth of the time.
PROFILE = os.environ.get("KEELBACK_WHEEL_PROFILE", "release")
FOLDER = {"dev": "debug"}.get(PROFILE, PROFILE)
if PROFILE != "release":
    os.environ["MATURIN_PEP517_ARGS"] = f"--profile {PROFILE}"


def _build_command_line() -> None:
    """Builds the program and copies it to where the wheel takes it from."""
    name = "keelback.exe" if sys.platform == "win32" else "keelback"
    environment = dict(os.environ, PYO3_PYTHON=sys.executable)
    cargo = ["cargo", "build", "--profile", PROFILE, "--package", "keelback", "--bin", "keelback", "--manifest-path"]
    subprocess.run([*cargo, str(ROOT / "Cargo.toml")], env=environment, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    into = ROOT / "python" / "keelback" / "bin"
    into.mkdir(exist_ok=True)
    shutil.copy2(target / FOLDER / name, into / name)
    strip = shutil.which("strip")
    if strip:
        # Its line tables are ten times its code.
        subprocess.run([strip, str(into / name)], check=True)


def build_wheel(
    wheel_directory: str,
    config_settings: dict[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    _build_command_line()
    return str(maturin.build_wheel(wheel_directory, config_settings, metadata_directory))


def build_editable(
    wheel_directory: str,
    config_settings: dict[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    _build_command_line()
    return str(maturin.build_editable(wheel_directory, config_settings, metadata_directory))


get_requires_for_build_editable = get_requires_for_build_wheel
