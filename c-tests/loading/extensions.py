# Run by the init code, and by the plain Python that says what is to be expected.
def extensions():
    import ctypes
    import json
    import math
    import _decimal

    told = [
        f"math {math.sqrt(2.0):.6f}",
        f"ctypes {ctypes.sizeof(ctypes.c_long)}",
        f"json {json.dumps({'a': [1, None]})}",
        f"_decimal {_decimal.Decimal('1.1') + _decimal.Decimal('2.2')}",
    ]
    for name in ("ssl", "sqlite3"):
        try:
            module = __import__(name)
        except ImportError:
            told.append(f"no {name}")
        else:
            told.append(f"{name} {module.OPENSSL_VERSION if name == 'ssl' else module.sqlite_version}")
    return ", ".join(told)
