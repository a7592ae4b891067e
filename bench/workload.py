"""The work that every variant of `bench/relay.py` does, and how long each part of it took.

Owns the calls and their timing, with `os` alone; knows nothing of what lies under the directory. Run as
`python bench/workload.py DIRECTORY`, it prints one JSON object: seconds per call, by kind of call.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

FILES = 150
SMALL, SMALL_WRITES = 4096, 400
LARGE, LARGE_CALLS = 1 << 20, 24

METADATA = ("create", "stat", "unlink")
BULK = ("write 1 MiB", "read 1 MiB")
KINDS = (*METADATA, "write 4 KiB", *BULK)


Clock = Callable[[], float]


def measure(directory: str, clock: Clock = time.perf_counter) -> dict[str, float]:
    """Seconds per call, by kind. The directory is empty again afterwards."""
    names = [os.path.join(directory, f"file{i:04}") for i in range(FILES)]
    large = os.path.join(directory, "large")
    seconds = {"create": _each(_create, names, clock), "stat": _each(os.stat, names, clock)}
    seconds["write 4 KiB"] = _writes(names[0], SMALL, SMALL_WRITES, clock)
    _create(large)
    seconds["write 1 MiB"] = _writes(large, LARGE, LARGE_CALLS, clock)
    seconds["read 1 MiB"] = _reads(large, LARGE, LARGE_CALLS, clock)
    os.unlink(large)
    seconds["unlink"] = _each(os.unlink, names, clock)
    return {kind: seconds[kind] for kind in KINDS}


def _create(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))


def _each(call: Callable[[str], object], names: list[str], clock: Clock) -> float:
    began = clock()
    for name in names:
        call(name)
    return (clock() - began) / len(names)


def _writes(path: str, size: int, count: int, clock: Clock) -> float:
    data = b"\xa5" * size
    fd = os.open(path, os.O_WRONLY)
    began = clock()
    for i in range(count):
        os.pwrite(fd, data, i * size)
    took = (clock() - began) / count
    os.close(fd)
    return took


def _reads(path: str, size: int, count: int, clock: Clock) -> float:
    # A fresh open drops what the page cache holds, unless the daemon asks for keep_cache.
    fd = os.open(path, os.O_RDONLY)
    buffer = bytearray(size)
    began = clock()
    for i in range(count):
        os.preadv(fd, [buffer], i * size)
    took = (clock() - began) / count
    os.close(fd)
    return took


def serve(channel: Any) -> None:
    """The same as a worker of fsprobe's sandbox: told {"setup": {"root": …}}, answers {"seconds": …}."""
    message, _ = channel.receive()
    channel.send({"seconds": measure(message["setup"]["root"])})


if __name__ == "__main__":
    json.dump(measure(sys.argv[1]), sys.stdout)
