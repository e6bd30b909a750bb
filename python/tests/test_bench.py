"""tools/bench, without its clock: what it makes of measured times, and that its runner and its rows work at all."""
import json
import os
import pathlib
import subprocess
import sys

import keelback
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from suite import __main__ as tool  # noqa: E402
from suite import page, parts, picture, results, rows  # noqa: E402

ABOUT = {
    "format": results.FORMAT, "date": "2026-11-30", "commit": "0123456789ab", "build": "release", "rounds": 5, "others": [0.02, 0.1],
    "machine": {"cpu": "A Processor", "cores": 2, "system": "Linux x86_64"},
    "versions": {"python": "3.11.7", "cffi": "2.1.1", "keelback": "keelback 0.1.0", "cc": "cc 12.2.0", "cython": "3.3.1", "pyo3": "0.30.1"},
}  # fmt: skip


def samples(*times):
    return [(time, 1.1 * time) for time in times]


def a_run(**more):
    """Five rounds of two rows: one in which Keelback is faster, one in which nothing but noise differs."""
    found = {
        "A/main/add1": {
            "keelback": samples(80, 82, 81, 80.5, 84), "cffi": samples(140, 141, 140, 142, 140), "c": samples(88, 90, 89, 88, 88),
        },
        "A/mt4/noop": {"keelback": samples(70, 60, 80, 65, 75), "cffi": samples(66, 70, 65, 71, 77)},
    }  # fmt: skip
    found |= more
    counts = {"C to Python: add1": {"keelback": 1470.2, "cffi": 2017.0}}
    return {**ABOUT, "rows": results.summary(found, counts)}


def test_the_results_of_a_run():
    assert a_run()["rows"]["A/main/add1"] == {
        "unit": "ns",
        "peers": {
            "keelback": {"best": 80.0, "median": 89.1}, "cffi": {"best": 140.0, "median": 154.0}, "c": {"best": 88.0, "median": 96.8},
        },
        "to_cffi": 0.5714,
        "to_c": 0.9091,
        "noise": 0.03661,
        "instructions": {"keelback": 1470.2, "cffi": 2017.0},
    }  # fmt: skip


def test_one_round_says_nothing_about_noise():
    run = a_run(**{"D/abi/abs": {"keelback": samples(50), "cffi": samples(100)}})
    assert run["rows"]["D/abi/abs"]["noise"] is None
    assert results.threshold("D/abi/abs", None) == 0.10


def test_what_is_noise():
    run = a_run()
    assert [key for key, row in run["rows"].items() if results.is_noise(key, row)] == ["A/mt4/noop"]


def test_a_run_compared_with_itself():
    assert results.compare(a_run(), a_run()) == [
        "Nothing changed by more than noise.",
        "",
        "2 of 2 rows differ by no more than noise:",
        "  A/main/add1                          +0.0% (noise 5.2%)",
        "  A/mt4/noop                           +0.0% (noise 37.3%)",
    ]


def test_what_changed_is_printed():
    old, new = a_run(), a_run()
    new["rows"]["A/main/add1"].update(to_cffi=0.65, instructions={"keelback": 1550.0})
    new["rows"]["D/abi/abs"] = old["rows"]["A/main/add1"]
    old["rows"]["D/abi/half"] = old["rows"]["A/main/add1"]
    assert results.compare(old, new) == [
        "slower  A/main/add1                          0.571 -> 0.65 of CFFI's  +13.8% (noise 5.2%)",
        "more    A/main/add1                          1470.2 -> 1550.0 instructions  +5.4%",
        "new     D/abi/abs",
        "gone    D/abi/half",
        "",
        "1 of 2 rows differ by no more than noise:",
        "  A/mt4/noop                           +0.0% (noise 37.3%)",
    ]
    assert results.compare(new, old)[0] == (
        "faster  A/main/add1                          0.65 -> 0.571 of CFFI's  -12.1% (noise 5.2%)"
    )


def test_another_machine_is_told():
    other = {**a_run(), "machine": {"cpu": "Another", "cores": 8, "system": "Linux x86_64"}}
    assert results.compare(other, a_run())[0] == "The machines differ: only ratios that were taken on one of them mean anything."


def test_the_table_of_a_section():
    assert page.table(rows.SECTIONS[0], a_run()) == (
        "| row | Keelback | CFFI | C by hand | / CFFI | / C | instructions | what dominates |\n"
        "|---|--:|--:|--:|--:|--:|--:|---|\n"
        "| two ints, main thread | 80.0 / 89.1 | 140 / 154 | 88.0 / 96.8 | 0.57 | 0.91 | 1470 / 2017 | The GIL is a third, the frame and "
        "the addition another; the ints that are made are the rest. |\n"
        "| nothing, four threads at once | 60.0 / 77.0 | 65.0 / 77.0 |  | 0.92 (noise) |  |  | The threads wait for the GIL: CPython's way "
        "of handing it over, and the cores, decide. |"
    )
    assert page.table(rows.SECTIONS[1], a_run()) == "(not measured)"


def test_what_is_no_faster_is_told():
    run = a_run(**{"E/bool_ptr": {"keelback": samples(12, 12, 12, 12), "cffi": samples(10, 10, 10, 10)}})
    assert page.no_faster(run) == (
        "Slower than CFFI: E: `not p` (1.20).\n\n"
        "As fast as CFFI, or different by no more than noise: A: nothing, four threads at once (0.92)."
    )


def test_when_and_with_what_is_told():
    assert page.about(a_run()) == (
        "Measured on 2026-11-30 with the release build in 5 rounds, on 2 cores of A Processor, Linux x86_64; Python 3.11.7, CFFI 2.1.1, "
        "Cython 3.3.1, PyO3 0.30.1; cc 12.2.0. Other processes kept 0.02 cores busy before and 0.1 after it."
    )
    assert "**The machine was not quiet** (other processes kept 1.9 cores busy)" in page.about({**a_run(), "others": [0.0, 1.9]})


def test_a_page_is_filled_between_its_markers():
    text = "a\n<!-- bench: A -->\nold\n<!-- end of bench: A -->\nb\n"
    assert page.fill(text, {"A": "new"}) == "a\n<!-- bench: A -->\nnew\n<!-- end of bench: A -->\nb\n"
    with pytest.raises(SystemExit, match="has no markers for 'B'"):
        page.fill(text, {"B": ""})


def test_a_picture():
    drawn = picture.picture("Calls <A>", [("two & two", {"keelback": 0.5, "c": 1.0})], {"keelback": "Keelback", "cffi": "CFFI", "c": "C"})
    head, style, body = drawn.partition(f"<style>{picture.STYLE}</style>\n")
    assert style
    assert head == (
        '<svg xmlns="http://www.w3.org/2000/svg" width="880" height="116" viewBox="0 0 880 116" role="img">\n'
        "<title>Calls &lt;A&gt;</title>\n"
    )
    assert body == (
        '<rect class="back" width="880" height="116" rx="6"/>\n'
        '<text class="title" x="12" y="22">Calls &lt;A&gt;</text>\n'
        '<circle cx="17" cy="40" r="4.5" fill="#d9480f"/>\n'
        '<text x="26" y="44">Keelback</text>\n'
        '<circle cx="101" cy="40" r="4.5" fill="#1c7ed6"/>\n'
        '<text x="110" y="44">C</text>\n'
        '<line class="grid" x1="345.0" y1="56" x2="345.0" y2="82"/>\n'
        '<text x="345.0" y="100" text-anchor="middle">0.5</text>\n'
        '<line class="one" x1="825.0" y1="56" x2="825.0" y2="82"/>\n'
        '<text x="825.0" y="100" text-anchor="middle">CFFI</text>\n'
        '<text x="333" y="75" text-anchor="end">two &amp; two</text>\n'
        '<circle cx="825.0" cy="71" r="4" fill="#1c7ed6"><title>C: 1</title></circle>\n'
        '<circle cx="345.0" cy="71" r="5" fill="#d9480f"><title>Keelback: 0.5</title></circle>\n'
        "</svg>\n"
    )


def test_the_scale_encloses_all_values():
    assert picture.ticks(0.3, 1.4) == [0.2, 0.5, 1.0, 2.0]
    assert picture.ticks(0.003, 30) == [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]


def test_json_has_a_line_for_each_row(tmp_path):
    run = a_run()
    text = tool.as_json(run)
    assert json.loads(text) == run
    assert sum(line.startswith('  "A/') for line in text.splitlines()) == 2
    (tmp_path / "old.json").write_text(text.replace('"format": 1', '"format": 0'))
    with pytest.raises(SystemExit, match="of another format"):
        tool.read(tmp_path / "old.json")


class Fake(parts.Part):
    """Two rows."""

    PREFIXES = ("A/", "E/")

    def prepare(self):
        self.took = []

    def round(self, number, add):
        for peer in self.in_turns(("keelback", "cffi", "c"), number):
            self.took.append(peer)
            add("E/read_item", peer, 10.0 + number, 11.0 + number)
        add("E/not asked for", "keelback", 1.0, 1.0)
        assert number > 0 or self.took == ["keelback", "cffi"]
        assert number == 0 or self.took == ["keelback", "cffi", "cffi", "keelback"]


def test_the_peers_take_turns(monkeypatch):
    monkeypatch.setattr(parts, "PARTS", (Fake,))
    said = []
    found = parts.measure(None, ["keelback", "cffi"], ["E/read_item", "C/build"], 2, True, said.append)
    assert found == {
        "E/read_item": {"keelback": [(10.0, 11.0), (11.0, 12.0)], "cffi": [(10.0, 11.0), (11.0, 12.0)]}, "C/build": {},
    }  # fmt: skip
    assert said == ["preparing: Two rows.", "round 1 of 2: Two rows.", "round 2 of 2: Two rows."]


def test_rows_of_data_are_measured(tmp_path):
    pytest.importorskip("cffi")
    environment = dict(os.environ, PYTHONPATH=str(pathlib.Path(keelback.__file__).parent.parent))
    program = ROOT / "bench/suite/calls_from_python.py"
    done = subprocess.run(
        [sys.executable, program, tmp_path, "2", "keelback,keelback-ool,cffi", "E/read_item", "E/new_int_ptr"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert list(found) == ["E/read_item", "E/new_int_ptr"]
    for peers in found.values():
        assert list(peers) == ["keelback", "keelback-ool", "cffi"]
        assert all(best <= median for best, median in peers.values())


def test_the_page_needs_all_rows():
    done = subprocess.run(
        [sys.executable, ROOT / "bench/suite", "--write-docs", "--sections", "A", "--results", "x"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (1, "error: --write-docs needs a run of all rows with all peers\n")


def test_the_page_is_that_of_the_committed_results():
    """After a change of bench/suite: `tools/bench --results bench/last.json --write-docs`."""
    if not tool.LAST.exists():
        pytest.skip("no run has been committed")
    run = tool.read(tool.LAST)
    assert set(run["rows"]) <= set(rows.ROWS)
    text = (ROOT / "docs/performance.md").read_text()
    assert page.fill(text, page.generated(run)) == text
    for section in rows.SECTIONS:
        assert (ROOT / "docs" / page.picture_name(section)).read_text() == page.svg(section, run)
