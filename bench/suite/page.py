"""What a run looks like: the tables and pictures of docs/performance.md, between their markers, and the table of a terminal."""
import re

from suite import picture, results
from suite.rows import PEERS, ROWS, SECTIONS


# As many cores may other processes keep busy on a machine that counts as quiet.
QUIET = 0.15


def figure(value):
    """Three digits, without an exponent."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:#.3g}".rstrip(".") if value >= 0.001 else f"{value:.5f}"


def cell(times):
    return f"{figure(times['best'])} / {figure(times['median'])}" if times else ""


def ratio_cell(key, row):
    if results.is_noise(key, row):
        return f"{row['to_cffi']:.2f} (noise)"
    return f"{row['to_cffi']:.3g}" if row["to_cffi"] < 0.1 else f"{row['to_cffi']:.2f}"


def of_section(section, run):
    return {key: row for key, row in run["rows"].items() if ROWS[key].section == section.letter}


def peers_of(section, rows):
    return [peer for peer in section.peers if any(peer in row["peers"] for row in rows.values())]


def about(run):
    """When, where and with what: one paragraph."""
    versions, machine = run["versions"], run["machine"]
    others = ", ".join(
        f"{title} {versions[name]}" for name, title in [("cffi", "CFFI"), ("cython", "Cython"), ("pyo3", "PyO3")] if name in versions
    )
    quiet = (
        f"Other processes kept {run['others'][0]} cores busy before and {run['others'][1]} after it."
        if max(run["others"]) <= QUIET
        else f"**The machine was not quiet** (other processes kept {max(run['others'])} cores busy): these numbers mean little."
    )
    rounds = "1 round" if run["rounds"] == 1 else f"{run['rounds']} rounds"
    return (
        f"Measured on {run['date']} with the {run['build']} build in {rounds}, on {machine['cores']} cores of "
        f"{machine['cpu']}, {machine['system']}; Python {versions['python']}, {others}; {versions['cc']}. {quiet}"
    )


def table(section, run):
    rows = of_section(section, run)
    if not rows:
        return "(not measured)"
    peers = peers_of(section, rows)
    counted = any("instructions" in row for row in rows.values())
    heads = ["row", *(PEERS[peer] for peer in peers), "/ CFFI", "/ C"] + ["instructions"] * counted + ["what dominates"]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "--:|" * (len(heads) - 2) + "---|"]
    for key, row in rows.items():
        counts = row.get("instructions", {})
        cells = [f"{ROWS[key].what}, {row['unit']}" if row["unit"] != "ns" else ROWS[key].what]
        cells += [cell(row["peers"].get(peer)) for peer in peers]
        cells += [ratio_cell(key, row), "" if row["to_c"] is None else f"{row['to_c']:.2f}"]
        if counted:
            cells.append(" / ".join(f"{counts[name]:.0f}" for name in ("keelback", "cffi") if name in counts))
        lines.append("| " + " | ".join([*cells, ROWS[key].why]) + " |")
    return "\n".join(lines)


def no_faster(run):
    """The rows in which CFFI is no slower, or differs by noise only."""
    noise = [key for key, row in run["rows"].items() if results.is_noise(key, row)]
    slower = [key for key, row in run["rows"].items() if row["to_cffi"] > 1 and key not in noise]

    def listed(keys):
        return "; ".join(f"{ROWS[key].section}: {ROWS[key].what} ({run['rows'][key]['to_cffi']:.2f})" for key in keys) or "none"

    return f"Slower than CFFI: {listed(slower)}.\n\nAs fast as CFFI, or different by no more than noise: {listed(noise)}."


def svg(section, run):
    rows = []
    for key, row in of_section(section, run).items():
        theirs = row["peers"]["cffi"]["best"]
        ratios = {
            peer: times["best"] / theirs for peer, times in row["peers"].items() if peer != "cffi" and times["best"] > 0 < theirs
        }
        rows.append((ROWS[key].what.replace("`", ""), ratios))
    title = f"{section.title}: beside CFFI (left of the line: less)"
    return picture.picture(title, rows, {peer: PEERS[peer] for peer in section.peers})


def picture_name(section):
    return f"performance-{section.letter}.svg"


def generated(run):
    """{marker: text} of everything that docs/performance.md has generated."""
    parts = {"about": about(run), "no faster": no_faster(run)}
    for section in SECTIONS:
        image = f"![{section.title}: each row beside CFFI]({picture_name(section)})"
        parts[section.letter] = f"{section.method}\n\n{image}\n\n{table(section, run)}"
    return parts


def fill(text, parts):
    """The page with what is between `<!-- bench: NAME -->` and `<!-- end of bench: NAME -->` written anew."""
    for name, part in parts.items():
        pattern = re.compile(f"(<!-- bench: {name} -->\n).*?(<!-- end of bench: {name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"error: docs/performance.md has no markers for {name!r}")
        text = pattern.sub(lambda found, part=part: f"{found[1]}{part}\n{found[2]}", text)
    return text


def printed(run):
    """The run as a table for a terminal."""
    lines = [f"{'':38}{'keelback':>11}{'cffi':>11}{'/ cffi':>9}{'noise':>8}{'/ C':>7}{'instr.':>10}"]
    for key, row in run["rows"].items():
        noise = "" if row["noise"] is None else f"{row['noise']:.1%}"
        to_c = "" if row["to_c"] is None else f"{row['to_c']:.2f}"
        count = row.get("instructions", {}).get("keelback")
        lines.append(
            f"{key:38}{figure(row['peers']['keelback']['best']):>11}{figure(row['peers']['cffi']['best']):>11}"
            f"{row['to_cffi']:9.3g}{noise:>8}{to_c:>7}{'' if count is None else f'{count:.0f}':>10}  {row['unit']}"
            + ("  no more than noise" if results.is_noise(key, row) else "")
        )
    return "\n".join(lines)
