"""What goes in comes out: random signatures, random values, both directions, thousands of cases.

`KEELBACK_PROPERTY_SEEDS=FROM..TO` tries other seeds than the usual ones.
"""

import os

import pytest
from echo import Interface

SIGNATURES = 60
RECORDS = 25
ROUNDS = 30

told = os.environ.get("KEELBACK_PROPERTY_SEEDS")
SEEDS = range(*map(int, told.split(".."))) if told else range(1, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_values_come_out_as_they_went_in(plugin, host, run, tmp_path, seed):
    interface = Interface(seed, SIGNATURES, RECORDS, wide=["__int128", "unsigned __int128"])
    extra = tmp_path / "extra.cdef"
    extra.write_text(interface.extra())
    built = plugin(interface.api(), interface.init(), name="echoes", source=interface.prelude(), args=["--cdef", extra])
    program = host(interface.host(ROUNDS), built, flags=["-Wno-unused-function", "-Wno-psabi"])
    ran = run(program)
    values = ROUNDS * sum(len(types) + 1 for types in interface.signatures)
    assert (ran.stdout, ran.stderr, ran.code) == (f"{values} values, 0 wrong\n", "", 0)
