"""Per-operation counts and latencies.

Owns counting; knows nothing of verdicts. Times are microseconds from the relay's reading a request to its
reading the reply.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from fsprobe.results.errnos import errno_name
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import opcode_name

OK = "ok"
_STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
"""Upper bounds of a histogram within a decade: round numbers, about as far apart on a logarithmic scale."""


class Counted(Protocol):
    """What is counted: an exchange, or one that the kernel told of. error: None where no reply came."""

    @property
    def opcode(self) -> int: ...
    @property
    def error(self) -> int | None: ...
    @property
    def latency_us(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class OpStats:
    """One operation. `replies` by errno name, successes under "ok"; times None where nothing was answered."""

    requests: int
    replies: dict[str, int]
    p50_us: float | None
    p99_us: float | None
    max_us: float | None
    latency_us: dict[str, int] = field(default_factory=dict)
    """How many took at most so long, and longer than the bound before: counts by upper bound, ascending."""


@dataclass(slots=True)
class _Count:
    requests: int = 0
    replies: dict[str, int] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)


class Tally:
    """Counts as exchanges come in."""

    def __init__(self) -> None:
        self._counts: dict[int, _Count] = {}

    def add(self, exchange: Counted) -> None:
        """Count one exchange; one that is still open counts as a request only."""
        count = self._counts.setdefault(exchange.opcode, _Count())
        count.requests += 1
        if exchange.error is not None:
            word = errno_name(exchange.error) or OK
            count.replies[word] = count.replies.get(word, 0) + 1
        latency = exchange.latency_us
        if latency is not None:
            count.times.append(latency)

    def stats(self) -> dict[str, OpStats]:
        """What was counted, by the operation's name, in the order of the opcodes."""
        return {opcode_name(opcode): _stats(count) for opcode, count in sorted(self._counts.items())}


def stats(exchanges: Iterable[Exchange]) -> dict[str, OpStats]:
    """The counts of a recording."""
    tally = Tally()
    for exchange in exchanges:
        tally.add(exchange)
    return tally.stats()


def percentile(ordered: list[float], percent: float) -> float:
    """The nearest-rank percentile of times in ascending order: one that was measured, never between two."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]


def histogram(times: Iterable[float]) -> dict[str, int]:
    """Counts by upper bound in microseconds (`"1"`, `"1.5"`, `"2"`, …, `"70"`, `"100"`, …), empty ones left out."""
    counts: dict[float, int] = {}
    for time in times:
        bound = _bound(time)
        counts[bound] = counts.get(bound, 0) + 1
    return {f"{bound:g}" if bound < 1e6 else f"{bound:.0f}": counts[bound] for bound in sorted(counts)}


def _bound(time: float) -> float:
    decade = 1.0
    while time > decade * _STEPS[-1]:
        decade *= 10
        if time <= decade:
            return decade
    return next(step * decade for step in _STEPS if time <= step * decade)


def _stats(count: _Count) -> OpStats:
    times = sorted(count.times)
    replies = dict(sorted(count.replies.items(), key=lambda item: (item[0] != OK, -item[1], item[0])))
    if not times:
        return OpStats(count.requests, replies, None, None, None)
    return OpStats(
        count.requests,
        replies,
        round(percentile(times, 50), 1),
        round(percentile(times, 99), 1),
        round(times[-1], 1),
        histogram(times),
    )
