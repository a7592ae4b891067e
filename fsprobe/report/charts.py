"""Numbers of a result as the coordinates of drawings: latency distributions, and the timeline of the traffic.

Owns scales and shapes; knows nothing of HTML. Coordinates are plain numbers, so that no text of a result reaches them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsprobe.report.text import micros

BAR_HEIGHT = 40
LANE = 14
SPAN = 10_000
"""Units across the timeline."""
_MARK = LANE - 4
_SHORTEST = 14  # units: a mark of one device pixel on a wide screen
_FULL_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Bar:
    """One column of a distribution, in thousandths of the width. said: for whoever cannot see it."""

    x: float
    width: float
    height: float
    said: str


@dataclass(frozen=True, slots=True)
class Distribution:
    """marks: where the median and the 99th percentile are, None where there is none."""

    bars: tuple[Bar, ...]
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Scale:
    """A logarithmic axis of whole decades of microseconds."""

    first: int
    last: int

    def at(self, us: float) -> float:
        """Place of a time, in thousandths."""
        decades = math.log10(max(us, 1e-3)) - self.first
        return round(min(max(decades / (self.last - self.first), 0.0), 1.0) * 1000, 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Every decade: place in per cent, and what it is called."""
        return [(self.at(10**n) / 10, _round(10**n)) for n in range(self.first, self.last + 1)]


def scale_of(operations: Mapping[str, Mapping[str, Any]]) -> Scale:
    """One axis for all operations, so that they can be compared."""
    bounds = [float(bound) for op in operations.values() for bound in op.get("latency_us") or ()]
    if not bounds:
        return Scale(0, 3)
    first = math.floor(math.log10(max(min(bounds) / 1.5, 1)))
    return Scale(first, max(math.ceil(math.log10(max(bounds))), first + 1))


def distribution(op: Mapping[str, Any], scale: Scale) -> Distribution | None:
    """The histogram of an operation, None where nothing was measured."""
    counts = {float(bound): int(n) for bound, n in (op.get("latency_us") or {}).items()}
    if not counts:
        return None
    most, total = max(counts.values()), sum(counts.values())
    bars = []
    for bound, n in counts.items():
        left, right = scale.at(_lower(bound)), scale.at(bound)
        height = max(BAR_HEIGHT * n / most, 1.5)
        said = f"{n} of {total} up to {micros(bound)}"
        bars.append(Bar(left, max(round(right - left, 1), 4.0), round(height, 1), said))
    at = [None if op.get(key) is None else scale.at(op[key]) for key in ("p50_us", "p99_us")]
    return Distribution(tuple(bars), at[0], at[1])


def _lower(bound: float) -> float:
    """The bound before this one: 1, 1.5, 2, 3, 5, 7 in each decade."""
    decade = 10 ** math.floor(math.log10(bound) + 1e-9)
    step = round(bound / decade, 1)
    return float({1.0: 0.7, 1.5: 1.0, 2.0: 1.5, 3.0: 2.0, 5.0: 3.0, 7.0: 5.0}.get(step, step * 0.7) * decade)


def _round(us: float) -> str:
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if us >= size:
            return f"{us / size:g} {unit}"
    return f"{us:g} µs"


@dataclass(frozen=True, slots=True)
class Lane:
    """One operation. Each path is a list of marks: those answered with success, with an error, and not at all."""

    op: str
    y: int
    ok: str
    error: str
    lost: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The timeline. bands: layer, from, to in per cent. ticks: place in per cent and its name."""

    lanes: tuple[Lane, ...]
    height: int
    bands: tuple[tuple[str, float, float], ...]
    ticks: tuple[tuple[float, str], ...]
    seconds: float
    rows: tuple[tuple[Any, ...], ...]


def timeline(traffic: Mapping[str, Any] | None) -> Chart | None:
    """The chart of the document's `timeline`, None where nothing was recorded."""
    rows = _rows(traffic or {})
    if not rows:
        return None
    end = max(max(at + (us or 0) for at, _, _, _, us, _ in rows), 1)
    ops = list(dict.fromkeys(sorted(row[2] for row in rows)))
    lanes = tuple(_lane(op, index, [row for row in rows if row[2] == op], end) for index, op in enumerate(ops))
    return Chart(lanes, len(lanes) * LANE, _bands(rows, end), _ticks(end), end / 1e6, tuple(rows))


def _ticks(end: float) -> tuple[tuple[float, str], ...]:
    """Round times, four to nine of them."""
    decade = 10 ** math.floor(math.log10(end))
    step = next(part * decade for part in (0.1, 0.2, 0.5, 1.0, 2.0) if end / (part * decade) < 9)
    return tuple((round(n * step / end * 100, 2), _seconds(n * step)) for n in range(math.floor(end / step) + 1))


def _rows(traffic: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """What can be drawn: a file that somebody edited costs its bad rows, not the page."""
    found = []
    for row in traffic.get("exchanges") or ():
        if isinstance(row, (list, tuple)) and len(row) == 6 and isinstance(row[0], (int, float)):
            us = row[4] if isinstance(row[4], (int, float)) else None
            if 0 <= row[0] < _FULL_DAY and (us is None or 0 <= us < _FULL_DAY):
                found.append((row[0], str(row[1]), str(row[2]), row[3], us, row[5]))
    return found


def _lane(op: str, index: int, rows: Sequence[tuple[Any, ...]], end: float) -> Lane:
    y = index * LANE + LANE // 2
    marks: dict[str, list[str]] = {"ok": [], "error": [], "lost": []}
    for at, _, _, reply, us, _ in rows:
        kind = "ok" if reply in ("ok", None) else "error"
        if reply is None and not _needs_no_reply(op):
            kind = "lost"
        width = max(_SHORTEST, round((us or 0) / end * SPAN))
        marks[kind].append(f"M{min(round(at / end * SPAN), SPAN - _SHORTEST)} {y}h{width}")
    return Lane(op, y, *("".join(dict.fromkeys(marks[kind])) for kind in ("ok", "error", "lost")))


def _needs_no_reply(op: str) -> bool:
    return op in ("FORGET", "BATCH_FORGET", "INTERRUPT", "NOTIFY_REPLY")


def _bands(rows: Sequence[tuple[Any, ...]], end: float) -> tuple[tuple[str, float, float], ...]:
    """Layers one after the other, each as long as until the next begins."""
    starts: list[tuple[str, float]] = []
    for at, layer, *_ in rows:
        if layer and (not starts or starts[-1][0] != layer):
            starts.append((layer, round(at / end * 100, 2)))
    ends = [at for _, at in starts[1:]] + [100.0]
    return tuple((layer, at, round(to - at, 2)) for (layer, at), to in zip(starts, ends, strict=True) if to - at >= 0.5)


def _seconds(us: float) -> str:
    return "0" if us == 0 else f"{us / 1e6:.3g} s" if us >= 1e6 else f"{us / 1e3:.3g} ms"
