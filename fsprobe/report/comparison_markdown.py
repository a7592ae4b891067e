"""A comparison as Markdown: for a pull request.

Owns its order and what is left out where there is no room; what it says is `comparison`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from fsprobe.report.comparison import Line, Section, View
from fsprobe.report.markdown import LIMIT, fitted
from fsprobe.report.markdown_text import cell, code, details, prose, table
from fsprobe.report.text import cut

_OPEN = 30
_TEXT = 200
_ROWS = 120


def text(view: View) -> str:
    """At most as much as GitHub takes."""
    title = " → ".join(map(code, view.names)) if len(view.names) == 2 else f"{len(view.names)} results side by side"
    head = [f"## fsprobe: {title}", f"{'✅' if view.good else '❌'} **{prose(view.answer)}**"]
    return fitted(head, [*_matrix(view), *map(_section, view.sections)], _tallies(view), LIMIT)


def _section(section: Section) -> str:
    """What is worse or better can be seen at once, the first of it; the rest is folded."""
    number = len(section.lines)
    if section.kind == "other":
        return details(f"{section.heading}: {number}", _table(section.lines[:_ROWS], number))
    said = f"### {prose(section.heading)} ({number})\n\n{_table(section.lines[:_OPEN], min(number, _OPEN))}"
    if number > _OPEN:
        said += "\n\n" + details(f"{number - _OPEN} more", _table(section.lines[_OPEN:_ROWS], number - _OPEN))
    return said


def _table(lines: Sequence[Line], number: int) -> str:
    rows = [[code(line.id), cell(line.before), cell(line.after), cell(cut(line.said, _TEXT))] for line in lines]
    more = f"\n\n… and {number - len(lines)} more." if number > len(lines) else ""
    return table(["", "before", "after", ""], rows) + more


def _matrix(view: View) -> list[str]:
    if not view.rows:
        return []
    rows = [[code(row.op), *(cell(verdict or "·") for verdict in row.verdicts)] for row in view.rows]
    return [table(["operation", *(code(name) for name in view.names)], rows)]


def _tallies(view: View) -> str:
    return " · ".join(f"{code(name)}: {told}" for name, told in zip(view.names, view.tallies, strict=True))
