"""A comparison on the terminal.

Owns its lines; what they say is `comparison`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from fsprobe.report.comparison import Section, View
from fsprobe.report.text import cut, fold, pack, pad, screen_width
from fsprobe.report.words import CELL, OP_STYLE, VERDICT_STYLE
from fsprobe.results.compare import Row

_SHOWN = 20
_ID = 36
_NAME = 20
_NARROWEST, _WIDEST = 8, 16
_STYLE = {"worse": "bold red", "better": "bold green", "other": "bold"}
_EXIT = {True: "exit 0: no regression", False: "exit 1: regressions"}


def lines(view: View, *, verbose: bool = False) -> list[Text]:
    """The whole screen."""
    two = len(view.names) == 2
    title = " → ".join(view.names) if two else f"fsprobe: {len(view.names)} results side by side"
    made = [Text(line, "bold") for line in fold(title, screen_width())]
    made += [Text(line, "bold green" if view.good else "bold red") for line in fold(view.answer, screen_width())]
    if view.rows:
        made += [Text(), *_matrix(view)]
    if view.agreed:
        made.append(Text(f"{'the other ' if view.rows else ''}{view.agreed} operations are as they were", "dim"))
    for section in view.sections:
        made += [Text(), *_section(section, verbose)]
    if two:
        made += [Text(), Text(_EXIT[view.good], "bold green" if view.good else "bold red")]
    return made


def _section(section: Section, verbose: bool) -> list[Text]:
    made = [Text(f"{section.heading.upper()}: {len(section.lines)}", _STYLE[section.kind])]
    verdicts = max(len(one.before + one.after) + 3 * bool(one.before and one.after) for one in section.lines) + 2
    ids = min(max(cell_len(one.id) for one in section.lines), _ID)
    shown = section.lines if verbose else section.lines[:_SHOWN]
    for one in shown:
        line = Text("  ").append(pad(one.id, ids)).append("  ")
        start = line.cell_len
        if one.before:
            line.append(one.before, VERDICT_STYLE.get(one.before, ""))
        if one.before and one.after:
            line.append(" → ", "dim")
        if one.after:
            line.append(one.after, VERDICT_STYLE.get(one.after, ""))
        line.append(" " * (verdicts - (line.cell_len - start)))
        if not verbose or not one.again:
            line.append(cut(one.said, screen_width() - line.cell_len), "dim")
        line.rstrip()
        made.append(line)
        if verbose and one.said and one.again:
            made += [Text("      ").append(part, "dim") for part in fold(one.said, screen_width() - 6)]
    if len(shown) < len(section.lines):
        made.append(Text(f"  {len(section.lines) - len(shown)} more with -v", "dim"))
    return made


def _matrix(view: View) -> list[Text]:
    """Operations × targets; the targets are numbered where their names do not fit."""
    number = len(view.names)
    room = (screen_width() - _NAME) // number
    if room < _NARROWEST:
        return [line for start in range(0, number, 7) for line in [*_block(view, range(start, min(start + 7, number))),
                                                                   Text()]]  # fmt: skip
    return _block(view, range(number))


def _block(view: View, members: Sequence[int]) -> list[Text]:
    width = min(_WIDEST, (screen_width() - _NAME) // len(members))
    heads = [view.names[index] for index in members]
    long = any(len(head) > width - 1 for head in heads)
    made = []
    if long:
        told = [f"  {index + 1}  {view.names[index]}: {view.tallies[index]}" for index in members]
        made = [Text(cut(line, screen_width()), "dim") for line in told]
        heads = [str(index + 1) for index in members]
    made.append(Text(pad("OPERATION", _NAME) + "".join(pad(head, width) for head in heads).rstrip(), "bold"))
    made += [_row(view, row, members, width) for row in view.rows]
    if not long:
        told = [f"{view.names[index]}: {view.tallies[index]}" for index in members]
        made += [Text(line, "dim") for line in pack(told, screen_width())]
    return made


def _row(view: View, row: Row, members: Sequence[int], width: int) -> Text:
    line = Text(pad(cut(row.op, _NAME - 1), _NAME), "" if row.differs else "dim")
    for index in members:
        verdict = row.verdicts[index] or "untested"
        line.append(pad(CELL.get(verdict, verdict), width), OP_STYLE.get(view.tone_of(row, index), "red"))
    line.rstrip()
    return line
