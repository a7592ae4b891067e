"""The work on content: reading and writing by blocks, whole files, a copy.

Owns fsprobe's own loops and the file that fio works on; knows nothing of turns or daemons. Every figure is in MB/s
(10^6 bytes). Writes go over a file that is there, reads are by a fresh open: the kernel's page cache holds what the
daemon lets it hold.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import perf_counter

from fsprobe.bench import fio
from fsprobe.bench.calls import BATCH, Clock

_FEWEST = 4
_LONGER, _MOST = 2, 24
"""How many times longer fio works, whose start takes a third of a second anyway; and its most passes over the file."""
_CHUNK = 1 << 17


def lay_out(path: str, size: int, clock: Clock) -> None:
    """A file of that size, of bytes that do not compress. One that could not be made whole is removed."""
    if os.path.exists(path):
        return
    with _making(path), open(path, "xb", buffering=0) as file:
        left = size
        while left:
            left -= file.write(random.Random(left).randbytes(min(_CHUNK, left))) or 0
            clock.tick()


@contextmanager
def _making(path: str) -> Iterator[None]:
    """What fails half made is removed: a full file system is of no use to what comes next."""
    try:
        yield
    except OSError:
        with suppress(OSError):
            os.unlink(path)
        raise


@dataclass(slots=True)
class Data:
    """Blocks of one size, one after the other or at random, read or written, each followed by fsync or not."""

    root: str
    clock: Clock
    mode: str
    order: str
    size: int
    total: int
    tool: str = "own"
    _rate: float = 0.0

    @property
    def _path(self) -> str:
        return f"{self.root}/data-{self.total}"

    def prepare(self) -> None:
        lay_out(self._path, self.total, self.clock)

    def slice(self, seed: int) -> dict[str, float]:
        self.clock.phase("data")
        if self.tool == "fio":
            share, loops = self._share()
            job = fio.Job(self.mode, self.order, self.size, self.total, share, loops)
            self._rate = fio.run(self._path, job, seed)
            return {"data": self._rate}
        spent, done = 0.0, 0
        while spent < self.clock.lasts:
            seconds, blocks = self._pass(seed + done)
            spent, done = spent + seconds, done + blocks
        return {"data": done * self.size / spent / 1e6}

    def _share(self) -> tuple[int, int]:
        """Bytes for fio to do in one slice, as far as is known how long that takes, and how often: each time it opens
        the file anew.
        """
        wanted = self._rate * 1e6 * self.clock.lasts * _LONGER
        once = min(max(round(wanted / self.size), _FEWEST) * self.size, self.total)
        return once, min(max(round(wanted / once), 1), _MOST)

    def _pass(self, seed: int) -> tuple[float, int]:
        """Seconds and blocks of one open, over the whole file or until a slice is full."""
        rng = random.Random(seed)
        offsets = [number * self.size for number in range(self.total // self.size)]
        if self.order == "rand":
            rng.shuffle(offsets)
        block, reading = rng.randbytes(self.size), self.mode == "read"
        buffer, sync, every = bytearray(self.size), self.mode.endswith("fsync"), BATCH if self.size < _CHUNK else 1
        fd = os.open(self._path, os.O_RDONLY if reading else os.O_WRONLY)
        done = 0
        try:
            began = perf_counter()
            for offset in offsets:
                moved = os.preadv(fd, [buffer], offset) if reading else os.pwrite(fd, block, offset)
                if moved != self.size:
                    raise OSError(5, f"a short {'read' if reading else 'write'}")
                if sync:
                    os.fsync(fd)
                done += 1
                if sync or not done % every:
                    self.clock.tick()
                    if done >= _FEWEST and perf_counter() - began >= self.clock.lasts:
                        break
            return perf_counter() - began, done
        finally:
            os.close(fd)


@dataclass(slots=True)
class Whole:
    """A file made, written, read and removed as a whole; what is read is compared."""

    root: str
    clock: Clock
    size: int

    def prepare(self) -> None:
        """Nothing."""

    def slice(self, seed: int) -> dict[str, float]:
        self.clock.phase("whole")
        path, content = f"{self.root}/whole-{self.size}", random.Random(seed).randbytes(self.size)
        with _making(path):
            return self._measured(path, content)

    def _measured(self, path: str, content: bytes) -> dict[str, float]:
        spent, done = 0.0, 0
        while spent < self.clock.lasts:
            began = perf_counter()
            with open(path, "xb", buffering=0) as file:
                left = memoryview(content)
                while left:
                    left = left[file.write(left) or 0 :]
            with open(path, "rb", buffering=0) as file:
                found = file.read()
            spent += perf_counter() - began
            done += 1
            os.unlink(path)
            self.clock.tick()
            if found != content:
                raise OSError(5, "what was read is not what was written")
        return {"whole": 2 * self.size * done / spent / 1e6}


@dataclass(slots=True)
class Copy:
    """A copy within the file system, by reading and writing as cp does where nothing better is offered."""

    root: str
    clock: Clock
    size: int

    def prepare(self) -> None:
        lay_out(f"{self.root}/copied", self.size, self.clock)

    def slice(self, seed: int) -> dict[str, float]:
        self.clock.phase("copy")
        with _making(f"{self.root}/copy"):
            return self._measured()

    def _measured(self) -> dict[str, float]:
        began, moved = perf_counter(), 0
        with open(f"{self.root}/copied", "rb", buffering=0) as file, open(f"{self.root}/copy", "xb", buffering=0) as to:
            while part := file.read(_CHUNK):
                left = memoryview(part)
                while left:
                    left = left[to.write(left) or 0 :]
                moved += len(part)
                self.clock.tick()
        took = perf_counter() - began
        found = os.stat(f"{self.root}/copy").st_size
        os.unlink(f"{self.root}/copy")
        if (moved, found) != (self.size, self.size):
            raise OSError(5, f"the copy has {found:,} of {self.size:,} bytes")
        return {"copy": self.size / took / 1e6}
