"""The clock of all benchmarks that run a statement in a loop: implementations in turns, the loop's own time taken off."""
from time import perf_counter_ns

# The approximate duration of a round: short, so that one in which no other process runs is likely.
ROUND_NS = 1_000_000


def count_for(run, most=20_000):
    """How many times a statement runs in a round, by what it takes; the interpreter specialises the loop on the way."""
    run(20)
    once = run(20) / 20
    return max(3, min(most, int(ROUND_NS / max(once, 1))))


def in_turns(runs, empty, rounds, unroll=1):
    """Nanoseconds per statement, of each round: {name: [...]}.

    `runs` has a function of a count for each implementation, and `empty` is the one whose loop does nothing; each returns the
    nanoseconds of so many times. One statement is there `unroll` times in a loop. The rounds of all alternate, so that a slow
    moment of the machine hits all of them.
    """
    counts = {name: count_for(run) for name, run in runs.items()}
    times, loops = {name: [] for name in runs}, []
    for _ in range(rounds):
        loops.append(empty(5_000) / 5_000)
        for name, run in runs.items():
            times[name].append(run(counts[name]) / counts[name])
    loop = min(loops)
    return {name: [(time - loop) / unroll for time in list_] for name, list_ in times.items()}


def bound(function, *arguments):
    """A function `run(count, *arguments, clock)`, as these benchmarks compile them, as one of the count alone."""
    return lambda count: function(count, *arguments, perf_counter_ns)
