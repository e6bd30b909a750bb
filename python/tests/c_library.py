"""C libraries for tests, compiled on the spot."""
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

_FOLDER = tempfile.TemporaryDirectory(prefix="keelback-tests-")


def compile_library(source: str, *flags: str) -> str:
    """Path of a shared library made from this C source."""
    name = hashlib.sha256("\0".join([source, *flags]).encode()).hexdigest()[:16]
    library = Path(_FOLDER.name) / f"lib{name}.so"
    if not library.exists():
        c_file = library.with_suffix(".c")
        c_file.write_text(source)
        compiler = os.environ.get("CC", "cc")
        # -Bsymbolic: a test's own `glob` must not become libc's.
        command = [compiler, "-shared", "-fPIC", "-O1", "-w", "-Wl,-Bsymbolic", *flags, "-o", library, c_file, "-lm"]
        subprocess.run(command, check=True)
    return str(library)
