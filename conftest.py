"""The order of test files that run side by side (pytest -n 2 --dist loadfile --no-loadscope-reorder): the longest first, so
that none of them is what all others wait for at the end."""
import pathlib

ROOT = pathlib.Path(__file__).parent

# Each takes more than 20 seconds.
LONGEST = [
    "python/tests/test_build_systems.py",
    "python/tests/test_leaks.py",
    "python/tests/test_valgrind.py",
    "python/tests/test_builder_against_cffi.py",
    "python/tests/test_released_things.py",
    "python/tests/test_types.py",
]


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        place = {ROOT / name: number for number, name in enumerate(LONGEST)}
        items.sort(key=lambda item: place.get(item.path, len(LONGEST)))
