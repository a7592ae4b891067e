"""A comparison of results, ready to be shown: the sections, their words and their tables.

Owns what is told in which order; knows nothing of the format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsprobe.report.ready import message, ready
from fsprobe.report.text import clean, count, micros
from fsprobe.report.words import blamed
from fsprobe.results.compare import SLOWER, Change, Comparison, Pace, Row, compare, side_by_side


@dataclass(frozen=True, slots=True)
class Line:
    """One check or operation of a section: from what to what, and what was seen."""

    id: str
    before: str
    after: str
    said: str
    again: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """heading: with its number. kind: `worse`, `better` or `other`."""

    heading: str
    kind: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class View:
    """All that a format needs. answer: one sentence. good: whether there is no regression. blamed: by result the
    operations at fault there; any other that is not offered is optional."""

    names: tuple[str, ...]
    answer: str
    good: bool
    sections: tuple[Section, ...]
    rows: tuple[Row, ...]
    tallies: tuple[str, ...]
    agreed: int
    blamed: tuple[frozenset[str], ...]

    def tone_of(self, row: Row, index: int) -> str:
        """The verdict whose colour a cell has: ENOSYS that nothing fails for is as if it were declined."""
        verdict = row.verdicts[index] or "untested"
        return "unsupported" if verdict == "ENOSYS" and row.op not in self.blamed[index] else verdict


def view(documents: Sequence[Mapping[str, Any]], names: Sequence[str], *, slower: float = SLOWER) -> View:
    """Two results are compared, more are put side by side; of two only rows that differ are shown."""
    documents = [ready(document) for document in documents]
    names = tuple(clean(list(names)))
    rows = side_by_side(documents)
    tallies = tuple(_tally(document) for document in documents)
    at_fault = tuple(frozenset(blamed(document)) for document in documents)
    if len(documents) == 2:
        found = compare(*documents, slower=slower)
        shown = tuple(row for row in rows if len(set(row.verdicts)) > 1)
        return View(names, _answer(found), not found.regressions, _sections(found, slower), shown, tallies,
                    len(rows) - len(shown), at_fault)  # fmt: skip
    differing = sum(row.differs for row in rows)
    answer = f"{count(len(documents), 'result')}: they differ in {differing} of {count(len(rows), 'operation')}."
    ordered = sorted(rows, key=lambda row: (not row.differs, row.worst))
    return View(names, answer, True, (), tuple(ordered), tallies, 0, at_fault)


def _answer(found: Comparison) -> str:
    parts = [
        count(len(found.regressions), "regression") if found.regressions else "No regression",
        f"{count(len(found.fixes), 'fix', 'fixes')}", f"{len(found.new)} new", f"{len(found.gone)} gone",
        f"{count(len(found.slower), 'operation')} slower", f"{count(found.same, 'check')} as before",
    ]  # fmt: skip
    return ", ".join(part for part in parts if not part.startswith("0 ")) + "."


def _sections(found: Comparison, slower: float) -> tuple[Section, ...]:
    made = [
        Section("Regressions", "worse", _lines(found.regressions)),
        Section("Fixes", "better", _lines(found.fixes)),
        Section(f"Slower (median at least {slower:g} times as long)", "worse", _paces(found.slower)),
        Section(f"Quicker (median at most 1/{slower:g})", "better", _paces(found.quicker)),
        Section("Other changes, neither better nor worse", "other", _lines(found.moved)),
        Section("New checks", "other", _lines(found.new)),
        Section("Gone checks", "other", _lines(found.gone)),
    ]
    return tuple(section for section in made if section.lines)


def _lines(changes: Sequence[Change]) -> tuple[Line, ...]:
    return tuple(_line(change) for change in changes)


def _line(change: Change) -> Line:
    check = change.check
    before, after = ("" if one is None else str(one["verdict"]) for one in (change.before, change.after))
    said = "" if check["verdict"] == "PASS" else str(check.get("observed") or message(check))
    return Line(change.id, before, after, said, str(check.get("reproduce") or ""))


def _paces(paces: Sequence[Pace]) -> tuple[Line, ...]:
    ordered = sorted(paces, key=lambda pace: -pace.ratio)
    return tuple(
        Line(pace.op, micros(pace.before_us), micros(pace.after_us), f"{pace.ratio:.2g} times") for pace in ordered
    )


def _tally(document: Mapping[str, Any]) -> str:
    counts = document["summary"].get("counts") or {}
    bad = sum(counts.get(name, 0) for name in ("FAIL", "HANG", "CRASH", "NOTRUN", "ERROR", "XPASS"))
    return f"{counts.get('PASS', 0)} pass, {bad} do not"
