"""The one-page summary on the terminal, as Markdown and as HTML with plots.

Owns the three forms and the drawing of plots; what they say is `summary_data`'s. The HTML loads nothing.
"""

from __future__ import annotations

import math

from rich.cells import cell_len
from rich.text import Text

from fsprobe.report.markdown_text import cell as markdown_cell
from fsprobe.report.markdown_text import prose, table
from fsprobe.report.summary_data import Page, Plot
from fsprobe.report.text import pad, safe

_NAME = 44
_COLOURS = ("#4f7fb5", "#c7742b", "#3f9a5f", "#9a5fb5", "#b5514f", "#7a7f86")
_WIDTH, _HEIGHT, _LEFT, _BELOW = 420, 210, 56, 40


def lines(page: Page) -> list[Text]:
    """The terminal's; tables are as wide as what they hold."""
    made = [Text(page.title, "bold"), *(Text(f"  {pad(safe(name), 12)} {safe(told)}") for name, told in page.facts)]
    for one in page.tables:
        rows = [tuple(safe(text) for text in row) for row in (one.heads, *one.rows)]
        wide = [min(max(cell_len(row[at]) for row in rows), _NAME) for at in range(len(one.heads))]
        made += [Text(), Text(safe(one.title).upper(), "bold")]
        for number, row in enumerate(rows):
            line = "  ".join(text if cell_len(text) > room else pad(text, room, right=at > 0)
                             for at, (text, room) in enumerate(zip(row, wide, strict=True)))  # fmt: skip
            made.append(Text(line.rstrip(), "dim" if not number else ""))
        if one.note:
            made.append(Text(f"  {one.note}", "dim"))
    made += [Text(), *(Text(f"note  {safe(told)}", "yellow") for told in page.caveats)]
    return made


def markdown(page: Page) -> str:
    """Markdown; plots are in the HTML page."""
    facts = (f"- **{prose(name)}**: {prose(safe(told))}" for name, told in page.facts)
    parts = [f"# {prose(page.title)}", "\n".join(facts)]
    for one in page.tables:
        rows = [[markdown_cell(safe(text)) for text in row] for row in one.rows]
        parts += [f"## {prose(one.title)}", table([markdown_cell(head) for head in one.heads], rows,
                                                  range(1, len(one.heads)))]  # fmt: skip
        parts += [prose(one.note)] if one.note else []
    if page.caveats:
        parts += ["## Caveats", "\n".join(f"- {prose(safe(told))}" for told in page.caveats)]
    return "\n\n".join(parts) + "\n"


def html(page: Page) -> str:
    """One self-contained page in the looks of the report's."""
    from fsprobe.report.html import environment

    return environment().get_template("summary.html").render(page=page, plots=[_drawn(plot) for plot in page.plots])


def _drawn(plot: Plot) -> dict[str, object]:
    """A plot's shapes: coordinates are numbers, so no text of a result is markup."""
    points = [point for series in plot.series.values() for point in series]
    xs, ys = ([math.log10(point[axis]) for point in points] for axis in (0, 1))
    low_x, high_x = min(xs), max(max(xs), min(xs) + 1e-9)
    low_y, high_y = math.floor(min(ys)), max(math.ceil(max(ys)), math.floor(min(ys)) + 1)

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - low_x) / (high_x - low_x)
        up = (math.log10(y) - low_y) / (high_y - low_y)
        return round(_LEFT + across * (_WIDTH - _LEFT - 16), 1), round((_HEIGHT - _BELOW) * (1 - up) + 10, 1)

    lines = []
    for number, (name, series) in enumerate(plot.series.items()):
        placed = [at(x, y) for x, y in series]
        lines.append({"name": name, "colour": _COLOURS[number % len(_COLOURS)], "points": placed,
                      "path": " ".join(f"{x},{y}" for x, y in placed),
                      "said": ", ".join(f"{x:g}: {y:.4g}" for x, y in series)})  # fmt: skip
    ticks = [(at(10**low_x, 10.0**power)[1], f"{10.0**power:g}") for power in range(low_y, high_y + 1)]
    marks = [(at(x, 10.0**low_y)[0], f"{x:g}") for x in sorted({point[0] for point in points})]
    return {"title": plot.title, "unit": plot.unit, "lines": lines, "ticks": ticks, "marks": marks, "width": _WIDTH,
            "height": _HEIGHT, "left": _LEFT, "floor": _HEIGHT - _BELOW + 10}  # fmt: skip
