"""`ffi.verify()`: compiles the declarations of an FFI together with C source, and returns the `lib`.

The command line makes an ordinary plugin of them, which is imported at once. A plugin exports at least one function;
this one's is never called.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Sequence
from typing import Any

from keelback import FFI, VerificationError
from keelback.__main__ import _program

_TEMPORARY: list[tempfile.TemporaryDirectory[str]] = []


def _write(path: str, text: str) -> str:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _options(keywords: dict[str, Any]) -> list[str]:
    """The arguments of a setuptools Extension, as the command line takes them."""
    options: list[str] = []

    def add(flag: str, values: Sequence[str]) -> None:
        for value in values:
            options.extend([flag, value])

    for name, value in keywords.items():
        if name == "libraries":
            add("-l", value)
        elif name == "include_dirs":
            add("-I", value)
        elif name == "library_dirs":
            add("-L", value)
        elif name == "define_macros":
            add("-D", [macro if text is None else f"{macro}={text}" for macro, text in value])
        else:
            raise TypeError(f"verify(): the keyword argument '{name}' is not supported")
    return options


def verify(
    ffi: FFI,
    source: str = "",
    tmpdir: str | os.PathLike[str] | None = None,
    modulename: str | None = None,
    tag: str = "",
    **keywords: Any,
) -> Any:
    """See `FFI.verify`."""
    cdefs = ffi._cdefs()
    key = repr((cdefs, source, sorted(keywords.items()), tag))
    name = modulename or f"_keelback_verify_{tag}{zlib.crc32(key.encode()):08x}"
    if tmpdir is None:
        # As long as the process: the library stays mapped.
        folder = tempfile.TemporaryDirectory(prefix="keelback-verify-", ignore_cleanup_errors=True)
        _TEMPORARY.append(folder)
        directory = folder.name
    else:
        directory = os.fspath(tmpdir)
        os.makedirs(directory, exist_ok=True)

    def path(suffix: str) -> str:
        return os.path.join(directory, name + suffix)

    anchor = f"{name}_anchor"
    library = path(".so")
    command = [_program(), "build", "--quiet", "--name", name, "--python", sys.executable, "-o", library]
    command += ["--source", _write(path(".prelude.c"), source)]
    command += ["--init", _write(path(".py"), f"from {name} import ffi\n@ffi.def_extern()\ndef {anchor}(): return 0\n")]
    for number, (text, packing) in enumerate(cdefs):
        if packing is not None:
            text = f"#pragma pack(push, {packing})\n{text}\n#pragma pack(pop)\n"
        command += ["--cdef", _write(path(f".{number}.cdef"), text)]
    command += _options(keywords)
    command.append(_write(path(".anchor.h"), f"int {anchor}(void);\n"))
    environment = dict(os.environ)
    # The runtime that this process has, whatever else is installed.
    environment["KEELBACK_RUNTIME"] = str(sys.modules["keelback._runtime"].__file__)
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise VerificationError(done.stderr.strip())
    loader = importlib.machinery.ExtensionFileLoader(name, library)
    spec = importlib.util.spec_from_file_location(name, library, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module.lib
