"""What was released is never a crash or somebody else's memory: see released_things.py, which tries everything on it."""
import subprocess
import sys
from pathlib import Path

import pytest

NUMBERS = ("int", "unsigned char", "long long", "uint64_t", "bool", "char", "wchar_t", "char16_t", "float", "double",
           "long double", "double _Complex", "enum")  # fmt: skip
# These look into the memory, or hand it on.
LOOK = {
    "pointer": ("x[0]", "x[0] = ", "x[0:1]", "unpack", "buffer", "buffer 1", "memmove from", "memmove to", "gc"),
    "struct": ("x.x", "x.x = ", "addressof", "addressof x", "new", "gc"),
}


def outcomes(*arguments):
    script = Path(__file__).with_name("released_things.py")
    ran = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, timeout=300)
    assert ran.stderr == "" and ran.returncode == 0
    return {tuple(line.split(": ")[0].split(" | ")): line.split(": ")[-1] for line in ran.stdout.splitlines()}


@pytest.fixture(scope="module")
def released():
    return outcomes()


def test_nothing_crashes(released):
    assert len(released) > 1500
    assert {outcome for outcome in released.values() if outcome.startswith("SIG")} == set()
    assert set(released.values()) == {
        "ok", "answers", "AttributeError", "KeyError", "NotImplementedError", "RuntimeError", "TypeError", "ValueError"
    } - ({"ValueError"} - set(released.values()))  # fmt: skip


def test_a_number_keeps_its_value(released):
    live = outcomes("live")
    for (thing, operation), outcome in released.items():
        if thing.removeprefix("gc ") in NUMBERS and operation != "gc None":
            assert (thing, operation, outcome) == (thing, operation, live[thing, operation])


@pytest.mark.parametrize(
    "thing, kind",
    [("gc int *", "pointer"), ("gc char *", "pointer"), ("gc int[3]", "pointer"), ("gc struct", "struct"),
     ("from_buffer", "pointer"), ("from_buffer int[4]", "pointer"), ("allocator int[3]", "pointer")],
)  # fmt: skip
def test_memory_that_is_gone_raises(released, thing, kind):
    wrong = {operation: released[thing, operation] for operation in LOOK[kind]}
    assert {operation for operation, outcome in wrong.items() if outcome not in ("RuntimeError", "IndexError")} == set(), wrong


def test_a_released_pointer_is_not_passed_to_c(released):
    assert released["gc char *", "call strlen"] == "RuntimeError"
    assert released["gc char[]", "call strlen"] == "RuntimeError"
    assert released["from_buffer", "call strlen"] == "RuntimeError"
