"""Modules in API mode for row scripts: declared, compiled and imported with whatever `cffi` is here."""
import importlib
import sys
import tempfile


def build(name, cdef, source, **options):
    """`ffi` and `lib` of a module compiled from this C source. The files go when the process ends."""
    from cffi import FFI

    builder = FFI()
    builder.cdef(cdef)
    builder.set_source(name, source, **options)
    folder = tempfile.TemporaryDirectory(prefix="keelback-tests-")
    builder.compile(tmpdir=folder.name)
    sys.path.insert(0, folder.name)
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    # The folder is needed as long as the module.
    module.folder = folder
    return module
