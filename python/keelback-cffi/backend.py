"""Builds the wheel of keelback-cffi (PEP 517): two Python files, its own metadata, and metadata by the name of cffi, so that
what requires cffi finds it installed.

pip takes one .dist-info in a wheel; the other one travels as data. Its RECORD has the modules: installing cffi replaces
them, as it replaces an older cffi.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NAME = "keelback-cffi"
SUMMARY = "cffi and _cffi_backend made of Keelback, for environments without CFFI"
# A fixed time: the same files make the same wheel.
TIME = (2026, 1, 1, 0, 0, 0)

MODULES = ("_cffi_backend.py", "cffi/__init__.py")
ENTRY_POINTS = "[distutils.setup_keywords]\ncffi_modules = cffi.setuptools_ext:cffi_modules\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: keelback-cffi\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def _version() -> str:
    """That of the whole workspace."""
    text = (ROOT / "Cargo.toml").read_text()
    found = re.search(r'^version = "(.*)"$', text, re.MULTILINE)
    assert found, "Cargo.toml has no version"
    return found[1]


def _cffi_version() -> str:
    """Whose behaviour Keelback follows."""
    text = (ROOT / "python" / "keelback" / "_cffi.py").read_text()
    found = re.search(r'^VERSION = "(.*)"$', text, re.MULTILINE)
    assert found, "_cffi.py has no VERSION"
    return found[1]


def _metadata(name: str, version: str, *lines: str) -> str:
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {SUMMARY}"]
    return "\n".join([*head, "Requires-Python: >=3.10", *lines]) + "\n"


def _own_metadata() -> str:
    version = _version()
    about = (
        "It cannot be installed beside cffi: both have the same modules. Uninstall the one that is not wanted, then install "
        "the other one again."
    )
    return _metadata(NAME, version, f"Requires-Dist: keelback=={version}", "Provides-Dist: cffi", "", about)


def _files(folder: str, data: str) -> dict[str, str]:
    """The wheel's files, by their names in it."""
    version = _cffi_version()
    as_cffi = f"cffi-{version}.dist-info"
    theirs = {
        "METADATA": _metadata("cffi", version, f"Requires-Dist: {NAME}"),
        "INSTALLER": f"{NAME}\n",
        "WHEEL": WHEEL,
        "entry_points.txt": ENTRY_POINTS,
    }
    record = [*MODULES, *(f"{as_cffi}/{name}" for name in theirs), f"{as_cffi}/RECORD"]
    theirs["RECORD"] = "".join(f"{name},,\n" for name in record)
    files = {name: (HERE / "modules" / name).read_text() for name in MODULES}
    files.update((f"{data}/purelib/{as_cffi}/{name}", text) for name, text in theirs.items())
    files[f"{folder}/METADATA"] = _own_metadata()
    files[f"{folder}/WHEEL"] = WHEEL
    return files


def _record_line(name: str, text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(text.encode())}\n"


def build_wheel(
    wheel_directory: str,
    config_settings: dict[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    stem = f"{NAME.replace('-', '_')}-{_version()}"
    folder = f"{stem}.dist-info"
    files = _files(folder, f"{stem}.data")
    record = "".join(_record_line(name, text) for name, text in files.items())
    files[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n"
    wheel = f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, TIME), text)
    return wheel


def build_sdist(sdist_directory: str, config_settings: dict[str, Any] | None = None) -> str:
    raise NotImplementedError("keelback-cffi is built from a checkout of Keelback")
