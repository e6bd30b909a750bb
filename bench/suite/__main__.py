"""Measures Keelback beside CFFI, hand-written C, Cython and PyO3. tools/bench runs this; see there."""
import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[0] = str(ROOT / "bench")

from suite import counts, page, parts, peers, results  # noqa: E402
from suite.rows import PEERS, QUICK, QUICK_PEERS, ROWS, SECTIONS  # noqa: E402

LAST = ROOT / "bench/last.json"
DOCS = ROOT / "docs"


def selected(options):
    """The keys of the rows that are wanted."""
    if options.quick and not options.rows:
        return QUICK
    keys = [key for key in ROWS if not options.sections or ROWS[key].section in options.sections]
    if options.rows:
        keys = [key for key in keys if any(key == row or key.startswith(f"{row}/") for row in options.rows)]
    if not keys:
        sys.exit("error: no such row; rows are " + ", ".join(ROWS))
    return keys


def cpu():
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(": ", 1)[1]
    return platform.processor() or platform.machine()


def others():
    """How many cores other processes keep busy, over some seconds. The load average would have this program's own builds in it."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return round(os.getloadavg()[0], 2)
    idle = []
    for wait in (3, 0):
        fields = stat.read_text().splitlines()[0].split()
        idle.append(int(fields[4]) + int(fields[5]))
        time.sleep(wait)
    free = (idle[1] - idle[0]) / os.sysconf("SC_CLK_TCK") / 3
    return round(max(0.0, os.cpu_count() - free), 2)


def measured(options):
    """Runs the benchmarks; returns what the JSON file has."""
    keys = selected(options)
    wanted = options.peers.split(",") if options.peers else QUICK_PEERS if options.quick else list(PEERS)
    builder = peers.Builder(options.folder, options.keelback)
    before = 0.0 if options.quick else others()
    if before > page.QUIET:
        print(f"note: other processes keep {before} cores busy: only a quiet machine gives ratios that mean much", file=sys.stderr)

    def say(line):
        print(f"{datetime.datetime.now():%H:%M:%S} {line}", file=sys.stderr, flush=True)

    counted = {}
    if not options.quick and not options.no_instructions:
        # First: what is wrong with a peer is told before the long part.
        say("counting instructions")
        names = [name for name in ("keelback", "cffi", "c") if name in wanted]
        counted = counts.count(builder.plugins(names), keys)
    rounds = 1 if options.quick else options.rounds
    samples = parts.measure(builder, wanted, keys, rounds, not options.quick, say)
    after = 0.0 if options.quick else others()
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "format": results.FORMAT,
        "date": f"{datetime.date.today()}",
        "commit": commit.stdout.strip(),
        "build": options.build,
        "rounds": rounds,
        "others": [before, after],
        "machine": {"cpu": cpu(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}"},
        "versions": peers.versions(options.keelback),
        "rows": results.summary(samples, counted),
    }


def as_json(run):
    """One line for each row: so a new run's difference can be read."""
    rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(row)}" for key, row in run["rows"].items())
    head = json.dumps({key: value for key, value in run.items() if key != "rows"}, indent=1)
    return f'{head[:-2]},\n "rows": {{\n{rows}\n }}\n}}\n'


def read(file):
    run = json.loads(Path(file).read_text())
    if run.get("format") != results.FORMAT:
        sys.exit(f"error: {file} is of another format: write it anew with this version of tools/bench")
    return run


def write_docs(run):
    """The committed results, and the page and the pictures made of them."""
    LAST.write_text(as_json(run))
    text = (DOCS / "performance.md").read_text()
    (DOCS / "performance.md").write_text(page.fill(text, page.generated(run)))
    for section in SECTIONS:
        (DOCS / page.picture_name(section)).write_text(page.svg(section, run))


def arguments():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="such as A/main/add1, or A/main for all of them (default: all)")
    parser.add_argument("--sections", metavar="LETTERS", help="only these: A calls from C, B start, C build, D calls, E data")
    parser.add_argument("--peers", help="only these, with commas: " + ",".join(PEERS))
    parser.add_argument("--rounds", type=int, default=6, help="rounds (default: 6)")
    parser.add_argument("--quick", action="store_true", help="one round of a few rows: whether it works at all")
    parser.add_argument("--no-instructions", action="store_true", help="do not count instructions")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to a file")
    parser.add_argument("--results", metavar="FILE", help="do not measure: take the results of a file")
    parser.add_argument("--compare", metavar="OLD.json", help="print what changed by more than noise since that run")
    parser.add_argument("--write-docs", action="store_true", help="write bench/last.json, docs/performance.md and its pictures")
    parser.add_argument("--keelback", help=argparse.SUPPRESS)
    parser.add_argument("--build", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = arguments()
    if options.write_docs and (options.quick or options.rows or options.sections or options.peers):
        sys.exit("error: --write-docs needs a run of all rows with all peers")
    run = read(options.results) if options.results else measured(options)
    if options.json:
        options.json.write_text(as_json(run))
    print(page.printed(run))
    if options.compare:
        print("", *results.compare(read(options.compare), run), sep="\n")
    if options.write_docs:
        write_docs(run)


if __name__ == "__main__":
    main()
