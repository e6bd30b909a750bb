"""The same test for Keelback and for CFFI: what both must do is said once."""
import keelback
import pytest

try:
    import cffi
except ImportError:
    cffi = None

_LIST = [pytest.param(keelback.FFI, id="keelback")]
if cffi is not None and not cffi.__file__.startswith(keelback.__path__[0]):
    _LIST.append(pytest.param(cffi.FFI, id="cffi"))

# Decorates a test with a parameter `FFI`: a class of in-line ffi objects.
both = pytest.mark.parametrize("FFI", _LIST)
