"""The half of `keelback gen-src exec-python` that runs in Python: a build script's FFI becomes C source."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

# What build scripts written for CFFI see as `__name__`: their `if __name__ == "__main__":` is skipped.
SCRIPT_NAME = "cffi.gen_src"

# The command line's exit status for files that cannot be read or written, and for arguments that are wrong.
_FILES = 5
_USAGE = 2


def find_ffi(source: str, path: str, variable: str) -> Any:
    """Runs a build script and returns its FFI: the object called `variable`, or what the function of that name returns.

    While it runs, its directory is first on `sys.path`. Raises NameError if it has no such name, TypeError if that is
    no FFI, and whatever the script raises.
    """
    from keelback import FFI

    path = os.path.abspath(path)
    names: dict[str, Any] = {"__name__": SCRIPT_NAME, "__file__": path}
    before = sys.path[:]
    sys.path.insert(0, os.path.dirname(path))
    try:
        exec(compile(source, path, "exec"), names)
        if variable not in names:
            raise NameError(f"Expected to find the FFI object with the name {variable!r}, but it was not found.")
        found = names[variable]
        if not isinstance(found, FFI) and callable(found):
            found = found()
        if not isinstance(found, FFI):
            raise TypeError(
                f"Found an object with the name {variable!r} but it was not an instance of {FFI.__module__}.FFI"
            )
        return found
    finally:
        sys.path[:] = before


def write(text: str, output: str) -> None:
    """Writes the C source to a file, or for `-` to standard output. The file gets a new time even if its text is
    unchanged: makefiles compare it with the script's."""
    from keelback import _files

    if output == "-":
        sys.stdout.write(text)
    elif not _files.write(text, output):
        os.utime(output)


def main() -> NoReturn:
    """`-c ... SCRIPT VARIABLE OUTPUT MODE`, as the command line calls it."""
    script, variable, output, mode = sys.argv[1:]
    _end_by_exception()
    # The script sees only its own name as the command line.
    sys.argv[:] = [script]
    if mode == "as-cffi":
        import keelback

        keelback.install_as_cffi()
    try:
        if script == "-":
            source, script = sys.stdin.read(), "<stdin>"
        else:
            with open(script, encoding="utf-8") as file:
                source = file.read()
    except (OSError, UnicodeDecodeError) as error:
        _stop(f"cannot read the script {script}: {getattr(error, 'strerror', None) or error}")
    try:
        ffi = find_ffi(source, script, variable)
        text = _c_code(ffi)
        if output != "-":
            _check(ffi, output)
    except Exception as error:
        _show(error)
        sys.exit(1)
    try:
        write(text, output)
    except OSError as error:
        _stop(f"cannot write {output}: {error.strerror}")
    sys.exit(0)


def _end_by_exception() -> None:
    """Turns the signals that end the process into an exit, so that temporary files are removed first."""
    import signal

    def stop(number: int, frame: Any) -> NoReturn:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, stop)


def _check(ffi: Any, output: str) -> None:
    """An error if the output is a file that is read."""
    from keelback import _builder

    try:
        _builder.check_emitted(ffi, output)
    except ValueError as error:
        _stop(str(error), _USAGE)


def _c_code(ffi: Any) -> str:
    from keelback import _builder

    return _builder.c_code(ffi)


def _show(error: Exception) -> None:
    """Prints an exception with the part of its traceback that is the script's."""
    import traceback

    here = os.path.dirname(os.path.abspath(__file__))
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(here):
        frames = frames.tb_next
    traceback.print_exception(type(error), error, frames)


def _stop(message: str, status: int = _FILES) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    sys.exit(status)
