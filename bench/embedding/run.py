#!/usr/bin/env python3
"""Calls into Python and start-up, side by side with CFFI and with PyGILState code. See ../README.md."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# The highest allowed ratios to CFFI; GILSTATE is the one of `thread/add1` to `gilstate`.
CALLS = {
    f"{where}/{case}": must
    for where in ("main", "thread")
    for case, must in {
        "add1": 0.68, "multiply": 0.70, "noop": 0.76 if where == "main" else 0.92, "length": 0.40,
        "point": 0.55, "point_val": 0.55, "handle": 0.44 if where == "main" else 0.50, "raises": 1.2, "wrong": 1.2,
    }.items()
}
# Several threads wait for the GIL, so this mostly measures CPython's hand-over, which varies.
TOGETHER = {f"mt{threads}/{case}": must for threads in (2, 4) for case, must in {"add1": 0.70, "noop": 0.95}.items()}
GILSTATE = 0.03
START = {"dlopen": 0.15, "total": 1.0}


def run(command, **kwargs):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **kwargs)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def ask(python):
    code = (
        "import json, sys, sysconfig as s; "
        "print(json.dumps([s.get_config_var('LIBDIR'), s.get_path('include'), s.get_path('purelib'), "
        "s.get_config_var('LDVERSION'), sys.version.split()[0]]))"
    )
    return json.loads(run([python, "-c", code]))


def build(arguments, work):
    libdir, include, purelib, version, full = ask(arguments.cffi_python)
    cc = os.environ.get("CC", "cc")
    for host in ("calls", "start"):
        run([cc, "-O2", "-o", work / host, HERE / f"{host}.c", "-ldl", "-lpthread"])
    run([arguments.cffi_python, HERE / "build_cffi.py", HERE], cwd=work)
    run([cc, "-O3", "-shared", "-fPIC", f"-I{include}", "-o", work / "libbench_gilstate.so", HERE / "gilstate.c",
         f"-L{libdir}", f"-lpython{version}", f"-Wl,-rpath,{libdir}"])
    if arguments.plugin:
        plugin = pathlib.Path(arguments.plugin).resolve()
    else:
        plugin = work / "libbench_keelback.so"
        run([arguments.keelback, "build", HERE / "api.h", "--init", HERE / "plugin.py", "--name", "bench_plugin",
             "--python", arguments.cffi_python, "-o", plugin], env=os.environ | {"CFLAGS": "-O3"})
    # CFFI's plugin finds its libpython and its backend only with help.
    environment = os.environ | {"LD_LIBRARY_PATH": libdir, "PYTHONPATH": purelib}
    print(f"Python {full}, CFFI {run([arguments.cffi_python, '-c', 'import cffi; print(cffi.__version__)']).strip()}")
    return {
        "keelback": (plugin, os.environ),
        "cffi": (work / "libbench_cffi.so", environment),
        "gilstate": (work / "libbench_gilstate.so", os.environ | {"LD_LIBRARY_PATH": libdir}),
    }


def calls(arguments, work, plugins):
    """Best of all rounds, per plugin and case. The plugins take turns, so that a slow minute hits all of them."""
    best = {}
    for _ in range(arguments.rounds):
        for name, (plugin, environment) in plugins.items():
            for line in run([work / "calls", plugin], env=environment).splitlines():
                case, low, _median = line.split()
                key = (name, case)
                best[key] = min(best.get(key, 1e99), float(low))
    failed = False
    print(f"\n{'ns per call':22}{'keelback':>10}{'cffi':>10}{'gilstate':>10}{'/ cffi':>9}{'must':>7}{'/ gilstate':>12}")
    for case, must in (CALLS | TOGETHER).items():
        ours, theirs, by_hand = (best.get((name, case)) for name in ("keelback", "cffi", "gilstate"))
        ratio = ours / theirs
        line = f"{case:22}{ours:10.1f}{theirs:10.1f}{by_hand or 0:10.1f}{ratio:9.2f}{must:7.2f}"
        bad = ratio > must
        if by_hand:
            line += f"{ours / by_hand:12.3f}"
            bad |= not case.startswith("main/") and ours / by_hand > GILSTATE
        failed |= bad
        print(line + ("  MISSED" if bad else ""))
    return failed


def start(arguments, work, plugins):
    samples = {}
    for _ in range(arguments.starts):
        for name in ("keelback", "cffi"):
            plugin, environment = plugins[name]
            for line in run([work / "start", plugin], env=environment).splitlines():
                what, value = line.split()
                samples.setdefault((name, what), []).append(float(value))
    failed = False
    print(f"\n{'ms, best / median':22}{'keelback':>18}{'cffi':>18}{'best / best':>13}{'must':>7}")
    for what, must in (("dlopen", START["dlopen"]), ("first_call", None), ("total", START["total"])):
        ours, theirs = samples["keelback", what], samples["cffi", what]
        ratio = min(ours) / min(theirs)
        bad = must is not None and ratio > must
        failed |= bad
        cells = [f"{min(one):.3f} / {statistics.median(one):.3f}" for one in (ours, theirs)]
        print(f"{what:22}{cells[0]:>18}{cells[1]:>18}{ratio:13.2f}{must or 0:7.2f}" + ("  MISSED" if bad else ""))
    if any(samples["keelback", "libpython_mapped"]):
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
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        plugins = build(arguments, work)
        failed = calls(arguments, work, plugins)
        failed |= start(arguments, work, plugins)
    return 1 if failed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
