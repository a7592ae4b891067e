"""Passes of their own: mount time to first answer, and latencies on the wire.

Owns these two; knows nothing of turns' rows. The latencies are taken through the relay, apart from everything else, so
that looking does not colour what is measured.
"""

from __future__ import annotations

from typing import Any

from fsprobe.bench.column import Column
from fsprobe.bench.ground import Ground
from fsprobe.bench.options import BenchOptions, Told, pace_of
from fsprobe.bench.place import Marked, MountedPlace
from fsprobe.bench.statistics import ratio, summary, times
from fsprobe.bench.workloads import Step, table
from fsprobe.wire import opcode_name

_TRACED = ("metadata", "data", "files")
_READY_WITHIN = 15.0


def starts(columns: list[Column], rounds: int, told: Told) -> dict[str, Any]:
    """Milliseconds from the daemon's start to the mount's first answer, in turns."""
    samples: dict[str, list[float]] = {}
    marks: dict[str, Marked] = {}
    for turn in range(rounds):
        for column in columns if turn % 2 else columns[::-1]:
            if column.gone is not None:
                marks[column.name] = column.gone
            if column.name in marks:
                continue
            told(f"mount time · {column.name}", turn, rounds)
            place = column.make()
            try:
                place.open()
                samples.setdefault(column.name, []).append(place.started_in * 1e3)
            except Marked as marked:
                marks[column.name] = marked
            finally:
                place.close(5.0)
    found: dict[str, Any] = {}
    for column in columns:
        mark = marks.get(column.name)
        found[column.name] = dict(mark.told()) if mark is not None else summary(samples[column.name])
    for cell in found.values():
        cell["to_first"] = ratio(cell, found[columns[0].name])
    return found


def latencies(options: BenchOptions, ground: Ground, columns: list[Column], told: Told) -> dict[str, Any]:
    """By target and operation the times of the requests that the measured phases caused, and those alone."""
    found: dict[str, Any] = {}
    for column, target in zip(columns, options.targets, strict=True):
        steps = _steps(options, column)
        if column.gone is not None or not steps:
            mark = column.gone or Marked("not run", "nothing of it could be measured")
            found[column.name] = dict(mark.told())
            continue
        place = MountedPlace(target, options.timeout, True, ground, options.inject, lasts=pace_of(options).lasts)
        taken: dict[str, list[float]] = {}
        try:
            place.open()
            for number, step in enumerate(steps):
                told(f"latency on the wire · {column.name}", number, len(steps))
                _trace(place, number, step, options, taken)
            found[column.name] = {op: {"requests": len(us), **times(us)} for op, us in sorted(taken.items())}
        except Marked as marked:
            found[column.name] = dict(marked.told())
        finally:
            place.close(10.0)
    return found


def _steps(options: BenchOptions, column: Column) -> list[Step]:
    """What is traced: but for what came to grief before, and for sizes that say nothing of an operation."""
    found: list[Step] = []
    for step in () if options.rows else table(quick=options.quick):
        if step.group not in (options.only or _TRACED):
            continue
        alive = [phase for phase, row in step.rows.items() if row.id not in column.marks]
        found += [step] if len(alive) == len(step.rows) else [step.only(phase) for phase in alive]
    return found


def _trace(place: MountedPlace, number: int, step: Step, options: BenchOptions, taken: dict[str, list[float]]) -> None:
    """One slice. What making ready asks is not counted, and the mount is not checked in the middle: it is known to be
    the daemon's by the requests that come of it.
    """
    place.told({"prepare": number, "step": step.told(), "limit": _READY_WITHIN}, options.timeout)
    assert place.sandbox is not None
    place.run_on(one=step.alone)
    place.sandbox.exchanges()
    place.told({"slice": number, "seed": options.seed, "checked": False}, options.timeout)
    for one in place.sandbox.exchanges():
        if one.latency_us is not None:
            taken.setdefault(opcode_name(one.opcode), []).append(one.latency_us)
