"""What one benchmark was asked to do, and how many turns and how much time that is.

Owns the records; knows nothing of how it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fsprobe.config.target import Target

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """native: a directory, "" for a fresh one in memory. rounds: samples of each cell, None: as many as it takes.
    timeout: seconds without a sign of life. inject: fault rules, with which all goes through the relay. only: groups;
    rows: ids; all where there are none.
    """

    targets: tuple[Target, ...]
    native: str = ""
    quick: bool = False
    rounds: int | None = None
    seed: int = 42
    timeout: float = 30.0
    only: tuple[str, ...] = ()
    inject: tuple[str, ...] = ()
    rows: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pace:
    """How many turns, and the seconds after which there are no more, for each column of a group."""

    fewest: int
    most: int
    seconds: dict[str, float]
    ready_within: float
    starts: int
    lasts: float


FULL = Pace(7, 25, {"metadata": 14.0, "data": 42.0, "files": 14.0, "scaling": 20.0}, 120.0, 5, 0.04)
QUICK = Pace(3, 7, {"metadata": 0.9, "data": 1.2, "files": 0.9, "scaling": 0.9}, 15.0, 3, 0.012)


def pace_of(options: BenchOptions) -> Pace:
    """The pace that was asked for."""
    pace = QUICK if options.quick else FULL
    if options.rounds is None:
        return pace
    return replace(pace, fewest=options.rounds, most=options.rounds)


def expected(options: BenchOptions) -> float:
    """Seconds that it takes at most, or about so, where no target is slower than the reference."""
    pace = pace_of(options)
    groups = sum(seconds for group, seconds in pace.seconds.items() if group in (options.only or pace.seconds))
    making = 2.0 if options.quick else 35.0
    return (groups + making) * (len(options.targets) + 1)
