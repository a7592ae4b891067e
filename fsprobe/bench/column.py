"""One target over the whole benchmark: its starts, its figures, and its marks.

Owns what becomes of a step on one target, restarts and giving up included; knows nothing of turns or of the other
targets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fsprobe.bench.place import Marked, Place
from fsprobe.bench.workloads import Row, Step
from fsprobe.errors import FsprobeError

LOST = ("hang", "crash", "mount check", "worker lost")
"""After these the target is started anew."""
MOST_LOSSES = 5
TOO_SLOW = "too slow"
READY_WITHIN = 120.0
"""Seconds for making ready: a hundred thousand files in the reference, which is Python, take 20 on an idle machine."""


@dataclass(slots=True)
class Column:
    """marks: of rows that came to grief, by id; such a row has no figure, whatever was measured before.

    timeout: seconds without a sign of life. budget: seconds after which a cell of three samples gets no more.
    """

    name: str
    make: Callable[[], Place]
    timeout: float
    ready_within: float = READY_WITHIN
    budget: float = 8.0
    place: Place | None = None
    starts: int = 0
    losses: list[str] = field(default_factory=list)
    gone: Marked | None = None
    fs_type: str = ""
    marks: dict[str, Marked] = field(default_factory=dict)
    samples: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    _parts: dict[str, list[Step]] = field(default_factory=dict)
    _ready: dict[str, int] = field(default_factory=dict)
    _number: int = 0

    def ready(self, step: Step) -> None:
        """Make ready for a step, where that was not done on this start; what goes wrong marks its rows."""
        for part in list(self._alive(step)):
            try:
                self._prepare(part)
            except Marked as marked:
                self._mark(step, part, marked)

    def take(self, step: Step, turn: int, seed: int) -> None:
        """One sample of each row of a step. Turn 0 warms up and counts for nothing but its marks."""
        for part in list(self._alive(step)):
            if all(self._has_enough(row) for row in part.rows.values()):
                continue
            try:
                number = self._prepare(part)
                assert self.place is not None
                self.place.run_on(one=step.alone)
                message = {"slice": number, "seed": seed, "checked": True}
                answer = self.place.told(message, self.timeout)
            except Marked as marked:
                self._mark(step, part, marked)
                continue
            for phase, row in part.rows.items():
                if turn:
                    self.samples.setdefault(row.id, []).append((turn, answer["found"][phase]))

    def spend(self, step: Step, seconds: float) -> None:
        """What a step has taken here."""
        for row in step.rows.values():
            self.spent[row.id] = self.spent.get(row.id, 0.0) + seconds

    def _has_enough(self, row: Row) -> bool:
        return self.spent.get(row.id, 0.0) > self.budget and len(self.samples.get(row.id, [])) >= 3

    def _alive(self, step: Step) -> list[Step]:
        """The parts of a step that still can be measured."""
        return self._parts.setdefault(step.key, [step])

    def _prepare(self, part: Step) -> int:
        """The number of the work that is ready. Raises Marked."""
        if self.gone is not None:
            raise self.gone
        if self.place is None:
            self.open()
        assert self.place is not None
        if part.key not in self._ready:
            self._number += 1
            message = {"prepare": self._number, "step": part.told(), "limit": self.ready_within}
            self.place.told(message, self.timeout)
            self._ready[part.key] = self._number
        return self._ready[part.key]

    def _mark(self, step: Step, part: Step, marked: Marked) -> None:
        """Put a mark where the trouble was, and see to what can still be measured."""
        parts = self._parts[step.key]
        parts.remove(part)
        measuring = part.key in self._ready
        for phase, row in part.rows.items():
            if len(part.rows) == 1 or phase == marked.phase or not measuring or self.gone is not None:
                self.marks[row.id] = marked
            else:  # each by itself tells whose fault it is
                parts.append(part.only(phase))
        if marked.mark in LOST:
            row = part.rows.get(marked.phase, next(iter(part.rows.values())))
            self.losses.append(f"{row.id} ({marked.mark})")
            self.close(0.0)
            if len(self.losses) >= MOST_LOSSES:
                self.gone = Marked("not run", f"lost {MOST_LOSSES} times before: {', '.join(self.losses)}")

    def give_up_larger(self, steps: list[Step]) -> None:
        """What was too slow at one size is not tried at a larger one."""
        slow: dict[str, int] = {}
        for step in steps:
            for row in step.rows.values():
                if row.x is not None and row.id in self.marks and self.marks[row.id].mark == TOO_SLOW:
                    slow[row.series] = min(slow.get(row.series, row.x), row.x)
        for step in steps:
            for row in step.rows.values():
                if row.x is not None and row.x > slow.get(row.series, row.x) and row.id not in self.marks:
                    self.marks[row.id] = Marked(TOO_SLOW, f"{slow[row.series]:,} was too slow already")
                    self._parts[step.key] = []

    def open(self) -> None:
        """Start it. Raises Marked; a target that does not start is not tried again."""
        if self.gone is not None:
            raise self.gone
        self.starts += 1
        self._ready.clear()
        place = self.make()
        self.place = place
        try:
            place.open()
        except Marked as marked:
            self.fs_type = self.fs_type or place.fs_type
            self.close(0.0)
            again = self.starts > 1 and marked.mark == "did not start"
            self.gone = Marked(marked.mark, f"{marked.detail}{' (when it was started again)' if again else ''}")
            raise self.gone from marked
        self.fs_type = place.fs_type
        self._look("idle")

    def close(self, tidy: float) -> None:
        """End it; what its daemon used is kept."""
        if self.place is not None:
            place = self.place
            try:
                self._look("end")
            finally:
                self.place = None
                place.close(tidy)
                self.left += place.left

    def _look(self, when: str) -> None:
        """What its daemon uses now."""
        try:
            found = self.place.usage() if self.place is not None else {}
        except FsprobeError:
            found = {}  # the sandbox is lost
        if not found:
            return
        for key in ("rss", "uss"):
            self.used[f"{key}_max"] = max(self.used.get(f"{key}_max", 0), found[key])
        if when == "idle" and self.starts == 1:
            self.used |= {"rss_idle": found["rss"], "uss_idle": found["uss"]}
        if when == "end":
            self.used["cpu_s"] = self.used.get("cpu_s", 0.0) + found["cpu_s"]

    def look(self) -> None:
        """What its daemon uses now, in the middle."""
        self._look("now")

    def cell(self, row: Row) -> dict[str, Any]:
        """What is known of a row: a mark, or the samples with their turns."""
        if row.id in self.marks:
            return dict(self.marks[row.id].told())
        taken = self.samples.get(row.id, [])
        if not taken:
            return {"mark": "not run", "detail": self.gone.detail if self.gone else "interrupted"}
        return {"samples": [value for _, value in taken], "rounds": [turn for turn, _ in taken]}
