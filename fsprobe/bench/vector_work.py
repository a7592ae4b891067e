"""The work on vectors in one system: insert all, ask all queries, compare with exact search.

Owns what is timed, the same for every system, and VexFS's few calls; knows nothing of databases, whose calls are
`vector_databases`'s, nor of processes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Any

from fsprobe.bench import vector_data
from fsprobe.bench.calls import Clock
from fsprobe.bench.statistics import times
from fsprobe.bench.vector_data import Data, K

BATCH = 100
ALONE = 100
INSERTING, ASKING = "inserting", "asking"
Insert = Callable[[int, Any], None]
"""Takes the number of the first and some vectors; they are stored when it is back."""
Query = Callable[[Any], list[int]]
"""Takes a vector, gives the numbers of the K nearest, best first."""


def measure(insert: Insert, query: Query, data: Data, clock: Clock) -> dict[str, Any]:
    """The figures of one system. The last vectors are inserted one by one, which tells the latency of one; all before
    them in batches, which tells the throughput. The first query, which may build an index, counts by itself.
    """
    count = len(data.stored)
    in_batches = count - min(ALONE, count // 4)
    spent, alone, asked, found = 0.0, [], [], []
    clock.phase(INSERTING)
    for first in range(0, in_batches, BATCH):
        part = data.stored[first : min(first + BATCH, in_batches)]
        spent += _timed(insert, first, part)[0]
        clock.tick()
    for first in range(in_batches, count):
        alone.append(_timed(insert, first, data.stored[first : first + 1])[0] * 1e3)
        clock.tick()
    clock.phase(ASKING)
    waited, _ = _timed(query, data.queries[0])
    for vector in data.queries:
        took, got = _timed(query, vector)
        asked.append(took * 1e3)
        found.append(got)
        clock.tick()
    inserted, answered = times(alone), times(asked)
    return {
        **{f"insert_ms_{name}": value for name, value in inserted.items()}, "insert_per_s": in_batches / spent,
        "first_query_ms": waited * 1e3,
        **{f"query_ms_{name}": value for name, value in answered.items()}, "query_per_s": 1e3 / answered["mean"],
        "recall": vector_data.recall(found, data.exact),
    }  # fmt: skip


def _timed(call: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    began = perf_counter()
    got = call(*arguments)
    return perf_counter() - began, got


def through_mount(directory: str, clock: Clock, *, data: str, kept: str, limit: float) -> dict[str, Any]:
    """VexFS: a file for each vector, a query file and its results. data: where the vectors lie. kept: the directory
    that the daemon keeps its content in, "" where there is none. limit: seconds. Raises OSError, TooSlow.
    """
    clock.begin("reading the vectors", limit)
    vectors = vector_data.load(data)
    clock.phase("mkdir")
    os.mkdir(directory)

    def insert(first: int, part: Any) -> None:
        for number, vector in enumerate(part, first):
            _put(f"{directory}/{number}.vec", text(vector))

    def query(vector: Any) -> list[int]:
        _put(f"{directory}/q.search", b"vector: %s\nk: %d\n" % (text(vector), K))
        with open(f"{directory}/q.search.results", "rb", buffering=0) as file:
            return [_number(line) for line in file.read().splitlines()]

    found = measure(insert, query, vectors, clock)
    return found | ({"disk_mb": _saved(f"{directory}/q.search", kept)} if kept else {})


def _saved(path: str, kept: str) -> float:
    """What a daemon has put away, once it is told to."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    return disk(kept)


def text(vector: Any) -> bytes:
    """A vector as VexFS takes it; nine digits tell a 32-bit float exactly."""
    return b",".join(map(b"%.9g".__mod__, vector.tolist()))


def _put(path: str, content: bytes) -> None:
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    try:
        if os.write(fd, content) != len(content):
            raise OSError(errno.EIO, "a short write")
    except OSError:
        with suppress(OSError):
            os.close(fd)
        raise
    os.close(fd)  # where a vector that is refused is told of


def _number(line: bytes) -> int:
    name = line.partition(b".vec")[0]
    if not name.isdigit():
        raise OSError(errno.EIO, f"a line of q.search.results names no vector: {line[:40]!r}")
    return int(name)


def disk(directory: str) -> float:
    """MB (10^6 bytes) of blocks that files take there."""
    total = 0
    for place, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(f"{place}/{name}").st_blocks * 512
    return total / 1e6
