"""Sub-interpreters, whose module each version of Python has under another name, for scripts that run in a child process.

`INTERPRETERS` defines `interpreters` (`run_string`, `destroy`) and `create()`: one that shares its lock with the main
interpreter.
"""
import sys

if sys.version_info >= (3, 13):
    INTERPRETERS = "import _interpreters as interpreters; create = lambda: interpreters.create('legacy')"
elif sys.version_info >= (3, 12):
    INTERPRETERS = "import _xxsubinterpreters as interpreters; create = lambda: interpreters.create(isolated=False)"
else:
    INTERPRETERS = "import _xxsubinterpreters as interpreters; create = interpreters.create"
