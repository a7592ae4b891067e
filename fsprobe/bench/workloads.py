"""The work that is timed: system calls on a directory, seeded, each with its own clean-up.

Owns the calls and their timing, with the standard library alone; knows nothing of daemons. It runs in a worker that
can be lost. Every function returns one figure in the unit of its row.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KIB, MIB = 1024, 1 << 20
METADATA = ("create", "stat", "open+close", "readdir", "rename", "unlink")
BLOCKS = ((4 * KIB, "4 KiB"), (128 * KIB, "128 KiB"), (MIB, "1 MiB"))


@dataclass(frozen=True, slots=True)
class Workload:
    """One row. kind: the function below; args: what it is told; x, series: place in a plot of scaling."""

    id: str
    group: str
    unit: str
    better: str
    kind: str
    args: dict[str, Any]
    series: str = ""
    x: int | None = None


def table(*, quick: bool) -> list[Workload]:
    """Every row, in the order in which they are measured."""
    files, entries = (40, 200) if quick else (1000, 10_000)
    found = []
    for processes in (1, 4):
        for call in METADATA:
            count = entries if call == "readdir" else files
            name = f"{call} of {count}" if call == "readdir" else call
            found.append(Workload(f"{name}, {processes} proc", "metadata", "us", "lower", "metadata",
                                  {"call": call, "count": count, "processes": processes}))  # fmt: skip
    for size, label in BLOCKS:
        total = min(size * 64, 4 * MIB) if quick else min(size * 1024, 32 * MIB)
        for order in ("seq", "rand"):
            for mode in ("read", "write", "write+fsync"):
                found.append(Workload(f"{order} {mode} {label}", "data", "MB/s", "higher", "data",
                                      {"mode": mode, "order": order, "size": size, "total": total}))  # fmt: skip
    return found + _scaling(quick)


def _scaling(quick: bool) -> list[Workload]:
    found = []

    def add(series: str, x: int, kind: str, unit: str, better: str, **args: Any) -> None:
        found.append(Workload(f"{series}: {x}", "scaling", unit, better, kind, args, series, x))

    for count in (100, 300) if quick else (100, 1000, 10_000, 100_000):
        add("stat by files in the directory", count, "crowd", "us", "lower", count=count)
    for depth in (1, 8) if quick else (1, 4, 16, 64):
        add("stat by depth", depth, "depth", "us", "lower", depth=depth)
    for size in (4, 1024) if quick else (4, 64, 1024, 16_384):
        add("whole file written and read, by KiB", size, "whole", "MB/s", "higher", size=size * KIB)
    for processes in (1, 2) if quick else (1, 2, 4, 8):
        add("create by processes", processes, "metadata", "us", "lower", call="create", processes=processes,
            count=40 if quick else 400)
    return found


def run(root: str, kind: str, args: dict[str, Any], seed: int) -> float:
    """One sample. Raises OSError as the file system answers."""
    return _KINDS[kind](root, random.Random(seed), **args)


def _make(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))


def _metadata(root: str, rng: random.Random, call: str, count: int, processes: int) -> float:
    """Microseconds of one call (of one whole listing for readdir), as a process sees it."""
    if processes == 1:
        return _calls(root, call, count, rng)
    return _parallel(root, call, count, processes, rng)


def _calls(root: str, call: str, count: int, rng: random.Random, gate: Callable[[], None] | None = None) -> float:
    names = [f"{root}/f{number:06}" for number in range(count)]
    if call != "create":
        for name in names:
            _make(name)
    rng.shuffle(names)
    if gate is not None:
        gate()
    began = time.perf_counter()
    if call == "readdir":
        found = sum(1 for _ in os.scandir(root))
        took = time.perf_counter() - began
        if found != count:
            raise OSError(5, f"readdir gave {found} of {count} names")
        return took * 1e6
    one = _CALLS[call]
    for name in names:
        one(name)
    return (time.perf_counter() - began) / count * 1e6


def _open_close(name: str) -> None:
    os.close(os.open(name, os.O_RDONLY))


_CALLS: dict[str, Callable[[str], object]] = {
    "create": _make,
    "stat": os.stat,
    "open+close": _open_close,
    "rename": lambda name: os.rename(name, name + "r"),
    "unlink": os.unlink,
}


def _parallel(root: str, call: str, count: int, processes: int, rng: random.Random) -> float:
    """The mean of the processes, each in a directory of its own; all begin together."""
    seeds = [rng.randrange(1 << 30) for _ in range(processes)]
    gate_read, gate_write = os.pipe()
    ready_read, ready_write = os.pipe()
    told_read, told_write = os.pipe()
    children = []
    for number, seed in enumerate(seeds):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                place = f"{root}/p{number}"
                os.mkdir(place)
                os.close(gate_write)

                def gate() -> None:
                    os.write(ready_write, b"r")
                    os.read(gate_read, 1)  # ends when the parent closes its end

                took = _calls(place, call, count // processes or 1, random.Random(seed), gate)
                os.write(told_write, f"{took!r}\n".encode())
                code = 0
            except OSError as error:
                code = min(error.errno or 1, 255)
            finally:
                os._exit(code)
        children.append(child)
    for fd in (gate_read, ready_write, told_write):
        os.close(fd)
    seen = 0
    while seen < processes and (came := os.read(ready_read, processes)):
        seen += len(came)
    os.close(gate_write)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    text = os.read(told_read, 1 << 16).decode() if not any(codes) else ""
    os.close(ready_read)
    os.close(told_read)
    bad = next((code for code in codes if code), 0)
    if bad:
        raise OSError(bad if bad > 0 else 5, os.strerror(bad) if bad > 0 else "a process of the work was killed")
    return sum(map(float, text.split())) / processes


def _data(root: str, rng: random.Random, mode: str, order: str, size: int, total: int) -> float:
    """MB/s (10^6 bytes). Reads are by a fresh open, so the page cache holds what the daemon lets it hold."""
    path, block = f"{root}/data", rng.randbytes(size)
    offsets = [number * size for number in range(total // size)]
    if order == "rand":
        rng.shuffle(offsets)
    if mode == "read":
        with open(path, "wb", buffering=0) as file:
            for _ in offsets:
                file.write(block)
        return _reads(path, offsets, size)
    sync = mode == "write+fsync"
    if sync:
        offsets = offsets[:32]
    fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
    try:
        began = time.perf_counter()
        for offset in offsets:
            if os.pwrite(fd, block, offset) != size:
                raise OSError(5, "a short write")
            if sync:
                os.fsync(fd)
    finally:
        os.close(fd)
    return len(offsets) * size / (time.perf_counter() - began) / 1e6


def _reads(path: str, offsets: list[int], size: int) -> float:
    fd, buffer = os.open(path, os.O_RDONLY), bytearray(size)
    try:
        began = time.perf_counter()
        for offset in offsets:
            if os.preadv(fd, [buffer], offset) != size:
                raise OSError(5, "a short read")
        return len(offsets) * size / (time.perf_counter() - began) / 1e6
    finally:
        os.close(fd)


def _crowd(root: str, rng: random.Random, count: int) -> float:
    for number in range(count):
        _make(f"{root}/f{number:06}")
    names = [f"{root}/f{rng.randrange(count):06}" for _ in range(100)]
    began = time.perf_counter()
    for name in names:
        os.stat(name)
    return (time.perf_counter() - began) / len(names) * 1e6


def _depth(root: str, rng: random.Random, depth: int) -> float:
    place = "/".join([root, *["d"] * depth])
    os.makedirs(place)
    _make(f"{place}/f")
    began = time.perf_counter()
    for _ in range(200):
        os.stat(f"{place}/f")
    return (time.perf_counter() - began) / 200 * 1e6


def _whole(root: str, rng: random.Random, size: int) -> float:
    content = rng.randbytes(size)
    began = time.perf_counter()
    with open(f"{root}/whole", "wb", buffering=0) as file:
        left = memoryview(content)
        while left:
            left = left[file.write(left) or 0 :]
    with open(f"{root}/whole", "rb") as file:
        same = file.read() == content
    took = time.perf_counter() - began
    if not same:
        raise OSError(5, "what was read is not what was written")
    return 2 * size / took / 1e6


_KINDS: dict[str, Callable[..., float]] = {
    "metadata": _metadata, "data": _data, "crowd": _crowd, "depth": _depth, "whole": _whole,
}  # fmt: skip
