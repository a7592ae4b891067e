"""The targets take turns at the same work, and what came of it becomes one document.

Owns the order (A B A B …, every second turn the other way round), warm-up, when there are turns enough, and the
document's parts; knows nothing of how work is done or shown. All rows of a group are measured once in each turn, so
that a burst of other load falls on one sample of each row and not on all samples of one.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from fsprobe.bench import document, fio
from fsprobe.bench.column import Column
from fsprobe.bench.ground import Ground
from fsprobe.bench.options import BenchOptions, Pace, Told, pace_of
from fsprobe.bench.passes import latencies, starts
from fsprobe.bench.place import MountedPlace, NativePlace
from fsprobe.bench.priority import raised
from fsprobe.bench.statistics import pairs, ratio, summary, uncertainty
from fsprobe.bench.workloads import GROUPS, Row, Step, table
from fsprobe.config.target import Target
from fsprobe.runners import facts

NATIVE = "native"
SETTLED = 0.04
"""A row has turns enough where its ratios are as certain as this."""
TIDY, TIDY_EARLY = 120.0, 15.0

class Interrupted(KeyboardInterrupt):
    """Ctrl-C in the middle; `document` holds what was measured until then."""

    def __init__(self, made: dict[str, Any]) -> None:
        super().__init__("interrupted")
        self.document = made


@dataclass(slots=True)
class Bench:
    """One benchmark under way."""

    options: BenchOptions
    told: Told
    ground: Ground
    columns: list[Column]
    tool: str
    steps: list[Step]

    @property
    def pace(self) -> Pace:
        return pace_of(self.options)

    def measure(self) -> None:
        """Every group on freshly started targets, and on such of its own what must not be beside the rest of it; with
        quick all of it on the same start.
        """
        for group in GROUPS:
            steps = [step for step in self.steps if step.group == group]
            for beside in dict.fromkeys(step.beside for step in steps):
                some = [step for step in steps if step.beside == beside]
                if not self.options.only or group in self.options.only:
                    self._group(group, some, self.pace.seconds[group] * len(some) / len(steps))
                    if not self.options.quick:
                        self._end_of(group)
        self._end_of("the work")

    def _group(self, group: str, steps: list[Step], seconds: float) -> None:
        """Some steps of a group, in so many seconds for each column."""
        for step in steps:
            for column in self.columns:
                self.told(f"{group}: making ready · {column.name}", 0, self.pace.most)
                column.give_up_larger(self.steps)
                column.ready(step)
        began, waiting = time.monotonic(), list(steps)
        for turn in range(self.pace.most + 1):
            for step in waiting:
                self._step(group, step, turn)
            for column in self.columns:
                column.look()
            late = time.monotonic() - began > seconds * len(self.columns)
            if turn >= self.pace.fewest:
                waiting = [step for step in waiting if not self._settled(step)]
                if late or not waiting:
                    break

    def _end_of(self, what: str) -> None:
        for column in self.columns:
            self.told(f"{what}: tidying up · {column.name}", self.pace.most, self.pace.most)
            column.close(TIDY)

    def _step(self, group: str, step: Step, turn: int) -> None:
        for column in self.columns if turn % 2 else self.columns[::-1]:
            self.told(f"{group}: {next(iter(step.rows.values())).id} · {column.name}", turn, self.pace.most)
            began = time.monotonic()
            column.take(step, turn, self.options.seed + turn)
            column.spend(step, time.monotonic() - began)

    def _settled(self, step: Step) -> bool:
        """Whether the ratios of all its rows are certain enough."""
        if self.options.rounds is not None:
            return False
        for row in step.rows.values():
            cells = [column.cell(row) for column in self.columns]
            for base in (cells[0], cells[-1]):
                for cell in cells:
                    found = pairs(cell, base)
                    if len(found) >= 2 and cell is not base and (uncertainty(found) or 1.0) > SETTLED:
                        return False
        return True

    def close(self, tidy: float) -> list[str]:
        """End all of it. What stayed."""
        left: list[str] = []
        for column in self.columns:
            column.close(tidy)
            left += column.left
        if not self.ground.close():
            left.append(self.ground.path)
        return left


def run(options: BenchOptions, told: Told) -> dict[str, Any]:
    """Measure, and return the document. Whatever ends it, nothing is left running. Raises Interrupted."""
    with raised() as nice:
        return _run(options, told, nice)


def _run(options: BenchOptions, told: Told, nice: int) -> dict[str, Any]:
    began = time.monotonic()
    tool = "" if options.quick else fio.version()
    ground = Ground.open(options.native)
    try:
        columns = _columns(options, ground)
        bench = Bench(options, told, ground, columns, tool, _steps(options, tool))
    except BaseException:
        ground.close()
        raise
    start: dict[str, Any] = {}
    latency: dict[str, Any] = {}
    interrupted: KeyboardInterrupt | None = None
    try:
        bench.measure()
        start = starts(columns[:-1], pace_of(options).starts, told)
        latency = latencies(options, ground, columns[:-1], told)
    except KeyboardInterrupt as error:
        interrupted = error
    finally:
        left = bench.close(TIDY_EARLY if interrupted else TIDY)
    made = _document(bench, interrupted is not None, time.monotonic() - began, left)
    made["options"]["nice"] = nice
    made["start"], made["latency"] = start, latency
    made = document.plain_of(made)
    if interrupted is not None:
        raise Interrupted(made) from interrupted
    told("done", 1, 1)
    return made


def _steps(options: BenchOptions, tool: str) -> list[Step]:
    """The steps, with the tool of those that have one."""
    steps = table(quick=options.quick)
    if options.rows:
        steps = [step for step in steps if any(row.id in options.rows for row in step.rows.values())]
    return [replace(step, args={**step.args, "tool": "fio"}) if tool and step.kind == "data" else step
            for step in steps]  # fmt: skip


def _columns(options: BenchOptions, ground: Ground) -> list[Column]:
    pace = pace_of(options)
    columns = []
    for name, target in zip(names_of(options.targets), options.targets, strict=True):
        columns.append(Column(name, _maker(options, target, ground), options.timeout, pace.ready_within))
    native = NativePlace(ground, options.timeout, pace.lasts)
    return [*columns, Column(NATIVE, lambda: replace(native), options.timeout, pace.ready_within)]


def _maker(options: BenchOptions, target: Target, ground: Ground) -> Callable[[], MountedPlace]:
    lasts = pace_of(options).lasts
    return lambda: MountedPlace(target, options.timeout, bool(options.inject), ground, options.inject, lasts=lasts)


def names_of(targets: tuple[Target, ...]) -> Iterator[str]:
    """A name for each column: one that is there twice, or is that of the native directory, gets a number."""
    taken = {NATIVE: 1}
    for target in targets:
        taken[target.name] = taken.get(target.name, 0) + 1
        yield target.name if taken[target.name] == 1 else f"{target.name} ({taken[target.name]})"


def _cells(row: Row, columns: list[Column]) -> dict[str, Any]:
    """Figures with their ratios to the first column and to the last, which is native; or marks."""
    cells = {column.name: column.cell(row) for column in columns}
    first, last = cells[columns[0].name], cells[columns[-1].name]
    found = {}
    for name, cell in cells.items():
        found[name] = cell | (summary(cell["samples"]) if "samples" in cell else {})
        for key, base in (("to_first", first), ("to_native", last)):
            found[name][key] = ratio(cell, base)
            found[name][f"{key}_within"] = uncertainty(pairs(cell, base)) if "samples" in cell else None
    return found


def _document(bench: Bench, interrupted: bool, seconds: float, left: list[str]) -> dict[str, Any]:
    options, columns = bench.options, bench.columns
    targets = [
        {"name": column.name, "fs_type": column.fs_type, "starts": column.starts,
         "argv": list(target.argv) if target else [bench.options.native or "(a fresh directory)"],
         "usage": dict(column.used), "losses": list(column.losses),
         "binary_sha256": facts.sha256(facts.program(target.argv)) if target else ""}
        for column, target in zip(columns, (*options.targets, None), strict=True)
    ]  # fmt: skip
    rows = []
    for step in bench.steps:
        for row in step.rows.values():
            if options.only and row.group not in options.only:
                continue
            rows.append({
                "id": row.id, "group": row.group, "unit": row.unit, "better": row.better, "series": row.series,
                "x": row.x, "tool": step.args.get("tool", "own"), "cells": _cells(row, columns),
            })  # fmt: skip
    settings = {"quick": options.quick, "rounds": options.rounds, "seed": options.seed, "timeout": options.timeout,
                "only": list(options.only), "inject": list(options.inject)}  # fmt: skip
    made = document.build(machine=machine(), options=settings, fio=bench.tool, targets=targets, rows=rows)
    return {**made, "interrupted": interrupted, "seconds": seconds, "left": left}


def machine() -> dict[str, Any]:
    """What it was measured on, and how busy that was."""
    return {
        **facts.environment(), "processors": len(os.sched_getaffinity(0)), "architecture": platform.machine(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "load": list(os.getloadavg()),
        "python": platform.python_version(),
    }  # fmt: skip
