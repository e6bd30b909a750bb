"""A picture of a section as SVG: one line for each row, one mark for each peer, at the time it takes of CFFI's.

Written by hand, without a library: lines, circles and text. The picture brings its own background, and both it and the text
follow the reader's colour scheme, so that text is readable in a dark and in a light page, whichever of them is guessed.
"""
import math
from xml.sax.saxutils import escape

LINE, TOP, LEFT, PLOT, RIGHT = 18, 64, 345, 480, 55
MARKS = {
    "keelback": "#d9480f",
    "keelback-ool": "#f59f00",
    "c": "#1c7ed6",
    "ensure": "#4dabf7",
    "cython": "#2b8a3e",
    "pyo3": "#9c36b5",
    "ctypes": "#868e96",
    "cffi-inline": "#868e96",
}
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-weight:bold}.back{fill:#ffffff}.grid{stroke:#d0d7de}.one{stroke:#57606a}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.back{fill:#0d1117}.grid{stroke:#30363d}.one{stroke:#8b949e}}"
)
STEPS = (1, 2, 5)


def ticks(low, high):
    """1, 2, 5, 10, 20 ... as far as they enclose both values; only powers of ten where that is much."""
    steps = STEPS if high / low < 200 else (1,)
    all_ = [step * 10.0**power for power in range(-5, 6) for step in steps]
    first = max((tick for tick in all_ if tick <= low), default=all_[0])
    last = min((tick for tick in all_ if tick >= high), default=all_[-1])
    return [tick for tick in all_ if first <= tick <= last]


def number(value):
    return f"{value:.10f}".rstrip("0").rstrip(".") if value < 1 else f"{value:g}"


def picture(title, rows, names):
    """SVG of `rows`: [(label, {peer: time as a ratio to CFFI's})]; `names` are the peers' names, in their order."""
    marked = [peer for peer in names if any(peer in ratios for _, ratios in rows)]
    values = [value for _, ratios in rows for value in ratios.values()] + [1.0]
    scale = ticks(min(values), max(values))
    span = math.log(scale[-1] / scale[0]) or 1.0
    width, height = LEFT + PLOT + RIGHT, TOP + LINE * len(rows) + 34

    def x(value):
        return round(LEFT + PLOT * math.log(value / scale[0]) / span, 1)

    bottom = TOP + LINE * len(rows)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{width}" height="{height}" rx="6"/>',
        f'<text class="title" x="12" y="22">{escape(title)}</text>',
    ]
    at = 12
    for peer in marked:
        out.append(f'<circle cx="{at + 5}" cy="40" r="4.5" fill="{MARKS[peer]}"/>')
        out.append(f'<text x="{at + 14}" y="44">{escape(names[peer])}</text>')
        at += 28 + 7 * len(names[peer])
    for tick in scale:
        kind = "one" if tick == 1 else "grid"
        out.append(f'<line class="{kind}" x1="{x(tick)}" y1="{TOP - 8}" x2="{x(tick)}" y2="{bottom}"/>')
        label = "CFFI" if tick == 1 else number(tick)
        out.append(f'<text x="{x(tick)}" y="{bottom + 18}" text-anchor="middle">{label}</text>')
    for line, (label, ratios) in enumerate(rows):
        y = TOP + LINE * line + LINE // 2 - 2
        out.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(label)}</text>')
        # Keelback's mark lies over the others.
        for peer in reversed(marked):
            if peer in ratios:
                radius = 5 if peer == "keelback" else 4
                told = f"{names[peer]}: {ratios[peer]:.3g}"
                out.append(
                    f'<circle cx="{x(ratios[peer])}" cy="{y}" r="{radius}" fill="{MARKS[peer]}"><title>{escape(told)}</title></circle>'
                )
    return "\n".join([*out, "</svg>", ""])
