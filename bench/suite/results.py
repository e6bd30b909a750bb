"""What a run found: minima, medians, ratios, noise, as JSON; and what two runs have different."""
import math
import statistics

from suite.rows import ROWS

FORMAT = 1
# Counts of instructions that differ by less are the same: where Python's heap puts things moves a row by some 20.
INSTRUCTIONS = 0.02


def rounded(value):
    """Four digits."""
    return float(f"{value:.4g}")


def noise_of(ours, theirs):
    """By how much the ratio of one round is away from that of another, relatively: two standard deviations, taken from the
    median's deviation, so that a round that something else disturbed does not count. None where one round says nothing."""
    ratios = [one / other for one, other in zip(ours, theirs)]
    if len(ratios) < 3:
        return None
    middle = statistics.median(ratios)
    return 2 * 1.4826 * statistics.median(abs(ratio - middle) for ratio in ratios) / middle


def ratio(peers, to):
    return rounded(peers["keelback"]["best"] / peers[to]["best"]) if to in peers and peers[to]["best"] > 0 else None


def summary(samples, instructions):
    """{key: the row's results} of what the runner found, and the counts of each peer."""
    rows = {}
    for key, found in samples.items():
        if "keelback" not in found or "cffi" not in found:
            continue
        bests = {peer: [best for best, _ in list_] for peer, list_ in found.items()}
        peers = {
            peer: {"best": rounded(min(bests[peer])), "median": rounded(statistics.median(median for _, median in list_))}
            for peer, list_ in found.items()
        }
        noise = noise_of(bests["keelback"], bests["cffi"])
        rows[key] = {
            "unit": ROWS[key].unit,
            "peers": peers,
            "to_cffi": ratio(peers, "cffi"),
            "to_c": ratio(peers, "c"),
            "noise": None if noise is None else rounded(noise),
        }
        counts = instructions.get(ROWS[key].instructions)
        if counts:
            rows[key]["instructions"] = counts
    return rows


def threshold(key, *noises):
    """The relative difference from which on it is more than noise."""
    floor = ROWS[key].floor if key in ROWS else 0.10
    # Without a measured noise, twice what the row has at least.
    return max(floor, math.hypot(*(2 * floor if noise is None else noise for noise in noises)))


def is_noise(key, row):
    """Keelback and CFFI differ by no more than the rounds among themselves."""
    return abs(math.log(row["to_cffi"])) <= math.log1p(threshold(key, row["noise"]))


def compare(old, new):
    """Lines: what changed by more than noise since an older run, what did not, and what only one of them has."""
    lines, same = [], []
    if old.get("machine") != new.get("machine"):
        lines += ["The machines differ: only ratios that were taken on one of them mean anything.", ""]
    old_rows, new_rows = old["rows"], new["rows"]
    both = [key for key in new_rows if key in old_rows]
    for key in both:
        before, after = old_rows[key], new_rows[key]
        change = after["to_cffi"] / before["to_cffi"] - 1
        limit = threshold(key, before["noise"], after["noise"])
        if abs(math.log1p(change)) > math.log1p(limit):
            word = "slower" if change > 0 else "faster"
            lines.append(
                f"{word}  {key:36} {before['to_cffi']:.3g} -> {after['to_cffi']:.3g} of CFFI's  {change:+.1%} (noise {limit:.1%})"
            )
        else:
            same.append((key, change, limit))
    for key in both:
        counts = [row.get("instructions", {}).get("keelback") for row in (old_rows[key], new_rows[key])]
        if all(counts) and abs(counts[1] / counts[0] - 1) > INSTRUCTIONS:
            word = "more" if counts[1] > counts[0] else "fewer"
            lines.append(f"{word:6}  {key:36} {counts[0]:.1f} -> {counts[1]:.1f} instructions  {counts[1] / counts[0] - 1:+.1%}")
    lines += [f"new     {key}" for key in new_rows if key not in old_rows]
    lines += [f"gone    {key}" for key in old_rows if key not in new_rows]
    if not lines:
        lines.append("Nothing changed by more than noise.")
    if same:
        lines += ["", f"{len(same)} of {len(both)} rows differ by no more than noise:"]
        lines += [f"  {key:36} {change:+.1%} (noise {limit:.1%})" for key, change, limit in same]
    return lines
