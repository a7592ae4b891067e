"""The work on names: cycles of calls, directories with many files, depth, whole files.

Owns making ready and one slice of each kind; knows nothing of turns or daemons. It runs in a worker that can be lost.
What makes ready is not timed; a slice is short, so that other load of the machine disturbs few of them.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, Protocol

from fsprobe.bench import calls
from fsprobe.bench.calls import CALLS, RENAMED, Clock, TooSlow, timed
from fsprobe.bench.data import Copy, Data, Whole
from fsprobe.bench.together import Phase, Together
from fsprobe.posix.removal import remove_tree

LONGEST = 0.4
COLD = 1.1
"""Seconds after which no default cache of attributes is valid any more (libfuse's and the kernel's keep one)."""
BLOCK, CHUNK = 500, 10
APART = 10_000
"""Up to so many files those that are asked for by name have a directory of their own: a listing warms all of them."""
_ROOM = 20.0


def _share(processes: int) -> int:
    """How many times longer a slice of several processes is: the kernel takes a while to spread them."""
    return 1 if processes == 1 else 3


class Work(Protocol):
    """One step on one place."""

    def prepare(self) -> None:
        """Make ready. Raises OSError."""

    def slice(self, seed: int) -> dict[str, float]:
        """One figure for each measured phase, in the unit of its row. Raises OSError."""


def make(kind: str, args: dict[str, Any], measured: Sequence[str], shared: Shared) -> Work:
    """The work of a kind. shared: what several steps use."""
    if kind == "cycle":
        return Cycle(shared.fresh(), shared.clock, tuple(measured), **args)
    if kind == "depth":
        return Depth(shared.fresh(), shared.clock, **args)
    if kind in ("stat", "readdir", "beside"):
        crowd = shared.crowd(args["count"], apart=kind == "stat" and args["count"] <= APART)
        rest = {key: value for key, value in args.items() if key != "count"}
        among: dict[str, Any] = {"stat": Stat, "readdir": Readdir, "beside": Beside}
        found: Work = among[kind](crowd, shared.clock, **rest)
        return found
    content: dict[str, Any] = {"data": Data, "whole": Whole, "copy": Copy}
    made: Work = content[kind](shared.root, shared.clock, **args)
    return made


@dataclass(slots=True)
class Shared:
    """The directory of one start, and the directories in it that several steps use."""

    root: str
    clock: Clock
    crowds: dict[str, Crowd] = field(default_factory=dict)
    made: int = 0

    def fresh(self) -> str:
        """A name that nothing has."""
        self.made += 1
        return f"{self.root}/w{self.made}"

    def crowd(self, count: int, *, apart: bool) -> Crowd:
        """The directory with that many files, made when it is first asked for. apart: that one is never listed."""
        root = f"{self.root}/{'apart' if apart else 'crowd'}-{count}"
        if root not in self.crowds:
            self.crowds[root] = Crowd(root, count, self.clock)
        return self.crowds[root]


@dataclass(slots=True)
class Cycle:
    """Names go through calls, from being made to being removed, again and again; each call's time is its own.

    alone: names are not removed, as that is what came to grief.
    """

    root: str
    clock: Clock
    measured: tuple[str, ...]
    calls: Sequence[str]
    count: int
    processes: int
    size: int
    alone: bool = False
    _cycle: int = 0
    _names: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        os.mkdir(self.root)
        for number in range(self.processes):
            os.mkdir(f"{self.root}/p{number}")

    def slice(self, seed: int) -> dict[str, float]:
        spent, done = dict.fromkeys(self.calls, 0.0), dict.fromkeys(self.calls, 0)
        phases = [partial(self._phase, at, seed) for at in range(len(self.calls))]
        try:
            self._cycles(phases, spent, done)
        except OSError:
            remove_tree(self.root)  # what is half done takes room
            raise
        self._cycle += 1 << 16  # names of the next slice, as what counts them may have been another process
        return {call: spent[call] / done[call] * 1e6 for call in self.measured}

    def _cycles(self, phases: Sequence[Phase], spent: dict[str, float], done: dict[str, int]) -> None:
        """Add up what each call takes."""
        began = perf_counter()
        with Together(self.processes, phases, self.clock) as all_of_them:
            while True:
                for at, call in enumerate(self.calls):
                    for seconds, made in all_of_them.run(at, call):
                        spent[call] += seconds
                        done[call] += made
                if self.alone or perf_counter() - began >= self.clock.lasts * _share(self.processes):
                    return

    def _phase(self, at: int, seed: int, process: int) -> tuple[float, int]:
        """One call on all names, in the process that has them."""
        call = self.calls[at]
        if at == 0:
            self._cycle += 1
            many = max(self.count // self.processes, 1)
            self._names = [f"{self.root}/p{process}/{self._cycle:x}-{number}" for number in range(many)]
            random.Random(seed * 64 + process).shuffle(self._names)
        seconds, made = timed(CALLS[call], self._names, b"w" * self.size, LONGEST if at == 0 else 1e9)
        if at == 0:
            self._names = self._names[:made]
        if call == "rename":
            self._names = [name + RENAMED for name in self._names]
        return seconds, made


@dataclass(slots=True)
class Crowd:
    """A directory with many files. touched, asked: when the kernel was last told of all of them, or of a chunk; at: the
    chunk that is asked for next.
    """

    root: str
    count: int
    clock: Clock
    names: list[str] = field(default_factory=list)
    touched: float = 0.0
    asked: dict[int, float] = field(default_factory=dict)
    at: int = 0
    failed: OSError | TooSlow | None = None

    def prepare(self) -> None:
        if self.names:
            return
        if self.failed is not None:
            raise self.failed
        made = [f"{self.root}/f{number:06}" for number in range(self.count)]
        done = 0
        try:
            os.mkdir(self.root)
            for name in made:
                calls.create(name)
                done += 1
                self.clock.tick()
        except TooSlow:
            self.failed = TooSlow(f"{done:,} of {self.count:,} files made when the time for it was over")
        except OSError as error:
            self.failed = OSError(error.errno, f"{error.strerror or error}, with {done:,} of {self.count:,} files made")
        if self.failed is not None:
            self._make_room(made[:done])
            raise self.failed
        random.Random(self.count).shuffle(made)
        self.names, self.touched = made, time.monotonic()

    def cold(self, many: int) -> list[str]:
        """The next so many names, once no usual cache has them any more."""
        chunks = [(self.at + number) % (self.count // CHUNK) for number in range(many // CHUNK)]
        self.at = (chunks[-1] + 1) % (self.count // CHUNK)
        ready = max(self.touched, *(self.asked.get(chunk, 0.0) for chunk in chunks)) + COLD
        time.sleep(max(0.0, ready - time.monotonic()))
        self.asked.update(dict.fromkeys(chunks, time.monotonic()))
        return [name for chunk in chunks for name in self.names[chunk * CHUNK : (chunk + 1) * CHUNK]]

    def _make_room(self, made: list[str]) -> None:
        """A full file system is of no use to what comes next, which says so itself where this fails."""
        self.clock.begin("making room", _ROOM)
        with suppress(OSError, TooSlow):
            for name in made:
                os.unlink(name)
                self.clock.tick()
            os.rmdir(self.root)
        self.clock.phase("making ready")


@dataclass(slots=True)
class Stat:
    """stat of files that nobody has asked of for longer than a usual cache of attributes lasts."""

    crowd: Crowd
    clock: Clock
    processes: int

    def prepare(self) -> None:
        self.crowd.prepare()

    def slice(self, seed: int) -> dict[str, float]:
        names = self.crowd.cold(min(BLOCK, max(self.crowd.count // 10, 40)) * self.processes)
        shares = [names[number :: self.processes] for number in range(self.processes)]
        lasts = self.clock.lasts * _share(self.processes)
        phase = [lambda number: timed(CALLS["stat"], shares[number], b"", lasts)]
        with Together(self.processes, phase, self.clock) as them:
            return {"stat": _mean(them.run(0, "stat")) * 1e6}


def _mean(answers: list[tuple[float, int]]) -> float:
    return sum(seconds / done for seconds, done in answers) / len(answers)


@dataclass(slots=True)
class Readdir:
    """Whole listings, each from a fresh opendir; the names are counted."""

    crowd: Crowd
    clock: Clock
    processes: int
    per_entry: bool = False

    def prepare(self) -> None:
        self.crowd.prepare()

    def slice(self, seed: int) -> dict[str, float]:
        share = self.crowd.count if self.per_entry else 1
        with Together(self.processes, [lambda _: self._listings()], self.clock) as them:
            found = them.run(0, "readdir")
        self.crowd.touched = time.monotonic()
        return {"readdir": _mean(found) / share * 1e6}

    def _listings(self) -> tuple[float, int]:
        done, began = 0, perf_counter()
        while True:
            found = 0
            with os.scandir(self.crowd.root) as entries:
                for _ in entries:
                    found += 1
            done += 1
            if found != self.crowd.count:
                raise OSError(5, f"readdir gave {found:,} of {self.crowd.count:,} names")
            if perf_counter() - began >= self.clock.lasts * _share(self.processes):
                return perf_counter() - began, done


@dataclass(slots=True)
class Beside:
    """A file made and removed beside many others."""

    crowd: Crowd
    clock: Clock

    def prepare(self) -> None:
        self.crowd.prepare()

    def slice(self, seed: int) -> dict[str, float]:
        self.clock.phase("beside")
        names = [f"{self.crowd.root}/beside-{number}" for number in range(1000)]
        seconds, done = timed(calls.create_unlink, names, b"", self.clock.lasts)
        return {"beside": seconds / done * 1e6}


@dataclass(slots=True)
class Depth:
    """open and close, which every daemon hears of, of one file below so many directories."""

    root: str
    clock: Clock
    depth: int

    def prepare(self) -> None:
        place = "/".join([self.root, *["d"] * self.depth])
        os.makedirs(place)
        calls.create(f"{place}/f")

    def slice(self, seed: int) -> dict[str, float]:
        self.clock.phase("depth")
        path = "/".join([self.root, *["d"] * self.depth, "f"])
        seconds, done = timed(calls.open_close, [path] * 20_000, b"", self.clock.lasts)
        return {"depth": seconds / done * 1e6}
