#!/usr/bin/env python3
"""Calls into Python and start-up, side by side with CFFI and with PyGILState code. See ../README.md."""
import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

# The highest allowed ratios to CFFI; GILSTATE is that of `add1` and `noop` on other threads to `gilstate`.
CALLS = {
    f"{where}/{case}": must
    for where in ("main", "thread")
    for case, must in {
        "add1": 0.68, "multiply": 0.70, "noop": 0.76 if where == "main" else 0.92, "add1_scope": 0.45, "noop_scope": 0.35,
        "length": 0.40, "point": 0.55, "point_val": 0.55, "handle": 0.44 if where == "main" else 0.50, "raises": 1.2, "wrong": 1.2,
    }.items()
}
# Several threads wait for the GIL, so this mostly measures CPython's hand-over, which varies.
TOGETHER = {f"mt{threads}/{case}": must for threads in (2, 4) for case, must in {"add1": 0.70, "noop": 0.95}.items()}
GILSTATE = 0.03
# The most that an element of a batch may cost: of a single call; with numpy, in nanoseconds.
BATCH, ARRAYS = 0.35, 1.0
START = {"dlopen": 0.15, "total": 1.0}


def measure(arguments):
    """{row: {peer: [(best, median) of each round]}}, by the runner of tools/bench."""
    from suite import parts, peers
    from suite.rows import ROWS

    keys = [key for key in ROWS if key.startswith(("A/", "B/site/"))]
    samples = {key: {} for key in keys}
    with tempfile.TemporaryDirectory() as folder:
        builder = peers.Builder(folder, arguments.keelback)
        if arguments.plugin:
            plugin = Path(arguments.plugin).resolve()
            builder.plugin_keelback = lambda: (plugin, builder.environment)
        part = parts.Embedding(builder, ["keelback", "cffi", "ensure"], keys, True)
        part.starts_of_round = -(-arguments.starts // arguments.rounds)
        part.prepare()
        for number in range(arguments.rounds):
            part.round(number, lambda key, peer, best, median: samples.setdefault(key, {}).setdefault(peer, []).append((best, median)))
    return samples


def best(samples, peer):
    return min(low for low, _ in samples[peer]) if peer in samples else None


def calls(samples):
    failed = False
    print(f"\n{'ns per call':22}{'keelback':>10}{'cffi':>10}{'gilstate':>10}{'/ cffi':>9}{'must':>7}{'/ gilstate':>12}")
    for case, must in (CALLS | TOGETHER).items():
        ours, theirs, by_hand = (best(samples[f"A/{case}"], name) for name in ("keelback", "cffi", "ensure"))
        ratio = ours / theirs
        bad = ratio > must
        bad |= not case.startswith("main/") and case.endswith(("add1", "noop")) and ours / by_hand > GILSTATE
        failed |= bad
        print(f"{case:22}{ours:10.1f}{theirs:10.1f}{by_hand:10.1f}{ratio:9.2f}{must:7.2f}{ours / by_hand:12.3f}"
              + ("  MISSED" if bad else ""))
    return failed


def batches(samples):
    single, batch, arrays = (best(samples[f"A/main/{case}"], "keelback") for case in ("multiply", "multiply_batch", "scale_batch"))
    failed = batch / single > BATCH
    print(f"\nan element of a batch: {batch:.1f} ns, {batch / single:.2f} of a single call" + ("  MISSED" if failed else ""))
    if arrays is None:
        print("not measured with numpy, which this Python has not")
        return failed
    print(f"... of one that numpy gets: {arrays:.2f} ns" + ("  MISSED" if arrays > ARRAYS else ""))
    return failed or arrays > ARRAYS


def start(samples):
    failed = False
    print(f"\n{'ms, best / median':22}{'keelback':>18}{'cffi':>18}{'best / best':>13}{'must':>7}")
    for what, must in (("dlopen", START["dlopen"]), ("first_call", None), ("total", START["total"])):
        rows = samples[f"B/site/{what}"]
        ours, theirs = best(rows, "keelback"), best(rows, "cffi")
        bad = must is not None and ours / theirs > must
        failed |= bad
        cells = [f"{best(rows, name):.3f} / {statistics.median(median for _, median in rows[name]):.3f}" for name in ("keelback", "cffi")]
        print(f"{what:22}{cells[0]:>18}{cells[1]:>18}{ours / theirs:13.2f}{must or 0:7.2f}" + ("  MISSED" if bad else ""))
    if best(samples["B/site/libpython_mapped"], "keelback"):
        print("libpython is mapped by dlopen of the plugin  MISSED")
        failed = True
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cffi-python", required=True, help="a python with cffi and setuptools; best a cffi built with -O3")
    parser.add_argument("--keelback", default="keelback", help="the keelback command")
    parser.add_argument("--plugin", help="a plugin of api.h that is built already, instead of building one")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each plugin (default 5)")
    parser.add_argument("--starts", type=int, default=20, help="starts of each plugin (default 20)")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    arguments = parser.parse_args()
    if os.path.abspath(arguments.cffi_python) != os.path.abspath(sys.executable):
        # Everything is built for the Python that runs the benchmarks.
        os.execv(arguments.cffi_python, [arguments.cffi_python, __file__, *sys.argv[1:]])
    samples = measure(arguments)
    failed = calls(samples)
    failed |= batches(samples)
    failed |= start(samples)
    return 1 if failed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
