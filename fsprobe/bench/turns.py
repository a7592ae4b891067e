"""The targets take turns at the same work, and what came of it becomes one document.

Owns the order (A B A B …, in each round the other way round), warm-up, marks and the document's parts; knows nothing of
how work is done or shown.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fsprobe.bench import document, fio
from fsprobe.bench.place import Marked, MountedPlace, NativePlace, Place
from fsprobe.bench.statistics import ratio, summary, times
from fsprobe.bench.workloads import Workload, table
from fsprobe.config.target import Target
from fsprobe.runners import facts
from fsprobe.wire import opcode_name

NATIVE = "native"
_LOST = ("hang", "crash", "mount check", "worker lost")  # after these the target is started anew
_MOST_STARTS = 6
_TRACED = ("create, 1 proc", "stat, 1 proc", "readdir", "rename, 1 proc", "unlink, 1 proc", "seq read", "seq write")

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """native: a directory, "" for a fresh one. rounds: samples of each cell. timeout: seconds of one sample."""

    targets: tuple[Target, ...]
    native: str = ""
    quick: bool = False
    rounds: int = 5
    seed: int = 42
    timeout: float = 60.0
    only: tuple[str, ...] = ()


@dataclass(slots=True)
class _Column:
    """One target over the whole run. marks: cells that came to grief, by row."""

    name: str
    make: Callable[[], Place]
    place: Place | None = None
    starts: int = 0
    gone: Marked | None = None
    fs_type: str = ""
    cpu_s: float = 0.0
    usage: list[dict[str, Any]] = field(default_factory=list)
    marks: dict[str, Marked] = field(default_factory=dict)
    samples: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def sample(self, row: str, told: dict[str, Any]) -> float:
        """One figure, on a target that is started where it has to be. Raises Marked."""
        if self.gone is not None:
            raise self.gone
        try:
            if self.place is None:
                self._open()
            assert self.place is not None
            return self.place.sample(told)
        except Marked as marked:
            if self.place is not None and (marked.mark in _LOST or self.gone is not None):
                self.close()
            raise

    def _open(self) -> None:
        if self.starts >= _MOST_STARTS:
            self.gone = Marked("not run", f"the target was started {self.starts} times already")
            raise self.gone
        self.starts += 1
        place = self.make()
        self.place = place
        try:
            place.open()
        except Marked as marked:
            self.close()
            self.gone = marked
            raise
        self.fs_type = place.fs_type

    def close(self) -> None:
        """End it; what its daemon used is kept."""
        if self.place is not None:
            place, self.place = self.place, None
            place.close()

    def look(self) -> None:
        """What its daemon uses now."""
        if self.place is not None and (used := self.place.usage()):
            self.usage.append(used)


def run(options: BenchOptions, told: Told) -> dict[str, Any]:
    """Measure, and return the document. Whatever ends it, nothing is left running."""
    columns = _columns(options)
    rows = [row for row in table(quick=options.quick) if not options.only or row.group in options.only]
    tool = fio.version()
    total = len(rows) * (options.rounds + 1) * len(columns)
    done = 0
    try:
        for row in rows:
            for turn in range(options.rounds + 1):  # the first warms up, and counts for nothing but its marks
                for column in columns if turn % 2 else columns[::-1]:
                    told(f"{row.id} · {column.name}", done, total)
                    done += 1
                    _one(column, row, turn, _work(row, tool, options.seed + turn))
            for column in columns:
                column.look()
    finally:
        for column in columns:
            column.close()
    made = _document(options, columns, rows, tool)
    made["start"], made["latency"] = _starts(options, told), _latencies(options, told)
    told("done", total, total)
    return document.plain_of(made)


def _columns(options: BenchOptions) -> list[_Column]:
    names: dict[str, int] = {}
    columns = []
    for target in options.targets:
        names[target.name] = names.get(target.name, 0) + 1
        name = target.name if names[target.name] == 1 else f"{target.name} ({names[target.name]})"
        columns.append(_Column(name, lambda target=target: MountedPlace(target, options.timeout)))  # type: ignore[misc]
    columns.append(_Column(NATIVE, lambda: NativePlace(options.native, options.timeout)))
    return columns


def _work(row: Workload, tool: str, seed: int) -> dict[str, Any]:
    by = "fio" if tool and row.group == "data" else "own"
    return {"tool": by, "kind": row.kind, "args": row.args, "seed": seed}


def _one(column: _Column, row: Workload, turn: int, work: dict[str, Any]) -> None:
    """One sample of one cell; a cell that was marked once is not tried again, and has no figure."""
    if row.id in column.marks:
        return
    try:
        value = column.sample(row.id, work)
        if turn:
            column.samples.setdefault(row.id, []).append((turn, value))
    except Marked as marked:
        column.marks[row.id] = marked


def _cell(column: _Column, row: str) -> dict[str, Any]:
    if row in column.marks:
        return {"mark": column.marks[row].mark, "detail": column.marks[row].detail}
    taken = column.samples.get(row, [])
    if not taken:
        return {"mark": "not run", "detail": ""}
    return {**summary([value for _, value in taken]), "rounds": [turn for turn, _ in taken]}


def _document(options: BenchOptions, columns: list[_Column], rows: list[Workload], tool: str) -> dict[str, Any]:
    targets = [
        {"name": column.name, "fs_type": column.fs_type, "starts": column.starts,
         "argv": list(target.argv) if target else [], "usage": _usage(column),
         "binary_sha256": facts.sha256(facts.program(target.argv)) if target else ""}
        for column, target in zip(columns, (*options.targets, None), strict=True)
    ]  # fmt: skip
    made = []
    for row in rows:
        cells: dict[str, Any] = {column.name: _cell(column, row.id) for column in columns}
        for cell in list(cells.values()):
            cell["to_first"] = ratio(cell, cells[columns[0].name])
            cell["to_native"] = ratio(cell, cells[NATIVE])
        made.append({
            "id": row.id, "group": row.group, "unit": row.unit, "better": row.better, "series": row.series,
            "x": row.x, "tool": "fio" if tool and row.group == "data" else "own", "cells": cells,
        })  # fmt: skip
    settings = {"quick": options.quick, "rounds": options.rounds, "seed": options.seed, "timeout": options.timeout}
    return document.build(machine=machine(), options=settings, fio=tool, targets=targets, rows=made)


def machine() -> dict[str, Any]:
    """What it was measured on, and how busy that was."""
    return {
        **facts.environment(), "processors": len(os.sched_getaffinity(0)), "architecture": platform.machine(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "load": list(os.getloadavg()),
        "python": platform.python_version(),
    }  # fmt: skip


def _usage(column: _Column) -> dict[str, Any]:
    """The most memory that was seen, and the processor time of the last start, over the whole work."""
    if not column.usage:
        return {}
    found: dict[str, Any] = {f"{key}_max": max(one[key] for one in column.usage) for key in ("rss", "uss")}
    return {**found, "cpu_s": column.usage[-1]["cpu_s"]}


def _starts(options: BenchOptions, told: Told) -> dict[str, Any]:
    """Milliseconds from the daemon's start to the mount's first answer, in turns."""
    samples: dict[str, list[float]] = {}
    marks: dict[str, dict[str, Any]] = {}
    columns = _columns(options)[:-1]
    for turn in range(options.rounds):
        for column in columns:
            told(f"mount time · {column.name}", turn, options.rounds)
            place = column.make()
            try:
                if column.name not in marks:
                    place.open()
                    samples.setdefault(column.name, []).append(place.started_in * 1e3)
            except Marked as marked:
                marks[column.name] = {"mark": marked.mark, "detail": marked.detail}
            finally:
                place.close()
    return {column.name: marks.get(column.name) or summary(samples[column.name]) for column in columns}


def _latencies(options: BenchOptions, told: Told) -> dict[str, Any]:
    """By target and operation the times on the wire, in a pass of its own through the relay."""
    rows = [row for row in table(quick=True) if row.id.startswith(_TRACED)]
    found: dict[str, Any] = {}
    for column, target in zip(_columns(options), options.targets, strict=False):
        place = MountedPlace(target, options.timeout, relayed=True)
        taken: dict[str, list[float]] = {}
        try:
            place.open()
            for number, row in enumerate(rows):
                told(f"latency on the wire · {column.name}", number, len(rows))
                place.sample({"tool": "own", "kind": row.kind, "args": row.args, "seed": options.seed})
                assert place.sandbox is not None
                for one in place.sandbox.exchanges():
                    if one.latency_us is not None:
                        taken.setdefault(opcode_name(one.opcode), []).append(one.latency_us)
            found[column.name] = {op: {"requests": len(us), **times(us)} for op, us in sorted(taken.items())}
        except Marked as marked:
            found[column.name] = {"mark": marked.mark, "detail": marked.detail}
        finally:
            place.close()
    return found
