"""What a live trace does with each request, whoever saw it: filter, count, print, export, and sum up at the end.

Owns that order and the counts; knows nothing of how requests are seen (`tracing_target`, `tracing_mount`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from fsprobe.trace.entry import OPEN, Entry
from fsprobe.trace.filters import Filters
from fsprobe.trace.lines import Lines
from fsprobe.trace.stats import Tally

UNFINISHED = 1.0  # seconds after which an open request gets a line
TICK = 0.05


class Export(Protocol):
    """A file that takes every entry."""

    def entry(self, entry: Entry, now_ns: int) -> None:
        """One request."""

    def close(self, summary: dict[str, Any]) -> None:
        """The end of the trace."""


@dataclass(slots=True)
class Sink:
    """Takes entries as they come. say(line) prints one; exports write them. tell(text): what is to be known beside."""

    filters: Filters
    lines: Lines
    say: Callable[[str], None]
    tell: Callable[[str], None]
    exports: Sequence[Export] = ()
    seen: int = 0
    shown: int = 0
    dropped: int = 0
    open: int = 0
    began: float = field(default_factory=time.monotonic)
    tally: Tally = field(default_factory=Tally)

    def take(self, entries: Iterable[Entry]) -> None:
        """Requests that are over."""
        now = time.monotonic_ns()
        for entry in entries:
            self.seen += 1
            if self._keep(entry, now):
                self.say(self.lines.line(entry))

    def _keep(self, entry: Entry, now: int) -> bool:
        if not self.filters.keep(entry, now):
            return False
        self.shown += 1
        self.tally.add(entry)
        for export in self.exports:
            export.entry(entry, now)
        return True

    def waiting(self, entries: Iterable[Entry]) -> None:
        """Requests that are open: those that have been so for a while get a line, once."""
        now = time.monotonic_ns()
        for entry in entries:
            if entry.age_us(now) >= UNFINISHED * 1e6 and self.filters.keep(entry, now):
                line = self.lines.unfinished(entry)
                if line:
                    self.say(line)

    def lose(self, dropped: int) -> None:
        """So many requests in all passed without being recorded."""
        if dropped > self.dropped:
            self.tell(f"{dropped - self.dropped} requests came faster than they could be recorded: they are not shown")
            self.dropped = dropped

    def finish(self, opened: Iterable[tuple[Entry, bool | None]]) -> dict[str, Any]:
        """The end: open requests with whether the daemon took them; then the summary, as it stands in the export."""
        now = time.monotonic_ns()
        for entry, taken in opened:
            self.seen += 1
            if entry.state == OPEN and self._keep(entry, now):
                self.open += 1
                self.say(self.lines.left_open(entry, now, taken))
        stats = {op: asdict(counted) for op, counted in self.tally.stats().items()}
        summary = {
            "seconds": round(time.monotonic() - self.began, 3), "requests": self.seen, "shown": self.shown,
            "open": self.open, "dropped": self.dropped,
            "operations": {op: {key: row[key] for key in ("requests", "replies", "p50_us", "p99_us", "max_us")}
                           for op, row in stats.items()},
        }  # fmt: skip
        for export in self.exports:
            export.close(summary)
        return summary
