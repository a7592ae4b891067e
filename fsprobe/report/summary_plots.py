"""The plots of the summary as shapes: curves of scaling, and dots of how many times native a target costs.

Owns scales and places; knows nothing of HTML. Coordinates are numbers and colours are classes, so that no text of a
result is markup.
"""

from __future__ import annotations

import math
from typing import Any

from fsprobe.report.summary_data import NATIVE, Dots, Plot, number, short, times_of

COLOURS = 6
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BELOW = 420, 230, 52, 16, 10, 40
_ROW = 20


def tone(at: int, name: str) -> str:
    """The class of a target's colour; native is always grey."""
    return "own" if name == NATIVE else f"s{at % COLOURS}"


def curves(plot: Plot) -> dict[str, Any]:
    """A plot's lines, ticks and words."""
    points = [point for series in plot.series.values() for point in series]
    low_x, high_x = _bounds([point[0] for point in points], whole=False)
    low_y, high_y = _bounds([point[1] for point in points], whole=True)

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - low_x) / (high_x - low_x)
        up = (math.log10(y) - low_y) / (high_y - low_y)
        return (round(_LEFT + across * (_WIDTH - _LEFT - _RIGHT), 1),
                round(_TOP + (_HEIGHT - _TOP - _BELOW) * (1 - up), 1))  # fmt: skip

    lines = []
    for place, (name, series) in enumerate(plot.series.items()):
        placed = [at(x, y) for x, y in series]
        lines.append({"name": short(name), "tone": tone(place, name), "points": placed,
                      "path": " ".join(f"{x},{y}" for x, y in placed),
                      "said": ", ".join(f"{x:,g}: {number(y)} {plot.unit}" for x, y in series)})  # fmt: skip
    step = max(1, math.ceil((high_y - low_y) / 5))
    powers = range(math.floor(low_y), math.ceil(high_y) + 1, step)
    ticks = [(at(10**low_x, 10.0**power)[1], f"{10.0**power:,g}") for power in powers]
    marks = [(at(x, 10.0**low_y)[0], f"{x:,g}") for x in sorted({point[0] for point in points})]
    return {"title": plot.title, "unit": plot.unit, "lines": lines, "ticks": ticks, "marks": marks, "width": _WIDTH,
            "height": _HEIGHT, "left": _LEFT, "right": _WIDTH - _RIGHT, "floor": _HEIGHT - _BELOW,
            "missing": list(plot.missing)}  # fmt: skip


def _bounds(values: list[float], *, whole: bool) -> tuple[float, float]:
    """The ends of a logarithmic axis, as exponents; at whole ones where that is asked for."""
    low, high = math.log10(min(values)), math.log10(max(values))
    if whole:
        low, high = math.floor(low), math.ceil(high)
    return low, high if high > low else low + 1


def dotted(dots: Dots) -> dict[str, Any]:
    """Rows of dots on one axis, 1 (as fast as native) on it, marks beside it. Across in per cent, down in pixels."""
    values = [value for _, cells in dots.rows for value, _ in cells if value] + [1.0]
    low, high = _bounds([min(*values, 0.8), max(*values, 1.25)], whole=False)
    low, high = low - (high - low) * 0.03, high + (high - low) * 0.03

    def at(value: float) -> float:
        return round((math.log10(value) - low) / (high - low) * 100, 2)

    rows = []
    for place, (name, cells) in enumerate(dots.rows):
        shown = [{"x": at(value), "tone": tone(number_of, dots.names[number_of]),
                  "said": f"{short(dots.names[number_of])}: {times_of(value)} native's time"}
                 for number_of, (value, _) in enumerate(cells) if value]  # fmt: skip
        lost = [f"{short(dots.names[number_of])}: {mark}" for number_of, (_, mark) in enumerate(cells) if mark]
        rows.append({"name": name, "y": place * _ROW + _ROW // 2, "dots": shown, "lost": "; ".join(lost)})
    powers = [10.0**power * part for power in range(math.floor(low), math.ceil(high) + 1) for part in (1, 3)]
    ticks = [(at(value), f"{value:g}×") for value in powers if low <= math.log10(value) <= high]
    if len(ticks) > 8:
        ticks = [(at(value), f"{value:g}×") for value in powers[::2] if low <= math.log10(value) <= high]
    names = [{"name": short(name), "tone": tone(place, name)} for place, name in enumerate(dots.names)]
    return {"title": dots.title, "rows": rows, "ticks": ticks, "one": at(1.0), "names": names,
            "height": len(rows) * _ROW, "row": _ROW}  # fmt: skip
